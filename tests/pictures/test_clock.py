"""When frames are shown: gaps are told, times never go back, and a copy keeps them."""

from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest

from viewfinder.pictures.video import Frame, read_video
from viewfinder.pictures.video_writing import write_video

RATE = 25


def write(
    path: Path, *, codec: str = "mpeg4", count: int = 60, lost: range = range(0), pauses: int = 0
) -> Path:
    """A video that stands alone frame by frame, some packets of which never got into the file.

    Args:
        pauses: every so many frames, the next is shown half a second later.
    """
    random = np.random.default_rng(0)
    with av.open(str(path), "w") as target:
        stream = target.add_stream(codec, rate=RATE)
        stream.width, stream.height, stream.pix_fmt = 64, 48, "yuv420p"
        stream.codec_context.gop_size = 1
        packets, at = [], 0
        for index in range(count):
            picture = random.integers(0, 256, (6, 8, 3), np.uint8).repeat(8, 0).repeat(8, 1)
            frame = av.VideoFrame.from_ndarray(picture, format="rgb24")
            frame.pts, frame.time_base = at, Fraction(1, RATE)
            at += 12 if pauses and index % pauses == 0 else 1
            packets += stream.encode(frame)
        for number, packet in enumerate([*packets, *stream.encode(None)]):
            if number not in lost:
                target.mux(packet)
    return path


def remarks(path: Path, **part: float) -> list[str]:
    said: list[str] = []
    assert list(read_video(path, tell=pytest.fail, remark=said.append, **part))
    return said


@pytest.mark.parametrize("name", ["it.mkv", "it.ts", "it.avi"])
def test_packets_that_are_lost_within_are_told(tmp_path: Path, name: str) -> None:
    assert remarks(write(tmp_path / name)) == []
    (said,) = remarks(write(tmp_path / name, lost=range(25, 50)))
    assert f"{name}: no frame is shown for 1.00 seconds from 1.00 on:" in said


def test_pauses_that_are_usual_are_no_loss(tmp_path: Path) -> None:
    assert remarks(write(tmp_path / "it.mkv", pauses=5)) == []


def test_only_gaps_of_the_part_are_told(tmp_path: Path) -> None:
    path = write(tmp_path / "it.mkv", lost=range(25, 50))
    assert remarks(path, until=0.9) == remarks(path, since=2.1) == []
    assert len(remarks(path, since=0.5, until=2.5)) == 1


@pytest.mark.parametrize("name", ["it.ts", "it.mpg"])
def test_of_joined_recordings_times_go_on(tmp_path: Path, name: str) -> None:
    codec = "mpeg2video"
    once = write(tmp_path / name, codec=codec, count=12).read_bytes()
    (tmp_path / name).write_bytes(once + once)
    seconds = [frame.seconds for frame in read_video(tmp_path / name, tell=lambda _: None)]
    assert len(seconds) > 18
    assert (np.diff(seconds) > 0).all()


def test_frames_that_say_when_are_written_so(tmp_path: Path) -> None:
    shown = [0, 0.1, 0.15, 0.9, 1.0]
    picture = np.full((32, 48, 3), 90, np.uint8)
    path = tmp_path / "it.mp4"
    write_video(path, [Frame(i, when, picture) for i, when in enumerate(shown)], rate=5)
    assert [frame.seconds for frame in read_video(path)] == pytest.approx(shown, abs=1e-3)
