"""What share of `evaluate` is neither decoding nor a net, and which functions that goes to.

    uv run python benchmarks/evaluate_share.py RUN DATA [--split all] [--functions 20] [--json FILE]

RUN is a detector's run, or `coco`. CPU time is counted, of all threads, which other programs
lengthen less than they do time by the clock: that of decoding pictures and bringing them to size,
that of the forward passes of the net and of the second opinion's, and that of all from opening the
set to the scores, their calibration and the thirds of the pictures. The second time counts, when
files that are kept are there. With `--functions` all is profiled too, in a run of its own.
"""

import argparse
import cProfile
import pstats
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any
from unittest import mock

import torch

from viewfinder.api import Run, open_run
from viewfinder.datasets import loading
from viewfinder.datasets.dataset import Dataset
from viewfinder.events import listening
from viewfinder.features.vectors import described
from viewfinder.inference.quickening import quick_net

sys.path.insert(0, str(Path(__file__).parents[1]))

from benchmarks.performance import record


class Clock:
    """CPU seconds that went into some functions."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self.clock, self.taken = clock, []

    def timed(self, function: Callable[..., Any]) -> Callable[..., Any]:
        def call(*arguments: Any, **named: Any) -> Any:
            begun = self.clock()
            try:
                return function(*arguments, **named)
            finally:
                # Appending is safe from many threads, and adding is not.
                self.taken.append(self.clock() - begun)

        return call

    @property
    def seconds(self) -> float:
        return sum(self.taken)


def shares(run: Run, data: str, split: str | None) -> tuple[float, float, float, int]:
    """CPU seconds of decoding, of nets, and of everything; and pictures."""
    decoding, net = Clock(time.thread_time), Clock(time.process_time)

    def timed_net(*arguments: Any, **named: Any) -> torch.nn.Module:
        found = quick_net(*arguments, **named)
        found.forward = net.timed(found.forward)
        return found

    with (
        mock.patch.object(loading, "_decode", decoding.timed(loading._decode)),
        mock.patch.object(Dataset, "picture", decoding.timed(Dataset.picture)),
        mock.patch("viewfinder.evaluation.judging.quick_net", timed_net),
        mock.patch("viewfinder.tasks.detect.opinion.second.described", net.timed(described)),
        listening(),
    ):
        begun = time.process_time()
        judged = run.evaluate(data, split=split, device="cpu")
        whole = time.process_time() - begun
    return decoding.seconds, net.seconds, whole, judged["images"]


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("run")
    parser.add_argument("data")
    parser.add_argument("--split")
    parser.add_argument("--functions", type=int, default=0)
    parser.add_argument("--json", type=Path)
    given = parser.parse_args()
    run = open_run(given.run)
    for _ in range(2):
        begun = time.perf_counter()
        decoding, net, whole, pictures = shares(run, given.data, given.split)
        wall = time.perf_counter() - begun
    rest = whole - decoding - net
    parts = f"decoding {decoding:.2f} s, nets {net:.2f} s, all else {rest:.2f} s"
    print(f"{pictures} pictures: {parts} of {whole:.2f} s of CPU time ({wall:.1f} s by the clock)")
    print(f"outside decoding and nets: {rest / whole:.1%}")
    if given.json:
        record(
            given.json,
            f"`evaluate` on {pictures} pictures of {Path(given.data).name}",
            figure=f"{rest / whole:.1%} of the CPU time is neither decoding nor a net ({parts})",
            detail={"decoding": decoding, "net": net, "all": whole, "wall": wall},
            command="benchmarks/evaluate_share.py RUN DATA",
        )
    if given.functions:
        profile = cProfile.Profile(time.process_time)
        with listening():
            profile.runcall(run.evaluate, given.data, split=given.split, device="cpu")
        pstats.Stats(profile).sort_stats("cumulative").print_stats(given.functions)


if __name__ == "__main__":
    main()
