"""The objects of a COCO file whose values are all of the usual kinds, as columns at once."""

import math
from collections.abc import Sequence
from itertools import chain, pairwise
from operator import attrgetter
from typing import Any

import numpy as np
from numpy.typing import NDArray

from viewfinder.datasets.boxes import ENDLESS
from viewfinder.datasets.formats.coco.rows import AnnotationRows
from viewfinder.datasets.formats.typed_json import NotPlain, TypedObjects

_Box = tuple[float, float, float, float]
_Outline = list[list[float]] | dict[str, Any] | None
_IMAGE: dict[str, tuple[Any, ...]] = {
    "id": (int,),
    "file_name": (str,),
    "width": (int, 0),
    "height": (int, 0),
}
_ANNOTATION: dict[str, tuple[Any, ...]] = {
    "image_id": (int,),
    "category_id": (int,),
    "bbox": (_Box,),
    "id": (int, 0),
    "iscrowd": (int, 0),
    "area": (float, math.nan),
    "segmentation": (_Outline, None),
}
# The rows' names of whole numbers.
_WHOLE = {"image": "image_id", "class": "category_id", "id": "id", "crowd": "iscrowd"}


class TypedRows:
    """Fills the rows of a file whose values are all plain."""

    def __init__(self, rows: AnnotationRows) -> None:
        self._rows = rows
        self._images = TypedObjects(_IMAGE, elsewhere=frozenset({"group", "video_id"}))
        elsewhere = frozenset({"difficult", "attributes"})
        self._annotations = TypedObjects(_ANNOTATION, elsewhere=elsewhere)

    def take_images(self, piece: bytes) -> bool:
        """Add pictures; false where the piece is cut through one.

        Raises:
            NotPlain: a value is no plain one; so too the next.
        """
        objects = self._images.decode(piece)
        if objects is None:
            return False
        self._count(self._images, objects, "images")
        names = list(map(attrgetter("file_name"), objects))
        if not all(map(str.strip, names)):
            raise NotPlain
        images = self._rows.images
        images.ids += _whole(objects, "id").tolist()
        images.names += names
        images.widths += _whole(objects, "width").tolist()
        images.heights += _whole(objects, "height").tolist()
        images.groups += [""] * len(objects)
        return True

    def take_annotations(self, piece: bytes) -> bool:
        """Add boxes; false where the piece is cut through one."""
        objects = self._annotations.decode(piece)
        if objects is None:
            return False
        self._count(self._annotations, objects, "annotations")
        numbers = chain.from_iterable(map(attrgetter("bbox"), objects))
        outlines = list(map(attrgetter("segmentation"), objects))
        if outlines.count(None) < len(outlines):
            _take_outlines(self._rows, outlines)
        self._rows.add_boxes(
            {
                **{name: _whole(objects, key) for name, key in _WHOLE.items()},
                "difficult": np.zeros(len(objects), np.int64),
                "area": np.fromiter(map(attrgetter("area"), objects), np.float64, len(objects)),
                "box": np.fromiter(numbers, np.float64, 4 * len(objects)).reshape(-1, 4),
            }
        )
        return True

    def _count(self, typed: TypedObjects, objects: list[Any], kind: str) -> None:
        for key, count in typed.others(objects).items():
            self._rows.unread[f"{key} ({kind})"] += count


def _whole(objects: Sequence[Any], name: str) -> NDArray[np.int64]:
    """A column of whole numbers of 64 bits."""
    try:
        return np.fromiter(map(attrgetter(name), objects), np.int64, len(objects))
    except OverflowError:
        raise NotPlain from None


def _take_outlines(rows: AnnotationRows, outlines: Sequence[Any]) -> None:
    """Take the outlines of a piece; plain polygons share one array of numbers."""
    polygons = chain.from_iterable(filter(_is_plain, outlines))
    numbers = np.fromiter(chain.from_iterable(polygons), np.float64)
    small = bool((np.abs(numbers) < ENDLESS).all())
    place = 0
    for row, outline in enumerate(outlines, rows.count):
        if small and _is_plain(outline):
            ends = [place, *(place := place + len(points) for points in outline)]
            rows.segmentations[row] = [numbers[one:other] for one, other in pairwise(ends)]
        elif outline:
            rows.take_segmentation(row, outline)


def _is_plain(outline: Any) -> bool:
    """Whether an outline is of polygons, and these no pairs of numbers, which mean one polygon."""
    return bool(outline) and isinstance(outline, list) and min(map(len, outline)) > 2
