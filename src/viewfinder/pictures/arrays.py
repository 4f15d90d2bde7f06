"""Grids of numbers that are no pictures: NumPy's `.npy` and MATLAB's `.mat`.

Public sets keep depth, and some masks, in them. Of a `.mat` file the one matrix of numbers is read,
of version 5 to 7 (MathWorks, *MAT-File Format*); version 7.3 is HDF5, which is named and not read.
Nothing is unpickled, and a file's claims are held against its length before memory is taken.
"""

import contextlib
import struct
import warnings
import zlib
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import IO, NamedTuple

import numpy as np

from viewfinder.errors import InputError
from viewfinder.pictures.opening import open_for_reading

ARRAY_SUFFIXES = frozenset({".npy", ".mat"})

# Bytes of one grid, 33 million numbers of 8 bytes: four times a depth camera's.
_MOST_BYTES = 1 << 28
_HDF5 = b"\x89HDF\r\n\x1a\n"
_MATRIX, _COMPRESSED = 14, 15
# What MATLAB calls the types of stored numbers, and of the matrices that they make.
_STORED = {1: "i1", 2: "u1", 3: "i2", 4: "u2", 5: "i4", 6: "u4", 7: "f4", 9: "f8", 12: "i8"}
_STORED |= {13: "u8"}
_CLASSES = {6: "f8", 7: "f4", 8: "i1", 9: "u1", 10: "i2", 11: "u2", 12: "i4", 13: "u4", 14: "i8"}
_CLASSES |= {15: "u8"}
_COMPLEX, _LOGICAL = 0x0800, 0x0200


def is_array(path: Path) -> bool:
    """Whether a file's name says that it holds a grid of numbers."""
    return path.suffix.lower() in ARRAY_SUFFIXES


def read_array(path: Path) -> np.ndarray:
    """H×W numbers or truth values, as the file stores them.

    Raises:
        InputError: the file cannot be read, is damaged, or holds no single grid of real numbers.
    """
    with open_for_reading(path) as file:
        values = _read_npy(file, path) if path.suffix.lower() == ".npy" else _read_mat(file, path)
    if values.dtype.kind not in "buif":
        raise InputError(f"{path} holds {values.dtype}, not numbers: save the plain array")
    if values.ndim == 3 and 1 in (values.shape[0], values.shape[2]):
        values = values[0] if values.shape[0] == 1 else values[..., 0]
    if values.ndim != 2 or not values.size:
        shape = "×".join(map(str, values.shape)) or "a single number"
        raise InputError(f"{path} holds {shape}: a map is height × width numbers")
    return values


def _read_npy(file: IO[bytes], path: Path) -> np.ndarray:
    damaged = f"{path} is damaged, or no NumPy array of numbers: save it with numpy.save"
    try:
        version = np.lib.format.read_magic(file)
        readers = {
            (1, 0): np.lib.format.read_array_header_1_0,
            (2, 0): np.lib.format.read_array_header_2_0,
        }
        with _unwarned():
            shape, _, kind = readers[version](file)
    except Exception as error:  # NumPy's parser raises half a dozen kinds on hostile bytes
        raise InputError(damaged) from error
    if kind.hasobject:
        raise InputError(f"{path} holds Python objects, not numbers: save the plain array")
    claimed = kind.itemsize
    for side in shape:
        claimed *= side
    _refuse_too_large(claimed, path)
    start = file.tell()
    if file.seek(0, 2) - start != claimed:
        raise InputError(f"{path} is damaged or was cut short: copy or save it again")
    file.seek(0)
    try:
        with _unwarned():
            values: np.ndarray = np.lib.format.read_array(file, allow_pickle=False)
    except (ValueError, TypeError, OverflowError) as error:
        raise InputError(damaged) from error
    return values


class _Element(NamedTuple):
    """One element of a MAT-file: the number of its type, and its bytes."""

    kind: int
    data: memoryview


@contextlib.contextmanager
def _unwarned() -> Iterator[None]:
    """Without NumPy's advice to save files of Python 2 again."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)
        yield


def _read_mat(file: IO[bytes], path: Path) -> np.ndarray:
    """The one matrix of numbers in a MAT-file.

    Raises:
        InputError: it is damaged or of another version, or holds none or several.
    """
    start = file.read(128)
    if start.startswith((b"MATLAB 7.3", _HDF5)):
        raise InputError(
            f"{path} is a MAT-file of version 7.3 (HDF5), which is not read: save it with "
            "save(…, '-v7') in MATLAB, or as .npy or 16-bit PNG"
        )
    order = {b"IM": "<", b"MI": ">"}.get(start[126:128])
    if order is None:
        raise InputError(f"{path} is no MAT-file of version 5 to 7: save it with '-v7' in MATLAB")
    _refuse_too_large(file.seek(0, 2), path)
    file.seek(128)
    try:
        matrices = (m for m in _matrices(memoryview(file.read()), order) if m.size > 1)
        found = list(islice(matrices, 2))
    except (struct.error, zlib.error, ValueError) as error:
        reason = str(error) or "it ends early"
        raise InputError(f"{path} is damaged ({reason}): copy or save it again") from error
    if len(found) != 1:
        held = "more than one matrix" if found else "no matrix"
        raise InputError(f"{path} holds {held} of real numbers: save one map alone in it")
    return found[0]


def _matrices(data: memoryview, order: str) -> Iterator[np.ndarray]:
    """Every matrix of real numbers; what is text, a structure or the like is passed over."""
    left = _MOST_BYTES
    for element in _elements(data, order):
        inner = element.data
        if element.kind == _COMPRESSED:
            inner = _unpacked(inner, order, most=left)
            left -= len(inner)
        elif element.kind != _MATRIX:
            continue
        matrix = _matrix(inner, order)
        if matrix is not None:
            yield matrix


def _unpacked(packed: memoryview, order: str, *, most: int) -> memoryview:
    """What the matrix in a compressed element holds, of no more bytes than it claims itself."""
    stream = zlib.decompressobj()
    tag = stream.decompress(packed, 8)
    kind, size = struct.unpack(f"{order}II", tag)
    if kind != _MATRIX or size > most:
        raise ValueError("a compressed part is too large, or no matrix")
    body = stream.decompress(stream.unconsumed_tail, size) if size else b""
    if len(body) != size:
        raise ValueError("a compressed part ends early")
    return memoryview(body)


def _elements(data: memoryview, order: str) -> Iterator[_Element]:
    """The elements one after another, each at a place that 8 divides but behind a compressed."""
    place = 0
    while place + 8 <= len(data):
        kind, size = struct.unpack_from(f"{order}II", data, place)
        if kind >> 16:  # up to four bytes, which stand in the tag itself
            kind, size, body = kind & 0xFFFF, kind >> 16, place + 4
            if size > 4:
                raise ValueError("a small element claims more than four bytes")
            following = place + 8
        else:
            body = place + 8
            following = body + size + (0 if kind == _COMPRESSED else -size % 8)
        if body + size > len(data):
            raise ValueError("it ends early")
        yield _Element(kind, data[body : body + size])
        place = following


def _matrix(data: memoryview, order: str) -> np.ndarray | None:
    """A matrix of real numbers, or None where the element is another thing."""
    parts = _elements(data, order)
    flags = next(parts, None)
    if flags is None or len(flags.data) < 8:
        raise ValueError("a matrix has no flags")
    (word,) = struct.unpack_from(f"{order}I", flags.data)
    kind = _CLASSES.get(word & 0xFF)
    if kind is None or word & _COMPLEX:
        return None
    sides = next(parts, None)
    name, numbers = next(parts, None), next(parts, None)
    if sides is None or name is None or numbers is None or numbers.kind not in _STORED:
        raise ValueError("a matrix has no numbers")
    if sides.kind != 5 or len(sides.data) % 4 or not 2 <= len(sides.data) // 4 <= 8:
        raise ValueError("a matrix has no sides")
    shape = struct.unpack(f"{order}{len(sides.data) // 4}i", sides.data)
    values = np.frombuffer(numbers.data, np.dtype(order + _STORED[numbers.kind]))
    if min(shape) < 0 or np.prod(shape, dtype=object) != values.size:
        raise ValueError("a matrix has more or fewer numbers than its sides say")
    whole = values.reshape(shape, order="F")
    # A hostile file may store what its class cannot hold.
    with np.errstate(all="ignore"):
        return whole.astype(np.bool_ if word & _LOGICAL else np.dtype(kind))


def _refuse_too_large(size: int, path: Path) -> None:
    if not 0 <= size <= _MOST_BYTES:
        raise InputError(
            f"{path} holds {size:,} bytes, and more than {_MOST_BYTES:,} are not read: it is "
            "larger than any map of a picture"
        )
