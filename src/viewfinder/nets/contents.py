"""Which numbers a file of weights holds, however it packs and calls them: without torch."""

import struct
import zipfile
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from viewfinder.nets.pickled import COUNT, OLD, pickled_in
from viewfinder.nets.weight_heads import is_safetensors, read_head, safetensors_table
from viewfinder.reading import open_file

# Bytes of one number, such as a norm's count of batches, which many files are without.
_ONE = 8
# Bytes of the words that are added up.
_WORD = 4
# Of an entry of an archive: at its end the lengths of the name and of what else comes before it.
_HEAD = struct.Struct("<26xHH")


def same_numbers(one: Path, other: Path) -> bool:
    """Whether two files of weights hold the same tensors to the last bit, in any order, by any
    names and of any layout in memory; those of a single number apart. What cannot be read has none.

    Safetensors files, and what `torch.save` writes and wrote, each tensor in a storage of its own.
    """
    try:
        return _lengths(one) == _lengths(other) and _sums(one) == _sums(other)
    except (OSError, ValueError, struct.error, zipfile.BadZipFile):
        return False


def has_numbers_of(file: Path, own: Path) -> bool:
    """Whether a file of weights has all tensors of another among its own, as `same_numbers` tells
    them; which of several copies of a net they are is not known by it."""
    try:
        return _lengths(own) <= _lengths(file) and _sums(own) <= _sums(file)
    except (OSError, ValueError, struct.error, zipfile.BadZipFile):
        return False


def _lengths(path: Path) -> Counter[int]:
    """How often there are tensors of so many bytes.

    Raises:
        ValueError: there are none, or as of `_tensors`.
    """
    if not (lengths := Counter(length for _, length in _tensors(path))):
        raise ValueError("no tensors")
    return lengths


def _tensors(path: Path) -> list[tuple[int, int]]:
    """Where in a file each tensor begins, and how many bytes it has; single numbers apart.

    Raises:
        ValueError: it is damaged, or of another format.
    """
    head = read_head(path)
    if is_safetensors(path, head):
        start, table = safetensors_table(path)
        found = [(start + begin, end - begin) for begin, end in table.values()]
    elif head.startswith(b"PK"):
        found = list(_in_archive(path))
    elif head.startswith(OLD):
        found = list(_in_old_format(path))
    else:
        raise ValueError("a format that is not known")
    return [(place, length) for place, length in found if length > _ONE]


def _in_archive(path: Path) -> Iterator[tuple[int, int]]:
    with zipfile.ZipFile(path) as archive, open_file(path) as file:
        for each in archive.infolist():
            if Path(each.filename).parent.name == "data":
                # Before an entry's bytes stand its name, and what else its own head has.
                file.seek(each.header_offset)
                lengths = _HEAD.unpack(file.read(_HEAD.size))
                yield each.header_offset + _HEAD.size + sum(lengths), each.file_size


def _in_old_format(path: Path) -> Iterator[tuple[int, int]]:
    """Storages, which follow each other in the order of their keys."""
    with open_file(path) as file:
        told = pickled_in(file, old=True)
    if told is None or told.with_storages != path.stat().st_size:
        raise ValueError("its length is another than it says")
    place = told.length
    for _, length in sorted(told.storages.items()):
        yield place + COUNT, length or 0
        place += COUNT + (length or 0)


def _sums(path: Path) -> Counter[tuple[int, int, int]]:
    """How often there are which numbers: the length of a tensor, and the sums of its words and of
    their squares, which do not ask for their order."""
    import numpy as np

    sums = Counter[tuple[int, int, int]]()
    with open_file(path) as file:
        for place, length in _tensors(path):
            file.seek(place)
            words = np.frombuffer(file.read(length - length % _WORD), np.uint32).astype(np.uint64)
            sums[length, int(words.sum()), int((words * words).sum())] += 1
    return sums
