"""What a view, permutation, slice or reshape sees: read off the strides, whatever its name."""

from collections.abc import Iterable
from typing import SupportsInt

from torch import Tensor

from viewfinder.explain.calls import shape_of
from viewfinder.explain.costs import storage_key
from viewfinder.explain.explanation import Shape
from viewfinder.explain.spans import InputSpan, Reach, fixed


def viewed(tensor: Tensor, reach: Reach, shape: Shape, out: Tensor) -> Reach:
    """Views of any kind: a dimension lives on where one of the result's steps as it does."""
    if storage_key(out) == storage_key(tensor):
        strides, steps = _whole(tensor.stride()), _whole(out.stride())
        start = int(out.storage_offset()) - int(tensor.storage_offset())
    else:
        strides, steps, start = _dense(shape), _dense(shape_of(out)), 0
    parts, spilt = _parts(shape, strides, shape_of(out), steps)
    begins = _begins(shape, strides, start)
    moved = {}
    for key, span in reach.items():
        moved[key] = span
        if span.dim is None:
            continue
        moved[key] = fixed(span, shape[span.dim])
        found = parts.get(span.dim, [])
        if found and strides[span.dim] <= spilt and span.step >= 0:
            # A dimension split in two: the coarser part carries the position on.
            dim, step, _ = max(found, key=lambda part: part[1])
            inner = sum(more * (many - 1) for d, more, many in found if d != dim)
            begin = begins[span.dim] * span.step
            last = span.last + begin + inner * span.step
            moved[key] = InputSpan(dim, span.first + begin, last, step * span.step)
    return moved


def _walked(shape: Shape, strides: Shape) -> list[int]:
    """The dimensions that a step can be taken along, the longest step first."""
    real = [dim for dim in range(-len(shape), 0) if shape[dim] > 1 and strides[dim] > 0]
    return sorted(real, key=lambda dim: -strides[dim])


def _begins(shape: Shape, strides: Shape, start: int) -> dict[int, int]:
    """Where along each dimension a view begins."""
    begins = {}
    for dim in _walked(shape, strides):
        begins[dim], start = divmod(start, strides[dim])
    return begins


def _parts(
    shape: Shape, strides: Shape, out: Shape, steps: Shape
) -> tuple[dict[int, list[tuple[int, int, int]]], int]:
    """For each dimension, the (dimension, step, size) of the result's that walk along it.

    And the stride above which nothing is known, since a walk below runs over its end.
    """
    parts: dict[int, list[tuple[int, int, int]]] = {}
    spilt = 2**62
    for dim in range(-len(out), 0):
        below = [d for d in _walked(shape, strides) if strides[d] <= steps[dim]]
        if out[dim] < 2 or not below:
            continue
        nearest = below[0]
        step, odd = divmod(steps[dim], strides[nearest])
        walk = parts.setdefault(nearest, [])
        walk.append((dim, step, out[dim]))
        if odd or sum(one * (many - 1) for _, one, many in walk) >= shape[nearest]:
            parts[nearest] = []
            spilt = min(spilt, strides[nearest] - 1 if odd else strides[nearest])
    return parts, spilt


def _whole(numbers: Iterable[SupportsInt]) -> Shape:
    return tuple(int(number) for number in numbers)


def _dense(shape: Shape) -> Shape:
    strides, step = [], 1
    for size in reversed(shape):
        strides.append(step)
        step *= max(size, 1)
    return tuple(reversed(strides))
