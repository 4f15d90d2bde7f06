"""The outlines of objects, as polygons or COCO's run lengths, drawn as masks where needed."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
from hotcoco import mask as run_lengths
from numpy.typing import NDArray

from viewfinder.console import note
from viewfinder.datasets.boxes import Boxes, Segmentation

Area = tuple[int, int, int, int]
"""A part of a picture, x1, y1, x2, y2 in whole pixels."""

# Masks are drawn at four times their size and averaged, for OpenCV fills pixels or leaves them.
_FINER = 4
# Beyond any picture, and yet a number that OpenCV can fill to.
_FAR = 1 << 20


@dataclass(frozen=True, eq=False)
class Outline:
    """What shows of an object in a picture as it is kept.

    Attributes:
        polygons: K×2 float64 points each, in pixels of the kept picture; their union is meant.
        runs: COCO's run lengths in pixels of the file, where there are no polygons.
        size: width and height of the picture as kept.
    """

    polygons: tuple[NDArray[np.float64], ...]
    runs: dict[str, Any] | None
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
        runs = {"size": segmentation.get("size"), "counts": segmentation.get("counts")}
        # Before anything is decoded: a few bytes can claim to be an enormous mask.
        if runs["size"] != true[::-1].tolist():
            return None
        try:
            return Outline((), runs, size) if _decoded(runs).any() else None
        except (ValueError, TypeError):
            return None
    if any(len(points) % 2 or not np.isfinite(points).all() for points in segmentation):
        return None
    shapes = [points.reshape(-1, 2) * (kept / true) for points in segmentation if len(points) >= 6]
    return Outline(tuple(shapes), None, size) if shapes else None


def _decoded(runs: dict[str, Any]) -> NDArray[np.uint8]:
    """H×W, 1 within."""
    height, width = runs["size"]
    if isinstance(runs["counts"], list):
        runs = run_lengths.frPyObjects(runs, height, width)
    return np.ascontiguousarray(run_lengths.decode(runs), np.uint8)


def draw_outline(outline: Outline, area: Area) -> NDArray[np.uint8]:
    """How much of each pixel of an area of the kept picture the object covers: H×W, 0 to 255."""
    x1, y1, x2, y2 = area
    if outline.runs is not None:
        mask = cv2.resize(255 * _decoded(outline.runs), outline.size, interpolation=cv2.INTER_AREA)
        return np.asarray(mask[y1:y2, x1:x2], np.uint8)
    fine = np.zeros(((y2 - y1) * _FINER, (x2 - x1) * _FINER), np.uint8)
    for points in outline.polygons:
        # Down, since OpenCV counts from the centre of the first pixel and we from its corner.
        moved = np.floor(np.clip((points - (x1, y1)) * _FINER, -_FAR, _FAR))
        cv2.fillPoly(fine, [moved.astype(np.int32)], 255)
    return np.asarray(cv2.resize(fine, (x2 - x1, y2 - y1), interpolation=cv2.INTER_AREA), np.uint8)
