"""A file of labels that could not be read may be half written when it is read: nothing is lost."""

import pytest

from tests.studio.test_unread_states import LINE, first, held, is_read, waits
from viewfinder.datasets.checks.checking import check
from viewfinder.datasets.formats.yolo import labels as reading
from viewfinder.errors import InputError
from viewfinder.studio.server.news import said_of
from viewfinder.studio.store import Operation, PutBox, SetState, open_store
from viewfinder.studio.store.found import Found, Unread
from viewfinder.studio.store.mended import with_blank
from viewfinder.studio.store.reading_again import decide

FILE, PICTURE = "labels/1.txt", "images/1.jpg"


@pytest.fixture
def bad(yolo):
    """The file of the first picture, with a box and a line that is none."""
    file = yolo / FILE
    file.write_text(f"{LINE}hello\n")
    return file


def holds(files, unread=None):
    return Found("boxes", None, (PICTURE,), {}, "", (), unread or {}, files)


@pytest.mark.parametrize(
    ("files", "there", "blank", "state", "read", "waits_for"),
    [
        ({PICTURE: FILE}, True, [], "read", (PICTURE,), {}),
        ({PICTURE: FILE}, True, [FILE], "waiting", (), {PICTURE: FILE}),
        ({PICTURE: "labels/b.txt"}, False, [], "read", (PICTURE,), {}),
        ({PICTURE: "labels/b.txt"}, False, ["labels/b.txt"], "read", (), {PICTURE: "labels/b.txt"}),
        ({}, True, [FILE], "waiting", (), {PICTURE: FILE}),
        ({}, False, [], "gone", (), {PICTURE: FILE}),
    ],
)
def test_what_is_decided_of_a_file_that_may_be_empty(files, there, blank, state, read, waits_for):
    made = decide(FILE, there, [PICTURE], with_blank(holds(files), blank))
    assert (made.state, made.read, dict(made.waits)) == (state, read, waits_for)
    assert (made.state == "read") == (not made.why)


def test_what_is_wrong_in_a_file_is_said_before_that_it_is_empty():
    bad_page = {FILE: Unread((PICTURE,), "not whole XML")}
    assert with_blank(holds({PICTURE: FILE}, bad_page), [FILE]).unread == bad_page


@pytest.mark.parametrize("text", ["", "\n \n", "\ufeff"])
def test_an_empty_file_is_waited_for(yolo, bad, text):
    with open_store(yolo, wait=True) as store:
        bad.write_text(text, encoding="utf-8")
        report = store.look_at_disk()
        assert report.read == ()
        assert "labels/1.txt: it is empty" in report.unread[0]
        assert waits(store, "it is empty")
        assert not store.look_at_disk()
    with open_store(yolo) as store:
        bad.write_text(LINE * 3)
        assert store.look_at_disk().read == (FILE,)
        assert is_read(store, 3)


def test_an_empty_file_can_be_labelled_anew(yolo, bad):
    with open_store(yolo, wait=True) as store:
        bad.write_text("")
        store.look_at_disk()
        id = first(store)[0].id
        store.label_anew("anew", id)
        store.apply(Operation("done", (SetState(id, "done", first(store)[0].revision),), "ann"))
        bad.write_text(LINE * 3)
        assert not store.look_at_disk()
        assert first(store)[1] == 1


STEPS = {
    "a line, then all": (LINE, 1, LINE * 3, 3),
    "empty, then all": ("", None, LINE * 3, 3),
    "a line, then empty": (LINE, 1, "", None),
    "a line, then half of another": (LINE, 1, f"{LINE}0 0.5", None),
    "more, then fewer": (LINE * 3, 3, LINE, 1),
    "a line, then another": (LINE, 1, LINE.replace("0.25", "0.5"), 1),
}


@pytest.mark.parametrize("between", ["open", "closed"])
@pytest.mark.parametrize("steps", STEPS.values(), ids=STEPS)
def test_a_file_that_is_written_in_two_steps_is_read_whole(yolo, bad, steps, between):
    one, boxes, two, then = steps
    store = open_store(yolo, wait=True)
    for text, expected in ((one, boxes), (two, then), (LINE * 5, 5)):
        bad.write_text(text)
        if between == "closed":
            store.close()
            store = open_store(yolo)
        report = store.look_at_disk()
        assert store.watched_labels() == (FILE,)
        if expected is None:
            assert report.read == ()
            assert waits(store, FILE, boxes=first(store)[1])
        else:
            assert report.read == (FILE,)
            assert is_read(store, expected)
        assert not store.look_at_disk()
    store.close()


def test_a_file_of_fewer_boxes_than_could_be_read_before_is_said(yolo, bad):
    bad.write_text(f"{LINE * 4}hello\n")
    with open_store(yolo, wait=True) as store:
        bad.write_text(LINE)
        report = store.look_at_disk()
        (said,) = report.remarks
        assert said.startswith("labels/1.txt is read with 1 box, and 4 could be read of it before")
        assert said in said_of(report)
        assert said in store.history()[0].said
        bad.write_text(LINE * 4)
        assert store.look_at_disk().remarks == ()
        assert is_read(store, 4)


def edits(id, revision):
    yield PutBox("own", id, "c1", (1, 1, 5, 5), 0)
    yield SetState(id, "done", revision)


@pytest.mark.parametrize("which", [0, 1])
def test_what_was_edited_since_stays_and_that_is_said_until_it_is_done(yolo, bad, which):
    with open_store(yolo, wait=True) as store:
        bad.write_text(LINE)
        store.look_at_disk()
        picture = first(store)[0]
        edit = list(edits(picture.id, picture.revision))[which]
        store.apply(Operation("edit", (edit,), "ann"))
        before = first(store)
        bad.write_text(LINE * 3)
        report = store.look_at_disk()
        assert (report.read, report.unread) == ((), ())
        (said,) = report.remarks
        assert "labels/1.txt: it is another file than was read, and was not taken in" in said
        assert first(store) == before
        assert PICTURE in store.snapshot().paths
    with open_store(yolo) as store:
        assert not store.look_at_disk()
        assert held(store) == [(FILE, (picture.id,))]
        (fault,) = check(yolo)[1]
        assert (fault.labels, fault.picture) == (FILE, PICTURE)
        assert "had other labels then; once these edits are undone" in str(fault)
        for number, state in enumerate(("todo", "done")[1 - which :]):
            change = SetState(picture.id, state, before[0].revision + number)
            store.apply(Operation(f"said{number}", (change,), "ann"))
        assert not store.unread_labels()
        assert not check(yolo)[1]
        store.undo("back", "ann")
        assert held(store)
        bad.write_text(LINE * 4)
        assert len(store.look_at_disk().remarks) == 1


@pytest.mark.parametrize("which", [0, 1])
def test_a_file_is_taken_in_once_the_edits_that_kept_it_from_it_are_undone(yolo, bad, which):
    with open_store(yolo, wait=True) as store:
        bad.write_text(LINE)
        store.look_at_disk()
        picture = first(store)[0]
        edit = list(edits(picture.id, picture.revision))[which]
        store.apply(Operation("edit", (edit,), "ann"))
        bad.write_text(LINE * 3)
        store.look_at_disk()
        store.undo("back", "ann")
        assert store.look_at_disk().read == (FILE,)
        assert is_read(store, 3)
        assert first(store)[0].state == "todo"
        assert not store.look_at_disk()


def test_a_mended_file_that_goes_loses_nothing_and_is_read_if_it_comes_back_as_another(yolo, bad):
    with open_store(yolo, wait=True) as store:
        bad.write_text(LINE)
        store.look_at_disk()
        bad.unlink()
        assert not store.look_at_disk()
        assert is_read(store, 1)
        bad.write_text(LINE * 3)
        assert store.look_at_disk().read == (FILE,)
        assert is_read(store, 3)


def test_a_file_that_nobody_may_open_is_read_once_one_may(yolo, bad, monkeypatch):
    as_it_is = reading.read_text

    def read_text(file):
        # Who runs tests as root may open everything.
        if not file.stat().st_mode & 0o400:
            raise InputError(f"cannot read {file}: Permission denied")
        return as_it_is(file)

    monkeypatch.setattr(reading, "read_text", read_text)
    bad.write_text(LINE * 3)
    bad.chmod(0)
    with open_store(yolo, wait=True) as store:
        assert waits(store, "1.txt: it cannot be read (Permission denied); see that", boxes=0)
        assert not store.look_at_disk()
        bad.chmod(0o600)
        assert store.look_at_disk().read == (FILE,)
        assert is_read(store, 3)
