"""Which detection found which object, and what is wrong with the others.

Detections find truths as COCO has it: of each class, by falling score, each takes the truth of
largest IoU that is not taken yet, if that is 0.5 or more. As a detection never depends on those of
lower score, one matching serves every threshold.

A crowd, and an object marked difficult, neither counts nor costs: a detection of its class that
finds nothing else is ignored if at least half of the detection lies within it, and so is any
number of them. (COCO's rule for crowds; COCO knows no difficult objects.) Truths that hold nothing
or are of no named class are left out, as are a picture's detections of a class beyond the best 100.

What is wrong is reported as by Bolya et al., "TIDE", ECCV 2020, section 2.2, with its authors'
precedence: localisation before class before duplicate.
"""

import enum
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from viewfinder.datasets.boxes import Boxes, usable
from viewfinder.errors import InputError
from viewfinder.tasks.detect.detections import Detections, no_detections
from viewfinder.wording import counted

FOREGROUND, BACKGROUND = 0.5, 0.1  # IoU from which a truth is found, and below which is none
MOST = 100  # detections of a class in a picture that COCO counts

Rows = NDArray[np.int64]
Mask = NDArray[np.bool_]


def beyond_counted(truth: Boxes) -> str:
    """What to know where pictures hold more objects than are counted, in a sentence; or nothing."""
    pictures = np.repeat(np.arange(len(truth.offsets) - 1), np.diff(truth.offsets))
    groups = np.stack([pictures, truth.classes], axis=1)[truth.classes >= 0]
    found, counts = np.unique(groups, axis=0, return_counts=True)
    crowded = np.unique(found[counts > MOST, 0])
    if not len(crowded):
        return ""
    have = "has" if len(crowded) == 1 else "have"
    return (
        f"{counted(len(crowded), 'picture')} {have} more than {MOST} objects of one class: of each "
        f"class and picture the {MOST} surest boxes count, as COCO has it, so recall, AP and how "
        "far scores can be believed are of these alone; cut such pictures up to judge all"
    )


class Kind(enum.IntEnum):
    """What a detection is."""

    RIGHT = 0
    """It finds a truth."""
    LOCALISATION = 1
    """The right class, at an IoU from 0.1 to 0.5."""
    CLASS = 2
    """Another class, at an IoU of 0.5 or more."""
    BOTH = 3
    """Another class, at an IoU from 0.1 to 0.5."""
    DUPLICATE = 4
    """A truth that a detection of higher score has found."""
    BACKGROUND = 5
    """Nothing is there."""
    IGNORED = 6
    """It lies in a crowd, or on a difficult object: neither right nor wrong."""


WRONG = (Kind.LOCALISATION, Kind.CLASS, Kind.BOTH, Kind.DUPLICATE, Kind.BACKGROUND)


@dataclass(frozen=True, eq=False)
class Matching:
    """D detections of all pictures, in order of the pictures, by falling score; and T truths.

    Attributes:
        truth: the truths that were usable; rows are of these.
        counted: T bool, truths that count: neither crowd nor difficult.
        finders: T int64, the detection that found each truth, or -1.
        found: the detections, in float64.
        pictures: D int64, the picture that each lies in.
        kinds: D int8, of `Kind`.
        causes: D int64, the row of the truth that a detection finds, misplaces, takes for another
            class or finds again, or lies in; -1 for the other kinds.
        overlaps: P×2, pairs of a detection and a counted truth of any class of IoU 0.5 or more, in
            order of the detections and for each by falling IoU.
    """

    truth: Boxes
    counted: Mask
    finders: Rows
    found: Detections
    pictures: Rows
    kinds: NDArray[np.int8]
    causes: Rows
    overlaps: Rows

    def false(self, threshold: float) -> Mask:
        """D bool: detections of a score above the threshold that are wrong."""
        return np.isin(self.kinds, WRONG) & (self.found.scores > threshold)

    def found_at(self) -> NDArray[np.float64]:
        """T float64: the score of the detection that found each truth; -∞ where none did."""
        found = np.full(len(self.truth), -np.inf)
        there = self.finders >= 0
        found[there] = self.found.scores[self.finders[there]]
        return found

    def not_found(self, threshold: float) -> Mask:
        """T bool: truths that count and that no detection above the threshold finds."""
        return np.asarray(self.counted & (self.found_at() <= threshold))

    def missed(self, threshold: float) -> Mask:
        """T bool: truths not found that no wrong detection above the threshold explains.

        A truth that is misplaced, or taken for another class, counts as that error alone (TIDE).
        """
        blamed = np.isin(self.kinds, (Kind.LOCALISATION, Kind.CLASS))
        blamed &= self.found.scores > threshold
        explained = np.zeros(len(self.truth), np.bool_)
        explained[self.causes[blamed]] = True
        return self.not_found(threshold) & ~explained


@dataclass(frozen=True, eq=False)
class _Pairs:
    """Detections (rows) and truths (columns) that overlap, and whether they are of one class."""

    rows: Rows
    columns: Rows
    ious: NDArray[np.float64]
    alike: Mask

    def take(self, which: Mask | Rows) -> "_Pairs":
        return _Pairs(self.rows[which], self.columns[which], self.ious[which], self.alike[which])


def match(detections: Sequence[Detections], truth: Boxes) -> Matching:
    """Match the detections of N pictures with their truths, both in the same pixels.

    Raises:
        InputError: there are not as many pictures of both, or a detection has a score outside
            [0, 1], a negative class, or a corner that is no number.
    """
    found, pictures = _together(detections, len(truth.offsets) - 1)
    truth = truth.keep(usable(truth))
    counted = ~(truth.crowd | truth.difficult)
    pairs = _overlaps(found, pictures, truth, counted)
    causes = _find(pairs.take(pairs.alike & (pairs.ious >= FOREGROUND)), len(found), counted)
    finders = np.full(len(truth), -1)
    finding = np.flatnonzero(causes >= 0)
    finders[causes[finding]] = finding
    finders[~counted] = -1
    pairs = pairs.take(counted[pairs.columns])
    pairs = pairs.take(np.lexsort((pairs.columns, -pairs.ious, pairs.rows)))
    kinds, causes = _kinds(causes, counted, pairs)
    high = pairs.take(pairs.ious >= FOREGROUND)
    overlaps = np.column_stack([high.rows, high.columns])
    return Matching(truth, counted, finders, found, pictures, kinds, causes, overlaps)


def claim(rows: Rows, columns: Rows, count: int, *, shared: Mask) -> Rows:
    """Pairs taken in turn: each of `count` rows gets its first column that is free, or -1.

    Args:
        shared: by column, whether any number of rows may have it.
    """
    given, free = [-1] * count, [True] * len(shared)
    many = shared.tolist()
    for row, column in zip(rows.tolist(), columns.tolist(), strict=True):
        if given[row] < 0 and free[column]:
            given[row] = column
            free[column] = many[column]
    return np.array(given, np.int64)


def _together(detections: Sequence[Detections], count: int) -> tuple[Detections, Rows]:
    """Every detection that counts, and its picture; in order of these, by falling score."""
    if len(detections) != count:
        raise InputError(
            f"there are detections of {len(detections)} pictures and truths of {count}: "
            "give one Detections for each picture, empty where nothing was found"
        )
    pictures = np.repeat(np.arange(count), [len(each) for each in detections])
    every = no_detections().joined(detections)  # in float64, whatever theirs are in
    boxes, scores, labels = every.boxes, every.scores, every.labels
    good = (scores >= 0) & (scores <= 1)  # So written, it refuses NaN as well.
    good &= np.isfinite(boxes).all(axis=1) & (labels >= 0)
    if not good.all():
        bad = int(np.argmin(good))
        raise InputError(
            f"a detection in picture {pictures[bad]} (from 0) has score {scores[bad]:g}, class "
            f"{labels[bad]} and corners {boxes[bad].tolist()}: the score must lie in [0, 1], the "
            "class be 0 or more, and corners be numbers; a diverged training gives such"
        )
    order = np.lexsort((-scores, labels, pictures))  # Stable, as COCO's.
    group = pictures[order] * (labels.max(initial=0) + 1) + labels[order]
    best = np.arange(len(order)) - np.searchsorted(group, group) < MOST
    kept = np.sort(order[best])
    kept = kept[np.lexsort((-scores[kept], pictures[kept]))]
    return every.take(kept), pictures[kept]


def _overlaps(found: Detections, pictures: Rows, truth: Boxes, counted: Mask) -> _Pairs:
    """Detections and truths of one picture that overlap by 0.1 or more, with their IoU.

    Of a truth that does not count, it is the share of the detection that lies within.
    """
    bounds = np.searchsorted(pictures, np.arange(len(truth.offsets)))
    both = np.flatnonzero((np.diff(bounds) > 0) & (np.diff(truth.offsets) > 0))
    # Summed as COCO's programs do, which know corner and size, so that no last bit differs.
    boxes = found.boxes
    low, size = boxes[:, :2], np.maximum(boxes[:, 2:] - boxes[:, :2], 0)
    true_low, true_size = truth.corners[:, :2], truth.corners[:, 2:] - truth.corners[:, :2]
    high, true_high = low + size, true_low + true_size
    area, true_area = size.prod(axis=1), true_size.prod(axis=1)
    none = np.zeros(0, np.int64)
    parts = [(none, none, np.zeros(0))]
    for picture in both.tolist():
        d, t = slice(bounds[picture], bounds[picture + 1]), truth.of(picture)
        sides = np.minimum(high[d, None], true_high[t]) - np.maximum(low[d, None], true_low[t])
        common = np.maximum(sides, 0).prod(axis=2)
        union = np.where(counted[t], area[d, None] + true_area[t] - common, area[d, None])
        ious = np.divide(common, union, out=np.zeros_like(common), where=union > 0)
        rows, columns = np.nonzero(ious >= BACKGROUND)
        parts.append((rows + bounds[picture], columns + t.start, ious[rows, columns]))
    rows, columns, ious = (np.concatenate(each) for each in zip(*parts, strict=True))
    return _Pairs(rows, columns, ious, found.labels[rows] == truth.classes[columns])


def _find(pairs: _Pairs, count: int, counted: Mask) -> Rows:
    """The truth that each of `count` detections finds or lies in, or -1."""
    # COCO's order: truths that count before those that do not; of equal IoUs the last one.
    order = np.lexsort((-pairs.columns, -pairs.ious, ~counted[pairs.columns], pairs.rows))
    return claim(pairs.rows[order], pairs.columns[order], count, shared=~counted)


def _kinds(matched: Rows, counted: Mask, pairs: _Pairs) -> tuple[NDArray[np.int8], Rows]:
    """Every detection's kind and cause, from the pairs with truths that count, best first."""
    kinds = np.full(len(matched), Kind.BACKGROUND, np.int8)
    causes = matched.copy()
    same, other = _best(pairs.take(pairs.alike)), _best(pairs.take(~pairs.alike))
    kinds[other.rows[other.ious > BACKGROUND]] = Kind.BOTH
    # Each overrules those before it.
    for kind, best in (
        (Kind.DUPLICATE, same.take(same.ious >= FOREGROUND)),
        (Kind.CLASS, other.take(other.ious >= FOREGROUND)),
        (Kind.LOCALISATION, same.take(same.ious < FOREGROUND)),
    ):
        open_pairs = best.take(matched[best.rows] < 0)
        kinds[open_pairs.rows] = kind
        causes[open_pairs.rows] = open_pairs.columns
    settled = matched >= 0
    kinds[settled] = np.where(counted[matched[settled]], Kind.RIGHT, Kind.IGNORED)
    return kinds, causes


def _best(pairs: _Pairs) -> _Pairs:
    """The first pair of each row."""
    return pairs.take(np.unique(pairs.rows, return_index=True)[1])
