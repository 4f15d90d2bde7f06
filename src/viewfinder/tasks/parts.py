"""What a task works with: examples, batches, answers and scores, as the rest of the house asks
for them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar, Generic, Protocol, TypeVar, runtime_checkable

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from viewfinder.datasets.dataset import Dataset
from viewfinder.tasks.model import ModelConfig
from viewfinder.tasks.recipe import Recipe

RecipeT = TypeVar("RecipeT", bound=Recipe)


@dataclass(frozen=True)
class TrainSetup(Generic[RecipeT]):
    """What a training asks for at every step: its recipe, and how its net is asked."""

    recipe: RecipeT
    config: ModelConfig


class Examples(Protocol):
    """One split of a dataset, decoded or ready to be.

    Attributes:
        waits: whether taking from it waits for a disk or a decoder, so that a thread should do it
            ahead of time. Where nothing waits, a thread only takes a core from the arithmetic.
        truth: what is known of its pictures, numbered by the run's classes.
    """

    @property
    def truth(self) -> Dataset: ...

    @property
    def waits(self) -> bool: ...

    def __len__(self) -> int: ...


class TaskBatch(Protocol):
    """A process's part of one step: pictures, truth, and changes still to be made to them."""

    def __len__(self) -> int:
        """How many pictures there are."""
        ...

    def to(self, device: torch.device) -> "TaskBatch":
        """The same on another device."""
        ...


TrainT = TypeVar("TrainT", bound=Examples)
EvalT = TypeVar("EvalT", bound=Examples)
BatchT = TypeVar("BatchT", bound=TaskBatch)
ReplyT = TypeVar("ReplyT")
FoundT = TypeVar("FoundT", bound="Described")
AnswersT = TypeVar("AnswersT")
ScoresT = TypeVar("ScoresT", bound="TaskScores")


def as_pictures(values: Tensor) -> list[NDArray[np.uint8]]:
    """N pictures H×W×3 of N×1×H×W or N×3×H×W values in [0, 1]."""
    levels = (255 * values.detach().float().clamp(0, 1)).round().to(torch.uint8).cpu()
    shown = levels.expand(-1, 3, -1, -1).permute(0, 2, 3, 1).contiguous()
    return list(shown.numpy())


class Described(Protocol):
    """An answer in the pixels of the picture that it is about.

    Attributes:
        captioned: whether `drawn_on` writes the caption below the picture.
    """

    captioned: ClassVar[bool]

    def as_json(self, classes: Sequence[str]) -> Mapping[str, object]:
        """The answer under its public names."""
        ...

    def drawn_on(self, picture: NDArray[np.uint8], classes: Sequence[str]) -> NDArray[np.uint8]:
        """A copy of its picture, H×W×3, with the answer on it, or below it."""
        ...

    def caption(self, classes: Sequence[str]) -> str:
        """The answer in a few words, below its picture."""
        ...

    def line(self, classes: Sequence[str], *, top: int) -> str:
        """The answer in a few words, behind its picture's name; `top` classes of several."""
        ...


@runtime_checkable
class Doubtable(Described, Protocol):
    """An answer that can say that it does not know a class."""

    def unknown_below(self, least: float, number: int) -> "Doubtable":
        """The same answer, but that what scores less than `least` is of no known class.

        Args:
            number: of what is unknown, where that has the number of a class.
        """
        ...


class TaskScores(Protocol):
    """How well a run's answers meet the truth."""

    def figures(self) -> dict[str, float]:
        """A few numbers for the history's row of an epoch."""
        ...

    def as_json(self, classes: tuple[str, ...]) -> Mapping[str, object]:
        """The scores under their public names: numbers, texts, and lists and tables of these.

        `per_class`, where there is one, has a table of figures for each class: `{"cat": {"recall":
        0.9}}`. The report shows it so, and `ablate` finds `test.per_class.cat.recall` in it.
        """
        ...
