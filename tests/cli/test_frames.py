"""`viewfinder frames`: from videos to pictures."""

import json

import numpy as np
import pytest

from viewfinder.pictures.reading import read_header
from viewfinder.pictures.video_writing import write_video


def film(path, count=12, *, size=(64, 48), seed=0):
    """A square that moves before a wall."""
    wall = np.random.default_rng(seed).integers(0, 160, (6, 8, 3)).astype(np.uint8)
    wall = wall.repeat(8, 0).repeat(8, 1)[: size[1], : size[0]]
    pictures = []
    for index in range(count):
        picture = wall.copy()
        picture[10:26, 2 + 3 * index : 18 + 3 * index] = (240, 220, 30)
        pictures.append(picture)
    write_video(path, pictures, rate=12)
    return path


def turned(path):
    """The same video, whose header asks for a quarter turn clockwise (ISO 14496-12's matrix)."""
    one, zero, minus = (value.to_bytes(4, "big", signed=True) for value in (65536, 0, -65536))
    tail = (zero, zero, (1 << 30).to_bytes(4, "big"))
    data = path.read_bytes()
    at = data.index(b"".join((one, zero, zero, zero, one, zero, *tail)), data.index(b"tkhd"))
    matrix = b"".join((zero, one, zero, minus, zero, zero, *tail))
    path.write_bytes(data[:at] + matrix + data[at + 36 :])
    return path


def test_frames(ask, tmp_path):
    video = film(tmp_path / "bewegung 動き.mp4")
    status, out, err = ask("frames", video, tmp_path / "out", "--every", 0.25)
    assert (status, err) == (0, "")
    assert f"{video}: 4 of 12 frames; left out 0 blurred and 0" in out
    assert f"{tmp_path / 'out'}: 4 pictures, " in out
    assert out.endswith(" frames read a second\n")
    names = sorted(file.name for file in (tmp_path / "out").glob("*.jpg"))
    assert len(names) == 4
    assert all(name.startswith("bewegung 動き-0000") for name in names)


def test_a_folder_of_videos_and_json(ask, tmp_path):
    (tmp_path / "videos").mkdir()
    film(tmp_path / "videos/a.mp4")
    turned(film(tmp_path / "videos/b.mp4", seed=1))
    out = tmp_path / "out"
    status, told, err = ask(
        "frames", "--sharpest", 2, "--format", "png", "--json", tmp_path / "videos", out
    )
    document = json.loads(told)
    assert (status, err) == (0, "")
    assert document["out"] == str(out)
    assert document["frames_per_s"] > 0
    first, second = document["videos"]
    assert (first["read"], len(first["written"]), first["broken"]) == (12, 2, "")
    assert read_header(out / first["written"][0]).size == (64, 48)
    assert read_header(out / second["written"][0]).size == (48, 64)


def test_a_part_of_a_video(ask, tmp_path):
    video = film(tmp_path / "a.mp4", 24)
    words = ("--from", "0.5", "--to", "0:01.5", "--every", 0.25, "--json")
    status, told, err = ask("frames", video, tmp_path / "out", *words)
    assert (status, err) == (0, "")
    assert json.loads(told)["videos"][0]["read"] == 12
    rows = json.loads((tmp_path / "out/frames.json").read_text())["frames"]
    seconds = [row["seconds"] for row in rows]
    assert len(seconds) == 4
    assert 0.5 <= min(seconds) < 0.75
    assert 1.25 <= max(seconds) < 1.5


def test_a_broken_video_is_told_and_the_other_kept(ask, tmp_path):
    good = film(tmp_path / "good.mp4")
    (tmp_path / "bad.mp4").write_bytes(good.read_bytes()[:400])
    status, out, err = ask("frames", tmp_path / "bad.mp4", good, tmp_path / "out")
    assert status == 1
    assert err.startswith("kept what could be read: ")
    assert "bad.mp4" in err
    assert "good.mp4: 2 of 12 frames" in out
    assert len(list((tmp_path / "out").glob("*.jpg"))) == 2


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["VIDEO"], "give a video and then the folder to write"),
        ([], "give a video and then the folder to write"),
        (["VIDEO", "VIDEO2", "FULL"], "exists already"),
        (["NOTHING", "OUT"], "there is no"),
        (["FULL", "OUT"], "holds no videos"),
        (["VIDEO", "OUT", "--every", "0"], "give a number above 0"),
        (["VIDEO", "OUT", "--sharpest", "0"], "give 1 or more"),
        (["TEXT", "OUT"], "not a video that can be read"),
        (["VIDEO", "OUT", "--format", "gif"], "gif"),
        (["VIDEO", "OUT", "--to", "png"], "the format is --format"),
        (["VIDEO", "OUT", "--from", "1m"], "minutes and seconds, as 1:23"),
        (["VIDEO", "OUT", "--from", "0:00.2", "--to", "0.1"], "an end that comes after"),
        (["VIDEO", "OUT", "--from", "0.1", "--to", "0.1"], "an end that comes after"),
        (["VIDEO", "OUT", "--from", "1:00"], "lasts 0.25 seconds, so second 60 is beyond"),
        (["VIDEO", "OUT", "--to", "3"], "lasts 0.25 seconds, so second 3 is beyond"),
    ],
    ids=" ".join,
)
def test_one_line_says_what_is_wrong(ask, tmp_path, words, says):
    film(tmp_path / "a.mp4", 3)
    film(tmp_path / "b.mp4", 3)
    (tmp_path / "full").mkdir()
    (tmp_path / "full/it.txt").write_text("words and words and words")
    places = {
        "VIDEO": tmp_path / "a.mp4",
        "VIDEO2": tmp_path / "b.mp4",
        "FULL": tmp_path / "full",
        "NOTHING": tmp_path / "nothing.mp4",
        "TEXT": tmp_path / "full/it.txt",
        "OUT": tmp_path / "out",
    }
    status, out, err = ask("frames", *(places.get(word, word) for word in words))
    assert (status, out, err.count("\n")) == (2, "", 1)
    assert says in err
    assert not (tmp_path / "out").exists()
