"""Points of an outline: one is moved, made on a side, taken away; and pixels become rings."""

import cv2
import numpy as np
import pytest
from studio_page import told, until

from viewfinder.pictures.masks import decode, encode
from viewfinder.studio.store import Operation, PutBox, PutClass

SQUARE = [100, 100, 200, 100, 200, 200, 100, 200]


@pytest.fixture
def outlined(person, served):
    """Gives the first picture a box with an outline, and the page the tool in hand."""

    def begin(corners, mask):
        box = PutBox("b", 1, "c", corners, 0, mask=mask)
        served.store.apply(Operation("a", (PutClass("c", "mug", 0), box)))
        person.reload()
        until(lambda: person.page.evaluate("viewfinder.studio.boxes.size") == 1)
        person.page.locator("#stage").focus()
        person.press("Shift+C")
        return served.store.contents()

    return begin


def test_a_point_is_moved_made_and_taken_away(outlined, person, served):
    store = served.store

    def kept(polygon, corners):
        person.saved()
        (box,) = store.picture(1).boxes
        (mask,) = box.mask
        assert np.allclose(mask, polygon, atol=0.6)
        assert np.allclose(box.corners, corners, atol=0.6)

    before = outlined((100, 100, 200, 200), [SQUARE])
    person.click(150, 150)  # it is chosen
    person.drag((200, 200), (240, 230))
    kept([100, 100, 200, 100, 240, 230, 100, 200], (100, 100, 240, 230))
    person.drag((150, 100), (150, 60))  # on a side: one more
    kept([100, 100, 150, 60, 200, 100, 240, 230, 100, 200], (100, 60, 240, 230))
    person.page.mouse.click(*person.place(100, 100), button="right")
    kept([150, 60, 200, 100, 240, 230, 100, 200], (100, 60, 240, 230))
    for corner in ((200, 100), (240, 230)):
        person.rest()
        person.page.mouse.click(*person.place(*corner), button="right")
    told(person.page, "An outline has three points at least")
    kept([150, 60, 240, 230, 100, 200], (100, 60, 240, 230))
    # With keys alone: the cursor takes a point along.
    person.page.mouse.move(*person.place(150, 60))
    person.press("w", "ArrowUp", "w")
    step = 10 / person.page.evaluate("viewfinder.stage.view.scale")
    kept([150, 60 - step, 240, 230, 100, 200], (100, 60 - step, 240, 230))
    for _ in range(5):
        person.press("Control+z")
    person.saved()
    assert store.contents() == before


def test_pixels_get_points_along_their_edge_and_a_box_has_its_corners(outlined, person, served):
    truth = np.zeros((480, 640), np.uint8)
    cv2.circle(truth, (300, 220), 80, 1, -1)
    outlined((220, 140, 381, 301), dict(encode(truth > 0)))
    person.click(300, 220)
    rings = person.page.evaluate("viewfinder.shaping.points.rings()")
    assert 8 < len(rings[0]) < 80
    top = min(rings[0], key=lambda point: point[1])
    person.drag(top, (top[0], 100))
    person.saved()
    polygons = served.store.picture(1).boxes[0].mask
    mask = decode([np.array(each) for each in polygons], (640, 480))
    assert mask[120, round(top[0])]
    assert (mask & (truth > 0)).sum() > 0.98 * truth.sum()
    person.press("Escape")
    person.drag((20, 20), (90, 90))
    person.press("Shift+C")
    person.drag((20, 20), (40, 30))
    person.saved()
    (mask,) = served.store.picture(1).boxes[1].mask
    assert np.allclose(mask, [40, 30, 90, 20, 90, 90, 20, 90], atol=0.6)


def test_rings_lie_where_the_pixels_end(page):
    """But for what fewer points cost, about a pixel; and an outline with a hole has none."""
    script = """async ([counts, size]) => { const runs = await import("/page/runs.js");
        const [rings, strokes] = await Promise.all(["rings", "strokes"].map((each) =>
            import(`/page/${each}.js`)));
        const found = rings.ringsOf(runs.decoded({counts}), size[1]);
        return found && [found, strokes.filled(found, size)]; }"""
    random = np.random.default_rng(5)
    for _ in range(12):
        drawn = np.zeros((60, 80), np.uint8)
        for _ in range(4):
            x, y, radius = (int(each) for each in random.integers((5, 5, 2), (75, 55, 14)))
            cv2.circle(drawn, (x, y), radius, 1, -1)
        lines, _ = cv2.findContours(drawn, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
        cv2.drawContours(drawn, lines, -1, 1, -1)
        rings, runs = page.evaluate(script, [encode(drawn > 0)["counts"], [80, 60]])
        flat = np.zeros(80 * 60, np.bool_)
        for start, end in runs:
            flat[start:end] = True
        back = flat.reshape((60, 80), order="F")
        inner = cv2.erode(drawn, np.ones((3, 3)), borderValue=0) > 0
        assert back[inner].all()
        assert not back[cv2.dilate(drawn, np.ones((3, 3))) == 0].any()
        assert sum(map(len, rings)) < (drawn > 0).sum() / 2 + 8
    drawn[10:50, 10:60], drawn[20:30, 20:30] = 1, 0
    assert page.evaluate(script, [encode(drawn > 0)["counts"], [80, 60]]) is None
