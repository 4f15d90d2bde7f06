"""When a request to stop is answered, and by which process: Ctrl-C, SIGTERM, a closed terminal."""

import _thread
import contextlib
import contextvars
import math
import os
import signal
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from types import FrameType
from typing import NoReturn

# Ctrl-C; what `kill`, `timeout`, systemd and docker send; and what a closing terminal sends.
# Windows has no SIGHUP.
STOPS = tuple(
    getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGHUP") if hasattr(signal, name)
)
_OF_A_TERMINAL = frozenset(STOPS) - {signal.SIGTERM}
STOPPED = 130
"""What a shell tells of a process that Ctrl-C ended."""
UNBEGUN = "stopped before it began: all is as it was; the same command begins it again"
"""What a person is told of a command that was stopped before it did anything."""
# Seconds after which it is asked again whether an import has ended.
_SOON = 0.05
# Seconds after which a request to stop that nothing has come of is told to be known.
_NOTICED = 0.5
# Seconds within which a second request is the first one again: `timeout`, and a shell that passes
# one on to its group, let a process have it twice.
_AT_ONCE = 0.5
# When one was last answered.
_answered = -math.inf


@contextlib.contextmanager
def stops_interrupt(
    idle: Path | None = None, say: Callable[[], None] = lambda: None
) -> Iterator[None]:
    """Within, SIGTERM and SIGHUP are answered as Ctrl-C is: by KeyboardInterrupt.

    One that falls into an import waits until that has ended, and a second one does not: what is
    written in C and imports more, as torch does, may forget an interrupt there or abort. What comes
    twice at once is one.

    A signal that is ignored, as SIGHUP is under nohup, stays so, and so does one that somebody
    answers already. Beside the main thread, which alone may do this, nothing changes.

    Args:
        idle: a folder of modules that have begun nothing while they import others: a signal that
            falls into what one of them imports ends the process at once, with status 130.
        say: called before that.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    usual = {number: signal.getsignal(number) for number in STOPS}
    mine = [n for n, by in usual.items() if by in (signal.SIG_DFL, signal.default_int_handler)]
    answer = AfterImports(idle, say)
    for number in mine:
        signal.signal(number, answer)
    try:
        yield
        answer.at_the_end()
    finally:
        for number in mine:
            signal.signal(number, usual[number])


class AfterImports:
    """Answers a signal by KeyboardInterrupt, as soon as nothing is being imported."""

    def __init__(self, idle: Path | None = None, say: Callable[[], None] = lambda: None) -> None:
        """
        Args:
            idle, say: as of `stops_interrupt`.
        """
        self._idle, self._say = idle, say
        self._waiting = self._again = False
        self._came = self._went = -math.inf

    def __call__(self, number: int, frame: FrameType | None) -> None:
        now, again, self._again = time.monotonic(), self._again, False
        if not again and now < self._went + _AT_ONCE:
            return  # what the first one ended is just being left
        insisting = self._waiting and not again and now >= self._came + _AT_ONCE
        if not self._waiting:
            self._came = now
        asked = _importing(frame)
        if asked and self._idle is not None and Path(asked).parent == self._idle:
            # Whoever waits has been told all else, line by line.
            with contextlib.suppress(Exception):
                self._say()
            os._exit(STOPPED)
        self._waiting = not insisting and bool(asked)
        if not self._waiting:
            self._went = time.monotonic()
            _answer()
        # Not a Timer: the main thread, which this interrupts, may have that module's lock.
        _thread.start_new_thread(self._ask_again, (number,))

    def _ask_again(self, number: int) -> None:
        time.sleep(_SOON)
        if self._waiting:
            self._again = True
            if hasattr(signal, "pthread_kill"):  # which wakes the main thread, should it sleep
                signal.pthread_kill(threading.main_thread().ident or 0, number)
            else:
                _thread.interrupt_main(signal.Signals(number))

    def at_the_end(self) -> None:
        """Answer what still waits."""
        if self._waiting:
            self._waiting = False
            _answer()


def _answer() -> NoReturn:
    global _answered
    _answered = time.monotonic()
    raise KeyboardInterrupt


@contextlib.contextmanager
def late_answers_told(say: Callable[[], None]) -> Iterator[None]:
    """Within, `say` is called of a request to stop that is not answered at once.

    Python answers between two of its own steps, and a net may compute for seconds in one of them.
    What reads the system's own word of a signal is therefore a thread, in the context of now.
    """
    global _answered
    mine = threading.current_thread() is threading.main_thread()
    if not (mine and hasattr(signal, "pthread_kill")):  # Windows tells sockets alone
        yield
        return
    reading, writing = os.pipe()
    os.set_blocking(writing, False)
    context, ended = contextvars.copy_context(), threading.Event()
    _answered = -math.inf  # what was answered before is no answer to what comes

    def watch() -> None:
        while (came := os.read(reading, 1)) and not ended.is_set():
            begun = time.monotonic()
            # A little earlier, since Python may have been quicker to answer than this to read.
            if came[0] in STOPS and not ended.wait(_NOTICED) and _answered < begun - _NOTICED:
                context.run(say)
                ended.set()  # once is enough

    thread = threading.Thread(target=watch, daemon=True)
    thread.start()
    before = signal.set_wakeup_fd(writing, warn_on_full_buffer=False)
    try:
        yield
    finally:
        signal.set_wakeup_fd(before)
        ended.set()
        os.close(writing)
        thread.join()
        os.close(reading)


def _importing(frame: FrameType | None) -> str:
    """The file that asked for the outermost import that a frame lies within; empty of none."""
    asked, within = "", False
    while frame is not None:
        file = frame.f_code.co_filename
        if within and not file.startswith("<frozen importlib"):
            asked = file
        within = file.startswith("<frozen importlib")
        frame = frame.f_back
    return asked


def leave_stops_to_parent() -> None:
    """Let this process, which another one started and will end, answer no request to stop.

    A terminal sends them to all of its processes. Functions and not SIG_IGN, which processes that
    this one starts would inherit.
    """
    for number in _OF_A_TERMINAL:  # SIGTERM is the parent's own way to end it.
        signal.signal(number, lambda *_: None)
    if hasattr(signal, "pthread_sigmask"):
        signal.pthread_sigmask(signal.SIG_UNBLOCK, _OF_A_TERMINAL)


def end_with_parent() -> None:
    """Let this process end at once when the one that started it has ended, be it by SIGKILL.

    A training whose parent was killed would go on, beside the one that is begun next.
    """
    import multiprocessing  # which few commands need, and takes its time

    def watch() -> None:
        parent = multiprocessing.parent_process()
        if parent is not None:
            parent.join()
            os.kill(os.getpid(), getattr(signal, "SIGKILL", signal.SIGTERM))

    threading.Thread(target=watch, daemon=True).start()


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
            _answer()


@contextlib.contextmanager
def late_interrupts(*, insisting: bool = True) -> Iterator["Late"]:
    """Within, an interrupt waits until it is let through; a second one does not wait, unless it
    comes at once and so is the same.

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

    came = -math.inf

    def wait(number: int, frame: object) -> None:
        nonlocal came
        now = time.monotonic()
        if waiting and now < came + _AT_ONCE:
            return
        came = now
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
