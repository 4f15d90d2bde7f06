"""Where a picture's subject is: a map, and what can be told of it in a few numbers."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from viewfinder.pictures.geometry import Size, resample, stretch
from viewfinder.pictures.masks import box_around

THRESHOLD = 0.5
"""The map's least value in the subject, unless another is asked for."""


@dataclass(frozen=True, eq=False)
class SubjectMap:
    """How surely each pixel of a picture is its subject's.

    Attributes:
        values: h×w float32 in [0, 1], at the size that the net sees.
        size: width and height of the picture itself.
    """

    values: NDArray[np.float32]
    size: Size

    def at(self, size: Size) -> NDArray[np.float32]:
        """H×W float32 in [0, 1], enlarged or reduced to this width and height."""
        height, width = self.values.shape
        grown = resample(self.values, stretch((width, height), size), size)
        # What is bilinear may leave [0, 1] by a rounding.
        return np.asarray(np.clip(grown, 0, 1))

    def at_own_size(self) -> NDArray[np.float32]:
        """H×W float32 in [0, 1], a value for each of the picture's pixels."""
        return self.at(self.size)


@dataclass(frozen=True, eq=False)
class Subject:
    """A picture's subject: where the map is at least the threshold."""

    map: SubjectMap
    threshold: float

    def as_json(self, classes: Sequence[str]) -> dict[str, Any]:
        """`mask`, the subject in a few numbers, and `map`, the `SubjectMap` itself: no JSON."""
        told = describe_subject(self.map.at_own_size(), threshold=self.threshold)
        return {"mask": told, "map": self.map}


def describe_subject(values: NDArray[np.float32], *, threshold: float) -> dict[str, Any]:
    """What a map says of the subject, which is where its values are at least `threshold`.

    Args:
        values: H×W in [0, 1], at the picture's own size.

    Returns:
        `box`, the subject's `x1, y1, x2, y2` in pixels, None where there is no subject; `share`,
        the part of the picture that it covers; `mean`, the map's mean over it, 0 without one; and
        the `threshold`.
    """
    subject = values >= threshold
    count = int(np.count_nonzero(subject))
    box = None
    if count:
        box = dict(zip(("x1", "y1", "x2", "y2"), box_around(subject), strict=True))
    mean = float(values[subject].mean(dtype=np.float64)) if count else 0.0
    return {"box": box, "share": count / values.size, "mean": mean, "threshold": threshold}
