"""Fixes where a module is given too many inputs, or too few."""

import ast
import inspect
from collections.abc import Iterator, Sequence
from dataclasses import replace
from types import CodeType
from typing import Any

import torch
from torch import Tensor, nn

from viewfinder.explain.diagnosis.case import path_as_code
from viewfinder.explain.edits import Regiven
from viewfinder.explain.fixes import operations as ops
from viewfinder.explain.fixes.candidate import Candidate
from viewfinder.explain.fixes.modules import made
from viewfinder.explain.fixes.scene import Scene
from viewfinder.explain.fixes.skips import local
from viewfinder.explain.input_edits import Fewer, More
from viewfinder.explain.passed import Args, Kwargs
from viewfinder.explain.sources import module_call
from viewfinder.explain.statements import reads, running


def candidates(scene: Scene) -> Iterator[Candidate]:
    """Too many inputs, or a decoder's memory that nothing gives."""
    frame = scene.case.failure.frame
    if scene.call is not None or not isinstance(scene.case.failure.error, TypeError):
        return
    positional = [
        p
        for p in inspect.signature(frame.module.forward).parameters.values()
        if p.kind is p.POSITIONAL_OR_KEYWORD
    ]
    extra = len(frame.args) - len(positional)
    if extra > 0 and not frame.path:
        says = f"leave out the last {'input' if extra == 1 else f'{extra} inputs'}"
        yield Candidate((Fewer(len(positional)),), says, 0.0)
    elif extra < 0 and not frame.path and frame.args and not frame.kwargs:
        names = [p.name for p in positional if p.default is p.empty]
        lacking = names[len(frame.args) :]
        says = f"give {' and '.join(lacking)} too (tried with the same as {names[0]})"
        if lacking:
            yield Candidate((More(len(names)),), says, 0.0)
    elif isinstance(frame.module, nn.MultiheadAttention) and not frame.kwargs:
        name = path_as_code(frame.path)
        says = f"{name}(x, x, x): query, key and value of one sequence"
        if len(frame.args) == 2:
            says = f"{name}(x, y, y): the values are the keys"
        yield Candidate((More(3, frame.path),), says, 0.0)
    elif extra > 0:
        # The module has no place for it.
        yield replace(scene.before(ops.LEFT_OUT, 0.1, argument=len(frame.args) - 1), means="")
    if extra < 0 and frame.path:
        yield from _not_handed_on(scene, [p.name for p in positional if p.default is p.empty])
    if isinstance(frame.module, nn.Sequential) and extra > 0:
        yield from _beside_each_other(scene, frame.args)
    if isinstance(frame.module, nn.TransformerDecoder) and len(frame.args) == 1:
        yield from _encoder(scene, frame.module)


def _encoder(scene: Scene, decoder: nn.TransformerDecoder) -> Iterator[Candidate]:
    layer: Any = decoder.layers[0]
    attention, many = layer.self_attn, len(decoder.layers)
    first = {"batch_first": True} if attention.batch_first else {}
    code, make = made(
        "TransformerEncoderLayer",
        attention.embed_dim,
        attention.num_heads,
        layer.linear1.out_features,
        **first,
    )
    yield scene.put(
        scene.path,
        f"nn.TransformerEncoder({code}, {many})",
        lambda: nn.TransformerEncoder(make(), many),  # type: ignore[arg-type]
        0.1,
    )


def _not_handed_on(scene: Scene, wanted: Sequence[str]) -> Iterator[Candidate]:
    """A variable that the function made and does not use, for the one input that is missing."""
    frame, line = scene.case.failure.frame, running(scene.case.failure.error)
    given = len(frame.args)
    node = module_call(frame.place)
    if line is None or node is None or len(wanted) != given + 1 or frame.kwargs:
        return
    name = wanted[given]
    for variable, value in line.variables.items():
        unused = reads(line.code, variable) == 0
        if not isinstance(value, Tensor) or not (unused or variable == name):
            continue

        def give(
            args: Args, kwargs: Kwargs, code: CodeType = line.code, variable: str = variable
        ) -> tuple[Args, dict[str, object]]:
            return (*args, local(code, variable)), dict(kwargs)

        words = [*(ast.unparse(one) for one in node.args), variable]
        new = f"{ast.unparse(node.func)}({', '.join(words)})"
        says = f"{new} instead of {ast.unparse(node)}"
        if unused:
            says += f": {variable} was made and is not used"
        yield Candidate((Regiven(frame.path, give),), says, -0.1 if unused else 0.0)


def _beside_each_other(scene: Scene, args: Args) -> Iterator[Candidate]:
    """Several tensors for a Sequential, which takes one: all of them joined."""
    tensors = [one for one in args if isinstance(one, Tensor)]
    node = module_call(scene.case.failure.frame.place)
    if node is None or len(tensors) != len(args) or len({one.dim() for one in tensors}) != 1:
        return
    rank = tensors[0].dim()
    words = ", ".join(ast.unparse(one) for one in node.args)
    for dim in dict.fromkeys((1 if rank > 1 else 0, rank - 1)):

        def give(args: Args, kwargs: Kwargs, dim: int = dim) -> tuple[Args, dict[str, object]]:
            return (torch.cat([one for one in args if isinstance(one, Tensor)], dim),), {}

        new = f"{ast.unparse(node.func)}(torch.cat([{words}], {dim}))"
        says = f"{new} instead of {ast.unparse(node)}"
        yield Candidate((Regiven(scene.path, give),), says, 0.0)
