"""Frames from a video file, and a video file from frames.

Any container and codec that FFmpeg knows can be read. What is written is VP9 in MP4, which
browsers and common players show, by libvpx (BSD licence); where PyAV was built without it, MPEG-4
Part 2, which players show and browsers do not. The better-known libx264 is left alone: it is GPL.
"""

import itertools
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
from numpy.typing import NDArray

from viewfinder.errors import InputError
from viewfinder.files import replacing
from viewfinder.pictures.opening import open_for_reading

_ENCODERS = {
    "libvpx-vp9": {"deadline": "realtime", "cpu-used": "8", "crf": "30", "b": "0"},
    "mpeg4": {"qscale": "3"},
}
# A playlist is a "video" that names other files and addresses, which nobody asked to be opened.
_READ_OPTIONS = {"protocol_whitelist": "none"}
_BT601 = 5  # FFmpeg's number for the colour matrix that its conversion from RGB uses
_LIMITED_RANGE = 1


VIDEO_SUFFIXES = frozenset(
    {
        ".mp4",
        ".m4v",
        ".mov",
        ".avi",
        ".mkv",
        ".webm",
        ".mpg",
        ".mpeg",
        ".wmv",
        ".3gp",
        ".mts",
        ".ts",
    }
)
"""By which a file is taken for a video before it is opened."""


@dataclass(frozen=True, eq=False)
class Frame:
    """One frame of a video.

    Attributes:
        index: from 0, in the order shown.
        seconds: when it is shown, from the video's start.
        picture: H×W×3 uint8 RGB, turned as the video's metadata asks.
    """

    index: int
    seconds: float
    picture: NDArray[np.uint8]


@dataclass(frozen=True)
class VideoHeader:
    """What a video file says of itself.

    Attributes:
        width: in pixels, of an upright frame.
        height: in pixels, of an upright frame.
        rate: frames a second, on average.
        seconds: how long it lasts, or None where the file does not say.
        frames: how many there are, or None where the file does not say.
        codec: FFmpeg's name, such as `h264`.
    """

    width: int
    height: int
    rate: float
    seconds: float | None
    frames: int | None
    codec: str


def probe_video(path: Path) -> VideoHeader:
    """What the file says of its video; only the first frame is decoded.

    Raises:
        InputError: there is no such file, or no video in it.
    """
    with _opened(path) as (container, stream):
        try:
            first = next(container.decode(stream), None)
        except av.FFmpegError as error:
            raise _damaged(path, 0, 0.0, error) from error
        if first is None:
            raise InputError(f"{path} holds no frame: copy or download it again")
        height, width = _upright(first).shape[:2]
        seconds: Fraction | None = None
        if stream.duration and stream.time_base:
            seconds = stream.duration * stream.time_base
        elif container.duration:
            seconds = Fraction(container.duration, av.time_base)
        return VideoHeader(
            width=width,
            height=height,
            rate=float(stream.average_rate or stream.guessed_rate or 0),
            seconds=None if seconds is None else float(seconds),
            frames=stream.frames or None,
            codec=stream.codec_context.name,
        )


def read_video(path: Path) -> Iterator[Frame]:
    """The frames, one by one, in the order shown.

    Raises:
        InputError: there is no such file or no video in it; or, after the frames that can be read,
            the rest is damaged or missing.
    """
    with _opened(path) as (container, stream):
        start = stream.start_time or 0
        index, seconds = 0, 0.0
        try:
            for frame in container.decode(stream):
                if frame.is_corrupt:
                    raise _damaged(path, index, seconds, "a frame is incomplete")
                if frame.pts is not None and frame.time_base is not None:
                    seconds = float((frame.pts - start) * frame.time_base)
                yield Frame(index, seconds, _upright(frame))
                index += 1
        except av.FFmpegError as error:
            raise _damaged(path, index, seconds, error) from error
        # FFmpeg takes a file that was cut short for one that ends; its table of frames tells.
        # An edit list may hide a few frames of that table at either end.
        if index == 0 or index < 0.98 * stream.frames - 2:
            raise _damaged(path, index, seconds, f"{stream.frames} frames were announced")


def write_video(path: Path, frames: Iterable[NDArray[np.uint8]], *, rate: float = 25) -> None:
    """Write H×W×3 RGB frames of one size as an .mp4, whole or not at all.

    An odd width or height, which the format cannot hold, gains a copy of its last column or row.

    Args:
        rate: frames a second.

    Raises:
        InputError: the path does not end in .mp4 or cannot be written, or there are no frames.
        ValueError: a frame is not H×W×3 uint8, or not of the first one's size.
    """
    if path.suffix.lower() != ".mp4":
        raise InputError(f"cannot write {path}: videos are written as .mp4, so end its name in it")
    pictures = iter(frames)
    first = next(pictures, None)
    if first is None:
        raise InputError(f"there are no frames to write to {path}")
    _check_frame(first, first.shape)
    with replacing(path) as file, av.open(file, "w", format="mp4") as container:
        stream = _video_stream(container, first.shape, rate)
        for picture in itertools.chain([first], pictures):
            _check_frame(picture, first.shape)
            odd = [(0, side % 2) for side in picture.shape[:2]]
            padded = np.pad(picture, [*odd, (0, 0)], mode="edge") if any(map(any, odd)) else picture
            frame = av.VideoFrame.from_ndarray(np.ascontiguousarray(padded), format="rgb24")
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))


def _video_stream(
    container: av.container.OutputContainer, shape: tuple[int, ...], rate: float
) -> av.VideoStream:
    name = next(name for name in _ENCODERS if name in av.codecs_available)
    stream = container.add_stream(
        name, rate=Fraction(rate).limit_denominator(1001), options=_ENCODERS[name]
    )
    assert isinstance(stream, av.VideoStream)  # both encoders make video
    stream.height, stream.width = (side + side % 2 for side in shape[:2])
    stream.pix_fmt = "yuv420p"
    stream.codec_context.colorspace = _BT601
    stream.codec_context.color_range = _LIMITED_RANGE
    return stream


def _check_frame(picture: NDArray[np.uint8], shape: tuple[int, ...]) -> None:
    if picture.ndim != 3 or picture.shape[2] != 3 or picture.dtype != np.uint8:
        raise ValueError(f"a frame is H×W×3 uint8, not {picture.shape} {picture.dtype}")
    if picture.shape != shape:
        raise ValueError(f"frames are of one size: {shape} came first, then {picture.shape}")


@contextmanager
def _opened(path: Path) -> Iterator[tuple[av.container.InputContainer, av.VideoStream]]:
    # PyAV is given an open file, not a name, in which FFmpeg could see an address or an option.
    with open_for_reading(path) as file:
        try:
            container = av.open(file, "r", options=_READ_OPTIONS)
        except (av.FFmpegError, ValueError) as error:
            raise InputError(
                f"{path} is not a video that can be read, or its beginning or its table of frames "
                f"is missing ({_reason(error)}): copy or download it again"
            ) from error
        with container:
            if not container.streams.video:
                raise InputError(f"{path} has no video in it, only sound or subtitles")
            stream = container.streams.video[0]
            stream.thread_type = "AUTO"
            yield container, stream


def _upright(frame: av.VideoFrame) -> NDArray[np.uint8]:
    picture = frame.to_ndarray(format="rgb24")
    # Degrees counter-clockwise; phones turn by quarters.
    quarters = round(frame.rotation / 90) % 4
    return np.ascontiguousarray(np.rot90(picture, quarters), dtype=np.uint8)


def _damaged(path: Path, frames: int, seconds: float, why: object) -> InputError:
    return InputError(
        f"{path} can be read for {frames} frames, up to {seconds:.2f} seconds; the rest is damaged "
        f"or missing ({_reason(why)}): copy or download it again"
    )


def _reason(why: object) -> str:
    return (why.strerror or str(why)) if isinstance(why, av.FFmpegError) else str(why)
