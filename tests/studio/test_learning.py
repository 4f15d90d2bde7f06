"""Learning beside the server: begun, refused, stopped, ended by others, gone on with, by itself."""

import contextlib
import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import brought
import pytest
from studio_page import until

from viewfinder.datasets import dealing
from viewfinder.datasets.formats.label_store import IN_HAND
from viewfinder.datasets.opening import open_dataset
from viewfinder.errors import InputError
from viewfinder.studio.learning import choices, glancing, proposing, trainings
from viewfinder.studio.learning import teacher as room
from viewfinder.studio.learning.course import Course, heard
from viewfinder.studio.learning.state import Learning, kept
from viewfinder.studio.learning.teacher import Teacher
from viewfinder.studio.store import Operation, PutBox, PutClass, Reject, SetState, Store, open_store

LEARNER = str(Path(__file__).with_name("learner.py"))


@pytest.fixture(autouse=True)
def quick(monkeypatch):
    """A learner that is none, and a glance at what is done every moment."""
    monkeypatch.setattr(trainings, "TRAIN", (LEARNER, "train"))
    monkeypatch.setattr(proposing, "LOOK", (LEARNER, "look"))
    monkeypatch.setattr(room, "_EVERY", 0.02)


@pytest.fixture
def store(tmp_path) -> Iterator[Store]:
    for number in range(8):
        brought.picture(tmp_path / "photos" / f"{number}.jpg")
    (tmp_path / "told").mkdir()
    with open_store(tmp_path / "photos", wait=True) as store:
        store.apply(Operation("class", (PutClass("c", "mug", 0),)))
        yield store


@pytest.fixture
def teacher(store, tmp_path) -> Iterator[Teacher]:
    made = Teacher(store, runs=tmp_path / "runs")
    yield made
    made.close()


def label(store, *pictures):
    for picture in pictures:
        box = PutBox(f"b{picture}", picture, "c", (5, 5, 40, 40), 0)
        revision = store.picture(picture).picture.revision
        changes = (box, SetState(picture, "done", revision))
        store.apply(Operation(f"label-{picture}", changes, "me"))


def stage(teacher, wanted):
    until(lambda: teacher.state()["stage"] == wanted)
    return teacher.state()


@contextlib.contextmanager
def as_the_worker(teacher):
    """What the process that trains is told, told to this one."""
    file = Path(teacher.state()["run"]) / "environment.json"
    until(file.exists)
    with pytest.MonkeyPatch.context() as patch:
        for name, value in json.loads(file.read_text()).items():
            patch.setenv(name, value)
        yield


def words_of(teacher):
    return json.loads((Path(teacher.state()["run"]) / "words.json").read_text())


def test_a_file_that_cannot_be_read_keeps_it_from_no_other_picture(yolo, tmp_path):
    wait = tmp_path / "told" / "wait"
    wait.parent.mkdir()
    wait.touch()
    (yolo / "labels" / "1.txt").write_text("hello\n")

    def refused():
        with pytest.raises(InputError, match=r"labels/1\.txt, line 1"):
            open_dataset(yolo)

    with (
        open_store(yolo, wait=True) as store,
        contextlib.closing(Teacher(store, runs=tmp_path / "runs")) as teacher,
    ):
        refused()
        teacher.begin(1)
        until(lambda: teacher.state()["course"]["losses"])
        refused()  # whoever else learns from it
        with as_the_worker(teacher):
            assert "images/1.jpg" not in open_dataset(yolo).paths
        wait.unlink()
        stage(teacher, "done")
        refused()


def test_it_learns_proposes_and_leaves_labels_alone(store, teacher):
    label(store, 1, 2)
    teacher.begin(1, 5)
    done = stage(teacher, "done")
    assert (done["learnt"], done["total"], done["proposed"]) == (2, 6, 6)
    assert done["course"]["losses"] == (3.0, 2.0, 1.0)
    assert done["course"]["verdict"] == "It fits."
    assert [store.picture(each).picture.proposals for each in (1, 2, 3, 8)] == [0, 0, 1, 1]
    assert [len(store.picture(each).boxes) for each in range(1, 9)] == [1, 1, 0, 0, 0, 0, 0, 0]
    priority, pid = (Path(done["run"]) / "priority").read_text().split()
    assert int(priority) >= 10
    assert int(pid) != os.getpid()


def test_what_is_being_drawn_in_is_not_learnt_from(store, teacher, tmp_path):
    label(store, 1, 2, 3)
    box = PutBox("half", 4, "c", (5, 5, 40, 40), 0)
    store.apply(Operation("half", (box,), "me"))
    (tmp_path / "told" / "wait").touch()
    teacher.begin(1, first=4)
    assert teacher.state()["learnt"] == 3
    with as_the_worker(teacher):
        learnt = open_dataset(store.data)
    assert len(learnt) == 3
    assert not learnt.has_split("test")  # of so few, none is kept from learning to judge by
    assert len(store.snapshot()) == len(open_dataset(store.data)) == 4  # for everybody else
    (tmp_path / "told" / "wait").unlink()
    stage(teacher, "done")


def test_while_it_learns_it_proposes_but_not_in_what_somebody_has_before_them(
    store, teacher, tmp_path, monkeypatch
):
    monkeypatch.setattr(glancing, "EVERY", 0.05)
    label(store, 1, 2)
    store.seats.sit("s", "me", 5)
    (tmp_path / "told" / "wait").touch()
    teacher.begin(1)
    until(lambda: teacher.state()["proposed"] == 5)
    assert teacher.state()["stage"] == "training"
    found = [store.picture(each).picture.proposals for each in range(1, 9)]
    assert found == [0, 0, 1, 1, 0, 1, 1, 1]
    (tmp_path / "told" / "wait").unlink()
    assert stage(teacher, "done")["proposed"] == 6
    assert store.picture(5).picture.proposals == 1


def test_of_few_pictures_none_is_kept_from_learning(store, teacher, monkeypatch):
    label(store, 1, 2, 3)
    teacher.begin(1)
    stage(teacher, "done")
    words = words_of(teacher)
    assert words[words.index("--val-share") + 1] == "0"
    monkeypatch.setattr(choices, "_FEW", 3)
    teacher.begin(1)
    stage(teacher, "done")
    assert "--val-share" not in words_of(teacher)


def test_what_is_due_does_not_wait_until_all_pictures_are_looked_at(
    store, teacher, tmp_path, monkeypatch
):
    monkeypatch.setattr(room, "LEAST", 2)
    label(store, 1, 2)
    (tmp_path / "told" / "slow").touch()
    teacher.keep(True)
    until(lambda: teacher.state()["looked"] == 1)
    (tmp_path / "told" / "wait").touch()
    label(store, 3, 4)
    until(lambda: teacher.state()["learnt"] == 4)
    assert not store.picture(8).proposals
    (tmp_path / "told" / "wait").unlink()
    stage(teacher, "done")
    assert len(store.picture(8).proposals) == 1


def test_a_short_training_sees_pictures_smaller(store, teacher):
    label(store, 1, 2)
    teacher.begin(3)
    stage(teacher, "done")
    assert words_of(teacher)[words_of(teacher).index("--size") + 1] == "320"
    teacher.begin(30)
    stage(teacher, "done")
    assert "--size" not in words_of(teacher)


def test_what_was_learnt_once_is_no_test_picture_later(store, teacher, tmp_path, monkeypatch):
    monkeypatch.setattr(dealing, "FEW", 4)
    label(store, *range(1, 9))
    (before,) = (open_dataset(store.data).split("test").paths,)
    (tmp_path / "told" / "seen").write_text(" ".join(before))
    teacher.begin(1)
    stage(teacher, "done")
    test = open_dataset(store.data).split("test").paths
    assert set(test).isdisjoint(before)
    (tmp_path / "told" / "seen").write_text(" ".join(f"{n}.jpg" for n in range(8)))
    teacher.begin(1)
    until(lambda: not open_dataset(store.data).has_split("test"))
    stage(teacher, "done")


def test_what_was_refused_stays_refused_when_it_learns_again(store, teacher):
    label(store, 1, 2)
    teacher.begin(1)
    stage(teacher, "done")
    first = teacher.state()["finished"]
    ghost = store.picture(3).proposals[0]
    store.apply(Operation("no", (Reject(ghost.id, ghost.revision),)))
    teacher.begin(1)
    until(lambda: teacher.state()["finished"] not in ("", first))
    stage(teacher, "done")
    assert words_of(teacher)[words_of(teacher).index("--init") + 1] == first
    assert Path(first).is_dir()
    assert [each.state for each in store.picture(3).proposals] == ["rejected"]
    assert {each.run for each in store.picture(4).proposals} == {"learning"}


def test_what_knows_less_than_before_does_not_take_its_place(store, teacher, tmp_path):
    label(store, 1, 2)
    for found, ends in (("0.6", "done"), ("0.2", "failed")):
        (tmp_path / "told" / "found").write_text(found)
        teacher.begin(1)
        state = stage(teacher, ends)
    assert "AP50 0.20 on its own pictures, 0.60 before" in state["error"]
    assert state["finished"] == str(tmp_path / "runs" / "photos-studio-1")
    (tmp_path / "told" / "found").write_text("0.5")
    teacher.begin(1)
    stage(teacher, "done")
    assert teacher.learnt() == str(tmp_path / "runs" / "photos-studio-3")


def test_too_little_to_learn_from_is_said(store, teacher):
    with pytest.raises(InputError, match="pictures with boxes"):
        teacher.begin(1)
    assert not teacher.state()["run"]
    with pytest.raises(InputError, match="no training that was stopped"):
        teacher.go_on()
    label(store, 1, 2)
    with pytest.raises(InputError, match=r"0\.05 minutes to a day"):
        teacher.begin(0)


def test_a_second_start_is_refused_and_a_stop_is_gone_on_with(store, teacher, tmp_path):
    label(store, 1, 2)
    (tmp_path / "told" / "wait").touch()
    teacher.begin(1)
    until(lambda: teacher.state()["course"]["seconds_left"] == 40)
    with pytest.raises(InputError, match="at work already"):
        teacher.begin(1)
    teacher.stop()
    stopped = stage(teacher, "stopped")
    (tmp_path / "told" / "wait").unlink()
    teacher.go_on()
    done = stage(teacher, "done")
    assert done["run"] == stopped["run"]
    assert "--resume" in words_of(teacher)


def test_after_more_labels_it_goes_on_from_what_it_knew(store, teacher, tmp_path):
    label(store, 1, 2)
    (tmp_path / "told" / "wait").touch()
    teacher.begin(1)
    until(lambda: teacher.state()["course"]["seconds_left"] == 40)
    teacher.stop()
    stopped = stage(teacher, "stopped")
    label(store, 3)
    (tmp_path / "told" / "wait").unlink()
    teacher.go_on()
    done = stage(teacher, "done")
    assert done["learnt"] == 3
    words = words_of(teacher)
    assert words[words.index("--init") + 1] == stopped["run"] != done["run"]
    assert "--resume" not in words


def test_a_worker_that_is_killed_is_said_and_can_go_on(store, teacher, tmp_path):
    label(store, 1, 2)
    (tmp_path / "told" / "wait").touch()
    teacher.begin(1)
    until(lambda: teacher.state()["course"]["seconds_left"] == 40)
    pid = int((Path(teacher.state()["run"]) / "priority").read_text().split()[1])
    os.kill(pid, signal.SIGKILL)
    assert stage(teacher, "failed")["error"] == "the training was ended by signal 9"
    (tmp_path / "told" / "wait").unlink()
    teacher.go_on()
    stage(teacher, "done")


def test_the_sentence_of_a_failed_training_is_shown(store, teacher, tmp_path):
    label(store, 1, 2)
    (tmp_path / "told" / "fail").touch()
    teacher.begin(1)
    assert stage(teacher, "failed")["error"] == "the disk is full: free some of it"


@pytest.mark.parametrize("keep", [False, True])
def test_a_server_that_ends_in_the_middle(store, tmp_path, keep):
    label(store, 1, 2)
    (tmp_path / "told" / "wait").touch()
    first = Teacher(store, runs=tmp_path / "runs")
    first.begin(1)
    first.keep(keep)
    until(lambda: first.state()["course"]["seconds_left"] == 40)
    pid = int((Path(first.state()["run"]) / "priority").read_text().split()[1])
    first.close()
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)
    (tmp_path / "told" / "wait").unlink()
    second = Teacher(store, runs=tmp_path / "runs")
    try:
        if not keep:
            assert second.state()["stage"] == "stopped"
            second.go_on()
        assert stage(second, "done")["proposed"] == 6
        assert second.state()["run"] == first.state()["run"]
    finally:
        second.close()


def test_a_server_that_is_killed_takes_its_worker_along(store, tmp_path):
    label(store, 1, 2)
    (tmp_path / "told" / "wait").touch()
    server, run = server_that_trains(tmp_path, "photos")
    pid = int((run / "priority").read_text().split()[1])
    server.kill()
    server.wait()
    until(lambda: not Path(f"/proc/{pid}").exists() or "Z" in _state(pid))


def server_that_trains(place, name):
    """A process that has begun to learn in a folder of this place, and the folder of its run."""
    script = f"""if True:
        import time
        from pathlib import Path
        from viewfinder.studio.learning import teacher, trainings
        from viewfinder.studio.store import open_store
        trainings.TRAIN = ({LEARNER!r}, "train")
        with open_store(Path({name!r}), wait=True) as store:
            made = teacher.Teacher(store)
            made.begin(1, first=1)
            time.sleep(60)
    """
    server = subprocess.Popen([sys.executable, "-c", script], cwd=place)
    run = place / "runs" / f"{name}-studio-1"
    until((run / "weights.safetensors").exists)
    return server, run


def test_a_server_that_is_killed_leaves_nothing_that_others_pass_over(yolo, tmp_path):
    wait = tmp_path / "told" / "wait"
    wait.parent.mkdir()
    wait.touch()
    brought.picture(yolo / "images" / "new.jpg")
    (yolo / "labels" / "3.txt").write_text("hello\n")
    with open_store(yolo, wait=True) as store:
        new = next(p for p in store.pictures().pictures if p.path == "images/new.jpg")
        known = store.classes()[0].id
        store.apply(Operation("box", (PutBox("b", new.id, known, (5, 5, 20, 20), 0),)))
        store.seats.sit("s", "me", new.id)
    server, run = server_that_trains(tmp_path, "yolo")
    server.kill()
    server.wait()
    learnt = json.loads((run / "environment.json").read_text())[IN_HAND]
    assert new.id in json.loads(learnt)
    # Whoever trains now is told of the file, and has the picture that somebody was drawing in.
    with pytest.raises(InputError, match=r"labels/3\.txt, line 1"):
        open_dataset(yolo)
    (yolo / "labels" / "3.txt").unlink()
    with open_store(yolo, wait=True) as store:
        store.label_anew("anew", store.unread_labels()[0].pictures[0])
        assert "images/new.jpg" in open_dataset(yolo).paths
        again = kept(store.meta("learning"))
        assert (again.stage, json.dumps(again.in_hand)) == ("stopped", learnt)


def _state(pid):
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except OSError:
        return "Z"


def test_it_learns_by_itself_from_the_fifth_picture_on(store, teacher, tmp_path):
    teacher.keep(True)
    label(store, 1, 2, 3, 4)
    assert not (tmp_path / "runs").exists()
    label(store, 5)
    first = stage(teacher, "done")["finished"]
    label(store, 6, 7, 8)
    brought.picture(tmp_path / "photos" / "8.jpg")
    brought.picture(tmp_path / "photos" / "9.jpg")
    store.add_pictures(["8.jpg", "9.jpg"])
    assert teacher.state()["finished"] == first
    label(store, 9, 10)
    until(lambda: teacher.state()["finished"] != first)
    assert stage(teacher, "done")["learnt"] == 10
    until(lambda: not Path(first).exists())  # nobody had asked for that one
    teacher.stop()
    assert not teacher.state()["keep"]


def test_what_is_kept_beside_the_labels_names_no_other_place(store, tmp_path):
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    told = {"stage": "stopped", "run": str(elsewhere), "finished": str(elsewhere), "alone": True}
    store.set_meta("learning", json.dumps(told))
    label(store, 1, 2)
    teacher = Teacher(store, runs=tmp_path / "runs")
    try:
        with pytest.raises(InputError, match="no training that was stopped"):
            teacher.go_on()
        teacher.begin(1)
        stage(teacher, "done")
        assert "--init" not in words_of(teacher)
        assert elsewhere.is_dir()
    finally:
        teacher.close()


@pytest.mark.parametrize("text", [None, "", "[1]", '{"stage": 5}', '{"more": 1}', "[" * 10_000])
def test_a_state_that_is_none_is_forgotten(text):
    assert kept(text) == Learning()


def test_lines_that_are_no_events_change_nothing():
    for line in ("", "Traceback", "[1]", '{"event": "epoch_ended", "row": 3}', "{" * 5000):
        assert heard(Course(), line).scores in ((), (None,))
    assert heard(Course(), "error: no disk\n").error == "no disk"
