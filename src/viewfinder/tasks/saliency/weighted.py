"""The weighted F-measure: an error counts by where it lies.

Margolin, Zelnik-Manor, Tal: "How to evaluate foreground maps?", 2014. A hole in the subject is
forgiven in part if the map around it is right, and what is taken of the background weighs the more
the farther it lies from the subject, up to twice as much.
"""

import itertools
import math
from collections.abc import Sequence

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


def weighted_f(prediction: NDArray[np.floating], subject: NDArray[np.uint8]) -> float:
    """F with β² = 1 of weighted errors; 0 for an empty mask.

    Args:
        prediction: H×W in [0, 1].
        subject: H×W, 1 in the mask and 0 outside.
    """
    box = cv2.boundingRect(subject)
    if box[2] == 0:
        return 0.0
    prediction, background = prediction.astype(np.float32, copy=False), 1 - subject
    taken = cv2.copyTo(prediction, background)
    wanted, total = cv2.countNonZero(subject), cv2.sumElems(taken)[0]
    spill = cv2.boundingRect((taken > _TOLERANCE * wanted / subject.size).view(np.uint8))
    near = _around(box, _REACH)
    far = _asked_for(_around(box, _margin(total / wanted)), _around(spill, 0), near)
    distance = np.asarray(
        cv2.distanceTransform(background[far], cv2.DIST_L2, cv2.DIST_MASK_PRECISE), np.float32
    )
    within = tuple(
        slice(n.start - f.start, n.stop - f.start) for n, f in zip(near, far, strict=True)
    )
    found = wanted - _errors_inside(prediction[near], subject[near], distance[within])
    # What a pixel of the background weighs less than 2.
    relief = cv2.exp(distance * np.float32(-math.log(2) / _HALVED_EVERY))
    excess = 2 * total - cv2.sumElems(cv2.multiply(taken[far], relief))[0]
    if found <= 0:
        return 0.0
    recall, precision = found / wanted, found / (found + excess)
    return 2 * recall * precision / (recall + precision)


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
    prediction: NDArray[np.float32], subject: NDArray[np.uint8], distance: NDArray[np.float32]
) -> float:
    """The sum of what the map lacks in the mask, eased by what lies around.

    The arrays are cut to the mask and the reach of the window around it.
    """
    height, width = subject.shape
    framed = np.zeros((2, height + 2 * _MARGIN, width + 2 * _MARGIN), np.float32)
    mask, errors = framed
    within = (slice(_MARGIN, -_MARGIN), slice(_MARGIN, -_MARGIN))
    mask[within] = subject
    errors[within] = cv2.copyTo(1 - prediction, subject)
    spread = errors.copy()
    _spread_to_nearest(spread, errors, mask, distance)
    # The window is cut off at the picture's edge, beyond which there are no errors.
    around = cv2.sepFilter2D(
        np.ascontiguousarray(spread[within]), -1, _WINDOW, _WINDOW, borderType=cv2.BORDER_CONSTANT
    )
    return float(cv2.sumElems(cv2.min(errors[within], around))[0])


def _spread_to_nearest(
    spread: NDArray[np.float32],
    errors: NDArray[np.float32],
    mask: NDArray[np.float32],
    distance: NDArray[np.float32],
) -> None:
    """Give the background within a window's reach the error of the nearest pixel of the mask.

    Of equally near ones, that of the leftmost and then the uppermost. The rest of the background
    needs none: no window that is centred in the mask gets there.
    """
    near = np.asarray(cv2.inRange(distance, 0.5, math.sqrt(2) * _REACH + 0.01))
    rows, columns = np.divmod(np.flatnonzero(near.view(np.bool_)), near.shape[1])
    squared = np.rint(distance[rows, columns] ** 2)
    stride = errors.shape[1]
    places = (rows + _MARGIN) * stride + columns + _MARGIN
    for length, steps in _STEPS.items():
        here = places[squared == length]
        around = here[:, None] + steps @ (1, stride)
        first = mask.take(around).argmax(axis=1)
        spread.flat[here] = errors.take(around[np.arange(len(here)), first])
