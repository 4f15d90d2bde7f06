"""Where one matrix takes pixels and boxes, fast enough to be done anew for every step.

`pictures.resampling.resample` averages over exactly the area that shrinks, and takes a millisecond
and a half for a 480×360 picture. Here it is halved, each time by an exact average, until what is
left to shrink is less than a half, and that is bilinear: less than half a millisecond. The error
is that of a mipmap, far below what an augmentation changes anyway.
"""

import cv2
import numpy as np
from numpy.typing import NDArray

from viewfinder.pictures.geometry import Matrix, stretch


def warp_into(
    target: NDArray[np.uint8], picture: NDArray[np.uint8], matrix: Matrix, *, fill: int | None
) -> None:
    """Write what `matrix` makes of a picture into a target, which may be a part of a larger one.

    Args:
        target: H×W or H×W×3, as the picture.
        fill: the value of what lies outside the picture; None repeats its edge.
    """
    picture, matrix = _halved(picture, matrix)
    # OpenCV counts from the centre of the first pixel, we from its corner.
    by_centres = matrix[:2].copy()
    by_centres[:, 2] += matrix[:2, :2].sum(axis=1) / 2 - 0.5
    cv2.warpAffine(
        picture,
        cv2.invertAffineTransform(by_centres),
        (target.shape[1], target.shape[0]),
        dst=target,
        flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP,
        borderMode=cv2.BORDER_REPLICATE if fill is None else cv2.BORDER_CONSTANT,
        borderValue=(fill or 0,) * 3,
    )


def moved_boxes(matrix: Matrix, boxes: NDArray[np.floating]) -> NDArray[np.float64]:
    """The upright boxes, M×4, around where the ellipse inscribed in each box goes.

    Without a turn that is where the box itself goes. With one, the corners of a box are seldom
    part of the object, and a box around them would grow far beyond it: by 41% at 45°, where the
    ellipse's does not grow at all for a square. An object that fills its corners loses them.
    """
    values = boxes.astype(np.float64)
    centres = (values[:, :2] + values[:, 2:]) / 2 @ matrix[:2, :2].T + matrix[:2, 2]
    halves = (values[:, 2:] - values[:, :2]) / 2
    reaches = np.sqrt(halves**2 @ (matrix[:2, :2] ** 2).T)
    return np.concatenate([centres - reaches, centres + reaches], axis=1)


def _halved(picture: NDArray[np.uint8], matrix: Matrix) -> tuple[NDArray[np.uint8], Matrix]:
    """The picture and its matrix after as many halvings as leave less than one to do."""
    while np.hypot(matrix[0, :2], matrix[1, :2]).max() <= 0.5 and min(picture.shape[:2]) > 1:
        height, width = picture.shape[:2]
        half = ((width + 1) // 2, (height + 1) // 2)
        picture = np.asarray(cv2.resize(picture, half, interpolation=cv2.INTER_AREA), np.uint8)
        matrix = matrix @ stretch(half, (width, height))
    return picture, matrix
