"""How many threads compute where other programs keep the machine busy.

The threads of a step wait for each other: where one of them has no core, all of them stand still,
and one thread alone can be ten times as fast.
"""

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import torch

from viewfinder.events import note
from viewfinder.wording import counted

# Programs that want to compute, for each thread of ours, from which on it is looked at.
_CROWDED = 2.0
# One thread must be so much faster to be taken.
_GAIN = 0.7
# One so much faster is so beyond doubt: others do not change that from moment to moment.
_BEYOND_DOUBT = 0.4
# With more threads than this, one alone would lose too much once the others are done.
_MOST = 4
_SETTINGS = ("OMP_NUM_THREADS", "MKL_NUM_THREADS")
ONE_THREAD = "OMP_NUM_THREADS=1 before the command"
# How many threads there were before one was taken.
_spared = 1


@contextmanager
def own_threads() -> Iterator[None]:
    """Within, it may be chosen how many threads compute; afterwards there are as many as before."""
    global _spared
    before, spared = torch.get_num_threads(), _spared
    try:
        yield
    finally:
        torch.set_num_threads(before)
        _spared = spared


def at_once() -> int:
    """How many things may be computed at once, each by a thread that waits for no other."""
    return max(torch.get_num_threads(), _spared)


def threads_are_asked_for() -> bool:
    """Whether the person says how many threads there are."""
    return any(os.environ.get(name) for name in _SETTINGS)


def spare_threads_if_crowded(seconds_of_one: Callable[[], float], what: str = "a step") -> None:
    """Compute with one thread from now on, where that is faster at the moment, and say so.

    Args:
        seconds_of_one: times what is done many times, with the threads that torch has.
        what: its name.
    """
    global _spared
    threads = torch.get_num_threads()
    if not _crowded():
        return
    note("other programs keep this machine busy: measuring whether one thread is faster")
    together, alone = [], []
    for _ in range(2):  # in turns, as what others do changes from moment to moment
        torch.set_num_threads(threads)
        together.append(seconds_of_one())
        torch.set_num_threads(1)
        alone.append(seconds_of_one())
        if alone[0] < _BEYOND_DOUBT * together[0]:
            break
    torch.set_num_threads(threads)
    if min(alone) >= _GAIN * min(together):
        return
    times = f"{min(together):.2g} s with {threads} threads, and {min(alone):.2g} s with one"
    found = f"{what} takes {times}"
    if threads > _MOST or threads_are_asked_for():
        note(f"{found}; as long as they do, {ONE_THREAD} is faster")
        return
    torch.set_num_threads(1)
    _spared = threads
    note(
        f"{found}, so it takes one; OMP_NUM_THREADS={threads} before the command takes all the same"
    )


@contextmanager
def as_if_spared() -> Iterator[None]:
    """Within, one thread computes where a training that begins now would look whether that is
    faster, and may take it: for what tells how long that training takes."""
    with own_threads():
        if _crowded() and torch.get_num_threads() <= _MOST and not threads_are_asked_for():
            torch.set_num_threads(1)
        yield


def threads_as_begun(begun: int | None) -> None:
    """Compute with as few threads as a training began with, so that its sums come out alike.

    Args:
        begun: how many those were; None where that is not known.
    """
    threads = torch.get_num_threads()
    if begun is None or begun >= threads or threads_are_asked_for():
        return
    torch.set_num_threads(begun)
    note(
        f"goes on with {counted(begun, 'thread')}, as it began, for the same weights to the last "
        f"bit; OMP_NUM_THREADS={threads} before the command takes all"
    )


def _crowded() -> bool:
    """Whether others keep the machine so busy that threads wait for each other."""
    threads = torch.get_num_threads()
    return threads > 1 and _waiting() >= _CROWDED * threads


def _waiting() -> float:
    """Programs that computed or wanted to, in the last minute; 0 where nobody counts them."""
    return os.getloadavg()[0] if hasattr(os, "getloadavg") else 0.0
