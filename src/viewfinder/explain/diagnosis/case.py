"""The failed call with what a diagnosis asks of it: names, shapes, and where tensors came from."""

import re
import traceback
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from torch import Tensor, nn

from viewfinder.explain.assembling import call_kind, row_names, source_code, source_text
from viewfinder.explain.calls import Call
from viewfinder.explain.explanation import Mistake, Shape, shape_text
from viewfinder.explain.pointwise import ACTIVATIONS
from viewfinder.explain.recording import is_users
from viewfinder.explain.traces import Failure, is_input

Dimensions = Callable[[Call, int], tuple[str, ...]]
"""What the dimensions of a tensor that a call took are called."""

# Calls that hand a map on with its channels and positions as they were.
PASSING = ACTIVATIONS | {"batch_norm", "group_norm", "contiguous", "clone", "detach"}
# Calls after which the channels are where they were, whatever their number.
_KEEPING = {"add", "sub", "mul", "cat", "interpolate", "dropout", "dropout2d", "feature_dropout"}


@dataclass(frozen=True)
class Case:
    """A failure to be diagnosed."""

    failure: Failure
    dimensions: Dimensions = lambda call, position: ()
    batch: int = 0
    """The size of the inputs' batch dimension; 0 where there is none or it is not known."""

    @property
    def call(self) -> Call | None:
        return self.failure.call

    @property
    def operation(self) -> str:
        return self.call.base if self.call else ""

    @property
    def module(self) -> nn.Module:
        """The innermost module whose forward was running."""
        return self.failure.frame.module

    @property
    def shapes(self) -> tuple[Shape, ...]:
        return self.call.input_shapes if self.call else ()

    @property
    def path(self) -> str:
        """The module's path, as the table has it."""
        return self.failure.frame.path or type(self.module).__name__

    @property
    def name(self) -> str:
        """The module as Python reaches it: `features[0]`, or `net[0]` in a bare Sequential.

        A function of torch that the user's own code calls is named itself.
        """
        if self.call is not None and not self.in_layer:
            return call_kind(self.call)
        return path_as_code(self.path)

    @property
    def in_layer(self) -> bool:
        """The failure lies within one layer of torch.nn, not between layers."""
        return self.failure.frame.row is not None

    @cached_property
    def where(self) -> str:
        """The layer or function, its class, and the user's line."""
        frame, call = self.failure.frame, self.call
        if frame.row is not None:
            source, what = frame.row.source, f"{self.path} ({type(self.module).__name__})"
        else:
            source = call.source if call else _raised_at(self.failure.error)
            what = f"{call_kind(call)} in {self.path}" if call else self.path
        line = f", {source_text(source)}: {source_code(source)}" if source else ""
        return what + line

    def mistake(self, rule: str, got: str, expected: str) -> Mistake:
        return Mistake(self.where, rule, got, expected, ())

    def argument(self, name: str, default: object = None) -> Any:
        return self.call.argument(name, default) if self.call else default

    def weight(self) -> Tensor | None:
        weight = self.argument("weight")
        return weight if isinstance(weight, Tensor) else None

    @cached_property
    def _titles(self) -> dict[int, str]:
        rows = self.failure.trace.rows
        return {
            call.index: name
            for row, name in zip(rows, row_names(rows), strict=True)
            for call in row.calls
        }

    def title(self, producer: Call | int) -> str:
        """What a tensor is called: the layer that it came from, or the input."""
        if isinstance(producer, Call):
            return self._titles.get(producer.index, producer.operation)
        return input_title(self, producer) if is_input(producer) else "a tensor of its own"

    def operand(self, position: int) -> str:
        """The operand at this position, with its shape and where it came from."""
        producers = self.call.producers if self.call else ()
        origin = self.title(producers[position]) if position < len(producers) else "?"
        shape = shape_text(self.shapes[position])
        return f"{shape}{self._called(position)} from {origin}"

    def _called(self, position: int) -> str:
        names = self.dimensions(self.call, position) if self.call else ()
        plain = {"?", "constant"}
        if len(names) < 2 or plain & set(names):
            return ""
        return f" ({' × '.join(names)})"

    def producer(self, position: int = 0) -> Call | int | None:
        producers = self.call.producers if self.call else ()
        return producers[position] if position < len(producers) else None

    def back(self, producer: Call | int | None) -> Call | int | None:
        """The call behind activations and norms, which keep the shape."""
        while isinstance(producer, Call) and producer.base in PASSING and producer.producers:
            producer = producer.producers[0]
        return producer


def from_a_map(case: Case, position: int = 0) -> bool:
    """A convolution or pooling gave this tensor, so that its channels come first for certain."""
    return _gives_a_map(case.producer(position))


def _gives_a_map(found: Call | int | None) -> bool:
    if not isinstance(found, Call):
        return False
    if found.base in PASSING:
        return _gives_a_map(found.producers[0]) if found.producers else False
    if found.base in _KEEPING:
        # What meets a map, or is joined to it, is laid out as it is.
        return any(map(_gives_a_map, found.producers))
    return found.base.startswith("conv") or "_pool" in found.base


def path_as_code(path: str) -> str:
    """A module's path as Python reaches it: `features[0]`, or `net[0]` in a bare Sequential."""
    name = re.sub(r"\.(\d+)(?=\.|$)", r"[\1]", path)
    return re.sub(r"^(\d+)", r"net[\1]", name)


def _raised_at(error: Exception) -> tuple[str, int] | None:
    """The innermost line of the user's own code that an error came through."""
    own = [
        (frame.filename, frame.lineno)
        for frame in traceback.extract_tb(error.__traceback__)
        if is_users(frame.filename) and frame.lineno
    ]
    return own[-1] if own else None


def input_title(case: Case, producer: int) -> str:
    """ "the input", or "input 2" where there are several."""
    trace = case.failure.trace
    if trace.called:
        return trace.called[-producer - 1]
    several = len(trace.inputs) > 1
    return f"input {-producer}" if several else "the input"


def times(shape: Shape) -> str:
    """A product written out: 32·6·6 = 1152."""
    total = 1
    for size in shape:
        total *= size
    return f"{'·'.join(map(str, shape))} = {total}" if len(shape) > 1 else str(total)
