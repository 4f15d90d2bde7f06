"""The table and the wall behind it, with flat prints that lie or hang there."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from random import Random

import cv2
import numpy as np
from numpy.typing import NDArray

from viewfinder.tabletop import materials
from viewfinder.tabletop.camera import Camera
from viewfinder.tabletop.materials import Finish
from viewfinder.tabletop.solids import Array

# What looks past both table and wall is this far away, in world units.
HORIZON = 60.0


@dataclass(frozen=True, eq=False)
class Print:
    """A flat picture on the table or the wall.

    Attributes:
        image: S×S×4; linear RGB times opacity, and opacity, all in [0, 1].
        on_wall: whether it hangs on the wall rather than lying on the table.
        middle: where its middle lies on that plane, in world units.
        half: half its side, in world units.
        angle: its turn on that plane, in radians.
    """

    image: Array
    on_wall: bool
    middle: tuple[float, float]
    half: float
    angle: float


@dataclass(frozen=True, eq=False)
class Backdrop:
    """The planes behind everything: the table z = 0 and an upright wall.

    Attributes:
        table: finish of the table.
        wall: finish of the wall.
        behind: how far behind the world's middle the wall stands, in world units.
        slant: the wall's turn about the vertical, in radians; 0 runs along x.
        prints: flat pictures, later ones upon earlier ones.
    """

    table: Finish
    wall: Finish
    behind: float
    slant: float
    prints: Sequence[Print] = field(default=())


@dataclass(frozen=True, eq=False)
class Planes:
    """What each of N pixels sees of a backdrop: distances t along rays, 3×N points and colours."""

    distance: Array
    points: Array
    on_wall: NDArray[np.bool_]
    albedo: Array
    normal: Array
    corner: Array


def backdrop(rng: Random, *, busy: float, prints: Sequence[Print] = ()) -> Backdrop:
    """A random table and wall; `busy` in [0, 1] is how strongly they are patterned."""
    return Backdrop(
        table=materials.surface(rng, busy=busy),
        wall=materials.surface(rng, busy=busy * 0.8),
        behind=rng.uniform(2.2, 6.0),
        slant=math.radians(rng.uniform(-25, 25)),
        prints=prints,
    )


def planes(scene: Backdrop, camera: Camera, rays: Array) -> Planes:
    """What rays from the camera meet of the backdrop."""
    sine, cosine = math.sin(scene.slant), math.cos(scene.slant)
    outward = np.array([sine, -cosine, 0], np.float32)
    height, gap = float(camera.position[2]), float(outward @ camera.position) + scene.behind
    with np.errstate(divide="ignore"):
        to_table = np.where(rays[2] < 0, -height / rays[2], HORIZON)
        towards = outward @ rays
        to_wall = np.where(towards < 0, -gap / towards, HORIZON)
    distance = np.minimum(np.minimum(to_table, to_wall), HORIZON).astype(np.float32)
    on_wall = to_wall < to_table
    points = camera.position[:, None] + rays * distance
    along = points[0] * cosine + points[1] * sine
    normal = np.where(on_wall, outward[:, None], np.array([[0], [0], [1]], np.float32))
    footprint = distance / camera.focal / np.maximum(-(rays * normal).sum(axis=0), 0.05)
    colours = _painted(scene, points, along, on_wall, footprint)
    # Light does not reach well into the corner where table and wall meet.
    apart = np.where(on_wall, points[2], outward @ points + scene.behind)
    corner = 1 - 0.45 * np.exp(np.maximum(apart, 0) * -2.5)
    return Planes(distance, points, on_wall, colours, normal, corner)


def _painted(
    scene: Backdrop, points: Array, along: Array, on_wall: NDArray[np.bool_], footprint: Array
) -> Array:
    colours = np.empty_like(points)
    for wall, finish in ((False, scene.table), (True, scene.wall)):
        here = np.flatnonzero(on_wall == wall)
        if not here.size:
            continue
        u, v = (along[here], points[2, here]) if wall else (points[0, here], points[1, here])
        ground = materials.albedo(finish, u, v, footprint[here])
        for sheet in scene.prints:
            if sheet.on_wall == wall:
                ground = _pasted(ground, sheet, u, v)
        colours[:, here] = ground
    return colours


def _pasted(ground: Array, sheet: Print, u: Array, v: Array) -> Array:
    """`ground` with a print upon it."""
    side = sheet.image.shape[0]
    cosine, sine = math.cos(sheet.angle), math.sin(sheet.angle)
    across, along = u - sheet.middle[0], v - sheet.middle[1]
    x = (across * cosine + along * sine) / sheet.half
    y = (along * cosine - across * sine) / sheet.half
    here = np.flatnonzero(np.maximum(np.abs(x), np.abs(y)) < 1)
    if not here.size:
        return ground
    place = np.clip((np.stack([x[here], -y[here]]) + 1) * (side / 2) - 0.5, 0, side - 1.01)
    taken = materials.sample(sheet.image, place[0], place[1]).T
    result = ground.copy()
    result[:, here] = ground[:, here] * (1 - taken[3]) + taken[:3]
    return result


def flat_shapes(rng: Random) -> Array:
    """A printed sheet: a few discs, bars and polygons upon nothing; S×S×4."""
    # Drawn at twice its size, since OpenCV smooths no edges in floating point.
    image = np.zeros((192, 192, 4), np.float32)
    for _ in range(rng.randint(1, 3)):
        ink = (*materials.colour(rng), 1.0)
        middle = (rng.randint(56, 136), rng.randint(56, 136))
        axes = (rng.randint(18, 52), rng.randint(18, 52))
        if rng.random() < 0.5:
            cv2.ellipse(image, middle, axes, rng.uniform(0, 180), 0, 360, ink, -1)
        else:
            turns = sorted(rng.uniform(0, 2 * math.pi) for _ in range(rng.randint(3, 6)))
            corners = [
                (middle[0] + axes[0] * math.cos(a), middle[1] + axes[0] * math.sin(a))
                for a in turns
            ]
            cv2.fillPoly(image, [np.array(corners, np.int32)], ink)
    small = cv2.resize(image, (96, 96), interpolation=cv2.INTER_AREA)
    return np.asarray(small * np.float32(rng.uniform(0.7, 1.0)), np.float32)
