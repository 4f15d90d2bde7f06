"""A picture's pixels after any change that one matrix is, each made once.

What is a move of whole pixels stays exact; what shrinks is averaged over area; the rest is
bilinear. `warping` is coarser, and fast enough for every step of a training.
"""

import math
from typing import TypeVar

import cv2
import numpy as np
from numpy.typing import NDArray

from viewfinder.pictures.geometry import Matrix, Size, inverse, stretch, translation

_Value = TypeVar("_Value", bound=np.generic)

Fill = float | tuple[float, float, float]

_TOLERANCE = 1e-6  # of a pixel: what rounding leaves of a whole number
_TILE = 8192  # OpenCV's warp takes no side above 32766; a tile, even turned, stays well below


def resample(
    picture: NDArray[_Value],
    matrix: Matrix,
    size: Size,
    *,
    fill: Fill = 0,
    nearest: bool = False,
) -> NDArray[_Value]:
    """The target of this size, in the picture's type, when `matrix` changes the picture.

    A target pixel takes its value from where its centre comes from, and `fill` where that is
    outside the picture. Shifts by whole pixels, flips and quarter turns are exact. A picture that
    shrinks along its rows or columns is first averaged over area to its final scale, so that thin
    lines fade but do not vanish; the rest is bilinear.

    Args:
        picture: H×W or H×W×3, of uint8, uint16, float32 or bool.
        fill: one value, or three for H×W×3.
        nearest: take the nearest pixel's value, as numbers of instances need; bool always does.

    Raises:
        ValueError: `picture` is of another shape or type or empty, or the matrix flattens it.
    """
    _check_picture(picture)
    target = np.empty((size[1], size[0], *picture.shape[2:]), picture.dtype)
    target[...] = np.asarray(fill)
    if _is_move(matrix):
        return _move(picture, matrix, target)
    if nearest or picture.dtype == np.bool_:
        return _take_nearest(picture, matrix, target)
    for y in range(0, size[1], _TILE):
        for x in range(0, size[0], _TILE):
            part = target[y : y + _TILE, x : x + _TILE]
            part[...] = _interpolate(picture, translation(-x, -y) @ matrix, part)
    return target


def _check_picture(picture: np.ndarray) -> None:
    grey_or_colour = picture.ndim == 2 or (picture.ndim == 3 and picture.shape[2] == 3)
    if not grey_or_colour or picture.dtype not in (np.uint8, np.uint16, np.float32, np.bool_):
        raise ValueError(
            "what is resampled is H×W or H×W×3 of uint8, uint16, float32 or bool, "
            f"not {picture.shape} {picture.dtype}"
        )
    if not picture.size:
        raise ValueError(f"there is nothing to resample in {picture.shape}")


def _is_move(matrix: Matrix) -> bool:
    """Whether every pixel goes to a pixel: whole shifts, flips and quarter turns."""
    values = matrix[:2].ravel().tolist()
    if not all(math.isfinite(each) and abs(each - round(each)) < _TOLERANCE for each in values):
        return False
    a, b, _, c, d, _ = (abs(round(each)) for each in values)
    return (a, d) in ((0, 0), (1, 1)) and b == c == 1 - a


def _move(picture: np.ndarray, matrix: Matrix, target: np.ndarray) -> np.ndarray:
    left, top = map(round, _hull(matrix, picture.shape)[:2])
    along_x, along_y = np.rint(matrix[:2, :2]).sum(axis=1)
    if abs(matrix[0, 1]) > 0.5:
        picture = picture.swapaxes(0, 1)
    picture = picture[:: int(along_y), :: int(along_x)]
    rows = slice(max(0, top), max(0, top + picture.shape[0]))
    columns = slice(max(0, left), max(0, left + picture.shape[1]))
    seen = target[rows, columns]
    y, x = max(0, -top), max(0, -left)
    seen[...] = picture[y : y + seen.shape[0], x : x + seen.shape[1]]
    return target


def _take_nearest(picture: np.ndarray, matrix: Matrix, target: np.ndarray) -> np.ndarray:
    # Not OpenCV's nearest, whose coordinates are rounded to a fraction of a pixel beforehand.
    back = inverse(matrix)
    # A centre that falls on the edge between two pixels takes the second, whatever the rounding.
    back[:2, 2] += _TOLERANCE
    x, y = np.arange(target.shape[1]) + 0.5, np.arange(target.shape[0])[:, np.newaxis] + 0.5
    columns = np.floor(back[0, 0] * x + (back[0, 1] * y + back[0, 2])).astype(np.int64)
    rows = np.floor(back[1, 0] * x + (back[1, 1] * y + back[1, 2])).astype(np.int64)
    inside = (columns >= 0) & (columns < picture.shape[1]) & (rows >= 0) & (rows < picture.shape[0])
    target[inside] = picture[rows[inside], columns[inside]]
    return target


def _interpolate(picture: np.ndarray, matrix: Matrix, target: np.ndarray) -> NDArray[_Value]:
    """The target's pixels; those outside the picture stay as they are in `target`."""
    (a, b, _), (c, d, _) = matrix[:2].tolist()
    scales = min(math.hypot(a, c), 1.0), min(math.hypot(b, d), 1.0)
    picture, matrix = _cut(picture, matrix, target.shape, scales)
    if not picture.size:
        return target
    height, width = picture.shape[:2]
    reduced = [
        max(1, math.ceil(side * scale - _TOLERANCE))
        for side, scale in zip((width, height), scales, strict=True)
    ]
    if reduced != [width, height]:
        matrix = matrix @ stretch((reduced[0], reduced[1]), (width, height))
        picture = cv2.resize(picture, reduced, interpolation=cv2.INTER_AREA)
    if _is_move(matrix):
        return _move(picture, matrix, target)
    return _warp(picture, matrix, target)


def _cut(
    picture: np.ndarray, matrix: Matrix, target: tuple[int, ...], scales: tuple[float, float]
) -> tuple[np.ndarray, Matrix]:
    """The part of the picture that the target shows, and its matrix: less to average and warp."""
    x1, y1, x2, y2 = needed = _hull(inverse(matrix), target)
    if max(scales) >= 1 or any(abs(each - round(each)) >= _TOLERANCE for each in needed):
        across, down = (math.ceil(2 / scale) for scale in scales)
        x1, y1 = math.floor(x1) - across, math.floor(y1) - down
        x2, y2 = math.ceil(x2) + across, math.ceil(y2) + down
    # Else a crop along whole pixels that shrinks: an average of these pixels and no others.
    height, width = picture.shape[:2]
    x1, x2 = (min(max(round(each), 0), width) for each in (x1, x2))
    y1, y2 = (min(max(round(each), 0), height) for each in (y1, y2))
    return picture[y1:y2, x1:x2], matrix @ translation(x1, y1)


def _warp(picture: np.ndarray, matrix: Matrix, target: np.ndarray) -> np.ndarray:
    back = inverse(matrix)
    height, width = target.shape[:2]
    # OpenCV counts from the centre of the first pixel, we from its corner.
    by_centres = translation(-0.5, -0.5) @ back @ translation(0.5, 0.5)
    flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    warped = cv2.warpAffine(
        picture, by_centres[:2], (width, height), flags=flags, borderMode=cv2.BORDER_REPLICATE
    )
    x1, y1, x2, y2 = _hull(back, target.shape)
    if min(x1, y1) >= 0 and x2 <= picture.shape[1] and y2 <= picture.shape[0]:
        return warped
    everywhere = np.ones(picture.shape[:2], np.uint8)
    flags = cv2.INTER_NEAREST | cv2.WARP_INVERSE_MAP
    inside = cv2.warpAffine(everywhere, by_centres[:2], (width, height), flags=flags)
    return cv2.copyTo(warped, inside, np.ascontiguousarray(target))


def _hull(matrix: Matrix, shape: tuple[int, ...]) -> tuple[float, float, float, float]:
    """x1, y1, x2, y2 around where the corners of a picture of this shape go."""
    height, width = shape[:2]
    (a, b, x), (c, d, y) = matrix[:2].tolist()
    along_x, along_y = (0.0, a * width), (0.0, b * height)
    down_x, down_y = (0.0, c * width), (0.0, d * height)
    return (
        x + min(along_x) + min(along_y),
        y + min(down_x) + min(down_y),
        x + max(along_x) + max(along_y),
        y + max(down_x) + max(down_y),
    )


def at_side(picture: NDArray[np.uint8], side: int) -> NDArray[np.uint8]:
    """H×W×3 with a longer side of so many pixels, as pages show pictures."""
    height, width = picture.shape[:2]
    factor = side / max(height, width)
    size = (max(1, round(factor * width)), max(1, round(factor * height)))
    return np.asarray(resample(picture, stretch((width, height), size), size), np.uint8)
