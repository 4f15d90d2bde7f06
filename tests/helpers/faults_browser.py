"""A real Chromium at the studio's page, which is killed while edits wait in it."""

import contextlib
import os
import random
import shutil
import signal
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from playwright.sync_api import Error, sync_playwright
from studio_page import Person, until

# The page's outbox, and which edits it was told are kept.
HEAR = """() => {
  const {outbox} = viewfinder;
  window.added = []; window.acknowledged = [];
  const add = outbox.add.bind(outbox), answer = outbox.onanswer;
  outbox.add = (entry) => { added.push(entry.id); add(entry); };
  outbox.onanswer = (entry, body) => { acknowledged.push(entry.id); answer(entry, body); };
}"""
STROKES = 14


@dataclass
class Seen:
    """What became of the edits of a browser."""

    acknowledged: list[str]
    lost: int
    doubled: int


class Browser:
    """One with a past: what waits in it is there when it is opened again."""

    def __init__(self, work: Path, picture: int) -> None:
        self._profile, self._picture = work / "browser", picture
        self._acknowledged: list[str] = []
        self._before = 0
        self._drawn = 0

    def killed_at_work(self, url: str, random_: random.Random) -> None:
        """Draw boxes at the page, and kill the browser at a random moment of it."""
        with contextlib.suppress(Error), self._opened(url) as (page, person):
            self._before = self._boxes(page)
            for number in range(random_.randrange(3, STROKES)):
                x, y = 3 + number * 2.0, 4.0
                person.drag((x, y), (x + 7, y + 9), steps=2)
                self._acknowledged = page.evaluate("acknowledged")
                self._drawn = len(page.evaluate("added"))
            self._kill()
            page.evaluate("1")

    def after(self, url: str) -> Seen:
        """Open it again, let it send what waited, and compare."""
        with self._opened(url) as (page, _):
            until(lambda: page.evaluate("viewfinder.outbox.state") == "saved", 60)
            more = self._boxes(page) - self._before
            own = self._acknowledged
        # What the browser had not even kept yet when it was killed is not acknowledged.
        return Seen(own, max(0, len(own) - more), max(0, more - self._drawn))

    def _boxes(self, page: Any) -> int:
        ask = "(id) => fetch(`/api/pictures/${id}`).then((answer) => answer.json())"
        return len(page.evaluate(ask, self._picture)["boxes"])

    @contextlib.contextmanager
    def _opened(self, url: str) -> Iterator[tuple[Any, Person]]:
        with sync_playwright() as playwright:
            context = playwright.chromium.launch_persistent_context(
                self._profile,
                executable_path=shutil.which("chromium"),
                args=["--no-sandbox"],
                viewport={"width": 1280, "height": 720},
            )
            page = context.new_page()
            page.goto(url)
            person = Person(page, None)
            person.open(self._picture)
            until(lambda: person.shown() == self._picture)
            page.evaluate(HEAR)
            try:
                yield page, person
            finally:
                with contextlib.suppress(Error):
                    context.close()

    def _kill(self) -> None:
        """Every process of this profile at once."""
        for entry in Path("/proc").iterdir():
            with contextlib.suppress(OSError):
                words = (entry / "cmdline").read_bytes().split(b"\0")
                if f"--user-data-dir={self._profile}".encode() in words:
                    os.kill(int(entry.name), signal.SIGKILL)
        time.sleep(0.2)
