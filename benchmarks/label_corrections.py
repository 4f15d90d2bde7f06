"""A scripted person who corrects proposals that are often wrong, at the studio's page in Chromium.

    uv run python benchmarks/label_corrections.py                turntables; two minutes
    uv run python benchmarks/label_corrections.py BCCD 20        blood cells too, of 20 photographs
    uv run python benchmarks/label_corrections.py --seed 800     other turntables (and cells)

Proposals are those of a plate (`find_on_stand`) on turntables filmed badly: noise, shadows, a
wandering exposure, a shaking camera; and the subjects of a saliency map, the contrast of each pixel
with the mean colour of its picture (Achanta et al. 2009), on the same turntables and on BCCD, where
cells touch and are of three classes: so there are misses, doubles, boxes of two cells, shifted ones
and wrong classes. What a saliency network proposes that learnt a minute from 20 other turntables
is corrected on the same ones too. What is counted is said in `page_corrector.py`.
"""

import os
import sys
import tempfile
import time
import xml.etree.ElementTree as Tree
from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np

sys.path.insert(0, str(Path(__file__).parents[1]))
sys.path.insert(0, str(Path(__file__).parents[1] / "tests" / "helpers"))

from numpy.typing import NDArray

import viewfinder
from benchmarks.page_corrector import Corrector
from benchmarks.page_person import (
    DRAW,
    VERIFY,
    Found,
    Material,
    Thing,
    at_the_page,
    corners_of,
    overlap,
    report,
)
from viewfinder.devices import pick_device
from viewfinder.labelling.by_model import Map, Mapper, maps_of_model, subjects
from viewfinder.labelling.plate import find_on_stand
from viewfinder.pictures.reading import read_picture
from viewfinder.pictures.writing import write_mask, write_picture
from viewfinder.studio.store import Store
from viewfinder.tabletop import CLASSES, TurntableOptions
from viewfinder.tabletop.turntable import render_turntable

BADLY = TurntableOptions(noise=14, drift=0.25, shadow=0.95, shake=6)
TWICE = 0.8
SEED = 700
LEARNT = {"net": "a2dele-lite0", "init": "imagenet", "epochs": 8}
CELLS = ("RBC", "WBC", "Platelets")


def contrast(picture: NDArray[np.uint8]) -> NDArray[np.float32]:
    """How far each pixel's colour is from the mean, in Lab; from 0 to 1."""
    lab = cv2.cvtColor(cv2.GaussianBlur(picture, (5, 5), 0), cv2.COLOR_RGB2LAB).astype(np.float32)
    apart = np.linalg.norm(lab - lab.mean((0, 1)), axis=2)
    return np.asarray(apart / max(float(apart.max()), 1e-6), np.float32)


def contrasts(pictures: Iterator[tuple[str, NDArray[np.uint8]]]) -> Iterator[tuple[str, Map]]:
    for path, picture in pictures:
        yield path, contrast(picture)


def learnt(place: Path) -> Mapper:
    """Maps of a network that learnt from other turntables filmed badly, a minute of free cores."""
    data = place / "subjects"
    for number in range(20):
        label = number % len(CLASSES)
        turn = render_turntable(label, seed=10 + number, frames=10, options=BADLY)
        for at, (frame, mask) in enumerate(zip(turn.frames, turn.masks, strict=True)):
            name, side = f"{number:02}-{at:02}.png", "val" if number >= 18 else "train"
            write_picture(data / side / "RGB" / name, frame)
            write_mask(data / side / "GT" / name, mask)
    start = time.monotonic()
    run = viewfinder.train("saliency", data, out=place / "run", **LEARNT)
    print(f"the network learnt for {time.monotonic() - start:.0f} s, load {os.getloadavg()[0]:.0f}")
    return maps_of_model(run.model, pick_device("auto"))


def turntables(folder: Path, by: str, seed: int, mapper: Mapper, turns: int = 6) -> Material:
    made = Material(tuple(CLASSES), {}, {}, [])
    for number in range(turns):
        name = CLASSES[number % len(CLASSES)]
        turn = render_turntable(number % len(CLASSES), seed=seed + number, frames=10, options=BADLY)
        for at, (frame, box) in enumerate(zip(turn.frames, turn.boxes, strict=True)):
            path = f"{name}-{number:02}-{at:02}.png"
            write_picture(folder / path, frame)
            made.truth[path] = [Thing(name, corners_of(box))]
            made.sizes[path] = (frame.shape[1], frame.shape[0])
            if by == "plate":
                seen = [(each.box, each.score) for each in find_on_stand(frame, turn.empty)]
            else:
                ((_, values),) = mapper(iter([(path, frame)]))
                seen = [(box, score) for box, _, score in subjects(values)]
            made.found += [Found(path, name, corners_of(box), float(score)) for box, score in seen]
    return made


def cells(folder: Path, root: Path, count: int, seed: int = SEED, of: str = "test") -> Material:
    """Some of BCCD's photographs of one part, whose cells are all proposed as red ones."""
    made = Material(CELLS, {}, {}, [])
    stems = (root / "ImageSets" / "Main" / f"{of}.txt").read_text().split()
    first = (seed - SEED) // 100 * count % len(stems)
    for stem in (stems[first:] + stems[:first])[:count]:
        tree = Tree.parse(root / "Annotations" / f"{stem}.xml")
        picture = read_picture(root / "JPEGImages" / f"{stem}.jpg")
        path = f"{stem}.png"
        write_picture(folder / path, picture)
        made.truth[path] = []
        for each in tree.iter("object"):
            said = [
                float(each.findtext(f"bndbox/{n}") or 0) for n in ("xmin", "ymin", "xmax", "ymax")
            ]
            size = (picture.shape[1], picture.shape[0]) * 2
            x1, y1, x2, y2 = (min(max(v, 0), most) for v, most in zip(said, size, strict=True))
            box, known = (x1, y1, x2, y2), made.truth[path]
            # Some cells are marked twice, in the same place.
            twice = any(overlap(box, one.corners) > TWICE for one in known)
            if x2 - x1 >= 4 and y2 - y1 >= 4 and not twice:
                known.append(Thing(str(each.findtext("name")), box))
        made.sizes[path] = (picture.shape[1], picture.shape[0])
        for box, _, score in subjects(contrast(picture)):
            made.found.append(Found(path, "RBC", corners_of(box), score))
    return made


def correct(what: str, material: Material, folder: Path, *, look_over: bool) -> None:
    def prepare(store: Store) -> None:
        store.propose("machine", material.proposals("machine"))

    count = sum(map(len, material.truth.values()))
    with at_the_page(folder, prepare, material.classes) as (person, store):
        corrector, looks = Corrector(person, material), len(material.found)
        if look_over:
            looks += corrector.look_over("machine")
        while store.counts().states["todo"]:
            corrector.picture()
        kept = sum(store.counts().boxes.values())
        print(f"{what}: {count} boxes in {len(material.truth)} pictures, {len(material.found)} "
              f"proposed; {kept} kept")  # fmt: skip
        did = dict(corrector.did)
        alone = len(material.truth) - corrector.pictures
        print(f"  {alone} pictures right at a glance; {did}")
        drawn = did.get("drawn", 0) + did.get("drawn over one", 0)
        report(person.actions, count, VERIFY * looks + DRAW * drawn)


def main() -> None:
    words = sys.argv[1:]
    seed = int(words[words.index("--seed") + 1]) if "--seed" in words else SEED
    data = words[: words.index("--seed")] if "--seed" in words else words
    with tempfile.TemporaryDirectory() as place:
        for by, mapper in {
            "plate": contrasts,
            "contrast map": contrasts,
            "saliency network": learnt(Path(place) / "learnt"),
        }.items():
            folder = Path(place) / by
            what = f"correcting the {by}'s on turntables filmed badly"
            correct(what, turntables(folder, by, seed, mapper), folder, look_over=True)
        if data:
            folder, count = Path(place) / "cells", int((*data, "20")[1])
            made = cells(folder, Path(data[0]), count, seed)
            correct("correcting saliency's on BCCD", made, folder, look_over=False)


if __name__ == "__main__":
    main()
