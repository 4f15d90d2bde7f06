"""The eight kinds of objects, as signed distances with random proportions."""

import math
from collections.abc import Callable
from random import Random

import numpy as np

from viewfinder.tabletop import solids
from viewfinder.tabletop.shape import (
    BODY,
    FLIPPED,
    SECOND,
    THIRD,
    UPRIGHT,
    Part,
    Shape,
    circles,
    corners,
    cylindrical,
    one_part,
    tilted,
    turned,
)
from viewfinder.tabletop.solids import Array


def ball(rng: Random) -> Shape:
    """A ball, painted along a tilted axis."""
    axis = turned(rng.uniform(0, 360)) @ tilted(rng.uniform(0, 90))

    def wrap(x: Array, y: Array, z: Array) -> tuple[Array, Array]:
        a, b, c = axis @ np.stack([x, y, z])
        return np.arctan2(b, a), np.arcsin(solids.clamp(c, -1, 1))

    return Shape(
        distance=lambda x, y, z: solids.ball(x, y, z, 1.0),
        parts=one_part,
        wrap=wrap,
        hull=circles([(-1, 0.05), (-0.8, 0.65), (-0.4, 0.98), (0.4, 0.98), (0.8, 0.65), (1, 0.05)]),
        rests=((UPRIGHT, 1.0),),
        convex=True,
    )


def box(rng: Random) -> Shape:
    """A cardboard or product box of any proportions but flat."""
    half = (rng.uniform(0.35, 1.0), rng.uniform(0.35, 1.0), rng.uniform(0.4, 1.0))
    rounding = rng.uniform(0.015, 0.06)

    def wrap(x: Array, y: Array, z: Array) -> tuple[Array, Array]:
        faces = np.stack([np.abs(x) / half[0], np.abs(y) / half[1], np.abs(z) / half[2]])
        face = faces.argmax(axis=0)
        return np.where(face == 0, y, x), np.where(face == 2, y, z)

    return Shape(
        distance=lambda x, y, z: solids.box(x, y, z, half, rounding),
        parts=one_part,
        wrap=wrap,
        hull=corners(half),
        rests=((UPRIGHT, 1.0), (tilted(90), 0.5)),
        convex=True,
    )


def can(rng: Random) -> Shape:
    """A drinks or food can: a printed side, shoulders, and metal lids sunk within their rims."""
    size, half = 0.55, rng.uniform(0.68, 1.05)
    shoulder, bead = rng.uniform(0.05, 0.1), 0.028
    lid = size - shoulder

    def distance(x: Array, y: Array, z: Array) -> Array:
        rho = solids.radius(x, y)
        end = np.abs(z) - half
        body = solids.smooth_maximum(rho - size, end, 0.03)
        body = solids.smooth_maximum(body, (rho + end - lid) * math.sqrt(0.5), 0.04)
        sunk = solids.cylinder(rho, end, lid - bead, 0.07, 0.02)
        rim = solids.torus(rho, end, lid - bead / 2, bead)
        return np.minimum(np.maximum(body, -sunk), rim)

    def parts(x: Array, y: Array, z: Array) -> Part:
        ends = (np.abs(z) > half - 0.6 * shoulder) | (solids.radius(x, y) < lid)
        return np.where(ends, SECOND, BODY).astype(np.uint8)

    return Shape(
        distance=distance,
        parts=parts,
        wrap=cylindrical(size),
        hull=circles(
            [
                (-half - bead, lid),
                (shoulder - half, size),
                (half - shoulder, size),
                (half + bead, lid),
            ]
        ),
        rests=((UPRIGHT, 0.65), (tilted(90), 0.35)),
        metal=(SECOND,),
    )


def cone(rng: Random) -> Shape:
    """A cone, plain or on a square foot like those of a road works."""
    bottom, top, half = rng.uniform(0.46, 0.62), rng.uniform(0.03, 0.1), rng.uniform(0.7, 0.95)
    foot = bottom * rng.uniform(1.2, 1.4) if rng.random() < 0.6 else 0.0
    thick = 0.06

    def distance(x: Array, y: Array, z: Array) -> Array:
        body = solids.cone(solids.radius(x, y), z, bottom, top, half, 0.05)
        if not foot:
            return body
        plate = solids.box(x, y, z + half, (foot, foot, thick), 0.03)
        return solids.smooth_minimum(body, plate, 0.04)

    def parts(x: Array, y: Array, z: Array) -> Part:
        on_foot = (z < thick - half + 0.01) & (foot > 0)
        return np.where(on_foot, SECOND, BODY).astype(np.uint8)

    lean = math.degrees(math.atan2(bottom - top, 2 * half))
    rests = [(UPRIGHT, 0.75)]
    hull = circles([(-half, bottom), (half, top)])
    if foot:
        hull = np.concatenate([hull, corners((foot, foot, thick), (0, 0, -half))])
        lean = math.degrees(math.atan2(foot - top, 2 * half))
    rests.append((tilted(90 + lean), 0.25))
    return Shape(
        distance=distance,
        parts=parts,
        wrap=cylindrical(bottom * 0.7),
        hull=hull,
        rests=tuple(rests),
        convex=not foot,
    )


def ring(rng: Random) -> Shape:
    """A ring, thin as a bangle or fat as a tyre, lying or standing."""
    size, tube = 0.75, rng.uniform(0.13, 0.28)

    def wrap(x: Array, y: Array, z: Array) -> tuple[Array, Array]:
        around = np.arctan2(y, x) * size
        return around, np.arctan2(z, solids.radius(x, y) - size) * tube

    return Shape(
        distance=lambda x, y, z: solids.torus(solids.radius(x, y), z, size, tube),
        parts=one_part,
        wrap=wrap,
        hull=circles(
            [
                (-tube, size),
                (-tube * 0.7, size + tube * 0.72),
                (tube * 0.7, size + tube * 0.72),
                (tube, size),
                (0, size + tube),
            ]
        ),
        rests=((UPRIGHT, 0.6), (tilted(90), 0.4)),
    )


def mug(rng: Random) -> Shape:
    """A mug: hollow, with a handle that points along x."""
    size, half, wall = 0.6, rng.uniform(0.55, 0.85), rng.uniform(0.05, 0.08)
    taper = rng.uniform(-0.02, 0.16)
    reach, tube = rng.uniform(0.24, 0.32), rng.uniform(0.065, 0.09)
    stretch = max(half - reach - 0.22, 0.0) * rng.uniform(0.5, 1.0)
    # Leaning the side is a shear, which stretches lengths by up to this.
    steep = (abs(taper) + math.sqrt(taper * taper + 4)) / 2
    middle = size + 0.04

    def distance(x: Array, y: Array, z: Array) -> Array:
        rho = solids.radius(x, y)
        straight = rho - taper * z
        outside = solids.cylinder(straight, z, size, half, 0.045)
        # The hollow reaches up through the brim and stops a wall's thickness above the bottom.
        hollow = solids.cylinder(straight, z - 2 * wall, size - wall, half, 0.09)
        cup = solids.smooth_maximum(outside, -hollow, 0.04)
        up = z - solids.clamp(z, -stretch, stretch)
        loop = solids.radius(solids.radius(x - middle, up) - reach, y) - tube
        handle = np.maximum(loop, (size - wall / 2) - straight)
        return solids.smooth_minimum(cup, handle, 0.05) * (1 / steep)

    def parts(x: Array, y: Array, z: Array) -> Part:
        rho = solids.radius(x, y) - taper * z
        inside = (rho < size - wall / 2) & (z > 2 * wall - half)
        # A handle in the colour of the inside is a common way to glaze.
        return np.where(inside, SECOND, BODY).astype(np.uint8)

    brim, foot = size + taper * half, size - taper * half
    tip = middle + reach + tube
    loop = [(tip, y, z) for y in (-tube, tube) for z in (-stretch - reach / 2, stretch + reach / 2)]
    return Shape(
        distance=distance,
        parts=parts,
        wrap=cylindrical(size),
        hull=np.concatenate([circles([(-half, foot), (half, brim)]), np.array(loop, np.float32)]),
        rests=(
            (UPRIGHT, 0.4),
            (turned(180), 0.4),
            (turned(rng.uniform(-120, -60)) @ tilted(90) @ turned(rng.uniform(80, 150)), 0.12),
            (FLIPPED, 0.08),
        ),
    )


def bulb(rng: Random) -> Shape:
    """A light bulb: a pear of glass narrowing to a threaded cap of metal."""
    large, small = rng.uniform(0.52, 0.66), rng.uniform(0.23, 0.3)
    gap = (large - small) * rng.uniform(1.5, 2.6)
    cap, pitch = rng.uniform(0.2, 0.25), rng.uniform(0.1, 0.14)
    low = -gap - small * 0.4

    def distance(x: Array, y: Array, z: Array) -> Array:
        rho = solids.radius(x, y)
        glass = solids.drop(rho, z, large, small * 0.96, gap)
        thread = rho - 0.022 * np.sin(z * (2 * math.pi / pitch))
        # A sine of this height and pitch steepens the distance by up to two thirds.
        metal = solids.cylinder(thread, z - (low - 0.22), cap, 0.24, 0.05) * 0.6
        tip = solids.cone(rho, -z + (low - 0.52), 0.08, cap * 0.85, 0.08, 0.04)
        return np.minimum(solids.smooth_minimum(glass, metal, 0.03), tip)

    def parts(x: Array, y: Array, z: Array) -> Part:
        return np.where(z < low, SECOND, BODY).astype(np.uint8)

    # Lying, it touches the table with its glass and the end of its cap.
    end = low - 0.46
    lean = math.degrees(math.asin((large - cap) / -end))
    rings = [
        (large, 0.1),
        (large * 0.8, large * 0.62),
        (0, large),
        (-gap * 0.5, (large + small) * 0.52),
    ]
    rings += [(low, cap + 0.03), (end, cap + 0.02), (low - 0.61, 0.1)]
    return Shape(
        distance=distance,
        parts=parts,
        wrap=cylindrical(large),
        hull=circles([*rings, (-large * 0.5, large * 0.87), (large * 0.5, large * 0.87)]),
        rests=(
            (tilted(90 - lean), 0.3),
            (turned(180) @ tilted(90 - lean), 0.3),
            (UPRIGHT, 0.25),
            (FLIPPED, 0.15),
        ),
        metal=(SECOND,),
        glass=True,
    )


def switch(rng: Random) -> Shape:
    """A wall switch: a plate with one or two raised rockers, each tipped to a side."""
    half_x, half_y = 0.78, 0.78 * rng.choice([1.0, 1.0, 1.25])
    thick = rng.uniform(0.08, 0.18)
    double = rng.random() < 0.35
    width = half_x * (0.27 if double else rng.uniform(0.34, 0.58))
    shift = half_x * 0.31 if double else 0.0
    height = half_y * rng.uniform(0.5, 0.66)
    tip = math.radians(rng.uniform(9, 15)) * rng.choice([-1, 1])
    cosine, sine = math.cos(tip), math.sin(tip)
    twisted = double and rng.random() < 0.5

    def rocker(x: Array, y: Array, z: Array) -> tuple[Array, Array]:
        side = np.where(x < 0, -sine, sine) if twisted else sine
        across = np.abs(x) - shift if double else x
        along, up = y * cosine + (z - thick) * side, (z - thick) * cosine - y * side
        return solids.box(across, along, up, (width, height, 0.11), 0.025), along

    def plate(x: Array, y: Array, z: Array) -> Array:
        slab = solids.box(x, y, z, (half_x, half_y, thick), 0.05)
        across = np.abs(x) - shift if double else x
        well = solids.box(across, y, z - thick, (width + 0.04, height + 0.04, 0.06), 0.01)
        return np.maximum(slab, -well)

    def parts(x: Array, y: Array, z: Array) -> Part:
        near, along = rocker(x, y, z)
        on_rocker = near < plate(x, y, z)
        across = np.abs(x) - shift if double else x
        mark = (np.abs(across) < 0.035) & (np.abs(along - 0.62 * height) < 0.1)
        return np.where(on_rocker, np.where(mark, THIRD, SECOND), BODY).astype(np.uint8)

    return Shape(
        distance=lambda x, y, z: np.minimum(plate(x, y, z), rocker(x, y, z)[0]),
        parts=parts,
        wrap=lambda x, y, z: (x, y),
        hull=np.concatenate(
            [
                corners((half_x, half_y, thick)),
                corners((shift + width, height, 0.21), (0, 0, thick)),
            ]
        ),
        rests=((UPRIGHT, 0.6), (turned(90) @ tilted(-78) @ turned(-90), 0.4)),
    )


CLASSES: tuple[str, ...] = ("ball", "box", "can", "cone", "ring", "mug", "bulb", "switch")
BUILDERS: tuple[Callable[[Random], Shape], ...] = (ball, box, can, cone, ring, mug, bulb, switch)
