"""The outlines of objects, as polygons or COCO's run lengths, drawn as masks where needed."""

from collections.abc import Mapping
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from viewfinder.datasets.boxes import Boxes
from viewfinder.errors import InputError
from viewfinder.events import note
from viewfinder.pictures.masks import Area, Runs, Segmentation, checked_runs, coverage, decode

# Each side of a pixel is divided into so many parts: less than for a label, for speed.
_FINE = 4


@dataclass(frozen=True, eq=False)
class Outline:
    """What shows of an object in a picture as it is kept.

    Attributes:
        polygons: K×2 float64 points each, in pixels of the kept picture; their union is meant.
        runs: COCO's run lengths in pixels of the file, where there are no polygons.
        size: width and height of the picture as kept.
    """

    polygons: tuple[NDArray[np.float64], ...]
    runs: Runs | None
    size: tuple[int, int]


def readable_outlines(
    boxes: Boxes, true: NDArray[np.int64], kept: NDArray[np.int64]
) -> Mapping[int, Outline]:
    """The outlines of those boxes that have one, by row; what cannot be drawn counts as none.

    Args:
        true: N×2, width and height of the pictures' files, which segmentations speak of.
        kept: N×2, width and height of the pictures as kept.
    """
    pictures = boxes.pictures()
    outlines, damaged = {}, 0
    for row, segmentation in boxes.segmentations.items():
        # A crowd is never cut out.
        if boxes.crowd[row]:
            continue
        picture = pictures[row]
        outline = _outline(segmentation, true[picture], kept[picture])
        if outline is None:
            damaged += 1
        else:
            outlines[row] = outline
    if damaged:
        note(
            f"{damaged:,} outline{'s' if damaged > 1 else ''} cannot be drawn, having fewer than "
            "three points, other numbers, or another size than the picture: their boxes are used"
        )
    return outlines


def _outline(
    segmentation: Segmentation, true: NDArray[np.int64], kept: NDArray[np.int64]
) -> Outline | None:
    size = (int(kept[0]), int(kept[1]))
    if isinstance(segmentation, dict):
        try:
            runs = checked_runs(segmentation, (int(true[0]), int(true[1])))
        except InputError:
            return None
        return Outline((), segmentation, size) if runs[1::2].any() else None
    if any(len(points) % 2 or not np.isfinite(points).all() for points in segmentation):
        return None
    shapes = [points.reshape(-1, 2) * (kept / true) for points in segmentation if len(points) >= 6]
    return Outline(tuple(shapes), None, size) if shapes else None


def draw_outline(outline: Outline, area: Area) -> NDArray[np.uint8]:
    """How much of each pixel of an area of the kept picture the object covers: H×W, 0 to 255."""
    if outline.runs is None:
        return coverage(outline.polygons, area, fine=_FINE)
    height, width = outline.runs["size"]
    mask = 255 * decode(outline.runs, (width, height)).view(np.uint8)
    x1, y1, x2, y2 = area
    return np.asarray(cv2.resize(mask, outline.size, interpolation=cv2.INTER_AREA)[y1:y2, x1:x2])
