"""The picture of an empty stand beside frames is nothing to propose for, nor to label."""

import numpy as np
import pytest

from viewfinder.datasets.frame_list import FrameOrigin, write_frame_list
from viewfinder.datasets.opening import read_boxes
from viewfinder.labelling.accepting import accept, take_back
from viewfinder.labelling.asking import next_to_label
from viewfinder.labelling.proposals import write_proposals
from viewfinder.labelling.proposing import ProposalRows, find_pictures
from viewfinder.pictures.writing import write_picture


@pytest.fixture
def captures(tmp_path):
    """Frames of two things, each beside its empty stand, and photographs."""
    random = np.random.default_rng(0)
    for folder in ("mug", "ball", "photos"):
        for name in ("0.png", "1.png", "Empty.png"):
            picture = random.integers(0, 255, (20, 30, 3), np.uint8)
            write_picture(tmp_path / folder / name, picture)
        if folder != "photos":
            origins = {f"{n}.png": FrameOrigin("a.mp4", n, n / 10) for n in range(2)}
            write_frame_list(tmp_path / folder, origins)
    return tmp_path


EXPECTED = ["ball/0.png", "ball/1.png", "mug/0.png", "mug/1.png", "photos/0.png", "photos/1.png"]


def test_an_empty_stand_is_passed_over_and_a_photograph_is_not(captures):
    assert sorted(find_pictures(captures)) == [*EXPECTED, "photos/Empty.png"]
    asked = next_to_label(captures, everything=True).asked
    assert sorted(each.path for each in asked) == [*EXPECTED, "photos/Empty.png"]


def test_frames_without_labels_are_named_wherever_they_lie_and_stands_are_not(captures):
    rows = ProposalRows(sizes=dict.fromkeys(["mug/0.png", "mug/1.png", "ball/0.png"], (30, 20)))
    for path, score in (("mug/0.png", 0.95), ("mug/1.png", 0.5), ("ball/0.png", 0.876)):
        rows.add(path, path[:-6], np.array([2, 2, 20, 15.0]), score, "plate")
    write_proposals(captures, rows.proposals())
    done = accept(captures, above=0.9)
    (note,) = (each for each in read_boxes(captures).notes if "in no file of labels" in each)
    assert note == "3 pictures in no file of labels (ball/0.png, ball/1.png …)"
    assert done.without == {"ball": 0.876}
    assert accept(captures, above=0.8).without == {}
    take_back(captures)
    assert accept(captures, above=0.9).without == {"ball": 0.876}
    assert accept(captures, above=0.9).without == {"ball": 0.876}
