"""Which picture is next to do: an order while it is on, that passes over what is done."""

from pathlib import Path

import brought
import pytest
from studio_page import until

from viewfinder.studio.learning import queue as room
from viewfinder.studio.learning.proposing import to_do
from viewfinder.studio.learning.queue import Queue
from viewfinder.studio.store import Filter, Operation, SetState

LEARNER = str(Path(__file__).with_name("learner.py"))
TODO = Filter(state="todo")


@pytest.fixture(autouse=True)
def quick(monkeypatch):
    monkeypatch.setattr(room, "_ORDER", (LEARNER, "order"))


@pytest.fixture
def url():
    return None


@pytest.fixture
def queue(labels):
    made = Queue(labels, "")
    yield made
    made.close()


def ready(queue):
    until(lambda: not queue.state()["busy"])
    return queue.state()


def test_the_order_is_gone_by_while_it_is_on(labels, queue):
    assert queue.following(None, TODO, 3) is None
    queue.switch(True)
    assert ready(queue) == {"on": True, "busy": False, "ready": 4, "error": ""}
    assert queue.following(None, TODO, 3) == [4, 3, 2]
    assert queue.following(3, TODO, 3) == [2, 1, 4]  # and round again
    assert queue.following(4, Filter(state="todo", text="0.J"), 3) == [1]
    assert queue.following(4, Filter(state="todo", proposed=True), 3) is None
    assert queue.following(4, Filter(), 3) is None
    assert to_do(labels, 3, queue.sorted) == ["2.jpg", "1.jpg", "0.jpg", "3.jpg"]
    queue.switch(False)
    assert queue.following(None, TODO, 3) is None
    assert queue.sorted(["0.jpg", "1.jpg"]) == ["0.jpg", "1.jpg"]


def test_what_is_done_is_passed_over_and_what_came_is_not_lost(labels, queue):
    queue.switch(True)
    ready(queue)
    for picture in (4, 2):
        labels.apply(Operation(f"{picture}", (SetState(picture, "done", 1),)))
    assert queue.following(None, TODO, 3) == [3, 1]
    for picture in (3, 1):
        labels.apply(Operation(f"{picture}", (SetState(picture, "skipped", 1),)))
    brought.picture(labels.data / "new.jpg")
    labels.add_pictures(["new.jpg"])
    assert queue.following(1, TODO, 3) is None  # their usual order has it


def test_it_is_on_again_after_the_servers_end(labels, queue):
    queue.switch(True)
    ready(queue)
    again = Queue(labels, "")
    try:
        assert ready(again)["ready"] == 4
        again.learnt("runs/a")
        assert ready(again)["ready"] == 4
    finally:
        again.close()


def test_an_order_that_cannot_be_found_says_so(labels, queue, tmp_path):
    (tmp_path / "told").mkdir()
    (tmp_path / "told" / "fail").touch()
    queue.switch(True)
    assert "status 2" in ready(queue)["error"]
    assert queue.following(None, TODO, 3) is None
