"""A stand of objects is labelled with boxes; and what makes boxes says so where there are none."""

import numpy as np
import pytest
from studio_page import Person, told, until

from viewfinder.labelling.proposals import Proposals, write_proposals
from viewfinder.pictures.writing import write_picture
from viewfinder.studio.store import open_store
from viewfinder.tasks.detect.detections import Detections

NO_BOXES = "Here each picture has a class as a whole"


@pytest.fixture
def stands(tmp_path):
    """Two objects on a stand, two pictures of each, with a proposal in every picture."""
    root = tmp_path / "captures"
    paths = tuple(f"{name}/{stem}.png" for name in ("ball", "mug") for stem in "01")
    grey = np.random.default_rng(0)
    for path in (*paths, "ball/empty.png", "mug/empty.png"):
        write_picture(root / path, np.full((480, 640, 3), grey.integers(60, 200), np.uint8))
    boxes = np.tile([200.0, 100, 400, 300], (4, 1))
    found = Detections(boxes, np.full(4, 0.9), np.array([0, 0, 1, 1]))
    sizes = np.tile([640, 480], (4, 1))
    sources = ("plate: empty.png",) * 4
    write_proposals(root, Proposals(paths, sizes, ("ball", "mug"), np.arange(4), found, sources))
    return root


def test_proposals_for_a_stand_of_objects_are_accepted_and_boxes_drawn(stands, serve, visit):
    store = open_store(stands, wait=True)
    store.take_proposals()
    person = Person(visit(serve(store).address.url), store)
    page = person.page
    assert [each.path for each in store.pictures().pictures if "empty" in each.path] == []
    page.mouse.move(*person.place(300, 200))
    person.press("y")
    assert person.boxes() == [("ball", [200, 100, 400, 300])]
    person.drag((20, 20), (90, 80))
    assert len(person.boxes()) == 2
    person.press("Enter")
    until(lambda: person.shown() == 2)
    page.mouse.move(*person.place(300, 200))
    person.press("x")
    until(lambda: not page.evaluate("viewfinder.studio.ghosts().length"))
    assert person.boxes(2) == []


def test_what_makes_boxes_says_why_it_does_not_in_class_folders(stands, serve, visit):
    store = open_store(stands, kind="classes", wait=True)
    store.take_proposals()
    person = Person(visit(serve(store).address.url), store)
    page = person.page
    person.drag((20, 20), (90, 80))
    told(page, NO_BOXES)
    assert NO_BOXES in page.locator("#proposals").inner_text()
    assert page.locator("#accept-all").count() == 0
    page.mouse.move(*person.place(300, 200))
    for key in ("w", "y", "x", "Shift+Y", "Shift+Enter", "s", "r", "Control+v"):
        page.evaluate("document.getElementById('notes').replaceChildren()")
        person.press(key)
        person.rest()
        note = page.locator("#notes .note", has_text=NO_BOXES)
        note.wait_for()
        assert "--kind boxes" in note.inner_text()
        assert not page.evaluate("viewfinder.dialogs.open")
    assert person.boxes() == []
    assert person.shown() == 1
    person.press("2")  # its class, as ever
    person.saved()
    assert store.picture(1).picture.label == store.classes()[1].id
