"""A training without steps: what is learnt is solved at once, measured, and kept."""

import time
from collections.abc import Mapping
from dataclasses import fields

import torch

from viewfinder.events import note
from viewfinder.runs.pictures import read_pictures
from viewfinder.tasks import find
from viewfinder.tasks.recipe import Recipe
from viewfinder.training.best import measure
from viewfinder.training.job import Job

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


def _idle(recipe: Recipe) -> list[str]:
    """The flags that were given, and have no meaning without steps."""
    return [
        f"--{each.name.replace('_', '-')} {getattr(recipe, each.name)}"
        for each in fields(recipe)
        if each.name in _OF_STEPS and getattr(recipe, each.name) != each.default
    ] + [f"--options {each}" for each in recipe.options if each.partition("=")[0] in _DROPPING]
