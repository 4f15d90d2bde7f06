"""Where a picture's subject is: a map, and what can be known of it in a few numbers."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import ClassVar, NotRequired, TypedDict

import numpy as np
from numpy.typing import NDArray

from viewfinder.pictures.drawing import distinct_colours, draw_subject
from viewfinder.pictures.geometry import Size, stretch
from viewfinder.pictures.masks import box_around
from viewfinder.pictures.resampling import resample

THRESHOLD = 0.5
"""The map's least value in the subject, unless another is asked for."""


class Edges(TypedDict):
    """A box in pixels of the upright picture."""

    x1: int
    y1: int
    x2: int
    y2: int


class SubjectRecord(TypedDict):
    """The subject in a few numbers, and what was written of it; see `Extent`."""

    box: Edges | None
    share: float
    mean: float
    threshold: float
    files: NotRequired[dict[str, str]]


class PredictedSubject(TypedDict):
    """A saliency network's answer under its public name."""

    mask: SubjectRecord


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
    """A picture's subject: where the map is at least the threshold.

    Attributes:
        files: what was written of it: `map`, `overlay` and `cutout`; empty if nothing was.
    """

    captioned: ClassVar[bool] = False
    map: SubjectMap
    threshold: float
    files: Mapping[str, str] = field(default_factory=dict)

    def as_json(self, classes: Sequence[str]) -> PredictedSubject:
        """`mask`: the subject in a few numbers, and its `files` where there are some."""
        mask = self._described.as_json()
        if self.files:
            mask["files"] = dict(self.files)
        return {"mask": mask}

    def drawn_on(self, picture: NDArray[np.uint8], classes: Sequence[str]) -> NDArray[np.uint8]:
        """The subject, in colour and outlined."""
        colour = distinct_colours(len(classes))[-1]
        values = self.map.at_own_size()
        return draw_subject(picture, values, threshold=self.threshold, colour=colour)

    def caption(self, classes: Sequence[str]) -> str:
        """How much of the picture it is."""
        share = self._described.share
        return f"the subject is {share:.0%} of the picture" if share else "no subject"

    def line(self, classes: Sequence[str], *, top: int) -> str:
        """Where it is, how large, and how sure that is."""
        found = self._described
        if found.box is None:
            return "no subject"
        x1, y1, x2, y2 = found.box
        return f"subject {found.share:.1%} within {x1},{y1}–{x2},{y2}, {found.mean:.1%} sure"

    @cached_property
    def _described(self) -> "Extent":
        return extent_of(self.map.at_own_size(), threshold=self.threshold)


@dataclass(frozen=True)
class Extent:
    """What a map says of the subject, which is where its values are at least `threshold`.

    Attributes:
        box: x1, y1, x2, y2 in whole pixels of the picture; None where there is no subject.
        share: the part of the picture that it covers.
        mean: the map's mean over it, 0 without one.
    """

    box: tuple[int, int, int, int] | None
    share: float
    mean: float
    threshold: float

    def as_json(self) -> SubjectRecord:
        """`box, share, mean, threshold`; the box has its edges by name."""
        box: Edges | None = None
        if self.box is not None:
            x1, y1, x2, y2 = self.box
            box = {"x1": x1, "y1": y1, "x2": x2, "y2": y2}
        return {"box": box, "share": self.share, "mean": self.mean, "threshold": self.threshold}


def extent_of(values: NDArray[np.float32], *, threshold: float) -> Extent:
    """The subject of a map.

    Args:
        values: H×W in [0, 1], at the picture's own size.
    """
    subject = values >= threshold
    count = int(np.count_nonzero(subject))
    if not count:
        return Extent(None, 0.0, 0.0, threshold)
    mean = float(values[subject].mean(dtype=np.float64))
    return Extent(box_around(subject), count / values.size, mean, threshold)
