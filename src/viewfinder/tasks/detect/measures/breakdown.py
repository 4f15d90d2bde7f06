"""What a detector's mistakes are, how many, what each kind costs, and where to draw the line."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from viewfinder.pictures.geometry import Floats
from viewfinder.tasks.detect.measures.matching import WRONG, Kind, Mask, Matching, Rows, claim

ERRORS = (*(kind.name.lower() for kind in WRONG), "missed")
RECALLS = np.linspace(0, 1, 101)  # at which COCO reads a precision-recall curve


@dataclass(frozen=True)
class OperatingPoint:
    """What a detector does if only detections above a score are shown; shares in [0, 1]."""

    threshold: float
    precision: float
    recall: float
    f1: float


@dataclass(frozen=True)
class Cost:
    """A kind of error.

    Attributes:
        count: how many there are above a threshold.
        ap50: by how much AP50 would rise without them, whatever the threshold.
    """

    count: int
    ap50: float


def best_point(scores: Floats, right: Mask, truths: int) -> OperatingPoint | None:
    """The point of best F1; of equal ones that of highest score. None if no detection is right.

    Its threshold lies halfway between the least score shown and the next one, so that rounding, or
    whether equal scores are shown, changes nothing.

    Args:
        scores: D, of detections that count, in any order.
        right: D, which of them find a truth.
        truths: how many there are to find.
    """
    if not right.any():
        return None
    order = np.argsort(-scores, kind="stable")
    scores = np.append(scores[order], 0.0)
    found, shown = np.cumsum(right[order]), np.arange(1, len(order) + 1)
    f1 = 2 * found / (shown + truths)
    # Equal scores are shown together or not at all.
    f1[scores[:-1] == scores[1:]] = -1
    f1[-1] = 2 * found[-1] / (len(order) + truths)
    best = int(f1.argmax())
    return OperatingPoint(
        threshold=float(scores[best] + scores[best + 1]) / 2,
        precision=float(found[best] / shown[best]),
        recall=float(found[best] / truths),
        f1=float(f1[best]),
    )


def confusion(matching: Matching, *, threshold: float, classes: int) -> NDArray[np.int64]:
    """(C+1)×(C+1) counts, a row a true class, a column an answer; the last of both is background.

    Every truth stands once in its row, every detection above the threshold once in its column, and
    right ones on the diagonal. A wrong detection takes the truth, of those not found, that it
    overlaps most, if the IoU is 0.5 or more; those that take none stand in the last row, and truths
    that none takes in the last column.
    """
    labels, truths = matching.found.labels, matching.truth.classes
    right = (matching.kinds == Kind.RIGHT) & (matching.found.scores > threshold)
    wrong, open_truths = matching.false(threshold), matching.not_found(threshold)
    rows, columns = matching.overlaps.T
    possible = wrong[rows] & open_truths[columns]
    once = np.zeros(len(truths), np.bool_)
    taken = claim(rows[possible], columns[possible], len(labels), shared=once)
    confused, alone = wrong & (taken >= 0), wrong & (taken < 0)
    open_truths[taken[confused]] = False
    lost = truths[open_truths]
    true = [labels[right], truths[taken[confused]], np.full(alone.sum(), classes), lost]
    answered = [labels[right], labels[confused], labels[alone], np.full(len(lost), classes)]
    cells = np.concatenate(true) * (classes + 1) + np.concatenate(answered)
    return np.bincount(cells, minlength=(classes + 1) ** 2).reshape(classes + 1, classes + 1)


def break_down(matching: Matching, *, threshold: float, classes: int) -> dict[str, Cost]:
    """Each kind of error: how many lie above the threshold, and what all of them cost in AP50.

    The cost is what AP50 gains if that kind alone is fixed (TIDE, section 2.3). Of misplaced
    detections, or of those of another class, the best for each truth that none has found becomes
    right; all other wrong ones go; missed truths are no longer asked for. Costs do not add up to
    what AP50 lacks, as fixing one kind changes the weight of the others.

    The authors' program differs in two places: of a misplaced detection and one of another class
    for the same truth it fixes only the better, and where all truths of a class are missed it
    leaves an AP of 0, as if missing them cost nothing; here the class gets 1.
    """
    base = _mean_ap50(matching, classes)
    counts = count_errors(matching, threshold=threshold).sum(axis=0)
    lost = matching.missed(-np.inf)
    fixed = [_mean_ap50(matching, classes, fix=kind) for kind in WRONG]
    fixed.append(_mean_ap50(matching, classes, lost=lost))
    return {
        name: Cost(int(count), value - base)
        for name, count, value in zip(ERRORS, counts, fixed, strict=True)
    }


def count_errors(matching: Matching, *, threshold: float) -> NDArray[np.int64]:
    """N×6: how many errors of each kind, in the order of `ERRORS`, each picture has."""
    counts = np.zeros((len(matching.truth.offsets) - 1, len(ERRORS)), np.int64)
    false, missed = matching.false(threshold), matching.missed(threshold)
    np.add.at(counts, (matching.pictures[false], matching.kinds[false] - WRONG[0]), 1)
    counts[:, -1] = np.bincount(matching.truth.pictures()[missed], minlength=len(counts))
    return counts


def _mean_ap50(
    matching: Matching, classes: int, *, fix: Kind | None = None, lost: Mask | None = None
) -> float:
    """AP50 after one kind of error is fixed, or `lost` truths are no longer asked for."""
    labels, right = matching.found.labels.copy(), matching.kinds == Kind.RIGHT
    kept = matching.kinds != Kind.IGNORED
    if fix in (Kind.LOCALISATION, Kind.CLASS):
        rows = np.flatnonzero(matching.kinds == fix)
        causes = matching.causes[rows]
        rows, causes = rows[matching.finders[causes] < 0], causes[matching.finders[causes] < 0]
        order = np.argsort(-matching.found.scores[rows], kind="stable")
        causes, first = np.unique(causes[order], return_index=True)
        rows = rows[order][first]
        kept &= matching.kinds != fix
        kept[rows], right[rows], labels[rows] = True, True, matching.truth.classes[causes]
    elif fix is not None:
        kept &= matching.kinds != fix
    asked = matching.counted if lost is None else matching.counted & ~lost
    truths = np.bincount(matching.truth.classes[matching.counted], minlength=classes)
    wanted = np.bincount(matching.truth.classes[asked], minlength=classes)
    return average_precision(labels[kept], matching.found.scores[kept], right[kept], truths, wanted)


def average_precision(
    labels: Rows, scores: Floats, right: Mask, truths: Rows, wanted: Rows
) -> float:
    """The mean over classes with truths of COCO's AP: precision at 101 recalls, interpolated.

    Args:
        truths: by class, how many there are; classes without any are left out.
        wanted: by class, how many of them are asked for; if none, the AP is 1.
    """
    order = np.lexsort((-scores, labels))
    bounds = np.searchsorted(labels[order], np.arange(len(truths) + 1))
    values = []
    for label in np.flatnonzero(truths):
        if not wanted[label]:
            values.append(1.0)
            continue
        found = np.cumsum(right[order[bounds[label] : bounds[label + 1]]])
        precision = found / np.arange(1, len(found) + 1)
        envelope = np.append(np.maximum.accumulate(precision[::-1])[::-1], 0.0)
        values.append(envelope[np.searchsorted(found / wanted[label], RECALLS)].mean())
    return float(np.mean(values)) if values else 0.0
