"""What a step is made of: pictures and their classes, how they are changed, and the loss."""

from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional

from viewfinder.datasets import Keep
from viewfinder.datasets.augment import Augmentation, Changes
from viewfinder.datasets.dataset import Dataset
from viewfinder.datasets.loading import Pixels, open_pixels
from viewfinder.devices import send
from viewfinder.files import cache_folder
from viewfinder.pictures.geometry import Size
from viewfinder.tasks.answering import NetOutput
from viewfinder.tasks.classify.recipe import ClassifyRecipe

# Szegedy et al. 2014, section 5: the auxiliary heads' losses count 0.3 each.
AUXILIARY_WEIGHT = 0.3


def loss(outputs: NetOutput, labels: Tensor, *, label_smoothing: float) -> Tensor:
    """Cross-entropy, averaged over the batch.

    Args:
        outputs: N×C logits, or a tuple of such whose first is the net's answer and whose others
            are auxiliary heads.
        labels: N class indices.
        label_smoothing: share of the truth that is spread evenly over all classes.
    """
    heads = outputs if isinstance(outputs, tuple) else (outputs,)
    losses = [
        functional.cross_entropy(logits.float(), labels, label_smoothing=label_smoothing)
        for logits in heads
    ]
    return torch.stack([losses[0], *(AUXILIARY_WEIGHT * other for other in losses[1:])]).sum()


@dataclass(frozen=True)
class Labelled:
    """Pictures and the class of each: `tasks.parts.Examples`."""

    pixels: Pixels
    truth: Dataset

    @property
    def waits(self) -> bool:
        return self.pixels.waits

    def __len__(self) -> int:
        return len(self.truth)


def open_labelled(split: Dataset, size: Size, *, keep: Keep) -> Labelled:
    """A split's pictures, letterboxed into `size` and kept where `keep` says."""
    return Labelled(open_pixels(split, size, keep=keep, cache=cache_folder()), split)


@dataclass(frozen=True)
class LabelBatch:
    """N×3×H×W uint8 pictures, their N class indices, and the changes still to be made."""

    pictures: Tensor
    labels: Tensor
    changes: Changes

    def __len__(self) -> int:
        return len(self.labels)

    def to(self, device: torch.device) -> "LabelBatch":
        """The same on another device."""
        return LabelBatch(send(self.pictures, device), send(self.labels, device), self.changes)


def augmentation(recipe: ClassifyRecipe) -> Augmentation:
    """The recipe's augmentation."""
    return Augmentation(
        shift=recipe.shift,
        scale=recipe.scale,
        turn=recipe.turn,
        flip=recipe.flip,
        colour=recipe.colour,
        erase=recipe.erase,
    )
