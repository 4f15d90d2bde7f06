"""How smoothly 5,000 boxes on one picture move, at the studio's page in a real Chromium.

    uv run python benchmarks/label_many_boxes.py             5,000 boxes, 3 s of each; half a minute
    uv run python benchmarks/label_many_boxes.py 2000 5      other numbers
    uv run python benchmarks/label_many_boxes.py 5000 3 3840x2160   the same on a 4K screen

The pointer moves once for each frame that the browser shows, as events of the page's own: what is
timed is the time between frames, which a browser without a screen shows 60 times a second at most:
of all, and of the second that had the fewest. Without a GPU it draws by software, on as many
processors as other programs leave; the load is said, and what of them each frame takes (Linux).
"""

import os
import sys
import tempfile
from pathlib import Path
from typing import Literal

import numpy as np

sys.path.insert(0, str(Path(__file__).parents[1]))
sys.path.insert(0, str(Path(__file__).parents[1] / "tests" / "helpers"))

from playwright.sync_api import Page
from studio_page import Person, until

from benchmarks.page_person import at_the_page
from viewfinder.pictures.writing import write_picture
from viewfinder.studio.store import Operation, PutBox, Store

CLASSES = tuple(f"class {number}" for number in range(10))
SIZE = (1600, 900)
# Moves the pointer from a place on the screen in small circles, a step a frame, and gives the
# milliseconds between frames.
FRAMES = """([x, y, seconds]) => new Promise((done) => {
  const stage = document.getElementById("stage");
  const spent = [];
  let begun = null, last = null;
  requestAnimationFrame(function step(now) {
    begun ??= now;
    if (last !== null) spent.push(now - last);
    last = now;
    if (now - begun > 1000 * seconds) return done(spent);
    const angle = (now - begun) / 300;
    stage.dispatchEvent(new PointerEvent("pointermove", {
      pointerId: 1, pointerType: "mouse", isPrimary: true, bubbles: true, button: -1, buttons: 1,
      clientX: x + 60 * Math.sin(angle), clientY: y + 40 * (1 - Math.cos(angle))}));
    requestAnimationFrame(step);
  });
})"""
WHEEL = """([x, y, seconds]) => new Promise((done) => {
  const stage = document.getElementById("stage");
  const spent = [];
  let begun = null, last = null;
  requestAnimationFrame(function step(now) {
    begun ??= now;
    if (last !== null) spent.push(now - last);
    last = now;
    if (now - begun > 1000 * seconds) return done(spent);
    stage.dispatchEvent(new WheelEvent("wheel", {
      clientX: x, clientY: y, deltaY: -20 * Math.cos((now - begun) / 400), cancelable: true}));
    requestAnimationFrame(step);
  });
})"""


def prepare(store: Store, count: int) -> None:
    random = np.random.default_rng(0)
    low = random.uniform(0, 1, (count, 2)) * (SIZE[0] - 60, SIZE[1] - 60)
    corners = np.concatenate([low, low + random.uniform(8, 50, (count, 2))], axis=1).tolist()
    boxes = [
        PutBox(f"b{n}", 1, f"c{n % len(CLASSES)}", tuple(each), 0) for n, each in enumerate(corners)
    ]
    store.apply(Operation("boxes", tuple(boxes)))


def told(page: Page, what: str, script: str, words: list[float]) -> None:
    """A row of the table."""
    before = of_browser()
    spent = page.evaluate(script, words)
    processor = of_browser() - before
    middle, late = np.percentile(spent, [50, 95])
    rate = 1000 * len(spent) / sum(spent)
    ends = np.cumsum(spent)
    whole = ends[ends <= ends[-1] - 1000]
    worst = min((int(((ends > at) & (ends <= at + 1000)).sum()) for at in (0, *whole)), default=0)
    each = f"{1000 * processor / len(spent):.0f} ms" if processor else "?"
    row = f"{rate:.1f} | {worst} | {middle:.1f} ms | {late:.1f} ms | {each}"
    print(f"| {what} | {row} |", flush=True)


def of_browser() -> float:
    """Seconds of processors that the browser's processes took so far (Linux; elsewhere 0)."""
    parents, spent = {}, {}
    for each in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = each.read_text().rsplit(")", 1)[1].split()
        except OSError:  # ended meanwhile
            continue
        parents[int(each.parent.name)] = int(fields[1])
        spent[int(each.parent.name)] = int(fields[11]) + int(fields[12])

    def ours(process: int) -> bool:
        parent = parents.get(process, 0)
        return parent == os.getpid() or (parent != 0 and ours(parent))

    ticks = sum(each for process, each in spent.items() if ours(process))
    return ticks / os.sysconf("SC_CLK_TCK") if ticks else 0.0


def measure(person: Person, seconds: float) -> None:
    page = person.page
    until(lambda: page.evaluate("viewfinder.studio.boxes.size") > 0)

    def moving(what: str, x: float, y: float, button: Literal["left", "middle"] = "left") -> None:
        before = page.evaluate("viewfinder.labels.done.length")
        start = person.place(x, y)
        page.mouse.move(*start)
        page.mouse.down(button=button)
        told(page, what, FRAMES, [*start, seconds])
        page.mouse.move(start[0] + 30, start[1] + 20)
        page.mouse.up(button=button)
        person.saved()
        moved = page.evaluate("viewfinder.labels.done.length") - before
        assert moved == (button == "left"), "the gesture was another one than meant"

    script = """() => { const [box] = viewfinder.studio.boxes.values();
      viewfinder.studio.select([box.id], {held: true}); return box.corners; }"""
    x1, y1, x2, y2 = page.evaluate(script)
    moving("one box is moved", (x1 + x2) / 2, (y1 + y2) / 2)
    x1, y1, x2, y2 = page.evaluate(script)
    moving("one box is pulled by its corner", x2, y2)
    page.evaluate("viewfinder.studio.select([])")
    moving("one box is drawn", SIZE[0] / 2, SIZE[1] / 2)
    page.evaluate("viewfinder.studio.select([])")
    moving("the view is moved", SIZE[0] / 2, SIZE[1] / 2, button="middle")
    told(page, "nearer and further", WHEEL, [*person.place(SIZE[0] / 2, SIZE[1] / 2), seconds])
    page.evaluate("viewfinder.run('all')")
    until(lambda: page.evaluate("viewfinder.studio.selection.size") > 1)
    moving("all boxes are moved", SIZE[0] / 2, SIZE[1] / 2)


def main() -> None:
    count, seconds = (*map(int, sys.argv[1:3]), *(5000, 3)[len(sys.argv[1:3]) :])
    wide, high = map(int, (sys.argv[3] if len(sys.argv) > 3 else "1280x720").split("x"))
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place) / "one"
        folder.mkdir()
        pixels = np.random.default_rng(1).integers(0, 256, (*SIZE[::-1], 3)).astype(np.uint8)
        write_picture(folder / "0.png", pixels)
        with at_the_page(
            folder, lambda store: prepare(store, count), CLASSES, screen=(wide, high)
        ) as (person, _):
            said = f"load {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores"
            print(f"{count:,} boxes, {wide} × {high}, {said}\n")
            print("| | frames/s | worst second | median | p95 | processor a frame |")
            print("|---|---|---|---|---|---|")
            measure(person, seconds)


if __name__ == "__main__":
    main()
