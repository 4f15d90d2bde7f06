"""How a picture is brought to the size of what a net is given, and where its points go.

Nets that are trained here see pictures letterboxed and averaged over area. A net of Darknet's has
learnt from pictures that Darknet resized, and answers best to the same: its rule is here too, after
its `resize_image` and `letterbox_image` (pjreddie/darknet, src/image.c).
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from viewfinder.datasets.loading import LETTERBOX_FILL, letterboxed
from viewfinder.pictures.geometry import Matrix, Size, letterbox, scaling, stretch, translation
from viewfinder.pictures.quick_headers import picture_size
from viewfinder.pictures.reading import read_picture
from viewfinder.pictures.resampling import resample


@dataclass(frozen=True)
class Framing:
    """A rule by which pictures become what a net is given.

    Attributes:
        fit: `letterbox` keeps the aspect, with grey bars beside; `stretch` fills all.
        resizing: `area` averages what is made smaller; `corners` is Darknet's: bilinear between the
            pixels nearest, corner to corner, so that most of a large picture is passed over.
        grey: of the bars, from 0 to 255.
    """

    fit: Literal["letterbox", "stretch"] = "letterbox"
    resizing: Literal["area", "corners"] = "area"
    grey: float = LETTERBOX_FILL

    @property
    def values(self) -> "np.dtype":
        """The type of a framed picture's values: uint8, or by Darknet's resizing float32."""
        return np.dtype(np.float32 if self.resizing == "corners" else np.uint8)

    def __str__(self) -> str:
        rule = " as Darknet resizes" if self.resizing == "corners" else ""
        if self.fit == "stretch":
            return f"stretched{rule}"
        return f"letterboxed on grey {self.grey:g}{rule}"


USUAL = Framing()
"""How nets are given pictures that are trained here."""
DARKNET = Framing(resizing="corners", grey=127.5)
"""How Darknet gives them."""
STRETCHED = Framing("stretch", "corners", grey=127.5)
"""How the fork of Darknet gives them that most people train with."""


def frame(
    picture: NDArray[np.uint8], framing: Framing, size: Size, *, of: Size
) -> NDArray[np.uint8] | NDArray[np.float32]:
    """A picture as a net sees it, H×W×3: uint8, or by Darknet's resizing float32 in [0, 1].

    Args:
        picture: may have been decoded smaller than its true size `of`, but not for `corners`.
        size: width and height of what the net is given.
    """
    if framing.resizing == "corners":
        inner, (left, top) = _inside(framing, of, size)
        canvas = np.full((size[1], size[0], 3), framing.grey / 255, np.float32)
        canvas[top : top + inner[1], left : left + inner[0]] = resize_by_corners(picture, inner)
        return canvas
    if framing == USUAL:
        return letterboxed(picture, size, of=of)
    height, width = picture.shape[:2]
    matrix = frame_matrix(framing, of, size) @ stretch((width, height), of)
    return np.asarray(resample(picture, matrix, size, fill=framing.grey), np.uint8)


def frame_matrix(framing: Framing, of: Size, size: Size) -> Matrix:
    """Where the points of a picture of size `of` go when it is framed."""
    if framing.fit == "stretch":
        return stretch(of, size)
    if framing.resizing == "area":
        return letterbox(of, size)
    inner, _ = _inside(framing, of, size)
    # Darknet leads back from half pixels, though it puts the picture at whole ones.
    middle = translation((size[0] - inner[0]) / 2, (size[1] - inner[1]) / 2)
    return middle @ scaling(inner[0] / of[0], inner[1] / of[1])


def least_side(framing: Framing, size: Size) -> Size | None:
    """The size above which a decoder may make a picture smaller; None if it may not at all."""
    return None if framing.resizing == "corners" else size


def frame_file(
    path: Path, size: Size, framing: Framing, *, bits: int = 16
) -> NDArray[np.uint8] | NDArray[np.float32]:
    """A picture from its file, as `frame` gives it.

    Args:
        bits: how many the values of 16-bit pictures fill.

    Raises:
        InputError: it cannot be read.
    """
    picture = read_picture(path, at_least=least_side(framing, size), bits=bits)
    return frame(picture, framing, size, of=picture_size(path))


def resize_by_corners(picture: NDArray[np.uint8], size: Size) -> NDArray[np.float32]:
    """A picture at another size as Darknet makes it: float32 in [0, 1].

    Centres of corner pixels go to centres of corner pixels, and each pixel between is bilinear of
    the four that are nearest to where it comes from, however much smaller the picture becomes.

    Args:
        picture: H×W×3.
    """
    top, bottom, down = _neighbours(picture.shape[0], size[1])
    left, right, across = _neighbours(picture.shape[1], size[0])
    upper, lower = (
        _mix(rows[:, left], rows[:, right], across[:, None])
        for rows in (picture[side] * np.float32(1 / 255) for side in (top, bottom))
    )
    return _mix(upper, lower, down[:, None, None])


def _neighbours(
    source: int, target: int
) -> tuple[NDArray[np.intp], NDArray[np.intp], NDArray[np.float32]]:
    """Of each of `target` pixels in a row: the two that it lies between, and how near the second.

    In float32, as Darknet counts.
    """
    if target == 1:
        places = np.array([source - 1], np.float32)
    else:
        places = np.arange(target, dtype=np.float32) * np.float32((source - 1) / (target - 1))
        places[-1] = source - 1
    first = places.astype(np.intp)
    return first, np.minimum(first + 1, source - 1), places - first.astype(np.float32)


def _mix(
    one: NDArray[np.float32], other: NDArray[np.float32], share: NDArray[np.float32]
) -> NDArray[np.float32]:
    mixed: NDArray[np.float32] = one * (1 - share) + other * share
    return mixed


def _inside(framing: Framing, of: Size, size: Size) -> tuple[Size, tuple[int, int]]:
    """The size that a picture has within the frame, in whole pixels rounded down, and its place."""
    if framing.fit == "stretch":
        return size, (0, 0)
    if size[0] * of[1] < size[1] * of[0]:
        inner = size[0], max(1, of[1] * size[0] // of[0])
    else:
        inner = max(1, of[0] * size[1] // of[1]), size[1]
    return inner, ((size[0] - inner[0]) // 2, (size[1] - inner[1]) // 2)
