"""How fast a disk writes and reads: one file for a moment, removed again."""

import contextlib
import os
import tempfile
import time
from pathlib import Path

from viewfinder.doctor.system import nearest

# Bytes of a block and of the file at most, and seconds for writing it.
_BLOCK, _MOST, _SECONDS = 4 << 20, 128 << 20, 1.0


def disk_speed(folder: Path) -> tuple[float, float | None]:
    """10⁶ bytes a second that are written and synced, and read; None where reading cannot be told
    from what the system keeps in memory.

    Raises:
        OSError: it cannot be written.
    """
    place = nearest(folder)
    with tempfile.NamedTemporaryFile(prefix=".doctor-", dir=place) as file:
        block, written = os.urandom(_BLOCK), 0
        start = time.perf_counter()
        while written < _MOST and time.perf_counter() - start < _SECONDS:
            written += file.write(block)
        file.flush()
        os.fsync(file.fileno())
        taken = time.perf_counter() - start
        return written / taken / 1e6, _read(file.fileno(), written)


def _read(handle: int, size: int) -> float | None:
    if not hasattr(os, "posix_fadvise"):
        return None
    # The system lets go of what it kept of the file, so that the disk has to give it.
    os.posix_fadvise(handle, 0, 0, os.POSIX_FADV_DONTNEED)
    os.lseek(handle, 0, os.SEEK_SET)
    start, read = time.perf_counter(), 0
    with contextlib.suppress(OSError):
        while time.perf_counter() - start < _SECONDS and (part := os.read(handle, _BLOCK)):
            read += len(part)
    taken = time.perf_counter() - start
    return read / taken / 1e6 if read and read <= size else None
