"""Opening a COCO set of COCO's own size: 118,000 pictures with 860,000 boxes in one JSON file.

    uv run python benchmarks/open_large_coco.py

Makes the file (125 MB, of the fields that COCO's has, without outlines) and empty files in the
pictures' places in a temporary folder, then opens the set three times, each in a process of its
own that imports everything anew. The bounds: 3 s and 1 GB, of which every run's figures are shown.
With `--outlines` every box has a polygon of 20 corners, as in COCO's own file (about 350 MB).
"""

import json
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np

PICTURES, BOXES, CLASSES, ROUNDS = 118_000, 860_000, 80, 3

OPEN = """
import resource, sys, time
from viewfinder.datasets.opening import open_dataset
wall, cpu = time.perf_counter(), time.process_time()
dataset = open_dataset(sys.argv[1], val_share=0.0)
wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
# Bytes on macOS, kilobytes on Linux.
peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1 if sys.platform == "darwin" else 1e3)
assert len(dataset) == int(sys.argv[2]) and len(dataset.boxes) == int(sys.argv[3])
print(f"{wall:.2f} s ({cpu:.2f} s of one core), {peak / 1e6:.0f} MB at most, {dataset.summary()}")
"""


def make(root: Path, *, outlines: bool) -> None:
    """Write the set."""
    random = np.random.default_rng(0)
    names = [f"{number:012}.jpg" for number in range(PICTURES)]
    images = [
        {
            "license": 3,
            "file_name": name,
            "coco_url": f"http://images.example.org/train2017/{name}",
            "height": 480,
            "width": 640,
            "id": 3 * number + 1,
        }
        for number, name in enumerate(names)
    ]
    boxes = np.round(random.random((BOXES, 4)) * [300, 200, 300, 200] + [0, 0, 1, 1], 2).tolist()
    labels = random.integers(1, CLASSES + 1, BOXES).tolist()
    owners = random.integers(0, PICTURES, BOXES).tolist()
    annotations = []
    for row, (box, label, owner) in enumerate(zip(boxes, labels, owners, strict=True), 1):
        annotation = {"area": round(box[2] * box[3], 4), "iscrowd": 0, "image_id": 3 * owner + 1}
        annotation |= {"bbox": box, "category_id": label, "id": row}
        if outlines:
            annotation["segmentation"] = [np.round(random.random(40) * 300, 2).tolist()]
        annotations.append(annotation)
    categories = [{"id": n, "name": f"class {n}"} for n in range(1, CLASSES + 1)]
    document = {"images": images, "annotations": annotations, "categories": categories}
    (root / "annotations").mkdir()
    with (root / "annotations" / "instances_train2017.json").open("w") as file:
        json.dump(document, file)
    (root / "train2017").mkdir()
    for name in names:
        (root / "train2017" / name).touch()


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        make(Path(folder), outlines="--outlines" in sys.argv)
        for _ in range(ROUNDS):
            words = [sys.executable, "-c", OPEN, folder, str(PICTURES), str(BOXES)]
            print(subprocess.run(words, check=True, capture_output=True, text=True).stdout, end="")


if __name__ == "__main__":
    main()
