"""From picture files to batches of tensors, decoded once.

A set that fits in memory is decoded once and kept there; a larger one is decoded once into one
file in the cache, at the size of training; one too large even for that is decoded batch by batch
in threads. All three answer the same question, `pixels[indices]`.
"""

import hashlib
import os
import shutil
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextvars import copy_context
from functools import partial
from pathlib import Path
from typing import Any, Protocol, TypeVar

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from viewfinder.datasets import Keep, digests
from viewfinder.datasets.dataset import Dataset
from viewfinder.events import track
from viewfinder.files import replacing_by_name, sweep
from viewfinder.memory import free_memory
from viewfinder.pictures.geometry import Size, letterbox, resample, stretch
from viewfinder.pictures.reading import read_header, read_picture

Item = TypeVar("Item")

# Grey bars beside a picture that is not square, near the mean of most photographs.
LETTERBOX_FILL = 114
# Decoded pictures may take this share of the memory that is free.
_MEMORY_SHARE = 0.25
# …and this share of the free disk.
_DISK_SHARE = 0.5


class Pixels(Protocol):
    """The pictures of a dataset at one size, ready to be taken by number.

    Attributes:
        waits: whether taking them waits for a disk or a decoder, so that a thread should do it
            ahead of time. Where nothing waits, a thread only takes a core from the arithmetic.
    """

    @property
    def waits(self) -> bool: ...

    def __len__(self) -> int: ...

    def take(self, indices: Sequence[int] | Tensor) -> Tensor:
        """B×3×H×W uint8, the pictures of `indices` in that order."""
        ...


def prepare(path: Path, size: Size, *, bits: int = 16) -> NDArray[np.uint8]:
    """One picture from its file, letterboxed to this width and height, RGB uint8."""
    picture = read_picture(path, at_least=size, bits=bits)
    if picture.shape[:2] == (size[1], size[0]):
        return picture
    return letterboxed(picture, size, of=read_header(path).size)


def true_sizes(dataset: Dataset) -> NDArray[np.int64]:
    """N×2: width and height of every picture, upright, as its file says."""
    with ThreadPoolExecutor() as pool:
        found = pool.map(lambda index: read_header(dataset.file(index)).size, range(len(dataset)))
        return np.array(list(found), np.int64).reshape(-1, 2)


def letterboxed(picture: NDArray[np.uint8], size: Size, *, of: Size) -> NDArray[np.uint8]:
    """A picture as nets see it: `geometry.letterbox` of its true size `of` is the way there.

    Training, validation, `evaluate` and `predict` all come through here.

    Args:
        picture: may have been decoded smaller than it truly is.
    """
    height, width = picture.shape[:2]
    if (width, height) == size:
        return picture
    matrix = letterbox(of, size) @ stretch((width, height), of)
    return np.asarray(resample(picture, matrix, size, fill=LETTERBOX_FILL), np.uint8)


def open_pixels(dataset: Dataset, size: Size, *, keep: Keep = "auto", cache: Path) -> Pixels:
    """Decode a dataset in the way that its size and this machine allow.

    Args:
        size: width and height that every picture is letterboxed to.
        keep: where decoded pictures stay; `auto` takes memory, else disk, else neither.
        cache: the folder for what is kept on disk.

    Raises:
        InputError: a picture cannot be read; the disk is full.
    """
    width, height = size
    needed = len(dataset) * 3 * width * height
    if keep == "auto":
        keep = where_they_fit(needed, cache)
    if keep == "memory":
        pixels = np.empty(needed, np.uint8)
        _decode_into(pixels, dataset, size)
        return InMemory(pixels.reshape(len(dataset), height, width, 3))
    if keep == "disk":
        words = f"{width}x{height}-{LETTERBOX_FILL}"
        file = cached_pixels(
            dataset, words, needed, lambda pixels: _decode_into(pixels, dataset, size), cache=cache
        )
        return OnDisk(file, len(dataset), size)
    return FromFiles(dataset, size, partial(prepare, bits=dataset.bits))


class InMemory:
    """All pictures in one tensor."""

    waits = False

    def __init__(self, pixels: NDArray[np.uint8]) -> None:
        self._pixels = torch.from_numpy(pixels)  # N,H,W,3: a picture's bytes lie together

    def __len__(self) -> int:
        return len(self._pixels)

    def take(self, indices: Sequence[int] | Tensor) -> Tensor:
        return self._pixels[torch.as_tensor(indices)].permute(0, 3, 1, 2)


class OnDisk:
    """All pictures in one file of raw bytes, read as they are asked for."""

    waits = True

    def __init__(self, file: Path, count: int, size: Size) -> None:
        self._made_of = (file, count, size)
        self._pixels = np.memmap(file, np.uint8, "r", shape=(count, size[1], size[0], 3))

    def __reduce__(self) -> tuple[Any, ...]:
        # Another process opens the file itself; else all of its bytes would be sent there.
        return OnDisk, self._made_of

    def __len__(self) -> int:
        return len(self._pixels)

    def take(self, indices: Sequence[int] | Tensor) -> Tensor:
        rows = self._pixels[torch.as_tensor(indices).numpy()]
        return torch.from_numpy(rows).permute(0, 3, 1, 2)


class FromFiles:
    """Pictures decoded each time they are asked for, by as many threads as there are cores."""

    waits = True

    def __init__(
        self,
        dataset: Dataset,
        size: Size,
        decode: Callable[[Path, Size], NDArray[Any]],
    ) -> None:
        self._made_of = (dataset, size, decode)
        self._pool = ThreadPoolExecutor()

    def __reduce__(self) -> tuple[Any, ...]:
        # Threads cannot be sent to another process, which starts its own.
        return FromFiles, self._made_of

    def __len__(self) -> int:
        return len(self._made_of[0])

    def take(self, indices: Sequence[int] | Tensor) -> Tensor:
        dataset, size, decode = self._made_of
        pictures = self._pool.map(lambda i: decode(dataset.file(int(i)), size), indices)
        return torch.from_numpy(np.stack(list(pictures))).permute(0, 3, 1, 2)


def ahead(items: Iterable[Item]) -> Iterator[Item]:
    """The same items, each made by a thread while the one before it is being used."""
    iterator, end, context = iter(items), object(), copy_context()
    with ThreadPoolExecutor(max_workers=1) as pool:
        coming: Future[Any] = pool.submit(context.run, partial(next, iterator, end))
        while (item := coming.result()) is not end:
            coming = pool.submit(context.run, partial(next, iterator, end))
            yield item


def where_they_fit(needed: int, cache: Path) -> Keep:
    """Where so many bytes of decoded pictures stay: memory, else disk, else nowhere."""
    if needed < _MEMORY_SHARE * free_memory():
        return "memory"
    place = next(folder for folder in (cache, *cache.parents) if folder.exists())
    return "disk" if needed < _DISK_SHARE * shutil.disk_usage(place).free else "none"


def decode_all(decode: Callable[[int], None], count: int) -> None:
    """Call `decode` for each picture, in threads: OpenCV decodes outside Python's lock.

    The first error ends it, and so does Ctrl-C.
    """
    with ThreadPoolExecutor() as pool:
        done = pool.map(decode, range(count))
        try:
            for _ in track(done, total=count, description="reading pictures"):
                pass
        except BaseException:
            # A damaged picture, or Ctrl-C: neither should wait for the pictures still to come.
            pool.shutdown(cancel_futures=True)
            raise


def cached_pixels(
    dataset: Dataset,
    words: str,
    needed: int,
    fill: Callable[[NDArray[np.uint8]], None],
    *,
    cache: Path,
) -> Path:
    """The decoded set's file in the cache, made now if it is not there.

    Args:
        words: what the pixels depend on beside the pictures, such as their size.
        needed: bytes of the file.
        fill: writes them all into the array of `needed` bytes that it is given.

    Raises:
        InputError: the disk is full, or whatever `fill` raises.
    """
    file = cache / "pixels" / f"{_cache_key(dataset, words)}.u8"
    sweep(file.parent)
    if _is_whole(file, needed):
        return file
    # Each process writes a file of its own; whichever ends last leaves the same bytes.
    with replacing_by_name(file) as temporary:
        pixels = np.memmap(temporary, np.uint8, "w+", shape=(needed,))
        # A sparse file on a full disk would kill the process when its pages are written.
        if hasattr(os, "posix_fallocate"):
            with temporary.open("r+b") as handle:
                os.posix_fallocate(handle.fileno(), 0, needed)
        fill(pixels)
        pixels.flush()
        with temporary.open("ab") as handle:
            handle.write(digests.of_bytes(pixels))
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


def _decode_into(pixels: NDArray[np.uint8], dataset: Dataset, size: Size) -> None:
    """Fill `pixels`, which is flat, with the dataset's pictures."""
    pictures = pixels.reshape(len(dataset), size[1], size[0], 3)

    def decode(index: int) -> None:
        pictures[index] = prepare(dataset.file(index), size, bits=dataset.bits)

    decode_all(decode, len(dataset))


def _cache_key(dataset: Dataset, words: str) -> str:
    """A hash of all that decoded pixels depend on."""
    known = f"{dataset.root.resolve()}-{dataset.fingerprint()}-{dataset.bits}-{words}"
    return hashlib.sha256(known.encode("utf-8", "surrogateescape")).hexdigest()[:24]
