"""Every kind of net on a CUDA GPU: trained, stopped, gone on with, and asked beside the CPU.

    uv run python benchmarks/on_cuda.py [--nets NET…] [--precisions 32 bf16 16] [--limit SECONDS]
                                        [--deterministic] [--waits] [--compile]

For each net and precision a line: milliseconds of the median step and pictures a second, the loss
before and after, float16's skipped steps, memory on the GPU, the largest difference of a weight, as
a share of the largest of its tensor, between a training left alone and one that was stopped and
gone on with (`again` is that of two left alone, measured where the first is not 0: CUDA adds up in
any order), the difference between the answers of the GPU and the CPU with the same weights, as a
share of the largest answer, with and without the GPU's shortened float32 (TF32), and the score of
`evaluate` on both.

With `--deterministic` torch is told to add up in one order where it can, which shows whether a
difference comes of that alone: then a training that was stopped must end in the same bits.

With `--waits` the table is followed by the lines of the program at which, within a training's
steps, the CPU waits for the GPU, and how often in a step.

With `--compile` the passes are compiled, as by `train --compile`.

Before the table stand the facts about the GPU that `viewfinder doctor --json` tells, and what it
finds.

The pictures are rendered here. `--device cpu` runs the same without a GPU, to test this program.
"""

import argparse
import collections
import contextlib
import itertools
import json
import math
import os
import shutil
import signal
import statistics
import subprocess
import sys
import tempfile
import time
import traceback
import warnings
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any
from unittest import mock

import torch
from safetensors.torch import load_file

import viewfinder
from viewfinder.errors import InputError
from viewfinder.inference.answers import Predictor
from viewfinder.pictures.reading import read_picture
from viewfinder.tabletop import (
    ClassOptions,
    SceneOptions,
    SplitCounts,
    write_classes,
    write_scenes,
)
from viewfinder.tasks import find
from viewfinder.tasks.saliency.recipe import DEPTH_NET
from viewfinder.training import loop
from viewfinder.training import train as training

# What each net learns, and the side of its pictures.
NETS = {
    "lenet": ("classify", 32),
    "alexnet": ("classify", 224),
    "resnet18": ("classify", 224),
    "yolov3-tiny": ("detect", 320),
    "a2dele-depth": ("saliency", 256),
    "a2dele": ("saliency", 256),
    "efficientnet-lite0": ("classify", 224),
    "yolov3-lite0": ("detect", 320),
    "a2dele-lite0": ("saliency", 256),
    "googlenet": ("classify", 224),
    "yolov3": ("detect", 320),
    "vgg16": ("classify", 224),
}
# Whose arithmetic is also chosen by trial, as a training does that is told nothing.
TRIED = ("resnet18", "yolov3-tiny", "a2dele")
COLUMNS = (
    f"{'net':<20}{'precision':<10}{'ms/step':>8}{'pic/s':>8}{'loss':>9}{'at end':>9}{'skipped':>8}"
    f"{'MiB':>7}{'resumed':>10}{'again':>10}{'CPU':>10}{'no TF32':>10}  evaluate: here, on the CPU"
)


@dataclass(frozen=True)
class Work:
    """What every cell of the table shares."""

    folder: Path
    data: dict[str, Path]
    device: str
    size: int | None
    epochs: int
    batch: int
    compile: bool = False

    def fields(self, net: str, precision: str) -> dict[str, Any]:
        """A recipe's fields."""
        fields: dict[str, Any] = {
            "net": net,
            "precision": precision,
            "device": self.device,
            "size": self.size if self.size and net != "lenet" else NETS[net][1],
            "epochs": self.epochs,
            "batch": self.batch,
            "compile": self.compile,
            "keep": "memory",
        }
        if net.startswith("a2dele") and self.size is None:
            fields["options"] = ("width=1",)
        teacher = self.folder / f"a2dele-depth-{precision}"
        if net == "a2dele" and teacher.is_dir():
            fields["teacher"] = str(teacher)
        return fields


@contextlib.contextmanager
def watched(*, stop_after: int | None = None) -> Iterator[list[float]]:
    """The times at which steps end; after `stop_after` of them Ctrl-C is pressed."""
    times: list[float] = []
    account = loop.Fit.account

    def noted(self: loop.Fit, *given: Any) -> None:
        account(self, *given)
        times.append(time.perf_counter())
        if len(times) == stop_after:
            signal.raise_signal(signal.SIGINT)

    loop.Fit.account = noted  # type: ignore[method-assign]
    try:
        yield times
    finally:
        loop.Fit.account = account  # type: ignore[method-assign]


def train(work: Work, net: str, precision: str, name: str, *, resume: bool = False) -> Any:
    task = NETS[net][0]
    fields = work.fields(net, precision)
    out = work.folder / name
    return viewfinder.train(task, work.data[task], out=out, resume=resume, **fields)


@contextlib.contextmanager
def unreported() -> Iterator[None]:
    """Without the page of a training, which takes longer than its steps."""
    beside = ("write_report", "report_verdict", "shown_reasons", "needs_longer", "further")
    with contextlib.ExitStack() as stack:
        for name in beside:
            stack.enter_context(mock.patch.object(training, name, return_value=None))
        yield


def difference(one: Any, other: Any) -> float:
    """The largest difference of a weight, as a share of the largest of its tensor; infinite where
    one is no number."""
    mine, theirs = load_file(one.weights_file), load_file(other.weights_file)
    gaps = [apart([mine[k].double()], [theirs[k].double()]) for k in mine]
    return max(gap if math.isfinite(gap) else math.inf for gap in gaps)


def resumed(work: Work, net: str, precision: str, whole: Any, steps: int) -> tuple[float, float]:
    """How far a training that was stopped half-way ends from one that was not; and two such."""
    name = f"{net}-{precision}-stopped"
    with unreported():
        with watched(stop_after=steps // 2), contextlib.suppress(KeyboardInterrupt):
            train(work, net, precision, name)
        gap = difference(whole, train(work, net, precision, name, resume=True))
        if gap == 0:
            return gap, math.nan
        return gap, difference(whole, train(work, net, precision, f"{net}-{precision}-again"))


@torch.no_grad()
def answers(run: Any, device: str, pictures: torch.Tensor) -> list[torch.Tensor]:
    """What an export of the run would answer, computed on a device; of depth, the net's maps."""
    task, setting = find(run.manifest.task), run.model.config
    if run.manifest.net == DEPTH_NET:
        module, pictures = run.net(), pictures.mean(1, keepdim=True)
    else:
        module, _ = task.portable(run.net(), setting, raw=False)
    given = module.to(device)(setting.normalisation.apply(pictures.to(device)))
    return [tensor.cpu() for tensor in (given if isinstance(given, tuple) else (given,))]


def apart(one: list[torch.Tensor], other: list[torch.Tensor]) -> float:
    """The largest difference, as a share of the largest answer."""
    pairs = zip(one, other, strict=True)
    return max(float((a - b).abs().max() / b.abs().max().clamp(min=1e-12)) for a, b in pairs)


def asked(work: Work, run: Any) -> tuple[float, float]:
    """How far the device's answers are from the CPU's: as it comes, and without TF32."""
    model = Predictor(run.model, device=torch.device("cpu"))
    made = [(read_picture(file), file) for file in tests(work, run)]
    ready = [
        model.prepare(picture, (picture.shape[1], picture.shape[0]), str(file)).pixels
        for picture, file in made
    ]
    pictures = torch.stack(ready).float() / 255
    truth = answers(run, "cpu", pictures)
    first = apart(answers(run, work.device, pictures), truth)
    with torch.backends.cudnn.flags(enabled=True, allow_tf32=False):
        return first, apart(answers(run, work.device, pictures), truth)


def tests(work: Work, run: Any) -> list[Path]:
    """Some of the pictures that were never trained on."""
    side = viewfinder.open_dataset(work.data[run.manifest.task]).split("test")
    return [side.root / path for path in side.paths[:8]]


def scored(work: Work, run: Any) -> str:
    """The first figure of `evaluate` on the device and on the CPU."""
    name, form = find(run.manifest.task).headline[0]
    data = work.data[run.manifest.task]
    here, there = (run.evaluate(data, device=device)[name] for device in (work.device, "cpu"))
    told = f"{name} {here:{form}}, {there:{form}}"
    if run.manifest.net == DEPTH_NET:  # It reads depth, which no picture alone has.
        return told
    said = run.predict(tests(work, run)[0].parent, device=work.device)
    return f"{told}; {len(said)} predicted"


def line(work: Work, net: str, *, precision: str) -> Iterator[str]:
    """One line of the table, part after part as it is known."""
    start = time.perf_counter()
    if work.device == "cuda":
        torch.cuda.reset_peak_memory_stats()
    with watched() as times:
        run = train(work, net, precision, f"{net}-{precision}")
    memory = torch.cuda.max_memory_allocated() / 2**20 if work.device == "cuda" else math.nan
    steps = [after - before for before, after in itertools.pairwise(times)]
    # A quarter of an epoch's steps wait for what stands between two epochs.
    step = statistics.median(steps[len(steps) // 2 :])
    history = run.history()
    first, last = history[0]["loss"], history[-1]["loss"]
    if not math.isfinite(last):
        raise ValueError(f"the loss ended as {last}")
    yield (
        f"{net:<20}{precision:<10}{1e3 * step:>8.1f}{work.batch / step:>8.0f}{first:>9.3f}"
        f"{last:>9.3f}{history[-1]['skipped_steps']:>8.0f}{memory:>7.0f}"
    )
    gap, again = resumed(work, net, precision, run, len(times))
    yield f"{gap:>10.2g}{again:>10.2g}"
    cpu, plain = asked(work, run)
    yield f"{cpu:>10.2g}{plain:>10.2g}  {scored(work, run)}"
    yield f"; {time.perf_counter() - start:.0f} s\n"


def tried(work: Work, net: str) -> Iterator[str]:
    """What each arithmetic took in the trial, and which was chosen."""
    chosen = train(work, net, "auto", f"{net}-auto").manifest.precision
    trials = [
        f"{t['arithmetic']} {t['layout']} "
        + (f"{t['milliseconds']:.1f} ms" if t["milliseconds"] else "not tried")
        + ("" if t["verdict"] == "agrees" else f" ({t['verdict']})")
        for t in chosen["trials"]
    ]
    arrangement = chosen["arrangement"]
    best = f"{arrangement['arithmetic']} {arrangement['layout']}"
    yield f"{net:<20}{'auto':<10}{best}, of {'; '.join(trials)}\n"


def waits(work: Work, net: str) -> Iterator[str]:
    """Where the CPU waits for the GPU within the steps of a training, and how often in a step."""
    step, seen, steps = loop.Fit.step, collections.Counter[str](), 0

    def watched_step(self: loop.Fit, batch: Any) -> Any:
        nonlocal steps
        steps += 1
        # The first steps make what others use again.
        torch.cuda.set_sync_debug_mode("warn" if steps > 2 else "default")
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            terms = step(self, batch)
        torch.cuda.set_sync_debug_mode("default")
        seen.update(
            f"{each.filename.rpartition('viewfinder/')[2]}:{each.lineno}"
            for each in caught
            if "synchroniz" in str(each.message)
        )
        return terms

    with unreported(), mock.patch.object(loop.Fit, "step", watched_step):
        train(work, net, "bf16", f"{net}-waits")
    places = (f"{place} {count / max(1, steps - 2):.1f}" for place, count in seen.most_common())
    yield f"{net:<20}{', '.join(places) or 'nowhere'}\n"


def render(folder: Path, pictures: int) -> dict[str, Path]:
    """Pictures to learn from for each task, and a few to be scored on."""
    alike: Any = {"seed": 0, "processes": min(8, os.cpu_count() or 1) if pictures > 16 else 1}
    few = SplitCounts(train=pictures // 8, val=2, test=2)
    write_classes(folder / "classes", options=ClassOptions(size=64), counts=few, **alike)
    some = SplitCounts(train=pictures, val=8, test=8)
    write_scenes(folder / "scenes", options=SceneOptions(size=128), counts=some, **alike)
    alone = SceneOptions(size=128, subject=True)
    write_scenes(folder / "subjects", options=alone, counts=some, **alike)
    places = {"classify": "classes", "detect": "scenes", "saliency": "subjects"}
    return {task: folder / name for task, name in places.items()}


def table(work: Work, cells: list[tuple[str, str]], limit: float) -> int:
    """Print each cell as it is known; how many failed."""
    start, failed = time.perf_counter(), 0
    for number, (net, precision) in enumerate(cells):
        if time.perf_counter() - start > limit:
            print("left out for want of time:", *(" ".join(cell) for cell in cells[number:]))
            break
        try:
            told = {"auto": tried, "waits": waits}.get(
                precision, partial(line, precision=precision)
            )
            for part in told(work, net):
                print(part, end="", flush=True)
        except Exception as error:
            failed += 1
            print(f" {net} {precision} FAILED: {type(error).__name__}: {error}", flush=True)
            if not isinstance(error, InputError):
                traceback.print_exc(limit=-6)
        if net != DEPTH_NET:  # A teacher is asked again.
            for run in work.folder.glob(f"{net}-{precision}*"):
                shutil.rmtree(run)
    print(f"{time.perf_counter() - start:.0f} s")
    return failed


def doctor(seconds: float = 120.0) -> Iterator[str]:
    """The doctor's facts about the GPU here; a doctor that fails is told, and stops nothing."""
    command = [sys.executable, "-m", "viewfinder", "doctor", "--json"]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=seconds)
    except (OSError, subprocess.TimeoutExpired) as error:
        yield f"doctor: {error}"
        return
    try:
        yield from gpu_facts(json.loads(done.stdout))
    except (ValueError, KeyError, TypeError) as error:
        yield f"doctor: status {done.returncode}, {error!r}: {done.stderr[-500:]}"


def gpu_facts(document: dict[str, Any]) -> Iterator[str]:
    """What a document of the doctor says of GPUs, a line each.

    Raises:
        KeyError, TypeError: it is none.
    """
    machine = document["machine"]
    nvidia, torch_says = machine["nvidia"] or {}, machine["torch"] or {}
    yield f"doctor: works {document['works']}, in {document['seconds']} s"
    yield (
        f"doctor: {nvidia.get('cards')} on the bus, nvidia-smi {nvidia.get('smi')}, driver "
        f"{dotted(nvidia.get('driver'))}, runs CUDA {dotted(nvidia.get('cuda'))}"
    )
    for gpu in torch_says.get("gpus") or nvidia.get("gpus") or ():
        sizes = [f"{(gpu[key] or 0) / 2**30:.1f} GiB" for key in ("memory", "free")]
        capability = dotted(gpu["capability"])
        yield f"doctor: {gpu['name']}, {sizes[0]}, {sizes[1]} free, capability {capability}"
    yield (
        f"doctor: torch uses CUDA: {torch_says.get('cuda')} {torch_says.get('cuda_error', '')}; "
        f"cuDNN {dotted(torch_says.get('cudnn'))}; {' '.join(torch_says.get('architectures', ()))}"
    )
    for found in document["findings"]:
        yield f"doctor: {found['level']}: {found['says']}"
    speed = document["speed"] or {"device": "nothing", "rates": ()}
    products = [each for each in speed["rates"] if each["what"] == "matrix product"]
    told = ", ".join(f"{each['arithmetic']} {each['value']:,.0f}" for each in products)
    yield f"doctor: measured on {speed['device']}: 10⁹ multiply–accumulates a second {told or '–'}"
    for each in document["epochs"]:
        how = f"{each['arithmetic']} {each['layout']}"
        yield f"doctor: 1,000 pictures by {each['net']}: {each['seconds']:.2f} s, {how}"


def dotted(version: list[int] | None) -> str:
    return ".".join(map(str, version)) if version else "not known"


def main(given: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--nets", nargs="+", default=list(NETS), choices=list(NETS))
    parser.add_argument("--precisions", nargs="+", default=["32", "bf16", "16", "auto"])
    parser.add_argument("--device", default="cuda", choices=["cuda", "cpu"])
    parser.add_argument("--size", type=int, help="of every net's pictures but LeNet's")
    parser.add_argument("--pictures", type=int, default=64, help="to learn from")
    parser.add_argument("--epochs", type=int, default=4)
    parser.add_argument("--batch", type=int, default=16)
    parser.add_argument("--limit", type=float, default=240.0, help="seconds")
    parser.add_argument("--deterministic", action="store_true", help="one order of every sum")
    parser.add_argument("--waits", action="store_true", help="where the CPU waits for the GPU")
    parser.add_argument("--compile", action="store_true", help="compile the networks' passes")
    flags = parser.parse_args(given)
    if flags.deterministic:
        os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")
        torch.use_deterministic_algorithms(True, warn_only=True)
        torch.backends.cudnn.benchmark = False
    if flags.device == "cuda" and not torch.cuda.is_available():
        print("there is no CUDA GPU here, so nothing was measured")
        return 0
    card = torch.cuda.get_device_name() if flags.device == "cuda" else "CPU"
    print(f"{card}, torch {torch.__version__}, {os.cpu_count()} cores")
    if flags.device == "cuda":
        print(*doctor(), sep="\n", flush=True)
    with tempfile.TemporaryDirectory() as folder:
        data = render(Path(folder), flags.pictures)
        learning = (flags.device, flags.size, flags.epochs, flags.batch, flags.compile)
        work = Work(Path(folder), data, *learning)
        pairs = itertools.product(flags.nets, flags.precisions)
        cells = [(net, how) for net, how in pairs if how != "auto" or net in TRIED]
        cells += [(net, "waits") for net in flags.nets if flags.waits]
        print(COLUMNS, flush=True)
        return 1 if table(work, cells, flags.limit) else 0


if __name__ == "__main__":
    sys.exit(main())
