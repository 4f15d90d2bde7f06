"""Which arithmetic is fastest on this machine without changing what is learnt: timed, not guessed.

Each candidate trains a copy of the net on the same few batches. Those whose loss agrees with
float32's then take steps in turn, so that whatever else keeps the machine busy strikes all of them,
and the quickest step of each is what counts. The fastest is kept, with every candidate's figures,
in the run. Bounded in steps: on a machine that is slow or busy, every candidate is tried too.
"""

import copy
import math
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from time import perf_counter

import torch
from torch import Tensor, nn

from viewfinder.cpu import cpu_features
from viewfinder.errors import InputError
from viewfinder.memory import keep_freed
from viewfinder.tasks.answering import NetOutput
from viewfinder.tasks.loss import AnyLoss, total
from viewfinder.tasks.manifest import Arithmetic, Layout, PrecisionRecord
from viewfinder.tasks.normalisation import Normalisation
from viewfinder.tasks.parts import TaskBatch

_DTYPES: dict[Arithmetic, torch.dtype] = {
    "32": torch.float32,
    "bf16": torch.bfloat16,
    "16": torch.float16,
}
# Of the loss after the first steps; float32 itself differs by about 1e-3 between layouts.
_AGREEMENT = 0.02
# A candidate must be this much faster than one that stands before it in the list.
_GAIN = 1.05
# Steps after which a candidate's loss is compared with float32's.
_STEPS = 3
# Rounds in which the candidates take a step in turn: they end after so many in which no candidate's
# quickest step became quicker by more than this, and at the latest after the last figure.
_QUIET, _NEWS, _ROUNDS = 2, 0.98, 16
# A candidate that is this many times as slow as the quickest after two rounds takes no more steps.
_HOPELESS = 2.0

Settle = Callable[[nn.Module], None]


def _nothing(net: nn.Module) -> None:
    """Everything learns."""


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
    """One candidate's figures: milliseconds there and back, the loss after a few steps, and whether
    it agrees.

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
    """

    arrangement: Arrangement
    why: str
    trials: tuple[ArithmeticTrial, ...] = ()
    promise: float | None = None

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


def choose(
    net: nn.Module,
    trials: Sequence[TaskBatch],
    arrangements: Sequence[Arrangement],
    *,
    loss: AnyLoss,
    colours: Normalisation,
    device: torch.device,
    settle: Settle = _nothing,
) -> Choice:
    """Time every candidate on the first batches and keep the fastest that agrees.

    Args:
        net: on `device`; it is copied, and left as it was.
        trials: the training's first steps, on `device`.
        arrangements: as `candidates` gives them.
        settle: settles what of a net in training mode does not learn.
    """
    keep_freed()
    plainest = arrangements[0]
    with torch.random.fork_rng([device] if device.type == "cuda" else []):
        trainer = _Trainer(net, trials, loss, colours, settle)
        firsts = {arrangement: trainer.first_steps(arrangement) for arrangement in arrangements}
        losses = {arrangement: value for arrangement, (value, _) in firsts.items()}
        quickest = {arrangement: seconds for arrangement, (_, seconds) in firsts.items()}
        # float32 is what the others are measured by, whatever its loss.
        agreeing = [a for a in arrangements if a == plainest or _agree(losses[a], losses[plainest])]
        _take_turns(trainer, agreeing, quickest)
    best = plainest
    # In the list's order, so that the plainer of two that are as fast is kept.
    for arrangement in agreeing:
        if quickest[arrangement] * _GAIN < quickest[best]:
            best = arrangement
    # As a person would measure them: times of a step.
    times = {arrangement: each * trainer.numbers for arrangement, each in quickest.items()}
    figures = tuple(_trial(a, times[a], losses[a], agrees=a in agreeing) for a in arrangements)
    why = _reason(times[best], [times[arrangement] for arrangement in agreeing])
    return Choice(best, why, figures, quickest[best])


def still_agrees(
    net: nn.Module,
    trials: Sequence[TaskBatch],
    arrangement: Arrangement,
    *,
    loss: AnyLoss,
    colours: Normalisation,
    device: torch.device,
    settle: Settle = _nothing,
) -> bool:
    """Whether an arrangement that was chosen before gives float32's loss on these pictures too."""
    if arrangement.arithmetic == "32":
        return True
    with torch.random.fork_rng([device] if device.type == "cuda" else []), torch.no_grad():
        trainer, values = _Trainer(net, trials, loss, colours, settle), []
        for each in (Arrangement("32", arrangement.layout), arrangement):
            trainer.begin(each)
            values.append(float(trainer.value(each, 0)))
    return _agree(values[1], values[0])


def seconds_of_step(
    net: nn.Module,
    trials: Sequence[TaskBatch],
    arrangement: Arrangement,
    *,
    loss: AnyLoss,
    colours: Normalisation,
    settle: Settle,
) -> float:
    """Of a step there and back: the quicker of two, on a copy of the net."""
    with torch.random.fork_rng([0] if torch.cuda.is_available() else []), torch.enable_grad():
        trainer = _Trainer(net, trials, loss, colours, settle)
        trainer.begin(arrangement)
        return min(trainer.seconds(arrangement, number) for number in range(2)) * trainer.numbers


class _Trainer:
    """A copy of the net that takes steps in any arrangement, timed."""

    def __init__(
        self,
        net: nn.Module,
        trials: Sequence[TaskBatch],
        loss: AnyLoss,
        colours: Normalisation,
        settle: Settle,
    ) -> None:
        self.net, self.trials, self.loss, self.colours = net, trials, loss, colours
        self.settle = settle
        self.copied, self.numbers = net, 0

    def begin(self, arrangement: Arrangement) -> torch.optim.Optimizer:
        """Start from the net's weights again."""
        self.copied = copy.deepcopy(self.net).train().to(memory_format=arrangement.memory_format)
        self.settle(self.copied)
        # Plain and slow: what is compared is arithmetic, and a step must not leap apart by itself.
        return torch.optim.SGD(self.copied.parameters(), lr=1e-3)

    def first_steps(self, arrangement: Arrangement) -> tuple[float, float]:
        """The loss on the first batch after a few steps, and the quickest of them."""
        optimiser = self.begin(arrangement)
        times = []
        for number in range(_STEPS):
            times.append(self.seconds(arrangement, number))
            optimiser.step()
        with torch.no_grad():
            return float(self.value(arrangement, 0)), min(times)

    def seconds(self, arrangement: Arrangement, number: int) -> float:
        """Of a step there and back, for each number of its pictures; the gradients are left."""
        self.copied.zero_grad()
        self.copied.to(memory_format=arrangement.memory_format)
        begun = perf_counter()
        torch.autograd.backward(self.value(arrangement, number))
        # A GPU answers before it has computed.
        if torch.cuda.is_available():
            torch.cuda.synchronize()
        return (perf_counter() - begun) / max(1, self.numbers)

    def value(self, arrangement: Arrangement, number: int) -> Tensor:
        """The loss of a step's batch, with the same dropout in any arrangement."""
        torch.manual_seed(number)
        self.numbers = 0

        def forward(pictures: Tensor) -> NetOutput:
            self.numbers += pictures.numel()
            return arrangement.forward(self.copied, pictures, self.colours)

        return total(self.loss(forward, self.trials[number % len(self.trials)]))


def _agree(loss: float, target: float) -> bool:
    return abs(loss - target) <= _AGREEMENT * abs(target)


def _take_turns(
    trainer: _Trainer, agreeing: Sequence[Arrangement], quickest: dict[Arrangement, float]
) -> None:
    """Let candidates take steps in turn, and lower the time of each to its quickest step's."""
    left, quiet = list(agreeing), 0
    for number in range(_ROUNDS):
        before = dict(quickest)
        for each in left:
            quickest[each] = min(quickest[each], trainer.seconds(each, number))
        if number:
            least = min(quickest[each] for each in left)
            left = [each for each in left if quickest[each] <= _HOPELESS * least]
        news = any(quickest[each] < _NEWS * before[each] for each in left)
        quiet = 0 if news else quiet + 1
        if len(left) == 1 or quiet == _QUIET:
            return


def _trial(
    arrangement: Arrangement, seconds: float, loss: float, *, agrees: bool
) -> ArithmeticTrial:
    verdict = "agrees" if agrees else "loss differs from float32"
    # JSON has no word for infinity, nor for what is no number.
    shown = loss if math.isfinite(loss) else None
    return ArithmeticTrial(
        arrangement.arithmetic, arrangement.layout, seconds * 1e3, shown, verdict
    )


def _reason(best: float, agreeing: list[float]) -> str:
    times = max(agreeing) / best if best else 1.0
    return (
        f"{1e3 * best:,.1f} ms there and back, {times:.1f} times as fast as the slowest of the "
        f"{len(agreeing)} that agree with float32"
    )
