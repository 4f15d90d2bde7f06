"""Learning on the page: a short training, in a process of its own, and what it proposes comes."""

from pathlib import Path

import numpy as np
import pytest
from studio_page import Person, ready, told, until

from viewfinder.pictures.writing import write_picture
from viewfinder.studio.learning import choices, doubting, proposing, queue, trainings
from viewfinder.studio.store import Operation, PutBox, PutClass, SetState, open_store

LEARNER = str(Path(__file__).parents[1] / "learner.py")


@pytest.fixture
def labelled(tmp_path, monkeypatch):
    """Eight pictures with a bright square each, of which four are done."""
    random = np.random.default_rng(0)
    monkeypatch.chdir(tmp_path)
    corners = []
    for number in range(8):
        picture = random.integers(0, 80, (64, 64, 3)).astype(np.uint8)
        x, y = (int(each) for each in random.integers(0, 30, 2))
        picture[y : y + 30, x : x + 30] = (250, 200, 20)
        write_picture(tmp_path / "photos" / f"{number}.png", picture)
        corners.append((float(x), float(y), x + 30.0, y + 30.0))
    with open_store(tmp_path / "photos", wait=True) as store:
        store.apply(Operation("class", (PutClass("c", "mug", 0),)))
        for place in range(4):
            box = PutBox(f"b{place}", place + 1, "c", corners[place], 0)
            revision = store.picture(place + 1).picture.revision
            store.apply(Operation(f"{place}", (box, SetState(place + 1, "done", revision))))
        yield store


@pytest.fixture
def learning(visit, labelled, serve):
    page = visit(serve(labelled).address.url)
    yield Person(page, labelled)
    page.context.close()


def ghosts(person, picture):
    return person.store.picture(picture).picture.proposals


def test_it_learns_while_a_picture_is_in_hand(learning, monkeypatch):
    # As small as can be: it is not to find much, but to go its whole way.
    recipe = ("--size", "64", "--batch", "2", "--precision", "32")
    monkeypatch.setattr(choices, "_FEW_LABELS", recipe)
    monkeypatch.setattr(choices, "_SMALLER", ())
    person, page = learning, learning.page
    until(lambda: person.shown() == 5)  # the first that is to do
    person.press("Shift+L")
    page.get_by_label("How long").wait_for()
    page.evaluate("document.querySelector('dialog select').add(new Option('a moment', '0.05'))")
    page.get_by_label("How long").select_option("a moment")
    page.locator("dialog button.first").click()
    page.locator("#learn-stop").wait_for()
    person.press("w")  # a box is being drawn while it learns
    until(lambda: len(person.store.picture(5).boxes) == 1)
    until(lambda: page.locator("#learn").is_visible(), seconds=240)
    assert "AP50" in page.locator("#learning").inner_text()
    assert sum(ghosts(person, each) for each in (5, 6, 7, 8)) > 0
    assert person.shown() == 5
    assert [each.label for each in person.store.picture(5).boxes] == ["c"]
    until(lambda: page.evaluate("viewfinder.studio.ghosts().length") == ghosts(person, 5))


def test_stop_go_on_and_by_itself(learning, monkeypatch, tmp_path):
    monkeypatch.setattr(trainings, "TRAIN", (LEARNER, "train"))
    monkeypatch.setattr(proposing, "LOOK", (LEARNER, "look"))
    wait = tmp_path / "told" / "wait"
    wait.parent.mkdir()
    wait.touch()
    person, page = learning, learning.page
    page.locator("#learn").click()
    page.locator("#learn-keep").check()
    page.locator("dialog button.first").click()
    page.get_by_text("about 40 s left").wait_for()
    assert page.locator("#learn-no-more").is_visible()
    curve = page.locator("svg.curve").get_attribute("aria-label")
    assert curve == "loss 3.00 to 1.00; best AP50 0.75 on held-out pictures"
    page.locator("#learn-stop").click()
    page.locator("#learn-again").wait_for()
    assert not page.locator("#learn-no-more").is_visible()
    wait.unlink()
    page.locator("#learn-again").click()
    page.get_by_text("4 boxes proposed in 4 pictures, learnt from 4.").wait_for()
    until(lambda: page.evaluate("viewfinder.studio.ghosts().length") == 1)
    assert person.shown() == 5


def test_what_cannot_be_learnt_says_why(page):
    ready(page)
    learn = page.locator("#learn")
    learn.wait_for()
    assert learn.is_disabled()
    assert "5 that are done" in learn.get_attribute("title")
    page.keyboard.press("Shift+L")
    told(page, "Nothing to learn from: it learns from pictures with boxes")


def test_one_menu_says_who_can_propose_and_who_cannot(learning, monkeypatch):
    monkeypatch.setattr(proposing, "LOOK", (LEARNER, "look"))
    person, page = learning, learning.page
    until(lambda: person.shown() == 5)
    page.locator("#propose").click()
    assert page.locator("#by-track").is_disabled()
    page.get_by_text("Not now: no picture here is known to be a frame of a video").wait_for()
    page.locator("#by-detector").check()
    assert page.get_by_label("Its classes").is_visible()
    page.locator("dialog button.first").click()
    page.get_by_text("give a detector's run").wait_for()
    page.get_by_label("Run or file").locator("visible=true").fill("coco")
    page.locator("dialog button.first").click()
    page.get_by_text("4 boxes proposed in 4 pictures, by detector: coco.").wait_for()
    until(lambda: page.evaluate("viewfinder.studio.ghosts().length") == 1)
    assert person.shown() == 5


def test_the_most_useful_picture_is_the_next(learning, monkeypatch):
    monkeypatch.setattr(queue, "_ORDER", (LEARNER, "order"))
    person, page = learning, learning.page
    until(lambda: person.shown() == 5)
    page.get_by_label("Most useful picture next").check()
    page.get_by_text("8 in order").wait_for()
    person.press("Enter")
    until(lambda: person.shown() == 8)
    person.press("Enter")
    until(lambda: person.shown() == 7)
    person.press("a")  # the one before, as the list has them
    until(lambda: person.shown() == 6)
    page.get_by_label("Most useful picture next").uncheck()
    page.get_by_text("8 in order").wait_for(state="detached")
    person.saved()
    states = [person.store.picture(each).picture.state for each in (5, 6, 7, 8)]
    assert states == ["done", "todo", "todo", "done"]


def test_wrong_labels_are_found_and_moved(learning, monkeypatch):
    monkeypatch.setattr(doubting, "_DOUBT", (LEARNER, "doubt"))
    person, page, store = learning, learning.page, learning.store
    store.apply(Operation("more", (PutClass("d", "plate", 0),)))
    base = store.picture(4).boxes[0].revision
    store.apply(Operation("other", (PutBox("b3", 4, "d", (1, 1, 30, 30), base),)))
    person.reload()
    page.locator("#learn-doubts").click()
    page.get_by_text("1 look more like another class").wait_for()
    crops = page.locator(".crop")
    assert crops.count() == 4
    assert crops.first.inner_text() == "mug → plate"
    until(lambda: page.evaluate("document.querySelector('.crop img').naturalWidth") == 96)
    crops.first.click()
    person.press("y")
    until(lambda: store.picture(1).boxes[0].label == "d")
    assert crops.count() == 3
    box = crops.nth(0).bounding_box()
    page.mouse.move(box["x"] + 5, box["y"] + 5)  # a rectangle over two
    page.mouse.down()
    page.mouse.move(box["x"] + box["width"] + 20, box["y"] + 40, steps=3)
    page.mouse.up()
    page.get_by_text("2 chosen").wait_for()
    person.press("l")
    until(lambda: [store.picture(each).picture.state for each in (2, 3)] == ["todo"] * 2)
    crops.first.focus()
    person.press("1")  # chosen is none: nothing moves
    person.press("Enter")
    until(lambda: person.shown() == 4)
    assert page.evaluate("[...viewfinder.studio.selection]") == ["b3"]
    assert store.picture(4).boxes[0].label == "d"
    person.press("Control+z", "Control+z")
    until(lambda: store.picture(1).boxes[0].label == "c")


@pytest.fixture
def mistaken(learning, monkeypatch):
    """What was learnt takes the one plate for a mug."""
    monkeypatch.setattr(trainings, "TRAIN", (LEARNER, "train"))
    monkeypatch.setattr(proposing, "LOOK", (LEARNER, "look"))
    monkeypatch.setattr(doubting, "_DOUBT", (LEARNER, "doubt"))
    person, page, store = learning, learning.page, learning.store
    box = PutBox("odd", 8, "d", (10, 10, 60, 60), 0)
    plate = PutClass("d", "plate", 0, position=1)
    store.apply(Operation("odd", (plate, box, SetState(8, "done", 1))))
    until(
        lambda: page.evaluate("viewfinder.status().then(() => viewfinder.labels.classes.size)") == 2
    )
    person.press("Shift+L")
    page.locator("dialog button.first").click()
    page.locator("#learn-use").wait_for()
    page.get_by_text("What to try next").click()
    assert page.locator("#learn-tries li").all_inner_texts() == ["add pictures"]
    return person


def test_from_a_cell_of_what_was_mistaken_to_its_crops_and_one_class(mistaken):
    person, page, store = mistaken, mistaken.page, mistaken.store
    page.locator("#learn-doubts").click()
    page.get_by_label("Compared by").select_option("learnt")
    page.get_by_text("Which classes are taken for which").click()
    page.get_by_label("1 of plate taken for mug").click()
    assert page.locator(".crop").count() == 1
    page.locator("#merge-these").click()
    page.get_by_role("button", name="Merge plate into mug").click()
    until(lambda: {each.id: each.merged for each in store.classes()}["d"] == "c")
    person.press("Escape")


def test_a_cell_shows_what_was_mistaken_alone_and_many_crops_are_shown_step_by_step(mistaken):
    page = mistaken.page
    labels = {"label": "d", "other": "c", "corners": [10, 10, 60, 60], "picture": 8, "path": "8"}
    crops = [{"box": f"b{n}", "amount": 2 - n, **labels} for n in range(130)]
    answer = {"busy": False, "says": "", "error": "", "crops": crops}
    page.route("**/api/doubts", lambda route: route.fulfill(json=answer))
    page.locator("#learn-doubts").click()
    until(lambda: page.locator(".crop").count() == 120)
    page.get_by_role("button", name="Show 10 more of 10 that are not shown").click()
    assert page.locator(".crop").count() == 130
    assert not page.locator("#more-crops").is_visible()
    page.get_by_text("Which classes are taken for which").click()
    page.get_by_label("2 of plate taken for mug").click()
    assert page.locator(".crop").count() == 2
    # A key of the list is none of the page behind it.
    page.locator(".crop").first.click()
    mistaken.press("o")
    until(lambda: mistaken.shown() == 8)
    assert not page.locator("dialog[open]").count()


def test_what_was_asked_first_and_comes_last_does_not_hold(mistaken):
    """Labels are compared by what was chosen last, though its question was the quicker one."""
    page, held = mistaken.page, []
    page.route(
        "**/api/doubts",
        lambda route: held.append(route) if route.request.method == "POST" else route.continue_(),
    )
    page.locator("#learn-doubts").click()
    until(lambda: (page.wait_for_timeout(20), held)[1])
    page.get_by_label("Compared by").select_option("learnt")
    page.wait_for_timeout(300)  # in which it would be asked, were it to overtake
    first, *later = held
    for route in (*later, first):
        with page.expect_response("**/api/doubts"):
            route.continue_()
    until(lambda: (page.wait_for_timeout(20), len(held) == 2)[1])
    if not later:
        held[1].continue_()
    page.get_by_label("1 of plate taken for mug").wait_for(state="attached")


def test_pictures_of_classes_are_compared_too(visit, tmp_path, serve, monkeypatch):
    monkeypatch.setattr(doubting, "_DOUBT", (LEARNER, "doubt"))
    random = np.random.default_rng(0)
    for name in ("cat", "dog"):
        for number in range(2):
            picture = random.integers(0, 256, (48, 64, 3)).astype(np.uint8)
            write_picture(tmp_path / "pets" / name / f"{number}.png", picture)
    with open_store(tmp_path / "pets", wait=True) as store:
        assert store.kind() == "classes"
        page = visit(serve(store).address.url)
        ready(page)
        page.keyboard.press("Shift+D")
        page.locator(".crop").first.click()
        assert page.locator(".crop").count() == 4
        page.keyboard.press("y")  # the class of the last, as the learner here says
        names = {each.id: each.name for each in store.classes()}
        until(lambda: names[store.picture(1).picture.label] == "dog")
        page.context.close()
