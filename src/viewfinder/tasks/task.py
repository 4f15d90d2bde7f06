"""What a task is: everything that tells classifying from detecting from finding the subject.

The training loop, `evaluate`, `predict` and the reports are written once, for any task. A new task
is a folder with a class that answers the questions below, and one line in `tasks/__init__.py`.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, ClassVar, Protocol

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from viewfinder.datasets.dataset import Dataset
from viewfinder.datasets.framing import USUAL, Framing
from viewfinder.errors import InputError
from viewfinder.nets.checkpoints import LoadReport
from viewfinder.pictures.geometry import Size
from viewfinder.tasks.normalisation import Normalisation
from viewfinder.tasks.recipe import Recipe

Forward = Callable[[Tensor], Any]
"""N×3×H×W float32 pictures in [0, 1] to the net's outputs, in the arithmetic of the training."""


@dataclass(frozen=True)
class Setting:
    """What stays the same from a run's first step to its last prediction.

    Attributes:
        size: width and height of what the net is given.
        options: what the net was created with, beside its classes.
        framing: how a detector's net is given pictures.
        data: what a run says of the set that it was trained on; empty before there is a run.
        bits: how many the values of 16-bit pictures fill, as the run has them.
    """

    recipe: Any
    classes: tuple[str, ...]
    size: Size
    normalisation: Normalisation
    options: Mapping[str, Any]
    framing: Framing = USUAL
    data: Mapping[str, Any] = field(default_factory=dict)
    bits: int = 16


Threshold = float | tuple[float, ...]
"""What a score must exceed to be shown: the same for all classes, or each class's own."""


class Examples(Protocol):
    """One side of a dataset, decoded or ready to be.

    Attributes:
        waits: whether taking from it waits for a disk or a decoder, so that a thread should do it
            ahead of time. Where nothing waits, a thread only takes a core from the arithmetic.
        truth: what is known of its pictures, numbered by the run's classes.
    """

    truth: Dataset

    @property
    def waits(self) -> bool: ...

    def __len__(self) -> int: ...


class Inputs(Protocol):
    """A process's part of one step: pictures, truth, and changes still to be made to them."""

    def __len__(self) -> int:
        """How many pictures there are."""
        ...

    def to(self, device: torch.device) -> "Inputs":
        """The same on another device."""
        ...


Add = Callable[[Tensor], Tensor]
"""Adds numbers up over the processes that share a step; no gradient passes."""


def as_pictures(values: Tensor) -> list[NDArray[np.uint8]]:
    """N pictures H×W×3 of N×1×H×W or N×3×H×W values in [0, 1]."""
    levels = (255 * values.detach().float().clamp(0, 1)).round().to(torch.uint8).cpu()
    shown = levels.expand(-1, 3, -1, -1).permute(0, 2, 3, 1).contiguous()
    return list(shown.numpy())


def alone(numbers: Tensor) -> Tensor:
    """`Add` where no other process shares the step."""
    return numbers


class Loss(Protocol):
    """What a step is to lessen."""

    def __call__(self, forward: Forward, inputs: Any, add: Add = alone) -> dict[str, Tensor]:
        """This process's part of each term of the loss of a step.

        A term is a mean over all of the step's pictures, or all of its objects: what the parts of
        all processes add up to is the term, and what their gradients add up to is its gradient. So
        a part is a sum over this process's `inputs`, divided by what `add` gives for their number.

        The sum of the terms, but for those whose name starts with `_`, is minimised; all are told
        in the history.
        """
        ...


def share_of_step(count: int, device: torch.device, add: Add) -> Tensor:
    """The share of a step's pictures that `count` are, which this process has: 1 if it is alone."""
    own = torch.tensor(float(count), device=device)
    return own / add(own)


def total(terms: Mapping[str, Tensor]) -> Tensor:
    """What is minimised of a loss: the sum of its terms, but for those that are only told."""
    return torch.stack([v for name, v in terms.items() if not name.startswith("_")]).sum()


class Described(Protocol):
    """An answer in the pixels of the picture that it is about."""

    def as_json(self, classes: tuple[str, ...]) -> dict[str, Any]:
        """The answer under its public names."""
        ...


class Scores(Protocol):
    """How well a run's answers meet the truth."""

    def figures(self) -> dict[str, float]:
        """A few numbers for the history's row of an epoch."""
        ...

    def as_json(self, classes: tuple[str, ...]) -> dict[str, Any]:
        """The scores under their public names."""
        ...


class Task(Protocol):
    """Everything that is particular to one task.

    Attributes:
        name: as it is given on the command line.
        recipe: the class of its recipes.
        best: the figure by which the best weights are known; higher is better.
        measured: how many pictures may be measured for each that is trained on; where val is too
            large for that, not every epoch is measured.
        headline: the figures of `as_json` to tell first, as `(name, format)`.
        fewest_classes: that there must be for there to be something to learn.
    """

    name: ClassVar[str]
    recipe: ClassVar[type[Recipe]]
    best: ClassVar[str]
    measured: ClassVar[float]
    headline: ClassVar[tuple[tuple[str, str], ...]]
    fewest_classes: ClassVar[int]

    # Learning.

    def require(self, dataset: Dataset) -> None:
        """Refuse a set that says nothing of what this task learns; raises InputError."""
        ...

    def size(self, recipe: Any, dataset: Dataset) -> Size:
        """Width and height of what the net will be given."""
        ...

    def smallest(self, recipe: Any, size: Size) -> Size:
        """The least of the sizes that a training at `size` shows pictures in."""
        ...

    def net_options(self, recipe: Any, dataset: Dataset, size: Size) -> dict[str, Any]:
        """What the net is created with beside its classes: the recipe's options, and the set's."""
        ...

    def colours(self, recipe: Any, train: Any) -> Normalisation:
        """What the net's first layer expects of the pictures in `train`, when it starts anew."""
        ...

    def read_foreign(
        self, file: Path, net: nn.Module
    ) -> tuple[dict[str, Tensor], tuple[str, ...]] | None:
        """The weights in a file of a format that only this task knows, and their classes' names.

        None of any other file.
        """
        ...

    def load(
        self,
        net: nn.Module,
        state: Mapping[str, Tensor],
        names: Sequence[str],
        classes: Sequence[str],
    ) -> LoadReport:
        """Load what fits of weights for the classes `names`; empty where these are not known."""
        ...

    def open(self, side: Dataset, setting: Setting, *, learn: bool) -> Any:
        """Examples to learn from, or to be measured on."""
        ...

    def order(self, examples: Any, recipe: Any, generator: torch.Generator) -> Tensor:
        """The numbers of the pictures that an epoch shows, in the order in which it shows them."""
        ...

    def draw(
        self,
        examples: Any,
        numbers: Tensor,
        rows: slice,
        setting: Setting,
        *,
        seed: int,
        done: float,
    ) -> Inputs:
        """The rows of a step that shows pictures `numbers`, changed as `seed` says.

        A function of its arguments alone: it reads no clock and nothing that changes.

        Args:
            done: share of the training that is done, for what changes in its course.
        """
        ...

    def make_loss(self, net: nn.Module, setting: Setting, device: torch.device) -> Loss:
        """The loss of a training, with whatever else it needs on the device."""
        ...

    # Answering.

    def answers(self, net: nn.Module, examples: Any, setting: Setting, device: torch.device) -> Any:
        """What a net answers to every picture of a side, in its order."""
        ...

    def score(self, answers: Any, truth: Dataset) -> Any:
        """Answers against truth."""
        ...

    def tolerance(self, best: float, pictures: int) -> float:
        """How far below the best a score may lie and still be as good, for all that is known."""
        ...

    def files(self, folder: Path, setting: Setting) -> list[Path]:
        """The files below a folder that this net can be asked about, in a fixed order."""
        ...

    def read(self, file: Path, setting: Setting) -> tuple[NDArray[Any], Size]:
        """A file's picture for `prepare`, perhaps decoded smaller, and the picture's true size.

        Raises:
            InputError: it cannot be read, or is nothing that this net answers.
        """
        ...

    def prepare(self, picture: NDArray[Any], setting: Setting, *, of: Size) -> NDArray[Any]:
        """A picture as the net is given it, H×W×3 uint8, or float32 in [0, 1]; H×W×1 of depth.

        Args:
            picture: may have been decoded smaller than its true size `of`.
        """
        ...

    def as_learnt(
        self, inputs: Any, setting: Setting, most: int
    ) -> list[tuple[NDArray[np.uint8], str]]:
        """The first pictures of a step as the net is given them, with what it is to learn of each
        drawn on it, and said."""
        ...

    def reply(
        self, net: nn.Module, pictures: Tensor, setting: Setting, device: torch.device
    ) -> list[Any]:
        """An answer for each of N×3×H×W prepared pictures, on its prepared self."""
        ...

    def describe(
        self, answer: Any, setting: Setting, *, of: Size, threshold: Threshold | None
    ) -> Described:
        """An answer in the pixels of the picture it is about.

        Args:
            of: the picture's true size.
            threshold: what a score must exceed to be shown; None is the task's own choice.
        """
        ...

    def portable(
        self, net: nn.Module, setting: Setting, *, raw: bool
    ) -> tuple[nn.Module, tuple[str, ...]]:
        """What an export holds: a module from normalised pictures to tensors, and their names.

        Args:
            raw: give the net's own outputs instead of what they mean.
        """
        ...


def require_classes(task: Task, classes: Sequence[str]) -> None:
    """See that there are as many classes as a task needs.

    Raises:
        InputError: there are fewer.
    """
    if len(classes) < task.fewest_classes:
        raise InputError(
            f"there must be {task.fewest_classes} classes or more to {task.name}, and there are "
            f"{len(classes)}"
        )
