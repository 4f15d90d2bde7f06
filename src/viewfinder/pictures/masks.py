"""Masks: which pixels are an object's, as an array, as COCO's segmentations, and the box around.

COCO states a mask as polygons or as run lengths: `size`, height and width, and `counts`, how many
pixels in turn are outside of and in the object, down the columns. The counts are numbers, or a text
that holds them.
"""

import math
from collections.abc import Sequence
from typing import TypedDict

import cv2
import numpy as np
from numpy.typing import NDArray

from viewfinder.errors import InputError


class Runs(TypedDict):
    """COCO's run lengths: `size`, height and width, and `counts`, numbers or a text of them.

    pycocotools gives the text in bytes.
    Of a file that is damaged they may be anything: `checked_runs` holds them to it.
    """

    size: list[int]
    counts: list[int] | str | bytes


Segmentation = list[NDArray[np.float64]] | Runs
"""Polygons, each `x, y, x, y, …` in pixels, or COCO's run lengths, `size` and `counts`."""

Area = tuple[int, int, int, int]
"""A part of a picture, `x1, y1, x2, y2` in whole pixels, edges at pixel corners."""

# Polygons are drawn this many times larger and averaged, unless that were more pixels than this.
_FINE, _MOST_PIXELS = 8, 32_000_000
# OpenCV takes whole numbers of this many fractional bits.
_BITS = 6
# Beyond any picture, and yet a number that OpenCV can fill to.
_FAR = 1 << 20


def box_around(mask: NDArray[np.bool_]) -> Area:
    """The box around the true pixels of H×W; zeros if there are none."""
    x, y, width, height = cv2.boundingRect(mask.view(np.uint8))
    return x, y, x + width, y + height


def encode(mask: NDArray[np.bool_]) -> Runs:
    """H×W as COCO's run lengths, in numbers."""
    return {"size": list(mask.shape), "counts": run_lengths(mask)}


def run_lengths(mask: NDArray[np.bool_]) -> list[int]:
    """How many pixels of H×W are in turn outside and within, down the columns."""
    flat = np.concatenate([[False], mask.ravel(order="F")])
    changes = np.flatnonzero(flat[1:] != flat[:-1])
    runs: list[int] = np.diff(np.concatenate([[0], changes, [mask.size]])).tolist()
    return runs


def decode(segmentation: Segmentation, size: tuple[int, int]) -> NDArray[np.bool_]:
    """H×W, true within; of a polygon's edge, where at least half of a pixel lies within.

    Args:
        segmentation: in pixels, with whole numbers at pixels' corners.
        size: width and height of the picture.

    Raises:
        InputError: it is damaged, or of a picture of another size.
    """
    if isinstance(segmentation, dict):
        runs = checked_runs(segmentation, size)
        return np.repeat(np.arange(len(runs)) % 2 == 1, runs).reshape(size).T
    mask = np.zeros((size[1], size[0]), np.bool_)
    for polygon in segmentation:
        if len(polygon) < 6 or len(polygon) % 2 or not np.isfinite(polygon).all():
            raise InputError("a polygon is `x, y` of at least three points, in finite numbers")
        points = polygon.reshape(-1, 2)
        x1, y1 = np.clip(np.floor(points.min(axis=0)), 0, size).astype(int).tolist()
        x2, y2 = np.clip(np.ceil(points.max(axis=0)), 0, size).astype(int).tolist()
        if x1 < x2 and y1 < y2:
            mask[y1:y2, x1:x2] |= coverage([points], (x1, y1, x2, y2)) >= 128
    return mask


def coverage(
    polygons: Sequence[NDArray[np.float64]], area: Area, *, fine: int = _FINE
) -> NDArray[np.uint8]:
    """How much of each pixel of an area lies within any of some polygons: H×W, 0 to 255.

    Args:
        polygons: K×2 points each, with whole numbers at pixels' corners.
        fine: each side of a pixel is divided into so many parts.
    """
    x1, y1, x2, y2 = area
    width, height = x2 - x1, y2 - y1
    if width * height * fine**2 > _MOST_PIXELS:
        fine = 1
    drawn = np.zeros((height * fine, width * fine), np.uint8)
    for points in polygons:
        # OpenCV counts from pixels' centres, COCO from their corners.
        corners = np.clip((points - (x1, y1)) * fine - 0.5, -_FAR, _FAR)
        cv2.fillPoly(drawn, [np.rint(corners * (1 << _BITS)).astype(np.int32)], 255, shift=_BITS)
    averaged = cv2.resize(drawn, (width, height), interpolation=cv2.INTER_AREA)
    return np.asarray(averaged, np.uint8)


def checked_runs(outline: Runs, size: tuple[int, int]) -> NDArray[np.int64]:
    """COCO's run lengths as numbers: of pixels outside, within, outside, … down the columns.

    Args:
        size: width and height of the picture.

    Raises:
        InputError: they are damaged, or of a picture of another size.
    """
    if outline.get("size") not in ([size[1], size[0]], (size[1], size[0])):
        raise InputError(
            f"run lengths of {outline.get('size')} rows and columns do not fit a picture of "
            f"{size[1]} × {size[0]}"
        )
    whole = size[0] * size[1]
    runs = _runs_within(outline.get("counts"), whole)
    if runs is None or runs.sum() != whole:
        raise InputError(f"run lengths do not add up to the {whole:,} pixels of the picture")
    return runs


def extent_of(segmentation: Segmentation) -> list[float] | None:
    """`x, y, width, height` of what it shows; None where that is nothing, or it is damaged."""
    if isinstance(segmentation, dict):
        return _extent_of_runs(segmentation)
    points = [p.reshape(-1, 2) for p in segmentation if len(p) > 3 and len(p) % 2 == 0]
    if not points:
        return None
    low, high = np.concatenate(points).min(0), np.concatenate(points).max(0)
    return [*low.tolist(), *(high - low).tolist()]


def pixels_of(segmentation: Segmentation) -> float | None:
    """How many pixels it shows; None where it is damaged, or shows nothing."""
    extent = extent_of(segmentation)
    if extent is None:
        return None
    if isinstance(segmentation, dict):
        runs = _runs_within(segmentation["counts"], int(np.prod(segmentation["size"])))
        return None if runs is None else float(runs[1::2].sum())
    x, y, width, height = extent
    try:
        return float(decode(segmentation, (math.ceil(x + width), math.ceil(y + height))).sum())
    except InputError:
        return None


def _extent_of_runs(outline: Runs) -> list[float] | None:
    height, width = (int(side) for side in outline["size"])
    runs = _runs_within(outline["counts"], height * width)
    if runs is None or runs.sum() > height * width:
        return None
    ends = np.cumsum(runs)
    inside = np.zeros(len(runs), np.bool_)
    inside[1::2] = runs[1::2] > 0
    if not inside.any():
        return None
    first, last = (ends - runs)[inside], ends[inside] - 1
    columns = first // height, last // height
    # A run over a column's end holds its last row, and the first row of the next.
    whole = columns[0] != columns[1]
    top = np.where(whole, 0, first % height).min()
    bottom = np.where(whole, height - 1, last % height).max()
    left, right = columns[0].min(), columns[1].max()
    return [float(left), float(top), float(right - left + 1), float(bottom - top + 1)]


def _runs_within(counts: object, most: int) -> NDArray[np.int64] | None:
    """Run lengths as an array, each from 0 to `most` so that no sum can overflow; None if not."""
    if isinstance(counts, str | bytes):
        counts = _numbers_of(counts)
    try:
        runs = np.array(counts, np.int64)
    except (TypeError, ValueError, OverflowError):
        return None
    return None if runs.ndim != 1 or (runs < 0).any() or (runs > most).any() else runs


def _numbers_of(text: str | bytes) -> list[int]:
    """The run lengths that COCO's text holds; none of a text that is damaged.

    A number is written in signs of five bits, the lowest first, from the sign `0` on; the sixth bit
    says that more follow, and the highest one read is the sign. From the fourth number on each is
    the difference from that before the last. See `rleToString` in pycocotools' maskApi.c.
    """
    numbers: list[int] = []
    value = shift = 0
    for sign in text.encode("utf-8", "replace") if isinstance(text, str) else text:
        bits = sign - 48
        if not 0 <= bits < 64 or shift > 55:
            return []
        value |= (bits & 31) << shift
        shift += 5
        if bits & 32:
            continue
        if bits & 16:
            value -= 1 << shift
        numbers.append(value + (numbers[-2] if len(numbers) > 2 else 0))
        value = shift = 0
    return [] if shift else numbers
