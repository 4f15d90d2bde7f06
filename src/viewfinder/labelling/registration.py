"""Laying one picture of a scene over another: where it has moved to, and how its light changed.

The two show the same scene but for some pixels, such as an object that stands in one of them. The
shift is first found by phase correlation of the pictures' edges (Kuglin and Hines 1975). Then shift
and turn, and a gain and an offset for each channel, are fitted by iteratively reweighted least
squares, Lucas and Kanade's step (1981) with weights that fall to nothing for pixels that disagree.
"""

import math
from dataclasses import dataclass
from functools import cached_property

import cv2
import numpy as np
from numpy.typing import NDArray

from viewfinder.errors import InputError
from viewfinder.pictures.geometry import Matrix, inverse, rotation, scaling, translation
from viewfinder.pictures.resampling import resample

Array = NDArray[np.float32]

_STEPS = 12
_SAMPLE = 16_000  # pixels, evenly spread, that the fit looks at
_STILL = 0.01  # of a pixel, and so is a turn, at the picture's edge: the fit has come to rest
_CLIPPED = 249  # grey levels from which a camera may have cut off the rest
_FARTHEST = 1 / 8  # of a side: two pictures farther apart are not of one stand
_EDGES = 20  # grey levels a pixel; above it one strong edge would outvote many weak ones
_STRANGERS = 40  # grey levels: a middle pixel that is off by more means another scene


@dataclass(frozen=True, eq=False)
class Registration:
    """A picture laid over another.

    Attributes:
        picture: H×W×3 float32, the first picture as the second would show it; NaN where the second
            shows what lies outside the first.
        matrix: takes a point of the first picture to the second.
        gain: of red, green and blue.
        offset: of red, green and blue, in grey levels.
    """

    picture: Array
    matrix: Matrix
    gain: NDArray[np.float64]
    offset: NDArray[np.float64]


def register(first: Array, second: Array) -> Registration:
    """Lay H×W×3 `first`, in grey levels of 255, over `second`.

    Raises:
        InputError: the two do not show one scene.
    """
    grid = _grid(second.shape)
    target = grid.planes(second)
    slopes = gradient(first)
    starts = [np.eye(3), _shift(first, second)]
    matrix = min(starts, key=lambda start: _distance(_looked_up(first, start, grid), target))
    gain, offset = _first_gain(_looked_up(first, matrix, grid), target), np.zeros(3)
    for _ in range(_STEPS):
        moved = _looked_up(first, matrix, grid)
        weights = _weights(moved, _lit(moved, gain, offset), target)
        # What lies outside the first picture weighs nothing, but must be a number for that.
        moved = np.nan_to_num(moved)
        gain, offset = _light(moved, target, weights, gain)
        apart = target - _lit(moved, gain, offset)
        along = [_lit(part, gain) for part in _slopes_of_moved(slopes, matrix, grid)]
        change, far = _motion(along, apart, weights, grid, second.shape)
        matrix = change @ matrix
        if far < _STILL:
            break
    if not (weights > 0).any() or np.median(np.abs(apart[:, weights > 0])) > _STRANGERS:
        raise InputError("it shows another scene than the picture of the empty stand")
    size = (second.shape[1], second.shape[0])
    laid = resample(first, matrix, size, fill=np.nan)
    return Registration(laid * _f32(gain) + _f32(offset), matrix, gain, offset)


@dataclass(frozen=True)
class _Grid:
    """N = `columns` × `rows` pixels of a picture, `step` pixels apart, that a fit looks at."""

    step: int
    columns: int
    rows: int

    def planes(self, picture: Array) -> Array:
        """3×N: the pixels of an H×W×3 picture."""
        first = self.step // 2
        found = picture[first :: self.step, first :: self.step]
        return np.ascontiguousarray(found.reshape(-1, 3).T)

    def numbers(self) -> Matrix:
        """Takes a column and a row of the grid to those of the picture, counted from 0."""
        return translation(self.step // 2, self.step // 2) @ scaling(self.step)

    @cached_property
    def points(self) -> Array:
        """2×N: x and y of the pixels' middles, worked out once for all steps of a fit."""
        rows, columns = np.indices((self.rows, self.columns), np.float32).reshape(2, -1)
        return np.stack([columns, rows]) * self.step + np.float32(self.step // 2 + 0.5)


def _grid(shape: tuple[int, ...]) -> _Grid:
    step = max(1, round(math.sqrt(shape[0] * shape[1] / _SAMPLE)))
    rows, columns = (math.ceil((side - step // 2) / step) for side in shape[:2])
    return _Grid(step, columns, rows)


def _looked_up(picture: Array, matrix: Matrix, grid: _Grid) -> Array:
    """3×N: what `matrix` takes from a picture of H×W×3 to a grid; NaN from outside it."""
    # OpenCV counts from the middle of the first pixel.
    back = translation(-0.5, -0.5) @ inverse(matrix) @ translation(0.5, 0.5) @ grid.numbers()
    found = cv2.warpAffine(
        picture,
        back[:2],
        (grid.columns, grid.rows),
        flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP,
        borderMode=cv2.BORDER_CONSTANT,
        borderValue=(math.nan,) * 3,
    )
    return np.ascontiguousarray(found.reshape(-1, 3).T, np.float32)


def _slopes_of_moved(slopes: tuple[Array, Array], matrix: Matrix, grid: _Grid) -> list[Array]:
    """The change of a moved picture along x and y, from those of the picture; 3×N each."""
    along_x, along_y = (np.nan_to_num(_looked_up(part, matrix, grid)) for part in slopes)
    # A turned picture's gradients are turned with it.
    (a, b), (c, d) = matrix[:2, :2].astype(np.float32)
    return [a * along_x + b * along_y, c * along_x + d * along_y]


def _lit(
    planes: Array, gain: NDArray[np.float64], offset: NDArray[np.float64] | None = None
) -> Array:
    lit = planes * _f32(gain)[:, None]
    return lit if offset is None else np.asarray(lit + _f32(offset)[:, None], np.float32)


def _shift(first: Array, second: Array) -> Matrix:
    height, width = first.shape[:2]
    window = cv2.createHanningWindow((width, height), cv2.CV_32F)
    (x, y), _ = cv2.phaseCorrelate(
        np.minimum(greatest(slope(first)), _EDGES),
        np.minimum(greatest(slope(second)), _EDGES),
        window,
    )
    if abs(x) > _FARTHEST * width or abs(y) > _FARTHEST * height:
        return np.eye(3)
    return translation(x, y)


def slope(picture: Array) -> Array:
    """H×W×3, how steeply each channel changes, in grey levels a pixel."""
    return np.hypot(*gradient(picture))


def greatest(picture: Array) -> Array:
    """H×W: the greatest of the three channels, in a fraction of the time of `max(axis=2)`."""
    return np.maximum(np.maximum(picture[..., 0], picture[..., 1]), picture[..., 2])


def gradient(picture: Array) -> tuple[Array, Array]:
    """The change of H×W or H×W×3 values along x and along y, a pixel (Scharr's kernels)."""
    along_x, along_y = (
        np.asarray(cv2.Scharr(picture, cv2.CV_32F, dx, 1 - dx, scale=1 / 32), np.float32)
        for dx in (1, 0)
    )
    return along_x, along_y


def _distance(moved: Array, second: Array) -> float:
    return float(np.nanmedian(np.abs(second - _lit(moved, _first_gain(moved, second)))))


def _first_gain(moved: Array, second: Array) -> NDArray[np.float64]:
    """The commonest ratio in each channel: what most of the scene agrees on, however much is new.

    The commonest, not the middle one, since the object and its shadow all lie to one side.
    """
    gains = np.ones(3)
    for channel in range(3):
        ratio = np.log((second[channel] + 4) / (moved[channel] + 4))
        counts, edges = np.histogram(ratio, bins=160, range=(-0.8, 0.8))
        best = int(np.convolve(counts, np.ones(5), "same").argmax())
        gains[channel] = np.exp((edges[best] + edges[best + 1]) / 2)
    return gains


def _weights(moved: Array, lit: Array, second: Array) -> Array:
    """N, 1 where the pictures agree, near 0 where they do not or cannot be compared."""
    apart = np.abs(second - lit)
    scale = 1.4826 * np.nanmedian(apart) + 0.5
    weights = 1 / (1 + (apart.max(axis=0) / (2 * scale)) ** 2) ** 2
    clipped = np.maximum(moved, second).max(axis=0) > _CLIPPED
    return np.where(clipped | np.isnan(weights), 0, weights).astype(np.float32)


def _light(
    moved: Array, second: Array, weights: Array, before: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Gain and offset of each channel by weighted least squares."""
    total = float(weights.sum())
    if not total:
        return before, np.zeros(3)
    mean_x, mean_y = moved @ weights / total, second @ weights / total
    x, y = moved - mean_x[:, None], second - mean_y[:, None]
    # A channel that hardly varies cannot tell gain from offset, and keeps the gain it had.
    prior = 4 * total
    gain = ((x * y) @ weights + prior * before) / ((x * x) @ weights + prior)
    return gain.astype(np.float64), (mean_y - gain * mean_x).astype(np.float64)


def _motion(
    slopes: list[Array], apart: Array, weights: Array, grid: _Grid, shape: tuple[int, ...]
) -> tuple[Matrix, float]:
    """One step of shift and turn, and how far it moves the picture's edge, in pixels."""
    height, width = shape[:2]
    arm = max(width, height) / 2
    x, y = (grid.points - _f32(np.array([[width / 2], [height / 2]]))) / np.float32(arm)
    along_x, along_y = slopes
    effects = np.stack([along_x, along_y, x * along_y - y * along_x]).reshape(3, -1)
    weighted = effects * np.tile(weights, 3)
    normal = (weighted @ effects.T).astype(np.float64)
    # Where there are no edges there is no motion to be seen; a little weight keeps it at rest.
    normal += np.eye(3) * (1e-3 * max(1.0, float(np.trace(normal))))
    right = (weighted @ apart.ravel()).astype(np.float64)
    change = np.clip(-np.linalg.solve(normal, right), -1, 1)
    # `rotation` turns counter-clockwise as seen; y points down, so x·∂y - y·∂x is clockwise.
    turn = rotation(-math.degrees(change[2] / arm), about=(width / 2, height / 2))
    return translation(*change[:2]) @ turn, float(np.abs(change).max())


def _f32(values: NDArray[np.float64]) -> Array:
    return values.astype(np.float32)
