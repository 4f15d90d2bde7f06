"""Writing a set of boxes as COCO, YOLO or Pascal VOC, in numbers that read back as they were.

Beyond the sixth decimal of a pixel there is only what arithmetic left behind, such as
146.99999999999997, and it is not written: readers of Pascal VOC take whole numbers. Where a file's
numbers had at most six decimals, COCO and VOC give back exactly those.
"""

import json
import unicodedata
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from xml.etree import ElementTree
from xml.etree.ElementTree import Element, SubElement

import numpy as np
from numpy.typing import NDArray

from viewfinder.datasets import Format
from viewfinder.datasets.boxes import shortest
from viewfinder.datasets.dataset import SPLITS, Dataset
from viewfinder.datasets.formats.coco.writing import (
    COMPOSED,
    CocoDocument,
    category_rows,
    image_row,
)
from viewfinder.datasets.formats.voc.pages import COUNTED_FROM_1
from viewfinder.datasets.formats.yolo.data_yaml import quoted
from viewfinder.datasets.formats.yolo.label_files import CLASS_LIST
from viewfinder.errors import InputError
from viewfinder.files import write_text
from viewfinder.pictures.masks import pixels_of

NO_SPLIT = "all"
"""What the folder and file of pictures are called that are in no split."""


# Of a pixel: half of the sixth decimal.
_NOISE = 5e-7


def write_coco(dataset: Dataset, names: Sequence[str], folder: Path) -> None:
    """Write `annotations/instances_SPLIT.json` for each split, its pictures in `images/SPLIT/`.

    Args:
        names: for each picture its file's name.
    """
    for split in np.unique(dataset.splits).tolist():
        chosen = np.flatnonzero(dataset.splits == split).tolist()
        document = coco_document(dataset, names, chosen)
        text = json.dumps(document, ensure_ascii=False, allow_nan=False)
        write_text(folder / "annotations" / f"instances_{split_name(split)}.json", text + "\n")


def coco_document(dataset: Dataset, names: Sequence[str], chosen: Sequence[int]) -> CocoDocument:
    """What a COCO file says of the chosen pictures; `names` has one for every picture."""
    ids = dataset.class_ids or tuple(range(1, len(dataset.classes) + 1))
    document: CocoDocument = {
        "images": [_coco_image(dataset, index, names[index]) for index in chosen],
        "annotations": [a for index in chosen for a in _coco_boxes(dataset, index, ids)],
        "categories": category_rows(dataset.classes, ids),
    }
    if COMPOSED in dataset.notes:
        document["info"] = {"description": COMPOSED}
    return document


def write_yolo(dataset: Dataset, names: Sequence[str], folder: Path) -> None:
    """Write `data.yaml` and `labels/SPLIT/`, whose pictures are in `images/SPLIT/`.

    Raises:
        InputError: a class's name holds what no line of text can.
    """
    splits = {SPLITS[max(split, 0)] for split in np.unique(dataset.splits).tolist()}
    lines = [f"{split}: images/{split}" for split in SPLITS if split in splits]
    lines += [f"nc: {len(dataset.classes)}", "names:"]
    lines += [f"  {i}: {quoted(line_of(name))}" for i, name in enumerate(dataset.classes)]
    write_text(folder / "data.yaml", "\n".join(lines) + "\n")
    assert dataset.boxes is not None
    assert dataset.sizes is not None
    for index, name in enumerate(names):
        rows = dataset.boxes.of(index)
        x1, y1, x2, y2 = _tidy(dataset.boxes.corners[rows]).T
        width, height = dataset.sizes[index]
        shares = np.stack([(x1 + x2) / 2, (y1 + y2) / 2, x2 - x1, y2 - y1], axis=1)
        shares /= np.array([width, height, width, height])
        shares = shortest(shares, _error(np.ones_like(shares)))
        text = "".join(
            f"{label} {' '.join(map(repr, row))}\n"
            for label, row in zip(dataset.boxes.classes[rows], shares.tolist(), strict=True)
        )
        split = SPLITS[max(int(dataset.splits[index]), 0)]
        write_text(folder / "labels" / split / f"{PurePosixPath(name).stem}.txt", text)


def write_voc(dataset: Dataset, names: Sequence[str], folder: Path) -> None:
    """Write `Annotations/`, `ImageSets/Main/` and `classes.txt`; pictures are in `JPEGImages/`.

    Raises:
        InputError: a class's name holds what no line of text can.
    """
    write_text(folder / CLASS_LIST, "".join(f"{line_of(name)}\n" for name in dataset.classes))
    for index, name in enumerate(names):
        tree = _voc_page(dataset, index, name)
        ElementTree.indent(tree)
        text = ElementTree.tostring(tree, encoding="unicode")
        write_text(folder / "Annotations" / f"{PurePosixPath(name).stem}.xml", text + "\n")
    for split, title in enumerate(SPLITS):
        stems = [
            PurePosixPath(names[i]).stem for i in np.flatnonzero(dataset.splits == split).tolist()
        ]
        if stems:
            text = "".join(f"{stem}\n" for stem in stems)
            write_text(folder / "ImageSets" / "Main" / f"{title}.txt", text)


@dataclass(frozen=True)
class BoxWriter:
    """How a set of boxes is written in a format, and what the format can hold.

    Attributes:
        write: writes the labels into a folder; the pictures' files have the names it is given.
        folder: where the pictures of a split lie in it; of none it is -1.
        holds_all: the numbers, crowds, outlines, areas, groups and tracks that COCO's files hold.
        holds_difficult: which objects scores are to pass over.
    """

    write: Callable[[Dataset, Sequence[str], Path], None]
    folder: Callable[[int], str]
    holds_all: bool = False
    holds_difficult: bool = False


WRITERS: dict[Format, BoxWriter] = {
    "coco": BoxWriter(write_coco, lambda split: f"images/{split_name(split)}", holds_all=True),
    "yolo": BoxWriter(write_yolo, lambda split: f"images/{SPLITS[max(split, 0)]}"),
    "voc": BoxWriter(write_voc, lambda _: "JPEGImages", holds_difficult=True),
}
"""Every format that boxes are written in; what one cannot hold, `convert` counts as lost."""


def picture_folder(to: Format, split: int) -> str:
    """Where a format keeps the pictures of a split."""
    return WRITERS[to].folder(split)


def split_name(split: int) -> str:
    """A split's name, and that of having none."""
    return SPLITS[split] if split >= 0 else NO_SPLIT


def line_of(name: str) -> str:
    """A class's name, if it can be a line of a text file.

    Raises:
        InputError: it holds control characters.
    """
    kinds = {unicodedata.category(sign) for sign in name}
    if kinds & {"Cc", "Cs", "Zl", "Zp"} or "\ufffe" in name or "\uffff" in name:
        raise InputError(
            f"the class {name!r} has control characters in its name, which only COCO can hold: "
            "rename it first, with `viewfinder classes`"
        )
    return name


def voc_numbers(corners: NDArray[np.float64]) -> NDArray[np.float64]:
    """M×4 `xmin, ymin, xmax, ymax`, which count pixels from 1 and include the last."""
    corners = _tidy(corners)
    low = corners[:, :2]
    return np.concatenate([shortest(low + 1, _error(low + 1)), corners[:, 2:]], axis=1)


def plain(value: float) -> float | int:
    """A whole number without its `.0`."""
    return int(value) if value.is_integer() else value


def _tidy(corners: NDArray[np.float64]) -> NDArray[np.float64]:
    """Corners, M×4, as they are written: without noise, where a box is left without it."""
    made = shortest(corners, np.full_like(corners, _NOISE))
    left = np.all(made[:, 2:] > made[:, :2], axis=1, keepdims=True)
    return np.where(left, made, corners)


def _error(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """What the last bits of a corner cannot tell."""
    return 4 * np.spacing(np.abs(values))


def _coco_image(dataset: Dataset, index: int, name: str) -> dict[str, object]:
    assert dataset.sizes is not None
    number = index + 1 if dataset.image_ids is None else int(dataset.image_ids[index])
    image = image_row(number, name, dataset.sizes[index].tolist())
    if dataset.groups and dataset.groups[index]:
        image["group"] = dataset.groups[index]
    return image


def _coco_boxes(dataset: Dataset, index: int, ids: Sequence[int]) -> list[dict[str, object]]:
    boxes = dataset.boxes
    assert boxes is not None
    rows = boxes.of(index)
    corners = _tidy(boxes.corners[rows])
    reach = np.maximum(np.abs(corners[:, :2]), np.abs(corners[:, 2:]))
    extents = shortest(corners[:, 2:] - corners[:, :2], _error(reach))
    image = index + 1 if dataset.image_ids is None else int(dataset.image_ids[index])
    found = []
    for row, (x, y, width, height) in enumerate(
        np.concatenate([corners[:, :2], extents], axis=1).tolist(), rows.start
    ):
        area, outline = float(boxes.areas[row]), boxes.segmentations.get(row)
        if not np.isfinite(area):
            shown = pixels_of(outline) if outline is not None else None
            area = _area(width, height) if shown is None else shown
        annotation = {
            "id": int(boxes.ids[row]),
            "image_id": image,
            "category_id": ids[boxes.classes[row]],
            "bbox": [plain(x), plain(y), plain(width), plain(height)],
            "area": plain(area),
            "iscrowd": int(boxes.crowd[row]),
        }
        if boxes.difficult[row]:
            annotation["difficult"] = 1
        if row in boxes.tracks:
            # As CVAT has them.
            name, key = boxes.tracks[row]
            number = int(name) if name.isascii() and name.isdecimal() else name
            annotation["attributes"] = {"track_id": number, "keyframe": key}
        if outline is not None:
            polygons = outline if isinstance(outline, list) else []
            annotation["segmentation"] = [_points(polygon) for polygon in polygons] or outline
        found.append(annotation)
    return found


def _points(polygon: NDArray[np.float64]) -> list[float | int]:
    return [plain(v) for v in shortest(polygon, np.full_like(polygon, _NOISE)).tolist()]


def _area(width: float, height: float) -> float:
    product = np.array([width * height])
    return float(shortest(product, _NOISE * np.array([width + height]))[0])


def _voc_page(dataset: Dataset, index: int, name: str) -> Element:
    boxes = dataset.boxes
    assert boxes is not None
    assert dataset.sizes is not None
    tree = Element("annotation")
    SubElement(tree, "folder").text = "JPEGImages"
    SubElement(tree, "filename").text = name
    SubElement(SubElement(tree, "source"), "annotation").text = COUNTED_FROM_1
    size = SubElement(tree, "size")
    for side, value in zip(("width", "height"), dataset.sizes[index].tolist(), strict=True):
        SubElement(size, side).text = str(value)
    SubElement(size, "depth").text = "3"
    rows = boxes.of(index)
    for row, numbers in enumerate(voc_numbers(boxes.corners[rows]).tolist(), rows.start):
        thing = SubElement(tree, "object")
        SubElement(thing, "name").text = dataset.classes[boxes.classes[row]]
        SubElement(thing, "difficult").text = str(int(boxes.difficult[row]))
        box = SubElement(thing, "bndbox")
        for key, value in zip(("xmin", "ymin", "xmax", "ymax"), numbers, strict=True):
            SubElement(box, key).text = repr(plain(value))
    return tree
