"""Composed scenes by number, made as they are asked for."""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from viewfinder.composing.composition import Composition
from viewfinder.composing.cutouts import CutOut, fitted
from viewfinder.composing.scenes import Scene, check_size, compose_scene
from viewfinder.composing.shelf import Shelf, shelve
from viewfinder.errors import InputError
from viewfinder.pictures.geometry import BoxArray


@dataclass(frozen=True, eq=False)
class Composed:
    """A sequence of `count` scenes of which none is stored: each is made when it is asked for.

    A scene is a function of `seed` and its number: asking again, in another order or in another
    process, gives the same pixels. `composed[i]` and a loop go from 0 to `count`; `scene(number)`
    takes any number from 0 on, so that epoch `e` of a training may ask for `e * count + i` and
    never see a scene twice.
    """

    shelf: Shelf
    backgrounds: tuple[NDArray[np.uint8], ...]
    settings: Composition
    size: tuple[int, int]
    count: int
    seed: int

    def __len__(self) -> int:
        return self.count

    def __getitem__(self, number: int) -> tuple[NDArray[np.uint8], BoxArray, NDArray[np.int64]]:
        """The picture, H×W×3, the boxes, K×4, and the labels, K, of a scene."""
        if not 0 <= number < self.count:
            raise IndexError(f"there are {self.count} scenes, and no number {number}")
        return self.scene(number)[:3]

    def __iter__(self) -> Iterator[tuple[NDArray[np.uint8], BoxArray, NDArray[np.int64]]]:
        return (self[number] for number in range(self.count))

    def scene(self, number: int) -> Scene:
        """Scene `number` with its masks, as `compose_scene` gives it."""
        generator = np.random.default_rng([self.seed, number])
        return compose_scene(self.shelf, self.backgrounds, self.settings, self.size, generator)


def check_request(size: tuple[int, int], count: int, seed: int) -> None:
    """Refuse what no set of scenes can be, before any work is done for it.

    Raises:
        InputError: an impossible size, no scenes at all, or a seed below 0.
    """
    check_size(size)
    if count < 1:
        raise InputError(f"a set has at least one scene, not {count}")
    if seed < 0:
        raise InputError(f"a seed is a whole number from 0 on, not {seed}")


def composed(
    cutouts: Sequence[CutOut],
    backgrounds: Sequence[NDArray[np.uint8]],
    *,
    size: tuple[int, int],
    count: int,
    settings: Composition | None = None,
    seed: int = 0,
) -> Composed:
    """Scenes to learn detection from, beside labelled pictures or without any.

    Cut-outs are scaled down once to what scenes of this size can show of them.

    Args:
        cutouts: of pictures on the side `train` alone, as `cutouts_from` gives them.
        backgrounds: H×W×3 each.
        size: width and height of a scene.
        count: how many there are; what `len` tells.
        seed: another seed gives other scenes.

    Raises:
        InputError: no cut-outs, or what `check_request` refuses.
    """
    check_request(size, count, seed)
    settings = settings or Composition()
    longest = math.ceil(settings.scale[1] * min(size))
    shelf = shelve([fitted(cutout, longest) for cutout in cutouts])
    return Composed(shelf, tuple(backgrounds), settings, size, count, seed)
