"""One process that trains, or several that share each batch."""

import logging
import multiprocessing
import os
from collections.abc import Callable, Sequence
from functools import partial
from multiprocessing.connection import Connection
from multiprocessing.process import BaseProcess
from multiprocessing.queues import SimpleQueue

import torch
from lightning_fabric import Fabric
from lightning_fabric.strategies.ddp import DDPStrategy
from torch.multiprocessing.spawn import ProcessExitedException, ProcessRaisedException

from viewfinder.errors import InputError
from viewfinder.interrupts import end_with_parent, stops_interrupt
from viewfinder.training.relay import relayed, sending

# It logs which processes it ends after another has failed; the error tells what matters.
logging.getLogger("torch.multiprocessing.spawn").setLevel(logging.ERROR)

Work = Callable[[Fabric], None]

# Seconds that processes have to save what they have when they are stopped.
_PATIENCE = 60.0


def make_fabric(device: torch.device, count: int) -> Fabric:
    """Fabric for one process, or for `count` that it will start.

    Raises:
        InputError: fewer GPUs than asked for.
    """
    if device.type == "cuda" and count > torch.cuda.device_count():
        raise InputError(
            f"--devices {count}: this machine has {torch.cuda.device_count()} CUDA GPUs"
        )
    if count == 1:
        return Fabric(accelerator=device.type, devices=1)
    # Running statistics are of all processes, and so the same in each of them.
    strategy = DDPStrategy(start_method="spawn", forward_sync_buffers=False)
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
        InputError: fewer GPUs than asked for, or what the work raised.
    """
    fabric = make_fabric(device, count)
    if count == 1:
        fabric.launch()
        work(fabric)
        return
    with relayed() as pipe:
        own_part = partial(_work, work=work, threads=threads_of_each(count), pipe=pipe)
        stopped = _start(fabric, count, own_part)
    if stopped:
        raise KeyboardInterrupt


def _start(fabric: Fabric, count: int, own_part: Callable[..., bool]) -> bool:
    """Start processes and wait until all have ended; returns whether they were stopped."""
    failures = multiprocessing.get_context("spawn").SimpleQueue()
    before = multiprocessing.active_children()
    try:
        return bool(fabric.launch(partial(own_part, failures=failures)))
    except ProcessRaisedException:
        if failures.empty():
            raise
        raise failures.get() from None
    except ProcessExitedException as error:
        how = error.signal_name or f"status {error.exit_code}"
        raise InputError(
            f"one of the {count} processes ended with {how}, as it does when the memory is used "
            "up: go on with the same command and --resume, or ask for less at once, as of --batch "
            "or --devices"
        ) from None
    finally:
        _end([child for child in multiprocessing.active_children() if child not in before])


def _work(
    fabric: Fabric,
    *,
    work: Work,
    threads: int,
    failures: "SimpleQueue[InputError]",
    pipe: Connection,
) -> bool:
    """One process's part; returns whether it was stopped."""
    end_with_parent()
    torch.set_num_threads(threads)
    try:
        with stops_interrupt(), sending(pipe, fabric.global_rank):
            work(fabric)
    except InputError as error:
        failures.put(error)
        raise
    except KeyboardInterrupt:
        return True
    return False


def _end(children: Sequence[BaseProcess]) -> None:
    """Have processes save what they have and end; one that does not is hung."""
    for child in children:
        child.terminate()
    for child in children:
        child.join(_PATIENCE)
        if child.is_alive():
            child.kill()
            child.join()
