"""Pictures a second of a detector's training, and where the time goes.

    uv run python benchmarks/detect_throughput.py DATA [SIZE] [BATCH] [NET]

yolov3-tiny, or NET, on DATA's training pictures cut to squares, everything included: pictures
changed and put together, net, loss, gradients, optimiser, running average. Beside it the net's bare
step on the same number of pictures, in the same arithmetic.
"""

import statistics
import sys
import tempfile
import time
from dataclasses import replace
from pathlib import Path

import torch

import viewfinder
from viewfinder.tasks import find
from viewfinder.tasks.detect.recipe import DetectRecipe
from viewfinder.training.batches import Batch
from viewfinder.training.beginning import begin, prepare
from viewfinder.training.loop import Fit
from viewfinder.training.processes import make_fabric

STEPS, WARM = 40, 5


class Square(type(find("detect"))):
    """Detection at a square size, whatever the pictures' aspect."""

    def size(self, recipe, dataset):
        return recipe.size, recipe.size


def main() -> None:
    folder = Path(sys.argv[1])
    size = int(sys.argv[2]) if len(sys.argv) > 2 else 320
    batch = int(sys.argv[3]) if len(sys.argv) > 3 else 16
    net = sys.argv[4] if len(sys.argv) > 4 else "yolov3-tiny"
    recipe = DetectRecipe(net=net, size=size, batch=batch, flip_vertical=0.5, epochs=1000)
    dataset = viewfinder.open_dataset(folder)
    with tempfile.TemporaryDirectory() as out:
        job = begin(prepare(Square(), dataset, recipe, source=str(folder)), Path(out) / "run")
        fabric = make_fabric(torch.device("cpu"), 1)
        fabric.launch()
        fit = Fit(fabric, job)
        fit.net.train()
        whole, making = steps_of(fit)
        bare = bare_step(fit, batch, size)
    rate = batch / whole
    print(f"{job.arrangement}, batch {batch} at {size}×{size}, {torch.get_num_threads()} threads")
    print(f"whole step          {1e3 * whole:7.1f} ms  {rate:5.1f} pictures/s")
    print(f"  making the batch  {1e3 * making:7.1f} ms")
    print(f"  net, bare step    {1e3 * bare:7.1f} ms  {batch / bare:5.1f} pictures/s")
    print(f"  loss and the rest {1e3 * (whole - making - bare):7.1f} ms")


def steps_of(fit: Fit) -> tuple[float, float]:
    """Median seconds of a whole step, and of making its batch."""
    wholes, makings = [], []
    while len(wholes) < STEPS + WARM:
        left = iter(fit.batches_left())
        while len(wholes) < STEPS + WARM:
            start = time.perf_counter()
            batch: Batch | None = next(left, None)
            if batch is None:
                break
            made = time.perf_counter()
            fit.account(batch, fit.step(batch))
            wholes.append(time.perf_counter() - start)
            makings.append(made - start)
        fit.progress = replace(fit.progress, epoch=fit.progress.epoch + 1, step=0)
    return statistics.median(wholes[WARM:]), statistics.median(makings[WARM:])


def bare_step(fit: Fit, batch: int, size: int) -> float:
    """Median seconds of forward and backward alone, through the sum of the outputs."""
    pictures, times = torch.rand(batch, 3, size, size), []
    for _ in range(STEPS // 2 + WARM):
        start = time.perf_counter()
        torch.stack([output.float().sum() for output in fit.forward(pictures)]).sum().backward()
        fit.optimiser.zero_grad()
        times.append(time.perf_counter() - start)
    return statistics.median(times[WARM:])


if __name__ == "__main__":
    main()
