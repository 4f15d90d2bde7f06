"""Decoded pictures, kept where they fit: in memory, in a file, or decoded as they are asked for.

What is kept are N records of bytes, each of its own length: a picture, or a picture with its mask.
A set that fits in memory is decoded once and kept there; a larger one is decoded once into one file
in the cache; one too large even for that is decoded as it is asked for, in threads. All three
answer the same two questions, `take` and `together`, and whoever asks knows what the bytes mean:
`loading.Pixels`, a detector's `keeping.Pictures`, a saliency task's `Examples`.
"""

import hashlib
import os
import shutil
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context
from pathlib import Path
from typing import Protocol, TypeVar

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from viewfinder.datasets import Keep, digests
from viewfinder.datasets.dataset import Dataset
from viewfinder.datasets.threads import in_threads
from viewfinder.events import track
from viewfinder.files import replacing_by_name, sweep
from viewfinder.memory import free_memory

Item = TypeVar("Item")

Flat = NDArray[np.uint8]
"""R bytes in a row."""

Decode = Callable[[int, Flat], None]
"""Writes the record of a number into the bytes that it is given; may be sent to other processes."""

# Decoded pictures may take this share of the memory that is free.
_MEMORY_SHARE = 0.25
# …and this share of the free disk.
_DISK_SHARE = 0.5


class Decoded(Protocol):
    """N records of bytes, wherever they are kept.

    Attributes:
        waits: whether taking them waits for a disk or a decoder, so that a thread should do it
            ahead of time. Where nothing waits, a thread only takes a core from the arithmetic.
    """

    @property
    def waits(self) -> bool: ...

    def __len__(self) -> int: ...

    def take(self, numbers: Sequence[int]) -> list[Flat]:
        """The records of `numbers` in that order, not to be written to.

        Raises:
            InputError: a picture cannot be read.
        """
        ...

    def together(self, numbers: Sequence[int] | Tensor) -> NDArray[np.uint8]:
        """B×R, a copy of the records of `numbers`, in a set all of whose records have R bytes.

        Raises:
            InputError: a picture cannot be read.
            ValueError: records are of several lengths.
        """
        ...


def open_decoded(
    dataset: Dataset,
    lengths: NDArray[np.int64],
    decode: Decode,
    *,
    words: str,
    keep: Keep = "auto",
    cache: Path,
) -> Decoded:
    """Decode a dataset in the way that its size and this machine allow.

    Args:
        lengths: N, the bytes of each picture's record.
        words: what the records depend on beside the dataset, such as their size.
        keep: where records stay; `auto` takes memory, else disk, else neither.
        cache: the folder for what is kept on disk.

    Raises:
        InputError: a picture cannot be read; the disk is full.
    """
    needed = int(lengths.sum())
    if keep == "auto":
        keep = _where_they_fit(needed, cache)
    if keep == "none":
        return FromFiles(lengths, decode)
    if keep == "disk":
        return OnDisk(_cached(dataset, words, lengths, decode, cache=cache), lengths)
    records = np.empty(needed, np.uint8)
    _fill(records, lengths, decode)
    return InMemory(torch.from_numpy(records), lengths)


class _Sized:
    """N records of so many bytes each."""

    def __init__(self, lengths: NDArray[np.int64]) -> None:
        self._lengths, self._starts = lengths, _starts(lengths)
        self._all_alike = bool((lengths == lengths[:1]).all())

    def __len__(self) -> int:
        return len(self._lengths)

    def _length(self) -> int:
        """The length of every record."""
        if not self._all_alike:
            raise ValueError("records of several lengths cannot be taken together: use `take`")
        return int(self._lengths[0]) if len(self) else 0


class _Kept(_Sized):
    """Records one after the other in one piece of memory."""

    def _bytes(self) -> NDArray[np.uint8]:
        raise NotImplementedError

    def take(self, numbers: Sequence[int]) -> list[Flat]:
        records, starts = self._bytes(), self._starts
        return [records[starts[number] : starts[number + 1]] for number in numbers]

    def together(self, numbers: Sequence[int] | Tensor) -> NDArray[np.uint8]:
        # NumPy copies whole rows, where torch's indexing goes byte by byte.
        return self._bytes().reshape(len(self), self._length()).take(_indices(numbers), axis=0)


class InMemory(_Kept):
    """All records in one tensor, which torch shares with the processes that it is sent to."""

    waits = False

    def __init__(self, records: Tensor, lengths: NDArray[np.int64]) -> None:
        super().__init__(lengths)
        self._records = records

    def _bytes(self) -> NDArray[np.uint8]:
        # Asked each time: to share a tensor, torch moves it to another place.
        return np.asarray(self._records.numpy())


class OnDisk(_Kept):
    """All records in one file, read as they are asked for."""

    waits = True

    def __init__(self, file: Path, lengths: NDArray[np.int64]) -> None:
        super().__init__(lengths)
        self._file = file
        self._records = np.asarray(np.memmap(file, np.uint8, "r", shape=(int(lengths.sum()),)))

    def __reduce__(self) -> tuple[object, ...]:
        # Another process opens the file itself; else all of its bytes would be sent there.
        return OnDisk, (self._file, self._lengths)

    def _bytes(self) -> NDArray[np.uint8]:
        return self._records


class FromFiles(_Sized):
    """Records decoded each time they are asked for, by as many threads as there are cores."""

    waits = True

    def __init__(self, lengths: NDArray[np.int64], decode: Decode) -> None:
        super().__init__(lengths)
        self._decode, self._pool = decode, ThreadPoolExecutor()

    def __reduce__(self) -> tuple[object, ...]:
        # Threads cannot be sent to another process, which starts its own.
        return FromFiles, (self._lengths, self._decode)

    def take(self, numbers: Sequence[int]) -> list[Flat]:
        records = [np.empty(self._lengths[number], np.uint8) for number in numbers]
        list(self._pool.map(self._decode, numbers, records))
        return records

    def together(self, numbers: Sequence[int] | Tensor) -> NDArray[np.uint8]:
        indices = _indices(numbers)
        records = np.empty((len(indices), self._length()), np.uint8)
        list(self._pool.map(self._decode, indices.tolist(), records))
        return records


def ahead(items: Iterable[Item], *, depth: int = 1) -> Iterator[Item]:
    """The same items, made by a thread while those before them are being used.

    Args:
        depth: how many are made before they are asked for.
    """
    iterator, context = iter(items), copy_context()

    def following() -> tuple[Item] | None:
        return next(((item,) for item in iterator), None)

    with ThreadPoolExecutor(max_workers=1) as pool:
        coming = deque(pool.submit(context.run, following) for _ in range(depth))
        try:
            while (found := coming.popleft().result()) is not None:
                coming.append(pool.submit(context.run, following))
                yield found[0]
        finally:
            for each in coming:
                each.cancel()


def _indices(numbers: Sequence[int] | Tensor) -> NDArray[np.int64]:
    """Whole numbers, even where there are none of them."""
    return np.asarray(torch.as_tensor(numbers, dtype=torch.int64).numpy())


def _starts(lengths: NDArray[np.int64]) -> NDArray[np.int64]:
    """N+1, where each record begins, and where the last one ends."""
    return np.concatenate([np.zeros(1, np.int64), np.cumsum(lengths, dtype=np.int64)])


def _where_they_fit(needed: int, cache: Path) -> Keep:
    """Where so many bytes of decoded pictures stay: memory, else disk, else nowhere."""
    if needed < _MEMORY_SHARE * free_memory():
        return "memory"
    place = next(folder for folder in (cache, *cache.parents) if folder.exists())
    return "disk" if needed < _DISK_SHARE * shutil.disk_usage(place).free else "none"


def _fill(records: NDArray[np.uint8], lengths: NDArray[np.int64], decode: Decode) -> None:
    """Decode every record, in threads: OpenCV decodes outside Python's lock.

    The first error ends it, and so does Ctrl-C.
    """
    count, starts = len(lengths), _starts(lengths)
    done = in_threads(lambda i: decode(i, records[starts[i] : starts[i + 1]]), count)
    for _ in track(done, total=count, description="reading pictures"):
        pass


def _cached(
    dataset: Dataset, words: str, lengths: NDArray[np.int64], decode: Decode, *, cache: Path
) -> Path:
    """The decoded set's file in the cache, made now if it is not there.

    Raises:
        InputError: the disk is full, or whatever `decode` raises.
    """
    file, needed = cache / "pixels" / f"{_cache_key(dataset, words)}.u8", int(lengths.sum())
    sweep(file.parent)
    if _is_whole(file, needed):
        return file
    # Each process writes a file of its own; whichever ends last leaves the same bytes.
    with replacing_by_name(file) as temporary:
        records = np.memmap(temporary, np.uint8, "w+", shape=(needed,))
        # A sparse file on a full disk would kill the process when its pages are written.
        if hasattr(os, "posix_fallocate"):
            with temporary.open("r+b") as handle:
                os.posix_fallocate(handle.fileno(), 0, needed)
        _fill(np.asarray(records), lengths, decode)
        records.flush()
        with temporary.open("ab") as handle:
            handle.write(digests.of_bytes(records))
    return file


def _is_whole(file: Path, needed: int) -> bool:
    """Whether a file holds the bytes that were written to it: after them comes their digest.

    A length says little: a power cut, a full disk or a clumsy hand can leave zeros. To read it all
    takes no longer than an epoch's reading of the same pixels, and leaves them in the memory.
    """
    try:
        kept = np.memmap(file, np.uint8, "r")
    except (OSError, ValueError):  # There is none, or an empty one.
        return False
    return len(kept) > needed and bytes(kept[needed:]) == digests.of_bytes(kept[:needed])


def _cache_key(dataset: Dataset, words: str) -> str:
    """A hash of all that decoded pixels depend on."""
    known = f"{dataset.root.resolve()}-{dataset.fingerprint()}-{dataset.bits}-{words}"
    return hashlib.sha256(known.encode("utf-8", "surrogateescape")).hexdigest()[:24]
