"""The command that trains as a run was trained, or otherwise; told without importing torch."""

import shlex
from dataclasses import fields
from pathlib import Path

from viewfinder.errors import InputError
from viewfinder.runs.places import FOLDS, holds_run
from viewfinder.tasks.manifest import Manifest, read_manifest
from viewfinder.tasks.recipe import Recipe

# What others follow from.
_FIRST = ("net", "options", "init", "head")


def refuse_run(data: str) -> None:
    """Refuse a run in the place of a set to learn from.

    Raises:
        InputError: it is one; with what it learns from, and the command that goes on with it.
    """
    run = Path(data).expanduser()
    # The last training after folds has the epochs that these came to, and not those asked for.
    begun = next((each for each in (run / FOLDS / "1", run) if holds_run(each)), None)
    if begun is not None:
        manifest = read_manifest(begun, quickly=True)
        goes_on = command(manifest, manifest.recipe, "--out", data, "--resume")
        raise InputError(
            f"{data} is a run, and no set to learn from: it learns from {manifest.learnt_from}; to "
            f"go on with it, say `{goes_on}`"
        )


def command(begun: Manifest, recipe: Recipe, *more: str) -> str:
    """What trains by a recipe on what a run learnt from.

    Args:
        begun: the run's.
        more: words behind the recipe's flags.
    """
    words = ["viewfinder", "train", begun.task, begun.data["source"]]
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
