"""What each command does with a set whose labels a team keeps in PostgreSQL.

Those that read labels refuse the older files, or read the server's where VIEWFINDER_DATABASE names
it; those that change labels in files refuse in either case; the others ask no set for its labels.
"""

import json
import os
import re
import signal
import subprocess
import sys
import urllib.request

import brought
import pytest
from studio_page import until
from untrained import untrained_detector

from viewfinder.cli.main import VERBS, main
from viewfinder.datasets.formats.label_server import DATABASE
from viewfinder.datasets.frame_list import FrameOrigin, write_frame_list
from viewfinder.studio.server import news
from viewfinder.studio.store import Operation, RemoveBox, open_store

TRAIN = "--epochs 1 --size 64 --batch 2 --val-share 0 --precision 32"
# Of each that reads labels: how it is asked, and what it says of those of now.
READS = {
    "check": ("check SET", "5 boxes"),
    "classes": ("classes SET", "blue: 1"),
    "convert": ("convert SET --to coco --out OUT", "5 boxes"),
    "train": (f"train detect SET --out OUT {TRAIN}", "OUT"),
    "evaluate": ("evaluate RUN SET --split all", "5 pictures"),
    "compare": ("compare RUN OTHER SET --split all", "OTHER"),
    "score": ("score SET mine=RUN", "mine"),
    "ablate": ("ablate FILE --out OUT", "baseline"),
    "order": ("order SET", "all 5 pictures of SET have labels"),
    "similar": ("similar SET/images/new.jpg SET --objects", "red"),
    "compose": ("compose SET OUT --count 1", "outline"),
    "propose": ("propose SET --by track", "1 proposal for 2 pictures"),
}
EDITS = ("classes SET rename red crimson --yes", "propose SET --accept-above 0.1")
# Those that ask no set for its labels; what a run of one asks is `OF_A_RUN`'s.
OTHERS = {"demo", "frames", "render", "weights", "explain", "doctor", "bulk", "predict", "why"}
OTHERS |= {"export", "label"}


@pytest.fixture
def team(yolo, tmp_path, new_schema, monkeypatch):
    """A set of 4 labelled pictures and one without; of 6 boxes one was removed in the studio."""
    monkeypatch.delenv(DATABASE, raising=False)
    brought.picture(yolo / "images" / "new.jpg")
    names = ("0.jpg", "1.jpg", "2.jpg", "3.jpg", "new.jpg")
    origins = {name: FrameOrigin("clip.mp4", n, n / 10) for n, name in enumerate(names)}
    write_frame_list(yolo / "images", origins)
    url = new_schema()
    with open_store(yolo, url=url, wait=True) as store:
        box = store.picture(2).boxes[0]
        store.apply(Operation("gone", (RemoveBox(box.id, box.revision),)))
    return url


@pytest.fixture
def asked(yolo, tmp_path, capsys):
    """Asks a command, and gives its status and all that it says."""

    def ask(line):
        places = {"SET": yolo, "OUT": tmp_path / "out"}
        for name in ("RUN", "OTHER"):
            places[name] = tmp_path / name
            if name in line and not places[name].exists():
                untrained_detector(places[name], brought.NAMES)
        places["FILE"] = tmp_path / "grid.toml"
        places["FILE"].write_text(
            f'task = "detect"\ndata = "{yolo}"\nseeds = [0]\nscore = "train.ap50"\n'
            "baseline = {learning_rate = 0.05}\n"
            '[base]\nepochs = 1\nsize = 64\nbatch = 2\nval_share = 0.4\nprecision = "32"\n'
            "[grid]\nlearning_rate = [0.05]\n"
        )
        words = line.split()
        for name, place in places.items():
            words = [word.replace(name, str(place)) for word in words]
        status = main(words)
        told = capsys.readouterr()
        said = " ".join((told.out + told.err).split())
        for name, place in places.items():
            said = said.replace(str(place), name)
        return status, said

    return ask


def test_each_command_is_spoken_of():
    assert set(VERBS) == set(READS) | OTHERS


@pytest.mark.parametrize("verb", READS)
def test_what_reads_labels_refuses_the_older_files(verb, team, asked, tmp_path):
    status, said = asked(READS[verb][0])
    assert status != 0
    assert "the labels of SET are kept in PostgreSQL" in said
    assert "VIEWFINDER_DATABASE=postgresql://" in said
    assert not list((tmp_path / "out").rglob("weights.safetensors"))


@pytest.mark.parametrize("verb", READS)
def test_what_reads_labels_reads_those_of_the_server(verb, team, asked, monkeypatch):
    monkeypatch.setenv(DATABASE, team)
    _, said = asked(READS[verb][0])
    assert "PostgreSQL" not in said
    assert READS[verb][1] in said


@pytest.mark.parametrize("named", [False, True])
@pytest.mark.parametrize("line", EDITS)
def test_what_changes_files_is_refused(line, named, team, yolo, asked, monkeypatch):
    if named:
        monkeypatch.setenv(DATABASE, team)
    before = {each: each.read_bytes() for each in yolo.rglob("*") if each.is_file()}
    status, said = asked(line)
    assert status == 2
    assert "the studio's now" in said or (not named and "kept in PostgreSQL" in said)
    assert before == {each: each.read_bytes() for each in yolo.rglob("*") if each.is_file()}


def test_what_is_proposed_for_such_a_set_comes_to_its_page(team, yolo, asked, monkeypatch):
    monkeypatch.setattr(news, "EVERY", 0.05)
    status, said = asked("propose SET --by RUN --threshold 0.05")
    assert (status, "PostgreSQL" in said) == (0, False)
    with open_store(yolo, url=team, wait=True) as store:
        found = news.News()
        looking = found.look(store)
        until(lambda: any("of viewfinder propose" in each for each in found.said))
        found.end()
        looking.join()
        assert store.counts().proposals > 0


@pytest.mark.parametrize("line", ["predict RUN SET/images --refuse-unlike 0.05", "export RUN"])
def test_a_run_of_such_a_set_says_where_its_labels_are(line, team, yolo, asked, tmp_path):
    asked("predict RUN SET/images")
    file = tmp_path / "RUN" / "run.json"
    manifest = json.loads(file.read_text())
    manifest["data"] |= {"source": str(yolo), "root": str(yolo)}
    file.write_text(json.dumps(manifest))
    status, said = asked(line)
    assert status == 2
    assert "kept in PostgreSQL" in said


def test_the_page_is_opened_where_the_environment_names_the_database(team, yolo, tmp_path):
    command = [sys.executable, "-m", "viewfinder", "label", yolo, "--no-browser", "--port", "0"]
    process = subprocess.Popen(
        command, env=os.environ | {DATABASE: team}, stdout=subprocess.PIPE, text=True
    )
    try:
        url = re.search(r"http://\S+", process.stdout.readline())[0]
        with urllib.request.build_opener(urllib.request.HTTPCookieProcessor()).open(url) as answer:
            assert answer.status == 200
        assert not (yolo / ".viewfinder" / "labels.db").exists()
    finally:
        process.send_signal(signal.SIGINT)
        process.communicate(timeout=60)
    assert process.returncode == 0
