"""A scripted person before the studio's page in a real Chromium, for the benchmarks of labelling.

The person knows the true boxes and does the fewest things until each box has IoU 0.7 or more: a
drag, a click or a key is one action, whatever it spans. Modelled seconds are 7 for a drawn or
corrected box (extreme clicking, 1708.02750) and 1.8 for each look at a proposal (the constant of
Intelligent Annotation Dialogs).
"""

import shutil
import sys
import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import numpy as np

sys.path.insert(0, str(Path(__file__).parents[1] / "tests" / "helpers"))

from playwright.sync_api import ViewportSize, sync_playwright
from studio_page import Person, until

from viewfinder.labelling.proposals import Proposals
from viewfinder.pictures.geometry import iou
from viewfinder.studio.server.serving import studio_server
from viewfinder.studio.store import Operation, PutClass, Store, open_store
from viewfinder.tasks.detect.detections import Detections

ENOUGH = 0.7
DRAW, VERIFY = 7.0, 1.8
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


class Counted(Person):
    """A person whose actions are counted."""

    actions = 0

    def key(self, name):
        self.actions += 1
        self.press(name)

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
def at_the_page(
    folder: Path,
    prepare: Callable[[Store], None],
    names: Sequence[str],
    *,
    screen: tuple[int, int] = (1280, 720),
) -> Iterator[tuple[Counted, Store]]:
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
                size: ViewportSize = {"width": screen[0], "height": screen[1]}
                page = browser.new_context(viewport=size).new_page()
                page.goto(address.url)
                person = Counted(page, store)
                page.evaluate(CLOCKS)
                yield person, store
                person.saved()
                report_clocks(page.evaluate("clocks"))
                browser.close()
            server.should_exit = server.force_exit = True
            thread.join(10)


def corners_of(box: Iterable[float]) -> Corners:
    x1, y1, x2, y2 = map(float, box)
    return x1, y1, x2, y2


def overlap(one: Iterable[float], two: Iterable[float]) -> float:
    return float(iou(np.array([list(one)]), np.array([list(two)]))[0, 0])


def report(actions: int, boxes: int, seconds: float) -> None:
    print(f"  {actions / boxes:.2f} actions and {seconds / boxes:.2f} modelled seconds a box")


def report_clocks(clocks: dict[str, list[float]]) -> None:
    for name, spent in clocks.items():
        if spent:
            median, high = np.percentile(spent, [50, 95])
            print(f"  {name}: median {median:.1f} ms, p95 {high:.1f} ms of {len(spent)}")
