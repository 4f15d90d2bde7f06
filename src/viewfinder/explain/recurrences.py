"""Recurrent layers over a few steps instead of all: what torch says of their shapes is the same.

Without numbers torch goes through a sequence step by step all the same, in every layer and
direction, so that a layer over a hundred words may cost more than all the rest of a net.
"""

from collections.abc import Callable, Sequence
from dataclasses import replace
from math import prod

import torch
from torch import Tensor
from torch._subclasses.fake_tensor import FakeTensor, FakeTensorMode
from torch.utils._mode_utils import no_dispatch

from viewfinder.explain.calls import Call

RECURRENT = frozenset({"gru", "lstm", "rnn_tanh", "rnn_relu"})
_STEPS = 2


def shortened(call: Call) -> Call | None:
    """The call over its first steps; None where it is short, packed, or no such call."""
    # input, state, weights, biases, layers, dropout, training, both ways, batch first
    if call.operation not in RECURRENT or len(call.args) != 9 or call.kwargs:
        return None
    given, biases, first = call.args[0], call.args[3], call.args[8]
    if not isinstance(given, Tensor) or type(biases) is not bool or given.dim() != 3:
        return None
    dim = _steps(first)
    if given.shape[dim] <= _STEPS:
        return None
    with torch._C.DisableTorchFunction():
        few = given.narrow(dim, 0, _STEPS)
    return replace(call, args=(few, *call.args[1:]))


def lengthened(call: Call, ask: Callable[[], object], fake: FakeTensorMode) -> object:
    """What the whole call gives, of what `ask` says that it gives for a few steps."""
    result = ask()
    given, dim = call.args[0], _steps(call.args[8])
    assert isinstance(given, Tensor)
    if not isinstance(result, tuple | list) or not isinstance(result[0], FakeTensor):
        return result
    answers: FakeTensor = result[0]
    shape = [*answers.shape]
    shape[dim] = given.shape[dim]
    with no_dispatch():
        stride = _dense(shape, answers.stride())
        blank = torch.empty_strided(shape, stride, dtype=answers.dtype, device="meta")
    return (FakeTensor(fake, blank, answers.fake_device), *result[1:])


def _steps(batch_first: object) -> int:
    return 1 if batch_first else 0


def _dense(shape: Sequence[int], like: Sequence[int]) -> list[int]:
    """Strides without gaps, of dimensions in the order that others lie in."""
    order = sorted(range(len(shape)), key=lambda dim: -like[dim])
    strides = [0] * len(shape)
    for at, dim in enumerate(order):
        strides[dim] = prod(shape[inner] for inner in order[at + 1 :])
    return strides
