"""Ctrl-C is for the process that a person started; those that it starts must not answer it too."""

import contextlib
import signal
from collections.abc import Iterator


@contextlib.contextmanager
def blocked_interrupts() -> Iterator[None]:
    """Within, SIGINT waits; a process begun within begins with it blocked."""
    if not hasattr(signal, "pthread_sigmask"):
        yield
        return
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
