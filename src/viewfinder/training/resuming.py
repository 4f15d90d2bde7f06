"""Whether a run that was begun can be resumed: by the same recipe, pictures and inputs."""

from importlib.metadata import version
from pathlib import Path

from viewfinder.datasets import digests
from viewfinder.datasets.dataset import Dataset
from viewfinder.devices import describe_device, pick_device
from viewfinder.errors import InputError
from viewfinder.events import note
from viewfinder.runs.places import FOLDS
from viewfinder.runs.run import RunFolder, open_run
from viewfinder.tasks.manifest import Manifest
from viewfinder.tasks.recipe import (
    Recipe,
    UsualCount,
    UsualNumber,
    UsualText,
    differing_fields,
)
from viewfinder.training.processes import threads_of_each
from viewfinder.wording import counted

# What a training learns from beside its pictures; the first only as long as it begins.
INPUTS = ("--init", "--teacher", "--compose", "--backgrounds", "--unlabelled")
_NO_PLACES = ("random", "imagenet")


def same_run(folder: Path, dataset: Dataset, recipe: Recipe) -> RunFolder:
    """The run in a folder, which must be of this recipe and these pictures.

    Raises:
        InputError: it is of others.
    """
    run = open_run(folder)
    refuse_other_recipe(run, recipe)
    refuse_other_data(run, dataset)
    return run


def refuse_other_data(run: RunFolder, dataset: Dataset) -> None:
    """See that a data set is what a run learnt from, and that its other inputs are as they were.

    Raises:
        InputError: it is another, or something has changed.
    """
    if run.manifest.data["fingerprint"] != dataset.fingerprint():
        if str(dataset.root.resolve()) != run.manifest.data["root"]:
            raise InputError(
                f"--resume: {run.folder} was learnt from {run.learnt_from}, not {dataset.root}: "
                "give --out another name"
            )
        raise InputError(
            f"--resume: the pictures in {dataset.root} have changed since {run.folder} was begun; "
            "train anew into another --out"
        )
    for flag in INPUTS[1:]:
        refuse_other_input(run, run.manifest.recipe, flag)


def refuse_other_recipe(run: RunFolder, recipe: Recipe) -> None:
    """See that a recipe is that of a run. Of one after folds, the folds chose the epochs.

    Raises:
        InputError: it is another.
    """
    if type(recipe) is not type(run.manifest.recipe):
        raise InputError(
            f"--resume: {run.folder} was begun by `train {run.manifest.task}`: give that task, or "
            "another --out"
        )
    chosen = {"epochs"} if "folded" in run.manifest.data and (run.folder / FOLDS).exists() else ()
    different = [n for n in differing_fields(run.manifest.recipe, recipe) if n not in chosen]
    if different:
        # What nobody gave follows from what somebody did.
        usual = (UsualText, UsualCount, UsualNumber)
        given = [name for name in different if not isinstance(getattr(recipe, name), usual)]
        different = given or different
        flags = ", ".join(f"--{name.replace('_', '-')}" for name in different)
        raise InputError(
            f"--resume: {run.folder} was begun with other values of {flags}; give the same ones, "
            "or train anew into another --out"
        )


def refuse_other_input(run: RunFolder, recipe: Recipe, flag: str) -> None:
    """See that what a flag names is what it was when the run was begun.

    Raises:
        InputError: it is not.
    """
    begun = run.manifest.data.get("inputs", {}).get(flag)
    if begun is not None and _digest_of_input(recipe, flag) != begun:
        raise InputError(
            f"--resume: what {flag} names has changed since {run.folder} was begun; put back what "
            "was there, or train anew into another --out"
        )


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
    machine = describe_device(pick_device(recipe.device), recipe.devices)
    if _without_threads(begun.device) != _without_threads(machine):
        note(
            f"begun on {begun.device} and resumed on {machine}: the weights may not be bit "
            "for bit those of a training that never stopped"
        )


def _without_threads(device: str) -> str:
    return device.partition(",")[0]


def digests_of_inputs(recipe: Recipe) -> dict[str, str]:
    """What a training learns from beside its pictures: a digest of what each such flag names."""
    return {flag: digest for flag in INPUTS if (digest := _digest_of_input(recipe, flag))}


def _digest_of_input(recipe: Recipe, flag: str) -> str | None:
    """The digest of the file or folder that a flag names; None where it names none."""
    named = getattr(recipe, flag.removeprefix("--"), None) or ""
    place = Path("" if named in _NO_PLACES else named).expanduser()
    return digests.of_place(place) if place != Path() and place.exists() else None
