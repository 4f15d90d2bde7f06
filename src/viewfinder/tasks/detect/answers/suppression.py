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
# So many of the best are compared with all that are left, which then are fewer.
_BLOCK = 64
_LATER = np.triu(np.ones((_BLOCK, _BLOCK), np.bool_), 1)


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
        kept[rows[_apart(found.boxes[rows], overlap, most)]] = True
    chosen: list[int] = np.flatnonzero(kept)[:most].tolist()
    return chosen


def _apart(boxes: BoxArray, overlap: float, most: int | None) -> list[int]:
    """The numbers of those of N boxes of one class, the best first, that no better one overlaps.

    There may be a few more than `most`.
    """
    x1, y1, x2, y2 = boxes.T
    # Corners and areas of those that are left, and their numbers.
    left = np.stack([x1, y1, x2, y2, (x2 - x1) * (y2 - y1)])
    numbers = np.arange(len(boxes))
    chosen: list[int] = []
    while len(numbers) and (most is None or len(chosen) < most):
        same = _same(left[:, :_BLOCK], left, overlap)
        first = np.ones(len(same), np.bool_)
        within = same[:, : len(same)] & _LATER[: len(same), : len(same)]
        for row in np.flatnonzero(within.any(axis=1)):
            if first[row]:
                first &= ~within[row]
        chosen += numbers[: len(same)][first].tolist()
        still = ~same[first, len(same) :].any(axis=0)
        left, numbers = left[:, len(same) :][:, still], numbers[len(same) :][still]
    return chosen


def _same(rows: Floats, others: Floats, overlap: float) -> NDArray[np.bool_]:
    """Of each of R boxes and each of N, 5×R and 5×N corners and areas, whether they are one."""
    left, top, right, bottom, areas = rows[..., None]
    shared = np.minimum(right, others[2])
    shared -= np.maximum(left, others[0])
    np.maximum(shared, 0, out=shared)
    height = np.minimum(bottom, others[3])
    height -= np.maximum(top, others[1])
    np.maximum(height, 0, out=height)
    shared *= height
    # As a product, since the union of two boxes without area is 0.
    least = areas + others[4]
    least -= shared
    least *= np.float32(overlap)
    return np.asarray(shared > least)
