"""How sharp frames are, and which are blurred beside others that show the same.

How steep the edges of a picture are says as much of what there is (an apple, an empty belt) as of
how sharp it is. So frames are compared only where they show the same: there, coarse as it may be,
the grey is the same, and of edges of one contrast the squares of the slopes add up to the less, the
wider the edges are.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float32]

_LONGER_SIDE = 640  # pixels; sharpness is measured in a copy no larger
_NOISE = 0.8  # pixels, of a blur that keeps a camera's noise out
_EDGES = 0.995  # share of the pixels that are less steep than a picture's edges
_CELL = 10  # pixels of that copy
_COARSE = 3  # cells across, of a blur that is wider than a frame's own
_MIDDLE, _DARK = 128, 32  # grey levels: a picture's mean is made the first, if above the second
_SAME = 6.0  # grey levels by which two frames may differ where they show the same,
_SAME_SHARE = 0.25  # and this share of the contrast there
_FAINTEST = 4.0  # mean square of a cell's slopes, below which it has no edge
_MOSTLY = 0.3  # of the cells with edges; fewer alike show that it is another scene
_UNEXPLAINED = 0.5  # of the variance of grey; more of it apart, and they are alike by chance
_SIDES = 3  # cells across, that must be the same for the middle one to be
_NARROWEST = 4  # cells, in which a camera's motion can be seen
_FEWEST = 6  # cells with edges that both frames show; of fewer nothing is said
_CONTRAST = 12.0  # grey levels, from which on an edge's width is measured,
_ABOVE_NOISE = 7.0  # times the slopes of noise; its own contrasts are half as large
_REACH = 4  # pixels before and after, in which an edge's contrast is sought
_SHARPEST = 0.05  # share of the places near edges: those amid the sharpest ones
_FEWEST_PLACES = 100  # of which a share can be taken
_AROUND = 5  # frames before and after, with which one is compared
_WEAKER = 2.0  # times the slopes of the same edges
_WIDER = 1.4  # times the width of the sharpest edges, whichever they are


@dataclass(frozen=True, eq=False)
class Look:
    """What of a frame is kept to compare it with others.

    Attributes:
        grey: h×w, coarse, of cells of 10 pixels.
        slopes: 2×h×w, mean squares of each cell's slopes along x and along y.
        widths: in pixels, of the sharpest edges along x and along y; NaN without edges.
    """

    grey: Array
    slopes: Array
    widths: tuple[float, float]


def sharpness(picture: NDArray[np.uint8]) -> float:
    """How steep an H×W×3 picture's edges are along x or y, the lesser one: grey levels a pixel.

    Motion blurs the edges of one direction only. It is a measure to compare frames of one scene by;
    a slight blur beforehand keeps a camera's noise out of it.
    """
    slopes = _slopes(_smooth(picture))
    place = int(_EDGES * (slopes[0].size - 1))
    return float(min(np.partition(part, place, axis=None)[place] for part in slopes))


def look(picture: NDArray[np.uint8]) -> Look:
    """What an H×W×3 picture looks like beside others of its video."""
    smooth = _smooth(picture)
    smooth *= _MIDDLE / max(float(smooth.mean()), _DARK)
    slopes = _slopes(smooth)
    size = max(1, smooth.shape[1] // _CELL), max(1, smooth.shape[0] // _CELL)
    grey = cv2.blur(_area(smooth, size), (_COARSE, _COARSE))
    squares = np.stack([_area(part**2, size) for part in slopes])
    # What noise adds, as the smoothest cells have it.
    noise = np.quantile(squares, 0.1, axis=(1, 2)).astype(np.float32)
    least = [max(_CONTRAST, _ABOVE_NOISE * math.sqrt(value)) for value in noise]
    along_x, along_y = (_width(smooth, slopes[axis], axis, least[axis]) for axis in (0, 1))
    squares = squares - noise[:, None, None]
    return Look(np.asarray(grey, np.float32), squares, (along_x, along_y))


def are_blurred(looks: Sequence[Look]) -> list[bool]:
    """For each of a video's frames, in order, whether it is blurred beside most of those around.

    Only those count that show, at least in part, the same edges: where there is none, as of an
    empty stand, nothing is blurred.
    """
    said: list[list[bool]] = [[] for _ in looks]
    for i, one in enumerate(looks):
        for j in range(i + 1, min(i + _AROUND + 1, len(looks))):
            if (verdict := _compared(one, looks[j])) is not None:
                said[i].append(verdict[0])
                said[j].append(verdict[1])
    return [2 * sum(verdicts) > len(verdicts) for verdicts in said]


def _compared(one: Look, other: Look) -> tuple[bool, bool] | None:
    """Whether each is blurred beside the other; None where they do not show the same edges."""
    if one.grey.shape != other.grey.shape:
        return None
    grey, shifted, same = _aligned(one, other)
    known = False
    worse = [False, False]
    for axis in (0, 1):
        pair = (one.slopes[axis], shifted[axis])
        # Not so where it is NaN, outside of the other.
        edges = np.maximum(*pair) > _FAINTEST
        share = _MOSTLY * float(edges.sum())
        edges &= same
        if edges.sum() < max(_FEWEST, share) or not _one_scene(one.grey[edges], grey[edges]):
            continue
        known = True
        strong = [max(float(part[edges].sum()), 1e-3) for part in pair]
        widths = one.widths[axis], other.widths[axis]
        for place in (0, 1):
            weaker = strong[1 - place] > _WEAKER * strong[place]
            # An edge that is as sharp as the other's speaks against blur. Not so NaN.
            as_sharp = widths[place] <= _WIDER * widths[1 - place]
            worse[place] |= weaker and not as_sharp
    return (worse[0], worse[1]) if known else None


def _one_scene(first: Array, second: Array) -> bool:
    """Whether two frames' greys go up and down together: not so texture and a plain wall."""
    apart = float(np.square(first - second).mean())
    return apart <= _UNEXPLAINED * max(float(first.var()), float(second.var()))


def _aligned(one: Look, other: Look) -> tuple[Array, Array, NDArray[np.bool_]]:
    """The other's grey and slopes, moved as the camera was, and where both then show the same."""
    still = _overlap(one, other, (0.0, 0.0))
    if min(one.grey.shape) < _NARROWEST:
        return still
    window = cv2.createHanningWindow((one.grey.shape[1], one.grey.shape[0]), cv2.CV_32F)
    # Copies, since the window is laid over what it is given.
    (x, y), _ = cv2.phaseCorrelate(one.grey.copy(), other.grey.copy(), window)
    if math.hypot(x, y) < 0.1 or not math.isfinite(x + y):
        return still
    moved = _overlap(one, other, (x, y))
    return max(still, moved, key=lambda found: int(found[2].sum()))


def _overlap(
    one: Look, other: Look, by: tuple[float, float]
) -> tuple[Array, Array, NDArray[np.bool_]]:
    height, width = one.grey.shape
    matrix = np.array([[1, 0, by[0]], [0, 1, by[1]]], np.float32)

    def moved(values: Array) -> Array:
        if not any(by):
            return values
        flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
        lost = float("nan")
        return np.asarray(
            cv2.warpAffine(values, matrix, (width, height), flags=flags, borderValue=lost),
            np.float32,
        )

    grey = moved(other.grey)
    near = np.ones((3, 3), np.uint8)
    contrast = cv2.dilate(one.grey, near) - cv2.erode(one.grey, near)
    # Not so where it is NaN, outside of the other.
    same = np.asarray(np.abs(one.grey - grey) <= _SAME + _SAME_SHARE * contrast, np.bool_)
    # An edge is the same only if both of its sides are; the grey of where it lies is between them.
    same = cv2.erode(same.astype(np.uint8), np.ones((_SIDES, _SIDES), np.uint8)) > 0
    slopes = np.stack([moved(part) for part in other.slopes])
    return grey, slopes, same & np.isfinite(slopes).all(axis=0)


def _smooth(picture: NDArray[np.uint8]) -> Array:
    grey = cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY)
    scale = _LONGER_SIDE / max(grey.shape)
    if scale < 1:
        # The shorter side of a very long picture would round to nothing.
        height, width = (max(1, round(side * scale)) for side in grey.shape)
        grey = cv2.resize(grey, (width, height), interpolation=cv2.INTER_AREA)
    return np.asarray(cv2.GaussianBlur(grey.astype(np.float32), (0, 0), _NOISE), np.float32)


def _slopes(smooth: Array) -> list[Array]:
    """Along x and along y, in grey levels a pixel."""
    return [
        np.abs(cv2.Scharr(smooth, cv2.CV_32F, dx, 1 - dx, scale=1 / 32), dtype=np.float32)
        for dx in (1, 0)
    ]


def _area(values: Array, size: tuple[int, int]) -> Array:
    return np.asarray(cv2.resize(values, size, interpolation=cv2.INTER_AREA), np.float32)


def _width(smooth: Array, slope: Array, axis: int, least: float) -> float:
    """Pixels in which an edge would cross its whole contrast if it were as steep all along."""
    window = np.ones((1, 2 * _REACH + 1) if axis == 0 else (2 * _REACH + 1, 1), np.uint8)
    contrast = cv2.dilate(smooth, window) - cv2.erode(smooth, window)
    edges = contrast > least
    if edges.sum() < _FEWEST_PLACES:
        return math.nan
    return float(np.quantile(contrast[edges] / np.maximum(slope[edges], 1e-3), _SHARPEST))
