"""Files and folders for one process at a time, by the system's own locks, which end with it."""

import contextlib
import os
from collections.abc import Iterator
from pathlib import Path

from viewfinder.errors import InputError


@contextlib.contextmanager
def alone_in(folder: Path, *, busy: str) -> Iterator[None]:
    """A folder for one process at a time, where the system knows locks.

    Raises:
        InputError: another process is at work in it, said as `busy`.
    """
    with locked(folder) as free:
        if not free:
            raise InputError(busy)
        yield


@contextlib.contextmanager
def locked(path: Path) -> Iterator[bool]:
    """A lock on a file or folder for as long as the block takes; whether it could be had."""
    if os.name != "posix":
        yield True
        return
    # Without waiting, should it be a pipe that nobody writes to.
    handle = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
    try:
        yield lock(handle)
    finally:
        os.close(handle)


def lock(handle: int) -> bool:
    """Lock an open file for as long as it is open; False where another process has it locked."""
    if os.name == "posix":
        import fcntl

        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        except OSError:
            return True  # a disk that knows no locks
    return True
