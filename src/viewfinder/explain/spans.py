"""What part of the inputs a tensor can depend on, axis by axis, as plain intervals."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from fractions import Fraction

from viewfinder.explain.explanation import Shape


@dataclass(frozen=True)
class InputSpan:
    """Position i along `dim` (counted from the end) sees first + i·step … last + i·step.

    Without a `dim`, every position sees first … last.
    """

    dim: int | None
    first: Fraction
    last: Fraction
    step: Fraction = Fraction(0)


Key = tuple[int, int]
"""Which input, and which of its picture axes."""
Reach = dict[Key, InputSpan]


def fixed(span: InputSpan, count: int) -> InputSpan:
    """What all positions together see."""
    zero, end = Fraction(0), max(count - 1, 0) * span.step
    return InputSpan(None, span.first + min(end, zero), span.last + max(end, zero))


def collapse(reach: Reach, shape: Shape, dims: Callable[[int], bool] = lambda _: True) -> Reach:
    """The reach after the dimensions that `dims` names (from the end) have been mixed."""
    return {
        key: fixed(span, shape[span.dim]) if span.dim is not None and dims(span.dim) else span
        for key, span in reach.items()
    }


def merge(parts: Sequence[Reach], shape: Shape = ()) -> Reach:
    """What a result sees that depends on all parts, each already on the result's dimensions."""
    merged: Reach = {}
    for part in parts:
        for key, span in part.items():
            merged[key] = _hull(merged[key], span, shape) if key in merged else span
    return merged


def _hull(one: InputSpan, two: InputSpan, shape: Shape) -> InputSpan:
    if one.dim != two.dim:
        one, two = (fixed(s, shape[s.dim]) if s.dim is not None else s for s in (one, two))
    if one.dim is None:
        return InputSpan(None, min(one.first, two.first), max(one.last, two.last))
    # Strides that differ (a map resized to meet another): a hull that holds at both ends.
    drift = (shape[one.dim] - 1) * (two.step - one.step)
    first = min(one.first, two.first, two.first + drift)
    last = max(one.last, two.last, two.last + drift)
    return InputSpan(one.dim, first, last, one.step)
