"""How good a classifier's solved heads are from few labels, and how long its pictures take.

    uv run python benchmarks/few_labels_heads.py DATA                     5, 10 and 50 of each class
    uv run python benchmarks/few_labels_heads.py DATA --counts 20 --seeds 0 1 2 3 4
    uv run python benchmarks/few_labels_heads.py DATA --full              later layers too: minutes
    uv run python benchmarks/few_labels_heads.py DATA --unlabelled 1500   others without labels
    uv run python benchmarks/few_labels_heads.py DATA --unequal 60,12,3   so many of three classes
    uv run python benchmarks/few_labels_heads.py DATA --crops OUT         objects of a set of boxes

Draws of the training pictures, as many of each class, are learnt from by class means, by ridge
regression and by `auto`, as `train classify` does, and scored on the test pictures. Each picture is
described once. `--full` trains each draw with `--head full` too, nothing held out, and tells the
processor's seconds from the opened set to the scored run. `--unlabelled` takes so many other
training pictures as if they had no labels, for `auto` alone, and says in how many draws that was
kept. `--unequal` draws classes too, and tells beside these heads ridge regression to which each
picture counts alike: what is right of the test pictures where each class counts alike, and where
it counts as its pictures to learn from. `--crops` writes the objects of a set of boxes as class
folders, to be given next.
"""

import argparse
import json
import statistics
import tempfile
import time
from dataclasses import replace
from itertools import chain
from pathlib import Path

import numpy as np
import torch

from viewfinder import nets
from viewfinder.datasets.dataset import SPLITS, Dataset
from viewfinder.datasets.loading import Pixels
from viewfinder.datasets.opening import open_dataset
from viewfinder.nets.imagenet import imagenet_weights
from viewfinder.pictures.reading import read_picture
from viewfinder.pictures.writing import write_picture
from viewfinder.tasks import find
from viewfinder.tasks.classify.heads import LinearHead, ridge
from viewfinder.tasks.classify.last_layer import VectorExamples, solve
from viewfinder.tasks.classify.recipe import ClassifyRecipe
from viewfinder.tasks.classify.solving import WAYS, described_views, view_extractors
from viewfinder.tasks.model import ModelConfig
from viewfinder.tasks.normalisation import Normalisation
from viewfinder.training.train import train

HEADS = ("prototypes", "linear", "auto")
MOST_TEST = 1000


def write_crops(data: Dataset, out: Path, most: int = 220) -> None:
    """At most so many objects of each class, to learn from (val too) and to test."""
    boxes = data.boxes
    assert boxes is not None
    sides = np.where(data.splits == SPLITS.index("test"), "test", "train")[boxes.pictures()]
    rng = np.random.default_rng(0)
    for number, name in enumerate(data.classes):
        for side in ("train", "test"):
            own = np.flatnonzero((boxes.classes == number) & (sides == side))
            for row in rng.permutation(own)[:most].tolist():
                picture = read_picture(data.file(int(boxes.pictures()[row])))
                x1, y1 = np.maximum(boxes.corners[row, :2], 0).astype(int)
                x2, y2 = np.ceil(boxes.corners[row, 2:]).astype(int)
                write_picture(out / side / name / f"{row:05d}.png", picture[y1:y2, x1:x2])


def describe(data: Dataset, config: ModelConfig) -> np.ndarray:
    net = nets.create(config.net)
    net.load_state_dict(imagenet_weights(config.net))
    extractors = view_extractors(net.eval(), config, torch.device("cpu"))
    pixels: Pixels = find("classify").open_eval(data, config, keep="auto").pixels
    return described_views(extractors, pixels, data)


def drawn(labels: np.ndarray, pool: np.ndarray, count: int, seed: int) -> np.ndarray:
    rng = np.random.default_rng(seed)
    rows = [rng.permutation(pool[labels[pool] == c])[:count] for c in np.unique(labels)]
    return np.concatenate(rows)


def in_full(data: Dataset, rows: np.ndarray, test: np.ndarray) -> float:
    """The share of test pictures that is right after later layers learnt from `rows` too."""
    chosen = np.concatenate([np.sort(rows), test])
    sides = np.repeat([SPLITS.index("train"), SPLITS.index("test")], [len(rows), len(test)])
    drawn_set = replace(data.select(chosen), splits=sides.astype(np.int8), val_dealt=False)
    recipe = ClassifyRecipe(head="full", val_share=0.0)
    with tempfile.TemporaryDirectory() as place:
        run = train("classify", data.root, recipe, out=Path(place) / "run", opened=drawn_set)
        return float(json.loads(run.scores_file.read_text())["test"]["accuracy"])


def right_by(
    rows: np.ndarray,
    views: np.ndarray,
    labels: np.ndarray,
    test: np.ndarray,
    head: str,
    others: np.ndarray,
) -> tuple[float, bool]:
    """The share of test pictures that a layer learnt from `rows` gets right, and whether it learnt
    from `others` too, without their labels."""
    examples = VectorExamples(views[rows], labels[rows], int(labels.max()) + 1)
    others = np.setdiff1d(others, rows)
    more = views[others].mean(1) if len(others) else None
    solved = solve(examples, WAYS[head], more)
    return float((said(solved.layer, views[test]) == labels[test]).mean()), solved.believed > 0


def said(layer: LinearHead, views: np.ndarray) -> np.ndarray:
    """The class of each picture, of N×V×D."""
    logits = torch.from_numpy(layer.logits(views))
    return logits.softmax(2).mean(1).argmax(1).numpy()


def of_unequal(
    counts: list[int], views: np.ndarray, labels: np.ndarray, sides: list[np.ndarray], seeds: int
) -> None:
    """Tell what each way is right of, learnt from so many pictures of as many classes."""
    right: dict[str, list[tuple[float, float]]] = {}
    for seed in range(seeds):
        rng = np.random.default_rng(seed)
        classes = rng.permutation(int(labels.max()) + 1)[: len(counts)]
        of_class = [[side[labels[side] == c] for c in classes] for side in sides]
        rows = [rng.permutation(own)[:n] for own, n in zip(of_class[0], counts, strict=True)]
        known = np.repeat(np.arange(len(rows)), [len(each) for each in rows])
        examples = VectorExamples(views[np.concatenate(rows)], known, len(rows))
        layers = {head: solve(examples, WAYS[head]).layer for head in HEADS}
        layers["each picture alike"] = ridge(examples.vectors, known, len(rows)).layer
        for name, layer in layers.items():
            recalls = [(said(layer, views[own]) == i).mean() for i, own in enumerate(of_class[1])]
            both = np.mean(recalls), np.average(recalls, weights=np.bincount(known))
            right.setdefault(name, []).append((float(both[0]), float(both[1])))
    for name, found in right.items():
        for words, part in (("each class alike", 0), ("as they are", 1)):
            tell(f"{counts}, {name}, {words}", [both[part] for both in found])


def tell(name: str, right: list[float], more: str = "") -> None:
    spread = statistics.stdev(right) if len(right) > 1 else 0.0
    print(f"{name}: {statistics.mean(right):.1%} ± {spread:.1%}{more}", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("data")
    parser.add_argument("--counts", type=int, nargs="*", default=[5, 10, 50])
    parser.add_argument("--seeds", type=int, nargs="*", default=[0, 1, 2], help="a draw each")
    parser.add_argument("--full", action="store_true")
    parser.add_argument("--unlabelled", type=int, default=0)
    parser.add_argument("--unequal", nargs="*", default=[], help="such as 60,12,3,1")
    parser.add_argument("--draws", type=int, default=24, help="of --unequal")
    parser.add_argument("--crops", type=Path)
    given = parser.parse_args()
    data = open_dataset(given.data)
    if given.crops:
        write_crops(data, given.crops)
        return
    recipe = ClassifyRecipe()
    colours = nets.colours(recipe.net)
    assert colours is not None
    size = find("classify").size(recipe, data)
    config = ModelConfig(
        "classify", recipe.net, data.classes, size, Normalisation(*colours), habits={"mirror": True}
    )
    test = np.flatnonzero(data.splits == SPLITS.index("test"))
    test = np.sort(np.random.default_rng(0).permutation(test)[:MOST_TEST])
    pool = np.flatnonzero(data.splits != SPLITS.index("test"))
    shapes = [[int(each) for each in counts.split(",")] for counts in given.unequal]
    fewest = int(np.bincount(data.labels[pool], minlength=len(data.classes)).min())
    if (most := max(chain(*(shapes or [given.counts])))) > fewest:
        parser.error(f"{most} of each class: one has but {fewest} to learn from")
    draws = {(k, s): drawn(data.labels, pool, k, s) for k in given.counts for s in given.seeds}
    others = np.random.default_rng(0).permutation(pool)[: given.unlabelled]
    used = np.unique(np.concatenate([test, others, *draws.values()]))
    if given.unequal:
        used = np.concatenate([pool, test])
    began = time.process_time()
    described = describe(data.select(used), config)
    views = np.full((len(data), *described.shape[1:]), np.nan)
    views[used] = described
    seconds = time.process_time() - began
    print(f"{len(used):,} pictures at {size[0]}×{size[1]}: {seconds:.0f} s of CPU", flush=True)
    for shape in shapes:
        of_unequal(shape, views, data.labels, [pool, test], given.draws)
    if given.unequal:
        return
    none = others[:0]
    kinds = [("auto", none), ("auto", others)] if len(others) else [(h, none) for h in HEADS]
    for count in given.counts:
        for head, more in kinds:
            found = [
                right_by(draws[count, seed], views, data.labels, test, head, more)
                for seed in given.seeds
            ]
            kept = f", others kept in {sum(k for _, k in found)}" if len(more) else ""
            tell(f"{count} of each class, {head}", [right for right, _ in found], kept)
    for count in given.counts if given.full else ():
        right = []
        for seed in given.seeds:
            began = time.process_time()
            right.append(in_full(data, draws[count, seed], test))
            seconds = time.process_time() - began
            this = f"; draw {seed}: {right[-1]:.1%} in {seconds:.0f} s of CPU"
            tell(f"{count} of each class, full", right, this)


if __name__ == "__main__":
    main()
