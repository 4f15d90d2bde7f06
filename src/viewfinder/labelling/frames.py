"""Sharp frames of a video that differ, spread evenly over its time.

The video is cut into stretches of equal length, and the sharpest frame of each is a candidate. One
that is far blurrier than the candidates around it is dropped, and so is one that shows nearly what
another shows already.
"""

import math
import time
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

import cv2
import numpy as np
from numpy.typing import NDArray

from viewfinder.console import track
from viewfinder.datasets.frame_list import FrameOrigin, write_frame_list
from viewfinder.errors import InputError
from viewfinder.files import new_folder
from viewfinder.pictures.kinds import sources_below
from viewfinder.pictures.video import Frame, probe_video, read_video
from viewfinder.pictures.writing import write_picture

QUALITY = 95
"""Of the JPEG files, from 1 to 100."""

_SHORTEST = 0.001  # seconds; a shorter stretch is every frame anyway
_LONGER_SIDE = 640  # pixels; sharpness is measured in a copy no larger
_EDGES = 0.995  # share of the pixels that are less steep than a picture's edges
_AT_THE_END = 0.1  # share of its sharpness that a frame at a stretch's end must make up for
_AROUND = 5  # candidates before and after, with which one is compared
_BLURRED = 0.5  # of the sharpness around
_CELLS = 32  # on each side, of the grid in which frames are compared
_MIDDLE, _DARK = 128, 32  # grey levels: a picture's mean is made the first, if above the second
_NEAR = 5  # cells across, of what lies around one
_MOST_CHANGED = 0.05  # share of the cells that decides whether two frames differ
_ALIKE = 5.0  # grey levels of 255, by which these cells differ at least


@dataclass(frozen=True)
class Extraction:
    """What became of one video.

    Attributes:
        video: its file.
        read: frames decoded.
        written: names of the pictures written.
        blurred: candidates that were dropped as blurred.
        alike: candidates that were dropped since another shows nearly the same.
        broken: what could not be read, in words for a person; empty if all could.
    """

    video: Path
    read: int
    written: tuple[str, ...]
    blurred: int
    alike: int
    broken: str


def find_videos(sources: Iterable[Path]) -> list[Path]:
    """The videos that files and folders name; those of a folder in order.

    Raises:
        InputError: there is no such file, or no video in a folder.
    """
    found: list[Path] = []
    for source in sources:
        if not source.exists():
            raise InputError(f"there is no {source}: give a video, or a folder of videos")
        if not source.is_dir():
            found.append(source)
            continue
        inside = [each.file for each in sources_below(source) if each.kind == "video"]
        if not inside:
            raise InputError(f"{source} holds no videos: they end in .mp4, .mov, .mkv and the like")
        found += inside
    return found


def write_frames(
    videos: Sequence[Path],
    out: Path,
    *,
    every: float = 0.5,
    sharpest: int | None = None,
    to: Literal["jpg", "png"] = "jpg",
) -> list[Extraction]:
    """Write frames of videos as pictures into a new folder, with `frames.json` that tells of each.

    A picture is called after its video and its frame's number. Of a video that is damaged, what
    can be read is kept.

    Args:
        every: seconds; one frame is looked for in each stretch of this length.
        sharpest: cut each video into this many stretches instead.
        to: JPEG of quality 95, or PNG, which loses nothing and is several times as large.

    Raises:
        InputError: `out` exists, or not one frame of any video can be read.
    """
    if not (math.isfinite(every) and every > 0):
        raise InputError(f"every {every:g} seconds cannot be: give a number above 0")
    if sharpest is not None and sharpest < 1:
        raise InputError(f"{sharpest} frames of a video cannot be: give 1 or more")
    done: list[Extraction] = []
    origins: dict[str, FrameOrigin] = {}
    with new_folder(out) as folder:
        for video, (stem, name) in zip(videos, _names(videos), strict=True):
            length = every if sharpest is None else _length(video) / sharpest
            reading = _read(video, name, folder / f"{stem}-", max(length, _SHORTEST), to)
            extraction, found = _choose(video, reading)
            done.append(extraction)
            origins |= found
        if not origins:
            raise InputError(done[0].broken if done else "there are no videos to take frames from")
        write_frame_list(folder, origins)
    return done


def sharpness(picture: NDArray[np.uint8]) -> float:
    """How steep an H×W×3 picture's edges are along x or y, the lesser one: grey levels a pixel.

    Motion blurs the edges of one direction only. It is a measure to compare frames of one scene by;
    a slight blur beforehand keeps a camera's noise out of it.
    """
    grey = cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY)
    scale = _LONGER_SIDE / max(grey.shape)
    if scale < 1:
        grey = cv2.resize(grey, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
    smooth = cv2.GaussianBlur(grey.astype(np.float32), (0, 0), 0.8)
    steep = (np.abs(cv2.Scharr(smooth, cv2.CV_32F, dx, 1 - dx, scale=1 / 32)) for dx in (0, 1))
    place = int(_EDGES * (grey.size - 1))
    return float(min(np.partition(part, place, axis=None)[place] for part in steep))


def difference(first: NDArray[np.float32], second: NDArray[np.float32]) -> float:
    """How much two frames' cells (`cells`) differ where they differ most: grey levels of 255."""
    apart = np.sort(np.abs(first - second).mean(axis=2), axis=None)
    return float(apart[-max(1, round(_MOST_CHANGED * len(apart))) :].mean())


def cells(picture: NDArray[np.uint8]) -> NDArray[np.float32]:
    """How each cell of a 32×32 grid over an H×W×3 picture differs in colour from those around.

    So a change of exposure, or a soft shadow that passes, is not taken for another view.
    """
    small = cv2.resize(picture, (_CELLS, _CELLS), interpolation=cv2.INTER_AREA).astype(np.float32)
    small *= _MIDDLE / max(float(small.mean()), _DARK)
    return np.asarray(small - cv2.blur(small, (_NEAR, _NEAR)), np.float32)


@dataclass
class _Candidate:
    """The sharpest frame of a stretch, without its pixels."""

    origin: FrameOrigin
    file: Path
    sharpness: float
    cells: NDArray[np.float32]


@dataclass
class _Reading:
    """How far the reading of a video has come."""

    read: int = 0
    broken: str = ""
    candidates: list[_Candidate] = field(default_factory=list)


def _read(video: Path, name: str, prefix: Path, length: float, to: str) -> _Reading:
    """Write every candidate of a video under names that begin with `prefix`."""
    reading = _Reading()
    for frame, sharp in _sharpest(_frames(video, reading), length):
        file = prefix.with_name(f"{prefix.name}{frame.index:06}.{to}")
        write_picture(file, frame.picture, quality=QUALITY)
        origin = FrameOrigin(name, frame.index, round(frame.seconds, 6))
        reading.candidates.append(_Candidate(origin, file, sharp, cells(frame.picture)))
    return reading


def _choose(video: Path, reading: _Reading) -> tuple[Extraction, dict[str, FrameOrigin]]:
    """Keep the candidates that are sharp and differ, and remove the others."""
    sharp = _unblurred(reading.candidates)
    kept = _different(sharp)
    chosen = {candidate.file.name: candidate.origin for candidate in kept}
    for candidate in reading.candidates:
        if candidate.file.name not in chosen:
            candidate.file.unlink()
    blurred, alike = len(reading.candidates) - len(sharp), len(sharp) - len(kept)
    done = Extraction(video, reading.read, tuple(chosen), blurred, alike, reading.broken)
    return done, chosen


def _frames(video: Path, reading: _Reading) -> Iterator[Frame]:
    """The frames that can be read; what could not be is left in `reading`."""

    def tell(sentence: str) -> None:
        reading.broken = sentence

    try:
        count = probe_video(video).frames
        frames = read_video(video, tell=tell)
        for frame in track(frames, total=count, description=video.name):
            reading.read += 1
            yield frame
    except InputError as error:
        reading.broken = str(error)


def _sharpest(frames: Iterable[Frame], length: float) -> Iterator[tuple[Frame, float]]:
    """The sharpest frame of each stretch of so many seconds, and how sharp it is.

    Of frames that are nearly as sharp, the one nearest to the middle: two chosen ones are then
    about a stretch apart.
    """
    best: tuple[Frame, float] | None = None
    stretch, most = 0, 0.0
    for frame in frames:
        # A millionth, so that the rounding of times decides nothing.
        place = frame.seconds / length + 1e-6
        if best is not None and math.floor(place) != stretch:
            yield best
            best = None
        stretch = math.floor(place)
        sharp = sharpness(frame.picture)
        worth = sharp * (1 - _AT_THE_END * abs(2 * (place - stretch) - 1))
        if best is None or worth > most:
            best, most = (frame, sharp), worth
    if best is not None:
        yield best


def _unblurred(candidates: list[_Candidate]) -> list[_Candidate]:
    values = np.array([candidate.sharpness for candidate in candidates])
    return [
        candidate
        for i, candidate in enumerate(candidates)
        if values[i] >= _BLURRED * np.median(values[max(0, i - _AROUND) : i + _AROUND + 1])
    ]


def _different(candidates: list[_Candidate]) -> list[_Candidate]:
    """Those that differ from each one kept before."""
    kept: list[_Candidate] = []
    for candidate in candidates:
        # The last ones first, since they are the likeliest to be alike.
        if all(difference(other.cells, candidate.cells) >= _ALIKE for other in reversed(kept)):
            kept.append(candidate)
    return kept


def _length(video: Path) -> float:
    """How many seconds a video lasts; it is read once where its file does not say."""
    try:
        header = probe_video(video)
    except InputError:
        return 1.0  # what is wrong is told when its frames are read
    if header.seconds:
        return header.seconds
    last = 0.0
    try:
        for frame in read_video(video, tell=lambda _: None):
            last = frame.seconds
    except InputError:
        pass
    return last + 1 / (header.rate or 25)


def _names(videos: Sequence[Path]) -> list[tuple[str, str]]:
    """For each video what its pictures' names begin with, and what it is called in their list.

    No two begin alike, whatever the case; and where two videos have one name, their folders tell
    them apart.
    """
    begun: Counter[str] = Counter()
    files = Counter(video.name.casefold() for video in videos)
    names = []
    for video in videos:
        begun[video.stem.casefold()] += 1
        number = begun[video.stem.casefold()]
        stem = video.stem if number == 1 else f"{video.stem}-{number}"
        alone = files[video.name.casefold()] == 1
        names.append((stem, video.name if alone else video.as_posix()))
    return names


def frames_per_second(done: Sequence[Extraction], started: float) -> float:
    """Frames read a second since `started`, of `time.perf_counter`."""
    return sum(extraction.read for extraction in done) / max(time.perf_counter() - started, 1e-9)
