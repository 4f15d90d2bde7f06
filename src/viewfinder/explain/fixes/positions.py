"""Fixes of tables that are added: positions of another length, masks of a longest one."""

from collections.abc import Iterator, Sequence
from math import isqrt

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from viewfinder.explain.calls import Call
from viewfinder.explain.explanation import Shape
from viewfinder.explain.fixes.candidate import Candidate
from viewfinder.explain.fixes.layers import resized
from viewfinder.explain.fixes.scene import Scene
from viewfinder.explain.traces import ancestors, is_input


def masks(scene: Scene, one: Shape, two: Shape) -> Iterator[Candidate]:
    """A mask or bias of every pair of a longest sequence, for a shorter one."""
    for position in (1, 0):
        table, other = ((one, two), (two, one))[position]
        if len(table) < 2 or len(other) < 2 or set(table[:-2]) - {1}:
            continue
        wrong = [at for at in (-2, -1) if table[at] != other[at] and table[at] != 1]
        if not wrong or any(table[at] < other[at] for at in wrong) or len(other) == 2:
            continue
        pairs = len(wrong) == 2 or (scene.call is not None and scene.call.base == "masked_fill")
        if not pairs or {"height", "width"} & set(scene.called(1 - position)):
            continue
        code = f"{{{position}}}[..., :{{{1 - position}}}.size(-2), :{{{1 - position}}}.size(-1)]"

        def cut(t: Sequence[Tensor], p: int = position) -> Tensor:
            rows, columns = t[1 - p].shape[-2:]
            return t[p][..., :rows, :columns]

        yield from scene.on_operand(position, code, cut, 0.1)


def candidates(scene: Scene, call: Call, one: Shape, two: Shape) -> Iterator[Candidate]:
    """A table of positions for another length."""
    owned = {id(p): name for name, p in scene.net.named_parameters()}
    owned |= {id(b): name for name, b in scene.net.named_buffers()}
    for position in (0, 1):
        table, other = (one, two) if position == 0 else (two, one)
        name = owned.get(id(call.tensors[position]))
        if len(table) == 2 and len(other) == 3:
            yield from _first_rows(scene, position, table, other)
        if len(table) != len(other) or len(table) < 2 or (table[0] != 1 and len(table) > 2):
            continue
        wrong = [d for d in range(len(table)) if table[d] != other[d] and table[d] != 1]
        if len(table) == 4 and (name is not None or _constant(call, position)):
            yield from _finer_map(scene, position, table, other, name)
        if len(wrong) != 1 or (name is None and not _constant(call, position)):
            continue
        dim = wrong[0]
        part = name is None and not isinstance(call.producers[position], int)
        if part and dim == len(table) - 1:
            # A table that was cut to its length already differs in features: it has too many.
            continue
        if table[dim] > other[dim]:
            lead = ", ".join([":"] * dim + [f":{{{1 - position}}}.size({dim})"])
            code = f"{{{position}}}[{lead}]"

            def cut(t: Sequence[Tensor], p: int = position, d: int = dim) -> Tensor:
                return t[p].narrow(d, 0, t[1 - p].size(d))

            # Of a picture's patches, a cut table would tell other places.
            flat = "positions" in scene.called(1 - position)
            yield from scene.on_operand(position, code, cut, 0.6 if flat else 0.05)
        yield from _finer_table(scene, position, table, other)
        if name is not None:
            yield from _new_table(scene, name, table, other, dim)
    yield from _picture_for(scene, one, two)


def _first_rows(scene: Scene, position: int, table: Shape, other: Shape) -> Iterator[Candidate]:
    """The first rows of a table, such as an embedding's weights, for a shorter sequence."""
    if table[1] != other[2] or table[0] <= other[1]:
        return
    code = f"{{{position}}}[:{{{1 - position}}}.size(1)]"

    def cut(t: Sequence[Tensor]) -> Tensor:
        return t[position][: t[1 - position].size(1)]

    yield from scene.on_operand(position, code, cut, 0.05)


def _finer_table(scene: Scene, position: int, table: Shape, other: Shape) -> Iterator[Candidate]:
    """A table of a picture's patches, interpolated for a grid of another size."""
    if len(table) != 3 or table[2] != other[2] or "positions" not in scene.called(1 - position):
        return
    for extra in (1, 0):
        side, wanted = isqrt(table[1] - extra), isqrt(other[1] - extra)
        if side**2 != table[1] - extra or wanted**2 != other[1] - extra or side < 2:
            continue
        less = f" - {extra}" if extra else ""
        root = f"round(({{{1 - position}}}.size(1){less}) ** 0.5)"
        grid = f"{{{position}}}[:, {extra}:].mT.unflatten(2, ({side}, {side}))"
        if not extra:
            grid = grid.replace("[:, 0:]", "")
        finer = f"F.interpolate({grid}, size={root}, mode='bicubic').flatten(2).mT"
        code = f"torch.cat([{{{position}}}[:, :1], {finer}], 1)" if extra else finer

        def run(t: Sequence[Tensor], extra: int = extra, side: int = side) -> Tensor:
            old, root = t[position], round((t[1 - position].size(1) - extra) ** 0.5)
            grid = old[:, extra:].mT.unflatten(2, (side, side))  # type: ignore[no-untyped-call]
            new = F.interpolate(grid, size=root, mode="bicubic").flatten(2).mT
            return torch.cat([old[:, :extra], new], 1)

        yield from scene.on_operand(position, code, run, 0.12)


def _finer_map(
    scene: Scene, position: int, table: Shape, other: Shape, name: str | None
) -> Iterator[Candidate]:
    """A map of positions, interpolated for maps of another size."""
    last = table[3] == other[3] and table[1:3] != other[1:3]
    if not last and (table[1] != other[1] or table[2:] == other[2:]):
        return
    sizes = "shape[1:3]" if last else "shape[2:]"
    before, after = (".permute(0, 3, 1, 2)", ".permute(0, 2, 3, 1)") if last else ("", "")
    size = f"{{{1 - position}}}.{sizes}"
    code = f"F.interpolate({{{position}}}{before}, size={size}, mode='bicubic'){after}"

    def run(t: Sequence[Tensor]) -> Tensor:
        wanted = t[1 - position].shape[1:3] if last else t[1 - position].shape[2:]
        grid = t[position].permute(0, 3, 1, 2) if last else t[position]
        new = F.interpolate(grid, size=wanted, mode="bicubic")
        return new.permute(0, 2, 3, 1) if last else new

    yield from scene.on_operand(position, code, run, 0.12)
    if name is not None and name in dict(scene.net.named_parameters()):
        shape = (1, *other[1:])
        made = f"nn.Parameter(torch.zeros({', '.join(map(str, shape))}))"
        yield scene.put(name, made, lambda: nn.Parameter(torch.zeros(*shape)), 0.2)


def _constant(call: Call, position: int) -> bool:
    """Whether an operand comes from no input: a table, or a part of one."""
    producer = call.producers[position]
    made = list(ancestors(producer)) if isinstance(producer, Call) else []
    if not made:
        return isinstance(producer, int) and not is_input(producer)
    return all(one.base == "getitem" for one in made) and not any(
        isinstance(p, int) and is_input(p) for one in made for p in one.producers
    )


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
    if len(one) not in (3, 4) or len(two) != len(one) or not inputs or inputs[0].dim() != 4:
        return
    if scene.call is None or not any(_constant(scene.call, at) for at in (0, 1)):
        return
    sides = (512, 384, 256, 224, 192, 128, 112, 96, 64, 48, 32, 28)
    for at, side in enumerate(side for side in sides if side != int(inputs[0].shape[-1])):
        yield resized(side, side, 0.1 + at / 1000)
