"""Two and more people: who holds which picture, and second opinions of some."""

import json
import subprocess
import sys
import threading
from pathlib import Path

import pytest
from pair_person import SHARED, faults

from viewfinder.studio.server.serving import studio_server
from viewfinder.studio.store import Filter, Operation, PutBox, PutClass, SetState, Store
from viewfinder.studio.store.listing import next_picture
from viewfinder.studio.store.opinions import due
from viewfinder.studio.store.seats import OWN_SILENCE, SILENCE, Seats

HELPERS = Path(__file__).parents[1] / "helpers"


class Clock:
    """Seconds, as a test sets them."""

    now = 0.0

    def __call__(self) -> float:
        return self.now


def in_order(connection):
    after = None
    while (after := next_picture(connection, after, Filter(state="todo"))) is not None:
        yield after


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def seats(labels, clock):
    return Seats(labels._database, clock)


def test_no_picture_is_handed_to_two(seats):
    assert seats.sit("a", "Ann", None, in_order, 2).ahead == (1, 2)
    bea = seats.sit("b", "Bea", 1, in_order, 3)
    assert (bea.holder, bea.ahead) == ("Ann", (3, 4))
    assert [(each.person, each.picture) for each in bea.others] == [("Ann", None)]
    # Ann shows the second: the first is free, and the fourth is Bea's.
    assert seats.sit("a", "Ann", 2, in_order, 3).ahead == (1,)
    assert seats.sit("c", "Cy", None, in_order, 3).ahead == ()


def test_a_seat_ends_by_leaving_and_by_silence(seats, clock):
    seats.sit("a", "Ann", 1, in_order, 1)
    seats.sit("b", "Bea", 3)
    seats.leave("a")
    assert seats.sit("c", "Cy", None, in_order, 9).ahead == (1, 2, 4)
    clock.now = SILENCE - 1
    seats.sit("b", "Bea", 3, count=None)
    clock.now = SILENCE + 1
    assert [each.session for each in seats.there()] == ["b"]
    assert seats.sit("d", "Di", None, in_order, 9).ahead == (1, 2, 4)


def test_a_person_whose_browser_was_killed_has_the_picture_again_soon(seats, clock):
    seats.sit("a", "Ann", 1, in_order, 1)
    clock.now = OWN_SILENCE - 1
    assert seats.sit("b", "Ann", 1).holder == "Ann"  # another window, which may be open
    clock.now = OWN_SILENCE + 1
    assert seats.sit("c", "Bea", 1).holder == "Ann"
    again = seats.sit("b", "Ann", 1, in_order, 2)
    assert (again.holder, again.ahead) == ("", (2, 3))
    # A page's own seat is not lost by its own silence.
    clock.now = 3 * OWN_SILENCE
    assert seats.sit("b", "Ann", 1, count=None).ahead == (2, 3)


def test_what_a_closed_page_said_before_gives_it_no_seat(seats):
    seats.sit("a", "Ann", 1, in_order, 1, turn=0)
    seats.leave("a", turn=2)
    assert seats.sit("a", "Ann", 1, in_order, 1, turn=1).ahead == ()
    assert seats.there() == ()
    # Opened again from the browser's memory, it speaks on.
    assert seats.sit("a", "Ann", 1, in_order, 1, turn=3).ahead == (2,)
    for number in range(1500):
        seats._left[f"old{number}"] = 1
    seats.leave("b", turn=1)
    assert len(seats._left) == 1000


def test_who_is_still_there_keeps_what_is_next(seats, clock):
    seats.sit("a", "Ann", 1, in_order, 2)
    assert seats.sit("a", "Ann", 1, count=None).ahead == (2, 3)
    seats.there()
    clock.now = 2 * SILENCE
    seats.sit("b", "Bea", None, in_order, 2)
    back = seats.sit("a", "Ann", 1, count=None)
    assert (back.holder, back.ahead) == ("Bea", ())


def test_it_holds_over_a_restart_and_for_another_server(labels, seats, clock):
    seats.sit("a", "Ann", 1)
    clock.now = 1e6  # the other began when it did, by whatever clock
    other = Seats(labels._database, clock)
    assert other.sit("b", "Bea", 1).holder == "Ann"
    clock.now += SILENCE
    assert other.sit("b", "Bea", 1).holder == ""
    assert seats.sit("a", "Ann", 1).holder == "Bea"


@pytest.fixture
def second(labels: Store) -> int:
    """Of the first picture, which Ann has done with two boxes, what Bea is asked for."""
    labels.opinions.ask_for(100)
    labels.apply(Operation("k", (PutClass("k", "K", 0), PutClass("m", "M", 0)), "Ann"))
    drawn = (PutBox("one", 1, "k", (0, 0, 10, 10), 0), PutBox("two", 1, "k", (20, 0, 30, 9), 0))
    labels.apply(Operation("drawn", (*drawn, SetState(1, "done", 1)), "Ann"))
    with labels._database.write() as connection:
        assert list(due(connection, "Ann")) == []
        (found,) = due(connection, "Bea")
    return found


def test_a_second_opinion_is_apart_from_the_labels(labels, second):
    before = labels.counts(), labels.pictures(), labels.snapshot()
    one = labels.picture(second)
    assert one.boxes == ()
    assert one.picture.path == labels.picture(1).picture.path
    assert labels.path_of(second) == labels.path_of(1)
    put = PutBox("hers", second, "m", (0, 0, 10, 9), 0)
    labels.apply(Operation("hers", (put, SetState(second, "done", 1)), "Bea"))
    assert (labels.counts(), labels.pictures()) == before[:2]
    assert labels.snapshot().paths == before[2].paths
    assert not labels.look_at_disk()
    assert labels.history(count=1)[0].paths == (one.picture.path,)
    (pair,) = labels.opinions.compared()
    assert pair.people == ("Ann", "Bea")
    found = {(each.kind, each.first, each.second) for each in pair.differences}
    assert found == {("class", "one", "hers"), ("first", "two", None)}
    labels.undo("undo", "Bea")
    assert labels.opinions.compared() == ()


def test_a_second_opinion_is_its_persons_once_begun(labels, second):
    labels.apply(Operation("begun", (PutBox("b", second, "k", (0, 0, 5, 5), 0),), "Bea"))
    with labels._database.write() as connection:
        assert list(due(connection, "Cy")) == []
        assert list(due(connection, "Bea")) == [second]


def test_two_processes_label_one_set(photos, labels, tmp_path):
    labels.apply(
        Operation("k", (PutClass("k", "K", 0), PutBox(SHARED, 1, "k", (0, 0, 1, 1), 0)), "")
    )
    with studio_server(labels, person="me", port=0) as (server, bound, address):
        thread = threading.Thread(target=server.run, kwargs={"sockets": [bound]}, daemon=True)
        thread.start()
        (tmp_path / "address").write_text(address.url)
        words = [sys.executable, HELPERS / "pair_person.py", tmp_path / "address"]
        asked = [[*words, name, "1.2", "0", tmp_path / name] for name in ("Ann", "Bea")]
        people = [subprocess.Popen(list(map(str, each))) for each in asked]
        assert [each.wait(60) for each in people] == [0, 0]
        server.should_exit = server.force_exit = True
        thread.join(10)
    told = [json.loads((tmp_path / name).read_text()) for name in ("Ann", "Bea")]
    assert all(each["held"] and each["operations"] for each in told)
    boxes = {b.id: b.corners[2] for n in range(1, 5) for b in labels.picture(n).boxes}
    found = faults(told, boxes, boxes[SHARED] - 1)
    assert found == dict.fromkeys(found, 0)
