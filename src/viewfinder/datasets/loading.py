"""From picture files to batches of tensors, each picture brought to the size of training once."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from viewfinder.datasets import Keep
from viewfinder.datasets.dataset import Dataset
from viewfinder.datasets.decoded import Decoded, Flat, FromFiles, open_decoded
from viewfinder.datasets.threads import in_threads
from viewfinder.pictures.geometry import Size, letterbox, stretch
from viewfinder.pictures.quick_headers import picture_size
from viewfinder.pictures.reading import read_header, read_picture
from viewfinder.pictures.resampling import resample

Read = Callable[[Path, Size], np.ndarray]
"""H×W×3 of this width and height, from a file."""

_BYTES = np.dtype(np.uint8)
# Grey bars beside a picture that is not square, near the mean of most photographs.
LETTERBOX_FILL = 114


@dataclass(frozen=True, eq=False)
class Pixels:
    """The pictures of a dataset at one size, ready to be taken by number.

    Attributes:
        size: width and height.
        values: the type of each of a pixel's three.
    """

    decoded: Decoded
    size: Size
    values: "np.dtype" = _BYTES

    @property
    def waits(self) -> bool:
        """Whether taking pictures waits for a disk or a decoder."""
        return self.decoded.waits

    def __len__(self) -> int:
        return len(self.decoded)

    def take(self, indices: Sequence[int] | Tensor) -> Tensor:
        """B×3×H×W uint8 or float32, the pictures of `indices` in that order."""
        records = self.decoded.together(indices)
        width, height = self.size
        pictures = records.view(self.values).reshape(len(records), height, width, 3)
        # A pixel's values lie together.
        return torch.from_numpy(pictures).permute(0, 3, 1, 2)


def prepare(path: Path, size: Size, *, bits: int = 16) -> NDArray[np.uint8]:
    """One picture from its file, letterboxed to this width and height, RGB uint8."""
    picture = read_picture(path, at_least=size, bits=bits)
    if picture.shape[:2] == (size[1], size[0]):
        return picture
    return letterboxed(picture, size, of=picture_size(path))


def true_sizes(dataset: Dataset) -> NDArray[np.int64]:
    """N×2: width and height of every picture, upright, as its file says."""
    found = in_threads(lambda index: read_header(dataset.file(index)).size, len(dataset))
    return np.array(list(found), np.int64).reshape(-1, 2)


def letterboxed(picture: NDArray[np.uint8], size: Size, *, of: Size) -> NDArray[np.uint8]:
    """A picture as nets see it: `geometry.letterbox` of its true size `of` is the way there.

    Training, validation, `evaluate` and `predict` all come through here.

    Args:
        picture: may have been decoded smaller than it truly is.
    """
    height, width = picture.shape[:2]
    if (width, height) == size:
        return picture
    matrix = letterbox(of, size) @ stretch((width, height), of)
    return np.asarray(resample(picture, matrix, size, fill=LETTERBOX_FILL), np.uint8)


def open_pixels(dataset: Dataset, size: Size, *, keep: Keep = "auto", cache: Path) -> Pixels:
    """Decode a dataset in the way that its size and this machine allow.

    Args:
        size: width and height that every picture is letterboxed to.
        keep: where decoded pictures stay; `auto` takes memory, else disk, else neither.
        cache: the folder for what is kept on disk.

    Raises:
        InputError: a picture cannot be read; the disk is full.
    """
    lengths = _lengths(dataset, size, _BYTES)
    decode = partial(_decode, dataset, size, _BYTES, partial(prepare, bits=dataset.bits))
    words = f"{size[0]}x{size[1]}-{LETTERBOX_FILL}"
    return Pixels(open_decoded(dataset, lengths, decode, words=words, keep=keep, cache=cache), size)


def pixels_from_files(dataset: Dataset, size: Size, read: Read, *, values: "np.dtype") -> Pixels:
    """Pictures of a dataset that are read each time they are asked for.

    Args:
        size: width and height of what `read` gives.
        values: the type of its values.
    """
    decode = partial(_decode, dataset, size, values, read)
    return Pixels(FromFiles(_lengths(dataset, size, values), decode), size, values)


def _lengths(dataset: Dataset, size: Size, values: "np.dtype") -> NDArray[np.int64]:
    return np.full(len(dataset), 3 * size[0] * size[1] * values.itemsize, np.int64)


def _decode(
    dataset: Dataset, size: Size, values: "np.dtype", read: Read, index: int, record: Flat
) -> None:
    """Write one picture into its record."""
    picture = record.view(values).reshape(size[1], size[0], 3)
    np.copyto(picture, read(dataset.file(index), size), casting="no")
