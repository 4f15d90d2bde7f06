"""Whether other programs keep the machine so busy that a training is faster with one thread.

The threads of a step wait for each other: where one of them has no core, all of them stand still.
"""

import os
from collections.abc import Callable

import torch

from viewfinder.events import note

# Programs that want to compute, for each thread of ours, from which on it is looked at.
_CROWDED = 2.0
# One thread must be so much faster to be told of.
_GAIN = 0.7
ONE_THREAD = "OMP_NUM_THREADS=1 before the command"


def tell_if_crowded(step: float, with_one: Callable[[], float]) -> None:
    """Say that one thread is faster here at the moment, where it is.

    Args:
        step: seconds of a step, with all threads.
        with_one: times a step, when torch has one thread.
    """
    threads = torch.get_num_threads()
    if threads < 2 or _waiting() < _CROWDED * threads:
        return
    torch.set_num_threads(1)
    try:
        alone = with_one()
    finally:
        torch.set_num_threads(threads)
    if alone < _GAIN * step:
        note(
            f"other programs keep this machine busy: a step takes {step:.2g} s with {threads} "
            f"threads, and {alone:.2g} s with one; as long as they do, {ONE_THREAD} is faster"
        )


def _waiting() -> float:
    """Programs that computed or wanted to, in the last minute; 0 where nobody counts them."""
    return os.getloadavg()[0] if hasattr(os, "getloadavg") else 0.0
