"""Fixes where tensors meet: sums, products, concatenations, and losses with their targets."""

from collections.abc import Iterator, Sequence

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from viewfinder.explain.calls import Call
from viewfinder.explain.edits import Operation
from viewfinder.explain.explanation import Shape
from viewfinder.explain.fixes import branches, losses
from viewfinder.explain.fixes import operations as ops
from viewfinder.explain.fixes.layers import resized
from viewfinder.explain.fixes.names import SPATIAL
from viewfinder.explain.fixes.scene import Candidate, Scene

SUMS = {"add", "sub", "rsub", "mul", "div", "maximum", "minimum", "true_divide", "pow", "where"}


def candidates(scene: Scene) -> Iterator[Candidate]:
    """By the call that takes several tensors."""
    call = scene.call
    if call is None:
        return
    if call.base in losses.LOSSES:
        yield from losses.candidates(scene, call)
    if (call.base in SUMS and len(call.tensors) >= 2) or call.base == "masked_fill":
        yield from _sum(scene, call)
    elif call.base in ("cat", "stack"):
        yield from _joined(scene, call)


def _sum(scene: Scene, call: Call) -> Iterator[Candidate]:
    one, two = call.input_shapes[:2]
    yield from _ranks(scene, one, two)
    yield from _positions(scene, call, one, two)
    if len(one) == len(two) == 4:
        wrong = [dim for dim in (1, 2, 3) if one[dim] != two[dim] and 1 not in (one[dim], two[dim])]
        yield from branches.candidates(scene, call, wrong)
    if len(one) == len(two) == 3:
        for position in (1, 0):
            shape = (one, two)[position]
            if (shape[0], shape[2], shape[1]) == (two, one)[position]:
                yield from scene.operate(position, ops.transpose(1, 2), 0.2)
        if one[:2] == two[:2] or one[-1] != two[-1]:
            yield from branches.linear_projection(scene, call)
    if len(one) == len(two) == 2 and one[0] == two[0]:
        yield from branches.linear_projection(scene, call)


def _ranks(scene: Scene, one: Shape, two: Shape) -> Iterator[Candidate]:
    """A number for each channel meets a map; a dimension of 1 is missing."""
    if len(one) == len(two):
        return
    short = 0 if len(one) < len(two) else 1
    small, large = (one, two) if short == 0 else (two, one)
    if len(small) == 2 and small == large[:2] and len(large) > 2:
        yield from scene.operate(short, ops.new_axes(len(large)), 0.0)
    if len(small) == 3 and len(large) == 4 and small[-2:] == large[-2:]:
        yield from scene.operate(short, ops.unsqueeze(1), 0.1)
    if len(small) + 1 == len(large):
        for dim in (1, -1):
            yield from scene.operate(short, ops.unsqueeze(dim), 0.3)
    for dim in range(1, len(large)):
        if large[dim] == 1:
            yield from scene.operate(1 - short, ops.squeeze(dim), 0.3)
    if len(small) == 1 and len(large) == 4 and small[0] == large[1]:
        spread = Operation("{}[:, None, None]", lambda x: x[:, None, None])
        yield from scene.operate(short, spread, 0.0)


def _positions(scene: Scene, call: Call, one: Shape, two: Shape) -> Iterator[Candidate]:
    """A table of positions for another length."""
    owned = {id(p): name for name, p in scene.net.named_parameters()}
    owned |= {id(b): name for name, b in scene.net.named_buffers()}
    for position in (0, 1):
        table, other = (one, two) if position == 0 else (two, one)
        name = owned.get(id(call.tensors[position]))
        if len(table) != len(other) or len(table) < 2 or (table[0] != 1 and len(table) > 2):
            continue
        wrong = [d for d in range(len(table)) if table[d] != other[d] and table[d] != 1]
        if len(wrong) != 1 or (name is None and not _constant(call, position)):
            continue
        dim = wrong[0]
        if table[dim] > other[dim]:
            lead = ", ".join([":"] * dim + [f":{{{1 - position}}}.size({dim})"])
            code = f"{{{position}}}[{lead}]"

            def cut(t: Sequence[Tensor], p: int = position, d: int = dim) -> Tensor:
                return t[p].narrow(d, 0, t[1 - p].size(d))

            # Of a picture's patches, a cut table would tell other places.
            flat = "positions" in scene.called(1 - position)
            yield from scene.on_operand(position, code, cut, 0.6 if flat else 0.05)
        if name is not None:
            yield from _new_table(scene, name, table, other, dim)
    yield from _picture_for(scene, one, two)


def _constant(call: Call, position: int) -> bool:
    return isinstance(call.producers[position], int)


def _new_table(
    scene: Scene, name: str, table: Shape, other: Shape, dim: int
) -> Iterator[Candidate]:
    shape = (*table[:dim], other[dim], *table[dim + 1 :])
    sizes = ", ".join(map(str, shape))
    if name in dict(scene.net.named_parameters()):
        code = f"nn.Parameter(torch.zeros({sizes}))"
        yield scene.put(name, code, lambda: nn.Parameter(torch.zeros(*shape)), 0.2)


def _picture_for(scene: Scene, one: Shape, two: Shape) -> Iterator[Candidate]:
    """The picture size that a table of positions was made for, tried out."""
    inputs = scene.case.failure.trace.inputs
    if len(one) != 3 or len(two) != 3 or not inputs or inputs[0].dim() != 4:
        return
    sides = (512, 384, 256, 224, 192, 128, 112, 96, 64, 48, 32, 28)
    for at, side in enumerate(side for side in sides if side != int(inputs[0].shape[-1])):
        yield resized(side, side, 0.1 + at / 1000)


def _joined(scene: Scene, call: Call) -> Iterator[Candidate]:
    shapes = call.input_shapes
    if len(shapes) < 2:
        return
    along = call.argument("dim", 0)
    ranks = {len(shape) for shape in shapes}
    if len(ranks) > 1:
        yield from _uneven_ranks(scene, call, shapes)
        return
    rank = ranks.pop()
    yield from _of_the_batch(scene, call, shapes)
    for dim in range(1, rank):
        same = all(all(s[d] == shapes[0][d] for d in range(rank) if d != dim) for s in shapes)
        names = scene.called(0)
        placed = bool(names) and names[dim] in SPATIAL
        if same and call.base == "cat" and dim != along % rank and not placed:
            yield from _with_parts(scene, call, [f"{{{n}}}" for n in range(len(shapes))], dim, 0.2)
    if rank == 4:
        yield from _resized_parts(scene, call, shapes, along)
        yield from branches.candidates(scene, call, [2, 3], parts=True)
    if rank == 3:
        yield from _turned_part(scene, call, shapes)


def _of_the_batch(scene: Scene, call: Call, shapes: Sequence[Shape]) -> Iterator[Candidate]:
    """A constant that was repeated for a batch of a fixed size."""
    first = [scene.called(at)[:1] for at in range(len(shapes))]
    if ("batch",) not in first:
        return
    other = first.index(("batch",))
    for at, shape in enumerate(shapes):
        if first[at] == ("batch",) or shape[0] == shapes[other][0] or shape[1:].count(0):
            continue
        rest = ", ".join(["-1"] * (len(shape) - 1))
        code = f"{{{at}}}[:1].expand({{{other}}}.size(0), {rest})"

        def run(t: Sequence[Tensor], at: int = at, other: int = other) -> Tensor:
            return t[at][:1].expand(t[other].size(0), *[-1] * (t[at].dim() - 1))

        yield from scene.on_operand(at, code, run, 0.1)


def _turned_part(scene: Scene, call: Call, shapes: Sequence[Shape]) -> Iterator[Candidate]:
    for position, shape in enumerate(shapes):
        other = shapes[0 if position else 1]
        if shape[1] == other[2] or shape[2] == other[1]:
            yield from scene.operate(position, ops.transpose(1, 2), 0.5)


def _uneven_ranks(scene: Scene, call: Call, shapes: Sequence[Shape]) -> Iterator[Candidate]:
    most = max(map(len, shapes))
    for position, shape in enumerate(shapes):
        other = next(at for at, s in enumerate(shapes) if len(s) == most)
        if len(shape) == most:
            continue
        if len(shape) == 2 and most == 4:
            code = f"{{{position}}}[:, :, None, None].expand(-1, -1, *{{{other}}}.shape[2:])"

            def run(t: Sequence[Tensor], p: int = position, o: int = other) -> Tensor:
                return t[p][:, :, None, None].expand(-1, -1, *t[o].shape[2:])

            yield from scene.on_operand(position, code, run, 0.1)
        for dim in range(1, most):
            yield from scene.operate(position, ops.unsqueeze(dim), 0.3)
        if scene.lab.inputs.batch:
            yield from scene.operate(other, ops.flatten(1), 0.25)


def _resized_parts(
    scene: Scene, call: Call, shapes: Sequence[Shape], along: int
) -> Iterator[Candidate]:
    """Every map brought to the size of one: the skip's, which holds most detail."""
    raised = [branches.upsampled(call, at) for at in range(len(shapes))]
    order = sorted(range(len(shapes)), key=lambda at: (raised[at], -shapes[at][2] * shapes[at][3]))
    for target in order[:1]:
        size = shapes[target][2:]
        parts = [
            f"{{{at}}}"
            if shapes[at][2:] == size
            else f"F.interpolate({{{at}}}, size={{{target}}}.shape[2:])"
            for at in range(len(shapes))
        ]
        yield from _with_parts(scene, call, parts, along, 0.25)


def _with_parts(
    scene: Scene, call: Call, parts: list[str], dim: int, cost: float
) -> Iterator[Candidate]:
    target = next((p for p in parts if p.startswith("F.")), "")

    def run(t: Sequence[Tensor]) -> Tensor:
        maps = list(t)
        if target:
            fixed = int(target.rpartition("{")[2].partition("}")[0])
            maps = [
                m
                if m.shape[2:] == maps[fixed].shape[2:]
                else F.interpolate(m, size=maps[fixed].shape[2:])
                for m in maps
            ]
        return (torch.cat if call.base == "cat" else torch.stack)(maps, dim)

    code = f"torch.{call.base}([{', '.join(parts)}], {dim})"
    yield from scene.instead(call, code, run, cost)
