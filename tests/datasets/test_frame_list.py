"""The list that says which frame of which video each picture is."""

import json

import pytest

from viewfinder.datasets.frame_list import (
    FrameOrigin,
    frame_groups,
    read_frame_list,
    write_frame_list,
)
from viewfinder.errors import InputError


def test_a_list_returns_and_tells_groups(tmp_path):
    origins = {"é-000003.jpg": FrameOrigin("é 写.mp4", 3, 0.125), "b.jpg": FrameOrigin("b", 0, 0.0)}
    write_frame_list(tmp_path, origins)
    write_frame_list(tmp_path / "mug", origins)
    assert read_frame_list(tmp_path) == origins
    paths = ["é-000003.jpg", "other.jpg", "mug/b.jpg", "mug/é-000003.jpg", "cup/b.jpg"]
    assert frame_groups(tmp_path, paths) == ("é 写.mp4", "", "mug/b", "mug/é 写.mp4", "")
    assert frame_groups(tmp_path, ["cup/b.jpg", "x.jpg"]) == ()
    assert read_frame_list(tmp_path / "nowhere") == {}


@pytest.mark.parametrize("text", ["[1, 2]", '{"frames": 1}', "no json", '{"schema": "other 1"}'])
def test_another_programs_file_is_passed_over(tmp_path, text):
    (tmp_path / "frames.json").write_text(text)
    assert read_frame_list(tmp_path) == {}


GOOD = {"file": "a.jpg", "video": "a.mp4", "frame": 1, "seconds": 0.5}


@pytest.mark.parametrize(
    "frames",
    [
        None,
        {},
        [1],
        [GOOD | {"file": 3}],
        [GOOD | {"video": ""}],
        [GOOD | {"frame": "1"}],
        [GOOD | {"frame": True}],
        [GOOD | {"frame": -1}],
        [GOOD | {"frame": 10**400}],
        [GOOD | {"seconds": float("nan")}],
        [GOOD | {"seconds": float("inf")}],
        [GOOD | {"seconds": 10**400}],
        [GOOD | {"seconds": True}],
        [GOOD | {"file": ""}],
        [{"file": "a.jpg"}],
    ],
)
def test_a_damaged_list_is_refused(tmp_path, frames):
    document = {"schema": "viewfinder frames 1", "frames": frames}
    (tmp_path / "frames.json").write_text(json.dumps(document))
    with pytest.raises(InputError, match="run `viewfinder frames`"):
        read_frame_list(tmp_path)
    (tmp_path / "frames.json").write_text(json.dumps(document)[:-2])
    with pytest.raises(InputError, match="not whole JSON"):
        read_frame_list(tmp_path)


def test_what_python_cannot_parse_is_refused(tmp_path):
    text = json.dumps({"schema": "viewfinder frames 1", "frames": [GOOD]})
    for damaged in (text.replace("0.5", "9" * 5000), text.replace("[", "[" * 100_000)):
        (tmp_path / "frames.json").write_text(damaged)
        with pytest.raises(InputError, match=r"frames\.json"):
            read_frame_list(tmp_path)
