"""Each operand in another shape: dimensions more, fewer or elsewhere, cut, enlarged, repeated."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import combinations

import torch
import torch.nn.functional as F
from torch import Tensor

from viewfinder.explain.edits import InsertedCall
from viewfinder.explain.explanation import Shape
from viewfinder.explain.fixes import losses, sums
from viewfinder.explain.fixes import operations as ops
from viewfinder.explain.fixes.candidate import Candidate
from viewfinder.explain.fixes.general import origins
from viewfinder.explain.fixes.general.origins import Operand
from viewfinder.explain.fixes.layouts import LAST
from viewfinder.explain.fixes.meanings import LEFT_OUT_BEYOND
from viewfinder.explain.fixes.names import SPATIAL
from viewfinder.explain.fixes.scene import Scene


def candidates(scene: Scene) -> Iterator[Candidate]:
    """At each operand by itself, then at one for the sake of another."""
    met = origins.operands(scene)
    for one in met:
        yield from _alone(scene, one)
        for other in met:
            if other is not one:
                yield from _beside(scene, one, other)


def _alone(scene: Scene, one: Operand) -> Iterator[Candidate]:
    for operation, cost in usual(one.shape, 1 if scene.lab.inputs.batch else 0):
        yield from _operate(scene, one, operation, LAST + 0.1 + cost)
    tensor = _tensor(scene, one)
    lead = one.names[:1]
    if scene.lab.inputs.batch and len(one.shape) > 2 and lead and "batch" not in lead[0]:
        # States of several layers, or steps, in front of the batch.
        yield from _operate(scene, one, _LAST_OF_ALL, LAST)
    if not tensor.is_floating_point() and not tensor.is_complex():
        for classes in origins.widths(scene)[:4]:
            yield from _operate(scene, one, _columns(classes), LAST + 0.4)


def _tensor(scene: Scene, one: Operand) -> Tensor:
    call = None if origins.in_module(scene) else scene.call
    return (call.tensors if call is not None else scene.given)[one.position]


_LAST_OF_ALL = InsertedCall("{}[-1]", lambda x: x[-1])


def _columns(classes: int) -> InsertedCall:
    """Class numbers as columns of 0 and 1."""

    def run(x: Tensor) -> Tensor:
        return x.new_zeros((*x.shape, classes), dtype=torch.float32)

    return InsertedCall(f"F.one_hot({{}}, {classes}).float()", run)


def usual(shape: Shape, lead: int) -> Iterator[tuple[InsertedCall, float]]:
    """The operations that are commonly forgotten, on a tensor of this shape."""
    rank = len(shape)
    for one in range(lead, rank):
        for two in range(one + 1, rank):
            yield ops.transpose(one, two), 0.1
    if rank > 3 and lead:
        yield ops.then(ops.flatten(2), ops.transpose(1, 2)), 0.05
        yield ops.channels_first(rank), 0.1
        yield ops.permute(0, *range(2, rank), 1), 0.1
        yield ops.flatten(2), 0.15
    if rank > 2 and lead:
        yield ops.flatten(1), 0.1
        yield ops.last_of(1), 0.3
        for dim in range(1, rank):
            yield ops.mean(dim, keep=False), 0.4
    for dim in range(lead, rank):
        if shape[dim] == 1:
            yield ops.squeeze(dim), 0.0
    for dim in range(lead, rank + 1):
        yield ops.unsqueeze(dim), 0.2


def _operate(scene: Scene, one: Operand, operation: InsertedCall, cost: float) -> list[Candidate]:
    if not origins.in_module(scene):
        return scene.operate(one.position, operation, cost)
    argument = scene.argument(scene.given[one.position])
    return [scene.before(operation, cost, argument=argument)]


def _beside(scene: Scene, one: Operand, other: Operand) -> Iterator[Candidate]:
    """One operand made to meet another."""
    if len(one.shape) < len(other.shape):
        yield from _new_dimensions(scene, one, other)
    if len(one.shape) > 1 and one.shape[0] * one.shape[1] == next(iter(other.shape), 0):
        # What was taken apart in one tensor is still together in the other.
        yield from _operate(scene, one, ops.flatten(0, 1), LAST)
    if origins.in_module(scene):
        yield from _as_many(scene, one, other)
        return
    mine, theirs = one.position, other.position
    if len(one.shape) != len(other.shape):
        return
    # Of keys and values, one that is cut would belong to others.
    summed = scene.call is not None and scene.call.base in sums.SUMS | {"cat", "stack"}
    for dim, (a, b) in enumerate(zip(one.shape, other.shape, strict=True)):
        if a == b:
            continue
        sizes = ", ".join(
            f"{{{theirs}}}.size({dim})" if d == dim else "-1" for d in range(len(one.shape))
        )
        if a == 1:

            def widen(t: Sequence[Tensor], d: int = dim) -> Tensor:
                wanted = [-1] * t[mine].dim()
                wanted[d] = t[theirs].size(d)
                return t[mine].expand(*wanted)

            yield from scene.on_operand(mine, f"{{{mine}}}.expand({sizes})", widen, LAST + 0.05)
        if summed and a > b > 1 and one.names[dim : dim + 1] and one.names[dim] in SPATIAL:
            lead = "".join(":, " for _ in range(dim))
            code = f"{{{mine}}}[{lead}:{{{theirs}}}.size({dim})]"

            def cut(t: Sequence[Tensor], d: int = dim) -> Tensor:
                return t[mine].narrow(d, 0, t[theirs].size(d))

            for less in scene.on_operand(mine, code, cut, LAST + 0.5):
                joined = scene.call is not None and scene.call.base == "cat"
                yield replace(less, means=LEFT_OUT_BEYOND) if joined else less
    if summed or (scene.call is not None and scene.call.base in losses.LOSSES):
        yield from _resized(scene, one, other)


def _resized(scene: Scene, one: Operand, other: Operand) -> Iterator[Candidate]:
    """Maps, volumes and sequences brought to the size of another."""
    rank = len(one.shape)
    if rank not in (3, 4, 5) or one.shape[2:] == other.shape[2:] or one.shape[0] != other.shape[0]:
        return
    if not set(one.names[2:]) <= SPATIAL:
        return
    mine, theirs = one.position, other.position

    def resize(t: Sequence[Tensor]) -> Tensor:
        return F.interpolate(t[mine], size=t[theirs].shape[2:])

    smaller = one.shape[2:] < other.shape[2:]
    code = f"F.interpolate({{{mine}}}, size={{{theirs}}}.shape[2:])"
    yield from scene.on_operand(mine, code, resize, LAST + (0.3 if smaller else 0.6))


def _new_dimensions(scene: Scene, one: Operand, other: Operand) -> Iterator[Candidate]:
    """Dimensions of 1 wherever they may be missing, also repeated as the other has them."""
    rank, own = len(other.shape), len(one.shape)
    mine, theirs = one.position, other.position
    for kept in combinations(range(rank), own):
        if own and kept[0] != 0 and scene.lab.inputs.batch and not one.constant:
            continue
        # The last dimensions are those of features, or of places, and are met first.
        cost = LAST + 0.1 + sum(rank - dim for dim in kept) / 100
        index = tuple(slice(None) if dim in kept else None for dim in range(rank))
        written = ", ".join(":" if dim in kept else "None" for dim in range(rank))
        spread = InsertedCall(f"{{}}[{written}]", lambda x, index=index: x[index])
        yield from _operate(scene, one, spread, cost)
        if (
            scene.call is None
            or origins.in_module(scene)
            or scene.call.base not in ("cat", "stack")
        ):
            continue
        sizes = ", ".join("-1" if d in kept else f"{{{theirs}}}.size({d})" for d in range(rank))

        def repeat(t: Sequence[Tensor], index: object = index, kept: Shape = kept) -> Tensor:
            wide = [-1 if d in kept else t[theirs].size(d) for d in range(t[theirs].dim())]
            return t[mine][index].expand(*wide)  # type: ignore[index]

        code = f"{{{mine}}}[{written}].expand({sizes})"
        yield from scene.on_operand(mine, code, repeat, cost + 0.05)


def _as_many(scene: Scene, one: Operand, other: Operand) -> Iterator[Candidate]:
    """What a layer is given once, repeated for all of the batch: queries that were learned, say."""
    if len(one.shape) != len(other.shape):
        return
    mine, theirs = (scene.argument(scene.given[at.position]) for at in (one, other))
    for dim, (a, b) in enumerate(zip(one.shape, other.shape, strict=True)):
        if a != 1 or b == 1 or not isinstance(theirs, int):
            continue
        sizes = ["-1"] * len(one.shape)
        sizes[dim] = f"{{1}}.size({dim})"

        def widen(x: Tensor, like: Tensor, d: int = dim) -> Tensor:
            return x.expand(*(like.size(d) if at == d else -1 for at in range(x.dim())))

        wide = InsertedCall(f"{{0}}.expand({', '.join(sizes)})", widen, other=theirs)
        yield scene.before(wide, LAST, argument=mine)
