"""Clicks and rough scribbles on an object become its outline.

From the clicked point the picture is unrolled: angles down, logarithms of distances across. An
object's outline is then a path from top to bottom along which colours change, whatever the
object's size, and the best one of each octave of sizes comes from dynamic programming
(`star_outlines`). The path
whose change of colour is clearest and most even all around is cut out once more with GrabCut
(Rother, Kolmogorov, Blake: SIGGRAPH 2004), whose result need not be star-shaped. What a person
marked as of the object is in it, and what was marked as not of it is not.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import cv2
import numpy as np
from numpy.typing import NDArray

from viewfinder.errors import InputError
from viewfinder.labelling.star_outlines import Mask, Points, star_around
from viewfinder.pictures.geometry import Size
from viewfinder.pictures.masks import Area, Runs, box_around, run_lengths

# Pixels of the longer side in which outlines are looked for, and in which GrabCut works.
_COARSE, _FINE = 512, 112
_ROUNDS = 2
# Of an outline's greatest depth, how far GrabCut may move it.
_BAND = 0.25


@dataclass(frozen=True)
class Stroke:
    """A click, or a scribble.

    Attributes:
        points: K×2 in pixels of the picture, in their order; one of a click.
        adds: it lies on the object, and not beside it.
    """

    points: tuple[tuple[float, float], ...]
    adds: bool = True


@dataclass(frozen=True)
class Outlined:
    """What was found: H×W, true within, and the box around it."""

    mask: Mask
    box: Area


def outline(picture: NDArray[np.uint8], strokes: Sequence[Stroke]) -> Outlined:
    """The outline of the object that clicks and scribbles lie on.

    Args:
        picture: H×W×3.
        strokes: at least one of them adds, and has a point within the picture.

    Raises:
        InputError: none adds within the picture.
    """
    height, width = picture.shape[:2]
    inside, outside = (_points(strokes, adds, (width, height)) for adds in (True, False))
    if not len(inside):
        raise InputError("click on the object, within the picture")
    scale = min(1.0, _COARSE / max(height, width))
    small = _resized(picture, (round(width * scale), round(height * scale)))
    first = star_around(small, inside * scale, outside * scale)
    mask = _cut(picture, first / scale, inside, outside)
    return Outlined(mask, box_around(mask))


def runs_of(found: Outlined, size: Size) -> tuple[Runs, Area]:
    """A mask as run lengths, and the box around it, of a picture that may be larger.

    Args:
        size: width and height of the picture in which it is to lie.
    """
    height, width = found.mask.shape
    x1, y1, x2, y2 = found.box
    left, right = _spread((x1, x2), size[0] / width)
    top, bottom = _spread((y1, y2), size[1] / height)
    part = found.mask[y1:y2, x1:x2]
    if size != (width, height):
        part = _enlarged(part, (right - left, bottom - top))
    # The columns of the box alone: all beside it is two numbers.
    columns = np.zeros((size[1], right - left), np.bool_)
    columns[top:bottom] = part
    counts = run_lengths(columns)
    counts[0] += left * size[1]
    after = (size[0] - right) * size[1]
    if len(counts) % 2:
        counts[-1] += after
    elif after:
        counts.append(after)
    u1, v1, u2, v2 = box_around(part)
    runs: Runs = {"size": [size[1], size[0]], "counts": counts}
    return runs, (left + u1, top + v1, left + u2, top + v2)


def _spread(ends: tuple[int, int], by: float) -> tuple[int, int]:
    low, high = (round(each * by) for each in ends)
    return low, max(high, low + 1)


def _enlarged(part: Mask, size: Size) -> Mask:
    larger = cv2.resize(part.astype(np.float32), size, interpolation=cv2.INTER_LINEAR)
    return larger >= 0.5 if larger.max() >= 0.5 else np.ones(larger.shape, np.bool_)


def _points(strokes: Sequence[Stroke], adds: bool, size: tuple[int, int]) -> Points:
    """Points of strokes in the picture, close enough together that lines have no gaps."""
    apart = max(size) / 256
    found: list[Points] = [np.zeros((0, 2))]
    for stroke in (each for each in strokes if each.adds == adds and each.points):
        path = np.array(stroke.points, np.float64).reshape(-1, 2)
        found.append(path[:1])
        for one, other in pairwise(path):
            parts = min(512, max(1, int(np.hypot(*(other - one)) / apart)))
            found.append(one + (other - one) * np.linspace(0, 1, parts + 1)[1:, None])
    points = np.concatenate(found)
    within = (points >= 0).all(axis=1) & (points < size).all(axis=1)
    return np.asarray(points[within])


def _resized(picture: NDArray[np.uint8], size: tuple[int, int]) -> NDArray[np.uint8]:
    whole = max(1, size[0]), max(1, size[1])
    return np.asarray(cv2.resize(picture, whole, interpolation=cv2.INTER_AREA), np.uint8)


def _cut(picture: NDArray[np.uint8], corners: Points, inside: Points, outside: Points) -> Mask:
    """H×W: an outline, followed by GrabCut in a band along it."""
    height, width = picture.shape[:2]
    low, high = corners.min(axis=0), corners.max(axis=0)
    if len(inside):
        low, high = np.minimum(low, inside.min(axis=0)), np.maximum(high, inside.max(axis=0))
    by = 0.2 * (high - low).max() + 2
    x1, y1 = (int(max(0, each)) for each in low - by)
    x2, y2 = np.minimum(np.ceil(high + by), (width, height)).astype(int).tolist()
    part = picture[y1:y2, x1:x2]
    scale = min(1.0, _FINE / max(part.shape[:2]))
    small = _resized(part, (round(part.shape[1] * scale), round(part.shape[0] * scale)))
    size = small.shape[1], small.shape[0]
    ratio = np.array(size) / (x2 - x1, y2 - y1)
    star = np.zeros(small.shape[:2], np.uint8)
    cv2.fillPoly(star, [np.rint((corners - (x1, y1)) * ratio - 0.5).astype(np.int32)], 1)
    yes, no = (_drawn((points - (x1, y1)) * ratio, size) for points in (inside, outside))
    marks = _marks(star | yes, yes, no)
    around = np.isin(marks, (cv2.GC_BGD, cv2.GC_PR_BGD)).any()
    cut = _grab(small, marks) if around else star > 0
    own = _one_part((cut | (yes > 0)) & (no == 0), yes)
    share = cv2.resize(own.astype(np.float32), (x2 - x1, y2 - y1), interpolation=cv2.INTER_LINEAR)
    mask = np.zeros((height, width), np.bool_)
    mask[y1:y2, x1:x2] = share >= 0.5
    x, y = inside[0].astype(int)
    mask[y, x] = True
    return mask


def _drawn(points: Points, size: tuple[int, int]) -> NDArray[np.uint8]:
    """The pixels that points lie in."""
    drawn = np.zeros((size[1], size[0]), np.uint8)
    whole = np.floor(points).astype(int)
    whole = whole[((whole >= 0) & (whole < size)).all(axis=1)]
    drawn[whole[:, 1], whole[:, 0]] = 1
    return drawn


def _marks(
    star: NDArray[np.uint8], yes: NDArray[np.uint8], no: NDArray[np.uint8]
) -> NDArray[np.uint8]:
    """What GrabCut begins with: sure within and outside of a band along an outline."""
    depth = cv2.distanceTransform(np.pad(star, 1), cv2.DIST_L2, 3)[1:-1, 1:-1]
    away = cv2.distanceTransform(1 - star, cv2.DIST_L2, 3)
    band = max(2.0, _BAND * float(depth.max()))
    marks = np.where(star > 0, cv2.GC_PR_FGD, cv2.GC_PR_BGD).astype(np.uint8)
    marks[depth > 1.5 * band] = cv2.GC_FGD
    marks[away > band] = cv2.GC_BGD
    marks[yes > 0], marks[no > 0] = cv2.GC_FGD, cv2.GC_BGD
    return marks


def _grab(small: NDArray[np.uint8], marks: NDArray[np.uint8]) -> Mask:
    cv2.setRNGSeed(0)
    models = np.zeros((1, 65)), np.zeros((1, 65))
    nothing = (0, 0, 0, 0)
    cv2.grabCut(small, marks, nothing, *models, _ROUNDS, cv2.GC_INIT_WITH_MASK)
    return np.isin(marks, (cv2.GC_FGD, cv2.GC_PR_FGD))


def _one_part(mask: Mask, yes: NDArray[np.uint8]) -> Mask:
    """The parts of a mask that were marked, else all of it, without holes."""
    _, numbers = cv2.connectedComponents(mask.astype(np.uint8))
    own = np.unique(numbers[(yes > 0) & mask])
    part = np.isin(numbers, own[own > 0]).astype(np.uint8) if own.any() else mask.astype(np.uint8)
    contours, _ = cv2.findContours(part, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
    cv2.drawContours(part, contours, -1, 1, -1)
    return part > 0
