"""Which pictures make up which step, and by what random numbers they are changed.

Everything here is a function of the seed, the epoch and the step alone. A training that goes on
after `kill -9`, or that is dealt to several processes, sees what one that was left alone sees.
"""

import hashlib
import math
from collections.abc import Iterator
from dataclasses import dataclass

import torch
from torch import Tensor

from viewfinder.datasets.augment import Augmentation, Changes, draw
from viewfinder.datasets.loading import Pixels
from viewfinder.runs.recipe import Recipe


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
        pictures: N×3×H×W uint8.
        labels: N class indices.
        changes: the augmentation of these pictures.
        total: pictures in the whole step, over all processes.
    """

    step: int
    pictures: Tensor
    labels: Tensor
    changes: Changes
    total: int


def mixed(*numbers: int | str) -> int:
    """One random-looking number from several: the seed of a generator for one purpose."""
    text = "/".join(map(str, numbers)).encode()
    return int.from_bytes(hashlib.blake2b(text, digest_size=7).digest(), "big")


def steps_per_epoch(pictures: int, batch: int) -> int:
    """How many steps show every picture once."""
    return math.ceil(pictures / batch)


def order(labels: Tensor, recipe: Recipe, epoch: int) -> Tensor:
    """The numbers of the pictures that an epoch shows, in the order in which it shows them.

    With `balanced`, pictures are drawn with replacement so that every class comes equally often.
    """
    generator = torch.Generator().manual_seed(mixed(recipe.seed, epoch, "order"))
    if not recipe.balanced:
        return torch.randperm(len(labels), generator=generator)
    counts = torch.bincount(labels).clamp(min=1)
    weights = 1.0 / counts[labels].double()
    return torch.multinomial(weights, len(labels), replacement=True, generator=generator)


def augmentation(recipe: Recipe) -> Augmentation:
    """The recipe's augmentation."""
    return Augmentation(
        shift=recipe.shift,
        scale=recipe.scale,
        turn=recipe.turn,
        flip=recipe.flip,
        colour=recipe.colour,
        erase=recipe.erase,
    )


def batches(
    pixels: Pixels, labels: Tensor, recipe: Recipe, *, epoch: int, first_step: int, share: Share
) -> Iterator[Batch]:
    """A process's part of the steps of one epoch, from `first_step` on.

    The steps are as equal in size as can be, so that none is left with one picture, which batch
    normalisation could not normalise.
    """
    steps = steps_per_epoch(len(pixels), recipe.batch)
    chosen = torch.tensor_split(order(labels, recipe, epoch), steps)
    for step in range(first_step, steps):
        numbers = chosen[step]
        generator = torch.Generator().manual_seed(mixed(recipe.seed, epoch, step, "augment"))
        changes = draw(len(numbers), augmentation(recipe), generator)
        rows = share.of(len(numbers))
        mine = numbers[rows]
        yield Batch(step, pixels.take(mine), labels[mine], changes.part(rows), len(numbers))
