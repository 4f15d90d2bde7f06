"""Where rays meet a shape, by sphere tracing, and how its surface lies there."""

import numpy as np

from viewfinder.tabletop.shape import Distance
from viewfinder.tabletop.solids import Array, clamp

# Enough for rays that graze a surface; most rays need a third of it.
STEPS = 56
# Rays are taken out of the march in batches, since taking them out costs as much as two steps.
STRIDE = 4
# A ray has arrived when it is this near, in pixels.
ARRIVED = 0.1


def slab(origin: Array, direction: Array, low: Array, high: Array) -> tuple[Array, Array]:
    """Where rays enter and leave the box from `low` to `high`; entering after leaving is a miss."""
    with np.errstate(divide="ignore", invalid="ignore"):
        inverse = 1 / direction
        one, two = (low[:, None] - origin) * inverse, (high[:, None] - origin) * inverse
    enter = np.fmin(one, two).max(axis=0)
    leave = np.fmax(one, two).min(axis=0)
    return np.maximum(enter, 0), leave


def march(
    distance: Distance,
    origin: Array,
    direction: Array,
    near: Array,
    far: Array,
    *,
    spread: float,
    width: float,
) -> tuple[Array, Array]:
    """Follow rays between `near` and `far`.

    A ray is as wide as a pixel: `width + spread · t` at distance t. Returns, for each ray, the
    distance at which it came nearest to the surface, and how near that was in pixels; below
    ARRIVED it has met the surface, and up to one pixel it grazes it.
    """
    count = direction.shape[1]
    best, gap = near.copy(), np.full(count, np.inf, np.float32)
    alive = np.arange(count)
    starts = np.broadcast_to(origin, direction.shape)
    t, to = near.copy(), far
    found, least = best.copy(), gap.copy()
    for step in range(1, STEPS + 1):
        reached = distance(*(starts + direction * t))
        pixels = reached / (width + spread * t)
        closer = pixels < least
        found = np.where(closer, t, found)
        least = np.minimum(least, pixels)
        t = t + reached
        if step % STRIDE and step != STEPS:
            continue
        best[alive], gap[alive] = found, least
        keep = np.flatnonzero((least > ARRIVED) & (t < to))
        if not keep.size:
            break
        alive, starts, direction = alive[keep], starts[:, keep], direction[:, keep]
        t, to, found, least = t[keep], to[keep], found[keep], least[keep]
    return best, gap


def normals(distance: Distance, points: Array, reach: float) -> Array:
    """Unit normals at 3×N points, from four samples `reach` away: a tetrahedron's corners."""
    x, y, z = points
    a = distance(x + reach, y - reach, z - reach)
    b = distance(x - reach, y - reach, z + reach)
    c = distance(x - reach, y + reach, z - reach)
    d = distance(x + reach, y + reach, z + reach)
    slope = np.stack([a - b - c + d, c - a - b + d, b - a - c + d])
    length: Array = np.sqrt((slope * slope).sum(axis=0))
    return slope / np.maximum(length, 1e-12)


def openness(distance: Distance, points: Array, normal: Array) -> Array:
    """How much of its surroundings each surface point sees, 0 to 1: less in corners and hollows."""
    blocked: Array = np.zeros(points.shape[1], np.float32)
    for reach, weight in ((0.08, 1.2), (0.24, 1.0), (0.5, 0.5)):
        blocked += weight * np.maximum(1 - distance(*(points + normal * reach)) / reach, 0)
    return clamp(1 - 0.55 * blocked, 0, 1)


def lit(distance: Distance, points: Array, normal: Array, light: Array) -> Array:
    """How much of a wide light each surface point sees past its own shape, 0 to 1."""
    seen = np.ones(points.shape[1], np.float32)
    for reach in (0.07, 0.16, 0.32, 0.56, 0.9):
        clear = distance(*(points + normal * 0.02 + light[:, None] * reach))
        # A light about ten degrees wide: half hidden when grazed, wholly when an eighth inside.
        seen = np.minimum(seen, 0.5 + 4 * clear / reach)
    return clamp(seen, 0, 1)
