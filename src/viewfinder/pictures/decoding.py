"""From a picture file's bytes to an array, and from any array of pixels to upright 8-bit RGB."""

from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from viewfinder.pictures.quiet import quiet_c_libraries

Pixels = NDArray[np.unsignedinteger[Any]]

_START_OF_SCAN = 0xDA
_END_OF_IMAGE = b"\xff\xd9"
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


def sixteen_bits_by_opencv(data: bytes) -> NDArray[np.uint16] | None:
    """H×W, H×W×3 RGB or H×W×4 RGBA of 16 bits as stored, not turned; None where it cannot tell."""
    pixels = _by_opencv(data, cv2.IMREAD_UNCHANGED)
    if pixels is None or pixels.dtype != np.uint16:
        return None
    values = pixels.astype(np.uint16, copy=False)
    return values if values.ndim == 2 else values[..., [2, 1, 0, 3][: values.shape[2]]]


def _by_opencv(data: bytes, flags: int) -> NDArray[Any] | None:
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


def rgb8(pixels: Pixels) -> NDArray[np.uint8]:
    """H×W×3 of 8 bits from H×W grey, H×W×3, or H×W×4 with alpha, of 8 or 16 bits."""
    if pixels.ndim == 2:
        pixels = np.repeat(pixels[..., np.newaxis], 3, axis=2)
    largest = np.iinfo(pixels.dtype).max
    if pixels.shape[2] == 4:
        pixels = _over_white(pixels, largest)
    if largest > 255:
        pixels = ((pixels.astype(np.uint32) + 128) // 257).astype(np.uint8)
    return np.ascontiguousarray(pixels, dtype=np.uint8)


def _over_white(pixels: Pixels, largest: int) -> Pixels:
    # In 64 bits: two factors of 16 bits, doubled, do not fit into 32.
    colour = pixels[..., :3].astype(np.uint64)
    alpha = pixels[..., 3:].astype(np.uint64)
    laid = colour * alpha + largest * (largest - alpha)
    return ((2 * laid + largest) // (2 * largest)).astype(pixels.dtype)
