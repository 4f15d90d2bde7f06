"""Laying one picture of a scene over another: where it has moved to, and how its light changed.

The two show the same scene but for some pixels, such as an object that stands in one of them. The
shift is first found by phase correlation of the pictures' edges (Kuglin and Hines 1975). Then shift
and turn, and a gain and an offset for each channel, are fitted by iteratively reweighted least
squares, Lucas and Kanade's step (1981) with weights that fall to nothing for pixels that disagree.
"""

import math
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from viewfinder.errors import InputError
from viewfinder.pictures.geometry import Matrix, resample, rotation, translation

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
    step = max(1, round(math.sqrt(first.shape[0] * first.shape[1] / _SAMPLE)))
    grid = np.s_[step // 2 :: step, step // 2 :: step]
    target = second[grid]
    starts = [np.eye(3), _shift(first, second)]
    matrix = min(starts, key=lambda start: _distance(_moved(first, start)[grid], target))
    gain, offset = _first_gain(_moved(first, matrix)[grid], target), np.zeros(3)
    for _ in range(_STEPS):
        moved = _moved(first, matrix)
        slopes = [part[grid] for part in gradient(moved)]
        moved = moved[grid]
        weights = _weights(moved * _f32(gain) + _f32(offset), moved, target)
        gain, offset = _light(moved, target, weights, gain)
        apart = target - moved * _f32(gain) - _f32(offset)
        change, far = _motion([part * _f32(gain) for part in slopes], apart, weights, second.shape)
        matrix = change @ matrix
        if far < _STILL:
            break
    if np.nanmedian(np.abs(apart)) > _STRANGERS:
        raise InputError("it shows another scene than the picture of the empty stand")
    return Registration(_moved(first, matrix) * _f32(gain) + _f32(offset), matrix, gain, offset)


def _moved(picture: Array, matrix: Matrix) -> Array:
    size = (picture.shape[1], picture.shape[0])
    return resample(picture, matrix, size, fill=np.nan)


def _shift(first: Array, second: Array) -> Matrix:
    height, width = first.shape[:2]
    window = cv2.createHanningWindow((width, height), cv2.CV_32F)
    (x, y), _ = cv2.phaseCorrelate(
        np.minimum(slope(first).max(axis=2), _EDGES),
        np.minimum(slope(second).max(axis=2), _EDGES),
        window,
    )
    if abs(x) > _FARTHEST * width or abs(y) > _FARTHEST * height:
        return np.eye(3)
    return translation(x, y)


def slope(picture: Array) -> Array:
    """H×W×3, how steeply each channel changes, in grey levels a pixel."""
    return np.hypot(*gradient(picture))


def gradient(picture: Array) -> tuple[Array, Array]:
    """The change of H×W or H×W×3 values along x and along y, a pixel (Scharr's kernels)."""
    along_x, along_y = (
        np.asarray(cv2.Scharr(picture, cv2.CV_32F, dx, 1 - dx, scale=1 / 32), np.float32)
        for dx in (1, 0)
    )
    return along_x, along_y


def _distance(moved: Array, second: Array) -> float:
    lit = moved * _f32(_first_gain(moved, second))
    return float(np.nanmedian(np.abs(second - lit)))


def _first_gain(moved: Array, second: Array) -> NDArray[np.float64]:
    """The commonest ratio in each channel: what most of the scene agrees on, however much is new.

    The commonest, not the middle one, since the object and its shadow all lie to one side.
    """
    gains = np.ones(3)
    for channel in range(3):
        ratio = np.log((second[..., channel] + 4) / (moved[..., channel] + 4))
        counts, edges = np.histogram(ratio, bins=160, range=(-0.8, 0.8))
        best = int(np.convolve(counts, np.ones(5), "same").argmax())
        gains[channel] = np.exp((edges[best] + edges[best + 1]) / 2)
    return gains


def _weights(lit: Array, moved: Array, second: Array) -> Array:
    """H×W, 1 where the pictures agree, near 0 where they do not or cannot be compared."""
    apart = np.abs(second - lit)
    scale = 1.4826 * np.nanmedian(apart) + 0.5
    weights = 1 / (1 + (apart.max(axis=2) / (2 * scale)) ** 2) ** 2
    clipped = (np.maximum(moved, second) > _CLIPPED).any(axis=2)
    return np.where(clipped | np.isnan(weights), 0, weights).astype(np.float32)


def _light(
    moved: Array, second: Array, weights: Array, before: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Gain and offset of each channel by weighted least squares."""
    used = weights > 0
    w = weights[used][:, None]
    if not len(w):
        return before, np.zeros(3)
    x, y = moved[used], second[used]
    mean_x, mean_y = (w * x).sum(0) / w.sum(), (w * y).sum(0) / w.sum()
    # A channel that hardly varies cannot tell gain from offset, and keeps the gain it had.
    prior = 4 * w.sum()
    spread = (w * (x - mean_x) ** 2).sum(0)
    shared = (w * (x - mean_x) * (y - mean_y)).sum(0)
    gain = (shared + prior * before) / (spread + prior)
    return gain.astype(np.float64), (mean_y - gain * mean_x).astype(np.float64)


def _motion(
    slopes: list[Array], apart: Array, weights: Array, shape: tuple[int, ...]
) -> tuple[Matrix, float]:
    """One step of shift and turn, and how far it moves the picture's edge, in pixels."""
    height, width = shape[:2]
    # Beside what lies outside the first picture there is no gradient either.
    known = (weights > 0) & ~np.isnan(slopes[0] + slopes[1]).any(axis=2)
    along_x, along_y = (part[known] for part in slopes)
    rows, columns = np.nonzero(known)
    arm = max(width, height) / 2
    step = height / weights.shape[0]
    x = (((columns + 0.5) * step - width / 2) / arm).astype(np.float32)[:, None]
    y = (((rows + 0.5) * step - height / 2) / arm).astype(np.float32)[:, None]
    effects = np.stack([along_x, along_y, x * along_y - y * along_x]).reshape(3, -1)
    w = np.repeat(weights[known], 3)
    normal = ((effects * w) @ effects.T).astype(np.float64)
    # Where there are no edges there is no motion to be seen; a little weight keeps it at rest.
    normal += np.eye(3) * (1e-3 * max(1.0, float(np.trace(normal))))
    right = ((effects * w) @ apart[known].ravel()).astype(np.float64)
    change = np.clip(-np.linalg.solve(normal, right), -1, 1)
    # `rotation` turns counter-clockwise as seen; y points down, so x·∂y - y·∂x is clockwise.
    turn = rotation(-math.degrees(change[2] / arm), about=(width / 2, height / 2))
    return translation(*change[:2]) @ turn, float(np.abs(change).max())


def _f32(values: NDArray[np.float64]) -> Array:
    return values.astype(np.float32)
