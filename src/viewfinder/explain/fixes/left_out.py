"""Calls that do what was done already: a mean of what was a mean, a class chosen before the loss.

The call is left out, and a maximum that comes with its places is taken apart.
"""

from collections.abc import Iterator
from dataclasses import replace
from itertools import islice

import torch
from torch import nn

from viewfinder.explain.calls import Call
from viewfinder.explain.fixes.candidate import Candidate
from viewfinder.explain.fixes.general import origins
from viewfinder.explain.fixes.general.again import again
from viewfinder.explain.fixes.losses import LOSSES
from viewfinder.explain.fixes.operations import item
from viewfinder.explain.fixes.scene import Scene

_REDUCING = {"mean", "sum", "amax", "amin", "max", "min", "squeeze"}
_WITH_PLACES = {"max", "min", "median", "mode"}
_CHOOSING = {"argmax", "argmin"}
# What a choice may go through before it comes to a loss.
_BETWEEN = {"float", "long", "to", "type", "unsqueeze", "squeeze", "view", "reshape"}
_NEAR = 8


def candidates(scene: Scene) -> Iterator[Candidate]:
    """At the calls of the user's own code on the way to the failure."""
    yield from _chosen(scene)
    yield from _with_places(scene)
    layer = scene.layer
    if not isinstance(layer, nn.Linear) or not scene.given:
        return
    for call in islice(origins.written_calls(scene), _NEAR):
        if call.base == "squeeze" and call.tensors:
            yield from _states(scene, call, layer.in_features)
        if call.base not in _REDUCING or not call.tensors or not call.output_shapes:
            continue
        one, two = call.input_shapes[0], call.output_shapes[0]
        if one[-1:] == (layer.in_features,) and two[-1:] != one[-1:] and len(two) < len(one) == 2:
            yield from scene.instead(call, "{0}", lambda t: t[0], 0.0)


def _states(scene: Scene, call: Call, wanted: int) -> Iterator[Candidate]:
    """`h.squeeze(0)` of the states of several layers, or of both directions."""
    made = call.producers[0]
    home = made.module if isinstance(made, Call) else ""
    layer = scene.net.get_submodule(home) if home else None
    shape = call.input_shapes[0]
    if not isinstance(layer, nn.RNNBase) or len(shape) != 3 or shape[0] < 2:
        return
    if layer.bidirectional and wanted == 2 * shape[2]:
        code = "torch.cat([{0}[-2], {0}[-1]], 1)"
        yield from scene.instead(call, code, lambda t: torch.cat([t[0][-2], t[0][-1]], 1), -0.05)
    if wanted == shape[2]:
        yield from scene.instead(call, "{0}[-1]", lambda t: t[0][-1], -0.05)


def _chosen(scene: Scene) -> Iterator[Candidate]:
    """`argmax` of the scores, before a loss that wants all of them."""
    call = scene.call
    if call is None or call.base not in LOSSES or not call.producers:
        return
    made: Call | int = call.producers[0]
    while isinstance(made, Call) and made.base in _BETWEEN and made.producers:
        made = made.producers[0]
    if isinstance(made, Call) and made.base in _CHOOSING:
        yield from scene.instead(made, "{0}", lambda t: t[0], -0.05)


def _with_places(scene: Scene) -> Iterator[Candidate]:
    """`torch.max(x, dim=1)`, used as one tensor: its numbers alone, as wide as what is beside."""
    error = scene.case.failure.error
    if scene.case.in_layer or not isinstance(error, TypeError | AttributeError):
        return
    for made in reversed(scene.case.failure.trace.calls):
        if made.base not in _WITH_PLACES or len(made.outputs) != 2 or made.place is None:
            continue
        whole = None
        for call in scene.case.failure.trace.calls:
            reduced = call is made or (call.base in _REDUCING and _is_beside(call, made))
            if not reduced or "keepdim" in call.kwargs:
                continue
            then = item(0) if call is made else None
            for one in again(scene, call, call.args, {**call.kwargs, "keepdim": True}, 0.0, then):
                whole = one if whole is None else whole.and_(one)
        if whole is not None and len(whole.edits) > 1:
            yield replace(whole, cost=-0.05)
        return


def _is_beside(call: Call, made: Call) -> bool:
    """Whether two calls reduce the same tensor."""
    return bool(call.tensors) and bool(made.tensors) and call.tensors[0] is made.tensors[0]
