"""A folder for one process at a time."""

import contextlib
from collections.abc import Iterator
from pathlib import Path

from viewfinder import files
from viewfinder.errors import InputError


@contextlib.contextmanager
def taken(folder: Path, what: str) -> Iterator[None]:
    """Within, no other process has this folder; the lock goes with its process, however that ends.

    Args:
        what: who might have it, for the message.

    Raises:
        InputError: another process has it.
    """
    with files.locked(folder.resolve()) as mine:
        if not mine:
            raise InputError(f"another {what} is at work in {folder}: wait for it, or stop it")
        yield
