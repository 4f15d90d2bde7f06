"""How far scores can be believed: of what is called 80 % sure, how much is right.

The expected calibration error is that of Guo et al., "On calibration of modern neural networks",
2017, equation 3, over ten bins of equal width. Of few answers it is above 0 by chance alone, so
beside it stands what scores would come to that are right as often as they say.
"""

import importlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TypedDict

import numpy as np
from numpy.typing import NDArray

from viewfinder.evaluation.claimed import Claims
from viewfinder.evaluation.judging import AnyJudgement

BINS = 10
# Answers of about one score of which it is said how many are right.
_TOLD = 10
_DRAWS = 200


class BinFigures(TypedDict):
    """Answers of about one score in JSON; see `Bin`."""

    low: float
    high: float
    score: float
    right: float
    count: int


class CalibrationFigures(TypedDict):
    """How far scores can be believed in JSON; see `Calibration`."""

    of: str
    count: int
    score: float
    right: float
    ece: float
    ece_by_chance: float
    bins: list[BinFigures]


@dataclass(frozen=True)
class Bin:
    """Answers with scores from `low` to `high`: their mean score, and the share that is right."""

    low: float
    high: float
    score: float
    right: float
    count: int


@dataclass(frozen=True)
class Calibration:
    """How far scores can be believed.

    Attributes:
        of: what was answered, in the plural.
        score, right: the mean score of all, and the share that is right.
        ece: the expected calibration error.
        by_chance: the mean error of scores that are right as often as they say, of as many answers.
        bins: those that hold answers.
        fitted: where the scores were fitted on others of the same pictures, what these are.
    """

    of: str
    count: int
    score: float
    right: float
    ece: float
    by_chance: float
    bins: tuple[Bin, ...]
    fitted: str = ""

    @property
    def says(self) -> str:
        """The same in a sentence."""
        error = f"expected calibration error {self.ece:.3f}, {self.by_chance:.3f} by chance alone"
        fitted = f", by scores that were fitted on others of {self.fitted}" if self.fitted else ""
        return (
            f"{self.count:,} {self.of} are called {self.score:.1%} sure in the mean, and "
            f"{self.right:.1%} are right: {error}{fitted}"
        )

    @property
    def by_score(self) -> str:
        """How many are right of those called about so sure, in a sentence; the surest first."""
        return called(self.of, [(b.score, b.right, b.count) for b in self.bins])

    def as_json(self) -> CalibrationFigures:
        """The figures under their public names."""
        return {
            "of": self.of,
            "count": self.count,
            "score": self.score,
            "right": self.right,
            "ece": self.ece,
            "ece_by_chance": self.by_chance,
            "bins": [
                {"low": b.low, "high": b.high, "score": b.score, "right": b.right, "count": b.count}
                for b in self.bins
            ],
        }


def calibration(task: str, judgement: AnyJudgement) -> Calibration | None:
    """How far a model's scores can be believed; None of fewer than 30 answers, and of maps.

    Each task's folder has `claims.py`, which says what its answers claim.
    """
    claims: Callable[[AnyJudgement], Claims | None]
    claims = importlib.import_module(f"viewfinder.evaluation.{task}.claims").claims
    found = judgement.claimed or claims(judgement)
    return calibrate(found) if found is not None and found.enough else None


def calibrate(claims: Claims) -> Calibration:
    """Scores against what is right."""
    scores, right = claims.scores, claims.right
    numbers = np.minimum((scores * BINS).astype(np.int64), BINS - 1)
    counts = np.bincount(numbers, minlength=BINS)
    there = np.flatnonzero(counts)
    sums = _sums(numbers, scores)
    hits = _sums(numbers, right.astype(np.float64))
    bins = tuple(
        Bin(n / BINS, (n + 1) / BINS, sums[n] / counts[n], hits[n] / counts[n], int(counts[n]))
        for n in there.tolist()
    )
    return Calibration(
        of=claims.of,
        count=len(scores),
        score=float(scores.mean()),
        right=float(right.mean()),
        ece=float(np.abs(hits - sums).sum() / len(scores)),
        by_chance=_by_chance(scores, numbers, sums),
        bins=bins,
        fitted=claims.fitted,
    )


def called(of: str, bins: Sequence[tuple[float, float, int]]) -> str:
    """How many are right of those called about so sure, in a sentence; the surest first.

    Args:
        of: what was answered, in the plural.
        bins: mean score, share that is right, and count of each.
    """
    parts = [f"{s:.0%}, {r:.0%} are right ({n:,})" for s, r, n in reversed(bins) if n >= _TOLD]
    return f"of {of} called {'; of those called '.join(parts)}" if parts else ""


def _by_chance(
    scores: NDArray[np.float64], numbers: NDArray[np.int64], sums: NDArray[np.float64]
) -> float:
    generator = np.random.default_rng(0)
    errors = []
    for _ in range(_DRAWS):
        right = generator.random(len(scores)) < scores
        hits = _sums(numbers, right.astype(np.float64))
        errors.append(np.abs(hits - sums).sum() / len(scores))
    return float(np.mean(errors))


def _sums(numbers: NDArray[np.int64], values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Of each bin, the sum of what lies in it."""
    return np.asarray(np.bincount(numbers, weights=values, minlength=BINS), np.float64)
