"""A person at the studio's page: what is seen is asked of the page, what is kept of the store."""

import time
from collections.abc import Callable
from typing import Any


def until(happened: Callable[[], object], seconds: float = 15) -> None:
    """Wait for something to be true. (A browser's own waiting is code that the page forbids.)"""
    end = time.monotonic() + seconds
    while not happened():
        assert time.monotonic() < end, "it did not happen"
        time.sleep(0.01)


class Person:
    """Whoever draws, in pixels of the picture."""

    def __init__(self, page: Any, store: Any) -> None:
        self.page, self.store = page, store
        until(lambda: page.evaluate("Boolean(window.viewfinder?.studio.picture?.ready)"))

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
        mouse = self.page.mouse
        mouse.move(*self.place(*start))
        mouse.down()
        mouse.move(*self.place(*end), steps=steps)
        mouse.up()

    def click(self, x: float, y: float) -> None:
        self.page.mouse.click(*self.place(x, y))

    def named(self, name: str) -> None:
        """Answer the question for a name."""
        self.page.locator("dialog input").wait_for()
        self.page.keyboard.type(name)
        self.press("Enter")
        self.answered()

    def answered(self) -> None:
        """Wait until the page has heard an answer to its question."""
        until(lambda: not self.page.locator("dialog").is_visible())
        self.page.evaluate("new Promise((go) => setTimeout(go, 20))")

    def open(self, picture: int) -> None:
        self.page.evaluate("(id) => viewfinder.travel.open(id)", picture)

    def shown(self) -> int:
        return int(self.page.evaluate("viewfinder.studio.picture.id"))

    def saved(self) -> None:
        """Wait until the page says so."""
        until(lambda: self.page.locator("#sending").inner_text() == "saved")

    def boxes(self, picture: int = 1) -> list[tuple[str, list[int]]]:
        """Class and rounded corners, as the store has them."""
        self.saved()
        names = {each.id: each.name for each in self.store.classes()}
        found = self.store.picture(picture).boxes
        return [(names[box.label], [round(v) for v in box.corners]) for box in found]
