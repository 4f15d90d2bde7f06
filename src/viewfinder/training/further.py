"""What could be learnt beyond what was solved at once: how long it takes here, and the command."""

import time
from dataclasses import dataclass, replace

import torch

from viewfinder.tasks import find
from viewfinder.tasks.parts import TrainSetup
from viewfinder.training.arrangement import Arrangement
from viewfinder.training.batches import steps_per_epoch
from viewfinder.training.choosing import first_batches, settled_loss
from viewfinder.training.folds_advice import command
from viewfinder.training.job import Job
from viewfinder.training.precision import seconds_of_step
from viewfinder.wording import in_words

# What a training in steps does before its steps: it times each arithmetic by some of them.
_STEPS_TO_CHOOSE = 40
# What passed, in a process's own work, until a training could begin.
_STARTED = min(10.0, time.process_time())


@dataclass(frozen=True)
class Further:
    """What could be learnt beyond what was solved at once.

    Attributes:
        command: what learns it.
        seconds: its steps, and those by which its arithmetic is chosen.
        times: how many times it opens, judges and reports: once, or for each of its folds too.
    """

    command: str
    seconds: float
    times: int = 1

    @property
    def says(self) -> str:
        """What to do next, as a report has it."""
        return f"let later layers learn too: {self.command}"

    def lines(self, around: float) -> tuple[str, str]:
        """The same for a terminal, with how long it takes from the first word to the last.

        Args:
            around: seconds that the training took which solved what is known so far: reading,
                judging and reporting are as long.
        """
        text = in_words(self.seconds + _STARTED + self.times * around)
        return f"try: let later layers learn too, in {text}:", f"  {self.command}"


def further(job: Job, device: torch.device, *, folds: int = 0) -> Further | None:
    """What a recipe leaves to learn; None where it leaves nothing.

    A step is taken, on a copy of the net, to tell how long all of them take.

    Args:
        folds: how many judged the training, and are to judge the next too; 0 without any.
    """
    run, setup = job.run, job.run.setup()
    more = setup.recipe.further
    if more is None:
        return None
    if run.manifest.data.get("folded"):
        # Of few pictures none was held out here either, and a few would tell nothing apart.
        more = replace(more, val_share=0.0)
    task, setup = find(run.manifest.task), TrainSetup(more, setup.config)
    net = job.net.to(device)
    loss, settle = settled_loss(task, net, setup, device)
    step = seconds_of_step(
        net,
        first_batches(task, job.splits, setup, device),
        Arrangement("32", "channels_last"),
        loss=loss,
        colours=setup.config.normalisation,
        settle=settle,
    )
    steps = more.epochs * steps_per_epoch(len(job.splits.train), more.batch, more.devices)
    if not folds:
        return Further(command(run, more), step * (steps + _STEPS_TO_CHOOSE))
    # Of k folds each learns from all but a kth, and the last training from all.
    said = command(run, more, "--folds", str(folds))
    return Further(said, step * (folds * steps + _STEPS_TO_CHOOSE), folds + 1)
