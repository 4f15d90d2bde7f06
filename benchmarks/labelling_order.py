"""What the order of `viewfinder.labelling.ordering` covers, beside random choice.

    python benchmarks/labelling_order.py DATA

DATA is a set of boxes; its pictures on the side train are the pool, as if none were labelled. For
each budget of pictures: how many boxes of each class they hold, in how many of them the rarest
class is found, and the mean and the greatest distance of a picture to the nearest chosen one, in
the features by which the order chooses. Random choice, and the order itself, is repeated with 20
seeds; a figure is the mean ± the standard deviation.
"""

import sys
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from viewfinder.datasets.dataset import Dataset
from viewfinder.datasets.opening import open_dataset
from viewfinder.labelling.ordering import features, order

BUDGETS = (10, 20, 40, 80)
SEEDS = 20


def boxes_of_each_class(dataset: Dataset) -> NDArray[np.int64]:
    """N×classes: how many boxes of each class a picture holds."""
    assert dataset.boxes is not None
    counts = np.zeros((len(dataset), len(dataset.classes)), np.int64)
    np.add.at(counts, (dataset.boxes.pictures(), dataset.boxes.classes), 1)
    return counts


def main() -> None:
    dataset = open_dataset(Path(sys.argv[1])).split("train")
    counts = boxes_of_each_class(dataset)
    start = time.perf_counter()
    described = features([dataset.file(i) for i in range(len(dataset))])
    print(f"{len(dataset)} pictures, described in {time.perf_counter() - start:.1f} s")
    apart = np.sqrt(((described[:, None] - described[None]) ** 2).sum(axis=2))
    rarest = int(np.argmin(counts.sum(axis=0)))

    def by_order(seed: int, share: float) -> list[int]:
        return order(described, labelled=(), random_share=share, seed=seed)

    choices: dict[str, Callable[[int], list[int]]] = {
        "random": lambda seed: np.random.default_rng(seed).permutation(len(dataset)).tolist(),
        "order": lambda seed: by_order(seed, 0.2),
        "order, nothing random": lambda seed: by_order(seed, 0.0),
    }
    heads = [*dataset.classes, f"with {dataset.classes[rarest]}", "mean distance", "greatest"]
    print(f"{'budget':<8}{'choice':<24}" + "".join(f"{head:>17}" for head in heads))
    chosen = {name: [choose(seed) for seed in range(SEEDS)] for name, choose in choices.items()}
    for budget in BUDGETS:
        for name, orders in chosen.items():
            figures = []
            for one in orders:
                rows = one[:budget]
                nearest = apart[:, rows].min(axis=1)
                with_rarest = (counts[rows, rarest] > 0).sum()
                figures.append([*counts[rows].sum(0), with_rarest, nearest.mean(), nearest.max()])
            means, spreads = np.mean(figures, axis=0), np.std(figures, axis=0)
            told = [
                f"{mean:.{places}f} ± {spread:.{places}f}"
                for mean, spread, places in zip(
                    means, spreads, [1] * (len(heads) - 2) + [3, 3], strict=True
                )
            ]
            print(f"{budget:<8}{name:<24}" + "".join(f"{text:>17}" for text in told))


if __name__ == "__main__":
    main()
