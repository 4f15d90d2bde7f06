"""What a person waits for at the studio's page, in Chromium: 100,000 pictures, 500,000 boxes.

    uv run python benchmarks/studio_page.py                     about four minutes
    uv run python benchmarks/studio_page.py 1000 5000 [60]      other numbers; pictures gone through

`viewfinder label` runs as a process of its own and has taken the set in before. A scripted person
goes from picture to picture; in each a box is drawn, moved by two keys and left, a quarter of a
second apart, which is quicker than anybody is. Told are the times from a key to the frame that
shows it, from the key to the next picture, and from an edit to its answer, each with its 95th of a
hundred; and the load.
"""

import shutil
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))
sys.path.insert(0, str(Path(__file__).parents[1] / "tests" / "helpers"))

from playwright.sync_api import sync_playwright
from studio_page import Person, ready, until

from benchmarks.page_person import CLOCKS, report_clocks
from benchmarks.studio_server import Server, large_set

# Seconds between two actions.
_PAUSE = 0.25


def goes_through(url: str, pictures: int) -> None:
    """Draw, move, and on to the next."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=shutil.which("chromium"), args=["--no-sandbox"]
        )
        page = browser.new_context(viewport={"width": 1280, "height": 720}).new_page()
        page.goto(url)
        ready(page)
        person = Person(page, None)
        page.evaluate(CLOCKS)
        for number in range(pictures):
            x, y = 2 + 5 * (number % 6), 2 + 4 * (number % 5)
            person.drag((x, y), (x + 20, y + 16))
            for key in ("ArrowRight", "ArrowDown", "Escape"):
                time.sleep(_PAUSE)
                person.press(key)
            person.rest()
            time.sleep(_PAUSE)
            before = person.shown()
            person.press("d")
            until(lambda before=before: person.shown() != before)
            time.sleep(_PAUSE)
        person.saved()
        report_clocks(page.evaluate("clocks"))
        browser.close()


def main() -> None:
    words = [int(word) for word in sys.argv[1:]]
    pictures, boxes, shown = (*words, *(100_000, 500_000, 100)[len(words) :])
    with large_set(pictures, boxes) as root:
        Server(root, root.parent).end()
        server = Server(root, root.parent)
        goes_through(server.url, shown)
        server.end()


if __name__ == "__main__":
    main()
