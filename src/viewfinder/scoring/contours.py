"""Contours of masks, compared: B. Cheng et al., "Boundary IoU", CVPR 2021."""

import cv2
import numpy as np
from numpy.typing import NDArray


def boundary_iou(one: NDArray[np.bool_], other: NDArray[np.bool_]) -> float:
    """Intersection over union of two masks' bands along their contours.

    Two empty masks agree: 1.

    Args:
        one, other: H×W, as `contour_band` gives them.
    """
    union = int(np.count_nonzero(one | other))
    return int(np.count_nonzero(one & other)) / union if union else 1.0


def contour_band(mask: NDArray[np.bool_], *, share: float = 0.02) -> NDArray[np.bool_]:
    """What of a mask lies no farther from its contour, or from the picture's edge, than `share` of
    the picture's diagonal."""
    reach = max(1, round(share * float(np.hypot(*mask.shape))))
    x, y, width, height = cv2.boundingRect(mask.view(np.uint8))
    if width == 0:
        return mask
    # With a border of background, so that the picture's edge is a contour too.
    framed = np.zeros((height + 2, width + 2), np.uint8)
    framed[1:-1, 1:-1] = mask[y : y + height, x : x + width]
    window = np.ones((2 * reach + 1, 2 * reach + 1), np.uint8)
    inner = cv2.erode(framed, window, borderType=cv2.BORDER_CONSTANT, borderValue=0)
    band = np.zeros_like(mask)
    band[y : y + height, x : x + width] = (framed - inner)[1:-1, 1:-1] > 0
    return band
