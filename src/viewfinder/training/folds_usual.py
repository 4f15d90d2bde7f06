"""Whether folds judge a training where nobody says: where few pictures would, and soon."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from viewfinder.datasets.bit_depth import with_bits_found
from viewfinder.datasets.dataset import Dataset
from viewfinder.datasets.folding import dealt
from viewfinder.datasets.opening import open_dataset
from viewfinder.datasets.presence import require_present
from viewfinder.datasets.splits import TEST
from viewfinder.errors import InputError
from viewfinder.evaluation.advising import Course, too_short
from viewfinder.evaluation.foldable import folds_for, seen_before
from viewfinder.evaluation.split_scores import LEAST_PICTURES
from viewfinder.events import listening, note
from viewfinder.tasks import find
from viewfinder.tasks.recipe import Recipe
from viewfinder.tasks.task import require_classes
from viewfinder.training.beginning import Prepared, prepare, refuse_early
from viewfinder.training.folds_advice import times_as_long
from viewfinder.wording import counted, in_words

# Seconds that folds may take unasked, with the training that follows them.
_BEARABLE = 180.0


@dataclass(frozen=True)
class Usual:
    """What is done where nobody says.

    Attributes:
        folds: how many; None for a training without.
        opened: the set as that deals it, if it had to be opened to tell.
        ready: the training without folds, where it had to be prepared to tell how long it takes;
            with folds, what was found out for it holds for each of theirs.
    """

    folds: int | None = None
    opened: Dataset | None = None
    ready: Prepared | None = None


def usual_folds(
    task: str, data: str | Path, recipe: Recipe, opened: Dataset | None = None
) -> Usual:
    """How many folds judge a recipe where nobody says.

    Args:
        opened: the set as `open_dataset` gives it with the recipe's `val_share`, where it is open.

    Raises:
        InputError: the set cannot be opened, or learnt from.
    """
    once = recipe.devices > 1 or recipe.val_share == 0 or recipe.minutes is not None
    once |= bool(recipe.by_held_out)
    # Folds wait until a net has time to learn.
    if once or (recipe.in_steps and too_short(recipe, Course(epochs=recipe.epochs))):
        return Usual(opened=opened)
    opened = opened or open_dataset(data, val_share=recipe.val_share)
    folds = folds_for(opened)
    if folds is None or seen_before(recipe, opened):
        return Usual(opened=opened)
    dataset = open_dataset(data, deal=False)
    pool = dataset.select(np.flatnonzero(dataset.splits != TEST))
    try:
        with listening():  # what is said of it is said when folds are dealt
            dealt(pool, folds, val_share=recipe.val_share, least_val=LEAST_PICTURES)
    except InputError:  # pictures that look alike, or of one video, cannot be told apart
        return Usual(opened=opened)
    took, ready = "", None
    if recipe.in_steps:
        note(dataset.summary())  # to prepare a training may take a minute
        ready = _prepared(task, data, recipe, opened)
        seconds = ready.forecast.of(times_as_long(opened, folds))
        if seconds > _BEARABLE:
            return Usual(opened=opened, ready=ready)
        took = f", in {in_words(seconds)} instead of {in_words(ready.forecast.of())}"
    note(
        f"few pictures: {folds} folds let each of {counted(len(pool), 'picture')} judge once{took} "
        "(--folds none trains once)"
    )
    return Usual(folds, dataset, ready)


def _prepared(task: str, data: str | Path, recipe: Recipe, opened: Dataset) -> Prepared:
    """The training without folds, as it would begin."""
    kind = find(task)
    refuse_early(kind, recipe)
    require_present(opened)
    kind.require(opened)
    require_classes(kind, opened.classes)
    return prepare(kind, with_bits_found(opened), recipe, source=str(data))
