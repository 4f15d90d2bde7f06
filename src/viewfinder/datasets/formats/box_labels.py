"""Which labels of boxes lie in a folder, and which of them are read."""

from dataclasses import dataclass
from pathlib import Path

from viewfinder.datasets.formats.coco.reading import find_coco
from viewfinder.datasets.formats.voc.reading import is_voc, voc_files
from viewfinder.datasets.formats.yolo.reading import find_yolo
from viewfinder.datasets.survey import Survey


@dataclass(frozen=True)
class BoxLabels:
    """What was found, by format; the first of them that lies there is read.

    Attributes:
        coco: the JSON files.
        voc: the XML files, relative to the folder; none where they lie beside a YOLO set.
        yolo: the file that describes the set.
        also: names of formats whose labels lie there too and are not read.
    """

    coco: list[Path]
    voc: list[str]
    yolo: Path | None
    also: tuple[str, ...]

    def __bool__(self) -> bool:
        return bool(self.coco or self.voc or self.yolo)


def box_labels(seen: Survey) -> BoxLabels:
    """The labels of boxes below a folder: COCO's, else Pascal VOC's, else YOLO's."""
    coco, pages, described = find_coco(seen), voc_files(seen), find_yolo(seen)
    voc = pages if is_voc(pages, described) else []
    there = [
        name
        for name, labels in (("COCO", coco), ("Pascal VOC", pages), ("YOLO", described))
        if labels
    ]
    read = "COCO" if coco else "Pascal VOC" if voc else "YOLO"
    return BoxLabels(coco, voc, described, tuple(name for name in there if name != read))


def has_boxes(seen: Survey) -> bool:
    """Whether a folder holds labels of boxes that are read."""
    return bool(box_labels(seen))
