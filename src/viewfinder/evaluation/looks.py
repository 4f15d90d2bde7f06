"""What pictures look like, measured on small ones: brightness, contrast and size."""

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from viewfinder.datasets.dataset import Dataset
from viewfinder.datasets.threads import in_threads
from viewfinder.evaluation.sampling import Values
from viewfinder.evaluation.subsets import Trait
from viewfinder.pictures.geometry import Size
from viewfinder.pictures.quick_headers import picture_size
from viewfinder.pictures.resampling import at_side

# Longer side in pixels of the pictures that are measured.
_SIDE = 128


@dataclass(frozen=True, eq=False)
class Looks:
    """N pictures' measures.

    Attributes:
        brightness: mean luma, in % of white.
        contrast: standard deviation of luma, in % of white.
        sizes: N×2, width and height in pixels.
        boxes: of each labelled box, by picture, the mean luma within it, in % of white; NaN of one
            that lies outside its picture.
    """

    brightness: Values
    contrast: Values
    sizes: Values
    boxes: Values


def small_picture(examples: Dataset, index: int) -> NDArray[np.uint8]:
    """A picture at a longer side of 128 pixels, upright."""
    return at_side(examples.picture(index, at_least=(_SIDE, _SIDE)), _SIDE)


def looks(examples: Dataset) -> Looks:
    """Measure every picture.

    Raises:
        InputError: one cannot be read.
    """

    def of(index: int) -> tuple[tuple[float, float, float, float], Values]:
        luma = cv2.cvtColor(small_picture(examples, index), cv2.COLOR_RGB2GRAY) / 2.55
        size = picture_size(examples.file(index))
        boxes = examples.boxes
        corners = np.zeros((0, 4)) if boxes is None else boxes.corners[boxes.of(index)]
        within = _within(np.asarray(luma, np.float64), corners, size)
        return (float(luma.mean()), float(luma.std()), *size), within

    found = list(in_threads(of, len(examples)))
    rows = np.array([row for row, _ in found], float).reshape(-1, 4)
    boxes = np.concatenate([np.zeros(0), *(each for _, each in found)])
    return Looks(rows[:, 0], rows[:, 1], rows[:, 2:], boxes)


def _within(luma: Values, corners: Values, size: Size) -> Values:
    """The mean of a small picture within each of M×4 boxes in pixels of the picture of `size`."""
    height, width = luma.shape
    places = corners * np.tile((width / size[0], height / size[1]), 2)
    # Of a box that is smaller than a pixel, the pixel that it lies in.
    first = np.floor(places[:, :2])
    last = np.maximum(np.ceil(places[:, 2:]), first + 1)
    left, top = first.clip(0, (width, height)).astype(np.int64).T
    right, bottom = last.clip(0, (width, height)).astype(np.int64).T
    sums = cv2.integral(luma)
    inside = (right > left) & (bottom > top)
    means = np.full(len(corners), np.nan)
    x1, y1, x2, y2 = (each[inside] for each in (left, top, right, bottom))
    means[inside] = (sums[y2, x2] - sums[y1, x2] - sums[y2, x1] + sums[y1, x1]) / (
        (x2 - x1) * (y2 - y1)
    )
    return means


def brightness(values: Values) -> Trait:
    return Trait("brightness", ("dark", "middling", "bright"), " % of white", values)


def contrast(values: Values) -> Trait:
    return Trait("contrast", ("low", "middling", "high"), " %", values)
