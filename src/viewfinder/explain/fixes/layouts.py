"""Fixes at functions of torch that want their tensors in a layout of their own: tried last."""

from collections.abc import Iterator

import torch
from torch import nn

from viewfinder.explain.fixes import losses, operations, sums
from viewfinder.explain.fixes.candidate import Candidate
from viewfinder.explain.fixes.scene import Scene

# Here every order of the dimensions has a meaning, and one that fits is not one that is meant.
_OTHERS = sums.SUMS | {
    "cat", "stack", "view", "reshape", "unflatten", "flatten", "expand", "repeat", "getitem",
    "setitem", "permute", "transpose", "squeeze", "unsqueeze", "split", "chunk", "masked_fill",
    "linear", "batch_norm", "layer_norm", "group_norm",
}  # fmt: skip
# What it costs to come after everything that a rule knows of.
LAST = 2.0
_TURNS = {
    3: ((0, 2, 1),),
    4: ((0, 2, 3, 1), (0, 3, 1, 2), (0, 2, 1, 3)),
    5: ((0, 2, 3, 4, 1), (0, 4, 1, 2, 3), (0, 2, 1, 3, 4)),
}


def candidates(scene: Scene) -> Iterator[Candidate]:
    """Each operand with its dimensions in another usual order, or with one more or fewer."""
    call = scene.call
    if call is None or scene.case.in_layer or not scene.lab.inputs.batch:
        return
    if call.base in _OTHERS | losses.LOSSES:
        return
    for position, shape in enumerate(call.input_shapes):
        # A filter or a table of the net's own is what it is.
        own = isinstance(call.tensors[position], nn.Parameter)
        if own or not any("batch" in name for name in scene.called(position)):
            continue
        cost = LAST + position / 10
        for order in _TURNS.get(len(shape), ()):
            yield from scene.operate(position, operations.permute(*order), cost)
        for dim in range(1, len(shape)):
            if shape[dim] == 1:
                yield from scene.operate(position, operations.squeeze(dim), cost + 0.2)
        for dim in (1, -1):
            yield from scene.operate(position, operations.unsqueeze(dim), cost + 0.3)
        if call.tensors[position].dtype in (torch.int64, torch.uint8, torch.bool):
            yield from scene.operate(position, operations.to_type(torch.float32), cost + 0.1)
