"""Terminals: what is printed controls none, whatever a name of strangers holds."""

import contextlib
import io
import os
import shutil
import sys
import textwrap
from collections.abc import Iterator
from typing import TYPE_CHECKING, TextIO, cast

from viewfinder.wording import shown

if TYPE_CHECKING:
    from rich.console import Console


WIDTH = 80
"""Columns that sentences are broken to."""
# Narrower terminals break lines themselves.
_NARROWEST = 30


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


def in_width(text: str, stream: TextIO) -> list[str]:
    """A line for a stream: where a person reads it in a terminal, broken at words to 80 columns or
    to the terminal's where it has fewer; else whole, for programs."""
    return broken(text) if stream.isatty() else [text]


def broken(text: str) -> list[str]:
    """A text broken at words to lines of at most `WIDTH` columns, or of the terminal's where it has
    fewer; what belongs to its first line is indented further."""
    width = min(WIDTH, shutil.get_terminal_size((WIDTH, 24)).columns)
    own = text[: len(text) - len(text.lstrip(" "))]
    lines = textwrap.wrap(
        text.strip(" "),
        max(_NARROWEST, width),
        initial_indent=own,
        subsequent_indent=f"{own}  ",
        break_long_words=False,
        break_on_hyphens=False,
    )
    return lines or [text]


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


def rich_console(
    *,
    stderr: bool = False,
    highlight: bool = True,
    soft_wrap: bool = False,
    width: int | None = None,
    no_color: bool | None = None,
    force_terminal: bool | None = None,
) -> "Console":
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

    return Safe(
        file=raw(sys.stderr if stderr else sys.stdout),
        highlight=highlight,
        soft_wrap=soft_wrap,
        width=width,
        no_color=no_color,
        force_terminal=force_terminal,
    )
