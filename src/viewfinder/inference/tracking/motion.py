"""Where a box will be: Kalman's filter of a box that keeps its speed (Kalman, 1960).

Middle, width and height are each followed by themselves, with a speed; what is uncertain of them is
taken in proportion to the box, as objects near the camera move more pixels.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from viewfinder.pictures.geometry import BoxArray

# Standard deviations as shares of the box's mean side: of a measured edge's place; of what a place
# and a speed change by themselves in a frame; and of a new box's speed, which nothing is known of.
_MEASURED, _PLACE, _SPEED, _NEW_SPEED = 0.05, 0.02, 0.02, 0.5
_LEAST_SIDE = 1.0


@dataclass(frozen=True, eq=False)
class Motion:
    """What is believed of a box: 4×2, middle x and y, width and height, each with its speed a
    frame; and 4×2×2, the covariance of each pair."""

    mean: NDArray[np.float64]
    covariance: NDArray[np.float64]

    @property
    def box(self) -> NDArray[np.float64]:
        """x1, y1, x2, y2."""
        middle, sides = self.mean[:2, 0], np.maximum(self.mean[2:, 0], _LEAST_SIDE)
        return np.concatenate([middle - sides / 2, middle + sides / 2])

    @property
    def _side(self) -> float:
        return float(np.maximum(self.mean[2:, 0], _LEAST_SIDE).mean())


def begin(box: BoxArray) -> Motion:
    """A box that is seen for the first time."""
    place = _measured(box)
    side = max(_LEAST_SIDE, float(place[2:].mean()))
    spread = np.diag([_MEASURED * side, _NEW_SPEED * side]) ** 2
    return Motion(np.stack([place, np.zeros(4)], axis=1), np.tile(spread, (4, 1, 1)))


def predicted(motion: Motion, frames: int = 1) -> Motion:
    """The same so many frames later."""
    for _ in range(frames):
        step = np.array([[1.0, 1.0], [0.0, 1.0]])
        noise = np.diag([_PLACE * motion._side, _SPEED * motion._side]) ** 2
        motion = Motion(motion.mean @ step.T, step @ motion.covariance @ step.T + noise)
    return motion


def corrected(motion: Motion, box: BoxArray, doubt: float = 1.0) -> Motion:
    """What is believed once the box has been seen.

    Args:
        doubt: how many times as far as usual its edges may be off.
    """
    noise = (doubt * _MEASURED * motion._side) ** 2
    gain = motion.covariance[:, :, 0] / (motion.covariance[:, 0, 0] + noise)[:, None]
    surprise = _measured(box) - motion.mean[:, 0]
    mean = motion.mean + gain * surprise[:, None]
    kept = np.eye(2) - gain[:, :, None] * np.array([1.0, 0.0])
    return Motion(mean, kept @ motion.covariance)


def _measured(box: BoxArray) -> NDArray[np.float64]:
    corners = np.asarray(box, np.float64)
    return np.concatenate([(corners[:2] + corners[2:]) / 2, corners[2:] - corners[:2]])
