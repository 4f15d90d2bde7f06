"""A progress bar in a cell of a notebook."""

import html
import sys
import time
from typing import Protocol

# Seconds between two drawings, each of which is a message to the page.
_BETWEEN = 0.5


def in_notebook() -> bool:
    """Whether this process is the kernel of a notebook, which shows HTML."""
    shell = sys.modules.get("IPython")
    return shell is not None and type(shell.get_ipython()).__name__ == "ZMQInteractiveShell"


class _Cell(Protocol):
    """What IPython gives for what it shows, to show something else in its place."""

    def update(self, data: object, *, raw: bool) -> object: ...


class NotebookBar:
    """A bar that stays in one place of its cell."""

    def __init__(self) -> None:
        self._cell: _Cell | None = None
        self._drawn = 0.0

    def show(self, done: float, total: float | None, text: str) -> None:
        """Draw it, unless it was drawn just now."""
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
