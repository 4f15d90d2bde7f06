"""Which pictures make up which step, and by what random numbers they are changed.

Everything here is a function of the seed, the epoch and the step alone. A training that goes on
after `kill -9`, or that is dealt to several processes, sees what one that was left alone sees.
"""

import hashlib
import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import torch

from viewfinder.tasks.task import Examples, Inputs, Setting, Task


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
    """

    step: int
    inputs: Inputs
    total: int


def mixed(*numbers: int | str) -> int:
    """One random-looking number from several: the seed of a generator for one purpose."""
    text = "/".join(map(str, numbers)).encode()
    return int.from_bytes(hashlib.blake2b(text, digest_size=7).digest(), "big")


def steps_per_epoch(pictures: int, batch: int) -> int:
    """How many steps show every picture once."""
    return math.ceil(pictures / batch)


def batches(
    task: Task,
    examples: Examples,
    setting: Setting,
    *,
    epoch: int,
    first_step: int,
    share: Share,
    done: Callable[[], float],
) -> Iterator[Batch]:
    """A process's part of the steps of one epoch, from `first_step` on.

    The steps are as equal in size as can be, so that none is left with one picture, which batch
    normalisation could not normalise.

    Args:
        done: tells the share of the training that is done.
    """
    recipe = setting.recipe
    generator = torch.Generator().manual_seed(mixed(recipe.seed, epoch, "order"))
    order = task.order(examples, recipe, generator)
    chosen = torch.tensor_split(order, steps_per_epoch(len(order), recipe.batch))
    for step in range(first_step, len(chosen)):
        numbers = chosen[step]
        seed = mixed(recipe.seed, epoch, step, "augment")
        rows = share.of(len(numbers))
        inputs = task.draw(examples, numbers, rows, setting, seed=seed, done=done())
        yield Batch(step, inputs, len(numbers))
