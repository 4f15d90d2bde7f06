"""What a picture's file says of it before any pixel is decoded."""

import logging
import warnings
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from PIL import Image

from viewfinder.errors import PictureError
from viewfinder.pictures.opening import is_heif, open_for_reading, png_chunk, unknown_format

MOST_PIXELS = 200_000_000
"""A picture of more pixels than this is refused; the largest phone sensors have just under."""

# Bytes of a WebP or AVIF file: four for each of the pixels that a WebP can have.
_LONGEST = 1 << 30
_FORMATS = ("JPEG", "PNG", "BMP", "WEBP", "TIFF", "GIF", "PPM", "AVIF")
_ORIENTATION_TAG = 0x0112

# The limit of size is ours; Pillow's own would warn of a large phone's pictures.
Image.MAX_IMAGE_PIXELS = MOST_PIXELS
# What is wrong with a file is said once, by an InputError, and Pillow's murmurs are not printed.
warnings.filterwarnings("ignore", module=r"PIL\.")
logging.getLogger("PIL").setLevel(logging.CRITICAL)


@dataclass(frozen=True)
class Header:
    """What a picture's file says of it before any pixel is decoded.

    Attributes:
        format: `JPEG`, `PNG`, `BMP`, `WEBP`, `TIFF`, `GIF`, `PPM` or `AVIF`.
        width: in pixels, of the upright picture.
        height: in pixels, of the upright picture.
        orientation: EXIF's, 1 to 8; 1 where none is stored. From 5 on the stored sides are swapped.
        mode: the kind of pixel as stored, in Pillow's words, such as `RGB`, `L`, `P` or `CMYK`.
        bits: of one channel: 1, 8, 16 or 32.
    """

    format: str
    width: int
    height: int
    orientation: int
    mode: str
    bits: int

    @property
    def size(self) -> tuple[int, int]:
        """Width and height, upright."""
        return self.width, self.height


def read_header(path: Path) -> Header:
    """What the file says of its picture, without decoding it.

    Raises:
        InputError: there is no such file, it is not a picture, or it has over `MOST_PIXELS` pixels.
    """
    with open_for_reading(path) as file, opened(file, str(path)) as image:
        return header_of(image, file, str(path))


def opened(file: IO[bytes], name: str) -> Image.Image:
    """Pillow's view of the file: its header is read, its pixels are not.

    Raises:
        PictureError: it is not a picture, or Pillow says that it is enormous.
    """
    start = file.read(512)
    file.seek(0)
    if is_heif(start):
        raise PictureError(unknown_format(name, start))
    # Pillow reads files of these two formats whole, whatever they hold.
    if start[8:12] in (b"WEBP", b"avif", b"avis", b"mif1", b"msf1"):
        length = file.seek(0, 2)
        file.seek(0)
        if length > _LONGEST:
            raise PictureError(
                f"{name} has {length:,} bytes, which no picture of its kind has: copy or download "
                "it again"
            )
    try:
        return Image.open(file, formats=_FORMATS)
    except (Image.DecompressionBombError, Image.DecompressionBombWarning):
        raise PictureError(_too_large(name)) from None
    except MemoryError:
        raise
    except Exception as error:  # Pillow's parsers raise a dozen kinds on hostile bytes
        raise PictureError(unknown_format(name, start)) from error


def header_of(image: Image.Image, file: IO[bytes], name: str) -> Header:
    """What an open file says of its picture.

    Raises:
        PictureError: it has no pixels, or too many.
    """
    width, height = image.size
    if width < 1 or height < 1:
        raise PictureError(f"{name} is {width}×{height}, and so holds no pixels: export it again")
    if width * height > MOST_PIXELS:
        raise PictureError(_too_large(name))
    orientation = _orientation(image, file)
    # Pillow exchanges the sides of a turned TIFF by itself.
    if orientation > 4 and image.format != "TIFF":
        width, height = height, width
    return Header(
        format="JPEG" if image.format == "MPO" else str(image.format),
        width=width,
        height=height,
        orientation=orientation,
        mode=image.mode,
        bits=_bits(image),
    )


def _too_large(name: str) -> str:
    return (
        f"{name} says that it has more than {MOST_PIXELS:,} pixels, which are not read: "
        "scale it down or cut it into tiles"
    )


def _orientation(image: Image.Image, file: IO[bytes]) -> int:
    try:
        # Not `image.getexif()`, which in PNG decodes every pixel to see what comes after them.
        stored = Image.Image.getexif(image).get(_ORIENTATION_TAG)
        if stored is None and image.format == "PNG":
            exif = Image.Exif()
            exif.load(png_chunk(file, b"eXIf"))
            stored = exif.get(_ORIENTATION_TAG)
    except Exception:  # damaged EXIF data says nothing of the pixels, which may be whole
        return 1
    return stored if isinstance(stored, int) and 1 <= stored <= 8 else 1


def _bits(image: Image.Image) -> int:
    """Bits of a channel as stored; Pillow's mode does not tell 16-bit colour from 8-bit."""
    if image.mode == "1":
        return 1
    if image.mode.startswith("I;16"):
        return 16
    if image.mode in ("I", "F"):
        return 16 if (image.format, image.mode) == ("PPM", "I") else 32
    for tile in getattr(image, "tile", ()):
        # Raw modes such as `RGB;16B`; of PNM, the mode and the value of white.
        white = tile.args[1] if tile.codec_name == "ppm" else 255
        if ";16" in str(tile.args) or white > 255:
            return 16
    return 8
