"""What can be learnt: a task a folder, found by name.

A new task is its folder, with a class that answers as `tasks.task.Task` asks, and one line below.
"""

import importlib
import shlex
from collections.abc import Callable
from typing import TYPE_CHECKING

from viewfinder.errors import InputError
from viewfinder.wording import likest

if TYPE_CHECKING:
    from viewfinder.datasets.dataset import Dataset
    from viewfinder.tasks.recipe import Recipe
    from viewfinder.tasks.task import AnyTask

_TASKS = {
    "classify": ("Classify", "ClassifyRecipe"),
    "detect": ("Detect", "DetectRecipe"),
    "saliency": ("Saliency", "SaliencyRecipe"),
}

NAMES = tuple(_TASKS)


def find(name: str) -> "AnyTask":
    """The task of this name; imports torch.

    Raises:
        InputError: there is none.
    """
    task: AnyTask = getattr(importlib.import_module(f"{_home(name)}.task"), _TASKS[name][0])()
    return task


def recipe_of(name: str) -> "type[Recipe]":
    """The class of a task's recipes, without importing torch.

    Raises:
        InputError: there is no such task.
    """
    recipe: type[Recipe] = getattr(
        importlib.import_module(f"{_home(name)}.recipe"), _TASKS[name][1]
    )
    return recipe


def refuse_unsuitable(name: str, dataset: "Dataset") -> None:
    """Refuse a set that a task cannot learn from, without importing torch.

    Raises:
        InputError: it is one; with the command that learns from it.
    """
    require: Callable[[Dataset], None] = importlib.import_module(f"{_home(name)}.suitable").require
    try:
        require(dataset)
    except InputError as error:
        other = "detect" if dataset.boxes is not None else "classify"
        other = "saliency" if any(dataset.masks) else other
        if other == name:
            raise
        command = f"viewfinder train {other} {shlex.quote(str(dataset.root))}"
        raise InputError(f"{error}; as it is, learn from it by `{command}`") from None


def _home(name: str) -> str:
    if name not in _TASKS:
        near = likest(name, NAMES)
        raise InputError(f"there is no task {name!r}{near}: choose {', '.join(NAMES)}")
    return f"{__name__}.{name}"
