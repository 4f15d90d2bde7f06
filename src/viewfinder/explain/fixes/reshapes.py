"""Fixes at views, permutations and whatever is told a dimension."""

from collections.abc import Iterator, Sequence
from functools import partial
from itertools import permutations
from math import prod

import torch
from torch import Tensor, nn

from viewfinder.explain.calls import Call
from viewfinder.explain.explanation import Shape
from viewfinder.explain.fixes import operations as ops
from viewfinder.explain.fixes import regrouping
from viewfinder.explain.fixes.candidate import Candidate
from viewfinder.explain.fixes.lost import view_sizes
from viewfinder.explain.fixes.scene import Scene
from viewfinder.explain.passed import Args, Kwargs
from viewfinder.explain.sources import expression

_DIMS = ("dim", "dims", "axis", "dim0", "dim1", "start_dim", "end_dim")


def candidates(scene: Scene) -> Iterator[Candidate]:
    """By the call that failed."""
    call = scene.call
    if call is None or not call.input_shapes:
        return
    if call.base in ("view", "reshape", "unflatten"):
        yield from _contiguous(scene, call)
        yield from regrouping.candidates(scene, call)
    elif call.base == "permute":
        yield from _permuted(scene, call)
    elif call.base == "expand":
        yield from _expanded(scene, call)
    elif call.base == "repeat":
        yield from _repeated(scene, call)
    elif call.base == "getitem":
        yield from _indexed(scene, call)
    elif call.base in ("split", "split_with_sizes"):
        yield from _split(scene, call)
    elif call.base in ("affine_grid", "grid_sample"):
        yield from _grids(scene, call)
    elif call.base == "group_norm" and not scene.case.in_layer:
        yield from _grouped(scene, call)
    yield from _dimension(scene, call)


def _grids(scene: Scene, call: Call) -> Iterator[Candidate]:
    """Matrices that are still rows of numbers; a grid with its coordinates first."""
    shape = call.input_shapes[0 if call.base == "affine_grid" else -1]
    if call.base == "affine_grid" and len(shape) == 2 and shape[1] in (6, 12):
        rank = 2 if shape[1] == 6 else 3
        yield from scene.operate(0, ops.method("view", -1, rank, rank + 1), 0.0)
    if call.base == "grid_sample" and len(shape) > 3 and shape[1] == len(shape) - 2:
        order = (0, *range(2, len(shape)), 1)
        yield from scene.operate(1, ops.permute(*order), 0.0)


def _grouped(scene: Scene, call: Call) -> Iterator[Candidate]:
    """F.group_norm with a number of groups that divides the channels."""
    channels, groups = call.input_shapes[0][1], call.argument("num_groups")
    if len(call.tensors) > 1 or channels % groups == 0:
        return
    fitting = max(n for n in range(1, groups + 1) if channels % n == 0)

    def run(t: Sequence[Tensor]) -> Tensor:
        return nn.functional.group_norm(t[0], fitting)

    yield from scene.instead(call, f"F.group_norm({{0}}, {fitting})", run, 0.1)


def _contiguous(scene: Scene, call: Call) -> Iterator[Candidate]:
    if call.base != "view" or call.tensors[0].is_contiguous():
        return
    target = view_sizes(call)
    if target is None or (-1 not in target and prod(target) != prod(call.input_shapes[0])):
        return
    text = expression(call.place, call.args, call.tensors).text
    for one in scene.on_operand(0, "{0}.contiguous()", lambda t: t[0].contiguous(), 0.25):
        head, dot, tail = text.rpartition(".view(")
        if dot:
            short = head if len(head) <= 40 else "x"
            one = Candidate(
                one.edits,
                f"{short}.reshape({tail}, which copies, instead of .view({tail}",
                one.cost,
            )
        yield one


def _permuted(scene: Scene, call: Call) -> Iterator[Candidate]:
    rank = len(call.input_shapes[0])
    order = view_sizes(call)
    if order is None or rank > 5:
        return
    asked = [dim % rank for dim in order if -rank <= dim < rank]
    for at, other in enumerate(permutations(range(1, rank))):
        whole = (0, *other)
        # Nearest to what was asked for: the most dimensions in their places.
        near = sum(a == b for a, b in zip(whole, asked, strict=False))
        if whole == tuple(range(rank)):
            continue
        last = -0.2 if rank == 4 and whole == (0, 2, 3, 1) else 0.05
        yield from scene.instead(
            call,
            f"{{0}}.permute({', '.join(map(str, whole))})",
            partial(_permute, whole),
            0.3 + last + at / 1000 - near / 20,
        )


def _permute(order: Shape, t: Sequence[Tensor]) -> Tensor:
    return t[0].permute(order)


def _expanded(scene: Scene, call: Call) -> Iterator[Candidate]:
    shape, sizes = call.input_shapes[0], view_sizes(call)
    if sizes is None or len(sizes) < len(shape):
        return
    extra = len(sizes) - len(shape)
    fitted = [size if at < extra or shape[at - extra] == 1 else -1 for at, size in enumerate(sizes)]
    if -1 in fitted[:extra]:
        return
    if extra == 0 and scene.lab.inputs.batch:
        fitted[0] = -1
    written = ", ".join(map(str, fitted))
    yield from scene.instead(call, f"{{0}}.expand({written})", lambda t: t[0].expand(*fitted), 0.2)


def _repeated(scene: Scene, call: Call) -> Iterator[Candidate]:
    shape, sizes = call.input_shapes[0], view_sizes(call)
    if sizes is None or len(sizes) >= len(shape):
        return
    fitted = (*([1] * (len(shape) - len(sizes))), *sizes)
    written = ", ".join(map(str, fitted))
    yield from scene.instead(call, f"{{0}}.repeat({written})", lambda t: t[0].repeat(*fitted), 0.1)


def _indexed(scene: Scene, call: Call) -> Iterator[Candidate]:
    """One of the last dimension's places, where the one asked for lies beyond."""
    index = call.args[1] if len(call.args) > 1 else None
    places = index if isinstance(index, tuple) else (index,)
    shape = call.input_shapes[0]
    if any(not isinstance(place, int | slice) for place in places) or len(places) > len(shape):
        return
    fitted = tuple(
        -1 if isinstance(place, int) and not -size <= place < size else place
        for place, size in zip(places, shape, strict=False)
    )
    if fitted == places:
        return
    text = ", ".join(_slice(place) for place in fitted)
    yield from scene.instead(call, f"{{0}}[{text}]", lambda t: t[0][fitted], 0.4)


def _slice(place: object) -> str:
    if not isinstance(place, slice):
        return str(place)
    ends = ["" if end is None else str(end) for end in (place.start, place.stop)]
    return ":".join(ends) + (f":{place.step}" if place.step is not None else "")


def _split(scene: Scene, call: Call) -> Iterator[Candidate]:
    sizes = call.args[1] if len(call.args) > 1 else call.kwargs.get("split_size_or_sections")
    dim = call.kwargs.get("dim", call.args[2] if len(call.args) > 2 else 0)
    shape = call.input_shapes[0]
    if not isinstance(sizes, list | tuple) or not -len(shape) <= dim < len(shape):
        return
    missing = shape[dim] - sum(sizes)
    fitted = [*sizes[:-1], sizes[-1] + missing]
    if fitted[-1] > 0 and missing:
        yield from scene.instead(
            call, f"{{0}}.split({fitted}, {dim})", lambda t: torch.split(t[0], fitted, dim), 0.3
        )


def _dimension(scene: Scene, call: Call) -> Iterator[Candidate]:
    """A dimension that the tensor does not have, or that none of its operands shares."""
    rank = len(call.input_shapes[0])
    layer = scene.layer
    if layer is not None:
        dim = getattr(layer, "dim", None)
        if isinstance(dim, int) and not -rank <= dim < rank:
            for at, other in enumerate(dict.fromkeys((-1, 1))):
                yield from scene.replace(scene.path, at / 20, dim=other)
        return
    beyond = rank + 1 if call.base in ("unsqueeze", "stack") else rank
    for other in dict.fromkeys((-1, 1, rank - 1)):
        args, kwargs = _within(call, beyond, other)
        if (args, kwargs) == (call.args[1:], dict(call.kwargs)):
            continue
        yield from _again(scene, call, args, kwargs, 0.2 + (other != -1) / 10)


def _within(call: Call, rank: int, other: int) -> tuple[Args, dict[str, object]]:
    def fit(value: object) -> object:
        if type(value) is int and not -rank <= value < rank:
            return other
        if isinstance(value, tuple | list) and all(type(one) is int for one in value):
            # What is doubled after one was moved inside is said once.
            return type(value)(dict.fromkeys(map(fit, value)))
        return value

    positional = call.base not in ("chunk", "split", "topk", "narrow", "index_select", "expand")
    args = tuple(fit(value) if positional else value for value in call.args[1:])
    kwargs = {k: fit(v) if k in _DIMS else v for k, v in call.kwargs.items()}
    if call.base in ("view", "reshape", "permute", "repeat", "getitem", "unflatten"):
        return call.args[1:], dict(call.kwargs)
    return args, kwargs


def _again(
    scene: Scene, call: Call, args: Args, kwargs: Kwargs, cost: float
) -> Iterator[Candidate]:
    if any(isinstance(value, Tensor) for value in (*args, *kwargs.values())):
        return
    if not isinstance(call.args[0] if call.args else None, Tensor):
        return
    function = getattr(Tensor, call.base, None)
    if function is None:
        return
    kept = {k: v for k, v in kwargs.items() if not k.startswith("_") and v is not None}
    kept.pop("stacklevel", None)
    words = [*map(repr, args), *(f"{key}={value!r}" for key, value in kept.items())]

    def run(t: Sequence[Tensor]) -> object:
        return getattr(t[0], call.base)(*args, **kept)

    yield from scene.instead(call, f"{{0}}.{call.base}({', '.join(words)})", run, cost)
