"""Fixes of joins: along another dimension, of parts that one spreads, or that moved away."""

import ast
from collections.abc import Iterator, Sequence
from dataclasses import replace
from functools import partial
from itertools import islice

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from viewfinder.explain.calls import Call
from viewfinder.explain.explanation import Shape
from viewfinder.explain.fixes import tables
from viewfinder.explain.fixes.candidate import Candidate
from viewfinder.explain.fixes.general import origins
from viewfinder.explain.fixes.scene import Scene
from viewfinder.explain.sources import expression

_CONV = nn.modules.conv._ConvNd
_NEAR = 12


def candidates(scene: Scene) -> Iterator[Candidate]:
    """At a join that failed, and at one whose result a layer was not made for."""
    call, layer = scene.call, scene.layer
    if isinstance(layer, _CONV | nn.Linear) and scene.given:
        for joined in islice(origins.written_calls(scene), _NEAR):
            if joined.base in ("cat", "stack"):
                yield from _along_another(scene, joined, layer)
    elif call is not None and call.base == "cat" and len(call.input_shapes) > 1:
        along = call.argument("dim", 0) % max(map(len, call.input_shapes))
        yield from _spread(scene, call, call.input_shapes, along)
        yield from _moved(scene, call, call.input_shapes, along)


def _along_another(scene: Scene, call: Call, layer: nn.Module) -> Iterator[Candidate]:
    """Parts that have together what the layer was made for: joined there, and not stacked."""
    shapes, rank = call.input_shapes, len(call.input_shapes[0])
    convolved = isinstance(layer, _CONV)
    wanted = layer.in_channels if isinstance(layer, _CONV) else layer.in_features
    dim = 1 if convolved else rank - 1
    asked = call.argument("dim", 0)
    if rank < 2 or len({len(shape) for shape in shapes}) > 1 or len(shapes) > 8:
        return
    if call.base == "cat" and asked % rank == dim:
        return
    alike = len({(*shape[:dim], *shape[dim + 1 :]) for shape in shapes}) == 1
    if not alike or sum(shape[dim] for shape in shapes) != wanted:
        return
    written = 1 if convolved or rank == 2 else -1
    parts = ", ".join(f"{{{at}}}" for at in range(len(shapes)))
    code = f"torch.cat([{parts}], {written})"
    yield from scene.instead(call, code, lambda t: torch.cat(list(t), dim), -0.05)


def _spread(scene: Scene, call: Call, shapes: Sequence[Shape], along: int) -> Iterator[Candidate]:
    """Parts that are 1 where others are more, or that lack the batch: the same for all."""
    rank = max(map(len, shapes))
    whole = [(1,) * (rank - len(shape)) + shape for shape in shapes]
    first = [max(range(len(shapes)), key=lambda at: whole[at][dim]) for dim in range(rank)]
    for dim in range(rank):
        sizes = {shape[dim] for shape in whole}
        if dim != along and len(sizes - {1}) > 1:
            return
    parts: list[str] = []
    for at, shape in enumerate(shapes):
        lacking = rank - len(shape)
        if lacking and not tables.own(scene, at):
            return
        spread = [
            f"{{{first[dim]}}}.size({dim})"
            if dim != along and whole[at][dim] == 1 != whole[first[dim]][dim]
            else "1"
            if dim < lacking
            else "-1"
            for dim in range(rank)
        ]
        same = not any("size" in size for size in spread)
        parts.append(f"{{{at}}}" if same else f"{{{at}}}.expand({', '.join(spread)})")
    run = partial(_expanded, along=along, first=first)
    if any("expand" in part for part in parts):
        yield from scene.instead(call, f"torch.cat([{', '.join(parts)}], {along})", run, 0.0)


def _expanded(t: Sequence[Tensor], along: int, first: Sequence[int]) -> Tensor:
    rank = len(first)
    whole = [one[(None,) * (rank - one.dim())] for one in t]
    sizes = [-1 if dim == along else whole[at].size(dim) for dim, at in enumerate(first)]
    return torch.cat([one.expand(sizes) for one in whole], along)


def _moved(scene: Scene, call: Call, shapes: Sequence[Shape], along: int) -> Iterator[Candidate]:
    """A map that was moved by cutting it, `right[..., :-d]`: zeros stand where nothing is left."""
    ranks = {len(shape) for shape in shapes}
    if len(ranks) > 1 or max(ranks) < 3:
        return
    last = max(ranks) - 1
    for at, made in enumerate(call.producers):
        side = _cut(made)
        other = next((n for n, shape in enumerate(shapes) if shape[last] > shapes[at][last]), None)
        if side is None or other is None or along == last:
            continue
        words = expression(call.place, call.args, call.tensors).operands
        gap = f"{{{other}}}.size(-1) - {{{at}}}.size(-1)"
        code = f"F.pad({{{at}}}, ({gap}, 0))" if side == "front" else f"F.pad({{{at}}}, (0, {gap}))"

        def run(t: Sequence[Tensor], at: int = at, other: int = other, side: str = side) -> Tensor:
            gap = t[other].size(-1) - t[at].size(-1)
            return F.pad(t[at], (gap, 0) if side == "front" else (0, gap))

        for one in scene.on_operand(at, code, run, 0.02):
            step = _step(words[at])
            whole = f"{words[other]}.size(-1) - {words[at]}.size(-1)"
            yield replace(one, says=one.says.replace(whole, step)) if step else one


def _cut(made: Call | int) -> str | None:
    """At which end a slice of the last dimension left nothing."""
    index = made.args[1] if isinstance(made, Call) and made.base == "getitem" else None
    part = index[-1] if isinstance(index, tuple) and index else None
    if not isinstance(part, slice) or part.step is not None:
        return None
    if part.start is None and type(part.stop) is int and part.stop < 0:
        return "front"
    return "back" if part.stop is None and type(part.start) is int and part.start > 0 else None


def _step(text: str) -> str:
    """By how much it was moved, as it is written there: `d` of `right[..., :-d]`."""
    try:
        node = ast.parse(text, mode="eval").body
    except SyntaxError:
        return ""
    index = node.slice if isinstance(node, ast.Subscript) else None
    part = index.elts[-1] if isinstance(index, ast.Tuple) and index.elts else None
    end = part.upper or part.lower if isinstance(part, ast.Slice) else None
    if isinstance(end, ast.UnaryOp):
        end = end.operand
    return ast.unparse(end) if end is not None else ""
