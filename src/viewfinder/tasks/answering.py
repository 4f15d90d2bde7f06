"""The one path of validation, `evaluate` and `predict`: prepared pictures through a net."""

from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from viewfinder.datasets.framing import least_side
from viewfinder.memory import keep_freed
from viewfinder.pictures.finding import pictures_below
from viewfinder.pictures.geometry import Size
from viewfinder.pictures.quick_headers import picture_size
from viewfinder.pictures.reading import read_picture
from viewfinder.tasks.model import ModelConfig
from viewfinder.tasks.normalisation import Normalisation

Picture = NDArray[np.uint8] | NDArray[np.float32]
"""H×W×3 uint8, or float32 in [0, 1]; of depth H×W float32 in [0, 1]."""


NetOutput = Tensor | Sequence[Tensor]
"""What a net gives: one tensor, or several in an order of its own."""


class Answering(nn.Module):
    """A net that gives answers already, as what a task's `portable` makes of its net does."""


@torch.no_grad()
def outputs(
    net: nn.Module, pictures: Tensor, normalisation: Normalisation, device: torch.device
) -> NetOutput:
    """What a net in evaluation mode answers to N×3×H×W pictures, uint8 or float32 in [0, 1].

    Always in float32, whatever precision the net was trained in, so that the same picture gets
    the same answer in validation and afterwards, on every machine. A GPU's shortened float32 (TF32)
    is not used: it moved a saliency map by up to 0.8.
    """
    keep_freed()
    ready = normalisation.apply(as_shares(pictures.to(device)))
    ready = ready.contiguous(memory_format=torch.channels_last)
    answer: NetOutput
    if device.type != "cuda":
        answer = net(ready)
    else:
        with torch.backends.cudnn.flags(enabled=True, allow_tf32=False):
            answer = net(ready)
    return answer


def one_tensor(answer: NetOutput) -> Tensor:
    """What a net with one output gives.

    Raises:
        TypeError: it has several.
    """
    if not isinstance(answer, Tensor):
        raise TypeError(f"the net gives {len(answer)} tensors where one is expected")
    return answer


def several_tensors(answer: NetOutput) -> Sequence[Tensor]:
    """What a net with several outputs gives.

    Raises:
        TypeError: it has one.
    """
    if isinstance(answer, Tensor):
        raise TypeError("the net gives one tensor where several are expected")
    return answer


def as_shares(pictures: Tensor) -> Tensor:
    """Pictures of uint8, or of float32 in [0, 1] already, as float32 in [0, 1]."""
    return pictures if pictures.is_floating_point() else pictures.float() / 255


def in_batches(count: int, batch: int) -> Iterator[range]:
    """The numbers from 0 to `count`, in pieces of `batch`."""
    for start in range(0, count, batch):
        yield range(start, min(start + batch, count))


def picture_files(folder: Path) -> list[Path]:
    """Every picture below a folder, which is what most nets can be asked about."""
    return [folder / name for name in pictures_below(folder)]


def picture_in(file: Path, config: ModelConfig) -> tuple[NDArray[np.uint8], Size]:
    """A picture, decoded no larger than the net's framing needs, and its true size.

    Raises:
        InputError: it cannot be read.
    """
    least = least_side(config.framing, config.size)
    return read_picture(file, at_least=least, bits=config.bits), picture_size(file)
