"""Clicks and rough scribbles on an object become its outline.

From the clicked point the picture is unrolled: angles down, logarithms of distances across. An
object's outline is then a path from top to bottom along which colours change, whatever the
object's size, and the best one of each octave of sizes comes from dynamic programming. The path
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
from viewfinder.pictures.geometry import Size
from viewfinder.pictures.masks import Area, Runs, box_around, run_lengths

Mask = NDArray[np.bool_]
Points = NDArray[np.float64]

# Angles and distances into which a picture is unrolled: distances from 2 pixels on.
_ANGLES, _STEPS, _NEAREST = 96, 112, 2.0
# Pixels of the longer side in which outlines are looked for, and in which GrabCut works.
_COARSE, _FINE = 512, 112
_ROUNDS = 2
# Steps of distance by which an outline may change from one angle to the next.
_BEND = 3
# Windows of sizes, in steps: each outline's sizes lie within one of them.
_WINDOW = 36
_STRIDE = 9
_NEVER = np.float32(-50)
# A change of colour that is half of the clearest, in CIELAB; steps to each side of which it is.
_SOFT, _ACROSS = 14.0, 2
# Pixels of distance up to which the picture is looked at in its own resolution.
_SHARP = 24.0
_STIFF = 0.1
_EVEN, _ONE_WAY = 0.7, 0.3
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
    first = _star(small, inside * scale, outside * scale)
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


def _star(picture: NDArray[np.uint8], inside: Points, outside: Points) -> Points:
    """The corners of the clearest outline around the points: `_ANGLES`×2."""
    height, width = picture.shape[:2]
    middle = np.asarray(inside.mean(axis=0), np.float64)
    far = max(8.0, float(np.hypot(*np.maximum(middle, (width, height) - middle))))
    radii = np.asarray(np.geomspace(_NEAREST, far, _STEPS), np.float64)
    angles = np.arange(_ANGLES, dtype=np.float64) * (2 * np.pi / _ANGLES)
    change = _changes(picture, middle, angles, radii)
    clear = np.linalg.norm(change, axis=2)
    clear = clear / (clear + _SOFT)
    allowed = _allowed(inside - middle, outside - middle, radii)
    paths = _paths(np.where(allowed, clear, _NEVER).astype(np.float32))
    best = max(paths, key=lambda path: _clearness(clear, change, allowed, path))
    reach = np.asarray(radii[best])
    return np.asarray(middle + np.stack([np.cos(angles) * reach, np.sin(angles) * reach], axis=1))


def _changes(
    picture: NDArray[np.uint8], middle: Points, angles: Points, radii: Points
) -> NDArray[np.float32]:
    """How colours differ across each angle and distance, outside less inside: A×S×3, in CIELAB.

    Beyond the picture there is no change.
    """
    level = cv2.cvtColor(picture, cv2.COLOR_RGB2LAB).astype(np.float32)
    rolled = np.zeros((len(angles), len(radii), 3), np.float32)
    done = 0
    while done < len(radii):
        scale = picture.shape[1] / level.shape[1]
        near = int(np.searchsorted(radii, _SHARP * scale))
        smaller = min(level.shape[:2]) >= 4
        end = max(near, done) if smaller else len(radii)
        if end > done:
            part = radii[done:end] / scale
            centre = (middle + 0.5) / scale - 0.5
            x = (centre[0] + np.cos(angles)[:, None] * part).astype(np.float32)
            y = (centre[1] + np.sin(angles)[:, None] * part).astype(np.float32)
            rolled[:, done:end] = cv2.remap(
                level, x, y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE
            )
            done = end
        level = np.asarray(cv2.pyrDown(level), np.float32)
    even = (np.roll(rolled, -1, axis=0) + rolled + np.roll(rolled, 1, axis=0)) / 3
    padded = np.pad(even, ((0, 0), (_ACROSS, _ACROSS), (0, 0)), mode="edge")
    outer, inner = padded[:, 2 * _ACROSS :], padded[:, : -2 * _ACROSS]
    return np.asarray(outer - inner, np.float32)


def _allowed(inside: Points, outside: Points, radii: Points) -> Mask:
    """Where an outline may pass: beyond what is of the object, before what is not. A×S."""
    allowed = np.ones((_ANGLES, len(radii)), np.bool_)
    for points, within in ((outside, False), (inside, True)):
        distance = np.hypot(*points.T)
        angle = np.rint(np.arctan2(points[:, 1], points[:, 0]) * (_ANGLES / (2 * np.pi)))
        for one, reach in zip(angle.astype(int), distance, strict=True):
            for near in (one - 1, one, one + 1):
                row = allowed[near % _ANGLES]
                row &= (radii > reach) if within else (radii < reach)
                if not row.any():
                    row[-1 if within else 0] = True
    return allowed


def _paths(clear: NDArray[np.float32]) -> NDArray[np.int64]:
    """For each window of distances the closed path along which the sum is largest: W×A."""
    starts = np.arange(0, clear.shape[1] - _WINDOW + 1, _STRIDE)
    windows = np.stack([clear[:, at : at + _WINDOW] for at in starts])
    # Once around is not closed: twice around, the second turn begins where the first has led.
    turns = np.concatenate([windows, windows], axis=1)
    count, length, _ = turns.shape
    shifts = np.arange(-_BEND, _BEND + 1)
    cost = (_STIFF * np.abs(shifts)).astype(np.float32)[:, None, None]
    best = turns[:, 0]
    came = np.zeros((length, count, _WINDOW), np.int8)
    for row in range(1, length):
        padded = np.pad(best, ((0, 0), (_BEND, _BEND)), constant_values=np.float32(-1e9))
        options = np.stack([padded[:, k : k + _WINDOW] for k in range(2 * _BEND + 1)]) - cost
        chosen = options.argmax(axis=0)
        came[row] = chosen
        best = np.take_along_axis(options, chosen[None], axis=0)[0] + turns[:, row]
    at = best.argmax(axis=1)
    paths = np.zeros((count, length), np.int64)
    for row in range(length - 1, -1, -1):
        paths[:, row] = at
        at = at + shifts[came[row, np.arange(count), at]]
    half = _ANGLES // 2
    middle = paths[:, half : half + _ANGLES]
    return np.asarray(np.roll(middle, half, axis=1) + starts[:, None])


def _clearness(
    clear: NDArray[np.floating], change: NDArray[np.float32], allowed: Mask, path: NDArray[np.int64]
) -> float:
    """How clear an outline is, and how evenly: the better of two is the object's."""
    rows = np.arange(_ANGLES)
    along, across = clear[rows, path], change[rows, path]
    one_way = np.linalg.norm(across.mean(axis=0)) / (np.linalg.norm(across, axis=1).mean() + 1)
    broken = 1 - allowed[rows, path].mean()
    weak = np.percentile(along, 20)
    return float(along.mean() + _EVEN * weak + _ONE_WAY * one_way - 2 * broken)


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
