"""A training as a person sees it: a bar in a terminal or a notebook, a few lines elsewhere."""

import sys
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

from viewfinder import events
from viewfinder.console import rich_console
from viewfinder.listeners.notebook import NotebookBar, in_notebook
from viewfinder.wording import figure_name, in_words

if TYPE_CHECKING:
    from rich.progress import Progress, TaskID

# A bar in a terminal that has fewer columns leaves the speed out.
_WIDE = 100
# Without a terminal a line an epoch would bury everything else; this many are enough.
_LINES = 10
# Images a second below which a figure behind the point tells something.
_SLOW = 3


class TrainingView:
    """One training, from its begin to its end."""

    def __init__(
        self, begun: events.TrainingBegan, say: Callable[[str], None], *, lines_only: bool
    ) -> None:
        """
        Args:
            say: prints a line.
            lines_only: draw no bar, whatever standard error is.
        """
        self._begun, self._say = begun, say
        # The latest score, and its epoch, which may be before the last.
        self._score, self._scored = "", 0
        self._speed = self._last = ""
        self._said_at = 0.0
        self._bar: Progress | None = None
        self._task: TaskID | None = None
        self._cell: NotebookBar | None = None
        self._total = None if begun.epochs is None else begun.steps * begun.epochs
        if lines_only:
            return
        if in_notebook():
            self._cell = NotebookBar()
        elif sys.stderr.isatty():
            self._bar = _bar()
            self._task = self._bar.add_task("training", total=self._total, figures="", left="")
            self._bar.start()

    def step(self, now: events.StepTaken) -> None:
        """Draw the bar anew."""
        figures = f"epoch {self._of(now.epoch)}  loss {now.loss:.3f}  {self._latest(now.epoch - 1)}"
        left = "" if now.seconds_left is None else f"{in_words(now.seconds_left)} left"
        if self._cell is not None:
            self._cell.show(now.done, self._total, f"{figures}{self._speed}  {left}")
        elif self._bar is not None and self._task is not None:
            speed = self._speed if self._bar.console.width >= _WIDE else ""
            self._bar.update(self._task, completed=now.done, figures=figures + speed, left=left)

    def epoch(self, row: Mapping[str, float]) -> None:
        """Show an epoch's figures."""
        figure = self._begun.figure
        if figure in row:
            # As what is reported at the end has it.
            form = ".1%" if figure.endswith("accuracy") else ".3f"
            side, _, name = figure.partition("_")
            of = f" of {self._begun.few}" if self._begun.few else ""
            self._score = f"{side} {figure_name(name)} {row[figure]:{form}}{of}"
            self._scored = int(row["epoch"])
        speed = row["images_per_s"]
        self._speed = f"{speed:,.{0 if speed >= _SLOW else 1}f} images/s"
        latest = self._latest(int(row["epoch"]))
        epoch = self._of(int(row["epoch"]))
        self._last = f"epoch {epoch}  loss {row['loss']:.3f}  {latest}{self._speed}"
        if self._bar is None and self._cell is None and self._is_due(row):
            self._say(self._last)

    def end(self) -> None:
        """Take the bar away; in a notebook the last figures stay in its place."""
        if self._bar is not None:
            self._bar.stop()
        if self._cell is not None and self._last:
            self._cell.end(self._last)

    def _latest(self, epoch: int) -> str:
        """The latest score, with its epoch where that is before this one."""
        if not self._score:
            return ""
        return f"{self._score}{f' (epoch {self._scored})' if self._scored < epoch else ''}  "

    def _of(self, epoch: int) -> str:
        """`22 of 150`; of a training by the clock only the number."""
        return f"{epoch}" if self._begun.epochs is None else f"{epoch} of {self._begun.epochs}"

    def _is_due(self, row: Mapping[str, float]) -> bool:
        """Whether a line should be printed of this epoch."""
        epochs = self._begun.epochs
        if epochs is not None:
            return bool(row["epoch"] % max(1, epochs // _LINES) == 0 or row["epoch"] == epochs)
        due = row["seconds"] >= self._said_at + 60 * (self._begun.minutes or 0) / _LINES
        self._said_at = row["seconds"] if due else self._said_at
        return due


def _bar() -> "Progress":
    from rich.progress import BarColumn, Progress, TextColumn

    columns = (
        BarColumn(bar_width=10),
        TextColumn("{task.fields[figures]}"),
        TextColumn("{task.fields[left]}"),
    )
    return Progress(*columns, console=rich_console(stderr=True), transient=True)
