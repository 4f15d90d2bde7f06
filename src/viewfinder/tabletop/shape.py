"""What a shape is: a solid that can be traced, painted, and laid on a table.

Every shape stands on the z axis in its own units; `hull` holds points whose convex hull wraps the
shape, from which follow its size, where it rests on a table, and what it covers of a picture.
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from viewfinder.tabletop.solids import Array

Distance = Callable[[Array, Array, Array], Array]
Part = NDArray[np.uint8]

BODY, SECOND, THIRD = 0, 1, 2


@dataclass(frozen=True, eq=False)
class Shape:
    """A solid that can be traced and painted.

    Attributes:
        distance: signed distance at points x, y, z.
        parts: which part (BODY, SECOND or THIRD) each surface point belongs to.
        wrap: where the paint at each surface point comes from, as lengths u (around) and v (up).
        hull: K×3 points whose convex hull wraps the shape.
        rests: 3×3 turns into the ways it may lie on a table, each with its weight.
        convex: whether it can neither shade nor darken itself.
        metal: parts that may be bare metal.
        glass: whether the body may be glass.
    """

    distance: Distance
    parts: Callable[[Array, Array, Array], Part]
    wrap: Callable[[Array, Array, Array], tuple[Array, Array]]
    hull: Array
    rests: tuple[tuple[Array, float], ...]
    convex: bool = False
    metal: tuple[int, ...] = ()
    glass: bool = False


UPRIGHT = np.eye(3, dtype=np.float32)
FLIPPED = np.diag([1, -1, -1]).astype(np.float32)


def tilted(degrees: float) -> Array:
    """A turn about the y axis: 90 lays the z axis down along x."""
    angle = math.radians(degrees)
    cosine, sine = math.cos(angle), math.sin(angle)
    return np.array([[cosine, 0, sine], [0, 1, 0], [-sine, 0, cosine]], np.float32)


def turned(degrees: float) -> Array:
    """A turn about the z axis."""
    angle = math.radians(degrees)
    cosine, sine = math.cos(angle), math.sin(angle)
    return np.array([[cosine, -sine, 0], [sine, cosine, 0], [0, 0, 1]], np.float32)


def one_part(x: Array, y: Array, z: Array) -> Part:
    return np.zeros(x.shape, np.uint8)


def cylindrical(size: float) -> Callable[[Array, Array, Array], tuple[Array, Array]]:
    return lambda x, y, z: (np.arctan2(y, x) * size, z)


def circles(rings: Sequence[tuple[float, float]]) -> Array:
    """Twenty points on each circle, given as (height, radius)."""
    angles = np.linspace(0, 2 * math.pi, 20, endpoint=False)
    # A regular polygon cuts its circle's corners; this many corners need 1.2 % to wrap it.
    circles = [
        np.stack([r * 1.012 * np.cos(angles), r * 1.012 * np.sin(angles), 0 * angles + z], 1)
        for z, r in rings
    ]
    return np.concatenate(circles).astype(np.float32)


def corners(
    half: tuple[float, float, float], middle: tuple[float, float, float] = (0, 0, 0)
) -> Array:
    signs = np.array([(x, y, z) for x in (-1, 1) for y in (-1, 1) for z in (-1, 1)], np.float32)
    return signs * np.array(half, np.float32) + np.array(middle, np.float32)
