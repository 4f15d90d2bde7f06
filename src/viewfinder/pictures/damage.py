"""What of a video file cannot be used, and whether it ends before its video does.

FFmpeg takes a file that was cut for one that ends. What tells is how long the file says that it
lasts, beside the time of the last packet in it: not how many frames it counts, since an edit list
hides some that are stored, and webcams leave some empty. Containers that say nothing of their
length have a mark at their end, or a size in which they come.
"""

import math
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO

import av

from viewfinder.reading import open_file

_LEAST = 0.2  # seconds; less missing is the rounding of times
_FRAMES = 2.0  # as many may be missing
_SHARE = 0.005  # of the whole
_TAIL = 1 << 17  # bytes; the longest page of Ogg is half of it
_RENEWED = 10.0  # seconds; most films have a frame that stands alone twice as often
_NEAR_THE_END = 0.5  # seconds, within which an incomplete packet is the last that could be read
_SYNC = b"\x47"  # every packet of an MPEG transport stream begins so
_PACKETS = {188: 0, 192: 4, 204: 0}  # their lengths, and the bytes before the mark
_SEARCHED = 4096  # bytes
_ASF_PROPERTIES = bytes.fromhex("a1dcab8c47a9cf118ee400c00c205365")
_OGG_HEADER = 27  # bytes; the last one counts the parts of the page
_OGG_LAST_PAGE = 4


class Reach:
    """How far the packets of a container have come, as they are read."""

    def __init__(self, container: av.container.InputContainer, stream: av.VideoStream) -> None:
        self._container, self._stream = container, stream
        self._begin = math.inf
        self._ends: dict[int, float] = {}
        self._packets = 0
        self._incomplete = -math.inf  # the number of the last packet that is

    def add(self, packet: "av.Packet[av.stream.Stream]") -> None:
        """Take note of one packet of any stream."""
        if packet.pts is None or not packet.size:
            return
        begin = float(packet.pts * packet.time_base)
        end = begin + float((packet.duration or 0) * packet.time_base)
        index = packet.stream.index
        self._ends[index] = max(end, self._ends.get(index, end))
        if index == self._stream.index:
            self._packets += 1
            if packet.is_corrupt:
                self._incomplete = self._packets
            self._begin = min(begin, self._begin)

    def cut_short(self, path: Path) -> float | None:
        """Whether the end is missing, once all packets are read.

        Returns:
            seconds that the file says that it lasts, 0 where it does not say; None if it is whole.
        """
        announced, reached = self._announced(), self._reached()
        rate = float(self._stream.average_rate or self._stream.guessed_rate or 25)
        least = max(_LEAST, _FRAMES / rate, _SHARE * announced)
        if announced - reached > least and not _is_whole_riff(path):
            return announced
        incomplete = self._packets - self._incomplete < _NEAR_THE_END * rate
        if incomplete or _lacks_its_end(path, self._container.format.name):
            return announced if announced > reached else 0.0
        return None

    def _announced(self) -> float:
        """How many seconds the file says that it lasts; 0 where it does not say."""
        stream = self._stream
        if self._container.format.name == "avi" and stream.time_base:
            # FFmpeg shortens the duration of an .avi by the share of bytes that it lacks.
            return float(stream.frames * stream.time_base)
        if stream.duration and stream.time_base:
            return float(stream.duration * stream.time_base)
        return self._tag() or float((self._container.duration or 0) / av.time_base)

    def _reached(self) -> float:
        """How many of these seconds have been read."""
        latest = self._ends.get(self._stream.index, math.inf)
        if self._stream.duration and self._ends:
            return latest - self._begin
        # Of Matroska, counted from nought; and where no stream has a length, that of the longest.
        return latest if self._tag() else max(self._ends.values(), default=latest)

    def _tag(self) -> float:
        return _seconds(str(self._stream.metadata.get("DURATION", "")))


@dataclass
class Damage:
    """What of a video cannot be used.

    Attributes:
        packets: times of packets that are incomplete, in the stream's unit.
        whole: frames that can be used.
        last: seconds at which the last of them is shown.
        between: seconds at which damaged frames stand that whole ones follow.
        after: of those that no whole frame has followed yet.
        broken: why reading ended early; empty if it did not.
    """

    packets: set[int] = field(default_factory=set)
    whole: int = 0
    last: float = 0.0
    between: list[float] = field(default_factory=list)
    after: list[float] = field(default_factory=list)
    broken: str = ""

    def pass_over(self, seconds: float) -> None:
        """Take note of a frame that cannot be used."""
        self.after.append(seconds)

    def reaches(self, seconds: float, *, stands_alone: bool) -> bool:
        """Whether a frame is made from a damaged one: so are all until one that stands alone.

        A video without such frames is used again after a while, in which its picture is renewed.
        """
        return bool(self.after) and not stands_alone and seconds < self.after[0] + _RENEWED

    def go_on(self, seconds: float) -> None:
        """Take note of a frame that can be used."""
        self.whole, self.last = self.whole + 1, seconds
        self.between += self.after
        self.after.clear()

    def says(self, path: Path, announced: float | None) -> str:
        """One sentence; empty where nothing is wrong.

        Args:
            announced: seconds of a video that is cut short, None of one that is not.
        """
        said = []
        # The frame in which a video is cut is missing rather than damaged.
        if announced is not None or self.broken or self.after:
            what = "is damaged at its end" if announced is None else "is cut short"
            why = f" ({self.broken})" if self.broken else ""
            of = f" of {announced:.2f}" if announced else ""
            said.append(
                f"{what}{why}: it can be read for {self.whole} frames, up to "
                f"{self.last:.2f}{of} seconds"
            )
        return _joined(path, [*said, *_passed_over(self.between)])

    def says_before(self, path: Path) -> str:
        """One sentence about a part that was read; empty where nothing is wrong in it."""
        return _joined(path, _passed_over(self.between + self.after))


def _passed_over(seconds: list[float]) -> list[str]:
    if not seconds:
        return []
    frames = f"{len(seconds)} damaged frame{'s' * (len(seconds) > 1)}"
    return [f"has {frames}, passed over, from {seconds[0]:.2f} seconds on"]


def _joined(path: Path, said: list[str]) -> str:
    return f"{path} {', and '.join(said)}: copy or download it again" if said else ""


def _is_whole_riff(path: Path) -> bool:
    """Whether it is an .avi as long as it says; what seems to be missing are then empty frames."""
    at, size = 0, path.stat().st_size
    with open_file(path) as file:
        # One of over a gigabyte is several, one after the other.
        while at + 8 <= size and file.seek(at) == at and file.read(4) == b"RIFF":
            at += 8 + int.from_bytes(file.read(4), "little")
    return 0 < at <= size + 1


def _seconds(tag: str) -> float:
    """Of Matroska's `00:01:02.500000000`; 0 of anything else."""
    try:
        hours, minutes, seconds = (float(part) for part in tag.split(":"))
    except ValueError:
        return 0.0
    return 3600 * hours + 60 * minutes + seconds


def _lacks_its_end(path: Path, container: str) -> bool:
    """Whether the bytes of a container that says nothing of its length end too early."""
    size = path.stat().st_size
    with open_file(path) as file:
        if container == "mpegts":
            return size % _packet_length(file.read(_SEARCHED)) != 0
        if container == "asf":
            start = file.read(_TAIL)
            at = start.find(_ASF_PROPERTIES)
            stated = int.from_bytes(start[at + 40 : at + 48], "little") if at >= 0 else 0
            return stated > size
        if container == "gif":
            return not _is_whole_gif(file)
        if container == "ogg":
            file.seek(max(0, size - _TAIL))
            return not _ends_with_last_page(file.read())
    return False


def _packet_length(start: bytes) -> int:
    """Of a transport stream whose first bytes these are."""
    for length, before in _PACKETS.items():
        if set(start[before::length]) == set(_SYNC):
            return length
    return 1  # it begins amid a packet


def _is_whole_gif(file: IO[bytes]) -> bool:
    """Whether its blocks follow one another up to the mark of its end."""
    file.seek(0)
    colours = file.read(13)[10:11]
    _skip_colours(file, colours)
    while (kind := file.read(1)) in (b"!", b","):
        if kind == b"!":
            file.seek(1, 1)
        else:
            _skip_colours(file, file.read(9)[8:9])
            file.seek(1, 1)
        while length := file.read(1).rjust(1, b"\0")[0]:
            file.seek(length, 1)
    return kind == b";"


def _skip_colours(file: IO[bytes], flags: bytes) -> None:
    """Skip the table of colours that the flags announce."""
    if flags and flags[0] & 128:
        file.seek(3 << ((flags[0] & 7) + 1), 1)


def _ends_with_last_page(tail: bytes) -> bool:
    """Whether a file of Ogg ends with a whole page that is marked as a stream's last."""
    at = tail.rfind(b"OggS")
    page = tail[at:] if at >= 0 else b""
    if len(page) < _OGG_HEADER or len(page) < _OGG_HEADER + page[_OGG_HEADER - 1]:
        return False
    parts = page[_OGG_HEADER : _OGG_HEADER + page[_OGG_HEADER - 1]]
    return bool(page[5] & _OGG_LAST_PAGE) and len(page) >= _OGG_HEADER + len(parts) + sum(parts)
