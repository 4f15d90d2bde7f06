"""How a second opinion comes about: a layer from the labelled crops, its weight from held-out ones.

A detector knows the pictures that it learnt from nearly by heart, so that only pictures which were
held out can tell what another opinion is worth. The weight is the likeliest for the true classes of
the objects found there. It is kept only if their AP50 rises, and if their true classes become
likelier by more than chance would make them once in twenty times.
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
from viewfinder.events import track
from viewfinder.features.vectors import Extractor, described
from viewfinder.pictures.geometry import iou, transform_boxes
from viewfinder.tasks.answering import in_batches
from viewfinder.tasks.chance import likelier_by_chance
from viewfinder.tasks.classify.heads import Floats, Labels
from viewfinder.tasks.classify.last_layer import IN_WORDS, Solved, VectorExamples, solve
from viewfinder.tasks.detect.detections import Detections
from viewfinder.tasks.detect.measures.matching import FOREGROUND
from viewfinder.tasks.detect.measures.scores import score
from viewfinder.tasks.detect.opinion.second import (
    LEAST,
    SIDE,
    Consulted,
    Opinion,
    as_arrays,
    consult,
    crop_extractor,
    describe,
    mix,
    mixture,
)
from viewfinder.tasks.model import ModelConfig
from viewfinder.wording import counted

Reply = Callable[[Tensor], list[Detections]]
"""What a detector finds in N×3×H×W prepared pictures, in their pixels."""

MOST_CROPS = 2400
"""Labelled crops that are learnt from, at most: four times 600 gained a point, more nothing."""
# Held-out pictures that are looked at, at most, and as many objects as must be found there.
_MOST_PICTURES, _FEWEST = 100, 10
# Labelled crops up to which their mirror images are learnt from too.
_FEW_CROPS = 400
_BATCH = 16
_WEIGHTS = np.linspace(0, 1, 21)
# How likely chance alone may be to make true classes as much likelier as a second opinion did, and
# what AP50 must rise by to be worth its time.
_BY_CHANCE, _WORTH = 0.05, 0.01


@dataclass(frozen=True, eq=False)
class FramedSplit:
    """Pictures as the net is given them, and their objects in the pixels of these.

    Attributes:
        frames: N×4, where each picture itself lies; beyond it is filling.
    """

    pixels: Pixels
    truth: Boxes
    frames: NDArray[np.float32]


@dataclass(frozen=True)
class Formed:
    """What became of a second opinion.

    Attributes:
        opinion: None where it does not gain.
        before, after: AP50 of the held-out pictures without it and with it; None if not measured.
        objects: held-out objects that were found, by which its weight was fitted.
        right: of those, how many the detector alone, and both, give their class.
        says: how it came about, in a line.
    """

    opinion: Opinion | None
    says: str
    weight: float = 0.0
    before: float | None = None
    after: float | None = None
    objects: int = 0
    right: tuple[int, int] = (0, 0)

    def as_json(self) -> dict[str, object]:
        """Its figures for `scores.json`."""
        return {
            "kept": self.opinion is not None,
            "weight": self.weight,
            "ap50_before": self.before,
            "ap50_after": self.after,
            "objects": self.objects,
            "right_before": self.right[0],
            "right_after": self.right[1],
            "says": self.says,
        }


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
) -> Formed:
    """Learn a second opinion from `train`, and keep it if the held-out pictures gain."""
    extractor = crop_extractor(device)
    labels, views = _crops(train, extractor)
    known = np.unique(labels)
    if len(known) < 2:
        return Formed(None, "no second opinion: there is but one class to learn")
    if held_out is None:
        return Formed(None, "no second opinion: no pictures were held out to judge it by")
    numbered = np.searchsorted(known, labels)
    solved = solve(VectorExamples(views, numbered, len(known)), ("prototypes", "linear"))
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
    return _judged(found, consulted, truth, known, classes, solved, extractor)


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
    for part in track(parts, total=len(parts), description="describing labelled objects"):
        pictures = [as_arrays(split.pixels.take([number]))[0] for number, _ in part]
        boxes = [truth.corners[rows].astype(np.float32) for _, rows in part]
        found += describe(pictures, boxes, extractor, mirrored=mirrored)
        labels += [int(label) for _, rows in part for label in truth.classes[rows]]
    empty = np.zeros((0, 1, extractor.width))
    return np.array(labels, np.int64), np.concatenate(found) if found else empty


def _judged(
    found: list[Detections],
    consulted: list[Consulted],
    truth: Boxes,
    known: Labels,
    classes: tuple[str, ...],
    solved: Solved,
    extractor: Extractor,
) -> Formed:
    """Fit the weight on held-out pictures, and see whether they gain."""
    first, second, true = _pairs(found, consulted, truth, known)
    way = IN_WORDS[solved.way]
    if len(true) < _FEWEST:
        there = int((to_find(truth) & np.isin(truth.classes, known)).sum())
        found_there = (
            f"{len(true)} of {counted(there, 'object')} in held-out pictures, by {LEAST:g} or more"
        )
        helps = "train for longer" if there >= _FEWEST else "hold more out (--val-share 0.3)"
        return Formed(
            None,
            f"no second opinion: the detector finds {found_there}, "
            f"too few to judge it by ({_FEWEST} would do): {helps}",
            objects=len(true),
        )
    weight = _likeliest(first, second, true)

    def ap50(weight: float) -> float:
        mixed = zip(found, consulted, strict=True)
        answers = [mix(f, c, known, weight) if weight else f for f, c in mixed]
        return score(answers, truth, classes=classes).ap50 or 0.0

    before, after = ap50(0.0), ap50(weight)
    alone, both = _right(first, second, true, 0.0), _right(first, second, true, weight)
    better, worse = int((both & ~alone).sum()), int((alone & ~both).sum())
    believed = [_shares_of(true, first, second, each) for each in (0.0, weight)]
    chance = likelier_by_chance(*believed)
    kept = after >= before + _WORTH and chance <= _BY_CHANCE
    why = "kept" if kept else "left off"
    if after >= before + _WORTH and not kept:
        why = "left off: true classes become no likelier than chance makes them"
    says = (
        f"second opinion on classes by {way}, weight {weight:.2f}: AP50 of held-out pictures "
        f"{before:.3f} without, {after:.3f} with it; of {counted(len(true), 'object')} found there "
        f"{better} come to their class and {worse} lose it; {why}"
    )
    opinion = Opinion(solved.layer, known, weight, extractor.name) if kept else None
    right = (int(alone.sum()), int(both.sum()))
    return Formed(opinion, says, weight, before, after, len(true), right)


def _pairs(
    found: list[Detections], consulted: list[Consulted], truth: Boxes, known: Labels
) -> tuple[Floats, Floats, Labels]:
    """Of objects that are there, M: what the detector and the layer say, M×K, and the truth, M."""
    good = to_find(truth) & np.isin(truth.classes, known)
    first, second, true = list[Floats](), list[Floats](), list[int]()
    for number, (each, asked) in enumerate(zip(found, consulted, strict=True)):
        rows = np.arange(len(truth))[truth.of(number)]
        rows = rows[good[rows]]
        if not len(rows) or not len(asked.leaders):
            continue
        overlaps = iou(each.boxes[asked.leaders], truth.corners[rows].astype(np.float32))
        for place in np.flatnonzero(overlaps.max(axis=1) >= FOREGROUND).tolist():
            own = asked.objects == place
            best = np.zeros(len(known))
            for column, label in enumerate(known.tolist()):
                best[column] = each.scores[own & (each.labels == label)].max(initial=0)
            first.append(best)
            second.append(asked.shares[place])
            true.append(int(np.searchsorted(known, truth.classes[rows[overlaps[place].argmax()]])))
    empty = np.zeros((0, len(known)))
    return (
        np.array(first) if first else empty,
        np.array(second) if second else empty,
        np.array(true, np.int64),
    )


def _likeliest(first: Floats, second: Floats, true: Labels) -> float:
    """The weight that makes the true classes likeliest; the least of several."""

    def surprise(weight: float) -> float:
        return float(-np.log(_shares_of(true, first, second, weight)).mean())

    return float(min(_WEIGHTS, key=surprise))


def _shares_of(true: Labels, first: Floats, second: Floats, weight: float) -> Floats:
    """How far the true class of each object is believed."""
    pairs = zip(first, second, true, strict=True)
    return np.array([mixture(f, s, weight)[t] for f, s, t in pairs])


def _right(first: Floats, second: Floats, true: Labels, weight: float) -> NDArray[np.bool_]:
    """Which objects are given their class."""
    answers = [mixture(f, s, weight).argmax() for f, s in zip(first, second, strict=True)]
    return np.asarray(np.array(answers) == true, np.bool_)
