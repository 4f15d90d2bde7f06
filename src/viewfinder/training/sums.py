"""Sums over all processes of a training."""

from typing import TYPE_CHECKING, cast

import torch
from torch import Tensor, nn

if TYPE_CHECKING:
    from lightning_fabric import Fabric


def over_processes(fabric: "Fabric", numbers: Tensor) -> Tensor:
    """Numbers summed over all processes, without a gradient."""
    if fabric.world_size == 1:
        return numbers.detach()
    # What is reduced is overwritten, and whose numbers they are may want them still.
    return cast(Tensor, fabric.all_reduce(numbers.detach().clone(), reduce_op="sum"))


def add_gradients(fabric: "Fabric", net: nn.Module) -> None:
    """Make each gradient the sum of what processes have of it: that of the whole step.

    All at once and in one order. Left to torch, gradients go in buckets, which it fills in another
    order after the first step of a sitting; and where more than two processes add, which of them
    are added first follows from a number's place.
    """
    if fabric.world_size == 1:
        return
    # What the net's outputs do not depend on has none, and that in every process alike.
    own = [each.grad for each in net.parameters() if each.grad is not None]
    whole = over_processes(fabric, torch.cat([each.flatten() for each in own]))
    for mine, part in zip(own, torch.split(whole, [each.numel() for each in own]), strict=True):
        mine.copy_(part.view(mine.shape))
