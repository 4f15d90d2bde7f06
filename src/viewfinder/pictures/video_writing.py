"""A video file from frames.

What is written is VP9 in MP4, which browsers and common players show, by libvpx (BSD licence);
where PyAV was built without it, MPEG-4 Part 2, which players show and browsers do not. The
better-known libx264 is left alone: it is GPL.
"""

import itertools
from collections.abc import Iterable
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
from numpy.typing import NDArray

from viewfinder.errors import InputError
from viewfinder.files import replacing
from viewfinder.pictures.video import Frame

_ENCODERS = {
    "libvpx-vp9": {"deadline": "realtime", "cpu-used": "8", "crf": "30", "b": "0"},
    "mpeg4": {"qscale": "3"},
}
_TICKS = 60_000  # a second, in which the times of frames are written; MPEG-4 knows no finer
_BT601 = 5  # FFmpeg's number for the colour matrix that its conversion from RGB uses
_LIMITED_RANGE = 1


def write_video(
    path: Path, frames: Iterable[NDArray[np.uint8] | Frame], *, rate: float = 25
) -> None:
    """Write H×W×3 RGB frames of one size as an .mp4, whole or not at all.

    An odd width or height, which the format cannot hold, gains a copy of its last column or row.

    Args:
        frames: pictures, shown evenly one after the other; or frames, each shown when it says.
        rate: frames a second; of frames that say when, on average.

    Raises:
        InputError: the path does not end in .mp4 or cannot be written, or there are no frames.
        ValueError: a frame is not H×W×3 uint8, or not of the first one's size.
    """
    if path.suffix.lower() != ".mp4":
        raise InputError(f"cannot write {path}: videos are written as .mp4, so end its name in it")
    given = iter(frames)
    first = next(given, None)
    if first is None:
        raise InputError(f"there are no frames to write to {path}")
    timed = isinstance(first, Frame)
    shape = _pixels(first).shape
    _check_frame(_pixels(first), shape)
    before = -1
    with replacing(path) as file, av.open(file, "w", format="mp4") as container:
        stream = _video_stream(container, shape, rate, timed=timed)
        for each in itertools.chain([first], given):
            picture = _pixels(each)
            _check_frame(picture, shape)
            odd = [(0, side % 2) for side in picture.shape[:2]]
            padded = np.pad(picture, [*odd, (0, 0)], mode="edge") if any(map(any, odd)) else picture
            frame = av.VideoFrame.from_ndarray(np.ascontiguousarray(padded), format="rgb24")
            if isinstance(each, Frame):
                before = frame.pts = max(round(each.seconds * _TICKS), before + 1)
                frame.time_base = Fraction(1, _TICKS)
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))


def _pixels(frame: NDArray[np.uint8] | Frame) -> NDArray[np.uint8]:
    return frame.picture if isinstance(frame, Frame) else frame


def _video_stream(
    container: av.container.OutputContainer, shape: tuple[int, ...], rate: float, *, timed: bool
) -> av.VideoStream:
    name = next(name for name in _ENCODERS if name in av.codecs_available)
    stream = container.add_stream(
        name, rate=Fraction(rate).limit_denominator(1001), options=_ENCODERS[name]
    )
    assert isinstance(stream, av.VideoStream)  # both encoders make video
    stream.height, stream.width = (side + side % 2 for side in shape[:2])
    stream.pix_fmt = "yuv420p"
    if timed:
        stream.codec_context.time_base = Fraction(1, _TICKS)
    stream.codec_context.colorspace = _BT601
    stream.codec_context.color_range = _LIMITED_RANGE
    return stream


def _check_frame(picture: NDArray[np.uint8], shape: tuple[int, ...]) -> None:
    if picture.ndim != 3 or picture.shape[2] != 3 or picture.dtype != np.uint8:
        raise ValueError(f"a frame is H×W×3 uint8, not {picture.shape} {picture.dtype}")
    if picture.shape != shape:
        raise ValueError(f"frames are of one size: {shape} came first, then {picture.shape}")
