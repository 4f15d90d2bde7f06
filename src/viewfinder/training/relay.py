"""Events of the processes that share a training, heard in the process that started them."""

import contextlib
import contextvars
import multiprocessing
import threading
from collections.abc import Iterator
from multiprocessing.connection import Connection

from viewfinder.events import Event, Listener, emit, listening


class _Sender:
    """A listener that sends what it hears through a pipe."""

    def __init__(self, pipe: Connection) -> None:
        self._pipe, self._lock = pipe, threading.Lock()

    def __call__(self, event: Event) -> None:
        # Where nobody reads any more, the process that listened is at its end.
        with self._lock, contextlib.suppress(OSError):
            self._pipe.send(event)


def sending(pipe: Connection, rank: int) -> contextlib.AbstractContextManager[None]:
    """In a process of several: what it reports goes through the pipe, but only of the first."""
    chosen: tuple[Listener, ...] = (_Sender(pipe),) if rank == 0 else ()
    return listening(*chosen)


@contextlib.contextmanager
def relayed() -> Iterator[Connection]:
    """An end of a pipe for other processes, whose events the listeners of here hear.

    They must have ended when this does.
    """
    theirs, ours = multiprocessing.get_context("spawn").Pipe(duplex=False)
    failures: list[BaseException] = []
    # A thread begins without the context's listeners.
    context = contextvars.copy_context()
    reader = threading.Thread(
        target=context.run, args=(_hear, theirs, failures), name="relay", daemon=True
    )
    reader.start()
    try:
        yield ours
    finally:
        # With the last copy of this end the pipe ends, also in the middle of an event.
        ours.close()
        reader.join()
        theirs.close()
    if failures:
        raise failures[0]


def _hear(pipe: Connection, failures: list[BaseException]) -> None:
    """Pass on every event until the pipe ends; a full pipe would hold up the training."""
    while True:
        try:
            event: Event = pipe.recv()
        except (EOFError, OSError):
            return
        if failures:
            continue
        try:
            emit(event)
        except BaseException as error:
            failures.append(error)
