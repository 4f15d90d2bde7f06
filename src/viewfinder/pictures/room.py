"""Room in memory for the pictures that threads decode at the same time.

A folder of pictures is decoded by as many threads as there are cores, and some cameras' pictures
take a gigabyte each while they are decoded. A thread waits here until the memory that is free is
enough for its picture too. Where no other thread decodes, it goes on at once: waiting would not
make more memory, and the system may still find some.
"""

import contextlib
import threading
import time
from collections.abc import Iterator

from viewfinder.memory import free_memory

# All pictures that are being decoded may take this share of the memory that is free.
_SHARE = 0.5
# Seconds for which a reading of the free memory holds: asking takes as long as a small picture.
_FRESH = 0.5


class Room:
    """Bytes that threads have asked for and not yet given back."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._taken, self._threads = 0, 0
        self._limit, self._asked = 0.0, -_FRESH

    @contextlib.contextmanager
    def taken(self, needed: int) -> Iterator[None]:
        """Wait until there is room for `needed` bytes, and hold it while the block runs."""
        with self._changed:
            while self._threads and self._taken + needed > self._most():
                self._changed.wait(_FRESH)
            self._taken += needed
            self._threads += 1
        try:
            yield
        finally:
            with self._changed:
                self._taken -= needed
                self._threads -= 1
                self._changed.notify_all()

    def _most(self) -> float:
        """Bytes that may be taken in all, those that are taken already included."""
        now = time.monotonic()
        if now - self._asked >= _FRESH:
            # What is taken may be in use already, and so no longer free, or not yet.
            self._limit, self._asked = _SHARE * free_memory() + self._taken / 2, now
        return self._limit


ROOM = Room()
"""The one of this process."""
