"""Where a scripted person leads a stroke over proposals: straight lines that pass no others."""

from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np

Corners = tuple[float, float, float, float]
Point = tuple[float, float]
# Where a proposal is pointed at, in shares of its width and height: at most places, another may
# lie over it.
SHARES = (0.5, 0.08, 0.92, 0.3, 0.7)
# Pixels between two looks at what a line passes, and how far a hand is from where it means to be.
STEP, ASTRAY = 2.0, 1.0


class Laid(NamedTuple):
    """A proposal, where it lies."""

    id: str
    corners: Corners


class Stroke(NamedTuple):
    """A point in each of the proposals that are decided by it."""

    points: list[Point]
    ids: list[str]


def places(corners: Sequence[float]) -> list[Point]:
    """Points of a box, those that are most likely free in front."""
    x1, y1, x2, y2 = corners
    return [(x1 + a * (x2 - x1), y1 + d * (y2 - y1)) for a in SHARES for d in SHARES]


def strokes(laid: Sequence[Laid], wanted: Sequence[str]) -> int:
    """How many strokes decide all that are wanted."""
    count, left = 0, set(wanted)
    while left:
        left -= set(one_stroke(laid, sorted(left)).ids)
        count += 1
    return count


def one_stroke(laid: Sequence[Laid], wanted: Sequence[str]) -> Stroke:
    """One from the first that is wanted on, to the nearest that can be reached each time."""
    of = {each.id: each.corners for each in laid}
    free = {id: [p for p in places(of[id]) if over(laid, p) == {id}] for id in wanted}
    start = next((id for id in wanted if free[id]), wanted[0])
    stroke = Stroke([(free[start] or places(of[start]))[0]], [start])
    reached: Point | None = stroke.points[0] if free[start] else None
    while reached is not None:
        here, ways = (
            reached,
            [
                (float(np.hypot(p[0] - reached[0], p[1] - reached[1])), id, p)
                for id in wanted
                if id not in stroke.ids
                for p in free[id]
            ],
        )
        reached = None
        for _, id, point in sorted(ways):
            if all(over(laid, p) <= set(wanted) for p in along(here, point)):
                stroke.points.append(point)
                stroke.ids.append(id)
                reached = point
                break
    return stroke


def over(laid: Sequence[Laid], at: Point) -> set[str]:
    """The smallest proposals at a point, and around it."""
    found = set[str]()
    for dx, dy in ((0.0, 0.0), (-ASTRAY, -ASTRAY), (ASTRAY, ASTRAY), (-ASTRAY, ASTRAY),
                   (ASTRAY, -ASTRAY)):  # fmt: skip
        there = [each for each in laid if inside(each.corners, (at[0] + dx, at[1] + dy))]
        if there:
            found.add(min(there, key=lambda each: area(each.corners)).id)
    return found


def along(start: Point, end: Point) -> Iterator[Point]:
    count = max(1, int(np.hypot(end[0] - start[0], end[1] - start[1]) / STEP))
    for at in range(count + 1):
        yield (
            start[0] + (end[0] - start[0]) * at / count,
            start[1] + (end[1] - start[1]) * at / count,
        )


def inside(corners: Corners, at: Point) -> bool:
    return corners[0] <= at[0] <= corners[2] and corners[1] <= at[1] <= corners[3]


def area(corners: Corners) -> float:
    return (corners[2] - corners[0]) * (corners[3] - corners[1])
