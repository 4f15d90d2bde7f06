"""Recipes compared over several seeds: means, intervals, differences, and what chance alone does.

Two trainings that differ in nothing but their seed end with different scores. A recipe is better
only if it is so by more than that: each is trained with the same seeds, the difference to the
baseline is taken seed by seed, and its t-test is corrected for how many recipes were tried.
"""

import math
import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Literal, TypeVar

from viewfinder.student import critical_t, two_sided_p
from viewfinder.tasks.figures import Score

CHANCE = 0.05
"""How often, at most, a grid in which nothing matters may be said to hold a difference; and how
often a 95 % interval may miss."""

Verdict = Literal["baseline", "better", "worse", "no clear difference", "cannot be told", "failed"]


@dataclass(frozen=True)
class Estimate:
    """A mean over seeds, and the 95 % interval of what it would be over endlessly many.

    `low` and `high` are None where n values say nothing of their spread: one alone, or all alike.
    """

    mean: float
    low: float | None
    high: float | None
    n: int


@dataclass(frozen=True)
class PairedDifference(Estimate):
    """A paired difference to the baseline.

    Attributes:
        p: how often chance alone would differ as much, for this one comparison; None where the
            spread is unknown.
        p_holm: the same for the whole grid, by Holm's correction.
    """

    p: float | None
    p_holm: float | None = None


Found = TypeVar("Found", bound=Estimate)


@dataclass(frozen=True)
class RecipeComparison:
    """What is known of one recipe: None where it, or the baseline, has no score."""

    estimate: Estimate | None
    difference: PairedDifference | None
    verdict: Verdict


def compare(
    values: Mapping[str, Mapping[int, float]], baseline: str, score: Score
) -> dict[str, RecipeComparison]:
    """Each recipe against the baseline.

    Args:
        values: of each recipe, the score of each seed that it was trained with.
    """
    differences = {
        name: difference(values[name], values[baseline]) for name in values if name != baseline
    }
    asked = [name for name, found in differences.items() if found is not None and found.n > 1]
    # What cannot be told apart was tried all the same, and counts among the comparisons.
    chances = [1.0 if (p := _p(differences[name])) is None else p for name in asked]
    adjusted = dict(zip(asked, holm(chances), strict=True))
    table = {}
    for name, own in values.items():
        found = differences.get(name)
        if found is not None and found.p is not None:
            found = replace(found, p_holm=adjusted[name])
        verdict = _verdict(name == baseline, bool(own), found, score)
        mean = estimate(list(own.values())) if own else None
        table[name] = RecipeComparison(
            _clipped(mean, 0.0, 1.0) if mean and score.share else mean,
            _clipped(found, -1.0, 1.0) if found and score.share else found,
            verdict,
        )
    return table


def estimate(values: Sequence[float], *, overlap: float = 0.0) -> Estimate:
    """The mean of one or more values, and its interval by Student's t.

    Holds for values that are spread normally, which the mean of many pictures' scores nearly is.

    Args:
        overlap: of values whose trainings share pictures, as those of folds do, how many pictures
            tested each for one that it was trained on: the variance of the mean is 1/n + overlap
            of theirs. C. Nadeau and Y. Bengio, "Inference for the Generalization Error", Machine
            Learning 52 (2003).
    """
    mean, n = statistics.fmean(values), len(values)
    error = _standard_error(values, scale=max(map(abs, values)))
    if error is None:
        return Estimate(mean, None, None, n)
    half = critical_t(CHANCE, n - 1) * error * math.sqrt(1 + n * overlap)
    return Estimate(mean, mean - half, mean + half, n)


def difference(
    values: Mapping[int, float], baseline: Mapping[int, float]
) -> PairedDifference | None:
    """The mean difference of the seeds that both have, and its t-test; None if there is none.

    Seeds share their first weights and their order of pictures, so that part of the spread is
    common to both and drops out of the difference.
    """
    seeds = [seed for seed in values if seed in baseline]
    if not seeds:
        return None
    found = [values[seed] - baseline[seed] for seed in seeds]
    scale = max(max(abs(values[seed]), abs(baseline[seed])) for seed in seeds)
    mean, n, error = statistics.fmean(found), len(found), _standard_error(found, scale=scale)
    if error is None:
        # Scores that are equal seed by seed do not differ; a constant difference of a few seeds
        # may be chance, because scores come in steps of one picture.
        same = n > 1 and not any(found)
        return PairedDifference(mean, None, None, n, p=1.0 if same else None)
    half = critical_t(CHANCE, n - 1) * error
    return PairedDifference(mean, mean - half, mean + half, n, p=two_sided_p(mean / error, n - 1))


def holm(chances: Sequence[float]) -> list[float]:
    """The p values of several comparisons, corrected for their number, in their order.

    Called a finding where it is at most 0.05, no more than one grid in twenty in which nothing
    matters has any. S. Holm, "A simple sequentially rejective multiple test procedure",
    Scandinavian Journal of Statistics 6 (1979).
    """
    adjusted, largest = [0.0] * len(chances), 0.0
    for rank, index in enumerate(sorted(range(len(chances)), key=chances.__getitem__)):
        largest = max(largest, min(1.0, (len(chances) - rank) * chances[index]))
        adjusted[index] = largest
    return adjusted


def _verdict(
    is_baseline: bool, trained: bool, found: PairedDifference | None, score: Score
) -> Verdict:
    if not trained:
        return "failed"
    if is_baseline:
        return "baseline"
    if found is None or found.p_holm is None:
        return "cannot be told"
    if found.p_holm > CHANCE:
        return "no clear difference"
    return "better" if (found.mean > 0) == score.higher_is_better else "worse"


def _p(found: PairedDifference | None) -> float | None:
    return None if found is None else found.p


def _clipped(found: Found, least: float, most: float) -> Found:
    """The interval without what no mean of shares can be."""
    if found.low is None or found.high is None:
        return found
    return replace(found, low=max(least, found.low), high=min(most, found.high))


def _standard_error(values: Sequence[float], *, scale: float) -> float | None:
    """Of the mean; None where the spread is unknown, or no more than rounding of the `scale`."""
    if len(values) < 2:
        return None
    spread = statistics.stdev(values)
    return spread / math.sqrt(len(values)) if spread > 1e-12 * scale else None
