"""A skip that a decoder's layer was made for, and that was not joined to what goes into it."""

import ast
import inspect
import sys
import textwrap
from collections.abc import Iterator
from types import CodeType

import torch
from torch import Tensor, nn

from viewfinder.explain.calls import Call
from viewfinder.explain.edits import InsertedCall
from viewfinder.explain.fixes.candidate import Candidate
from viewfinder.explain.fixes.scene import Scene

_CONV = nn.modules.conv._ConvNd
_ENLARGING = ("conv_transpose", "interpolate", "upsample", "pixel_shuffle")


def candidates(scene: Scene) -> Iterator[Candidate]:
    """At a convolution made for more channels than it is given."""
    layer = scene.layer
    if not isinstance(layer, _CONV) or not scene.given or not scene.path:
        return
    given = tuple(map(int, scene.given[0].shape))
    lacking = layer.in_channels - (given[1] if len(given) > 1 else 0)
    if len(given) != layer.weight.dim() or lacking <= 0:
        return
    mine = _module(scene, scene.path)
    home = mine.rpartition(".")[0]
    for call in reversed(scene.case.failure.trace.calls):
        shape = call.output_shapes[0] if call.output_shapes else ()
        fits = shape[:1] + shape[2:] == given[:1] + given[2:] and shape[1:2] == (lacking,)
        if not fits or not call.module or any(call.outputs[0] is t for t in scene.given):
            continue
        theirs = _module(scene, call.module)
        if theirs == mine or theirs.rpartition(".")[0] != home:
            continue
        owner = scene.net.get_submodule(home)
        name = _variable(owner, theirs.rpartition(".")[2])
        if name:
            yield scene.before(_with(scene, name, owner), -0.05, mine)
            return


def _module(scene: Scene, path: str) -> str:
    """The module that the user's own code calls: a Sequential, or a layer, around a layer."""
    while "." in path and isinstance(scene.parent(path), nn.Sequential):
        path = path.rpartition(".")[0]
    return path


def _variable(owner: nn.Module, name: str) -> str:
    """What the forward of a module calls what its layer `name` gives; empty if nothing."""
    try:
        tree = ast.parse(textwrap.dedent(inspect.getsource(type(owner).forward)))
    except (OSError, SyntaxError, TypeError):
        return ""
    found: dict[str, int] = {}
    source = ""
    for node in ast.walk(tree):
        if not isinstance(node, ast.Assign) or len(node.targets) != 1:
            continue
        target = node.targets[0]
        if not isinstance(target, ast.Name):
            continue
        found[target.id] = found.get(target.id, 0) + 1
        if f"self.{name}(" in ast.unparse(node.value):
            source = target.id
    # A name that is given anew is by then another tensor.
    return source if found.get(source) == 1 else ""


def _with(scene: Scene, name: str, owner: nn.Module) -> InsertedCall:
    """The skip behind the enlarged map, or before it where the net joins others so."""
    code = type(owner).forward.__code__
    parts = ["{}", name]
    for call in scene.case.failure.trace.calls:
        first = call.producers[0] if call.base == "cat" and call.producers else None
        if isinstance(first, Call) and not first.base.startswith(_ENLARGING):
            parts = [name, "{}"]

    def run(value: Tensor) -> Tensor:
        other = local(code, name)
        assert isinstance(other, Tensor)
        return torch.cat([value, other] if parts[0] == "{}" else [other, value], 1)

    return InsertedCall(f"torch.cat([{', '.join(parts)}], 1)", run, home=code)


def local(code: CodeType, name: str) -> object:
    """The value of a variable of the user's function that is running."""
    frame = sys._getframe(1)
    while frame.f_back is not None and frame.f_code is not code:
        frame = frame.f_back
    return frame.f_locals.get(name)
