"""How far a training is, beside its tensors: the loop changes it, the journal reports it."""

import math
from dataclasses import asdict, dataclass, field, fields
from typing import Any, Self

# Beyond any count of steps, or of seconds.
_ENDLESS = 1 << 53


@dataclass
class Progress:
    """How far a training is: all of its state that is not tensors.

    Attributes:
        epoch, step: the next step to take, both from 0.
        updates: steps taken since the start.
        ended: nothing is left to do.
        seconds: time spent training, over all sittings.
        epoch_seconds: `seconds` when the epoch began.
        sums: the loss and its terms over the `seen` pictures of the epoch so far.
        skipped: float16 steps whose gradients overflowed.
        best_score: of any epoch.
        risen_epoch: when the score last rose, which is what patience counts from.
        lap, lap_steps, lap_done, lap_rate: of a training by the clock, as `training.timing` says.
        time_up: its time is used up.
    """

    epoch: int = 0
    step: int = 0
    updates: int = 0
    ended: bool = False
    seconds: float = 0.0
    epoch_seconds: float = 0.0
    sums: dict[str, float] = field(default_factory=dict)
    seen: int = 0
    skipped: int = 0
    best_score: float = -math.inf
    risen_epoch: int = -1
    lap: int = 0
    lap_steps: int = 0
    lap_done: float = 0.0
    lap_rate: float = 0.0
    time_up: bool = False

    def as_json(self, *, seconds: float) -> dict[str, object]:
        """Every field by name, with the time of now."""
        return asdict(self) | {"seconds": seconds}

    @classmethod
    def from_json(cls, document: dict[str, Any]) -> Self:
        """Read back what `as_json` gave.

        Raises:
            ValueError: it is not what a training writes.
        """
        names = {each.name: type(getattr(cls(), each.name)) for each in fields(cls)}
        if not isinstance(document, dict) or document.keys() != names.keys():
            raise ValueError("its progress has other fields")
        sums = document["sums"]
        good = all(type(document[name]) is kind for name, kind in names.items())
        if not good or not all(type(k) is str and type(v) is float for k, v in sums.items()):
            raise ValueError("its progress is no numbers")
        _refuse_impossible(document)
        return cls(**document)


def _refuse_impossible(document: dict[str, Any]) -> None:
    """See that what counts and measures is what a training can have come to.

    Raises:
        ValueError: it is not.
    """
    counts = [value for value in document.values() if type(value) is int]
    last = document["risen_epoch"]
    if not all(0 <= number < _ENDLESS for number in counts if number is not last):
        raise ValueError("its progress counts what none has")
    if not -1 <= last <= document["epoch"]:
        raise ValueError("its progress rose in an epoch that was none")
    times = [document[name] for name in ("seconds", "epoch_seconds", "lap_done", "lap_rate")]
    if not all(0 <= number < _ENDLESS for number in times):
        raise ValueError("its progress has times that are none")
    if math.isnan(document["best_score"]) or not all(map(math.isfinite, document["sums"].values())):
        raise ValueError("its progress is no numbers")
    if document["seen"] and "loss" not in document["sums"]:
        raise ValueError("its progress lacks the loss")
