"""Sums over all processes of a training, and over its steps."""

import math
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, cast

import torch
from torch import Tensor, nn

from viewfinder.training.batches import Batch

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


@dataclass(frozen=True)
class _Unread:
    """A step that was taken, after so many updates, and whose sums are on their way."""

    batch: Batch
    updates: int
    names: tuple[str, ...]
    sums: OnTheWay


class StepSums:
    """What steps came to, and whether any process was asked to stop."""

    def __init__(self, add: Callable[[Tensor], Tensor], *, behind: int) -> None:
        """
        Args:
            add: sums numbers over all processes.
            behind: so many steps are taken before the sums of one are waited for.
        """
        self.stopping = False
        self._add, self._behind = add, behind
        self._unread: deque[_Unread] = deque()

    def add(self, batch: Batch, updates: int, terms: Mapping[str, Tensor], *, asked: bool) -> None:
        """A step was taken.

        Args:
            updates: steps before it.
            terms: this process's part of the loss and its terms, each a number, times the pictures.
            asked: whether this process was asked to stop.
        """
        # One sum over processes a step, for the loss and for who wants to stop: each one waits.
        values = torch.stack([value.float() for value in terms.values()])
        stops = values.new_tensor([float(asked)])
        sums = OnTheWay(self._add(torch.cat([values, stops])))
        self._unread.append(_Unread(batch, updates, tuple(terms), sums))

    def read(self, into: dict[str, float], *, all_of_them: bool) -> _Unread | None:
        """Add the sums of steps to those of the epoch: of all, or of all but the last few.

        Returns:
            the step that made the loss no number, if one did.
        """
        while len(self._unread) > (0 if all_of_them else self._behind):
            step = self._unread.popleft()
            *values, stops = step.sums.read()
            # All processes stop after the same step, or one would wait for another for ever.
            self.stopping = stops > 0
            for name, value in zip(step.names, values, strict=True):
                into[name] = into.get(name, 0.0) + value
            if not math.isfinite(into["loss"]):
                return step
        return None


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
