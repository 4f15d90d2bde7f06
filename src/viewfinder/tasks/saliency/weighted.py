"""The weighted F-measure: an error counts by where it lies.

Margolin, Zelnik-Manor, Tal: "How to evaluate foreground maps?", 2014. A hole in the subject is
forgiven in part if the map around it is right, and what is taken of the background weighs the more
the farther it lies from the subject, up to twice as much.
"""

import itertools
import math
from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

# The paper's: a window of 7×7 of a Gaussian with σ = 5, and a weight that halves its distance from
# 2 every 5 pixels.
_REACH = 3
_SIGMA = 5.0
_HALVED_EVERY = 5.0

# The distance is worked out as far as it can change the score by this much.
_TOLERANCE = 1e-6

_GAUSSIAN = np.exp(-(np.arange(-_REACH, _REACH + 1) ** 2) / (2 * _SIGMA**2))
_WINDOW = _GAUSSIAN / _GAUSSIAN.sum()  # Its square, as a product of column and row, is the 7×7.
_MARGIN = math.isqrt(2 * _REACH**2)  # A window's corner is farther than its side.


def _steps() -> dict[int, NDArray[np.intp]]:
    """The steps (dx, dy) of each squared length up to a window's corner, leftmost first."""
    side = range(-_MARGIN, _MARGIN + 1)
    steps: dict[int, list[tuple[int, int]]] = {}
    for step in itertools.product(side, side):
        steps.setdefault(step[0] ** 2 + step[1] ** 2, []).append(step)
    return {n: np.array(steps[n]) for n in sorted(steps) if 0 < n <= 2 * _REACH**2}


_STEPS = _steps()


@dataclass(frozen=True, eq=False)
class MaskWeights:
    """What of the weights follows from the mask alone, and several maps of it share.

    Attributes:
        box: x, y, width and height of the mask's own box.
        near: rows and columns of that and the reach of the window around it.
        relief: what a pixel of the background weighs less than 2, of the rows and columns `place`.
        bordering: the background within a window's reach of the mask, as places in what is near
            with `_MARGIN` around it.
        nearest: of each of these the nearest pixel of the mask, in the same way.
    """

    box: Sequence[int]
    near: tuple[slice, slice]
    place: tuple[slice, slice]
    relief: NDArray[np.float32]
    bordering: NDArray[np.intp]
    nearest: NDArray[np.intp]


def mask_weights(
    subject: NDArray[np.uint8], place: tuple[slice, slice] | None = None
) -> MaskWeights:
    """The weights of a mask that is not empty.

    Args:
        subject: H×W, 1 in the mask and 0 outside.
        place: the rows and columns that are asked for, which hold all that is near; None for all.
    """
    place = place or (slice(0, subject.shape[0]), slice(0, subject.shape[1]))
    box = cv2.boundingRect(subject)
    near = _around(box, _REACH)
    distance = np.asarray(
        cv2.distanceTransform(1 - subject[place], cv2.DIST_L2, cv2.DIST_MASK_PRECISE), np.float32
    )
    bordering, nearest = _bordering(subject[near], distance[_within(near, place)])
    relief = np.asarray(cv2.exp(distance * np.float32(-math.log(2) / _HALVED_EVERY)), np.float32)
    return MaskWeights(box, near, place, relief, bordering, nearest)


def weighted_f(
    prediction: NDArray[np.floating],
    subject: NDArray[np.uint8],
    weights: MaskWeights | None = None,
) -> float:
    """F with β² = 1 of weighted errors; 0 for an empty mask.

    Args:
        prediction: H×W in [0, 1].
        subject: H×W, 1 in the mask and 0 outside.
        weights: the mask's, of the whole picture, where several maps of it are judged.
    """
    box = weights.box if weights else cv2.boundingRect(subject)
    if box[2] == 0:
        return 0.0
    prediction = prediction.astype(np.float32, copy=False)
    taken = cv2.copyTo(prediction, 1 - subject)
    wanted, total = cv2.countNonZero(subject), cv2.sumElems(taken)[0]
    spill = cv2.boundingRect((taken > _TOLERANCE * wanted / subject.size).view(np.uint8))
    near = _around(box, _REACH)
    far = _asked_for(_around(box, _margin(total / wanted)), _around(spill, 0), near)
    weights = weights or mask_weights(subject, far)
    found = wanted - _errors_inside(prediction[near], subject[near], weights)
    relief = weights.relief[_within(far, weights.place)]
    excess = 2 * total - cv2.sumElems(cv2.multiply(taken[far], relief))[0]
    if found <= 0:
        return 0.0
    recall, precision = found / wanted, found / (found + excess)
    return 2 * recall * precision / (recall + precision)


def _within(part: tuple[slice, slice], whole: tuple[slice, slice]) -> tuple[slice, slice]:
    """The rows and columns of a part, counted from where the whole of it begins."""
    rows, columns = (
        slice(p.start - w.start, p.stop - w.start) for p, w in zip(part, whole, strict=True)
    )
    return rows, columns


def _margin(taken: float) -> int:
    """How far around the mask a pixel's distance is of weight.

    Beyond it no relief is more than 2^(−margin / 5), nor all reliefs together more than that times
    what the map takes of the background, here in units of the mask's pixels.
    """
    if taken <= _TOLERANCE:
        return _REACH
    return max(_REACH, math.ceil(_HALVED_EVERY * math.log2(taken / _TOLERANCE)))


def _around(box: Sequence[int], margin: int) -> tuple[slice, slice]:
    """The rows and columns of a box (x, y, width, height) and a margin around it."""
    x, y, width, height = box
    return (
        slice(max(0, y - margin), y + height + margin),
        slice(max(0, x - margin), x + width + margin),
    )


def _asked_for(
    weighty: tuple[slice, slice], taken: tuple[slice, slice], near: tuple[slice, slice]
) -> tuple[slice, slice]:
    """The rows and columns in which a distance is asked for.

    That is where it has weight and the map takes any of the background, and all that is near.
    """
    rows, columns = (
        slice(min(n.start, max(w.start, t.start)), max(n.stop, min(w.stop, t.stop)))
        for w, t, n in zip(weighty, taken, near, strict=True)
    )
    return rows, columns


def _errors_inside(
    prediction: NDArray[np.float32], subject: NDArray[np.uint8], weights: MaskWeights
) -> float:
    """The sum of what the map lacks in the mask, eased by what lies around.

    The arrays are cut to the mask and the reach of the window around it.
    """
    height, width = subject.shape
    errors = np.zeros((height + 2 * _MARGIN, width + 2 * _MARGIN), np.float32)
    within = (slice(_MARGIN, -_MARGIN), slice(_MARGIN, -_MARGIN))
    errors[within] = cv2.copyTo(1 - prediction, subject)
    spread = errors.copy()
    spread.put(weights.bordering, errors.take(weights.nearest))
    # The window is cut off at the picture's edge, beyond which there are no errors.
    around = cv2.sepFilter2D(
        np.ascontiguousarray(spread[within]), -1, _WINDOW, _WINDOW, borderType=cv2.BORDER_CONSTANT
    )
    return float(cv2.sumElems(cv2.min(errors[within], around))[0])


def _bordering(
    subject: NDArray[np.uint8], distance: NDArray[np.float32]
) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """The background within a window's reach, and of each pixel the nearest one of the mask, whose
    error it is given.

    Of equally near ones, the leftmost and then the uppermost. The rest of the background needs
    none: no window that is centred in the mask gets there.
    """
    mask = np.pad(subject, _MARGIN)
    near = np.asarray(cv2.inRange(distance, 0.5, math.sqrt(2) * _REACH + 0.01))
    rows, columns = np.divmod(np.flatnonzero(near.view(np.bool_)), near.shape[1])
    squared = np.rint(distance[rows, columns] ** 2)
    stride = mask.shape[1]
    places = (rows + _MARGIN) * stride + columns + _MARGIN
    here, nearest = [], []
    for length, steps in _STEPS.items():
        own = places[squared == length]
        around = own[:, None] + steps @ (1, stride)
        first = mask.take(around).argmax(axis=1)
        here.append(own)
        nearest.append(around[np.arange(len(own)), first])
    return np.concatenate(here), np.concatenate(nearest)
