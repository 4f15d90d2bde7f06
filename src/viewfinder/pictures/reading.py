"""The one reader: no other room of Viewfinder opens an image file.

What it promises, whatever the file:

- A path may hold any characters, on every system.
- The picture is upright: the EXIF orientation, all eight of them, is applied in every format that
  carries one, and `Header` gives the size after it.
- A picture is H×W×3 uint8 RGB. Grey becomes three equal channels, a palette is looked up, CMYK is
  converted, 16 bits become 8 by rounding to the nearest (value / 257), transparent pixels are laid
  over white, and of an animation the first frame is taken. Colour profiles are not applied.
- The size is checked before any pixel is decoded, so that a small file that claims to be enormous
  cannot fill the memory; a file that ends too early or is damaged is an InputError, not a picture
  with a grey end.

JPEG, opaque WebP and pictures of 16 bits a channel are decoded by OpenCV: a 640×480 JPEG in half of
Pillow's time, and at a half, a quarter or an eighth of its size faster still. Pillow reads every
header and decodes the rest: it is strict about damage, and knows more kinds of each format.
"""

import io
import logging
import warnings
from dataclasses import dataclass
from pathlib import Path
from typing import IO

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from viewfinder.errors import InputError
from viewfinder.pictures import decoding
from viewfinder.pictures.opening import is_heif, open_for_reading, png_chunk, unknown_format
from viewfinder.pictures.quiet import quiet_c_libraries

MOST_PIXELS = 200_000_000
"""A picture of more pixels than this is refused; the largest phone sensors have just under."""

_FORMATS = ("JPEG", "PNG", "BMP", "WEBP", "TIFF", "GIF", "PPM", "AVIF")
_LOSSY = ("JPEG", "WEBP", "AVIF")
_ORIENTATION_TAG = 0x0112

# The limit of size is ours, kept by `_header`; Pillow's own would warn of a large phone's pictures.
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
    with open_for_reading(path) as file, _opened(file, str(path)) as image:
        return _header(image, file, str(path))


def read_picture(path: Path, *, at_least: tuple[int, int] | None = None) -> NDArray[np.uint8]:
    """The picture as H×W×3 RGB, upright.

    Args:
        at_least: width and height, upright, that are enough for the caller. A JPEG may then be
            decoded at 1/2, 1/4 or 1/8 of its size, which is faster, as long as neither side falls
            below. A side that does not divide is rounded up.

    Raises:
        InputError: there is no such file, or it is no picture, damaged, cut short or too large.
    """
    with open_for_reading(path) as file, _opened(file, str(path)) as image:
        header = _header(image, file, str(path))
        file.seek(0)
        return _decoded(file.read(), image, header, str(path), at_least)


def decode_picture(
    data: bytes, *, name: str, at_least: tuple[int, int] | None = None
) -> NDArray[np.uint8]:
    """`read_picture` for the bytes of a file; `name` is what an error calls it."""
    file = io.BytesIO(data)
    with _opened(file, name) as image:
        return _decoded(data, image, _header(image, file, name), name, at_least)


def read_depth(path: Path, *, near_is_bright: bool = True) -> NDArray[np.float32]:
    """H×W depth in [0, 1], near = bright, of a grey file of 8 or 16 bits.

    1 is the greatest value that the file's bits can hold, which its pixels need not reach.

    Raises:
        InputError: the file cannot be read, or it is in colour.
    """
    values = _read_grey(path, "a depth map")
    depth = values.astype(np.float32) / np.float32(np.iinfo(values.dtype).max)
    return depth if near_is_bright else 1 - depth


def read_mask(path: Path) -> NDArray[np.bool_]:
    """H×W, true where a grey file is brighter than half of its range.

    Raises:
        InputError: the file cannot be read, or it is in colour.
    """
    values = _read_grey(path, "a mask")
    return values > np.iinfo(values.dtype).max // 2


def read_instances(path: Path) -> NDArray[np.uint16]:
    """H×W instance numbers, exactly as stored: grey of 8 or 16 bits, or a palette's indices.

    Raises:
        InputError: the file cannot be read, is in colour, or of a kind that changes numbers.
    """
    header = read_header(path)
    if header.format in _LOSSY:
        raise InputError(
            f"{path} is a {header.format} file, which changes numbers as it compresses them: "
            "store instance numbers as PNG"
        )
    return _read_grey(path, "a map of instance numbers", indices=True).astype(np.uint16)


def _opened(file: IO[bytes], name: str) -> Image.Image:
    """Pillow's view of the file: its header is read, its pixels are not."""
    start = file.read(512)
    file.seek(0)
    if is_heif(start):
        raise InputError(unknown_format(name, start))
    try:
        return Image.open(file, formats=_FORMATS)
    except (Image.DecompressionBombError, Image.DecompressionBombWarning):
        raise InputError(_too_large(name)) from None
    except MemoryError:
        raise
    except Exception as error:  # Pillow's parsers raise a dozen kinds on hostile bytes
        raise InputError(unknown_format(name, start)) from error


def _header(image: Image.Image, file: IO[bytes], name: str) -> Header:
    width, height = image.size
    if width < 1 or height < 1:
        raise InputError(f"{name} is {width}×{height}, and so holds no pixels: export it again")
    if width * height > MOST_PIXELS:
        raise InputError(_too_large(name))
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


def _decoded(
    data: bytes, image: Image.Image, header: Header, name: str, at_least: tuple[int, int] | None
) -> NDArray[np.uint8]:
    pixels: decoding.Pixels | None = None
    if header.bits == 16 and header.format in ("PNG", "TIFF"):
        pixels = decoding.sixteen_bits_by_opencv(data)
    elif header.format == "JPEG" and header.mode in ("L", "RGB") and decoding.is_whole_jpeg(data):
        pixels = decoding.colour_by_opencv(data, _reduction(header, at_least))
    elif header.format == "WEBP" and header.mode == "RGB":
        pixels = decoding.colour_by_opencv(data)
    if pixels is None:
        _load(image, header, name)
        if image.mode.startswith("I"):
            pixels = _sixteen_bits(image)
        else:
            pixels = np.asarray(image.convert("RGBA" if image.has_transparency_data else "RGB"))
    return decoding.rgb8(_upright(pixels, header))


def _upright(pixels: decoding.Pixels, header: Header) -> decoding.Pixels:
    # Both libraries turn a TIFF upright by themselves as they decode it, and nothing else.
    return pixels if header.format == "TIFF" else decoding.upright(pixels, header.orientation)


def _reduction(header: Header, at_least: tuple[int, int] | None) -> int:
    if at_least is None:
        return 1
    return max(
        by
        for by in (1, 2, 4, 8)
        if by == 1 or (header.width >= by * at_least[0] and header.height >= by * at_least[1])
    )


def _load(image: Image.Image, header: Header, name: str) -> None:
    if header.bits == 32:
        raise InputError(
            f"{name} holds 32-bit numbers, of which none is known to be white: "
            "export it with 8 or 16 bits a channel"
        )
    try:
        with quiet_c_libraries():
            image.load()
    except MemoryError:
        raise
    except Exception as error:  # Pillow's decoders raise a dozen kinds on hostile bytes
        raise InputError(
            f"{name} is damaged or was cut short ({error}): copy or download it again"
        ) from error


def _sixteen_bits(image: Image.Image) -> NDArray[np.uint16]:
    return np.asarray(image).astype(np.uint16)


def _read_grey(path: Path, what: str, *, indices: bool = False) -> decoding.Pixels:
    """H×W stored values, upright, in the type that tells their range; never a colour.

    `indices` takes a palette's indices for the values, not the colours they stand for.
    """
    name = str(path)
    with open_for_reading(path) as file, _opened(file, name) as image:
        header = _header(image, file, name)
        pixels: decoding.Pixels | None = None
        if header.bits == 16 and header.format in ("PNG", "TIFF"):
            file.seek(0)
            pixels = decoding.sixteen_bits_by_opencv(file.read())
        if pixels is None:
            _load(image, header, name)
            pixels = _grey_values(image, indices=indices)
    return _one_channel(_upright(pixels, header), name, what)


def _grey_values(image: Image.Image, *, indices: bool) -> decoding.Pixels:
    if image.mode.startswith("I"):
        return _sixteen_bits(image)
    if indices and image.mode in ("1", "P"):
        return np.asarray(image).astype(np.uint8)
    if image.mode == "L":
        return np.asarray(image)
    return np.asarray(image.convert("RGBA" if image.has_transparency_data else "RGB"))


def _one_channel(pixels: decoding.Pixels, name: str, what: str) -> decoding.Pixels:
    if pixels.ndim == 2:
        return pixels
    if pixels.shape[2] == 4 and (pixels[..., 3] != np.iinfo(pixels.dtype).max).any():
        raise InputError(f"{name} has transparent pixels, and {what} must not: export it without")
    grey = pixels[..., 0]
    if (pixels[..., 1] != grey).any() or (pixels[..., 2] != grey).any():
        raise InputError(f"{name} is in colour, but {what} is grey: was another file meant?")
    return np.ascontiguousarray(grey)
