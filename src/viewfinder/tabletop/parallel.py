"""One job after another on all cores, with results in order and nothing left behind."""

from collections.abc import Callable, Generator, Sequence
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from typing import TypeVar

import cv2

from viewfinder.cpu import cpu_features
from viewfinder.events import track
from viewfinder.interrupts import blocked_interrupts, leave_stops_to_parent

Job = TypeVar("Job")
Result = TypeVar("Result")

# Starting a process takes about as long as rendering this many pictures.
FEW = 24


def in_parallel(
    work: Callable[[Job], Result],
    jobs: Sequence[Job],
    *,
    processes: int | None,
    description: str,
) -> Generator[Result, None, None]:
    """The results of `work` on each job, in order, with a progress bar.

    Without a number of `processes` there is one for each core that may be used, or none besides
    this one for a few jobs. Close it (`contextlib.closing`) before removing what the jobs write: no
    process is at work any more once it has ended, failed or been closed.
    """
    count = min(processes or cpu_features().threads, len(jobs))
    if count <= 1 or (processes is None and len(jobs) < FEW):
        yield from track(map(work, jobs), total=len(jobs), description=description)
        return
    # Started afresh rather than forked: a fork of a program with threads may hang.
    pool = ProcessPoolExecutor(count, mp_context=get_context("spawn"), initializer=_prepare)
    try:
        with blocked_interrupts():
            results = pool.map(work, jobs, chunksize=max(1, min(16, len(jobs) // (4 * count))))
        yield from track(results, total=len(jobs), description=description)
    finally:
        pool.shutdown(wait=True, cancel_futures=True)


def _prepare() -> None:
    """Leave Ctrl-C and its like to the parent, and the other cores to the other processes."""
    leave_stops_to_parent()
    cv2.setNumThreads(1)
