"""What a person sees: names of strangers as data, and bars and notes while work goes on.

Notes and bars go to standard error only. Standard output belongs to results, so that `--json`
prints one document there and nothing else.
"""

import contextlib
import html
import io
import os
import sys
import time
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any, TextIO, TypeVar, cast

from viewfinder.wording import shown

if TYPE_CHECKING:
    from rich.console import Console

Item = TypeVar("Item")
# Seconds between two drawings of a bar in a notebook.
_BETWEEN = 0.5


class _Shown(io.TextIOBase):
    """A stream whose lines control no terminal: each write is one line, or the end of one."""

    def __init__(self, raw: TextIO) -> None:
        self.raw = raw

    @property
    def encoding(self) -> str:  # type: ignore[override]
        return self.raw.encoding

    def write(self, text: str, /) -> int:
        line = text.rstrip("\n")
        self.raw.write(shown(line) + text[len(line) :])
        return len(text)

    def flush(self) -> None:
        self.raw.flush()

    def isatty(self) -> bool:
        return self.raw.isatty()

    def fileno(self) -> int:
        return self.raw.fileno()


def raw(stream: TextIO) -> TextIO:
    """The stream itself, for what is known to control nothing, or is meant to."""
    return stream.raw if isinstance(stream, _Shown) else stream


@contextlib.contextmanager
def names_shown() -> Iterator[None]:
    """While this lasts, nothing that is printed controls the terminal, whatever is in a name."""
    out, err = (cast(TextIO, _Shown(raw(stream))) for stream in (sys.stdout, sys.stderr))
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        yield


def open_closed_streams() -> None:
    """Give standard streams that were closed, as some services start programs, to nothing.

    Else the next file that is opened would be taken for one of them.
    """
    for number in range(3):
        try:
            os.fstat(number)
        except OSError:
            os.open(os.devnull, os.O_RDWR)  # the lowest number that is free: this one
    sys.stdin = sys.stdin or open(os.devnull, encoding="utf-8")  # noqa: PTH123, SIM115
    sys.stdout = sys.stdout or open(os.devnull, "w", encoding="utf-8")  # noqa: PTH123, SIM115
    sys.stderr = sys.stderr or open(os.devnull, "w", encoding="utf-8")  # noqa: PTH123, SIM115


def note(text: str) -> None:
    """Print one line for the person at the terminal."""
    print(shown(text), file=sys.stderr, flush=True)


def rich_console(*, stderr: bool = False, **options: Any) -> "Console":
    """A console of rich's, for what has colours, bars or columns; names are data on it too."""
    # Imported late: rich takes a tenth of a second that `--help` need not pay.
    from rich.console import Console, ConsoleOptions, RenderableType
    from rich.segment import Segment

    class Safe(Console):
        def render(
            self, renderable: RenderableType, options: ConsoleOptions | None = None
        ) -> Iterator[Segment]:
            for segment in super().render(renderable, options):
                if segment.control or segment.text.isprintable() or segment.text == "\n":
                    yield segment
                else:
                    lines = "\n".join(map(shown, segment.text.split("\n")))
                    yield Segment(lines, segment.style)

    return Safe(file=raw(sys.stderr if stderr else sys.stdout), **options)


def in_notebook() -> bool:
    """Whether this process is the kernel of a notebook, which shows HTML."""
    shell = sys.modules.get("IPython")
    return shell is not None and type(shell.get_ipython()).__name__ == "ZMQInteractiveShell"


class NotebookBar:
    """A progress bar in a cell of a notebook, in one place of it."""

    def __init__(self) -> None:
        self._cell: Any = None
        self._drawn = 0.0

    def show(self, done: float, total: float | None, text: str) -> None:
        """Draw it; so often as an eye wants it, since each drawing is a message."""
        now = time.monotonic()
        if self._cell is not None and now - self._drawn < _BETWEEN:
            return
        self._drawn = now
        extent = "" if total is None else f' value="{done}" max="{total}"'
        bar = f'<progress{extent} style="vertical-align: middle"></progress>'
        self._put(f"{bar} {html.escape(text)}", text)

    def end(self, text: str) -> None:
        """Leave a line of text in its place."""
        self._put(html.escape(text), text)

    def _put(self, shown_as: str, text: str) -> None:
        from IPython.display import display

        data = {"text/html": f"<div>{shown_as}</div>", "text/plain": text}
        if self._cell is None:
            self._cell = display(data, raw=True, display_id=True)  # type: ignore[no-untyped-call]
        else:
            self._cell.update(data, raw=True)


def track(items: Iterable[Item], *, total: int | None, description: str) -> Iterator[Item]:
    """The items, one by one, with a progress bar, rate and time left while someone looks on.

    Shows nothing where standard error is not a terminal.
    """
    if not sys.stderr.isatty():
        yield from items
        return
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
    with Progress(*columns, console=rich_console(stderr=True), transient=True) as bar:
        task = bar.add_task(description, total=total)
        for item in items:
            yield item
            bar.advance(task)
