"""Learning to classify: what is shown of a set, step by step, and by which loss."""

from collections.abc import Collection, Mapping
from dataclasses import replace
from typing import ClassVar

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from viewfinder import nets
from viewfinder.datasets.augment import apply, draw
from viewfinder.datasets.dataset import Dataset
from viewfinder.pictures.geometry import Size
from viewfinder.tasks.chance import share_error, worth
from viewfinder.tasks.classify import suitable
from viewfinder.tasks.classify.recipe import ClassifyRecipe
from viewfinder.tasks.classify.sizing import chosen_size
from viewfinder.tasks.classify.solving import (
    can_be_solved,
    solve_last_layer,
    undescribed,
    view_extractors,
)
from viewfinder.tasks.classify.steps import LabelBatch, Labelled, augmentation, loss, open_labelled
from viewfinder.tasks.learner import Learner
from viewfinder.tasks.loss import Add, Forward, Loss, alone, share_of_step
from viewfinder.tasks.normalisation import Normalisation, measure_colours
from viewfinder.tasks.parts import TrainSetup, as_pictures

# Of all layers that learn on: the share that stays, and the most pictures for which the last layer
# is solved first; where there are more, it is soon learnt.
_SETTLED, _SOLVED_FIRST = 0.48, 3000


class ClassLearner(Learner[ClassifyRecipe, Labelled, LabelBatch]):
    """How classes are learnt."""

    recipe = ClassifyRecipe
    best: ClassVar[str] = "accuracy"
    measured: ClassVar[float] = 1.0
    fewest_classes: ClassVar[int] = 2

    def require(self, dataset: Dataset) -> None:
        """Refuse a set whose pictures have no class of their own, or all the same."""
        suitable.require(dataset)

    def size(self, recipe: ClassifyRecipe, dataset: Dataset) -> Size:
        """The recipe's; or the network's own, but no larger than the pictures without need."""
        return chosen_size(recipe, dataset)

    def net_options(
        self, recipe: ClassifyRecipe, dataset: Dataset, size: Size
    ) -> dict[str, object]:
        """The recipe's, and the size for a net that ends in a flattened map."""
        flattens = "size" in nets.options(recipe.net)
        return ({"size": size[0]} if flattens else {}) | recipe.net_options()

    def colours(self, recipe: ClassifyRecipe, train: Labelled) -> Normalisation:
        """Measured on (a sample of) the training pictures."""
        return measure_colours(train.pixels.take, len(train))

    def open_train(self, split: Dataset, setup: TrainSetup[ClassifyRecipe]) -> Labelled:
        """Letterboxed pictures, kept where the recipe says; where no step is taken, nowhere."""
        keep = setup.recipe.keep if setup.recipe.in_steps else "none"
        return open_labelled(split, setup.config.size, keep=keep)

    def order(
        self, examples: Labelled, recipe: ClassifyRecipe, generator: torch.Generator
    ) -> Tensor:
        """Every picture once; with `balanced`, drawn so that every class comes equally often."""
        labels = torch.from_numpy(examples.truth.labels)
        if not recipe.balanced:
            return torch.randperm(len(labels), generator=generator)
        counts = torch.bincount(labels).clamp(min=1)
        weights = 1.0 / counts[labels].double()
        return torch.multinomial(weights, len(labels), replacement=True, generator=generator)

    def draw(
        self,
        examples: Labelled,
        numbers: Tensor,
        rows: slice,
        setup: TrainSetup[ClassifyRecipe],
        *,
        seed: int,
        done: float,
    ) -> LabelBatch:
        """Pictures, and one matrix, one colour change and one square for each."""
        changes = draw(
            len(numbers), augmentation(setup.recipe), torch.Generator().manual_seed(seed)
        )
        mine = numbers[rows]
        labels = torch.from_numpy(examples.truth.labels)[mine]
        return LabelBatch(examples.pixels.take(mine), labels, changes.part(rows))

    def make_loss(
        self, net: nn.Module, setup: TrainSetup[ClassifyRecipe], device: torch.device
    ) -> Loss[LabelBatch]:
        """Cross-entropy with smoothed labels."""
        smoothing = setup.recipe.label_smoothing

        def of(forward: Forward, inputs: LabelBatch, add: Add = alone) -> dict[str, Tensor]:
            pictures = apply(inputs.pictures.float() / 255, inputs.changes)
            value = loss(forward(pictures), inputs.labels, label_smoothing=smoothing)
            return {"cross_entropy": value * share_of_step(len(inputs), device, add)}

        return of

    def begin(
        self,
        net: nn.Module,
        examples: Labelled,
        setup: TrainSetup[ClassifyRecipe],
        device: torch.device,
    ) -> None:
        """From ImageNet's weights, the last layer solved, where it is one that can be: a random one
        would first disturb them."""
        if setup.recipe.tunes and len(examples) <= _SOLVED_FIRST:
            if can_be_solved(net.to(device), setup.config, device):
                self.solve(net, examples, setup, device)
            net.to("cpu")

    def settle(self, net: nn.Module, setup: TrainSetup[ClassifyRecipe]) -> None:
        """From ImageNet's weights, the first half of the layers and the batch norms' statistics.

        The first layers know edges and colours, and take most of the time. Statistics of a few
        hundred pictures are worse than those of a million: moved three tenths of the way to those
        of CIFAR-10's pictures, they cost the solved last layer 5 to 6 points.
        """
        if not setup.recipe.tunes:
            return
        parameters = list(net.parameters())
        for parameter in parameters[: round(_SETTLED * len(parameters))]:
            parameter.requires_grad_(False)
        for module in net.modules():
            if isinstance(module, nn.modules.batchnorm._BatchNorm):
                module.eval()

    def solve(
        self,
        net: nn.Module,
        examples: Labelled,
        setup: TrainSetup[ClassifyRecipe],
        device: torch.device,
        held_out: Collection[str] = (),
    ) -> Mapping[str, object]:
        """The last layer alone, from what the layers before say of each picture."""
        pixels, truth = examples.pixels, examples.truth
        return solve_last_layer(net, pixels, truth, setup.recipe, setup.config, device, held_out)

    def undescribed(
        self,
        net: nn.Module,
        dataset: Dataset,
        setup: TrainSetup[ClassifyRecipe],
        device: torch.device,
    ) -> int:
        """All, where the last layer cannot be solved, which `solve` refuses."""
        config, net = replace(setup.config, bits=dataset.bits), net.to(device)
        if not can_be_solved(net, config, device):
            return len(dataset)
        return undescribed(view_extractors(net.eval(), config, device), dataset)

    def as_learnt(
        self, inputs: LabelBatch, setup: TrainSetup[ClassifyRecipe], most: int
    ) -> list[tuple[NDArray[np.uint8], str]]:
        """Each picture, changed, and its class."""
        changed = apply(inputs.pictures.float() / 255, inputs.changes)[:most]
        labels = inputs.labels[:most].tolist()
        classes = setup.config.classes
        return [(p, classes[c]) for p, c in zip(as_pictures(changed), labels, strict=True)]

    def chosen_by(self, recipe: ClassifyRecipe) -> str:
        """With `balanced`, the mean recall of the classes."""
        return "balanced_accuracy" if recipe.balanced else self.best

    def worth(self, split: Dataset, recipe: ClassifyRecipe) -> float:
        """With `balanced`, fewer where some classes have few."""
        return worth(list(split.counts().values())) if recipe.balanced else len(split)

    def tolerance(self, best: float, pictures: float) -> float:
        """One standard error of a share, and of few pictures no less than one of them."""
        return max(1 / pictures, share_error(best, pictures))
