"""How a second opinion comes about: a layer from the labelled crops, its weight from held-out ones.

A detector knows the pictures that it learnt from nearly by heart, so that only pictures which were
held out can tell what another opinion is worth: see `judging`.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from time import perf_counter

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from viewfinder.datasets.boxes import Boxes, to_find
from viewfinder.datasets.framing import frame_matrix
from viewfinder.datasets.loading import Pixels
from viewfinder.events import counting
from viewfinder.features.vectors import Extractor, described
from viewfinder.pictures.geometry import transform_boxes
from viewfinder.tasks.answering import in_batches
from viewfinder.tasks.classify.heads import Floats, Labels
from viewfinder.tasks.classify.last_layer import Solved, VectorExamples, solve
from viewfinder.tasks.detect.detections import Detections
from viewfinder.tasks.detect.opinion.judging import Formed, HeldOut, judged
from viewfinder.tasks.detect.opinion.second import (
    SIDE,
    Consulted,
    Opinion,
    as_arrays,
    consult,
    crop_extractor,
    describe,
)
from viewfinder.tasks.model import ModelConfig

Reply = Callable[[Tensor], list[Detections]]
"""What a detector finds in N×3×H×W prepared pictures, in their pixels."""

MOST_CROPS = 2400
"""Labelled crops that are learnt from, at most: four times 600 gained a point, more nothing."""
# Held-out pictures that are looked at, at most.
_MOST_PICTURES = 100
# Labelled crops up to which their mirror images are learnt from too.
_FEW_CROPS = 400
_BATCH = 16


@dataclass(frozen=True, eq=False)
class FramedSplit:
    """Pictures as the net is given them, and their objects in the pixels of these.

    Attributes:
        frames: N×4, where each picture itself lies; beyond it is filling.
    """

    pixels: Pixels
    truth: Boxes
    frames: NDArray[np.float32]


def open_split(
    pixels: Pixels, truth: Boxes, sizes: NDArray[np.int64], config: ModelConfig
) -> FramedSplit:
    """A split with its boxes where they lie in prepared pictures.

    Args:
        truth: in pixels of the pictures themselves, whose widths and heights `sizes` has.
    """
    corners, frames = np.zeros((len(truth), 4)), np.zeros((len(sizes), 4), np.float32)
    for picture, (width, height) in enumerate(sizes.tolist()):
        way = frame_matrix(config.framing, (width, height), config.size)
        rows = truth.of(picture)
        corners[rows] = transform_boxes(way, truth.corners[rows].astype(np.float32))
        frames[picture] = transform_boxes(way, np.array([[0, 0, width, height]], np.float32))[0]
    return FramedSplit(pixels, replace(truth, corners=corners), frames)


def seconds_of_opinion(train: int, held_out: int, answered: int, device: torch.device) -> float:
    """About how long it takes to form an opinion from so many labelled objects, by held-out ones,
    and to ask it about those that are answered then; some crops are described to tell."""
    extractor = crop_extractor(device)
    crops = torch.zeros(_BATCH, 3, SIDE, SIDE, dtype=torch.uint8)
    times = []
    for _ in range(2):  # the first is slower
        begun = perf_counter()
        described(extractor, crops)
        times.append(perf_counter() - begun)
    learnt = min(train, MOST_CROPS) * (2 if train <= _FEW_CROPS else 1)
    return (learnt + held_out + answered) * min(times) / _BATCH


def form_opinion(
    train: FramedSplit,
    held_out: FramedSplit | None,
    classes: tuple[str, ...],
    reply: Reply,
    device: torch.device,
    *,
    more: str = "hold more pictures out",
) -> Formed:
    """Learn a second opinion from `train`, and keep it if the held-out pictures gain.

    Args:
        more: what would hold out more, as an advice where there are too few.
    """
    extractor = crop_extractor(device)
    known, solved = _solved(train, extractor)
    if solved is None:
        return Formed(None, "no second opinion: there is but one class to learn")
    if held_out is None:
        return Formed(None, "no second opinion: no pictures were held out to judge it by")
    found: list[Detections] = []
    consulted: list[Consulted] = []
    for numbers in in_batches(_count(held_out), _BATCH):
        pictures = held_out.pixels.take(numbers)
        replies = reply(pictures)
        found += replies
        consulted += consult(replies, as_arrays(pictures), extractor, solved.layer)
    # As every answer is scored; what is described is the whole box, as `Opinion.on` does.
    found = [_within(each, frame) for each, frame in zip(found, held_out.frames, strict=False)]
    truth = held_out.truth.select(range(len(found)))
    return judged(HeldOut(found, consulted, truth, more), known, classes, solved, extractor.name)


def opinion_unjudged(
    train: FramedSplit, classes: tuple[str, ...], device: torch.device, *, weight: float
) -> Opinion | None:
    """An opinion learnt from `train` that no picture was held out to judge; None where there is but
    one class to learn."""
    extractor = crop_extractor(device)
    known, solved = _solved(train, extractor)
    if solved is None:
        return None
    names = tuple(classes[label] for label in known.tolist())
    return Opinion(solved.layer, known, weight, extractor.name, names)


def _solved(train: FramedSplit, extractor: Extractor) -> tuple[Labels, Solved | None]:
    """The classes of labelled objects, and what tells their crops apart if there are several."""
    labels, views = _crops(train, extractor)
    known = np.unique(labels)
    if len(known) < 2:
        return known, None
    examples = VectorExamples(views, np.searchsorted(known, labels), len(known))
    return known, solve(examples, ("prototypes", "linear"))


def _within(found: Detections, frame: NDArray[np.float32]) -> Detections:
    """Detections whose boxes end where the picture does."""
    boxes = np.clip(found.boxes, np.tile(frame[:2], 2), np.tile(frame[2:], 2))
    return Detections(boxes, found.scores, found.labels)


def _count(split: FramedSplit) -> int:
    return min(len(split.truth.offsets) - 1, _MOST_PICTURES)


def _crops(split: FramedSplit, extractor: Extractor) -> tuple[Labels, Floats]:
    """M classes and M×V×D features of the labelled objects, and of the mirror images of few."""
    truth, chosen = split.truth, list[tuple[int, NDArray[np.int64]]]()
    good = to_find(truth)
    mirrored = bool(good.sum() <= _FEW_CROPS)
    order = np.random.default_rng(0).permutation(len(truth.offsets) - 1).tolist()
    count = 0
    for number in order:
        rows = np.arange(len(truth))[truth.of(number)]
        rows = rows[good[rows]]
        if len(rows) and count < MOST_CROPS:
            chosen.append((number, rows))
            count += len(rows)
    labels, found = list[int](), list[Floats]()
    parts = [chosen[start : start + _BATCH] for start in range(0, len(chosen), _BATCH)]
    with counting(total=count, description="describing labelled objects") as one_more:
        for part in parts:
            pictures = [as_arrays(split.pixels.take([number]))[0] for number, _ in part]
            boxes = [truth.corners[rows].astype(np.float32) for _, rows in part]
            found += describe(pictures, boxes, extractor, mirrored=mirrored)
            for label in (label for _, rows in part for label in truth.classes[rows]):
                labels.append(int(label))
                one_more()
    empty = np.zeros((0, 1, extractor.width))
    return np.array(labels, np.int64), np.concatenate(found) if found else empty
