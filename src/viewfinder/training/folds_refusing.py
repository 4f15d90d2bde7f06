"""What folds cannot be made with: refused before torch is imported."""

from viewfinder.datasets.dataset import Dataset
from viewfinder.datasets.folding import folded_part, refuse_too_many
from viewfinder.errors import InputError
from viewfinder.tasks.recipe import Recipe


def refuse_folds(recipe: Recipe, folds: int) -> None:
    """Refuse what folds cannot be made with, whatever the pictures.

    Raises:
        InputError: fewer than two, minutes, or several devices.
    """
    if folds < 2:
        raise InputError(f"--folds {folds}: give 2 or more")
    if recipe.minutes is not None:
        raise InputError(
            f"--folds {folds} --minutes {recipe.minutes:g}: minutes are those of one training, and "
            f"{folds} folds and the last would take {recipe.minutes * (folds + 1):g}; give "
            "--epochs instead"
        )
    if recipe.devices > 1:
        raise InputError(f"--folds trains on one device: leave out --devices {recipe.devices}")


def refuse_too_few(dataset: Dataset, folds: int) -> None:
    """Refuse more folds than a set has pictures of a class to judge by.

    Raises:
        InputError: there are fewer.
    """
    refuse_too_many(folded_part(dataset), folds)
