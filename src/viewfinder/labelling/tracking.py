"""Boxes carried through a video along with the picture.

Between key frames a straight line (`datasets.footage.interpolate`) is right for an object on a
stand that turns: its box changes slowly, whatever its surface does. Following the picture is for a
camera that moves, past objects that do not turn: the median flow of Kalal, Mikolajczyk and Matas
(Forward-Backward Error, ICPR 2010), points in the box followed by Lucas and Kanade's method, of
which those count that, followed back, return.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from viewfinder.errors import InputError
from viewfinder.pictures.geometry import BoxArray, clip_boxes, stretch, translation
from viewfinder.pictures.resampling import resample

LEAST = 0.5
"""Below this confidence a box is lost."""

_GRID = 12  # points along each side of the box
_INSIDE = 0.1  # of a side: points keep off the box's edge, where the background shows
_RETURNED = 1.0  # pixels, within which a point comes back
_PATCH = 32  # pixels; the size in which appearances are compared
_SMALLEST = 4.0  # pixels; a smaller box cannot be followed
_GROWTH = 1.25  # a box that grows or shrinks by more from one frame to the next has slipped
_WINDOW = 21
_LEVELS = 4


def nearest_pairs(before: Sequence[BoxArray], after: Sequence[BoxArray]) -> dict[int, int]:
    """For boxes `after`, those `before` that they most likely were: the nearest pair goes first.

    Boxes are near if their centres lie few of their sides apart. Of M and N boxes the least of both
    numbers are paired, however far apart they are.
    """
    if not before or not after:
        return {}
    first, second = np.stack(before)[None], np.stack(after)[:, None]
    apart = (first[..., :2] + first[..., 2:] - second[..., :2] - second[..., 2:]) / 2
    sides = (first[..., 2:] - first[..., :2] + second[..., 2:] - second[..., :2]) / 2
    distances = np.hypot(*np.moveaxis(apart / np.maximum(sides, 1e-6), -1, 0))
    pairs: dict[int, int] = {}
    for place in np.argsort(distances, axis=None, kind="stable").tolist():
        now, then = divmod(place, len(before))
        if now not in pairs and then not in pairs.values():
            pairs[now] = then
    return pairs


@dataclass(frozen=True, eq=False)
class TrackedBox:
    """A box in one picture, to be found again in the next.

    Attributes:
        picture: H×W×3 uint8, in which the box is known.
        box: 4 float32, `x1, y1, x2, y2`.
        confidence: 0 to 1; the least of all steps since the key frame.
        patch: what the key frame shows in the box, grey.
    """

    picture: NDArray[np.uint8]
    box: BoxArray
    confidence: float
    patch: NDArray[np.float32]


def start_track(picture: NDArray[np.uint8], box: BoxArray) -> TrackedBox:
    """Begin with a box that a person drew."""
    return TrackedBox(picture, box, 1.0, _patch(picture, box))


def step_track(track: TrackedBox, picture: NDArray[np.uint8]) -> TrackedBox | None:
    """The box in the next picture, or None where it is lost.

    Its confidence is the share of the points that could be followed there and back, or the
    correlation with the key frame's patch, whichever is less.

    Raises:
        InputError: the pictures are of different sizes.
    """
    if picture.shape != track.picture.shape:
        raise InputError("its frames are of different sizes, and no box can be followed through it")
    if (track.box[2:] - track.box[:2]).min() < _SMALLEST:
        return None
    points = _points(track.box)
    moved, good = _followed(_grey(track.picture), _grey(picture), points)
    if good.sum() < 4:
        return None
    box = _moved_box(track.box, points[good], moved[good])
    sides, former = box[2:] - box[:2], track.box[2:] - track.box[:2]
    ratio = np.maximum(sides, 1e-6) / former
    box = clip_boxes(box[None], (picture.shape[1], picture.shape[0]))[0]
    if ratio.max() > _GROWTH or ratio.min() < 1 / _GROWTH or (box[2:] - box[:2]).min() < _SMALLEST:
        return None
    alike = _correlation(track.patch, _patch(picture, box))
    confidence = min(track.confidence, float(good.mean()), alike)
    return TrackedBox(picture, box, confidence, track.patch) if confidence >= LEAST else None


def carry(
    pictures: Sequence[NDArray[np.uint8]], first: BoxArray, second: BoxArray
) -> list[tuple[NDArray[np.float64], float]]:
    """A box between two key frames, followed from both, which it so meets: the nearer counts more.

    Args:
        pictures: H×W×3 uint8, from the first key frame to the second.

    Returns:
        for each picture between them 4 float64, and how sure it is, from 0 to 1. Where it is lost
        from one side a straight line stands for that, and is 0 sure.

    Raises:
        InputError: the pictures are of different sizes.
    """
    count = len(pictures) - 1
    ahead = _steps(pictures, first)
    behind = _steps(pictures[::-1], second)[::-1]
    found = []
    for place, (one, two) in enumerate(zip(ahead, behind, strict=True), 1):
        share = place / count
        line = first + share * (np.asarray(second, np.float64) - first)
        box = (1 - share) * (line if one is None else one.box)
        box = box + share * (line if two is None else two.box)
        sure = (1 - share) * (one.confidence if one else 0.0)
        sure += share * (two.confidence if two else 0.0)
        found.append((np.asarray(box, np.float64), float(sure)))
    return found


def _steps(pictures: Sequence[NDArray[np.uint8]], box: BoxArray) -> list[TrackedBox | None]:
    """A box of the first picture in all others but the last; None from where it is lost."""
    track: TrackedBox | None = start_track(pictures[0], np.asarray(box, np.float32))
    found: list[TrackedBox | None] = []
    for picture in pictures[1:-1]:
        track = None if track is None else step_track(track, picture)
        found.append(track)
    return found


def _points(box: BoxArray) -> NDArray[np.float32]:
    """An even grid within the box, N×2 as OpenCV counts: from the centre of the first pixel."""
    shares = np.linspace(_INSIDE, 1 - _INSIDE, _GRID, dtype=np.float32)
    x = box[0] + shares * (box[2] - box[0]) - 0.5
    y = box[1] + shares * (box[3] - box[1]) - 0.5
    return np.stack(np.meshgrid(x, y), axis=-1).reshape(-1, 2).astype(np.float32)


def _followed(
    before: NDArray[np.uint8], after: NDArray[np.uint8], points: NDArray[np.float32]
) -> tuple[NDArray[np.float32], NDArray[np.bool_]]:
    """Where each point is now, and whether it was found there and back."""

    def flow(
        first: NDArray[np.uint8], second: NDArray[np.uint8], start: NDArray[np.float32]
    ) -> tuple[NDArray[np.float32], NDArray[np.bool_]]:
        found, status, _ = cv2.calcOpticalFlowPyrLK(
            first, second, start, start.copy(), winSize=(_WINDOW, _WINDOW), maxLevel=_LEVELS
        )
        there = np.asarray(status).ravel() == 1
        return np.asarray(found, np.float32).reshape(-1, 2), there

    moved, there = flow(before, after, points)
    returned, back = flow(after, before, moved)
    near = np.hypot(*(returned - points).T) < _RETURNED
    return moved, np.asarray(there & back & near, np.bool_)


def _moved_box(
    box: BoxArray, before: NDArray[np.float32], after: NDArray[np.float32]
) -> NDArray[np.float32]:
    """The box moved by the points' median and scaled by the median change of their distances."""
    shift = np.median(after - before, axis=0)
    first, second = np.triu_indices(len(before), 1)
    apart = np.hypot(*(before[first] - before[second]).T)
    now = np.hypot(*(after[first] - after[second]).T)
    scale = float(np.median(now / np.maximum(apart, 1e-6)))
    middle = (box[:2] + box[2:]) / 2 + shift
    half = (box[2:] - box[:2]) / 2 * scale
    return np.concatenate([middle - half, middle + half]).astype(np.float32)


def _patch(picture: NDArray[np.uint8], box: BoxArray) -> NDArray[np.float32]:
    """What lies in the box, as a small square of grey."""
    sides = box[2:] - box[:2]
    matrix = stretch((1, 1), (_PATCH, _PATCH)) @ np.diag([1 / sides[0], 1 / sides[1], 1])
    matrix = matrix @ translation(-float(box[0]), -float(box[1]))
    return resample(_grey(picture), matrix, (_PATCH, _PATCH)).astype(np.float32)


def _grey(picture: NDArray[np.uint8]) -> NDArray[np.uint8]:
    return np.asarray(cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY), np.uint8)


def _correlation(first: NDArray[np.float32], second: NDArray[np.float32]) -> float:
    """Of two patches, from -1 to 1, whatever their brightness and contrast; 0 of plain ones."""
    a, b = first - first.mean(), second - second.mean()
    size = float(np.sqrt((a * a).sum() * (b * b).sum()))
    return float((a * b).sum()) / size if size > 1e-6 else 0.0
