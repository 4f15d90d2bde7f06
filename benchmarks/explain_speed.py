"""Time and memory of one explanation, beside torchinfo and torchlens on the same models.

    uv run --with torchinfo --with torchlens --with pandas python benchmarks/explain_speed.py
    python benchmarks/explain_speed.py resnet50 densenet121      of torchvision's, one picture each
    python benchmarks/explain_speed.py maxvit_t --batch 64 --tool viewfinder

Either is left out, with a line, where it is not installed. Each figure comes from a process of its
own, in which the model is built, the tool runs once to warm up, and then five times: the best CPU
time of one thread is told, which other work on the machine hardly changes, and how far the peak
memory of the process rose above what it was once the model stood.

explain traces shapes alone, at any batch, and never allocates weights or maps. torchinfo and
torchlens run the model, so on a machine with little memory ViT-H/14 with a batch of 64 is beyond
them; torchinfo is asked for `device="meta"` there, which moves the caller's own model to meta.
"""

import argparse
import importlib.util
import json
import resource
import subprocess
import sys
import time
from collections.abc import Callable
from typing import Any

import torch
from torch import nn
from torchvision import models

from viewfinder.explain import explain

Job = Callable[[nn.Module, tuple[int, ...]], Any]


def by_viewfinder(net: nn.Module, shape: tuple[int, ...]) -> None:
    explain(net, shape)


def by_torchinfo(net: nn.Module, shape: tuple[int, ...]) -> None:
    import torchinfo

    torchinfo.summary(net, shape, verbose=0, device="cpu")


def by_torchinfo_on_meta(net: nn.Module, shape: tuple[int, ...]) -> None:
    import torchinfo

    torchinfo.summary(net, shape, verbose=0, device="meta")


def by_torchlens(net: nn.Module, shape: tuple[int, ...]) -> None:
    import torchlens

    torchlens.trace(net, torch.zeros(shape))


TOOLS: dict[str, tuple[str, Job]] = {
    "viewfinder": ("viewfinder", by_viewfinder),
    "torchinfo": ("torchinfo", by_torchinfo),
    "torchinfo on meta": ("torchinfo", by_torchinfo_on_meta),
    "torchlens": ("torchlens", by_torchlens),
}
# (model, batch, built on meta, tools): real weights for those that run the model.
ROWS = [
    ("resnet50", 1, False, ("viewfinder", "torchinfo", "torchinfo on meta", "torchlens")),
    ("resnet50", 64, True, ("viewfinder", "torchinfo on meta")),
    ("vit_h_14", 64, True, ("viewfinder", "torchinfo on meta")),
]


def peak() -> float:
    """The most memory that this process ever held, in MB (10⁶ bytes)."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 / 1e6


def clock(name: str, batch: int, meta: bool, tool: str) -> tuple[float, float, float]:
    """Best and worst of five, in seconds, after the first, and the memory added, in MB."""
    torch.set_num_threads(1)
    options = {"image_size": 224} if name.startswith("vit_") else {}
    with torch.device("meta" if meta else "cpu"):
        net = models.get_model(name, weights=None, **options).eval()
    _, job = TOOLS[tool]
    shape = (batch, 3, 224, 224)
    # Importing a tool takes memory once, whatever the model: a tiny one comes first.
    job(nn.Sequential(nn.Conv2d(3, 2, 3)), (1, 3, 8, 8))
    before = peak()
    job(net, shape)
    seconds = []
    for _ in range(5):
        began = time.process_time()
        job(net, shape)
        seconds.append(time.process_time() - began)
    return min(seconds), max(seconds), peak() - before


def one(name: str, batch: int, meta: bool, tool: str) -> str:
    """The figures of one tool on one model, from a process of its own."""
    if importlib.util.find_spec(TOOLS[tool][0]) is None:
        return f"left out: {TOOLS[tool][0]} is not installed"
    asked = json.dumps([name, batch, meta, tool])
    # torchlens refuses to run in a process that multiprocessing started.
    command = [sys.executable, __file__, "--one", asked]
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode:
        return f"failed: {(done.stderr.strip().splitlines() or ['it said nothing'])[-1]}"
    best, worst, added = json.loads(done.stdout.splitlines()[-1])
    return f"{best:8.3f} s ({worst:.3f})   +{added:.0f} MB"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("names", nargs="*", metavar="NAME", help="models of torchvision's")
    parser.add_argument("--batch", type=int, default=1, help="of the models that are named")
    parser.add_argument("--tool", choices=TOOLS, help="one tool alone")
    parser.add_argument("--one", help=argparse.SUPPRESS)
    flags = parser.parse_args()
    if flags.one:
        print(json.dumps(clock(*json.loads(flags.one))))
        return
    for name in flags.names:
        if name not in models.list_models():
            parser.error(f"torchvision has no model {name}")
    rows = [(name, flags.batch, flags.batch > 1, tuple(TOOLS)) for name in flags.names] or ROWS
    print(
        f"torch {torch.__version__}; CPU time of one thread, best of 5 (worst); "
        "memory added to the process"
    )
    for name, batch, meta, tools in rows:
        for tool in tools if flags.tool is None else [flags.tool]:
            figures = one(name, batch, meta, tool)
            print(f"{name:<10} batch {batch:<3} {tool:<18} {figures}", flush=True)


if __name__ == "__main__":
    main()
