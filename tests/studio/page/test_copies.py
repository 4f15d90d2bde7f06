"""Copies of boxes, and boxes that are moved together."""

from studio_page import until

from viewfinder.studio.store import Operation, PutBox, PutClass

CORNERS = {"a": (20, 100, 60, 140), "b": (100, 110, 150, 160), "c": (300, 120, 340, 200)}


def boxed(person, **corners):
    """The first picture with boxes of a class."""
    boxes = [PutBox(id, 1, "c1", where, 0) for id, where in corners.items()]
    person.store.apply(Operation("boxes", (PutClass("c1", "mug", 0), *boxes)))
    person.reload()
    until(lambda: person.page.evaluate("viewfinder.studio.boxes.size") == len(corners))


def places(person, picture=1):
    return [corners for _, corners in person.boxes(picture)]


def test_a_copy_is_pasted_beside_its_box_and_in_another_picture_at_its_place(person):
    boxed(person, a=(100, 100, 200, 200))
    person.click(150, 150)
    person.press("Control+c", "Control+v", "Control+v", "Control+v")
    found = places(person)
    assert len(set(map(tuple, found))) == len(found) == 4
    assert all(x2 - x1 == 100 and y2 - y1 == 100 for x1, y1, x2, y2 in found)
    person.press("d")
    until(lambda: person.shown() == 2)
    person.press("Control+v")
    assert places(person, 2) == [[100, 100, 200, 200]]
    person.press("Control+v")
    assert len(set(map(tuple, places(person, 2)))) == 2


def test_a_copy_at_the_edge_lies_beside_its_box_and_one_without_room_is_said(person):
    boxed(person, a=(600, 440, 640, 480), b=(0, 0, 640, 480))
    person.click(620, 460)
    person.press("Control+d")
    step = 600 - places(person)[2][0]
    assert step > 0
    assert places(person)[2] == [600 - step, 440 - step, 640 - step, 480 - step]
    person.click(300, 200)
    person.press("Control+d")
    note = person.page.locator("#notes .note", has_text="There is no room beside the box")
    note.wait_for()
    assert len(places(person)) == 3


def test_boxes_that_are_moved_together_against_an_edge_keep_their_arrangement(person):
    boxed(person, **CORNERS)
    person.press("Control+a")
    person.drag((320, 160), (120, 150))
    assert places(person) == [
        [x1 - 20, y1 - 10, x2 - 20, y2 - 10] for x1, y1, x2, y2 in CORNERS.values()
    ]
    person.press("Shift+ArrowLeft", "Shift+ArrowDown")
    assert places(person) == [[x1 - 20, y1, x2 - 20, y2] for x1, y1, x2, y2 in CORNERS.values()]
    person.press("Control+c", "Control+v")  # beside them, in the same arrangement
    first, copies = places(person)[:3], places(person)[3:]
    by = [copies[0][0] - first[0][0], copies[0][1] - first[0][1]] * 2
    assert any(by)
    assert copies == [[v + d for v, d in zip(each, by, strict=True)] for each in first]
