"""CPU seconds for a detector's scores, beside pycocotools on the same boxes.

    uv run python benchmarks/coco_scores.py [--json FILE]

2,000 pictures with 20,000 truths, of which 1 % are crowds, of 80 classes of unequal frequency, and
200,000 detections, most of them truths moved a little. Ours gives AP, the curves, the confusion,
the errors and the best thresholds; pycocotools AP and AR alone. Both begin with arrays in memory,
and the six AP must agree. The best of three rounds counts.
"""

import argparse
import contextlib
import io
import itertools
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
from pycocotools.coco import COCO
from pycocotools.cocoeval import COCOeval

from viewfinder.datasets.boxes import Boxes, gather_boxes
from viewfinder.tasks.detect.detections import Detections
from viewfinder.tasks.detect.measures.scores import DetectScores, score

sys.path.insert(0, str(Path(__file__).parents[1]))

from benchmarks.performance import record

PICTURES, TRUTHS, DETECTIONS, CLASSES, ROUNDS = 2_000, 20_000, 200_000, 80, 3
NAMES = ("ap", "ap50", "ap75", "ap_small", "ap_medium", "ap_large")


def make() -> tuple[list[Detections], Boxes]:
    random = np.random.default_rng(0)
    share = 1 / np.arange(1, CLASSES + 1)
    share /= share.sum()
    low = random.random((TRUTHS, 2)) * 400
    corners = np.hstack([low, low + 5 + random.random((TRUTHS, 2)) * 200])
    classes = random.choice(CLASSES, TRUTHS, p=share)
    pictures = np.sort(random.integers(0, PICTURES, TRUTHS))
    crowd = random.random(TRUTHS) < 0.01
    truth = gather_boxes(pictures, PICTURES, corners=corners, classes=classes, crowd=crowd)
    source = random.integers(0, TRUTHS, DETECTIONS)
    found = corners[source] + random.normal(0, 15, (DETECTIONS, 4))
    found[:, 2:] = np.maximum(found[:, 2:], found[:, :2] + 1)
    other = random.choice(CLASSES, DETECTIONS, p=share)
    labels = np.where(random.random(DETECTIONS) < 0.2, other, classes[source])
    scores = random.random(DETECTIONS).astype(np.float32)
    order = np.lexsort((-scores, pictures[source]))
    bounds = np.searchsorted(pictures[source][order], np.arange(PICTURES + 1))
    rows = [order[low:high] for low, high in itertools.pairwise(bounds)]
    return [Detections(found[r].astype(np.float32), scores[r], labels[r]) for r in rows], truth


def by_pycocotools(detections: list[Detections], truth: Boxes) -> list[float]:
    """The same six figures."""
    size = truth.corners[:, 2:] - truth.corners[:, :2]
    boxes = np.hstack([truth.corners[:, :2], size])
    columns: list[Any] = [truth.pictures() + 1, truth.classes + 1, boxes, size.prod(axis=1)]
    columns.append(truth.crowd.astype(int))
    names = ("image_id", "category_id", "bbox", "area", "iscrowd")
    annotations = [
        {"id": row, **dict(zip(names, values, strict=True))}
        for row, values in enumerate(zip(*(c.tolist() for c in columns), strict=True), 1)
    ]
    found = [
        np.column_stack(
            [
                np.full(len(d.scores), picture),
                d.boxes[:, :2],
                d.boxes[:, 2:].astype(float) - d.boxes[:, :2],
                d.scores,
                d.labels + 1,
            ]
        )
        for picture, d in enumerate(detections, 1)
    ]
    with contextlib.redirect_stdout(io.StringIO()):
        known = COCO()
        known.dataset = {
            "images": [{"id": i} for i in range(1, PICTURES + 1)],
            "categories": [{"id": c, "name": str(c)} for c in range(1, CLASSES + 1)],
            "annotations": annotations,
        }
        known.createIndex()
        evaluation = COCOeval(known, known.loadRes(np.concatenate(found)), "bbox")
        evaluation.evaluate()
        evaluation.accumulate()
        evaluation.summarize()
    return evaluation.stats[:6].tolist()


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--json", type=Path)
    given = parser.parse_args()
    detections, truth = make()
    classes = tuple(map(str, range(CLASSES)))
    ours, theirs = [], []
    for _ in range(ROUNDS):
        start = time.process_time()
        scores: DetectScores = score(detections, truth, classes=classes)
        middle = time.process_time()
        expected = by_pycocotools(detections, truth)
        ours.append(middle - start)
        theirs.append(time.process_time() - middle)
        for name, value in zip(NAMES, expected, strict=True):
            assert abs(getattr(scores, name) - value) < 1e-12, name
    times = min(theirs) / min(ours)
    print(
        f"viewfinder {min(ours):.2f} s   pycocotools {min(theirs):.2f} s   "
        f"{times:.1f} times as fast   AP {scores.ap:.6f} of both"
    )
    if given.json:
        record(
            given.json,
            f"a detector's scores on {PICTURES:,} pictures with {DETECTIONS:,} detections, beside "
            "pycocotools' AP alone",
            figure=f"{times:.1f} × as fast ({min(ours):.2f} and {min(theirs):.2f} s of CPU time)",
            detail={"viewfinder": min(ours), "pycocotools": min(theirs)},
            command="benchmarks/coco_scores.py",
        )


if __name__ == "__main__":
    main()
