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


class OnTheWay:
    """A few numbers that a device may still be computing; made without waiting for it."""

    def __init__(self, numbers: Tensor) -> None:
        self._numbers = numbers.detach().to("cpu", non_blocking=True)
        self._arrived = torch.cuda.Event() if numbers.is_cuda else None  # type: ignore[no-untyped-call]
        if self._arrived is not None:
            self._arrived.record(torch.cuda.current_stream(numbers.device))

    def read(self) -> list[float]:
        """The numbers, once they are here."""
        if self._arrived is not None:
            self._arrived.synchronize()
        return [float(number) for number in self._numbers.tolist()]


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
