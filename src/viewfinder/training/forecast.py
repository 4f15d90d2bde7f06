"""About how long a training takes here, told before its first step."""

import math
from collections.abc import Callable
from dataclasses import dataclass
from time import perf_counter

import numpy as np
import torch
from torch import nn

from viewfinder.crowding import at_once, own_threads
from viewfinder.tasks.model import ModelConfig
from viewfinder.tasks.parts import TrainSetup
from viewfinder.tasks.recipe import Recipe
from viewfinder.tasks.task import AnyTask
from viewfinder.training.arrangement import Choice
from viewfinder.training.batches import lasts, steps_per_epoch
from viewfinder.training.best import epochs_between
from viewfinder.training.choosing import first_batches, settled_loss
from viewfinder.training.precision import seconds_of_step
from viewfinder.training.preparing import Splits
from viewfinder.wording import in_words

# Of the time in which a picture is learnt from, what it takes to answer it.
_ANSWER = 0.5
# A step takes so many times as long as the quickest, when nothing else is busy.
_USUAL = 1.2
# Seconds, beside what the net computes, of a step, of an epoch's end, and of a training, which is
# judged and reported.
_STEP, _EPOCH, _AROUND = 0.004, 0.012, 2.0
# Pictures that are answered at once, to see how long that takes.
_ASKED = 4


@dataclass(frozen=True)
class Forecast:
    """About how many seconds trainings take that are alike.

    Attributes:
        each: of every one, its scores and report included.
        once: of what the first does for all.
        after: of each, what follows its last step: it is judged and reported.
    """

    each: float
    once: float = 0.0
    after: float = 0.0

    def of(self, trainings: float = 1.0) -> float:
        """Seconds of so many trainings."""
        return self.once + trainings * self.each


def told(expected: Forecast, trainings: float = 1.0) -> str:
    """How long so many trainings take, in words."""
    return in_words(expected.of(trainings))


def forecast(
    task: AnyTask,
    net: nn.Module,
    splits: Splits,
    setup: TrainSetup[Recipe],
    choice: Choice,
    device: torch.device,
    *,
    pictures: int,
) -> Forecast:
    """How long a training takes that is about to begin; a step is taken where none was timed.

    Args:
        net: with its first weights; it is left as it was.
        choice: the arithmetic that steps are taken in.
        pictures: of the set, all of which are answered at the end; of a layer that is solved, those
            of which it is not kept what the net says.
    """
    recipe = setup.recipe
    if not recipe.in_steps:
        views = 2 if setup.config.habits.get("mirror") else 1
        return Forecast(_AROUND, pictures * views * _seconds_to_describe(net, setup.config, device))
    step, making, rows = _seconds_of_step(task, net, splits, setup, choice, device)
    answer = _ANSWER * step / rows
    if task.together(setup.config) == 1:  # in parts, which are many more than what a step is shown
        answer = _seconds_of_parts(task, net, splits, setup.config, device)
    val = None if splits.val is None else splits.val.truth
    end = _AROUND + pictures * answer
    end += task.concluding(splits.train.truth, val, setup, device, pictures=pictures)
    measuring = splits.measured * answer
    if recipe.minutes is not None:
        # The last epoch is measured when the time is up.
        return Forecast(end + measuring + 60 * recipe.minutes, after=end + measuring)
    epoch = _EPOCH + measuring / epochs_between(task, splits, recipe)
    steps = lasts(recipe, len(splits.train), _USUAL * step + making + _STEP)
    return Forecast(end + steps + recipe.epochs * epoch, after=end)


def _seconds_of_step(
    task: AnyTask,
    net: nn.Module,
    splits: Splits,
    setup: TrainSetup[Recipe],
    choice: Choice,
    device: torch.device,
) -> tuple[float, float, int]:
    """Of a step's computing, of making its batch, and of how many pictures it is."""
    recipe, count = setup.recipe, len(splits.train)
    rows = max(1, math.ceil(count / steps_per_epoch(count, recipe.batch, recipe.devices)))
    begun = perf_counter()
    made = first_batches(task, splits, setup, device, most=1)
    making = perf_counter() - begun
    if choice.promise is not None:
        return choice.promise * rows * 3 * math.prod(setup.config.size), making, rows
    net = net.to(device)
    loss, settle = settled_loss(task, net, setup, device)
    step = seconds_of_step(
        *(net, made, choice.arrangement),
        loss=loss,
        colours=setup.config.normalisation,
        settle=settle,
    )
    return step, making, rows


def _seconds_of_parts(
    task: AnyTask, net: nn.Module, splits: Splits, config: ModelConfig, device: torch.device
) -> float:
    """Of a picture that is answered in parts, the quicker of two times."""
    one, net = splits.probe.truth.select(np.arange(1)), net.to(device).eval()

    def answer() -> None:
        task.answers(net, task.open_eval(one, config, keep="none"), config, device)

    quicker = _quicker_of_two(answer, device)
    net.train()
    return quicker


def seconds_of_answer(net: nn.Module, config: ModelConfig, device: torch.device) -> float:
    """Of a picture, the quicker of two times."""
    width, height = config.size
    asked, net = torch.zeros(_ASKED, 3, height, width, device=device), net.to(device).eval()
    with torch.no_grad():
        return _quicker_of_two(lambda: net(asked), device) / _ASKED


def _seconds_to_describe(net: nn.Module, config: ModelConfig, device: torch.device) -> float:
    """Of a picture, where each core computes batches of its own, as `features.vectors` has them."""
    if device.type != "cpu":
        return seconds_of_answer(net, config, device)
    with own_threads():
        cores = at_once()
        # Cores that share a batch wait for each other, on a busy machine for most of the time.
        torch.set_num_threads(1)
        return seconds_of_answer(net, config, device) / cores


def _quicker_of_two(work: Callable[[], object], device: torch.device) -> float:
    """Seconds; a GPU's until it has computed."""
    times = []
    for _ in range(2):
        begun = perf_counter()
        work()
        if device.type == "cuda":
            torch.cuda.synchronize()
        times.append(perf_counter() - begun)
    return min(times)
