"""Changes of what a net is given: its inputs, how many they are, and their sizes."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch
from torch import Tensor, nn

from viewfinder.explain.edits import Edit, EditError, InsertedCall
from viewfinder.explain.passed import Args

if TYPE_CHECKING:
    from viewfinder.explain.recording import Recorder


@dataclass(frozen=True)
class Given(Edit):
    """An operation on one input, before the net."""

    operation: InsertedCall
    position: int = 0
    repeats: int = 1
    """For an input without a batch: how many of its kind then make the batch that is tried."""


@dataclass(frozen=True)
class Resized(Edit):
    """Inputs of other sizes: a function of each input's tensor gives the one to take."""

    words: str
    resize: Callable[[int, Tensor], Tensor]


@dataclass(frozen=True)
class Fewer(Edit):
    """The net called with its first `count` inputs alone."""

    count: int


@dataclass(frozen=True)
class More(Edit):
    """A net, or a module of it, called with `count` inputs, those that lack being like the last."""

    count: int
    path: str = ""

    def watch(self, net: nn.Module, recorder: "Recorder") -> None:
        def give(module: nn.Module, args: Args) -> Args:
            return (*args, *args[-1:] * (self.count - len(args)))

        if self.path:
            net.get_submodule(self.path).register_forward_pre_hook(give, prepend=True)


def apply_to_inputs(edits: Sequence[Edit], given: Args) -> Args:
    """The inputs after those edits that are made on inputs."""
    for edit in edits:
        if isinstance(edit, Given):
            try:
                new = edit.operation.run(given[edit.position])
            except (ValueError, RuntimeError, IndexError) as error:
                raise EditError(str(error)) from error
            if edit.repeats > 1:
                new = torch.cat([new] * edit.repeats)
            given = (*given[: edit.position], new, *given[edit.position + 1 :])
        elif isinstance(edit, Fewer):
            given = given[: edit.count]
        elif isinstance(edit, More) and not edit.path:
            given = (*given, *given[-1:] * (edit.count - len(given)))
        elif isinstance(edit, Resized):
            given = tuple(
                edit.resize(at, value) if isinstance(value, Tensor) else value
                for at, value in enumerate(given)
            )
    return given
