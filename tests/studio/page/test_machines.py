"""Machines that propose in earnest, asked from the page: a stand's picture, COCO's network."""

import numpy as np
import pytest
from studio_page import Person, until

from viewfinder.pictures.geometry import iou
from viewfinder.pictures.writing import write_picture
from viewfinder.studio.store import open_store
from viewfinder.tabletop import TurntableOptions, render_turntable


@pytest.fixture(scope="module")
def turn():
    """A mug that is turned on a stand."""
    return render_turntable(5, seed=4, frames=2, options=TurntableOptions(size=256))


@pytest.fixture
def filmed(turn, tmp_path, serve, visit):
    folder = tmp_path / "my mug"
    for number, frame in enumerate(turn.frames):
        write_picture(folder / f"{number}.png", frame)
    write_picture(folder / "empty.png", turn.empty)
    with open_store(folder, wait=True) as store:
        person = Person(visit(serve(store).address.url), store)
        yield person
        person.page.context.close()


def accepted(person, turn, by):
    """What the page accepts of what was proposed for the first frame, which is where the mug is."""
    page, store = person.page, person.store
    page.locator("#learning").get_by_text("2 boxes proposed in").wait_for()
    person.open(1)
    until(lambda: page.evaluate("viewfinder.studio.ghosts().length") == 1)
    person.press("p", "y")
    person.saved()
    (box,) = store.picture(1).boxes
    assert box.source.startswith(by)
    assert iou(np.array([box.corners]), turn.boxes[0][None])[0, 0] > 0.7
    (name,) = {each.name for each in store.classes() if each.id == box.label}
    return name, box


def test_the_picture_of_the_empty_stand_shows_what_stands_there(filmed, turn):
    person, page = filmed, filmed.page
    (empty,) = (p.id for p in person.store.pictures().pictures if p.path == "empty.png")
    person.open(empty)
    person.press("Shift+P")
    page.locator("#by-plate").check()
    page.get_by_text("The empty stand: empty.png").wait_for()
    page.locator("dialog button.first").click()
    name, box = accepted(person, turn, "plate")
    assert name == "my mug"
    assert box.mask is not None


def test_the_network_that_comes_along_proposes_classes_by_other_names(filmed, turn):
    person, page = filmed, filmed.page
    person.press("Shift+P")
    page.locator("#by-detector").check()
    page.get_by_label("Run or file").locator("visible=true").fill("coco")
    page.get_by_label("Its classes").fill("cup=mug")
    page.locator("dialog button.first").click()
    name, box = accepted(person, turn, "")
    assert (name, box.score > 0.5) == ("mug", True)
