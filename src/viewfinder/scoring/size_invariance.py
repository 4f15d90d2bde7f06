"""Scores in which a small subject counts as much as a large one beside it.

F. Li et al., "Size-invariance Matters: Rethinking Metrics and Losses for Imbalanced Multi-object
Salient Object Detection", ICML 2024: each part of the subject is judged in the box around it, and
what lies in no box, the background, counts by its share of the picture; F has no background.

What the paper leaves open is as in PySODMetrics, to which the figures are held: parts are joined by
edges, not by corners; those below 50 pixels are part of the background, unless all are, when the
largest is judged, or all that are as large; without any, the picture is judged as a whole; and at
the threshold 0 all of the picture is taken.
"""

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from viewfinder.tasks.saliency.curves import LEVELS, f_measure
from viewfinder.tasks.saliency.regions import Box, Regions

_LEAST = 50
_BY_EDGES = 4


@dataclass(frozen=True, eq=False)
class SizeInvariant:
    """A picture's scores.

    Attributes:
        mae: 0 is best.
        f_curve: F with β² = 0.3 at each of 256 thresholds, the mean over parts.
    """

    mae: float
    f_curve: NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Parts:
    """A mask, and those parts of it that are large enough to be judged by themselves.

    Attributes:
        subject: H×W, 1 in the mask and 0 outside.
        white: the same, as maps are.
        boxes: around the parts.
        free: how many pixels lie in no box.
    """

    subject: NDArray[np.uint8]
    white: NDArray[np.float64]
    boxes: tuple[Box, ...]
    free: int


def parts_of(mask: NDArray[np.bool_]) -> Parts:
    """The parts of a mask."""
    subject = np.ascontiguousarray(mask).view(np.uint8)
    count, _, found, _ = cv2.connectedComponentsWithStats(subject, connectivity=_BY_EDGES)
    least = min(_LEAST, int(found[1:, cv2.CC_STAT_AREA].max(initial=0)))
    boxes, outside = [], np.ones(mask.shape, np.bool_)
    for label in range(1, count):
        left, top, width, height, area = found[label].tolist()
        if area >= least:
            boxes.append((slice(top, top + height), slice(left, left + width)))
            outside[boxes[-1]] = False
    return Parts(subject, subject.astype(np.float64), tuple(boxes), int(outside.sum()))


def size_invariant(values: NDArray[np.float64], parts: Parts) -> SizeInvariant:
    """Judge a map beside its mask.

    Args:
        values: H×W in [0, 1].
    """
    errors = np.asarray(cv2.absdiff(values, parts.white))
    levels = (values * (LEVELS - 1)).astype(np.uint8)
    if not parts.boxes:
        return SizeInvariant(float(errors.mean()), _f(levels, parts.subject, levels.size))
    of_parts = [float(errors[box].mean()) for box in parts.boxes]
    curves = [_f(levels[box], parts.subject[box], levels.size) for box in parts.boxes]
    for box in parts.boxes:
        errors[box] = 0
    return _joined(of_parts, curves, cv2.sumElems(errors)[0], parts.free, errors.size)


def size_invariant_stored(
    counted: NDArray[np.intp], values: NDArray[np.float64], regions: Regions
) -> SizeInvariant:
    """The same of a map that holds few values.

    Args:
        counted: the map's `Regions.counts`, of regions that have the parts' boxes.
        values: what each of 256 stored values means, in [0, 1].
    """
    wrong = np.where(regions.inside, counted @ (1 - values), counted @ values)
    pixels, many = counted.sum(axis=1), int(counted.sum())
    levels = (values * (LEVELS - 1)).astype(np.uint8)
    of_parts, curves = [], []
    for within in regions.boxes.T if regions.boxes.size else (np.ones(len(pixels), np.bool_),):
        of_parts.append(float(wrong[within].sum() / pixels[within].sum()))
        every, hits = (
            np.bincount(levels, counted[chosen].sum(axis=0), LEVELS).astype(np.float64)
            for chosen in (within, within & regions.inside)
        )
        curves.append(_f_of(every, hits, many))
    if not regions.boxes.size:
        return SizeInvariant(of_parts[0], curves[0])
    outside = ~regions.boxes.any(axis=1)
    free = int(pixels[outside].sum())
    return _joined(of_parts, curves, float(wrong[outside].sum()), free, many)


def _joined(
    of_parts: list[float], curves: list[NDArray[np.float64]], outside: float, free: int, pixels: int
) -> SizeInvariant:
    """The scores of a picture, of those of its parts and the sum of errors `outside` of them."""
    alpha = free / max(1, pixels - free)
    mae = (sum(of_parts) + alpha * outside / max(1, free)) / (len(of_parts) + alpha)
    return SizeInvariant(mae, np.mean(curves, axis=0))


def _f(levels: NDArray[np.uint8], subject: NDArray[np.uint8], pixels: int) -> NDArray[np.float64]:
    """F at each threshold, where of a picture of so many pixels only these are not 0."""
    every, within = (
        np.asarray(cv2.calcHist([levels], [0], mask, [LEVELS], [0, LEVELS]), np.float32).ravel()
        for mask in (None, subject)
    )
    return _f_of(every, within, pixels)


def _f_of(
    every: NDArray[np.floating], within: NDArray[np.floating], pixels: int
) -> NDArray[np.float64]:
    """The same by the histograms of the levels, of all of these pixels and of the subject's."""
    taken, hits = (np.cumsum(each[::-1], dtype=np.float64)[::-1] for each in (every, within))
    taken[0] = pixels
    return f_measure(hits / np.maximum(taken, 1), hits / max(1.0, float(hits[0])))
