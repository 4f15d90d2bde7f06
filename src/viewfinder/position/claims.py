"""The two claims about pooling, answered from what was measured, in words.

An answer is yes or no only where the whole 95 % interval over the seeds is on one side; else the
seeds cannot tell.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

from viewfinder.position.comparison import (
    ACCURACY,
    FLIPS,
    POOLED,
    POOLED_SHIFTED,
    STRIDED,
    STRIDED_SHIFTED,
    PositionComparison,
    Variant,
    average,
    difference,
    moved,
)
from viewfinder.position.intervals import MeanInterval

# A share of answers that is too small to matter: a net that changes fewer is called insensitive.
NEGLIGIBLE = 0.01
_UNSURE = "cannot tell"


@dataclass(frozen=True)
class ClaimAnswer:
    """A claim as a question, its answer in a sentence or two, and the figures that it rests on."""

    question: str
    verdict: str
    because: tuple[str, ...]


def answers(comparison: PositionComparison) -> tuple[ClaimAnswer, ClaimAnswer]:
    """What the comparison says to the two claims."""
    found = _insensitive(comparison), _replaced(comparison)
    more = f"More seeds narrow the intervals: try --seeds {max(3, 2 * len(comparison.seeds))}."
    one, two = (
        replace(answer, because=(*answer.because, more)) if _UNSURE in answer.verdict else answer
        for answer in found
    )
    return one, two


def seeds_words(comparison: PositionComparison) -> str:
    """How many, as a subject: `one seed`, `5 seeds`."""
    count = len(comparison.seeds)
    return "one seed" if count == 1 else f"{count} seeds"


def _insensitive(comparison: PositionComparison) -> ClaimAnswer:
    shifts, unsure = moved(comparison), f"{seeds_words(comparison)} {_UNSURE}"
    flips = average(comparison, POOLED, FLIPS, shifts)
    farthest = average(comparison, POOLED, FLIPS, shifts[-1:])
    gap = difference(comparison, STRIDED, POOLED, FLIPS, shifts)
    whole = unsure
    if flips.high < NEGLIGIBLE:
        whole = "yes"
    elif flips.low > NEGLIGIBLE:
        whole = "no"
    less = {1: "yes", -1: "no, more", 0: unsure}[gap.sign]
    span = f"Over shifts of {_span(shifts)}" if len(shifts) > 1 else "Moved by 1 px"
    return ClaimAnswer(
        "Does pooling make the net insensitive to position?",
        f"Insensitive: {whole}. Less sensitive than strided convolution: {less}.",
        (
            f"{span}, the net with max pooling changes {_percent(flips)} of its answers, at "
            f"{shifts[-1]} px {_percent(farthest)}; insensitive would be less than "
            f"{100 * NEGLIGIBLE:.0f} %.",
            f"With strided convolution that share is {_apart(gap)}, and the share of right "
            f"answers {_apart(_right(comparison, STRIDED, POOLED))}. Neither was shifted in "
            "training.",
        ),
    )


def _replaced(comparison: PositionComparison) -> ClaimAnswer:
    shifts = moved(comparison)
    gap = difference(comparison, STRIDED, POOLED, FLIPS, shifts)
    gain = difference(comparison, STRIDED_SHIFTED, POOLED, FLIPS, shifts)
    left = difference(comparison, STRIDED_SHIFTED, POOLED_SHIFTED, FLIPS, shifts)
    because = [
        f"Strided convolution with augmentation (shifts of up to {comparison.reach:.3g} px in "
        "training), against max pooling without: the share of answers that change is "
        f"{_apart(gain)}.",
        f"Strided convolution against max pooling, augmentation in both: it is {_apart(left)}, "
        "and the share of right answers "
        f"{_apart(_right(comparison, STRIDED_SHIFTED, POOLED_SHIFTED))}. Augmentation in neither: "
        f"the share that changes is {_apart(gap)}.",
    ]
    trained = [shift for shift in shifts if shift <= comparison.reach]
    if trained and len(trained) < len(shifts):
        near = difference(comparison, STRIDED_SHIFTED, POOLED_SHIFTED, FLIPS, trained)
        because.append(
            f"Over shifts of {_span(trained)} alone, as far as training moved its pictures, "
            f"augmentation in both: {_apart(near)}."
        )
    return ClaimAnswer(
        "Does shift augmentation replace it?",
        _replaced_verdict(gap, gain, left, seeds_words(comparison)),
        tuple(because),
    )


def _replaced_verdict(gap: MeanInterval, gain: MeanInterval, left: MeanInterval, seeds: str) -> str:
    if gap.sign < 0:
        return "There is nothing to replace: pooling makes this net more sensitive."
    if gap.sign == 0:
        return f"Whether pooling gives anything to replace, {seeds} {_UNSURE}."
    if gain.sign > 0:
        return "No: with augmentation alone the net is more sensitive than with pooling alone."
    if gain.sign == 0:
        return f"Whether augmentation alone does as much as pooling alone, {seeds} {_UNSURE}."
    more = "augmentation alone does more than pooling alone"
    if max(abs(left.low), abs(left.high)) < NEGLIGIBLE:
        return f"Yes: {more}, and pooling adds less than {100 * NEGLIGIBLE:.0f} point to it."
    return {
        1: f"Not wholly: {more}, but pooling still adds to it.",
        0: f"Perhaps: {more}, but whether pooling still adds to it, {seeds} {_UNSURE}.",
        -1: f"Yes: {more}, and beside it pooling even makes the net more sensitive.",
    }[left.sign]


def _right(comparison: PositionComparison, one: Variant, other: Variant) -> MeanInterval:
    return difference(comparison, one, other, ACCURACY, moved(comparison))


def _span(shifts: Sequence[int]) -> str:
    return f"{shifts[0]} to {shifts[-1]} px" if len(shifts) > 1 else f"{shifts[0]} px"


def _percent(value: MeanInterval) -> str:
    around = ""
    if math.isfinite(value.margin):
        # A share is never below 0 or above 1, however few the seeds.
        low, high = max(0.0, value.low), min(1.0, value.high)
        around = f" ({100 * low:.1f} to {100 * high:.1f})"
    return f"{100 * value.mean:.1f} %{around}"


def _apart(apart: MeanInterval) -> str:
    """`7.5 points higher (5.9 to 9.1)`, of shares in %."""
    sign, word = (1, "higher") if apart.mean >= 0 else (-1, "lower")
    around = ""
    if math.isfinite(apart.margin):
        low, high = sorted((100 * sign * apart.low, 100 * sign * apart.high))
        around = f" ({low:.1f} to {high:.1f})".replace("-", "−")
    return f"{100 * abs(apart.mean):.1f} points {word}{around}"
