"""What folds cannot be made with: refused before any picture is looked for, or torch imported."""

from typing import Literal

from viewfinder.errors import InputError
from viewfinder.tasks.recipe import Recipe

Folds = int | Literal["none"]
"""In how many folds a recipe is judged, or that it is trained once."""


def refuse_folds(recipe: Recipe, folds: int) -> None:
    """Refuse what folds cannot be made with, whatever the pictures.

    Raises:
        InputError: fewer than two, minutes, several devices, or what held-out pictures must judge.
    """
    if folds < 2:
        raise InputError(f"--folds {folds}: give 2 or more, or none to train once")
    if recipe.minutes is not None:
        raise InputError(
            f"--folds {folds} --minutes {recipe.minutes:g}: minutes are those of one training, and "
            f"{folds} folds and the last would take {recipe.minutes * (folds + 1):g}; give "
            "--epochs instead"
        )
    if recipe.devices > 1:
        raise InputError(f"--folds trains on one device: leave out --devices {recipe.devices}")
    if recipe.by_held_out:
        raise InputError(
            f"--folds {folds} {recipe.by_held_out}: held-out pictures must judge that, and the "
            "training that follows the folds learns from all; leave out one of the two"
        )
