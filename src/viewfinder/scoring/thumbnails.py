"""Pictures small enough for a page with many of them."""

import numpy as np
from numpy.typing import NDArray

from viewfinder.pictures.resampling import at_side
from viewfinder.pictures.writing import picture_url

SIDE = 150
"""The longer side, in pixels."""


def small(picture: NDArray[np.uint8], side: int = SIDE) -> str:
    """A data URL of a picture made small."""
    return picture_url(at_side(picture, side))
