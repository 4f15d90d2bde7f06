"""A team whose labels are in PostgreSQL learns from the page, and no process tells the password."""

import contextlib
from pathlib import Path

import numpy as np
import pytest
from studio_page import until

from viewfinder.datasets.opening import open_dataset
from viewfinder.errors import InputError
from viewfinder.pictures.writing import write_picture
from viewfinder.studio.learning import choices
from viewfinder.studio.learning.teacher import Teacher
from viewfinder.studio.store import Operation, PutBox, PutClass, SetState, open_store

SECRET = "gehe1m-w0rt"


@pytest.fixture
def team(tmp_path, new_schema):
    """Eight pictures with a bright square each, of which four are done, and their address."""
    random = np.random.default_rng(0)
    url = new_schema().replace("://me@", f"://me:{SECRET}@")
    for number in range(8):
        picture = random.integers(0, 80, (64, 64, 3)).astype(np.uint8)
        picture[20:50, number : number + 30] = (250, 200, 20)
        write_picture(tmp_path / "photos" / f"{number}.png", picture)
    with open_store(tmp_path / "photos", url=url, wait=True) as store:
        store.apply(Operation("class", (PutClass("c", "mug", 0),)))
        for place in range(4):
            box = PutBox(f"b{place}", place + 1, "c", (place, 20, place + 30, 50), 0)
            revision = store.picture(place + 1).picture.revision
            store.apply(Operation(f"{place}", (box, SetState(place + 1, "done", revision))))
        yield store


def test_it_learns_orders_and_proposes_and_keeps_the_password(team, tmp_path, monkeypatch):
    recipe = ("--size", "64", "--batch", "2", "--precision", "32")
    monkeypatch.setattr(choices, "_FEW_LABELS", recipe)
    monkeypatch.setattr(choices, "_SMALLER", ())
    lines = []
    with contextlib.closing(Teacher(team, runs=tmp_path / "runs")) as teacher:
        assert teacher.cannot(team.kind(), team.counts()) == ""
        teacher.begin(0.05, first=5)
        until(lambda: teacher.state()["course"]["losses"] or teacher.state()["error"], 240)
        process = teacher._worker._process
        lines.append(Path(f"/proc/{process.pid}/cmdline").read_bytes() if process else b"")
        until(lambda: teacher.state()["stage"] in ("done", "failed"), 240)
        state = teacher.state()
        assert (state["stage"], state["error"], state["learnt"]) == ("done", "", 4)
        assert sum(team.picture(each).picture.proposals for each in (5, 6, 7, 8)) > 0
        assert not any(team.picture(each).picture.proposals for each in (1, 2, 3, 4))
        teacher.queue.switch(True)
        until(lambda: not teacher.queue.state()["busy"], 240)
        assert teacher.queue.state() == {"on": True, "busy": False, "ready": 4, "error": ""}
        lines.append(str(teacher.state()).encode())
    team.write_lines(tmp_path / "everything.jsonl")
    files = [each for each in tmp_path.rglob("*") if each.is_file()]
    assert any(each.name == "report.html" for each in files)
    assert not any(SECRET.encode() in data for data in lines + [f.read_bytes() for f in files])
    with pytest.raises(InputError):  # nobody else is told the address
        open_dataset(team.data)
