"""Where few pictures judge: what folds would do about it, how long that takes, and the command.

Folds that take long are not made unasked: they take some six times as long as one training.
"""

import shlex
from dataclasses import fields, replace

from viewfinder.datasets.dataset import Dataset
from viewfinder.datasets.folding import folded_part
from viewfinder.evaluation.advising import Course, too_short
from viewfinder.runs.run import RunFolder
from viewfinder.tasks.recipe import Recipe
from viewfinder.training.forecast import Forecast, told
from viewfinder.wording import counted, in_words

# What others follow from.
_FIRST = ("net", "options", "init", "head")


def before(dataset: Dataset, folds: int, recipe: Recipe, expected: Forecast | None = None) -> str:
    """What to know before the training begins. Folds wait until a net has time to learn.

    Args:
        expected: how long one training takes, where that is known.
    """
    splits = " and ".join(
        f"{len(dataset.split(split)):,} to {what}"
        for split, what in (("val", "validate by"), ("test", "judge by"))
        if split in _splits(dataset)
    )
    judging = len(folded_part(dataset))
    if recipe.in_steps and too_short(recipe, Course(epochs=recipe.epochs)):
        return f"few pictures: {splits or 'none to judge by'}, too few to tell"
    times = times_as_long(dataset, folds)
    takes = f"about {times:.0f} times as long"
    if expected is not None:
        takes = told(expected, times)
    return (
        f"few pictures: {splits or 'none to judge by'}; --folds {folds} would let each "
        f"of the {judging:,} judge once, and takes {takes}"
    )


def after(run: RunFolder, dataset: Dataset, folds: int, seconds: float) -> tuple[str, str]:
    """What to do next, with how long it takes, and the command, which no line's end may break.

    Args:
        seconds: how long this training took, its report included.
    """
    time = in_words(seconds * times_as_long(dataset, folds))
    recipe = run.manifest.recipe
    if recipe.minutes is not None:  # they become the epochs that they came to
        recipe = replace(recipe, minutes=None, epochs=max(1, len(run.history())))
    return (
        f"try: let each of {counted(len(folded_part(dataset)), 'picture')} judge once, in {time}:",
        f"  {command(run, recipe, '--folds', str(folds))}",
    )


def times_as_long(dataset: Dataset, folds: int) -> float:
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
