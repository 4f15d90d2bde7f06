"""A video on the page: key frames, what lies between them, and how it is put right and accepted."""

import json

import numpy as np
import pytest
from studio_client import Client
from studio_page import Person, told, until

from viewfinder.datasets.frame_list import FrameOrigin, write_frame_list
from viewfinder.pictures.writing import write_picture
from viewfinder.studio.store import open_store

COUNT = 9


@pytest.fixture
def clip(tmp_path):
    """Frames in which a rough thing moves to the right, ever faster."""
    folder = tmp_path / "clip"
    random = np.random.default_rng(0)
    thing = random.integers(0, 255, (10, 10, 3), np.uint8).repeat(8, 0).repeat(8, 1)
    back = random.integers(90, 110, (30, 40, 3), np.uint8).repeat(8, 0).repeat(8, 1)
    for n in range(COUNT):
        picture = back.copy()
        picture[100:180, 20 + 2 * n * n : 100 + 2 * n * n] = thing
        write_picture(folder / f"{n}.png", picture)
    origins = {f"{n}.png": FrameOrigin("a.mp4", n, n / 10) for n in range(COUNT)}
    write_frame_list(folder, origins)
    return folder


def true(n):
    return (20 + 2 * n * n, 100, 100 + 2 * n * n, 180)


def test_a_video_is_labelled_by_key_frames(visit, clip, serve):
    with open_store(clip, wait=True) as store:
        served = serve(store)
        page = visit(served.address.url)
        person = Person(page, store)
        _labels(person, page, store)
        page.context.close()
        served.stop()


def test_where_boxes_stray_between_key_frames_it_is_said_how_they_follow(visit, clip, serve):
    with open_store(clip, wait=True) as store:
        served = serve(store)
        page = visit(served.address.url)
        person = Person(page, store)
        until(lambda: page.locator("#film .frame").count() == COUNT)
        for frame in (1, 9, 3, 5, 7):
            person.open(frame)
            until(lambda frame=frame: person.shown() == frame)
            between = [each.corners for each in store.picture(frame).moving]
            shown = f"viewfinder.studio.ghosts().length === {len(between)}"
            until(lambda shown=shown: page.evaluate(shown))
            x, y = (between[0][0] + 30, 100) if between else (20, 100)
            person.drag((x, y), (x + 80, y + 80))
            if frame == 1:
                person.named("thing")
            person.saved()
            until(lambda frame=frame: len(store.picture(frame).boxes) == 1)
        told(page, "Shift+M lets the boxes go along with the picture")
        page.context.close()
        served.stop()


def _labels(person, page, store):
    def moving(picture):
        return [[round(v) for v in each.corners] for each in store.picture(picture).moving]

    def shows(*expected):
        """What the page shows between key frames, here."""
        script = """viewfinder.studio.ghosts().map((each) =>
            [each.track, ...each.corners.map(Math.round)])"""
        until(lambda: page.evaluate(script) == [list(each) for each in expected])

    until(lambda: page.locator("#film .frame").count() == COUNT)
    person.drag(true(0)[:2], true(0)[2:])
    person.named("thing")
    # The timeline leads to the last frame, where the box of the same thing is the track's next key.
    where = page.locator("#film canvas").bounding_box()
    page.mouse.click(where["x"] + where["width"] - 2, where["y"] + 5)
    until(lambda: person.shown() == COUNT)
    person.drag(true(8)[:2], true(8)[2:])
    person.saved()
    assert [box.track for n in (1, 9) for box in store.picture(n).boxes] == ["1", "1"]
    assert moving(5) == [[84, 100, 164, 180]]
    # The frame that is expected to be least right is the one in the middle; it is put right by
    # drawing, and the frames up to the next keys follow.
    person.press("Shift+N")
    until(lambda: person.shown() == 5)
    shows(("1", 84, 100, 164, 180))
    person.drag(true(4)[:2], true(4)[2:])
    person.saved()
    (box,) = store.picture(5).boxes
    assert (box.track, box.key_frame, box.source) == ("1", True, "hand")
    assert moving(3) == [[36, 100, 116, 180]]
    person.press("a")
    until(lambda: person.shown() == 4)
    shows(("1", 44, 100, 124, 180))
    # Dragging a handle of what lies between makes a key of it.
    person.click(84, 140)
    person.drag((44, 100), (38, 100))
    person.saved()
    assert [round(v) for v in store.picture(4).boxes[0].corners] == [38, 100, 124, 180]
    person.press("Control+z")
    until(lambda: not store.picture(4).boxes)
    shows(("1", 44, 100, 124, 180))
    # Followed through the pictures, it is where it is.
    person.press("Shift+M")
    until(lambda: store.films.film(4).motion == "flow" and not store.films.film(4).waiting)
    assert abs(np.array(moving(7)[0]) - true(6)).max() <= 3
    until(
        lambda: page.evaluate("viewfinder.studio.ghosts().map((each) => each.source)") == ["track"]
    )
    # One key accepts the span, one more all; one undo takes it back.
    person.press("Shift+A")
    until(lambda: [store.picture(n).picture.state for n in range(1, 6)] == ["done"] * 5)
    until(lambda: person.shown() == 5)
    assert store.picture(6).picture.state == "todo"
    person.press("Control+Enter")
    until(lambda: store.counts().states["done"] == COUNT)
    person.press("Control+z")
    until(lambda: store.counts().states["done"] == 5)
    # Refused between two keys, the object is not there, and is another behind.
    person.rest()
    person.open(7)
    until(lambda: len(page.evaluate("viewfinder.studio.ghosts()")) == 1)
    x1, y1, x2, y2 = moving(7)[0]
    person.click((x1 + x2) / 2, (y1 + y2) / 2)
    person.press("Delete")
    until(lambda: [box.track for box in store.picture(9).boxes] == ["2"])
    shows()
    # A class is given to a track as a whole.
    person.press("Control+z")
    until(lambda: [box.track for box in store.picture(9).boxes] == ["1"])
    person.rest()
    page.evaluate("""() => { const made = viewfinder.labels.newClass("other");
        viewfinder.labels.commit([made]); }""")
    person.open(9)
    until(lambda: person.shown() == 9)
    person.click(190, 140)
    person.press("2")

    def classes():
        names = {each.id: each.name for each in store.classes()}
        return {names[box.label] for box in store.films.boxes(1, "1")}

    person.saved()
    assert classes() == {"other"}


def test_what_is_no_video_is_said_and_strange_questions_are_refused(standing):
    client = Client(standing)

    def got(path):
        status, _, data = client.ask("GET", path)
        return status, json.loads(data)

    def sent(path, document):
        status, _, data = client.post(path, document)
        return status, json.loads(data)

    for picture in (1, 999):
        assert got(f"/api/films/{picture}") == (200, {"film": None})
        no_frame = {"error": "this picture is no frame of a video"}
        assert sent(f"/api/films/{picture}/motion", {"motion": "flow"}) == (400, no_frame)
    assert got("/api/films/1/track?name=1") == (200, {"boxes": []})
    assert got("/api/films/-1")[0] == 422
    for path, document in (
        ("/api/films/1/motion", {"motion": "back"}),
        ("/api/films/1/motion", {"motion": ["flow"]}),
        ("/api/films/order", {"folder": "", "on": "yes"}),
        ("/api/films/order", {"folder": 3, "on": True}),
    ):
        status, answer = sent(path, document)
        assert status == 400
        assert answer["error"]
