"""A space of few dimensions for a net's vectors, in which it is known what is near.

Vectors of a net lie close together, about their mean: it is taken away, and the directions that
matter least, so that a file of thousands stays small; how far a vector lies outside of the
directions that are kept counts for its distance.
"""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from viewfinder.features.own import Vectors

_MOST = 128
_NEIGHBOURS = 10
"""Neighbours whose mean distance is a picture's."""
_BLOCK = 512


@dataclass(frozen=True, eq=False)
class Placed:
    """Where M vectors lie: M×K along the axes of a space, and how far outside of them."""

    along: Vectors
    outside: NDArray[np.float64]

    @cached_property
    def unit(self) -> Vectors:
        """Their directions."""
        return _at_length_one(self.along)


@dataclass(frozen=True, eq=False)
class Space:
    """The directions in which N vectors differ most, and where these lie.

    Attributes:
        mean: D, what is taken away.
        axes: K×D, of length 1 and square to one another.
        vectors: N×K along the axes.
    """

    mean: Vectors
    axes: Vectors
    vectors: Vectors

    @cached_property
    def _unit(self) -> Vectors:
        return _at_length_one(self.vectors)

    def place(self, vectors: Vectors) -> Placed:
        """Where others lie."""
        apart = (vectors - self.mean).astype(np.float64)
        along = apart @ self.axes.T.astype(np.float64)
        outside = np.maximum((apart**2).sum(axis=1) - (along**2).sum(axis=1), 0)
        return Placed(along.astype(np.float32), np.sqrt(outside))

    def distances(self, placed: Placed, *, neighbours: int = _NEIGHBOURS) -> NDArray[np.float64]:
        """M×2, the mean over the nearest: by direction, from 0 to 2, and by place."""
        count = min(neighbours, len(self.vectors))
        lengths = (self.vectors.astype(np.float64) ** 2).sum(axis=1)
        parts = [np.zeros((0, 2))]
        for start in range(0, len(placed.along), _BLOCK):
            rows = slice(start, start + _BLOCK)
            along = placed.along[rows].astype(np.float64)
            apart = (along**2).sum(axis=1)[:, None] + lengths - 2 * along @ self.vectors.T
            apart = np.sqrt(np.maximum(apart + placed.outside[rows, None] ** 2, 0))
            turned = 1 - (placed.unit[rows] @ self._unit.T).astype(np.float64)
            near = [
                np.partition(each, count - 1)[:, :count].mean(axis=1) for each in (turned, apart)
            ]
            parts.append(np.stack(near, axis=1))
        return np.concatenate(parts)

    def nearest(self, placed: Placed, count: int) -> list[tuple[int, float]]:
        """The rows that are most like one vector by direction, and how much; 1 is equal."""
        likeness = self._unit @ placed.unit[0]
        order = np.argsort(-likeness, kind="stable")[:count].tolist()
        return [(row, min(1.0, float(likeness[row]))) for row in order]


def space_of(vectors: Vectors) -> Space:
    """The space of N×D vectors."""
    mean = vectors.mean(axis=0)
    apart = (vectors - mean).astype(np.float64)
    values, axes = np.linalg.eigh(apart.T @ apart)
    kept = np.argsort(-values, kind="stable")[: min(_MOST, len(vectors))]
    chosen = np.ascontiguousarray(axes[:, kept].T, np.float32)
    return Space(mean, chosen, np.asarray(apart @ chosen.T, np.float32))


def _at_length_one(vectors: Vectors) -> Vectors:
    lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
    return np.asarray(vectors / np.maximum(lengths, 1e-12), np.float32)
