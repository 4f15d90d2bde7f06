"""Watching one forward pass on tensors without numbers: every call, in order, and its failure."""

import os
import sys
from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from types import FrameType
from typing import Any, TypeGuard

import torch
from torch import Tensor, nn
from torch._subclasses.fake_tensor import FakeTensorMode
from torch.autograd.graph import saved_tensors_hooks
from torch.overrides import TorchFunctionMode

from viewfinder.explain.calls import Call, operation_name, shape_of, tensors_in
from viewfinder.explain.costs import KeptTensors, MacCounter, is_lazy, storage_key
from viewfinder.explain.explanation import Shape
from viewfinder.explain.gaps import refusal
from viewfinder.explain.shadow import shadow, undisturbed

_TORCH = str(Path(torch.__file__).parent) + os.sep
_HERE = str(Path(__file__).parent) + os.sep
# torch.nn modules whose forward only calls other modules: their children are the layers.
_CONTAINERS = ("torch.nn.modules.container", "torch.nn.modules.transformer")
_SILENT = {"requires_grad_", "retain_grad", "register_hook", "grad", "numpy"}


@dataclass(frozen=True)
class Sample:
    """A tensor to imagine as an input: its full shape, batch included, and its type."""

    shape: Shape
    dtype: torch.dtype = torch.float32


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
class Frame:
    """A module whose forward is running, and what it was given."""

    module: nn.Module
    path: str
    args: tuple[Any, ...]
    kwargs: Mapping[str, Any]
    row: Row | None
    opens: bool
    """The row begins with this frame and ends with it."""


@dataclass(eq=False)
class Failure:
    """Where a forward pass stopped: the innermost module, and torch's call if it was one."""

    error: Exception
    frame: Frame
    call: Call | None
    trace: "Trace"


@dataclass(eq=False)
class Trace:
    """Everything that was seen of one forward pass."""

    module: nn.Module
    inputs: tuple[Tensor, ...]
    rows: list[Row] = field(default_factory=list)
    outputs: tuple[Tensor, ...] = ()
    failure: Failure | None = None


class Recorder(TorchFunctionMode):
    """Records each call that gives or changes a tensor, under the module that makes it."""

    def __init__(self, trace: Trace, *, fake: bool) -> None:
        super().__init__()
        self.trace, self.fake = trace, fake
        self.stack: list[Frame] = []
        self.current: Call | None = None
        self.failed: tuple[Call, BaseException] | None = None
        self.broken: tuple[Frame, BaseException] | None = None
        self.count = 0
        self._producers: dict[int, Call | int] = {}
        self._known: dict[int, dict[int, Tensor]] = {}
        for position, tensor in enumerate(trace.inputs):
            self._remember(tensor, -1 - position)

    def __torch_function__(
        self, function: Any, types: Any, args: Any = (), kwargs: Any = None
    ) -> Any:
        kwargs = kwargs or {}
        call = Call(
            index=self.count,
            operation=operation_name(function),
            args=args,
            kwargs=kwargs,
            module=self.stack[-1].path if self.stack else "",
            source=None,
        )
        outer, self.current = self.current, call
        try:
            if self.fake and (message := refusal(call)):
                raise RuntimeError(message)
            result = function(*args, **kwargs)
        except Exception as error:
            self._describe(call)
            self.failed = (call, error)
            raise
        finally:
            self.current = outer
        outputs = tuple(tensors_in(result))
        if outputs or call.operation == "setitem":
            self._record(call, outputs or call.tensors[:1])
        return result

    def _describe(self, call: Call) -> None:
        tensors = call.tensors
        call.source = _user_line()
        call.input_shapes = tuple(map(shape_of, tensors))
        call.producers = tuple(self._producers.get(id(tensor), _NOWHERE) for tensor in tensors)

    def _record(self, call: Call, outputs: tuple[Tensor, ...]) -> None:
        if call.operation in _SILENT or any(map(is_lazy, call.tensors)):
            return
        self._describe(call)
        call.outputs = outputs
        call.output_shapes = tuple(map(shape_of, outputs))
        self.count += 1
        for tensor in outputs:
            self._remember(tensor, call)
        if call.operation.endswith("_") or call.operation == "setitem":
            # Every view of the memory that was written comes from this call too.
            for alias in self._known.get(storage_key(call.tensors[0]), {}):
                self._producers[alias] = call
        row = self.stack[-1].row if self.stack else None
        if row is None:
            row = Row(module=None, path=call.module, source=call.source)
            row.inputs, row.input_shapes = call.tensors, call.input_shapes
            row.output_shapes = call.output_shapes
            self.trace.rows.append(row)
        row.calls.append(call)

    def _remember(self, tensor: Tensor, producer: Call | int) -> None:
        self._producers[id(tensor)] = producer
        self._known.setdefault(storage_key(tensor), {})[id(tensor)] = tensor

    def enter(self, module: nn.Module, path: str, args: tuple[Any, ...], kwargs: Any) -> None:
        row = self.stack[-1].row if self.stack else None
        opens = row is None and _is_layer(module)
        if opens:
            row = Row(module=module, path=path, source=_user_line())
            row.inputs = tuple(tensors_in((args, kwargs)))
            row.input_shapes = tuple(map(shape_of, row.inputs))
        self.stack.append(Frame(module, path, args, kwargs, row, opens))

    def leave(self, module: nn.Module, output: Any) -> None:
        frame = self.stack.pop()
        error = sys.exception()
        if error is not None and (self.broken is None or self.broken[1] is not error):
            self.broken = (frame, error)
        # A forward that raised has no output, and its row is not part of the table.
        if frame.opens and output is not None and frame.row is not None and frame.row.calls:
            frame.row.output_shapes = tuple(map(shape_of, tensors_in(output)))
            self.trace.rows.append(frame.row)


_NOWHERE = -(10**9)
"""The producer of a tensor that comes from no call: a parameter, a buffer or a constant."""


def is_input(producer: Call | int) -> TypeGuard[int]:
    """Whether a producer is one of the net's inputs."""
    return isinstance(producer, int) and producer != _NOWHERE


def _is_layer(module: nn.Module) -> bool:
    home = getattr(type(module).forward, "__module__", "")
    return home.startswith("torch.nn.") and home not in _CONTAINERS


def _user_line() -> tuple[str, int] | None:
    """The innermost frame that is neither torch's nor ours."""
    frame: FrameType | None = sys._getframe(2)
    while frame is not None and frame.f_code.co_filename.startswith(_HERE):
        frame = frame.f_back
    while frame is not None and not frame.f_code.co_filename.startswith(_HERE):
        if is_users(frame.f_code.co_filename):
            return frame.f_code.co_filename, frame.f_lineno
        frame = frame.f_back
    return None


def is_users(filename: str) -> bool:
    """Whether a line of code is neither torch's nor ours."""
    return not filename.startswith((_TORCH, _HERE, "<"))


def trace(module: nn.Module, arguments: tuple[Any, ...], *, real: bool = False) -> Trace:
    """Run `module` once on `arguments`, in which Samples and tensors stand for the inputs.

    With `real`, on random numbers and a copy of the weights, for nets that look at values.
    """
    fake = None if real else FakeTensorMode(allow_non_fake_inputs=True)
    with undisturbed(), ExitStack() as modes:
        twin = shadow(module, fake)
        device = next((tensor.device for tensor in twin.parameters()), torch.device("cpu"))
        if fake:
            modes.enter_context(fake)
        given = _imagine(arguments, fake, device)
        seen = Trace(module=twin, inputs=tuple(tensors_in(given)))
        recorder = Recorder(seen, fake=not real)
        _watch(twin, recorder)
        kept = KeptTensors(lambda: recorder.current)
        modes.enter_context(torch.enable_grad())
        modes.enter_context(saved_tensors_hooks(kept.pack, kept.unpack))
        modes.enter_context(MacCounter(lambda: recorder.current))
        modes.enter_context(recorder)
        try:
            seen.outputs = tuple(tensors_in(twin(*given)))
        except Exception as error:
            seen.failure = _failure(error, recorder, twin, given)
    kept.settle(twin)
    return seen


def _failure(
    error: Exception, recorder: Recorder, module: nn.Module, given: tuple[Any, ...]
) -> Failure:
    call = None
    if recorder.failed is not None and recorder.failed[1] is error:
        call = recorder.failed[0]
    frame = Frame(module, "", given, {}, None, False)
    if recorder.broken is not None and recorder.broken[1] is error:
        frame = recorder.broken[0]
    return Failure(error, frame, call, recorder.trace)


def _watch(module: nn.Module, recorder: Recorder) -> None:
    """Hooks on the copy; they return None, for a returned value would replace the output."""
    for path, child in module.named_modules():

        def before(child: nn.Module, args: Any, kwargs: Any, path: str = path) -> None:
            recorder.enter(child, path, args, kwargs)

        def after(child: nn.Module, args: Any, output: Any) -> None:
            recorder.leave(child, output)

        child.register_forward_pre_hook(before, with_kwargs=True, prepend=True)
        child.register_forward_hook(after, always_call=True)


def _imagine(value: Any, fake: FakeTensorMode | None, device: torch.device) -> Any:
    if isinstance(value, Sample):
        if fake:
            return torch.empty(value.shape, dtype=value.dtype, device=device)
        if value.dtype.is_floating_point:
            return torch.rand(value.shape, dtype=value.dtype, device=device)
        return torch.zeros(value.shape, dtype=value.dtype, device=device)
    if isinstance(value, Tensor):
        return fake.from_tensor(value.detach()) if fake else value.detach().clone()
    if isinstance(value, list | tuple):
        return type(value)(_imagine(item, fake, device) for item in value)
    if isinstance(value, dict):
        return {key: _imagine(item, fake, device) for key, item in value.items()}
    return value


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
