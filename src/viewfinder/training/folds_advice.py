"""Where few pictures judge: what folds would do about it, how long that takes, and the command.

Folds that take long are not made unasked: they take some six times as long as one training.
"""

from dataclasses import replace

from viewfinder.datasets.dataset import Dataset
from viewfinder.datasets.folding import folded_part
from viewfinder.evaluation.advising import Course, too_short
from viewfinder.runs.run import RunFolder
from viewfinder.tasks.recipe import Recipe
from viewfinder.training.commands import command
from viewfinder.training.forecast import Forecast, told
from viewfinder.wording import counted, in_words


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
        f"  {command(run.manifest, recipe, '--folds', str(folds))}",
    )


def times_as_long(dataset: Dataset, folds: int) -> float:
    """How many times as long folds take as this one training: all of k but a kth, and all once."""
    return folds * len(folded_part(dataset)) / len(dataset.split("train"))


def _splits(dataset: Dataset) -> list[str]:
    return [split for split in ("train", "val", "test") if dataset.has_split(split)]
