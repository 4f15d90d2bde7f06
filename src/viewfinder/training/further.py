"""What could be learnt beyond what was solved at once: how long it takes here, and the command."""

import time
from contextlib import nullcontext
from dataclasses import dataclass, replace

import torch

from viewfinder.crowding import as_if_spared
from viewfinder.tasks import find
from viewfinder.tasks.parts import TrainSetup
from viewfinder.training.arrangement import Arrangement, Choice
from viewfinder.training.commands import command
from viewfinder.training.forecast import forecast
from viewfinder.training.job import Job
from viewfinder.wording import in_words

# What passed, in a process's own work, until a training could begin.
_STARTED = min(10.0, time.process_time())
# Measuring the arithmetic takes no more than this share of a training.
_MEASURED = 1.05


@dataclass(frozen=True)
class Further:
    """What could be learnt beyond what was solved at once.

    Attributes:
        command: what learns it.
        seconds: how long that takes, the last layer apart, which it begins with.
        times: how many times that is solved: once, or for each of its folds too.
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

    How long it takes is told as of every training, by a step on a copy of the net.

    Args:
        folds: how many judged the training, and are to judge the next too; 0 without any.
    """
    run, setup = job.run, job.run.setup()
    more = setup.recipe.further
    # What a person labelled, whatever part of it is held out.
    pictures = sum(len(each) for each in (job.splits.train, job.splits.val) if each is not None)
    count = pictures / len(run.manifest.classes)
    if more is None or count < more.FURTHER_FROM:
        return None
    if run.manifest.data.get("folded"):
        # Of few pictures none was held out here either, and a few would tell nothing apart.
        more = replace(more, val_share=0.0)
    task, setup = find(run.manifest.task), TrainSetup(more, setup.config)
    choice = Choice(Arrangement("32", "channels_last"), "as every answer is")
    with as_if_spared() if device.type == "cpu" else nullcontext():
        once = forecast(task, job.net, job.splits, setup, choice, device, pictures=pictures)
    if not folds:
        return Further(command(run.manifest, more), _MEASURED * once.of())
    # Of k folds each learns from all but a kth, and the last training from all.
    said = command(run.manifest, more, "--folds", str(folds))
    return Further(said, _MEASURED * once.of(folds), folds + 1)
