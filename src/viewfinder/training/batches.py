"""Which pictures make up which step, and by what random numbers they are changed.

Everything here is a function of the seed, the epoch and the step alone, or, where a training is
bounded by the clock, of the readings that its state keeps. A training that goes on after `kill -9`,
or that is dealt to several processes, sees what one that was left alone sees.
"""

import hashlib
import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from viewfinder.tasks.parts import Examples, TaskBatch, TrainSetup
from viewfinder.tasks.recipe import Recipe
from viewfinder.tasks.task import AnyTask


@dataclass(frozen=True)
class Share:
    """One process's part of every batch: rows `rank / world` to `(rank + 1) / world`."""

    rank: int = 0
    world: int = 1

    def of(self, count: int) -> slice:
        """The rows of a batch of `count` pictures."""
        return slice(self.rank * count // self.world, (self.rank + 1) * count // self.world)


@dataclass(frozen=True)
class Batch:
    """A process's part of one step.

    Attributes:
        step: number within the epoch, from 0.
        inputs: this process's pictures and truth.
        total: pictures in the whole step, over all processes.
        done: share of the training that is done before it.
    """

    step: int
    inputs: TaskBatch
    total: int
    done: float


def mixed(*numbers: int | str) -> int:
    """One random-looking number from several: the seed of a generator for one purpose."""
    text = "/".join(map(str, numbers)).encode()
    return int.from_bytes(hashlib.blake2b(text, digest_size=7).digest(), "big")


def steps_per_epoch(pictures: int, batch: int, processes: int = 1) -> int:
    """How many steps show every picture once.

    None has fewer pictures than there are processes to share it, even if it has more than a batch
    for that. Where a batch is twice the number of processes or more, that number changes nothing.
    """
    return max(1, min(math.ceil(pictures / batch), pictures // processes))


def lasts(recipe: Recipe, pictures: int, step: float) -> float:
    """Seconds of all steps of a training, if each takes so many.

    Args:
        pictures: of an epoch.
    """
    if recipe.minutes is not None:
        return 60 * recipe.minutes
    return recipe.epochs * steps_per_epoch(pictures, recipe.batch, recipe.devices) * step


def deal(
    task: AnyTask, examples: Examples, recipe: Recipe, *, epoch: int, processes: int = 1
) -> tuple[Tensor, ...]:
    """The numbers of the pictures that each step of an epoch shows, in steps as equal as can be."""
    generator = torch.Generator().manual_seed(mixed(recipe.seed, epoch, "order"))
    order = task.order(examples, recipe, generator)
    return torch.tensor_split(order, steps_per_epoch(len(order), recipe.batch, processes))


def batches(
    task: AnyTask,
    examples: Examples,
    setup: TrainSetup[Recipe],
    dealt: Sequence[Tensor],
    *,
    epoch: int,
    steps: range,
    share: Share,
    progress_at: Callable[[int], float],
) -> Iterator[Batch]:
    """A process's part of some steps of an epoch.

    Args:
        dealt: what each step of the epoch shows, as `deal` says.
        steps: those to make.
        progress_at: the share of the training that is done before a step; a function of the step
            alone, since batches may be made ahead of time, or anew after a stop.
    """
    for step in steps:
        numbers, done = dealt[step], progress_at(step)
        seed = mixed(setup.recipe.seed, epoch, step, "augment")
        rows = share.of(len(numbers))
        inputs = task.draw(examples, numbers, rows, setup, seed=seed, done=done)
        yield Batch(step, inputs, len(numbers), done)
