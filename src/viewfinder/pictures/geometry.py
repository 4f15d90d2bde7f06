"""Boxes, and the one matrix that every geometric change of a picture is.

Coordinates are in pixels with x to the right and y down, and whole numbers are the corners of
pixels: a picture's own corners are (0, 0) and (width, height), and its first pixel has its centre
at (0.5, 0.5). A box is `x1, y1, x2, y2`; M of them are an M×4 float32 array. A size is (width,
height).

A change of a picture is a 3×3 float64 affine matrix that takes a point (x, y, 1) of the source to
the target, as a column vector. "First A, then B" is `B @ A`; `inverse` leads back. However many
changes are strung together, `resampling.resample` makes the pixels once.
"""

import math

import numpy as np
from numpy.typing import ArrayLike, NDArray

Floats = NDArray[np.float32 | np.float64]
BoxArray = Floats
"""M×4, x1, y1, x2, y2: float32, and float64 where the numbers of a file must return."""
Matrix = NDArray[np.float64]
Size = tuple[int, int]


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
