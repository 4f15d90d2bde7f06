"""What a detector's answers tell beyond its scores: how sure AP50 is, and what sizes are missed."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from viewfinder.datasets.dataset import Dataset
from viewfinder.evaluation.detect.judged import DetectJudgement, DetectMaterial
from viewfinder.evaluation.lost import Lost, is_clear
from viewfinder.pictures.geometry import Size
from viewfinder.pictures.quick_headers import picture_size
from viewfinder.student import critical_t
from viewfinder.tasks.chance import share_error
from viewfinder.tasks.detect.measures.breakdown import average_precision
from viewfinder.tasks.detect.measures.matching import Kind, Matching
from viewfinder.tasks.detect.measures.scores import DetectScores
from viewfinder.wording import counted, have, some

# Parts that are left out in turn to see what AP50 owes to the pictures that there happen to be.
_PARTS = 10
# Bounds in pixels of an object's side: half a cell of the coarsest map, a cell, and three.
_BOUNDS = (16, 32, 96)
# Objects are small to the net below this, and enough to tell where there are so many.
_SMALL, _ENOUGH = 32, 10
# Small objects are found less often than others if their share is lower by so much.
_CLEARLY = 0.1
# A class is far below the others with less than this share of their AP50, where chance would make
# that of any class of as good a net more rarely than this; of a net that finds some.
_FAR_BELOW, _CHANCE, _KNOWN = 2 / 3, 0.05, 0.2
# Below this a class is not found at all: AP50 is 0.00 as it is told.
_NOTHING = 0.005
# From so much of AP50 on a kind of error costs something, as the figure rounds.
_COSTS = 0.0005


@dataclass(frozen=True)
class BySize:
    """Objects of about one size as the net is given them.

    Attributes:
        words: the size, in pixels of the net's input.
        boxes: how many there are.
        found: how many are found above the threshold.
    """

    words: str
    boxes: int
    found: int


def ap50_error(judgement: DetectJudgement) -> float:
    """The standard error of AP50, from what it is without each tenth of the pictures, or each one.

    The delete-a-group jackknife (Kott, "Delete-a-group jackknife", 2001): no assumption of what
    AP's distribution is, and ten times the arithmetic of one AP.
    """
    matching = judgement.scores.matching
    classes = len(judgement.examples.classes)
    parts = max(1, min(_PARTS, len(judgement.examples)))
    values = [_ap50_without(matching, part, parts, classes) for part in range(parts)]
    return float(np.sqrt((parts - 1) * np.var(values)))


def lost_classes(material: DetectMaterial) -> Lost | None:
    """Classes with an AP50 of 0 on all held-out pictures, or on training ones if none were; where
    there are none, those that are found far worse than the others."""
    held_out = [each for split, each in material.judgements.items() if split != "train"]
    judged, of = held_out or [material.judgements["train"]], "held-out" if held_out else "training"
    boxes, ap50 = _of_all(judged)
    lost = np.flatnonzero((boxes > 0) & (ap50 < _NOTHING))
    if not len(lost):
        return _far_below(judged, of)
    if len(lost) == (boxes > 0).sum():
        return None  # of none, the figure says it
    classes = judged[0].examples.classes
    names = tuple(classes[index] for index in lost.tolist())
    parts = [f"{classes[i]} ({counted(int(boxes[i]), 'box')})" for i in lost.tolist()]
    says = f"AP50 is 0.00 on {of} pictures of {some(parts, 6)}."
    return Lost(names, says, is_clear(1 - float(ap50[boxes > 0].mean()), boxes, lost))


def _of_all(judged: Sequence[DetectJudgement]) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """How many boxes there are of each class, and its AP50, each split weighing as many boxes."""
    boxes = np.array([each.scores.boxes for each in judged])
    # NaN of a class without boxes in a split, which weighs nothing there.
    ap50 = np.nan_to_num([each.scores.class_ap50 for each in judged])
    count = boxes.sum(axis=0)
    return count, (ap50 * boxes).sum(axis=0) / np.maximum(1, count)


def not_found_in_words(scores: DetectScores) -> str:
    """How many of the objects not found are missed, and why these may cost nothing; or nothing."""
    missed, lost = scores.errors["missed"].count, int(scores.confusion[:-1, -1].sum())
    if not lost or missed > lost:
        return ""
    objects = f"{counted(lost, 'object')} not found"
    if not missed:
        return (
            f"None of the {objects} is missed: each has a detection, misplaced or of another class."
        )
    rest = "" if missed == lost else "; the others have a detection, misplaced or of another class"
    says = f"Of the {objects}, {missed:,} {'is' if missed == 1 else 'are'} missed{rest}."
    if scores.errors["missed"].ap50 >= _COSTS:
        return says
    near = missed - int(scores.matching.missed(-np.inf).sum())
    if not near:
        return says
    return (
        f"{says} Missing costs nothing by itself: {have(near)} a detection near that scores less."
    )


def _far_below(judged: Sequence[DetectJudgement], of: str) -> Lost | None:
    """Classes whose AP50 is clearly less than two thirds of the mean of the others."""
    count, ap50 = _of_all(judged)
    shares = np.array([each.scores.boxes for each in judged]) / np.maximum(1, count)
    there = np.flatnonzero(count)
    reach = critical_t(2 * _CHANCE / max(1, len(there)), _PARTS - 1)
    weak = []
    for label in there.tolist():
        others = ap50[there[there != label]]
        least = _FAR_BELOW * others.mean() if len(others) else 0.0
        if ap50[label] >= least or others.mean() < _KNOWN:
            continue
        errors = [_class_error(each, label) for each in judged]
        if ap50[label] + reach * math.hypot(*(shares[:, label] * errors)) < least:
            weak.append(label)
    if not weak:
        return None
    weak.sort(key=lambda label: ap50[label])
    classes = judged[0].examples.classes
    parts = [f"{classes[i]} ({ap50[i]:.3f}, {counted(int(count[i]), 'box')})" for i in weak]
    rest = f"{ap50[np.setdiff1d(there, weak)].mean():.3f}"
    says = f"AP50 on {of} pictures is far lower for {some(parts, 6)} than for the rest ({rest})."
    return Lost(tuple(classes[label] for label in weak), says, clear=True)


def _class_error(judgement: DetectJudgement, label: int) -> float:
    """The standard error of one class's AP50; at least what other boxes would change."""
    scores, count = judgement.scores, len(judgement.examples.classes)
    if not scores.boxes[label]:
        return 0.0
    parts = max(1, min(_PARTS, len(judgement.examples)))
    values = [_ap50_without(scores.matching, part, parts, count, label) for part in range(parts)]
    error = float(np.sqrt((parts - 1) * np.var(values)))
    return max(error, share_error(float(scores.class_ap50[label]), int(scores.boxes[label])))


def _ap50_without(
    matching: Matching, part: int, parts: int, classes: int, label: int | None = None
) -> float:
    """AP50 of all classes, or of one, without a part of the pictures."""
    # Every tenth picture, not ten in a row, which may all show one class.
    kept = (matching.pictures % parts != part) & (matching.kinds != Kind.IGNORED)
    known = (matching.truth.pictures() % parts != part) & matching.counted
    truths = np.bincount(matching.truth.classes[known], minlength=classes)
    if label is not None:
        truths[np.arange(classes) != label] = 0
    right, found = matching.kinds[kept] == Kind.RIGHT, matching.found.take(kept)
    return average_precision(found.labels, found.scores, right, truths, truths)


def found_by_size(judgement: DetectJudgement, size: Size, *, threshold: float) -> list[BySize]:
    """How many objects are found, by how large the net is given them.

    Args:
        size: width and height of the net's input.
    """
    sides, found = _sides_and_found(judgement, size, threshold)
    names = [
        f"below {_BOUNDS[0]} px",
        *(f"{low} to {high} px" for low, high in pairwise(_BOUNDS)),
        f"{_BOUNDS[-1]} px and more",
    ]
    place = np.digitize(sides, _BOUNDS)
    return [
        BySize(name, int((place == i).sum()), int(found[place == i].sum()))
        for i, name in enumerate(names)
    ]


def misses_small(rows: Sequence[BySize]) -> bool:
    """Whether objects that are small to the net are found clearly less often than others."""
    small = rows[: _BOUNDS.index(_SMALL) + 1]
    large = rows[_BOUNDS.index(_SMALL) + 1 :]
    of_small, of_large = (sum(row.boxes for row in part) for part in (small, large))
    if min(of_small, of_large) < _ENOUGH:
        return False
    share = sum(row.found for row in small) / of_small
    return share < sum(row.found for row in large) / of_large - _CLEARLY


def _sides_and_found(
    judgement: DetectJudgement, size: Size, threshold: float
) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
    """Of every truth that counts: the root of its area as the net sees it, and whether found."""
    matching = judgement.scores.matching
    truth, counted = matching.truth, matching.counted
    factors = (np.array(size) / _picture_sizes(judgement.examples)).min(axis=1)
    areas = (truth.corners[:, 2:] - truth.corners[:, :2]).prod(axis=1)
    sides = np.sqrt(areas) * factors[truth.pictures()]
    return sides[counted], ~matching.not_found(threshold)[counted]


def _picture_sizes(examples: Dataset) -> NDArray[np.float64]:
    """N×2, true width and height, from the files where the labels do not state them."""
    sizes = np.zeros((len(examples), 2)) if examples.sizes is None else examples.sizes.astype(float)
    for index in np.flatnonzero((sizes <= 0).any(axis=1)).tolist():
        sizes[index] = picture_size(examples.file(index))
    return sizes
