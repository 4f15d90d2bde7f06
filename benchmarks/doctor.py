"""How well `viewfinder doctor` foretells training steps: its estimates beside real steps.

Takes one thread and counts the processor's time, so that a busy machine changes little:

    OMP_NUM_THREADS=1 python benchmarks/doctor.py lenet resnet18 yolov3-tiny
"""

import sys
import time
from collections.abc import Iterator
from typing import Any

import torch
from torch import Tensor, nn

from viewfinder import nets
from viewfinder.doctor import measuring
from viewfinder.doctor.estimate import PICTURES, seconds
from viewfinder.doctor.speed import Speed
from viewfinder.doctor.weighing import weigh

LAYOUTS = {"contiguous": torch.contiguous_format, "channels_last": torch.channels_last}
DTYPES = {"32": torch.float32, "bf16": torch.bfloat16}
# Steps of each, and multiply–accumulates of one: of as many pictures as that takes.
STEPS, MACS = 4, 1.2e10


def main(names: list[str]) -> None:
    """Print a row for each network and arrangement."""
    torch.set_num_threads(1)
    time.perf_counter = time.process_time
    found = tuple(measuring.rates("cpu", 60.0))
    speed = Speed("cpu", 1, found, updates=measuring.updates("cpu"))
    print("| net | arrangement | foretold s | real s | ratio |\n|---|---|---|---|---|")
    for name in names:
        work = weigh(name)
        batch = max(1, min(64, int(MACS / sum(work.macs.values()))))
        for arrangement, foretold in seconds(work, batch, speed).items():
            real = PICTURES * step(name, batch, *arrangement) / batch
            told = f"{foretold:.1f} | {real:.1f} | {foretold / real:.2f}"
            print(f"| {name} | {' '.join(arrangement)} | {told} |", flush=True)


def step(name: str, batch: int, arithmetic: str, layout: str) -> float:
    """Seconds of the quickest of a few steps."""
    memory: Any = {"memory_format": LAYOUTS[layout]}
    net = nets.create(name).train().to(**memory)
    side, _ = nets.input_size(name)
    pictures = torch.rand(batch, 3, side, side).contiguous(**memory)
    optimiser = torch.optim.SGD(net.parameters(), lr=1e-3, momentum=0.9)
    return min(one(net, pictures, optimiser, DTYPES[arithmetic]) for _ in range(STEPS))


def one(net: nn.Module, pictures: Tensor, optimiser: Any, dtype: torch.dtype) -> float:
    """Seconds of a step whose loss is the mean of all outputs."""
    start = time.perf_counter()
    optimiser.zero_grad()
    with torch.autocast("cpu", dtype=dtype, enabled=dtype != torch.float32):
        out = net(pictures)
    means = [each.float().mean() for each in tensors(out) if each.requires_grad]
    torch.autograd.backward(torch.stack(means).sum())
    optimiser.step()
    return time.perf_counter() - start


def tensors(value: Any) -> Iterator[Tensor]:
    """All tensors in what a network answers."""
    if isinstance(value, Tensor):
        yield value
    elif isinstance(value, list | tuple):
        for each in value:
            yield from tensors(each)
    elif hasattr(value, "__dict__"):
        yield from tensors(list(vars(value).values()))


if __name__ == "__main__":
    main(sys.argv[1:] or ["lenet", "resnet18", "yolov3-tiny"])
