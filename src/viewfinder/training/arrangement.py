"""How numbers are kept in a training, their precision and order of memory, and why these."""

from contextlib import AbstractContextManager
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from viewfinder.cpu import cpu_features
from viewfinder.errors import InputError
from viewfinder.tasks.answering import NetOutput
from viewfinder.tasks.manifest_tables import Arithmetic, Layout, PrecisionRecord
from viewfinder.tasks.normalisation import Normalisation

_DTYPES: dict[Arithmetic, torch.dtype] = {
    "32": torch.float32,
    "bf16": torch.bfloat16,
    "16": torch.float16,
}


@dataclass(frozen=True)
class Arrangement:
    """How numbers are kept: their precision in the forward pass, and the order of memory."""

    arithmetic: Arithmetic
    layout: Layout

    @property
    def memory_format(self) -> torch.memory_format:
        if self.layout == "channels_last":
            return torch.channels_last
        return torch.contiguous_format

    def forward(self, net: nn.Module, pictures: Tensor, colours: Normalisation) -> NetOutput:
        """A net's outputs for N×3×H×W pictures in [0, 1], in this arithmetic."""
        # Outside autocast: colours in 16 bits would lose some of a picture's 256 levels.
        ready = colours.apply(pictures).contiguous(memory_format=self.memory_format)
        with self.autocast(pictures.device):
            answer: NetOutput = net(ready)
        return answer

    def autocast(self, device: torch.device) -> AbstractContextManager[object]:
        """The context in which the forward pass runs; weights stay in float32."""
        dtype = _DTYPES[self.arithmetic]
        return torch.autocast(device.type, dtype=dtype, enabled=dtype != torch.float32)

    def __str__(self) -> str:
        return f"{self.arithmetic} {self.layout}"


@dataclass(frozen=True)
class ArithmeticTrial:
    """One candidate's figures: milliseconds forward and backward, the loss after a few steps, and
    whether it agrees.

    Without a loss it was no number.
    """

    arithmetic: Arithmetic
    layout: Layout
    milliseconds: float | None
    loss: float | None
    verdict: str


@dataclass(frozen=True)
class Choice:
    """What was chosen, why, and every trial.

    Attributes:
        promise: seconds that a step's forward and backward pass take for each number of its
            pictures, when nothing else is busy; None if it was not timed.
        thorough: whether it was measured until nothing changed any more; else a training that takes
            no longer than that was not worth more.
    """

    arrangement: Arrangement
    why: str
    trials: tuple[ArithmeticTrial, ...] = ()
    promise: float | None = None
    thorough: bool = True

    def as_json(self) -> PrecisionRecord:
        arranged = self.arrangement
        return {
            "arrangement": {"arithmetic": arranged.arithmetic, "layout": arranged.layout},
            "why": self.why,
            "trials": [
                {
                    "arithmetic": trial.arithmetic,
                    "layout": trial.layout,
                    "milliseconds": trial.milliseconds,
                    "loss": trial.loss,
                    "verdict": trial.verdict,
                }
                for trial in self.trials
            ],
            "promise": self.promise,
        }

    @classmethod
    def from_json(cls, record: PrecisionRecord) -> "Choice":
        trials = tuple(ArithmeticTrial(**trial) for trial in record["trials"])
        return cls(
            Arrangement(**record["arrangement"]), record["why"], trials, record.get("promise")
        )


def candidates(precision: str, device: torch.device) -> list[Arrangement]:
    """The arrangements to try; one alone where a precision was asked for.

    The plainest comes first, to measure the others by. What a processor only mimics is not tried:
    without instructions for bfloat16 each product costs several of float32's.

    Raises:
        InputError: this device cannot compute in the precision that was asked for.
    """
    if precision == "auto":
        # On the CPU, float16 is no faster than float32, and its loss must be scaled.
        names: list[Arithmetic] = ["32", "bf16"] if cpu_features().bf16 else ["32"]
        if device.type == "cuda":
            names = ["32", "bf16", "16"] if torch.cuda.is_bf16_supported() else ["32", "16"]
    elif precision == "bf16" and device.type == "cuda" and not torch.cuda.is_bf16_supported():
        raise InputError("--precision bf16: this GPU cannot compute in bfloat16; use 16 or 32")
    else:
        # Timing differs from run to run; who names a precision gets the same bits each time.
        return [Arrangement(name, "channels_last") for name in _DTYPES if name == precision]
    plainest = Arrangement("32", "contiguous")
    last = [Arrangement(name, "channels_last") for name in (*names[1:], "32")]
    return [plainest, *last, *(Arrangement(name, "contiguous") for name in names[1:])]


def asked_for(arrangement: Arrangement, device: torch.device) -> Choice:
    """The choice of who named a precision."""
    slow = arrangement.arithmetic == "bf16" and device.type == "cpu" and not cpu_features().bf16
    mimicked = "; this processor has no instructions for bfloat16 and is slower for it"
    return Choice(arrangement, "as asked for" + (mimicked if slow else ""))
