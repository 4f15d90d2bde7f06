"""Cut-outs on a shelf, from which every class and every thing is taken as often as the others."""

import math
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from viewfinder.composing.cutouts import CutOut
from viewfinder.errors import InputError


@dataclass(frozen=True, eq=False)
class Shelf:
    """Cut-outs sorted by class and by what they were cut from, so that each is drawn as often."""

    classes: tuple[tuple[tuple[CutOut, ...], ...], ...]

    def draw(self, count: int, rng: np.random.Generator) -> Iterator[CutOut]:
        """So many cut-outs: every class once before any comes twice; sources evenly."""
        rounds = math.ceil(count / len(self.classes))
        order = np.concatenate([rng.permutation(len(self.classes)) for _ in range(rounds)])
        for place in order[:count].tolist():
            sources = self.classes[place]
            source = sources[rng.integers(len(sources))]
            yield source[rng.integers(len(source))]


def shelve(cutouts: Sequence[CutOut]) -> Shelf:
    """Sort cut-outs by class and source.

    Raises:
        InputError: there are none.
    """
    if not cutouts:
        raise InputError("there are no cut-outs, so there is nothing to compose a scene of")
    sorted_: defaultdict[int, defaultdict[str, list[CutOut]]] = defaultdict(
        lambda: defaultdict(list)
    )
    for cutout in cutouts:
        sorted_[cutout.label][cutout.source].append(cutout)
    return Shelf(
        tuple(
            tuple(tuple(sources[name]) for name in sorted(sources))
            for _, sources in sorted(sorted_.items())
        )
    )
