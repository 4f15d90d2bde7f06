"""When Ctrl-C is answered, and by which process."""

import contextlib
import signal
import threading
from collections.abc import Callable, Iterator


@contextlib.contextmanager
def blocked_interrupts() -> Iterator[None]:
    """Within, SIGINT waits; a process begun within begins with it blocked.

    Ctrl-C is for the process that a person started; those that it starts must not answer it too.
    """
    if not hasattr(signal, "pthread_sigmask"):
        yield
        return
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


@contextlib.contextmanager
def late_interrupts() -> Iterator[Callable[[Callable[[], None]], None]]:
    """Within, an interrupt waits until it is let through; a second one does not wait.

    Blocking the signal would not do: another thread then receives it, for the main one to answer.

    Yields:
        a function that, if an interrupt waits, calls what it is given and lets the interrupt
        through. One that waits at the end is let through there.
    """
    if threading.current_thread() is not threading.main_thread():
        yield lambda first: None  # Python interrupts no other thread.
        return
    waiting: list[int] = []
    handlers = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    usual = {int(number): answer for number, answer in handlers.items() if callable(answer)}

    def wait(number: int, frame: object) -> None:
        if waiting:
            usual[number](number, None)
        waiting.append(number)

    def let(first: Callable[[], None]) -> None:
        if waiting:
            first()
            number = waiting.pop()
            usual[number](number, None)

    for number in usual:
        signal.signal(number, wait)
    try:
        yield let
        let(lambda: None)
    finally:
        for number, answer in usual.items():
            signal.signal(number, answer)
