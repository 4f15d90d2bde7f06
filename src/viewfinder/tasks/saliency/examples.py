"""Pictures, the masks of their subjects and their depth maps, brought to one size once.

All three are stretched to the net's size whatever their aspect, as the papers on saliency do:
shrunk by averaging over area, so that thin parts fade and do not vanish. A pixel of a mask is the
subject's where at least half of its area is.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from viewfinder.datasets import Keep
from viewfinder.datasets.dataset import Dataset
from viewfinder.datasets.decoded import Decoded, Flat, open_decoded
from viewfinder.datasets.depth import UNKNOWN
from viewfinder.datasets.formats.rgbd.reading import read_nearness, read_subject
from viewfinder.pictures.geometry import Matrix, Size, identity, stretch
from viewfinder.pictures.resampling import resample
from viewfinder.tasks.saliency.depth_input import given_depth, kept_depth


class Taken(NamedTuple):
    """Some examples: N×3×H×W uint8, N×H×W uint8 of 0 and 1, and N×1×H×W float32 or None."""

    pictures: Tensor
    masks: Tensor
    depths: Tensor | None


@dataclass(frozen=True, eq=False)
class SubjectExamples:
    """One split of a saliency set: `tasks.parts.Examples`.

    Attributes:
        decoded: a record each.
        kind: the type of a record: picture, mask and, where asked for, depth.
    """

    truth: Dataset
    decoded: Decoded
    kind: "np.dtype[np.void]"

    @property
    def waits(self) -> bool:
        """Whether taking examples waits for a disk or a decoder."""
        return self.decoded.waits

    def __len__(self) -> int:
        return len(self.decoded)

    def take(self, indices: Sequence[int] | Tensor) -> Taken:
        """The examples of `indices` in that order; depth is in [0, 1], near = bright."""
        rows = self.decoded.together(indices)
        return _tensors(rows.reshape(-1).view(self.kind))


def stretched(picture: NDArray[np.uint8], size: Size) -> tuple[NDArray[np.uint8], Matrix]:
    """A picture as the nets see it, and the matrix that leads there.

    Training, validation, `evaluate` and `predict` all come through here.
    """
    height, width = picture.shape[:2]
    if (width, height) == size:
        return picture, identity()
    matrix = stretch((width, height), size)
    return np.asarray(resample(picture, matrix, size), np.uint8), matrix


def stretched_mask(mask: NDArray[np.bool_], size: Size) -> NDArray[np.bool_]:
    """A mask at another size, true where at least half of a pixel's area was."""
    share = resample(mask.astype(np.float32), stretch(mask.shape[::-1], size), size)
    # What is half by arithmetic may come out a rounding below it.
    return np.asarray(share >= 0.5 - 1e-6)


def open_examples(
    dataset: Dataset, size: Size, *, cache: Path, keep: Keep = "auto", depth: bool
) -> SubjectExamples:
    """Decode a set in the way that its size and this machine allow.

    Args:
        size: width and height of what the nets see.
        cache: the folder for what is kept on disk.
        keep: where decoded pictures stay; `auto` takes memory, else disk, else neither.
        depth: whether depth maps are read too. A picture without one has ½ everywhere.

    Raises:
        InputError: the set has no masks, or no depth maps where they are asked for; a file cannot
            be read, or is of another shape than its picture; the disk is full.
    """
    dataset.require_masks()
    if depth:
        dataset.require_depths()
    kind = _record(size, depth=depth)
    decoded = open_decoded(
        dataset,
        np.full(len(dataset), kind.itemsize, np.int64),
        partial(_decode, dataset, kind),
        words=f"subjects-{size[0]}x{size[1]}-{depth}",
        keep=keep,
        cache=cache,
    )
    return SubjectExamples(dataset, decoded, kind)


def _record(size: Size, *, depth: bool) -> "np.dtype[np.void]":
    """How one example lies in memory and on disk."""
    width, height = size
    fields: list[tuple[str, str, tuple[int, ...]]] = [
        ("picture", "u1", (height, width, 3)),
        ("mask", "u1", (height, width)),
    ]
    if depth:
        fields.append(("depth", "<u2", (height, width)))
    # Aligned, since torch takes numbers of 16 bits at even places alone.
    return np.dtype(fields, align=True)


def _decode(dataset: Dataset, kind: "np.dtype[np.void]", index: int, flat: Flat) -> None:
    """Write one example into its record."""
    record = flat.view(kind)[0]
    height, width = record["mask"].shape
    size = (width, height)
    record["picture"] = stretched(dataset.picture(index, at_least=size), size)[0]
    record["mask"] = stretched_mask(read_subject(dataset, index), size)
    if record.dtype.names and "depth" in record.dtype.names:
        record["depth"] = kept_depth(_nearness(dataset, index, size), size)


def _nearness(dataset: Dataset, index: int, size: Size) -> NDArray[np.float32]:
    if not dataset.depths[index]:
        return np.full(size[::-1], UNKNOWN, np.float32)
    return read_nearness(dataset, index)


def _tensors(records: NDArray[np.void]) -> Taken:
    pictures = torch.from_numpy(np.ascontiguousarray(records["picture"])).permute(0, 3, 1, 2)
    masks = torch.from_numpy(np.ascontiguousarray(records["mask"]))
    depths = None
    if records.dtype.names and "depth" in records.dtype.names:
        depths = torch.from_numpy(given_depth(records["depth"]))[:, None]
    return Taken(pictures, masks, depths)
