"""Which pictures are shown side by side: where methods differ, and where two agree or do not."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from viewfinder.evaluation.sampling import Values
from viewfinder.scoring.contest import ComparedPicture, Contest


def differing(
    contest: Contest, common: Sequence[str], methods: Sequence[str], count: int
) -> list[ComparedPicture]:
    """The pictures on which methods differ most, the most first.

    Of those on which they differ alike, as answers that are right or wrong do, some from all over
    the list: in its order pictures of one class lie together.
    """
    spread = contest.goodness(common, methods).std(axis=1).round(9)
    chosen: list[int] = []
    for value in np.unique(spread[spread > 0])[::-1]:
        alike = np.flatnonzero(spread == value)
        wanted = min(count - len(chosen), len(alike))
        chosen += alike[np.arange(wanted) * len(alike) // max(wanted, 1)].tolist()
        if len(chosen) == count:
            break
    return [contest.row(common[k], methods) for k in chosen]


@dataclass(frozen=True)
class Agreement:
    """How two methods' answers go together, picture by picture.

    Attributes:
        both: pictures that both have right.
        one_better, other_better: others on which one is better; of classes, alone right.
        neither: others on which they are alike; of classes, both wrong.
    """

    one: str
    other: str
    both: tuple[str, ...]
    one_better: tuple[str, ...]
    other_better: tuple[str, ...]
    neither: tuple[str, ...]


def agreement(contest: Contest, common: Sequence[str], one: str, other: str) -> Agreement:
    """Pictures by who is right on them, the clearest first."""
    if not common:
        return Agreement(one, other, (), (), (), ())
    good = contest.goodness(common, (one, other))
    first, second = good.T
    worse = good.min(axis=1)
    both = worse >= contest.right_from

    def ordered(chosen: NDArray[np.bool_], by: Values) -> tuple[str, ...]:
        order = np.argsort(-by, kind="stable").tolist()
        return tuple(common[k] for k in order if chosen[k])

    return Agreement(
        one,
        other,
        both=ordered(both, worse),
        one_better=ordered(~both & (first > second), first - second),
        other_better=ordered(~both & (second > first), second - first),
        neither=ordered(~both & (first == second), -first),
    )
