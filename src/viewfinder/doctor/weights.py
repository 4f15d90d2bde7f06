"""Whether the weights that come with the package are whole."""

import hashlib
from pathlib import Path

import viewfinder.cpu
from viewfinder.doctor.machine import PackagedWeights

# Beside the package's own files; the package of the weights itself imports torch.
_FOLDER = Path(viewfinder.cpu.__file__).parent / "nets" / "published"


def weights(folder: Path = _FOLDER) -> PackagedWeights:
    """Hold every file of weights to the digest that lies beside it."""
    sums = sorted(folder.glob("*.sha256"))
    if not sums:
        return PackagedWeights(whole=None, says="their digests are not there")
    for each in sums:
        digest, _, name = each.read_text(encoding="ascii", errors="replace").strip().partition("  ")
        file = folder / Path(name).name
        if not file.is_file():
            return PackagedWeights(whole=False, says=f"{file.name} is missing")
        if _digest(file) != digest:
            size = file.stat().st_size
            return PackagedWeights(
                whole=False, says=f"{file.name} ({size:,} bytes) is not what was published"
            )
    return PackagedWeights(whole=True, says="")


def _digest(file: Path) -> str:
    with file.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()
