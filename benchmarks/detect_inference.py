"""Milliseconds of one picture through a detector: torch, ONNX, and the arithmetic's limit.

    uv run python benchmarks/detect_inference.py WEIGHTS PICTURE

WEIGHTS is a Darknet file, such as yolov3-tiny.weights. The limit is the net's multiply-adds at the
rate at which this machine multiplies large matrices of float32.
"""

import statistics
import sys
import tempfile
import time
from pathlib import Path

import onnxruntime
import torch

from viewfinder.api import open_run
from viewfinder.explain.explaining import explain
from viewfinder.inference.answers import Predictor
from viewfinder.inference.export import export_onnx
from viewfinder.pictures.reading import read_header, read_picture
from viewfinder.tasks import find


def median(work, times: int = 30) -> float:
    """Median milliseconds."""
    seconds = []
    for _ in range(times):
        start = time.perf_counter()
        work()
        seconds.append(time.perf_counter() - start)
    return 1e3 * statistics.median(seconds[times // 5 :])


def main() -> None:
    run, file = open_run(sys.argv[1]), Path(sys.argv[2])
    task, config, net = find("detect"), run.model.config, run.net()
    picture = read_picture(file, at_least=config.size)
    predictor = Predictor(run.model, device=torch.device("cpu"))
    pixels = predictor.prepare(picture, read_header(file).size, str(file)).pixels[None]
    with tempfile.TemporaryDirectory() as folder:
        model = Path(folder) / "model.onnx"
        print(export_onnx(run.model, model, pictures=[file]))
        session = onnxruntime.InferenceSession(str(model))
    given = {"pictures": (pixels.float() / 255).numpy()}
    width, height = config.size
    macs = explain(net, (1, 3, height, width)).totals.macs
    a, b = torch.rand(2048, 2048), torch.rand(2048, 2048)
    rate = 2048**3 / (median(lambda: a @ b) / 1e3)
    ready = pixels.float() / 255
    with torch.no_grad():
        print(f"{run.manifest.net} at {width}×{height}, {torch.get_num_threads()} threads")
        print(f"torch, the net alone           {median(lambda: net(ready)):7.1f} ms")
    reply = median(lambda: task.reply(net, pixels, config, torch.device("cpu")))
    print(f"torch, with decode and NMS     {reply:7.1f} ms")
    print(f"onnxruntime, with decode       {median(lambda: session.run(None, given)):7.1f} ms")
    print(f"limit: {macs / 1e9:.2f} G multiply-adds {1e3 * macs / rate:10.1f} ms")


if __name__ == "__main__":
    main()
