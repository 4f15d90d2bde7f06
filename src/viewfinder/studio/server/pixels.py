"""The pictures that the page shows: by number alone, and upright as the one reader has them."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from viewfinder.errors import InputError
from viewfinder.pictures.geometry import stretch
from viewfinder.pictures.reading import decode_picture, read_header, read_picture
from viewfinder.pictures.resampling import resample
from viewfinder.pictures.writing import encode_picture
from viewfinder.reading import read_bytes

THUMBNAIL = 128
"""Pixels of a thumbnail's longer side."""

CROP = 96
"""Pixels of a crop's longer side."""
# Around a box, as a share of its longer side: what it is shows by what is beside it.
_AROUND = 0.15

# What every browser decodes to the reader's pixels, if it is upright and of 8 bits.
_AS_IT_IS = {"JPEG": "image/jpeg", "PNG": "image/png", "WEBP": "image/webp"}
_PLAIN = ("RGB", "L", "P", "1")
# Of pictures that are encoded anew.
_QUALITY = 95


@dataclass(frozen=True)
class Shown:
    """What is sent: bytes of this type."""

    data: bytes
    kind: str


def picture_of(path: Path) -> Shown:
    """A picture's file where a browser reads it as we do, else its pixels, encoded anew.

    Either way it was decoded here: of a file that is cut off, a browser would show what there is,
    and white for the rest.

    Raises:
        InputError: there is no such file, or it is no picture, damaged or too large.
    """
    header = read_header(path)
    plain = header.orientation == 1 and header.mode in _PLAIN and header.bits <= 8
    if plain and header.format in _AS_IT_IS:
        try:
            data = read_bytes(path)
        except OSError as error:
            raise InputError(f"cannot read {path}: {error.strerror}") from None
        decode_picture(data, name=str(path), at_least=(1, 1))
        return Shown(data, _AS_IT_IS[header.format])
    return Shown(encode_picture(read_picture(path), ".jpg", quality=_QUALITY), "image/jpeg")


def thumbnail_of(path: Path) -> Shown:
    """A small picture, a JPEG.

    Raises:
        InputError: there is no such file, or it is no picture, damaged or too large.
    """
    width, height = read_header(path).size
    share = min(1.0, THUMBNAIL / max(width, height))
    size = max(1, round(width * share)), max(1, round(height * share))
    picture = read_picture(path, at_least=size)
    source = picture.shape[1], picture.shape[0]
    picture = resample(picture, stretch(source, size), size)
    return Shown(encode_picture(picture, ".jpg", quality=80), "image/jpeg")


def crop_of(path: Path, corners: Sequence[float]) -> Shown:
    """What a box holds and a little around it, small, a JPEG.

    Raises:
        InputError: there is no such file, it is no picture, or the box has nothing of it.
    """
    picture = read_picture(path)
    height, width = picture.shape[:2]
    x1, y1, x2, y2 = corners
    more = _AROUND * max(x2 - x1, y2 - y1)
    left, top = (int(min(max(each - more, 0), most)) for each, most in ((x1, width), (y1, height)))
    right, bottom = (int(min(each + more + 1, most)) for each, most in ((x2, width), (y2, height)))
    part = picture[top:bottom, left:right]
    if not part.size:
        raise InputError("that box has nothing of its picture")
    source = part.shape[1], part.shape[0]
    share = CROP / max(source)
    size = max(1, round(source[0] * share)), max(1, round(source[1] * share))
    return Shown(encode_picture(resample(part, stretch(source, size), size), ".jpg"), "image/jpeg")
