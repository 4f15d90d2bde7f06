"""Whether a file is a picture or a video, by its content; a name says it only where bytes do not.

An animation of several pictures (GIF, APNG) is a video.
"""

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Literal, NamedTuple

from viewfinder.errors import InputError
from viewfinder.pictures.finding import files_in, is_picture, walk
from viewfinder.pictures.opening import open_for_reading
from viewfinder.pictures.video import VIDEO_SUFFIXES, probe_video

Kind = Literal["picture", "video"]

_START = 512  # bytes
_PICTURES = (b"\xff\xd8\xff", b"\x89PNG\r\n\x1a\n", b"GIF8", b"II*\0", b"MM\0*")
_PICTURE_BRANDS = {b"avif", b"avis", b"mif1", b"msf1", b"heic", b"heix", b"heim", b"heis", b"hevc"}
_VIDEOS = (
    b"\x1aE\xdf\xa3",  # Matroska, WebM
    b"OggS",
    b"FLV\x01",
    b"0&\xb2u\x8ef\xcf\x11",  # ASF, of .wmv
    b"\0\0\1\xba",  # MPEG programs, and below the bare streams
    b"\0\0\1\xb3",
    b"\0\0\0\1",
    b"\0\0\1",
)
_BOXES = {b"ftyp", b"moov", b"mdat", b"wide", b"free", b"skip", b"styp"}  # of MP4 and QuickTime
_SYNC = b"\x47"  # every packet of an MPEG transport stream begins so
_PACKETS = ((0, 188), (4, 192))  # where the first one begins, and its length


class Source(NamedTuple):
    """A file that can be asked about, and what it is taken for."""

    file: Path
    kind: Kind


def kind_of(path: Path) -> Kind | None:
    """What a file's bytes make it; None where they do not tell.

    Raises:
        InputError: it cannot be opened.
    """
    with open_for_reading(path) as file:
        start = file.read(_START)
    if _may_move(start):
        return "video" if _frames(path, start) > 1 else "picture"
    if start.startswith(_PICTURES) or (start[:4], start[8:12]) == (b"RIFF", b"WEBP"):
        return "picture"
    if start[4:8] == b"ftyp" and start[8:12] in _PICTURE_BRANDS:
        return "picture"
    if not _looks_like_video(start):
        return None
    try:
        probe_video(path)
    except InputError:
        return None  # such as the sound alone
    return "video"


def source_of(path: Path) -> Source:
    """A file that somebody named: a picture, unless it is a video by its bytes or its name.

    Raises:
        InputError: there is no such file, or it cannot be opened.
    """
    kind = kind_of(path) or _named(path.name)
    if kind is None:
        try:
            probe_video(path)
            kind = "video"
        except InputError:
            kind = "picture"
    return Source(path, kind)


def videos_in(folder: Path) -> list[Path]:
    """The visible videos of a folder, not of those in it, in order: by their bytes.

    Where there is none, those by their names, so that what is wrong with them can be known.
    """
    files = [file for file in files_in(folder) if file.is_file()]
    found = [file for file in files if _is_video(file)]
    return found or [file for file in files if _named(file.name) == "video"]


def _is_video(file: Path) -> bool:
    try:
        if (kind := kind_of(file)) is None:
            probe_video(file)
    except InputError:
        return False
    return kind != "picture"


def sources_below(root: Path) -> Iterator[Source]:
    """The visible pictures and videos at any depth, by their bytes or their names, in order.

    Raises:
        InputError: a folder cannot be read.
    """
    for place in walk(root):
        for name in place.files:
            file = root / place.within(name)
            try:
                kind = kind_of(file)
            except InputError:
                kind = None  # what is wrong is reported when it is read
            if kind := kind or _named(name):
                yield Source(file, kind)


def _named(name: str) -> Kind | None:
    if is_picture(name):
        return "picture"
    return "video" if os.path.splitext(name)[1].lower() in VIDEO_SUFFIXES else None  # noqa: PTH122


def _may_move(start: bytes) -> bool:
    return start.startswith(b"GIF8") or b"acTL" in start[:64]


def _frames(path: Path, start: bytes) -> int:
    at = start.find(b"acTL")
    if at >= 0:
        return int.from_bytes(start[at + 4 : at + 8], "big")
    try:
        return probe_video(path).frames or 1
    except InputError:
        return 1


def _looks_like_video(start: bytes) -> bool:
    return (
        start.startswith(_VIDEOS)
        or (start[:4], start[8:11]) == (b"RIFF", b"AVI")
        or start[4:8] in _BOXES
        or any(start[at::length][:2] == 2 * _SYNC for at, length in _PACKETS)
    )
