"""What a loss is: this process's part of a step's sums, over which several processes may share."""

from collections.abc import Callable, Mapping
from typing import Any, Protocol, TypeVar

import torch
from torch import Tensor

from viewfinder.tasks.answering import NetOutput

Forward = Callable[[Tensor], NetOutput]
"""N×3×H×W float32 pictures in [0, 1] to the net's outputs, in the arithmetic of the training."""


BatchIn = TypeVar("BatchIn", contravariant=True)


Add = Callable[[Tensor], Tensor]
"""Adds numbers up over the processes that share a step; no gradient passes."""


def alone(numbers: Tensor) -> Tensor:
    """`Add` where no other process shares the step."""
    return numbers


class Loss(Protocol[BatchIn]):
    """What a step is to lessen."""

    def __call__(self, forward: Forward, inputs: BatchIn, add: Add = alone) -> dict[str, Tensor]:
        """This process's part of each term of the loss of a step.

        A term is a mean over all of the step's pictures, or all of its objects: what the parts of
        all processes add up to is the term, and what their gradients add up to is its gradient. So
        a part is a sum over this process's `inputs`, divided by what `add` gives for their number.

        The sum of the terms, but for those whose name starts with `_`, is minimised; all are shown
        in the history.
        """
        ...


def share_of_step(count: int, device: torch.device, add: Add) -> Tensor:
    """The share of a step's pictures that `count` are, which this process has: 1 if it is alone."""
    own = torch.full((), float(count), device=device)
    return own / add(own)


def total(terms: Mapping[str, Tensor]) -> Tensor:
    """What is minimised of a loss: the sum of its terms, but for those that are only shown."""
    return torch.stack([v for name, v in terms.items() if not name.startswith("_")]).sum()


AnyLoss = Loss[Any]
"""The loss of such a task."""
