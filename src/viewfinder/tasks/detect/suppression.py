"""One box for each object: non-maximum suppression, as Darknet's to the last detection."""

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from viewfinder.pictures.geometry import BoxArray, Floats
from viewfinder.tasks.detect.detections import Detections

# So many boxes of the best scores are compared with each other. A net that is not trained yet
# believes in hundreds of thousands, which would take minutes and tell nothing.
_MOST_CANDIDATES = 10_000
_OVERLAP = 0.45
# So many at a time are compared with all that score less, as a call costs more than a short row;
# of many fewer, so that what is compared stays in the caches.
_BLOCK, _PAIRS = 128, 1 << 15


def suppress(
    boxes: Tensor,
    scores: Tensor,
    *,
    threshold: float,
    overlap: float = _OVERLAP,
    most: int | None = 300,
) -> list[Detections]:
    """The best box for each object: of two of one class that overlap, the lower score goes.

    Args:
        boxes: N×P×4, x1, y1, x2, y2: what a head's `decoded` net gives.
        scores: N×P×classes, in [0, 1].
        threshold: only scores above it count.
        overlap: the IoU above which two boxes of one class are one object. 0.45 is Darknet's.
        most: how many detections a picture keeps, the best; None keeps all.
    """
    return [
        _suppress(*picture, threshold=threshold, overlap=overlap, most=most)
        for picture in zip(boxes.float(), scores.float(), strict=True)
    ]


def _suppress(
    boxes: Tensor, scores: Tensor, *, threshold: float, overlap: float, most: int | None
) -> Detections:
    places, labels = torch.nonzero(scores > threshold, as_tuple=True)
    candidates = scores[places, labels]
    # Stable, so that equal scores keep the order of the cells on every machine.
    order = candidates.argsort(descending=True, stable=True)[:_MOST_CANDIDATES]
    places, labels, candidates = places[order], labels[order], candidates[order]
    found = Detections(boxes[places].cpu().numpy(), candidates.cpu().numpy(), labels.cpu().numpy())
    # A net that is not trained may find boxes without end, whose areas are no numbers.
    with np.errstate(invalid="ignore", over="ignore"):
        chosen = best_of(found, overlap=overlap, most=most)
    return found.take(chosen)


def best_of(found: Detections, *, overlap: float = _OVERLAP, most: int | None = None) -> list[int]:
    """The numbers of the detections that no better one of their class overlaps, the best first.

    Args:
        found: by falling score.
        overlap: as of `suppress`.
        most: as of `suppress`.
    """
    kept = np.zeros(len(found.labels), np.bool_)
    by_class = np.argsort(found.labels, kind="stable")
    ends = np.flatnonzero(np.diff(found.labels[by_class])) + 1
    for rows in np.split(by_class, ends):
        kept[rows] = _apart(found.boxes[rows], overlap, most)
    chosen: list[int] = np.flatnonzero(kept)[:most].tolist()
    return chosen


def _apart(boxes: BoxArray, overlap: float, most: int | None) -> NDArray[np.bool_]:
    """Of each of N boxes of one class, the best first, whether no better one overlaps it.

    Of more than `most` only the first so many are told.
    """
    areas = (boxes[:, 2] - boxes[:, 0]) * (boxes[:, 3] - boxes[:, 1])
    left = np.ones(len(boxes), np.bool_)
    block = max(1, min(_BLOCK, _PAIRS // max(1, len(boxes))))
    for start in range(0, len(boxes), block):
        rows = start + np.flatnonzero(left[start : start + block])
        same = _same(boxes, areas, rows, start, overlap)
        same[:, :block] &= np.arange(start, start + same[:, :block].shape[1]) > rows[:, None]
        for number in np.flatnonzero(same.any(axis=1)):
            if left[rows[number]]:
                left[start:] &= ~same[number]
        if most is not None and left[: start + block].sum() >= most:
            left[start + block :] = False
            break
    return left


def _same(
    boxes: BoxArray, areas: Floats, rows: NDArray[np.intp], start: int, overlap: float
) -> NDArray[np.bool_]:
    """Of each row and each box from `start` on, whether they are one object."""
    x1, y1, x2, y2 = np.ascontiguousarray(boxes[start:].T)
    left, top, right, bottom = boxes[rows].T[..., None]
    width = np.minimum(right, x2) - np.maximum(left, x1)
    height = np.minimum(bottom, y2) - np.maximum(top, y1)
    shared = np.maximum(width, 0) * np.maximum(height, 0)
    # As a product, since the union of two boxes without area is 0.
    same = shared > np.float32(overlap) * (areas[rows, None] + areas[start:] - shared)
    return np.asarray(same)
