"""Scores in which a small subject counts as much as a large one beside it.

F. Li et al., "Size-invariance Matters: Rethinking Metrics and Losses for Imbalanced Multi-object
Salient Object Detection", ICML 2024: each part of the subject is judged in the box around it, and
what lies in no box, the background, counts by its share of the picture; F has no background.

What the paper leaves open is as in PySODMetrics, to which the figures are held: parts are joined by
edges, not by corners; those below 50 pixels are part of the background, unless all are, when the
largest is judged, or all that are as large; without any, the picture is judged as a whole; and at
the threshold 0 all of the picture is taken.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from viewfinder.tasks.saliency.curves import LEVELS, f_measure

_LEAST = 50
_BY_EDGES = 4


Box = tuple[slice, slice]
"""Rows and columns of a picture."""


@dataclass(frozen=True, eq=False)
class SizeInvariant:
    """A picture's scores.

    Attributes:
        mae: 0 is best.
        f_curve: F with β² = 0.3 at each of 256 thresholds, the mean over parts.
    """

    mae: float
    f_curve: NDArray[np.float64]


def parts_of(mask: NDArray[np.bool_]) -> tuple[Box, ...]:
    """The boxes around those parts of a mask that are large enough to be judged by themselves."""
    count, _, found, _ = cv2.connectedComponentsWithStats(
        mask.view(np.uint8), connectivity=_BY_EDGES
    )
    least = min(_LEAST, int(found[1:, cv2.CC_STAT_AREA].max(initial=0)))
    parts = []
    for label in range(1, count):
        left, top, width, height, area = found[label].tolist()
        if area >= least:
            parts.append((slice(top, top + height), slice(left, left + width)))
    return tuple(parts)


def size_invariant(
    values: NDArray[np.float64], mask: NDArray[np.bool_], parts: Sequence[Box]
) -> SizeInvariant:
    """Judge a map beside its mask.

    Args:
        values: H×W in [0, 1].
        parts: of the mask, as `parts_of` gives them.
    """
    if not parts:
        return SizeInvariant(float(np.abs(values - mask).mean()), _f(values, mask, mask.size))
    outside = np.ones(mask.shape, np.bool_)
    errors, curves = [], []
    for box in parts:
        outside[box] = False
        errors.append(float(np.abs(values[box] - mask[box]).mean()))
        curves.append(_f(values[box], mask[box], mask.size))
    free = int(np.count_nonzero(outside))
    alpha, error = free / max(1, mask.size - free), 0.0
    if free:
        error = float(np.abs(values[outside] - mask[outside]).mean())
    mae = (sum(errors) + alpha * error) / (len(parts) + alpha)
    return SizeInvariant(mae, np.mean(curves, axis=0))


def _f(values: NDArray[np.float64], subject: NDArray[np.bool_], pixels: int) -> NDArray[np.float64]:
    """F at each threshold, where of a picture of so many pixels only these are not 0."""
    levels = (values * (LEVELS - 1)).astype(np.uint8)
    every = np.bincount(levels.ravel(), minlength=LEVELS)
    within = np.bincount(levels[subject], minlength=LEVELS)
    taken, hits = (np.cumsum(each[::-1], dtype=np.float64)[::-1] for each in (every, within))
    taken[0] = pixels
    return f_measure(hits / np.maximum(taken, 1), hits / max(1, int(subject.sum())))
