"""Recording the calls of a forward pass as it runs, under the modules that make them."""

import os
import sys
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from types import FrameType

import torch
from torch import Tensor, nn
from torch._subclasses.fake_tensor import FakeTensorMode
from torch.overrides import TorchFunctionMode

from viewfinder.explain.calls import Call, CallPlace, operation_name, shape_of, tensors_in
from viewfinder.explain.costs import is_lazy, storage_key
from viewfinder.explain.edits import Rewrite
from viewfinder.explain.gaps import refusal, unsafe
from viewfinder.explain.passed import Args, Kwargs
from viewfinder.explain.recurrences import lengthened, shortened
from viewfinder.explain.shortcuts import Shortcuts
from viewfinder.explain.traces import NOWHERE, Row, Trace, TracedFrame

_TORCH = str(Path(torch.__file__).parent) + os.sep
_HERE = str(Path(__file__).parent) + os.sep
# torch.nn modules whose forward only calls other modules: their children are the layers.
_CONTAINERS = ("torch.nn.modules.container", "torch.nn.modules.transformer")
_SILENT = {"requires_grad_", "retain_grad", "register_hook", "grad", "numpy"}


class Recorder(TorchFunctionMode):
    """Records each call that gives or changes a tensor, under the module that makes it."""

    def __init__(
        self,
        trace: Trace,
        *,
        fake: FakeTensorMode | None,
        rewrites: Sequence[Rewrite] = (),
        shortcuts: Shortcuts | None = None,
        learn: bool = False,
    ) -> None:
        super().__init__()
        self.trace, self.fake = trace, fake
        self._shortcuts, self._learn = shortcuts, learn
        self._rewrites = {one.key: one for one in rewrites}
        self.stack: list[TracedFrame] = []
        self.current: Call | None = None
        self.failed: tuple[Call, BaseException] | None = None
        self.broken: tuple[TracedFrame, BaseException] | None = None
        self.count = 0
        self._last: dict[str, Call | None] = {}
        self._producers: dict[int, Call | int] = {}
        self._known: dict[int, dict[int, Tensor]] = {}
        for position, tensor in enumerate(trace.inputs):
            self._remember(tensor, -1 - position)

    def __torch_function__(
        self,
        function: Callable[..., object],
        types: object,
        args: Args = (),
        kwargs: Kwargs | None = None,
    ) -> object:
        kwargs = kwargs or {}
        call = Call(
            index=self.count,
            operation=operation_name(function),
            args=args,
            kwargs=kwargs,
            module=self.stack[-1].path if self.stack else "",
            source=None,
            function=function,
        )
        outer, self.current = self.current, call
        try:
            result = self._carry_out(call, function)
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

    def _carry_out(self, call: Call, function: Callable[..., object]) -> object:
        if self._rewrites and (place := _user_place()) is not None:
            rewrite = self._rewrites.get((place.code, place.instruction, call.operation))
            if rewrite is not None:
                return rewrite.run(self._checked(call, function), call.args, call.kwargs)
        if self.fake is None:
            return function(*call.args, **call.kwargs)
        if self._shortcuts is None:
            return self._asked(call, function)
        fake = self.fake
        brief = None if self._learn else shortened(call)

        def ask() -> object:
            if brief is None:
                return self._asked(call, function)
            return lengthened(call, lambda: self._asked(brief, function), fake)

        return self._shortcuts.carry_out(call, function, ask, fake, learn=self._learn)

    def _asked(self, call: Call, function: Callable[..., object]) -> object:
        """What torch gives on tensors without numbers, unless it would refuse real ones."""
        if error := unsafe(call):
            raise error
        result = function(*call.args, **call.kwargs)
        if error := refusal(call, function, result):
            raise error
        return result

    def _checked(self, call: Call, function: Callable[..., object]) -> Callable[..., object]:
        """A function of torch that refuses what torch would, for the arguments of a rewrite."""

        def carry_out(*args: object, **kwargs: object) -> object:
            if self.fake is None:
                return function(*args, **kwargs)
            return self._asked(replace(call, args=args, kwargs=kwargs), function)

        return carry_out

    def _describe(self, call: Call) -> None:
        tensors = call.tensors
        call.place = _user_place()
        call.source = _line_of(call.place)
        call.input_shapes = tuple(map(shape_of, tensors))
        call.producers = tuple(self._producers.get(id(tensor), NOWHERE) for tensor in tensors)

    def _record(self, call: Call, outputs: tuple[Tensor, ...]) -> None:
        if call.operation in _SILENT or any(map(is_lazy, call.tensors)):
            return
        self._describe(call)
        call.outputs, call.graph = outputs, torch.is_grad_enabled()
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
        for frame in self.stack:
            frame.last = call

    def latest(self, path: str) -> Call | None:
        """The last call within the latest forward of the module at `path`."""
        return self._last.get(path)

    def follow(self, new: object, old: object) -> None:
        """Tensors that an edit made of others come from where those came from."""
        for one, two in zip(tensors_in(new), tensors_in(old), strict=False):
            if id(two) in self._producers and id(one) not in self._producers:
                self._remember(one, self._producers[id(two)])

    def _remember(self, tensor: Tensor, producer: Call | int) -> None:
        self._producers[id(tensor)] = producer
        self._known.setdefault(storage_key(tensor), {})[id(tensor)] = tensor

    def enter(self, module: nn.Module, path: str, args: Args, kwargs: Kwargs) -> None:
        row = self.stack[-1].row if self.stack else None
        place = _user_place()
        opens = row is None and _is_layer(module)
        if opens:
            row = Row(module=module, path=path, source=_line_of(place))
            row.inputs = tuple(tensors_in((args, kwargs)))
            row.input_shapes = tuple(map(shape_of, row.inputs))
        self.stack.append(TracedFrame(module, path, args, kwargs, row, opens, place))
        self.trace.entered.add(path)

    def leave(self, module: nn.Module, output: object) -> None:
        frame = self.stack.pop()
        self._last[frame.path] = frame.last
        error = sys.exception()
        if error is not None and (self.broken is None or self.broken[1] is not error):
            self.broken = (frame, error)
        if error is not None and frame.opens and frame.row is not None:
            self.trace.unfinished += frame.row.calls
        # A forward that raised has no output, and its row is not part of the table.
        if frame.opens and output is not None and frame.row is not None and frame.row.calls:
            frame.row.output_shapes = tuple(map(shape_of, tensors_in(output)))
            self.trace.rows.append(frame.row)


def _is_layer(module: nn.Module) -> bool:
    home = getattr(type(module).forward, "__module__", "")
    return home.startswith("torch.nn.") and home not in _CONTAINERS


def _user_place() -> CallPlace | None:
    """The expression that is running in the innermost frame that is neither torch's nor ours."""
    frame: FrameType | None = sys._getframe(2)
    while frame is not None and frame.f_code.co_filename.startswith(_HERE):
        frame = frame.f_back
    while frame is not None and not frame.f_code.co_filename.startswith(_HERE):
        if is_users(frame.f_code.co_filename):
            return CallPlace(frame.f_code, frame.f_lasti, frame.f_lineno)
        frame = frame.f_back
    return None


def _line_of(place: CallPlace | None) -> tuple[str, int] | None:
    return (place.code.co_filename, place.line) if place else None


def is_users(filename: str) -> bool:
    """Whether a line of code is neither torch's nor ours."""
    return not filename.startswith((_TORCH, _HERE, "<"))
