"""Whether folds would judge better than what was held out, and the advice that says so."""

from pathlib import Path

import numpy as np

from viewfinder.datasets.dataset import Dataset
from viewfinder.datasets.folding import folded_part
from viewfinder.evaluation.judging import seen_in_training
from viewfinder.evaluation.split_scores import LEAST_PICTURES
from viewfinder.runs.places import holds_run
from viewfinder.runs.run import open_run
from viewfinder.tasks.recipe import Recipe, UsualText
from viewfinder.wording import counted

# Of what is usual the number that trains longest on the least pictures held out.
_FOLDS = 5


def folds_for(dataset: Dataset) -> int | None:
    """How many folds would judge better than the splits that were dealt; None where none would.

    It is a function of the set alone: of its splits, and of its rarest class.
    """
    if not dataset.val_dealt or _held_out(dataset) >= LEAST_PICTURES:
        return None
    pool = folded_part(dataset)
    fewest = len(pool)
    if (pool.labels >= 0).any():
        fewest = int(np.bincount(pool.labels[pool.labels >= 0], minlength=1).min())
    return min(_FOLDS, fewest) if fewest >= 2 else None


def _held_out(dataset: Dataset) -> int:
    """The pictures that weights are chosen by; where none are, those that judge."""
    split = next((split for split in ("val", "test") if dataset.has_split(split)), None)
    return len(dataset.split(split)) if split else 0


def folds_in_words(dataset: Dataset, recipe: Recipe) -> tuple[str, ...]:
    """What to try where few pictures judge a training by this recipe: folds, and how many more
    pictures would judge by them; empty where folds would not judge better, or are refused."""
    folds = folds_for(dataset)
    refused = recipe.devices > 1 or recipe.by_held_out
    if folds is None or refused or seen_before(recipe, dataset):
        return ()
    lacking = LEAST_PICTURES - len(folded_part(dataset))
    more = (f"add pictures: with {lacking} more, {LEAST_PICTURES} can judge in folds",)
    enough = ("add pictures: with so few, nothing helps as much",)
    return (in_report(dataset, folds), *(more if lacking > 0 else enough))


def seen_before(recipe: Recipe, dataset: Dataset) -> tuple[str, Path, int] | None:
    """The run that a recipe starts from, or is taught by, which knows pictures that folds would let
    judge: the flag that names it, its folder, and how many it knows; None where there is none."""
    for name in ("init", "teacher"):
        given = getattr(recipe, name, None)
        if not given or isinstance(given, UsualText):
            continue
        if not holds_run(place := Path(given).expanduser()):
            continue
        if seen := seen_in_training(open_run(place), folded_part(dataset)):
            return name, place, len(seen)
    return None


def in_report(dataset: Dataset, folds: int) -> str:
    """What to do next, as a report has it beside what the verdict says."""
    return (
        f"let each of {counted(len(folded_part(dataset)), 'picture')} judge once: --folds {folds}"
    )
