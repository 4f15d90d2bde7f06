"""What `viewfinder order` covers and teaches, beside random choice and an order by thumbnails.

    python benchmarks/labelling_order.py DATA [POOL]

The pictures of DATA on the side train are the pool, or POOL of them, as if none were labelled. Of a
set of boxes, for each budget of pictures: how many boxes of each class they hold, and in how many
of them the rarest class is found. Of a set of classes: how many classes they show, and the share of
the test pictures (half as many as the pool) that the class means of the chosen ones are right of.
Each is repeated with 20 seeds; a figure is the mean ± the standard deviation. The thumbnails'
features are histograms of Lab colours in 2×2 cells, and of gradient directions in 4×4 cells.
"""

import sys
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from viewfinder.datasets.dataset import Dataset
from viewfinder.datasets.opening import open_dataset
from viewfinder.features.describing import Part, describe
from viewfinder.labelling.ordering import order
from viewfinder.pictures.reading import read_picture

Array = NDArray[np.float32]
Judge = Callable[[list[int]], list[float]]
BUDGETS = (10, 20, 50, 100)
SEEDS = 20
# Pictures are described at this side.
_SIDE = 64
_COLOUR_BINS, _COLOUR_CELLS = 8, 2
_DIRECTIONS, _GRADIENT_CELLS = 8, 4


def thumbnails(files: Sequence[Path]) -> Array:
    """What each picture looks like in colours and edges, at 64×64: N×D."""
    with ThreadPoolExecutor() as pool:
        return np.array(list(pool.map(_described, files)), np.float32)


def _described(file: Path) -> Array:
    """One picture's row of features."""
    picture = read_picture(file, at_least=(_SIDE, _SIDE))
    small = cv2.resize(picture, (_SIDE, _SIDE), interpolation=cv2.INTER_AREA)
    lab = cv2.cvtColor(small.astype(np.float32) / 255, cv2.COLOR_RGB2Lab)
    # L goes from 0 to 100; a and b of most photographs stay within 40 of grey.
    levels = (lab - np.array([0, -40, -40])) / np.array([100, 80, 80]) * _COLOUR_BINS
    bins = np.clip(levels, 0, _COLOUR_BINS - 1).astype(np.int64)
    bins += np.arange(3) * _COLOUR_BINS
    colours = _cells(bins, np.ones(bins.shape), _COLOUR_CELLS, 3 * _COLOUR_BINS)
    grey = cv2.cvtColor(small, cv2.COLOR_RGB2GRAY).astype(np.float32)
    across, down = cv2.Sobel(grey, -1, 1, 0), cv2.Sobel(grey, -1, 0, 1)
    turns = np.arctan2(down, across) / (2 * np.pi) % 1
    directions = (turns * _DIRECTIONS).astype(np.int64) % _DIRECTIONS
    strength = np.hypot(across, down)
    edges = _cells(directions[..., None], strength[..., None], _GRADIENT_CELLS, _DIRECTIONS)
    return np.concatenate([np.sqrt(colours), np.sqrt(edges)])


def _cells(bins: NDArray[np.int64], weights: NDArray[np.floating], cells: int, count: int) -> Array:
    """Weighted histograms of H×W×C bins in cells×cells parts of the picture, that sum to 1."""
    part = np.arange(_SIDE) * cells // _SIDE
    which = (part[:, None] * cells + part[None, :])[..., None] * count + bins
    sums = np.bincount(which.ravel(), weights.ravel(), cells * cells * count)
    return np.asarray(sums / max(float(sums.sum()), 1e-9), np.float32)


def vectors(dataset: Dataset) -> Array:
    return describe([Part(file) for file in files_of(dataset)])


def files_of(dataset: Dataset) -> list[Path]:
    return [dataset.file(number) for number in range(len(dataset))]


def judge_boxes(pool: Dataset) -> tuple[list[str], Judge]:
    """How many boxes of each class some pictures hold, and how many have the rarest."""
    assert pool.boxes is not None
    counts = np.zeros((len(pool), len(pool.classes)), np.int64)
    np.add.at(counts, (pool.boxes.pictures(), pool.boxes.classes), 1)
    rarest = int(np.argmin(counts.sum(axis=0)))
    heads = [*pool.classes, f"with {pool.classes[rarest]}"]
    return heads, lambda rows: [*counts[rows].sum(0), float((counts[rows, rarest] > 0).sum())]


def judge_classes(pool: Dataset, described: Array, test: Dataset) -> tuple[list[str], Judge]:
    """What class means of some pictures are right of."""
    asked = vectors(test)

    def judge(rows: list[int]) -> list[float]:
        labels = pool.labels[rows]
        shown = np.unique(labels)
        means = np.stack([described[rows][labels == label].mean(axis=0) for label in shown])
        means /= np.linalg.norm(means, axis=1, keepdims=True)
        right = shown[np.argmax(asked @ means.T, axis=1)] == test.labels
        return [float(len(shown)), float(right.mean())]

    return ["classes", "right"], judge


def main() -> None:
    dataset = open_dataset(Path(sys.argv[1]))
    pool, random = dataset.split("train"), np.random.default_rng(0)
    if len(sys.argv) > 2:
        pool = pool.select(np.sort(random.choice(len(pool), int(sys.argv[2]), replace=False)))
    described = vectors(pool)
    if pool.boxes is not None:
        heads, judge = judge_boxes(pool)
    else:
        test = dataset.split("test")
        few = min(len(test), len(pool) // 2)
        test = test.select(np.sort(random.choice(len(test), few, replace=False)))
        heads, judge = judge_classes(pool, described, test)
    small = thumbnails(files_of(pool))
    choices: dict[str, Callable[[int], list[int]]] = {
        "random": lambda seed: np.random.default_rng(seed).permutation(len(pool)).tolist(),
        "by thumbnails": lambda seed: order(small, labelled=(), seed=seed),
        "order": lambda seed: order(described, labelled=(), seed=seed),
    }
    print(f"{'budget':<8}{'choice':<16}" + "".join(f"{head:>17}" for head in heads))
    chosen = {name: [choose(seed) for seed in range(SEEDS)] for name, choose in choices.items()}
    for budget in BUDGETS:
        for name, orders in chosen.items():
            figures = [judge(one[:budget]) for one in orders]
            means, spreads = np.mean(figures, axis=0), np.std(figures, axis=0)
            told = [
                f"{mean:.3f} ± {spread:.3f}" for mean, spread in zip(means, spreads, strict=True)
            ]
            print(f"{budget:<8}{name:<16}" + "".join(f"{text:>17}" for text in told))


if __name__ == "__main__":
    main()
