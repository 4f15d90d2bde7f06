"""A person at the studio's page: what is seen is asked of the page, what is kept of the store."""

import time
from collections.abc import Callable
from typing import Any

# Keeps all that a page tells for some seconds, for whoever looks later.
HEARD = """window.told = [];
  addEventListener("DOMContentLoaded", () => {
    const notes = document.getElementById("notes");
    const hear = (changes) => {
      for (const each of changes) told.push(...[...each.addedNodes].map((one) => one.textContent));
    };
    if (notes) new MutationObserver(hear).observe(notes, { childList: true });
  });"""


def until(happened: Callable[[], object], seconds: float = 60) -> None:
    """Wait for something to be true. (A browser's own waiting is code that the page forbids.)"""
    end = time.monotonic() + seconds
    while not happened():
        assert time.monotonic() < end, "it did not happen"
        time.sleep(0.01)


def told(page: Any, text: str) -> None:
    """Wait until a page has told something, whether it is still to be seen or not."""
    script = "(text) => window.told.some((each) => each.includes(text))"
    until(lambda: page.evaluate(script, text))


def ready(page: Any) -> None:
    """Wait for a picture that can be drawn on: what is drawn before goes nowhere."""
    until(lambda: page.evaluate("Boolean(window.viewfinder?.studio.picture?.ready)"))


class Person:
    """Whoever draws, in pixels of the picture."""

    def __init__(self, page: Any, store: Any) -> None:
        self.page, self.store = page, store
        ready(page)

    def reload(self) -> None:
        """Open the page anew, and wait for its picture."""
        self.page.reload()
        ready(self.page)

    def rest(self) -> None:
        """Wait until the page has done what was asked for, or asks something itself."""
        until(lambda: self.page.evaluate("viewfinder.turns.over || viewfinder.dialogs.asking"))

    def press(self, *keys: str) -> None:
        for key in keys:
            self.page.keyboard.press(key)

    def place(self, x: float, y: float) -> tuple[float, float]:
        """Where a point of the picture is on the screen."""
        script = """([x, y]) => { const {view, element} = viewfinder.stage;
            const {left, top} = element.getBoundingClientRect();
            return [left + x * view.scale + view.x, top + y * view.scale + view.y]; }"""
        found = self.page.evaluate(script, [x, y])
        return found[0], found[1]

    def drag(self, start: tuple[float, float], end: tuple[float, float], steps: int = 3) -> None:
        self.rest()
        mouse = self.page.mouse
        mouse.move(*self.place(*start))
        mouse.down()
        mouse.move(*self.place(*end), steps=steps)
        mouse.up()

    def click(self, x: float, y: float) -> None:
        self.rest()
        self.page.mouse.click(*self.place(x, y))

    def named(self, name: str) -> None:
        """Answer the question for a name."""
        self.page.locator("dialog input").wait_for()
        self.page.keyboard.type(name)
        self.press("Enter")
        self.answered()

    def answered(self) -> None:
        """Wait until the page has heard an answer to its question."""
        until(lambda: not self.page.evaluate("viewfinder.dialogs.asking"))

    def open(self, picture: int) -> None:
        self.page.evaluate("(id) => viewfinder.travel.open(id)", picture)

    def shown(self) -> int:
        return int(self.page.evaluate("viewfinder.studio.picture.id"))

    def saved(self) -> None:
        """Wait until the page has done what was asked for, and says that it is saved."""
        self.rest()
        until(lambda: self.page.locator("#sending").inner_text() == "saved")

    def boxes(self, picture: int = 1) -> list[tuple[str, list[int]]]:
        """Class and rounded corners, as the store has them."""
        self.saved()
        names = {each.id: each.name for each in self.store.classes()}
        found = self.store.picture(picture).boxes
        return [(names[box.label], [round(v) for v in box.corners]) for box in found]
