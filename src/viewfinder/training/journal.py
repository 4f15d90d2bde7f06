"""What a training tells while it goes on: a bar or a few lines, and TensorBoard's files."""

import sys
import time
from types import TracebackType
from typing import TYPE_CHECKING, Any

from viewfinder.console import NotebookBar, in_notebook, note, rich_console
from viewfinder.runs.run import Run
from viewfinder.tasks.recipe import Recipe
from viewfinder.training.progress import Progress
from viewfinder.wording import counted, in_words

if TYPE_CHECKING:
    from rich.progress import Progress as RichBar
    from rich.progress import TaskID

# Without a terminal a line an epoch would bury everything else; this many tell enough.
_LINES = 10
# After so many seconds the time of a step is known well enough to tell how long all will take.
_SURE = 3.0


class Journal:
    """A progress bar where a person looks on, in a terminal or a notebook, a few lines where none
    does, and TensorBoard."""

    def __init__(self, run: Run, recipe: Recipe, steps: int, *, score: str, shown: bool) -> None:
        # The latest score may be of an epoch before the last.
        self._score, self._latest, self._figures, self._ended = score, "", "", ""
        self._run, self._recipe, self._steps, self._shown = run, recipe, steps, shown
        self._bar: RichBar | None = None
        self._task: TaskID | None = None
        self._cell: NotebookBar | None = None
        self._writer: Any = None
        self._drawn = self._told = 0.0
        # Of this sitting: the steps done when its first one ended, the time then, and in seconds
        # what is left of a training by the clock.
        self._first: tuple[int, float, float] | None = None
        self._planned = False

    def __enter__(self) -> "Journal":
        if not self._shown:
            return self
        note(self._plan())
        # Both are slow to import and of no use to the other processes.
        from torch.utils.tensorboard import SummaryWriter

        self._writer = SummaryWriter(str(self._run.folder / "tensorboard"))
        if in_notebook():
            self._cell = NotebookBar()
        elif sys.stderr.isatty():
            self._bar = _bar()
            self._task = self._bar.add_task("training", total=self._total, figures="", left="")
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
        if self._cell is not None and self._ended:
            self._cell.end(self._ended)
        if self._writer is not None:
            self._writer.close()

    def step(self, now: Progress) -> None:
        """A step was taken."""
        if not self._shown:
            return
        clock, done = time.perf_counter(), now.epoch * self._steps + now.step
        if self._first is None:
            self._first = done, clock, 60 * (self._recipe.minutes or 0.0) - now.seconds
        left = self._left(done, clock)
        if left is not None and not self._planned and clock - self._first[1] > _SURE:
            self._planned = True
            note(f"{in_words(left)} left")
        # Ten times a second is as often as an eye can follow.
        if (self._bar is None and self._cell is None) or clock - self._drawn < 0.1:
            return
        self._drawn = clock
        loss = now.sums.get("loss", 0.0) / max(1, now.seen)
        figures = f"epoch {self._of(now.epoch + 1)}  loss {loss:.3f}  {self._figures}"
        told = "" if left is None else f"{in_words(left)} left"
        if self._cell is not None:
            self._cell.show(done, self._total, f"{figures}  {told}")
        elif self._bar is not None and self._task is not None:
            self._bar.update(self._task, completed=done, figures=figures, left=told)

    @property
    def _total(self) -> int | None:
        """Steps in all, where they are known."""
        return None if self._recipe.minutes else self._steps * self._recipe.epochs

    def _plan(self) -> str:
        """What is about to be done, before it is known how long it takes."""
        recipe = self._recipe
        steps = f"{counted(self._steps, 'step')} of {counted(recipe.batch, 'picture')}"
        if recipe.minutes:
            return f"training for {recipe.minutes:g} min; an epoch is {steps}"
        return f"training for {counted(recipe.epochs, 'epoch')}, each of {steps}"

    def _left(self, done: int, clock: float) -> float | None:
        """Seconds until the end as far as can be told; None before a second step."""
        if self._first is None:
            return None
        first, begun, budget = self._first
        if self._recipe.minutes:
            return max(0.0, budget - (clock - begun))
        if done <= first:
            return None
        return (self._steps * self._recipe.epochs - done) * (clock - begun) / (done - first)

    def _of(self, epoch: int) -> str:
        """`22 of 150`; of a training by the clock only the number."""
        return f"{epoch}" if self._recipe.minutes else f"{epoch} of {self._recipe.epochs}"

    def pace(self, times: float) -> None:
        """Steps take so many times as long as when their arithmetic was measured."""
        if not self._shown:
            return
        why = "is another program busy here?" if times > 1 else "another program was busy then."
        note(
            f"steps take {times:.1f} times as long as when their arithmetic was measured: {why} "
            "What is learnt stays the same, and the next training measures anew"
        )

    def epoch(self, row: dict[str, Any]) -> None:
        """An epoch has ended and its row stands in the history."""
        if not self._shown:
            return
        if self._score in row:
            self._latest = f"val {row[self._score]:.1%}  "
        self._figures = f"{self._latest}{row['images_per_s']:,.0f} images/s"
        for name, value in row.items():
            if name != "epoch":
                self._writer.add_scalar(name, value, row["epoch"])
        told = f"epoch {self._of(int(row['epoch']))}  loss {row['loss']:.3f}  {self._figures}"
        self._ended = told
        if self._bar is None and self._cell is None and self._is_due(row):
            note(told)

    def _is_due(self, row: dict[str, Any]) -> bool:
        """Whether a line should be told of this epoch."""
        recipe = self._recipe
        if recipe.minutes is None:
            every = max(1, recipe.epochs // _LINES)
            return bool(row["epoch"] % every == 0 or row["epoch"] == recipe.epochs)
        due = row["seconds"] >= self._told + 60 * recipe.minutes / _LINES
        self._told = row["seconds"] if due else self._told
        return bool(due)


def _bar() -> "RichBar":
    from rich.progress import BarColumn, TextColumn
    from rich.progress import Progress as RichBar

    columns = (
        BarColumn(bar_width=10),
        TextColumn("{task.fields[figures]}"),
        TextColumn("{task.fields[left]}"),
    )
    return RichBar(*columns, console=rich_console(stderr=True), transient=True)
