"""A picture and what is known of it."""

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray


def _no_boxes() -> NDArray[np.float32]:
    return np.zeros((0, 4), np.float32)


def _no_classes() -> NDArray[np.int64]:
    return np.zeros(0, np.int64)


@dataclass(frozen=True, eq=False)
class Example:
    """One picture, decoded, with every kind of truth that is known of it.

    Attributes:
        picture: H×W×3 uint8 RGB, upright.
        label: index of the picture's class in its dataset's class list, or None.
        boxes: M×4 float32, `x1, y1, x2, y2` in pixels, edges at pixel corners.
        box_classes: M class indices.
        instances: H×W uint16; 0 is background, `i + 1` the visible pixels of box `i`.
        depth: H×W float32 in [0, 1], near = bright.
        group: what must stay on one side of a split, such as the video it came from.
    """

    picture: NDArray[np.uint8]
    label: int | None = None
    boxes: NDArray[np.float32] = field(default_factory=_no_boxes)
    box_classes: NDArray[np.int64] = field(default_factory=_no_classes)
    instances: NDArray[np.uint16] | None = None
    depth: NDArray[np.float32] | None = None
    group: str | None = None
