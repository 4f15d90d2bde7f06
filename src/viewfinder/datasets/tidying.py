"""What reading does with boxes that cannot be learnt from, by one rule, counted and reported.

- A box of a class without a name, with a coordinate that is no finite number, or without width or
  height (inverted ones too) is dropped.
- A box that lies outside its picture is dropped, one that reaches outside is clipped to it; by the
  size that the labels' file states, where it states one. Less than a hundredth of a pixel is the
  rounding of a file's decimals: it is clipped and not counted.
- Boxes that stand there twice stay; `viewfinder check` names them.
"""

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from viewfinder.datasets.boxes import Boxes, finite, no_size, usable
from viewfinder.datasets.dataset import Dataset

ROUNDING = 0.01
"""Pixels that a box may reach over its picture's edge without a word."""


def tidied(dataset: Dataset) -> Dataset:
    """The dataset with boxes that lie in their pictures, and notes on what was done for it."""
    boxes, sizes = dataset.boxes, dataset.sizes
    if boxes is None or sizes is None:
        return dataset
    good = usable(boxes)
    limits = box_limits(boxes, sizes)
    if good.all() and (boxes.corners >= 0).all() and (boxes.corners <= limits).all():
        return dataset
    with np.errstate(over="ignore", invalid="ignore"):
        clipped = np.clip(boxes.corners, 0, limits)
        over = np.logical_or.reduce((np.abs(clipped - boxes.corners) > ROUNDING).T)
    outside = good & no_size(clipped)
    kept = good & ~outside
    notes = []
    if count := int((over & kept).sum()):
        notes.append(f"{_boxes(count)} clipped to the picture")
    if count := int((~kept).sum()):
        reasons = ", ".join(f"{n:,} {what}" for what, n in _reasons(boxes, outside) if n)
        notes.append(f"{_boxes(count)} dropped ({reasons})")
    if notes:
        notes[-1] += ": `viewfinder check` names them"
    columns = replace(boxes, corners=clipped)
    if not kept.all():
        columns = columns.keep(kept)
    return replace(dataset, boxes=columns, notes=(*dataset.notes, *notes))


def box_limits(boxes: Boxes, sizes: NDArray[np.int64]) -> NDArray[np.float64]:
    """M×4, the greatest value of each coordinate; infinite where the size is not known."""
    limits = np.where(sizes > 0, sizes, np.inf)[boxes.pictures()]
    return np.concatenate([limits, limits], axis=1)


def _reasons(boxes: Boxes, outside: NDArray[np.bool_]) -> list[tuple[str, int]]:
    known = finite(boxes.corners)
    named = boxes.classes >= 0
    return [
        ("of no known class", int((~named).sum())),
        ("with no finite numbers", int((named & ~known).sum())),
        ("without size", int((named & known & no_size(boxes.corners)).sum())),
        ("outside the picture", int(outside.sum())),
    ]


def _boxes(count: int) -> str:
    return f"{count:,} box{'es' if count != 1 else ''}"
