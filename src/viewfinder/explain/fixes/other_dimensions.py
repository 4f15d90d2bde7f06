"""Calls before a failure that name another dimension than was meant.

A slice of places that was to be one of numbers, positions counted by the batch, a batch that was
turned away from the front although the layer wants it there.
"""

import ast
import re
import sys
from collections.abc import Callable, Iterator
from itertools import islice

from torch import nn

from viewfinder.explain.calls import Call
from viewfinder.explain.edits import Rewrite
from viewfinder.explain.fixes.candidate import Candidate
from viewfinder.explain.fixes.general import origins
from viewfinder.explain.fixes.general.again import again
from viewfinder.explain.fixes.names import SPATIAL
from viewfinder.explain.fixes.scene import Scene
from viewfinder.explain.passed import Args, Kwargs
from viewfinder.explain.sources import module_call

_MAKERS = {"arange", "zeros", "ones", "eye", "full", "rand", "randn", "empty"}
_NEAR = 12


def candidates(scene: Scene) -> Iterator[Candidate]:
    """At each call of the user's own code on the way to the failure, the latest first."""
    for call in islice(origins.written_calls(scene), _NEAR):
        if call.base == "getitem":
            yield from _last_numbers(scene, call)
        elif call.base in _MAKERS and not call.tensors:
            yield from _counted(scene, call)
        elif call.base in ("permute", "transpose") and call.tensors:
            yield from _turned_away(scene, call)


def _last_numbers(scene: Scene, call: Call) -> Iterator[Candidate]:
    """`boxes[:, :2]` of N×boxes×4, where the first two numbers of each box were meant."""
    index = call.args[1] if len(call.args) > 1 else None
    names, shape = scene.names.operand(call, 0), call.input_shapes[0]
    if not isinstance(index, tuple) or len(index) != 2 or len(shape) < 3:
        return
    first, second = index
    if first != slice(None) or not isinstance(second, slice) or names[:1] != ("batch",):
        return
    ends = [end for end in (second.start, second.stop) if end is not None]
    # `[:, :-1]` leaves the last step out, as the next word's loss does.
    small = all(type(end) is int and 0 <= end <= shape[-1] for end in ends)
    if small and ends and names[1] in SPATIAL and names[-1] not in SPATIAL:
        yield from again(scene, call, (call.args[0], (..., second)), call.kwargs, -0.05)


def _counted(scene: Scene, call: Call) -> Iterator[Candidate]:
    """`torch.arange(x.size(0))`: as many as there are items, where steps were meant."""
    node = module_call(call.place)
    if node is None or call.place is None or call.output_shapes[0][:1] != _batch(scene):
        return
    text = ast.unparse(node)
    lengths = re.findall(r"\blen\((\w+)\)", text)
    for old in (".size(0)", ".shape[0]", *(f"len({name})" for name in lengths)):
        if text.count(old) != 1:
            continue
        new = text.replace(old, old.replace("0", "1"))
        if old.startswith("len"):
            new = text.replace(old, f"{old[4:-1]}.size(1)")
        fitted = ast.parse(new, mode="eval").body
        assert isinstance(fitted, ast.Call)
        code = call.place.code
        run = _in_its_place(fitted, code)
        edit = Rewrite(call.place[:2], call.operation, new, run)
        yield Candidate((edit,), f"{new} instead of {text}", -0.1)


def _batch(scene: Scene) -> tuple[int, ...]:
    return (scene.lab.inputs.batch,)


def _in_its_place(node: ast.Call, code: object) -> Callable[..., object]:
    """torch's function with the arguments of `node`, as the user's running code has them."""

    def run(function: Callable[..., object], args: Args, kwargs: Kwargs) -> object:
        frame = sys._getframe(1)
        while frame.f_back is not None and frame.f_code is not code:
            frame = frame.f_back
        names = {**frame.f_globals, **frame.f_locals}

        def value(part: ast.expr) -> object:
            whole = ast.fix_missing_locations(ast.Expression(part))
            return eval(compile(whole, "<argument>", "eval"), names)

        return function(*map(value, node.args), **kwargs)

    return run


def _turned_away(scene: Scene, call: Call) -> Iterator[Candidate]:
    """A sequence whose batch was put second, for a layer with `batch_first=True`."""
    layer, names = scene.case.module, scene.names.operand(call, 0)
    first = getattr(layer, "batch_first", False) is True and isinstance(layer, nn.Module)
    shape, made = call.input_shapes[0], call.output_shapes[0]
    if first and names[:1] == ("batch",) and len(shape) == 3 and made == (shape[1], *shape[::2]):
        yield from scene.instead(call, "{0}", lambda t: t[0], -0.05)
