"""Which detections lie on an object, of whatever class."""

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from viewfinder.datasets.dataset import Dataset
from viewfinder.pictures.geometry import iou

_IOU = 0.5


def on_objects(corners: NDArray[np.float64], pictures: NDArray[np.int64], truth: Dataset) -> int:
    """How many detections lie on an object of whatever class."""
    return sum(1 for _ in matches(corners, pictures, truth))


def matches(
    corners: NDArray[np.float64], pictures: NDArray[np.int64], truth: Dataset
) -> Iterator[tuple[int, int, float]]:
    """Detections that lie on an object, each with the class of the one that it fits best,
    and that IoU."""
    boxes = truth.boxes
    assert boxes is not None, "a set of boxes"
    for picture in np.unique(pictures).tolist():
        own, rows = boxes.of(picture), np.flatnonzero(pictures == picture)
        objects = np.asarray(boxes.corners[own], np.float64)
        if not len(objects):
            continue
        with np.errstate(over="ignore", invalid="ignore", divide="ignore"):
            fits = iou(corners[rows], objects)
        best = fits.argmax(axis=1)
        for k, (row, at) in enumerate(zip(rows.tolist(), best.tolist(), strict=True)):
            if fits[k, at] >= _IOU:
                yield row, int(boxes.classes[own][at]), float(fits[k, at])
