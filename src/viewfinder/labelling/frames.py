"""Sharp frames of a video that differ, spread evenly over its time.

The video is cut into stretches of equal length, and the sharpest frame of each is a candidate. One
that is far blurrier than those around it that show the same is dropped, and so is one that shows
nearly what another shows already.
"""

import math
import time
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Literal

from viewfinder.datasets.frame_list import FrameOrigin, read_frame_list, write_frame_list
from viewfinder.errors import InputError
from viewfinder.events import track
from viewfinder.files import new_folder
from viewfinder.labelling.sharpest import (
    ABOUT,
    FrameCandidate,
    cells,
    different,
    sharpest_of_stretches,
    unblurred,
)
from viewfinder.labelling.sharpness import look
from viewfinder.pictures.kinds import sources_below
from viewfinder.pictures.video import Frame, probe_video, read_video
from viewfinder.pictures.writing import write_picture
from viewfinder.wording import counted

EVERY = 0.5
"""Seconds of a video of which one frame is taken, if nobody says otherwise."""
QUALITY = 95
"""Of the JPEG files, from 1 to 100."""
# Fewer views of a thing than this show it from few sides.
_FEW = 10
# So many are looked for where fewer were.
_SOME = 30


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
        gaps: where no frame is shown for long, in words; empty if nowhere.
        few: where few pictures were written, why, and what to film; empty of enough.
    """

    video: Path
    read: int
    written: tuple[str, ...]
    blurred: int
    alike: int
    broken: str
    gaps: str = ""
    few: str = ""


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
    every: float = EVERY,
    sharpest: int | None = None,
    since: float = 0,
    until: float | None = None,
    to: Literal["jpg", "png"] = "jpg",
) -> list[Extraction]:
    """Write frames of videos as pictures into a new folder, with `frames.json` that tells of each.

    A picture is called after its video and its frame's number. Of a video that is damaged, what
    can be read is kept.

    Args:
        every: seconds; one frame is looked for in each stretch of this length.
        sharpest: cut each video into this many stretches instead.
        since: seconds of each video before which nothing is taken.
        until: seconds of each video after which nothing is taken; None for its end.
        to: JPEG of quality 95, or PNG, which loses nothing and is several times as large.

    Raises:
        InputError: `out` exists, not one frame of any video can be read, or a video ends before
            `since` or `until`.
    """
    if not (math.isfinite(every) and every > 0):
        raise InputError(f"every {every:g} seconds cannot be: give a number above 0")
    if sharpest is not None and sharpest < 1:
        raise InputError(f"{sharpest} frames of a video cannot be: give 1 or more")
    parts = [_part(video, since, until, whole=sharpest is None) for video in videos]
    done: list[Extraction] = []
    origins: dict[str, FrameOrigin] = {}
    with new_folder(out) as folder:
        for video, (stem, name), part in zip(videos, _names(videos), parts, strict=True):
            length = every if sharpest is None else (part.until - part.since) / sharpest
            frames = sharpest_of_stretches(
                _frames(video, part, reading := _Reading()), part.since, length
            )
            extraction, found = _choose(
                video, _written(frames, name, folder / f"{stem}-", to, reading)
            )
            if sharpest is None or sharpest >= _FEW:
                extraction = replace(extraction, few=_few(extraction, reading, length))
            done.append(extraction)
            origins |= found
        if not origins:
            raise InputError(_nothing(done))
        write_frame_list(folder, origins)
    return done


def are_frames_of(folder: Path, video: Path) -> bool:
    """Whether the frames in a folder are of this video alone, by their list."""
    try:
        origins = read_frame_list(folder)
    except InputError:
        return False
    names = {origin.video for origin in origins.values()}
    return names == {video.name} and any((folder / file).is_file() for file in origins)


def place_of_frames(out: Path, video: Path) -> tuple[Path, bool]:
    """Where the frames of a video go: `out`, or one numbered from it that is free or empty; and
    whether they lie there already."""
    place, number = out, 1
    while place.exists() and not (place.is_dir() and not any(place.iterdir())):
        if are_frames_of(place, video):
            return place, True
        number += 1
        place = out.with_name(f"{out.name}-{number}")
    return place, False


@dataclass(frozen=True)
class _Part:
    """The seconds of a video between which frames are taken."""

    since: float = 0.0
    until: float = math.inf


@dataclass
class _Reading:
    """How far the reading of a video has come."""

    read: int = 0
    seconds: float = 0.0
    broken: str = ""
    gaps: str = ""
    candidates: list[FrameCandidate] = field(default_factory=list)


def _written(
    frames: Iterable[Frame], name: str, prefix: Path, to: str, reading: _Reading
) -> _Reading:
    """Write every candidate of a video under names that begin with `prefix`."""
    for frame in frames:
        file = prefix.with_name(f"{prefix.name}{frame.index:06}.{to}")
        write_picture(file, frame.picture, quality=QUALITY)
        origin = FrameOrigin(name, frame.index, round(frame.seconds, 6))
        seen = frame.picture
        reading.candidates.append(FrameCandidate(origin, file, look(seen), cells(seen)))
    return reading


def _few(done: Extraction, reading: _Reading, stretch: float) -> str:
    """What became of a video of which few pictures are left, and what to film instead."""
    count, looked = len(done.written), len(reading.candidates)
    if count >= _FEW or not count:
        return ""
    few = f"{counted(count, 'picture')} of {done.video.name} {'is' if count == 1 else 'are'} few"
    if done.alike >= max(count, done.blurred):
        return f"{few}: most of its frames show the same view; film the thing from all sides"
    if done.blurred >= count:
        return f"{few}: most of its frames are blurred; move more slowly, or give more light"
    # As many as at the usual stretch: a longer one that was asked for is no reason to film longer.
    seconds = 2 * _FEW * min(stretch, EVERY)
    wanted = f"film a whole turn, slowly, for {seconds:.0f} seconds or more"
    if looked >= _FEW or done.read < _FEW:
        return f"{few}: {wanted}"
    every = reading.seconds / min(_SOME, done.read)
    closer = f"look closer with `viewfinder frames --every {every:.1g}`"
    return (
        f"{few}: it lasts {reading.seconds:.1f} s, and one frame is taken of each {stretch:g} s; "
        f"{closer if reading.seconds >= seconds else f'{wanted}, or {closer}'}"
    )


def _nothing(done: Sequence[Extraction]) -> str:
    if not done:
        return "there are no videos to take frames from"
    return (
        done[0].broken or f"{done[0].video} shows no frame in that time: take a longer part of it"
    )


def _choose(video: Path, reading: _Reading) -> tuple[Extraction, dict[str, FrameOrigin]]:
    """Keep the candidates that are sharp and differ, and remove the others."""
    sharp = unblurred(reading.candidates)
    kept = different(sharp)
    chosen = {candidate.file.name: candidate.origin for candidate in kept}
    for candidate in reading.candidates:
        if candidate.file.name not in chosen:
            candidate.file.unlink()
    blurred, alike = len(reading.candidates) - len(sharp), len(sharp) - len(kept)
    done = Extraction(
        video, reading.read, tuple(chosen), blurred, alike, reading.broken, reading.gaps
    )
    return done, chosen


def _frames(video: Path, part: _Part, reading: _Reading) -> Iterator[Frame]:
    """The frames that can be read; what could not be is left in `reading`."""

    def tell(sentence: str) -> None:
        reading.broken = sentence

    def remark(sentence: str) -> None:
        reading.gaps = sentence

    try:
        count = probe_video(video).frames if part == _Part() else None
        frames = read_video(video, since=part.since, until=part.until, tell=tell, remark=remark)
        for frame in track(frames, total=count, description=video.name):
            reading.read, reading.seconds = reading.read + 1, frame.seconds - part.since
            yield frame
    except InputError as error:
        reading.broken = str(error)


def _part(video: Path, since: float, until: float | None, *, whole: bool) -> _Part:
    """The part of a video to read, whose end is looked for unless the whole video will do.

    Raises:
        InputError: the part does not lie within the video.
    """
    if since < 0 or (until is not None and not since < until):
        raise InputError(
            f"from {since:g} to {math.inf if until is None else until:g} seconds is no part of a "
            "video: give an end that comes after the beginning"
        )
    if whole and since == 0 and until is None:
        return _Part()
    length = _length(video)
    for second in (since, until):
        if second is not None and length is not None and second > length + ABOUT:
            raise InputError(
                f"{video} lasts {length:.2f} seconds, so second {second:g} is beyond its end: "
                "give an earlier one, or leave it out"
            )
    # What is wrong with a video without a length is reported when its frames are read.
    return _Part(since, (length or since + 1) if until is None else until)


def _length(video: Path) -> float | None:
    """How many seconds a video lasts; it is read once where its file does not say."""
    try:
        header = probe_video(video)
        if header.seconds:
            return header.seconds
        last = 0.0
        for frame in read_video(video, tell=lambda _: None, remark=lambda _: None):
            last = frame.seconds
    except InputError:
        return None
    return last + 1 / header.rate


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
