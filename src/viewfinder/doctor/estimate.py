"""What measured rates mean: about how long each network here takes for an epoch."""

from dataclasses import dataclass

from viewfinder import nets
from viewfinder.doctor.chosen import chosen
from viewfinder.doctor.machine import Machine, workload
from viewfinder.doctor.speed import POINTWISE, PRODUCT, Speed
from viewfinder.doctor.workload import Workload, defaults_of, training_memory
from viewfinder.tasks import NAMES

PICTURES = 1000
"""Of the epoch that is estimated."""

_GIGA = 1e9
# Forward, and backward to the input and to the weights; as rates are counted.
_PASSES = 3
# In the order of `training/arrangement.py`, and the gain by which a later one must be faster.
_ARRANGEMENTS = (
    *(("32", "contiguous"), ("bf16", "channels_last"), ("16", "channels_last")),
    *(("32", "channels_last"), ("bf16", "contiguous"), ("16", "contiguous")),
)
_GAIN = 1.05


@dataclass(frozen=True)
class Epoch:
    """A network's epoch of 1,000 pictures of its paper's size: the steps alone, without reading.

    Attributes:
        batch: of the task's recipe.
        seconds: in the arrangement that is likely the fastest.
        arithmetic, layout: of that arrangement, which `--precision auto` is likely to take.
        memory: bytes that a training takes in about.
        compared: in how many arrangements the time is known.
        wanted: in how many a training compares.
        remembered: it was chosen in a training on this machine, and not by these rates.
    """

    net: str
    task: str
    side: int
    batch: int
    seconds: float
    arithmetic: str
    layout: str
    memory: int
    compared: int
    wanted: int = 0
    remembered: bool = False


def epochs(machine: Machine) -> list[Epoch]:
    """Of every network, as far as there was time to count and to measure what it consists of."""
    speed = machine.speed
    if speed is None:
        return []
    before, found = chosen(machine), []
    for task in NAMES:
        batch = defaults_of(task).batch
        for name in nets.names(task):
            work = workload(machine, name)
            taken = seconds(work, batch, speed) if work else {}
            if work is None or not taken:
                continue
            best = before.get(name, likely(taken))
            if best not in taken:
                best = likely(taken)
            need = training_memory(work, batch)
            known = name in before and before[name] == best
            found.append(
                Epoch(
                    *(name, task, work.side, batch, taken[best], *best, need, len(taken)),
                    *(_wanted(machine, speed), known),
                )
            )
    return found


def _wanted(machine: Machine, speed: Speed) -> int:
    """In how many arrangements a training compares here; on a GPU, at least."""
    if speed.device == "cuda":
        return 4
    return 4 if machine.cpu is not None and machine.cpu.bf16 else 2


def likely(taken: dict[tuple[str, str], float]) -> tuple[str, str]:
    """The arrangement that a choice by time ends in: a later one must be faster by a margin."""
    best = next(iter(taken))
    for each, time in taken.items():
        if time * _GAIN < taken[best]:
            best = each
    return best


def seconds(work: Workload, batch: int, speed: Speed) -> dict[tuple[str, str], float]:
    """Of `PICTURES` in each arrangement whose rates are known."""
    found = {}
    for arithmetic, layout in _ARRANGEMENTS:
        one = _one(work, speed, arithmetic, layout)
        if one is not None:
            update = work.parameters / (speed.updates * _GIGA) if speed.updates else 0.0
            found[arithmetic, layout] = PICTURES * (one + update / batch)
    return found


def _one(work: Workload, speed: Speed, arithmetic: str, layout: str) -> float | None:
    """Seconds of a picture, forward and backward; None where a rate is not known."""
    parts = [
        (_PASSES * macs, speed.rate(kind, arithmetic, layout)) for kind, macs in work.macs.items()
    ]
    parts.append((_PASSES * work.dense, speed.rate(PRODUCT, arithmetic, "")))
    parts.append((work.pointwise, speed.rate(POINTWISE, arithmetic, layout)))
    if any(amount and not rate for amount, rate in parts):
        return None
    return sum(amount / (rate * _GIGA) for amount, rate in parts if amount)
