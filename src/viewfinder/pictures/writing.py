"""Writing pictures, cut-outs, maps, depth, masks and instances: whole or not, under any path."""

import base64
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from viewfinder.errors import InputError
from viewfinder.files import write_bytes

_SUFFIXES = {
    ".png": ".png",
    ".jpg": ".jpg",
    ".jpeg": ".jpg",
    ".webp": ".webp",
    ".bmp": ".bmp",
}
# Of the pictures that stand inside a page.
_ON_PAGES = 85
_MOST_INSTANCES = np.iinfo(np.uint16).max


def write_picture(path: Path, picture: NDArray[np.uint8], *, quality: int = 92) -> None:
    """Write H×W×3 RGB in the format of the path's suffix: .png, .jpg, .jpeg, .webp or .bmp.

    Args:
        quality: 1 to 100, of JPEG and WebP; the others lose nothing.

    Raises:
        InputError: the suffix is another one, or the file cannot be written.
        ValueError: `picture` is not H×W×3 uint8.
    """
    if path.suffix.lower() not in _SUFFIXES:
        raise InputError(f"cannot write {path}: end its name in one of {', '.join(_SUFFIXES)}")
    write_bytes(path, encode_picture(picture, path.suffix, quality=quality))


def encode_picture(picture: NDArray[np.uint8], suffix: str, *, quality: int = 92) -> bytes:
    """The bytes of the file that `write_picture` would write under a name with this suffix.

    Raises:
        ValueError: `picture` is not H×W×3 uint8, or `suffix` is not one that can be written.
    """
    if picture.ndim != 3 or picture.shape[2] != 3 or picture.dtype != np.uint8:
        raise ValueError(f"a picture is H×W×3 uint8, not {picture.shape} {picture.dtype}")
    if not 1 <= quality <= 100:
        raise ValueError(f"quality is from 1 to 100, not {quality}")
    if suffix.lower() not in _SUFFIXES:
        raise ValueError(f"no way is known to write a {suffix!r}")
    kind = _SUFFIXES[suffix.lower()]
    options = {
        ".jpg": [cv2.IMWRITE_JPEG_QUALITY, quality],
        ".webp": [cv2.IMWRITE_WEBP_QUALITY, quality],
    }
    return _encoded(kind, picture[..., ::-1], options.get(kind, []))


def write_depth(path: Path, depth: NDArray[np.float32]) -> None:
    """Write H×W depth in [0, 1] as a grey PNG of 16 bits, near = bright.

    Raises:
        InputError: the path does not end in .png, or cannot be written.
        ValueError: `depth` is not H×W floating point, or leaves [0, 1].
    """
    if depth.ndim != 2 or not np.issubdtype(depth.dtype, np.floating):
        raise ValueError(f"a depth map is H×W floating point, not {depth.shape} {depth.dtype}")
    if not ((depth >= 0) & (depth <= 1)).all():  # false of NaN too
        raise ValueError("a depth map's values are within [0, 1]")
    _write_png(path, np.rint(depth.astype(np.float64) * 65535).astype(np.uint16))


def write_mask(path: Path, mask: NDArray[np.bool_]) -> None:
    """Write an H×W mask as a grey PNG: 255 where true, 0 elsewhere.

    Raises:
        InputError: the path does not end in .png, or cannot be written.
        ValueError: `mask` is not H×W bool.
    """
    if mask.ndim != 2 or mask.dtype != np.bool_:
        raise ValueError(f"a mask is H×W bool, not {mask.shape} {mask.dtype}")
    _write_png(path, mask.astype(np.uint8) * np.uint8(255))


def write_map(path: Path, values: NDArray[np.floating]) -> None:
    """Write H×W shares in [0, 1] as a grey PNG of 8 bits: 255 is 1.

    Raises:
        InputError: the path does not end in .png, or cannot be written.
        ValueError: `values` is not H×W floating point, or leaves [0, 1].
    """
    if values.ndim != 2 or not np.issubdtype(values.dtype, np.floating):
        raise ValueError(f"a map is H×W floating point, not {values.shape} {values.dtype}")
    _write_png(path, _bytes_of(values))


def write_cut_out(path: Path, picture: NDArray[np.uint8], opacity: NDArray[np.floating]) -> None:
    """Write H×W×3 RGB as a PNG that is as opaque, pixel by pixel, as H×W `opacity` in [0, 1].

    Where nothing is to be seen the file holds black, and so does not carry the background along.

    Raises:
        InputError: the path does not end in .png, or cannot be written.
        ValueError: `picture` is not H×W×3 uint8, or `opacity` is of other sides or leaves [0, 1].
    """
    if picture.ndim != 3 or picture.shape[2] != 3 or picture.dtype != np.uint8:
        raise ValueError(f"a picture is H×W×3 uint8, not {picture.shape} {picture.dtype}")
    if opacity.shape != picture.shape[:2]:
        raise ValueError(f"the opacity is {opacity.shape}, and the picture {picture.shape[:2]}")
    alpha = _bytes_of(opacity)[..., np.newaxis]
    visible = np.where(alpha > 0, picture[..., ::-1], np.uint8(0))
    _write_png(path, np.concatenate([visible, alpha], axis=2))


def write_instances(path: Path, instances: NDArray[np.integer]) -> None:
    """Write H×W instance numbers, 0 to 65535, exactly, as a grey PNG of 16 bits.

    Raises:
        InputError: the path does not end in .png, or cannot be written.
        ValueError: `instances` is not H×W integers, or a number is out of range.
    """
    if instances.ndim != 2 or not np.issubdtype(instances.dtype, np.integer):
        raise ValueError(f"instances are H×W integers, not {instances.shape} {instances.dtype}")
    if instances.size and not 0 <= instances.min() <= instances.max() <= _MOST_INSTANCES:
        raise ValueError(f"instance numbers are from 0 to {_MOST_INSTANCES}")
    _write_png(path, instances.astype(np.uint16))


def _bytes_of(values: NDArray[np.floating]) -> NDArray[np.uint8]:
    if not ((values >= 0) & (values <= 1)).all():  # false of NaN too
        raise ValueError("a map's values are within [0, 1]")
    shares: NDArray[np.uint8] = np.rint(values * 255).astype(np.uint8)
    return shares


def _write_png(path: Path, pixels: NDArray[np.unsignedinteger]) -> None:
    if path.suffix.lower() != ".png":
        raise InputError(f"cannot write {path}: exact values need PNG, so end its name in .png")
    write_bytes(path, _encoded(".png", pixels, []))


def _encoded(kind: str, pixels: NDArray[np.unsignedinteger], options: list[int]) -> bytes:
    height, width = pixels.shape[:2]
    if not pixels.size:
        raise ValueError(f"there are no pixels to write in {width}×{height}")
    try:
        done, data = cv2.imencode(kind, np.ascontiguousarray(pixels), options)
    except cv2.error as error:
        raise ValueError(f"{width}×{height} pixels do not fit into a {kind} file") from error
    if not done:
        raise ValueError(f"{width}×{height} pixels do not fit into a {kind} file")
    return data.tobytes()


def picture_url(picture: NDArray[np.uint8]) -> str:
    """H×W×3 as a data URL, for an `img` that needs no other file."""
    data = base64.b64encode(encode_picture(picture, ".jpg", quality=_ON_PAGES)).decode()
    return f"data:image/jpeg;base64,{data}"
