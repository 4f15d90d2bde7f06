"""COCO's outlines of objects, polygons or run lengths, as masks.

Run lengths count down the columns, false first.
"""

from collections.abc import Sequence
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from viewfinder.datasets.boxes import Segmentation
from viewfinder.datasets.run_lengths import numbers_of
from viewfinder.errors import InputError

# Polygons are drawn this many times larger and averaged, unless that were more pixels than this.
_FINE, _MOST_PIXELS = 8, 32_000_000
# OpenCV takes whole numbers of this many fractional bits.
_BITS = 6


def outline_mask(outline: Segmentation, size: tuple[int, int]) -> NDArray[np.bool_]:
    """H×W, true within the outline.

    Args:
        outline: polygons, each `x, y, x, y, …` in pixels with whole numbers at pixels' corners, or
            run lengths.
        size: width and height of the picture.

    Raises:
        InputError: the outline is damaged, or of a picture of another size.
    """
    if isinstance(outline, dict):
        return _from_runs(outline, size)
    return _from_polygons(outline, size)


def _from_polygons(
    polygons: Sequence[NDArray[np.float64]], size: tuple[int, int]
) -> NDArray[np.bool_]:
    mask = np.zeros((size[1], size[0]), np.bool_)
    for polygon in polygons:
        if len(polygon) < 6 or len(polygon) % 2 or not np.isfinite(polygon).all():
            raise InputError("a polygon is `x, y` of at least three points, in finite numbers")
        # What lies outside is cut off, at a distance that keeps edges from being bent noticeably.
        points = np.clip(polygon.reshape(-1, 2), -np.array(size), 2 * np.array(size))
        low = np.clip(np.floor(points.min(axis=0)), 0, size).astype(int)
        high = np.clip(np.ceil(points.max(axis=0)), 0, size).astype(int)
        width, height = (high - low).tolist()
        if width and height:
            mask[low[1] : high[1], low[0] : high[0]] |= _filled(points - low, (width, height))
    return mask


def _filled(points: NDArray[np.float64], size: tuple[int, int]) -> NDArray[np.bool_]:
    """H×W, true where at least half of a pixel lies within one polygon."""
    fine = _FINE if size[0] * size[1] * _FINE**2 <= _MOST_PIXELS else 1
    drawn = np.zeros((size[1] * fine, size[0] * fine), np.uint8)
    # OpenCV counts from pixels' centres, COCO from their corners.
    corners = np.rint((points * fine - 0.5) * (1 << _BITS)).astype(np.int32)
    cv2.fillPoly(drawn, [corners], 255, shift=_BITS)
    return np.asarray(cv2.resize(drawn, size, interpolation=cv2.INTER_AREA) >= 128)


def checked_runs(outline: dict[str, Any], size: tuple[int, int]) -> NDArray[np.int64]:
    """COCO's run lengths as numbers: of pixels outside, within, outside, … down the columns.

    Raises:
        InputError: they are damaged, or of a picture of another size.
    """
    if outline.get("size") not in ([size[1], size[0]], (size[1], size[0])):
        raise InputError(
            f"run lengths of {outline.get('size')} rows and columns do not fit a picture of "
            f"{size[1]} × {size[0]}"
        )
    counts = outline.get("counts")
    if isinstance(counts, str | bytes):
        counts = numbers_of(counts)
    try:
        runs = np.array(counts, np.int64)
    except (TypeError, ValueError, OverflowError):
        runs = np.array([-1])
    whole = size[0] * size[1]
    # Each within the picture first, so that no sum can overflow.
    if runs.ndim != 1 or (runs < 0).any() or (runs > whole).any() or runs.sum() != whole:
        raise InputError(f"run lengths do not add up to the {whole:,} pixels of the picture")
    return runs


def _from_runs(outline: dict[str, Any], size: tuple[int, int]) -> NDArray[np.bool_]:
    runs = checked_runs(outline, size)
    values = np.arange(len(runs)) % 2 == 1
    return np.repeat(values, runs).reshape(size, order="C").T
