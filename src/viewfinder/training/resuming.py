"""A run that is resumed, and what makes it come out otherwise than without a stop."""

from importlib.metadata import version
from pathlib import Path

from viewfinder.datasets.dataset import Dataset
from viewfinder.devices import describe_device, pick_device
from viewfinder.events import note
from viewfinder.runs.run import RunFolder, open_run
from viewfinder.tasks.manifest import Manifest
from viewfinder.tasks.recipe import Recipe
from viewfinder.training.processes import threads_of_each
from viewfinder.training.resumable import refuse_other_data, refuse_other_recipe
from viewfinder.wording import counted


def same_run(folder: Path, dataset: Dataset, recipe: Recipe) -> RunFolder:
    """The run in a folder, which must be of this recipe and these pictures.

    Raises:
        InputError: it is of others.
    """
    run = open_run(folder)
    refuse_other_recipe(folder, run.manifest, recipe)
    refuse_other_data(folder, run.manifest, dataset)
    return run


def report_differences(begun: Manifest) -> None:
    """Say what makes the weights other, in their last digits, than without a stop."""
    recipe = begun.recipe
    threads = threads_of_each(recipe.devices)
    if begun.threads not in (None, threads):
        count = begun.threads * recipe.devices
        note(
            f"begun with {counted(begun.threads, 'thread')} and resumed with {threads}: sums come "
            "out another way, and the weights will not be bit for bit those of a training that "
            f"never stopped; with OMP_NUM_THREADS={count} they would be"
        )
    if begun.versions.get("torch") not in (None, version("torch")):
        note(
            f"begun with torch {begun.versions['torch']} and resumed with {version('torch')}: the "
            "weights may not be bit for bit those of a training that never stopped"
        )
    if not on_the_same_processor(begun):
        machine = describe_device(pick_device(recipe.device), recipe.devices)
        note(
            f"begun on {begun.device} and resumed on {machine}: the weights may not be bit "
            "for bit those of a training that never stopped"
        )


def on_the_same_processor(begun: Manifest) -> bool:
    """Whether a training goes on where it began, be it with other threads."""
    machine = describe_device(pick_device(begun.recipe.device), begun.recipe.devices)
    return _without_threads(begun.device) == _without_threads(machine)


def _without_threads(device: str) -> str:
    return device.partition(",")[0]
