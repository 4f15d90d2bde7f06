"""Changes of a net that are tried out: on a copy of it, at a call of it, or on what it is given.

Each is written as a person would write it (`code`) and carried out as torch would run it, and both
are made together, by `operations.py` and `modules.py`, so that what is offered is what was tried.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import takewhile
from types import CodeType
from typing import TYPE_CHECKING, Any, Literal

import torch
from torch import Tensor, nn

from viewfinder.explain.passed import Args, Kwargs

if TYPE_CHECKING:
    from viewfinder.explain.recording import Recorder


@dataclass(frozen=True)
class InsertedCall:
    """One expression on one value: `code` has `{}` where the value's name goes."""

    code: str
    run: Callable[..., Any]
    layer: str = ""
    """The same as a layer of a Sequential, `nn.Flatten()`, where there is one."""
    other: int | None = None
    """Of what a layer is given: the argument that `code` calls `{1}` and `run` takes too."""
    drops: int | None = None
    """A dimension of which one place, or the mean, is taken."""
    home: CodeType | None = None
    """The user's function whose variables `code` names too."""


class EditError(Exception):
    """A change that cannot even be made: a layer of impossible sizes, say."""


@dataclass(frozen=True)
class Offer:
    """A fix that was tried, with those of the mistakes behind it."""

    edits: tuple["Edit", ...]
    says: tuple[str, ...]
    """What to change, a part for each mistake on the way."""
    whole: bool
    """The whole net then runs, with both batches."""
    text: str
    """All of it in a line: what to change, and how far the net then gets."""
    cost: float = 0.0
    means: str = ""
    """What is then otherwise than it was most likely meant, as `text` says too."""


@dataclass(frozen=True)
class Edit:
    """A change; the bare class changes nothing."""

    def prepare(self, net: nn.Module) -> None:
        """Change the copy before the pass."""

    def watch(self, net: nn.Module, recorder: "Recorder") -> None:
        """Add what changes values during the pass."""


@dataclass(frozen=True)
class Replace(Edit):
    """Another module, or parameter, in the place of the one at `path`."""

    path: str
    code: str
    make: Callable[[], nn.Module | Tensor]

    def prepare(self, net: nn.Module) -> None:
        parent, _, name = self.path.rpartition(".")
        home = net.get_submodule(parent)
        try:
            with torch.device(self._place(net)):
                new = self.make()
        except (ValueError, RuntimeError, TypeError, AssertionError) as error:
            raise EditError(str(error)) from error
        if isinstance(new, nn.Module):
            old = net.get_submodule(self.path) if self.path else net
            kinds = {p.dtype for p in old.parameters() if p.is_floating_point()}
            new.train(old.training)
            if len(kinds) == 1 and kinds != {torch.get_default_dtype()}:
                new.to(kinds.pop())
            setattr(home, name, new)
        elif name in home._buffers:
            home._buffers[name] = new
        else:
            setattr(home, name, new)

    def _place(self, net: nn.Module) -> torch.device:
        """Where the old one lies, or else the net."""
        named = dict(net.named_parameters()) | dict(net.named_buffers())
        own = [t for name, t in named.items() if f"{name}.".startswith(f"{self.path}.")]
        return next((t.device for t in (*own, *named.values())), torch.device("cpu"))


@dataclass(frozen=True)
class Reordered(Edit):
    """The layers of a list, or of a Sequential, in another order: the numbers that they had."""

    path: str
    order: tuple[int, ...]

    def prepare(self, net: nn.Module) -> None:
        layers = net.get_submodule(self.path)
        assert isinstance(layers, nn.Sequential | nn.ModuleList)
        own = list(layers)
        for at, number in enumerate(self.order):
            layers[at] = own[number]


@dataclass(frozen=True)
class InLine(Edit):
    """The layers of a list as a Sequential, which can be called."""

    path: str

    def prepare(self, net: nn.Module) -> None:
        parent, _, name = self.path.rpartition(".")
        layers = net.get_submodule(self.path)
        setattr(net.get_submodule(parent), name, nn.Sequential(*layers.children()))


@dataclass(frozen=True)
class Around(Edit):
    """An operation on what the module at `path` is given, or gives."""

    path: str
    operation: InsertedCall
    side: Literal["before", "after"] = "before"
    argument: int | str = 0
    """Which argument of the module's call, by position or name; None of it leaves it out."""

    def watch(self, net: nn.Module, recorder: "Recorder") -> None:
        module = net.get_submodule(self.path)
        if self.side == "after":
            module.register_forward_hook(self._after(recorder))
        else:
            module.register_forward_pre_hook(self._before(recorder), with_kwargs=True, prepend=True)

    def _before(self, recorder: "Recorder") -> Callable[..., object]:
        def change(module: nn.Module, args: Args, kwargs: Kwargs) -> object:
            return changed(self.operation, self.argument, args, kwargs, recorder)

        return change

    def _after(self, recorder: "Recorder") -> Callable[..., object]:
        def change(module: nn.Module, args: object, output: object) -> object:
            with torch._C.DisableTorchFunction():
                new = self.operation.run(output)
            recorder.follow(new, output)
            return new

        return change


def changed(
    operation: InsertedCall,
    argument: int | str,
    args: Args,
    kwargs: Kwargs,
    recorder: "Recorder | None" = None,
) -> tuple[Args, dict[str, object]]:
    """The arguments of a call with one of them operated on, or left out where that gives None."""
    kwargs = dict(kwargs)
    named = isinstance(argument, str)
    if (named and argument not in kwargs) or (not named and int(argument) >= len(args)):
        return args, kwargs
    old = kwargs[argument] if isinstance(argument, str) else args[argument]
    others = () if operation.other is None else args[operation.other : operation.other + 1]
    with torch._C.DisableTorchFunction():
        new = operation.run(old, *others)
    if recorder is not None:
        recorder.follow(new, old)
    if isinstance(argument, str):
        kwargs[argument] = new
        if new is None:
            del kwargs[argument]
    elif new is None and argument == len(args) - 1:
        args = args[:argument]
    else:
        args = (*args[:argument], new, *args[argument + 1 :])
    return args, kwargs


@dataclass(frozen=True)
class Rewrite(Edit):
    """Another expression at one place of the user's code, wherever the net runs it."""

    place: tuple[CodeType, int]
    call: str
    """The operation that is called there."""
    code: str
    """The new expression, with `{0}`, `{1}` … for the tensors of the call, in order, and `args` for
    what else it was given."""
    run: Callable[[Callable[..., object], Args, Kwargs], object]
    """Of torch's function and its arguments: what the new expression gives."""
    operand: int | None = None
    """Which tensor of the call `code` stands for; None where it stands for the whole call."""
    of_variables: bool = False
    """It reads variables of the user's function, and means nothing where that is not running."""

    @property
    def key(self) -> tuple[CodeType, int, str]:
        return (*self.place, self.call)


@dataclass(frozen=True)
class Regiven(Edit):
    """Other arguments for the module at `path`: what `make` makes of those that it was given."""

    path: str
    make: Callable[[Args, Kwargs], tuple[Args, dict[str, object]]]

    def watch(self, net: nn.Module, recorder: "Recorder") -> None:
        module = net.get_submodule(self.path)
        module.register_forward_pre_hook(self.give, with_kwargs=True, prepend=True)

    def give(
        self, module: nn.Module, args: Args, kwargs: dict[str, object]
    ) -> tuple[Args, dict[str, object]]:
        """The arguments of a call as they should be."""
        return self.make(args, kwargs)


def renamed(path: str, old: str, new: str, order: Sequence[str]) -> Regiven:
    """What the module at `path` is given as `old`, given as `new`.

    Args:
        order: what its forward calls its arguments.
    """

    def make(args: Args, kwargs: Kwargs) -> tuple[Args, dict[str, object]]:
        given = dict(zip(order, args, strict=False)) | dict(kwargs)
        given[new] = given.pop(old, None)
        # By place as far as that was so; from what is exchanged on, by name.
        first = takewhile(lambda name: name in given and name not in (old, new), order)
        return tuple(given.pop(name) for name in list(first)), given

    return Regiven(path, make)


@dataclass(frozen=True)
class Returned(Edit):
    """`return x` at the end of the forward of the module at `path`, which forgot it."""

    path: str

    def watch(self, net: nn.Module, recorder: "Recorder") -> None:
        def give(module: nn.Module, args: object, output: object) -> object:
            last = recorder.latest(self.path)
            return last.outputs[0] if output is None and last is not None else output

        net.get_submodule(self.path).register_forward_hook(give)


@dataclass(frozen=True)
class Numbered(Edit):
    """Another number in an attribute of the module at `path`, such as its heads or its groups."""

    path: str
    name: str
    value: int

    def prepare(self, net: nn.Module) -> None:
        setattr(net.get_submodule(self.path), self.name, self.value)


@dataclass(frozen=True)
class Named(Edit):
    """What all modules of a class, that at `path` among them, have as `name` and call `wrong`."""

    path: str
    wrong: str
    name: str

    def prepare(self, net: nn.Module) -> None:
        kind = type(net.get_submodule(self.path))
        for home in (one for one in net.modules() if type(one) is kind):
            # Beside torch's registers, so that a layer keeps its one name.
            object.__setattr__(home, self.wrong, getattr(home, self.name))


@dataclass(frozen=True)
class Mode(Edit):
    """Training or evaluation."""

    training: bool

    def prepare(self, net: nn.Module) -> None:
        net.train(self.training)


@dataclass(frozen=True)
class Converted(Edit):
    """The whole net in another number type."""

    dtype: torch.dtype

    def prepare(self, net: nn.Module) -> None:
        net.to(self.dtype)
