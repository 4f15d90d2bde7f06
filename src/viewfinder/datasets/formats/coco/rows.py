"""The pictures and annotations of one COCO file, gathered as columns while it is read."""

import math
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from itertools import chain

import numpy as np
from numpy.typing import NDArray

from viewfinder.datasets.boxes import ENDLESS, BoxTrack
from viewfinder.datasets.formats.json_columns import (
    boxes_or_nan,
    identities,
    numbers,
    text_of,
    whole_numbers,
)
from viewfinder.datasets.formats.large_json import Objects
from viewfinder.errors import InputError
from viewfinder.pictures.masks import Segmentation, extent_of

_IMAGE_FIELDS = {"id", "file_name", "width", "height", "group", "video_id"}
_BOX_FIELDS = {"id", "image_id", "category_id", "bbox", "iscrowd", "area", "segmentation"}
_BOX_FIELDS |= {"difficult", "attributes"}
# What is counted of outlines that cannot be used.
NO_OUTLINES = (
    "segmentations of neither polygons nor run lengths",
    "segmentations with coordinates that are no finite numbers",
)


@dataclass
class Images:
    """The pictures of a file, as columns."""

    ids: list[int] = field(default_factory=list)
    names: list[str] = field(default_factory=list)
    widths: list[int] = field(default_factory=list)
    heights: list[int] = field(default_factory=list)
    groups: list[str] = field(default_factory=list)


@dataclass
class AnnotationRows:
    """What has been read of a file so far.

    Attributes:
        where: the file, for messages.
        segmentations: the outlines by the number of their annotation, of `count` so far.
        tracks: so of those boxes that are followed through a video.
        unread: what was passed over, and how often.
        from_outlines: how many boxes `fill_boxes` took from outlines.
        texts: the numbers of texts that stand where a number should, for pictures, boxes, classes.
    """

    where: str
    images: Images = field(default_factory=Images)
    boxes: dict[str, list[np.ndarray]] = field(default_factory=dict)
    segmentations: dict[int, Segmentation] = field(default_factory=dict)
    tracks: dict[int, BoxTrack] = field(default_factory=dict)
    unread: Counter[str] = field(default_factory=Counter)
    texts: dict[str, dict[str, int]] = field(
        default_factory=lambda: {"image": {}, "box": {}, "class": {}}
    )
    count: int = 0
    from_outlines: int = 0

    def take_images(self, objects: Objects) -> None:
        """Add pictures."""
        present = self.count_unread(objects, _IMAGE_FIELDS, "images")
        grouped = present & {"group", "video_id"}
        where = f"{self.where}: an image"
        images = self.images
        images.ids += identities(objects, "id", where, self.texts["image"]).tolist()
        images.names += [text_of(item, "file_name", where) for item in objects]
        images.widths += whole_numbers(objects, "width", where, default=0).tolist()
        images.heights += whole_numbers(objects, "height", where, default=0).tolist()
        images.groups += [
            str(item.get("group") or item.get("video_id") or "") if grouped else ""
            for item in objects
        ]

    def take_annotations(self, objects: Objects) -> None:
        """Add boxes."""
        present = self.count_unread(objects, _BOX_FIELDS, "annotations")
        where = f"{self.where}: an annotation"
        columns = {
            "image": identities(objects, "image_id", where, self.texts["image"]),
            "class": identities(objects, "category_id", where, self.texts["class"]),
            "id": identities(objects, "id", where, self.texts["box"], default=0),
            "crowd": whole_numbers(objects, "iscrowd", where, default=0),
            "difficult": whole_numbers(objects, "difficult", where, default=0)
            if "difficult" in present
            else np.zeros(len(objects), np.int64),
            "area": _areas(objects, where),
            "box": boxes_or_nan(objects, "bbox"),
        }
        if "attributes" in present:
            for row, item in enumerate(objects, self.count):
                self._take_track(row, item.get("attributes"))
        if "segmentation" in present:
            for row, item in enumerate(objects, self.count):
                if outline := item.get("segmentation"):
                    self.take_segmentation(row, outline)
        self.add_boxes(columns)

    def add_boxes(self, columns: Mapping[str, np.ndarray]) -> None:
        """Add boxes whose outlines and tracks are taken."""
        for name, column in columns.items():
            self.boxes.setdefault(name, []).append(column)
        self.count += len(columns["box"])

    def _take_track(self, row: int, attributes: object) -> None:
        """CVAT's way to say which object through frames a box is."""
        given = dict(attributes) if isinstance(attributes, Mapping) else {}
        track, key = given.pop("track_id", None), given.pop("keyframe", True)
        if isinstance(track, int | str) and not isinstance(track, bool):
            self.tracks[row] = BoxTrack(str(track), key is True)
        for name in given:
            self.unread[f"{name} (attributes of annotations)"] += 1

    def take_segmentation(self, row: int, outline: object) -> None:
        """Add the outline of an annotation, or count why there is none."""
        if isinstance(outline, dict) and _are_runs(outline):
            self.segmentations[row] = {"size": outline["size"], "counts": outline["counts"]}
            return
        try:
            polygons = [np.array(points) for points in _polygons(outline) if points]
        except (TypeError, ValueError, OverflowError):
            polygons = [np.array("")]
        if any(p.ndim != 1 or p.dtype.kind not in "if" for p in polygons):
            self.unread[NO_OUTLINES[0]] += 1
        elif not all((np.abs(p) < ENDLESS).all() for p in polygons):
            self.unread[NO_OUTLINES[1]] += 1
        elif polygons:
            self.segmentations[row] = [p.astype(np.float64) for p in polygons]

    def fill_boxes(self) -> NDArray[np.float64]:
        """M×4 `x, y, width, height`; those that no annotation states by their outlines' extents.

        What has neither is a row of NaN.
        """
        boxes = self.box_column("box").astype(np.float64, copy=False)
        for row in np.flatnonzero(np.isnan(boxes).all(1)).tolist():
            outline = self.segmentations.get(row)
            extent = None if outline is None else extent_of(outline)
            if extent is not None:
                boxes[row] = extent
                self.from_outlines += 1
        return boxes

    def count_unread(self, objects: Objects, known: set[str], kind: str) -> set[str]:
        """Count the fields that are not known; returns all that are there."""
        present: set[str] = set().union(*objects)
        for key in sorted(present - known):
            self.unread[f"{key} ({kind})"] += sum(key in item for item in objects)
        return present

    def box_column(self, name: str) -> np.ndarray:
        """One column of the boxes."""
        shape = (0, 4) if name == "box" else (0,)
        return np.concatenate(self.boxes.get(name, [np.zeros(shape, np.int64)]))


def _polygons(outline: object) -> list[list[object]]:
    """The polygons of an outline: one may stand without a list around it, or be of pairs.

    Raises:
        TypeError: it is no list of lists.
    """
    if not isinstance(outline, list):
        raise TypeError("an outline is a list of polygons")
    if all(type(number) in (int, float) for number in outline):
        return [outline]
    if len(outline) > 2 and all(_is_pair(point) for point in outline):
        return [list(chain.from_iterable(outline))]
    if not all(isinstance(points, list) for points in outline):
        raise TypeError("a polygon is a list of numbers")
    return [
        list(chain.from_iterable(points)) if points and all(map(_is_pair, points)) else points
        for points in outline
    ]


def _is_pair(point: object) -> bool:
    return (
        isinstance(point, list)
        and len(point) == 2
        and all(type(number) in (int, float) for number in point)
    )


def _are_runs(outline: dict[str, object]) -> bool:
    """Whether these are run lengths, as numbers or as COCO's text of them."""
    size, counts = outline.get("size"), outline.get("counts")
    if not isinstance(size, list) or len(size) != 2:
        return False
    numbers = [*size, *(counts if isinstance(counts, list) else ())]
    good = (
        {*map(type, numbers)} <= {int, float}
        and max(numbers) < ENDLESS
        and min(numbers) >= 0
        and sum(numbers) >= 0  # no sum with NaN in it is
    )
    return isinstance(counts, (str, list)) and good


def _areas(objects: Objects, where: str) -> NDArray[np.float64]:
    """The areas of a piece; NaN where one is none, for they are a convenience and no label."""
    try:
        return numbers(objects, "area", where, 1, default=math.nan)
    except InputError:
        values = [item.get("area") for item in objects]
        good = [v if isinstance(v, (int, float)) and abs(v) < 1e300 else math.nan for v in values]
        return np.array(good, np.float64)
