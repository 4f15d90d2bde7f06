"""Whole videos are whole and cut ones are not, whatever holds them."""

import re
from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from viewfinder.errors import InputError
from viewfinder.pictures.video import probe_video, read_video

RATE = 25
KINDS = {
    "it.mp4": ("mpeg4", "mp4"),
    "it.mov": ("mjpeg", "mov"),
    "it.avi": ("mpeg4", "avi"),
    "it.mkv": ("mpeg4", "matroska"),
    "it.webm": ("libvpx", "webm"),
    "it.ts": ("mpeg2video", "mpegts"),
    "it.mpg": ("mpeg2video", "mpeg"),
    "it.flv": ("flv", "flv"),
    "it.ogv": ("libvpx", "ogg"),
    "it.wmv": ("wmv2", "asf"),
}


def scene(count: int) -> list[NDArray[np.uint8]]:
    source = np.random.default_rng(0)
    wide = source.integers(0, 256, (96, 128 + 4 * count, 3), np.uint8)
    return [np.ascontiguousarray(wide[:, 4 * i : 4 * i + 128]) for i in range(count)]


def write(
    path: Path, pictures: Sequence[NDArray[np.uint8]], *, sound: float = 0, starts: float = 0
) -> Path:
    """A video whose table of frames stands in front, perhaps with so many seconds of sound.

    Args:
        starts: seconds; before nought, an edit list hides what comes earlier.
    """
    codec, container = KINDS[path.name]
    options = {"movflags": "faststart"} if container in ("mp4", "mov") else {}
    with av.open(str(path), "w", format=container, options=options) as target:
        stream = target.add_stream(codec, rate=RATE)
        stream.width, stream.height = 128, 96
        stream.pix_fmt = "yuvj420p" if codec == "mjpeg" else "yuv420p"
        stream.codec_context.gop_size = 10
        if codec == "libvpx":
            stream.codec_context.options = {"deadline": "realtime", "cpu-used": "8"}
        audio = (
            target.add_stream("pcm_s16le" if container == "avi" else "aac", rate=8000)
            if sound
            else None
        )
        packets = [
            packet
            for picture in [*pictures, None]
            for packet in stream.encode(
                None if picture is None else av.VideoFrame.from_ndarray(picture, format="rgb24")
            )
        ]
        for packet in packets:
            shift = round(starts / packet.time_base)
            packet.pts, packet.dts = packet.pts + shift, packet.dts + shift
            target.mux(packet)
        for at in range(0, round(sound * 8000), 1024) if audio else ():
            kind = "s16" if container == "avi" else "fltp"
            frame = av.AudioFrame(format=kind, layout="mono", samples=1024)
            frame.planes[0].update(bytes(frame.planes[0].buffer_size))
            frame.sample_rate, frame.pts, frame.time_base = 8000, at, Fraction(1, 8000)
            target.mux(audio.encode(frame))
        if audio:
            target.mux(audio.encode(None))
    return path


def read(path: Path) -> tuple[list[float], str]:
    said: list[str] = []
    seconds = [frame.seconds for frame in read_video(path, tell=said.append)]
    assert len(said) <= 1
    return seconds, "".join(said)


@pytest.mark.parametrize("name", KINDS)
def test_a_whole_video_is_whole_and_a_cut_one_is_not(tmp_path: Path, name: str) -> None:
    path = write(tmp_path / name, scene(60))
    seconds, said = read(path)
    assert (len(seconds), said) == (60, "")
    assert seconds == pytest.approx([i / RATE for i in range(60)], abs=0.002)
    data = path.read_bytes()
    for share in (0.4, 0.66, 0.9):
        # Not at a packet's border, where an MPEG transport stream has no trace of the cut.
        path.write_bytes(data[: round(share * len(data)) // 188 * 188 + 91])
        seconds, said = read(path)
        assert 0 < len(seconds) < 60
        assert "is cut short" in said or (name == "it.mpg" and "is damaged at its end" in said)
        assert f"{len(seconds)} frames, up to {seconds[-1]:.2f}" in said
        if name in ("it.mp4", "it.mov", "it.avi", "it.mkv", "it.webm", "it.flv"):
            assert " of 2.40 seconds" in said


@pytest.mark.parametrize("name", ["it.mp4", "it.mov", "it.mkv", "it.avi", "it.ts"])
def test_sound_that_goes_on_is_no_missing_end(tmp_path: Path, name: str) -> None:
    path = write(tmp_path / name, scene(30), sound=4)
    assert [len(part) for part in read(path)] == [30, 0]


@pytest.mark.parametrize("name", ["it.mp4", "it.mov"])
@pytest.mark.parametrize("starts", [-0.8, 1.2])
def test_an_edit_list_hides_frames_and_nothing_is_missing(
    tmp_path: Path, name: str, starts: float
) -> None:
    path = write(tmp_path / name, scene(50), starts=starts)
    shown = 50 + min(0, round(starts * RATE))
    seconds, said = read(path)
    assert (len(seconds), said) == (shown, "")
    assert seconds[0] == 0
    assert probe_video(path).frames == shown
    data = path.read_bytes()
    path.write_bytes(data[: round(0.8 * len(data))])
    assert f" of {shown / RATE:.2f} seconds" in read(path)[1]


def test_frames_left_empty_are_not_missing(tmp_path: Path) -> None:
    """An .avi in which two of three frames are empty, as webcams write them."""
    path = tmp_path / "it.avi"
    with av.open(str(path), "w") as target:
        stream = target.add_stream("mjpeg", rate=RATE)
        stream.width, stream.height, stream.pix_fmt = 128, 96, "yuvj420p"
        for number, picture in enumerate(scene(20)):
            frame = av.VideoFrame.from_ndarray(picture, format="rgb24")
            for packet in stream.encode(frame):
                packet.pts = packet.dts = 3 * number
                packet.time_base = Fraction(1, RATE)
                target.mux(packet)
    seconds, said = read(path)
    assert (len(seconds), said) == (20, "")
    assert seconds == pytest.approx([3 * i / RATE for i in range(20)])
    data = path.read_bytes()
    path.write_bytes(data[: len(data) // 2])
    assert "is cut short" in read(path)[1]


def test_a_bare_stream_has_times_by_its_rate(tmp_path: Path) -> None:
    path = tmp_path / "it.m2v"
    with av.open(str(path), "w", format="mpeg2video") as target:
        stream = target.add_stream("mpeg2video", rate=RATE)
        stream.width, stream.height, stream.pix_fmt = 128, 96, "yuv420p"
        for picture in [*scene(20), None]:
            frame = None if picture is None else av.VideoFrame.from_ndarray(picture, format="rgb24")
            target.mux(stream.encode(frame))
    seconds, said = read(path)
    assert said == ""
    assert np.diff(seconds) == pytest.approx([1 / RATE] * 19, abs=0.05)
    assert seconds[-1] == pytest.approx(19 / RATE, abs=0.05)


def test_a_bare_stream_without_times_is_counted(shared: Path) -> None:
    path = shared / "cases/labels/video-suffixes/v.h264"
    if not path.is_file():
        pytest.skip("there is no bare stream of H.264 here, and no free encoder to make one")
    seconds, said = read(path)
    assert (len(seconds), said) == (25, "")
    assert seconds == pytest.approx([i / 25 for i in range(25)])
    assert probe_video(path).rate == pytest.approx(25)


def test_only_a_part_is_read(tmp_path: Path) -> None:
    path = write(tmp_path / "it.mp4", scene(50))
    frames = list(read_video(path, since=0.4, until=0.8))
    assert [frame.index for frame in frames] == list(range(10, 20))
    data = path.read_bytes()
    path.write_bytes(data[: len(data) // 2])
    # What lies beyond was not asked for.
    assert len(list(read_video(path, until=0.2, tell=pytest.fail))) == 5


def test_a_video_without_one_good_frame_is_an_error(tmp_path: Path) -> None:
    path = write(tmp_path / "it.mov", scene(3))
    data = bytearray(path.read_bytes())
    begin = data.index(b"mdat") + 4
    data[begin:] = bytes(len(data) - begin)
    path.write_bytes(data)
    with pytest.raises(InputError, match=r"it\.mov"):
        list(read_video(path))


def test_a_damaged_frame_of_an_mjpeg_is_passed_over(tmp_path: Path) -> None:
    with av.open(str(tmp_path / "it.avi"), "w") as target:
        stream = target.add_stream("mjpeg", rate=RATE)
        stream.width, stream.height, stream.pix_fmt = 128, 96, "yuvj420p"
        for picture in [*scene(20), None]:
            frame = picture if picture is None else av.VideoFrame.from_ndarray(picture)
            target.mux(stream.encode(frame))
    assert read(tmp_path / "it.avi")[1] == ""
    data = bytearray((tmp_path / "it.avi").read_bytes())
    starts = [at for at in range(len(data)) if data[at : at + 4] == b"00dc"]
    begin = starts[10] + 8 + 700  # behind the tables of the picture
    data[begin : begin + 400] = bytes(400)
    (tmp_path / "it.avi").write_bytes(data)
    seconds, said = read(tmp_path / "it.avi")
    assert len(seconds) == 19
    assert re.search(r"has 1 damaged frame, passed over, from 0\.(36|40) seconds on", said)


def test_damage_in_a_part_is_told(tmp_path: Path) -> None:
    path = write(tmp_path / "it.avi", scene(60))
    data = bytearray(path.read_bytes())
    starts = [at for at in range(len(data)) if data[at : at + 4] == b"00dc"]
    data[starts[13] + 200 : starts[13] + 1200] = bytes(1000)
    path.write_bytes(data)
    said: list[str] = []
    assert list(read_video(path, until=1.6, tell=said.append))
    assert "damaged frame" in "".join(said)
    assert list(read_video(path, until=0.4, tell=pytest.fail))


def test_a_gif_that_is_damaged_within_is_not_whole(tmp_path: Path) -> None:
    path = tmp_path / "it.gif"
    pictures = [Image.fromarray(picture) for picture in scene(12)]
    pictures[0].save(
        path, save_all=True, append_images=pictures[1:], duration=40, comment=b"it; is"
    )
    assert [len(part) for part in read(path)] == [12, 0]
    data = bytearray(path.read_bytes())
    middle = len(data) // 2
    data[middle : middle + 2000] = bytes(2000)
    path.write_bytes(data)
    seconds, said = read(path)
    assert len(seconds) < 12
    assert "is cut short" in said


def test_a_recording_of_a_camera_cut_between_its_packets_of_192_bytes_is_seen(
    tmp_path: Path,
) -> None:
    """By its length, though 188 bytes, the other usual length, divide it."""
    path = write(tmp_path / "it.ts", scene(60))
    plain = path.read_bytes()
    packets = [bytes(4) + plain[at : at + 188] for at in range(0, len(plain), 188)]
    path.write_bytes(b"".join(packets))
    assert [len(part) for part in read(path)] == [60, 0]
    whole = path.read_bytes()
    length = len(whole) // 2 // 188 * 188
    path.write_bytes(whole[: length if length % 192 else length - 188])
    assert "is cut short" in read(path)[1]


@pytest.mark.skipif("libx264" not in av.codecs_available, reason="PyAV has no encoder of H.264")
def test_damage_that_the_decoder_conceals_is_told_each_time(tmp_path: Path) -> None:
    """Of several threads, some gave the frame away before its damage was known."""
    path = tmp_path / "it.h264"
    with av.open(str(path), "w", format="h264") as target:
        stream = target.add_stream("libx264", rate=RATE)
        stream.width, stream.height, stream.pix_fmt = 128, 96, "yuv420p"
        for picture in [*scene(12), None]:
            frame = picture if picture is None else av.VideoFrame.from_ndarray(picture)
            target.mux(stream.encode(frame))
    assert read(path)[1] == ""
    path.write_bytes(path.read_bytes()[:-900])
    for _ in range(8):
        assert "is damaged at its end" in read(path)[1]
