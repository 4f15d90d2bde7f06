"""Decoded pictures of any size, kept in memory, in one file of the cache, or nowhere."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from viewfinder.datasets import Keep
from viewfinder.datasets.dataset import Dataset
from viewfinder.datasets.decoded import Decoded, Flat, open_decoded
from viewfinder.pictures.geometry import Size, stretch
from viewfinder.pictures.resampling import resample

# A kept picture is at most so many times as large as the net's input.
_ROOM = 1.5
# Kept sides are multiples of this, so that a picture can be halved twice without remainder.
_HALVES = 4


@dataclass(frozen=True, eq=False)
class KeptPictures:
    """Kept pictures, taken by number.

    Attributes:
        sizes: N×2, width and height of each.
    """

    decoded: Decoded
    sizes: NDArray[np.int64]

    @property
    def waits(self) -> bool:
        """Whether taking them waits for a disk or a decoder."""
        return self.decoded.waits

    def take(self, numbers: Sequence[int]) -> list[NDArray[np.uint8]]:
        """The pictures of `numbers`, H×W×3 each, not to be written to."""
        sizes = self.sizes[list(numbers)].tolist()
        return [
            record.reshape(height, width, 3)
            for record, (width, height) in zip(self.decoded.take(numbers), sizes, strict=True)
        ]


def kept_sizes(
    true: NDArray[np.int64], frame: Size, *, shown: NDArray[np.int64]
) -> NDArray[np.int64]:
    """N×2 int64, width and height of pictures as they are kept.

    At most one and a half times what a frame of this width and height shows of each; never more
    than the true size.

    Args:
        shown: N×2, width and height of what the frame shows of each: all of it, or a tile.
    """
    scale = _ROOM * (np.array(frame) / shown).min(axis=1, keepdims=True)
    rounded = np.maximum(np.rint(true * scale / _HALVES), 1).astype(np.int64) * _HALVES
    return np.where(scale < 1, np.minimum(rounded, true), true)


def open_pictures(
    dataset: Dataset, sizes: NDArray[np.int64], *, keep: Keep, cache: Path
) -> KeptPictures:
    """Decode a dataset's pictures to N×2 sizes in the way that they and this machine allow.

    Raises:
        InputError: a picture cannot be read; the disk is full.
    """
    decoded = open_decoded(
        dataset,
        sizes.prod(axis=1) * 3,
        partial(_decode, dataset, sizes),
        words=f"sizes-{sizes.tolist()}",
        keep=keep,
        cache=cache,
    )
    return KeptPictures(decoded, sizes)


def _decode(dataset: Dataset, sizes: NDArray[np.int64], index: int, record: Flat) -> None:
    """Write a picture, at the size at which it is kept, into its record."""
    size: Size = (int(sizes[index, 0]), int(sizes[index, 1]))
    picture = dataset.picture(index, at_least=size)
    read = (picture.shape[1], picture.shape[0])
    record.reshape(size[1], size[0], 3)[...] = resample(picture, stretch(read, size), size)
