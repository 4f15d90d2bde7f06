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
    given = pictures.to(device)
    shares = given if given.is_floating_point() else given.float() / 255
    ready = normalisation.apply(shares)
    return net(ready.contiguous(memory_format=torch.channels_last))


def in_batches(count: int, batch: int) -> Iterator[range]:
    """The numbers from 0 to `count`, in pieces of `batch`."""
    for start in range(0, count, batch):
        yield range(start, min(start + batch, count))
