"""A folder for one process at a time."""

from contextlib import AbstractContextManager
from pathlib import Path

from viewfinder.locks import alone_in


def taken(folder: Path, what: str) -> AbstractContextManager[None]:
    """Within, no other process has this folder; the lock goes with its process, however that ends.

    Args:
        what: who might have it, for the message.

    Raises:
        InputError: another process has it, once it is entered.
    """
    busy = f"another {what} is at work in {folder}: wait for it, or stop it"
    return alone_in(folder.resolve(), busy=busy)
