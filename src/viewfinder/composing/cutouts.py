"""Objects cut out of pictures along their masks, so that nothing of the old background is left."""

from dataclasses import dataclass, replace

import cv2
import numpy as np
from numpy.typing import NDArray

from viewfinder.errors import InputError
from viewfinder.pictures.geometry import stretch
from viewfinder.pictures.masks import box_around
from viewfinder.pictures.resampling import resample

# Room around a cut-out, in which its edge fades out.
_MARGIN = 4
# The mask's steps are blurred away by this standard deviation, in pixels of the picture it was cut
# from, and the edge is made steeper again by this factor.
_SOFT, _STEEP = 1.0, 1.5
# An erosion that takes more than this share of an object has met a thin or tiny one.
_MOST_ERODED = 0.5


@dataclass(frozen=True, eq=False)
class CutOut:
    """One object without its surroundings.

    Attributes:
        picture: H×W×3 uint8 RGB; beside the object it goes on in the object's own colours, so that
            an edge blends with these and with nothing of what once was there.
        alpha: H×W uint8, how opaque each pixel is; 0 all around the border.
        label: index of the object's class.
        source: the picture or the capture it comes from.
    """

    picture: NDArray[np.uint8]
    alpha: NDArray[np.uint8]
    label: int
    source: str

    @property
    def size(self) -> tuple[int, int]:
        """Width and height in pixels, with the margin."""
        return self.alpha.shape[1], self.alpha.shape[0]


def cut_out(picture: NDArray[np.uint8], mask: NDArray[np.bool_], label: int, source: str) -> CutOut:
    """Cut an object out along its mask, about a pixel within, with a soft edge.

    Args:
        picture: H×W×3.
        mask: H×W, true where the object is seen.

    Raises:
        InputError: the mask is empty or not of the picture's size, or the label is negative.
    """
    if picture.ndim != 3 or picture.shape[2] != 3 or picture.dtype != np.uint8:
        raise InputError(
            f"{source}: a cut-out is made of H×W×3 uint8, not of {picture.shape} {picture.dtype}"
        )
    if mask.shape != picture.shape[:2]:
        raise InputError(
            f"{source}: the mask is {mask.shape[1]}×{mask.shape[0]} and the picture "
            f"{picture.shape[1]}×{picture.shape[0]}: a mask lies on its own picture, pixel on pixel"
        )
    if label < 0:
        raise InputError(f"{source}: a cut-out needs a class, and {label} is the number of none")
    x1, y1, x2, y2 = box_around(mask)
    if x1 == x2:
        raise InputError(f"{source}: the mask is empty, so there is nothing to cut out")
    inside = mask[y1:y2, x1:x2].astype(np.uint8)
    # Where the picture ends, the object is taken to go on: nothing is eroded there.
    eroded = _eroded(inside, _room(mask.shape, (x1, y1, x2, y2)))
    # Colours are taken from a pixel further within: masks drawn by hand are off by about that.
    core = _bordered(_eroded(eroded, (0, 0, 0, 0)))
    colours = cv2.copyMakeBorder(picture[y1:y2, x1:x2], *(_MARGIN,) * 4, cv2.BORDER_REPLICATE)
    return CutOut(_spread(np.asarray(colours, np.uint8), core), _softened(eroded), label, source)


def is_cut_off(mask: NDArray[np.bool_]) -> bool:
    """Whether an H×W mask reaches the picture's edge, beyond which its object may go on."""
    return bool(mask[[0, -1]].any() or mask[:, [0, -1]].any())


def fitted(cutout: CutOut, longest: int) -> CutOut:
    """The cut-out with its longer side at most this long, so that using it costs less."""
    width, height = cutout.size
    scale = longest / max(width, height)
    if scale >= 1:
        return cutout
    size = max(1, round(width * scale)), max(1, round(height * scale))
    matrix = stretch(cutout.size, size)
    return replace(
        cutout,
        picture=resample(cutout.picture, matrix, size),
        alpha=resample(cutout.alpha, matrix, size),
    )


def _softened(mask: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """The opacity of a mask with a border around it, on which it is 0."""
    soft = cv2.GaussianBlur(_bordered(mask).astype(np.float32) * 255, (0, 0), _SOFT)
    alpha: NDArray[np.uint8] = np.clip((soft - 127.5) * _STEEP + 128, 0, 255).astype(np.uint8)
    alpha[[0, -1]] = 0
    alpha[:, [0, -1]] = 0
    return alpha


def _bordered(mask: NDArray[np.uint8]) -> NDArray[np.uint8]:
    return np.asarray(np.pad(mask, _MARGIN), np.uint8)


def _room(shape: tuple[int, ...], box: tuple[int, int, int, int]) -> tuple[int, int, int, int]:
    """1 for each side of a box, top, bottom, left, right, beyond which the picture goes on."""
    x1, y1, x2, y2 = box
    return int(y1 > 0), int(y2 < shape[0]), int(x1 > 0), int(x2 < shape[1])


def _eroded(mask: NDArray[np.uint8], room: tuple[int, int, int, int]) -> NDArray[np.uint8]:
    """The mask a pixel smaller, or the mask itself where little would be left of it.

    Args:
        room: 1 for each side, top, bottom, left, right, on which the mask is known to end.
    """
    top, bottom, left, right = room
    padded = cv2.copyMakeBorder(mask, top, bottom, left, right, cv2.BORDER_CONSTANT, value=0)
    cross = cv2.getStructuringElement(cv2.MORPH_CROSS, (3, 3))
    small = cv2.erode(padded, cross)[top : top + mask.shape[0], left : left + mask.shape[1]]
    enough = small.sum() >= (1 - _MOST_ERODED) * mask.sum()
    return np.asarray(small if enough else mask, np.uint8)


def _spread(colours: NDArray[np.uint8], core: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """The picture in which each pixel outside `core` has the colour of the nearest one within."""
    _, nearest = cv2.distanceTransformWithLabels(
        1 - core, cv2.DIST_L2, 5, labelType=cv2.DIST_LABEL_PIXEL
    )
    # OpenCV numbers the pixels within from 1, in an order of its own.
    within = core > 0
    table = np.zeros((int(nearest.max()) + 1, 3), np.uint8)
    table[nearest[within]] = colours[within]
    return np.asarray(table[nearest], np.uint8)
