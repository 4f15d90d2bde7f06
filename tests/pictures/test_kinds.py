"""Pictures and videos are told apart by their bytes."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from viewfinder.errors import InputError
from viewfinder.pictures.kinds import kind_of, source_of, sources_below
from viewfinder.pictures.video import read_video
from viewfinder.pictures.video_writing import write_video


@pytest.fixture
def files(tmp_path: Path) -> Path:
    root = tmp_path / "files"
    (root / "deep").mkdir(parents=True)
    frames = [np.full((32, 32, 3), value, np.uint8) for value in (10, 90, 200)]
    write_video(root / "it.mp4", frames)
    (root / "it.mp4").rename(root / "deep" / "a video")
    pictures = [Image.fromarray(frame) for frame in frames]
    for name, kind in (("a.gif", "GIF"), ("b.png", "PNG"), ("c.jfif", "JPEG"), ("d", "WEBP")):
        pictures[0].save(root / name, kind)
    for name, kind in (("moving.gif", "GIF"), ("moving.jpg", "PNG")):
        pictures[0].save(root / name, kind, save_all=True, append_images=pictures[1:])
    (root / "notes.txt").write_text("no picture, no video")
    (root / "broken.jpg").write_text("no picture, no video")
    (root / "broken.mkv").write_text("no picture, no video")
    (root / "empty.png").touch()
    return root


def test_bytes_come_before_names(files: Path) -> None:
    found = {file.relative_to(files).as_posix(): kind for file, kind in sources_below(files)}
    assert found == {
        "a.gif": "picture",
        "b.png": "picture",
        "broken.jpg": "picture",
        "broken.mkv": "video",
        "c.jfif": "picture",
        "d": "picture",
        "deep/a video": "video",
        "empty.png": "picture",
        "moving.gif": "video",
        "moving.jpg": "video",
    }
    assert len(list(read_video(files / "moving.gif"))) == 3
    assert len(list(read_video(files / "moving.jpg"))) == 3


def test_what_tells_nothing_is_a_picture_that_cannot_be_read(files: Path) -> None:
    assert kind_of(files / "notes.txt") is None
    assert source_of(files / "notes.txt").kind == "picture"
    with pytest.raises(InputError, match="there is no file"):
        source_of(files / "nothing")
