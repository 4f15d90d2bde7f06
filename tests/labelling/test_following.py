"""Boxes that a person drew in a few frames, carried through the others."""

import json

import numpy as np
import pytest

from viewfinder.errors import InputError
from viewfinder.labelling.following import propose_by_track
from viewfinder.labelling.frames import write_frames
from viewfinder.labelling.proposing import find_pictures
from viewfinder.pictures.video_writing import write_video

STEP, START = 2, 4
TOP, SIDE = 30, 32


def true_box(frame):
    x = START + STEP * frame
    return np.array([x, TOP, x + SIDE, TOP + SIDE], float)


def number(path):
    return int(path.rpartition("-")[2].split(".")[0])


@pytest.fixture
def data(tmp_path, moving):
    """A folder with every second frame or so of a video, and labels of none."""
    write_video(tmp_path / "it.mp4", moving(24, step=STEP), rate=12)
    write_frames([tmp_path / "it.mp4"], tmp_path / "frames", every=1 / 6)
    return tmp_path / "frames"


def label(data, frames, *, name="thing", file="annotations/instances_all.json"):
    """COCO labels with the true box in the pictures of these places in the video's order."""
    paths = [find_pictures(data)[place] for place in frames]
    document = {
        "images": [
            {"id": i, "file_name": p, "width": 128, "height": 96} for i, p in enumerate(paths)
        ],
        "annotations": [
            {
                "id": i,
                "image_id": i,
                "category_id": 1,
                "bbox": [*true_box(number(p))[:2], SIDE, SIDE],
            }
            for i, p in enumerate(paths)
        ],
        "categories": [{"id": 1, "name": name}],
    }
    target = data / file
    target.parent.mkdir(exist_ok=True, parents=True)
    target.write_text(json.dumps(document))
    return target


def test_a_straight_line_between_key_frames(data):
    paths = find_pictures(data)
    label(data, [1, 4, 9])
    proposals = propose_by_track(data, paths).proposals
    assert proposals.classes == ("thing",)
    proposed = [proposals.paths[i] for i in proposals.pictures]
    assert proposed == [paths[i] for i in (2, 3, 5, 6, 7, 8)]
    assert set(proposals.paths) == set(paths) - {paths[i] for i in (1, 4, 9)}
    found = proposals.found
    for path, box, score in zip(proposed, found.boxes, found.scores, strict=True):
        assert box == pytest.approx(true_box(number(path)), abs=0.5)
        assert 0.5 <= score < 1
    assert all(source.startswith("track: linear, frames") for source in proposals.sources)


@pytest.mark.parametrize("with_video", [True, False])
def test_along_with_the_picture_from_one_key_frame(data, with_video):
    paths = find_pictures(data)
    label(data, [2])
    done = propose_by_track(data, paths, motion="flow", video=data.parent if with_video else None)
    proposals = done.proposals
    proposed = [proposals.paths[i] for i in proposals.pictures]
    assert proposed == paths[3 : 3 + len(proposed)]
    assert len(proposed) >= 5
    for path, box in zip(proposed, proposals.found.boxes, strict=True):
        assert box == pytest.approx(true_box(number(path)), abs=4)
    assert len(done.notes) == (3 + len(proposed) < len(paths))


def test_where_a_box_is_lost_is_told(tmp_path, moving):
    pictures = moving(24, step=STEP)
    pictures[14:] = moving(10, start=80, step=0, seed=8)
    write_video(tmp_path / "é.mp4", pictures, rate=12)
    write_frames([tmp_path / "é.mp4"], tmp_path / "frames", every=1 / 6, to="png")
    data = tmp_path / "frames"
    label(data, [2])
    done = propose_by_track(data, find_pictures(data), motion="flow", video=tmp_path / "é.mp4")
    (told,) = done.notes
    assert "the thing was lost at frame 14, second 1.17" in told
    frames = [number(done.proposals.paths[i]) for i in done.proposals.pictures]
    assert frames
    assert max(frames) < 14


def test_keys_may_lie_elsewhere(data, tmp_path):
    keys = label(data, [1, 6], file="../keys/labels.json")
    assert len(propose_by_track(data, find_pictures(data), keys=keys).proposals) == 4


@pytest.mark.parametrize("motion", ["linear", "flow"])
def test_two_objects_of_one_class_are_each_carried(data, motion):
    paths = find_pictures(data)
    file = label(data, [1, 6])
    document = json.loads(file.read_text())
    document["annotations"] += [
        one | {"id": 10 + one["id"], "bbox": [80 + image, 55, 10, 20]}
        for image, one in enumerate(document["annotations"])
    ]
    # Boxes need not come in the same order in every frame.
    document["annotations"] = document["annotations"][::2] + document["annotations"][1::2]
    file.write_text(json.dumps(document))
    proposals = propose_by_track(data, paths, motion=motion).proposals
    for path in paths[2:6]:
        boxes = proposals.found.boxes[proposals.pictures == proposals.paths.index(path)]
        assert len(boxes) == 2
        moving, standing = sorted(boxes.tolist())
        assert moving == pytest.approx(true_box(number(path)), abs=4)
        assert standing == pytest.approx([80, 55, 90, 75], abs=4)


def test_what_cannot_be_carried_is_said(data, tmp_path):
    paths = find_pictures(data)
    with pytest.raises(InputError, match="draw one in a few frames"):
        propose_by_track(data, paths)
    file = label(data, [1, 6])
    with pytest.raises(InputError, match=r"of it\.mp4, and not of other\.mp4"):
        propose_by_track(data, paths, motion="flow", video=tmp_path / "other.mp4")
    document = json.loads(file.read_text())
    document["annotations"] = []
    file.write_text(json.dumps(document))
    with pytest.raises(InputError, match="draw one in a few frames"):
        propose_by_track(data, paths)
    (data / "frames.json").unlink()
    with pytest.raises(InputError, match="take them by `viewfinder frames`"):
        propose_by_track(data, paths)
