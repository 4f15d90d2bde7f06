"""The pictures of a detector's training step: changed at random, put together, their boxes along.

Every picture, each of the four in a mosaic and each pasted object is one matrix and one resample of
the picture as it is kept. Every random number comes from the generator that is handed in, by way of
one seed a picture, so that processes that each make a part of a step make what one alone would.

What counts as still there: an object of which at least `LEAST_SHOWN` of the box lies in its part of
the picture, with sides of at least `LEAST_SIDE` there. Its box is cut to that part; the others are
dropped, and what shows of them is background.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from viewfinder.datasets.loading import LETTERBOX_FILL
from viewfinder.pictures.geometry import Size, translation
from viewfinder.tasks.detect.changes import Augmentation, Plan, View, draw
from viewfinder.tasks.detect.examples import APART, Examples
from viewfinder.tasks.detect.pasting import Objects, joined, paste_objects
from viewfinder.tasks.detect.warping import moved_boxes, warp_into

LEAST_SHOWN = 0.25
"""Share of an object's box that must lie within its part of the picture."""
LEAST_SIDE = 2.0
"""Pixels that both sides of a box must have."""


@dataclass(frozen=True, eq=False)
class Batch:
    """N pictures and the T objects in them, picture by picture.

    Attributes:
        pictures: N×H×W×3 uint8 RGB.
        boxes: T×4 float32, x1, y1, x2, y2 in their pixels.
        labels: T int64, class indices.
        pictures_of: T int64, the picture from 0 to N-1 that each lies in; ascending.
        apart: U×4 float32, crowds and difficult objects, which are no truth: the losses pass over
            what is found there.
        apart_of: U int64, the picture that each of those lies in.
    """

    pictures: NDArray[np.uint8]
    boxes: NDArray[np.float32]
    labels: NDArray[np.int64]
    pictures_of: NDArray[np.int64]
    apart: NDArray[np.float32]
    apart_of: NDArray[np.int64]


def compose(
    examples: Examples,
    numbers: Sequence[int] | NDArray[np.int64],
    augmentation: Augmentation,
    frame: Size,
    generator: np.random.Generator,
    *,
    rows: slice = slice(None),
    pasted: NDArray[np.float64] | None = None,
) -> Batch:
    """Make the pictures of one step.

    With every change off, each is its picture in the middle of the frame, as large as fits.

    Args:
        numbers: the pictures that the step shows, in its order.
        frame: width and height of what is made.
        rows: those of the step's pictures that are made here; whatever they are, the generator
            moves on alike, and each picture is as it would be among all.
        pasted: for each class how probable it is that a pasted object has it; by default every
            class that has objects is as likely as the others, however rare.

    Raises:
        InputError: a picture that is decoded only now cannot be read.
    """
    seeds = generator.integers(1 << 63, size=len(numbers))
    likely = _pasted_classes(examples, pasted)
    plans = [
        draw(examples, int(number), augmentation, frame, likely, np.random.default_rng(seed))
        for number, seed in zip(numbers[rows], seeds[rows].tolist(), strict=True)
    ]
    needed = sorted(set().union(*(plan.pictures() for plan in plans)))
    pictures = dict(zip(needed, examples.pictures.take(needed), strict=True))
    made = np.empty((len(plans), frame[1], frame[0], 3), np.uint8)
    found = [
        _make(target, plan, examples, pictures) for target, plan in zip(made, plans, strict=True)
    ]
    return _batch(made, found, examples)


def _batch(made: NDArray[np.uint8], found: Sequence[Objects], examples: Examples) -> Batch:
    of_each = np.repeat(np.arange(len(found)), [len(objects.rows) for objects in found])
    boxes = np.concatenate([np.zeros((0, 4)), *(objects.boxes for objects in found)])
    rows = np.concatenate([np.zeros(0, np.int64), *(objects.rows for objects in found)])
    boxes, labels = boxes.astype(np.float32), examples.labels[rows]
    truth = labels != APART
    return Batch(made, boxes[truth], labels[truth], of_each[truth], boxes[~truth], of_each[~truth])


def _pasted_classes(
    examples: Examples, pasted: NDArray[np.float64] | None
) -> NDArray[np.float64] | None:
    """The probability of each class or one before it; None where there is nothing to paste."""
    there = np.array([len(rows) > 0 for rows in examples.rows_by_class], np.float64)
    up_to = np.cumsum(there if pasted is None else there * pasted)
    return up_to / up_to[-1] if len(up_to) and up_to[-1] > 0 else None


def _make(
    target: NDArray[np.uint8],
    plan: Plan,
    examples: Examples,
    pictures: Mapping[int, NDArray[np.uint8]],
) -> Objects:
    """Make one picture, and tell what is to be seen in it."""
    for view in plan.views:
        x1, y1, x2, y2 = view.area
        matrix = translation(-x1, -y1) @ view.matrix
        warp_into(target[y1:y2, x1:x2], pictures[view.picture], matrix, fill=LETTERBOX_FILL)
    objects = joined([_shown(view, examples) for view in plan.views])
    if plan.pastes:
        objects = paste_objects(target, objects, plan.pastes, examples, pictures)
    if plan.colours is not None:
        target[...] = cv2.transform(target, plan.colours)
    return _chosen(objects, _sides(objects.boxes).min(axis=1) >= LEAST_SIDE)


def _shown(view: View, examples: Examples) -> Objects:
    """The objects of a picture of which enough lies within its area."""
    rows = examples.rows(view.picture)
    numbers = np.arange(rows.start, rows.stop)
    whole = moved_boxes(view.matrix, examples.corners[rows])
    x1, y1, x2, y2 = view.area
    cut = np.clip(whole, (x1, y1, x1, y1), (x2, y2, x2, y2))
    shown = _sides(cut).prod(axis=1) >= LEAST_SHOWN * _sides(whole).prod(axis=1)
    objects = Objects(cut, numbers, np.broadcast_to(view.matrix, (len(numbers), 3, 3)))
    return _chosen(objects, shown)


def _chosen(objects: Objects, mask: NDArray[np.bool_]) -> Objects:
    return Objects(objects.boxes[mask], objects.rows[mask], objects.matrices[mask])


def _sides(boxes: NDArray[np.float64]) -> NDArray[np.float64]:
    """K×2, widths and heights."""
    return boxes[:, 2:] - boxes[:, :2]
