"""The pictures that a detector learns from, decoded once, with their boxes.

A picture is kept at one and a half times the size at which the net will see it: enough to zoom in
without blur, and little enough for the memory. What a training does to it, it does from there, by
one matrix and one resample.

Crowds (COCO: many objects in one box) and difficult objects (VOC: those that scores pass over) are
nobody's truth. They keep their boxes, with the label `IGNORED`; `augmentation.making` moves them
along, and hands them out by themselves, never among the truths.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from viewfinder.datasets import Keep
from viewfinder.datasets.boxes import Boxes, no_size, usable
from viewfinder.datasets.dataset import Dataset
from viewfinder.datasets.loading import Pixels, true_sizes
from viewfinder.errors import InputError
from viewfinder.events import note
from viewfinder.pictures.geometry import Matrix, Size, letterbox, stretch, translation
from viewfinder.pictures.reading import read_header
from viewfinder.tasks.detect.examples.keeping import KeptPictures, kept_sizes, open_pictures
from viewfinder.tasks.detect.examples.outlines import Outline, readable_outlines
from viewfinder.tasks.detect.tiling.tiles import Tiles

IGNORED = -1
"""The label of boxes that are not learnt from: crowds and difficult objects."""

# Of the tiles that are shown, this share is drawn around an object, the rest anywhere.
_AROUND_OBJECTS = 0.5
# Tiles of one picture in an epoch, at most, drawn anew in each: an epoch must end.
_TILES_AN_EPOCH = 4
# Headers that tell the aspect of a set whose labels do not state sizes.
_SAMPLE = 200


@dataclass(frozen=True, eq=False)
class BoxExamples:
    """One side of a set of boxes: N pictures, M boxes, in pixels of the pictures as kept.

    Attributes:
        truth: what is known of the pictures, in pixels of their files.
        pictures: the pictures themselves.
        sizes: N×2 int64, width and height of each as kept.
        true_sizes: N×2 int64, width and height of their files.
        corners: M×4 float32, x1, y1, x2, y2, within the picture.
        labels: M int64, class indices, or `IGNORED`.
        offsets: N+1 int64; the boxes of picture `i` are rows `offsets[i]:offsets[i + 1]`.
        outlines: of those boxes that have one, by row.
        tiles: the parts in which pictures are shown; None where they are shown whole.
    """

    truth: Dataset
    pictures: KeptPictures
    sizes: NDArray[np.int64]
    true_sizes: NDArray[np.int64]
    corners: NDArray[np.float32]
    labels: NDArray[np.int64]
    offsets: NDArray[np.int64]
    outlines: Mapping[int, Outline]
    tiles: Tiles | None = None

    @property
    def waits(self) -> bool:
        """Whether taking pictures waits for a disk or a decoder."""
        return self.pictures.waits

    def __len__(self) -> int:
        return len(self.sizes)

    def letterbox(self, picture: int, frame: Size) -> Matrix:
        """From a picture as kept to where its file's picture lies when letterboxed to the frame.

        Of tiles, the frame shows one of them, the first corner of a picture in its own.
        """
        kept, true = self.sizes[picture].tolist(), self.true_sizes[picture].tolist()
        shown = self.tiles.tile(frame) if self.tiles else true
        return letterbox(shown, frame) @ stretch(kept, true)

    def shown(
        self, picture: int, frame: Size, random: np.random.Generator
    ) -> tuple[Matrix, NDArray[np.float64], NDArray[np.float64]]:
        """The matrix of what a training shows of a picture, and its middle and sides in the frame.

        All of it, or one tile, half of the time around an object.
        """
        fitted = self.letterbox(picture, frame)
        if self.tiles is None:
            sides = self.sizes[picture] * fitted.diagonal()[:2]
            return fitted, fitted[:2, 2] + sides / 2, sides
        tile = np.array(self.tiles.tile(frame), np.float64)
        kept, true = self.sizes[picture], self.true_sizes[picture]
        place = random.random(2) * (true - tile)
        rows = self.rows(picture)
        if rows.stop > rows.start and random.random() < _AROUND_OBJECTS:
            box = self.corners[random.integers(rows.start, rows.stop)] * np.tile(true / kept, 2)
            around = (box[:2] + box[2:]) / 2 - random.random(2) * tile
            place = np.clip(around, 0, np.maximum(true - tile, 0))
        # Where a picture is smaller than a tile, it lies in its middle.
        place = np.where(true > tile, place, (true - tile) / 2)
        scale = fitted.diagonal()[:2] * kept / true
        return (
            translation(*(-place * scale)) @ fitted,
            fitted[:2, 2] + tile * scale / 2,
            tile * scale,
        )

    def shown_an_epoch(self) -> NDArray[np.float64]:
        """N: how often an epoch shows a part of each picture: once if whole, else a few tiles."""
        if self.tiles is None:
            return np.ones(len(self))
        side = (self.tiles.side, self.tiles.side)
        counts = [len(self.tiles.places((w, h), side)) for w, h in self.true_sizes.tolist()]
        return np.minimum(np.array(counts, np.float64), _TILES_AN_EPOCH)

    def rows(self, picture: int) -> slice:
        """The rows of one picture's boxes."""
        return slice(int(self.offsets[picture]), int(self.offsets[picture + 1]))

    def picture_of(self, row: int) -> int:
        """The picture that a box lies in."""
        return int(np.searchsorted(self.offsets, row, side="right")) - 1

    @cached_property
    def rows_by_class(self) -> list[NDArray[np.int64]]:
        """For each class the rows of its boxes, ascending."""
        order = np.argsort(self.labels, kind="stable")
        starts = np.searchsorted(self.labels[order], np.arange(len(self.truth.classes) + 1))
        return np.split(order, starts)[1:-1]


def open_examples(
    dataset: Dataset,
    frame: Size,
    *,
    cache: Path,
    keep: Keep = "auto",
    tiles: Tiles | None = None,
) -> BoxExamples:
    """Decode one split of a set of boxes, each picture once.

    Pictures larger than one and a half times what `frame` shows of them are scaled down to that,
    averaged over area; none is scaled up. A set whose labels state other sizes than the pictures
    have is reported in a note, and boxes are cut at the true edges.

    Args:
        dataset: as `open_dataset` reads it: boxes in pixels of the upright pictures.
        frame: width and height of the net's input.
        keep: where decoded pictures stay; `auto` takes memory, else disk, else neither.
        cache: the folder for what is kept on disk.
        tiles: the parts of the pictures that the frame shows; None shows them whole.

    Raises:
        InputError: the set has no boxes or no pictures, a picture cannot be read, or the disk is
            full.
    """
    dataset.require_boxes()
    if not len(dataset):
        raise InputError(f"{dataset.root} has no pictures in this split: add some to learn from")
    true = _checked_sizes(dataset)
    shown = np.broadcast_to(tiles.tile(frame), true.shape) if tiles else true
    sizes = kept_sizes(true, frame, shown=shown)
    boxes = _trainable(dataset, true, sizes)
    return BoxExamples(
        truth=dataset,
        pictures=open_pictures(dataset, sizes, keep=keep, cache=cache),
        sizes=sizes,
        true_sizes=true,
        corners=boxes.corners.astype(np.float32),
        labels=np.where(boxes.crowd | boxes.difficult, IGNORED, boxes.classes),
        offsets=boxes.offsets,
        outlines=readable_outlines(boxes, true, sizes),
        tiles=tiles,
    )


def frame_for(dataset: Dataset, size: int, *, stride: int = 32) -> Size:
    """Width and height of a net's input that wastes little on bars beside a set's pictures.

    The long side is `size`, rounded to a multiple of the stride; the other follows from the
    pictures' median aspect, rounded up to one. 640×480 at 320 gives 320×256.

    Args:
        size: the long side in pixels.
        stride: of the net's coarsest map.

    Raises:
        InputError: `size` is less than the stride, or a picture cannot be read.
    """
    if size < stride:
        raise InputError(
            f"a size of {size} is too small for this network: give {stride} or more, "
            f"a multiple of {stride}"
        )
    aspect = float(np.median(_some_aspects(dataset)))
    long = stride * round(size / stride)
    # Less than a millionth of a stride is what the division leaves of a whole number.
    short = stride * max(1, math.ceil(long * min(aspect, 1 / aspect) / stride - 1e-6))
    return (long, short) if aspect >= 1 else (short, long)


def _some_aspects(dataset: Dataset) -> NDArray[np.float64]:
    """Width by height, of all pictures whose sizes the labels state, else of a sample."""
    if dataset.sizes is not None and len(known := dataset.sizes[(dataset.sizes > 0).all(axis=1)]):
        aspects: NDArray[np.float64] = known[:, 0] / known[:, 1]
        return aspects
    step = max(1, len(dataset) // _SAMPLE)
    headers = [read_header(dataset.file(index)) for index in range(0, len(dataset), step)]
    return np.array([header.width / header.height for header in headers])


def _checked_sizes(dataset: Dataset) -> NDArray[np.int64]:
    """N×2, width and height as the files say; a note where the labels say otherwise."""
    true = true_sizes(dataset)
    if dataset.sizes is not None:
        stated = (dataset.sizes > 0).all(axis=1)
        other = stated & (dataset.sizes != true).any(axis=1)
        if count := int(other.sum()):
            note(
                f"{count:,} picture{'s are' if count > 1 else ' is'} of another size than the "
                "labels say, so that boxes may be off: `viewfinder check` names them"
            )
    return true


def _trainable(dataset: Dataset, true: NDArray[np.int64], kept: NDArray[np.int64]) -> Boxes:
    """The boxes that hold something of their pictures, cut at their edges, in kept pixels."""
    boxes = dataset.boxes
    assert boxes is not None
    boxes = boxes.keep(usable(boxes))
    pictures = boxes.pictures()
    limits, factors = true[pictures], (kept / true)[pictures]
    corners = np.clip(boxes.corners, 0, np.tile(limits, 2)) * np.tile(factors, 2)
    # To float32 before asking, since a sliver's edges may round to the same number.
    boxes = replace(boxes, corners=corners.astype(np.float32).astype(np.float64))
    return boxes.keep(~no_size(boxes.corners))


@dataclass(frozen=True, eq=False)
class EvalExamples:
    """Pictures as the net is given them, never changed: `tasks.parts.Examples` to be measured on.

    Attributes:
        pixels: None where pictures are seen in tiles, whose files are then read one by one.
        sizes: N×2, true width and height.
    """

    pixels: Pixels | None
    sizes: NDArray[np.int64]
    truth: Dataset

    @property
    def waits(self) -> bool:
        return self.pixels is None or self.pixels.waits

    def __len__(self) -> int:
        return len(self.truth)
