"""How fast this machine computes: each thing timed for a moment, until the time is up.

Runs in the process that was started to ask torch (`probe.py`).
"""

import contextlib
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from itertools import product
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn

from viewfinder.cpu import cpu_features
from viewfinder.doctor.speed import POINTWISE, PRODUCT, Rate
from viewfinder.doctor.workload import SAMPLES, Convolution
from viewfinder.errors import InputError

_DTYPES = {"32": torch.float32, "bf16": torch.bfloat16, "16": torch.float16}
_LAYOUTS = {"contiguous": torch.contiguous_format, "channels_last": torch.channels_last}
# A step is repeated until so many were taken, or for so many seconds.
_STEPS, _SECONDS = 6, 0.12
# Multiply–accumulates of one step of a convolution, as many pictures as that takes.
_MACS = {"cpu": 1.5e8, "cuda": 2e10}
_MOST_PICTURES = {"cpu": 16, "cuda": 32}
_SIDE = {"cpu": 768, "cuda": 8192}
# Forward, and backward to the input and to the weights.
_PASSES = 3
_WEIGHTS = 4_000_000


def rates(device: str, seconds: float) -> Iterator[Rate]:
    """What there was time for, the most telling first: all threads, then one."""
    end = time.perf_counter() + seconds
    every = torch.get_num_threads()
    arithmetics = ["32", "bf16", "16"]
    if device == "cpu":
        # As a training does: what a processor only mimics is not tried.
        arithmetics = ["32", "bf16"] if cpu_features().bf16 else ["32"]
    threads = [every, 1] if device == "cpu" and every > 1 else [every]
    for count in threads:
        torch.set_num_threads(count)
        # With one thread, in the layout that is the faster nearly everywhere.
        layouts = list(_LAYOUTS) if count == every else ["channels_last"]
        for arithmetic, layout in product(arithmetics, layouts):
            for what, step, size in _steps(device, arithmetic, layout, layout == layouts[0]):
                if time.perf_counter() > end:
                    torch.set_num_threads(every)
                    return
                taken = _taken(step, device)
                on = 0 if device == "cuda" else count
                place = "" if what == PRODUCT else layout
                yield Rate(what, arithmetic, place, on, size / taken / 1e9)
    torch.set_num_threads(every)


def pictures() -> float | None:
    """JPEGs of 640×480 that one thread reads in a second; None where they cannot be written."""
    from viewfinder.pictures.reading import read_picture
    from viewfinder.pictures.writing import write_picture

    # As busy as a photograph: smooth, with some noise.
    across, down = np.meshgrid(np.linspace(0, 9, 640), np.linspace(0, 7, 480))
    noise = np.random.default_rng(0).normal(0, 6, (480, 640, 3))
    grey = 128 + 100 * np.sin(across) * np.cos(down)
    with contextlib.suppress(OSError, InputError), tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "photo.jpg"
        write_picture(file, np.clip(grey[..., None] + noise, 0, 255).astype(np.uint8))
        return 1 / _taken(lambda: read_picture(file), "cpu")
    return None


def updates(device: str) -> float:
    """10⁹ weights a second that SGD with momentum changes."""
    weights = nn.Parameter(torch.zeros(_WEIGHTS, device=device))
    weights.grad = torch.ones_like(weights)
    optimiser = torch.optim.SGD([weights], lr=1e-3, momentum=0.9, weight_decay=1e-4)
    return _WEIGHTS / _taken(optimiser.step, device) / 1e9


_Step = tuple[str, Callable[[], object], float]


def _steps(device: str, arithmetic: str, layout: str, product_too: bool) -> Iterator[_Step]:
    """What is timed in one arrangement: its name, a step of it, and how much that computes.

    A product of matrices has no layout, and is timed once for an arithmetic.
    """
    if product_too:
        yield _product(device, arithmetic)
    yield _pointwise(device, arithmetic, layout)
    for each in SAMPLES:
        yield _convolution(each, device, arithmetic, layout)


def _product(device: str, arithmetic: str) -> _Step:
    side = _SIDE[device]
    left, right = (
        torch.randn(side, side, device=device, dtype=_DTYPES[arithmetic]) for _ in range(2)
    )
    return PRODUCT, lambda: left @ right, float(side) ** 3


def _convolution(each: Convolution, device: str, arithmetic: str, layout: str) -> _Step:
    count = int(max(1, min(_MOST_PICTURES[device], _MACS[device] // each.macs)))
    net = nn.Conv2d(
        each.channels,
        each.filters,
        each.kernel,
        each.stride,
        padding=each.kernel // 2,
        groups=each.groups,
        bias=False,
    )
    pictures = torch.randn(count, each.channels, each.side, each.side, device=device)
    step = _learning(net, pictures, device, arithmetic, layout)
    return each.kind, step, float(_PASSES * count * each.macs)


def _pointwise(device: str, arithmetic: str, layout: str) -> _Step:
    net = nn.Sequential(nn.BatchNorm2d(64), nn.ReLU())
    pictures = torch.randn(8 if device == "cpu" else 64, 64, 56, 56, device=device)
    step = _learning(net, pictures, device, arithmetic, layout)
    return POINTWISE, step, 2.0 * pictures.numel() * pictures.element_size()


def _learning(
    net: nn.Module, pictures: Tensor, device: str, arithmetic: str, layout: str
) -> Callable[[], object]:
    """A step forward and backward, as a training takes it: weights in float32, by autocast."""
    memory = _LAYOUTS[layout]
    net = net.to(device=device, memory_format=memory).train()  # type: ignore[call-overload]
    dtype = _DTYPES[arithmetic]
    # Within a net, what a layer is given and what comes back are of the arithmetic's kind already.
    given = pictures.to(dtype=dtype, memory_format=memory).requires_grad_()

    def autocast() -> AbstractContextManager[object]:
        return torch.autocast(device, dtype=dtype, enabled=dtype != torch.float32)

    with autocast(), torch.no_grad():
        # Not alike: of a gradient that is, batch norm passes on numbers too small to be quick.
        back = torch.randn_like(net(given))

    def step() -> None:
        net.zero_grad()
        given.grad = None
        with autocast():
            out = net(given)
        torch.autograd.backward(out, back)

    return step


def _taken(step: Callable[[], object], device: str) -> float:
    """Seconds of the quickest step: the one that nothing else on the machine disturbed."""
    times: list[float] = []
    # The first also makes what later ones find made: seconds of it, once in a process.
    step()
    if device == "cuda":
        torch.cuda.synchronize()
    begun = time.perf_counter()
    while len(times) < _STEPS and (not times or time.perf_counter() - begun < _SECONDS):
        start = time.perf_counter()
        step()
        if device == "cuda":
            torch.cuda.synchronize()
        times.append(time.perf_counter() - start)
    return max(min(times), 1e-9)
