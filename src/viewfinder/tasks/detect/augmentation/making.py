"""The pictures of a detector's training step: changed at random, put together, their boxes along.

Every picture, each of the four in a mosaic and each pasted object is one matrix and one resample of
the picture as it is kept. Every random number comes from the generator that is handed in, by way of
one seed a picture, so that processes that each make a part of a step make what one alone would.

What counts as still there: an object of which at least `LEAST_SHOWN` of the box lies in its part of
the picture, with sides of at least `LEAST_SIDE` there. Its box is cut to that part; the others are
dropped, and what shows of them is background.
"""

from collections.abc import Mapping, Sequence

import cv2
import numpy as np
import torch
from numpy.typing import NDArray

from viewfinder.datasets.loading import LETTERBOX_FILL
from viewfinder.pictures.geometry import translation
from viewfinder.pictures.warping import moved_boxes, warp_into
from viewfinder.tasks.detect.augmentation.pasting import PastedObjects, joined, paste_objects
from viewfinder.tasks.detect.augmentation.plan import PlacedView, Plan, Step, draw
from viewfinder.tasks.detect.examples.batch import BoxBatch, BoxTruth
from viewfinder.tasks.detect.examples.opening import IGNORED, BoxExamples

LEAST_SHOWN = 0.25
"""Share of an object's box that must lie within its part of the picture."""
LEAST_SIDE = 2.0
"""Pixels that both sides of a box must have."""


def compose(
    step: Step,
    numbers: Sequence[int] | NDArray[np.int64],
    generator: np.random.Generator,
    *,
    rows: slice = slice(None),
) -> BoxBatch:
    """Make the pictures of one step.

    With every change off, each is its picture in the middle of the frame, as large as fits.

    Args:
        numbers: the pictures that the step shows, in its order.
        rows: those of the step's pictures that are made here; whatever they are, the generator
            moves on alike, and each picture is as it would be among all.

    Raises:
        InputError: a picture that is decoded only now cannot be read.
    """
    examples, (width, height) = step.examples, step.frame
    seeds = generator.integers(1 << 63, size=len(numbers))
    plans = [
        draw(step, int(number), np.random.default_rng(seed))
        for number, seed in zip(numbers[rows], seeds[rows].tolist(), strict=True)
    ]
    needed = sorted(set().union(*(plan.pictures() for plan in plans)))
    pictures = dict(zip(needed, examples.pictures.take(needed), strict=True))
    made = np.empty((len(plans), height, width, 3), np.uint8)
    found = [
        _make(target, plan, examples, pictures) for target, plan in zip(made, plans, strict=True)
    ]
    # A view, N×3×H×W with channels last in memory, as they were made.
    return BoxBatch(torch.from_numpy(made).permute(0, 3, 1, 2), *_truth(found, examples))


def _truth(found: Sequence[PastedObjects], examples: BoxExamples) -> tuple[BoxTruth, BoxTruth]:
    """What is to be found in the made pictures, and what is ignored there."""
    of_each = np.repeat(np.arange(len(found)), [len(objects.rows) for objects in found])
    boxes = np.concatenate([np.zeros((0, 4)), *(objects.boxes for objects in found)])
    rows = np.concatenate([np.zeros(0, np.int64), *(objects.rows for objects in found)])
    labels = torch.from_numpy(examples.labels[rows])
    every = BoxTruth(
        torch.from_numpy(boxes.astype(np.float32)), labels, torch.from_numpy(of_each), len(found)
    )
    return every.select(labels != IGNORED), every.select(labels == IGNORED)


def _make(
    target: NDArray[np.uint8],
    plan: Plan,
    examples: BoxExamples,
    pictures: Mapping[int, NDArray[np.uint8]],
) -> PastedObjects:
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


def _shown(view: PlacedView, examples: BoxExamples) -> PastedObjects:
    """The objects of a picture of which enough lies within its area."""
    rows = examples.rows(view.picture)
    numbers = np.arange(rows.start, rows.stop)
    whole = moved_boxes(view.matrix, examples.corners[rows])
    x1, y1, x2, y2 = view.area
    cut = np.clip(whole, (x1, y1, x1, y1), (x2, y2, x2, y2))
    shown = _sides(cut).prod(axis=1) >= LEAST_SHOWN * _sides(whole).prod(axis=1)
    objects = PastedObjects(cut, numbers, np.broadcast_to(view.matrix, (len(numbers), 3, 3)))
    return _chosen(objects, shown)


def _chosen(objects: PastedObjects, mask: NDArray[np.bool_]) -> PastedObjects:
    return PastedObjects(objects.boxes[mask], objects.rows[mask], objects.matrices[mask])


def _sides(boxes: NDArray[np.float64]) -> NDArray[np.float64]:
    """K×2, widths and heights."""
    return boxes[:, 2:] - boxes[:, :2]
