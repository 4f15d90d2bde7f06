"""The boxes of a whole dataset as columns, so that a million of them are a few arrays."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from viewfinder.pictures.geometry import BoxArray
from viewfinder.pictures.masks import Segmentation

ENDLESS = float(2**53)
"""No coordinate is as great as this, beyond which floats are no longer whole numbers apart."""


class BoxTrack(NamedTuple):
    """Which object through a video's frames a box is, and whether a person set it in this one; else
    it was interpolated."""

    track: str
    key: bool


@dataclass(frozen=True, eq=False)
class Boxes:
    """Boxes of N pictures, M in all; those of picture `i` are rows `offsets[i]:offsets[i + 1]`.

    Corners are float64, twice as wide as the float32 of a single picture's boxes: a corner is the
    sum of a file's position and width, and float32 could not give back the numbers that were read.

    Attributes:
        corners: M×4 float64, `x1, y1, x2, y2` in pixels, edges at pixel corners.
        classes: M int64, an index into the dataset's classes; -1 for a class that it does not name.
        offsets: N+1 int64, ascending from 0 to M.
        ids: M int64, the file's own numbers; 1 to M where the format has none.
        crowd: M bool, a box around many objects that are not told apart (COCO).
        difficult: M bool, an object that scores are to pass over (VOC).
        areas: M float64, of each object's pixels, where the file says; NaN elsewhere.
        segmentations: outlines as read, by row, of those boxes that have one.
        tracks: by row, of those boxes that are followed through a video.
    """

    corners: NDArray[np.float64]
    classes: NDArray[np.int64]
    offsets: NDArray[np.int64]
    ids: NDArray[np.int64]
    crowd: NDArray[np.bool_]
    difficult: NDArray[np.bool_]
    areas: NDArray[np.float64]
    segmentations: Mapping[int, Segmentation] = field(default_factory=dict)
    tracks: Mapping[int, BoxTrack] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self.corners)

    def of(self, picture: int) -> slice:
        """The rows of one picture."""
        return slice(int(self.offsets[picture]), int(self.offsets[picture + 1]))

    def pictures(self) -> NDArray[np.int64]:
        """M int64, the picture that each box lies in."""
        return np.repeat(np.arange(len(self.offsets) - 1), np.diff(self.offsets))

    def contents(self) -> Iterator[bytes]:
        """All that a training learns from: the boxes, which of them count, and their outlines."""
        for column in (self.corners, self.classes, self.offsets):
            yield np.ascontiguousarray(column).tobytes()
        for name, flags in ((b"crowd", self.crowd), (b"difficult", self.difficult)):
            if flags.any():
                yield name + flags.tobytes()
        for row, outline in sorted(self.segmentations.items()):
            yield f"{row}\0".encode()
            if isinstance(outline, dict):
                yield repr(sorted(outline.items())).encode()
            else:
                yield b"\0".join(polygon.tobytes() for polygon in outline)

    def select(self, pictures: Sequence[int] | NDArray[np.intp]) -> "Boxes":
        """The boxes of some pictures, in the order of `pictures`."""
        chosen = np.asarray(pictures, np.intp)
        lengths = np.diff(self.offsets)[chosen]
        offsets = np.concatenate([[0], np.cumsum(lengths)])
        within = np.arange(offsets[-1]) - np.repeat(offsets[:-1], lengths)
        return self._take(np.repeat(self.offsets[chosen], lengths) + within, offsets)

    def keep(self, mask: NDArray[np.bool_]) -> "Boxes":
        """Those boxes for which M×bool `mask` is true; every picture stays."""
        kept = np.concatenate([[0], np.cumsum(mask)])
        return self._take(np.flatnonzero(mask), kept[self.offsets])

    def _take(self, rows: NDArray[np.int64], offsets: NDArray[np.int64]) -> "Boxes":
        outlines, tracks = self.segmentations, self.tracks
        kept = list(enumerate(rows.tolist())) if outlines or tracks else []
        return Boxes(
            self.corners[rows],
            self.classes[rows],
            offsets.astype(np.int64),
            self.ids[rows],
            self.crowd[rows],
            self.difficult[rows],
            self.areas[rows],
            {new: outlines[old] for new, old in kept if old in outlines},
            {new: tracks[old] for new, old in kept if old in tracks},
        )


def gather_boxes(
    pictures: NDArray[np.int64],
    count: int,
    *,
    corners: NDArray[np.float64],
    classes: NDArray[np.int64],
    ids: NDArray[np.int64] | None = None,
    crowd: NDArray[np.bool_] | None = None,
    difficult: NDArray[np.bool_] | None = None,
    areas: NDArray[np.float64] | None = None,
    segmentations: Mapping[int, Segmentation] | None = None,
    tracks: Mapping[int, BoxTrack] | None = None,
) -> Boxes:
    """Boxes of `count` pictures from rows in any order; those of a picture keep theirs.

    Args:
        pictures: M int64, the picture that each row belongs to.
    """
    order = _grouping(pictures, count)
    offsets = np.concatenate([[0], np.cumsum(np.bincount(pictures, minlength=count))])
    nothing = np.zeros(len(pictures), np.bool_)
    boxes = Boxes(
        corners.reshape(-1, 4),
        classes,
        offsets,
        np.arange(1, len(pictures) + 1) if ids is None else ids,
        nothing if crowd is None else crowd,
        nothing if difficult is None else difficult,
        np.full(len(pictures), np.nan) if areas is None else areas,
        segmentations or {},
        tracks or {},
    )
    return boxes._take(order, offsets)


def _grouping(pictures: NDArray[np.int64], count: int) -> NDArray[np.int64]:
    """The rows picture by picture, those of each in their order."""
    rows = len(pictures)
    if rows * count >= 2**62:
        return np.argsort(pictures, kind="stable")
    # Numbers of which no two are the same are sorted several times as fast as places of equal ones.
    return np.asarray(np.sort(pictures * rows + np.arange(rows)) % max(1, rows))


def finite(corners: NDArray[np.float64]) -> NDArray[np.bool_]:
    """M bool: boxes whose numbers are finite, and as small as a picture's pixels can be counted."""
    small = (corners > -ENDLESS) & (corners < ENDLESS)
    found: NDArray[np.bool_] = np.logical_and.reduce(small.T)
    return found


def no_size(corners: BoxArray) -> NDArray[np.bool_]:
    """M bool: boxes that hold nothing, being inverted or without width or height."""
    empty: NDArray[np.bool_] = (corners[:, 2] <= corners[:, 0]) | (corners[:, 3] <= corners[:, 1])
    return empty


def usable(boxes: Boxes) -> NDArray[np.bool_]:
    """M bool: boxes of finite numbers that hold something, of a class with a name."""
    good: NDArray[np.bool_] = finite(boxes.corners) & ~no_size(boxes.corners) & (boxes.classes >= 0)
    return good


def to_find(boxes: Boxes) -> NDArray[np.bool_]:
    """M bool: the usable boxes of single objects that scores do not pass over."""
    wanted: NDArray[np.bool_] = usable(boxes) & ~boxes.crowd & ~boxes.difficult
    return wanted


def shortest(values: NDArray[np.float64], error: NDArray[np.float64]) -> NDArray[np.float64]:
    """Each value as the decimal of fewest places within `error` of it, to write as a person would.

    A difference of two decimals is off by the last bit, 0.30000000000000004 - 0.1; rounded to what
    the bits can tell, it is the decimal that was once read.
    """
    result = values.copy()
    # Beyond these the last bit is more than a thousandth.
    undecided = np.abs(values) < 1e13
    values = np.where(undecided, values, 0)
    for places in (0, 1, 2, 3, 4, 5, 6, 8, 10):
        rounded = np.round(values, places)
        fits = undecided & (np.abs(rounded - values) <= error)
        result[fits] = rounded[fits]
        undecided &= ~fits
    return result
