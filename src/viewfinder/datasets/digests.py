"""What files and arrays hold, in a few bytes each: the same bytes, the same digest."""

import hashlib
from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from viewfinder.errors import InputError
from viewfinder.events import track
from viewfinder.reading import open_file

if TYPE_CHECKING:
    from viewfinder.datasets.dataset import Dataset
from viewfinder.datasets.threads import in_threads

# Files that take longer than an eye blinks to read have a bar.
_MANY = 5_000
_BLOCK = 1 << 24
# Digests by path, size, times and place on the disk: a set's splits are looked at again and again.
_known: dict[tuple[str | int, ...], bytes] = {}


def of_files(files: Sequence[Path]) -> list[bytes]:
    """The digest of each file's bytes, all of them.

    A file's size and the time of its last change would be quicker, but a picture painted over may
    keep its size, as every BMP does, and a copy of a set has other times. Reading costs little
    beside what follows: 100,000 photographs of 200 kB are 20 GB, a minute or so on two cores where
    the disk keeps up, and decoding them takes many times that. Within a process, each file is read
    once, as long as its size, its times and its place on the disk stay.

    Raises:
        InputError: a file cannot be read.
    """
    with ThreadPoolExecutor() as pool:
        digests: Iterable[bytes] = pool.map(_of_file, files)
        if len(files) >= _MANY:
            digests = track(digests, total=len(files), description="comparing pictures")
        try:
            return list(digests)
        except OSError as error:
            raise InputError(
                f"cannot read {error.filename}: {error.strerror or error}; put it back, or change "
                "its permissions"
            ) from error


def with_paths(root: Path, paths: Sequence[str]) -> list[bytes]:
    """Each path and the digest of its file's bytes; of an empty path nothing but that.

    Raises:
        InputError: a file cannot be read.
    """
    found = iter(of_files([root / path for path in paths if path]))
    return [
        f"{path}\0".encode("utf-8", "surrogateescape") + (next(found) if path else b"")
        for path in paths
    ]


def picture_digests(dataset: "Dataset") -> list[str]:
    """For each picture 16 hexadecimal digits of its file's bytes; empty text where it is not there.

    All bytes count, so that a picture painted over at its old size is another.
    """

    def digest(index: int) -> str:
        try:
            return short(_of_file(dataset.file(index)))
        except OSError:
            return ""

    found = in_threads(digest, len(dataset))
    return list(track(found, total=len(dataset), description="telling pictures apart"))


def short(digest: bytes) -> str:
    """A digest as lists of pictures have it: 16 hexadecimal digits."""
    return digest.hex()[:16]


def of_place(place: Path) -> str:
    """The digest of a file, or of all files of a folder with their names; of a run, its weights.

    Raises:
        InputError: a file cannot be read.
    """
    if not place.is_dir():
        return of_files([place])[0].hex()
    run = [place / "run.json", place / "weights.safetensors"]
    files = run if all(file.is_file() for file in run) else sorted(place.rglob("*"))
    files = [file for file in files if file.is_file()]
    whole = _new()
    for file, digest in zip(files, of_files(files), strict=True):
        whole.update(
            str(file.relative_to(place)).encode("utf-8", "surrogateescape") + b"\0" + digest
        )
    return str(whole.hexdigest())


def of_bytes(values: NDArray[np.uint8]) -> bytes:
    """The digest of a flat array, by all cores: that of the digests of its blocks."""
    starts = range(0, len(values), _BLOCK)
    with ThreadPoolExecutor() as pool:
        blocks = pool.map(lambda start: _new(values[start : start + _BLOCK].data).digest(), starts)
        return bytes(_new(b"".join(blocks)).digest())


def _of_file(file: Path) -> bytes:
    with open_file(file) as data:
        seen = file.stat()
        key = (str(file), seen.st_size, seen.st_mtime_ns, seen.st_ctime_ns, seen.st_ino)
        if key not in _known:
            _known[key] = bytes(hashlib.file_digest(data, _new).digest())
        return _known[key]


def _new(data: bytes | memoryview = b"") -> "hashlib.blake2b":
    return hashlib.blake2b(data, digest_size=16)
