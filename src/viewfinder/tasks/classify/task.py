"""Classify: one class for each picture."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import ClassVar

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from viewfinder.datasets import Keep
from viewfinder.datasets.dataset import Dataset
from viewfinder.datasets.loading import letterboxed
from viewfinder.pictures.geometry import Size
from viewfinder.tasks.answering import Picture, in_batches
from viewfinder.tasks.calibration import CALIBRATION, damaged, read_calibration
from viewfinder.tasks.classify.answering import answering_net, probabilities_of, temperature_of
from viewfinder.tasks.classify.coverage import TRUE_SHARES, read_shares
from viewfinder.tasks.classify.learner import ClassLearner
from viewfinder.tasks.classify.probabilities import ClassProbabilities
from viewfinder.tasks.classify.recipe import ClassifyRecipe
from viewfinder.tasks.classify.scores import ClassifyScores, pooled, score
from viewfinder.tasks.classify.solving import answers_by_views
from viewfinder.tasks.classify.steps import LabelBatch, Labelled, open_labelled
from viewfinder.tasks.classify.temperature import read_temperature
from viewfinder.tasks.figures import Score, shares
from viewfinder.tasks.model import ModelConfig, Threshold
from viewfinder.tasks.portable import Arrays, Outputs, as_floats, require_count
from viewfinder.tasks.question import Question, of_class
from viewfinder.tasks.task import Task
from viewfinder.tasks.views import several

# Pictures that are answered at once.
_BATCH = 250


class Classify(
    ClassLearner,
    Task[
        ClassifyRecipe,
        Labelled,
        LabelBatch,
        Labelled,
        NDArray[np.float32],
        ClassProbabilities,
        NDArray[np.float32],
        ClassifyScores,
    ],
):
    """One class for each picture."""

    name: ClassVar[str] = "classify"
    compared: ClassVar[tuple[Score, ...]] = shares(
        *("accuracy", "balanced_accuracy", "recall", "precision", "f1")
    )
    headline: ClassVar[tuple[tuple[str, str], ...]] = (
        ("accuracy", ".1%"),
        ("balanced_accuracy", ".1%"),
        ("chance", ".1%"),
        ("largest_class", ".1%"),
    )
    any_size: ClassVar[bool] = False
    can_doubt: ClassVar[bool] = ClassifyRecipe.can_doubt
    answers_sets: ClassVar[bool] = ClassifyRecipe.answers_sets
    has_views: ClassVar[bool] = True

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

    def open_eval(self, split: Dataset, config: ModelConfig, *, keep: Keep) -> Labelled:
        """Letterboxed pictures; what is solved asks for those alone that are not described yet."""
        solved = config.habits.get("solved") and not several(config)
        return open_labelled(split, config.size, keep="none" if solved else keep)

    def answers(
        self, net: nn.Module, examples: Labelled, config: ModelConfig, device: torch.device
    ) -> NDArray[np.float32]:
        """N×C class probabilities of every picture of a split."""
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

    def headline_for(self, recipe: ClassifyRecipe | None) -> tuple[tuple[str, str], ...]:
        """With `balanced`, the balanced accuracy before the plain one."""
        if recipe is None or not recipe.balanced:
            return self.headline
        plain, balanced, *rest = self.headline
        return (balanced, plain, *rest)

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
