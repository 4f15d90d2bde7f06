"""A step of a training beside a plain float32 PyTorch loop with the same net, loss and pictures.

    uv run python benchmarks/train_beside_plain.py TASK NET DATA [--size 224] [--batch 16]
                                                   [--steps 12] [--cpu] [--json FILE]

Ours is the whole step of `viewfinder train` in the arithmetic that it chose: pictures changed and
put together, net, loss, gradients, clipping, optimiser, running average, accounts. The plain loop
is given its batches ready made, and does nothing but zero_grad, forward, loss, backward and SGD's
step, in float32 and torch's usual order of memory. Both take steps in turn; of each the least and
the median are told, and what of ours is neither the net's forward nor its backward pass. With
`--cpu` CPU time counts, which other programs lengthen less.
"""

import argparse
import copy
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import torch

import viewfinder
from viewfinder.tasks import find
from viewfinder.tasks.loss import total
from viewfinder.training.arrangement import Arrangement
from viewfinder.training.batches import Batch
from viewfinder.training.beginning import begin
from viewfinder.training.job import Job
from viewfinder.training.loop import Fit
from viewfinder.training.processes import make_fabric

sys.path.insert(0, str(Path(__file__).parents[1]))

from benchmarks.performance import record

CPU, WARM = torch.device("cpu"), 2
PLAIN = Arrangement("32", "contiguous")


class Plain:
    """What anybody writes."""

    def __init__(self, job: Job) -> None:
        task, setup = find(job.run.manifest.task), job.run.setup()
        self.net = copy.deepcopy(job.net).to(memory_format=torch.contiguous_format).train()
        self.loss = task.make_loss(self.net, setup, CPU)
        self.colours = setup.config.normalisation
        self.optimiser = torch.optim.SGD(self.net.parameters(), lr=0.01, momentum=0.9)

    def step(self, batch: Batch) -> float:
        self.optimiser.zero_grad()
        terms = self.loss(lambda x: PLAIN.forward(self.net, x, self.colours), batch.inputs)
        loss = total(terms)
        loss.backward()
        self.optimiser.step()
        return float(loss.detach())


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("task", choices=("classify", "detect", "saliency"))
    parser.add_argument("net")
    parser.add_argument("data", type=Path)
    parser.add_argument("--size", type=int, default=224)
    parser.add_argument("--batch", type=int, default=16)
    parser.add_argument("--steps", type=int, default=12)
    parser.add_argument("--cpu", action="store_true")
    parser.add_argument("--json", type=Path)
    given = parser.parse_args()
    fields = {"net": given.net, "size": given.size, "batch": given.batch, "epochs": 1000}
    task = find(given.task)
    with tempfile.TemporaryDirectory() as out:
        dataset = viewfinder.open_dataset(given.data)
        recipe = task.recipe(**fields)
        job = begin(task, Path(out) / "run", dataset, recipe, source=str(given.data))
        fabric = make_fabric(CPU, 1)
        fabric.launch()
        fit = Fit(fabric, job)
        fit.net.train()
        clock = time.process_time if given.cpu else time.perf_counter
        told = in_turn(fit, Plain(job), given.steps, clock)
    report(told, job.arrangement, given)


def in_turn(
    fit: Fit, plain: Plain, steps: int, clock: Callable[[], float]
) -> dict[str, list[float]]:
    """Seconds of each step: ours, of it the making of its batch and the passes, and the plain."""
    told: dict[str, list[float]] = {"ours": [], "making": [], "passes": [], "plain": []}
    before_step, took, begun = fit.held.before_step, fit.pace.took, [0.0]

    # The loop asks the one before its passes, and tells the other after them.
    def begin_passes(done: float) -> None:
        before_step(done)
        begun[0] = clock()

    def end_passes(seconds: float, numbers: int) -> None:
        told["passes"].append(clock() - begun[0])
        took(seconds, numbers)

    fit.held.before_step, fit.pace.took = begin_passes, end_passes  # type: ignore[method-assign]
    while len(told["ours"]) < steps + WARM:
        left = iter(fit.batches_left())
        while len(told["ours"]) < steps + WARM:
            start = clock()
            batch: Batch | None = next(left, None)
            if batch is None:
                break
            made = clock()
            fit.account(batch, fit.step(batch))
            told["ours"].append(clock() - start)
            told["making"].append(made - start)
            start = clock()
            plain.step(batch)
            told["plain"].append(clock() - start)
        else:
            break
        fit.progress.epoch, fit.progress.step = fit.progress.epoch + 1, 0
    return {name: values[WARM:] for name, values in told.items()}


def report(
    told: dict[str, list[float]], arrangement: Arrangement, given: argparse.Namespace
) -> None:
    least = {name: min(values) for name, values in told.items()}
    middle = {name: statistics.median(values) for name, values in told.items()}
    ratio = least["plain"] / least["ours"]
    rest = 1 - (middle["passes"]) / middle["ours"]
    kind = "CPU " if given.cpu else ""
    print(
        f"{given.net} at {given.size}, batch {given.batch}, {arrangement}: {kind}ms a step, least "
        f"and median: ours {1e3 * least['ours']:.0f} {1e3 * middle['ours']:.0f} (making the batch "
        f"{1e3 * middle['making']:.0f}, passes {1e3 * middle['passes']:.0f}), plain "
        f"{1e3 * least['plain']:.0f} {1e3 * middle['plain']:.0f}: {ratio:.2f} × as fast; "
        f"{rest:.1%} of ours outside of the passes"
    )
    if given.json:
        record(
            given.json,
            f"a step of training {given.net} at {given.size}, batch {given.batch}, beside a plain "
            "float32 loop",
            figure=f"{ratio:.2f} × as fast, in {arrangement.arithmetic} ({kind}ms: "
            f"{1e3 * least['ours']:.0f} and {1e3 * least['plain']:.0f}); {rest:.0%} of ours is "
            "neither the forward nor the backward pass",
            detail={"least": least, "median": middle},
            command=f"benchmarks/train_beside_plain.py {given.task} {given.net} DATA",
        )


if __name__ == "__main__":
    main()
