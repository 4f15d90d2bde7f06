"""Trains two epochs in one or two processes and writes down the weights after every step.

Run as: record_steps.py DATA OUT DEVICES. Processes are started afresh and import this file, so it
stands on its own.
"""

import sys
from functools import partial
from pathlib import Path

import torch
from lightning_fabric import Fabric

from viewfinder.datasets.opening import open_dataset
from viewfinder.tasks import find
from viewfinder.tasks.classify.recipe import ClassifyRecipe
from viewfinder.training.loop import Fit, Job
from viewfinder.training.processes import make_fabric
from viewfinder.training.train import begin


def record(fabric: Fabric, job: Job, path: Path) -> None:
    torch.set_num_threads(1)
    fit, seen = Fit(fabric, job), []
    for _ in range(2):
        for batch in fit.batches_left():
            fit.account(batch, fit.step(batch))
            seen.append({name: p.clone() for name, p in fit.net.module.state_dict().items()})
        fit.end_epoch()
    if fabric.global_rank == 0:
        torch.save(seen, path)


if __name__ == "__main__":
    data, out, devices = Path(sys.argv[1]), Path(sys.argv[2]), int(sys.argv[3])
    # 36 pictures in batches of 10 make steps of 9, which two processes cannot halve evenly.
    recipe = ClassifyRecipe(epochs=2, batch=10, precision="32", devices=devices)
    folder = out / f"run-{devices}"
    job = begin(find("classify"), folder, open_dataset(data), recipe, source=str(data))
    fabric = make_fabric(torch.device("cpu"), devices)
    work = partial(record, job=job, path=out / f"steps-{devices}.pt")
    if devices == 1:
        fabric.launch()
        work(fabric)
    else:
        fabric.launch(work)
