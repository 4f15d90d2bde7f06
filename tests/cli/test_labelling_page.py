"""The road of docs/labelling.md, command by command as it stands there, with two short turns."""

import re
import shlex
import shutil
from pathlib import Path

import pytest

from viewfinder.datasets.opening import read_boxes
from viewfinder.datasets.tabletop import CLASSES, TurntableOptions, render_turntable
from viewfinder.pictures.video import write_video
from viewfinder.pictures.writing import write_picture

PAGE = Path(__file__).parents[2] / "docs/labelling.md"


def commands():
    block = re.search(r"## Objects on a stand.*?```sh\n(.*?)```", PAGE.read_text("utf-8"), re.S)
    return [shlex.split(line, comments=True) for line in block[1].splitlines()]


@pytest.fixture
def filmed(tmp_path, monkeypatch):
    """A folder with the videos and the pictures of empty stands that the page names."""
    options = TurntableOptions(size=128, noise=1, shadow=0.4)
    for name, seed in (("mug", 4), ("ball", 5)):
        turn = render_turntable(CLASSES.index(name), seed=seed, frames=8, options=options)
        write_video(tmp_path / f"{name}.mp4", turn.frames, rate=2)
        write_picture(tmp_path / f"{name}-empty.png", turn.empty)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_the_road_of_the_page_is_walked_as_written(ask, filmed):
    accepted = None
    for program, *words in commands():
        if program == "cp":
            shutil.copy(*words)
            continue
        short = ["--size", "96", "64", "--processes", "1"] if words[0] == "compose" else []
        status, _, err = ask(*words, *short)
        assert status == 0, (words, err)
        if "--accept-above" in words:
            accepted = read_boxes(filmed / "captures").counts()
    assert set(accepted) == {"mug", "ball"}
    assert min(accepted.values()) >= 1
    composed = read_boxes(filmed / "scenes")
    assert set(composed.counts()) == {"mug", "ball"}
    assert min(composed.counts().values()) > 10
    assert not (filmed / "captures/annotations").exists()
    assert (filmed / "look.png").is_file()
