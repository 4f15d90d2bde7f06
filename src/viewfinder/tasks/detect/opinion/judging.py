"""Whether a second opinion is kept: its weight from held-out pictures, and what they gain by it.

The weight is the likeliest for the true classes of the objects found there. It is kept if their
AP50 rises, if more objects come to their class than lose it, and if true classes become likelier by
more than chance would make them once in twenty times: surer scores alone would cost every later
answer its time, and change none.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from viewfinder.datasets.boxes import Boxes, to_find
from viewfinder.datasets.dataset import Dataset
from viewfinder.pictures.geometry import iou
from viewfinder.tasks.chance import likelier_by_chance
from viewfinder.tasks.classify.heads import Floats, Labels
from viewfinder.tasks.classify.last_layer import IN_WORDS, Solved
from viewfinder.tasks.detect.detections import Detections
from viewfinder.tasks.detect.measures.matching import FOREGROUND
from viewfinder.tasks.detect.measures.scores import score
from viewfinder.tasks.detect.opinion.second import LEAST, Consulted, Opinion, mix, mixture
from viewfinder.wording import counted

# Objects that must be found in held-out pictures.
_FEWEST = 10
_WEIGHTS = np.linspace(0, 1, 21)
# How likely chance alone may be to make true classes as much likelier as a second opinion did, and
# what AP50 must rise by to be worth its time.
_BY_CHANCE, _WORTH = 0.05, 0.01


@dataclass(frozen=True)
class Formed:
    """What became of a second opinion.

    Attributes:
        opinion: None where it does not gain.
        before, after: AP50 of the held-out pictures without it and with it; None if not measured.
        objects: held-out objects that were found, by which its weight was fitted.
        right: of those, how many the detector alone, and both, give their class.
        chance: how likely chance makes true classes so much likelier; None if not measured.
        says: how it came about, in a line.
    """

    opinion: Opinion | None
    says: str
    weight: float = 0.0
    before: float | None = None
    after: float | None = None
    objects: int = 0
    right: tuple[int, int] = (0, 0)
    chance: float | None = None

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
            "chance": self.chance,
            "says": self.says,
        }


@dataclass(frozen=True)
class HeldOut:
    """Held-out pictures, answered.

    Attributes:
        found: what the detector finds in each.
        consulted: what the layer says of it.
        truth: the objects that are there.
        more: what would hold out more, as an advice.
    """

    found: list[Detections]
    consulted: list[Consulted]
    truth: Boxes
    more: str


def more_held_out(dataset: Dataset) -> str:
    """What would hold out more, as an advice."""
    if dataset.val_dealt:
        return "hold more out (--val-share 0.3)"
    return "put more pictures with objects into val"


def why_unjudged(dataset: Dataset) -> str:
    """Why a set cannot judge an opinion, whatever is found in it, and what to do: it has one class
    to learn, or to judge by, or fewer held-out objects than must be found; nothing where it can."""
    train, val = (_objects_of(dataset, split) for split in ("train", "val"))
    known = np.unique(train)
    there = int(np.isin(val, known).sum())
    if len(known) < 2:
        return "there is but one class to learn: leave it out"
    if there >= _FEWEST and len(np.unique(val)) > 1:
        return ""
    if there >= _FEWEST:
        return f"all held-out objects are of one class: {more_held_out(dataset)}"
    return (
        f"it is judged by {_FEWEST} objects or more that are found in held-out pictures, and there "
        f"{'is' if there == 1 else 'are'} {there}: {more_held_out(dataset)}"
    )


def _objects_of(dataset: Dataset, split: str) -> Labels:
    """The classes of the objects to find in a split, which may have no pictures."""
    boxes = dataset.split(split).boxes if dataset.has_split(split) else None
    return np.zeros(0, np.int64) if boxes is None else boxes.classes[to_find(boxes)]


def judged(
    held_out: HeldOut, known: Labels, classes: tuple[str, ...], solved: Solved, extractor: str
) -> Formed:
    """Fit the weight on held-out pictures, and see whether they gain.

    Args:
        known: of `classes`, the numbers of those that the layer knows.
        extractor: whose features it learnt from.
    """
    first, second, true = _pairs(held_out, known)
    if len(true) < _FEWEST:
        return _too_few(held_out, len(true), known)
    weight = _likeliest(first, second, true)

    def ap50(weight: float) -> float:
        mixed = zip(held_out.found, held_out.consulted, strict=True)
        answers = [mix(f, c, known, weight) if weight else f for f, c in mixed]
        return score(answers, held_out.truth, classes=classes).ap50 or 0.0

    before, after = ap50(0.0), ap50(weight)
    alone, both = _right(first, second, true, 0.0), _right(first, second, true, weight)
    better, worse = int((both & ~alone).sum()), int((alone & ~both).sum())
    believed = [_shares_of(true, first, second, each) for each in (0.0, weight)]
    chance = likelier_by_chance(*believed)
    against = _against(after - before, better - worse, chance)
    why = f"left off: {against}" if against else "kept"
    in_words = "p below 0.001" if chance < 0.001 else f"p {chance:.3f}"
    says = (
        f"second opinion on classes by {IN_WORDS[solved.way]}, weight {weight:.2f}: AP50 of "
        f"held-out pictures {before:.3f} without, {after:.3f} with it; of "
        f"{counted(len(true), 'object')} found there {better} come to their class and {worse} lose "
        f"it, and true classes are so much likelier by chance with {in_words}; {why}"
    )
    names = tuple(classes[label] for label in known.tolist())
    opinion = None if against else Opinion(solved.layer, known, weight, extractor, names)
    right = (int(alone.sum()), int(both.sum()))
    return Formed(opinion, says, weight, before, after, len(true), right, chance)


def _against(rise: float, better: int, chance: float) -> str:
    """Why an opinion is left off; nothing where it is kept.

    Args:
        rise: of AP50.
        better: how many more objects come to their class than lose it.
    """
    if rise < _WORTH:
        return f"AP50 does not rise by {_WORTH:g}"
    if better <= 0:
        return "no more objects come to their class than lose it"
    if chance > _BY_CHANCE:
        return "true classes become no likelier than chance makes them"
    return ""


def _too_few(held_out: HeldOut, found: int, known: Labels) -> Formed:
    """What is said where too few objects are found to judge by."""
    there = int((to_find(held_out.truth) & np.isin(held_out.truth.classes, known)).sum())
    helps = "train for longer" if there >= _FEWEST else held_out.more
    says = "held-out pictures have no object of a class that was learnt, and so cannot judge it"
    if there:
        says = (
            f"the detector finds {found} of {counted(there, 'object')} in held-out pictures, by "
            f"{LEAST:g} or more, too few to judge it by ({_FEWEST} would do)"
        )
    return Formed(None, f"no second opinion: {says}: {helps}", objects=found)


def _pairs(held_out: HeldOut, known: Labels) -> tuple[Floats, Floats, Labels]:
    """Of objects that are there, M: what the detector and the layer say, M×K, and the truth, M."""
    truth = held_out.truth
    good = to_find(truth) & np.isin(truth.classes, known)
    first, second, true = list[Floats](), list[Floats](), list[int]()
    for number, (each, asked) in enumerate(zip(held_out.found, held_out.consulted, strict=True)):
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
