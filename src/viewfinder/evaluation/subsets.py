"""Where a model is weak: its answers by what the pictures are like, and which differences are more
than chance.

What was answered, pictures or objects, is dealt into thirds by each trait, such as brightness; each
third's figure is compared with that of all others by the bootstrap over pictures, with Holm's
correction for all thirds of all traits (`evaluation.sampling`).
"""

from dataclasses import dataclass, replace
from typing import TypedDict

import numpy as np
from numpy.typing import NDArray

from viewfinder.evaluation.over_seeds import CHANCE, holm
from viewfinder.evaluation.sampling import Values, chance, redrawn, score_interval, shares, wilson
from viewfinder.wording import counted

LEAST_PICTURES = 30
"""With fewer pictures, thirds of them tell nothing."""
# Fewer pictures than this, in a third or beside it, have a figure and no verdict.
_FEW = 10
_DRAWS = 2000
# What rounding leaves of a value that is 0.
_NOTHING = 1e-3


class SubsetFigures(TypedDict):
    """A part of the pictures in JSON; see `Subset`."""

    trait: str
    part: str
    least: float
    most: float
    unit: str
    pictures: int
    objects: int | None
    of: str
    figure: float
    low: float | None
    high: float | None
    others: float
    p_holm: float | None
    weak: bool


@dataclass(frozen=True, eq=False)
class Trait:
    """One thing by which pictures, or objects, differ.

    Attributes:
        parts: what the lowest, middle and highest third are called.
        unit: of the values, such as %.
        values: N, of each; NaN where one has none.
    """

    name: str
    parts: tuple[str, str, str]
    unit: str
    values: Values


@dataclass(frozen=True, eq=False)
class Answered:
    """N pictures, or objects in them, each with how well it was answered.

    Attributes:
        pictures: N, the number of each one's picture, from 0.
        good: N, from 0 to 1.
        figure: what the mean of `good` is called.
        objects: whether they are objects.
    """

    pictures: NDArray[np.int64]
    good: Values
    figure: str
    traits: tuple[Trait, ...]
    objects: bool = False


@dataclass(frozen=True)
class Subset:
    """A third of what was answered, by one trait.

    Attributes:
        least, most: of the trait's values in it.
        pictures: that it lies in.
        objects: None where pictures are what is answered.
        figure: its mean, called `of`; `low` and `high` are the ends of its 95 % interval.
        others: the same of all beside it.
        p_holm: how often chance would find such a difference in some part; None of too few.
    """

    trait: str
    part: str
    unit: str
    least: float
    most: float
    pictures: int
    objects: int | None
    of: str
    figure: float
    low: float | None
    high: float | None
    others: float
    p_holm: float | None = None

    @property
    def weak(self) -> bool:
        """Whether it is worse than the others by more than chance."""
        return self.p_holm is not None and self.p_holm <= CHANCE and self.figure < self.others

    @property
    def where(self) -> str:
        """Which part it is, in words."""
        return (
            f"{self.trait} {self.part} ({_number(self.least)} to {_number(self.most)}{self.unit})"
        )

    @property
    def count(self) -> str:
        """How many it is of, in words."""
        pictures = counted(self.pictures, "picture")
        return (
            pictures if self.objects is None else f"{counted(self.objects, 'object')} in {pictures}"
        )

    def as_json(self) -> SubsetFigures:
        return {
            "trait": self.trait,
            "part": self.part,
            "least": self.least,
            "most": self.most,
            "unit": self.unit.strip(),
            "pictures": self.pictures,
            "objects": self.objects,
            "of": self.of,
            "figure": self.figure,
            "low": self.low,
            "high": self.high,
            "others": self.others,
            "p_holm": self.p_holm,
            "weak": self.weak,
        }


def _number(value: float) -> str:
    if abs(value) < _NOTHING:
        return "0"
    return f"{value:.0f}" if abs(value) >= 10 or value == round(value) else f"{value:.2g}"


def subsets(answered: Answered) -> list[Subset]:
    """All thirds of all traits; traits that are alike everywhere are left out."""
    parts = [
        (trait, part, rows, ~np.isnan(trait.values) & ~rows)
        for trait in answered.traits
        for part, rows in _thirds(trait)
    ]
    if not parts:
        return []
    sums = np.hstack([_sums(answered, rows) for _, _, *both in parts for rows in both])
    count = len(sums)
    drawn = redrawn(shares(count, _DRAWS), sums, lambda means: means)
    found = [
        _subset(
            answered, trait, part, rows, sums[:, 4 * k : 4 * k + 4], drawn[:, 4 * k : 4 * k + 4]
        )
        for k, (trait, part, rows, _) in enumerate(parts)
    ]
    adjusted = iter(holm([p for _, p in found if p is not None]))
    return [each if p is None else replace(each, p_holm=next(adjusted)) for each, p in found]


def _thirds(trait: Trait) -> list[tuple[str, NDArray[np.bool_]]]:
    """The parts that hold anything; none where one would hold all."""
    known = ~np.isnan(trait.values)
    if not known.any():
        return []
    lower, upper = np.quantile(trait.values[known], [1 / 3, 2 / 3])
    # Equal values stay together; where most are least, the rest is above them.
    low = known & (trait.values <= lower)
    high = known & (trait.values > max(upper, lower))
    parts = zip(trait.parts, (low, known & ~low & ~high, high), strict=True)
    there = [(part, rows) for part, rows in parts if rows.any()]
    return there if len(there) > 1 else []


def _subset(
    answered: Answered,
    trait: Trait,
    part: str,
    rows: NDArray[np.bool_],
    sums: Values,
    draws: Values,
) -> tuple[Subset, float | None]:
    """A part with its chance, not corrected; None of too few.

    Args:
        sums: of each picture, what is good and how many there are, within and beside: pictures×4.
        draws: the means of draws of them: draws×4.
    """
    pictures, others = int((sums[:, 1] > 0).sum()), int((sums[:, 3] > 0).sum())
    means = sums.mean(axis=0)
    value, low, high, p = float(_share(means[:2])), None, None, None
    if min(pictures, others) >= _FEW:
        p = chance(_apart(draws), min(pictures, others))
        if not answered.objects and np.isin(answered.good, (0, 1)).all():
            low, high = wilson(value, pictures)  # Draws of what is all right hold nothing wrong.
        else:
            own = score_interval(value, _share(draws[:, :2]), pictures)
            low, high = own.low, own.high
    subset = Subset(
        trait=trait.name,
        part=part,
        unit=trait.unit,
        least=float(trait.values[rows].min()),
        most=float(trait.values[rows].max()),
        pictures=pictures,
        objects=int(rows.sum()) if answered.objects else None,
        of=answered.figure,
        figure=value,
        low=low,
        high=high,
        others=float(_share(means[2:])),
    )
    return subset, p


def _sums(answered: Answered, rows: NDArray[np.bool_]) -> Values:
    """Of each picture the sum of what is good, and how many there are: pictures×2."""
    count = int(answered.pictures.max()) + 1
    own = answered.pictures[rows]
    good = np.bincount(own, weights=answered.good[rows], minlength=count)
    return np.stack([good, np.bincount(own, minlength=count)], axis=1).astype(float)


def _share(means: Values) -> Values:
    total = means[..., 1]
    return np.divide(means[..., 0], total, out=np.zeros_like(total), where=total > 0)


def _apart(means: Values) -> Values:
    """A part's figure less that of the others; 0 of draws that lack either."""
    both = (means[..., 1] > 0) & (means[..., 3] > 0)
    return np.where(both, _share(means[..., :2]) - _share(means[..., 2:]), 0.0)
