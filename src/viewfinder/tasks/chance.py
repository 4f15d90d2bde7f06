"""What chance makes of what is seen in a few pictures."""

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from viewfinder.student import two_sided_p


def worth(counts: Sequence[int]) -> float:
    """As many pictures as have an accuracy with the error of a balanced one, of so many a class.

    Each of C classes has a C-th part of the mean, and an error of its own: with n pictures each,
    b (1 - b) Σ 1/n is C² times the square of the mean's. Classes without pictures have no part.
    """
    there = [count for count in counts if count]
    return len(there) ** 2 / sum(1 / count for count in there) if there else 0.0


def share_error(share: float, pictures: float) -> float:
    """One standard error of a share; Laplace's rule keeps it above 0."""
    likely = (share * pictures + 1) / (pictures + 2)
    return math.sqrt(likely * (1 - likely) / max(1.0, pictures))


def at_most(right: int, count: int, share: float) -> float:
    """The chance that of `count` pictures no more than `right` are, where each is with `share`.

    Args:
        share: in ]0, 1[.
    """
    ways = math.lgamma(count + 1)
    yes, no = math.log(share), math.log1p(-share)
    return math.fsum(
        math.exp(
            ways - math.lgamma(k + 1) - math.lgamma(count - k + 1) + k * yes + (count - k) * no
        )
        for k in range(right + 1)
    )


def likelier_by_chance(before: NDArray[np.float64], after: NDArray[np.float64]) -> float:
    """How likely chance makes true classes so much likelier: a paired t test, to one side.

    More is known of an answer than whether its class is right: by how much that is believed. So a
    dozen answers can tell, where the few whose class changes could not.

    Args:
        before, after: how far the true class of each answer is believed.
    """
    gains = np.log(after) - np.log(before)
    if len(gains) < 2 or gains.mean() <= 0:
        return 1.0
    error = float(gains.std(ddof=1)) / math.sqrt(len(gains))
    return two_sided_p(float(gains.mean()) / error, len(gains) - 1) / 2 if error else 0.0
