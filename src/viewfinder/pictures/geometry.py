"""Boxes, and the one matrix that every geometric change of a picture is.

Coordinates are in pixels with x to the right and y down, and whole numbers are the corners of
pixels: a picture's own corners are (0, 0) and (width, height), and its first pixel has its centre
at (0.5, 0.5). A box is `x1, y1, x2, y2`; M of them are an M×4 float32 array. A size is (width,
height).

A change of a picture is a 3×3 float64 affine matrix that takes a point (x, y, 1) of the source to
the target, as a column vector. "First A, then B" is `B @ A`; `inverse` leads back. However many
changes are strung together, `resample` makes the pixels once.
"""

import math
from typing import TypeVar

import cv2
import numpy as np
from numpy.typing import ArrayLike, NDArray

_Value = TypeVar("_Value", bound=np.generic)

Floats = NDArray[np.float32 | np.float64]
BoxArray = Floats
"""M×4, x1, y1, x2, y2: float32, and float64 where the numbers of a file must return."""
Matrix = NDArray[np.float64]
Size = tuple[int, int]
Fill = float | tuple[float, float, float]

_TOLERANCE = 1e-6  # of a pixel: what rounding leaves of a whole number
_TILE = 8192  # OpenCV's warp takes no side above 32766; a tile, even turned, stays well below


def identity() -> Matrix:
    """The change that leaves everything where it is."""
    return np.eye(3)


def translation(x: float, y: float) -> Matrix:
    """Move everything by `x` to the right and `y` down."""
    return _matrix((1, 0, x), (0, 1, y))


def scaling(x: float, y: float | None = None) -> Matrix:
    """Enlarge by `x` along x and `y` along y, or by `x` along both, from the corner (0, 0)."""
    return _matrix((x, 0, 0), (0, x if y is None else y, 0))


def rotation(degrees: float, *, about: tuple[float, float] = (0.0, 0.0)) -> Matrix:
    """Turn counter-clockwise, as a person sees it, about a point. Quarter turns are exact."""
    quarters = degrees / 90
    if quarters == round(quarters):
        cosine, sine = ((1.0, 0.0), (0.0, 1.0), (-1.0, 0.0), (0.0, -1.0))[round(quarters) % 4]
    else:
        cosine, sine = math.cos(math.radians(degrees)), math.sin(math.radians(degrees))
    turn = _matrix((cosine, sine, 0), (-sine, cosine, 0))
    return translation(*about) @ turn @ translation(-about[0], -about[1])


def horizontal_flip(width: float) -> Matrix:
    """Exchange left and right of a picture of this width."""
    return _matrix((-1, 0, width), (0, 1, 0))


def crop(x1: float, y1: float) -> Matrix:
    """Make the point (`x1`, `y1`) the target's upper left corner."""
    return translation(-x1, -y1)


def stretch(source: Size, target: Size) -> Matrix:
    """Fill the target with the whole source, whatever that does to the aspect."""
    return scaling(target[0] / source[0], target[1] / source[1])


def letterbox(source: Size, target: Size) -> Matrix:
    """Put the whole source into the middle of the target, as large as fits, aspect kept.

    The scaled picture's sides and its place are rounded to whole pixels, so that no row of pixels
    is a blend across its edge; the aspect is therefore kept to within half a pixel.
    """
    scale = min(target[0] / source[0], target[1] / source[1])
    width, height = (max(1, round(side * scale)) for side in source)
    place = translation((target[0] - width) // 2, (target[1] - height) // 2)
    return place @ stretch(source, (width, height))


def cover(source: Size, target: Size) -> Matrix:
    """Fill the target with the middle of the source, as much of it as fits, aspect kept.

    What is cut away is rounded to whole pixels of the source.
    """
    scale = max(target[0] / source[0], target[1] / source[1])
    width, height = (
        min(side, max(1, round(wanted / scale)))
        for side, wanted in zip(source, target, strict=True)
    )
    return stretch((width, height), target) @ crop(
        (source[0] - width) // 2, (source[1] - height) // 2
    )


def inverse(matrix: Matrix) -> Matrix:
    """The matrix that leads back.

    Raises:
        ValueError: nothing leads back, since the matrix flattens the plane.
    """
    # In Python's own numbers: NumPy takes four times as long for so few, and crops are many.
    (a, b, x), (c, d, y) = matrix[:2].tolist()
    area = a * d - b * c
    if area == 0 or not math.isfinite(area + x + y):
        raise ValueError(f"no matrix leads back from {matrix.tolist()}")
    along = (d / area, -b / area), (-c / area, a / area)
    return _matrix(*((one, two, -(one * x + two * y)) for one, two in along))


def transform_points(matrix: Matrix, points: ArrayLike) -> NDArray[np.float64]:
    """Where points, N×2 as x, y, go: N×2."""
    values = np.asarray(points, np.float64).reshape(-1, 2)
    moved: NDArray[np.float64] = values @ matrix[:2, :2].T + matrix[:2, 2]
    return moved


def transform_boxes(matrix: Matrix, boxes: BoxArray) -> BoxArray:
    """The upright boxes, M×4, around where the four corners of each box go."""
    corners = np.asarray(boxes, np.float64).reshape(-1, 4)[:, [[0, 1], [2, 1], [2, 3], [0, 3]]]
    moved = transform_points(matrix, corners).reshape(-1, 4, 2)
    return np.concatenate([moved.min(axis=1), moved.max(axis=1)], axis=1).astype(np.float32)


def clip_boxes(boxes: BoxArray, size: Size) -> BoxArray:
    """The boxes cut at the picture's edges; one that lies outside keeps no area."""
    return np.clip(boxes, 0, np.array([*size, *size])).astype(np.float32)


def box_areas(boxes: BoxArray) -> NDArray[np.float64]:
    """Width times height of M boxes; 0 of a box whose edges are the wrong way round."""
    sides = np.maximum(boxes[:, 2:].astype(np.float64) - boxes[:, :2], 0)
    areas: NDArray[np.float64] = sides.prod(axis=1)
    return areas


def iou(a: BoxArray, b: BoxArray) -> NDArray[np.float64]:
    """Intersection over union of each of M boxes with each of N: M×N in [0, 1].

    Two boxes without any area have 0.
    """
    first, second = a.astype(np.float64)[:, np.newaxis], b.astype(np.float64)[np.newaxis]
    sides = np.minimum(first[..., 2:], second[..., 2:]) - np.maximum(
        first[..., :2], second[..., :2]
    )
    shared = np.maximum(sides, 0).prod(axis=2)
    union = box_areas(a)[:, np.newaxis] + box_areas(b) - shared
    overlap: NDArray[np.float64] = np.zeros_like(shared)
    np.divide(shared, union, out=overlap, where=union > 0)
    return overlap


def _matrix(x: tuple[float, float, float], y: tuple[float, float, float]) -> Matrix:
    return np.array([x, y, (0, 0, 1)], np.float64)


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
