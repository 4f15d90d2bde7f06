"""Takes a few steps of some trainings in one or two processes, and writes down what came of each.

Run as: record_steps.py OUT DEVICES CASES, where CASES is a JSON file of [name, task, data, recipe].
The last is trained whole; and, in several processes, once more from where SIGKILL after its second
step would have left it, as `stopped-DEVICES`. Then their parent is killed, which they must not
outlive.
Processes are started afresh and import this file, so it stands on its own.
"""

import copy
import json
import multiprocessing
import os
import shutil
import signal
import sys
import time
from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path

import torch
from lightning_fabric import Fabric

from viewfinder.datasets.opening import open_dataset
from viewfinder.tasks import find, recipe_of
from viewfinder.training import beginning
from viewfinder.training.job import Job
from viewfinder.training.loop import Fit
from viewfinder.training.processes import launch

STEPS = 2


class Exact(Fit):
    """A training in float64.

    In float32, rounding alone decides which of two pixels that are nearly the same is a maximum,
    and so moves gradients by a thousandth: more than what is to be seen.
    """

    def __init__(self, fabric: Fabric, job: Job) -> None:
        super().__init__(fabric, replace(job, net=copy.deepcopy(job.net).double()))
        # Fabric hands on pictures in float32.
        self.net.module.register_forward_pre_hook(lambda _, given: (given[0].double(),))
        self.best.choose = lambda now: {}


class Copied(Fit):
    """A training whose folder is copied after its second step."""

    def _save_is_due(self) -> bool:
        return True

    def _save(self) -> None:
        super()._save()
        folder = self.job.run.folder
        stopped = folder.with_name(f"stopped-{self.share.world}")
        if self.share.rank == 0 and self.progress.updates == STEPS and not stopped.exists():
            shutil.copytree(folder, stopped)


def record(fabric: Fabric, jobs: dict[str, Job], out: Path) -> None:
    torch.set_num_threads(1)
    told = {name: _steps(Exact(fabric, job)) for name, job in jobs.items()}
    # And one whole training, with all that processes tell each other at an epoch's end.
    job = list(jobs.values())[-1]
    whole = Copied(fabric, job)
    whole.work()
    if fabric.global_rank == 0:
        torch.save(told, out / f"steps-{fabric.world_size}.pt")
    if fabric.world_size > 1:
        # The sum of two numbers is the same in any order, and that of three is not: torch must not
        # have put the gradients into another.
        wrapped = whole.net._forward_module
        assert not wrapped._get_ddp_logging_data().get("has_rebuilt_buckets")
        fabric.barrier()
        run = replace(job.run, folder=out / f"stopped-{fabric.world_size}")
        Fit(fabric, replace(job, run=run, resume=True)).work()
        _outlive_parent(fabric, out)


def _outlive_parent(fabric: Fabric, out: Path) -> None:
    fabric.barrier()
    if fabric.global_rank == 0:
        os.kill(multiprocessing.parent_process().pid, signal.SIGKILL)
    time.sleep(20)
    (out / "outlived").touch()


def _steps(taking: Fit) -> list[dict[str, torch.Tensor]]:
    """Gradients, weights, running statistics and the mean loss so far, after each step."""
    told = []
    while len(told) < STEPS:
        for batch in taking.batches_left():
            taking.net.train()
            taking.account(batch, taking.step(batch))
            net = taking.net.module
            grads = {
                f"grad {n}": p.grad.clone() for n, p in net.named_parameters() if p.grad is not None
            }
            now = taking.progress
            sums = {f"mean {n}": torch.tensor(value / now.seen) for n, value in now.sums.items()}
            told.append({n: v.clone() for n, v in net.state_dict().items()} | grads | sums)
        taking.end_epoch()
    return told[:STEPS]


def prepare(cases: Sequence[tuple], out: Path, devices: int) -> dict[str, Job]:
    jobs = {}
    for name, task, data, fields in cases:
        fields = fields | {"options": tuple(fields.get("options", ())), "devices": devices}
        recipe = recipe_of(task)(**fields)
        folder = out / f"{name}-{devices}"
        ready = beginning.prepare(find(task), open_dataset(data), recipe, source=data)
        jobs[name] = beginning.begin(ready, folder)
    return jobs


def take_steps(out: Path, devices: int, cases: Path) -> None:
    torch.set_num_threads(1)
    jobs = prepare(json.loads(cases.read_text()), out, devices)
    launch(torch.device("cpu"), devices, partial(record, jobs=jobs, out=out))


if __name__ == "__main__":
    take_steps(Path(sys.argv[1]), int(sys.argv[2]), Path(sys.argv[3]))
