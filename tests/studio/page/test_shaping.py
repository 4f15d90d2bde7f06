"""Outlines by a click, a brush, an eraser and corners: one edit each, kept as run lengths."""

import cv2
import numpy as np
import pytest
from studio_page import until

from viewfinder.datasets.opening import open_dataset
from viewfinder.pictures.masks import box_around, decode
from viewfinder.pictures.writing import write_picture
from viewfinder.studio.store import Operation, PutClass

# A press and a release of a pen or a finger.
TAP = """([kind, x, y]) => {
  const { element } = viewfinder.stage;
  const at = { pointerType: kind, pointerId: 7, clientX: x, clientY: y, bubbles: true, button: 0 };
  element.setPointerCapture = () => {};
  for (const what of ["down", "up"]) element.dispatchEvent(new PointerEvent(`pointer${what}`, at));
}"""


def mask_of(store, number=0):
    box = store.picture(1).boxes[number]
    mask = decode(box.mask, (640, 480))
    assert tuple(map(round, box.corners)) == box_around(mask)
    return mask


def alike(a, b):
    return (a & b).sum() / (a | b).sum()


@pytest.fixture
def disc(person, served):
    """A disc in the first picture, one class, and the page that shows them."""
    truth = np.zeros((480, 640), np.uint8)
    cv2.circle(truth, (300, 220), 80, 1, -1)
    picture = np.full((480, 640, 3), (200, 190, 170), np.uint8)
    picture[truth > 0] = (60, 110, 160)
    write_picture(served.store.data / "000.png", picture)
    classes = (PutClass("c", "plate", 0), PutClass("d", "lid", 0, position=1))
    served.store.apply(Operation("classes", classes))
    person.reload()
    return truth > 0


def drafted(page, count=1):
    until(
        lambda: (
            page.evaluate("viewfinder.shaping.draft && viewfinder.shaping.strokes.length") == count
        )
    )


def test_a_click_gives_box_and_outline(person, served, disc):
    page, store = person.page, served.store
    before = store.contents()
    page.locator("#tool-outline").click()
    assert page.locator("#tool-outline").get_attribute("aria-pressed") == "true"
    person.click(300, 220)
    drafted(page)
    person.drag((260, 200), (340, 250))
    drafted(page, 2)
    page.mouse.click(*person.place(450, 220), button="right")  # takes away
    drafted(page, 3)
    person.press("Control+z")
    drafted(page, 2)
    assert store.contents() == before
    person.press("2")
    until(lambda: len(store.picture(1).boxes) == 1)
    assert alike(mask_of(store), disc) > 0.95
    assert person.boxes()[0][0] == "lid"
    assert person.shown() == 1
    person.press("Control+z")
    person.saved()
    until(lambda: store.contents() == before)
    person.press("Escape")
    assert page.locator("#tool-outline").get_attribute("aria-pressed") == "false"


def test_a_click_by_keys_alone_and_a_pen(person, served, disc):
    page, store = person.page, served.store
    page.mouse.move(*person.place(300, 220))
    page.locator("#stage").focus()
    person.press("s", "ArrowLeft", "Alt+ArrowUp", "w")
    drafted(page)
    person.press("Enter")
    until(lambda: len(store.picture(1).boxes) == 1)
    assert alike(mask_of(store), disc) > 0.95
    person.press("Escape", "Escape", "Delete")
    person.click(300, 220)
    person.press("Delete", "s")
    until(lambda: not store.picture(1).boxes)
    for kind in ("pen", "touch"):
        x, y = person.place(300, 220)
        page.evaluate(TAP, [kind, x, y])
        drafted(page)
        person.press("1")
        until(lambda: len(store.picture(1).boxes) == 1)
        person.press("Control+z")
        until(lambda: not store.picture(1).boxes)


def test_brush_eraser_and_corners_change_the_outline_and_its_box(person, served, disc):
    page, store = person.page, served.store
    page.locator("#stage").focus()
    person.press("j")
    person.drag((100, 100), (200, 100), steps=8)
    until(lambda: len(store.picture(1).boxes) == 1)
    radius = page.evaluate("viewfinder.shaping.radius / viewfinder.stage.view.scale")
    drawn = np.zeros((480, 640), np.uint8)
    cv2.line(drawn, (100, 100), (200, 100), 1, round(2 * radius))
    person.saved()
    assert alike(mask_of(store), drawn > 0) > 0.9
    painted = mask_of(store)
    person.press("Shift+w")
    for corner in ((150, 60), (250, 60), (250, 150)):
        person.click(*corner)
    person.press("Enter")
    until(lambda: mask_of(store)[70, 240])
    assert mask_of(store).sum() > painted.sum() + 2000
    person.press("Shift+j", "]")
    person.drag((240, 40), (240, 160), steps=5)
    until(lambda: not mask_of(store)[70, 240])
    person.press("Control+z")
    until(lambda: mask_of(store)[70, 240])
    person.press("Control+z")
    until(lambda: (mask_of(store) == painted).all())
    person.saved()
    store.export(store.data.parent / "out", to="coco")
    back = open_dataset(store.data.parent / "out").boxes
    assert (decode(back.segmentations[0], (640, 480)) == painted).all()


def test_a_proposal_that_is_painted_is_accepted_with_its_outline(person, served, proposed):
    page, store = person.page, served.store
    page.reload()
    until(lambda: page.evaluate("window.viewfinder?.studio.ghosts().length") == 2)
    before = store.contents()
    person.press("p", "Shift+j")
    person.drag((30, 5), (30, 100), steps=4)
    until(lambda: len(store.picture(1).boxes) == 1)
    person.saved()
    mask = mask_of(store)
    assert mask[50, 80]
    assert not mask[50, 30]
    assert [each.state for each in store.picture(1).proposals] == ["accepted", "open"]
    person.press("Control+z")
    until(lambda: store.contents() == before)
    person.press("Control+y")
    until(lambda: len(store.picture(1).boxes) == 1)
    assert (mask_of(store) == mask).all()


def test_strokes_are_the_pixels_whose_middle_they_cover(page):
    script = """async ([points, radius]) => { const s = await import("/page/strokes.js");
        return [s.brushed(points, radius, [70, 50]), s.filled([points], [70, 50])]; }"""
    random = np.random.default_rng(4)
    y, x = np.mgrid[:50, :70] + 0.5
    for count in (1, 2, 5):
        points = (random.random((count, 2)) * (80, 60) - 5).round(1)
        radius = float(random.random() * 9 + 0.5)
        brushed, filled = page.evaluate(script, [points.tolist(), radius])
        near = np.full((50, 70), np.inf)
        for a, b in zip(points, [*points[1:], points[-1]], strict=True):
            way = b - a
            share = ((x - a[0]) * way[0] + (y - a[1]) * way[1]) / max(way @ way, 1e-9)
            share = share.clip(0, 1)
            near = np.minimum(near, np.hypot(x - a[0] - share * way[0], y - a[1] - share * way[1]))
        assert (raster(brushed) == (near <= radius)).all()
        inside = np.zeros((50, 70), np.bool_)
        for a, b in zip(points, np.roll(points, -1, axis=0), strict=True):
            if a[0] != b[0]:
                crossed = (a[0] <= x) != (b[0] <= x)
                inside ^= crossed & (a[1] + (x - a[0]) / (b[0] - a[0]) * (b[1] - a[1]) <= y)
        assert (raster(filled) == inside).all() or count < 3


def raster(runs):
    flat = np.zeros(70 * 50, np.bool_)
    for start, end in runs:
        flat[start:end] = True
    return flat.reshape((50, 70), order="F")
