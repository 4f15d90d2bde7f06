"""Fixes where tensors meet: sums, products, concatenations, and losses with their targets."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from functools import partial

import torch
import torch.nn.functional as F
from torch import Tensor

from viewfinder.explain.calls import Call
from viewfinder.explain.diagnosis.case import PASSING
from viewfinder.explain.edits import Operation
from viewfinder.explain.explanation import Shape
from viewfinder.explain.fixes import branches, losses, positions, tables
from viewfinder.explain.fixes import operations as ops
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
    if call.base == "masked_fill" and len(two) == 2 and one[-2:] == (two[1],) * 2:
        # Which keys count, of square scores: the same for every query.
        lead = ", ".join([":", *["None"] * (len(one) - 2), ":"])
        index = (slice(None), *[None] * (len(one) - 2), slice(None))
        keys = Operation(f"{{}}[{lead}]", lambda m: m[index])
        yield from scene.operate(1, keys, 0.0)
    yield from _ranks(scene, one, two)
    yield from _class_numbers(scene, call)
    yield from positions.candidates(scene, call, one, two)
    if len(one) == len(two) == 4:
        wrong = [dim for dim in (1, 2, 3) if one[dim] != two[dim] and 1 not in (one[dim], two[dim])]
        yield from branches.candidates(scene, call, wrong)
    yield from positions.masks(scene, one, two)
    yield from tables.crossed(scene, one, two)
    yield from tables.turned_rows(scene, one, two)
    if len(one) == len(two) == 3:
        for position in (1, 0):
            shape, other = (one, two)[position], (two, one)[position]
            if shape[1] == 1 and (shape[0], shape[2]) == other[1:]:
                # A table of positions with the length first, for sequences with the batch first.
                yield from scene.operate(position, ops.transpose(0, 1), 0.0)
            state = shape[0] == 1 and (shape[1], shape[2]) == (other[0], other[2])
            if state and scene.called(position)[1:2] == ("batch",):
                # The state of a recurrent layer, whose layers come first.
                yield from scene.operate(position, ops.transpose(0, 1), 0.0)
            if (shape[0], shape[2], shape[1]) == (two, one)[position]:
                yield from scene.operate(position, ops.transpose(1, 2), 0.2)
        if one[:2] == two[:2] and any(map(_convolved, call.producers)):
            yield from _shorter(scene, one, two)
            yield from branches.padded(scene, call)
        elif one[:2] == two[:2] or one[-1] != two[-1]:
            yield from branches.linear_projection(scene, call)
    if len(one) == len(two) == 2 and one[0] == two[0]:
        yield from branches.linear_projection(scene, call)


def _class_numbers(scene: Scene, call: Call) -> Iterator[Candidate]:
    """Class numbers beside scores of classes: a map of 0 and 1 for each class."""
    for position in (0, 1):
        small, large = call.input_shapes[position], call.input_shapes[1 - position]
        if small != (*large[:1], *large[2:]) or len(small) < 2 or not _whole(call, position):
            continue
        classes = large[1]
        code = f"F.one_hot({{{position}}}.long(), {classes}).movedim(-1, 1).float()"

        def run(t: Sequence[Tensor], p: int = position, n: int = classes) -> Tensor:
            shape = (t[p].shape[0], n, *t[p].shape[1:])
            return t[p].new_zeros(shape, dtype=torch.float32)

        yield from scene.on_operand(position, code, run, -0.1)
        made = call.producers[position]
        if isinstance(made, Call) and made.base == "float" and not made.module:
            # Where they became floats, for all that takes them.
            words = f"F.one_hot({{0}}, {classes}).movedim(-1, 1).float()"
            first = partial(run, p=0)
            yield from scene.instead(made, words, first, -0.15)


def _whole(call: Call, position: int) -> bool:
    """Whether an operand is of whole numbers, or was before its type was changed."""
    producer = call.producers[position]
    kinds = {call.tensors[position].dtype}
    if isinstance(producer, Call) and producer.base in ("float", "to", "type", "type_as", "double"):
        kinds.add(producer.tensors[0].dtype)
    return torch.int64 in kinds


def _ranks(scene: Scene, one: Shape, two: Shape) -> Iterator[Candidate]:
    """A number for each channel meets a map; a dimension of 1 is missing."""
    if len(one) == len(two):
        return
    short = 0 if len(one) < len(two) else 1
    small, large = (one, two) if short == 0 else (two, one)
    for dim in range(len(large) - len(small)):
        # What is known of each channel, or of each picture, is the same at every place.
        if small == large[dim : dim + len(small)] and "batch" in scene.called(1 - short)[:1]:
            after = len(large) - dim - len(small)
            yield from scene.operate(short, ops.new_axes(len(small), after), 0.0 if dim else 0.02)
    if len(small) == 3 and len(large) == 4 and small[-2:] == large[-2:]:
        yield from scene.operate(short, ops.unsqueeze(1), 0.1)
    if len(small) + 1 == len(large):
        for dim in (1, -1):
            yield from scene.operate(short, ops.unsqueeze(dim), 0.3)
    yield from tables.turned(scene, short, small, large)
    for dim in range(1, len(large)):
        if large[dim] == 1:
            yield from scene.operate(1 - short, ops.squeeze(dim), 0.3)


def _convolved(producer: Call | int) -> bool:
    """A sequence with its steps last, as convolutions give it."""
    while isinstance(producer, Call) and producer.base in PASSING and producer.producers:
        producer = producer.producers[0]
    return isinstance(producer, Call) and producer.base.startswith("conv")


def _shorter(scene: Scene, one: Shape, two: Shape) -> Iterator[Candidate]:
    """The last steps of the longer sequence, as a causal convolution leaves them.

    One that was padded at both ends is cut at its end: what it has too much there saw later steps.
    """
    long = 0 if one[2] > two[2] else 1
    assert scene.call is not None
    if _convolved(scene.call.producers[long]) and branches.is_padded(scene, scene.call, long):
        end = f"{{{long}}}[..., :{{{1 - long}}}.size(-1)]"

        def first(t: Sequence[Tensor]) -> Tensor:
            return t[long][..., : t[1 - long].size(-1)]

        yield from scene.on_operand(long, end, first, 0.05)
        return
    code = f"{{{long}}}[..., -{{{1 - long}}}.size(-1):]"

    def cut(t: Sequence[Tensor]) -> Tensor:
        return t[long][..., -t[1 - long].size(-1) :]

    yield from scene.on_operand(long, code, cut, 0.1)


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
    raised = [branches.upsampled(call, at) for at in range(len(shapes))]
    most, least = (pick(s[2] for s in shapes) for pick in (max, min))
    # Maps of several levels, none of which was brought back to the size of another.
    levels = not any(raised) and most >= 2 * least
    order = sorted(range(len(shapes)), key=lambda at: (raised[at], -shapes[at][2] * shapes[at][3]))
    for target in order[:1]:
        size = shapes[target][2:]
        parts = [
            f"{{{at}}}"
            if shapes[at][2:] == size
            else f"F.interpolate({{{at}}}, size={{{target}}}.shape[2:])"
            for at in range(len(shapes))
        ]
        for one in _with_parts(scene, call, parts, along, 0.25):
            stretched = "it stretches the answers of one level to the size of another"
            yield replace(one, means=stretched) if levels else one
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
    for one in scene.instead(call, code, run, 0.2 if most > 1 else 0.7):
        words = f"{one.says} (TF is torchvision.transforms.functional)"
        yield Candidate(one.edits, words, one.cost)


def _middle(tensor: Tensor, rows: int, columns: int) -> Tensor:
    top = round((tensor.size(2) - rows) / 2)
    left = round((tensor.size(3) - columns) / 2)
    return tensor[..., top : top + rows, left : left + columns]


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
