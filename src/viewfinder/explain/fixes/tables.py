"""Fixes of tables, weights and grids of the net's own that meet a larger tensor."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import permutations
from math import prod

import torch
from torch import Tensor

from viewfinder.explain.calls import Call
from viewfinder.explain.explanation import Shape
from viewfinder.explain.fixes import operations as ops
from viewfinder.explain.fixes.candidate import Candidate
from viewfinder.explain.fixes.scene import Scene
from viewfinder.explain.sources import expression
from viewfinder.explain.traces import ancestors, is_input


def own(scene: Scene, position: int) -> bool:
    """Whether an operand comes from no input: a parameter, a constant, or worked out of those."""
    assert scene.call is not None
    made = scene.call.producers[position]
    if not isinstance(made, Call):
        return not is_input(made)
    return not any(is_input(p) for call in ancestors(made) for p in call.producers)


def turned(scene: Scene, position: int, small: Shape, large: Shape) -> Iterator[Candidate]:
    """A table with its dimensions in the order of what it meets, or in the place of the first."""
    if not own(scene, position):
        return
    rank = len(small)
    if len(large) - rank >= 1 and small == large[:rank] and rank == 1:
        # One weight for each of what was stacked in front.
        yield from scene.operate(position, ops.new_axes(1, len(large) - 1), 0.0)
    for order in permutations(range(rank)) if rank in (2, 3) else ():
        if tuple(small[dim] for dim in order) == large[-rank:] and order != tuple(range(rank)):
            turn = ops.permute(*order) if rank > 2 else ops.transpose(0, 1)
            # It is the table that fits one length alone.
            for one in scene.operate(position, turn, 0.0):
                yield replace(one, only_here=True)
    if rank == 2 and large[-1] == prod(small):
        yield from scene.operate(position, ops.flatten(0), 0.0)


def turned_rows(scene: Scene, one: Shape, two: Shape) -> Iterator[Candidate]:
    """Rows taken of a table that has its steps last: it is turned before."""
    assert scene.call is not None
    for position in (0, 1):
        made, other = scene.call.producers[position], (two, one)[position]
        if not isinstance(made, Call) or made.base != "getitem" or not own(scene, position):
            continue
        table = made.input_shapes[0]
        if not len(table) == len(other) == 3 or table[1] != other[2] or table[2] < other[1]:
            continue
        text = expression(made.place, made.args, made.tensors).text
        head, bracket, tail = text.partition("[")

        code = "{0}.transpose(1, 2)[args[1]]"
        for candidate in scene.instead(made, code, lambda t: t[0].transpose(1, 2), 0.0):
            words = f"{head}.transpose(1, 2){bracket}{tail} instead of {text}"
            edit = replace(candidate.edits[0], run=_indexed)  # type: ignore[call-arg]
            yield replace(candidate, edits=(edit,), says=words)


def _indexed(function: object, args: Sequence[object], kwargs: object) -> Tensor:
    table = args[0]
    assert isinstance(table, Tensor)
    return table.transpose(1, 2)[args[1]]  # type: ignore[index]


def doubled(scene: Scene, one: Shape, two: Shape) -> Iterator[Candidate]:
    """Sines and cosines of half the features, which both halves of them share."""
    assert scene.call is not None
    for position, (small, large) in enumerate(((one, two), (two, one))):
        if not small or 2 * small[-1] != large[-1] or not own(scene, position):
            continue
        made = scene.call.producers[position]
        while isinstance(made, Call) and made.base in ("getitem", "unsqueeze", "view", "to"):
            made = made.producers[0]
        if isinstance(made, Call) and made.base in ("cos", "sin"):
            code = f"torch.cat([{{{position}}}, {{{position}}}], -1)"

            def run(t: Sequence[Tensor], p: int = position) -> Tensor:
                return torch.cat([t[p], t[p]], -1)

            yield from scene.on_operand(position, code, run, 0.0)


def crossed(scene: Scene, one: Shape, two: Shape) -> Iterator[Candidate]:
    """Tables of rows and of columns: every pair of them."""
    if len(one) == len(two) == 2 and one[1] == two[1] and own(scene, 0) and own(scene, 1):
        yield from scene.operate(0, ops.unsqueeze(1), 0.0)
