"""What is reported while many trainings are done: which run, which have ended, the time left."""

import time
from types import TracebackType
from typing import Self

from viewfinder.events import JobsChanged, JobsEnded, emit, note
from viewfinder.training.workers import TrainingOrder
from viewfinder.wording import duration


class JobsReport:
    """Counts trainings as they begin and end, and reports each."""

    def __init__(self, *, total: int, done: int) -> None:
        self._total, self._done = total, done
        self._ended = 0
        self._started = time.monotonic()
        self._running: dict[str, float] = {}

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        emit(JobsEnded())

    def begin(self, order: TrainingOrder) -> None:
        """A training begins."""
        self._running[order.name] = time.monotonic()
        emit(self._now(begun=order.name))

    def end(self, order: TrainingOrder, outcome: str) -> None:
        """A training has ended."""
        took = time.monotonic() - self._running.pop(order.name)
        self._ended += 1
        self._done += 1
        now = self._now()
        note(f"{order.name}: {outcome} ({duration(took)}; {now.so_far})")
        emit(now)

    def _now(self, begun: str | None = None) -> JobsChanged:
        left = self._total - self._done
        seconds = None
        if self._ended and left:
            seconds = left * (time.monotonic() - self._started) / self._ended
        return JobsChanged(tuple(self._running), begun, self._done, self._total, seconds)
