"""What pictures look like, measured on small ones: brightness, contrast and size."""

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from viewfinder.datasets.dataset import Dataset
from viewfinder.datasets.threads import in_threads
from viewfinder.evaluation.sampling import Values
from viewfinder.evaluation.subsets import Trait
from viewfinder.pictures.geometry import at_side
from viewfinder.pictures.reading import read_header

# Longer side in pixels of the pictures that are measured.
_SIDE = 128


@dataclass(frozen=True, eq=False)
class Looks:
    """N pictures' measures.

    Attributes:
        brightness: mean luma, in % of white.
        contrast: standard deviation of luma, in % of white.
        sizes: N×2, width and height in pixels.
    """

    brightness: Values
    contrast: Values
    sizes: Values


def small_picture(examples: Dataset, index: int) -> NDArray[np.uint8]:
    """A picture at a longer side of 128 pixels, upright."""
    return at_side(examples.picture(index, at_least=(_SIDE, _SIDE)), _SIDE)


def looks(examples: Dataset) -> Looks:
    """Measure every picture.

    Raises:
        InputError: one cannot be read.
    """

    def of(index: int) -> tuple[float, float, float, float]:
        luma = cv2.cvtColor(small_picture(examples, index), cv2.COLOR_RGB2GRAY) / 2.55
        width, height = read_header(examples.file(index)).size
        return float(luma.mean()), float(luma.std()), width, height

    rows = np.array(list(in_threads(of, len(examples))), float).reshape(-1, 4)
    return Looks(rows[:, 0], rows[:, 1], rows[:, 2:])


def brightness(values: Values) -> Trait:
    return Trait("brightness", ("dark", "middling", "bright"), " % of white", values)


def contrast(values: Values) -> Trait:
    return Trait("contrast", ("low", "middling", "high"), " %", values)
