"""Which labels may be wrong: those that a judge taught by the other labels would not give.

A linear classifier of the offline net's features of the crops, and of the size and shape of the
boxes, is fitted by least squares to four fifths of the objects and asked about the last fifth, each
in turn: how much the best other class is ahead of an object's own is how much its label is doubted
(the margins of confident learning: Northcutt, Jiang, Chuang, JAIR 2021, arXiv:1911.00068).
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from viewfinder.errors import InputError

LEAST = 20
"""Labelled objects below which there is nobody to ask."""
_FOLDS = 5
# How strongly weights are pulled to zero, per object, and the constant beside the features.
_PULL, _CONSTANT = 1.0, 0.1
# Of a box's size and shape beside features of length 1.
_BY_SIZE, _BY_SHAPE = 0.3, 0.1
_AT_ONCE = 4096
# Labels beyond an amount from which on these are no accident.
_LEAST_BEYOND = 5


class Doubts(NamedTuple):
    """Of N objects.

    Attributes:
        amounts: N, about -1 to 1; above 0 another class is likelier than its own.
        others: N, that other class.
        named: of those with amounts above 0, how many of the most doubted are worth a look before
            all others: up to half of these are wrong.
        wrong: about how many of the named are wrong, as far as such a judge can tell.
    """

    amounts: NDArray[np.float32]
    others: NDArray[np.int64]
    named: int
    wrong: int


def doubts(
    features: NDArray[np.float32], boxes: NDArray[np.float64], labels: NDArray[np.int64]
) -> Doubts:
    """How much each label is doubted, and what it would rather be.

    Args:
        features: N×D, of length 1 each, as `features.describing` gives them.
        boxes: N×4 in pixels.
        labels: N, from 0 on.

    Raises:
        InputError: there are too few objects, or they are all of one class.
    """
    count, classes = len(labels), int(labels.max(initial=-1)) + 1
    if count < LEAST or len(np.unique(labels)) < 2:
        raise InputError(
            f"labels are doubted where at least {LEAST} boxes of two classes are there to compare, "
            f"and there are {count} of {len(np.unique(labels))}: label more first"
        )
    scores = _held_out(_points(features, boxes), labels, classes)
    rows = np.arange(count)
    own = scores[rows, labels].copy()
    scores[rows, labels] = -np.inf
    others = scores.argmax(axis=1)
    ahead = scores[rows, others]
    amounts = np.asarray(ahead - own, np.float32)
    return Doubts(amounts, others, *_believable(amounts, _if_wrong(scores, ahead, own, others)))


def _if_wrong(
    scores: NDArray[np.float64],
    ahead: NDArray[np.float64],
    own: NDArray[np.float64],
    others: NDArray[np.int64],
) -> NDArray[np.float64]:
    """How much each label would be doubted were it each of the classes that it is not, of N×C
    `scores` without its own, of which the best is `ahead`: N·(C - 1), rising."""
    rows, rest = np.arange(len(own)), scores.copy()
    rest[rows, others] = -np.inf
    second = np.maximum(rest.max(axis=1), own)  # what is left where the likeliest is the label
    found = np.maximum(ahead, own)[:, None] - scores
    found[rows, others] = np.maximum(second, own) - ahead
    return np.sort(found[np.isfinite(found)])


def _believable(amounts: NDArray[np.float32], if_wrong: NDArray[np.float64]) -> tuple[int, int]:
    """How many of the most doubted are named, and about how many of these are wrong.

    Wrong labels are about as much doubted as labels would be that were exchanged at random. Then a
    share p of wrong ones puts p times as many as these beyond any amount; since no more than all
    can lie there, p is at most the least ratio of the two (Blanchard, Lee, Scott, JMLR 2010). By
    that p, as many are named as half of which are wrong.
    """
    count = len(amounts)
    order = np.sort(amounts)[::-1]
    beyond = 1 - np.searchsorted(if_wrong, order.astype(np.float64)) / len(if_wrong)
    ranks = np.arange(1, count + 1)
    share = (ranks / count / np.maximum(beyond, 1e-9))[_LEAST_BEYOND - 1 :].min()
    wrong = np.minimum(min(1.0, float(share)) * count * beyond, ranks)
    named = int(np.flatnonzero(wrong >= ranks / 2).max(initial=-1)) + 1
    named = min(named, int((amounts > 0).sum()))
    return named, round(float(wrong[named - 1])) if named else 0


def _held_out(
    points: NDArray[np.float32], labels: NDArray[np.int64], classes: int
) -> NDArray[np.float64]:
    """N×C, what those that were fitted without an object say of it: about 1 of its class."""
    counts = np.bincount(labels, minlength=classes)
    # Between every object alike and every class alike.
    weights = 1 / np.sqrt(counts[labels])
    weights /= weights.mean()
    folds = np.random.default_rng(0).permutation(len(labels)) % _FOLDS
    sums = [_sums(points, labels, weights, np.flatnonzero(folds == f), classes)
            for f in range(_FOLDS)]  # fmt: skip
    squares, products = (sum(each[part] for each in sums) for part in (0, 1))
    scores = np.empty((len(labels), classes))
    pull = _PULL * np.eye(points.shape[1])
    for fold, (own, theirs) in enumerate(sums):
        fitted = np.linalg.solve(squares - own + pull, products - theirs)
        held = folds == fold
        scores[held] = points[held] @ fitted
    return scores


def _sums(
    points: NDArray[np.float32],
    labels: NDArray[np.int64],
    weights: NDArray[np.float64],
    rows: NDArray[np.intp],
    classes: int,
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """What least squares needs of some objects: D×D of the features, D×C with their classes."""
    squares = np.zeros((points.shape[1],) * 2)
    products = np.zeros((points.shape[1], classes))
    for start in range(0, len(rows), _AT_ONCE):
        part = rows[start : start + _AT_ONCE]
        here = points[part].astype(np.float64)
        weighed = here * weights[part, None]
        squares += weighed.T @ here
        products += weighed.T @ np.eye(classes)[labels[part]]
    return squares, products


def _points(features: NDArray[np.float32], boxes: NDArray[np.float64]) -> NDArray[np.float32]:
    """Features, size, shape and a constant."""
    width, height = np.maximum(boxes[:, 2:] - boxes[:, :2], 1).T
    size, shape = np.log(width * height) / 2, np.log(width / height)
    more = [
        by * (each - each.mean()) / max(float(each.std()), 1e-6)
        for by, each in ((_BY_SIZE, size), (_BY_SHAPE, shape))
    ]
    constant = np.full(len(features), _CONSTANT)
    return np.asarray(np.column_stack([features, *more, constant]), np.float32)
