"""What is seen of one forward pass: its calls, the modules they lie in, and where it stopped."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import TypeGuard

import torch
from torch import Tensor, nn
from torch._subclasses.fake_tensor import (
    DataDependentOutputException,
    DynamicOutputShapeException,
    UnsupportedFakeTensorException,
    UnsupportedOperatorException,
)

from viewfinder.explain.calls import Call, CallPlace
from viewfinder.explain.explanation import Shape

_NEEDS_NUMBERS = (
    DataDependentOutputException,
    DynamicOutputShapeException,
    UnsupportedFakeTensorException,
    UnsupportedOperatorException,
)
# What the few functions say that ask a tensor for its numbers in C++.
_UNMADE = "its data is not allocated yet"
_READING = {"item", "tolist", "numpy", "__bool__", "__int__", "__float__", "__array__", "__index__"}


@dataclass(frozen=True)
class Sample:
    """A tensor to imagine as an input: its full shape, batch included, and its type."""

    shape: Shape
    dtype: torch.dtype = torch.float32
    device: torch.device | None = None
    """Where it lies; None stands for where the net's parameters are."""


@dataclass(eq=False)
class Row:
    """What becomes one line of the table: a `torch.nn` module's call, or a single function."""

    module: nn.Module | None
    path: str
    calls: list[Call] = field(default_factory=list)
    inputs: tuple[Tensor, ...] = ()
    input_shapes: tuple[Shape, ...] = ()
    output_shapes: tuple[Shape, ...] = ()
    source: tuple[str, int] | None = None


@dataclass(eq=False)
class TracedFrame:
    """A module whose forward is running, and what it was given."""

    module: nn.Module
    path: str
    args: tuple[object, ...]
    kwargs: Mapping[str, object]
    row: Row | None
    opens: bool
    """The row begins with this frame and ends with it."""
    place: CallPlace | None = None
    """The user's expression that called the module."""
    last: Call | None = None
    """The latest call within, for a forward that forgets to return it."""


@dataclass(eq=False)
class Failure:
    """Where a forward pass stopped: the innermost module, and torch's call if it was one."""

    error: Exception
    frame: TracedFrame
    call: Call | None
    trace: "Trace"


@dataclass(eq=False)
class Trace:
    """Everything that was seen of one forward pass."""

    module: nn.Module
    inputs: tuple[Tensor, ...]
    called: tuple[str, ...] = ()
    """What a line of a script calls its tensors."""
    rows: list[Row] = field(default_factory=list)
    outputs: tuple[Tensor, ...] = ()
    result: object = None
    """What the net's forward returned, in its own structure."""
    failure: Failure | None = None
    overwritten: Sequence[tuple[Call, Call | None]] = ()
    """Calls whose tensors, kept for the backward pass, were written over, and by which calls."""
    count: int = 0
    """How many calls were made, up to the failure if there was one."""

    @cached_property
    def calls(self) -> tuple[Call, ...]:
        """All calls that went well, in order."""
        calls = [call for row in self.rows for call in row.calls]
        if self.failure is not None:
            known = {id(call) for call in calls}
            calls += [call for call in self.unfinished if id(call) not in known]
        return tuple(sorted(calls, key=lambda call: call.index))

    @cached_property
    def by_index(self) -> dict[int, Call]:
        """All calls that went well, by number."""
        return {call.index: call for call in self.calls}

    entered: set[str] = field(default_factory=set)
    """The paths of the modules whose forward ran."""
    unfinished: list[Call] = field(default_factory=list)
    """Calls within the layers that were running when the pass stopped."""


NOWHERE = -(10**9)
"""The producer of a tensor that comes from no call: a parameter, a buffer or a constant."""


def is_input(producer: Call | int) -> TypeGuard[int]:
    """Whether a producer is one of the net's inputs."""
    return isinstance(producer, int) and producer != NOWHERE


def looks_at_numbers(failure: Failure) -> bool:
    """Whether a pass stopped since it asked for the numbers that its tensors do not have."""
    reads = failure.call is not None and failure.call.operation in _READING
    return reads or isinstance(failure.error, _NEEDS_NUMBERS) or _UNMADE in str(failure.error)


def ancestors(call: Call) -> Iterator[Call]:
    """The call and every call that it depends on, latest first."""
    waiting, seen = [call], {call.index}
    while waiting:
        waiting.sort(key=lambda one: one.index)
        latest = waiting.pop()
        yield latest
        for producer in latest.producers:
            if isinstance(producer, Call) and producer.index not in seen:
                seen.add(producer.index)
                waiting.append(producer)
