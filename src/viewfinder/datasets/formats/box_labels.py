"""The foreign formats of boxes that are read, and which of them lies in a folder."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from viewfinder.datasets.dataset import Dataset
from viewfinder.datasets.formats.coco.reading import find_coco, read_coco
from viewfinder.datasets.formats.voc.reading import find_voc, in_annotations, read_voc
from viewfinder.datasets.formats.yolo.reading import find_yolo, read_yolo
from viewfinder.datasets.survey import Survey

FoundT = TypeVar("FoundT")


@dataclass(frozen=True)
class BoxFormat(Generic[FoundT]):
    """A format whose labels are found by what a folder holds.

    Attributes:
        name: as people know it.
        find: its files below a folder; something empty where there are none.
        read: the set of these files.
        leads: whether such files are the set's labels though a format further down the table has
            found some too; else they are somebody's, and only read where they are alone.
        within: whether all that is read lies below the folder.
    """

    name: str
    find: Callable[[Survey], FoundT]
    read: Callable[[Survey, FoundT], Dataset]
    leads: Callable[[FoundT], bool] = lambda _: True
    within: bool = False


FORMATS: tuple[BoxFormat[Any], ...] = (
    BoxFormat("COCO", find_coco, read_coco, within=True),
    BoxFormat("Pascal VOC", find_voc, read_voc, leads=in_annotations),
    BoxFormat("YOLO", find_yolo, read_yolo),
)
"""Every format of boxes that is read; the first of them that lies in a folder is."""


@dataclass(frozen=True)
class BoxLabels:
    """The labels of a folder.

    Attributes:
        format: what they are.
        files: what its `find` gave.
        also: names of formats whose labels lie there too and are not read.
    """

    format: BoxFormat[Any]
    files: Any
    also: tuple[str, ...]


def box_labels(seen: Survey) -> BoxLabels | None:
    """The labels of boxes below a folder that are read; None where there are none."""
    found = [(each, files) for each in FORMATS if (files := each.find(seen))]
    for place, (chosen, files) in enumerate(found):
        if chosen.leads(files) or place == len(found) - 1:
            also = tuple(each.name for each, _ in found if each is not chosen)
            return BoxLabels(chosen, files, also)
    return None


def has_boxes(seen: Survey) -> bool:
    """Whether a folder holds labels of boxes that are read."""
    return box_labels(seen) is not None
