"""What was acknowledged is there, once, whatever was killed; and several may write at once."""

import os
import random
import signal
import sqlite3
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from viewfinder.datasets.opening import open_dataset
from viewfinder.errors import InputError
from viewfinder.studio.store import Operation, PutBox, PutClass, SetState, Unavailable, open_store

PROGRAM = Path(__file__).with_name("labeller.py")


def started(photos, url, name, count=100_000):
    return subprocess.Popen(
        [sys.executable, PROGRAM, photos, url or "", name, str(count)],
        stdout=subprocess.PIPE,
        text=True,
    )


def test_no_acknowledged_operation_is_lost_by_kill_9(photos, url):
    random.seed(4)
    with open_store(photos, url=url, wait=True) as store:
        store.apply(Operation("class", (PutClass("k", "K", 0),), "ann"))
        first = store.contents()
    acknowledged = []
    for attempt in range(2 if url is None else 1):
        process = started(photos, url, f"p{attempt}")
        assert process.stdout is not None
        for _ in range(random.randrange(5, 40)):
            acknowledged.append(process.stdout.readline().split()[0])
        os.kill(process.pid, signal.SIGKILL)
        acknowledged += [line.split()[0] for line in process.stdout if line.endswith("\n")]
        process.stdout.close()
        process.wait()
    with open_store(photos, url=url) as store:
        boxes = [box for n in (1, 2, 3) for box in store.picture(n).boxes]
        ids = {box.id for box in boxes}
        assert len(ids) == len(boxes)
        assert set(acknowledged) <= ids
        # At most the one that was being answered when the process was killed.
        assert len(ids) <= len(acknowledged) + 3
        # What lies between key frames is what those say that were kept.
        store.films.order("", on=True)
        keys = [{box.track for box in store.picture(n).boxes} for n in (1, 2, 3)]
        between = [each.track for each in store.picture(2).moving]
        assert sorted(between) == sorted((keys[0] & keys[2]) - keys[1])
        assert between
        # Sent again, it is answered as applied.
        again = [store.apply(Operation(id, (PutBox(id, 1, "k", (0, 0, 1, 5), 0),), "p0"))
                 for id in acknowledged[:5]]  # fmt: skip
        assert all(each.again for each in again)
        for number in range(len(ids)):
            store.undo(f"u{number}", None)
        assert store.contents() == first


def test_two_processes_and_two_threads_of_one_write_at_once(photos, url):
    with open_store(photos, url=url, wait=True) as store:
        store.apply(Operation("class", (PutClass("k", "K", 0),), "ann"))
        processes = [started(photos, url, "one", 15)]

        def work(name):
            for number in range(15):
                box = PutBox(f"{name}{number}", 1, "k", (0, 0, 5, 5), 0)
                store.apply(Operation(f"{name}{number}", (box,), name))

        threads = [threading.Thread(target=work, args=(name,)) for name in ("a", "b")]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        said = [process.communicate()[0].splitlines() for process in processes]
        assert [process.returncode for process in processes] == [0]
        assert [len(lines) for lines in said] == [15]
        assert sum(len(store.picture(n).boxes) for n in (1, 2, 3)) == 45
        seqs = [each.seq for each in store.history(count=100)]
        assert seqs == list(range(46, 0, -1))


def test_two_processes_may_read_a_folder_for_the_first_time_at_once(photos, url):
    stores = [open_store(photos, url=url) for _ in range(3)]
    for store in stores:
        store.wait()
        assert store.pictures().total == 4
    for store in stores:
        store.close()


def test_a_snapshot_is_of_one_moment_while_others_edit(photos):
    """Each operation adds a box to picture 1 and one to 2: no reader sees one without the other."""
    with open_store(photos, wait=True) as store:
        store.apply(Operation("class", (PutClass("k", "K", 0),), "ann"))
        states = (SetState(1, "done", 1), SetState(2, "done", 1))
        store.apply(Operation("states", states, "ann"))
        ended = threading.Event()

        def work():
            for number in range(60):
                pair = (
                    PutBox(f"a{number}", 1, "k", (0, 0, 5, 5), 0),
                    PutBox(f"b{number}", 2, "k", (0, 0, 5, 5), 0),
                )
                store.apply(Operation(f"o{number}", pair, "ann"))
            ended.set()

        thread = threading.Thread(target=work)
        thread.start()
        seen = []
        while not ended.is_set():
            dataset = open_dataset(photos, deal=False)
            first, second = (len(range(*dataset.boxes.of(n).indices(10_000))) for n in (0, 1))
            assert first == second
            seen.append(first)
        thread.join()
        assert seen == sorted(seen)


def test_the_server_of_the_database_crashes_and_comes_back(new_schema, photos, postgres):
    with open_store(photos, url=new_schema(), wait=True) as store:
        store.apply(Operation("class", (PutClass("k", "K", 0),), "ann"))
        store.apply(Operation("first", (PutBox("a", 1, "k", (0, 0, 5, 5), 0),), "ann"))
        postgres.restart()
        box = PutBox("b", 1, "k", (0, 0, 5, 5), 0)
        assert not store.apply(Operation("o", (box,), "ann")).again
        assert store.apply(Operation("first", (box,), "ann")).again
        assert [each.id for each in store.picture(1).boxes] == ["a", "b"]


def test_a_server_that_goes_while_it_is_greeted_is_said_in_a_sentence(
    new_schema, photos, monkeypatch
):
    """The driver passes on a broken pipe as it is; the client then sends its edit again."""

    def gone(*_args, **_words):
        raise BrokenPipeError(32, "Broken pipe")

    with open_store(photos, url=new_schema(), wait=True) as store:
        store._database._engine.dispose()
        with monkeypatch.context() as patch:
            patch.setattr("pg8000.core.CoreConnection.__init__", gone)
            with pytest.raises(Unavailable):
                store.counts()
        assert store.counts().states["todo"] == 4


def test_a_backup_is_made_while_others_write_and_opens(photos, tmp_path):
    with open_store(photos, wait=True) as store:
        store.apply(Operation("class", (PutClass("k", "K", 0),), "ann"))
        done = threading.Event()

        def work():
            number = 0
            while not done.is_set():
                box = PutBox(f"b{number}", 1, "k", (0, 0, 5, 5), 0)
                store.apply(Operation(f"o{number}", (box,), "ann"))
                number += 1

        thread = threading.Thread(target=work)
        thread.start()
        try:
            for number in range(3):
                store.backup(tmp_path / f"copy{number}.db")
        finally:
            done.set()
            thread.join()
        with pytest.raises(InputError, match="exists already"):
            store.backup(tmp_path / "copy0.db")
    for number in range(3):
        with sqlite3.connect(tmp_path / f"copy{number}.db") as copy:
            boxes = copy.execute("SELECT count(*) FROM box").fetchone()[0]
            operations = copy.execute("SELECT count(*) FROM operation").fetchone()[0]
        copy.close()
        assert operations == boxes + 1
