"""Vectors kept between sittings, each under the digest of what it was made of.

One file for each way to make them (`CACHE/features/NAME.vectors`): records of a key, a checksum and
a vector, appended under a lock. What a killed process leaves at the end is less than a record, and
is cut off by the next that appends. It can be removed at any time.
"""

import os
import zlib
from collections.abc import Collection, Iterator, Mapping, Sequence
from pathlib import Path
from typing import BinaryIO

import numpy as np
from numpy.typing import NDArray

from viewfinder.files import cache_folder
from viewfinder.locks import locked
from viewfinder.reading import open_file

KEY = 16
"""Bytes of a key."""


def kept_vectors(
    name: str, width: int, wanted: Collection[bytes]
) -> dict[bytes, NDArray[np.float32]]:
    """The whole vectors of that name under the wanted keys, as far as they are kept.

    Of the others only the keys are read, unbuffered: the file may hold those of many sets.

    Args:
        width: how many numbers a vector has.
    """
    kind = _record(width)
    found: dict[bytes, NDArray[np.float32]] = {}
    for head, records in _kept(name, kind, wanted):
        record = head + records.read(kind.itemsize - KEY)
        if len(record) < kind.itemsize:
            break
        row = np.frombuffer(record, kind)[0]
        if zlib.crc32(row["vector"].tobytes()) == row["sum"]:
            found[head] = row["vector"].copy()
    return found


def kept_keys(name: str, width: int, wanted: Collection[bytes]) -> set[bytes]:
    """Of which of the wanted keys vectors are kept; whether they are whole is not looked at."""
    return {head for head, _ in _kept(name, _record(width), wanted)}


def _kept(
    name: str, kind: np.dtype[np.void], wanted: Collection[bytes]
) -> Iterator[tuple[bytes, BinaryIO]]:
    """Each wanted key that is kept, and the file, which stands at what follows it."""
    file, sought = _file(name), frozenset(wanted)
    if not wanted or not file.is_file():
        return
    with (
        open_file(file) as opened,
        open(opened.fileno(), "rb", buffering=0, closefd=False) as records,
    ):
        for start in range(0, file.stat().st_size, kind.itemsize):
            records.seek(start)
            head = records.read(KEY)
            if head in sought:
                yield head, records


def keep_vectors(name: str, vectors: Mapping[bytes, NDArray[np.float32]]) -> None:
    """Append these; a cache that cannot be written is no reason to stop."""
    if not vectors:
        return
    rows = _rows(list(vectors), np.stack(list(vectors.values())))
    try:
        file = _file(name)
        file.parent.mkdir(parents=True, exist_ok=True)
        with file.open("ab") as out, locked(file) as free:
            if not free:  # another process keeps its own; ours are made again some day
                return
            whole = out.seek(0, os.SEEK_END) // rows.itemsize * rows.itemsize
            out.truncate(whole)
            out.write(rows.tobytes())
    except OSError:
        return


def _file(name: str) -> Path:
    return cache_folder() / "features" / f"{name}.vectors"


def _record(width: int) -> np.dtype[np.void]:
    return np.dtype([("key", f"V{KEY}"), ("sum", "<u4"), ("vector", "<f4", (width,))])


def _rows(keys: Sequence[bytes], vectors: NDArray[np.float32]) -> NDArray[np.void]:
    rows = np.zeros(len(keys), _record(vectors.shape[1]))
    rows["key"] = np.frombuffer(b"".join(keys), f"V{KEY}")
    rows["vector"] = vectors
    rows["sum"] = [zlib.crc32(vector.tobytes()) for vector in rows["vector"]]
    return rows
