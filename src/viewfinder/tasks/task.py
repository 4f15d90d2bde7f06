"""What a task is: everything that tells classifying from detecting from finding the subject.

The training loop, `evaluate`, `predict` and the reports are written once, for any task. A new task
is a folder with a class that answers the questions below, and one line in `tasks/__init__.py`.
"""

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, ClassVar, Generic

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from viewfinder.datasets import Keep
from viewfinder.datasets.dataset import Dataset
from viewfinder.datasets.framing import USUAL, Framing
from viewfinder.errors import InputError
from viewfinder.nets.checkpoints import LoadReport, load_matching
from viewfinder.pictures.geometry import Size
from viewfinder.tasks.answering import Picture, picture_files, picture_in
from viewfinder.tasks.loss import Loss
from viewfinder.tasks.model import Model, ModelConfig, Threshold
from viewfinder.tasks.normalisation import Normalisation
from viewfinder.tasks.parts import (
    AnswersT,
    BatchT,
    EvalT,
    FoundT,
    RecipeT,
    ReplyT,
    ScoresT,
    TrainSetup,
    TrainT,
)
from viewfinder.tasks.portable import Arrays, Outputs, Unmarked
from viewfinder.tasks.question import Question


class Task(ABC, Generic[RecipeT, TrainT, BatchT, EvalT, ReplyT, FoundT, AnswersT, ScoresT]):
    """Everything that is particular to one task.

    Of its types, `TrainT` and `EvalT` are examples to learn from and to be measured on, `BatchT` a
    step of a training, `ReplyT` what a net says of one prepared picture, `FoundT` the same in the
    picture's own pixels, `AnswersT` what it says of all pictures of a split, and `ScoresT` how good
    that is.

    Attributes:
        name: as it is given on the command line.
        recipe: the class of its recipes.
        best: the figure by which the best weights are known; higher is better. Ask `chosen_by`.
        compared: the figure by which recipes are compared, unless another is named.
        measured: how many pictures may be measured for each that is trained on; where val is too
            large for that, not every epoch is measured.
        headline: the figures of `as_json` to tell first, as `(name, format)`. Ask `told` where
            there is a recipe.
        fewest_classes: that there must be for there to be something to learn.
        any_size: whether its nets take pictures of any size.
        framing: how pictures are brought to a net that is trained here.
        portables: what an exported file may answer.
        unmarked: what an ONNX file of which nothing is stated is taken for, if for this task's.
    """

    name: ClassVar[str]
    recipe: type[RecipeT]
    best: ClassVar[str]
    compared: ClassVar[str]
    measured: ClassVar[float]
    headline: ClassVar[tuple[tuple[str, str], ...]]
    fewest_classes: ClassVar[int] = 1
    any_size: ClassVar[bool] = True
    framing: ClassVar[Framing] = USUAL
    portables: ClassVar[tuple[Outputs, ...]] = ("raw", "decoded")
    unmarked: ClassVar[Unmarked | None] = None

    # Learning.

    @abstractmethod
    def require(self, dataset: Dataset) -> None:
        """Refuse a set that says nothing of what this task learns; raises InputError."""

    @abstractmethod
    def size(self, recipe: RecipeT, dataset: Dataset) -> Size:
        """Width and height of what the net will be given."""

    def smallest(self, recipe: RecipeT, size: Size) -> Size:
        """The least of the sizes that a training at `size` shows pictures in."""
        return size

    def decided(self, recipe: RecipeT, dataset: Dataset) -> Mapping[str, Mapping[str, object]]:
        """What follows from the set itself of how it is learnt and answered, as `run.json` keeps it
        under `decided` of its data; told in a note."""
        return {}

    @abstractmethod
    def net_options(self, recipe: RecipeT, dataset: Dataset, size: Size) -> dict[str, object]:
        """What the net is created with beside its classes: the recipe's options, and the set's."""

    @abstractmethod
    def colours(self, recipe: RecipeT, train: TrainT) -> Normalisation:
        """What the net's first layer expects of the pictures in `train`, when it starts anew."""

    def habits(self, recipe: RecipeT, data: Mapping[str, object]) -> Mapping[str, object]:
        """What of a recipe, and of what a run says of its set, is needed to answer."""
        return {}

    def kept_habits(self, folder: Path, classes: Sequence[str]) -> Mapping[str, object]:
        """What `conclude` left in a run's folder that is needed to answer.

        Raises:
            InputError: it is damaged.
        """
        return {}

    def open_foreign(self, path: Path) -> Model | None:
        """The model that a path names in a way that only this task knows; None of any other path.

        Raises:
            InputError: it cannot be read, or nothing says what it is.
        """
        return None

    def read_foreign(
        self, file: Path, net: nn.Module
    ) -> tuple[dict[str, Tensor], tuple[str, ...]] | None:
        """The weights in a file of a format that only this task knows, and their classes' names.

        None of any other file.
        """
        return None

    def load(
        self,
        net: nn.Module,
        state: Mapping[str, Tensor],
        names: Sequence[str],
        classes: Sequence[str],
    ) -> LoadReport:
        """Load what fits of weights for the classes `names`; empty where these are not known."""
        return load_matching(net, state)

    @abstractmethod
    def open_train(self, split: Dataset, setup: TrainSetup[RecipeT]) -> TrainT:
        """Examples to learn from."""

    @abstractmethod
    def order(self, examples: TrainT, recipe: RecipeT, generator: torch.Generator) -> Tensor:
        """The numbers of the pictures that an epoch shows, in the order in which it shows them."""

    @abstractmethod
    def draw(
        self,
        examples: TrainT,
        numbers: Tensor,
        rows: slice,
        setup: TrainSetup[RecipeT],
        *,
        seed: int,
        done: float,
    ) -> BatchT:
        """The rows of a step that shows pictures `numbers`, changed as `seed` says.

        A function of its arguments alone: it reads no clock and nothing that changes.

        Args:
            done: share of the training that is done, for what changes in its course.
        """

    @abstractmethod
    def make_loss(
        self, net: nn.Module, setup: TrainSetup[RecipeT], device: torch.device
    ) -> Loss[BatchT]:
        """The loss of a training, with whatever else it needs on the device."""

    def begin(
        self, net: nn.Module, examples: TrainT, setup: TrainSetup[RecipeT], device: torch.device
    ) -> None:
        """Change the net's first weights, in place, by the pictures that it is to learn from."""
        return

    def settle(self, net: nn.Module, setup: TrainSetup[RecipeT]) -> None:
        """Settle, in place, what of a net in training mode does not learn; asked every epoch."""
        return

    def solve(
        self, net: nn.Module, examples: TrainT, setup: TrainSetup[RecipeT], device: torch.device
    ) -> Mapping[str, object]:
        """Solve at once what a recipe that is not `in_steps` learns, and change the net in place.

        Returns:
            how it came about, for `scores.json`.
        """
        raise NotImplementedError(f"{self.name} learns in steps alone")

    def conclude(
        self,
        net: nn.Module,
        dataset: Dataset,
        setup: TrainSetup[RecipeT],
        device: torch.device,
        folder: Path,
    ) -> Mapping[str, Mapping[str, object]]:
        """Learn what can only be learnt once the net is, and keep it in the run's folder.

        Args:
            net: with the weights that the run keeps, in evaluation mode on the device.

        Returns:
            how it came about, under its names in `scores.json`.
        """
        return {}

    @abstractmethod
    def as_learnt(
        self, inputs: BatchT, setup: TrainSetup[RecipeT], most: int
    ) -> list[tuple[NDArray[np.uint8], str]]:
        """The first pictures of a step as the net is given them, with what it is to learn of each
        drawn on it, and said."""

    # Measuring.

    @abstractmethod
    def open_eval(self, split: Dataset, config: ModelConfig, *, keep: Keep) -> EvalT:
        """Examples to be measured on."""

    @abstractmethod
    def answers(
        self, net: nn.Module, examples: EvalT, config: ModelConfig, device: torch.device
    ) -> AnswersT:
        """What a net answers to every picture of a split, in its order."""

    @abstractmethod
    def score(self, answers: AnswersT, truth: Dataset) -> ScoresT:
        """Answers against truth."""

    def pooled(self, parts: Sequence[Mapping[str, object]]) -> Mapping[str, object]:
        """Scores of several sides without a common picture, as `as_json` gave each, as of one side.

        Nothing where the sides' scores do not say it.
        """
        return {}

    def chosen_by(self, recipe: RecipeT) -> str:
        """The figure by which the best weights of a recipe's training are known."""
        return self.best

    def told(self, recipe: RecipeT | None) -> tuple[tuple[str, str], ...]:
        """The headline, what the recipe is after first; None of a model that has no recipe."""
        return self.headline

    def worth(self, split: Dataset, recipe: RecipeT) -> float:
        """As many pictures as a split's score tells no less than, by the recipe's figure."""
        return len(split)

    @abstractmethod
    def tolerance(self, best: float, pictures: float) -> float:
        """How far below the best a score may lie and still be as good, for all that is known.

        Args:
            pictures: what they are worth.
        """

    # Answering.

    def files(self, folder: Path, config: ModelConfig) -> list[Path]:
        """The files below a folder that this net can be asked about, in a fixed order."""
        return picture_files(folder)

    def together(self, config: ModelConfig) -> int:
        """How many prepared pictures are answered together; on a CPU the maps of more leave the
        caches, and each takes longer."""
        return 16

    def read(self, file: Path, config: ModelConfig) -> tuple[Picture, Size]:
        """A file's picture for `prepare`, perhaps decoded smaller, and the picture's true size.

        Raises:
            InputError: it cannot be read, or is nothing that this net answers.
        """
        return picture_in(file, config)

    @abstractmethod
    def prepare(self, picture: Picture, config: ModelConfig, *, of: Size) -> Picture:
        """A picture as the net is given it, H×W×3 uint8, or float32 in [0, 1]; H×W×1 of depth.

        Args:
            picture: may have been decoded smaller than its true size `of`.
        """

    @abstractmethod
    def reply(
        self, net: nn.Module, pictures: Tensor, config: ModelConfig, device: torch.device
    ) -> list[ReplyT]:
        """An answer for each of N×3×H×W prepared pictures, on its prepared self."""

    @abstractmethod
    def describe(
        self, reply: ReplyT, config: ModelConfig, *, of: Size, threshold: Threshold | None
    ) -> FoundT:
        """An answer in the pixels of the picture it is about.

        Args:
            of: the picture's true size.
            threshold: what a score must exceed to be shown; None is the task's own choice.
        """

    @abstractmethod
    def questions(
        self, reply: ReplyT, config: ModelConfig, *, threshold: Threshold | None
    ) -> list[Question]:
        """What can be asked of an answer, the surest first: why this class, box or subject.

        Args:
            threshold: as of `describe`.
        """

    # Files for other programs.

    @abstractmethod
    def portable(
        self, net: nn.Module, config: ModelConfig, *, raw: bool
    ) -> tuple[nn.Module, tuple[str, ...]]:
        """What an export holds: a module from normalised pictures to tensors, and their names.

        Args:
            raw: give the net's own outputs instead of what they mean.
        """

    @abstractmethod
    def read_portable(
        self, found: Arrays, config: ModelConfig, pictures: int, outputs: Outputs
    ) -> Tensor | tuple[Tensor, ...]:
        """What `portable` gives, from what an ONNX file answered to so many pictures.

        Args:
            outputs: which of `portables` the file gives.

        Raises:
            ValueError: the arrays are not what such a file gives; the words go on from its name.
        """


AnyTask = Task[Any, Any, Any, Any, Any, Any, Any, Any]
"""A task where nothing depends on which."""


def require_classes(task: AnyTask, classes: Sequence[str]) -> None:
    """See that there are as many classes as a task needs.

    Raises:
        InputError: there are fewer.
    """
    if len(classes) < task.fewest_classes:
        raise InputError(
            f"there must be {task.fewest_classes} classes or more to {task.name}, and there are "
            f"{len(classes)}"
        )
