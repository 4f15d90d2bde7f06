"""What a box carries: masks, tracks, difficult and crowd, and a class guessed by its look."""

from pathlib import Path

import numpy as np
import pytest
from pycocotools import mask as coco
from studio_page import told, until

from viewfinder.pictures.writing import write_picture
from viewfinder.studio.learning import impressions
from viewfinder.studio.store import Operation, PutBox, PutClass

pytestmark = pytest.mark.filterwarnings("ignore:__array__:DeprecationWarning")  # pycocotools

LEARNER = str(Path(__file__).parents[1] / "learner.py")


def a_blob(seed=0, x=100, y=80):
    random = np.random.default_rng(seed)
    shape = np.zeros((480, 640), np.uint8)
    shape[y : y + 60, x : x + 90] = (random.random((6, 9)) < 0.6).repeat(10, 0).repeat(10, 1)
    shape[y, x] = shape[y + 59, x + 89] = 1
    return shape


def coded(shape, *, text):
    found = coco.encode(np.asfortranarray(shape))
    if text:
        return {"size": [480, 640], "counts": found["counts"].decode()}
    flat = shape.ravel(order="F")
    ends = np.flatnonzero(np.diff(np.concatenate([[0], flat, [2]]).astype(int)))
    return {"size": [480, 640], "counts": np.diff(np.concatenate([[0], ends])).tolist()}


# What a canvas shows, to be read: one that shows a picture gives none of its pixels.
COPIED = """() => { window.copied = (canvas) => {
  const made = document.createElement("canvas");
  [made.width, made.height] = [canvas.width, canvas.height];
  const at = made.getContext("2d");
  at.drawImage(canvas, 0, 0);
  return at; }; }"""


def shape_of(mask):
    counts = mask["counts"]
    if isinstance(counts, str):
        return coco.decode({"size": mask["size"], "counts": counts.encode()})
    return coco.decode(coco.frPyObjects(mask, 480, 640))


@pytest.mark.parametrize("text", [True, False])
def test_run_lengths_are_shown_and_go_along(person, served, text):
    page, store = person.page, served.store
    shape = a_blob()
    box = PutBox("b", 1, "c", (100.0, 80.0, 190.0, 140.0), 0, mask=coded(shape, text=text))
    store.apply(Operation("a", (PutClass("c", "mug", 0, "#ff0000"), box)))
    page.reload()
    until(lambda: page.evaluate("window.viewfinder?.studio.boxes.size") == 1)
    page.evaluate("new Promise((go) => requestAnimationFrame(() => requestAnimationFrame(go)))")
    page.evaluate(COPIED)
    # What the canvas shows within the box is where the mask is.
    seen = page.evaluate("""() => { const {view} = viewfinder.stage; const got = [];
        const at = copied(document.querySelector("canvas.lower"));
        for (let y = 85; y < 136; y += 10) for (let x = 105; x < 186; x += 10) {
          const place = [(x + 0.5) * view.scale + view.x, (y + 0.5) * view.scale + view.y];
          got.push([x, y, at.getImageData(...place.map(Math.round), 1, 1).data[3]]); }
        return got; }""")
    alike = [(alpha > 50) == bool(shape[y, x]) for x, y, alpha in seen]
    assert len(alike) == 54
    assert all(alike)
    person.click(101, 81)
    person.press("Shift+ArrowRight", "ArrowDown")
    assert person.boxes() == [("mug", [110, 81, 200, 141])]
    assert (shape_of(store.picture(1).boxes[0].mask) == np.roll(shape, (1, 10), (0, 1))).all()
    person.drag((150, 110), (1000, 110.4))  # to the edge, in whole pixels
    assert person.boxes() == [("mug", [550, 81, 640, 141])]
    person.press("Control+d")
    until(lambda: len(store.picture(1).boxes) == 2)
    person.saved()
    for each in store.picture(1).boxes:
        x, y = map(round, each.corners[:2])
        assert (shape_of(each.mask) == np.roll(shape, (y - 80, x - 100), (0, 1))).all()
    person.press("Alt+ArrowLeft")  # another shape: the outline is gone, and it is said
    told(page, "The outline does not fit")


def test_of_very_many_boxes_each_has_its_sides(person, served):
    """They are written as pixels: where the view is, and in the colour of the class."""
    page, store = person.page, served.store
    corners = [(20.0 * (n % 30), 20.0 * (n // 30), 20 * (n % 30) + 12.0, 20 * (n // 30) + 9.0)
               for n in range(420)]  # fmt: skip
    boxes = [PutBox(f"b{n}", 1, "c", each, 0) for n, each in enumerate(corners)]
    store.apply(Operation("a", (PutClass("c", "mug", 0, "#ff8000"), *boxes)))
    page.reload()
    until(lambda: page.evaluate("window.viewfinder?.studio.boxes.size") == 420)
    page.evaluate(COPIED)
    for canvas, line in (("lower", 1), ("upper", 3)):
        page.evaluate("new Promise((go) => requestAnimationFrame(() => requestAnimationFrame(go)))")
        seen = page.evaluate("""([name, corners]) => { const {stage} = viewfinder;
            const canvas = document.querySelector(`canvas.${name}`);
            const {left, top} = canvas.getBoundingClientRect();
            const own = stage.element.getBoundingClientRect(), at = copied(canvas);
            const place = (v, from, by) => Math.round(v * stage.view.scale + by + from);
            return corners.map(([x1, y1, x2, y2]) => {
              const x = place(x1, own.left - left, stage.view.x);
              const y = place((y1 + y2) / 2, own.top - top, stage.view.y);
              return [...at.getImageData(x, y, 4, 1).data]; });
            }""", [canvas, corners])  # fmt: skip
        assert all(row == [255, 128, 0, 255] * line + [0] * 4 * (4 - line) for row in seen)
        page.evaluate("viewfinder.run('all')")
        until(lambda: page.evaluate("viewfinder.studio.selection.size") == 420)


def test_run_lengths_are_read_and_written_as_coco_does(page):
    """Whatever the mask, in both ways of writing it."""
    random = np.random.default_rng(3)
    for size in ((1, 1), (7, 5), (40, 33)):
        for share in (0, 0.02, 0.5, 1):
            shape = (random.random(size) < share).astype(np.uint8)
            counts = coco.encode(np.asfortranarray(shape))["counts"].decode()
            script = """async ([counts, total]) => { const r = await import("/page/runs.js");
                const runs = r.decoded({counts});
                return [runs, r.encoded(runs, total, true), r.encoded(runs, total, false)]; }"""
            runs, text, plain = page.evaluate(script, [counts, size[0] * size[1]])
            flat = np.zeros(size[0] * size[1], np.uint8)
            for start, end in runs:
                flat[start:end] = 1
            assert (flat.reshape(size, order="F") == shape).all()
            assert text == counts
            assert sum(plain) == flat.size


def test_marks_and_tracks_are_set_shown_and_carried(person, served):
    page, store = person.page, served.store
    person.drag((100, 100), (200, 180))
    person.named("mug")
    person.press("i", "Shift+i", "t")
    page.locator("dialog input").fill("7")
    person.press("Enter")
    person.answered()
    person.saved()
    box = store.picture(1).boxes[0]
    assert (box.difficult, box.crowd, box.track, box.key_frame) == (True, True, "7", True)
    until(lambda: "mug #7 difficult crowd" in page.locator("#boxes").inner_text())
    page.get_by_role("button", name="Chosen boxes are crowd").click()
    person.press("Control+d")  # an object is in a picture once
    until(lambda: len(store.picture(1).boxes) == 2)
    assert [each.track for each in store.picture(1).boxes] == ["7", None]
    person.press("t")
    page.locator("dialog input").fill("7")
    person.press("Enter")
    told(page, "Another box of this picture is track 7 already")
    page.locator("#stage").focus()
    person.press("Enter")
    until(lambda: person.shown() == 2)
    person.press("r")
    until(lambda: len(store.picture(2).boxes) == 2)
    first = store.picture(2).boxes[0]
    assert (first.track, first.difficult, first.crowd) == ("7", True, False)
    person.press("Escape")
    person.click(101, 150)
    page.get_by_role("button", name="Change track 7").click()
    page.locator("dialog input").wait_for()
    person.press("Escape")  # left: the track stays
    person.answered()
    assert store.picture(2).boxes[0].track == "7"


def test_classes_are_guessed_by_what_a_network_makes_of_boxes_too(person, served, monkeypatch):
    """All boxes look alike; a process that says so tells the left ones from the right ones."""
    monkeypatch.setattr(impressions, "_IMPRESS", (LEARNER, "impress"))
    page, store = person.page, served.store
    for number in range(2):
        write_picture(store.data / f"{number:03}.png", np.full((480, 640, 3), 200, np.uint8))
    classes = [PutClass(f"c{n}", f"class {n}", 0, position=n) for n in range(2)]
    corners = [(20 + n % 2 * 320, 20 + n * 20) for n in range(14)]
    boxes = [
        PutBox(f"b{n}", 1, f"c{n % 2}", (x, y, x + 40, y + 40), 0)
        for n, (x, y) in enumerate(corners)
    ]
    store.apply(Operation("boxes", (*classes, *boxes)))
    person.reload()
    known = """viewfinder.studio.memory.impressions.of(viewfinder.studio.picture.id,
        [0, 0, 9, 9], [640, 480]) !== null"""
    until(lambda: page.evaluate(known))
    for x in (400, 100, 450, 200):  # not in turn
        person.drag((x, 350), (x + 40, 390))
        person.press("Escape")
        person.rest()
    person.saved()
    drawn = {round(box.corners[0]): box.label for box in store.picture(1).boxes}
    assert [drawn[x] for x in (400, 100, 450, 200)] == ["c1", "c0", "c1", "c0"]


def test_the_class_of_a_new_box_is_guessed_by_its_look(person, served):
    page, store = person.page, served.store
    for number in range(2):
        picture = np.full((480, 640, 3), 230, np.uint8)
        for x in (40, 240, 440):
            picture[40:140, x : x + 100] = (200, 30, 30)
            picture[240:270, x : x + 160] = (30, 30, 200)
        write_picture(store.data / f"{number:03}.png", picture)
    person.reload()
    person.drag((40, 40), (140, 140))
    person.named("square")
    person.drag((40, 240), (200, 270))
    person.press("c")
    person.named("bar")
    person.drag((240, 41), (341, 140))
    person.drag((242, 240), (400, 270))
    person.press("Escape", "2")  # said before it is drawn: not guessed
    person.drag((440, 40), (540, 140))
    assert [name for name, _ in person.boxes()] == ["square", "bar", "square", "bar", "bar"]
    page.get_by_role("button", name="Guess the class of a new box").click()
    person.drag((441, 42), (540, 141))
    assert person.boxes()[-1][0] == "bar"
    person.saved()
    until(lambda: '"guesses": false' in (store.meta("settings:tester") or ""))
