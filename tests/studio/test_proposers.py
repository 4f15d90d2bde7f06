"""Others that propose for the studio: who can, who cannot and why, and what comes of it."""

import numpy as np
import pytest
from studio_page import until

from viewfinder.datasets.frame_list import FrameOrigin, write_frame_list
from viewfinder.errors import InputError
from viewfinder.labelling.proposals import Proposals
from viewfinder.pictures.writing import write_picture
from viewfinder.studio.learning.asked import ProposerRequest, asked_of
from viewfinder.studio.learning.proposing import proposers_of
from viewfinder.studio.learning.teacher import Teacher
from viewfinder.studio.store import Operation, PutBox, PutClass, SetState, open_store
from viewfinder.tasks.detect.detections import Detections


@pytest.fixture
def stand(tmp_path, url):
    """An empty stand, and a box on it in four frames of a video."""
    ground = np.random.default_rng(1).normal(150, 3, (240, 320, 3))
    coarse = np.random.default_rng(2).integers(0, 255, (14, 12, 3))
    thing = coarse.repeat(5, axis=0).repeat(5, axis=1)
    folder = tmp_path / "stand"
    for number in range(5):
        picture = ground.copy()
        if number:
            x = 60 + 8 * number
            picture[80:150, x : x + 60] = thing
        write_picture(folder / f"{number}.png", np.clip(picture, 0, 255).astype(np.uint8))
    with open_store(folder, url=url, wait=True) as store:
        store.apply(Operation("class", (PutClass("c", "mug", 0),)))
        yield store


@pytest.fixture
def teacher(stand, tmp_path):
    made = Teacher(stand, runs=tmp_path / "runs")
    yield made
    made.close()


def proposed(teacher, asked):
    teacher.propose(asked, None)
    until(lambda: not teacher._work.is_alive(), seconds=60)
    return teacher.state()


def test_what_stands_on_the_stand_takes_the_place_of_other_proposals(stand, teacher):
    zero, box = np.zeros(1, np.int64), np.array([[10.0, 10, 60, 60]])
    found, sizes = Detections(box, np.array([0.8]), zero), np.array([[320, 240]])
    old = Proposals(("2.png",), sizes, ("mug",), zero, found, ("run:a",))
    stand.propose("run:a", old)
    said = proposed(teacher, ProposerRequest("plate", "0.png", name="mug"))
    assert (said["stage"], said["error"], said["proposed"]) == ("idle", "", 4)
    for picture in (2, 3, 4, 5):
        (ghost,) = stand.picture(picture).proposals
        assert (ghost.run, ghost.name) == ("plate", "mug")
        x = 60 + 8 * (picture - 1)
        assert np.abs(np.array(ghost.corners) - (x, 80, x + 60, 150)).max() < 5
        assert ghost.mask is not None
    assert not stand.picture(1).proposals


def test_boxes_of_the_studio_are_followed_along_a_video(stand, teacher):
    assert "no picture here is known" in proposers_of(stand, "", local=True)["track"]
    origins = {f"{n}.png": FrameOrigin("clip.mp4", n, n / 10) for n in range(1, 5)}
    write_frame_list(stand.data, origins)
    assert "draw boxes" in proposers_of(stand, "", local=True)["track"]
    revision = stand.picture(2).picture.revision
    box = PutBox("b", 2, "c", (68, 80, 128, 150), 0)
    stand.apply(Operation("key", (box, SetState(2, "done", revision))))
    assert proposers_of(stand, "", local=True)["track"] == ""
    said = proposed(teacher, ProposerRequest("track"))
    assert (said["error"], said["by"], said["proposed"]) == ("", "track: flow", 3)
    (ghost,) = stand.picture(4).proposals
    assert np.abs(np.array(ghost.corners) - (84, 80, 144, 150)).max() < 6


def test_what_cannot_be_had_is_said_in_a_sentence(stand, teacher):
    said = proposed(teacher, ProposerRequest("plate", "none.png"))
    assert said["stage"] == "idle"
    assert "none.png" in said["error"]
    assert said["error"].count("\n") == 0


def test_who_cannot_propose_is_told_apart(stand):
    here, there = (proposers_of(stand, "", local=local) for local in (True, False))
    assert here["plate"] == here["detector"] == here["saliency"] == ""
    assert "nothing was learnt" in here["learnt"]
    assert "on the machine where the studio runs" in there["detector"] == there["saliency"]
    assert proposers_of(stand, "runs/a", local=False)["learnt"] == ""


@pytest.mark.parametrize(
    ("document", "why"),
    [
        ({}, "proposals are by"),
        ({"by": ["plate"]}, "proposals are by"),
        ({"by": "plate"}, "empty stand"),
        ({"by": "detector", "file": " "}, "give a detector's run"),
        ({"by": "detector", "file": 5}, "short texts"),
        ({"by": "detector", "file": "a", "names": "b"}, "short texts"),
        ({"by": "saliency", "file": "x" * 4000}, "short texts"),
    ],
)
def test_what_is_asked_wrongly_is_refused(document, why):
    with pytest.raises(InputError, match=why):
        asked_of(document)
