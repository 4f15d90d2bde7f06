"""Does the net over-fit, under-fit, or neither: the same reasoning for every task.

Both splits are measured on pictures that are not augmented, with the same weights, so that the gap
between them is the net's and not the augmentation's. What to try is each task's own advice.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from viewfinder.datasets.splits import usual_val_share
from viewfinder.evaluation.advising import unsaid, without_folds
from viewfinder.evaluation.split_scores import FEWEST, LEAST_PICTURES, SplitScore
from viewfinder.tasks.recipe import Recipe
from viewfinder.wording import counted

Kind = Literal["over-fitting", "under-fitting", "uneven", "fine", "unknown"]

# A gap between the splits smaller than this harms nobody.
_HARMLESS_GAP = 0.05
# Where chance may hide a gap of more than this, nothing is called fine; and how wide a gap is to
# be told from none by the pictures that are asked for then.
_HIDDEN_GAP, _CLEAR_GAP = 0.25, 0.1
# …and one that chance alone makes is none: this many standard errors; of few pictures more, since
# their errors are themselves not well known.
_CHANCE, _CHANCE_OF_FEW = 2.0, 3.0
# A larger share of the pictures than this is missed more in training than it helps to judge.
_MOST_HELD_OUT = 0.3
# A figure that ends this much worse than its best, as a share of it, has turned.
_TURNED = 0.1


@dataclass(frozen=True)
class Measure:
    """What a task compares its two splits by.

    Attributes:
        words: a clause with `{train}` and `{held_out}` in it, to be formatted.
        alone: the same of the training pictures alone.
        learnt: a net that scores less than this on its own training pictures has not learnt them.
    """

    words: str
    alone: str
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
class FitVerdict:
    """What the gap between training and validation says.

    Attributes:
        says: a sentence with the figures in it.
        tries: what to try, the most promising first; each a sentence with its flag.
        learnt: whether it may have learnt its own training pictures; else nothing helps before a
            longer training.
    """

    kind: Kind
    says: str
    tries: tuple[str, ...]
    learnt: bool = True


def needs_longer(said: FitVerdict, recipe: Recipe) -> bool:
    """Whether a net has not learnt its own pictures: it trains for longer before it is judged
    better."""
    return recipe.in_steps and (said.kind == "under-fitting" or not said.learnt)


def _gap(train: SplitScore, held_out: SplitScore) -> tuple[float, float]:
    """By how much the training pictures' score is higher, and its standard error."""
    return train.score - held_out.score, math.hypot(train.error, held_out.error)


def verdict(
    train: SplitScore,
    held_out: SplitScore | None,
    *,
    end: tuple[SplitScore, SplitScore] | None = None,
    measure: Measure,
    trend: Trend,
    tries: Tries,
    recipe: Recipe,
    split: str = "validation",
    pool: int = 0,
    folded: bool = False,
    folds: tuple[str, ...] = (),
) -> FitVerdict:
    """Judge a training from its two splits, by the weights that were kept.

    Args:
        held_out: pictures that it has not learnt from; None where there were none.
        end: training's and validation's scores with the last weights, which show over-fitting that
            began after those that were kept.
        split: what the held-out split is called.
        pool: how many pictures `--val-share` takes its share of; 0 where it has no effect.
        folded: whether folds let each training picture judge.
        folds: what to try where folds would judge better than what was held out.
    """
    if held_out is None or not held_out.enough or not train.enough:
        clear = _clear_of_few(train, held_out, measure, tries)
        says = _too_few(train, held_out, measure, split)
        helps = _against_too_few(recipe, train, held_out, pool, folded)
        return clear or _unknown(says, folds or helps, train, measure, tries, recipe)
    gap, error = _gap(train, held_out)
    figures = _figures(train, held_out, measure, _CHANCE)
    if gap > max(_HARMLESS_GAP, _CHANCE * error):
        says = f"The net over-fits: {figures}. {_when(trend)}".strip()
        return FitVerdict("over-fitting", says, tries.over_fitting)
    later, of_end = _gap(*end) if end else (0.0, 0.0)
    if later > max(_HARMLESS_GAP, _CHANCE * of_end):
        says = (
            f"The net over-fits towards the training's end, where the gap is {100 * later:.1f} "
            f"points. Of the weights that were kept: {figures}. {_when(trend)}".strip()
        )
        return FitVerdict("over-fitting", says, tries.over_fitting)
    if train.score < measure.learnt:
        says = f"The net under-fits: it has not learnt its own training pictures; {figures}."
        return FitVerdict("under-fitting", says, tries.under_fitting)
    if max(0.0, gap) + _CHANCE * error > _HIDDEN_GAP:
        says = (
            f"There are too few pictures to tell how it fits: {figures}, which chance alone can "
            "make, and so can over-fitting."
        )
        needed = _would_tell(held_out, gap, _CHANCE * error)
        helps = _for_more(recipe, held_out.images, needed, pool, folded)
        return _unknown(says, folds or helps, train, measure, tries, recipe)
    says = f"The fit is fine: {figures}, which is small or what chance alone can make."
    return FitVerdict("fine", says, tries.fine)


def _unknown(
    says: str,
    helps: tuple[str, ...],
    train: SplitScore,
    measure: Measure,
    tries: Tries,
    recipe: Recipe,
) -> FitVerdict:
    """That it cannot be known how a net fits; before it is judged better it must have learnt."""
    if not recipe.in_steps or not train.images or train.score >= measure.learnt:
        # What would tell comes first, and then what would help if it were fine.
        more = (each for each in tries.fine if not each.startswith("add pictures"))
        return FitVerdict("unknown", says, (*helps, *unsaid(tuple(more), helps)))
    says = f"{says} It may not have learnt its own training pictures yet, which comes first."
    longer = (tries.under_fitting[0], *without_folds(helps))
    return FitVerdict("unknown", says, longer, learnt=False)


def _figures(train: SplitScore, held_out: SplitScore, measure: Measure, chance: float) -> str:
    words = measure.words.format(train=train.score, held_out=held_out.score)
    gap, error = _gap(train, held_out)
    return f"{words}, a gap of {100 * gap:.1f} ± {100 * chance * error:.1f} points"


def _clear_of_few(
    train: SplitScore, held_out: SplitScore | None, measure: Measure, tries: Tries
) -> FitVerdict | None:
    """What is clear even though a split has too few pictures, or there is none to compare with."""
    if held_out is not None and min(train.images, held_out.images) >= FEWEST:
        gap, error = _gap(train, held_out)
        if gap > max(_HARMLESS_GAP, _CHANCE_OF_FEW * error):
            figures = _figures(train, held_out, measure, _CHANCE_OF_FEW)
            says = f"The net over-fits, which even so few pictures show: {figures}."
            return FitVerdict("over-fitting", says, tries.over_fitting)
    if train.images and train.score + _CHANCE * train.error < measure.learnt:
        alone = measure.alone.format(train=train.score)
        says = f"The net under-fits: it has not learnt its own training pictures; {alone}."
        return FitVerdict("under-fitting", says, tries.under_fitting)
    return None


def _too_few(train: SplitScore, held_out: SplitScore | None, measure: Measure, split: str) -> str:
    """Why it cannot be known whether a net over-fits."""
    if held_out is None:
        known = f": {measure.alone.format(train=train.score)}" if train.images else ""
        return f"Nothing was held out, so that over-fitting cannot be seen{known}."
    short, name = (train, "training") if held_out.enough else (held_out, split)
    has, needed = f"{short.images:,}", f"{LEAST_PICTURES}"
    if short.objects is not None:
        has += f" with {counted(short.objects, 'box')}"
        needed = f"{FEWEST} with {LEAST_PICTURES} boxes"
    words = measure.words.format(train=train.score, held_out=held_out.score)
    known = f" {words[0].upper()}{words[1:]}." if train.images else ""
    return (
        f"There are too few {name} pictures to tell whether it over-fits: {has}, and at least "
        f"{needed} are needed.{known}"
    )


def _against_too_few(
    recipe: Recipe,
    train: SplitScore,
    held_out: SplitScore | None,
    pool: int,
    folded: bool,
) -> tuple[str, ...]:
    """More pictures, and a share that holds out enough of those there are."""
    if held_out is not None and held_out.enough:
        return ("add pictures: with so few, nothing helps as much",)
    has = held_out.images if held_out else 0
    return _for_more(recipe, has, max(has + 1, LEAST_PICTURES), pool, folded)


def _would_tell(held_out: SplitScore, gap: float, reach: float) -> int:
    """About how many pictures held out would tell whether a gap as wide is more than chance, or
    that there is none to speak of; in tens.

    Args:
        reach: how far chance may move the gap, as it falls with the root of the pictures.
    """
    times = (reach / max(gap, _CLEAR_GAP)) ** 2
    return max(held_out.images + 10, 10 * math.ceil(held_out.images * times / 10))


def _for_more(
    recipe: Recipe, has: int, needed: int, pool: int, folded: bool = False
) -> tuple[str, ...]:
    """How to come to as many pictures to judge by as are needed."""
    if folded:
        return (f"add pictures: about {needed - has} more would tell",)
    share = usual_val_share(pool) if recipe.val_share is None else recipe.val_share
    wanted = math.ceil(100 * needed / pool) / 100 if pool else 1.0
    if share < wanted <= _MOST_HELD_OUT:
        return (
            f"keep {needed} or more of them for validation: --val-share {wanted:g}",
            "add pictures: with so few, nothing helps as much",
        )
    if pool:
        more = math.ceil(needed / _MOST_HELD_OUT) - pool
        if more > 0:
            enough = f"{needed} can be held out with --val-share {_MOST_HELD_OUT:g}"
            return (f"add pictures: with {more} more, {enough}",)
    return (f"add pictures that are not trained on: {max(1, needed - has)} more will tell",)


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
