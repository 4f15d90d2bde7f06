"""Videos return frame by frame; broken ones give what they have and then say so."""

import re
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest
from numpy.typing import NDArray

from viewfinder.errors import InputError
from viewfinder.pictures.video import Frame, probe_video, read_video
from viewfinder.pictures.video_writing import write_video


def moving_square(frames: int = 12, width: int = 64, height: int = 48) -> list[NDArray[np.uint8]]:
    pictures = []
    for index in range(frames):
        picture = np.full((height, width, 3), (200, 60, 30), np.uint8)
        picture[10:26, 2 + 3 * index : 18 + 3 * index] = (20, 90, 220)
        pictures.append(picture)
    return pictures


def frames_and_sentence(path: Path) -> tuple[list[Frame], str]:
    said: list[str] = []
    frames = list(read_video(path, tell=said.append))
    assert len(said) == 1
    return frames, said[0]


def test_what_is_written_returns(tmp_path: Path) -> None:
    path = tmp_path / "bewegung: 動き?.mp4"
    pictures = moving_square()
    write_video(path, iter(pictures), rate=12.5)
    frames = list(read_video(path))
    assert [frame.index for frame in frames] == list(range(12))
    assert [frame.seconds for frame in frames] == pytest.approx([i / 12.5 for i in range(12)])
    for frame, picture in zip(frames, pictures, strict=True):
        assert frame.picture.shape == picture.shape
        assert np.abs(frame.picture.astype(int) - picture).mean() < 8
    header = probe_video(path)
    assert (header.width, header.height, header.frames) == (64, 48, 12)
    assert header.rate == pytest.approx(12.5)
    assert header.seconds == pytest.approx(12 / 12.5, abs=0.01)
    assert [file.name for file in tmp_path.iterdir()] == [path.name]


def test_an_odd_side_gains_a_copy_of_its_edge(tmp_path: Path) -> None:
    pictures = moving_square(3, 63, 47)
    write_video(tmp_path / "odd.mp4", pictures)
    picture = next(read_video(tmp_path / "odd.mp4")).picture
    assert picture.shape == (48, 64, 3)
    assert np.abs(picture[:, 63].astype(int) - picture[:, 62]).max() < 12


def test_the_encoder_is_free_of_the_gpl(tmp_path: Path) -> None:
    write_video(tmp_path / "it.mp4", moving_square(3))
    assert probe_video(tmp_path / "it.mp4").codec in ("vp9", "mpeg4")


@pytest.mark.parametrize(("degrees", "turns"), [(90, -1), (180, 2), (270, 1)])
def test_a_phone_video_is_turned_upright(tmp_path: Path, degrees: int, turns: int) -> None:
    """`degrees` clockwise, written into the track header's matrix as ISO 14496-12 has it."""
    path = tmp_path / "turned.mp4"
    write_video(path, moving_square(3))
    plain = next(read_video(path)).picture
    one, zero, minus = (value.to_bytes(4, "big", signed=True) for value in (65536, 0, -65536))
    last = (1 << 30).to_bytes(4, "big")
    tail = (zero, zero, last)
    as_stored = b"".join((one, zero, zero, zero, one, zero, *tail))
    turned = {
        90: (zero, one, zero, minus, zero, zero, *tail),
        180: (minus, zero, zero, zero, minus, zero, *tail),
        270: (zero, minus, zero, one, zero, zero, *tail),
    }[degrees]
    data = path.read_bytes()
    at = data.index(as_stored, data.index(b"tkhd"))
    path.write_bytes(data[:at] + b"".join(turned) + data[at + 36 :])
    picture = next(read_video(path)).picture
    assert np.array_equal(picture, np.rot90(plain, turns))
    header = probe_video(path)
    assert (header.height, header.width) == picture.shape[:2]


def test_uneven_times_are_kept(tmp_path: Path) -> None:
    path = tmp_path / "phone.mkv"
    times = [0, 10, 50, 51, 200]
    with av.open(str(path), "w") as container:
        stream = container.add_stream("mpeg4", rate=100)
        stream.width, stream.height, stream.pix_fmt = 64, 48, "yuv420p"
        stream.codec_context.time_base = Fraction(1, 100)
        for time, picture in zip(times, moving_square(5), strict=True):
            frame = av.VideoFrame.from_ndarray(picture, format="rgb24")
            frame.pts, frame.time_base = time, Fraction(1, 100)
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    seconds = [frame.seconds for frame in read_video(path)]
    assert seconds == pytest.approx([time / 100 for time in times], abs=0.002)


def test_a_video_cut_short_gives_what_it_has(tmp_path: Path, shared: Path) -> None:
    """The real file with its table of frames moved to the front, as for the web, and then cut."""
    real = (shared / "data/video/bottle-detection.mp4").read_bytes()
    path = tmp_path / "front.mp4"
    with (
        av.open(str(shared / "data/video/bottle-detection.mp4")) as source,
        av.open(str(path), "w", options={"movflags": "faststart"}) as target,
    ):
        stream = target.add_stream_from_template(source.streams.video[0])
        for packet in source.demux(source.streams.video[0]):
            if packet.dts is not None:
                packet.stream = stream
                target.mux(packet)
    data = path.read_bytes()
    assert data.index(b"moov") < data.index(b"mdat")
    path.write_bytes(data[: len(data) // 2])
    frames, sentence = frames_and_sentence(path)
    assert 100 < len(frames) < 1000
    up_to = f"{frames[-1].seconds:.2f} of 39.85 seconds"
    assert f"is cut short: it can be read for {len(frames)} frames, up to {up_to}" in sentence
    path.write_bytes(real[: len(real) // 2])
    with pytest.raises(InputError, match="its table of frames is missing"):
        list(read_video(path))


def test_damage_in_the_middle_is_passed_over_and_counted(
    tmp_path: Path, shared: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    """Frames made from a damaged one go too, up to the next that stands by itself."""
    real = shared / "data/video/bottle-detection.mp4"
    data = bytearray(real.read_bytes())
    data[250_000:250_400] = bytes(400)
    path = tmp_path / "damaged.mp4"
    path.write_bytes(data)
    frames, sentence = frames_and_sentence(path)
    assert re.search(r"has \d+ damaged frames, passed over, from 2\d\.\d\d seconds on", sentence)
    passed_over = int(sentence.split("has ")[1].split()[0])
    assert 1 <= passed_over < 200
    assert len(frames) == 1189 - passed_over
    kept = {frame.index: frame for frame in frames if frame.index > 600}
    for frame in read_video(real, since=20, until=27):
        if frame.index in kept:
            assert kept[frame.index].seconds == frame.seconds
            assert np.array_equal(kept[frame.index].picture, frame.picture)
    assert capfd.readouterr() == ("", "")


def test_a_real_video_has_its_frames(shared: Path) -> None:
    path = shared / "data/video/bottle-detection.mp4"
    header = probe_video(path)
    assert (header.width, header.height, header.frames, header.codec) == (640, 360, 1189, "h264")
    count, last = 0, -1.0
    for frame in read_video(path):
        assert frame.index == count
        assert frame.seconds > last
        count, last = count + 1, frame.seconds
    assert count == 1189
    assert header.seconds is not None
    assert last < header.seconds < last + 0.1


@pytest.mark.parametrize(
    ("name", "data", "sentence"),
    [
        ("text.mp4", b"not a video" * 50, "not a video that can be read"),
        ("empty.mp4", b"", "is empty"),
        ("list.m3u8", b"#EXTM3U\n#EXT-X-TARGETDURATION:1\n#EXTINF:1,\nit.mp4\n", "not a video"),
        ("list.ffconcat", b"ffconcat version 1.0\nfile it.mp4\n", "not a video|damaged"),
    ],
)
def test_what_is_no_video_is_refused(
    tmp_path: Path, name: str, data: bytes, sentence: str, capfd: pytest.CaptureFixture[str]
) -> None:
    write_video(tmp_path / "it.mp4", moving_square(3))
    (tmp_path / name).write_bytes(data)
    for use in (probe_video, lambda path: list(read_video(path))):
        with pytest.raises(InputError, match=sentence):
            use(tmp_path / name)
    with pytest.raises(InputError, match="there is no file"):
        probe_video(tmp_path / "nothing.mp4")
    assert capfd.readouterr() == ("", "")


def test_flipped_bytes_give_frames_or_an_input_error(tmp_path: Path) -> None:
    path = tmp_path / "it.mp4"
    write_video(path, moving_square(6))
    data, source = path.read_bytes(), np.random.default_rng(0)
    refused = 0
    for _ in range(60):
        flipped = bytearray(data)
        for at in source.integers(0, len(data), 4):
            flipped[at] = source.integers(256)
        path.write_bytes(flipped)
        try:
            for frame in read_video(path):
                assert frame.picture.shape[2] == 3
            probe_video(path)
        except InputError:
            refused += 1
    assert refused > 0


def test_what_cannot_be_written_leaves_nothing(tmp_path: Path) -> None:
    path = tmp_path / "it.mp4"
    with pytest.raises(InputError, match="no frames to write"):
        write_video(path, [])
    with pytest.raises(InputError, match=r"written as \.mp4"):
        write_video(tmp_path / "it.avi", moving_square(2))
    with pytest.raises(ValueError, match="of one size"):
        write_video(path, [*moving_square(2), *moving_square(1, 32, 32)])
    with pytest.raises(ValueError, match="H×W×3 uint8"):
        write_video(path, [np.zeros((4, 4), np.uint8)])
    assert not list(tmp_path.iterdir())
