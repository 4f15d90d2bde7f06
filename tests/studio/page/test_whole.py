"""What is done to the set as a whole: its history, exports, many pictures at once, and classes."""

import json
import threading

import numpy as np
from studio_client import Client
from studio_page import Person, told, until

from viewfinder.labelling.proposals import Proposals
from viewfinder.pictures.writing import write_picture
from viewfinder.studio.store import open_store
from viewfinder.tasks.detect.detections import Detections


def test_history_is_read_and_any_moment_restored(person, served):
    page, store = person.page, served.store
    person.drag((100, 100), (200, 180))
    person.named("mug")
    person.press("ArrowRight", "Delete")
    person.saved()
    page.get_by_role("button", name="History: who did what when").click()
    line = page.locator("#dialog .line").filter(has_text="1 box drawn, 1 class set: mug")
    assert "tester" in line.inner_text()
    assert "000.png" in line.inner_text()
    line.get_by_role("button").click()
    page.get_by_text("right after").wait_for()
    page.get_by_role("button", name="Restore", exact=True).click()
    until(lambda: len(store.picture(1).boxes) == 1)
    told(page, "Restored.")
    assert person.boxes() == [("mug", [100, 100, 200, 180])]
    until(lambda: page.evaluate("viewfinder.studio.boxes.size") == 1)
    person.press("Control+z")  # restoring is an operation too
    until(lambda: not store.picture(1).boxes)
    person.press("Shift+h")
    page.get_by_label("only of this picture").check()
    until(lambda: page.locator("#dialog .line").count() == 5)
    page.get_by_role("button", name="As first read").click()
    page.get_by_role("button", name="Leave it").click()
    person.answered()
    assert len(store.classes()) == 1


def test_export_says_where_it_is_and_overwrites_nothing(person, served):
    page, store = person.page, served.store
    person.drag((100, 100), (200, 180))
    person.named("mug")
    for number, layout in enumerate(("coco", "yolo", "voc", "jsonl", "coco")):
        person.press("Shift+s")
        page.get_by_label("Layout").select_option(layout)
        page.get_by_role("button", name="Export", exact=True).last.click()
        until(lambda: "written to" in page.locator("#dialog").inner_text())
        again = "-2" if number == 4 else ""
        suffix = ".jsonl" if layout == "jsonl" else ""
        out = store.data.with_name(f"photos-{layout}{again}{suffix}")
        assert str(out) in page.locator("#dialog").inner_text()
        assert out.exists()
        page.get_by_role("button", name="Close").click()
        person.answered()
    (file,) = store.data.with_name("photos-coco").glob("**/*.json")
    document = json.loads(file.read_text("utf-8"))
    assert [each["bbox"] for each in document["annotations"]] == [[100, 100, 100, 80]]
    person.press("Shift+s")
    page.get_by_label("Folder or file to write").fill("photos-voc")
    person.press("Enter")
    page.get_by_text("Nothing was exported").wait_for()
    page.get_by_text("exists already").wait_for()


def test_bad_requests_for_the_whole_are_refused(standing):
    client = Client(standing)
    for path, document in (
        ("/api/export", {"to": "pickle"}),
        ("/api/export", {"to": ["coco"]}),
        ("/api/export", {"to": "folders"}),
        ("/api/export", {"to": "jsonl", "out": 5}),
        ("/api/export", {"to": "jsonl", "out": "a\0b"}),
        ("/api/export", {"to": "jsonl", "out": str(standing.store.data / "000.png")}),
        ("/api/restore", {"id": "a", "seq": -1}),
        ("/api/restore", {"id": "a", "seq": "1"}),
        ("/api/restore", {"id": "a", "seq": 10**9}),
    ):
        status, _, answer = client.post(path, document)
        assert status in (400, 409), (path, document, answer)
        assert b"Traceback" not in answer


def test_pictures_as_wholes_get_classes_by_keys(tmp_path, serve, visit):
    folder = tmp_path / "set"
    for number, name in enumerate(("mug", "mug", "plate")):
        picture = np.full((60, 80, 3), 40 * number, np.uint8)
        write_picture(folder / name / f"{number}.png", picture)
    with open_store(folder, wait=True) as store:
        for number in (3, 4):
            write_picture(folder / f"{number}.png", np.full((60, 80, 3), 200 + number, np.uint8))
        store.look_at_disk()
        served = serve(store)
        page = visit(served.address.url)
        person = Person(page, store)
        until(lambda: page.locator("#whole").inner_text() == "no class")
        first = store.picture(person.shown()).picture
        assert (first.label, first.state, first.path) == (None, "todo", "3.png")
        person.press("2")  # one key: the class, done, and the next to do
        until(lambda: person.shown() != first.id)
        page.locator("#classes").get_by_role("button", name="mug", exact=True).click()
        names = {each.id: each.name for each in store.classes()}
        until(lambda: not [p for p in store.pictures().pictures if p.state == "todo"])
        assert [names[p.label] for p in store.pictures().pictures] == [
            "mug",
            "mug",
            "plate",
            "plate",
            "mug",
        ]
        person.press("Control+z")
        until(lambda: store.picture(person.shown()).picture.label is None)
        person.rest()
        person.press("1")
        person.saved()
        person.open(1)
        until(lambda: page.locator("#whole").inner_text() == "mug")
        person.press("2")  # another class of a picture that was done: it stays in view
        until(lambda: page.locator("#whole").inner_text() == "plate")
        person.press("Delete")
        until(lambda: store.picture(1).picture.label is None)
        assert store.picture(1).picture.state == "todo"
        person.press("1", "Shift+s")
        page.get_by_label("Layout").wait_for()
        page.get_by_role("button", name="Export", exact=True).last.click()
        page.get_by_text("written to").wait_for()
        out = store.data.with_name("set-folders")
        assert sorted(each.name for each in (out / "mug").iterdir()) == ["0.png", "1.png", "4.png"]


def test_many_pictures_with_proposals_are_taken_at_a_glance(person, served):
    page, store = person.page, served.store
    listed = [each.path for each in store.pictures().pictures]
    proposals = Proposals(
        paths=tuple(listed),
        sizes=np.array([[640, 480]] * 4),
        classes=("mug",),
        pictures=np.array([0, 1, 2, 3, 3]),
        found=Detections(
            np.array([[20.0, 20, 90, 90]] * 5) + np.arange(5)[:, None],
            np.array([0.9, 0.9, 0.9, 0.9, 0.1]),
            np.zeros(5, np.int64),
        ),
        sources=("run:a",) * 5,
    )
    store.propose("run:a", proposals)
    page.reload()
    until(lambda: page.evaluate("window.viewfinder?.studio.ghosts().length") == 1)
    person.press("b")
    until(lambda: page.locator(".card").count() == 4)
    person.press("b")  # the second is not right
    page.get_by_text("3 of 4 are right").wait_for()
    person.press("Enter")
    until(lambda: len(store.picture(4).boxes) == 1)
    states = [each.state for each in store.pictures().pictures]
    assert states == ["done", "todo", "done", "done"]
    until(lambda: person.shown() == 2)
    # Drawn over the proposal: corrected and so accepted.
    person.drag((25, 22), (99, 95))
    assert person.boxes(2) == [("mug", [25, 22, 99, 95])]
    assert [each.state for each in store.picture(2).proposals] == ["accepted"]
    person.press("Control+z", "Control+z")
    until(lambda: [each.state for each in store.pictures().pictures] == ["todo"] * 4)
    assert store.counts().proposals == 5
    assert not store.picture(4).boxes


def test_after_a_glance_comes_what_was_not_looked_at_although_nothing_is_kept_yet(
    tmp_path, serve, visit, monkeypatch
):
    """And of twelve of which one cannot be shown, that one is not taken."""
    names = [f"{number:03}.png" for number in range(14)]
    for name in names:
        write_picture(tmp_path / name, np.full((48, 64, 3), 90, np.uint8))
    whole = (tmp_path / names[1]).read_bytes()
    with open_store(tmp_path, wait=True) as store:
        proposals = Proposals(
            paths=tuple(names),
            sizes=np.array([[64, 48]] * 14),
            classes=("mug",),
            pictures=np.arange(14),
            found=Detections(
                np.array([[5.0, 5, 30, 30]] * 14), np.full(14, 0.9), np.zeros(14, np.int64)
            ),
            sources=("run:a",) * 14,
        )
        store.propose("run:a", proposals)
        (tmp_path / names[1]).write_bytes(whole[: len(whole) // 2])
        page = visit(serve(store).address.url)
        person = Person(page, store)
        person.press("b")
        page.locator(".card:disabled", has_text="cannot be shown").wait_for()
        page.get_by_text("11 of 12 are right").wait_for()
        person.press("Enter")
        until(lambda: store.counts().states["done"] == 11)
        until(lambda: person.shown() == 2)
        (tmp_path / names[1]).write_bytes(whole)
        page.evaluate("viewfinder.look()")
        person.saved()
        store.undo("back", "tester")
        person.reload()
        person.open(1)
        kept, right = threading.Event(), store.apply

        def slow(operation):
            kept.wait(60)
            return right(operation)

        monkeypatch.setattr(store, "apply", slow)
        person.press("b")
        page.get_by_text("12 of 12 are right").wait_for()
        person.press("Enter")
        until(lambda: person.shown() == 13)
        assert store.counts().states["done"] == 0
        kept.set()
        person.saved()
        assert store.counts().states["done"] == 12
