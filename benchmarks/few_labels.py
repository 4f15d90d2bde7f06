"""How good a detector gets from few labelled pictures, and what helps.

    uv run python benchmarks/few_labels.py DATA                    10, 20, 40, 80; 5 minutes each
    uv run python benchmarks/few_labels.py DATA --counts 20 --init yolov3-tiny.weights
    uv run python benchmarks/few_labels.py DATA --counts 20 --fields copy_paste=0.5 rare=0.5
    uv run python benchmarks/few_labels.py DATA --counts 20 --by order --epochs 200

From DATA's training pictures nested subsets are taken, a larger one holding every smaller one: at
random, or in the order in which `viewfinder.labelling.ordering` would have them labelled, as if
none were. All are scored on the whole of val. Pictures are turned all the way round, which suits
cells; `--fields turn=0 flip_vertical=0` suits what has an up.
"""

import argparse
import json
import math
import statistics
import tempfile
from pathlib import Path

import numpy as np

import viewfinder
from viewfinder.datasets.converting import write_boxes
from viewfinder.datasets.dataset import SPLITS, Dataset
from viewfinder.features.describing import Part, describe
from viewfinder.labelling.ordering import order


def subset(dataset: Dataset, count: int, seed: int, *, by: str) -> Dataset:
    """`count` of the training pictures, and every picture of val."""
    train = np.flatnonzero(dataset.splits == SPLITS.index("train"))
    val = np.flatnonzero(dataset.splits == SPLITS.index("val"))
    if by == "order":
        described = describe([Part(dataset.file(index)) for index in train.tolist()])
        chosen = train[order(described, labelled=(), seed=seed)][:count]
    else:
        chosen = np.random.default_rng(seed).permutation(train)[:count]
    return dataset.select(np.concatenate([np.sort(chosen), val]))


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("data", type=Path)
    parser.add_argument("--counts", type=int, nargs="*", default=[10, 20, 40, 80])
    parser.add_argument("--minutes", type=float, default=5.0)
    parser.add_argument("--epochs", type=int, help="instead of minutes: other work does no harm")
    parser.add_argument("--seeds", type=int, nargs="*", default=[0, 1, 2])
    parser.add_argument("--init", default="random")
    parser.add_argument("--by", choices=["random", "order"], default="random")
    parser.add_argument("--fields", nargs="*", default=[], help="fields of the recipe, name=value")
    given = parser.parse_args()
    fields = {name: json.loads(value) for name, value in (f.split("=") for f in given.fields)}
    length = {"epochs": given.epochs} if given.epochs else {"minutes": given.minutes}
    # A microscope has no up and down.
    turned = {"flip_vertical": 0.5, "turn": 180.0}
    recipe = {"size": 320, "init": given.init, **turned, **length, **fields}
    dataset = viewfinder.open_dataset(given.data)
    for count in given.counts:
        found = []
        for seed in given.seeds:
            with tempfile.TemporaryDirectory() as folder:
                data, out = Path(folder) / "data", Path(folder) / "run"
                write_boxes(subset(dataset, count, seed, by=given.by), data, to="coco")
                run = viewfinder.train("detect", data, out=out, seed=seed, **recipe)
                val = json.loads(run.scores_file.read_text(encoding="utf-8"))["val"]
            found.append(val["ap50"])
            each = "  ".join(f"{name} {row['ap50']:.3f}" for name, row in val["per_class"].items())
            told = f"AP50 {val['ap50']:.3f}  AP {val['ap']:.3f}  {each}"
            print(f"{count} pictures, seed {seed}: {told}", flush=True)
        error = statistics.stdev(found) / math.sqrt(len(found)) if len(found) > 1 else math.nan
        print(f"{count} pictures: mean {statistics.mean(found):.3f} ± {error:.3f}", flush=True)


if __name__ == "__main__":
    main()
