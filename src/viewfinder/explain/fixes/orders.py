"""Fixes by order alone: a list called, or walked from the wrong end; two layers exchanged."""

import ast
from collections.abc import Iterator, Sequence
from dataclasses import replace
from types import CodeType

from torch import Tensor, nn

from viewfinder.explain.diagnosis.case import path_as_code
from viewfinder.explain.edits import InLine, Reordered
from viewfinder.explain.fixes.candidate import Candidate
from viewfinder.explain.fixes.scene import Scene
from viewfinder.explain.fixes.skips import local
from viewfinder.explain.sources import expression
from viewfinder.explain.statements import statements

_MEETING = ("cat", "add", "mul", "sub")


def candidates(scene: Scene) -> Iterator[Candidate]:
    """Where the layer that failed stands in a list or in a Sequential, or is itself a list."""
    yield from _from_the_other_end(scene)
    if isinstance(scene.case.failure.error, NotImplementedError):
        failed = scene.case.module
        if isinstance(failed, nn.ModuleList) and scene.path:
            name = path_as_code(scene.path)
            words = f"{name} = nn.Sequential(*{name}), for a list cannot be called"
            yield Candidate((InLine(scene.path),), words, 0.0)
        return
    parts = scene.path.split(".")
    for depth, name in enumerate(parts):
        path = ".".join(parts[:depth])
        if not name.isdigit():
            continue
        layers = scene.net.get_submodule(path)
        if isinstance(layers, nn.ModuleList) and int(name) == 0 and len(layers) > 1:
            order = tuple(reversed(range(len(layers))))
            words = path_as_code(path)
            yield Candidate((Reordered(path, order),), f"reversed({words}) for {words}", 0.25)
        elif isinstance(layers, nn.Sequential) and depth == len(parts) - 1:
            yield from _exchanged(layers, path, int(name))


def _from_the_other_end(scene: Scene) -> Iterator[Candidate]:
    """Skips in the order in which they were made, where the last is wanted first."""
    call = scene.call
    if call is None or call.place is None or scene.case.in_layer or call.base not in _MEETING:
        return
    words = expression(call.place, call.args, call.tensors).operands
    for position, word in enumerate(words):
        for old, name in _walks(call.place.code, word):
            code = (
                f"{name}[-1 - next(at for at, one in enumerate({name}) if one is {{{position}}})]"
            )

            def run(
                t: Sequence[Tensor],
                p: int = position,
                name: str = name,
                home: CodeType = call.place.code,
            ) -> object:
                skips = local(home, name)
                assert isinstance(skips, list | tuple)
                return skips[-1 - next(at for at, one in enumerate(skips) if one is t[p])]

            for one in scene.on_operand(position, code, run, 0.1):
                says = f"{name}[::-1] instead of {name} in {old}: the last skip first"
                edit = replace(one.edits[0], of_variables=True)  # type: ignore[call-arg]
                yield replace(one, edits=(edit,), says=says)


def _walks(code: CodeType, word: str) -> Iterator[tuple[str, str]]:
    """The loops that take a variable from a list: `for up, skip in zip(self.ups, skips)`."""
    for node in statements(code):
        if not isinstance(node, ast.For):
            continue
        target, over = node.target, node.iter
        names = target.elts if isinstance(target, ast.Tuple) else [target]
        zipped = isinstance(over, ast.Call) and ast.unparse(over.func) == "zip"
        lists = over.args if isinstance(over, ast.Call) and zipped else [over]
        for name, many in zip(names, lists, strict=False):
            if ast.unparse(name) == word and isinstance(many, ast.Name):
                yield f"for {ast.unparse(target)} in {ast.unparse(over)}", many.id


def _exchanged(layers: nn.Sequential, path: str, at: int) -> Iterator[Candidate]:
    """A norm that stands before the layer whose maps it was made for."""
    if at + 1 >= len(layers) or not _normalises(layers[at]) or not _gives(layers[at + 1]):
        return
    if _gives(layers[at + 1]) not in _normed(layers[at]):
        return
    order = list(range(len(layers)))
    order[at : at + 2] = at + 1, at
    one, two = (path_as_code(f"{path}.{n}".lstrip(".")) for n in (at, at + 1))
    says = f"{two} before {one}: the norm behind its layer"
    yield Candidate((Reordered(path, tuple(order)),), says, 0.2)


def _normalises(layer: nn.Module) -> bool:
    norms = nn.modules.batchnorm._NormBase | nn.LayerNorm | nn.GroupNorm
    return isinstance(layer, norms)


def _gives(layer: nn.Module) -> int:
    """How many channels or features a layer gives; 0 of one that gives as many as it takes."""
    made = getattr(layer, "out_channels", getattr(layer, "out_features", 0))
    return made if type(made) is int else 0


def _normed(norm: nn.Module) -> set[object]:
    """The channels, or last sizes, that a norm was made for."""
    shape = getattr(norm, "normalized_shape", ())
    return {getattr(norm, name, 0) for name in ("num_features", "num_channels")} | {*shape} - {0}
