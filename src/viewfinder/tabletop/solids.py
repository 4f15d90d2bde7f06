"""Signed distances to simple solids, from which every shape is put together.

A signed distance is negative inside and positive outside, and grows by at most one per unit of
length; sums, minima and smooth minima of such functions keep that promise, so a ray may always
step as far as the distance says (Hart, "Sphere tracing", 1996). All arguments are float32 arrays
of one shape or plain floats; lengths are in the shape's own units.
"""

import math

import numpy as np
from numpy.typing import NDArray

# Always of float32, which numpy's types lose on meeting a plain float.
Array = NDArray[np.floating]


def clamp(values: Array, low: float, high: float) -> Array:
    """`values`, but none below `low` or above `high`."""
    within: Array = np.minimum(np.maximum(values, low), high)
    return within


def smooth_minimum(a: Array, b: Array, width: float) -> Array:
    """The union of two solids, their joint rounded over about `width`."""
    overlap = np.maximum(width - np.abs(a - b), 0)
    return np.minimum(a, b) - overlap * overlap * (0.25 / width)


def smooth_maximum(a: Array, b: Array, width: float) -> Array:
    """The part common to two solids, its edge rounded over about `width`."""
    overlap = np.maximum(width - np.abs(a - b), 0)
    return np.maximum(a, b) + overlap * overlap * (0.25 / width)


def radius(x: Array, y: Array) -> Array:
    """Distance from the z axis."""
    return np.sqrt(x * x + y * y)


def ball(x: Array, y: Array, z: Array, size: float) -> Array:
    """A ball of radius `size`."""
    return np.sqrt(x * x + y * y + z * z) - size


def box(x: Array, y: Array, z: Array, half: tuple[float, float, float], rounding: float) -> Array:
    """A box of half sides `half`, its edges rounded by `rounding`."""
    dx = np.abs(x) - (half[0] - rounding)
    dy = np.abs(y) - (half[1] - rounding)
    dz = np.abs(z) - (half[2] - rounding)
    inside = np.minimum(np.maximum(np.maximum(dx, dy), dz), 0)
    dx, dy, dz = np.maximum(dx, 0), np.maximum(dy, 0), np.maximum(dz, 0)
    distance: Array = np.sqrt(dx * dx + dy * dy + dz * dz) + (inside - rounding)
    return distance


def cylinder(rho: Array, z: Array, size: float, half_height: float, rounding: float) -> Array:
    """An upright cylinder of radius `size`, given the distance `rho` from its axis."""
    across = rho - (size - rounding)
    along = np.abs(z) - (half_height - rounding)
    inside = np.minimum(np.maximum(across, along), 0)
    across, along = np.maximum(across, 0), np.maximum(along, 0)
    distance: Array = np.sqrt(across * across + along * along) + (inside - rounding)
    return distance


def torus(rho: Array, z: Array, size: float, tube: float) -> Array:
    """A ring around the z axis: `size` from the axis to the middle of a tube of radius `tube`."""
    across = rho - size
    return np.sqrt(across * across + z * z) - tube


def cone(
    rho: Array, z: Array, bottom: float, top: float, half_height: float, rounding: float
) -> Array:
    """An upright cone cut off at radius `top`, of radius `bottom` beneath."""
    slope = (bottom - top) / (2 * half_height)
    side = (rho - (bottom + top) / 2 + slope * z) * (1 / math.hypot(1, slope))
    return smooth_maximum(side, np.abs(z) - half_height, rounding)


def drop(rho: Array, z: Array, large: float, small: float, gap: float) -> Array:
    """The hull of a ball of radius `large` at the origin and a `small` one a `gap` below."""
    sine = (large - small) / gap
    cosine = math.sqrt(1 - sine * sine)
    # Along the straight flank, measured from where it touches the large ball.
    along = -z * cosine - rho * sine
    flank = rho * cosine - z * sine - large
    upper = np.sqrt(rho * rho + z * z) - large
    lower = np.sqrt(rho * rho + (z + gap) * (z + gap)) - small
    return np.where(along < 0, upper, np.where(along > cosine * gap, lower, flank))
