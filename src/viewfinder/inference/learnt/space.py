"""A space of few dimensions for a net's vectors, in which nearness is a product.

Vectors of a net lie close together, about their mean: it is taken away, and the directions that
matter least, so that a file of thousands stays small.
"""

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from viewfinder.features.own import Vectors

_MOST = 128
NEIGHBOURS = 10
"""Neighbours whose mean distance is a picture's."""
_BLOCK = 512


@dataclass(frozen=True, eq=False)
class Space:
    """The directions in which N vectors differ most, and where these lie.

    Attributes:
        mean: D, what is taken away.
        axes: K×D.
        vectors: N×K of length 1.
    """

    mean: Vectors
    axes: Vectors
    vectors: Vectors

    def place(self, vectors: Vectors) -> Vectors:
        """Where others lie: M×K of length 1."""
        return _at_length_one(np.asarray((vectors - self.mean) @ self.axes.T, np.float32))

    def distances(self, placed: Vectors, *, neighbours: int = NEIGHBOURS) -> NDArray[np.float64]:
        """The mean distance of M×K from their nearest: 0 of what is there, 2 of the opposite."""
        count = min(neighbours, len(self.vectors))
        parts = []
        for start in range(0, len(placed), _BLOCK):
            likeness = placed[start : start + _BLOCK] @ self.vectors.T
            nearest = np.partition(likeness, -count, axis=1)[:, -count:]
            parts.append(1 - nearest.mean(axis=1, dtype=np.float64))
        return np.concatenate([np.zeros(0), *parts])

    def nearest(self, placed: Vectors, count: int) -> list[tuple[int, float]]:
        """The rows that are most like one vector of K, and how much; 1 is equal."""
        likeness = self.vectors @ placed
        order = np.argsort(-likeness, kind="stable")[:count].tolist()
        return [(row, min(1.0, float(likeness[row]))) for row in order]


def space_of(vectors: Vectors) -> Space:
    """The space of N×D vectors."""
    mean = vectors.mean(axis=0)
    apart = (vectors - mean).astype(np.float64)
    values, axes = np.linalg.eigh(apart.T @ apart)
    kept = np.argsort(-values, kind="stable")[: min(_MOST, len(vectors))]
    chosen = np.ascontiguousarray(axes[:, kept].T, np.float32)
    space = Space(mean, chosen, np.zeros((0, len(chosen)), np.float32))
    return replace(space, vectors=space.place(vectors))


def _at_length_one(vectors: Vectors) -> Vectors:
    lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
    return np.asarray(vectors / np.maximum(lengths, 1e-12), np.float32)
