"""How far the gradient of a step is from that of one process, in float32: of two, and of one again.

  uv run python benchmarks/processes_rounding.py [NET] [SIZE] [BATCH]

A detector's first step on rendered scenes, in both orders of memory: with another number of
threads, and by two processes; then how far each is from float64's.
"""

import sys
import tempfile
from dataclasses import replace
from functools import partial
from pathlib import Path

import torch
from lightning_fabric import Fabric

from viewfinder.datasets.opening import open_dataset
from viewfinder.tabletop import SceneOptions, SplitCounts, write_scenes
from viewfinder.tasks import find, recipe_of
from viewfinder.training.arrangement import Arrangement
from viewfinder.training.beginning import begin, prepare
from viewfinder.training.job import Job
from viewfinder.training.loop import Fit
from viewfinder.training.processes import launch

LAYOUTS = ("channels_last", "contiguous")
CPU = torch.device("cpu")


def gradients(
    fabric: Fabric, jobs: dict[str, Job], out: Path, *, threads: int, exact: bool
) -> None:
    """Write down the gradients of each job's first step."""
    torch.set_num_threads(threads)
    told = {}
    for layout, job in jobs.items():
        if exact:
            job = replace(job, net=job.net.double())
        taking = Fit(fabric, job)
        if exact:  # Fabric hands on pictures in float32.
            taking.net.module.register_forward_pre_hook(lambda _, given: (given[0].double(),))
        taking.net.train()
        taking.step(next(iter(taking.batches_left())))
        told[layout] = [
            p.grad.double() for p in taking.net.module.parameters() if p.grad is not None
        ]
    if fabric.global_rank == 0:
        torch.save(told, out)


def measured(
    data: Path,
    folder: Path,
    fields: dict,
    *,
    devices: int = 1,
    threads: int = 1,
    exact: bool = False,
) -> dict[str, torch.Tensor]:
    """The gradients of a step in each layout, as one vector."""
    recipe = recipe_of("detect")(**fields, devices=devices)
    job = begin(prepare(find("detect"), open_dataset(data), recipe, source=str(data)), folder)
    jobs = {each: replace(job, arrangement=Arrangement("32", each)) for each in LAYOUTS}
    out = folder / "gradients.pt"
    work = partial(gradients, jobs=jobs, out=out, threads=threads, exact=exact)
    launch(CPU, devices, work)
    kept = torch.load(out, weights_only=True)
    return {each: torch.cat([g.flatten() for g in kept[each]]) for each in LAYOUTS}


def main() -> None:
    net, size, batch = (*sys.argv[1:], *("yolov3-tiny", "160", "8")[len(sys.argv) - 1 :])
    fields = {"net": net, "size": int(size), "batch": int(batch), "precision": "32"}
    fields |= {"keep": "memory", "clip": 0.0, "epochs": 1, "device": "cpu"}
    with tempfile.TemporaryDirectory() as place:
        data = Path(place) / "set"
        counts = SplitCounts(train=int(batch), val=2, test=2)
        write_scenes(data, options=SceneOptions(size=int(size)), counts=counts, seed=0)
        ways = {
            "one process": {},
            "one process, two threads": {"threads": 2},
            "two processes": {"devices": 2},
            "float64": {"exact": True},
        }
        found = {
            name: measured(data, Path(place) / name, fields, **way) for name, way in ways.items()
        }
    print(
        f"| {net}, {batch} pictures of {size}×{size} | memory | from one process | from float64 |"
    )
    print("|---|---|---|---|")
    for name in list(ways)[:3]:
        for layout in LAYOUTS:
            told = [
                float(
                    (found[name][layout] - found[other][layout]).norm()
                    / found[other][layout].norm()
                )
                for other in ("one process", "float64")
            ]
            print(f"| {name} | {layout} | {told[0]:.1e} | {told[1]:.1e} |")


if __name__ == "__main__":
    main()
