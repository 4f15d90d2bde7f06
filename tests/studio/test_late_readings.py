"""Edits, undo, redo and restoring around files of labels that are read late: nothing is lost, and
nothing is said that was not done. Random sequences, each step held to the log."""

import contextlib
import json
import tempfile
from pathlib import Path

import brought
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import func, select

from viewfinder.errors import InputError
from viewfinder.studio.store import Operation, PutBox, RemoveBox, SetState, open_store, tables
from viewfinder.studio.store.unread import READ

LINE = "0 0.5 0.5 0.25 0.25\n"
OBJECT = (
    "<object><name>red</name><bndbox><xmin>3</xmin><ymin>3</ymin><xmax>9</xmax><ymax>9</ymax>"
    "</bndbox></object>"
)
PEOPLE = ("ann", "ben")


class Yolo:
    """Two pictures, of which one waits for its file."""

    file, picture = "labels/1.txt", "images/1.jpg"

    def __init__(self, root):
        for stem in "01":
            brought.picture(root / "images" / f"{stem}.jpg")
            brought.text(root / "labels" / f"{stem}.txt", LINE)
        brought.text(root / "data.yaml", "train: images\nnames: [red, blue]\n")
        (root / self.file).write_text(f"{LINE}hello\n")

    @staticmethod
    def text(boxes):
        return LINE * boxes if boxes else "hello\n"


class Voc:
    """The same, of which one is labelled by nobody, as the page that names it is cut off."""

    file, picture = "Annotations/page1.xml", "JPEGImages/1.jpg"

    def __init__(self, root):
        for stem in "01":
            brought.picture(root / "JPEGImages" / f"{stem}.jpg")
            brought.text(root / "Annotations" / f"page{stem}.xml", brought.voc_page(stem))
        (root / self.file).write_text("<annotation>")

    @staticmethod
    def text(boxes):
        whole = brought.voc_page("1")
        return whole[: whole.index("<object>")] + (
            OBJECT * boxes + "</annotation>" if boxes else ""
        )


def records(store):
    """All that operations can change, and what it says, by kind and id."""
    lines = map(json.loads, store.contents().splitlines())
    return {(each.pop("kind"), str(each.pop("id"))): each for each in lines}


def log(store):
    """Each change in its order: operation, its kind, record, before and after."""
    change, operation = tables.change.c, tables.operation.c
    rows = (
        select(change.seq, operation.kind, change.kind, change.record, change.before, change.after)
        .where(operation.seq == change.seq)
        .order_by(change.seq, change.n)
    )
    with store._database.read() as connection:
        found = connection.execute(rows).all()
    return [
        (seq, done, (kind, id), *(None if text is None else json.loads(text) for text in texts))
        for seq, done, kind, id, *texts in found
    ]


def plain(contents):
    """Contents without what is no edit: that a file is waited for, and why."""
    if contents is None:
        return None
    return {name: value for name, value in contents.items() if name not in ("ready", "trouble")}


class Played:
    """A store to which things are done, each checked."""

    def __init__(self, store, of):
        self.store, self.of, self.first, self.count = store, of, records(store), 0
        self.read = {}

    def do(self, action, *about):
        """Do something that may be refused: then nothing has changed."""
        before, seq = records(self.store), self.last()
        try:
            done = getattr(self, action)(*about)
        except InputError:
            assert records(self.store) == before
            assert self.last() == seq
            return None
        self.check()
        if done is not None:
            now = records(self.store)
            changed = {key for key in before | now if before.get(key) != now.get(key)}
            said = {(kind, id) for kind, ids in done.revisions.items() for id in ids}
            # A page that shows what an answer names shows what there is.
            assert changed <= said
        return done

    def last(self):
        newest = self.store.history(count=1)
        return newest[0].seq if newest else 0

    def id(self):
        self.count += 1
        return f"n{self.count}"

    def of_id(self, number):
        return self.store.picture(1 + number % 2)

    def edit(self, person, *changes):
        return self.store.apply(Operation(self.id(), changes, PEOPLE[person]))

    def draw(self, person, number):
        picture = self.of_id(number).picture.id
        return self.edit(person, PutBox(self.id(), picture, "c1", (1, 1, 5, 5), 0))

    def move(self, person, number):
        for box in self.of_id(number).boxes[-1:]:
            corners = (*box.corners[:3], box.corners[3] + 1)
            change = PutBox(box.id, box.picture, box.label, corners, box.revision)
            return self.edit(person, change)
        return None

    def remove(self, person, number):
        one = self.of_id(number)
        gone = [RemoveBox(each.id, each.revision) for each in one.boxes]
        return self.edit(person, *gone) if gone else None

    def say(self, person, number):
        picture = self.of_id(number).picture
        state = ("done", "skipped", "todo")[number % 3]
        change = SetState(picture.id, state, picture.revision)
        return self.edit(person, change) if picture.state != state else None

    def anew(self, person, number):
        return self.store.label_anew(self.id(), 1 + number % 2, PEOPLE[person])

    def undo(self, person, number):
        return self.turn(self.store.undo, person, number, 3)

    def redo(self, person, number):
        return self.turn(self.store.redo, person, number, 4)

    def turn(self, way, person, number, then):
        seq = number if number % 3 == 0 and number else None
        done, refused = self.asked(way, person, seq)
        if done is None and seq is None and "nothing to" not in refused:
            # Said once: what another is in the way of keeps nobody from going on.
            assert "passes over it" in refused
            done, refused = self.asked(way, person, seq)
            assert done or "nothing to" in refused
        if done is None:
            raise InputError(refused)
        # Each record is what it was, but for what was read from a file since.
        of, read = set(), set()
        for at, kind, key, *_ in log(self.store):
            if kind == READ and at > done.of:
                read.add(key)
        now = records(self.store)
        rows = [row for row in log(self.store) if row[0] == done.of and row[2] not in read]
        for row in rows if then == 4 else reversed(rows):
            of.add(row[2])
            assert plain(now.get(row[2])) == plain(row[then])
        assert of, "undone, and nothing was"
        stayed = any(row[0] == done.of and row[2] in read for row in log(self.store))
        assert ("but for what was read" in done.said) == stayed
        return done

    def asked(self, way, person, seq=None):
        """What an undo or redo did, or why it was refused."""
        try:
            return way(self.id(), None if person is None else PEOPLE[person], seq=seq), ""
        except InputError as error:
            return None, str(error)

    def restore(self, person, number):
        return self.store.restore(self.id(), number % (self.last() + 1), PEOPLE[person])

    def write(self, _person, number):
        """The file is another, and the folder is looked at."""
        file = self.store.data / self.of.file
        boxes = number % 5
        file.write_text(self.of.text(boxes)) if boxes < 4 else file.unlink(missing_ok=True)
        report = self.store.look_at_disk()
        if report.read:
            (picture,) = [p for p in self.store.pictures().pictures if p.path == self.of.picture]
            assert (picture.state, picture.ready, picture.boxes) == ("todo", True, boxes)
            self.read = {
                key: each
                for key, each in records(self.store).items()
                if key == ("picture", str(picture.id)) or each.get("picture") == picture.id
            }

    def check(self):
        """The log, from the first state on, is the state that there is."""
        state = dict(self.first)
        for _, _, key, before, after in log(self.store):
            assert plain(state.get(key)) == plain(before)
            state[key] = after
        state = {key: plain(each) for key, each in state.items() if each is not None}
        assert state == {key: plain(each) for key, each in records(self.store).items()}
        waiting = {each.id for each in self.store.pictures().pictures if not each.ready}
        assert waiting == {id for each in self.store.unread_labels() for id in each.pictures}

    def undo_all(self):
        while self.in_force():
            done, refused = self.asked(self.store.undo, None)
            if done is None:
                # Boxes that were drawn before a file was read, which waits again now.
                assert "wait to be read" in refused
                self.write(0, 2)
        with pytest.raises(InputError, match="there is nothing to undo"):
            self.store.undo(self.id(), None)
        expected = dict(self.first)
        if self.read:
            gone = [k for k, each in expected.items() if each.get("picture") == 2]
            expected = {k: each for k, each in expected.items() if k not in gone} | self.read
        now = records(self.store)
        assert {k: plain(v) for k, v in now.items()} == {k: plain(v) for k, v in expected.items()}

    def in_force(self):
        undoing = tables.undoing.c
        rows = select(func.count()).select_from(tables.undoing)
        with self.store._database.read() as connection:
            return connection.execute(rows.where(undoing.undone.in_(tables.IN_FORCE))).scalar()


STEPS = ("draw", "move", "remove", "say", "anew", "undo", "undo", "redo", "restore", "write")
step = st.tuples(st.sampled_from(STEPS), st.integers(0, 1), st.integers(0, 20))


def play(root, of, steps, url=None):
    with open_store(root, url=url, wait=True) as store:
        played = Played(store, of)
        for action, person, number in steps:
            played.do(action, person, number)
        played.undo_all()
        played.check()


@contextlib.contextmanager
def folder():
    memory = "/dev/shm" if Path("/dev/shm").is_dir() else None
    with tempfile.TemporaryDirectory(dir=memory) as name:
        yield Path(name)


@pytest.mark.parametrize("kind", [Yolo, Voc])
@settings(max_examples=10, suppress_health_check=list(HealthCheck))
@given(steps=st.lists(step, min_size=4, max_size=16))
def test_whatever_is_done_around_a_late_reading_is_in_the_log_and_can_be_undone(kind, steps):
    with folder() as root:
        play(root, kind(root), steps)


def boxes(store):
    return [each.id for each in store.picture(2).boxes]


def look(store, of, count):
    (store.data / of.file).write_text(of.text(count))
    assert store.look_at_disk().read == (of.file,)


@pytest.mark.parametrize("kind", [Yolo, Voc])
def test_the_same_with_postgresql(kind, tmp_path, new_schema):
    steps = [("anew", 0, 1), ("draw", 0, 1), ("say", 0, 3), ("undo", 0, 1), ("undo", 0, 1)]
    steps += [("undo", 0, 1), ("write", 0, 3), ("redo", 0, 1), ("restore", 1, 2), ("undo", 1, 1)]
    play(tmp_path, kind(tmp_path), [*steps, ("restore", 0, 3), ("write", 0, 2)], new_schema())


def test_boxes_that_were_undone_or_removed_before_come_back(tmp_path):
    of = Voc(tmp_path)
    with open_store(tmp_path, wait=True) as store:
        played = Played(store, of)
        for action in ("draw", "remove", "draw", "undo"):
            played.do(action, 0, 1)
        look(store, of, 2)
        read = boxes(store)
        assert "done again" in store.redo("redo", "ann").said
        assert len(boxes(store)) == 3
        store.undo("undo", "ann")
        assert store.undo("removed", "ann").said == "undone: 1 box removed"
        assert len(boxes(store)) == 3
        store.undo("drawn", "ann")
        assert boxes(store) == read
        with pytest.raises(InputError, match="nothing to undo"):
            store.undo("more", "ann")


def test_a_picture_that_was_done_without_boxes_is_to_do_after_reading_and_stays_so(tmp_path):
    of = Voc(tmp_path)
    with open_store(tmp_path, wait=True) as store:
        for state in ("done", "todo"):
            revision = store.picture(2).picture.revision
            store.apply(Operation(state, (SetState(2, state, revision),), "ann"))
        look(store, of, 2)
        assert not any(each.undone for each in store.history())
        with pytest.raises(InputError, match="were read from their file since"):
            store.undo("number", "ann", seq=2)
        with pytest.raises(InputError, match="nothing to undo"):
            store.undo("last", "ann")
        assert store.picture(2).picture.state == "todo"
        store.restore("then", 1, "ann")
        assert (store.picture(2).picture.state, boxes(store)) == ("done", [])
        store.undo("back", "ann")
        assert (store.picture(2).picture.state, len(boxes(store))) == ("todo", 2)


def test_of_an_edit_of_several_pictures_what_was_not_read_since_is_undone(tmp_path):
    of = Voc(tmp_path)
    with open_store(tmp_path, wait=True) as store:
        all_ = store.pictures().pictures
        changes = [SetState(each.id, "skipped", each.revision) for each in all_]
        store.apply(Operation("skip", tuple(changes), "ann"))
        store.apply(Operation("one", (SetState(2, "todo", 2),), "ben"))
        look(store, of, 1)
        said = store.undo("undo", "ann").said
        assert said.endswith("but for what was read from its file since")
        assert [each.state for each in store.pictures().pictures] == ["todo", "todo"]
        assert store.redo("redo", "ann").of == 1
        assert [each.state for each in store.pictures().pictures] == ["skipped", "todo"]


def test_a_log_that_says_less_of_pictures_is_undone_and_restored_too(tmp_path):
    of = Voc(tmp_path)
    with open_store(tmp_path, wait=True) as store:
        for state in ("done", "todo"):
            revision = store.picture(2).picture.revision
            store.apply(Operation(state, (SetState(2, state, revision),), "ann"))
        with store._database.write() as connection:
            for seq, before, after in ((1, "todo", "done"), (2, "done", "todo")):
                texts = [json.dumps({"label": None, "state": each}) for each in (before, after)]
                row = tables.change.update().where(tables.change.c.seq == seq)
                connection.execute(row.values(before=texts[0], after=texts[1]))
        store.undo("undo", "ann")
        assert store.picture(2).picture.state == "done"
        store.redo("redo", "ann")
        look(store, of, 2)
        store.restore("then", 1, "ann")
        assert (store.picture(2).picture.state, boxes(store)) == ("done", [])
        store.restore("first", 0, "ann")
        assert (store.picture(2).picture.state, boxes(store)) == ("todo", [])
        store.undo("back", "ann")
        store.undo("on", "ann")
        assert len(boxes(store)) == 2
