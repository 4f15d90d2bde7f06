"""Whether a training that was begun can go on as it is asked now: by the same recipe, folds,
pictures and inputs. Nothing here imports torch, so that what differs is told at once.
"""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np

from viewfinder.datasets import digests
from viewfinder.datasets.dataset import Dataset
from viewfinder.datasets.folding import folded_part
from viewfinder.datasets.splits import TEST, TRAIN
from viewfinder.errors import InputError
from viewfinder.reading import read_bytes
from viewfinder.runs.pictures import read_pictures
from viewfinder.runs.places import FOLDS, holds_run, look_at_place
from viewfinder.tasks.manifest import Manifest, read_manifest
from viewfinder.tasks.recipe import (
    Recipe,
    UsualCount,
    UsualNumber,
    UsualText,
    differing_fields,
)
from viewfinder.training.folds_refusing import Folds
from viewfinder.values import as_whole

# Tells that a folder's folds were begun, and how many there are to be.
MARK = "folds.json"
# What a training learns from beside its pictures; the first only as long as it begins.
INPUTS = ("--init", "--teacher", "--compose", "--backgrounds", "--unlabelled")
_NO_PLACES = ("random", "imagenet")


def refuse_other_choices(folder: Path, recipe: Recipe, folds: Folds | None) -> None:
    """See that what was begun in a folder, in folds or without, was begun as it is asked now.

    Raises:
        InputError: by another recipe, or in another number of folds.
    """
    had = folds_begun(folder)
    if folds == "none" and had:
        raise InputError(f"--resume: {folder} was begun with --folds {had}: give the same")
    if folds is not None and folds != "none":
        look_at_folds(folder, folds, resume=True)
    for each in (folder, folder / FOLDS / "1"):
        if holds_run(each):
            refuse_other_recipe(each, read_manifest(each, quickly=True), recipe)


def refuse_other_set(folder: Path, opened: Dataset) -> None:
    """See that what was begun in a folder learns from a set.

    Args:
        opened: with the splits that `open_dataset` deals.

    Raises:
        InputError: it learns from another, or that has changed.
    """
    first = folder / FOLDS / "1"
    if holds_run(folder):
        begun = read_manifest(folder, quickly=True)
        refuse_other_data(folder, begun, all_learnt(opened) if "folded" in begun.data else opened)
    elif holds_run(first):
        # Which fold has which picture is only known when all have been compared with each other.
        seen = read_pictures(first)
        if seen and seen.keys() != set(digests.picture_digests(folded_part(opened))):
            raise _of_another_set(folder, read_manifest(first, quickly=True), opened)


def folds_begun(folder: Path) -> int | None:
    """In how many folds a training in a folder was begun, if in any.

    Raises:
        InputError: the file that says it is damaged.
    """
    mark = folder / FOLDS / MARK
    if not mark.exists():
        return None
    try:
        return as_whole(json.loads(read_bytes(mark))["folds"])
    except (OSError, ValueError, TypeError, KeyError, RecursionError) as error:
        raise InputError(f"{mark} is damaged: train anew into another --out") from error


def look_at_folds(folder: Path, folds: int, *, resume: bool) -> bool:
    """Whether folds were begun in a folder and are to be resumed.

    Raises:
        InputError: they were begun and are not to be, or in another number, or without.
    """
    had = folds_begun(folder)
    if had is None:
        if resume and holds_run(folder):
            raise InputError(f"--resume: {folder} was begun without --folds: leave it out")
        look_at_place(folder, resume=False)
        return False
    if not resume:
        raise InputError(f"{folder} exists already: give --resume to go on, or another --out")
    if had != folds:
        raise InputError(f"--resume: {folder} was begun with --folds {had}: give the same")
    return True


def all_learnt(dataset: Dataset) -> Dataset:
    """What the training after folds learns from: all but a test split of the set's own."""
    learnt = np.full(len(dataset), TRAIN, np.int8)
    if not dataset.test_dealt:
        learnt[dataset.splits == TEST] = TEST
    return replace(dataset, splits=learnt, val_dealt=False, test_dealt=False)


def refuse_other_data(folder: Path, begun: Manifest, dataset: Dataset) -> None:
    """See that a data set is what a run learnt from, and that its other inputs are as they were.

    Raises:
        InputError: it is another, or something has changed.
    """
    if begun.data["fingerprint"] != dataset.fingerprint():
        raise _of_another_set(folder, begun, dataset)
    for flag in INPUTS[1:]:
        refuse_other_input(folder, begun, begun.recipe, flag)


def _of_another_set(folder: Path, begun: Manifest, dataset: Dataset) -> InputError:
    if str(dataset.root.resolve()) != begun.data["root"]:
        return InputError(
            f"--resume: {folder} was learnt from {begun.learnt_from}, not {dataset.root}: give "
            "--out another name"
        )
    return InputError(
        f"--resume: the pictures in {dataset.root} have changed since {folder} was begun; train "
        "anew into another --out"
    )


def refuse_other_recipe(folder: Path, begun: Manifest, recipe: Recipe) -> None:
    """See that a recipe is that of a run. Of one after folds, the folds chose the epochs.

    Raises:
        InputError: it is another.
    """
    if type(recipe) is not type(begun.recipe):
        raise InputError(
            f"--resume: {folder} was begun by `train {begun.task}`: give that task, or "
            "another --out"
        )
    chosen = {"epochs"} if "folded" in begun.data and (folder / FOLDS).exists() else ()
    different = [n for n in differing_fields(begun.recipe, recipe) if n not in chosen]
    if different:
        # What nobody gave follows from what somebody did.
        usual = (UsualText, UsualCount, UsualNumber)
        given = [name for name in different if not isinstance(getattr(recipe, name), usual)]
        different = given or different
        flags = ", ".join(f"--{name.replace('_', '-')}" for name in different)
        raise InputError(
            f"--resume: {folder} was begun with other values of {flags}; give the same ones, "
            "or train anew into another --out"
        )


def refuse_other_input(folder: Path, begun: Manifest, recipe: Recipe, flag: str) -> None:
    """See that what a flag names is what it was when the run was begun.

    Raises:
        InputError: it is not.
    """
    digest = begun.data.get("inputs", {}).get(flag)
    if digest is not None and _digest_of_input(recipe, flag) != digest:
        raise InputError(
            f"--resume: what {flag} names has changed since {folder} was begun; put back what "
            "was there, or train anew into another --out"
        )


def digests_of_inputs(recipe: Recipe) -> dict[str, str]:
    """What a training learns from beside its pictures: a digest of what each such flag names."""
    return {flag: digest for flag in INPUTS if (digest := _digest_of_input(recipe, flag))}


def _digest_of_input(recipe: Recipe, flag: str) -> str | None:
    """The digest of the file or folder that a flag names; None where it names none."""
    named = getattr(recipe, flag.removeprefix("--"), None) or ""
    place = Path("" if named in _NO_PLACES else named).expanduser()
    return digests.of_place(place) if place != Path() and place.exists() else None
