"""How far a score would move with other pictures of the same kind, and which differences are more
than chance: the bootstrap over pictures.

A set's pictures are drawn anew, as many as there are, with replacement, a few thousand times; each
draw gives every method's score. Both methods of a comparison see the same draw, so that what is
hard for all of them drops out of the difference. B. Efron and R. Tibshirani, "An Introduction to
the Bootstrap" (1993). Of few pictures, the plain percentiles lie too close together; they are taken
farther out, by the quantiles of Student's t: T. Hesterberg, "What Teachers Should Know About the
Bootstrap", The American Statistician 69 (2015).
"""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from statistics import NormalDist

import numpy as np
from numpy.typing import NDArray

from viewfinder.evaluation.over_seeds import CHANCE, holm
from viewfinder.student import critical_t, two_sided_p

Values = NDArray[np.float64]
Draws = NDArray[np.float64]

DRAWS = 4_000
"""Of pictures, for each set: the ends of an interval then move by some 3 % of its width."""
_FEWEST = 2
_JEFFREYS, _SEEN = 0.5, 50
# Draws beyond 0 whose share says what chance does.
_FEW = 20
_ROWS = 500
_NORMAL = NormalDist()


@dataclass(frozen=True)
class Interval:
    """A score, and where 95 of 100 such sets of pictures would put it; no ends of one picture."""

    value: float
    low: float | None
    high: float | None

    def turned(self) -> "Interval":
        """Of a difference, the same from the other side."""
        ends = (None, None) if self.low is None or self.high is None else (-self.high, -self.low)
        return Interval(-self.value, *ends)


@dataclass(frozen=True)
class MethodPair:
    """One method less another.

    Attributes:
        value: the difference of their scores, and its interval.
        p: how often chance alone would differ as much; None where there are too few pictures.
        p_holm: the same for all pairs together.
        images: that both have answered.
    """

    one: str
    other: str
    value: Interval
    p: float | None
    p_holm: float | None
    images: int

    @property
    def clear(self) -> bool:
        """Whether it is more than chance."""
        return self.p_holm is not None and self.p_holm <= CHANCE


Figure = Callable[[Values], Values]
"""From the mean over pictures, …×k, of what a score is made of to the score, …"""


def shares(images: int, draws: int = DRAWS, *, seed: int = 0) -> NDArray[np.float32]:
    """What share each picture has in each draw: draws×images, rows that sum to 1."""
    if images < _FEWEST:
        return np.zeros((0, images), np.float32)
    random = np.random.default_rng(seed)
    counts = random.multinomial(images, np.full(images, 1 / images), size=draws)
    return (counts / images).astype(np.float32)


@lru_cache(maxsize=2)
def same_shares(images: int) -> NDArray[np.float32]:
    """`shares` of the usual draws, kept: every method and metric takes the same."""
    return shares(images, DRAWS)


def redrawn(shares: NDArray[np.float32], values: Values, figure: Figure) -> Draws:
    """The score of each draw.

    Args:
        values: images×k, what the score is made of.
    """
    if not len(shares):
        return np.zeros(0)
    # What is small is rounded little: pictures that are all alike give the very same score.
    centre = values.mean(axis=0)
    small = (values - centre).astype(np.float32)
    # In blocks, so that what the scores are made of stays in the processor's cache.
    blocks = (shares[at : at + _ROWS] @ small for at in range(0, len(shares), _ROWS))
    found = [figure(centre + block.astype(np.float64)) for block in blocks]
    return np.concatenate(found)


def interval(value: float, draws: Draws, images: int) -> Interval:
    """The middle 95 % of the draws, widened for few pictures."""
    if len(draws) == 0:
        return Interval(value, None, None)
    tail = _NORMAL.cdf(-_widening(images) * critical_t(CHANCE, images - 1))
    low, high = np.quantile(draws, [tail, 1 - tail])
    return Interval(value, float(low), float(high))


def score_interval(value: float, draws: Draws, images: int) -> Interval:
    """`interval` of a score from 0 to 1, which of few pictures allows for ones unlike them all.

    A kind that every tenth picture is of is not among 20 of them one time in eight, and then no
    draw has it. So half a picture, the weight that Jeffreys's prior gives to each side of a share,
    is taken to score 0 for the lower end and 1 for the upper; its weight falls to none at 50
    pictures, among which such a kind is missing one time in 200.
    """
    unseen = _JEFFREYS * (1 - (images / _SEEN) ** 2)
    if len(draws) == 0 or unseen <= 0:
        return interval(value, draws, images)
    weight = np.random.default_rng(0).beta(unseen, images, len(draws))
    # The draws are widened by themselves, since the weight is no sample's mean.
    farther = _widening(images) * critical_t(CHANCE, images - 1) / _NORMAL.inv_cdf(1 - CHANCE / 2)
    own = (draws.mean() + farther * (draws - draws.mean())) * (1 - weight)
    low, high = np.quantile(own, CHANCE / 2), np.quantile(own + weight, 1 - CHANCE / 2)
    return Interval(value, min(value, max(0.0, float(low))), max(value, min(1.0, float(high))))


def wilson(share: float, count: float) -> tuple[float, float]:
    """Wilson's 95 % interval of a share seen among `count`, clamped to [0, 1] by construction."""
    z = 1.96
    centre = (share + z * z / (2 * count)) / (1 + z * z / count)
    half = z / (1 + z * z / count)
    half *= math.sqrt(share * (1 - share) / count + z * z / (4 * count * count))
    return max(0.0, centre - half), min(1.0, centre + half)


def chance(draws: Draws, images: int) -> float | None:
    """How often chance alone puts 0 as far out among draws of a difference, both sides."""
    if len(draws) == 0:
        return None
    below, same = int((draws < 0).sum()), int((draws == 0).sum())
    if same == len(draws):
        return 1.0
    if float(draws.std()) == 0:
        # Of pictures that all differ alike: so often would as many signs by chance be the same.
        return float(2.0 ** (1 - images))
    # A draw that is 0 lies on both sides.
    beyond = min(below, len(draws) - below - same) + same / 2
    if beyond < _FEW:
        # So few say little of so small a chance; the draws' mean and spread say more.
        z = -abs(float(draws.mean())) / float(draws.std())
    else:
        z = _NORMAL.inv_cdf(min(0.5, beyond / len(draws)))
    return two_sided_p(z / _widening(images), images - 1)


def _widening(images: int) -> float:
    return math.sqrt(images / (images - 1))


def pairs(scores: Mapping[str, float], draws: Mapping[str, Draws], images: int) -> list[MethodPair]:
    """Every method less every later one, corrected by Holm for their number.

    Args:
        scores: of each method over the same pictures.
        draws: the score of each draw, the same draws for all.
    """
    names = list(scores)
    found = [(one, other) for k, one in enumerate(names) for other in names[k + 1 :]]
    plain = []
    for one, other in found:
        moved = draws[one] - draws[other]
        value, p = interval(scores[one] - scores[other], moved, images), chance(moved, images)
        plain.append((_agreeing(value, p), p))
    adjusted = holm([p for _, p in plain if p is not None])
    corrected = iter(adjusted)
    return [
        MethodPair(one, other, value, p, None if p is None else next(corrected), images)
        for (one, other), (value, p) in zip(found, plain, strict=True)
    ]


def _agreeing(value: Interval, p: float | None) -> Interval:
    """The interval, which holds 0 where chance alone would differ as much.

    The two are taken from the draws by other ways; of few pictures, of which most are alike, one
    may lie on this side of the border and the other beyond it. Then the more careful one counts.
    """
    if p is None or p <= CHANCE or value.low is None or value.high is None:
        return value
    return Interval(value.value, min(value.low, 0.0), max(value.high, 0.0))


def ranks(scores: Sequence[float], *, higher_is_better: bool) -> list[float]:
    """1 for the best; equal ones share the mean of their places."""
    signed = np.array(scores) * (-1 if higher_is_better else 1)
    return [float((signed < each).sum() + (signed == each).sum() / 2 + 0.5) for each in signed]
