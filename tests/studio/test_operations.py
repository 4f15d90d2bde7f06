"""Operations: applied once, refused when stale, undone exactly; on SQLite and on PostgreSQL."""

from dataclasses import replace

import numpy as np
import pytest

from viewfinder.errors import InputError
from viewfinder.labelling.proposals import Proposals, write_proposals
from viewfinder.studio.store import (
    Accept,
    Conflict,
    Filter,
    LabelPicture,
    MergeClass,
    Operation,
    PutBox,
    PutClass,
    Reject,
    RemoveBox,
    RemoveClass,
    SetState,
    as_json,
    counting,
    listing,
    open_store,
    operation_of,
)
from viewfinder.studio.store.database import set_value
from viewfinder.tasks.detect.detections import Detections

CUP, MUG = PutClass("cup", "Cup ö 螺", 0, "#ff0000", "c", 0), PutClass("mug", "Mug", 0, position=1)


def box(id="b1", picture=1, corners=(1.0, 2.0, 20.5, 15.25), base=0, label="cup", **more):
    return PutBox(id, picture, label, corners, base, **more)


def do(store, id, *changes, person="ann"):
    return store.apply(Operation(id, changes, person, "window 1"))


def proposals(*corners, paths=("0.jpg",), classes=("Cup ö 螺",)):
    count = len(corners)
    return Proposals(
        paths,
        np.full((len(paths), 2), (40, 20)),
        classes,
        np.zeros(count, np.int64),
        Detections(
            np.array(corners, np.float64).reshape(-1, 4),
            np.full(count, 0.75),
            np.zeros(count, np.int64),
        ),
        ("plate: empty.png",) * count,
    )


def test_a_box_is_as_it_was_put_with_who_and_when_and_how(labels):
    mask = {"size": [20, 40], "counts": [100, 5, 695]}
    more = {"track": "t1", "key_frame": True, "difficult": True, "crowd": True, "mask": mask}
    done = do(labels, "o1", CUP, box(source="track", score=0.5, **more))
    assert (done.seq, done.again, done.pictures) == (1, False, (1,))
    assert done.revisions == {"class": {"cup": 1}, "box": {"b1": 1}}
    one = labels.picture(1)
    (found,) = one.boxes
    assert found.corners == (1.0, 2.0, 20.5, 15.25)
    assert (found.mask, found.track, found.key_frame) == (mask, "t1", True)
    assert (found.difficult, found.crowd, found.source, found.score) == (True, True, "track", 0.5)
    assert found.person == "ann"
    assert found.at > 1e9
    assert one.picture.touched == 1
    assert [each.name for each in labels.classes()] == ["Cup ö 螺"]


def test_an_operation_is_applied_once_however_often_it_is_sent(labels):
    first = do(labels, "o1", CUP, box())
    before = labels.contents()
    again = do(labels, "o1", CUP, box())
    assert again.again
    assert (again.seq, again.revisions) == (first.seq, first.revisions)
    assert labels.contents() == before
    assert len(labels.history()) == 1


def test_a_stale_edit_is_refused_with_what_is_there_now_and_nothing_of_it_is_done(labels):
    do(labels, "o1", CUP, box())
    do(labels, "o2", box(corners=(3, 3, 9, 9), base=1), person="ben")
    before = labels.contents()
    with pytest.raises(Conflict) as refused:
        do(labels, "o3", SetState(1, "done", 1), box(corners=(4, 4, 9, 9), base=1))
    (now,) = refused.value.now
    assert now == {"kind": "box", "id": "b1", "record": as_json(labels.picture(1).boxes[0])}
    assert now["record"]["person"] == "ben"
    assert labels.contents() == before
    do(labels, "o3", box(corners=(4, 4, 9, 9), base=2))
    do(labels, "o4", RemoveBox("b1", 3))
    with pytest.raises(Conflict) as refused:
        do(labels, "o5", box(corners=(5, 5, 9, 9), base=3))
    assert refused.value.now[0]["record"] is None


def test_edits_of_a_queue_know_their_revisions_beforehand(labels):
    do(labels, "o1", CUP, box())
    for base in range(1, 5):
        assert do(labels, f"q{base}", box(base=base)).revisions["box"]["b1"] == base + 1


def test_undo_and_redo_survive_a_restart_and_go_by_person(photos, url):
    with open_store(photos, url=url, wait=True) as store:
        start = store.contents()
        do(store, "o1", CUP, box())
        do(store, "o2", box("b2", 2), person="ben")
        do(store, "o3", SetState(1, "done", 1), RemoveBox("b1", 1))
        end = store.contents()
    with open_store(photos, url=url) as store:
        assert store.undo("u1", "ann").of == 3
        assert store.undo("u1", "ann").again
        assert [each.id for each in store.picture(1).boxes] == ["b1"]
        assert store.picture(1).picture.state == "todo"
        assert store.redo("r1", "ann").of == 3
        assert store.contents() == end
        with pytest.raises(InputError, match="nothing to do again"):
            store.redo("r2", "ann")
    with open_store(photos, url=url) as store:
        for number in range(3):
            store.undo(f"all{number}", None)
        assert store.contents() == start
        with pytest.raises(InputError, match="nothing to undo"):
            store.undo("all3", None)


def test_undo_of_what_another_changed_since_is_refused(labels):
    do(labels, "o1", CUP, box())
    do(labels, "o2", box(corners=(3, 3, 9, 9), base=1), person="ben")
    # Back to what it was: who undoes must not pass over the other's edit all the same.
    do(labels, "o3", RemoveBox("b1", 2), person="ben")
    with pytest.raises(Conflict, match="changed since"):
        labels.undo("u1", "ann")
    assert labels.undo("u2", "ben").of == 3


def test_what_another_changed_since_is_refused_once_and_undo_goes_on_before_it(photos, url):
    with open_store(photos, url=url, wait=True) as store:
        do(store, "o1", CUP, box("a"))
        for seq, name in enumerate("bcd", 2):
            do(store, f"o{seq}", box(name, seq))
        removed = RemoveBox("c", 1), RemoveBox("d", 1)
        do(store, "o5", *removed, person="ben")
        with pytest.raises(Conflict, match="changed since: the next undo passes over it, and 1 mo"):
            store.undo("u1", "ann")
        with pytest.raises(Conflict, match="changed since"):
            store.undo("u1-number", "ann", seq=4)
    with open_store(photos, url=url, wait=True) as store:
        assert store.undo("u2", "ann").of == 2
        assert [each.undone for each in store.history()] == [False] * 4 + [True, False]
        # Once ben takes it back, they are what ann did last again.
        store.undo("ben", "ben")
        assert [store.undo(f"u{n}", "ann").of for n in (3, 4)] == [4, 3]
        assert store.redo("r1", "ann").of == 2
        do(store, "o6", box("c", 3, (3, 3, 9, 9)), person="ben")
        with pytest.raises(Conflict, match="changed since: the next redo passes over it"):
            store.redo("r2", "ann")
        assert store.redo("r3", "ann").of == 4
        with pytest.raises(InputError, match="nothing to do again"):
            store.redo("r4", "ann")
        for number in range(4):
            store.undo(f"all{number}", None)
        assert not any(store.picture(each).boxes for each in range(1, 5))
        assert store.classes() == ()


def test_renaming_a_class_is_one_row_and_merging_is_taken_back(labels):
    do(labels, "o1", CUP, MUG, *(box(f"b{i}", 1 + i % 4) for i in range(40)))
    renamed = do(labels, "o2", PutClass("cup", "Tasse", 1, "#00ff00", "t", 5))
    assert renamed.revisions == {"class": {"cup": 2}}
    before = labels.contents()
    merged = do(labels, "o3", MergeClass("cup", "mug", 2))
    assert merged.revisions == {"class": {"cup": 3}}
    assert {each.label for each in labels.picture(1).boxes} == {"mug"}
    assert labels.counts().boxes == {"mug": 40}
    assert labels.pictures(Filter(label="mug")).total == 4
    assert labels.snapshot().classes == ("Mug",)
    # Who had not heard of it can still put boxes of the class.
    do(labels, "o4", box("late", 2))
    assert labels.picture(2).boxes[-1].label == "mug"
    labels.undo("u1", "ann")
    labels.undo("u2", "ann")
    assert labels.contents() == before


def test_classes_that_cannot_be_are_refused(labels):
    do(labels, "o1", CUP, MUG, box())
    with pytest.raises(Conflict, match="already"):
        do(labels, "o2", PutClass("x", "Mug", 0))
    with pytest.raises(Conflict, match="itself"):
        do(labels, "o3", MergeClass("mug", "mug", 1))
    do(labels, "o4", MergeClass("mug", "cup", 1))
    with pytest.raises(Conflict, match="itself"):
        do(labels, "o5", MergeClass("cup", "mug", 1))
    with pytest.raises(Conflict, match="merge it"):
        do(labels, "o6", RemoveClass("cup", 1))
    with pytest.raises(Conflict, match="no such class"):
        do(labels, "o7", box("b2", label="none"))
    for bad in (PutClass("x", "", 0), PutClass("x", "a\nb", 0), PutClass("x", " a", 0)):
        with pytest.raises(InputError):
            do(labels, "o8", bad)


def test_a_removed_class_is_back_when_somebody_had_used_it_meanwhile(labels):
    do(labels, "o1", CUP, MUG)
    do(labels, "o2", RemoveClass("cup", 1), person="ben")
    assert [each.id for each in labels.classes()] == ["mug"]
    do(labels, "o3", box())
    assert [each.id for each in labels.classes()] == ["cup", "mug"]
    assert labels.snapshot().counts() == {"Cup ö 螺": 1, "Mug": 0}


def test_proposing_changes_no_label_and_what_was_rejected_stays_so(photos, url):
    first, second = (1, 1, 11, 11), (20, 2, 38, 18)
    with open_store(photos, url=url, wait=True) as store:
        do(store, "o1", CUP, box())
        before = store.picture(1).boxes
        assert store.propose("plate", proposals(first, second)) == 2
        assert store.picture(1).boxes == before
        one, two = store.picture(1).proposals
        do(store, "o2", Reject(one.id, 1), Accept(two.id, "new", 1))
        accepted = store.picture(1).boxes[-1]
        assert (accepted.corners, accepted.source, accepted.score) == (second, "plate", 0.75)
        assert store.counts().proposals == 0
    with open_store(photos, url=url) as store:
        # The same again, a little moved; and one that is new.
        again = proposals((1.1, 1, 11, 11), second, (0, 15, 5, 20))
        assert store.propose("plate", again) == 1
        assert store.propose("another run", proposals(first)) == 1
        states = {each.corners: each.state for each in store.picture(1).proposals}
        assert states[0, 15, 5, 20] == "open"
        assert [each.state for each in store.picture(1).proposals].count("rejected") == 1
        store.undo("u1", "ann")
        assert {each.state for each in store.picture(1).proposals} == {"open"}
        assert [each.id for each in store.picture(1).boxes] == ["b1"]


def test_what_is_drawn_over_a_proposal_is_kept_though_newer_ones_came(labels):
    labels.apply(Operation("k", (PutClass("k", "K", 0),)))
    drawn = Accept("gone", "mine", 1, "k", (1.0, 1.0, 20.0, 20.0), 2)
    labels.apply(Operation("drawn", (drawn,), "Ann"))
    (box,) = labels.picture(2).boxes
    assert (box.corners, box.source, box.person) == ((1, 1, 20, 20), "hand", "Ann")
    with pytest.raises(Conflict, match="changed meanwhile"):
        labels.apply(Operation("taken", (Accept("gone", "other", 1, "k"),), "Ann"))
    labels.undo("undo", "Ann")
    assert labels.picture(2).boxes == ()


def test_what_was_seen_is_accepted_though_newer_ones_came_meanwhile(labels):
    labels.propose("run a", proposals((1, 1, 9, 9), (20, 2, 38, 18)))
    seen, refused = labels.picture(1).proposals
    assert labels.propose("run a", proposals((2, 2, 9, 9)), alone=True) == 1
    assert [each.corners for each in labels.picture(1).proposals] == [(2, 2, 9, 9)]
    do(labels, "o1", Accept(seen.id, "b", 1), Reject(refused.id, 1))
    (box,) = labels.picture(1).boxes
    assert (box.corners, box.source, box.score) == ((1, 1, 9, 9), seen.source, seen.score)
    labels.undo("u1", "ann")
    assert labels.picture(1).boxes == ()
    assert [each.state for each in labels.picture(1).proposals] == ["open"]
    labels.redo("r1", "ann")
    # What was refused stays so; what gave place twice is not there any more.
    assert labels.propose("run a", proposals((20, 2, 38, 18), (5, 5, 19, 19)), alone=True) == 1
    old = next(each for each in labels.picture(1).proposals if each.state == "open")
    for corners in ((0, 0, 4, 4), (0, 0, 5, 5)):
        labels.propose("run a", proposals(corners), alone=True)
    with pytest.raises(Conflict, match="changed meanwhile"):
        do(labels, "o2", Accept(old.id, "late", 1))


def test_what_propose_left_for_the_folder_is_taken_by_what_made_it(labels):
    found = proposals((1, 1, 11, 11), (20, 2, 38, 18))
    two = replace(found, sources=("plate: empty.png", "detector: mugs/weights.safetensors"))
    write_proposals(labels.data, two)
    assert labels.take_proposals() == 2
    shown = labels.picture(1).proposals
    assert {(each.run, each.source) for each in shown} == {
        ("plate: empty.png", "plate"),
        ("detector: mugs/weights.safetensors", "run:mugs/weights.safetensors"),
    }
    assert labels.take_proposals() == 2
    assert len(labels.picture(1).proposals) == 2


def test_accepting_makes_the_class_and_keeps_a_correction(labels):
    labels.propose("run a", proposals((1, 1, 9, 9), classes=("Neu",)))
    (one,) = labels.picture(1).proposals
    do(labels, "o1", Accept(one.id, "b", 1, corners=(2, 2, 9, 9)))
    assert labels.picture(1).boxes[0].corners == (2, 2, 9, 9)
    assert [each.name for each in labels.classes()] == ["Neu"]
    assert labels.picture(1).proposals[0].box == "b"


def test_history_says_who_did_what_and_any_moment_can_be_restored(labels):
    moments = [labels.contents()]
    do(labels, "o1", CUP, box())
    moments.append(labels.contents())
    do(labels, "o2", box("b2", 2), SetState(2, "done", 1), person="ben")
    moments.append(labels.contents())
    labels.undo("u1", "ben")
    moments.append(labels.contents())
    do(labels, "o3", RemoveBox("b1", 1))
    moments.append(labels.contents())
    told = labels.history()
    assert [(d.seq, d.person, d.kind) for d in told] == [
        (4, "ann", "edit"),
        (3, "ben", "undo"),
        (2, "ben", "edit"),
        (1, "ann", "edit"),
    ]
    assert "1 box removed" in told[0].said
    assert told[2].undone
    assert [each.seq for each in labels.history(picture=2)] == [3, 2]
    with pytest.raises(InputError, match="nothing to restore"):
        labels.restore("now", 4, "ann")
    for number, moment in enumerate(moments[:-1]):
        said = labels.restore(f"to{number}", number, "ann").said
        assert said == (f"all labels as after “{told[-number].said}”" if number else FIRST)
        assert labels.contents() == moment
        labels.undo(f"back{number}", "ann")
        assert labels.contents() == moments[-1]


FIRST = "all labels as first read"


def test_history_says_how_boxes_changed(labels):
    do(labels, "o1", CUP, box(), box("b2"))
    do(labels, "o2", MUG, box(base=1, corners=(3.0, 2.0, 20.5, 15.25), label="mug"))
    do(labels, "o3", box("b2", base=1, difficult=True))
    do(labels, "o4", box("b2", base=2, difficult=True))
    assert [each.said for each in labels.history()] == [
        "1 box changed",
        "1 box changed (difficult)",
        "1 box changed (moved or resized, now Mug), 1 class set: Mug",
        "2 boxes drawn, 1 class set: Cup ö 螺",
    ]


def test_pages_filters_and_the_next_picture(labels):
    do(labels, "o1", CUP, box("b1", 2), SetState(3, "done", 1), SetState(1, "skipped", 1))
    labels.propose("plate", proposals((1, 1, 9, 9), paths=("3.jpg",)))
    assert [p.path for p in labels.pictures(start=1, count=2).pictures] == ["1.jpg", "2.jpg"]
    found = {
        "todo": Filter(state="todo"),
        "cup": Filter(label="cup"),
        "text": Filter(text="2.J"),
        "open": Filter(proposed=True),
        "hand": Filter(source="hand"),
        "bad": Filter(trouble=True),
    }
    ids = {k: [p.id for p in labels.pictures(f).pictures] for k, f in found.items()}
    assert ids == {"todo": [2, 4], "cup": [2], "text": [3], "open": [4], "hand": [2], "bad": []}
    assert labels.next_picture(1, Filter(state="todo")) == 2
    assert labels.next_picture(2, Filter(state="todo")) == 4
    assert [labels.place_of(n, Filter(state="todo")) for n in (2, 3, 4)] == [0, None, 1]
    assert labels.next_picture(4, Filter(state="todo")) is None
    assert labels.next_picture(4, Filter(state="todo"), backwards=True) == 2
    assert labels.counts().states == {"todo": 2, "done": 1, "skipped": 1}


GOOD = {"do": "PutBox", "id": "b", "picture": 1, "label": "cup", "corners": [0, 0, 9, 9], "base": 0}


@pytest.mark.parametrize(
    "change",
    [
        GOOD | {"corners": [0, 0, 0, 5]},
        GOOD | {"corners": [0, 0, 9]},
        GOOD | {"corners": [0, 0, 1e99, 9]},
        GOOD | {"corners": [0, 0, "9", 9]},
        GOOD | {"id": "../b"},
        GOOD | {"picture": "1"},
        GOOD | {"picture": 99},
        GOOD | {"label": None},
        GOOD | {"source": "guess"},
        GOOD | {"mask": {"size": [20, 40], "counts": [-1]}},
        GOOD | {"extra": 1},
        {key: value for key, value in GOOD.items() if key != "label"},
        {"do": "SetState", "picture": 1, "state": "lost", "base": 1},
        {"do": "SetState", "picture": 1, "state": "done", "base": True},
        {"do": "LabelPicture", "picture": -1, "label": None, "base": 1},
        {"do": "__class__"},
        "PutBox",
    ],
)
def test_operations_of_another_form_are_refused(photos, change):
    with open_store(photos, wait=True) as store:
        do(store, "o1", CUP)
        with pytest.raises(InputError):
            store.apply(operation_of({"id": "o2", "changes": [change]}))
        assert len(store.history()) == 1


def test_an_operation_goes_through_json(labels):
    document = {
        "id": "o1",
        "changes": [
            {"do": "PutClass", "id": "cup", "name": "Cup", "base": 0},
            GOOD,
            {"do": "LabelPicture", "picture": 1, "label": "cup", "base": 1},
        ],
    }
    asked = operation_of(document, person="ann")
    assert asked.changes[2] == LabelPicture(1, "cup", 1)
    labels.apply(asked)
    assert labels.picture(1).picture.label == "cup"


def test_counts_that_are_kept_are_those_of_the_rows(labels, photos, url):
    """After each kind of operation, also where another store of the same labels counted last, and
    where what was kept is garbage."""

    def anew(store):
        with store._database.read() as connection:
            found = counting._counted(connection, 0, 0)
            return found.counts(listing.merged_into(connection))

    def step(number, *changes):
        labels.apply(Operation(f"o{number}", changes, "ann"))
        assert labels.counts() == anew(labels), number

    step(1, PutClass("a", "A", 0), PutClass("b", "B", 0), PutBox("x", 1, "a", (1, 1, 9, 9), 0))
    step(2, PutBox("y", 2, "b", (1, 1, 9, 9), 0), SetState(2, "done", 1))
    step(3, PutBox("x", 1, "b", (1, 1, 9, 9), 1), LabelPicture(3, "a", 1))
    step(4, MergeClass("b", "a", 1))
    step(5, RemoveBox("y", 1))
    labels.propose("plate", proposals((1, 1, 9, 9), (20, 1, 30, 9)))
    assert labels.counts() == anew(labels)
    assert labels.counts().proposals == 2
    first, second = (each.id for each in labels.picture(1).proposals)
    step(6, Accept(first, "from-plate", 1))
    step(7, Reject(second, 1))
    with open_store(photos, url=url, wait=True) as other:
        other.apply(Operation("theirs", (PutBox("z", 4, "a", (1, 1, 9, 9), 0),), "bob"))
        assert other.counts() == anew(other) == labels.counts()
    for turn in (labels.undo, labels.undo, labels.redo):
        turn(f"t{turn.__name__}{labels.history(count=1)[0].seq}", "ann")
        assert labels.counts() == anew(labels)
    labels.restore("back", 1, "ann")
    assert labels.counts() == anew(labels)
    with labels._database.write() as connection:
        set_value(connection, "counts", '{"seq": 1, "boxes": []}')
    with open_store(photos, url=url, wait=True) as other:
        assert other.counts() == labels.counts()
