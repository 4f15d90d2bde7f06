"""Databases that are none, damaged, forged, older or newer; each ends in one sentence."""

import contextlib
import os
import shutil
import sqlite3
from pathlib import Path

import brought
import pytest

from viewfinder.datasets.opening import open_dataset, read_boxes
from viewfinder.errors import InputError
from viewfinder.studio.store import (
    Operation,
    PutBox,
    PutClass,
    Unavailable,
    open_store,
    read_lines,
    tables,
)
from viewfinder.studio.store import database as databases


@pytest.fixture
def stored(yolo):
    """A set with a store, closed; the data folder and the file of the store."""
    with open_store(yolo, wait=True) as store:
        store.apply(Operation("o1", (PutClass("k", "K", 0),), "ann"))
    return yolo, yolo / ".viewfinder" / "labels.db"


def change(file, *statements):
    with contextlib.closing(sqlite3.connect(file)) as connection:
        for statement in statements:
            connection.execute(statement)
        connection.commit()


def refused(data, *, by_train=True):
    """What opening says; nothing is changed by it."""

    def read():
        with open_store(data) as store:
            store.pictures()
            store.path_of(1)
            store.picture(1)

    with pytest.raises(InputError) as error:
        read()
    if by_train:
        with pytest.raises(InputError):
            open_dataset(data)
    return str(error.value)


def test_a_file_that_is_no_database_is_refused_and_left(stored):
    data, file = stored
    for content in (b"no database at all, but a text\n" * 100, os.urandom(5000)):
        file.write_bytes(content)
        assert "is damaged" in refused(data)
        assert file.read_bytes() == content


def test_a_database_that_was_cut_or_overwritten_is_refused(stored):
    data, file = stored
    whole = file.read_bytes()
    file.write_bytes(whole[: len(whole) // 2])
    assert "is damaged" in refused(data)
    middle = len(whole) // 3
    file.write_bytes(whole[:middle] + os.urandom(20_000) + whole[middle + 20_000 :])
    assert "is damaged" in refused(data, by_train=False)


def test_another_programs_database_is_refused(yolo):
    file = yolo / ".viewfinder" / "labels.db"
    file.parent.mkdir()
    change(file, "CREATE TABLE photos (id INTEGER)")
    assert "another program" in refused(yolo)


def test_a_store_that_may_not_be_opened_is_not_passed_over_for_older_labels(stored, monkeypatch):
    data, file = stored
    sentence = "cannot be opened .*: see that your account may read it .*; nothing in it is lost"
    with monkeypatch.context() as patched:
        look = Path.lstat

        def no_rights(path):
            if path == file:
                raise PermissionError(13, "Permission denied", str(path))
            return look(path)

        patched.setattr(Path, "lstat", no_rights)
        for read in (open_dataset, read_boxes):
            with pytest.raises(InputError, match=sentence):
                read(data)
    with monkeypatch.context() as patched:
        connect = sqlite3.connect
        patched.setattr(sqlite3, "connect", lambda *_, **__: connect("file:/", uri=True))
        with pytest.raises(InputError, match=sentence):
            open_dataset(data)
    file.rename(file.with_name("elsewhere.db"))
    file.symlink_to("nothing")
    none = r"is no file, .*: put it back there"
    with pytest.raises(InputError, match=none):
        open_dataset(data)
    file.unlink()
    file.mkdir()
    with pytest.raises(InputError, match=none):
        open_dataset(data)
    assert "is no file" in refused(data)


@pytest.mark.parametrize("path", ["../outside.jpg", "/etc/passwd", "a/../../b.jpg", "", "a//b"])
def test_paths_that_lead_out_are_refused(stored, path):
    data, file = stored
    change(file, f"UPDATE picture SET path = '{path}' WHERE id = 1")
    assert "outside" in refused(data)


def test_a_link_out_of_the_folder_is_refused(yolo, tmp_path):
    (tmp_path / "elsewhere").mkdir()
    (yolo / ".viewfinder").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(InputError, match="outside"):
        open_store(yolo)
    assert not list((tmp_path / "elsewhere").iterdir())


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE box SET x1 = 'text'",
        "UPDATE box SET x1 = 9e999",
        "UPDATE box SET mask = '{'",
        "UPDATE box SET mask = zeroblob(65000000) WHERE id = 'f1'",
        "UPDATE box SET label = 'nobody'",
        "UPDATE picture SET width = x'00ff'",
        "UPDATE picture SET side = 1e30",
        "UPDATE picture SET path = NULL",
        "DROP TABLE box",
        "DELETE FROM meta",
        "UPDATE meta SET value = 'x' WHERE key = 'schema'",
    ],
)
def test_forged_contents_end_in_a_sentence(stored, statement):
    data, file = stored
    with contextlib.suppress(sqlite3.IntegrityError):
        change(file, statement)
        with pytest.raises(InputError):
            open_dataset(data)


def test_views_and_triggers_in_place_of_tables_are_not_run(stored):
    data, file = stored
    change(file, "ALTER TABLE box RENAME TO hidden", "CREATE VIEW box AS SELECT * FROM hidden")
    refused(data)
    change(file, "DROP VIEW box", "ALTER TABLE hidden RENAME TO box",
           "CREATE TRIGGER t AFTER INSERT ON operation BEGIN DELETE FROM box; END")  # fmt: skip
    refused(data, by_train=False)


def test_every_older_schema_is_opened_and_brought_up(tmp_path):
    for script in sorted(Path(__file__).parent.glob("schema_*.sql")):
        version = script.stem.rpartition("_")[2]
        data = tmp_path / version
        for stem in "01":
            brought.picture(data / f"{stem}.jpg")
        (data / ".viewfinder").mkdir()
        file = data / ".viewfinder" / "labels.db"
        with contextlib.closing(sqlite3.connect(file)) as connection:
            connection.executescript(script.read_text(encoding="utf-8"))
        before = open_dataset(data, deal=False)
        assert before.boxes.corners.tolist() == [[1, 2, 9.5, 9]]
        with open_store(data) as store:
            assert [each.said for each in store.history()][1:] == [
                "1 picture's state set: done", "1 box put, 1 class set: K ö",
            ]  # fmt: skip
            assert store.redo("r1", "ann").of == 2
            store.restore("r2", 1, "ann")
            contents = store.contents()
            structure = _structure(file)
            store.write_lines(tmp_path / f"{version}.jsonl")
        (tmp_path / f"new{version}").mkdir()
        with read_lines(tmp_path / f"new{version}", tmp_path / f"{version}.jsonl") as store:
            assert store.contents() == contents
        assert _structure(tmp_path / f"new{version}" / ".viewfinder" / "labels.db") == structure
        assert file.with_name(f"labels.schema-{version}.db").is_file()


def _structure(file):
    """The tables with their columns, and the indexes."""
    with contextlib.closing(sqlite3.connect(file)) as connection:
        rows = connection.execute("SELECT name, sql FROM sqlite_master").fetchall()
    return sorted((name, " ".join((sql or "").split())) for name, sql in rows)


def test_a_newer_schema_is_left_and_an_older_one_is_brought_up_after_a_copy(stored, monkeypatch):
    data, file = stored
    change(file, "UPDATE meta SET value = '99' WHERE key = 'schema'")
    assert "newer Viewfinder" in refused(data)
    change(file, f"UPDATE meta SET value = '{tables.SCHEMA}' WHERE key = 'schema'")
    newer = tables.SCHEMA + 1
    monkeypatch.setattr(tables, "SCHEMA", newer)
    added = {tables.SCHEMA - 1: ("CREATE TABLE extra (id INTEGER)",)}
    monkeypatch.setattr(databases, "MIGRATIONS", added)
    with open_store(data) as store:
        assert store.history()[0].said == "1 class set: K"
    copy = file.with_name(f"labels.schema-{newer - 1}.db")
    with contextlib.closing(sqlite3.connect(copy)) as before:
        schema = before.execute("SELECT value FROM meta WHERE key = 'schema'").fetchone()
        assert schema == (str(newer - 1),)
        assert before.execute("SELECT count(*) FROM operation").fetchone() == (1,)
    with contextlib.closing(sqlite3.connect(file)) as after:
        assert after.execute("SELECT count(*) FROM extra").fetchone() == (0,)


def test_a_migration_that_fails_changes_nothing(stored, monkeypatch):
    data, file = stored
    monkeypatch.setattr(tables, "SCHEMA", tables.SCHEMA + 1)
    steps = ("CREATE TABLE extra (id INTEGER)", "UPDATE nowhere SET a = 1")
    monkeypatch.setattr(databases, "MIGRATIONS", {tables.SCHEMA - 1: steps})
    with pytest.raises(InputError, match="nowhere"):
        open_store(data)
    monkeypatch.undo()
    with open_store(data) as store:
        assert len(store.history()) == 1
    with contextlib.closing(sqlite3.connect(file)) as after:
        assert not after.execute("SELECT 1 FROM sqlite_master WHERE name = 'extra'").fetchall()


def test_a_full_disk_loses_nothing(stored, monkeypatch):
    data, _ = stored
    with open_store(data) as store:
        before = store.contents()
        with store._database.read() as connection:
            pages = connection.exec_driver_sql("PRAGMA page_count").scalar()
        store._database.close()
        real = databases._prepare

        def small(connection, record):
            real(connection, record)
            connection.execute(f"PRAGMA max_page_count={pages}")

        from sqlalchemy import event

        event.listen(store._database._engine, "connect", small)
        big = {"size": [20, 40], "counts": [1] * 800}
        boxes = tuple(PutBox(f"b{n}", 1, "k", (0, 0, 5, 5), 0, mask=big) for n in range(200))
        with pytest.raises(Unavailable, match="full"):
            store.apply(Operation("big", boxes, "ann"))
        assert store.contents() == before
        assert len(store.history()) == 1


def test_a_folder_that_cannot_be_written_is_read_all_the_same(stored):
    if os.geteuid() == 0:
        pytest.skip("root may write anywhere")
    data, file = stored
    file.parent.chmod(0o500)
    try:
        assert open_dataset(data).layout == "the studio's labels"
    finally:
        file.parent.chmod(0o700)


def test_addresses_of_other_databases_are_refused(yolo):
    for url in ("mysql://a/b", "nonsense", "postgresql://nobody@127.0.0.1:1/x"):
        with pytest.raises(InputError):
            open_store(yolo, url=url)
    shutil.rmtree(yolo / ".viewfinder", ignore_errors=True)
