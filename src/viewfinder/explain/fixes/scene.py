"""What a search for fixes looks at: the failed call, its dimensions' names, and ways to edit."""

import ast
import inspect
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from torch import Tensor, nn

from viewfinder.explain.calls import Call, tensors_in
from viewfinder.explain.diagnosis.case import Case, path_as_code
from viewfinder.explain.edits import Around, Edit, InsertedCall, Replace, Rewrite
from viewfinder.explain.explanation import Shape
from viewfinder.explain.fixes.candidate import Candidate, dropped, reduced
from viewfinder.explain.fixes.lab import Lab
from viewfinder.explain.fixes.modules import written
from viewfinder.explain.fixes.names import Names
from viewfinder.explain.fixes.operations import LEFT_OUT
from viewfinder.explain.input_edits import Given
from viewfinder.explain.passed import Args, Kwargs
from viewfinder.explain.sources import argument_text, expression, module_call, with_argument
from viewfinder.explain.traces import ancestors, is_input

Tensors = Sequence[Tensor]


@dataclass(frozen=True)
class Scene:
    """A mistake, with what is known of it."""

    case: Case
    names: Names
    lab: Lab
    edits: tuple[Edit, ...] = ()
    """Fixes of earlier mistakes, which are in force."""

    @property
    def call(self) -> Call | None:
        return self.case.call

    @property
    def net(self) -> nn.Module:
        return self.case.failure.trace.module

    @property
    def shapes(self) -> tuple[Shape, ...]:
        return self.case.shapes

    @property
    def layer(self) -> nn.Module | None:
        """The layer of torch.nn that failed, if one did."""
        return self.case.module if self.case.in_layer else None

    @property
    def path(self) -> str:
        return self.case.failure.frame.path

    def called(self, position: int) -> tuple[str, ...]:
        """The names of an operand's dimensions."""
        return self.names.operand(self.call, position) if self.call else ()

    def given_names(self, position: int = 0) -> tuple[str, ...]:
        """The names of the dimensions of what the failed layer was given."""
        tensors = self.given
        if self.call is None or position >= len(tensors):
            return ("?",) * (tensors[position].dim() if position < len(tensors) else 0)
        for at, tensor in enumerate(self.call.tensors):
            if tensor is tensors[position]:
                return self.called(at)
        return ("?",) * tensors[position].dim()

    @property
    def given(self) -> tuple[Tensor, ...]:
        """The tensors that the failed module was given."""
        frame = self.case.failure.frame
        return tuple(tensors_in((frame.args, dict(frame.kwargs))))

    def parent(self, path: str) -> nn.Module:
        return self.net.get_submodule(path.rpartition(".")[0])

    # Ways to edit.

    def replace(self, path: str, cost: float, **changes: object) -> list[Candidate]:
        """The layer at `path` with other arguments."""
        # A net that is one layer has no place of its own to put another in.
        built = written(self.net.get_submodule(path), **changes) if path else None
        return [self.put(path, *built, cost)] if built else []

    def put(
        self, path: str, code: str, make: Callable[[], nn.Module | Tensor], cost: float
    ) -> Candidate:
        """Another layer, or parameter, at `path`."""
        return Candidate((Replace(path, code, make),), f"{path_as_code(path)} = {code}", cost)

    def before(
        self,
        operation: InsertedCall,
        cost: float,
        path: str | None = None,
        argument: int | str = 0,
        *,
        only_here: bool = False,
    ) -> Candidate:
        """An operation on what a module is given."""
        path = self.path if path is None else path
        edit = Around(path, operation, "before", argument)
        means = self._lost(operation, argument) if path == self.path else ""
        return Candidate((edit,), self._said_before(edit), cost, only_here, means)

    def _lost(self, operation: InsertedCall, argument: int | str) -> str:
        """What an operation on what the failed module is given leaves out."""
        frame = self.case.failure.frame
        if isinstance(argument, str):
            value = frame.kwargs.get(argument)
        else:
            value = frame.args[argument] if argument < len(frame.args) else None
        if operation is LEFT_OUT:
            return self.ignored(value)
        tensors = list(tensors_in(value))
        position = next((n for n, t in enumerate(self.given) if tensors and t is tensors[0]), None)
        return reduced(operation, () if position is None else self.given_names(position))

    def ignored(self, value: object) -> str:
        """That a value is left out, where it comes from an input or out of a layer."""
        makers = {id(t): call for call in self.case.failure.trace.calls for t in call.outputs}
        for tensor in tensors_in(value):
            made = makers.get(id(tensor))
            before = list(ancestors(made)) if made is not None else []
            # Zeros, as a first state is made of them, tell a layer nothing.
            zeros = any("zeros" in call.base for call in before)
            if not zeros or any(is_input(p) for call in before for p in call.producers):
                return "what is given there is then ignored"
        return ""

    def after(self, operation: InsertedCall, cost: float, path: str) -> Candidate:
        """An operation on what the module at `path` gives."""
        name = path_as_code(path)
        edit = Around(path, operation, "after")
        if operation.layer and path and isinstance(self.parent(path), nn.Sequential):
            return Candidate((edit,), f"{operation.layer} behind {name}", cost)
        words = operation.code.replace("{0}", "{}").format(f"{name}(…)")
        return Candidate((edit,), f"{words} instead of {name}(…)", cost)

    def _said_before(self, edit: Around) -> str:
        name, code = path_as_code(edit.path), edit.operation.code
        name = name or "the net"
        sequential = isinstance(self.parent(edit.path), nn.Sequential) and edit.path
        if edit.operation.layer and sequential:
            return f"{edit.operation.layer} before {name}"
        call = module_call(self.case.failure.frame.place) if edit.path == self.path else None
        text = None if sequential else argument_text(call, edit.argument)
        if edit.operation is LEFT_OUT:
            if call is not None and isinstance(edit.argument, int):
                short = with_argument(call, edit.argument, None)
                return f"{short} instead of {ast.unparse(call)}"
            return f"leave {text or edit.argument} out of the call of {name}"
        second = edit.operation.other
        if text is None and not sequential and (edit.argument or second is not None):
            text = self._parameter(edit.path, edit.argument)
        value = code.replace("{0}", "{}").replace("{}", text or "x")
        if second is not None:
            named = argument_text(call, second) or self._parameter(edit.path, second)
            value = value.replace("{1}", named or "y")
        if isinstance(edit.argument, str):
            return f"{edit.argument}={value} in the call of {name}"
        if text is None or text.isidentifier() or call is None:
            return f"{text or 'x'} = {value} before {name}"
        return f"{with_argument(call, edit.argument, value)} instead of {ast.unparse(call)}"

    def _parameter(self, path: str, position: int | str) -> str | None:
        """What the forward of a module calls an argument: input, target."""
        if isinstance(position, str):
            return position
        names = list(inspect.signature(self.net.get_submodule(path).forward).parameters)
        return names[position] if position < len(names) else None

    def on_operand(
        self,
        position: int,
        code: str,
        run: Callable[[Tensors], object],
        cost: float,
        operation: InsertedCall | None = None,
        at: Call | None = None,
    ) -> list[Candidate]:
        """Another value in an operand's place; `code` names the operands `{0}`, `{1}` …

        Args:
            at: an earlier call of the user's own; the one that failed if None.
        """
        call = at or self.call
        if call is None or call.place is None or (at is None and self.case.in_layer):
            return []

        def carry_out(function: Callable[..., object], args: Args, kwargs: Kwargs) -> object:
            tensors = list(tensors_in((args, dict(kwargs))))
            args, kwargs = substitute(args, kwargs, position, run(tensors))
            return function(*args, **kwargs)

        names = self.names.operand(call, position)
        if any(name.startswith("batch") for name in dropped(operation, names)):
            return []
        found = expression(call.place, call.args, call.tensors, call.kwargs)
        old = found.operands[position]
        new = code.format(*found.operands)
        edit = Rewrite(call.place[:2], call.operation, code, carry_out, position)
        means = reduced(operation, names)
        says = f"{new} instead of {old}"
        if found.text and len(found.text) < 60:
            says += f" in {' '.join(found.text.split())}"
        return [Candidate((edit,), says, cost, means=means)]

    def operate(self, position: int, operation: InsertedCall, cost: float) -> list[Candidate]:
        """An operation on an operand of the call, or on what the failed layer is given."""
        if self.case.in_layer:
            given = self.given
            if self.call is None:
                return [self.before(operation, cost)]
            tensor = self.call.tensors[position] if position < len(self.call.tensors) else None
            at = next((n for n, one in enumerate(given) if one is tensor), None)
            if at is None:
                return []
            return [self.before(operation, cost, argument=self.argument(given[at]))]
        code = operation.code.replace("{0}", "{}").replace("{}", f"{{{position}}}")
        run = operation.run
        return self.on_operand(position, code, lambda t: run(t[position]), cost, operation)

    def argument(self, tensor: Tensor) -> int | str:
        frame = self.case.failure.frame
        for at, value in enumerate(frame.args):
            if value is tensor:
                return at
        return next((key for key, value in frame.kwargs.items() if value is tensor), 0)

    def instead(
        self, call: Call, code: str, run: Callable[[Tensors], object], cost: float
    ) -> list[Candidate]:
        """Another expression for a whole call of the user's code."""
        if call.place is None:
            return []

        def carry_out(
            function: object, args: tuple[object, ...], kwargs: Mapping[str, object]
        ) -> object:
            return run(list(tensors_in((args, dict(kwargs)))))

        found = expression(call.place, call.args, call.tensors, call.kwargs)
        names = found.operands or ("x",)
        new = code.format(*names)
        old = " ".join(found.text.split()) or f"{call.operation}(…)"
        if found.augmented:
            new = f"{names[0]} = {new}"
        edit = Rewrite(call.place[:2], call.operation, code, carry_out)
        return [Candidate((edit,), f"{new} instead of {old}", cost)]

    def first(self, operation: InsertedCall, cost: float, position: int = 0) -> Candidate:
        """An operation on an input, before the net."""
        edit, names = Given(operation, position), self.lab.inputs.names
        name = names[position] if names else "x"
        code = operation.code.replace("{0}", "{}").replace("{}", name)
        if names and name.endswith("]") and ":" in name:
            return Candidate((edit,), f"{code} instead of {name}", cost)
        if names:
            return Candidate((edit,), f"{name} = {code} before this line", cost)
        several = len(self.lab.inputs.given) > 1
        which = f" of input {position + 1}" if several else ""
        return Candidate(
            (edit,), f"x = {code} before the net{which and f', {which.strip()}'}", cost
        )


def substitute(
    args: tuple[object, ...], kwargs: Mapping[str, object], position: int, new: object
) -> tuple[tuple[object, ...], dict[str, object]]:
    """The arguments with the tensor at `position`, as `tensors_in` counts, replaced."""
    count = -1

    def walk(value: object) -> object:
        nonlocal count
        if isinstance(value, Tensor):
            count += 1
            return new if count == position else value
        if isinstance(value, list | tuple) and type(value) in (list, tuple):
            return type(value)(walk(item) for item in value)
        return value

    return tuple(walk(value) for value in args), {key: walk(v) for key, v in kwargs.items()}
