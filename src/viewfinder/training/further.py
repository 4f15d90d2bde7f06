"""What could be learnt beyond what was solved at once: how long it takes here, and the command."""

from dataclasses import replace

import torch

from viewfinder.tasks import find
from viewfinder.tasks.parts import TrainSetup
from viewfinder.training.arrangement import Arrangement
from viewfinder.training.batches import steps_per_epoch
from viewfinder.training.choosing import first_batches
from viewfinder.training.folds_advice import command
from viewfinder.training.job import Job
from viewfinder.training.precision import seconds_of_step
from viewfinder.wording import in_words


def further(job: Job, device: torch.device) -> tuple[str, ...]:
    """Lines for a person whose recipe leaves something to learn; none where it does not.

    A step is taken, on a copy of the net, to tell how long all of them take.
    """
    run, setup = job.run, job.run.setup()
    more = setup.recipe.further
    if more is None:
        return ()
    if run.manifest.data.get("folded") and run.manifest.data["images"]["test"]:
        # Of few pictures none was held out here either, and a few would tell nothing apart.
        more = replace(more, val_share=0.0)
    task, setup = find(run.manifest.task), TrainSetup(more, setup.config)
    net = job.net.to(device)
    step = seconds_of_step(
        net,
        first_batches(task, job.splits, setup, device),
        Arrangement("32", "channels_last"),
        loss=task.make_loss(net, setup, device),
        colours=setup.config.normalisation,
        settle=lambda net: task.settle(net, setup),
    )
    steps = more.epochs * steps_per_epoch(len(job.splits.train), more.batch, more.devices)
    return (
        f"try: let later layers learn too, in {in_words(step * steps)}:",
        f"  {command(run, more)}",
    )
