"""Things: painted shapes in their places, traced from a camera and from the light."""

import functools
from dataclasses import dataclass
from random import Random

import numpy as np
from numpy.typing import NDArray

from viewfinder.tabletop import lighting, materials, tracing
from viewfinder.tabletop.camera import Camera
from viewfinder.tabletop.lighting import Light, Shadow
from viewfinder.tabletop.materials import Finish
from viewfinder.tabletop.shape import BODY, Shape, turned
from viewfinder.tabletop.solids import Array, clamp

# Samples across a thing's outline as the light sees it; shadows are soft, so few are enough.
OUTLINE = 40


@dataclass(frozen=True, eq=False)
class Thing:
    """A painted shape in its place.

    Attributes:
        finishes: one finish for each of the shape's parts.
        turn: 3×3, from the shape's axes to the world's.
        position: world coordinates of the shape's origin.
        scale: world units per unit of the shape.
        label: index of its class, or -1 for what has none.
    """

    shape: Shape
    finishes: tuple[Finish, Finish, Finish]
    turn: Array
    position: Array
    scale: float
    label: int

    @functools.cached_property
    def hull(self) -> Array:
        """World coordinates of the shape's hull: K×3."""
        return (self.shape.hull @ self.turn.T) * self.scale + self.position

    @functools.cached_property
    def bounds(self) -> tuple[Array, Array]:
        """The lowest and the highest world coordinates of the hull."""
        return self.hull.min(axis=0), self.hull.max(axis=0)

    def inwards(self, points: Array) -> Array:
        """3×N world points in the shape's coordinates."""
        return (self.turn.T @ (points - self.position[:, None])) * (1 / self.scale)

    def clear(self) -> float:
        return self.finishes[BODY].clear


@dataclass(frozen=True, eq=False)
class Fragment:
    """What a camera would see of one thing if nothing else were there; N pixels.

    Attributes:
        columns: pixel columns, which may lie outside the picture.
        rows: pixel rows, likewise.
        cover: share of each pixel that the thing covers, 0 to 1.
        distance: world distance from the pinhole.
        rays: 3×N unit directions.
    """

    columns: NDArray[np.intp]
    rows: NDArray[np.intp]
    cover: Array
    distance: Array
    rays: Array

    def only(self, keep: NDArray[np.bool_] | NDArray[np.intp]) -> "Fragment":
        """The pixels that `keep` selects."""
        return Fragment(
            self.columns[keep],
            self.rows[keep],
            self.cover[keep],
            self.distance[keep],
            self.rays[:, keep],
        )


def furnish(
    shape: Shape,
    rng: Random,
    *,
    label: int,
    size: float,
    yaw: float,
    spot: tuple[float, float] = (0.0, 0.0),
    variety: float = 1.0,
) -> Thing:
    """Paint a shape and rest it on the table, its hull reaching `size` world units from its middle.

    `variety` in [0, 1] is the chance of a pattern, and of any but its commonest way to lie.
    """
    ways, weights = zip(*shape.rests, strict=True)
    rest = rng.choices(ways, weights)[0] if rng.random() < variety else ways[0]
    turn = turned(yaw) @ rest
    scale = size / float(np.sqrt((shape.hull * shape.hull).sum(axis=1).max()))
    low = float((shape.hull @ turn.T)[:, 2].min()) * scale
    glassy = shape.glass and rng.random() < 0.75
    body = materials.glass(rng) if glassy else materials.body(rng, variety=variety)
    second = rng.random()
    if shape.metal and second < 0.7:
        other = materials.metal(rng)
    else:
        other = materials.plain(rng, like=body if second < 0.35 else None)
    return Thing(
        shape=shape,
        finishes=(body, other, materials.plain(rng)),
        turn=turn.astype(np.float32),
        position=np.array([*spot, -low], np.float32),
        scale=scale,
        label=label,
    )


def trace(thing: Thing, camera: Camera, *, beyond: int = 0) -> Fragment | None:
    """What `camera` sees of `thing` within `beyond` pixels of the picture; None if nothing."""
    pixels, forward = camera.project(thing.hull)
    if forward.min() < 0.3:
        return None
    low = np.maximum(np.floor(pixels.min(axis=0)) - 1, -beyond)
    high = np.minimum(np.ceil(pixels.max(axis=0)) + 1, camera.size + beyond)
    if (high <= low).any():
        return None
    rows, columns = np.mgrid[int(low[1]) : int(high[1]), int(low[0]) : int(high[0])].reshape(2, -1)
    rays = camera.rays(columns.astype(np.float32), rows.astype(np.float32))
    origin, direction = thing.inwards(camera.position[:, None]), thing.turn.T @ rays
    pad = 2 / camera.focal * float(forward.max()) / thing.scale
    bounds = thing.shape.hull.min(axis=0) - pad, thing.shape.hull.max(axis=0) + pad
    near, far = tracing.slab(origin, direction, *bounds)
    met = np.flatnonzero(near < far)
    t, gap = tracing.march(
        thing.shape.distance,
        origin,
        direction[:, met],
        near[met],
        far[met],
        spread=1 / camera.focal,
        width=0,
    )
    cover = clamp(1 + tracing.ARRIVED - gap, 0, 1)
    seen = cover > 0
    if not seen.any():
        return None
    met = met[seen]
    return Fragment(columns[met], rows[met], cover[seen], t[seen] * thing.scale, rays[:, met])


def cast(thing: Thing, light: Light) -> Shadow:
    """The shadow of a thing."""
    middle = (thing.bounds[0] + thing.bounds[1]) / 2
    radius = float(np.sqrt(((thing.hull - middle) ** 2).sum(axis=1).max()))
    # Room around the outline for its blur.
    reach = radius * 1.1 + light.softness * lighting.FAR * 0.8
    steps = (np.arange(OUTLINE, dtype=np.float32) + 0.5) * (2 * reach / OUTLINE) - reach
    v, u = np.meshgrid(steps, steps, indexing="ij")
    axes = lighting.across(light.towards)
    start = (
        middle[:, None]
        + light.towards[:, None] * radius
        + axes.T @ np.stack([u.ravel(), v.ravel()])
    )
    origin = thing.inwards(start)
    direction = np.broadcast_to((-(thing.turn.T @ light.towards))[:, None], origin.shape)
    bounds = thing.shape.hull.min(axis=0) - 0.02, thing.shape.hull.max(axis=0) + 0.02
    near, far = tracing.slab(origin, direction, *bounds)
    met = np.flatnonzero(near < far)
    t, gap = tracing.march(
        thing.shape.distance,
        origin[:, met],
        direction[:, met],
        near[met],
        far[met],
        spread=0,
        width=2 * reach / OUTLINE / thing.scale,
    )
    outline, top = np.zeros((2, OUTLINE * OUTLINE), np.float32)
    # A ray that grazes at half a sample's width half belongs to the outline.
    outline[met] = clamp(1 - gap, 0, 1)
    top[met] = radius - t * thing.scale
    side = (OUTLINE, OUTLINE)
    dense = 1 - 0.6 * thing.clear()
    return lighting.shadow(outline.reshape(side), top.reshape(side), dense, middle, reach, light)
