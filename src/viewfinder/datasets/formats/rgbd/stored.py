"""The values that a file of a mask or of depth stores: a grey picture, or a grid of numbers."""

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from viewfinder.pictures.arrays import is_array, read_array
from viewfinder.pictures.reading import LOSSY, read_depth, read_header, read_mask

# Share of a border's pixels that are as good as all, with the noise of a JPEG.
_ALL_AROUND = 0.98


def stored_depth(file: Path) -> np.ndarray:
    """H×W, the values that a depth file stores.

    uint8 or uint16 of pictures and of arrays of these types, float64 of other arrays.

    Raises:
        InputError: the file cannot be read, or it is in colour.
    """
    if is_array(file):
        values = read_array(file)
        unsigned = values.dtype.kind == "u" and values.dtype.itemsize <= 2
        return values.astype(values.dtype.newbyteorder("=") if unsigned else np.float64)
    kind = np.uint16 if read_header(file).bits == 16 else np.uint8
    return np.asarray(np.rint(read_depth(file) * np.float32(np.iinfo(kind).max)).astype(kind))


def stored_mask(file: Path) -> NDArray[np.bool_]:
    """H×W, true where a mask is brighter than half of white.

    White is the greatest value of a picture's bits, or 1 where it is of a lossless format and none
    is greater; of an array 1 where none is greater, else the greatest value of 8 bits or, of wider
    numbers beyond these, of 16.

    Raises:
        InputError: the file cannot be read, or it is in colour.
    """
    if not is_array(file):
        mask = read_mask(file)
        return mask if mask.any() or not _of_zero_and_one(file) else read_depth(file) > 0
    values = read_array(file)
    return np.asarray(values > _white(values) / 2)


def brightest(file: Path) -> float:
    """The greatest value of a mask as a share of white.

    Raises:
        InputError: the file cannot be read, or it is in colour.
    """
    if not is_array(file):
        return 1.0 if _of_zero_and_one(file) else float(read_depth(file).max())
    values = read_array(file)
    return max(0.0, float(np.nanmax(values.astype(np.float64), initial=0.0)) / _white(values))


def _of_zero_and_one(file: Path) -> bool:
    """Whether a picture stores 1 where others have white, as masks for programs often do.

    What noise a lossy format leaves in a black picture is no such thing.
    """
    header = read_header(file)
    if header.format in LOSSY or header.bits > 8:
        return False
    return round(float(read_depth(file).max()) * 255) == 1


def _white(values: np.ndarray) -> float:
    greatest = float(np.nanmax(values.astype(np.float64), initial=0.0))
    return next((float(white) for white in (1, 255) if greatest <= white), 65535.0)


def looks_inverted(mask: NDArray[np.bool_]) -> bool:
    """Whether a mask seems to show the background: most of the picture, and all of its border."""
    border = np.concatenate([mask[0], mask[-1], mask[:, 0], mask[:, -1]])
    return bool(mask.mean() > 0.5 and border.mean() >= _ALL_AROUND and not mask.all())
