"""When a request to stop is answered, and by which process: Ctrl-C, SIGTERM, a closed terminal."""

import contextlib
import signal
import threading
from collections.abc import Callable, Iterator, Mapping

# Ctrl-C; what `kill`, `timeout`, systemd and docker send; and what a closing terminal sends.
# Windows has no SIGHUP.
STOPS = tuple(
    getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGHUP") if hasattr(signal, name)
)
_OF_A_TERMINAL = frozenset(STOPS) - {signal.SIGTERM}


@contextlib.contextmanager
def stops_interrupt() -> Iterator[None]:
    """Within, SIGTERM and SIGHUP are answered as Ctrl-C is: by KeyboardInterrupt.

    A signal that is ignored, as SIGHUP is under nohup, stays so, and so does one that somebody
    answers already. Beside the main thread, which alone may do this, nothing changes.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    mine = [number for number in STOPS[1:] if signal.getsignal(number) == signal.SIG_DFL]

    def stop(number: int, frame: object) -> None:
        raise KeyboardInterrupt

    for number in mine:
        signal.signal(number, stop)
    try:
        yield
    finally:
        for number in mine:
            signal.signal(number, signal.SIG_DFL)


def leave_stops_to_parent() -> None:
    """Let this process, which another one started and will end, answer no request to stop.

    A terminal sends them to all of its processes. Functions and not SIG_IGN, which processes that
    this one starts would inherit.
    """
    for number in _OF_A_TERMINAL:  # SIGTERM is the parent's own way to end it.
        signal.signal(number, lambda *_: None)
    if hasattr(signal, "pthread_sigmask"):
        signal.pthread_sigmask(signal.SIG_UNBLOCK, _OF_A_TERMINAL)


@contextlib.contextmanager
def blocked_interrupts() -> Iterator[None]:
    """Within, SIGINT and SIGHUP wait; a process begun within begins with them blocked.

    They are for the process that a person started; those that it starts must not answer them too.
    """
    if not hasattr(signal, "pthread_sigmask"):
        yield
        return
    before = signal.pthread_sigmask(signal.SIG_BLOCK, _OF_A_TERMINAL)
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


class Late:
    """Interrupts that wait to be let through."""

    def __init__(self, waiting: list[int], usual: Mapping[int, Callable[[int, None], object]]):
        self._waiting, self._usual = waiting, usual

    def waiting(self) -> bool:
        """Whether there is one."""
        return bool(self._waiting)

    def __call__(self, first: Callable[[], None], *, asked: bool = False) -> None:
        """If there is one, call `first` and let it through.

        Args:
            asked: another process has one, which this one is to answer too.
        """
        if self._waiting:
            first()
            number = self._waiting.pop()
            self._usual[number](number, None)
        elif asked:
            first()
            raise KeyboardInterrupt


@contextlib.contextmanager
def late_interrupts(*, insisting: bool = True) -> Iterator["Late"]:
    """Within, an interrupt waits until it is let through; a second one does not wait.

    Blocking the signal would not do: another thread then receives it, for the main one to answer.
    One that waits at the end is let through there.

    Args:
        insisting: whether a second one is answered at once.
    """
    if threading.current_thread() is not threading.main_thread():
        yield Late([], {})  # Python interrupts no other thread.
        return
    waiting: list[int] = []
    handlers = {number: signal.getsignal(number) for number in STOPS}
    usual = {int(number): answer for number, answer in handlers.items() if callable(answer)}

    def wait(number: int, frame: object) -> None:
        if waiting and insisting:
            usual[number](number, None)
        waiting.append(number)

    let = Late(waiting, usual)
    for number in usual:
        signal.signal(number, wait)
    try:
        yield let
        let(lambda: None)
    finally:
        for number, answer in usual.items():
            signal.signal(number, answer)
