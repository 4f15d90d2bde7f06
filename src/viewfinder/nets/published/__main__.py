"""Make the file that comes with the package from Darknet's own; see `scripts/ship_weights`."""

import hashlib
import sys
from pathlib import Path

import safetensors.torch

from viewfinder import nets
from viewfinder.nets.darknet import read_weights
from viewfinder.nets.published import COCO_FILE, COCO_NET, ORIGIN_SHA256, halved


def main(origin: Path) -> None:
    """Read, check, halve and write."""
    if hashlib.sha256(origin.read_bytes()).hexdigest() != ORIGIN_SHA256:
        raise SystemExit(f"{origin} is not the published {COCO_NET}.weights")
    state = read_weights(origin, nets.create(COCO_NET)).state  # type: ignore[arg-type]
    metadata = {"origin": f"Darknet's {COCO_NET}.weights, public domain", "sha256": ORIGIN_SHA256}
    data = safetensors.torch.save(halved(state), metadata)
    COCO_FILE.write_bytes(data)
    # By which `viewfinder doctor` and `sha256sum --check` tell whether the file is whole.
    text = f"{hashlib.sha256(data).hexdigest()}  {COCO_FILE.name}\n"
    COCO_FILE.with_name(f"{COCO_FILE.name}.sha256").write_text(text, encoding="ascii")
    print(f"{COCO_FILE}: {COCO_FILE.stat().st_size:,} bytes")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
