"""Things on a table, seen by a camera: traced one by one, and put together by distance."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from viewfinder.tabletop import lighting, materials, tracing
from viewfinder.tabletop.backdrop import Backdrop, Planes, planes
from viewfinder.tabletop.camera import Camera
from viewfinder.tabletop.lighting import Light, Shadow
from viewfinder.tabletop.shape import BODY
from viewfinder.tabletop.solids import Array, clamp
from viewfinder.tabletop.things import Fragment, Thing, cast, trace

# How far a thing darkens the table around its foot, in the thing's own units.
CONTACT = 0.45
# Pixels of the backdrop painted at a time: what they need then fits into a core's own cache.
BAND = 8192


@dataclass(frozen=True, eq=False)
class Rendering:
    """A picture before it passes a lens, and its truth.

    Attributes:
        colour: H×W×3 linear light.
        depth: H×W distance in front of the camera, in world units.
        owner: H×W; `i + 1` where thing `i` is seen, 0 where none is.
        whole: pixels that each thing would cover if nothing hid it, outside the picture too.
    """

    colour: Array
    depth: Array
    owner: NDArray[np.uint16]
    whole: tuple[int, ...]


def render(
    camera: Camera, scene: Backdrop, light: Light, things: Sequence[Thing], *, beyond: int = 0
) -> Rendering:
    """Render things before a backdrop.

    `beyond` is how many pixels outside the picture count towards a thing's whole.
    """
    size = camera.size
    fragments = [trace(thing, camera, beyond=beyond) for thing in things]
    shadows = [cast(thing, light) for thing in things]
    whole = tuple(0 if f is None else int((f.cover >= 0.5).sum()) for f in fragments)
    colour, distance, depth = _empty(camera, scene, light, things, shadows)
    shown: list[tuple[int, Fragment]] = []
    for i, fragment in enumerate(fragments):
        if fragment is not None:
            inside = (np.minimum(fragment.columns, fragment.rows) >= 0) & (
                np.maximum(fragment.columns, fragment.rows) < size
            )
            shown.append((i, fragment.only(inside)))
    opaque, nearest = distance.copy(), distance.copy()
    owner = np.zeros(size * size, np.uint16)
    for i, f in shown:
        at = f.rows * size + f.columns
        owns = (f.cover >= 0.5) & (f.distance < nearest[at])
        nearest[at[owns]], owner[at[owns]] = f.distance[owns], i + 1
        depth[at[owns]] = f.distance[owns] * (camera.axes[2] @ f.rays[:, owns])
        if not things[i].clear():
            hides = (f.cover > 0.99) & (f.distance < opaque[at])
            opaque[at[hides]] = f.distance[hides]
    # The farthest first, so that nearer edges blend with what is behind them.
    shown.sort(key=lambda pair: -float(np.mean(pair[1].distance)) if pair[1].distance.size else 0.0)
    for i, f in shown:
        visible = f.only(f.distance <= opaque[f.rows * size + f.columns] + 1e-4)
        if visible.distance.size:
            at = visible.rows * size + visible.columns
            others = [(things[j], shadows[j]) for j in range(len(things)) if j != i]
            lit, cover = _shaded(things[i], visible, camera, light, others)
            colour[:, at] += (lit - colour[:, at]) * cover
    return Rendering(
        colour=np.ascontiguousarray(colour.T).reshape(size, size, 3),
        depth=depth.reshape(size, size),
        owner=owner.reshape(size, size),
        whole=whole,
    )


def _shaded(
    thing: Thing, f: Fragment, camera: Camera, light: Light, others: Sequence[tuple[Thing, Shadow]]
) -> tuple[Array, Array]:
    """Linear RGB (3×N) of a fragment, and how opaque each pixel is."""
    points = camera.position[:, None] + f.rays * f.distance
    local = thing.inwards(points)
    footprint = f.distance * (1 / camera.focal / thing.scale)
    shape = thing.shape
    # Samples a pixel away, so that an edge finer than a pixel glints evenly and not in dots.
    reach = max(float(footprint.mean()), 1e-3)
    inner = tracing.normals(shape.distance, local, reach)
    normal = thing.turn @ inner
    lit = np.ones(f.distance.size, np.float32)
    # The table below closes off the lower half of what a point near it sees.
    openness = 1 - 0.35 * np.exp(points[2] * (-3 / thing.scale)) * (0.5 - 0.5 * normal[2])
    if not shape.convex:
        towards = thing.turn.T @ light.towards
        openness *= tracing.openness(shape.distance, local, inner)
        lit *= tracing.lit(shape.distance, local, inner, towards)
    low, high = points.min(axis=1), points.max(axis=1)
    for other, shadow in others:
        if _falls(shadow, low, high, light):
            lit *= 1 - lighting.shadowed(light, shadow, points)
        if _beside(other, low, high):
            openness *= 1 - _closed(other, points) * (0.5 + 0.5 * normal[2])
    parts = shape.parts(*local)
    u, v = shape.wrap(*local)
    colour, cover = np.empty_like(points), f.cover
    for part, finish in enumerate(thing.finishes):
        here = np.flatnonzero(parts == part)
        if not here.size:
            continue
        paint = materials.albedo(finish, u[here], v[here], footprint[here])
        colour[:, here] = lighting.shade(
            paint, finish, normal[:, here], f.rays[:, here], lit[here], openness[here], light
        )
    if thing.clear():
        facing = np.abs((f.rays * normal).sum(axis=0))
        passing = thing.clear() * facing * (parts == BODY)
        # Highlights on glass do not become fainter by what lies behind it.
        passing = passing * clamp(1.4 - colour.max(axis=0), 0, 1)
        cover = cover * (1 - passing)
    return colour, cover


def _closed(thing: Thing, points: Array) -> Array:
    """How much of what 3×N points see is shut out by a thing beside them, 0 to 1."""
    apart = np.maximum(thing.shape.distance(*thing.inwards(points)), 0)
    near = np.maximum(1 - apart * (1 / CONTACT), 0)
    return near * near * (0.65 * (1 - 0.5 * thing.clear()))


def _beside(thing: Thing, low: Array, high: Array) -> bool:
    """Whether a thing may shut out anything of what is seen between `low` and `high`."""
    reach = CONTACT * thing.scale
    lowest, highest = thing.bounds
    return bool((high > lowest - reach).all() and (low < highest + reach).all())


def _falls(shadow: Shadow, low: Array, high: Array, light: Light) -> bool:
    """Whether a shadow may fall between `low` and `high`."""
    apart = (low + high) / 2 - shadow.middle
    radius = float(np.sqrt(((high - low) ** 2).sum())) / 2
    if float(light.towards @ apart) > radius + shadow.reach:
        return False
    aside = shadow.axes @ apart
    return float(np.sqrt(aside @ aside)) < radius + 1.42 * shadow.reach


def _empty(
    camera: Camera,
    scene: Backdrop,
    light: Light,
    things: Sequence[Thing],
    shadows: Sequence[Shadow],
) -> tuple[Array, Array, Array]:
    """Linear RGB (3×N) of the backdrop with the shadows upon it, its distance, and its depth."""
    size = camera.size
    colour = np.empty((3, size * size), np.float32)
    distance, depth = np.empty((2, size * size), np.float32)
    reached = [_reached(thing, camera, light) for thing in things]
    band = max(BAND // size, 1)
    for top in range(0, size, band):
        bottom = min(top + band, size)
        rows, columns = np.mgrid[top:bottom, :size].reshape(2, -1).astype(np.float32)
        rays = camera.rays(columns, rows)
        seen = planes(scene, camera, rays)
        lit, openness = np.ones_like(seen.distance), seen.corner
        for thing, shadow, (left, first, right, last) in zip(things, shadows, reached, strict=True):
            first, last = max(first, top), min(last, bottom)
            if first >= last or left >= right:
                continue
            within = np.mgrid[first - top : last - top, left:right].reshape(2, -1)
            at = within[0] * size + within[1]
            points = seen.points[:, at]
            lit[at] *= 1 - lighting.shadowed(light, shadow, points)
            openness[at] *= 1 - _closed(thing, points)
        here = slice(top * size, bottom * size)
        colour[:, here] = _lit_planes(scene, seen, rays, lit, openness, light)
        distance[here] = seen.distance
        depth[here] = seen.distance * (camera.axes[2] @ rays)
    return colour, distance, depth


def _lit_planes(
    scene: Backdrop, seen: Planes, rays: Array, lit: Array, openness: Array, light: Light
) -> Array:
    # Where a thing shuts out the sky it shuts out part of a wide light, too.
    lit = lit * (0.4 + 0.6 * openness)
    colour = np.empty_like(seen.albedo)
    for wall, finish in ((False, scene.table), (True, scene.wall)):
        here = np.flatnonzero(seen.on_wall == wall)
        if here.size:
            colour[:, here] = lighting.shade(
                seen.albedo[:, here],
                finish,
                seen.normal[:, here],
                rays[:, here],
                lit[here],
                openness[here],
                light,
            )
    return colour


def _reached(thing: Thing, camera: Camera, light: Light) -> tuple[int, int, int, int]:
    """Left, top, right and bottom of the pixels where a thing's shadow and darkening may fall."""
    hull = thing.hull
    fallen = hull - light.towards * (hull[:, 2:] / light.towards[2])
    pixels, forward = camera.project(np.concatenate([hull, fallen]))
    # Shadows blur outwards as they fall, and the foot darkens its surroundings.
    blur = light.softness * 1.5 + CONTACT * thing.scale
    margin = np.ceil(blur * camera.focal / max(float(forward.min()), 0.5))
    low = clamp(np.floor(pixels.min(axis=0) - margin), 0, camera.size)
    high = clamp(np.ceil(pixels.max(axis=0) + margin), 0, camera.size)
    return int(low[0]), int(low[1]), int(high[0]), int(high[1])
