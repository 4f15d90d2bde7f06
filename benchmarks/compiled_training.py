"""Whether `torch.compile` pays in a training on the CPU: a step of ours, plain and compiled.

    uv run python benchmarks/compiled_training.py TASK NET DATA [--size 224] [--batch 16]
                                                   [--steps 10] [--json FILE]

Both take forward, loss and backward pass with the same net, pictures and arithmetic, the one that
`viewfinder train` chose here, in turn; the least time of each counts. What compiling itself takes,
with nothing kept from before, is the first two steps beyond two ordinary ones; so many steps, a
step's gain each, it takes to win that back. A C++ compiler is needed.
"""

import argparse
import copy
import os
import sys
import tempfile
import time
from pathlib import Path

import torch
from torch import Tensor, nn

from viewfinder.tasks import find
from viewfinder.tasks.loss import total
from viewfinder.training.batches import Batch
from viewfinder.training.job import Job

sys.path.insert(0, str(Path(__file__).parents[1]))

from benchmarks.performance import record
from benchmarks.train_beside_plain import begun


class Passes:
    """The forward and the backward pass of a net, in a job's arithmetic."""

    def __init__(self, job: Job, *, compiled: bool) -> None:
        task, setup = find(job.run.manifest.task), job.run.setup()
        order = job.arrangement.memory_format
        self.plain = copy.deepcopy(job.net).to(memory_format=order).train()  # type: ignore[call-overload]
        self.loss = task.make_loss(self.plain, setup, torch.device("cpu"))
        self.net: nn.Module = torch.compile(self.plain) if compiled else self.plain  # type: ignore[assignment]
        self.arrangement, self.colours = job.arrangement, setup.config.normalisation

    def __call__(self, batch: Batch) -> tuple[float, float]:
        """The seconds that it took, and the loss."""
        start = time.perf_counter()
        self.plain.zero_grad()

        def forward(pictures: Tensor) -> object:
            return self.arrangement.forward(self.net, pictures, self.colours)

        loss = total(self.loss(forward, batch.inputs))
        loss.backward()
        return time.perf_counter() - start, float(loss.detach())


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("task", choices=("classify", "detect", "saliency"))
    parser.add_argument("net")
    parser.add_argument("data", type=Path)
    parser.add_argument("--size", type=int, default=224)
    parser.add_argument("--batch", type=int, default=16)
    parser.add_argument("--steps", type=int, default=10)
    parser.add_argument("--json", type=Path)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as out:
        os.environ["TORCHINDUCTOR_CACHE_DIR"] = f"{out}/compiled"
        fit, job = begun(given, Path(out), torch.device("cpu"))
        batch = next(iter(fit.batches_left()))
        plain, compiled = Passes(job, compiled=False), Passes(job, compiled=True)
        first = [compiled(batch) for _ in range(2)]
        expected = [plain(batch) for _ in range(2)]
        times = [(plain(batch)[0], compiled(batch)[0]) for _ in range(given.steps)]
    told(given, str(job.arrangement), times, sum(t for t, _ in first), (expected[0], first[0]))


def told(
    given: argparse.Namespace,
    arrangement: str,
    times: list[tuple[float, float]],
    begun: float,
    losses: tuple[tuple[float, float], tuple[float, float]],
) -> None:
    """Print what was measured, and keep it."""
    ours, compiled = (min(each) for each in zip(*times, strict=True))
    cost, gain = begun - 2 * compiled, ours - compiled
    wins = f"won back after {cost / gain:,.0f} steps" if gain > 0 else "never won back"
    figure = (
        f"{ours / compiled:.2f} × as fast compiled ({1e3 * ours:.0f} and {1e3 * compiled:.0f} ms a "
        f"step, {arrangement}); compiling takes {cost:.0f} s, {wins}"
    )
    print(f"{given.net} at {given.size}, batch {given.batch}: {figure}")
    print(f"losses {losses[0][1]:.4f} and {losses[1][1]:.4f}")
    if given.json:
        record(
            given.json,
            f"the passes of a step of {given.net} at {given.size}, batch {given.batch}, plain and "
            "compiled by `torch.compile`",
            figure=figure,
            detail={"plain": ours, "compiled": compiled, "compiling": cost},
            command=f"benchmarks/compiled_training.py {given.task} {given.net} DATA",
        )


if __name__ == "__main__":
    main()
