"""What is told while a grid is trained: what runs, what is done, how long the rest takes."""

import sys
import time
from types import TracebackType
from typing import TYPE_CHECKING

from viewfinder.console import note, rich_console
from viewfinder.training.workers import Order

if TYPE_CHECKING:
    from rich.status import Status


class Progress:
    """A line that stays below where a person looks on, and a line for each training's end."""

    def __init__(self, *, total: int, done: int) -> None:
        self._total, self._done = total, done
        self._ended = 0
        self._started = time.monotonic()
        self._running: dict[str, float] = {}
        self._status: Status | None = None

    def __enter__(self) -> "Progress":
        if sys.stderr.isatty():
            # This very stream: trainings send what they tell elsewhere.
            self._status = rich_console(stderr=True).status("")
            self._status.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._status is not None:
            self._status.stop()

    def begin(self, order: Order) -> None:
        """A training begins."""
        self._running[order.name] = time.monotonic()
        if self._status is None:
            note(f"training {order.name} ({self._so_far()})")
        self._show()

    def end(self, order: Order, told: str) -> None:
        """A training has ended."""
        took = time.monotonic() - self._running.pop(order.name)
        self._ended += 1
        self._done += 1
        note(f"{order.name}: {told} ({duration(took)}; {self._so_far()})")
        self._show()

    def _show(self) -> None:
        if self._status is not None:
            from rich.text import Text

            names = "; ".join(self._running)
            self._status.update(Text(f"{names or 'gathering'} ({self._so_far()})"))

    def _so_far(self) -> str:
        said = f"{self._done} of {self._total} done"
        left = self._total - self._done
        if self._ended and left:
            each = (time.monotonic() - self._started) / self._ended
            said += f", about {duration(each * left)} left"
        return said


def duration(seconds: float) -> str:
    """Two hours as 2 h, ninety seconds as 2 min."""
    if seconds < 60:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 5400 else f"{seconds / 3600:.1f} h"
