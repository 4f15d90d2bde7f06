"""The road of one who never saw a terminal: from an empty folder to a used run, by the page alone.

    uv run python benchmarks/studio_road.py OUT          about three minutes; screenshots into OUT
    uv run python benchmarks/studio_road.py OUT dark     in the dark theme

A real Chromium and nothing but the page: rendered pictures are added by its own file input, boxes
are drawn by drags in six of them, *Learn…* trains for a minute, and *Use it…* shows the report and
answers a picture that was never in the folder. It ends with an error where a step does not lead on.
"""

import os
import shutil
import sys
import tempfile
import threading
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))
sys.path.insert(0, str(Path(__file__).parents[1] / "tests" / "helpers"))

from playwright.sync_api import Page, sync_playwright
from studio_page import Person, until

from viewfinder.pictures.writing import write_picture
from viewfinder.studio.server.serving import studio_server
from viewfinder.studio.store import Store, open_store
from viewfinder.tabletop import CLASSES, SceneOptions
from viewfinder.tabletop.example import Example
from viewfinder.tabletop.scenes import render_scene

PICTURES, DRAWN = 20, 6


class Walk:
    """One walk, with a picture of each step."""

    def __init__(self, page: Page, store: Store, out: Path, theme: str) -> None:
        self.page, self.store, self.out, self.theme = page, store, out, theme
        self.start, self.steps = time.monotonic(), 0

    def step(self, name: str) -> None:
        self.steps += 1
        self.page.wait_for_timeout(400)
        self.page.screenshot(path=self.out / f"road-{self.steps}-{name}-{self.theme}.png")
        print(f"{time.monotonic() - self.start:5.0f} s  {name}", flush=True)

    def add(self, pictures: list[Path]) -> None:
        self.page.get_by_text("From a few pictures to a detector of your own").wait_for()
        self.step("empty")
        self.page.locator("#road-files").set_input_files(pictures)
        until(lambda: self.store.pictures(count=0).total == len(pictures), seconds=60)
        self.page.get_by_text("Drag a box around each thing").wait_for()

    def draw(self, truth: dict[str, Example]) -> None:
        person, names = Person(self.page, self.store), list[str]()
        for done in range(DRAWN):
            here = person.shown()
            scene = truth[self.store.picture(here).picture.path]
            for label, corners in zip(scene.box_classes, scene.boxes, strict=True):
                x1, y1, x2, y2 = map(float, corners)
                name = CLASSES[int(label)]
                self.page.keyboard.press("Escape")
                if name not in names:
                    names.append(name)
                    person.press("c")
                    person.named(name)
                person.press(str(names.index(name) + 1))
                person.drag((x1, y1), (x2, y2))
                until(lambda: self.page.evaluate("viewfinder.studio.selected().length") == 1)
            if not done:
                self.step("draw")
            person.press("Enter")
            until(lambda here=here: person.shown() != here)
        person.saved()

    def learn(self) -> None:
        self.page.locator("#road-learn").click()
        self.page.get_by_label("How long").select_option("1 minute")
        self.page.locator("dialog button.first").click()
        self.page.locator("#learn-stop").wait_for()
        self.page.wait_for_timeout(15_000)
        self.step("learning")
        self.page.locator("#road-use").wait_for(timeout=600_000)
        until(lambda: self.page.evaluate("viewfinder.studio.ghosts().length") > 0, seconds=30)
        self.step("proposed")

    def use(self, fresh: Path) -> None:
        self.page.locator("#road-use").click()
        self.page.locator("#try-file").set_input_files(fresh)
        self.page.locator(".drop canvas").wait_for(timeout=60_000)
        self.step("used")
        print("      ", self.page.locator(".drop [role=status]").inner_text())
        with self.page.expect_popup() as opened:
            self.page.locator("#learn-report").click()
        opened.value.wait_for_load_state()
        opened.value.screenshot(path=self.out / f"road-report-{self.theme}.png")
        print("       the report:", opened.value.title())


def main() -> None:
    out = Path(sys.argv[1]).absolute()
    theme = "dark" if "dark" in sys.argv else "light"
    out.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as place:
        os.chdir(place)
        scenes = [render_scene(seed=5, index=n, options=SceneOptions(size=384)) for n in range(21)]
        for number, scene in enumerate(scenes):
            write_picture(Path(place) / "mine" / f"table-{number:02}.png", scene.picture)
        pictures = sorted((Path(place) / "mine").glob("*.png"))
        truth = {path.name: scene for path, scene in zip(pictures, scenes, strict=True)}
        data = Path(place) / "my-things"
        data.mkdir()
        with (
            open_store(data) as store,
            studio_server(store, person="me", port=0) as (server, bound, address),
            sync_playwright() as playwright,
        ):
            thread = threading.Thread(target=server.run, kwargs={"sockets": [bound]}, daemon=True)
            thread.start()
            browser = playwright.chromium.launch(
                executable_path=shutil.which("chromium"), args=["--no-sandbox"]
            )
            context = browser.new_context(
                viewport={"width": 1280, "height": 800}, color_scheme=theme
            )
            page = context.new_page()
            page.goto(address.url)
            walk = Walk(page, store, out, theme)
            walk.add(pictures[:PICTURES])
            walk.draw(truth)
            walk.learn()
            walk.use(pictures[PICTURES])
            browser.close()
            server.should_exit = server.force_exit = True
            thread.join(10)
        os.chdir("/")


if __name__ == "__main__":
    main()
