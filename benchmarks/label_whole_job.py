"""The whole job by a scripted person: all pictures from nothing on, while a detector learns.

    uv run python benchmarks/label_whole_job.py                    60 rendered scenes
    uv run python benchmarks/label_whole_job.py BCCD 60 1.0        blood cells; minutes a training

Three ways: everything is drawn; ten pictures are drawn, then what one training of them proposes for
the others is corrected; and with "again by itself" on, so that it learns anew from the 5th picture
on, whenever there are five more and a fifth more, and the person corrects what the last one
proposed. How a person is modelled is said in `page_person.py` and `page_corrector.py`; no slider is
moved by hand. While a training goes on, the person labels as many pictures as their modelled
seconds allow. What each training had learnt is scored in the end on pictures that are not among
those labelled, beside one training of all of these that is as long as each was.
"""

import json
import os
import sys
import tempfile
import time
from dataclasses import asdict
from pathlib import Path
from typing import Literal

sys.path.insert(0, str(Path(__file__).parents[1]))
sys.path.insert(0, str(Path(__file__).parents[1] / "tests" / "helpers"))

from studio_page import until

from benchmarks.label_corrections import cells
from benchmarks.label_person import scenes
from benchmarks.learnt_on_the_way import OnTheWay
from benchmarks.page_corrector import Corrector
from benchmarks.page_person import (
    DRAW,
    VERIFY,
    Counted,
    Material,
    at_the_page,
)
from viewfinder.studio.learning.state import Learning
from viewfinder.studio.store import Store

Way = Literal["draw", "one", "keep"]
FIRST = 10
OTHERS = 40
# Nobody waits until the last picture has its proposals.
AHEAD = 16
LEARN = """async (minutes) => { const {post} = await import("/page/api.js");
  await post("/api/learn", {minutes, picture: null}); }"""
KEEP = """async (on) => { const {post} = await import("/page/api.js");
  await post("/api/learn/keep", {on}); }"""
STATE = """async () => { const {get} = await import("/page/api.js");
  return (await get("/api/status")).learning; }"""


class Job:
    """One way through all pictures."""

    def __init__(
        self, person: Counted, store: Store, material: Material, minutes: float, way: OnTheWay
    ) -> None:
        self.person, self.store, self.material, self.way = person, store, material, way
        self.minutes, self.corrector = minutes, Corrector(person, material)
        self.looks = self.trainings = 0
        self.began: float | None = None
        self.lasted = 60 * minutes + 60

    @property
    def seconds(self) -> float:
        """Modelled, so far."""
        did = self.corrector.did
        return VERIFY * self.looks + DRAW * (did["drawn"] + did["drawn over one"])

    def go(self, way: Way) -> None:
        if way == "keep":
            self.person.page.evaluate(KEEP, True)
        done = 0
        while self.store.counts().states["todo"]:
            if way == "one" and done == FIRST:
                self.person.page.evaluate(LEARN, self.minutes)
                self.begun()
                self.finished()
            if way == "keep":
                self.learns(done)
            self.looks += self.person.page.evaluate("viewfinder.studio.above().length")
            self.corrector.picture()
            done += 1
            if done % 10 == 0:
                print(f"    {done} pictures: {self.person.actions} actions", flush=True)

    def learns(self, done: int) -> None:
        """A training begins where one is due; one that began long enough ago is waited for."""
        state = self.person.page.evaluate(STATE)
        busy = state["stage"] in ("training", "proposing")
        if self.began is None and not busy:
            if done >= max(state["done"] + 5, round(1.2 * state["done"])):
                self.begun()
        elif self.began is not None and self.seconds - self.began >= self.lasted:
            self.finished()

    def proposed(self, state: dict) -> bool:
        if state["stage"] == "proposing":
            return state["looked"] >= min(AHEAD, state["total"])
        return state["stage"] != "training"

    def begun(self) -> None:
        until(lambda: self.person.page.evaluate(STATE)["stage"] == "training", seconds=30)
        self.began, self.real = self.seconds, time.monotonic()
        self.trainings += 1

    def finished(self) -> None:
        page = self.person.page
        # On a busy machine a training of a minute takes many: it is said what is waited for.
        print(f"    training {self.trainings} is waited for", flush=True)
        until(lambda: self.proposed(page.evaluate(STATE)), seconds=900)
        state = page.evaluate(STATE)
        assert self.began is not None
        self.lasted = time.monotonic() - self.real
        print(f"    it took {self.lasted:.0f} s, load {os.getloadavg()[0]:.0f}", flush=True)
        if state["stage"] in ("proposing", "done"):
            ended = (self.began + self.lasted) / 60
            self.way.keep(Path(state["run"]), state["learnt"], ended)
        # One that knows less than the one before it is not kept, and proposes nothing.
        print(f"    {state['stage']}: {state['error'] or state['learnt']}", flush=True)
        self.began = None
        page.evaluate("viewfinder.status()")
        here = self.person.shown()
        wanted = len([e for e in self.store.picture(here).proposals if e.state == "open"])
        until(lambda: page.evaluate("viewfinder.studio.ghosts().length") == wanted)
        # What was told has a button, where no drag can begin.
        until(lambda: not page.locator(".note").count())


def job(
    folder: Path, material: Material, way: Way, minutes: float, others: tuple[Path, Material]
) -> None:
    says = {
        "draw": "everything drawn",
        "one": f"{FIRST} drawn, the others corrected of one training's",
        "keep": "it learns anew by itself",
    }
    start, count = time.monotonic(), sum(map(len, material.truth.values()))

    def prepare(store: Store) -> None:
        # As when a person chose so many minutes before.
        store.set_meta("learning", json.dumps(asdict(Learning(minutes=minutes))))

    with at_the_page(folder, prepare, material.classes) as (person, store):
        learnt = OnTheWay(folder.parent / "on the way")
        made = Job(person, store, material, minutes, learnt)
        made.go(way)
        person.page.evaluate(KEEP, False)
        kept = sum(store.counts().boxes.values())
        print(
            f"| {says[way]} | {person.actions / count:.2f} | {made.seconds / count:.2f} | "
            f"{made.trainings} | {(time.monotonic() - start) / 60:.1f} |"
        )
        print(
            f"  {kept} of {count} boxes kept;",
            dict(made.corrector.did),
            flush=True,
        )
    if learnt.kept:
        learnt.report(folder, len(material.truth), minutes, others)


def main() -> None:
    words = sys.argv[1:]
    root = Path(words.pop(0)).absolute() if words and Path(words[0]).is_dir() else None
    pictures, minutes = int([*words, "60"][0]), float(words[1]) if len(words) > 1 else 1.0
    print(f"load {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores, {minutes:g} min a training")
    print("| way | actions a box | modelled seconds a box | trainings | minutes here |")
    for way in words[2:] or ("draw", "one", "keep"):
        with tempfile.TemporaryDirectory() as place:
            os.chdir(place)
            folder, apart = Path(place) / "photos", Path(place) / "others"
            made = cells(folder, root, pictures) if root else scenes(folder, pictures, 90)
            unseen = cells(apart, root, OTHERS, of="val") if root else scenes(apart, OTHERS, 91)
            job(folder, made, way, minutes, (apart, unseen))
            os.chdir("/")


if __name__ == "__main__":
    main()
