"""The S-measure: likeness of structure, as an object and region by region.

Fan, Cheng, Liu, Li, Borji: "Structure-measure: a new way to evaluate foreground maps", 2017.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass, fields

import cv2
import numpy as np
from numpy.typing import NDArray

# A variance below this is rounding: values in [0, 1] and sums in float64 make some 1e-16.
_NO_VARIANCE = 1e-12
# One pixel of ten million that is brighter by one of 255 varies by more.
_ROUNDING = 1e-13


@dataclass(frozen=True, eq=False)
class BlockSums:
    """Sums over the four blocks that meet at the mask's centroid, each 2×2.

    Attributes:
        pixels: how many a block has.
        map: of the map's values.
        squares: of their squares.
        mask: of the mask, as 0 and 1.
        inside: of the map's values in the mask.
        squares_inside: of their squares.
    """

    pixels: NDArray[np.float64]
    map: NDArray[np.float64]
    squares: NDArray[np.float64]
    mask: NDArray[np.float64]
    inside: NDArray[np.float64]
    squares_inside: NDArray[np.float64]


def block_sums(prediction: NDArray[np.floating], subject: NDArray[np.uint8]) -> BlockSums:
    """All that the S-measure asks of a picture.

    Args:
        prediction: H×W in [0, 1], float32 or float64.
        subject: H×W, 1 in the mask and 0 outside.
    """
    row, column = first_of_last_blocks(subject)
    sums = np.zeros((2, 2, len(fields(BlockSums))))
    for i, rows in enumerate((slice(None, row), slice(row, None))):
        for j, columns in enumerate((slice(None, column), slice(column, None))):
            sums[i, j] = _sums(prediction[rows, columns], subject[rows, columns])
    return BlockSums(*np.moveaxis(sums, 2, 0))


def first_of_last_blocks(subject: NDArray[np.uint8]) -> tuple[int, int]:
    """The row and the column with which the lower and the right blocks begin."""
    # The pixel of the centroid belongs to the blocks before it.
    row, column = (round(each) + 1 for each in _centroid(subject))
    return row, column


def _centroid(subject: NDArray[np.uint8]) -> tuple[float, float]:
    """The mean row and column of the mask; 0 and 0 without one, where the cut is of no matter."""
    wanted = cv2.countNonZero(subject)
    if wanted == 0:
        return 0.0, 0.0
    by_row = cv2.reduce(subject, 1, cv2.REDUCE_SUM, dtype=cv2.CV_32S).ravel()
    by_column = cv2.reduce(subject, 0, cv2.REDUCE_SUM, dtype=cv2.CV_32S).ravel()
    row, column = (np.arange(len(each)) @ each / wanted for each in (by_row, by_column))
    return float(row), float(column)


def _sums(prediction: NDArray[np.floating], subject: NDArray[np.uint8]) -> tuple[float, ...]:
    """A block's sums, in the order of `BlockSums`."""
    if prediction.size == 0:
        return (0.0,) * 6
    everywhere = _sum_and_squares(prediction.size, cv2.meanStdDev(prediction))
    x, y, width, height = cv2.boundingRect(subject)
    if width == 0:
        return prediction.size, *everywhere, 0.0, 0.0, 0.0
    # Beyond the mask's box there is nothing to look for.
    box = slice(y, y + height), slice(x, x + width)
    wanted = cv2.countNonZero(subject[box])
    inside = _sum_and_squares(wanted, cv2.meanStdDev(prediction[box], mask=subject[box]))
    return prediction.size, *everywhere, wanted, *inside


def _sum_and_squares(count: int, moments: Sequence[NDArray[np.generic]]) -> tuple[float, float]:
    mean, deviation = float(moments[0][0, 0]), float(moments[1][0, 0])
    return count * mean, count * (mean**2 + deviation**2)


def s_measure(sums: BlockSums) -> float:
    """S = ½ object + ½ region, at least 0; of a mask without both kinds of pixels, see `scores`."""
    pixels, wanted, total = sums.pixels.sum(), sums.mask.sum(), sums.map.sum()
    if wanted == 0:
        return float(1 - total / pixels)
    if wanted == pixels:
        return float(total / pixels)
    return max(0.0, (_object(sums) + _region(sums)) / 2)


def _object(sums: BlockSums) -> float:
    """How bright and even the map is in the mask, and how dark and even outside."""
    pixels, wanted = sums.pixels.sum(), sums.mask.sum()
    inside, squares_inside = sums.inside.sum(), sums.squares_inside.sum()
    outside = pixels - wanted
    spill, squares_spill = sums.map.sum() - inside, sums.squares.sum() - squares_inside
    bright = _evenness(wanted, inside, squares_inside)
    dark = _evenness(outside, outside - spill, outside - 2 * spill + squares_spill)
    return float((wanted * bright + outside * dark) / pixels)


def _evenness(count: float, total: float, squares: float) -> float:
    mean = total / count
    variance = _covariance(count, total, total, squares)
    # The root of what is only rounding would be a hundred millionth and more.
    deviation = math.sqrt(variance) if variance > _ROUNDING else 0.0
    return float(2 * mean / (mean**2 + 1 + deviation))


def _region(sums: BlockSums) -> float:
    """The likeness of the four blocks, each with the weight of its pixels."""
    blocks = zip(
        sums.pixels.flat, sums.map.flat, sums.squares.flat, sums.mask.flat, sums.inside.flat,
        strict=True,
    )  # fmt: skip
    return float(sum(block[0] * _likeness(*block) for block in blocks) / sums.pixels.sum())


def _likeness(n: float, total: float, squares: float, wanted: float, inside: float) -> float:
    """Structural similarity (Wang et al., 2004) without its constants."""
    if n == 0:
        return 0.0  # A block without pixels, which has no weight.
    x, y = total / n, wanted / n
    variance = _covariance(n, total, total, squares)
    even_mask = wanted in (0, n)
    if variance < _NO_VARIANCE or even_mask:
        # One of the two is even, so they don't vary together; alike if both are, or both are dark.
        return 1.0 if (variance < _NO_VARIANCE and even_mask) or x == y == 0 else 0.0
    together = _covariance(n, total, wanted, inside)
    spread = variance + _covariance(n, wanted, wanted, wanted)
    # The least step above 1 is added as in the field's programs: of a pixel or two it is seen.
    return float(4 * x * y * together / ((x**2 + y**2) * spread + np.spacing(1)))


def _covariance(count: float, a: float, b: float, products: float) -> float:
    """Of `count` pairs with these sums and this sum of products, by count − 1."""
    return (products - a * b / count) / max(count - 1, 1)
