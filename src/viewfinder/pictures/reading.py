"""The one reader: no other room of Viewfinder opens an image file.

What it promises, whatever the file:

- A path may hold any characters, on every system.
- The picture is upright: the EXIF orientation, all eight of them, is applied in every format that
  carries one, and `Header` gives the size after it.
- A picture is H×W×3 uint8 RGB. Grey becomes three equal channels, a palette is looked up, CMYK is
  converted, 16 bits become 8 by rounding to the nearest (value / 257, or as the caller says of a
  camera that fills fewer bits), transparent pixels are laid over white, and of an animation the
  first frame is taken. Colour profiles are not applied.
- The size is checked before any pixel is decoded, so that a small file that claims to be enormous
  cannot fill the memory; a file that ends too early or is damaged is an InputError, not a picture
  with a grey end.
- Decoding takes at most `BYTES_A_PIXEL` of memory for each pixel (`benchmarks/decoding_memory.py`),
  and threads wait for each other where that is more than the memory holds.

JPEG, WebP and pictures of 16 bits a channel are decoded by OpenCV: a 640×480 JPEG in half of
Pillow's time, and at a half, a quarter or an eighth of its size faster still. Pillow reads every
header and decodes the rest: it is strict about damage, and knows more kinds of each format.
"""

import hashlib
import io
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from viewfinder.errors import PictureError
from viewfinder.pictures import decoding
from viewfinder.pictures.headers import MOST_PIXELS, Header, header_of, opened, read_header
from viewfinder.pictures.opening import open_for_reading
from viewfinder.pictures.pixels import (
    BYTES_A_PIXEL,
    by_opencv,
    decoded,
    deep_by_pillow,
    is_deep,
    load,
    memory_for,
    sixteen_bits,
    turned_upright,
)

__all__ = [
    "BITS",
    "BYTES_A_PIXEL",
    "LOSSY",
    "MOST_PIXELS",
    "Header",
    "bits_used",
    "decode_picture",
    "look_at_picture",
    "read_depth",
    "read_header",
    "read_instances",
    "read_map",
    "read_mask",
    "read_picture",
]

BITS = (10, 12, 14, 16)
"""Of the values that cameras store in files of 16 bits."""

LOSSY = ("JPEG", "WEBP", "AVIF")
"""Formats whose pixels are not those that were stored."""
# By so much the channels of grey may differ in such a format, whose colours are rounded: of WebP 1.
_ROUNDED = 2


def read_picture(
    path: Path, *, at_least: tuple[int, int] | None = None, bits: int = 16
) -> NDArray[np.uint8]:
    """The picture as H×W×3 RGB, upright.

    Args:
        at_least: width and height, upright, that are enough for the caller. A JPEG may then be
            decoded at 1/2, 1/4 or 1/8 of its size, which is faster, as long as neither side falls
            below. A side that does not divide is rounded up.
        bits: how many the values of a 16-bit PNG or TIFF fill, one of `BITS`: of 12, 4095 and all
            above it is white. Other files say it themselves.

    Raises:
        InputError: there is no such file, or it is no picture, damaged, cut short or too large.
    """
    with open_for_reading(path) as file, opened(file, str(path)) as image:
        return decoded(file, image, str(path), at_least, bits)


def decode_picture(
    data: bytes, *, name: str, at_least: tuple[int, int] | None = None, bits: int = 16
) -> NDArray[np.uint8]:
    """`read_picture` for the bytes of a file; `name` is what an error calls it."""
    file = io.BytesIO(data)
    with opened(file, name) as image:
        return decoded(file, image, name, at_least, bits)


def look_at_picture(path: Path, *, name: str) -> tuple[str, tuple[int, int]]:
    """The SHA-256 of a picture's file, which is decoded whole, and its width and height, upright.

    The file itself is never in memory whole; `name` is what an error calls it.

    Raises:
        InputError: there is no such file, or it is no picture, damaged, cut short or too large.
    """
    with open_for_reading(path) as file:
        with opened(file, name) as image:
            height, width = decoded(file, image, name, None, 16).shape[:2]
        file.seek(0)
        return hashlib.file_digest(file, "sha256").hexdigest(), (width, height)


def bits_used(path: Path) -> int | None:
    """The fewest of `BITS` that hold every value of a 16-bit PNG or TIFF; None of other files.

    Alpha does not count.

    Raises:
        InputError: there is no such file, or it is no picture, damaged, cut short or too large.
    """
    with open_for_reading(path) as file:
        # A look at a PNG's 25th byte, since most sets hold none of 16 bits.
        start = file.read(25)
        if start.startswith(b"\xff\xd8") or (start.startswith(b"\x89PNG") and start[-1] < 16):
            return None
        file.seek(0)
        with opened(file, str(path)) as image:
            header = header_of(image, file, str(path))
            if not is_deep(header):
                return None
            with memory_for(header, str(path)):
                pixels = by_opencv(file, header, None)
                if pixels is None:
                    pixels = deep_by_pillow(image, header, str(path))
    colours = pixels[..., :3] if pixels.ndim == 3 else pixels
    largest = int(colours.max(initial=0))
    return next(bits for bits in BITS if largest < 1 << bits)


def read_depth(path: Path, *, near_is_bright: bool = True) -> NDArray[np.float32]:
    """H×W depth in [0, 1], near = bright, of a grey file of 8 or 16 bits.

    1 is the greatest value that the file's bits can hold, which its pixels need not reach.

    Raises:
        InputError: the file cannot be read, or it is in colour.
    """
    values = _read_grey(path, "a depth map")
    depth = values.astype(np.float32) / np.float32(np.iinfo(values.dtype).max)
    return depth if near_is_bright else 1 - depth


def read_map(path: Path) -> NDArray[np.float64]:
    """H×W in [0, 1] of a grey file of 8 or 16 bits, such as a saliency map.

    1 is the greatest value that the file's bits can hold.

    Raises:
        InputError: the file cannot be read, or it is in colour.
    """
    values = read_map_levels(path)
    return values / np.iinfo(values.dtype).max


def read_map_levels(path: Path) -> decoding.Pixels:
    """H×W, a map's values as they are stored, in the type that tells their range.

    Raises:
        InputError: the file cannot be read, or it is in colour.
    """
    return _read_grey(path, "a saliency map")


def read_mask(path: Path) -> NDArray[np.bool_]:
    """H×W, true where a grey file is brighter than half of its range.

    Raises:
        InputError: the file cannot be read, or it is in colour.
    """
    values = read_levels(path)
    return values > np.iinfo(values.dtype).max // 2


def read_levels(path: Path) -> decoding.Pixels:
    """H×W, a mask's values as they are stored, in the type that tells their range.

    Raises:
        InputError: the file cannot be read, or it is in colour.
    """
    return _read_grey(path, "a mask")


def read_instances(path: Path) -> NDArray[np.uint16]:
    """H×W instance numbers, exactly as stored: grey of 8 or 16 bits, or a palette's indices.

    Raises:
        InputError: the file cannot be read, is in colour, or of a kind that changes numbers.
    """
    header = read_header(path)
    if header.format in LOSSY:
        raise PictureError(
            f"{path} is a {header.format} file, which changes numbers as it compresses them: "
            "store instance numbers as PNG"
        )
    return _read_grey(path, "a map of instance numbers", indices=True).astype(np.uint16)


def _read_grey(path: Path, what: str, *, indices: bool = False) -> decoding.Pixels:
    """H×W stored values, upright, in the type that tells their range; never a colour.

    `indices` takes a palette's indices for the values, not the colours they stand for.
    """
    name = str(path)
    with open_for_reading(path) as file, opened(file, name) as image:
        header = header_of(image, file, name)
        with memory_for(header, name):
            pixels = by_opencv(file, header, None) if is_deep(header) else None
            if pixels is None:
                load(image, header, name)
                pixels = _grey_values(image, indices=indices)
    slack = _ROUNDED if header.format in LOSSY else 0
    return _one_channel(turned_upright(pixels, header), name, what, slack)


def _grey_values(image: Image.Image, *, indices: bool) -> decoding.Pixels:
    if image.mode.startswith("I"):
        return sixteen_bits(image)
    if indices and image.mode in ("1", "P"):
        return np.asarray(image).astype(np.uint8)
    if image.mode == "L":
        return np.asarray(image)
    return np.asarray(image.convert("RGBA" if image.has_transparency_data else "RGB"))


def _one_channel(pixels: decoding.Pixels, name: str, what: str, slack: int) -> decoding.Pixels:
    if pixels.ndim == 2:
        return pixels
    if pixels.shape[2] == 4 and (pixels[..., 3] != np.iinfo(pixels.dtype).max).any():
        raise PictureError(f"{name} has transparent pixels, and {what} must not: export it without")
    grey = pixels[..., 0]
    if (pixels[..., 1] != grey).any() or (pixels[..., 2] != grey).any():
        colours = pixels[..., :3]
        if int((colours.max(axis=2) - colours.min(axis=2)).max()) > slack:
            raise PictureError(f"{name} is in colour, but {what} is grey: was another file meant?")
        grey = np.median(colours, axis=2).astype(pixels.dtype)
    return np.ascontiguousarray(grey)
