"""Which arithmetic is fastest on this machine without changing what is learnt: timed, not guessed.

Each candidate trains a copy of the net on the same few batches. The fastest whose loss agrees
with float32's is kept, with every candidate's figures, in the run.
"""

import copy
import math
import time
from collections.abc import Sequence
from contextlib import AbstractContextManager
from dataclasses import asdict, dataclass
from typing import Any

import torch
from torch import Tensor, nn

from viewfinder.errors import InputError
from viewfinder.memory import keep_freed
from viewfinder.tasks.manifest import Arithmetic, Layout
from viewfinder.tasks.normalisation import Normalisation
from viewfinder.tasks.task import Inputs, Loss, total

_DTYPES: dict[Arithmetic, torch.dtype] = {
    "32": torch.float32,
    "bf16": torch.bfloat16,
    "16": torch.float16,
}
# Of the loss after the first steps; float32 itself differs by about 1e-3 between layouts.
_AGREEMENT = 0.02
# A candidate must be this much faster than one that stands before it in the list.
_GAIN = 1.05
# Steps of a trial: at least, at most, and the seconds after which it has enough.
_LEAST_STEPS, _MOST_STEPS, _SECONDS = 3, 20, 0.3
# Seconds after which no further candidate is tried.
_PATIENCE = 20.0
_UNTRIED = "not tried: the others took long enough"


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

    def forward(self, net: nn.Module, pictures: Tensor, colours: Normalisation) -> Any:
        """A net's outputs for N×3×H×W pictures in [0, 1], in this arithmetic."""
        ready = colours.apply(pictures).contiguous(memory_format=self.memory_format)
        with self.autocast(pictures.device):
            return net(ready)

    def autocast(self, device: torch.device) -> AbstractContextManager[Any]:
        """The context in which the forward pass runs; weights stay in float32."""
        dtype = _DTYPES[self.arithmetic]
        return torch.autocast(device.type, dtype=dtype, enabled=dtype != torch.float32)

    def __str__(self) -> str:
        return f"{self.arithmetic} {self.layout}"


@dataclass(frozen=True)
class Trial:
    """One candidate's figures: milliseconds a step, the loss after the trial, and the verdict.

    Without milliseconds it was not tried; without a loss that, too, or the loss was no number.
    """

    arithmetic: str
    layout: str
    milliseconds: float | None
    loss: float | None
    verdict: str


@dataclass(frozen=True)
class Choice:
    """What was chosen, why, and every trial."""

    arrangement: Arrangement
    why: str
    trials: tuple[Trial, ...] = ()

    def as_json(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def from_json(cls, document: dict[str, Any]) -> "Choice":
        trials = tuple(Trial(**trial) for trial in document["trials"])
        return cls(Arrangement(**document["arrangement"]), document["why"], trials)


def candidates(precision: str, device: torch.device) -> list[Arrangement]:
    """The arrangements to try; one alone where a precision was asked for.

    The plainest comes first, to measure the others by, and then the likeliest to be the fastest: on
    a machine that is slow or busy, the trials may end before the last.

    Raises:
        InputError: this device cannot compute in the precision that was asked for.
    """
    if precision == "auto":
        # On the CPU, float16 is no faster than float32, and its loss must be scaled.
        names: list[Arithmetic] = ["32", "bf16"]
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


def choose(
    net: nn.Module,
    trials: Sequence[Inputs],
    *,
    loss: Loss,
    colours: Normalisation,
    precision: str,
    device: torch.device,
) -> Choice:
    """Time every candidate on the first batches and keep the fastest that agrees.

    Args:
        net: on `device`; it is copied, and left as it was.
        trials: the training's first steps, on `device`.
    """
    arrangements = candidates(precision, device)
    if len(arrangements) == 1:
        return Choice(arrangements[0], "as asked for")
    keep_freed()
    # float32 comes first, and is what the others are measured by, whatever its loss.
    best, target = arrangements[0], float("nan")
    told: list[Trial] = []
    agreeing: dict[Arrangement, float] = {}
    start = time.perf_counter()
    for arrangement in arrangements:
        if told and time.perf_counter() - start > _PATIENCE:
            told.append(Trial(arrangement.arithmetic, arrangement.layout, None, None, _UNTRIED))
            continue
        with torch.random.fork_rng([device] if device.type == "cuda" else []):
            # Trials with dropout must all drop the same units for their losses to be comparable.
            torch.manual_seed(0)
            seconds, value = _time(net, trials, arrangement, loss, colours)
        if not told:
            target = value
        agrees = not told or abs(value - target) <= _AGREEMENT * abs(target)
        told.append(_trial(arrangement, seconds, value, agrees=agrees))
        if agrees:
            agreeing[arrangement] = seconds
            if seconds * _GAIN < agreeing[best]:
                best = arrangement
    return Choice(best, _reason(agreeing[best], list(agreeing.values())), tuple(told))


def _trial(arrangement: Arrangement, seconds: float, loss: float, *, agrees: bool) -> Trial:
    verdict = "agrees" if agrees else "loss differs from float32"
    # JSON has no word for infinity, nor for what is no number.
    shown = loss if math.isfinite(loss) else None
    return Trial(arrangement.arithmetic, arrangement.layout, seconds * 1e3, shown, verdict)


def _reason(best: float, agreeing: list[float]) -> str:
    return (
        f"{1e3 * best:,.1f} ms a step, {max(agreeing) / best:.1f} times as fast as the slowest of "
        f"the {len(agreeing)} that agree with float32"
    )


def _time(
    net: nn.Module,
    trials: Sequence[Inputs],
    arrangement: Arrangement,
    loss: Loss,
    colours: Normalisation,
) -> tuple[float, float]:
    """Seconds of the quickest step, and the loss on the first batch after the first few steps."""
    copied = copy.deepcopy(net).train().to(memory_format=arrangement.memory_format)
    optimiser = torch.optim.SGD(copied.parameters(), lr=1e-3)
    times: list[float] = []

    def forward(pictures: Tensor) -> Any:
        return arrangement.forward(copied, pictures, colours)

    def value_of(inputs: Inputs) -> Tensor:
        return total(loss(forward, inputs))

    value, begun = float("nan"), time.perf_counter()
    while len(times) < _MOST_STEPS:
        inputs = trials[len(times) % len(trials)]
        start = time.perf_counter()
        optimiser.zero_grad()
        torch.autograd.backward(value_of(inputs))
        optimiser.step()
        if torch.cuda.is_available():
            torch.cuda.synchronize()
        times.append(time.perf_counter() - start)
        if len(times) == _LEAST_STEPS:
            with torch.no_grad():
                value = float(value_of(trials[0]))
        if len(times) >= _LEAST_STEPS and time.perf_counter() - begun > _SECONDS:
            break
    # The quickest step is the one that nothing else on the machine disturbed.
    return min(times), value
