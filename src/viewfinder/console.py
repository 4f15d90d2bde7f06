"""What a person sees while work goes on: bars and notes, on standard error only.

Standard output belongs to results, so that `--json` prints one document there and nothing else.
"""

import sys
from collections.abc import Iterable, Iterator
from typing import TypeVar

Item = TypeVar("Item")


def note(text: str) -> None:
    """Print one line for the person at the terminal."""
    print(text, file=sys.stderr, flush=True)


def track(items: Iterable[Item], *, total: int | None, description: str) -> Iterator[Item]:
    """The items, one by one, with a progress bar, rate and time left while someone looks on.

    Shows nothing where standard error is not a terminal.
    """
    if not sys.stderr.isatty():
        yield from items
        return
    # Imported late: rich's progress bars take a tenth of a second that `--help` need not pay.
    from rich.console import Console
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
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task(description, total=total)
        for item in items:
            yield item
            bar.advance(task)
