"""Whether a set is learnt in tiles: what its recipe says, or how small its objects are."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from viewfinder import nets
from viewfinder.datasets.boxes import to_find
from viewfinder.datasets.dataset import Dataset
from viewfinder.datasets.measuring import longer_sides, object_shares
from viewfinder.errors import InputError
from viewfinder.tasks.detect.recipe import LEAST_SIDE, DetectRecipe
from viewfinder.tasks.detect.tiling.tiles import Tiles

# An object's side as the net sees it, in pixels: with less, it is missed; with so many, it is not.
_TOO_SMALL, _ENOUGH = 12, 24
# Tiles are worth their time where a picture's longer side has so many times theirs.
_LARGE = 1.5
# Where more of the objects than this are larger than a tile, pictures are better seen whole.
_MOST_LARGER = 0.05
# Pictures that tell how large objects are.
_SAMPLE = 500


class _Sides(NamedTuple):
    """The longer side of each picture, and each box's sides, of a sample of a set."""

    pictures: NDArray[np.float64]
    objects: NDArray[np.float64]  # M×2
    shares: NDArray[np.float64]  # of the picture's longer side that is an object's mean one

    @property
    def small(self) -> float:
        """The mean side that a quarter of the objects do not reach."""
        return float(np.quantile(np.sqrt(self.objects.prod(axis=1)), 0.25))

    @property
    def small_share(self) -> float:
        """The same as a share of the picture's longer side."""
        return float(np.quantile(self.shares, 0.25))


def tiles_for(recipe: DetectRecipe, dataset: Dataset) -> Tiles | None:
    """The tiles in which a set is learnt and answered; None where pictures are seen whole.

    Raises:
        InputError: tiles are asked for together with a second opinion, which knows none.
    """
    if recipe.tiles == "none":
        return None
    if recipe.tiles != "auto":
        if recipe.second_opinion:
            raise InputError("--tiles and --second-opinion do not go together: leave one out")
        return Tiles(recipe.tiles, recipe.overlap)
    if recipe.second_opinion:
        return None
    sides, seen = _sides(dataset.split("train")), _seen(recipe)
    if sides is None or seen < LEAST_SIDE:  # such a size is refused elsewhere
        return None
    tiles = Tiles(round(seen * max(1.0, sides.small / _ENOUGH)), recipe.overlap)
    small = sides.small_share * seen < _TOO_SMALL
    large = float(np.median(sides.pictures)) >= _LARGE * tiles.side
    larger = float((sides.objects.max(axis=1) > tiles.side).mean())
    return tiles if small and large and larger <= _MOST_LARGER else None


def describe_tiling(recipe: DetectRecipe, dataset: Dataset, tiles: Tiles) -> str:
    """A sentence that says in which tiles a set is learnt, and if nobody asked for them why."""
    if recipe.tiles != "auto":
        return f"learnt and answered in {tiles}"
    sides, seen = _sides(dataset.split("train")), _seen(recipe)
    assert sides is not None, "there are none to decide by"
    return (
        f"objects are small against the pictures: in pictures shrunk to {seen} pixels, a quarter "
        f"of them would have {sides.small_share * seen:.0f} or less; so learnt and answered in "
        f"{tiles} (--tiles none sees pictures whole)"
    )


def _seen(recipe: DetectRecipe) -> int:
    """The longer side of what the net is given."""
    return recipe.size or nets.input_size(recipe.net)[0]


def _sides(train: Dataset) -> _Sides | None:
    """How large objects and pictures are, by a sample; None where it holds no object."""
    chosen = train.select(np.arange(0, len(train), max(1, len(train) // _SAMPLE)))
    assert chosen.boxes is not None, "`require` has seen to it"
    boxes = chosen.boxes.keep(to_find(chosen.boxes))
    if not len(boxes):
        return None
    longer = np.maximum(longer_sides(chosen), 1).astype(np.float64)
    objects = boxes.corners[:, 2:] - boxes.corners[:, :2]
    return _Sides(longer, objects, object_shares(boxes.corners, longer[boxes.pictures()]))
