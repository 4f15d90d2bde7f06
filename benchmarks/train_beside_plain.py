"""A step of a training beside a plain float32 PyTorch loop with the same net, loss and pictures.

    uv run python benchmarks/train_beside_plain.py TASK NET DATA [--size 224] [--batch 16]
                                                   [--steps 12] [--cpu] [--json FILE]
                                                   [--device cuda]

Ours is the whole step of `viewfinder train` in the arithmetic that it chose: pictures changed and
put together, net, loss, gradients, clipping, optimiser, running average, accounts. The plain loop
is given its batches ready made, and does nothing but zero_grad, forward, loss, backward and SGD's
step, in float32 and torch's usual order of memory. Both take steps in turn; of each the least and
the median are told, and what of ours is neither the net's forward nor its backward pass. With
`--cpu` CPU time counts, which other programs lengthen less. On a GPU, which works while the CPU
goes on, each takes ten steps in turn; of the passes only what the CPU does for them is told.
"""

import argparse
import copy
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import torch

import viewfinder
from viewfinder.tasks import find
from viewfinder.tasks.loss import total
from viewfinder.training.arrangement import Arrangement
from viewfinder.training.batches import Batch
from viewfinder.training.beginning import begin, prepare
from viewfinder.training.job import Job
from viewfinder.training.loop import Fit
from viewfinder.training.processes import make_fabric

sys.path.insert(0, str(Path(__file__).parents[1]))

from benchmarks.performance import record

WARM = 2
PLAIN = Arrangement("32", "contiguous")


class Plain:
    """What anybody writes."""

    def __init__(self, job: Job, device: torch.device) -> None:
        task, setup = find(job.run.manifest.task), job.run.setup()
        self.device = device
        self.net = copy.deepcopy(job.net).to(device, memory_format=torch.contiguous_format).train()  # type: ignore[call-overload]
        self.loss = task.make_loss(self.net, setup, device)
        self.colours = setup.config.normalisation
        self.optimiser = torch.optim.SGD(self.net.parameters(), lr=0.01, momentum=0.9)

    def step(self, batch: Batch) -> float:
        self.optimiser.zero_grad()
        inputs = batch.inputs.to(self.device)
        terms = self.loss(lambda x: PLAIN.forward(self.net, x, self.colours), inputs)
        loss = total(terms)
        loss.backward()
        self.optimiser.step()
        return float(loss.detach())


def begun(given: argparse.Namespace, out: Path, device: torch.device) -> tuple[Fit, Job]:
    """A training of `given.task`, `net`, `data`, `size` and `batch` before its first step."""
    fields = {"net": given.net, "size": given.size, "batch": given.batch, "epochs": 1000}
    task = find(given.task)
    recipe = task.recipe(**fields, device=device.type)
    dataset = viewfinder.open_dataset(given.data)
    job = begin(prepare(task, dataset, recipe, source=str(given.data)), out / "run")
    fabric = make_fabric(device, 1)
    fabric.launch()
    return Fit(fabric, job), job


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
    parser.add_argument("--device", choices=("cpu", "cuda"), default="cpu")
    given = parser.parse_args()
    device = torch.device(given.device)
    with tempfile.TemporaryDirectory() as out:
        fit, job = begun(given, Path(out), device)
        fit.net.train()
        clock = time.process_time if given.cpu else time.perf_counter
        told = in_turn(fit, Plain(job, device), given.steps, clock)
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
    left = all_batches(fit)
    block = 10 if fit.device.type == "cuda" else 1
    while len(told["ours"]) < steps + WARM:
        used, making = [], 0.0
        start = clock()
        for _ in range(block):
            before = clock()
            used.append(next(left))
            making += clock() - before
            fit.account(used[-1], fit.step(used[-1]))
        fit.read_sums()
        told["ours"].append((clock() - start) / block)
        told["making"].append(making / block)
        start = clock()
        for batch in used:
            plain.step(batch)
        told["plain"].append((clock() - start) / block)
    return {
        name: values[WARM * (block if name == "passes" else 1) :] for name, values in told.items()
    }


def all_batches(fit: Fit) -> Iterator[Batch]:
    """Those of one epoch after the other."""
    while True:
        yield from fit.batches_left()
        fit.progress.epoch, fit.progress.step = fit.progress.epoch + 1, 0


def report(
    told: dict[str, list[float]], arrangement: Arrangement, given: argparse.Namespace
) -> None:
    least = {name: min(values) for name, values in told.items()}
    middle = {name: statistics.median(values) for name, values in told.items()}
    ratio = least["plain"] / least["ours"]
    rest = 1 - (middle["passes"]) / middle["ours"]
    kind = "CPU " if given.cpu else ""
    card = torch.cuda.get_device_name() if given.device == "cuda" else "CPU"
    print(
        f"{given.net} at {given.size}, batch {given.batch}, {arrangement}, {card}: {kind}ms a "
        f"step, least and median: ours {1e3 * least['ours']:.1f} {1e3 * middle['ours']:.1f} (the "
        f"batch waited for {1e3 * middle['making']:.1f}, passes {1e3 * middle['passes']:.1f}), "
        f"plain {1e3 * least['plain']:.1f} {1e3 * middle['plain']:.1f}: {ratio:.2f} × as fast; "
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
