"""From a picture file's bytes to an array, and from any array of pixels to upright 8-bit RGB."""

import functools
import io
from collections.abc import Iterator
from pathlib import Path
from typing import IO

import cv2
import numpy as np
from numpy.typing import NDArray

from viewfinder.pictures.quiet import quiet_c_libraries

Pixels = NDArray[np.unsignedinteger]

_START_OF_SCAN = 0xDA
_END_OF_IMAGE = b"\xff\xd9"
# Pixels that are computed with at once: few enough for a core's cache.
_BAND = 1 << 16
_REDUCED = {1: 0, 2: 16, 4: 32, 8: 64}  # OpenCV's flags for a fraction of the size

# What is wrong with a file is said once, by an InputError; OpenCV's log is not printed.
cv2.utils.logging.setLogLevel(cv2.utils.logging.LOG_LEVEL_SILENT)


def colour_by_opencv(data: bytes, reduction: int = 1) -> NDArray[np.uint8] | None:
    """H×W×3 RGB as stored, not turned; each side divided by `reduction` (1, 2, 4, 8), rounded up.

    None where OpenCV cannot tell.
    """
    flags = cv2.IMREAD_COLOR_RGB | cv2.IMREAD_IGNORE_ORIENTATION | _REDUCED[reduction]
    pixels = _by_opencv(data, flags)
    if pixels is None or pixels.dtype != np.uint8:
        return None
    return pixels.astype(np.uint8, copy=False)


def sixteen_bits_by_opencv(file: IO[bytes]) -> NDArray[np.uint16] | None:
    """H×W, H×W×3 RGB or H×W×4 RGBA of 16 bits as stored, not turned; None where it cannot tell."""
    pixels = _from_file_by_opencv(file)
    if pixels is None or pixels.dtype != np.uint16:
        return None
    return _red_first(pixels).astype(np.uint16, copy=False)


def transparent_by_opencv(data: bytes) -> NDArray[np.uint8] | None:
    """H×W×4 RGBA of 8 bits as stored, not turned; None where OpenCV cannot tell."""
    pixels = _by_opencv(data, cv2.IMREAD_UNCHANGED)
    if pixels is None or pixels.dtype != np.uint8 or pixels.shape[2:] != (4,):
        return None
    return _red_first(pixels).astype(np.uint8, copy=False)


def _red_first(pixels: np.ndarray) -> np.ndarray:
    """Blue and red exchanged in place, in bands of rows: a copy would double the memory."""
    if pixels.ndim == 3:
        for rows in bands(pixels.shape[0], pixels.shape[1]):
            pixels[rows, :, :3] = pixels[rows, :, 2::-1].copy()
    return pixels


def _from_file_by_opencv(file: IO[bytes]) -> np.ndarray | None:
    """What is in an open file, as stored.

    OpenCV copies what it decodes from bytes, and what it reads from a file into an array it does
    not. Its names of files are not everybody's; Linux has one for each file that is open.
    """
    file.seek(0)
    try:
        name = f"/proc/self/fd/{file.fileno()}"
    except io.UnsupportedOperation:  # bytes in memory
        name = ""
    if not name or not Path(name).exists():
        return _by_opencv(file.read(), cv2.IMREAD_UNCHANGED)
    try:
        with quiet_c_libraries():
            return cv2.imread(name, None, cv2.IMREAD_UNCHANGED)
    except cv2.error:
        return None


def _by_opencv(data: bytes, flags: int) -> np.ndarray | None:
    try:
        with quiet_c_libraries():
            return cv2.imdecode(np.frombuffer(data, np.uint8), flags)
    except cv2.error:
        return None


def is_whole_jpeg(data: bytes) -> bool:
    """Whether the first picture in the file has its end; OpenCV would fill the rest with grey.

    The search starts at the scan, since a thumbnail within the EXIF data has an end of its own.
    Bytes after the end do no harm: many phones keep a second picture there.
    """
    at = 2
    while at + 4 <= len(data) and data[at] == 0xFF:
        marker = data[at + 1]
        if marker == _START_OF_SCAN:
            return data.find(_END_OF_IMAGE, at) >= 0
        if marker == 0xFF:  # a fill byte
            at += 1
        elif marker == 0x01 or 0xD0 <= marker <= 0xD7:  # markers that carry no length
            at += 2
        else:
            at += 2 + int.from_bytes(data[at + 2 : at + 4], "big")
    return False


def upright(pixels: Pixels, orientation: int) -> Pixels:
    """The pixels turned as EXIF `orientation` (1 to 8) asks."""
    if orientation > 4:  # 5 to 8 are 1, 4, 3 and 2 with the sides exchanged: rows become columns
        pixels = pixels.swapaxes(0, 1)
    if orientation in (3, 4, 7, 8):
        pixels = pixels[::-1]
    if orientation in (2, 3, 6, 7):
        pixels = pixels[:, ::-1]
    return np.ascontiguousarray(pixels)


def rgb8(pixels: Pixels, white: int | None = None) -> NDArray[np.uint8]:
    """H×W×3 of 8 bits from H×W grey, H×W×3, or H×W×4 with alpha, of 8 or 16 bits.

    Args:
        white: the value of white, which values above it are too; if not given, the largest that
            the bits can hold. Alpha within it counts from it, else from the largest.
    """
    if pixels.ndim == 3 and pixels.shape[2] == 3 and pixels.dtype == np.uint8:
        return np.ascontiguousarray(pixels, dtype=np.uint8)
    largest = int(np.iinfo(pixels.dtype).max)
    white = white or largest
    has_alpha = pixels.ndim == 3 and pixels.shape[2] == 4
    opaque = white if has_alpha and pixels[..., 3].max(initial=0) <= white else largest
    shares = _shares(largest, white)
    done = np.empty((*pixels.shape[:2], 3), np.uint8)
    # In bands of rows: arithmetic needs numbers several times as long as the pixels.
    for rows in bands(*pixels.shape[:2]):
        band = pixels[rows]
        if has_alpha:
            done[rows] = _over_white(band, white, opaque)
        else:
            done[rows] = shares[band if band.ndim == 3 else band[..., np.newaxis]]
    return done


def bands(height: int, width: int) -> Iterator[slice]:
    """Slices of rows, few pixels each, that are a picture together."""
    step = max(1, _BAND // max(1, width))
    for top in range(0, height, step):
        yield slice(top, min(top + step, height))


@functools.cache
def _shares(largest: int, white: int) -> NDArray[np.uint8]:
    """The nearest of 0 to 255 for each value from 0 to `largest`."""
    values = np.minimum(np.arange(largest + 1), white)
    return ((510 * values + white) // (2 * white)).astype(np.uint8)


def _over_white(band: Pixels, white: int, opaque: int) -> NDArray[np.uint8]:
    """H×W×4 with alpha, laid over white, to the nearest of 0 to 255."""
    if white == opaque == 255:
        # No sum here passes 16 bits, and (t + (t >> 8)) >> 8 of t = n + 128 is n / 255, rounded.
        alpha = band[..., 3:].astype(np.uint16)
        blended = band[..., :3] * alpha + 255 * (255 - alpha) + np.uint16(128)
        return ((blended + (blended >> 8)) >> 8).astype(np.uint8)
    # In 64 bits: two factors of 16 bits do not fit into 32 with the 510.
    colour = np.minimum(band[..., :3], white).astype(np.int64)
    opacity = band[..., 3:].astype(np.int64)
    laid = colour * opacity + white * (opaque - opacity)
    return ((510 * laid + white * opaque) // (2 * white * opaque)).astype(np.uint8)
