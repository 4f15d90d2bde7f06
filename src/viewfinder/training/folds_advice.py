"""Where few pictures judge: what folds would do about it, how long that takes, and the command.

Folds are not made unasked: they take six times as long, and the run that they end in holds nothing
out, which who asked for one training does not expect.
"""

import shlex
from dataclasses import fields, replace
from pathlib import Path

import numpy as np

from viewfinder.datasets.dataset import Dataset
from viewfinder.evaluation.fitting import LEAST_PICTURES
from viewfinder.evaluation.judging import seen_in_training
from viewfinder.runs.run import RunFolder, holds_run, open_run
from viewfinder.tasks.recipe import Recipe, UsualText
from viewfinder.training.folds_refusing import folded_part
from viewfinder.wording import counted, in_words

# Of what is usual the number that trains longest on the least pictures held out.
_FOLDS = 5
# What others follow from.
_FIRST = ("net", "options", "init", "head")


def folds_for(dataset: Dataset) -> int | None:
    """How many folds would judge better than the splits that were dealt; None where none would.

    It is a function of the set alone: of its splits, and of its rarest class.
    """
    pool = folded_part(dataset)
    if not dataset.val_dealt or "val" not in _splits(dataset):
        return None
    if len(dataset.split("val")) >= LEAST_PICTURES:
        return None
    fewest = len(pool)
    if (pool.labels >= 0).any():
        fewest = int(np.bincount(pool.labels[pool.labels >= 0]).min())
    return min(_FOLDS, fewest) if fewest >= 2 else None


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


def before(dataset: Dataset, folds: int) -> str:
    """What to know before the training begins."""
    splits = " and ".join(
        f"{len(dataset.split(split)):,} to {what}"
        for split, what in (("val", "validate by"), ("test", "judge by"))
        if split in _splits(dataset)
    )
    judging = len(folded_part(dataset))
    return (
        f"few pictures: {splits}; --folds {folds} would let each of the {judging:,} judge "
        f"once, and takes about {_times(dataset, folds):.0f} times as long"
    )


def in_report(dataset: Dataset, folds: int) -> str:
    """What to do next, as a report has it beside what the verdict says."""
    return (
        f"let each of {counted(len(folded_part(dataset)), 'picture')} judge once: --folds {folds}"
    )


def after(run: RunFolder, dataset: Dataset, folds: int, seconds: float) -> tuple[str, str]:
    """What to do next, with how long it takes, and the command, which no line's end may break.

    Args:
        seconds: how long this training took, its report included.
    """
    time = in_words(seconds * _times(dataset, folds))
    recipe = run.manifest.recipe
    if recipe.minutes is not None:  # they become the epochs that they came to
        recipe = replace(recipe, minutes=None, epochs=max(1, len(run.history())))
    return (
        f"try: let each of {counted(len(folded_part(dataset)), 'picture')} judge once, in {time}:",
        f"  {command(run, recipe, '--folds', str(folds))}",
    )


def _times(dataset: Dataset, folds: int) -> float:
    """How many times as long folds take as this one training: all of k but a kth, and all once."""
    return folds * len(folded_part(dataset)) / len(dataset.split("train"))


def command(run: RunFolder, recipe: Recipe, *more: str) -> str:
    """What trains by a recipe on what a run learnt from."""
    words = ["viewfinder", "train", run.manifest.task, run.manifest.data["source"]]
    for name, value in _said(recipe).items():
        values = value if isinstance(value, tuple) else (value,)
        flag = name.replace("_", "-")
        if isinstance(value, bool):
            words.append(f"--{flag}" if value else f"--no-{flag}")
        else:
            words += [f"--{flag}", *map(_plain, values)]
    return shlex.join([*words, *more])


def _plain(value: object) -> str:
    """A value as a person writes it: 0, and not 0.0."""
    return str(int(value) if isinstance(value, float) and value.is_integer() else value)


def _said(recipe: Recipe) -> dict[str, object]:
    """The fields that have to be said for a recipe: others are as they are without a flag, or as
    they follow from these."""
    said: dict[str, object] = {}
    names = sorted((each.name for each in fields(recipe)), key=lambda name: name not in _FIRST)
    for name in names:
        if getattr(type(recipe).from_json(said), name) != (value := getattr(recipe, name)):
            said[name] = value
    return said


def _splits(dataset: Dataset) -> list[str]:
    return [split for split in ("train", "val", "test") if dataset.has_split(split)]
