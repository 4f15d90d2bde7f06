"""Fixes where tensors that are to be joined differ."""

import ast
from collections.abc import Iterator, Sequence
from dataclasses import replace
from math import prod

import torch
import torch.nn.functional as F
from torch import Tensor

from viewfinder.explain.calls import Call
from viewfinder.explain.explanation import Shape
from viewfinder.explain.fixes import branches, levels, ways
from viewfinder.explain.fixes import operations as ops
from viewfinder.explain.fixes.candidate import Candidate
from viewfinder.explain.fixes.meanings import LEVELS
from viewfinder.explain.fixes.names import SPATIAL
from viewfinder.explain.fixes.scene import Scene
from viewfinder.explain.sources import expression, module_call
from viewfinder.explain.traces import is_input


def candidates(scene: Scene, call: Call) -> Iterator[Candidate]:
    """By how many dimensions the parts have, and by their sizes."""
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
        # Steps are joined behind each other where nothing else differs.
        steps = bool(names) and names[dim] in ("time", "positions")
        uneven = len({s[dim] for s in shapes}) > 1
        placed = bool(names) and names[dim] in SPATIAL and not (steps and uneven)
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


def _one_hot(scene: Scene, call: Call, shapes: Sequence[Shape]) -> Iterator[Candidate]:
    """Class numbers beside features: as many columns as the next linear layer leaves for them."""
    rest = [shape for shape in shapes if len(shape) == 2]
    for position, shape in enumerate(shapes):
        whole = call.tensors[position].dtype == torch.int64
        if not whole or len(shape) != 1 or len(rest) + 1 != len(shapes):
            continue
        width = sum(one[1] for one in rest)
        for layer in scene.net.modules():
            classes = getattr(layer, "in_features", 0) - width
            if classes < 2:
                continue
            code = f"F.one_hot({{{position}}}, {classes})"

            def run(t: Sequence[Tensor], p: int = position, n: int = classes) -> Tensor:
                return t[p].new_zeros((*t[p].shape, n))

            yield from scene.on_operand(position, code, run, 0.05)
            break


def _uneven_ranks(scene: Scene, call: Call, shapes: Sequence[Shape]) -> Iterator[Candidate]:
    most = max(map(len, shapes))
    yield from _one_hot(scene, call, shapes)
    for position, shape in enumerate(shapes):
        other = next(at for at, s in enumerate(shapes) if len(s) == most)
        if len(shape) == most:
            continue
        if len(shape) == 2 and most == 4:
            code = f"{{{position}}}[:, :, None, None].expand(-1, -1, *{{{other}}}.shape[2:])"

            def run(t: Sequence[Tensor], p: int = position, o: int = other) -> Tensor:
                return t[p][:, :, None, None].expand(-1, -1, *t[o].shape[2:])

            yield from scene.on_operand(position, code, run, 0.1)
        map_alone = shape[1:] == shapes[other][2:]
        divides = len(shape) == 3 and prod(shape[1:]) % prod(shapes[other][2:]) == 0
        if most == 4 and divides and not map_alone:
            code = f"{{{position}}}.reshape({{{position}}}.size(0), -1, *{{{other}}}.shape[2:])"

            def fold(t: Sequence[Tensor], p: int = position, o: int = other) -> Tensor:
                return t[p].reshape(t[p].size(0), -1, *t[o].shape[2:])

            yield from scene.on_operand(position, code, fold, 0.0)
        yield from _at_every_place(scene, position, other)
        for dim in range(1, most):
            yield from scene.operate(position, ops.unsqueeze(dim), 0.3)
        if scene.lab.inputs.batch:
            places = {"time", "positions"} & set(scene.called(other))
            for one in scene.operate(other, ops.flatten(1), 0.25):
                yield replace(one, means="it mixes time steps and features") if places else one


def _at_every_place(scene: Scene, position: int, other: int) -> Iterator[Candidate]:
    """What is known of a whole sequence beside each of its places, or beside their mean."""
    assert scene.call is not None
    small, large = (scene.call.input_shapes[at] for at in (position, other))
    names = scene.called(other)
    places = [dim for dim, name in enumerate(names) if name in SPATIAL]
    if (len(small), len(large), len(places)) != (2, 3, 1) or small[0] != large[0]:
        return
    place = places[0]
    sizes = [f"{{{other}}}.size({place})" if dim == place else "-1" for dim in range(3)]

    def spread(t: Sequence[Tensor]) -> Tensor:
        wide = [t[other].size(place) if dim == place else -1 for dim in range(3)]
        return t[position].unsqueeze(place).expand(*wide)

    code = f"{{{position}}}.unsqueeze({place}).expand({', '.join(sizes)})"
    yield from scene.on_operand(position, code, spread, 0.02)
    yield from scene.operate(other, ops.mean(place, keep=False), 0.05)


def _resized_parts(
    scene: Scene, call: Call, shapes: Sequence[Shape], along: int
) -> Iterator[Candidate]:
    """Every map brought to the size of one: the skip's, which holds most detail."""
    raised = [ways.upsampled(call, at) for at in range(len(shapes))]
    most, least = (pick(s[2] for s in shapes) for pick in (max, min))
    # Maps of several levels, none of which was brought back to the size of another.
    several = not any(raised) and most >= 2 * least
    pictures = [isinstance(one, int) and is_input(one) for one in call.producers]

    def place(at: int) -> tuple[bool, bool, int]:
        # A picture is what it is; then comes a skip, which holds most detail.
        return not pictures[at], raised[at], -shapes[at][2] * shapes[at][3]

    order = sorted(range(len(shapes)), key=place)
    for target in order[:1]:
        size = shapes[target][2:]
        parts = [
            f"{{{at}}}"
            if shapes[at][2:] == size
            else f"F.interpolate({{{at}}}, size={{{target}}}.shape[2:])"
            for at in range(len(shapes))
        ]
        for one in _with_parts(scene, call, parts, along, 0.25):
            yield replace(one, means=LEVELS) if several else one
    if several and call.base == "cat":
        yield from levels.rows(scene, call, shapes)
    yield from _cropped(scene, call, shapes, along, raised)


def _cropped(
    scene: Scene, call: Call, shapes: Sequence[Shape], along: int, raised: Sequence[bool]
) -> Iterator[Candidate]:
    """Skips that are larger, for nothing was padded, cut to their middle as the paper does."""
    small = min(range(len(shapes)), key=lambda at: shapes[at][2] * shapes[at][3])
    size = shapes[small][2:]
    most = max(shape[2] - size[0] for shape in shapes)
    if not raised[small] or any(s[2] < size[0] or s[3] < size[1] for s in shapes):
        return
    parts = [
        f"{{{at}}}" if shape[2:] == size else f"TF.center_crop({{{at}}}, {{{small}}}.shape[2:])"
        for at, shape in enumerate(shapes)
    ]

    def run(t: Sequence[Tensor]) -> Tensor:
        rows, columns = t[small].shape[2:]
        return torch.cat([_middle(m, rows, columns) for m in t], along)

    code = f"torch.cat([{', '.join(parts)}], {along})"
    # Of one row too many, the upsampled map is too small rather than the skip too large.
    cropped = f"TF.center_crop(m, maps[{small}].shape[2:])"
    for one in scene.instead(call, code, run, 0.2 if most > 1 else 0.7):
        says = _as_a_list(call, one, cropped, along).says
        words = f"{says} (TF is torchvision.transforms.functional)"
        yield Candidate(one.edits, words, one.cost)


def _middle(tensor: Tensor, rows: int, columns: int) -> Tensor:
    top = round((tensor.size(2) - rows) / 2)
    left = round((tensor.size(3) - columns) / 2)
    return tensor[..., top : top + rows, left : left + columns]


def _with_parts(
    scene: Scene, call: Call, parts: list[str], dim: int, cost: float
) -> Iterator[Candidate]:
    target = next((p for p in parts if p.startswith("F.")), "")

    fixed = int(target.rpartition("{")[2].partition("}")[0]) if target else 0

    def run(t: Sequence[Tensor]) -> Tensor:
        maps = list(t)
        if target:
            maps = [
                m
                if m.shape[2:] == maps[fixed].shape[2:]
                else F.interpolate(m, size=maps[fixed].shape[2:])
                for m in maps
            ]
        return (torch.cat if call.base == "cat" else torch.stack)(maps, dim)

    code = f"torch.{call.base}([{', '.join(parts)}], {dim})"
    changed = f"F.interpolate(m, size=maps[{fixed}].shape[2:])" if target else "m"
    for one in scene.instead(call, code, run, cost):
        yield _as_a_list(call, one, changed, dim)


def _as_a_list(call: Call, candidate: Candidate, changed: str, dim: int) -> Candidate:
    """Of parts that have no names of their own, as those of a comprehension: the list of them.

    Args:
        changed: what is made of each part m of the list `maps`.
    """
    node = module_call(call.place)
    found = expression(call.place, call.args, call.tensors, call.kwargs)
    if not found.unwritten or node is None or not node.args:
        return candidate
    parts, old = ast.unparse(node.args[0]), " ".join(found.text.split())
    if changed == "m":
        return replace(candidate, says=f"torch.{call.base}({parts}, {dim}) instead of {old}")
    new = f"torch.{call.base}([{changed} for m in maps], {dim})"
    if isinstance(node.args[0], ast.Name):
        return replace(candidate, says=f"{new.replace('maps', parts)} instead of {old}")
    return replace(candidate, says=f"maps = {parts} and {new} instead of {old}")
