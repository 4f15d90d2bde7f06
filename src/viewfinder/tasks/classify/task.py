"""Classify: one class for each picture."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import ClassVar

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from viewfinder import nets
from viewfinder.datasets import Keep
from viewfinder.datasets.augment import apply, draw
from viewfinder.datasets.dataset import Dataset
from viewfinder.datasets.loading import letterboxed, open_pixels
from viewfinder.errors import InputError
from viewfinder.files import cache_folder
from viewfinder.pictures.geometry import Size
from viewfinder.tasks.answering import (
    Picture,
    in_batches,
)
from viewfinder.tasks.calibration import CALIBRATION, damaged, read_calibration
from viewfinder.tasks.chance import share_error, worth
from viewfinder.tasks.classify.answering import answering_net, probabilities_of, temperature_of
from viewfinder.tasks.classify.coverage import TRUE_SHARES, read_shares
from viewfinder.tasks.classify.learning import LabelBatch, Labelled, augmentation, loss
from viewfinder.tasks.classify.probabilities import ClassProbabilities
from viewfinder.tasks.classify.recipe import ClassifyRecipe
from viewfinder.tasks.classify.scores import ClassifyScores, pooled, score
from viewfinder.tasks.classify.sizing import chosen_size
from viewfinder.tasks.classify.solving import answers_by_views, solve_last_layer
from viewfinder.tasks.classify.temperature import read_temperature
from viewfinder.tasks.loss import Add, Forward, Loss, alone, share_of_step
from viewfinder.tasks.model import ModelConfig, Threshold
from viewfinder.tasks.normalisation import Normalisation, measure_colours
from viewfinder.tasks.parts import TrainSetup, as_pictures
from viewfinder.tasks.portable import Arrays, Outputs, as_floats, require_count
from viewfinder.tasks.question import Question, of_class
from viewfinder.tasks.task import Task
from viewfinder.tasks.views import several

# Pictures that are answered at once.
_BATCH = 250
# Of all layers that learn on: the share that stays, and the most pictures for which the last layer
# is solved first; where there are more, it is soon learnt.
_SETTLED, _SOLVED_FIRST = 0.48, 3000


class Classify(
    Task[
        ClassifyRecipe,
        Labelled,
        LabelBatch,
        Labelled,
        NDArray[np.float32],
        ClassProbabilities,
        NDArray[np.float32],
        ClassifyScores,
    ]
):
    """One class for each picture."""

    name: ClassVar[str] = "classify"
    recipe = ClassifyRecipe
    best: ClassVar[str] = "accuracy"
    compared: ClassVar[str] = "accuracy"
    measured: ClassVar[float] = 1.0
    headline: ClassVar[tuple[tuple[str, str], ...]] = (
        ("accuracy", ".1%"),
        ("balanced_accuracy", ".1%"),
        ("chance", ".1%"),
        ("largest_class", ".1%"),
    )
    fewest_classes: ClassVar[int] = 2
    any_size: ClassVar[bool] = False

    def require(self, dataset: Dataset) -> None:
        """Refuse a set whose pictures have no class of their own, or all the same."""
        dataset.require_labels()
        present = [name for name, count in dataset.split("train").counts().items() if count]
        if len(present) < 2:
            raise InputError(
                f"{dataset.root} has training pictures of one class only, {present[0]!r}: add "
                "pictures of at least one other class"
            )

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

    def habits(self, recipe: ClassifyRecipe, data: Mapping[str, object]) -> Mapping[str, object]:
        """`mirror`: whether the mean over a picture and its mirror image is what is answered;
        `solved`: whether the last layer alone was learnt."""
        return {"mirror": recipe.mirror and recipe.flip > 0, "solved": not recipe.in_steps}

    def kept_habits(self, folder: Path, classes: Sequence[str]) -> Mapping[str, object]:
        """The temperature of its probabilities, and what true classes are given, if known."""
        document = read_calibration(folder)
        try:
            shares = read_shares(document.get(TRUE_SHARES))
            kept = {CALIBRATION: read_temperature(document.get("map")), TRUE_SHARES: shares}
        except (ValueError, KeyError) as error:
            raise damaged(folder) from error
        return {name: habit for name, habit in kept.items() if habit is not None}

    def open_train(self, split: Dataset, setup: TrainSetup[ClassifyRecipe]) -> Labelled:
        """Letterboxed pictures, kept where the recipe says."""
        return self.open_eval(split, setup.config, keep=setup.recipe.keep)

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
        """From ImageNet's weights, the last layer solved: a random one would first disturb them."""
        if setup.recipe.tunes and len(examples) <= _SOLVED_FIRST:
            self.solve(net.to(device), examples, setup, device)
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
    ) -> Mapping[str, object]:
        """The last layer alone, from what the layers before say of each picture."""
        pixels, truth = examples.pixels, examples.truth
        return solve_last_layer(net, pixels, truth, setup.recipe, setup.config, device)

    def as_learnt(
        self, inputs: LabelBatch, setup: TrainSetup[ClassifyRecipe], most: int
    ) -> list[tuple[NDArray[np.uint8], str]]:
        """Each picture, changed, and its class."""
        changed = apply(inputs.pictures.float() / 255, inputs.changes)[:most]
        labels = inputs.labels[:most].tolist()
        classes = setup.config.classes
        return [(p, classes[c]) for p, c in zip(as_pictures(changed), labels, strict=True)]

    def open_eval(self, split: Dataset, config: ModelConfig, *, keep: Keep) -> Labelled:
        """Letterboxed pictures."""
        return Labelled(open_pixels(split, config.size, keep=keep, cache=cache_folder()), split)

    def answers(
        self, net: nn.Module, examples: Labelled, config: ModelConfig, device: torch.device
    ) -> NDArray[np.float32]:
        """N×C class probabilities of every picture of a side."""
        if config.habits.get("solved") and not several(config):
            found = answers_by_views(net, examples.pixels, examples.truth, config, device)
            if np.isfinite(found).all():
                kept = temperature_of(config)
                return kept.of_array(found) if kept else found
            # The net itself says below what is wrong with it.
        parts = [
            probabilities_of(net, examples.pixels.take(numbers), config, device)
            for numbers in in_batches(len(examples), _BATCH)
        ]
        return np.concatenate(parts)

    def score(self, answers: NDArray[np.float32], truth: Dataset) -> ClassifyScores:
        """Accuracy, loss and confusion."""
        return score(answers, truth.labels)

    def pooled(self, parts: Sequence[Mapping[str, object]]) -> Mapping[str, object]:
        """All figures, as confusions can be added."""
        return pooled(parts)

    def chosen_by(self, recipe: ClassifyRecipe) -> str:
        """With `balanced`, the mean recall of the classes."""
        return "balanced_accuracy" if recipe.balanced else self.best

    def told(self, recipe: ClassifyRecipe | None) -> tuple[tuple[str, str], ...]:
        """With `balanced`, the balanced accuracy before the plain one."""
        if recipe is None or not recipe.balanced:
            return self.headline
        plain, balanced, *rest = self.headline
        return (balanced, plain, *rest)

    def worth(self, split: Dataset, recipe: ClassifyRecipe) -> float:
        """With `balanced`, fewer where some classes have few."""
        return worth(list(split.counts().values())) if recipe.balanced else len(split)

    def tolerance(self, best: float, pictures: float) -> float:
        """One standard error of a share, and of few pictures no less than one of them."""
        return max(1 / pictures, share_error(best, pictures))

    def prepare(self, picture: Picture, config: ModelConfig, *, of: Size) -> Picture:
        """Letterboxed."""
        return letterboxed(np.asarray(picture, np.uint8), config.size, of=of)

    def reply(
        self, net: nn.Module, pictures: Tensor, config: ModelConfig, device: torch.device
    ) -> list[NDArray[np.float32]]:
        """C probabilities for each picture."""
        return list(probabilities_of(net, pictures, config, device))

    def describe(
        self,
        reply: NDArray[np.float32],
        config: ModelConfig,
        *,
        of: Size,
        threshold: Threshold | None,
    ) -> ClassProbabilities:
        """Each class's probability."""
        return ClassProbabilities(reply)

    def questions(
        self, reply: NDArray[np.float32], config: ModelConfig, *, threshold: Threshold | None
    ) -> list[Question]:
        """Each class, the likeliest first."""
        order = np.argsort(-reply, kind="stable").tolist()
        return [of_class(f"{config.classes[n]} {reply[n]:.0%}", n, float(reply[n])) for n in order]

    def portable(
        self, net: nn.Module, config: ModelConfig, *, raw: bool
    ) -> tuple[nn.Module, tuple[str, ...]]:
        """N×C logits, or probabilities as `reply` gives them."""
        if raw:
            return net, ("logits",)
        return answering_net(net, config), ("probabilities",)

    def read_portable(
        self, found: Arrays, config: ModelConfig, pictures: int, outputs: Outputs
    ) -> Tensor:
        """N×C probabilities."""
        (probabilities,) = require_count(found, 1)
        return as_floats(probabilities, (pictures, len(config.classes)))
