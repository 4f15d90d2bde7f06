"""What `check --report` finds of 50 odd pictures, 50 duplicates and 50 wrong labels put into a set.

    python benchmarks/set_page.py classify DIR     class folders, such as cifar10-small
    python benchmarks/set_page.py detect DIR       boxes, such as BCCD as VOC

A copy of DIR is made. Odd: things that the set has none of, of five kinds. Duplicates: pictures of
the set under another name, saved again as JPEG, mirrored, cut or brighter, half of them in another
split. Wrong: labels that become another class at random. Told is how many of the 50 are among the
first 50, 100 and 200 that are shown, or among all where fewer are. And of 20, and of 40, odd
pictures of one kind, nothing else being put in, how many.
"""

import shutil
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from viewfinder.datasets.box_files import split_name
from viewfinder.datasets.dataset import Dataset
from viewfinder.datasets.opening import open_dataset
from viewfinder.labelling.odd import suspects
from viewfinder.pictures.writing import write_picture
from viewfinder.tabletop.scenes import render_scene

COUNT, SHOWN, MOST = 50, (50, 100, 200), 2000
Picture = NDArray[np.uint8]


def main() -> None:
    task, source = sys.argv[1], Path(sys.argv[2])
    random = np.random.default_rng(0)
    with tempfile.TemporaryDirectory() as place:
        root = Path(place) / source.name
        whole = open_dataset(source)
        chosen = np.sort(random.permutation(len(whole))[:MOST])
        dataset = whole.select(chosen)
        for path in dataset.paths:
            (root / path).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(source / path, root / path)
        dataset = replace(dataset, root=root)
        begun = time.perf_counter()
        suspects(dataset)
        print(f"{task}: {len(dataset):,} pictures, {time.perf_counter() - begun:.0f} s before")
        planted(dataset, random)
        for size in (20, 40):
            groups(dataset, random, size)


def planted(dataset: Dataset, random: np.random.Generator) -> None:
    """Put all three in, look, and print what was found."""
    count, kinds = len(dataset), odd_kinds(random)
    doubled = random.choice(count, COUNT, replace=False)
    with_more = dataset
    for number in range(COUNT):
        picture = kinds[number % len(kinds)]()
        with_more = added(with_more, f"odd-{number:03}.png", picture, like=number)
    changes = copies(random)
    for place, number in enumerate(doubled.tolist()):
        picture = changes[place % len(changes)](dataset.picture(number))
        with_more = added(
            with_more, f"copy-{place:03}.jpg", picture, like=number, elsewhere=place % 2 == 1
        )
    with_wrong, wrong = mislabelled(with_more, count, random)
    begun = time.perf_counter()
    found = suspects(with_wrong)
    print(f"{time.perf_counter() - begun:.0f} s with what was put in")
    tell("odd", [each.picture for each in found.odd], set(range(count, count + COUNT)))
    pairs = {(n, count + COUNT + place) for place, n in enumerate(doubled.tolist())}
    tell("duplicates", [(pair.one, pair.other) for pair in found.alike], pairs)
    whole = with_wrong.boxes is None
    doubted = [each.picture if whole else (each.picture, each.box) for each in found.doubted]
    tell("wrong labels", doubted, wrong)


def groups(dataset: Dataset, random: np.random.Generator, size: int) -> None:
    """Put odd pictures of one kind in, look, and print how many were found, for each kind."""
    count = len(dataset)
    for number, kind in enumerate(odd_kinds(random)):
        with_more = dataset
        for place in range(size):
            name = f"group-{size}-{number}-{place:02}.png"
            with_more = added(with_more, name, kind(), like=place)
        found = suspects(with_more)
        group: set[object] = set(range(count, count + size))
        tell(f"odd {kind.__name__}", [each.picture for each in found.odd], group)


def tell(what: str, shown: Sequence[object], planted: set[object]) -> None:
    parts = [
        f"{sum(each in planted for each in shown[:most])} among the first {min(most, len(shown))}"
        for most in SHOWN
    ]
    print(f"{what}: of {len(planted)}, {', '.join(dict.fromkeys(parts))}", flush=True)


def odd_kinds(random: np.random.Generator) -> list[Callable[[], Picture]]:
    """Rendered tables, drawn shapes, words, noise and flat colours."""

    def flat() -> Picture:
        return np.full((96, 96, 3), random.integers(0, 256, 3), np.uint8)

    def shapes() -> Picture:
        picture = flat()
        for _ in range(6):
            a, b = (tuple(random.integers(0, 96, 2).tolist()) for _ in range(2))
            cv2.rectangle(picture, a, b, random.integers(0, 256, 3).tolist(), -1)
        return picture

    def words() -> Picture:
        picture = np.full((96, 96, 3), 250, np.uint8)
        for line in range(5):
            text = "".join(random.choice(list("abcdefghij klmno"), 9))
            cv2.putText(picture, text, (3, 18 + 17 * line), 0, 0.5, (20, 20, 20), 1)
        return picture

    def noise() -> Picture:
        rough = random.integers(0, 256, (random.integers(4, 97),) * 2 + (3,), dtype=np.uint8)
        return cv2.resize(rough, (96, 96))

    def table() -> Picture:
        return render_scene(seed=7, index=int(random.integers(1 << 20))).picture

    return [table, shapes, words, noise, flat]


def copies(random: np.random.Generator) -> list[Callable[[Picture], Picture]]:
    def cut(picture: Picture) -> Picture:
        height, width = picture.shape[:2]
        top, left = (int(random.integers(0, max(1, side // 10))) for side in (height, width))
        return picture[top : top + height - height // 10, left : left + width - width // 10]

    return [
        lambda p: p,
        lambda p: np.ascontiguousarray(p[:, ::-1]),
        cut,
        lambda p: np.clip(p * 1.2, 0, 255).astype(np.uint8),
    ]


def added(
    dataset: Dataset, name: str, picture: Picture, *, like: int, elsewhere: bool = False
) -> Dataset:
    """With one picture more, of the class of another, in its split or another; without boxes."""
    write_picture(dataset.root / name, picture)
    split = int(dataset.splits[like])
    if elsewhere:
        split = 2 if split_name(split) == "train" else 0
    boxes = dataset.boxes
    if boxes is not None:
        boxes = replace(boxes, offsets=np.append(boxes.offsets, boxes.offsets[-1]))
    return replace(
        dataset,
        paths=(*dataset.paths, name),
        labels=np.append(dataset.labels, dataset.labels[like]),
        splits=np.append(dataset.splits, np.int8(split)),
        boxes=boxes,
        sizes=None,
        groups=(*dataset.groups, "") if dataset.groups else (),
    )


def mislabelled(
    dataset: Dataset, count: int, random: np.random.Generator
) -> tuple[Dataset, set[object]]:
    """With other classes for some labels, and which."""
    classes, boxes = len(dataset.classes), dataset.boxes
    if boxes is None:
        rows, labels = random.choice(count, COUNT, replace=False), dataset.labels.copy()
        labels[rows] = (labels[rows] + random.integers(1, classes, COUNT)) % classes
        return replace(dataset, labels=labels), set(rows.tolist())
    sides = boxes.corners[:, 2:] - boxes.corners[:, :2]
    known = np.flatnonzero((sides >= 1).all(axis=1) & (boxes.classes >= 0))
    rows, labels = random.choice(known, COUNT, replace=False), boxes.classes.copy()
    labels[rows] = (labels[rows] + random.integers(1, classes, COUNT)) % classes
    pictures = boxes.pictures()
    wrong = {(int(pictures[row]), tuple(boxes.corners[row].tolist())) for row in rows}
    return replace(dataset, boxes=replace(boxes, classes=labels)), wrong


if __name__ == "__main__":
    main()
