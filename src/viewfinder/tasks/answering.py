"""The one path of validation, `evaluate` and `predict`: prepared pictures through a net."""

from collections.abc import Iterator
from typing import Any

import torch
from torch import Tensor, nn

from viewfinder.memory import keep_freed
from viewfinder.tasks.normalisation import Normalisation


@torch.no_grad()
def outputs(
    net: nn.Module, pictures: Tensor, normalisation: Normalisation, device: torch.device
) -> Any:
    """What a net in evaluation mode answers to N×3×H×W pictures, uint8 or float32 in [0, 1].

    Always in float32, whatever precision the net was trained in, so that the same picture gets
    the same answer in validation and afterwards, on every machine.
    """
    keep_freed()
    ready = normalisation.apply(as_shares(pictures.to(device)))
    return net(ready.contiguous(memory_format=torch.channels_last))


def as_shares(pictures: Tensor) -> Tensor:
    """Pictures of uint8, or of float32 in [0, 1] already, as float32 in [0, 1]."""
    return pictures if pictures.is_floating_point() else pictures.float() / 255


def in_batches(count: int, batch: int) -> Iterator[range]:
    """The numbers from 0 to `count`, in pieces of `batch`."""
    for start in range(0, count, batch):
        yield range(start, min(start + batch, count))
