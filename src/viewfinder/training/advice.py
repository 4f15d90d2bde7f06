"""What helps a training whose loss is no number: found out, not guessed."""

import math
from collections.abc import Callable

import torch
from torch import nn

from viewfinder.tasks.loss import AnyLoss, total
from viewfinder.tasks.parts import TaskBatch
from viewfinder.tasks.recipe import Recipe
from viewfinder.training.arrangement import Arrangement
from viewfinder.training.job import Job
from viewfinder.training.progress import TrainingProgress


def not_finite(
    job: Job, net: nn.Module, loss: AnyLoss, inputs: TaskBatch, now: TrainingProgress, step: int
) -> str:
    """What became of a training whose loss at a step is no number, and what helps.

    Args:
        net: with the weights that gave that loss.
        inputs: what gave it, on the net's device.
    """
    run, arrangement = job.run, job.arrangement
    colours = run.model.config.normalisation
    plain = Arrangement("32", arrangement.layout)

    @torch.no_grad()
    def plain_loss() -> float:
        return float(total(loss(lambda pictures: plain.forward(net, pictures, colours), inputs)))

    kept = (
        f"the best weights so far are kept in {run.folder}"
        if run.weights_file.exists()
        else "no epoch had ended, so nothing was kept"
    )
    helps = fixes(run.manifest.recipe, arrangement, net, updates=now.updates, plain_loss=plain_loss)
    return (
        f"the loss became NaN or infinite at step {step + 1} of epoch {now.epoch + 1}; {kept}. "
        f"{helps}"
    )


def fixes(
    recipe: Recipe,
    arrangement: Arrangement,
    net: nn.Module,
    *,
    updates: int,
    plain_loss: Callable[[], float],
) -> str:
    """A sentence that says why the loss of a step is NaN or infinite, and what to change.

    Args:
        net: with the weights that gave that loss.
        updates: steps that were taken before.
        plain_loss: the loss of the same step in float32.
    """
    finite = all(bool(parameter.isfinite().all()) for parameter in net.parameters())
    if not updates and not finite:
        return "It began with weights that are NaN or infinite: give others to start from (--init)"
    if finite and arrangement.arithmetic != "32" and math.isfinite(plain_loss()):
        kind = {"16": "float16", "bf16": "bfloat16"}[arrangement.arithmetic]
        other = "32 or bf16" if arrangement.arithmetic == "16" else "32"
        return (
            f"In float32 the same step gives a number, which {kind} cannot hold; another learning "
            f"rate would not help. Give --precision {other}"
        )
    if not updates:
        return (
            "No step had been taken, so that another learning rate would not help: see what "
            "`viewfinder check` says of the pictures, or give other weights to start from (--init)"
        )
    tries = [f"--learning-rate {recipe.learning_rate / 5:g}"]
    if not recipe.clip:
        tries.append("--clip 1")
    return f"Try {', or '.join(tries)}"
