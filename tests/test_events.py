"""Who listens hears what happens, in threads and other processes too; nobody else does."""

import io
import json
import multiprocessing
import sys
import threading

import pytest
import speaking

from viewfinder import events
from viewfinder.events import (
    Note,
    ProgressBegan,
    document,
    emit,
    listeners,
    listening,
    note,
    saying_once,
    track,
)
from viewfinder.listeners import tensorboard
from viewfinder.listeners.counting import CountedView
from viewfinder.listeners.json_lines import JsonLines
from viewfinder.listeners.terminal import Terminal
from viewfinder.training.relay import relayed


def test_those_listen_who_were_chosen_and_only_as_long(capsys):
    heard, inner = [], []
    with listening(heard.append):
        note("one")
        with listening(inner.append):
            note("two")
        with listening():
            note("nobody hears this")
        note("three")
    note("four")
    assert heard == [Note("one"), Note("three")]
    assert inner == [Note("two")]
    assert capsys.readouterr() == ("", "four\n")


def test_a_choice_ends_with_an_error_too():
    before = listeners()
    with pytest.raises(ValueError, match="stop"), listening():
        raise ValueError("stop")
    assert listeners() == before


def test_two_threads_listen_each_for_itself():
    heard = {name: [] for name in "ab"}
    both = threading.Barrier(2)

    def work(name):
        with listening(heard[name].append):
            both.wait()
            note(name)
            both.wait()

    threads = [threading.Thread(target=work, args=(name,)) for name in heard]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert heard == {"a": [Note("a")], "b": [Note("b")]}


def test_progress_is_heard_and_ends_where_it_is_left(monkeypatch):
    monkeypatch.setattr(events, "OFTEN", 0.0)
    closed, heard = [], []

    def numbers():
        try:
            yield from range(5)
        finally:
            closed.append(True)

    with listening(heard.append):
        tracked = track(numbers(), total=5, description="counting")
        assert [next(tracked) for _ in range(3)] == [0, 1, 2]
        tracked.close()
    assert closed == [True]
    began, *between, ended = heard
    assert (began.name, began.total) == ("counting", 5)
    assert [event.done for event in between] == [1, 2]
    assert ended.done == 2
    assert {event.work for event in heard} == {began.work}


def test_each_event_is_one_line_of_json():
    stream = io.StringIO()
    row = {"epoch": 1, "loss": float("nan"), "val_accuracy": 0.5}
    with listening(JsonLines(stream)):
        note("a\nb \x1b[31m é")
        emit(events.TrainingBegan("runs/a", "val_accuracy", 3, None, 5, 32))
        for done in range(100):
            emit(events.StepTaken("runs/a", 1, done, 0.5, None))
        emit(events.EpochEnded("runs/a", row))
        emit(events.FitJudged("runs/a", "fine", "It is fine.", ("rest",)))
    lines = stream.getvalue().splitlines()
    assert stream.getvalue().isascii()
    documents = [json.loads(line) for line in lines]
    assert documents[0] == {"event": "note", "text": "a\nb \x1b[31m é"}
    assert [each["event"] for each in documents[1:]] == [
        *("training_began", "step_taken", "epoch_ended", "fit_judged")
    ]
    assert documents[3]["row"] == {"epoch": 1, "loss": None, "val_accuracy": 0.5}


def test_every_kind_of_event_has_a_document_of_its_own():
    kinds = [kind for kind in vars(events).values() if isinstance(kind, type)]
    kinds = [kind for kind in kinds if issubclass(kind, events.Event) and kind is not events.Event]
    values = {"row": {"loss": 1.0}, "scores": {}, "tries": (), "running": ("a",)}
    made = [kind(**{f: values.get(f, 1) for f in kind.__dataclass_fields__}) for kind in kinds]
    names = {json.loads(json.dumps(document(event)))["event"] for event in made}
    assert len(names) == len(kinds) > 10


def test_a_log_takes_what_a_terminal_without_a_person_does():
    log = io.StringIO()
    with listening(Terminal(log)):
        note("begins")
        assert list(track(range(3), total=3, description="hidden")) == [0, 1, 2]
        emit(events.JobsChanged(("b",), "b", 1, 3, 60.0))
        emit(events.JobsEnded())
        emit(events.TrainingBegan("r", "val_accuracy", 2, None, 5, 32))
        emit(events.StepTaken("r", 1, 1, 0.5, 1.0))
        emit(events.EpochEnded("r", {"epoch": 1, "loss": 0.25, "images_per_s": 10.0}))
        emit(events.TrainingEnded("r"))
    assert log.getvalue().splitlines() == [
        "begins",
        "training b (1 of 3 done, about 1 min left)",
        "epoch 1 of 2  loss 0.250  10 images/s",
    ]


def test_a_score_of_an_earlier_epoch_is_told_with_it():
    log = io.StringIO()
    with listening(Terminal(log)):
        emit(events.TrainingBegan("r", "val_accuracy", 3, None, 5, 32))
        for epoch, measured in ((1, {}), (2, {"val_accuracy": 0.25}), (3, {})):
            row = {"epoch": epoch, "loss": 0.5, "images_per_s": 0.24, **measured}
            emit(events.EpochEnded("r", row))
        emit(events.TrainingEnded("r"))
    assert log.getvalue().splitlines() == [
        "epoch 1 of 3  loss 0.500  0.2 images/s",
        "epoch 2 of 3  loss 0.500  val accuracy 25.0%  0.2 images/s",
        "epoch 3 of 3  loss 0.500  val accuracy 25.0% (epoch 2)  0.2 images/s",
    ]


def of_two_processes(times):
    """What is heard here of two processes that speak."""
    context = multiprocessing.get_context("spawn")
    with relayed() as pipe:
        both = [
            context.Process(target=speaking.speak, args=(pipe, rank, times)) for rank in range(2)
        ]
        for process in both:
            process.start()
        for process in both:
            process.join(60)
    assert [process.exitcode for process in both] == [0, 0]


def test_of_two_processes_the_first_is_heard_in_the_one_that_started_them(capfd):
    heard = []
    with listening(heard.append):
        of_two_processes(3)
    assert [event.text[:9] for event in heard] == ["this is 0"] * 3
    assert capfd.readouterr() == ("", "")


def test_a_listener_that_fails_holds_no_process_up():
    def fails(_):
        raise RuntimeError("the listener failed")

    # Far more than a pipe holds.
    with listening(fails), pytest.raises(RuntimeError, match="the listener failed"):
        of_two_processes(5000)


def test_without_tensorboard_nothing_is_lost(monkeypatch, tmp_path, capsys):
    assert len(tensorboard.usual()) == 1
    # Broken: the package is there, and importing it fails.
    monkeypatch.setitem(sys.modules, "torch.utils.tensorboard", None)
    with listening(*listeners(), *tensorboard.usual()):
        emit(events.TrainingBegan(str(tmp_path), "val_accuracy", 1, None, 5, 32))
        emit(events.EpochEnded(str(tmp_path), {"epoch": 1, "loss": 0.5, "images_per_s": 10.0}))
        emit(events.TrainingEnded(str(tmp_path)))
    assert "nothing is written for TensorBoard" in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []
    monkeypatch.setattr(tensorboard.importlib.util, "find_spec", lambda _: None)
    assert tensorboard.usual() == []


def test_a_note_that_was_said_is_not_said_again():
    heard = []
    with listening(heard.append), saying_once():
        for text in ("small", "fold 1", "small", "fold 2"):
            note(text)
        emit(ProgressBegan("1", "work", 2))
        emit(ProgressBegan("1", "work", 2))
    assert [event.text for event in heard[:3]] == ["small", "fold 1", "fold 2"]
    assert len(heard) == 5


def test_long_work_off_a_terminal_is_told_of_now_and_then():
    """After 10 s, and then each time that it has taken as long again, a minute at most."""
    said, now = [], [0.0]
    begun = ProgressBegan("1", "predicting", 1200)
    view = CountedView(begun, said.append, bar=False, cell=False, clock=lambda: now[0])
    for second in range(1, 201):
        now[0] = float(second)
        view.show(6 * second)
    view.end(1200)
    assert said[:2] == [
        "predicting: 60 of 1,200 in 10 s, about 3 min left",
        "predicting: 120 of 1,200 in 20 s, about 3 min left",
    ]
    assert [line.split()[1] for line in said] == ["60", "120", "240", "480", "840", "1,200"]
    assert "left" not in said[-1]


def test_the_time_left_of_what_comes_in_batches_is_of_whole_batches():
    said, now = [], [0.0]
    begun = ProgressBegan("1", "predicting", 160)
    view = CountedView(begun, said.append, bar=False, cell=False, clock=lambda: now[0])
    for batch in range(3):  # of 16, each of which takes 15 s, and is told of at its first
        now[0] += 15
        view.show(16 * batch + 1)
    assert said[0] == "predicting: 1 of 160 in 15 s"
    assert said[1] == "predicting: 17 of 160 in 30 s, about 2 min left"


def test_what_is_done_at_once_says_nothing_off_a_terminal():
    lines = io.StringIO()
    with listening(Terminal(lines)):
        assert list(track(range(100), total=100, description="counting")) == list(range(100))
    assert lines.getvalue() == ""
