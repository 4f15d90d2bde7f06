"""Test accuracy from few labels: a network trained from scratch with the default recipe.

    uv run python benchmarks/small_pictures.py DATA                    LeNet, seeds 0, 1, 2
    uv run python benchmarks/small_pictures.py DATA resnet18 40 stem=small width=0.5

Arguments: a folder with train/ and test/, then the network, epochs, and the network's options.
"""

import json
import math
import statistics
import sys
import tempfile
import time
from pathlib import Path

import viewfinder


def main() -> None:
    folder, net = Path(sys.argv[1]), sys.argv[2] if len(sys.argv) > 2 else "lenet"
    fields = {"net": net, "options": tuple(sys.argv[4:])}
    if len(sys.argv) > 3:
        fields["epochs"] = int(sys.argv[3])
    seeds = (0, 1, 2) if net == "lenet" else (0,)
    accuracies = []
    for seed in seeds:
        with tempfile.TemporaryDirectory() as out:
            start = time.perf_counter()
            run = viewfinder.train("classify", folder, out=Path(out) / "run", seed=seed, **fields)
            seconds = time.perf_counter() - start
            scores = json.loads(run.scores_file.read_text(encoding="utf-8"))
        accuracies.append(scores["test"]["accuracy"])
        print(f"seed {seed}: {accuracies[-1]:.1%} of {scores['test']['images']}, {seconds:.0f} s")
    spread = statistics.stdev(accuracies) / math.sqrt(len(seeds)) if len(seeds) > 1 else math.nan
    print(f"{net}: mean {statistics.mean(accuracies):.1%} ± {spread:.1%} (standard error)")


if __name__ == "__main__":
    main()
