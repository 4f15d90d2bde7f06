"""Fixes where tensors of other shapes are added, multiplied or masked."""

import ast
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from functools import partial

import torch
from torch import Tensor

from viewfinder.explain.calls import Call
from viewfinder.explain.diagnosis.case import PASSING
from viewfinder.explain.edits import InsertedCall, Rewrite
from viewfinder.explain.explanation import Shape
from viewfinder.explain.fixes import branches, padding, positions, projections, tables
from viewfinder.explain.fixes import operations as ops
from viewfinder.explain.fixes.candidate import Candidate
from viewfinder.explain.fixes.general.again import again
from viewfinder.explain.fixes.scene import Scene
from viewfinder.explain.passed import Args, Kwargs
from viewfinder.explain.sources import module_call, with_argument
from viewfinder.explain.traces import ancestors

Function = Callable[..., object]
_MAKERS = {"randn", "rand", "zeros", "ones", "empty"}
_REDUCING = {"mean", "sum", "amax", "amin"}
SUMS = {"add", "sub", "rsub", "mul", "div", "maximum", "minimum", "true_divide", "pow", "where"}


def candidates(scene: Scene, call: Call) -> Iterator[Candidate]:
    """By what of the two shapes is like the other."""
    one, two = call.input_shapes[:2]
    if call.base == "masked_fill" and len(two) == 2 and one[-2:] == (two[1],) * 2:
        # Which keys count, of square scores: the same for every query.
        lead = ", ".join([":", *["None"] * (len(one) - 2), ":"])
        index = (slice(None), *[None] * (len(one) - 2), slice(None))
        keys = InsertedCall(f"{{}}[{lead}]", lambda m: m[index])
        yield from scene.operate(1, keys, 0.0)
    yield from _ranks(scene, one, two)
    yield from _made_alike(scene, call)
    yield from _pooled_as_before(scene, one, two)
    yield from _class_numbers(scene, call)
    yield from _classes_last(scene, call)
    yield from _diagonal(scene, call)
    yield from positions.candidates(scene, call, one, two)
    if len(one) == len(two) == 4:
        wrong = [dim for dim in (1, 2, 3) if one[dim] != two[dim] and 1 not in (one[dim], two[dim])]
        yield from branches.candidates(scene, call, wrong)
    yield from positions.masks(scene, one, two)
    yield from tables.crossed(scene, one, two)
    yield from tables.doubled(scene, one, two)
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
            yield from padding.padded(scene, call)
        elif one[:2] == two[:2] or one[-1] != two[-1]:
            yield from projections.linear_projection(scene, call)
    if len(one) == len(two) == 2 and one[0] == two[0]:
        yield from projections.linear_projection(scene, call)


def _made_alike(scene: Scene, call: Call) -> Iterator[Candidate]:
    """Noise, zeros or ones that were made of another size than what they meet."""
    for position, made in enumerate(call.producers[:2]):
        one, two = call.input_shapes[position], call.input_shapes[1 - position]
        wrong = [d for d in range(len(one)) if len(one) == len(two) and one[d] != two[d]]
        if not isinstance(made, Call) or made.base not in _MAKERS or len(wrong) != 1:
            continue
        node, at, place = module_call(made.place), wrong[0], made.place
        written = node.args[at] if node is not None and len(node.args) == len(one) else None
        if node is None or place is None or not isinstance(written, ast.Constant):
            continue

        def run(
            function: Function, args: Args, kwargs: Kwargs, at: int = at, size: int = two[at]
        ) -> object:
            return function(*args[:at], size, *args[at + 1 :], **kwargs)

        words = [f"{two[at]}" if n == at else f"args[{n}]" for n in range(len(one))]
        edit = Rewrite(place[:2], made.operation, f"torch.{made.base}({', '.join(words)})", run)
        said = with_argument(node, at, str(two[at]))
        yield Candidate((edit,), f"{said} instead of {ast.unparse(node)}", 0.0)


def _pooled_as_before(scene: Scene, one: Shape, two: Shape) -> Iterator[Candidate]:
    """Features beside a map that the net itself reduces to features elsewhere: as it does there."""
    assert scene.call is not None
    for position, (large, small) in enumerate(((one, two), (two, one))):
        if len(small) != 2 or len(large) < 3 or large[:2] != small:
            continue
        tensor = scene.call.tensors[position]
        for made in reversed(scene.case.failure.trace.calls):
            mine = bool(made.tensors) and made.tensors[0] is tensor and len(made.tensors) == 1
            if not mine or made.base not in _REDUCING or made.output_shapes[0] != small:
                continue
            args, kwargs = made.args[1:], dict(made.kwargs)
            words = [*map(repr, args), *(f"{key}={value!r}" for key, value in kwargs.items())]
            way = made.base

            def run(
                t: Sequence[Tensor],
                p: int = position,
                way: str = way,
                args: Args = args,
                kwargs: Kwargs = kwargs,
            ) -> object:
                return getattr(t[p], way)(*args, **kwargs)

            code = f"{{{position}}}.{way}({', '.join(words)})"
            # A gate that was made of the map itself is to meet the map.
            gates = _made_of(scene.call.producers[1 - position], made)
            means = "the map is then averaged away" if gates else ""
            for reduced in scene.on_operand(position, code, run, -0.01):
                yield replace(reduced, cost=0.3, means=means) if gates else reduced
            break


def _made_of(producer: Call | int, made: Call) -> bool:
    """Whether an operand came out of this call."""
    return isinstance(producer, Call) and any(one is made for one in ancestors(producer))


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


def _classes_last(scene: Scene, call: Call) -> Iterator[Candidate]:
    """One-hot classes come last; where they were made they go behind the batch."""
    for position in (0, 1):
        mine, other = call.input_shapes[position], call.input_shapes[1 - position]
        made = call.producers[position]
        if len(mine) != 4 or (mine[0], mine[3], *mine[1:3]) != other or mine == other:
            continue
        while isinstance(made, Call) and made.base in ("float", "to") and made.producers:
            made = made.producers[0]
        if isinstance(made, Call) and made.base == "one_hot":
            yield from again(scene, made, made.args, made.kwargs, -0.05, ops.permute(0, 3, 1, 2))


def _diagonal(scene: Scene, call: Call) -> Iterator[Candidate]:
    """The unit matrix of another size, as a mask of each item with itself."""
    for position in (0, 1):
        made: Call | int | None = call.producers[position]
        while isinstance(made, Call) and made.base in ("mul", "bool", "to", "float", "rmul"):
            made = made.producers[0] if len(made.tensors) == 1 else None
        other = call.input_shapes[1 - position]
        square = len(other) == 2 and other[0] == other[1]
        if not square or not isinstance(made, Call) or made.base != "eye" or made.place is None:
            continue
        times, odd = divmod(other[0], max(made.output_shapes[0][0], 1))
        node = module_call(made.place)
        if node is None or not node.args or odd or times < 2:
            continue
        word = ast.unparse(node.args[0])
        size = ast.unparse(ast.parse(f"{times} * ({word})", mode="eval").body)
        said = with_argument(node, 0, size)

        def run(function: Function, args: Args, kwargs: Kwargs, by: int = times) -> object:
            size = args[0]
            assert isinstance(size, int)
            return function(by * size, *args[1:], **kwargs)

        edit = Rewrite(made.place[:2], made.operation, f"torch.eye({times} * args[0])", run)
        yield Candidate((edit,), f"{said} instead of {ast.unparse(node)}", -0.05)


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
    if _convolved(scene.call.producers[long]) and padding.is_padded(scene, scene.call, long):
        end = f"{{{long}}}[..., :{{{1 - long}}}.size(-1)]"

        def first(t: Sequence[Tensor]) -> Tensor:
            return t[long][..., : t[1 - long].size(-1)]

        yield from scene.on_operand(long, end, first, 0.05)
        return
    code = f"{{{long}}}[..., -{{{1 - long}}}.size(-1):]"

    def cut(t: Sequence[Tensor]) -> Tensor:
        return t[long][..., -t[1 - long].size(-1) :]

    yield from scene.on_operand(long, code, cut, 0.1)
