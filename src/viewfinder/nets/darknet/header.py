"""The head of Darknet's `.weights` files: their version, and how many pictures the net has seen.

All is little-endian (pjreddie/darknet, src/parser.c): three int32 of the version, and the count as
int64 from version 0.2 on, as int32 before.
"""

import struct
from dataclasses import dataclass
from pathlib import Path

from viewfinder.errors import InputError
from viewfinder.reading import open_file

_LEAST_VALUE = 1 << 23  # as bits the least float32 that is not denormal


@dataclass(frozen=True)
class WeightsHeader:
    """The head of a file. `wide` is whether `seen` takes 8 bytes, which it does not before 0.2."""

    version: tuple[int, int, int] = (0, 2, 0)
    seen: int = 0
    wide: bool = True

    def __post_init__(self) -> None:
        if self.wide and not _may_be_wide(self.version):
            raise ValueError(f"version {self.version} counts what it has seen in 4 bytes")

    @property
    def length(self) -> int:
        """Its bytes."""
        return 20 if self.wide else 16

    def pack(self) -> bytes:
        """The bytes that a file begins with."""
        return struct.pack("<iiiq" if self.wide else "<iiii", *self.version, self.seen)


def read_header(path: Path) -> tuple[WeightsHeader, int]:
    """The header, and the bytes of the whole file.

    Raises:
        InputError: the file cannot be read, or no such file begins or is as long like it.
    """
    try:
        with open_file(path) as file:
            head = file.read(20)
            length = path.stat().st_size
    except OSError as error:
        raise InputError(f"cannot read the weights {path}: {error.strerror or error}") from error
    if min(len(head), length) < 20 or length % 4:
        raise InputError(
            f"{path} has {length:,} bytes, which no Darknet weights have (16 or 20, and then 4 for "
            "each value): fetch the file again"
        )
    major, minor, revision = struct.unpack("<iii", head[:12])
    if min(major, minor, revision) < 0:
        raise InputError(
            f"{path} says that it is of version {major}.{minor}.{revision}, which cannot be: it is "
            "not a Darknet .weights file"
        )
    # Builds of 32 bits wrote 4 bytes whatever the version. What follows there is a value, and as
    # the upper half of a count it would be of more than 2⁵⁵ pictures.
    upper = int.from_bytes(head[16:20], "little")
    wide = _may_be_wide((major, minor, revision)) and upper < _LEAST_VALUE
    seen = struct.unpack("<q" if wide else "<i", head[12 : 20 if wide else 16])[0]
    return WeightsHeader((major, minor, revision), seen, wide), length


def _may_be_wide(version: tuple[int, int, int]) -> bool:
    major, minor, _ = version
    return major * 10 + minor >= 2 and major < 1000 and minor < 1000
