"""What a process needs to take part in a training."""

from dataclasses import dataclass

from torch import nn

from viewfinder.runs.run import RunFolder
from viewfinder.training.arrangement import Arrangement
from viewfinder.training.choosing import Promise
from viewfinder.training.preparing import Splits


@dataclass(frozen=True)
class Job:
    """A training that is ready to begin; it travels to other processes whole.

    Attributes:
        frozen: the parameters that `recipe.freeze` holds still for a while.
        promise: how long steps should take.
        seconds: about how long it takes, its report included; None of one that goes on.
    """

    run: RunFolder
    net: nn.Module
    splits: Splits
    arrangement: Arrangement
    resume: bool
    frozen: frozenset[str] = frozenset()
    promise: Promise | None = None
    seconds: float | None = None
