"""Many trainings, one after another or several at a time, each in its own process and device."""

import contextlib
import multiprocessing
import os
import signal
import traceback
import warnings
from collections import deque
from collections.abc import Callable, Generator, Iterator, Sequence
from dataclasses import dataclass
from multiprocessing.connection import Connection, wait
from pathlib import Path
from typing import TextIO

from viewfinder.errors import InputError
from viewfinder.events import listening
from viewfinder.interrupts import (
    AfterImports,
    blocked_interrupts,
    end_with_parent,
    leave_stops_to_parent,
)
from viewfinder.listeners.terminal import Terminal
from viewfinder.training.ending import join_or_kill

Train = Callable[..., object]
"""Called as `train(task, data, out=…, resume=True, **fields)`; found by name in other processes."""


@dataclass(frozen=True)
class TrainingOrder:
    """One training to do.

    Attributes:
        log: a file for what the training reports.
    """

    name: str
    task: str
    data: str
    folder: Path
    log: Path
    fields: dict[str, object]


@dataclass(frozen=True)
class Slot:
    """A process's part of the machine: the `CUDA_VISIBLE_DEVICES` it sees, None for all."""

    device: str | None
    threads: int


def work(
    train: Train,
    orders: Sequence[TrainingOrder],
    slots: Sequence[Slot],
    *,
    begin: Callable[[TrainingOrder], None],
) -> Generator[tuple[TrainingOrder, str | None]]:
    """Do all orders, at most one a slot at a time; yields each with why it failed, or None.

    With one slot the work is done in this process. Leaving early, as on Ctrl-C, stops what runs:
    each training saves its state and can be resumed.
    """
    if len(slots) > 1:
        yield from _side_by_side(train, orders, slots, begin)
        return
    for order in orders:
        begin(order)
        yield order, attempt(train, order)


def attempt(train: Train, order: TrainingOrder) -> str | None:
    """Begin or resume one training; returns why it failed, or None."""
    order.log.parent.mkdir(parents=True, exist_ok=True)
    with (
        order.log.open("a", encoding="utf-8", errors="backslashreplace") as log,
        listening(Terminal(log)),
        _warnings_to(log),
    ):
        try:
            train(order.task, order.data, out=order.folder, resume=True, **order.fields)
        except InputError as error:
            log.write(f"error: {error}\n")
            return " ".join(str(error).split())
        except Exception as error:
            # One cell that does not fit into the memory must not cost the others a night.
            traceback.print_exc(file=log)
            return f"{type(error).__name__}: {' '.join(str(error).split())[:300]} ({order.log})"
    return None


@contextlib.contextmanager
def _warnings_to(log: TextIO) -> Iterator[None]:
    """Within, Python's warnings are written to a log."""

    def write(
        message: Warning | str,
        category: type[Warning],
        filename: str,
        lineno: int,
        file: TextIO | None = None,
        line: str | None = None,
    ) -> None:
        log.write(warnings.formatwarning(message, category, filename, lineno, line))

    with warnings.catch_warnings():
        warnings.showwarning = write
        yield


class _Worker:
    """A process that does one order after another; it ends with this one, however this one ends."""

    def __init__(self, train: Train, slot: Slot) -> None:
        context = multiprocessing.get_context("spawn")
        self.slot = slot
        self.connection, theirs = context.Pipe()
        self.process = context.Process(target=_serve, args=(theirs, slot))
        # Ctrl-C reaches every process of a terminal: here only the first answers it, and stops the
        # others once, so that none is interrupted while it saves.
        with blocked_interrupts():
            self.process.start()
        theirs.close()
        self.give(train)

    def give(self, what: object) -> None:
        """Send work; a process that has died is found when its answer is waited for."""
        with contextlib.suppress(OSError):
            self.connection.send(what)

    def dismiss(self, *, busy: bool) -> None:
        """Ask the process to end: at once where it waits, with its state saved where it trains."""
        self.connection.close()
        if busy:
            self.process.terminate()

    def join(self) -> None:
        """Wait until it has ended."""
        join_or_kill(self.process)


def _side_by_side(
    train: Train,
    orders: Sequence[TrainingOrder],
    slots: Sequence[Slot],
    begin: Callable[[TrainingOrder], None],
) -> Generator[tuple[TrainingOrder, str | None]]:
    waiting = deque(orders)
    idle: list[_Worker] = []
    busy: dict[Connection, tuple[_Worker, TrainingOrder]] = {}
    try:
        for slot in slots[: len(orders)]:
            idle.append(_Worker(train, slot))
        while waiting or busy:
            while waiting and idle:
                worker, order = idle.pop(0), waiting.popleft()
                begin(order)
                busy[worker.connection] = (worker, order)
                worker.give(order)
            ready = wait(list(busy))
            for connection in [each for each in busy if each in ready]:
                worker, order = busy[connection]
                failed, lives = _answer(worker)
                del busy[connection]
                if lives:
                    idle.append(worker)
                elif waiting:
                    idle.append(_Worker(train, worker.slot))
                yield order, failed
    finally:
        working = [worker for worker, _ in busy.values()]
        for worker in (*idle, *working):
            worker.dismiss(busy=worker in working)
        for worker in (*idle, *working):
            worker.join()


def _answer(worker: _Worker) -> tuple[str | None, bool]:
    """Why the order failed, or None; and whether the process is still there for another."""
    try:
        failed: str | None = worker.connection.recv()
        return failed, True
    except (EOFError, ConnectionResetError):
        worker.join()
        worker.connection.close()
        status = worker.process.exitcode
        why = f"its process ended with status {status}"
        if status == -signal.SIGKILL:
            why += ", as when the memory is used up: try fewer --jobs"
        return why, False


def _serve(connection: Connection, slot: Slot) -> None:
    """A worker's life: first the function, then order after order."""

    signal.signal(signal.SIGTERM, AfterImports())
    leave_stops_to_parent()
    end_with_parent()
    # Before the function, and torch with it, is imported: both are read once.
    os.environ["OMP_NUM_THREADS"] = str(slot.threads)
    if slot.device is not None:
        os.environ["CUDA_VISIBLE_DEVICES"] = slot.device
    try:
        train = connection.recv()
        while True:
            connection.send(attempt(train, connection.recv()))
    except (EOFError, OSError, KeyboardInterrupt):
        # Nothing more may interrupt it: what torch does at its end cannot be left half done.
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
