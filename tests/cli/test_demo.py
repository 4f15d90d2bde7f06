"""The demo: every stage's outcome, the page that shows them, and nothing else touched."""

import json
import os
import re
import shutil
import signal
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from viewfinder.cli import demo
from viewfinder.composing.captures import open_captures
from viewfinder.demo import capturing, learning, pacing, running
from viewfinder.demo.demonstrating import Stages
from viewfinder.demo.folder import labelled_of, refuse_labelled
from viewfinder.demo.setting import DemoSetting
from viewfinder.errors import InputError
from viewfinder.labelling.proposals import read_proposals
from viewfinder.runs.run import open_run
from viewfinder.tabletop import CLASSES

SMALL = DemoSetting(things=1, turn=3, frames=3, composed=24, unseen=4, size=128, epochs=1)


@pytest.fixture(scope="module")
def done(tmp_path_factory):
    """A very small demo: its folder, and what it printed as JSON."""
    place = tmp_path_factory.mktemp("demo") / "demo"
    with pytest.MonkeyPatch.context() as patch:
        printed = []
        patch.setattr(demo, "_SETTING", SMALL)
        patch.setattr(demo, "print_json", printed.append)
        assert demo.run(demo.Flags(out=place, epochs=SMALL.epochs, seed=3, json=True)) == 0
    return place, *printed


def test_it_prints_what_every_stage_came_to(done):
    place, document = done
    assert set(document) == {"report", "scores", "stages"}
    assert document["report"] == str(place / "report.html")
    assert document["scores"]["images"] == SMALL.unseen
    assert set(document["scores"]["per_class"]) == set(CLASSES)
    names = [stage["stage"].split()[0] for stage in document["stages"]]
    assert names == ["film", "take", "propose", "accept", "compose", "train", "score", "answer"]
    assert all(stage["seconds"] >= 0 and stage["outcome"] for stage in document["stages"])
    assert json.loads((place / "demo.json").read_text()) == json.loads(json.dumps(document))


def test_proposals_lie_on_the_things_that_were_filmed(done):
    place, _ = done
    proposals = read_proposals(place / "frames")
    assert set(proposals.classes) == set(CLASSES)
    shots = [
        capturing.Shot(path, place / "captures" / path.split("/")[0] / "1", number)
        for path, number in zip(proposals.paths, map(frame_of, proposals.paths), strict=True)
    ]
    overlaps = capturing.overlaps(shots, proposals)
    assert np.median(overlaps) > 0.9
    # Truth of other frames, or of other things, would not be met like this.
    strangers = [
        capturing.Shot(shot.path, place / "captures" / other / "1", 0)
        for shot, other in zip(shots, reversed([s.path.split("/")[0] for s in shots]), strict=True)
    ]
    assert np.median(capturing.overlaps(strangers, proposals)) < 0.8


def frame_of(path):
    return int(re.search(r"(\d+)\.jpg$", path)[1])


def test_only_sure_proposals_become_labels_and_all_are_learnt_from(done):
    place, _ = done
    proposals = read_proposals(place / "frames")
    labels = json.loads((place / "frames/annotations/instances_train.json").read_text())
    sure = proposals.found.scores >= capturing.ABOVE
    assert len(labels["annotations"]) == sure.sum() > 0
    assert all(item["score"] >= capturing.ABOVE for item in labels["annotations"])
    assert [category["name"] for category in labels["categories"]] == list(CLASSES)
    # What is cut by a picture's edge, or very small, is a label and yet no cut-out.
    sources = [cutout.source for cutout in open_captures(place / "frames").cutouts]
    accepted = [proposals.paths[picture] for picture in proposals.pictures[sure].tolist()]
    assert set(sources) <= set(accepted)
    assert len(accepted) - 2 <= len(sources) <= len(accepted)


def test_the_detector_learnt_from_composed_scenes_alone(done):
    place, _ = done
    manifest = open_run(place / "run").manifest
    assert manifest.data["source"] == str(place / "composed")
    assert sum(manifest.data["images"].values()) == SMALL.composed
    assert manifest.classes == CLASSES


def test_the_same_scenes_end_in_the_same_detector_bit_for_bit(done, tmp_path):
    place, _ = done
    shutil.copytree(place / "composed", tmp_path / "composed")
    learning.learn(tmp_path, replace(SMALL, seed=3))
    first, again = (each / "run" / "weights.safetensors" for each in (place, tmp_path))
    assert first.read_bytes() == again.read_bytes()
    judged, once_more = (each / "run" / "opinion.safetensors" for each in (place, tmp_path))
    assert judged.exists() == once_more.exists()
    assert not judged.exists() or judged.read_bytes() == once_more.read_bytes()


def test_no_clock_and_no_timing_decides_what_is_learnt():
    recipe = learning.recipe(DemoSetting())
    assert recipe.minutes is None
    assert recipe.precision == learning.recipe(DemoSetting()).precision != "auto"


def test_what_cannot_be_trained_is_refused_before_anything_is_removed(ask, tmp_path):
    (tmp_path / "demo.json").write_text('{"stages": []}')
    (tmp_path / "frames").mkdir()
    status, _, told = ask("demo", "--out", tmp_path, "--epochs", "0")
    assert status == 2
    assert told.splitlines()[1:] == ["error: --epochs must be at least 1"]
    assert (tmp_path / "frames").is_dir()


def test_every_stage_is_told_with_what_is_left(capsys):
    stages = Stages({"film": 60.0, "train": 120.0, "score": 30.0})
    assert stages.left() == (210, 210)
    stages.do("film things", lambda: None, lambda _: "8 things")
    assert "film things: about 1 min, about 4 min left in all" in capsys.readouterr().err
    # On a machine twice as slow as was thought, so is the rest.
    stages.done[0]["seconds"] = 120.0
    assert stages.left() == (300, 300)
    stages.do("train a detector", lambda: None, lambda _: "3 epochs")
    stages.do("score it", lambda: None, lambda _: "mAP50 0.5")
    assert stages.left() == (0, 0)


def test_what_is_left_lies_between_the_paces_of_all_and_of_the_last_that_tells(capsys):
    """A machine that was busy for a while, and is not any more, takes no longer for that."""
    stages = Stages({"film": 60.0, "take": 60.0, "answer": 1.0, "score": 120.0})
    stages.done = [
        {"stage": name, "seconds": seconds, "outcome": ""}
        for name, seconds in (("film", 180.0), ("take", 60.0), ("answer", 9.0))
    ]
    low, high = stages.left()
    assert low == 120
    assert high == pytest.approx(120 * 249 / 121)
    stages.do("score it", lambda: None, lambda _: "")
    assert "score it: about 2 min to 4 min, about 2 min to 4 min left" in capsys.readouterr().err


def test_a_stage_that_is_tried_anew_is_told_by_that_alone(capsys):
    stages = Stages({"film": 60.0, "train": 120.0, "score": 60.0}, {"train": lambda: 600.0})
    stages.done = [{"stage": "film", "seconds": 30.0, "outcome": ""}]
    stages.do("train it", lambda: None, lambda _: "")
    assert "train it: about 10 min, about 10 min left in all" in capsys.readouterr().err


def test_a_larger_demo_is_expected_to_take_longer():
    small = pacing.expected(SMALL)
    large = pacing.expected(replace(SMALL, things=100, composed=2400, unseen=400))
    assert list(small) == [
        "film",
        "take",
        "propose",
        "accept",
        "compose",
        "train",
        "score",
        "answer",
    ]
    for stage in ("film", "take", "propose", "compose", "train", "score"):
        assert 0 < small[stage] < large[stage]


def test_the_page_shows_every_stage_and_fetches_nothing(done):
    place, document = done
    page = (place / "report.html").read_text(encoding="utf-8")
    assert page.rstrip().endswith("</html>")
    for stage in document["stages"]:
        assert stage["stage"] in page
        assert stage["outcome"] in page
    links = re.findall(r"""(?:src|href)=["']([^"']*)""", page)
    assert "second opinion" in page
    local = [link for link in links if not link.startswith(("data:", "#"))]
    assert local == ["run/report.html"]
    assert (place / local[0]).is_file()
    assert "@import" not in page
    assert "url(http" not in page
    pictures = [link for link in links if link.startswith("data:image/jpeg;base64,")]
    # Of each class an empty stand and up to three frames; composed scenes, and unseen ones.
    assert 8 * 2 + 6 + SMALL.unseen <= len(pictures) <= 8 * 4 + 6 + SMALL.unseen


def test_what_a_killed_demo_left_half_written_does_not_stand_in_the_way(tmp_path):
    for name in (".writing-x", ".writing-4194304-abcdefgh"):
        (tmp_path / name).write_bytes(b"half")
    running._clear(tmp_path)


def test_a_demo_replaces_an_earlier_one_and_nothing_else(done, ask, tmp_path):
    place, _ = done
    (place / "thesis.txt").write_text("years of work")
    status, _, told = ask("demo", "--out", place)
    (place / "thesis.txt").unlink()
    assert status == 2
    assert told.splitlines()[1].startswith("error: ")
    assert "thesis.txt" in told
    assert (place / "run" / "weights.safetensors").exists()
    mine = tmp_path / "mine"
    (mine / "run").mkdir(parents=True)
    for taken in (mine, place / "demo.json"):
        status, _, told = ask("demo", "--out", taken)
        assert status == 2
        assert told.splitlines()[1].startswith("error: ")
    assert (mine / "run").is_dir()


def test_an_earlier_demo_even_one_that_was_stopped_makes_room(tmp_path):
    place = tmp_path / "demo"
    (place / "captures" / "ball").mkdir(parents=True)
    (place / "demo.json").write_text('{"stages": []}')
    running._clear(place)
    assert not any(place.iterdir())


def test_ctrl_c_ends_it_quietly_and_leaves_what_the_next_may_replace(ask, tmp_path, monkeypatch):
    def stop(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr(capturing, "film", stop)
    status, out, told = ask("demo", "--out", tmp_path / "demo")
    assert status == 130
    assert not out
    assert "Traceback" not in told
    running._clear(tmp_path / "demo")
    assert not any((tmp_path / "demo").iterdir())


@pytest.mark.parametrize("line", ["demo: into", "— film"])
def test_ctrl_c_is_answered_once_even_while_processes_start(tmp_path, line):
    """While torch is imported, behind the first line, and while things are filmed."""
    code = (
        "from viewfinder.cli.main import entry\n"
        "import sys\n"
        "class Quick:\n"  # what is timed before takes as long as the film
        "    def find_spec(self, name, path=None, target=None):\n"
        "        if name == 'viewfinder.demo.demonstrating':\n"
        "            import viewfinder.demo.pacing as pacing\n"
        "            stages = 'film take propose accept compose train score answer'\n"
        "            pacing.expected = lambda _: dict.fromkeys(stages.split(), 1.0)\n"
        "sys.meta_path.insert(0, Quick())\n"
        f"sys.argv = ['viewfinder', 'demo', '--out', {str(tmp_path / 'demo')!r}]\n"
        "entry()\n"
    )
    process = subprocess.Popen(
        [sys.executable, "-c", code],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    )
    assert process.stdout is not None
    told = ""
    while line not in told:
        read = process.stdout.readline()
        assert read, told
        told += read
    # As a terminal does: every process of the group is told.
    os.killpg(process.pid, signal.SIGINT)
    rest, _ = process.communicate(timeout=60)
    assert process.returncode == 130, told + rest
    assert "Traceback" not in told + rest
    assert "this takes" not in told or line == "— film"


def test_of_a_folder_that_may_not_be_looked_into_its_own_name_is_said(tmp_path, monkeypatch):
    def no_rights(path):
        # Who runs tests as root may look into everything.
        raise PermissionError(13, "Permission denied", str(path))

    monkeypatch.setattr(Path, "is_file", no_rights)
    with pytest.raises(InputError) as said:
        labelled_of(tmp_path)
    assert str(said.value).startswith(f"{tmp_path} cannot be opened (Permission denied): see that")


@pytest.mark.parametrize("kept_in", ["labels.db", "database.json"])
def test_its_frames_are_what_is_labelled_and_then_kept(tmp_path, kept_in):
    demo = tmp_path / "demo"
    (demo / "frames" / ".viewfinder").mkdir(parents=True)
    assert labelled_of(demo) == demo
    (demo / "demo.json").write_text('{"stages": []}')
    assert labelled_of(demo) == demo / "frames"
    refuse_labelled(demo)
    (demo / "frames" / ".viewfinder" / kept_in).touch()
    with pytest.raises(InputError, match="labels of yours"):
        refuse_labelled(demo)
