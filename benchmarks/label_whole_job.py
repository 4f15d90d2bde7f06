"""The whole job by a scripted person: all pictures from nothing on, while a detector learns.

    uv run python benchmarks/label_whole_job.py                    60 rendered scenes
    uv run python benchmarks/label_whole_job.py BCCD 60 1.0 2 keep    blood cells; minutes of a
                                        training, how quick the person is, and one of the ways

Three ways: everything is drawn; ten pictures are drawn, then what one training of them proposes for
the others is corrected; and with "again by itself" on, so that it learns anew from the 5th picture
on, whenever there are five more and a fifth more, and the person corrects what the last one
proposed. How a person is modelled is said in `page_person.py` and `page_corrector.py`; no slider is
moved by hand. While a training goes on, the person labels as many pictures as their modelled
seconds allow; twice as many, say, for who cannot wait so long, which leaves it half of its time.
What each training had learnt is scored in the end on pictures that are not among those labelled,
beside one training of all of these that is as long as each was.
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
Others = tuple[Path, Material]
FIRST = 10
OTHERS = 40
BUSY = ("training", "proposing")
LEARN = """async (minutes) => { const {post} = await import("/page/api.js");
  await post("/api/learn", {minutes, picture: null}); }"""
KEEP = """async (on) => { const {post} = await import("/page/api.js");
  await post("/api/learn/keep", {on}); }"""
STATE = """async () => { const {get} = await import("/page/api.js");
  return (await get("/api/status")).learning; }"""


class Job:
    """One way through all pictures."""

    def __init__(
        self,
        person: Counted,
        store: Store,
        material: Material,
        way: OnTheWay,
        minutes: float,
        pace: float,
    ) -> None:
        self.person, self.store, self.material, self.way = person, store, material, way
        self.minutes, self.pace, self.corrector = minutes, pace, Corrector(person, material)
        self.looks = self.trainings = 0
        self.run = self.finished = ""
        self.began = self.real = 0.0

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
                until(lambda: self.state()["stage"] == "training", seconds=60)
                self.wait(all_of_it=True)
            if way == "keep":
                self.learns(done)
            self.looks += self.person.page.evaluate("viewfinder.studio.above().length")
            self.corrector.picture()
            done += 1
            if done % 10 == 0:
                print(f"    {done} pictures: {self.person.actions} actions", flush=True)

    def learns(self, done: int) -> None:
        """A training begins where one is due; while the machine is at work, the person is no
        quicker than modelled, but for the pace."""
        state = self.state()
        if state["stage"] not in BUSY and done >= max(
            state["done"] + 5, round(1.2 * state["done"])
        ):
            until(lambda: self.state()["run"] != state["run"], seconds=60)
        self.wait()

    def wait(self, *, all_of_it: bool = False) -> None:
        """Until the machine has had the time that the person took since it began; or has ended."""
        while (state := self.state())["stage"] in BUSY:
            had = self.pace * (time.monotonic() - self.real)
            if not all_of_it and had >= self.seconds - self.began:
                break
            time.sleep(0.2)
        here = self.person.shown()
        self.person.page.evaluate("viewfinder.status()")
        wanted = [e for e in self.store.picture(here).proposals if e.state == "open"]
        script = "viewfinder.studio.ghosts().length"
        # More may come meanwhile, as while it is corrected.
        until(lambda: self.person.page.evaluate(script) >= len(wanted))
        # What was told has a button, where no drag can begin.
        until(lambda: not self.person.page.locator(".note").count())
        if state["stage"] == "failed":
            print(f"    {state['error']}", flush=True)

    def state(self) -> dict:
        """What the page knows of the learning; a training that began or ended is noted."""
        state: dict = self.person.page.evaluate(STATE)
        if state["run"] != self.run:
            self.run, self.began, self.real = state["run"], self.seconds, time.monotonic()
            self.trainings += 1
        if state["finished"] != self.finished:
            self.finished, took = state["finished"], time.monotonic() - self.real
            print(
                f"    learnt from {state['learnt']} in {took:.0f} s, load {os.getloadavg()[0]:.0f}"
            )
            self.way.keep(Path(self.finished), state["learnt"], self.seconds / 60)
        return state


def job(
    folder: Path, material: Material, way: Way, times: tuple[float, float], others: Others
) -> None:
    says = {
        "draw": "everything drawn",
        "one": f"{FIRST} drawn, the others corrected of one training's",
        "keep": "it learns anew by itself",
    }
    start, count = time.monotonic(), sum(map(len, material.truth.values()))

    def prepare(store: Store) -> None:
        # As when a person chose so many minutes before.
        store.set_meta("learning", json.dumps(asdict(Learning(minutes=times[0]))))

    with at_the_page(folder, prepare, material.classes) as (person, store):
        learnt = OnTheWay(folder.parent / "on the way")
        made = Job(person, store, material, learnt, *times)
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
        learnt.report(folder, len(material.truth), times[0], others)


def main() -> None:
    words = sys.argv[1:]
    root = Path(words.pop(0)).absolute() if words and Path(words[0]).is_dir() else None
    pictures, minutes = int([*words, "60"][0]), float(words[1]) if len(words) > 1 else 1.0
    pace = float(words[2]) if len(words) > 2 else 1.0
    print(f"load {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores, {minutes:g} min a training, "
          f"a person {pace:g} times as quick as modelled")  # fmt: skip
    print("| way | actions a box | modelled seconds a box | trainings | minutes here |")
    for way in words[3:] or ("draw", "one", "keep"):
        with tempfile.TemporaryDirectory() as place:
            os.chdir(place)
            folder, apart = Path(place) / "photos", Path(place) / "others"
            made = cells(folder, root, pictures) if root else scenes(folder, pictures, 90)
            unseen = cells(apart, root, OTHERS, of="val") if root else scenes(apart, OTHERS, 91)
            job(folder, made, way, (minutes, pace), (apart, unseen))
            os.chdir("/")


if __name__ == "__main__":
    main()
