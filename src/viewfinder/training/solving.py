"""A training without steps: what is learnt is solved at once, measured, and kept."""

import time
from collections.abc import Mapping, Sequence
from dataclasses import fields
from pathlib import Path

import torch

from viewfinder.events import note
from viewfinder.runs.pictures import read_pictures
from viewfinder.runs.run import open_run
from viewfinder.runs.scores import read_scores
from viewfinder.tasks import find
from viewfinder.tasks.recipe import Recipe
from viewfinder.training.best import measure
from viewfinder.training.job import Job
from viewfinder.values import as_table
from viewfinder.wording import counted

# What only a training in steps asks for.
_OF_STEPS = (
    *("epochs", "minutes", "batch", "optimiser", "learning_rate", "warmup", "momentum"),
    *("weight_decay", "clip", "average", "patience", "freeze"),
    *("label_smoothing", "shift", "scale", "turn", "colour", "erase"),
)
# Options of nets that drop units or blocks, as they do in steps alone.
_DROPPING = ("dropout",)


def solve(job: Job, device: torch.device) -> Mapping[str, object]:
    """Solve what the recipe learns; the run's folder then holds the weights.

    Returns:
        how it came about.
    """
    task, setup = find(job.run.manifest.task), job.run.setup()
    if idle := _idle(setup.recipe):
        note(f"what is solved takes no steps: {', '.join(idle)} changes nothing")
    started = time.perf_counter()
    job.run.keep_history(0)
    net = job.net.to(device)
    sides = read_pictures(job.run.folder)
    held_out = {digest for digest, side in sides.items() if side != "train"}
    found = task.solve(net, job.splits.train, setup, device, held_out)
    figures = measure(task, net.eval(), job.splits, setup.config, device)
    job.run.save_weights(net.state_dict())
    seconds = time.perf_counter() - started
    row = {
        "epoch": 1,
        "seconds": seconds,
        "images_per_s": len(job.splits.train) / seconds,
        "loss": figures.get("train_loss", 0.0),
        "learning_rate": 0.0,
        "skipped_steps": 0,
        "kept_epoch": 1,
    }
    job.run.append_history(row | figures)
    return found


def alike(folds: Sequence[Path], solved: Mapping[str, object]) -> list[Path]:
    """The folds whose last layer came about as that of the run after them.

    Class means, ridge regression, and either with pictures without labels are each sure of
    themselves in a way of their own: scores of one are not fitted by answers of another.

    Args:
        folds: the folders of their runs.
        solved: how the run's came about; empty where it learnt in steps.
    """
    if not solved:
        return list(folds)
    found = [
        fold
        for fold in folds
        if _kind(as_table(read_scores(open_run(fold).scores_file).get("head", {}))) == _kind(solved)
    ]
    if len(found) < len(folds):
        note(
            f"{len(folds) - len(found)} of {counted(len(folds), 'fold')} learnt the last layer in "
            "another way than the run on everything, and say nothing of how sure it may be"
        )
    return found


def _kind(solved: Mapping[str, object]) -> tuple[object, bool]:
    return solved.get("way"), bool(solved.get("believed"))


def _idle(recipe: Recipe) -> list[str]:
    """The flags that were given, and have no meaning without steps."""
    return [
        f"--{each.name.replace('_', '-')} {getattr(recipe, each.name)}"
        for each in fields(recipe)
        if each.name in _OF_STEPS and getattr(recipe, each.name) != each.default
    ] + [f"--options {each}" for each in recipe.options if each.partition("=")[0] in _DROPPING]
