"""Matrices that the product has no use for and that show what it does with any."""

import numpy as np

from viewfinder.pictures.geometry import Matrix


def shear(x: float, y: float = 0.0) -> Matrix:
    """Move each point right by `x` times its y, and down by `y` times its x."""
    return np.array([[1, x, 0], [y, 1, 0], [0, 0, 1]], np.float64)


def vertical_flip(height: float) -> Matrix:
    """Exchange top and bottom of a picture of this height."""
    return np.array([[1, 0, 0], [0, -1, height], [0, 0, 1]], np.float64)
