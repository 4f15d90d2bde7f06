"""What verbs print on standard output."""

import json
import os
import shlex
import shutil
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from viewfinder.console import in_width, raw, rich_console
from viewfinder.errors import InputError
from viewfinder.values import as_number
from viewfinder.wording import as_json, figure_name

if TYPE_CHECKING:
    from rich.text import Text


def asked_by() -> str:
    """The command that was given, as a shell takes it."""
    return shlex.join(["viewfinder", *sys.argv[1:]])


def require_html(file: Path | None) -> None:
    """Refuse a page of another kind before anything is computed for it.

    Raises:
        InputError: its name does not end as HTML's.
    """
    if file is not None and file.suffix.lower() not in (".html", ".htm"):
        raise InputError(f"--html {file}: the page is HTML, name it {file.with_suffix('.html')}")


def print_json(document: Mapping[str, object]) -> None:
    """Print exactly one JSON document, in characters that standard output can hold."""
    out = raw(sys.stdout)
    readable = (out.encoding or "").lower().replace("-", "") == "utf8"
    print(as_json(json.dumps(document, ensure_ascii=not readable, allow_nan=False)), file=out)


def say(text: str) -> None:
    """Print a line; where a person reads it in a terminal, broken at words."""
    print(*in_width(text, sys.stdout), sep="\n")


def print_styled(lines: "Sequence[Text]", *, width: int) -> None:
    """Print lines of at most `width` columns, in a terminal with their colours."""
    console = rich_console(highlight=False, soft_wrap=True, width=width)
    for line in lines:
        console.print(line)


def print_in_pages(lines: "Sequence[Text]", *, width: int) -> None:
    """`print_styled`, through a pager where a terminal has fewer lines."""
    if not sys.stdout.isatty() or len(lines) < shutil.get_terminal_size((width, 50)).lines:
        print_styled(lines, width=width)
        return
    console = rich_console(highlight=False, soft_wrap=True, width=width)
    # less leaves short texts on the screen, with their colours.
    os.environ.setdefault("LESS", "-RFX")
    with console.pager(styles=True):
        for line in lines:
            console.print(line)


def headline(scores: Mapping[str, object], figures: Sequence[tuple[str, str]]) -> list[str]:
    """The figures that a task tells first, each `name value`.

    Args:
        figures: the task's `headline`.
    """
    return [f"{figure_name(name)} {_figure(scores[name], form)}" for name, form in figures]


def in_lines(name: str, parts: Sequence[str]) -> list[str]:
    """What belongs to a name, on one line, or on a terminal on as many as it takes."""
    width = shutil.get_terminal_size().columns if sys.stdout.isatty() else 0
    lines = [f"{name:<5}"]
    for part in parts:
        if width and len(lines[-1]) > 5 and len(f"{lines[-1]}  {part}") > width:
            lines.append(" " * 5)
        lines[-1] += f" {part}" if len(lines[-1]) == 5 else f"  {part}"
    return lines


def _figure(value: object, form: str) -> str:
    return "–" if value is None else f"{as_number(value):{form}}"
