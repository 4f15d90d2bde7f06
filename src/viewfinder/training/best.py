"""Which weights a run keeps: measured at an epoch's end, on pictures that are not augmented."""

import math
from typing import TYPE_CHECKING

import torch
from torch import nn

from viewfinder.evaluation.kept import can_choose, kept_in_words
from viewfinder.tasks import find
from viewfinder.tasks.model import ModelConfig
from viewfinder.tasks.recipe import Recipe
from viewfinder.tasks.task import AnyTask
from viewfinder.training.job import Job
from viewfinder.training.preparing import Splits
from viewfinder.training.progress import TrainingProgress
from viewfinder.wording import counted

if TYPE_CHECKING:
    from lightning_fabric import Fabric


# Epochs between two measurements where layers that others taught learn on: of a few pictures all
# layers answer twice, as mirrored, in the time in which half of them learn.
_TUNED_EPOCHS = 4


def as_good(task: AnyTask, score: float, best: float, pictures: float) -> bool:
    """Whether a score on pictures worth so many is as good as the best, as far as one can tell."""
    return score >= best - task.tolerance(best, pictures)


def epochs_between(task: AnyTask, splits: Splits, recipe: Recipe) -> int:
    """How many epochs pass from one measurement to the next: so many that measuring takes no more
    than the task's share of the time."""
    every = max(1, round(splits.measured / (task.measured * len(splits.train))))
    return max(_TUNED_EPOCHS, every) if recipe.tunes and recipe.patience is None else every


class BestWeights:
    """Measures the averaged weights and writes those that are as good as any before.

    The average stands in for the weights of now since it is what the run will answer by: it moves
    slowly, and so its score is less noisy from epoch to epoch.
    """

    def __init__(self, fabric: "Fabric", job: Job, average: nn.Module) -> None:
        self.fabric, self.job, self.average = fabric, job, average
        self.task, self.config = find(job.run.manifest.task), job.run.model.config
        self.recipe = job.run.manifest.recipe
        self.val = None if job.splits.val is None else job.splits.val.truth
        self.figure = f"val_{self.task.chosen_by(self.recipe)}"
        self.worth = 0.0 if self.val is None else self.task.worth(self.val, self.recipe)
        self.chooses = can_choose(self.task, self.val, self.recipe)
        self.few = None if self.val is None or self.chooses else len(self.val)

    def choose(self, now: TrainingProgress) -> dict[str, float]:
        """Figures of the weights of now, the same in every process; the best weights are kept."""
        # One process measures for all: patience must not end the training in some of them only.
        figures = self._measure() if self.fabric.global_rank == 0 else {}
        if self.fabric.world_size > 1:
            figures = self.fabric.broadcast(figures)
        self._keep(figures, now)
        return figures | {"kept_epoch": now.kept_epoch}

    def begin(self, now: TrainingProgress) -> None:
        """Keep the weights that a training begins with, until others do better by more than chance.

        For where they can answer already, and there are pictures held out to ask.
        """
        score = float(self._measure()[self.figure]) if self.fabric.global_rank == 0 else 0.0
        if self.fabric.world_size > 1:
            score = self.fabric.broadcast(score)
        now.first_score = now.best_score = score
        if self.fabric.global_rank == 0:
            self.job.run.save_weights(self.average.state_dict())

    def _keep(self, figures: dict[str, float], now: TrainingProgress) -> None:
        """Keep the averaged weights of now if they are as good as any, as far as one can tell.

        The highest score of many epochs is high by chance too; of those within what chance makes,
        the latest weights have the most training behind them. Too few pictures choose none.
        """
        score = figures.get(self.figure, float(now.epoch))
        if score > now.best_score:
            now.best_score, now.risen_epoch = score, now.epoch - 1
        if not self.chooses:
            # What cannot tell epochs apart cannot tell that they have stopped getting better.
            now.risen_epoch = now.epoch - 1
        if self.chooses and not as_good(self.task, score, now.best_score, self.worth):
            return
        if now.first_score > -math.inf and as_good(self.task, now.first_score, score, self.worth):
            return
        now.kept_epoch = now.epoch
        if self.fabric.global_rank == 0:
            self.job.run.save_weights(self.average.state_dict())

    def says_of_patience(self) -> str:
        """That there is nothing for it to go by; empty where there is, or where none was asked."""
        if not self.recipe.patience or self.chooses:
            return ""
        held = "there are no validation pictures"
        if self.val is not None:
            held = f"{counted(len(self.val), 'validation picture')} cannot tell epochs apart"
        return f"--patience {self.recipe.patience} ends nothing early: {held}"

    def says(self, now: TrainingProgress) -> str:
        """Which weights are kept, and why; empty where they were chosen as usual, or by nothing."""
        if self.val is None or (self.chooses and not self.recipe.tunes):
            return ""
        return kept_in_words(self.task, self.val, self.recipe, kept=now.kept_epoch, last=now.epoch)

    def _measure(self) -> dict[str, float]:
        return measure(self.task, self.average, self.job.splits, self.config, self.fabric.device)


def measure(
    task: AnyTask, net: nn.Module, splits: Splits, config: ModelConfig, device: torch.device
) -> dict[str, float]:
    """A net's figures on training and validation pictures, as a row of the history has them."""
    figures: dict[str, float] = {}
    for name, examples in (("train", splits.probe), ("val", splits.val)):
        if examples is not None:
            answers = task.answers(net, examples, config, device)
            scores = task.score(answers, examples.truth)
            figures |= {f"{name}_{key}": value for key, value in scores.figures().items()}
    return figures
