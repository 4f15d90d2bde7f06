"""One process that trains, or several that share each batch."""

import logging
import multiprocessing
import os
import signal
import socket
import tempfile
import traceback
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from multiprocessing.connection import Connection, wait
from multiprocessing.reduction import ForkingPickler
from pathlib import Path
from typing import TYPE_CHECKING

import torch

from viewfinder.errors import InputError
from viewfinder.interrupts import (
    blocked_interrupts,
    end_with_parent,
    leave_stops_to_parent,
    stops_interrupt,
)
from viewfinder.training.ending import join_or_kill
from viewfinder.training.relay import relayed, sending

# Fabric is imported where steps are taken, and not by what is solved: it brings torch's compiler,
# which takes seconds.
if TYPE_CHECKING:
    from lightning_fabric import Fabric

# Fabric announces every process that joins; the journal reports what matters.
logging.getLogger("lightning_fabric").setLevel(logging.WARNING)

Work = Callable[["Fabric"], None]


def make_fabric(device: torch.device, count: int) -> "Fabric":
    """Fabric for one process, or for this one of `count`, whose environment says which it is."""
    from lightning_fabric import Fabric
    from lightning_fabric.plugins.environments.lightning import LightningEnvironment
    from lightning_fabric.strategies.ddp import DDPStrategy

    if count == 1:
        return Fabric(accelerator=device.type, devices=1)
    strategy = DDPStrategy(
        cluster_environment=LightningEnvironment(),
        # Running statistics are of all processes, and so the same in each of them.
        forward_sync_buffers=False,
    )
    return Fabric(accelerator=device.type, devices=count, strategy=strategy)


def refuse_torchrun() -> None:
    """Refuse to be one of several processes that somebody else started.

    Each would take the whole training, all in one folder.

    Raises:
        InputError: `torchrun` started this process, and others.
    """
    if "TORCHELASTIC_RUN_ID" in os.environ and os.environ.get("WORLD_SIZE", "1") != "1":
        raise InputError(
            "this was started by torchrun, and Viewfinder starts its processes itself, on one "
            "machine: run it without torchrun, as `viewfinder train … --devices 2`"
        )


def threads_of_each(count: int) -> int:
    """The threads of each of `count` processes that share this machine's processor."""
    return max(1, torch.get_num_threads() // count)


def launch(device: torch.device, count: int, work: Work) -> None:
    """Do `work` in this process, or at the same time in `count` others.

    Raises:
        InputError: fewer GPUs than asked for, what the work raised, or a process that died.
        KeyboardInterrupt: it was stopped.
    """
    if device.type == "cuda" and count > torch.cuda.device_count():
        raise InputError(
            f"--devices {count}: this machine has {torch.cuda.device_count()} CUDA GPUs"
        )
    if count == 1:
        fabric = make_fabric(device, count)
        fabric.launch()
        work(fabric)
        return
    children: list[_Child] = []
    with relayed() as pipe, tempfile.TemporaryDirectory() as folder:
        port, threads = _free_port(), threads_of_each(count)
        try:
            for rank in range(count):
                place = _Place(device, rank, count, port, threads)
                children.append(_Child(place, _Parcel(work, Path(folder) / str(rank)), pipe))
            stopped = _wait_for(children)
        finally:
            _end(children)
    if stopped:
        raise KeyboardInterrupt


@dataclass(frozen=True)
class _Place:
    """Which of several processes one is, and the port of this machine at which they meet."""

    device: torch.device
    rank: int
    count: int
    port: int
    threads: int


class _Parcel:
    """Something on its way into a process that is being started, by a file.

    A process is handed its arguments through a pipe, and whoever starts it waits until they are
    read: for ever, should it die before, and should they be more than a pipe holds (64 KiB).
    Tensors are not in the file, but in memory that the processes share.
    """

    def __init__(self, content: object, file: Path) -> None:
        self._content, self._file = content, file

    def __reduce__(self) -> tuple[object, ...]:
        # While the process is being started: what shares memory can only be sent along then.
        self._file.write_bytes(ForkingPickler.dumps(self._content))
        return _Parcel, (None, self._file)

    def open(self) -> object:
        """What is in it, in the process that it was sent to."""
        return ForkingPickler.loads(self._file.read_bytes())


@dataclass(frozen=True)
class Outcome:
    """A process's last words: it was stopped, or something was raised there; else it is done."""

    stopped: bool = False
    error: InputError | None = None
    raised: str | None = None


class _Child:
    """A process of several, and how it ended."""

    def __init__(self, place: _Place, work: _Parcel, events: Connection) -> None:
        context = multiprocessing.get_context("spawn")
        self._words, theirs = context.Pipe(duplex=False)
        self.place = place
        self.process = context.Process(target=_serve, args=(place, work, events, theirs))
        # Ctrl-C reaches every process of a terminal: here only the first answers it, and stops the
        # others once, so that none is interrupted while it saves.
        with blocked_interrupts():
            self.process.start()
        theirs.close()
        self._outcome: Outcome | None = None

    def outcome(self) -> Outcome | None:
        """Of a process that has ended: its last words, or None if it died without."""
        if self._outcome is None and self.process.exitcode == 0:
            try:
                self._outcome = self._words.recv()
            except (EOFError, OSError):
                return None
        return self._outcome

    def death(self) -> str:
        """In words, how a process that died did so."""
        status = self.process.exitcode or 0
        how = f"status {status}" if status >= 0 else _signal_name(-status)
        memory = less = ""
        if how == "SIGKILL":
            memory = ", as when the memory is used up"
            less = ", or ask for less at once, as of --batch or --devices"
        elif status == 1:  # Python's, of what stands above on the terminal
            less = (
                "; a script of your own asks for several processes below "
                '`if __name__ == "__main__":`, as each of them runs what stands above that'
            )
        return (
            f"process {self.place.rank + 1} of {self.place.count} (number {self.process.pid}) "
            f"ended with {how} in the middle of its work{memory}: go on with the same command "
            f"and --resume{less}"
        )


def _signal_name(number: int) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:
        return f"signal {number}"


def _wait_for(children: Sequence[_Child]) -> bool:
    """Wait until all have ended, or one did otherwise than it should; whether it was stopped.

    Raises:
        InputError: one raised it, or died.
        RuntimeError: something else was raised in one.
    """
    left = list(children)
    while left:
        wait([child.process.sentinel for child in left])
        # All that have, whichever woke this: that one has died makes others fail.
        ended = [child for child in left if not child.process.is_alive()]
        left = [child for child in left if child not in ended]
        if any(child.outcome() != Outcome() for child in ended):
            return judge(ended, left)
    return False


def judge(ended: Sequence[_Child], left: Sequence[_Child]) -> bool:
    """What it means that some have ended otherwise than they should: as `_wait_for`."""
    died = [child.death() for child in ended if child.outcome() is None]
    stopped = any(outcome.stopped for child in ended if (outcome := child.outcome()))
    if stopped and not died:
        _end(left)  # which may fail to save what they have
        ended = [*ended, *left]
    outcomes = [outcome for child in ended if (outcome := child.outcome())]
    for outcome in outcomes:
        if outcome.error is not None:
            raise outcome.error
    if died:
        raise InputError(died[0])
    if not stopped:
        raise RuntimeError("\n\n".join(each.raised for each in outcomes if each.raised))
    return True


def _serve(place: _Place, work: _Parcel, events: Connection, words: Connection) -> None:
    """The life of a process of several."""
    leave_stops_to_parent()
    end_with_parent()
    words.send(_outcome(place, work, events))


def _outcome(place: _Place, work: _Parcel, events: Connection) -> Outcome:
    """One process's part, and what came of it."""
    os.environ |= {
        "LOCAL_RANK": str(place.rank),
        "NODE_RANK": "0",
        "MASTER_ADDR": "127.0.0.1",
        "MASTER_PORT": str(place.port),
    }
    try:
        fabric = make_fabric(place.device, place.count)
        fabric.launch()
        torch.set_num_threads(place.threads)
        with stops_interrupt(), sending(events, place.rank):
            do = work.open()
            assert callable(do)
            do(fabric)
    except InputError as error:
        return Outcome(error=error)
    except KeyboardInterrupt:
        return Outcome(stopped=True)
    except Exception:
        name = f"process {place.rank + 1} of {place.count}"
        return Outcome(raised=f"{name}:\n{traceback.format_exc()[-20_000:]}")
    return Outcome()


def _free_port() -> int:
    with socket.socket() as asked:
        asked.bind(("127.0.0.1", 0))
        return int(asked.getsockname()[1])


def _end(children: Sequence[_Child]) -> None:
    """Have processes save what they have and end; one that does not is hung."""
    for child in children:
        child.process.terminate()
    for child in children:
        join_or_kill(child.process)
