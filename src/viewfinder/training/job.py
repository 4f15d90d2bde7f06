"""What a process needs to take part in a training."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from torch import nn

from viewfinder.runs.run import RunFolder
from viewfinder.training.arrangement import Arrangement
from viewfinder.training.choosing import Promise
from viewfinder.training.preparing import Splits

if TYPE_CHECKING:
    from viewfinder.training.forecast import Forecast


@dataclass(frozen=True)
class Job:
    """A training that is ready to begin; it travels to other processes whole.

    Attributes:
        frozen: the parameters that `recipe.freeze` holds still for a while.
        promise: how long steps should take.
        forecast: about how long it takes, its report included; None where nothing was timed.
    """

    run: RunFolder
    net: nn.Module
    splits: Splits
    arrangement: Arrangement
    resume: bool
    frozen: frozenset[str] = frozenset()
    promise: Promise | None = None
    forecast: "Forecast | None" = None
