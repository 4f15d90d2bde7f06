"""Receptive fields on the true graph of calls, branches and sums included.

For each tensor and each axis of each input picture, one `InputSpan` says which positions of that
axis the tensor can depend on. The rules keep a span a superset of the truth, whatever the call: a
call without a rule sees all that its operands see. Where only convolutions, pooling and sums of
equal stride take part it is exact, and equals the recurrences of Araujo, Norris and Sim, "Computing
Receptive Fields of Convolutional Neural Networks" (Distill 2019).

Batch norm counts as one scale a channel, as in evaluation. Group, instance and layer norms
measure what they normalise, so the axes that they normalise over are seen whole.
"""

from collections.abc import Callable, Sequence
from dataclasses import replace
from fractions import Fraction

from torch import Tensor

from viewfinder.explain.arithmetic import Axis
from viewfinder.explain.calls import Call, shape_of
from viewfinder.explain.costs import storage_key
from viewfinder.explain.explanation import ReceptiveField, Shape
from viewfinder.explain.geometry import axes
from viewfinder.explain.pointwise import ACTIVATIONS, ARITHMETIC
from viewfinder.explain.spans import InputSpan, Reach, collapse, merge
from viewfinder.explain.views import viewed


def fields(calls: Sequence[Call], inputs: Sequence[Tensor]) -> dict[int, list[Reach]]:
    """For each call, by its index, the reach of each of its outputs."""
    reaches: dict[int, Reach] = {id(t): _start(t, n) for n, t in enumerate(inputs)}
    shared: dict[int, dict[int, Shape]] = {}
    for tensor in inputs:
        shared.setdefault(storage_key(tensor), {})[id(tensor)] = shape_of(tensor)
    result: dict[int, list[Reach]] = {}
    for call in calls:
        operands = [(t, reaches.get(id(t), {})) for t in call.tensors]
        found = [_after(call, operands, out) for out in call.outputs]
        result[call.index] = found
        writes = call.operation.endswith("_") or call.operation == "setitem"
        for out, reach in zip(call.outputs, found, strict=True):
            key = storage_key(out)
            known = shared.setdefault(key, {})
            for alias, size in known.items() if writes else ():
                whole = [collapse(reaches[alias], size), collapse(reach, shape_of(out))]
                reaches[alias] = merge(whole)
            reaches[id(out)] = reach
            known[id(out)] = shape_of(out)
    return result


def summary(reach: Reach, inputs: Sequence[Shape], shape: Shape) -> ReceptiveField | None:
    """The receptive field of an output of this shape, in the input that it sees widest."""
    widths: dict[int, Fraction] = {}
    for (index, _), span in reach.items():
        widths[index] = widths.get(index, Fraction(0)) + span.last - span.first
    if not widths:
        return None
    index = max(widths, key=lambda one: (widths[one], -one))
    spans = [reach[key] for key in sorted(reach) if key[0] == index]
    sizes = inputs[index][2:]
    covered = True
    for span, size in zip(spans, sizes, strict=True):
        count = shape[span.dim] if span.dim is not None and -span.dim <= len(shape) else 1
        end = span.first + (count - 1) * span.step
        covered &= max(span.first, end) <= 0
        covered &= min(span.last, span.last + (count - 1) * span.step) >= size - 1
    ends = [_pixels(span) for span in spans]
    return ReceptiveField(
        input=index,
        size=tuple(last - first + 1 for first, last in ends),
        stride=tuple(float(span.step) for span in spans),
        offset=tuple(first for first, _ in ends),
        whole=covered,
    )


def _pixels(span: InputSpan) -> tuple[int, int]:
    """The first and last whole pixel that position 0 may see, such that +i·step holds for all."""
    if span.step.denominator == 1:
        return span.first.__ceil__(), span.last.__floor__()
    return span.first.__floor__(), span.last.__ceil__()


def _start(tensor: Tensor, index: int) -> Reach:
    rank = tensor.dim() - 2
    one, zero = Fraction(1), Fraction(0)
    return {(index, axis): InputSpan(axis - rank, zero, zero, one) for axis in range(max(rank, 0))}


def _after(call: Call, operands: list[tuple[Tensor, Reach]], out: Tensor) -> Reach:
    shapes, shape = call.input_shapes, shape_of(out)
    reached = [
        (tensor, reach, size)
        for (tensor, reach), size in zip(operands, shapes, strict=True)
        if reach
    ]
    if not reached:
        return {}
    rule = _RULES.get(call.base)
    tensor, reach, size = reached[0]
    if rule is not None and call.base in _MANY:
        return merge([rule(call, r, s, shape) for _, r, s in reached], shape)
    # Weights that are worked out from the input are seen whole by every position.
    rest = [collapse(r, s) for _, r, s in reached[1:]]
    if tensor is not call.tensors[0]:
        return merge([collapse(reach, size), *rest])
    if rule is not None:
        return merge([rule(call, reach, size, shape), *rest], shape)
    if geometry := axes(call):
        return merge([_slide(call, geometry, reach, size), *rest], shape)
    if not rest and (storage_key(out) == storage_key(tensor) or call.base in _REARRANGING):
        return viewed(tensor, reach, size, out)
    return merge([collapse(reach, size), *rest])


def _slide(call: Call, geometry: tuple[Axis, ...], reach: Reach, shape: Shape) -> Reach:
    count = len(geometry)
    if call.base == "pad" and call.argument("mode", "constant") == "circular":
        return collapse(reach, shape, lambda dim: dim >= -count)
    if call.argument("antialias", False):
        return collapse(reach, shape)
    if call.base.startswith("conv"):
        reach = collapse(reach, shape, lambda dim: dim < -count)
    moved = {}
    for key, span in reach.items():
        if span.dim is None or span.dim < -count:
            moved[key] = span
            continue
        gain, low, high = geometry[span.dim].reach()
        ends = sorted((low * span.step, high * span.step))
        first, last = span.first + ends[0], span.last + ends[1]
        moved[key] = InputSpan(span.dim, first, last, gain * span.step)
    return moved


def _pointwise(call: Call, reach: Reach, shape: Shape, out: Shape) -> Reach:
    def broadcast(dim: int) -> bool:
        return shape[dim] == 1 and out[dim] != 1

    return collapse(reach, shape, broadcast)


def _dims(value: int | Sequence[int] | None, rank: int) -> set[int]:
    if value is None or value == () or value == []:
        return set(range(-rank, 0))
    dims = [value] if isinstance(value, int) else value or ()
    return {dim - rank if dim >= 0 else dim for dim in dims}


def _reduction(call: Call, reach: Reach, shape: Shape, out: Shape) -> Reach:
    gone = _dims(call.argument("dim"), len(shape))
    reach = collapse(reach, shape, lambda dim: dim in gone)
    if len(out) == len(shape):
        return reach
    return {
        key: s if s.dim is None else replace(s, dim=s.dim + sum(d > s.dim for d in gone))
        for key, s in reach.items()
    }


def _mixing(call: Call, reach: Reach, shape: Shape, out: Shape) -> Reach:
    mixed = _dims(call.argument("dim", -1), len(shape))
    return collapse(reach, shape, lambda dim: dim in mixed)


def _last(call: Call, reach: Reach, shape: Shape, out: Shape) -> Reach:
    return collapse(reach, shape, lambda dim: dim == -1)


def _layer_norm(call: Call, reach: Reach, shape: Shape, out: Shape) -> Reach:
    count = len(call.argument("normalized_shape"))
    return collapse(reach, shape, lambda dim: dim >= -count)


def _concatenation(call: Call, reach: Reach, shape: Shape, out: Shape) -> Reach:
    (along,) = _dims(call.argument("dim", 0), len(out))
    return collapse(reach, shape, lambda dim: dim == along)


_REARRANGING = {"reshape", "flatten", "contiguous", "clone", "view", "unflatten", "to", "float"}

# Calls whose operands all lie along the result; others have one such operand, the first.
_MANY = ARITHMETIC | {"cat"}

_RULES: dict[str, Callable[[Call, Reach, Shape, Shape], Reach]] = {
    **dict.fromkeys(ACTIVATIONS | ARITHMETIC | {"batch_norm"}, _pointwise),
    **dict.fromkeys(("mean", "sum", "prod", "amax", "amin", "argmax", "argmin"), _reduction),
    **dict.fromkeys(("std", "var", "logsumexp"), _reduction),
    **dict.fromkeys(("softmax", "log_softmax", "cumsum"), _mixing),
    "linear": _last,
    "layer_norm": _layer_norm,
    "rms_norm": _layer_norm,
    "cat": _concatenation,
}
