"""Labels that could not be read are said on the page until they are, and nothing is lost by it."""

import numpy as np
import pytest
from studio_page import Person, told, until

from viewfinder.pictures.writing import write_picture
from viewfinder.studio.server import news
from viewfinder.studio.store import open_store

LINES = "0 0.5 0.5 0.25 0.25\n"


@pytest.fixture
def yolo(tmp_path, monkeypatch):
    """Two pictures with a box each; the folder is glanced at all the time."""
    monkeypatch.setattr(news, "EVERY", 0.05)
    root = tmp_path / "set"
    for name in ("a", "b"):
        write_picture(root / "images" / f"{name}.png", np.full((480, 640, 3), 120, np.uint8))
        (root / "labels").mkdir(exist_ok=True)
        (root / "labels" / f"{name}.txt").write_text(LINES)
    (root / "data.yaml").write_text("train: images\nnames: [red]\n")
    return root


def corner(page):
    """A place on the stage that nothing lies over."""
    box = page.locator("#stage").bounding_box()
    return box["x"] + 5, box["y"] + 5


def asked(page, selector, state):
    """Wait for a state of something, asking the server how things stand all the time."""
    find = page.locator(selector)

    def there():
        page.evaluate("window.viewfinder?.status()")
        return find.is_visible() is (state == "visible")

    until(there)


def test_a_damaged_file_is_named_and_its_picture_is_not_drawn_in_until_it_is_mended(
    yolo, serve, visit
):
    file = yolo / "labels" / "b.txt"
    file.write_text(f"{LINES}hello\n")
    with open_store(yolo, wait=True) as store:
        served = serve(store)
        page = visit(served.address.url)
        person = Person(page, store)
        assert "labels/b.txt, line 2" in page.locator("#unread-files").inner_text()
        page.get_by_role("button", name="Show it").click()
        page.locator("#unread").wait_for()
        assert "'hello'" in page.locator("#unread").inner_text()
        assert page.locator("#state").inner_text() == "labels not read"
        person.drag((10, 470), (100, 475))
        told(page, "could not be read, so nothing is drawn")
        person.press("Enter")
        page.get_by_role("button", name="Look again").click()
        told(page, "Nothing came into the folder")
        assert [each.state for each in store.pictures().pictures] == ["todo", "todo"]
        file.write_text(LINES)
        asked(page, "#unread", "hidden")
        asked(page, "#unread-files", "hidden")
        until(lambda: page.locator("#state").inner_text() == "to do")
        person.drag((10, 10), (100, 100))
        person.saved()
        assert len(person.boxes(2)) == 2
        served.stop()


def test_what_another_window_found_by_looking_again_shows_here_too(yolo, serve, visit, monkeypatch):
    monkeypatch.setattr(news, "EVERY", 3600)
    file = yolo / "labels" / "b.txt"
    file.write_text("hello\n")
    with open_store(yolo, wait=True) as store:
        served = serve(store)
        here, there = visit(served.address.url), visit(served.address.url)
        person = Person(here, store)
        here.get_by_role("button", name="Show it").click()
        here.locator("#unread").wait_for()
        file.write_text(LINES)
        write_picture(yolo / "images" / "c.png", np.full((480, 640, 3), 90, np.uint8))
        until(lambda: there.evaluate("Boolean(window.viewfinder?.studio.picture)"))
        there.evaluate("viewfinder.look()")
        for page in (there, here):
            told(page, "1 file of labels mended, and read now (labels/b.txt)")
            told(page, "1 picture came into the folder (images/c.png)")
            until(lambda page=page: page.locator(".thumb").count() == 3)
        here.locator("#unread").wait_for(state="hidden")
        until(lambda: here.evaluate("viewfinder.studio.content.boxes.size") == 1)
        person.drag((10, 10), (100, 100))
        person.saved()
        assert len(person.boxes(2)) == 2
        assert not here.evaluate("told.some((each) => each.includes('Not kept'))")
        assert there.evaluate("told.filter((each) => each.includes('mended')).length") == 1
        served.stop()


def test_a_set_opens_on_the_first_picture_in_which_somebody_can_draw(yolo, serve, visit):
    (yolo / "labels" / "a.txt").write_text("hello\n")
    with open_store(yolo, wait=True) as store:
        served = serve(store)
        page = visit(served.address.url)
        until(lambda: page.locator("#path").inner_text() == "images/b.png")
        assert page.locator("#unread").is_hidden()
        served.stop()


def test_who_labels_such_a_picture_anew_is_asked_and_completes_what_could_be_read(
    yolo, serve, visit
):
    (yolo / "labels" / "b.txt").write_text(f"{LINES}hello\n")
    with open_store(yolo, wait=True) as store:
        served = serve(store)
        page = visit(served.address.url)
        person = Person(page, store)
        page.get_by_role("button", name="Show it").click()
        page.get_by_role("button", name="Label it anew…").click()
        assert "1 box" in page.locator("#dialog").inner_text()
        page.get_by_role("button", name="Label it anew", exact=True).click()
        page.locator("#unread").wait_for(state="hidden")
        person.press("Control+z")
        page.locator("#unread").wait_for()
        person.press("Control+y")
        page.locator("#unread").wait_for(state="hidden")
        person.drag((10, 10), (100, 100))
        person.press("Enter")
        person.saved()
        assert len(person.boxes(2)) == 2
        assert store.picture(2).picture.state == "done"
        served.stop()


def test_what_is_done_again_after_a_file_was_read_late_is_on_the_page_and_the_server(
    yolo, serve, visit
):
    file = yolo / "labels" / "b.txt"
    file.write_text(f"{LINES}hello\n")
    with open_store(yolo, wait=True) as store:
        store.label_anew("anew", 2, "me")
        served = serve(store)
        page = visit(f"{served.address.url}#2")
        person = Person(page, store)
        until(lambda: page.locator("#path").inner_text() == "images/b.png")
        person.drag((10, 10), (100, 100))
        person.saved()
        person.press("Control+z")
        person.saved()
        until(lambda: len(person.boxes(2)) == 1)
        store.undo("waits", "me")
        file.write_text(LINES * 3)
        until(lambda: store.picture(2).picture.ready)
        shown = "() => viewfinder.studio.boxes.size"
        until(lambda: page.evaluate("() => viewfinder.status()") or page.evaluate(shown) == 3)
        person.press("Control+y")
        until(lambda: len(person.boxes(2)) == 4)
        person.saved()
        assert page.evaluate(shown) == 4
        person.press("Control+z")
        until(lambda: len(person.boxes(2)) == 3)
        person.saved()
        assert page.evaluate(shown) == 3
        served.stop()


def test_a_file_that_is_not_taken_in_is_named_with_what_to_do_until_the_edit_is_undone(
    yolo, serve, visit
):
    file = yolo / "labels" / "b.txt"
    file.write_text("hello\n")
    with open_store(yolo, wait=True) as store:
        file.write_text(LINES)
        store.look_at_disk()
        served = serve(store)
        page = visit(f"{served.address.url}#2")
        person = Person(page, store)
        person.drag((10, 10), (100, 100))
        person.saved()
        file.write_text(LINES * 3)
        asked(page, "#unread-files", "visible")
        page.get_by_role("button", name="What to do…").click()
        assert "b.txt: it is another file than was read" in page.locator("#dialog").inner_text()
        page.get_by_role("button", name="Close", exact=True).click()
        person.press("Control+z")
        until(lambda: len(person.boxes(2)) == 1)
        page.get_by_role("button", name="What to do…").click()
        page.get_by_role("button", name="Look again").click()
        until(lambda: len(person.boxes(2)) == 3)
        asked(page, "#unread-files", "hidden")
        served.stop()


def test_a_folder_of_which_no_label_can_be_read_is_read_once_it_can(yolo, serve, visit):
    (yolo / "data.yaml").write_text("names: [red\n")
    with open_store(yolo) as store:
        served = serve(store)
        page = visit(served.address.url)
        asked(page, "#unread", "visible")
        assert "cannot be read yet" in page.locator("#unread").inner_text()
        page.mouse.move(*corner(page))
        page.mouse.down()
        page.mouse.up()
        told(page, "Nothing can be drawn until")
        (yolo / "data.yaml").write_text("train: images\nnames: [red]\n")
        asked(page, "#unread", "hidden")
        until(lambda: page.locator("#state").inner_text() == "to do")
        assert len(Person(page, store).boxes(1)) == 1
        served.stop()
