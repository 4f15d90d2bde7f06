"""One set of boxes from those that several views of a picture gave.

After Solovyev et al., "Weighted boxes fusion", 2021: boxes of one class that overlap are one
object, whose corners are the mean by score; its score is the mean over all views, those that did
not find it with 0.
"""

from collections.abc import Sequence

import numpy as np

from viewfinder.pictures.geometry import iou
from viewfinder.tasks.detect.detections import Detections

# Boxes of one class that overlap more than this are of one object, and how many are kept.
_SAME, _MOST = 0.55, 300


def fused(views: Sequence[Detections]) -> Detections:
    """By falling score; all views in pixels of the same picture."""
    every = views[0].joined(views[1:])
    view = np.repeat(np.arange(len(views)), [len(each) for each in views])
    order = np.argsort(-every.scores, kind="stable")
    every, view = every.take(order), view[order]
    free = np.ones(len(every), np.bool_)
    same = iou(every.boxes, every.boxes) > _SAME
    same &= every.labels[:, None] == every.labels[None]
    boxes, scores, labels = [], [], []
    for row in range(len(every)):
        if not free[row]:
            continue
        near = free & same[row]
        near[row] = True
        own = np.flatnonzero(near)
        # Of each view its best alone: of two, the other may be another object.
        own = own[np.unique(view[own], return_index=True)[1]]
        free[own] = False
        weights = every.scores[own].astype(np.float64)
        boxes.append(weights @ every.boxes[own] / weights.sum())
        scores.append(weights.sum() / len(views))
        labels.append(int(every.labels[row]))
    made = Detections(
        np.array(boxes, every.boxes.dtype).reshape(-1, 4),
        np.array(scores, every.scores.dtype),
        np.array(labels, np.int64),
    )
    return made.take(np.argsort(-made.scores, kind="stable")[:_MOST])
