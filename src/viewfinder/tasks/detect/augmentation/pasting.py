"""Objects cut out of other pictures and pasted over one, and what that leaves of its own.

Ghiasi et al.: "Simple copy-paste is a strong data augmentation method for instance segmentation",
2021. An object is cut along its outline where it has one, else along its box with a soft edge, so
that some of its own background comes with it.

What is pasted hides what lies below it. An object of which less than `LEAST_LEFT` stays to be seen
is no truth any more; another's box shrinks to what is left, by its outline where it has one. Of a
mere box it is not known where the object is: it shrinks where a whole edge of it is covered.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from viewfinder.pictures.geometry import Matrix, translation
from viewfinder.pictures.masks import Area, box_around
from viewfinder.pictures.warping import moved_boxes, warp_into
from viewfinder.tasks.detect.examples.opening import BoxExamples
from viewfinder.tasks.detect.examples.outlines import draw_outline

LEAST_LEFT = 0.5
"""Share of an object that must stay uncovered."""

# Of a box's shorter side: how wide the edge is along which a box fades into the picture.
_SOFT = 0.1


@dataclass(frozen=True, eq=False)
class PastedObjects:
    """K objects as they stand in one made picture.

    Attributes:
        boxes: K×4 float64, in its pixels.
        rows: K int64, what they are among the examples.
        matrices: K×3×3 float64, which led from their kept picture to the made one.
    """

    boxes: NDArray[np.float64]
    rows: NDArray[np.int64]
    matrices: NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Paste:
    """An object to paste.

    Attributes:
        row: which, among the examples.
        picture: the picture that it is cut from.
        matrix: from that picture, as kept, to the one being made.
    """

    row: int
    picture: int
    matrix: Matrix


@dataclass(frozen=True, eq=False)
class _Canvas:
    """A picture that is pasted into.

    Attributes:
        made: H×W×3.
        top: H×W, which paste is uppermost at each pixel, from 1; 0 where the picture itself shows.
    """

    made: NDArray[np.uint8]
    top: NDArray[np.int16]


def joined(parts: Sequence[PastedObjects]) -> PastedObjects:
    """The objects of all parts, in their order."""
    return PastedObjects(
        np.concatenate([part.boxes for part in parts]),
        np.concatenate([part.rows for part in parts]),
        np.concatenate([part.matrices for part in parts]),
    )


def paste_objects(
    made: NDArray[np.uint8],
    objects: PastedObjects,
    pastes: Sequence[Paste],
    examples: BoxExamples,
    pictures: Mapping[int, NDArray[np.uint8]],
) -> PastedObjects:
    """Paste objects into a picture, one over the other.

    Args:
        made: H×W×3, changed in place.
        objects: those in it before.
        pictures: the kept pictures that are cut from, by number.

    Returns:
        What is to be seen in the end, of those before and of the pasted.
    """
    canvas = _Canvas(made, np.zeros(made.shape[:2], np.int16))
    boxes = [
        _paste(canvas, order, paste, examples, pictures[paste.picture])
        for order, paste in enumerate(pastes, 1)
    ]
    pasted = PastedObjects(
        np.array(boxes).reshape(-1, 4),
        np.array([paste.row for paste in pastes], np.int64),
        np.array([paste.matrix for paste in pastes]).reshape(-1, 3, 3),
    )
    orders = np.concatenate([np.zeros(len(objects.rows), int), np.arange(len(pastes)) + 1])
    return _uncovered(joined([objects, pasted]), orders, canvas.top, examples)


def _paste(
    canvas: _Canvas,
    order: int,
    paste: Paste,
    examples: BoxExamples,
    picture: NDArray[np.uint8],
) -> NDArray[np.float64]:
    """Paste one object, note where in `top`, and tell its box; one without area if none is seen."""
    made, top = canvas.made, canvas.top
    corners = examples.corners[paste.row]
    x, y, right, below = area = _whole_pixels(corners, picture.shape)
    x1, y1, x2, y2 = _whole_pixels(_around(paste.matrix, area), made.shape)
    if x1 >= x2 or y1 >= y2:
        return np.zeros(4)
    outline = examples.outlines.get(paste.row)
    mask = _soft_edged(right - x, below - y) if outline is None else draw_outline(outline, area)
    matrix = translation(-x1, -y1) @ paste.matrix @ translation(x, y)
    seen, cover = np.empty((y2 - y1, x2 - x1, 3), np.uint8), np.empty((y2 - y1, x2 - x1), np.uint8)
    warp_into(seen, picture[y:below, x:right], matrix, fill=None)
    warp_into(cover, mask, matrix, fill=0)
    weights = cover * np.float32(1 / 255)
    part = made[y1:y2, x1:x2]
    part[...] = cv2.blendLinear(seen, part, weights, 1 - weights)
    covered = cover > 127
    top[y1:y2, x1:x2][covered] = order
    if outline is not None:
        return _hull(covered, x1, y1)
    height, width = made.shape[:2]
    box = moved_boxes(paste.matrix, corners[None])[0]
    return np.asarray(np.clip(box, 0, (width, height, width, height)))


def _uncovered(
    objects: PastedObjects, orders: NDArray[np.int64], top: NDArray[np.int16], examples: BoxExamples
) -> PastedObjects:
    """What is left of objects under the pastes that came after them."""
    boxes, kept = objects.boxes.copy(), np.ones(len(objects.rows), np.bool_)
    for index in _touched(boxes, top):
        x1, y1, x2, y2 = area = _whole_pixels(boxes[index], top.shape)
        hidden = top[y1:y2, x1:x2] > orders[index]
        if not hidden.any():
            continue
        shape = _silhouette(examples, int(objects.rows[index]), objects.matrices[index], area)
        left = shape & ~hidden
        kept[index] = np.count_nonzero(left) >= LEAST_LEFT * np.count_nonzero(shape)
        if kept[index]:
            before, after = _hull(shape, x1, y1), _hull(left, x1, y1)
            # An edge that is not covered stays where it was, to a fraction of a pixel.
            shrunk = np.where(before == after, boxes[index], after)
            lower, upper = boxes[index, [0, 1, 0, 1]], boxes[index, [2, 3, 2, 3]]
            boxes[index] = np.clip(shrunk, lower, upper)
    return PastedObjects(boxes[kept], objects.rows[kept], objects.matrices[kept])


def _touched(boxes: NDArray[np.float64], top: NDArray[np.int16]) -> list[int]:
    """Which boxes meet the hull of all that was pasted: few, where the pictures hold many."""
    x1, y1, x2, y2 = _hull(top > 0, 0, 0)
    outside = (boxes[:, 0] >= x2) | (boxes[:, 1] >= y2)
    outside |= (boxes[:, 2] <= x1) | (boxes[:, 3] <= y1)
    return np.flatnonzero(~outside).tolist()


def _silhouette(examples: BoxExamples, row: int, matrix: Matrix, area: Area) -> NDArray[np.bool_]:
    """Where in an area of the made picture an object is: all over, if only its box is known."""
    x1, y1, x2, y2 = area
    shape = np.ones((y2 - y1, x2 - x1), np.bool_)
    outline = examples.outlines.get(row)
    if outline is None:
        return shape
    width, height = outline.size
    source = _whole_pixels(examples.corners[row], (height, width))
    cover = np.empty(shape.shape, np.uint8)
    from_source = translation(-x1, -y1) @ matrix @ translation(source[0], source[1])
    warp_into(cover, draw_outline(outline, source), from_source, fill=0)
    inside = cover > 127
    return inside if inside.any() else shape


def _soft_edged(width: int, height: int) -> NDArray[np.uint8]:
    """H×W, 255 within and falling towards the edges."""
    ramp = max(1.0, _SOFT * min(width, height))
    right, down = (
        np.minimum(np.minimum(places, places[::-1]) * (255 / ramp), 255).astype(np.uint8)
        for places in (np.arange(width) + 0.5, np.arange(height) + 0.5)
    )
    return np.asarray(np.minimum(down[:, None], right))


def _around(matrix: Matrix, area: Area) -> list[float]:
    """The upright box around where an area goes."""
    x1, y1, x2, y2 = area
    (a, b, c), (d, e, f), _ = matrix.tolist()
    xs = [a * x + b * y + c for x in (x1, x2) for y in (y1, y2)]
    ys = [d * x + e * y + f for x in (x1, x2) for y in (y1, y2)]
    return [min(xs), min(ys), max(xs), max(ys)]


def _whole_pixels(box: NDArray[np.generic] | Sequence[float], shape: tuple[int, ...]) -> Area:
    """The pixels of a picture of this shape that a box touches."""
    # Plain numbers: for four of them NumPy takes five times as long.
    x1, y1, x2, y2 = (float(edge) for edge in box)
    height, width = shape[:2]
    return (
        max(math.floor(x1), 0),
        max(math.floor(y1), 0),
        min(math.ceil(x2), width),
        min(math.ceil(y2), height),
    )


def _hull(mask: NDArray[np.bool_], x: int, y: int) -> NDArray[np.float64]:
    """The box around what is true in a mask whose corner is at (x, y); no area if nothing is."""
    x1, y1, x2, y2 = box_around(mask)
    return np.array([x + x1, y + y1, x + x2, y + y2], np.float64)
