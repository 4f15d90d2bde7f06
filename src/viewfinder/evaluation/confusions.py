"""Which classes are taken for which, the commonest first."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class Confusion:
    """A pair of classes: what it is, what was answered, how often, and in what share of the row."""

    true: int
    answered: int
    count: int
    share: float


def common_confusions(counts: NDArray[np.int64], *, most: int = 6) -> list[Confusion]:
    """The pairs of classes most often taken for one another.

    Args:
        counts: C×C, a row a true class, a column an answer.
    """
    wrong = counts - np.diag(np.diag(counts))
    order = np.argsort(wrong, axis=None)[::-1][:most]
    pairs = [divmod(int(flat), len(counts)) for flat in order if wrong.flat[flat]]
    return [
        Confusion(
            true,
            answered,
            int(wrong[true, answered]),
            float(wrong[true, answered] / counts[true].sum()),
        )
        for true, answered in pairs
    ]
