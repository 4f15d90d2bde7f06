"""Whether classes mean what they should: another order of them, told by the truth."""

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from viewfinder.datasets.dataset import Dataset
from viewfinder.wording import counted, some

# Far better: so many times as many right, and by so many standard deviations of the difference
# where both readings are as good.
_TIMES, _DEVIATIONS = 3, 3
# By other names so many answers are right at least.
_LEAST_MEANT = 0.4


def far_better(one: NDArray[np.bool_], other: NDArray[np.bool_]) -> bool:
    """Whether one reading of the same answers is right far more often than another."""
    gained, lost = int((one & ~other).sum()), int((other & ~one).sum())
    clear = gained - lost > _DEVIATIONS * np.sqrt(gained + lost)
    return bool(clear and one.sum() >= _TIMES * other.sum())


def class_order_notes(labels: Mapping[str, int], truth: Dataset) -> list[str]:
    """A note where another name for each class would make far more answers right.

    The names are found in one half of the pictures and held to the other, so that chance gains
    nothing by them.

    Args:
        labels: of each answered picture its class; -1 for one that the set does not have.
    """
    of = dict(zip(truth.paths, truth.labels.tolist(), strict=True))
    known = [(own, of[path]) for path, own in labels.items() if own >= 0]
    if not known:
        return []
    said, true = np.array(known).T
    # Every second picture of each class.
    order = np.lexsort((said, true))
    half = np.empty(len(said), bool)
    half[order] = np.arange(len(said)) % 2 == 0
    count = len(truth.classes)
    meant = np.where(
        half,
        _renamed(said[~half], true[~half], count)[said],
        _renamed(said[half], true[half], count)[said],
    )
    # Classes that keep their names say nothing of those that do not.
    moved = meant != said
    found = (meant == true)[moved]
    if not far_better(found, (said == true)[moved]) or found.mean() < _LEAST_MEANT:
        return []
    whole = _renamed(said, true, count)
    pairs = [
        f"of {counted(int((true == b).sum()), 'picture')} of {truth.classes[b]} "
        f"{int(((said == a) & (true == b)).sum()):,} are called {truth.classes[a]}"
        for b, a in sorted((int(b), a) for a, b in enumerate(whole.tolist()) if a != b)
    ]
    return [
        f"its classes seem to be in another order than the set's: {some(pairs)}; with other names "
        f"for them {int((whole[said] == true).sum()):,} of {len(said):,} would be right, and not "
        f"{int((said == true).sum()):,}: see in which order the method has its classes"
    ]


def _renamed(said: NDArray[np.int64], true: NDArray[np.int64], count: int) -> NDArray[np.int64]:
    """For each class another that it may mean, no two the same: the most pictures first."""
    table = np.zeros((count, count), np.int64)
    np.add.at(table, (said, true), 1)
    rows, columns = np.nonzero(table)
    # Of as many pictures, the class's own name first.
    order = np.lexsort((rows != columns, -table[rows, columns]))
    meant = np.full(count, -1)
    taken = np.zeros(count, bool)
    for row, column in zip(rows[order].tolist(), columns[order].tolist(), strict=True):
        if meant[row] < 0 and not taken[column]:
            meant[row], taken[column] = column, True
    own = (meant < 0) & ~taken
    meant[own] = np.flatnonzero(own)
    # The others keep their names: what they mean is not known.
    left = meant < 0
    meant[left] = np.flatnonzero(left)
    return meant
