"""The clearest outline around a point, seen from it: angles down, distances across."""

import cv2
import numpy as np
from numpy.typing import NDArray

Mask = NDArray[np.bool_]
Points = NDArray[np.float64]
# Angles and distances into which a picture is unrolled: distances from 2 pixels on.
_ANGLES, _STEPS, _NEAREST = 96, 112, 2.0
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


def star_around(picture: NDArray[np.uint8], inside: Points, outside: Points) -> Points:
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
