"""Vectors kept between sittings, each under the digest of what it was made of.

One file for each way to make them (`CACHE/features/NAME.vectors`): records of a key, a checksum and
a vector, appended under a lock. What a killed process leaves at the end is less than a record, and
is cut off by the next that appends. It can be removed at any time.
"""

import os
import zlib
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from viewfinder.files import cache_folder, locked
from viewfinder.reading import read_bytes

KEY = 16
"""Bytes of a key."""


def kept_vectors(name: str, width: int) -> dict[bytes, NDArray[np.float32]]:
    """Every whole vector of that name; none where the file is not there or is another's.

    Args:
        width: how many numbers a vector has.
    """
    file = _file(name)
    if not file.is_file():
        return {}
    data = read_bytes(file)
    kind = _record(width)
    rows = np.frombuffer(data[: len(data) // kind.itemsize * kind.itemsize], kind)
    return {
        bytes(row["key"]): row["vector"].copy()
        for row in rows
        if zlib.crc32(row["vector"].tobytes()) == row["sum"]
    }


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
