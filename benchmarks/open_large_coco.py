"""Opening a COCO set of COCO's own size: 118,000 pictures with 860,000 boxes in one JSON file.

    uv run python benchmarks/open_large_coco.py [--outlines] [--json FILE] [--peer PYTHON]

Makes the file (125 MB, of the fields that COCO's has, without outlines) in a temporary folder, and
in the pictures' places files that begin as a real JPEG does and go on as a hole, 160 kB long. Then
it opens the set five times, each in a process of its own that imports everything anew: with
nothing kept in the cache, when every header is looked at, and again, when each file's state is;
pycocotools' `COCO(file)`, which looks at no picture, takes turns with both, in the environment of
PYTHON if it is given. The medians count, of memory the most. With `--outlines` every box has a
polygon of 20 corners, as in COCO's own file (about 350 MB).
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

import cv2
import numpy as np

sys.path.insert(0, str(Path(__file__).parents[1]))

from benchmarks.performance import record

PICTURES, BOXES, CLASSES, ROUNDS = 118_000, 860_000, 80, 5

BEGIN = """
import json, resource, sys, time
from pathlib import Path
from {module} import {name}
wall, cpu = time.perf_counter(), time.process_time()
"""
END = """
wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
# Bytes on macOS, kilobytes on Linux.
peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1 if sys.platform == "darwin" else 1e3)
assert sizes == (int(sys.argv[2]), int(sys.argv[3])), sizes
print(json.dumps({"wall": wall, "cpu": cpu, "MB": peak / 1e6}))
"""
OURS = BEGIN.format(module="viewfinder.datasets.opening", name="open_dataset") + (
    """
dataset = open_dataset(sys.argv[1], val_share=0.0)
sizes = len(dataset), len(dataset.boxes)
"""
    + END
)
THEIRS = BEGIN.format(module="pycocotools.coco", name="COCO") + (
    """
from contextlib import redirect_stdout
with redirect_stdout(sys.stderr):
    known = COCO(str(next(Path(sys.argv[1]).glob("annotations/*.json"))))
sizes = len(known.imgs), len(known.anns)
"""
    + END
)
WAYS = {"first": OURS, "again": OURS, "pycocotools": THEIRS}


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
    # The header of a JPEG as programs write it, and the first of its pixels.
    done, picture = cv2.imencode(".jpg", np.full((480, 640, 3), 127, np.uint8))
    assert done
    for name in names:
        with (root / "train2017" / name).open("wb") as file:
            file.write(picture.tobytes()[:1024])
            file.truncate(160_000)


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--outlines", action="store_true")
    parser.add_argument("--json", type=Path)
    parser.add_argument("--peer", default=sys.executable, help="a Python that has pycocotools")
    given = parser.parse_args()
    found: dict[str, list[dict[str, float]]] = {name: [] for name in WAYS}
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place) / "set"
        folder.mkdir()
        make(folder, outlines=given.outlines)
        for round_ in range(ROUNDS):
            cache = {"VIEWFINDER_CACHE": str(Path(place) / f"cache{round_}")}
            for name, way in WAYS.items():
                python = given.peer if name == "pycocotools" else sys.executable
                words = [python, "-c", way, str(folder), str(PICTURES), str(BOXES)]
                done = subprocess.run(
                    words, check=True, capture_output=True, text=True, env=os.environ | cache
                )
                found[name].append(json.loads(done.stdout))
    cpu, wall = (
        {name: statistics.median(each[key] for each in told) for name, told in found.items()}
        for key in ("cpu", "wall")
    )
    memory = {name: max(each["MB"] for each in told) for name, told in found.items()}
    for name in WAYS:
        print(
            f"{name}: {wall[name]:.2f} s ({cpu[name]:.2f} s of one core), "
            f"{memory[name]:.0f} MB at most"
        )
    times = {name: cpu["pycocotools"] / cpu[name] for name in ("first", "again")}
    print(
        f"{times['first']:.2f} times as fast as pycocotools by CPU time the first time, "
        f"{times['again']:.2f} times again"
    )
    if given.json:
        outlines = ", with outlines" if given.outlines else ""
        record(
            given.json,
            f"opening a COCO file of {PICTURES:,} pictures and {BOXES:,} boxes{outlines}, with "
            "real headers of JPEG, beside pycocotools, which looks at none",
            figure=f"the first time {times['first']:.2f} × as fast, again {times['again']:.2f} × "
            f"(seconds of CPU time {cpu['first']:.2f}, {cpu['again']:.2f} and "
            f"{cpu['pycocotools']:.2f}; by the clock {wall['first']:.2f}, {wall['again']:.2f} and "
            f"{wall['pycocotools']:.2f}); {memory['first']:,.0f}, {memory['again']:,.0f} and "
            f"{memory['pycocotools']:,.0f} MB at most",
            detail={"cpu": cpu, "wall": wall, "MB": memory},
            command="benchmarks/open_large_coco.py",
        )


if __name__ == "__main__":
    main()
