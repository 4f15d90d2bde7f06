"""The arithmetic of a training: as asked for, as measured on this machine before, or measured now.

What was measured is kept in the cache, a small file for each machine, net, size and batch: the
next training of the kind chooses alike, and at once.
"""

import contextlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from importlib.metadata import version
from pathlib import Path
from typing import Any

import torch
from torch import nn

from viewfinder.crowding import spare_threads_if_crowded
from viewfinder.devices import describe_device
from viewfinder.events import note
from viewfinder.tasks.loss import AnyLoss
from viewfinder.tasks.manifest_tables import checked_precision
from viewfinder.tasks.measured import measured_file, processor, recall, remember
from viewfinder.tasks.parts import TaskBatch, TrainSetup
from viewfinder.tasks.recipe import Recipe
from viewfinder.tasks.task import AnyTask
from viewfinder.training.arrangement import Arrangement, Choice, asked_for, candidates
from viewfinder.training.batches import Share, batches, deal, lasts
from viewfinder.training.precision import Settle, choose, seconds_of_step, still_agrees
from viewfinder.training.preparing import Splits
from viewfinder.values import as_number, as_table

# Batches on which it is measured.
_BATCHES = 2
# Of how many steps a training was whose measuring was cut short, and how many times as many another
# may take without measuring anew.
_STEPS, _LONGER = "steps", 2.0


@dataclass(frozen=True)
class Promise:
    """How long steps took when the arithmetic was chosen.

    Attributes:
        seconds: of a forward and backward pass, for each number of its pictures.
        file: where that is remembered.
    """

    seconds: float
    file: Path


def choose_arithmetic(
    task: AnyTask,
    net: nn.Module,
    splits: Splits,
    setup: TrainSetup[Recipe],
    device: torch.device,
    *,
    before: Choice | None = None,
) -> Choice:
    """What the recipe asks for, or what is fastest here on the training's own first batches.

    Args:
        before: what was chosen for trainings that this one is compared with: nothing is measured.
    """
    arrangements = candidates(setup.recipe.precision, device)
    if len(arrangements) == 1:
        return asked_for(arrangements[0], device)
    trials = first_batches(task, splits, setup, device)
    colours = setup.config.normalisation
    loss, settle = settled_loss(task, net.to(device), setup, device)
    told: dict[str, Any] = {"loss": loss, "colours": colours, "settle": settle}
    if device.type == "cpu" and setup.recipe.devices == 1 and before is None:
        spare_threads_if_crowded(partial(seconds_of_step, net, trials, arrangements[0], **told))
    depends = _depends(task, setup, device)
    file = measured_file(depends)
    course = partial(lasts, setup.recipe, len(splits.train))
    found = _recall(file, arrangements, course)
    if before is not None and before.arrangement in arrangements:
        found = replace(before, why=f"as for all folds: {before.why}")
    if found is not None and still_agrees(net, trials, found.arrangement, device=device, **told):
        return found
    note("measuring which arithmetic is the fastest here, which is then remembered")
    choice = choose(net, trials, arrangements, device=device, course=course, **told)
    steps = {} if choice.thorough else {_STEPS: course(1.0)}
    remember(file, {**choice.as_json(), **steps}, depends)
    return choice


def settled_loss(
    task: AnyTask, net: nn.Module, setup: TrainSetup[Recipe], device: torch.device
) -> tuple[AnyLoss, Settle]:
    """The loss of a net on its device, and what settles what of it does not learn."""
    return task.make_loss(net, setup, device), partial(task.settle, setup=setup)


def promise(
    choice: Choice, task: AnyTask, setup: TrainSetup[Recipe], device: torch.device
) -> Promise | None:
    """What steps may be held to; None where their time is not known, or not theirs alone."""
    # A GPU computes while others do, and processes wait for each other.
    if choice.promise is None or device.type != "cpu" or setup.recipe.devices > 1:
        return None
    return Promise(choice.promise, measured_file(_depends(task, setup, device)))


def forget(file: Path) -> None:
    """Have the next training of the kind measure anew."""
    with contextlib.suppress(OSError):
        file.unlink(missing_ok=True)


def first_batches(
    task: AnyTask,
    splits: Splits,
    setup: TrainSetup[Recipe],
    device: torch.device,
    *,
    most: int = _BATCHES,
) -> list[TaskBatch]:
    """A training's first steps, on the device."""
    dealt = deal(task, splits.train, setup.recipe, epoch=0)
    made = batches(
        task,
        splits.train,
        setup,
        dealt,
        epoch=0,
        steps=range(min(most, len(dealt))),
        share=Share(),
        progress_at=lambda step: 0.0,
    )
    return [batch.inputs.to(device) for batch in made]


def _depends(task: AnyTask, setup: TrainSetup[Recipe], device: torch.device) -> dict[str, object]:
    """All on which the times depend."""
    recipe = setup.recipe
    return {
        "processor": processor(),
        "device": describe_device(device, recipe.devices),
        "torch": version("torch"),
        "task": task.name,
        "net": recipe.net,
        "options": {name: _structure(value) for name, value in setup.config.options.items()},
        "classes": len(setup.config.classes),
        "size": list(setup.config.size),
        "batch": recipe.batch,
        # Where some layers stay, a step is shorter.
        **({"tunes": True} if recipe.tunes else {}),
        **{name: getattr(recipe, name, None) for name in ("loss", "teacher", "small")},
    }


def _structure(value: object) -> object:
    """An option without what is fitted to a set: of anchors their number, and not their sizes."""
    if isinstance(value, list | tuple):
        return [None if isinstance(each, float) else _structure(each) for each in value]
    return value


def _recall(
    file: Path, arrangements: Sequence[Arrangement], course: Callable[[float], float]
) -> Choice | None:
    """What was measured before, if that can be read, is one of the candidates, and was not cut
    short for a training that is much shorter than this one."""
    try:
        known = as_table(recall(file))
        choice = Choice.from_json(checked_precision(known))
        if _STEPS in known and course(1.0) > _LONGER * as_number(known[_STEPS]):
            return None
    except (ValueError, KeyError, TypeError):
        return None
    if choice.arrangement not in arrangements:
        return None
    return replace(choice, why=f"{choice.why}, as measured here before")
