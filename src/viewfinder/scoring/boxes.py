"""COCO's average precision of a set, and over draws of its pictures.

Detections are matched once (by hotcoco, as `detect.measures.scores` has it). A draw only says how
often each picture counts, so that its AP follows from sums of these weights along the detections,
by falling score; it is what matching so many copies of each picture would give.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from hotcoco import COCOeval
from numpy.typing import NDArray

from viewfinder.evaluation.sampling import Draws

RECALLS = np.linspace(0, 1, 101)
IOUS = np.linspace(0.5, 0.95, 10)
SIZES = ("all", "small", "medium", "large")
# Draws at once, so that the sums of a class's detections stay in the processor's cache.
_ROWS = 250

Whole = NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class Steps:
    """One class, size and IoU: where a detection is right.

    Attributes:
        right: the rows, of the class's detections by falling score, that find an object.
        ignored: those that neither count nor cost, in ascending order.
    """

    right: Whole
    ignored: Whole


@dataclass(frozen=True, eq=False)
class ClassMatches:
    """Detections of one class in a set, by falling score, and its objects.

    Attributes:
        pictures: of each detection.
        objects: of each size, the picture of each object that counts.
        steps: of each size and IoU.
    """

    pictures: Whole
    objects: tuple[Whole, ...]
    steps: tuple[tuple[Steps, ...], ...]


def matches_of(evaluated: COCOeval, classes: int) -> list[ClassMatches]:
    """What an evaluation matched, by class.

    Args:
        evaluated: after `evaluate()`; pictures and classes are numbered from 1.
    """
    found: dict[tuple[int, int], list[tuple[int, dict[str, object]]]] = {}
    ranges = [tuple(each) for each in evaluated.params.area_rng]
    for each in evaluated.eval_imgs:
        if each is not None:
            key = each["category_id"] - 1, ranges.index(tuple(each["aRng"]))
            found.setdefault(key, []).append((each["image_id"] - 1, each))
    return [
        _class([found.get((label, size), []) for size in range(len(SIZES))])
        for label in range(classes)
    ]


def _class(by_size: Sequence[list[tuple[int, dict[str, object]]]]) -> ClassMatches:
    objects, steps = [], []
    pictures = np.zeros(0, np.int64)
    for each in by_size:
        # By picture, as COCO's order among equal scores is that of the pictures.
        each.sort(key=lambda item: item[0])
        scores = np.concatenate([np.zeros(0), *(np.asarray(e["dtScores"], float) for _, e in each)])
        order = np.argsort(-scores, kind="stable")
        counts = [len(e["dtScores"]) for _, e in each]  # type: ignore[arg-type]
        pictures = np.repeat(np.array([p for p, _ in each], np.int64), counts)[order]
        matched = _flags(each, "dtMatched")[:, order]
        ignored = _flags(each, "dtIgnore")[:, order]
        steps.append(
            tuple(
                Steps(np.flatnonzero(m & ~i), np.flatnonzero(i))
                for m, i in zip(matched, ignored, strict=True)
            )
        )
        own = [np.full(int((~np.asarray(e["gtIgnore"], bool)).sum()), p) for p, e in each]
        objects.append(np.concatenate([np.zeros(0, np.int64), *own]))
    return ClassMatches(pictures, tuple(objects), tuple(steps))


def _flags(each: Sequence[tuple[int, dict[str, object]]], key: str) -> NDArray[np.bool_]:
    rows = [np.asarray(e[key], bool).reshape(len(IOUS), -1) for _, e in each]
    return np.concatenate([np.zeros((len(IOUS), 0), bool), *rows], axis=1)


def precision_table(
    found: Sequence[ClassMatches], weights: NDArray[np.float32]
) -> NDArray[np.float64]:
    """AP of each draw: draws×classes×4 sizes×10 IoUs; NaN where a draw has no object.

    Args:
        weights: draws×pictures, how often each picture counts.
    """
    table = np.full((len(weights), len(found), len(SIZES), len(IOUS)), np.nan)
    for at in range(0, len(weights), _ROWS):
        rows = weights[at : at + _ROWS]
        for label, each in enumerate(found):
            _fill(table[at : at + _ROWS, label], each, rows)
    return table


def _fill(table: NDArray[np.float64], each: ClassMatches, weights: NDArray[np.float32]) -> None:
    last = max((s.right[-1] for size in each.steps for s in size if len(s.right)), default=-1) + 1
    taken = weights[:, each.pictures[:last]].astype(np.float64)
    passed = np.cumsum(taken, axis=1)
    for size, (objects, steps) in enumerate(zip(each.objects, each.steps, strict=True)):
        if len(objects) == 0:
            continue
        wanted = weights[:, objects].astype(np.float64).sum(axis=1)
        for k, step in enumerate(steps):
            table[:, size, k] = _average(step, taken, passed, wanted)


def _average(
    step: Steps,
    taken: NDArray[np.float64],
    passed: NDArray[np.float64],
    wanted: NDArray[np.float64],
) -> Draws:
    """The mean of the best precision at 101 recalls or more."""
    known = np.where(wanted > 0, wanted, np.nan)
    if len(step.right) == 0:
        return 0 * known
    right = np.cumsum(taken[:, step.right], axis=1)
    shown = passed[:, step.right]
    ignored = step.ignored[step.ignored < step.right[-1]]
    if len(ignored):
        sums = np.cumsum(taken[:, ignored], axis=1)
        before = np.searchsorted(ignored, step.right)
        shown = shown - np.concatenate([np.zeros((len(sums), 1)), sums], axis=1)[:, before]
    precision = right / (shown + np.spacing(1))
    best = np.maximum.accumulate(precision[:, ::-1], axis=1)[:, ::-1]
    # How many of the 101 recalls are reached at each right detection.
    reached = np.searchsorted(RECALLS, right / known[:, None], "right")
    reached = np.where(np.isnan(known)[:, None], 0, reached)
    gained = np.diff(reached, axis=1, prepend=0)
    return np.asarray((best * gained).sum(axis=1) / len(RECALLS) + 0 * known)
