"""A scripted person who corrects proposals that are often wrong, at the studio's page in Chromium.

    uv run python benchmarks/label_corrections.py                turntables; two minutes
    uv run python benchmarks/label_corrections.py BCCD 20        blood cells too, of 20 photographs

Proposals are those of a plate (`find_on_stand`) on turntables filmed badly: noise, shadows, a
wandering exposure, a shaking camera; and the subjects of a saliency map, the contrast of each pixel
with the mean colour of its picture (Achanta et al. 2009), on the same turntables and on BCCD, where
cells touch and are of three classes: so there are misses, doubles, boxes of two cells, shifted ones
and wrong classes. All of a person's work is counted, as in `label_person.py`: a box drawn over a
proposal, or where there is none, and the key for its class; two for each proposal that is refused,
given another class, or taken alone; one to take the rest and go on. A picture is done once each
true box has a label of its class with IoU 0.7 or more, and there is no other label.
"""

import sys
import tempfile
import xml.etree.ElementTree as Tree
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import cv2
import numpy as np

sys.path.insert(0, str(Path(__file__).parents[1]))
sys.path.insert(0, str(Path(__file__).parents[1] / "tests" / "helpers"))

from numpy.typing import NDArray
from studio_page import until

from benchmarks.label_person import DRAW, ENOUGH, VERIFY, Counted, at_the_page, report
from viewfinder.labelling.by_model import subjects
from viewfinder.labelling.plate import find_on_stand
from viewfinder.labelling.proposals import Proposals
from viewfinder.pictures.geometry import iou
from viewfinder.pictures.reading import read_picture
from viewfinder.pictures.writing import write_picture
from viewfinder.studio.store import Proposal, Store
from viewfinder.tabletop import CLASSES, TurntableOptions
from viewfinder.tabletop.turntable import render_turntable
from viewfinder.tasks.detect.detections import Detections

BADLY = TurntableOptions(noise=14, drift=0.25, shadow=0.95, shake=6)
CELLS = ("RBC", "WBC", "Platelets")
Corners = tuple[float, float, float, float]


class Thing(NamedTuple):
    """What there is."""

    name: str
    corners: Corners


class Found(NamedTuple):
    """What was proposed, with its picture."""

    path: str
    name: str
    corners: Corners
    score: float


@dataclass
class Material:
    """Pictures in a folder with what there is and what was found."""

    classes: tuple[str, ...]
    truth: dict[str, list[Thing]]
    sizes: dict[str, tuple[int, int]]
    found: list[Found]

    def proposals(self, source: str) -> Proposals:
        paths = tuple(self.truth)
        return Proposals(
            paths=paths,
            sizes=np.array([self.sizes[path] for path in paths]),
            classes=self.classes,
            pictures=np.array([paths.index(each.path) for each in self.found]),
            found=Detections(
                np.array([each.corners for each in self.found], np.float64),
                np.array([each.score for each in self.found], np.float64),
                np.array([self.classes.index(each.name) for each in self.found]),
            ),
            sources=(source,) * len(self.found),
        )


def contrast(picture: NDArray[np.uint8]) -> NDArray[np.float32]:
    """How far each pixel's colour is from the mean, in Lab; from 0 to 1."""
    lab = cv2.cvtColor(cv2.GaussianBlur(picture, (5, 5), 0), cv2.COLOR_RGB2LAB).astype(np.float32)
    apart = np.linalg.norm(lab - lab.mean((0, 1)), axis=2)
    return np.asarray(apart / max(float(apart.max()), 1e-6), np.float32)


def turntables(folder: Path, by: str, turns: int = 6) -> Material:
    made = Material(tuple(CLASSES), {}, {}, [])
    for number in range(turns):
        name = CLASSES[number % len(CLASSES)]
        turn = render_turntable(number % len(CLASSES), seed=700 + number, frames=10, options=BADLY)
        for at, (frame, box) in enumerate(zip(turn.frames, turn.boxes, strict=True)):
            path = f"{name}-{number:02}-{at:02}.png"
            write_picture(folder / path, frame)
            made.truth[path] = [Thing(name, corners_of(box))]
            made.sizes[path] = (frame.shape[1], frame.shape[0])
            if by == "plate":
                seen = [(each.box, each.score) for each in find_on_stand(frame, turn.empty)]
            else:
                seen = [(box, score) for box, _, score in subjects(contrast(frame))]
            made.found += [Found(path, name, corners_of(box), float(score)) for box, score in seen]
    return made


def cells(folder: Path, root: Path, count: int) -> Material:
    """The first of BCCD's test photographs, whose cells are all proposed as red ones."""
    made = Material(CELLS, {}, {}, [])
    stems = (root / "ImageSets" / "Main" / "test.txt").read_text().split()
    for stem in stems[:count]:
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
            if x2 - x1 >= 4 and y2 - y1 >= 4:
                made.truth[path].append(Thing(str(each.findtext("name")), (x1, y1, x2, y2)))
        made.sizes[path] = (picture.shape[1], picture.shape[0])
        for box, _, score in subjects(contrast(picture)):
            made.found.append(Found(path, "RBC", corners_of(box), score))
    return made


def corners_of(box: Iterable[float]) -> Corners:
    x1, y1, x2, y2 = map(float, box)
    return x1, y1, x2, y2


class Corrector:
    """Puts one picture right after another."""

    def __init__(self, person: Counted, material: Material) -> None:
        self.person, self.material = person, material
        self.did: Counter[str] = Counter()
        self.pictures = 0

    def right(self) -> tuple[set[int], set[str], list[dict]]:
        """Which true boxes have one of theirs, by what, and all that would be labels."""
        things = self.person.page.evaluate("""() => { const {studio} = viewfinder;
            const name = (label) => studio.labels.classOf(label).name;
            return [...[...studio.boxes.values()].map((b) => ({id: b.id, ghost: false,
                name: name(b.label), corners: b.corners})),
              ...studio.above().map((g) => ({id: g.id, ghost: true, name: g.name,
                corners: g.corners}))]; }""")
        met: set[int] = set()
        used: set[str] = set()
        for number, true in enumerate(self.truth):
            for each in things:
                good = each["id"] not in used and each["name"] == true.name
                if good and overlap(each["corners"], true.corners) >= ENOUGH:
                    met.add(number)
                    used.add(each["id"])
                    break
        return met, used, things

    def picture(self) -> None:
        """Whatever is wrong in the picture that is shown, and on to the next."""
        person = self.person
        self.pictures += 1
        path = person.store.picture(person.shown()).picture.path
        self.truth = self.material.truth[path]
        self.reclass()
        while True:
            met, used, things = self.right()
            left = [n for n in range(len(self.truth)) if n not in met]
            if not left:
                break
            self.draw(self.truth[left[0]])
        boxes, ghosts = ([t for t in things if t["ghost"] is which] for which in (False, True))
        for each in boxes:
            if each["id"] not in used:
                self.refuse(each)
        right = [each for each in ghosts if each["id"] in used]
        wrong = [each for each in ghosts if each["id"] not in used]
        # All but the wrong ones at once, or the right ones each: whichever is less work.
        if right and len(wrong) <= len(right):
            for each in wrong:
                self.refuse(each)
            person.finish("Shift+Enter")
        else:
            for each in right:
                self.choose(each)
                person.key("y")
                self.did["accepted alone"] += 1
            person.finish("Enter")
        person.saved()

    def look_over(self) -> int:
        """Twelve pictures at a glance: those that are right are taken, the others put right there
        and then, as the page shows them; how many proposals were looked at."""
        person, looks = self.person, 0
        none = person.page.get_by_text("No picture to do has proposals")
        while person.store.counts().states["todo"]:
            person.key("b")
            cards = person.page.locator("dialog[open] .card")
            until(lambda cards=cards: cards.count() or none.count())
            if not cards.count():
                break
            paths = [card.get_attribute("title") for card in cards.all()]
            ids = {each.path: each.id for each in person.store.pictures(count=1000).pictures}
            wrong = 0
            for letter, path in zip("abcdefghijkl", paths, strict=False):
                found = [each for each in person.store.picture(ids[path]).proposals
                         if each.score >= 0.5 and each.state == "open"]  # fmt: skip
                looks += len(found)
                if not self.is_right(found, self.material.truth[path]):
                    person.key(letter)
                    wrong += 1
            person.key("Enter")
            until(lambda: not person.page.locator("dialog").is_visible())
            person.saved()
            for _ in range(wrong):
                self.picture()
        return looks

    def is_right(self, found: Sequence[Proposal], truth: Sequence[Thing]) -> bool:
        """Whether what would be taken is all that there is, and no more."""
        return len(found) == len(truth) and all(
            any(
                each.name == thing.name and overlap(each.corners, thing.corners) >= ENOUGH
                for each in found
            )
            for thing in truth
        )

    def reclass(self) -> None:
        """A proposal that is in its place and of another class: a click and the class's key."""
        met, used, things = self.right()
        for number, true in enumerate(self.truth):
            fits = [
                each
                for each in things
                if number not in met and each["ghost"] and each["id"] not in used
                and overlap(each["corners"], true.corners) >= ENOUGH
            ]  # fmt: skip
            if fits:
                self.choose(fits[0])
                self.key_of(true.name)
                used.add(fits[0]["id"])
                self.did["given another class"] += 1

    def draw(self, true: Thing) -> None:
        before = len(self.right()[2])
        self.person.draw(true.corners)
        self.did["drawn over one" if len(self.right()[2]) == before else "drawn"] += 1
        until(lambda: self.person.page.evaluate("viewfinder.studio.selected().length"))
        script = "viewfinder.labels.classOf(viewfinder.studio.selected()[0].label).name"
        if self.person.page.evaluate(script) != true.name:
            self.key_of(true.name)
            self.did["class key"] += 1

    def refuse(self, thing: dict) -> None:
        self.choose(thing)
        self.person.key("x" if thing["ghost"] else "Delete")
        self.did["refused"] += 1

    def choose(self, thing: dict) -> None:
        """Click it where nothing smaller lies; else press p until it is chosen."""
        x1, y1, x2, y2 = thing["corners"]
        self.person.actions += 1
        self.person.click((x1 + x2) / 2, (y1 + y2) / 2)
        chosen = "[viewfinder.studio.ghost, ...viewfinder.studio.selection].filter(Boolean)"
        for _ in range(200):
            if self.person.page.evaluate(chosen) == [thing["id"]]:
                return
            self.person.key("p" if thing["ghost"] else ".")
        raise AssertionError(f"{thing} cannot be chosen")

    def key_of(self, name: str) -> None:
        listed = self.person.page.evaluate("viewfinder.labels.listed().map((each) => each.name)")
        self.person.key(str(listed.index(name) + 1))


def overlap(one: Iterable[float], two: Iterable[float]) -> float:
    return float(iou(np.array([list(one)]), np.array([list(two)]))[0, 0])


def correct(what: str, material: Material, folder: Path, *, look_over: bool) -> None:
    def prepare(store: Store) -> None:
        store.propose("machine", material.proposals("machine"))

    count = sum(map(len, material.truth.values()))
    with at_the_page(folder, prepare, material.classes) as (person, store):
        corrector, looks = Corrector(person, material), len(material.found)
        if look_over:
            looks += corrector.look_over()
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
    with tempfile.TemporaryDirectory() as place:
        for by in ("plate", "saliency"):
            folder = Path(place) / by
            what = f"correcting the {by}'s on turntables filmed badly"
            correct(what, turntables(folder, by), folder, look_over=True)
        if len(sys.argv) > 1:
            folder, count = Path(place) / "cells", int((*sys.argv, "20")[2])
            made = cells(folder, Path(sys.argv[1]), count)
            correct("correcting saliency's on BCCD", made, folder, look_over=False)


if __name__ == "__main__":
    main()
