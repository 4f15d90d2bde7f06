"""Frames from a video file, of any container and codec that FFmpeg knows."""

import math
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import av
import numpy as np
from numpy.typing import NDArray

from viewfinder.errors import InputError
from viewfinder.events import note
from viewfinder.pictures.clock import Clock, gaps_in_words, seconds_of
from viewfinder.pictures.damage import Damage, Reach
from viewfinder.pictures.opening import is_moving_webp, open_for_reading

# A playlist is a "video" that names other files and addresses, which nobody asked to be opened.
_READ_OPTIONS = {"protocol_whitelist": "none"}
_ROUNDING = 1e-6  # seconds

VIDEO_SUFFIXES = frozenset(
    {".mp4", ".m4v", ".mov", ".qt", ".avi", ".divx", ".mkv", ".webm", ".mpg", ".mpeg", ".m2v"}
    | {".vob", ".wmv", ".asf", ".flv", ".f4v", ".3gp", ".3g2", ".ogv", ".mts", ".m2ts", ".ts"}
    | {".h264", ".264", ".h265", ".265", ".hevc", ".mjpeg", ".mjpg", ".ivf", ".y4m"}
)
"""By which a file is taken for a video where its bytes do not tell."""


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
        rate: frames a second, on average; 25 where the file does not say.
        seconds: how long it lasts, or None where the file does not say.
        frames: how many there are at most, or None where the file does not say.
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
        frames = _decoded(container, stream, Reach(container, stream), Damage())
        first = next((frame for frame in frames if frame is not None), None)
        if first is None:
            raise InputError(f"{path} holds no frame that can be read: copy or download it again")
        height, width = _upright(first).shape[:2]
        rate = float(stream.average_rate or stream.guessed_rate or 25)
        if first.pts is None and first.duration:
            # FFmpeg says 25 of any stream that has no times.
            rate = 1 / seconds_of(first.duration, first)
        seconds: float | None = None
        if stream.duration and stream.time_base:
            seconds = float(stream.duration * stream.time_base)
        elif container.duration:
            seconds = container.duration / av.time_base
        count = stream.frames or None
        if count and seconds and rate:
            # An edit list hides some of those stored.
            count = min(count, math.ceil(seconds * rate))
        return VideoHeader(
            width=width,
            height=height,
            rate=rate,
            seconds=seconds,
            frames=count,
            codec=stream.codec_context.name,
        )


def read_video(
    path: Path,
    *,
    since: float = 0,
    until: float = math.inf,
    tell: Callable[[str], None] = note,
    remark: Callable[[str], None] = note,
) -> Iterator[Frame]:
    """The frames that can be read, one by one, in the order shown.

    Damaged frames are passed over, but counted, so that a frame's number is its place in the video.

    Args:
        since: seconds; frames shown earlier are counted and not given.
        until: seconds; the video is read up to there, and not beyond.
        tell: is given one sentence at the end where frames are damaged, or the video is cut short.
        remark: is given one sentence at the end where no frame is shown for long, since packets may
            be lost there without a trace, or nothing moved.

    Raises:
        InputError: there is no such file, no video in it, or not one frame that can be read.
    """
    with _opened(path) as (container, stream):
        clock, reach, damage = Clock(stream), Reach(container, stream), Damage()
        index, ends = -1, True
        for frame in _decoded(container, stream, reach, damage):
            index += 1
            if frame is None:
                damage.pass_over(clock.miss())
                continue
            seconds = clock.read(frame)
            if seconds >= until - _ROUNDING:
                ends = False
                break
            bad = frame.is_corrupt or frame.pts in damage.packets
            # In joined recordings times come again.
            damage.packets.difference_update({frame.pts})
            if bad or damage.reaches(seconds, stands_alone=frame.key_frame):
                damage.pass_over(seconds)
                continue
            damage.go_on(seconds)
            if seconds >= since - _ROUNDING:
                yield Frame(index, seconds, _upright(frame))
        sentence = damage.says(path, reach.cut_short(path)) if ends else damage.says_before(path)
        if not damage.whole and (ends or sentence):
            raise InputError(sentence or f"{path} holds no frame: copy or download it again")
        if sentence:
            tell(sentence)
        if gaps := gaps_in_words(clock.gaps(since, until)):
            remark(f"{path}: {gaps}")


@contextmanager
def _opened(path: Path) -> Iterator[tuple[av.container.InputContainer, av.VideoStream]]:
    if is_moving_webp(path):
        raise InputError(f"{path} is an animated WebP, no video: convert it to GIF, APNG or MP4")
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
            if not container.streams:
                raise InputError(f"{path} holds nothing that can be shown: copy it again")
            if not container.streams.video:
                raise InputError(f"{path} has no video in it, only sound or subtitles")
            stream = container.streams.video[0]
            if stream.codec_context is None:
                raise InputError(
                    f"{path} is packed in a way that is not known: convert it to H.264"
                )
            _note_damage(stream)
            yield container, stream


def _note_damage(stream: av.VideoStream) -> None:
    """Have the decoder say which frames are damaged, and otherwise be as fast as it can."""
    codec = stream.codec_context
    if codec.name == "h264":
        # Of several threads, one gives a frame away before another knows that it is damaged.
        codec.thread_count = 1
        return
    stream.thread_type = "AUTO"
    if codec.name == "mjpeg":
        # It says nothing of damage, unless it is asked to refuse such frames.
        codec.options = {"err_detect": "explode"}


def _upright(frame: av.VideoFrame) -> NDArray[np.uint8]:
    picture = frame.to_ndarray(format="rgb24")
    # Degrees counter-clockwise; phones turn by quarters.
    quarters = round(frame.rotation / 90) % 4
    return np.ascontiguousarray(np.rot90(picture, quarters), dtype=np.uint8)


def _decoded(
    container: av.container.InputContainer, stream: av.VideoStream, reach: Reach, damage: Damage
) -> Iterator[av.VideoFrame | None]:
    """Every frame that the decoder gives, and None for each that it refuses."""
    packets = container.demux()
    while True:
        try:
            packet = next(packets, None)
        except av.FFmpegError as error:
            damage.broken = _reason(error)
            return
        if packet is None:
            return
        reach.add(packet)
        if packet.stream.index != stream.index:
            continue
        if packet.is_corrupt and packet.pts is not None:
            damage.packets.add(packet.pts)
        try:
            yield from (frame for frame in packet.decode() if isinstance(frame, av.VideoFrame))
        except av.FFmpegError:
            yield None


def _reason(why: object) -> str:
    return (why.strerror or str(why)) if isinstance(why, av.FFmpegError) else str(why)
