"""Counted work as a person sees it: a bar in a terminal or a notebook, a line now and then
elsewhere."""

import time
from collections.abc import Callable
from typing import TYPE_CHECKING

from viewfinder import events
from viewfinder.console import rich_console
from viewfinder.listeners.notebook import NotebookBar
from viewfinder.wording import duration

if TYPE_CHECKING:
    from rich.progress import Progress, TaskID

# Seconds until the first line; each next one waits for as long as all took so far, a minute at
# most. What is done sooner says nothing.
_FIRST, _LONGEST = 10.0, 60.0
# Seconds of work that a notebook shows nothing of.
_SHORT = 3.0


class CountedView:
    """Counted work, from its begin to its end."""

    def __init__(
        self,
        begun: events.ProgressBegan,
        say: Callable[[str], None],
        *,
        bar: bool,
        cell: bool,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """
        Args:
            say: prints a line.
            bar, cell: whether a bar is drawn in a terminal, or in the cell of a notebook; else
                lines are printed.
        """
        self._name, self._total, self._say, self._clock = begun.name, begun.total, say, clock
        self._began = clock()
        self._next = _FIRST
        self._first: tuple[int, float] | None = None
        self._lines = not cell
        self._cell: NotebookBar | None = None
        self._bar: Progress | None = None
        self._task: TaskID | None = None
        if bar and not cell:
            self._bar = _counting_bar()
            self._task = self._bar.add_task(begun.name, total=begun.total)
            self._bar.start()

    def show(self, done: int) -> None:
        """So many are done."""
        if self._bar is not None and self._task is not None:
            self._bar.update(self._task, completed=done)
            return
        took = self._clock() - self._began
        self._first = self._first or (done, took)
        if not self._lines and took >= _SHORT:
            self._cell = self._cell or NotebookBar()
            self._cell.show(done, self._total, self._line(done, took))
        elif self._lines and took >= self._next:
            self._next = took + min(took, _LONGEST)
            self._say(self._line(done, took))

    def end(self, done: int) -> None:
        """Nothing is left of a bar; in a notebook how long it took, unless it was short."""
        if self._bar is not None:
            self._bar.stop()
        if self._cell is not None:
            took = self._clock() - self._began
            self._cell.end(f"{self._name}: {done:,} in {duration(took)}")

    def _line(self, done: int, took: float) -> str:
        """`predicting: 120 of 1,189 in 10 s, about 1 min 30 s left`."""
        of = "" if self._total is None else f" of {self._total:,}"
        said = f"{self._name}: {done:,}{of} in {duration(took)}"
        # What comes in batches is told of at the first of each, by when all of it is done.
        before, until = self._first or (done, took)
        if self._total is not None and before < done < self._total:
            left = (self._total - done) * (took - until) / (done - before)
            said += f", about {duration(left)} left"
        return said


def _counting_bar() -> "Progress":
    """A bar with a count, the time it took and the time left."""
    # Imported late: rich takes a tenth of a second that `--help` need not pay.
    from rich.progress import (
        BarColumn,
        MofNCompleteColumn,
        Progress,
        TextColumn,
        TimeElapsedColumn,
        TimeRemainingColumn,
    )

    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        TimeRemainingColumn(),
    )
    return Progress(*columns, console=rich_console(stderr=True), transient=True)
