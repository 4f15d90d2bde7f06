"""What pictures, and parts of pictures, look like: vectors to compare them by, for the whole house.

They are the 1,280 numbers that EfficientNet-lite0's last layer is asked of, with the ImageNet
weights of the installation. A picture is stretched to 224×224, so that all of it counts and nothing
else does. About 20 ms each on one core, once: they are kept in the cache, under the digest of the
picture's file and of the part.
"""

import functools
import hashlib
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from viewfinder.datasets.digests import of_files
from viewfinder.errors import InputError, PictureError
from viewfinder.events import note
from viewfinder.features.installed import installed_extractor
from viewfinder.features.store import KEY
from viewfinder.features.vectors import Extractor, vectors
from viewfinder.pictures.geometry import stretch
from viewfinder.pictures.reading import read_picture
from viewfinder.pictures.resampling import resample
from viewfinder.wording import counted

_SIZE = (224, 224)
_ON_GPU = "cuda"


class Part(NamedTuple):
    """A picture, or what lies within x1, y1, x2, y2 in pixels of the upright picture."""

    file: Path
    box: tuple[float, float, float, float] | None = None


class _UnreadableError(PictureError):
    """One of several pictures cannot be read."""

    def __init__(self, number: int, error: InputError) -> None:
        super().__init__(str(error))
        self.number = number


def describe(parts: Sequence[Part], *, bits: int = 16) -> NDArray[np.float32]:
    """N×1280 float32 of length 1, so that the product of two is how alike they are: 1 is equal.

    Args:
        bits: how many the values of 16-bit files fill, as `read_picture` takes it.

    Raises:
        InputError: a picture cannot be read, or a box has nothing of its picture.
    """
    extractor = _extractor()
    words = [(digest, part.box) for digest, part in zip(_digests(parts), parts, strict=True)]
    keys = [_key(digest, box, bits) for digest, box in words]

    def take(numbers: Sequence[int]) -> Tensor:
        read = [_pixels(parts, number, bits) for number in numbers]
        return torch.from_numpy(np.stack(read)).permute(0, 3, 1, 2)

    what = "labelled objects" if any(part.box for part in parts) else "pictures"
    found = vectors(extractor, take, keys, description=f"describing {what}")
    lengths = np.linalg.norm(found, axis=1, keepdims=True)
    return np.asarray(found / np.maximum(lengths, 1e-12), np.float32)


def describe_readable(
    parts: Sequence[Part], *, bits: int = 16
) -> tuple[NDArray[np.float32], list[int]]:
    """`describe` of those that can be read, and their numbers; of the others a note is given."""
    left, failed = list(range(len(parts))), []
    while True:
        try:
            found = describe([parts[number] for number in left], bits=bits)
        except _UnreadableError as error:
            failed.append(left.pop(error.number))
            continue
        if failed:
            first = parts[failed[0]].file.name
            note(f"{counted(len(failed), 'picture')} cannot be read, such as {first}: left out")
        return found, left


def _extractor() -> Extractor:
    """The net, on a GPU where there is one; its vectors there differ in their last bits."""
    device = torch.device(_ON_GPU if torch.cuda.is_available() else "cpu")
    return installed_extractor(device, size=_SIZE, made=f"stretched, by fours, on {device.type}")


def _digests(parts: Sequence[Part]) -> list[bytes]:
    """Of each part's file."""
    files = list(dict.fromkeys(part.file for part in parts))
    known = dict(zip(files, of_files(files), strict=True))
    return [known[part.file] for part in parts]


def _key(digest: bytes, box: tuple[float, ...] | None, bits: int) -> bytes:
    place = "" if box is None else " ".join(f"{side:.2f}" for side in box)
    keys = digest + f"|{bits}|{place}".encode()
    return hashlib.blake2b(keys, digest_size=KEY).digest()


def _pixels(parts: Sequence[Part], number: int, bits: int) -> NDArray[np.uint8]:
    part = parts[number]
    try:
        if part.box is None:
            picture = read_picture(part.file, at_least=_SIZE, bits=bits)
        else:
            picture = _within(_whole(part.file, bits), part)
    except InputError as error:
        raise _UnreadableError(number, error) from error
    size = (picture.shape[1], picture.shape[0])
    return np.asarray(resample(picture, stretch(size, _SIZE), _SIZE), np.uint8)


@functools.lru_cache(1)
def _whole(file: Path, bits: int) -> NDArray[np.uint8]:
    """A picture at its full size; its objects come one after the other."""
    return read_picture(file, bits=bits)


def _within(picture: NDArray[np.uint8], part: Part) -> NDArray[np.uint8]:
    """What lies within a part's box, to whole pixels, at least one.

    Raises:
        InputError: the box lies outside of the picture, or is none.
    """
    assert part.box is not None
    height, width = picture.shape[:2]
    x1, y1, x2, y2 = part.box
    if not (max(x1, 0) < min(x2, width) and max(y1, 0) < min(y2, height)):
        raise InputError(
            f"{part.file}: the box {x1:g} {y1:g} {x2:g} {y2:g} has nothing of a picture of "
            f"{width}×{height}; give x1 y1 x2 y2 in its pixels"
        )
    left, top = int(max(x1, 0)), int(max(y1, 0))
    right, bottom = int(np.ceil(min(x2, width))), int(np.ceil(min(y2, height)))
    return picture[top:bottom, left:right]
