"""A scripted person at the studio's page, in a real Chromium: actions and modelled seconds a box.

    uv run python benchmarks/label_person.py            30 scenes, 5 turns of 12 frames; a minute
    uv run python benchmarks/label_person.py 100 8 90   other numbers, other scenes (a seed)

The person knows the true boxes and does the fewest things until each box has IoU 0.7 or more: a
drag, a click or a key is one action, whatever it spans. Drawing begins with pictures and the list
of classes, and the page guesses each new box's class by its look; correcting, with what `propose
--by plate` finds on turntables, twelve pictures at a glance (`label_corrections.py` has proposals
that are often wrong). Modelled seconds are 7
for a drawn or corrected box (extreme clicking, 1708.02750) and 1.8 for each look at a proposal
(the constant of Intelligent Annotation Dialogs). Times are of this machine, browser and all.
"""

import shutil
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).parents[1] / "tests" / "helpers"))

from playwright.sync_api import sync_playwright
from studio_page import Person, until

from viewfinder.labelling.plate import find_on_stand
from viewfinder.labelling.proposals import Proposals
from viewfinder.pictures.geometry import iou
from viewfinder.pictures.writing import write_picture
from viewfinder.studio.server.serving import studio_server
from viewfinder.studio.store import Operation, PutClass, Store, open_store
from viewfinder.tabletop import CLASSES, SceneOptions, TurntableOptions
from viewfinder.tabletop.scenes import render_scene
from viewfinder.tabletop.turntable import render_turntable
from viewfinder.tasks.detect.detections import Detections

ENOUGH = 0.7
DRAW, VERIFY = 7.0, 1.8
CAMERA = TurntableOptions(noise=3, drift=0.05, shadow=0.6, shake=2)
# Beside the page: how long each edit waits for its answer, each key for what it shows, and each
# picture for the one before it.
CLOCKS = """() => {
  const {outbox, studio, stage} = viewfinder;
  const clocks = { acknowledged: [], key: [], picture: [] };
  const sent = new Map();
  const add = outbox.add.bind(outbox);
  outbox.add = (entry) => {
    if (!outbox.waiting) sent.set(entry.id, performance.now());  // else it waits for others
    add(entry);
  };
  const answer = outbox.onanswer;
  outbox.onanswer = (entry, body) => {
    if (sent.has(entry.id)) clocks.acknowledged.push(performance.now() - sent.get(entry.id));
    answer(entry, body);
  };
  let pressed = null;
  let last = studio.picture.id;
  addEventListener("keydown", () => { pressed = performance.now(); }, {capture: true});
  const draw = stage.draw.bind(stage);
  stage.draw = () => {
    draw();
    const start = pressed;
    pressed = null;
    if (start === null) return;
    const other = studio.picture.id !== last;
    last = studio.picture.id;
    requestAnimationFrame(() => {
      const spent = performance.now() - start;
      clocks[other ? "picture" : "key"].push(spent);
    });
  };
  window.clocks = clocks;
}"""


class Counted(Person):
    """A person whose actions are counted."""

    actions = 0

    def key(self, name):
        self.actions += 1
        self.press(name)

    def class_of_now(self):
        """What the box that was just drawn is of, as the page shows it."""
        name = "viewfinder.labels.classOf(viewfinder.studio.selected()[0].label).name"
        return CLASSES.index(self.page.evaluate(name))

    last = (0.0, 0.0, 0.0, 0.0)

    def draw(self, box):
        """From the corner that is furthest from the handles of the box that was just drawn."""
        self.actions += 1
        x1, y1, x2, y2 = map(float, box)
        handles = [(x, y) for x in self.last[::2] for y in self.last[1::2]]
        handles += [(sum(self.last[::2]) / 2, y) for y in self.last[1::2]]
        handles += [(x, sum(self.last[1::2]) / 2) for x in self.last[::2]]
        starts = [(x1, y1), (x2, y2), (x1, y2), (x2, y1)]
        start = max(starts, key=lambda s: min(np.hypot(s[0] - x, s[1] - y) for x, y in handles))
        self.drag(start, (x1 + x2 - start[0], y1 + y2 - start[1]), steps=4)
        self.last = (x1, y1, x2, y2)

    def finish(self, key="Enter"):
        """Say that the picture is done, and see the next."""
        before = self.shown()
        self.key(key)
        left = self.page.evaluate("viewfinder.labels.counts.states.todo")
        if left:
            until(lambda: self.shown() != before)


@contextmanager
def at_the_page(folder: Path, prepare, names=CLASSES) -> Iterator[tuple[Counted, Store]]:
    """A person before a folder whose store has been prepared."""
    with open_store(folder, wait=True) as store:
        classes = (PutClass(f"c{n}", name, 0, position=n) for n, name in enumerate(names))
        if names:
            store.apply(Operation("classes", tuple(classes)))
        prepare(store)
        with studio_server(store, person="scripted", port=0) as (server, bound, address):
            work = {"target": server.run, "kwargs": {"sockets": [bound]}}
            thread = threading.Thread(**work, daemon=True)
            thread.start()
            with sync_playwright() as playwright:
                browser = playwright.chromium.launch(
                    executable_path=shutil.which("chromium"), args=["--no-sandbox"]
                )
                page = browser.new_context(viewport={"width": 1280, "height": 720}).new_page()
                page.goto(address.url)
                person = Counted(page, store)
                page.evaluate(CLOCKS)
                yield person, store
                person.saved()
                report_clocks(page.evaluate("clocks"))
                browser.close()
            server.should_exit = server.force_exit = True
            thread.join(10)


def drawing(folder: Path, count: int, seed: int) -> None:
    """Everything by hand."""
    truth = {}
    for number in range(count):
        scene = render_scene(seed=seed, index=number, options=SceneOptions(size=384))
        write_picture(folder / f"{number:04}.png", scene.picture)
        truth[f"{number:04}.png"] = [
            (int(label), box) for label, box in zip(scene.box_classes, scene.boxes, strict=True)
        ]
    with at_the_page(folder, lambda store: None) as (person, store):
        chosen = keys = 0
        for _ in range(count):
            path = store.picture(person.shown()).picture.path
            # All of the class that is chosen already, then the others: the fewest keys.
            for label, box in sorted(truth[path], key=lambda each: (each[0] != chosen, each[0])):
                person.draw(box)
                if person.class_of_now() != label:
                    person.key(str(label + 1))
                    keys += 1
                chosen = label
            person.finish()
        boxes = sum(map(len, truth.values()))
        person.saved()
        good = agreeing(store, truth)
        print(f"drawing: {boxes} boxes of {len(CLASSES)} classes in {count} pictures; {good} right")
        report(person.actions, boxes, DRAW * boxes)
        print(
            f"  {(person.actions - keys) / boxes:.2f} actions without the {keys} keys for classes"
        )


def correcting(folder: Path, turns: int) -> None:
    """What the plate found: accepted, corrected, or drawn where it found nothing."""
    truth, found = {}, []
    for label in range(turns):
        name = CLASSES[label % len(CLASSES)]
        turn = render_turntable(label % len(CLASSES), seed=400 + label, frames=12, options=CAMERA)
        for number, (frame, box) in enumerate(zip(turn.frames, turn.boxes, strict=True)):
            path = f"{name}-{label:02}-{number:02}.png"
            write_picture(folder / path, frame)
            truth[path] = [(label % len(CLASSES), box)]
            found.append((path, label % len(CLASSES), find_on_stand(frame, turn.empty)))
    with at_the_page(folder, lambda store: store.propose("plate", proposals(found))) as made:
        person, store = made
        looks, drawn = glance(person, truth), 0
        while store.counts().states["todo"]:
            ((label, box),) = truth[store.picture(person.shown()).picture.path]
            looks, drawn = looks + 1, drawn + 1
            # Drawn over a proposal, it is that one, corrected, with its class.
            person.draw(box)
            if person.class_of_now() != label:
                person.key(str(label + 1))
            person.finish()
            person.saved()
        person.saved()
        print(f"correcting the plate's: {len(truth)} boxes; {agreeing(store, truth)} right")
        print(f"  {drawn} drawn, {len(truth) - drawn} accepted as they were")
        report(person.actions, len(truth), VERIFY * looks + DRAW * drawn)


def glance(person: Counted, truth) -> int:
    """Look over all pictures twelve at a time, and take those whose boxes are all right; how many
    were looked at. Pictures that were not right stay, and are corrected afterwards."""
    seen: set[int] = set()
    left = person.page.get_by_text("No picture to do has proposals")
    while True:
        person.key("b")
        until(lambda: person.page.locator("dialog[open] .card").count() or left.count())
        cards = person.page.locator("dialog[open] .card").all()
        paths = [card.get_attribute("title") for card in cards]
        ids = {each.path: each.id for each in person.store.pictures(count=1000).pictures}
        if {ids[path] for path in paths} <= seen:
            if cards:
                person.key("Escape")
            until(lambda: not person.page.locator("dialog").is_visible())
            return len(seen)
        for letter, path in zip("abcdefghijkl", paths, strict=False):
            if not is_right(person.store.picture(ids[path]).proposals, truth[path]):
                person.key(letter)
        seen |= {ids[path] for path in paths}
        person.key("Enter")
        until(lambda: not person.page.locator("dialog").is_visible())
        person.saved()


def is_right(found, true) -> bool:
    """Whether what would be accepted is what there is."""
    taken = [each for each in found if each.score >= 0.5]
    if len(taken) != len(true):
        return False
    ((label, box),) = true
    (one,) = taken
    overlap = iou(np.array([one.corners]), np.asarray(box, np.float64)[None])[0, 0]
    return bool(one.name == CLASSES[label] and overlap >= ENOUGH)


def proposals(found) -> Proposals:
    rows = [(n, label, each) for n, (_, label, things) in enumerate(found) for each in things]
    return Proposals(
        paths=tuple(path for path, _, _ in found),
        sizes=np.array([[256, 256]] * len(found)),
        classes=tuple(CLASSES),
        pictures=np.array([row[0] for row in rows]),
        found=Detections(
            np.array([row[2].box for row in rows], np.float64),
            np.array([row[2].score for row in rows], np.float64),
            np.array([row[1] for row in rows]),
        ),
        sources=("plate",) * len(rows),
    )


def agreeing(store: Store, truth) -> int:
    """True boxes that the store has, of their class, with IoU 0.7 or more."""
    names = {each.id: each.name for each in store.classes()}
    count = 0
    for picture in store.pictures(count=1000).pictures:
        kept = store.picture(picture.id).boxes
        for label, box in truth[picture.path]:
            count += any(
                names[each.label] == CLASSES[label]
                and iou(np.array([each.corners]), np.asarray(box, np.float64)[None])[0, 0] >= ENOUGH
                for each in kept
            )
    return count


def report(actions: int, boxes: int, seconds: float) -> None:
    print(f"  {actions / boxes:.2f} actions and {seconds / boxes:.2f} modelled seconds a box")


def report_clocks(clocks: dict[str, list[float]]) -> None:
    for name, spent in clocks.items():
        if spent:
            median, high = np.percentile(spent, [50, 95])
            print(f"  {name}: median {median:.1f} ms, p95 {high:.1f} ms of {len(spent)}")


def main() -> None:
    scenes, turns, seed = (*map(int, sys.argv[1:]), *(30, 5, 90)[len(sys.argv) - 1 :])
    start = time.perf_counter()
    with tempfile.TemporaryDirectory() as folder:
        drawing(Path(folder) / "scenes", scenes, seed)
        correcting(Path(folder) / "turns", turns)
    print(f"{time.perf_counter() - start:.0f} s")


if __name__ == "__main__":
    main()
