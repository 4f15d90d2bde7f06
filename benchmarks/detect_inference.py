"""Milliseconds of one picture through a detector: as torch has it, fused, and by ONNX Runtime.

    uv run python benchmarks/detect_inference.py WEIGHTS PICTURE [--json FILE]

WEIGHTS is a run, a Darknet file such as yolov3-tiny.weights, or `coco`. The ways take turns in one
process; of each the least of many times counts. `plain` is what anybody does who loads the net:
its weights in torch's usual order, pictures too; `channels last` is the same with both in the other
order. The limit is the net's multiply-adds at the rate at which this machine multiplies large
matrices of float32 meanwhile. With `--cpu` the CPU time of one thread is taken, which other
programs lengthen less.
"""

import argparse
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import onnxruntime
import torch

from viewfinder.api import open_run
from viewfinder.explain.explaining import explain
from viewfinder.inference.answers import Predictor
from viewfinder.inference.export import export_onnx
from viewfinder.inference.onnx_files import open_session
from viewfinder.nets.fusing import fused_forward
from viewfinder.tasks import find

sys.path.insert(0, str(Path(__file__).parents[1]))

from benchmarks.performance import record

_CPU = torch.device("cpu")


def in_turn(
    ways: dict[str, Callable[[], object]], rounds: int, clock: Callable[[], float]
) -> dict[str, float]:
    """The least milliseconds of each."""
    found = dict.fromkeys(ways, float("inf"))
    for number in range(rounds + 2):
        for name, way in ways.items():
            start = clock()
            way()
            if number > 1:
                found[name] = min(found[name], 1e3 * (clock() - start))
    return found


@torch.no_grad()
def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("weights")
    parser.add_argument("picture", type=Path)
    parser.add_argument("--rounds", type=int, default=40)
    parser.add_argument("--cpu", action="store_true", help="CPU time, for a busy machine")
    parser.add_argument("--inductor", action="store_true", help="torch.compile too")
    parser.add_argument("--json", type=Path)
    given = parser.parse_args()
    run = open_run(given.weights)
    task, config = find("detect"), run.model.config
    predictor = Predictor(run.model, device=_CPU)
    ready = predictor.prepare_file(given.picture)
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "model.onnx"
        print(export_onnx(run.model, file, pictures=[given.picture]))
        session = open_session(str(file))
    usual = ready.pixels[None].float() / 255
    last = usual.contiguous(memory_format=torch.channels_last)
    array = usual.numpy()
    plain, net = run.net(), run.net().to(memory_format=torch.channels_last)
    fused = fused_forward(net)
    assert fused is not None
    list(predictor.at_once([ready]))
    a, b = torch.rand(1024, 1024), torch.rand(1024, 1024)
    ways: dict[str, Callable[[], object]] = {
        "plain": lambda: plain(usual),
        "channels last": lambda: net(last),
        "fused": lambda: fused(last),
        "onnxruntime": lambda: session.run(None, {"pictures": array}),
        "plain, with boxes": lambda: task.reply(plain, ready.pixels[None], config, _CPU),
        "predict": lambda: list(predictor.at_once([ready])),
        "product": lambda: a @ b,
    }
    if given.inductor:
        start = time.perf_counter()
        torch._inductor.config.freezing = True  # type: ignore[attr-defined]
        compiled = torch.compile(net)
        compiled(last)
        print(f"Inductor compiles for {time.perf_counter() - start:.1f} s")
        ways["Inductor"] = lambda: compiled(last)
    times = in_turn(ways, given.rounds, time.process_time if given.cpu else time.perf_counter)
    width, height = config.size
    macs = explain(net, (1, 3, height, width)).totals.macs
    times["limit"] = macs / 1024**3 * times.pop("product")
    print(f"{config.net} at {width}×{height}, {torch.get_num_threads()} threads")
    for name, value in times.items():
        print(f"{name:20} {value:7.1f} ms  {value / times['plain']:.2f}")
    if given.json:
        told = ", ".join(f"{name} {value:.1f}" for name, value in times.items())
        record(
            given.json,
            f"{config.net} at {width}×{height}, one picture, `predict` beside plain PyTorch",
            figure=f"{times['predict'] / times['plain, with boxes']:.2f} × "
            f"({'ms of CPU time' if given.cpu else 'ms'}: {told})",
            detail=times | {"onnxruntime's version": onnxruntime.__version__},
            command="benchmarks/detect_inference.py coco PICTURE",
        )


if __name__ == "__main__":
    main()
