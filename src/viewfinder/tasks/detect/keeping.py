"""Decoded pictures of any size, kept in memory, in one file of the cache, or nowhere."""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from viewfinder.datasets import Keep
from viewfinder.datasets.dataset import Dataset
from viewfinder.datasets.loading import cached_pixels, decode_all, where_they_fit
from viewfinder.pictures.geometry import Size, resample, stretch

# A kept picture is at most so many times as large as the net's input.
_ROOM = 1.5
# Kept sides are multiples of this, so that a picture can be halved twice without remainder.
_HALVES = 4


class Pictures(Protocol):
    """Kept pictures, taken by number.

    Attributes:
        waits: whether taking them waits for a disk or a decoder.
    """

    @property
    def waits(self) -> bool: ...

    def take(self, numbers: Sequence[int]) -> list[NDArray[np.uint8]]:
        """The pictures of `numbers`, H×W×3 each, not to be written to."""
        ...


def kept_sizes(true: NDArray[np.int64], frame: Size) -> NDArray[np.int64]:
    """N×2 int64, width and height of pictures as they are kept.

    At most one and a half times what a frame of this width and height shows of each; never more
    than the true size.
    """
    scale = _ROOM * (np.array(frame) / true).min(axis=1, keepdims=True)
    rounded = np.maximum(np.rint(true * scale / _HALVES), 1).astype(np.int64) * _HALVES
    return np.where(scale < 1, np.minimum(rounded, true), true)


def open_pictures(
    dataset: Dataset, sizes: NDArray[np.int64], *, keep: Keep, cache: Path
) -> Pictures:
    """Decode a dataset's pictures to N×2 sizes in the way that they and this machine allow.

    Raises:
        InputError: a picture cannot be read; the disk is full.
    """
    starts = np.concatenate([[0], np.cumsum(sizes.prod(axis=1) * 3)])
    needed = int(starts[-1])

    def decode_into(pixels: NDArray[np.uint8]) -> None:
        kept = _Kept(pixels, sizes, starts)

        def decode(index: int) -> None:
            kept.view(index)[...] = _decoded(dataset, index, kept.size(index))

        decode_all(decode, len(dataset))

    if keep == "auto":
        keep = where_they_fit(needed, cache)
    if keep == "none":
        return _FromFiles(dataset, sizes)
    if keep == "memory":
        pixels = np.empty(needed, np.uint8)
        decode_into(pixels)
        return _Kept(pixels, sizes, starts)
    words = f"sizes-{sizes.tolist()}"
    return _mapped(cached_pixels(dataset, words, needed, decode_into, cache=cache), sizes, starts)


def _decoded(dataset: Dataset, index: int, size: Size) -> NDArray[np.uint8]:
    """A picture at the size at which it is kept."""
    picture = dataset.picture(index, at_least=size)
    read = (picture.shape[1], picture.shape[0])
    return np.asarray(resample(picture, stretch(read, size), size), np.uint8)


class _Kept:
    """All pictures one after the other, in memory or in a file that is mapped into it."""

    def __init__(
        self,
        pixels: NDArray[np.uint8],
        sizes: NDArray[np.int64],
        starts: NDArray[np.int64],
        file: Path | None = None,
    ) -> None:
        self._pixels, self._sizes, self._starts, self._file = pixels, sizes, starts, file

    def __reduce__(self) -> tuple[Any, ...]:
        # Another process opens the file itself; else all of its bytes would be sent there.
        if self._file is not None:
            return _mapped, (self._file, self._sizes, self._starts)
        return _Kept, (self._pixels, self._sizes, self._starts)

    @property
    def waits(self) -> bool:
        return self._file is not None

    def size(self, number: int) -> Size:
        return int(self._sizes[number, 0]), int(self._sizes[number, 1])

    def view(self, number: int) -> NDArray[np.uint8]:
        width, height = self.size(number)
        flat = self._pixels[self._starts[number] : self._starts[number + 1]]
        return flat.reshape(height, width, 3)

    def take(self, numbers: Sequence[int]) -> list[NDArray[np.uint8]]:
        return [self.view(number) for number in numbers]


def _mapped(file: Path, sizes: NDArray[np.int64], starts: NDArray[np.int64]) -> _Kept:
    return _Kept(np.memmap(file, np.uint8, "r", shape=(int(starts[-1]),)), sizes, starts, file)


class _FromFiles:
    """Pictures decoded each time they are asked for, by as many threads as there are cores."""

    waits = True

    def __init__(self, dataset: Dataset, sizes: NDArray[np.int64]) -> None:
        self._dataset, self._sizes = dataset, sizes
        self._pool = ThreadPoolExecutor()

    def __reduce__(self) -> tuple[Any, ...]:
        # Threads cannot be sent to another process, which starts its own.
        return _FromFiles, (self._dataset, self._sizes)

    def take(self, numbers: Sequence[int]) -> list[NDArray[np.uint8]]:
        def decode(number: int) -> NDArray[np.uint8]:
            width, height = self._sizes[number].tolist()
            return _decoded(self._dataset, number, (width, height))

        return list(self._pool.map(decode, numbers))
