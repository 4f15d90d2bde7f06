"""Which arithmetic is fastest on this machine without changing what is learnt: timed, not guessed.

Each candidate trains a copy of the net on the same few batches. Those whose loss agrees with
float32's then take steps in turn, so that whatever else keeps the machine busy strikes all of them,
and the quickest step of each is what counts. The fastest is kept, with every candidate's figures,
in the run. Bounded in steps: on a machine that is slow or busy, every candidate is tried too, but
in a training of so few steps that this would be a noticeable part of it.
"""

import copy
import math
from collections.abc import Callable, Sequence
from time import perf_counter

import torch
from torch import Tensor, nn

from viewfinder.memory import keep_freed
from viewfinder.tasks.answering import NetOutput
from viewfinder.tasks.loss import AnyLoss, total
from viewfinder.tasks.normalisation import Normalisation
from viewfinder.tasks.parts import TaskBatch
from viewfinder.training.arrangement import ArithmeticTrial, Arrangement, Choice

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
# What measuring may take: a share of the training, or seconds that nobody notices. A candidate's
# steps come with an answer that its loss is compared by.
_SHARE, _UNNOTICED, _WITH_ANSWER = 0.05, 1.0, 1.3
# However short a training is, so many candidates are tried.
_FEWEST = 2

Settle = Callable[[nn.Module], None]


def _nothing(net: nn.Module) -> None:
    """Everything learns."""


def _endless(step: float) -> float:
    """A training of which measuring is no noticeable part."""
    return math.inf


def choose(
    net: nn.Module,
    trials: Sequence[TaskBatch],
    arrangements: Sequence[Arrangement],
    *,
    loss: AnyLoss,
    colours: Normalisation,
    device: torch.device,
    settle: Settle = _nothing,
    course: Callable[[float], float] = _endless,
) -> Choice:
    """Time every candidate on the first batches and keep the fastest that agrees.

    Args:
        net: on `device`; it is copied, and left as it was.
        trials: the training's first steps, on `device`.
        arrangements: as `candidates` gives them.
        settle: settles what of a net in training mode does not learn.
        course: seconds of the whole training, by those of a step.
    """
    keep_freed()
    plainest, allowance = arrangements[0], _Allowance(course)
    with torch.random.fork_rng([device] if device.type == "cuda" else []):
        trainer = _Trainer(net, trials, loss, colours, settle)
        losses, quickest = _first(trainer, arrangements, allowance)
        # float32 is what the others are measured by, whatever its loss.
        agreeing = [a for a in losses if a == plainest or _agree(losses[a], losses[plainest])]
        whole = _take_turns(trainer, agreeing, quickest, allowance)
    best = plainest
    # In the list's order, so that the plainer of two that are as fast is kept.
    for arrangement in agreeing:
        if quickest[arrangement] * _GAIN < quickest[best]:
            best = arrangement
    # As a person would measure them: times of a step.
    times = {arrangement: each * trainer.numbers for arrangement, each in quickest.items()}
    figures = tuple(_trial(a, times[a], losses[a], agrees=a in agreeing) for a in losses)
    why = _reason(times[best], [times[arrangement] for arrangement in agreeing])
    whole = whole and len(losses) == len(arrangements)
    return Choice(best, why, figures, quickest[best], thorough=whole)


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
    prepare: Callable[[nn.Module], object] = _nothing,
) -> float:
    """Of a step, forward and backward: the quicker of two, on a copy of the net.

    Args:
        prepare: what is done to the copy before.
    """
    with torch.random.fork_rng([0] if torch.cuda.is_available() else []), torch.enable_grad():
        trainer = _Trainer(net, trials, loss, colours, settle)
        trainer.begin(arrangement)
        prepare(trainer.copied)
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

    def begin(self, arrangement: Arrangement) -> None:
        """Start from the net's weights again."""
        self.copied = copy.deepcopy(self.net).train().to(memory_format=arrangement.memory_format)
        self.settle(self.copied)

    def first_steps(
        self, arrangement: Arrangement, count: Callable[[float], int]
    ) -> tuple[float, float]:
        """The loss on the first batch after a few steps, and the quickest of them.

        Args:
            count: how many they are, by the seconds of the first.
        """
        self.begin(arrangement)
        # Plain and slow: what is compared is arithmetic, and a step must not leap apart by itself.
        # Made here alone: with its first optimiser torch imports its compiler, which takes seconds.
        optimiser = torch.optim.SGD(self.copied.parameters(), lr=1e-3)
        times = [self.seconds(arrangement, 0)]
        optimiser.step()
        for number in range(1, count(times[0] * self.numbers)):
            times.append(self.seconds(arrangement, number))
            optimiser.step()
        with torch.no_grad():
            return float(self.value(arrangement, 0)), min(times)

    def seconds(self, arrangement: Arrangement, number: int) -> float:
        """Of a step, forward and backward, by the numbers in its pictures; gradients are left."""
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


class _Allowance:
    """How long measuring may take, which follows from the steps that it has timed."""

    def __init__(self, course: Callable[[float], float]) -> None:
        self._course, self._begun = course, perf_counter()

    def seconds(self, step: float) -> float:
        """In all, if a step takes so many."""
        return max(_UNNOTICED, _SHARE * self._course(step))

    def is_left(self, step: float) -> bool:
        """Whether some of it is."""
        return perf_counter() - self._begun < self.seconds(step)


def _first(
    trainer: _Trainer, arrangements: Sequence[Arrangement], allowance: _Allowance
) -> tuple[dict[Arrangement, float], dict[Arrangement, float]]:
    """Of each candidate that there is time for, its loss after a few steps, as many for all, and
    its quickest step."""
    losses: dict[Arrangement, float] = {}
    quickest: dict[Arrangement, float] = {}
    counts: list[int] = []

    def count(step: float) -> int:
        if not counts:
            whole = _WITH_ANSWER * _STEPS * len(arrangements) * step
            counts.append(_STEPS if whole <= allowance.seconds(step) else 1)
        return counts[0]

    for each in arrangements:
        least = min(quickest.values(), default=0.0) * trainer.numbers
        if len(losses) >= _FEWEST and not allowance.is_left(least):
            break
        losses[each], quickest[each] = trainer.first_steps(each, count)
    return losses, quickest


def _take_turns(
    trainer: _Trainer,
    agreeing: Sequence[Arrangement],
    quickest: dict[Arrangement, float],
    allowance: _Allowance,
) -> bool:
    """Let candidates take steps in turn, and lower the time of each to its quickest step's.

    Returns:
        whether they took all that tell something.
    """
    left, quiet = list(agreeing), 0
    for number in range(_ROUNDS):
        if not allowance.is_left(min(quickest[each] for each in left) * trainer.numbers):
            return False
        before = dict(quickest)
        for each in left:
            quickest[each] = min(quickest[each], trainer.seconds(each, number))
        if number:
            least = min(quickest[each] for each in left)
            left = [each for each in left if quickest[each] <= _HOPELESS * least]
        news = any(quickest[each] < _NEWS * before[each] for each in left)
        quiet = 0 if news else quiet + 1
        if len(left) == 1 or quiet == _QUIET:
            return True
    return True


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
        f"{1e3 * best:,.1f} ms forward and backward, {times:.1f} times as fast as the slowest of "
        f"the {len(agreeing)} that agree with float32"
    )
