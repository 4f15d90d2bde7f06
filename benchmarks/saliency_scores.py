"""Milliseconds a picture for all five saliency scores, beside the field's library.

    uv run python benchmarks/saliency_scores.py
    uv run python benchmarks/saliency_scores.py PYTHON    also with PySODMetrics

PYTHON is an interpreter that has PySODMetrics (`pip install pysodmetrics` into an environment of
its own: it needs an older OpenCV than we do). Without it, the ratios are to what PySODMetrics 1.6.2
took on a machine with 2 cores and other work on them: 47 ms for noise, 29 ms for an object.

Maps are 480×640: noise, and a blurred ellipse as a net makes it. The five are MAE, S, E, F and
weighted F, with all curves. OpenCV works on one thread. The median of the rounds counts; the best
tells how much other work the machine had.
"""

import json
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np

from viewfinder.tasks.saliency.scores import score

HEIGHT, WIDTH = 480, 640
ROUNDS = 100
RECORDED = {"noise": 47.0, "object": 29.0}

PEER = """
import json, statistics, sys, time, warnings
import numpy as np
warnings.simplefilter("ignore")
import py_sod_metrics as sod
rounds, *files = sys.argv[1:]
found = {}
for name, prediction, mask in zip(*[iter(files)] * 3):
    prediction, mask = np.load(prediction), np.load(mask)
    times = []
    for _ in range(int(rounds)):
        metrics = [sod.MAE(), sod.Smeasure(), sod.Emeasure(), sod.Fmeasure()]
        metrics.append(sod.WeightedFmeasure())
        start = time.perf_counter()
        for metric in metrics:
            metric.step(prediction, mask)
        times.append(1000 * (time.perf_counter() - start))
    found[name] = (statistics.median(times), min(times))
print(json.dumps(found))
"""


def maps() -> tuple[dict[str, np.ndarray], np.ndarray]:
    """Each map as float32 in [0, 1], and the mask of both."""
    y, x = np.mgrid[:HEIGHT, :WIDTH]
    inside = ((y - 0.45 * HEIGHT) / (0.25 * HEIGHT)) ** 2
    mask = inside + ((x - 0.55 * WIDTH) / (0.3 * WIDTH)) ** 2 < 1
    noise = np.random.default_rng(0).random(mask.shape, np.float32)
    return {"noise": noise, "object": cv2.GaussianBlur(mask.astype(np.float32), (0, 0), 9)}, mask


def timed(call: Callable[[], object]) -> tuple[float, float]:
    """The median and the best of the rounds, in milliseconds."""
    call()
    times = []
    for _ in range(ROUNDS):
        start = time.perf_counter()
        call()
        times.append(1000 * (time.perf_counter() - start))
    return statistics.median(times), min(times)


def peer(python: str, pictures: dict[str, np.ndarray], mask: np.ndarray) -> dict[str, list[float]]:
    """The same of PySODMetrics, on the maps as 8-bit pixels, in its own interpreter."""
    with tempfile.TemporaryDirectory() as folder:
        np.save(Path(folder) / "mask.npy", mask.astype(np.uint8) * 255)
        arguments = []
        for name, picture in pictures.items():
            np.save(Path(folder) / f"{name}.npy", (picture * 255).astype(np.uint8))
            arguments += [name, str(Path(folder) / f"{name}.npy"), str(Path(folder) / "mask.npy")]
        command = [python, "-c", PEER, str(ROUNDS // 5), *arguments]
        return json.loads(subprocess.run(command, check=True, capture_output=True).stdout)


def main() -> None:
    cv2.setNumThreads(1)
    pictures, mask = maps()
    theirs = peer(sys.argv[1], pictures, mask) if len(sys.argv) > 1 else {}
    for name, picture in pictures.items():
        median, best = timed(lambda picture=picture: score(picture, mask))
        other, other_best = theirs.get(name, (RECORDED[name], RECORDED[name]))
        source = "measured now" if theirs else "recorded"
        print(
            f"{name:<7} viewfinder {median:5.2f} ms (best {best:.2f})   "
            f"PySODMetrics {other:5.1f} ms (best {other_best:.1f}, {source})   "
            f"{other / median:.1f} times as fast (best {other_best / best:.1f})"
        )


if __name__ == "__main__":
    main()
