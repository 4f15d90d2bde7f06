"""What a training tells while it goes on: a bar or a few lines, and TensorBoard's files."""

import sys
import time
from types import TracebackType
from typing import TYPE_CHECKING, Any, Protocol

from viewfinder.console import note
from viewfinder.runs.recipe import Recipe
from viewfinder.runs.run import Run

if TYPE_CHECKING:
    from rich.progress import Progress as RichBar
    from rich.progress import TaskID

# Without a terminal a line an epoch would bury everything else; this many tell enough.
_LINES = 10


class Told(Protocol):
    """What a journal reads of a training's progress."""

    epoch: int
    step: int
    loss_sum: float
    seen: int
    rows: list[dict[str, Any]]


class Journal:
    """A progress bar where a person looks on, a few lines where none does, and TensorBoard."""

    def __init__(self, run: Run, recipe: Recipe, steps: int, *, shown: bool) -> None:
        self._run, self._recipe, self._steps, self._shown = run, recipe, steps, shown
        self._bar: RichBar | None = None
        self._task: TaskID | None = None
        self._writer: Any = None
        self._drawn = 0.0

    def __enter__(self) -> "Journal":
        if not self._shown:
            return self
        # Both are slow to import and of no use to the other processes.
        from torch.utils.tensorboard import SummaryWriter

        self._writer = SummaryWriter(str(self._run.folder / "tensorboard"))
        if sys.stderr.isatty():
            self._bar = _bar()
            total = None if self._recipe.minutes else self._steps * self._recipe.epochs
            self._task = self._bar.add_task("training", total=total, figures="")
            self._bar.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._bar is not None:
            self._bar.stop()
        if self._writer is not None:
            self._writer.close()

    def step(self, now: Told) -> None:
        """A step was taken."""
        # Ten times a second is as often as an eye can follow.
        if self._bar is None or self._task is None or time.perf_counter() - self._drawn < 0.1:
            return
        self._drawn = time.perf_counter()
        figures = f"epoch {now.epoch + 1}  loss {now.loss_sum / max(1, now.seen):.3f}"
        if now.rows:
            figures += f"  {_figures(now.rows[-1])}"
        done = now.epoch * self._steps + now.step
        self._bar.update(self._task, completed=done, figures=figures)

    def epoch(self, now: Told) -> None:
        """An epoch has ended and its row stands in the history."""
        if not self._shown:
            return
        row = now.rows[-1]
        for name, value in row.items():
            if name != "epoch":
                self._writer.add_scalar(name, value, row["epoch"])
        every = max(1, self._recipe.epochs // _LINES)
        last = self._recipe.minutes is None and now.epoch == self._recipe.epochs
        if self._bar is None and (now.epoch % every == 0 or last):
            note(f"epoch {row['epoch']:>4}  loss {row['loss']:.3f}  {_figures(row)}")


def _figures(row: dict[str, Any]) -> str:
    score = f"val {row['val_accuracy']:.1%}  " if "val_accuracy" in row else ""
    return f"{score}{row['images_per_s']:,.0f} images/s"


def _bar() -> "RichBar":
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn
    from rich.progress import TimeRemainingColumn as TimeLeft

    columns = (BarColumn(), TextColumn("{task.fields[figures]}"), TimeElapsedColumn(), TimeLeft())
    return Progress(*columns, console=Console(stderr=True), transient=True)
