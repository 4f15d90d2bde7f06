"""Pixels out of an opened file, by whichever library decodes its kind faster and as strictly."""

import contextlib
import io
from collections.abc import Iterator
from typing import IO

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from viewfinder.errors import PictureError
from viewfinder.pictures import decoding
from viewfinder.pictures.headers import Header, header_of
from viewfinder.pictures.quiet import quiet_c_libraries
from viewfinder.pictures.room import ROOM

BYTES_A_PIXEL = 12
"""Of memory that decoding takes at most, the file and the finished picture included."""

# What a JPEG or WebP may hold beside its pixels, such as the film of a moving photograph, and for
# each of them; all that comes after is left unread.
_BESIDE, _EACH = 1 << 26, 8


def decoded(
    file: IO[bytes],
    image: Image.Image,
    name: str,
    at_least: tuple[int, int] | None,
    bits: int,
) -> NDArray[np.uint8]:
    """H×W×3 RGB, upright, of an opened file; `at_least` and `bits` as `read_picture` takes them.

    Raises:
        InputError: it is damaged, cut short, or takes more memory than there is.
    """
    header = header_of(image, file, name)
    with memory_for(header, name, _reduction(header, at_least)):
        pixels = by_opencv(file, header, at_least)
        if pixels is not None:
            white = (1 << bits) - 1 if is_deep(header) else None
            picture = decoding.rgb8(pixels, white)
            del pixels
        else:
            picture = _by_pillow(image, header, name, bits)
        return turned_upright(picture, header)


def is_deep(header: Header) -> bool:
    """Whether 16 bits are stored that another than their largest value may be white in."""
    return header.bits == 16 and header.format in ("PNG", "TIFF")


@contextlib.contextmanager
def memory_for(header: Header, name: str, reduction: int = 1) -> Iterator[None]:
    """Room to decode in; an InputError where the system has none after all."""
    needed = BYTES_A_PIXEL * header.width * header.height // reduction**2
    try:
        with ROOM.taken(needed):
            yield
    except MemoryError as error:
        raise PictureError(
            f"{name} has {header.width:,}×{header.height:,} pixels, and decoding it takes up to "
            f"{needed / 2**30:.1f} GiB of memory, which is more than is free: scale it down, cut "
            "it into tiles, or close other programs"
        ) from error


def by_opencv(
    file: IO[bytes], header: Header, at_least: tuple[int, int] | None
) -> decoding.Pixels | None:
    """Values as stored, in a layout that `rgb8` takes; None where Pillow is to decode the file."""
    if is_deep(header):
        return decoding.sixteen_bits_by_opencv(file)
    # Reading takes memory for as much as it is asked for, so that it is asked for what is there.
    most = min(_BESIDE + _EACH * header.width * header.height, file.seek(0, io.SEEK_END))
    file.seek(0)
    if header.format == "WEBP" and header.mode == "RGB":
        return decoding.colour_by_opencv(file.read(most))
    if header.format == "WEBP" and header.mode == "RGBA":
        return decoding.transparent_by_opencv(file.read(most))
    if header.format == "JPEG" and header.mode in ("L", "RGB"):
        data = file.read(most)
        if decoding.is_whole_jpeg(data):
            return decoding.colour_by_opencv(data, _reduction(header, at_least))
    return None


def _by_pillow(image: Image.Image, header: Header, name: str, bits: int) -> NDArray[np.uint8]:
    load(image, header, name)
    deep = image.mode.startswith("I")
    white = (1 << bits) - 1 if is_deep(header) else None
    if white and not deep:  # Of 16 bits in colour, Pillow keeps the upper 8.
        white >>= 8
    mode = "RGBA" if image.has_transparency_data else "RGB"
    picture = np.empty((image.height, image.width, 3), np.uint8)
    # In bands, since Pillow's conversions and NumPy's view of them are copies.
    for rows in decoding.bands(image.height, image.width):
        band = image.crop((0, rows.start, image.width, rows.stop))
        pixels = sixteen_bits(band) if deep else np.asarray(_in_mode(band, mode))
        picture[rows] = decoding.rgb8(pixels, white)
    return picture


def _in_mode(image: Image.Image, mode: str) -> Image.Image:
    return image if image.mode == mode else image.convert(mode)


def deep_by_pillow(image: Image.Image, header: Header, name: str) -> decoding.Pixels:
    """Values of 16 bits that OpenCV could not tell, which Pillow keeps of grey alone."""
    load(image, header, name)
    return sixteen_bits(image) if image.mode.startswith("I") else np.zeros((1, 1), np.uint16)


def turned_upright(pixels: decoding.Pixels, header: Header) -> decoding.Pixels:
    """Pixels as the EXIF orientation says."""
    # Both libraries turn a TIFF upright by themselves as they decode it, and nothing else.
    return pixels if header.format == "TIFF" else decoding.upright(pixels, header.orientation)


def _reduction(header: Header, at_least: tuple[int, int] | None) -> int:
    if at_least is None or header.format != "JPEG":
        return 1
    return max(
        by
        for by in (1, 2, 4, 8)
        if by == 1 or (header.width >= by * at_least[0] and header.height >= by * at_least[1])
    )


def load(image: Image.Image, header: Header, name: str) -> None:
    """Let Pillow decode a whole file.

    Raises:
        InputError: it is damaged or cut short, or holds numbers of 32 bits.
    """
    if header.bits == 32:
        raise PictureError(
            f"{name} holds 32-bit numbers, of which none is known to be white: "
            "export it with 8 or 16 bits a channel"
        )
    try:
        with quiet_c_libraries():
            image.load()
    except MemoryError:
        raise
    except Exception as error:  # Pillow's decoders raise a dozen kinds on hostile bytes
        raise PictureError(
            f"{name} is damaged or was cut short ({error}): copy or download it again"
        ) from error


def sixteen_bits(image: Image.Image) -> NDArray[np.uint16]:
    """H×W values of a grey image that Pillow keeps in more than 8 bits."""
    return np.asarray(image).astype(np.uint16)
