"""Labels in PostgreSQL leave a mark in the folder, and nobody reads the older files unawares."""

import json
import shutil

import brought
import pytest

from viewfinder.cli.main import main
from viewfinder.datasets.editing.classes import apply_changes, plan_edit
from viewfinder.datasets.formats.label_server import keep_server, refuse_served, server_of
from viewfinder.datasets.formats.postgres import place_of, same_place
from viewfinder.datasets.opening import open_dataset, read_boxes
from viewfinder.errors import InputError
from viewfinder.labelling.asking import next_to_label
from viewfinder.studio.store import Operation, RemoveBox, open_store

PLACE = {"host": "db.lab", "port": 5433, "name": "screws"}


def mark_of(root):
    return root / ".viewfinder" / "database.json"


@pytest.fixture
def served(yolo):
    assert keep_server(yolo, PLACE) == ""
    return yolo


@pytest.mark.parametrize(
    "words",
    [
        ["check", "SET"],
        ["convert", "SET", "--to", "coco", "--out", "OUT"],
        ["train", "detect", "SET", "--out", "OUT", "--minutes", "0.1"],
        ["compose", "SET", "OUT", "--count", "1"],
        ["label", "SET", "--no-browser", "--port", "0"],
    ],
)
def test_every_command_says_where_the_labels_are(words, served, tmp_path, capsys):
    out = tmp_path / "out"
    given = {"SET": str(served), "OUT": str(out)}
    assert main([given.get(word, word) for word in words]) != 0
    said = " ".join(capsys.readouterr().err.split())
    assert "PostgreSQL (db.lab:5433/screws)" in said
    assert f"viewfinder label {served} --database" in said
    assert "database.json" in said
    assert not out.exists()
    assert not (served / ".viewfinder" / "labels.db").exists()


def test_without_the_mark_the_files_are_read_as_they_are(served):
    with pytest.raises(InputError, match="Export"):
        open_dataset(served)
    named = read_boxes(served / "data.yaml")
    assert any("may be in PostgreSQL" in note for note in named.notes)
    mark_of(served).unlink()
    assert len(read_boxes(served).boxes) == sum(map(len, brought.TRUTH.values()))


def test_a_set_of_pictures_class_folders_or_masks_is_refused_too(tmp_path, photos):
    for name in ("cat", "dog"):
        brought.picture(tmp_path / "classes" / name / "0.jpg")
    for root in (photos, tmp_path / "classes"):
        keep_server(root, PLACE)
        with pytest.raises(InputError, match="PostgreSQL"):
            open_dataset(root)
        with pytest.raises(InputError, match="PostgreSQL"):
            next_to_label(root)


def test_a_mark_that_cannot_be_read_still_refuses(served):
    mark_of(served).write_text("{")
    with pytest.raises(InputError, match="kept in a PostgreSQL database"):
        open_dataset(served)


def test_files_whose_labels_are_in_a_server_are_not_edited(served):
    with pytest.raises(InputError, match="the studio's now"):
        apply_changes(served, plan_edit(served, {"red": "crimson"}))


def test_labels_kept_in_both_places_are_said(yolo):
    open_store(yolo, wait=True).close()
    with pytest.raises(InputError, match=r"labels\.db, which --database would leave aside"):
        open_store(yolo, url="postgresql://me@127.0.0.1:1/x")
    keep_server(yolo, PLACE)
    with pytest.raises(InputError, match="kept twice"):
        open_dataset(yolo)
    with pytest.raises(InputError, match=r"PostgreSQL.*labels too"):
        open_store(yolo)


def test_a_mark_that_cannot_be_left_or_names_another_database_is_said(yolo, photos):
    (photos / ".viewfinder").write_text("")
    assert "read the set's files" in keep_server(photos, PLACE)
    assert keep_server(yolo, PLACE) == keep_server(yolo, PLACE) == ""
    said = keep_server(yolo, {**PLACE, "name": "nuts"})
    assert "db.lab:5433/screws" in said
    assert "db.lab:5433/nuts" in said
    assert server_of(yolo) == "PostgreSQL (db.lab:5433/nuts)"


def test_a_mark_names_no_person_and_no_password():
    place = place_of("postgresql://ann:secret@db.lab:5433/screws?sslmode=require")
    assert place == PLACE


def test_a_database_that_does_not_answer_leaves_no_mark(yolo):
    with pytest.raises(InputError):
        open_store(yolo, url="postgresql://me@127.0.0.1:1/x")
    refuse_served(yolo)


def test_opening_with_postgresql_leaves_the_mark_also_later(yolo, tmp_path, new_schema):
    url = new_schema()
    for number in range(2):
        with open_store(yolo, url=url, wait=True) as store:
            assert store.caution() == ""
            store.export(tmp_path / f"out{number}", to="yolo")
        kept = json.loads(mark_of(yolo).read_text())
        assert (kept["name"], kept["port"]) == ("postgres", 5432)
        assert kept["schema"] in url
        assert "me" not in kept.values()
        with pytest.raises(InputError, match="Export"):
            open_dataset(yolo)
        mark_of(yolo).unlink()
    assert len(read_boxes(tmp_path / "out1").boxes) == len(read_boxes(yolo).boxes)


def test_whoever_names_the_database_reads_its_labels(yolo, new_schema, monkeypatch, capsys):
    url = new_schema()
    with open_store(yolo, url=url, wait=True) as store:
        monkeypatch.setenv("VIEWFINDER_DATABASE", url)
        before = open_dataset(yolo)
        box = next(box for one in store.labelled().values() for box in one.boxes)
        store.apply(Operation("gone", (RemoveBox(box.id, box.revision),), "ann"))
        now = open_dataset(yolo)
        assert len(now.boxes) == len(before.boxes) - 1
        assert now.layout == "the studio's labels"
        assert main(["check", str(yolo)]) == 0
        assert f"{len(now.boxes)} boxes" in " ".join(capsys.readouterr().out.split())
        # A second store beside it is refused all the same.
        with pytest.raises(InputError, match="open it with"):
            open_store(yolo)
    monkeypatch.setenv("VIEWFINDER_DATABASE", new_schema())
    with pytest.raises(InputError, match="name that one"):
        open_dataset(yolo)


@pytest.mark.parametrize(
    "url",
    [
        "postgresql://me:secret@127.0.0.1:1/screws",
        "postgres://me:secret@localhost:1/screws",
        "postgresql://me:secret@127.0.0.1:port/screws",
        "postgresql://me:a@secret@127.0.0.1:1/screws",
        "sqlite:///x.db",
    ],
)
def test_a_database_that_cannot_be_read_is_said(url, yolo, monkeypatch):
    keep_server(yolo, {"host": "127.0.0.1", "port": 1, "name": "screws"})
    monkeypatch.setenv("VIEWFINDER_DATABASE", url)
    with pytest.raises(
        InputError, match=r"does not answer|the folder, not in sqlite|address of a database is"
    ) as caught:
        open_dataset(yolo)
    assert "secret" not in str(caught.value)
    with pytest.raises(InputError):
        next_to_label(yolo)


def other_set(root):
    """Pictures of other sizes under the names of the first, and one of its own."""
    for name in ("0.jpg", "1.jpg", "9.jpg"):
        brought.picture(root / name, size=(24, 20))
    return root


def test_a_database_of_another_set_is_refused_and_left_as_it_is(yolo, tmp_path, new_schema):
    url, other = new_schema(), other_set(tmp_path / "other")
    with open_store(yolo, url=url, wait=True) as store:
        before = store.labelled()
    with pytest.raises(InputError, match="keeps the labels of another set"):
        open_store(other, url=url)
    assert not mark_of(other).exists()
    with open_store(yolo, url=url, wait=True) as store:
        assert store.labelled() == before
        assert not store.look_at_disk().missing


def test_a_copy_of_the_pictures_is_the_same_set(yolo, tmp_path, new_schema):
    url = new_schema()
    with open_store(yolo, url=url, wait=True) as store:
        before = store.labelled()
    shutil.copytree(yolo, tmp_path / "mine", ignore=shutil.ignore_patterns(".viewfinder"))
    with open_store(tmp_path / "mine", url=url, wait=True) as store:
        assert store.labelled() == before
    assert mark_of(tmp_path / "mine").read_text() == mark_of(yolo).read_text()


def test_the_same_place_on_another_server_holds_other_labels(yolo, photos, new_schema, monkeypatch):
    """A server calls itself localhost, and so does any other."""
    first, second = new_schema(), new_schema()
    with open_store(yolo, url=first, wait=True), open_store(photos, url=second, wait=True):
        pass
    kept = json.loads(mark_of(yolo).read_text())
    there = {**json.loads(mark_of(photos).read_text()), "store": kept["store"]}
    mark_of(yolo).write_text(json.dumps(there))
    monkeypatch.setenv("VIEWFINDER_DATABASE", second)
    with pytest.raises(InputError, match="which holds others: name that one"):
        open_dataset(yolo)
    monkeypatch.setenv("VIEWFINDER_DATABASE", first)
    assert open_dataset(yolo).layout == "the studio's labels"


def test_a_mark_without_a_store_gets_one(yolo, new_schema):
    url = new_schema()
    open_store(yolo, url=url, wait=True).close()
    kept = json.loads(mark_of(yolo).read_text())
    mark_of(yolo).write_text(json.dumps({**kept, "store": ""}))
    with open_store(yolo, url=url) as store:
        assert store.caution() == ""
    assert json.loads(mark_of(yolo).read_text()) == kept


@pytest.mark.parametrize(("host", "same"), [("localhost", True), ("/tmp", True), ("db.lab", False)])
def test_a_server_that_calls_itself_by_its_own_name_is_found_from_elsewhere(host, same):
    known = {"host": host, "port": 5432, "name": "screws"}
    assert same_place(known, place_of("postgresql://me@db.other/screws")) is same
    assert not same_place(known, place_of("postgresql://me@db.other/others"))
