"""Whole batches of pictures with their masks and depth maps, changed at random, all alike.

The draws are those of `datasets.augment`: one matrix and one resample for the three together, and
a change of colour for the picture alone, since depth has no colours.
"""

from dataclasses import replace

import torch
from torch import Tensor

from viewfinder.datasets import augment
from viewfinder.datasets.augment import Augmentation, Changes
from viewfinder.tasks.saliency.recipe import SaliencyRecipe


def apply(
    pictures: Tensor, masks: Tensor, depths: Tensor | None, changes: Changes
) -> tuple[Tensor, Tensor, Tensor | None]:
    """Change a batch; what comes from outside a picture mirrors its edge.

    Args:
        pictures: N×3×H×W float32 in [0, 1], on any device.
        masks: N×H×W of 0 and 1.
        depths: N×1×H×W float32, or None.

    Returns:
        The same shapes, types and ranges; a mask is 1 where at least half of a pixel is.

    Raises:
        ValueError: `changes` erase squares, which would hide what the mask shows.
    """
    if changes.squares is not None:
        raise ValueError("erasing squares hides subjects that the masks still show")
    layers = [pictures, masks[:, None].to(pictures.dtype)]
    if depths is not None:
        layers.append(depths)
    moved = augment.apply(torch.cat(layers, dim=1), replace(changes, colours=None))
    recoloured = moved[:, :3]
    if changes.colours is not None:
        recoloured = augment.recolour(recoloured, changes.colours)
    mask = (moved[:, 3] >= 0.5).to(masks.dtype)
    return recoloured, mask, None if depths is None else moved[:, 4:]


def augmentation(recipe: SaliencyRecipe) -> Augmentation:
    """The recipe's augmentation."""
    return Augmentation(
        shift=recipe.shift,
        scale=recipe.scale,
        turn=recipe.turn,
        flip=recipe.flip,
        colour=recipe.colour,
    )
