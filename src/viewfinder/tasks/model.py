"""A net that answers, and how it is asked: what a run, a `.weights` file and an ONNX file give.

A `Model` reads its weights when it is first loaded. It can be pickled and sent to other processes,
which read them themselves.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Protocol

import torch
from torch import Tensor, nn

from viewfinder.datasets.framing import USUAL, Framing
from viewfinder.errors import InputError
from viewfinder.pictures.geometry import Size
from viewfinder.tasks.normalisation import Normalisation

Threshold = float | tuple[float, ...]
"""What a score must exceed to be shown: the same for all classes, or each class's own."""


@dataclass(frozen=True)
class ModelConfig:
    """How a net is asked: all that answering needs beside its weights.

    Attributes:
        task: by name.
        size: width and height of what the net is given.
        options: what the net was created with, beside its classes.
        framing: how a picture becomes of that size.
        bits: how many the values of 16-bit pictures fill.
        habits: what its task alone asks for, as `Task.habits` gives it.
        least_score: what is answered scores more than this, whatever is asked for.
    """

    task: str
    net: str
    classes: tuple[str, ...]
    size: Size
    normalisation: Normalisation
    options: Mapping[str, object] = field(default_factory=dict)
    framing: Framing = USUAL
    bits: int = 16
    habits: Mapping[str, object] = field(default_factory=dict)
    least_score: float = 0.0


class Weights(Protocol):
    """Where a model's net comes from; it can be pickled.

    Attributes:
        file: what holds the weights, as messages name it.
    """

    @property
    def file(self) -> Path: ...

    def load(self, config: ModelConfig) -> nn.Module:
        """The net in evaluation mode; raises InputError where it cannot be had."""
        ...


@dataclass(frozen=True)
class Model:
    """A net that answers, and how it is asked.

    Attributes:
        source: what it was opened by: a run's folder, another program's file, or a word.
    """

    source: Path
    weights: Weights
    config: ModelConfig

    def load(self) -> nn.Module:
        """The net with its weights, in evaluation mode.

        Raises:
            InputError: no weights yet, or weights that are not this net's.
        """
        return self.weights.load(self.config)

    def load_on(self, device: torch.device) -> nn.Module:
        """The net on a device, which says so where it answers with what is no number.

        Raises:
            InputError: as `load`, and then whenever the net is given pictures.
        """
        net = self.load().to(device)

        def look(_: nn.Module, __: object, answer: object) -> None:
            if not all(bool(torch.isfinite(tensor).all()) for tensor in _tensors(answer)):
                raise InputError(
                    f"the net of {self.source} answers with what is no number: "
                    f"{self.weights.file} is damaged, or its training went astray"
                )

        net.register_forward_hook(look)
        return net


def with_habit(model: Model, name: str, habit: object) -> Model:
    """The same model with another habit."""
    habits = {**model.config.habits, name: habit}
    return replace(model, config=replace(model.config, habits=habits))


def without_habit(model: Model, name: str) -> Model:
    """The same model without one of its habits; itself where it has none of that name."""
    if name not in model.config.habits:
        return model
    habits = {key: value for key, value in model.config.habits.items() if key != name}
    return replace(model, config=replace(model.config, habits=habits))


def _tensors(answer: object) -> Iterator[Tensor]:
    """The tensors of what a net answers: one, or several in some nest."""
    if isinstance(answer, Tensor):
        yield answer
    elif isinstance(answer, (list, tuple, dict)):
        for part in answer.values() if isinstance(answer, dict) else answer:
            yield from _tensors(part)
