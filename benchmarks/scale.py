"""What opening, checking and scoring a set cost as it grows: in pictures, in boxes, in classes.

    uv run python benchmarks/scale.py [--most-pictures 30000] [--json FILE] [--plot docs/scale.png]

Sets of small JPEG files with one COCO file are made, one of three sizes changed at a time; each is
opened, checked and scored (five detections for each labelled box) in a process of its own, which
tells CPU time and the most memory it took. `slope` is the exponent between the two largest sizes:
1 where twice as much costs twice as much.
"""

import argparse
import json
import math
import subprocess
import sys
import tempfile
from dataclasses import dataclass, replace
from pathlib import Path

import cv2
import numpy as np

sys.path.insert(0, str(Path(__file__).parents[1]))

from benchmarks.performance import record

SIDE, DETECTIONS = 32, 5
WORK = ("open", "check", "score")

MEASURE = """
import json, resource, sys, time
import numpy as np
from viewfinder.datasets.checks.checking import check_dataset
from viewfinder.datasets.opening import open_dataset
from viewfinder.tasks.detect.detections import Detections
from viewfinder.tasks.detect.measures.scores import score

told = {}
def timed(name, work):
    begun = time.process_time()
    result = work()
    told[name] = time.process_time() - begun
    # Bytes on macOS, kilobytes on Linux.
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    told[name + " MB"] = peak * (1 if sys.platform == "darwin" else 1e3) / 1e6
    return result

dataset = timed("open", lambda: open_dataset(sys.argv[1], val_share=0.0))
assert not timed("check", lambda: [f for f in check_dataset(dataset) if f.kind == "unreadable"])
random, boxes, found = np.random.default_rng(0), dataset.boxes, []
for picture in range(len(dataset)):
    rows = np.repeat(np.arange(len(boxes))[boxes.of(picture)], int(sys.argv[2]))
    corners = boxes.corners[rows] + random.normal(0, 1.0, (len(rows), 4))
    scores = np.sort(random.random(len(rows)))[::-1].astype(np.float32)
    found.append(Detections(corners.astype(np.float32), scores, boxes.classes[rows]))
timed("score", lambda: score(found, boxes, classes=dataset.classes))
print(json.dumps(told))
"""


@dataclass(frozen=True)
class Size:
    """Of a set."""

    pictures: int = 3_000
    boxes: int = 30_000
    classes: int = 80


def make(root: Path, size: Size) -> None:
    """Write a set."""
    random = np.random.default_rng(0)
    names = [f"{number:06}.jpg" for number in range(size.pictures)]
    (root / "images").mkdir()
    for name in names:
        pixels = random.integers(0, 256, (SIDE, SIDE, 3), np.uint8)
        cv2.imwrite(str(root / "images" / name), pixels, [cv2.IMWRITE_JPEG_QUALITY, 30])
    corners = random.random((size.boxes, 2)) * SIDE / 2
    sides = 3 + random.random((size.boxes, 2)) * (SIDE / 2 - 3)
    places = np.round(np.hstack([corners, sides]), 2).tolist()
    owners = random.integers(0, size.pictures, size.boxes).tolist()
    labels = random.integers(0, size.classes, size.boxes).tolist()
    annotations = [
        {"id": row, "image_id": owner + 1, "category_id": label + 1, "bbox": box, "iscrowd": 0}
        for row, (owner, label, box) in enumerate(zip(owners, labels, places, strict=True), 1)
    ]
    images = [
        {"id": number, "file_name": name, "width": SIDE, "height": SIDE}
        for number, name in enumerate(names, 1)
    ]
    categories = [{"id": n + 1, "name": f"class {n}"} for n in range(size.classes)]
    document = {"images": images, "annotations": annotations, "categories": categories}
    (root / "annotations.json").write_text(json.dumps(document), encoding="utf-8")


def measure(size: Size) -> dict[str, float]:
    with tempfile.TemporaryDirectory() as folder:
        make(Path(folder), size)
        words = [sys.executable, "-c", MEASURE, folder, str(DETECTIONS)]
        done = subprocess.run(words, check=True, capture_output=True, text=True)
    told: dict[str, float] = json.loads(done.stdout)
    return told


def draw(found: dict[str, dict[int, dict[str, float]]], file: Path) -> None:
    """A panel for each thing that grows, both axes logarithmic."""
    import matplotlib

    matplotlib.use("agg")
    from matplotlib import pyplot

    figure, panels = pyplot.subplots(1, len(found), figsize=(10, 3.4), sharey=True, dpi=110)
    for panel, (what, sizes) in zip(panels, found.items(), strict=True):
        for work in WORK:
            panel.loglog([*sizes], [told[work] for told in sizes.values()], "o-", label=work)
        panel.set_xlabel(what)
        panel.grid(alpha=0.3)
    panels[0].set_ylabel("CPU seconds")
    panels[0].legend()
    figure.tight_layout()
    figure.savefig(file)


def slope(sizes: dict[int, dict[str, float]], work: str) -> float:
    """The exponent between the two largest sizes."""
    (less, first), (more, second) = [*sizes.items()][-2:]
    return math.log(second[work] / first[work]) / math.log(more / less)


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--most-pictures", type=int, default=30_000)
    parser.add_argument("--most-boxes", type=int, default=1_000_000)
    parser.add_argument("--json", type=Path)
    parser.add_argument("--plot", type=Path)
    given = parser.parse_args()
    most = given.most_pictures
    grown = {
        "pictures": [n for n in (1_000, 3_000, 10_000, 30_000, 100_000) if n <= most],
        "boxes": [n for n in (10_000, 100_000, 1_000_000) if n <= given.most_boxes],
        "classes": [10, 100, 1_000],
    }
    found: dict[str, dict[int, dict[str, float]]] = {}
    for what, numbers in grown.items():
        found[what] = {}
        for number in numbers:
            told = measure(replace(Size(), **{what: number}))
            found[what][number] = told
            parts = ", ".join(f"{work} {told[work]:.2f} s" for work in WORK)
            print(f"{number:>9,} {what:9s} {parts}, {told['score MB']:,.0f} MB", flush=True)
    slopes = {what: {work: slope(found[what], work) for work in WORK} for what in found}
    for what, each in slopes.items():
        print(what, ", ".join(f"{work} grows by the power {n:.2f}" for work, n in each.items()))
    if given.plot:
        draw(found, given.plot)
    if given.json:
        record_all(given.json, found, given.plot.name if given.plot else None)


def record_all(file: Path, found: dict[str, dict[int, dict[str, float]]], plot: str | None) -> None:
    """A row for each thing that grew."""
    for what, sizes in found.items():
        rows = [
            f"{number:,}: " + ", ".join(f"{told[work]:.2f}" for work in WORK)
            for number, told in sizes.items()
        ]
        most = max(told["score MB"] for told in sizes.values())
        record(
            file,
            f"opening, checking and scoring a set by its {what} (else 3,000 pictures, "
            "30,000 boxes, 80 classes)",
            figure=f"CPU seconds: {'; '.join(rows)}; at most {most:,.0f} MB",
            detail={str(number): told for number, told in sizes.items()},
            command="benchmarks/scale.py",
            plot=plot,
        )


if __name__ == "__main__":
    main()
