"""From an empty folder to a used run, by the page alone; what learns here is quick and no net."""

from pathlib import Path

import numpy as np
import pytest
from studio_page import Person, until

from viewfinder.pictures.writing import write_picture
from viewfinder.studio.learning import proposing, trainings
from viewfinder.studio.store import Operation, PutBox, PutClass, SetState, open_store

LEARNER = str(Path(__file__).parents[1] / "learner.py")


@pytest.fixture
def begun(visit, tmp_path, serve, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(trainings, "TRAIN", (LEARNER, "train"))
    monkeypatch.setattr(proposing, "LOOK", (LEARNER, "look"))
    (tmp_path / "empty").mkdir()
    with open_store(tmp_path / "empty", wait=True) as store:
        page = visit(serve(store).address.url)
        yield page, store
        page.context.close()


@pytest.fixture
def photos(tmp_path):
    random = np.random.default_rng(0)
    for number in range(7):
        picture = random.integers(0, 256, (48, 64, 3)).astype(np.uint8)
        write_picture(tmp_path / "mine" / f"{number}.png", picture)
    return sorted((tmp_path / "mine").glob("*"))


def test_the_whole_road(begun, photos):
    page, store = begun
    page.get_by_text("From a few pictures to a detector of your own").wait_for()
    assert page.locator("img.stand").evaluate("(image) => image.decode().then(() => true)")
    page.locator("#road-files").set_input_files(photos[:6])
    person = Person(page, store)
    page.get_by_text("0 of 5 pictures").wait_for()
    store.apply(Operation("class", (PutClass("c", "mug", 0),)))
    for picture in range(1, 6):
        box = PutBox(f"b{picture}", picture, "c", (5, 5, 40, 40), 0)
        store.apply(Operation(f"{picture}", (box, SetState(picture, "done", 1))))
    page.evaluate("viewfinder.status()")
    page.locator("#road-learn").click()
    page.locator("dialog button.first").click()
    page.locator("#road-use").click()
    page.locator("#try-file").set_input_files(photos[6])
    page.get_by_text("6.png: 1 × mug").wait_for()
    page.locator(".drop canvas").wait_for()
    command = page.locator(".command code").first.inner_text()
    assert command.startswith("viewfinder predict ")
    assert command.endswith("runs/empty-studio-1 PICTURE-OR-FOLDER")
    assert store.pictures(count=0).total == 6  # what is tried is not added
    report = Path(command.split()[2]) / "report.html"
    report.write_text("<title>It fits</title><style>p {color: red}</style><p>well</p>")
    with page.expect_popup() as opened:
        page.locator("#learn-report").click()
    until(lambda: opened.value.title() == "It fits")
    assert opened.value.evaluate("origin") == "null"
    opened.value.close()
    page.keyboard.press("Escape")
    page.locator("#road-hide").click()
    until(lambda: '"road": false' in (store.meta("settings:tester") or ""))
    person.reload()
    assert not page.locator("#road").is_visible()
    assert person.shown()


def test_nothing_is_tried_or_reported_before_something_was_learnt(begun):
    page, _ = begun
    script = """async () => { const {attempt} = await import("/page/api.js");
      return attempt(new File(["x"], "a.png")).catch((error) => error.message); }"""
    assert page.evaluate(script) == "nothing was learnt here yet"
    assert page.evaluate("fetch('/api/learn/report').then((answer) => answer.status)") == 400
