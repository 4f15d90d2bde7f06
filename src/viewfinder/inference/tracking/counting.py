"""How many objects cross a line or enter and leave a zone, each by its box's middle.

An object counts as on another side only once its middle is a tenth of its size beyond the line or
edge, so that one which stands there and trembles is not counted again and again.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

import cv2
import numpy as np
from numpy.typing import NDArray

from viewfinder.errors import InputError
from viewfinder.pictures.geometry import BoxArray, Size

Direction = Literal["in", "out"]
Points = NDArray[np.float64]  # N×2

_BEYOND = 0.1
# OpenCV cuts lines in whole numbers of 32 bits.
_FAR = 1e6


@dataclass(frozen=True, eq=False)
class CountingPlace:
    """A line of two points, or a zone of three or more.

    Of a line, `in` is to the right-hand side of who walks from its first point to its second.

    Attributes:
        name: as it was given.
        points: N×2 in pixels.
    """

    name: str
    points: Points

    @property
    def is_line(self) -> bool:
        """Whether it is a line."""
        return len(self.points) == 2

    def depth(self, middle: Points) -> float:
        """How far a point lies inside, in pixels; less than 0 outside."""
        if not self.is_line:
            return float(
                cv2.pointPolygonTest(self.points.astype(np.float32), middle.tolist(), True)
            )
        along = self.points[1] - self.points[0]
        return float(_cross(along, middle - self.points[0]) / np.hypot(*along))

    def within(self, size: Size) -> bool:
        """Whether any of it lies in a picture of this width and height."""
        if self.is_line:
            box = (0, 0, size[0] + 1, size[1] + 1)
            ends = np.rint(np.clip(self.points, -_FAR, _FAR)).astype(int).tolist()
            return bool(cv2.clipLine(box, *ends)[0])
        low, high = self.points.min(axis=0), self.points.max(axis=0)
        return bool((low <= size).all() and (high >= 0).all())

    def crossed(self, before: Points, now: Points) -> bool:
        """Whether the way between two points on other sides leads through it."""
        if not self.is_line:
            return True
        way, start = now - before, self.points - before
        one, other = _cross(way, start[0]), _cross(way, start[1])
        return bool(one * other <= 0)


@dataclass(frozen=True)
class Crossing:
    """An object that entered or left, by its number: its class is known at the video's end."""

    place: str
    frame: int
    track: int
    direction: Direction


def read_places(lines: Sequence[str], zones: Sequence[str]) -> list[CountingPlace]:
    """Lines and zones as they are written.

    Raises:
        InputError: one is none.
    """
    return [*map(read_line, lines), *map(read_zone, zones)]


def read_line(text: str) -> CountingPlace:
    """A line from `x1,y1,x2,y2`.

    Raises:
        InputError: these are not four numbers, or both points are one.
    """
    points = _points("--line", text)
    if len(points) != 2 or (points[0] == points[1]).all():
        raise InputError(
            f"--line {text}: give two points as x1,y1,x2,y2 in pixels, such as 0,240,640,240"
        )
    return CountingPlace(text, points)


def read_zone(text: str) -> CountingPlace:
    """A zone from `x1,y1,x2,y2,x3,y3,…`; of two points, the rectangle between them.

    Raises:
        InputError: these are not points, or it holds no area.
    """
    points = _points("--zone", text)
    if len(points) == 2:
        (left, top), (right, bottom) = points
        points = np.array([[left, top], [right, top], [right, bottom], [left, bottom]])
    if len(points) < 3 or cv2.contourArea(points.astype(np.float32)) <= 0:
        raise InputError(
            f"--zone {text}: give two corners of a rectangle or three points or more as "
            "x1,y1,x2,y2,… in pixels"
        )
    return CountingPlace(text, points)


@dataclass(eq=False)
class PlaceTally:
    """What a place has counted so far, by the numbers of objects.

    Attributes:
        counts: who went each way, as often as they did.
    """

    place: CountingPlace
    counts: dict[Direction, list[int]] = field(default_factory=lambda: {"in": [], "out": []})
    inside: int = 0
    most: int = 0
    _known: dict[int, tuple[bool, Points]] = field(default_factory=dict)
    _appeared: set[int] = field(default_factory=set)
    _here: frozenset[int] = frozenset()

    def step(self, frame: int, tracks: Sequence[int], boxes: BoxArray) -> list[Crossing]:
        """Count the objects of the next frame, M numbers and M×4 boxes."""
        crossings: list[Crossing] = []
        within = 0
        for track, box in zip(tracks, np.asarray(boxes, np.float64), strict=True):
            middle = (box[:2] + box[2:]) / 2
            depth = self.place.depth(middle)
            within += depth >= 0
            if abs(depth) < _BEYOND * float((box[2:] - box[:2]).mean()):
                continue
            inside = depth > 0
            if track not in self._known and inside:
                self._appeared.add(track)
            was, before = self._known.get(track, (inside, middle))
            self._known[track] = inside, middle
            if inside != was and self.place.crossed(before, middle):
                direction: Direction = "in" if inside else "out"
                self.counts[direction].append(track)
                crossings.append(Crossing(self.place.name, frame, track, direction))
        self.inside, self.most = within, max(self.most, within)
        self._here = frozenset(tracks)
        return crossings

    @property
    def appeared(self) -> set[int]:
        """What was first seen inside, of the first frame too."""
        return self._appeared

    @property
    def lost(self) -> set[int]:
        """What was inside when it was seen last, before the last frame."""
        return self._inside() - self._here

    @property
    def at_end(self) -> set[int]:
        """What is inside in the last frame; `in` and `appeared` are as many as `out`, `lost` and
        these."""
        return self._inside() & self._here

    def _inside(self) -> set[int]:
        return {track for track, (inside, _) in self._known.items() if inside}

    def _unseen(self) -> dict[str, set[int]]:
        return {"appeared": self.appeared, "lost": self.lost, "at_end": self.at_end}

    def as_json(self, classes: Sequence[str], labels: Mapping[int, int]) -> dict[str, object]:
        """`in` and `out`, a number for each class; of a zone also `appeared`, `lost`, `at_end`, and
        `most`, that were inside at once.

        Args:
            labels: the class that each object was mostly seen as.
        """
        document: dict[str, object] = {
            "line" if self.place.is_line else "zone": self.place.name,
            "in": _by_name(self.counts["in"], classes, labels),
            "out": _by_name(self.counts["out"], classes, labels),
        }
        if not self.place.is_line:
            unseen = self._unseen().items()
            document |= {name: _by_name(found, classes, labels) for name, found in unseen}
            document["most"] = self.most
        return document

    def line(self, classes: Sequence[str], labels: Mapping[int, int]) -> str:
        """The same in a few words."""

        def told(found: Iterable[int], what: str) -> str:
            by_class = _by_name(found, classes, labels)
            each = ", ".join(f"{name} {number}" for name, number in by_class.items())
            return f"{sum(by_class.values())} {what}" + (f" ({each})" if each else "")

        parts = [told(found, direction) for direction, found in self.counts.items()]
        most = "" if self.place.is_line else f", at most {self.most} inside at once"
        if not self.place.is_line:
            # Where nothing came or went unseen, in and out add up by themselves.
            words = {"appeared": "first seen inside", "lost": "lost from sight inside"}
            words["at_end"] = "inside at the end"
            unseen = self._unseen()
            parts += [told(unseen[name], words[name]) for name in words if unseen[name]]
        return f"{'line' if self.place.is_line else 'zone'} {self.place.name}: " + (
            ", ".join(parts) + most
        )


def _by_name(
    tracks: Iterable[int], classes: Sequence[str], labels: Mapping[int, int]
) -> dict[str, int]:
    """How many there are of each class."""
    counts = Counter(labels[track] for track in tracks)
    return {classes[label]: count for label, count in sorted(counts.items())}


def _points(flag: str, text: str) -> Points:
    try:
        numbers = [float(part) for part in text.split(",")]
    except ValueError:
        numbers = []
    if len(numbers) % 2 or len(numbers) < 4 or not np.isfinite(numbers).all():
        raise InputError(f"{flag} {text}: give points as x1,y1,x2,y2 in pixels")
    return np.array(numbers).reshape(-1, 2)


def _cross(one: Points, other: Points) -> float:
    return float(one[0] * other[1] - one[1] * other[0])
