"""What a training asks of a task: what is learnt from a set, in which steps, by which loss."""

from abc import ABC, abstractmethod
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from typing import ClassVar, Generic

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from viewfinder.datasets.dataset import Dataset
from viewfinder.nets.checkpoints import LoadReport, load_matching
from viewfinder.pictures.geometry import Size
from viewfinder.tasks.loss import Loss
from viewfinder.tasks.normalisation import Normalisation
from viewfinder.tasks.parts import BatchT, RecipeT, TrainSetup, TrainT


class Learner(ABC, Generic[RecipeT, TrainT, BatchT]):
    """How a task is learnt.

    Of its types, `TrainT` is examples to learn from, and `BatchT` a step of a training.

    Attributes:
        name: the task's, as it is given on the command line.
        recipe: the class of its recipes.
        best: the figure by which the best weights are known; higher is better. Ask `chosen_by`.
        measured: how many pictures may be measured for each that is trained on; where val is too
            large for that, not every epoch is measured.
        fewest_classes: that there must be for there to be something to learn.
    """

    name: ClassVar[str]
    recipe: type[RecipeT]
    best: ClassVar[str]
    measured: ClassVar[float]
    fewest_classes: ClassVar[int] = 1

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
        under `decided` of its data; reported in a note."""
        return {}

    @abstractmethod
    def net_options(self, recipe: RecipeT, dataset: Dataset, size: Size) -> dict[str, object]:
        """What the net is created with beside its classes: the recipe's options, and the set's."""

    @abstractmethod
    def colours(self, recipe: RecipeT, train: TrainT) -> Normalisation:
        """What the net's first layer expects of the pictures in `train`, when it starts anew."""

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
        self,
        net: nn.Module,
        examples: TrainT,
        setup: TrainSetup[RecipeT],
        device: torch.device,
        held_out: Collection[str] = (),
    ) -> Mapping[str, object]:
        """Solve at once what a recipe that is not `in_steps` learns, and change the net in place.

        Args:
            held_out: digests, as `datasets.digests.short` has them, of pictures that are to judge.

        Returns:
            how it came about, for `scores.json`.
        """
        raise NotImplementedError(f"{self.name} learns in steps alone")

    def undescribed(
        self, net: nn.Module, dataset: Dataset, setup: TrainSetup[RecipeT], device: torch.device
    ) -> int:
        """Of how many pictures of a set it is not kept what a net says, for a recipe that is not
        `in_steps`."""
        return len(dataset)

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

    def concluding(
        self,
        train: Dataset,
        val: Dataset | None,
        setup: TrainSetup[RecipeT],
        device: torch.device,
        *,
        pictures: int,
    ) -> float:
        """About how many seconds `conclude`, and what it adds to answers, take beside the net.

        Args:
            pictures: that are answered at the end.
        """
        return 0.0

    @abstractmethod
    def as_learnt(
        self, inputs: BatchT, setup: TrainSetup[RecipeT], most: int
    ) -> list[tuple[NDArray[np.uint8], str]]:
        """The first pictures of a step as the net is given them, with what it is to learn of each
        drawn on it, and said."""

    # Which of its weights are kept.

    def chosen_by(self, recipe: RecipeT) -> str:
        """The figure by which the best weights of a recipe's training are known."""
        return self.best

    def worth(self, split: Dataset, recipe: RecipeT) -> float:
        """As many pictures as a split's score tells no less than, by the recipe's figure."""
        return len(split)

    @abstractmethod
    def tolerance(self, best: float, pictures: float) -> float:
        """How far below the best a score may lie and still be as good, for all that is known.

        Args:
            pictures: what they are worth.
        """
