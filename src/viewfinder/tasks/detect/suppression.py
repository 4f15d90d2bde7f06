"""One box for each object: non-maximum suppression, as Darknet's to the last detection."""

import numpy as np
import torch
from torch import Tensor

from viewfinder.tasks.detect.detections import Detections

# So many boxes of the best scores are compared with each other. A net that is not trained yet
# believes in hundreds of thousands, which would take minutes and tell nothing.
_MOST_CANDIDATES = 10_000
_OVERLAP = 0.45


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
    x1, y1, x2, y2 = np.ascontiguousarray(found.boxes.T)
    areas = (x2 - x1) * (y2 - y1)
    left = np.ones(len(areas), np.bool_)
    chosen: list[int] = []
    for best in range(len(areas)):
        if not left[best]:
            continue
        chosen.append(best)
        if len(chosen) == most:
            break
        # Worse ones alone, so that the work grows with what is kept and not with its square.
        worse = slice(best + 1, None)
        width = np.minimum(x2[best], x2[worse]) - np.maximum(x1[best], x1[worse])
        height = np.minimum(y2[best], y2[worse]) - np.maximum(y1[best], y1[worse])
        shared = np.maximum(width, 0) * np.maximum(height, 0)
        # As a product, since the union of two boxes without area is 0.
        same = shared > np.float32(overlap) * (areas[best] + areas[worse] - shared)
        left[worse] &= ~(same & (found.labels[worse] == found.labels[best]))
    return chosen
