"""A pinhole camera above the table.

The world's z axis points up and the table is z = 0; one unit is about ten centimetres.
"""

import math
from dataclasses import dataclass

import numpy as np

from viewfinder.tabletop.solids import Array


@dataclass(frozen=True, eq=False)
class Camera:
    """Where a picture is taken from.

    Attributes:
        position: world coordinates of the pinhole.
        axes: 3×3; rows point right, down and forward in the picture.
        focal: focal length in pixels.
        centre: the picture's middle in pixels, x and y.
        size: width and height of the picture in pixels.
    """

    position: Array
    axes: Array
    focal: float
    centre: tuple[float, float]
    size: int

    def rays(self, columns: Array, rows: Array) -> Array:
        """Unit directions through the middles of pixels: 3×N."""
        right = (columns + (0.5 - self.centre[0])) * (1 / self.focal)
        down = (rows + (0.5 - self.centre[1])) * (1 / self.focal)
        length = 1 / np.sqrt(right * right + down * down + 1)
        rays: Array = self.axes.T @ np.stack([right * length, down * length, length])
        return rays

    def project(self, points: Array) -> tuple[Array, Array]:
        """N×3 world points to N×2 pixels, and how far in front of the camera each lies."""
        seen = (points - self.position) @ self.axes.T
        forward = np.maximum(seen[:, 2], 1e-3)
        pixels = seen[:, :2] * (self.focal / forward[:, None]) + np.array(self.centre, np.float32)
        return pixels, seen[:, 2]


def look(
    *,
    target: tuple[float, float, float],
    distance: float,
    elevation: float,
    azimuth: float,
    roll: float,
    view: float,
    size: int,
    shift: tuple[float, float] = (0.0, 0.0),
) -> Camera:
    """A camera `distance` from `target`, looking at it.

    Angles are in degrees: `elevation` above the table, `azimuth` about the vertical, `roll` about
    the line of sight, `view` from edge to edge of the picture. `shift` moves the picture in pixels.
    """
    up, around, turn = map(math.radians, (elevation, azimuth, roll))
    back = (math.cos(up) * math.cos(around), math.cos(up) * math.sin(around), math.sin(up))
    forward = -np.array(back)
    right = np.array([-math.sin(around), math.cos(around), 0.0])
    down = np.cross(forward, right)
    axes = np.stack(
        [
            math.cos(turn) * right + math.sin(turn) * down,
            math.cos(turn) * down - math.sin(turn) * right,
            forward,
        ]
    )
    return Camera(
        position=(np.array(target) - distance * forward).astype(np.float32),
        axes=axes.astype(np.float32),
        focal=size / 2 / math.tan(math.radians(view) / 2),
        centre=(size / 2 + shift[0], size / 2 + shift[1]),
        size=size,
    )
