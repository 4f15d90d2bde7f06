"""Things of no class, which stand about and hide others."""

import math
from collections.abc import Callable
from random import Random

import numpy as np

from viewfinder.tabletop import solids
from viewfinder.tabletop.shape import UPRIGHT, Shape, circles, corners, one_part, tilted
from viewfinder.tabletop.solids import Array


def pebble(rng: Random) -> Shape:
    """A flat stone."""
    flat, long = rng.uniform(0.35, 0.6), rng.uniform(0.55, 0.8)

    def distance(x: Array, y: Array, z: Array) -> Array:
        # The length of the stretched vector, made safe by the smallest stretch.
        a, b = y * (1 / long), z * (1 / flat)
        return (np.sqrt(x * x + a * a + b * b) - 1) * flat

    levels = [(math.sin(a) * flat * 1.01, math.cos(a) * 1.01) for a in np.linspace(-1.55, 1.55, 9)]
    return Shape(
        distance=distance,
        parts=one_part,
        wrap=lambda x, y, z: (x, y),
        hull=circles(levels) * np.array([1, long, 1], np.float32),
        rests=((UPRIGHT, 1.0),),
        convex=True,
    )


def pencil(rng: Random) -> Shape:
    """A pencil or crayon, with a point."""
    thick, half, tip = rng.uniform(0.05, 0.1), 0.8, 0.2

    def distance(x: Array, y: Array, z: Array) -> Array:
        rho = solids.radius(x, y)
        shaft = solids.cylinder(rho, z, thick, half, 0.01)
        return np.minimum(shaft, solids.cone(rho, z - half - tip, thick, 0.01, tip, 0.02))

    return Shape(
        distance=distance,
        parts=lambda x, y, z: (z > half).astype(np.uint8),
        wrap=lambda x, y, z: (y, z),
        hull=circles([(-half, thick), (half, thick), (half + 2 * tip, 0.01)]),
        rests=((tilted(90), 0.8), (tilted(78), 0.2)),
        convex=True,
    )


def book(rng: Random) -> Shape:
    """A book: a cover around a block of pages."""
    half = (rng.uniform(0.55, 0.75), 0.85, rng.uniform(0.08, 0.16))
    pages = (half[0] - 0.02, half[1] - 0.05, half[2] - 0.03)

    def distance(x: Array, y: Array, z: Array) -> Array:
        cover = solids.box(x, y, z, half, 0.015)
        gap = solids.box(x - 0.06, y, z, (half[0], half[1] + 0.1, pages[2]), 0.005)
        return np.minimum(np.maximum(cover, -gap), solids.box(x, y, z, pages, 0.01))

    return Shape(
        distance=distance,
        parts=lambda x, y, z: ((np.abs(z) < pages[2] - 0.004) & (x > 0.06 - half[0])).astype(
            np.uint8
        ),
        wrap=lambda x, y, z: (x, y),
        hull=corners(half),
        rests=((UPRIGHT, 0.8), (tilted(90), 0.2)),
    )


def wedge(rng: Random) -> Shape:
    """A door wedge."""
    half_x, half_y, half_z = 0.9, rng.uniform(0.3, 0.5), rng.uniform(0.25, 0.4)
    slope = half_z / half_x

    def distance(x: Array, y: Array, z: Array) -> Array:
        block = solids.box(x, y, z, (half_x, half_y, half_z), 0.02)
        return solids.smooth_maximum(block, (z - slope * x) * (1 / np.hypot(1.0, slope)), 0.03)

    return Shape(
        distance=distance,
        parts=one_part,
        wrap=lambda x, y, z: (x, y),
        hull=corners((half_x, half_y, half_z)),
        rests=((UPRIGHT, 1.0),),
        convex=True,
    )


BUILDERS: tuple[Callable[[Random], Shape], ...] = (pebble, pencil, book, wedge)
