"""Does the net over-fit, under-fit, or neither: the same reasoning for every task.

Both sides are measured on pictures that are not augmented, with the same weights, so that the gap
between them is the net's and not the augmentation's. What to try is each task's own advice.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from viewfinder.tasks.recipe import Recipe

Kind = Literal["over-fitting", "under-fitting", "uneven", "fine", "unknown"]

# A gap between the sides smaller than this harms nobody.
_HARMLESS_GAP = 0.05
# …and one that chance alone makes is none: this many standard errors.
_CHANCE = 2.0
_MIN_PICTURES = 20
# A figure that ends this much worse than its best, as a share of it, has turned.
_TURNED = 0.1


@dataclass(frozen=True)
class Side:
    """A score on one side of a dataset.

    Attributes:
        score: in [0, 1], 1 is best.
        images: the pictures that it was measured on.
        error: its standard error: what other pictures of the same kind would change.
    """

    score: float
    images: int
    error: float


@dataclass(frozen=True)
class Measure:
    """What a task compares its two sides by.

    Attributes:
        words: a clause with `{train}` and `{held_out}` in it, to be formatted.
        learnt: a net that scores less than this on its own training pictures has not learnt them.
    """

    words: str
    learnt: float


@dataclass(frozen=True)
class Trend:
    """A figure over the epochs, which shows when over-fitting began.

    Attributes:
        name: as a sentence begins with it, such as "The validation loss".
        values: pairs of an epoch and the figure, of those epochs that were measured.
        rises: whether more is better.
    """

    name: str
    values: Sequence[tuple[int, float]]
    rises: bool


@dataclass(frozen=True)
class Tries:
    """What to try, the most promising first; each a sentence with its flag."""

    over_fitting: tuple[str, ...]
    under_fitting: tuple[str, ...]
    fine: tuple[str, ...]


@dataclass(frozen=True)
class Verdict:
    """What the gap between training and validation says.

    Attributes:
        says: a sentence with the figures in it.
        tries: what to try, the most promising first; each a sentence with its flag.
    """

    kind: Kind
    says: str
    tries: tuple[str, ...]


def counted(share: float, images: int) -> Side:
    """A side where `share` of the pictures are right.

    Its error is binomial; Laplace's rule keeps it above 0 where all are right.
    """
    likely = (share * images + 1) / (images + 2)
    return Side(share, images, math.sqrt(likely * (1 - likely) / max(1, images)))


def verdict(
    train: Side,
    held_out: Side | None,
    *,
    end: tuple[float, float] | None = None,
    measure: Measure,
    trend: Trend,
    tries: Tries,
    recipe: Recipe,
) -> Verdict:
    """Judge a training from its two sides, by the weights that were kept.

    Args:
        held_out: validation pictures; None where there were none.
        end: both sides' scores with the last weights, which show over-fitting that began after
            those that were kept.
    """
    if held_out is None or held_out.images < _MIN_PICTURES or train.images < _MIN_PICTURES:
        short = "training" if train.images < _MIN_PICTURES else "validation"
        says = f"There are too few {short} pictures to tell: at least {_MIN_PICTURES} are needed."
        return Verdict("unknown", says, _against_too_few(recipe, short))
    gap, error = train.score - held_out.score, math.hypot(train.error, held_out.error)
    words = measure.words.format(train=train.score, held_out=held_out.score)
    figures = f"{words}, a gap of {100 * gap:.1f} ± {100 * _CHANCE * error:.1f} points"
    if gap > max(_HARMLESS_GAP, _CHANCE * error):
        says = f"The net over-fits: {figures}. {_when(trend)}".strip()
        return Verdict("over-fitting", says, tries.over_fitting)
    later = end[0] - end[1] if end else 0.0
    if later > max(_HARMLESS_GAP, _CHANCE * error):
        says = (
            f"The net over-fits towards the training's end, where the gap is {100 * later:.1f} "
            f"points. Of the weights that were kept: {figures}. {_when(trend)}".strip()
        )
        return Verdict("over-fitting", says, tries.over_fitting)
    if train.score < measure.learnt:
        says = f"The net under-fits: it has not learnt its own training pictures; {figures}."
        return Verdict("under-fitting", says, tries.under_fitting)
    says = f"The fit is fine: {figures}, which is small or what chance alone can make."
    return Verdict("fine", says, tries.fine)


def unsaid(tries: Sequence[str], said: Sequence[str]) -> tuple[str, ...]:
    """Those of `tries` whose flags, or whose words where they have none, `said` does not have."""
    known = {_advice(each) for each in said}
    return tuple(each for each in tries if _advice(each) not in known)


def _advice(words: str) -> str:
    """What a sentence asks for: its flags, if it ends in some."""
    before, separator, flags = words.partition(": --")
    return flags if separator else before


def longer(recipe: Recipe) -> str:
    """The flag that trains for twice as long."""
    if recipe.minutes:
        return f"--minutes {2 * recipe.minutes:g}"
    return f"--epochs {2 * recipe.epochs}"


def _against_too_few(recipe: Recipe, short: str) -> tuple[str, ...]:
    tries = ["add pictures: with so few, nothing helps as much"]
    share = 0.1 if recipe.val_share is None else recipe.val_share
    if short == "validation" and 0 < share <= 0.2:
        tries.append(f"keep more of them for validation: --val-share {2 * share:g}")
    elif short == "validation" and share == 0:
        tries.append("keep some of them for validation: --val-share 0.1")
    return tuple(tries)


def _when(trend: Trend) -> str:
    """When the figure turned, if it ended clearly worse than its best."""
    if len(trend.values) < 3:
        return ""
    last = trend.values[-1][1]
    epoch, best = (max if trend.rises else min)(trend.values, key=lambda each: each[1])
    turned = last < (1 - _TURNED) * best if trend.rises else last > (1 + _TURNED) * best
    if not turned:
        return ""
    extreme, moved = ("highest", "fell") if trend.rises else ("lowest", "rose")
    return (
        f"{trend.name} was {extreme} at epoch {epoch} ({best:.2f}) and {moved} to "
        f"{last:.2f} by the end."
    )
