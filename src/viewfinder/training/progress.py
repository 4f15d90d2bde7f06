"""How far a training is, beside its tensors: the loop changes it, the journal reports it."""

import math
from dataclasses import asdict, dataclass, field, fields
from typing import Self

# Beyond any count of steps, or of seconds.
_ENDLESS = 1 << 53


@dataclass
class TrainingProgress:
    """How far a training is: all of its state that is not tensors.

    Attributes:
        epoch, step: the next step to take, both from 0.
        updates: steps taken since the start.
        ended: nothing is left to do.
        seconds: time spent training, over all sittings.
        epoch_seconds: `seconds` when the epoch began.
        sums: the loss and its terms over the `seen` pictures of the epoch so far.
        skipped: float16 steps whose gradients overflowed.
        first_score: of the weights that the training began with, where they could answer already.
        best_score: of any epoch, or the first.
        kept_epoch: whose weights are kept; 0 of those that it began with, or none yet.
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
    first_score: float = -math.inf
    best_score: float = -math.inf
    kept_epoch: int = 0
    risen_epoch: int = -1
    lap: int = 0
    lap_steps: int = 0
    lap_done: float = 0.0
    lap_rate: float = 0.0
    time_up: bool = False

    def as_json(self, *, seconds: float) -> dict[str, object]:
        """Every field by name, with the time of now."""
        return asdict(self) | {"seconds": seconds}

    def end_epoch(self, seconds: float, *, learning_rate: float) -> dict[str, float]:
        """Count the epoch of now as done.

        Args:
            seconds: spent training, over all sittings.

        Returns:
            what the history says of it, before anything is measured.
        """
        row = {
            "epoch": self.epoch + 1,
            "seconds": seconds,
            "images_per_s": self.seen / max(1e-9, seconds - self.epoch_seconds),
            **{name.removeprefix("_"): value / self.seen for name, value in self.sums.items()},
            "learning_rate": learning_rate,
            "skipped_steps": self.skipped,
        }
        self.epoch, self.step, self.sums, self.seen = self.epoch + 1, 0, {}, 0
        return row

    @classmethod
    def from_json(cls, document: object) -> Self:
        """Read back what `as_json` gave.

        Raises:
            ValueError: it is not what a training writes.
        """
        read = cls()
        kinds = {each.name: type(getattr(read, each.name)) for each in fields(cls)}
        if not isinstance(document, dict) or document.keys() != kinds.keys():
            raise ValueError("its progress has other fields")
        if not all(type(document[name]) is kind for name, kind in kinds.items()):
            raise ValueError("its progress is no numbers")
        for name in kinds:
            setattr(read, name, document[name])
        if not all(type(k) is str and type(v) is float for k, v in read.sums.items()):
            raise ValueError("its progress is no numbers")
        _refuse_impossible(read)
        return read


def _refuse_impossible(read: TrainingProgress) -> None:
    """See that what counts and measures is what a training can have come to.

    Raises:
        ValueError: it is not.
    """
    counts = (read.epoch, read.step, read.updates, read.seen, read.skipped)
    if not all(0 <= number < _ENDLESS for number in (*counts, read.lap, read.lap_steps)):
        raise ValueError("its progress counts what none has")
    if not -1 <= read.risen_epoch <= read.epoch:
        raise ValueError("its progress rose in an epoch that was none")
    if not 0 <= read.kept_epoch <= read.epoch:
        raise ValueError("its progress kept an epoch that was none")
    times = (read.seconds, read.epoch_seconds, read.lap_done, read.lap_rate)
    if not all(0 <= number < _ENDLESS for number in times):
        raise ValueError("its progress has times that are none")
    if (
        math.isnan(read.best_score)
        or math.isnan(read.first_score)
        or not all(map(math.isfinite, read.sums.values()))
    ):
        raise ValueError("its progress is no numbers")
    if read.seen and "loss" not in read.sums:
        raise ValueError("its progress lacks the loss")
