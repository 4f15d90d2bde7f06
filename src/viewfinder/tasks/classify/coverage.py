"""Sets of classes that hold the true one as often as is asked: split conformal prediction.

Of each held-out picture it is known which probability its own class was given. A class is in the
set of a new picture if it is given no less than the k-th least of these n, k = ⌊(n + 1)(1 − c)⌋:
where pictures are drawn as those were, the set holds the true class with probability c or more
(Vovk et al., 2005; Sadinle et al., 2019, for this score). The likeliest class is always in it.
"""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from viewfinder.errors import InputError
from viewfinder.values import as_list, as_number

TRUE_SHARES = "true"
"""The word of `calibration.json`, and of a model's habits, for these probabilities."""


@dataclass(frozen=True, eq=False)
class TrueShares:
    """What the true class was given in n held-out pictures, by rising share."""

    shares: tuple[float, ...]

    def least_share(self, coverage: float) -> float:
        """The least probability of a class that is in a set.

        Args:
            coverage: above 0, below 1: how often sets are to hold the true class.

        Raises:
            InputError: too few pictures were held out for that.
        """
        # Fractions such as 1 - 0.9 lie a last bit below what they are meant to be.
        place = math.floor((len(self.shares) + 1) * (1 - coverage) + 1e-9)
        if place < 1:
            needed = math.ceil(coverage / (1 - coverage) - 1e-9)
            raise InputError(
                f"--coverage {coverage:g} needs {needed:,} held-out pictures or more, and this run "
                f"has {len(self.shares):,}: ask for less, or train with more in val (a larger "
                "--val-share, where the set has no val of its own)"
            )
        return self.shares[place - 1]

    def spread(self, coverage: float) -> tuple[float, float]:
        """Between what coverages sets lie in 90 % of such held-out splits, by chance."""
        count, place = len(self.shares), math.floor((len(self.shares) + 1) * (1 - coverage) + 1e-9)
        draws = np.random.default_rng(0).beta(count + 1 - place, place, 4000)
        low, high = np.quantile(draws, (0.05, 0.95)).tolist()
        return low, high


def members(probabilities: NDArray[np.float32], least: float) -> tuple[int, ...]:
    """The classes of a picture's set, the likeliest first."""
    order = np.argsort(-probabilities, kind="stable").tolist()
    # What was kept is rounded to seven digits.
    return tuple(c for c in order if c == order[0] or probabilities[c] >= least - 1e-6)


def read_shares(value: object) -> TrueShares | None:
    """From `calibration.json`; None where there are none.

    Raises:
        ValueError: it is no list of shares.
    """
    if value is None:
        return None
    shares = tuple(as_number(each) for each in as_list(value))
    if not all(0 <= each <= 1 for each in shares) or list(shares) != sorted(shares):
        raise ValueError("no shares")
    return TrueShares(shares)
