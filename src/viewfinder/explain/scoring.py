"""A net with its loss behind it, so that answer and target are explained together."""

from collections.abc import Callable

import torch
from torch import Tensor, nn

from viewfinder.errors import InputError
from viewfinder.explain.traces import Sample
from viewfinder.explain.tracing import trace

_LOSSES = {
    "cross_entropy": nn.CrossEntropyLoss,
    "nll_loss": nn.NLLLoss,
    "mse_loss": nn.MSELoss,
    "l1_loss": nn.L1Loss,
    "smooth_l1_loss": nn.SmoothL1Loss,
    "binary_cross_entropy": nn.BCELoss,
    "binary_cross_entropy_with_logits": nn.BCEWithLogitsLoss,
}


class Scored(nn.Module):
    """The loss of a net's answer against a target, which is the last input."""

    def __init__(self, net: nn.Module, loss: str) -> None:
        super().__init__()
        self.net, self.loss = net, find_loss(loss)()

    def forward(self, *inputs: object) -> Tensor:
        """The loss, one number."""
        *given, target = inputs
        answer = self.net(*given)
        loss: Tensor = self.loss(answer, target)
        return loss


def find_loss(name: str) -> Callable[[], nn.Module]:
    """torch's loss of that name.

    Raises:
        InputError: it is none of those known here.
    """
    if name not in _LOSSES:
        raise InputError(f"--loss {name} is not known: give one of {', '.join(_LOSSES)}")
    return _LOSSES[name]


def usual_target(net: nn.Module, samples: list[Sample], loss: str) -> Sample:
    """A target as the loss wants it for this net's answer."""
    seen = trace(net, tuple(samples), costs=False)
    if not seen.outputs:
        return Sample(samples[0].shape[:1], torch.int64)
    shape = tuple(map(int, seen.outputs[0].shape))
    if loss in ("cross_entropy", "nll_loss"):
        return Sample((*shape[:1], *shape[2:]), torch.int64)
    return Sample(shape)
