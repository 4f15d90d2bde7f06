"""The COCO files of a data folder, to which accepted proposals are added."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from viewfinder.datasets.box_files import coco_document
from viewfinder.datasets.boxes import gather_boxes
from viewfinder.datasets.dataset import Dataset
from viewfinder.datasets.formats.box_labels import has_boxes
from viewfinder.datasets.formats.coco.reading import find_coco, read_coco
from viewfinder.datasets.formats.large_json import explained_json, read_text
from viewfinder.datasets.frame_list import frame_groups
from viewfinder.datasets.survey import Survey, survey
from viewfinder.errors import InputError
from viewfinder.labelling.proposals import Proposals, of_pictures
from viewfinder.reading import read_bytes
from viewfinder.values import as_table, as_tables

_NEW_FILE = "annotations/instances_all.json"


@dataclass(frozen=True, eq=False)
class LabelFile:
    """A COCO file as it is, and where its pictures stand in it.

    Attributes:
        path: relative to the data folder.
        before: its bytes, or None where it is yet to be written.
        document: what it says.
        ids: the number of each of its pictures, by path.
        labelled: the paths of the pictures that have boxes.
        classes: the names of the classes that have boxes.
    """

    path: str
    before: bytes | None
    document: dict[str, object]
    ids: dict[str, int]
    labelled: frozenset[str]
    classes: frozenset[str] = frozenset()


def read_label_files(data: Path) -> list[LabelFile]:
    """The COCO files of a data folder; a new one where it has no labels.

    Raises:
        InputError: a file is damaged, or the labels are of another format.
    """
    seen = survey(data)
    files = find_coco(seen)
    if not files and has_boxes(seen):
        raise InputError(
            f"{data} is no COCO set, whose files alone can say which boxes a machine made: "
            "`viewfinder convert` it --to coco first"
        )
    if not files:
        empty: dict[str, object] = {"images": [], "annotations": [], "categories": []}
        return [LabelFile(_NEW_FILE, None, empty, {}, frozenset())]
    return [_read(seen, file) for file in files]


def _read(seen: Survey, file: Path) -> LabelFile:
    # First: what is read of the file below is of these bytes, or it is not written.
    before = read_bytes(file)
    # What a file must say is asked by the reader, before anything is changed.
    dataset = read_coco(seen, [file])
    assert dataset.image_ids is not None
    assert dataset.boxes is not None
    with explained_json(file):
        document = as_table(json.loads(read_text(file)))
    boxed = np.unique(dataset.boxes.pictures()).tolist()
    return LabelFile(
        file.relative_to(seen.root).as_posix(),
        before,
        document,
        dict(zip(dataset.paths, dataset.image_ids.tolist(), strict=True)),
        frozenset(dataset.paths[index] for index in boxed),
        frozenset(name for name, count in dataset.counts().items() if count),
    )


def with_proposals(
    file: LabelFile, data: Path, proposals: Proposals, pictures: Sequence[int], rule: str
) -> bytes:
    """The file's new bytes: as before, with the boxes of some pictures of `proposals` added.

    A picture that the file does not list is listed, with the video that it is a frame of; a class
    of these boxes that it does not name is named. Each new box says its `score`, and by which rule
    it was `accepted`.
    """
    images, annotations, categories = (
        as_tables(file.document.get(key, [])) for key in ("images", "annotations", "categories")
    )
    taken = of_pictures(proposals, pictures)
    added = coco_document(_dataset(data, taken), taken.paths, range(len(taken.paths)))
    classes = {str(item["name"]).strip(): _id(item, file) for item in categories}
    for name in taken.classes:
        if name not in classes:
            number = 1 + max(classes.values(), default=0)
            classes[name] = number
            categories.append({"id": number, "name": name})
    numbers = {}
    last = max((_id(item, file) for item in images), default=0)
    for image in added["images"]:
        name = str(image["file_name"])
        if name not in file.ids:
            last += 1
            images.append(image | {"id": last})
            numbers[image["id"]] = last
        else:
            numbers[image["id"]] = file.ids[name]
    last = max((_id(item, file) for item in annotations if item.get("id")), default=0)
    for number, (row, annotation) in enumerate(
        zip(range(len(taken)), added["annotations"], strict=True), last + 1
    ):
        annotations.append(
            annotation
            | {
                "id": number,
                "image_id": numbers[annotation["image_id"]],
                "category_id": classes[taken.classes[taken.found.labels[row]]],
                "score": float(taken.found.scores[row]),
                "accepted": f"{rule} ({taken.sources[row]})",
            }
        )
    lists = {"images": images, "annotations": annotations, "categories": categories}
    text = json.dumps(file.document | lists, ensure_ascii=False, allow_nan=False)
    return (text + "\n").encode("utf-8", "backslashreplace")


def _id(item: dict[str, object], file: LabelFile) -> int:
    """An item's number, also where it is written with a fraction of nothing.

    Raises:
        InputError: it is something else.
    """
    number = item.get("id")
    if type(number) is int or (isinstance(number, float) and number.is_integer()):
        return int(number)
    raise InputError(
        f"{file.path} numbers what it holds by {number!r:.40}, and only whole numbers can be "
        "continued: export it again with numbers"
    )


def _dataset(data: Path, proposals: Proposals) -> Dataset:
    """All proposals, as if they were labels."""
    areas = np.full(len(proposals), np.nan)
    for row in proposals.masks:
        areas[row] = proposals.mask_area(row)
    count = len(proposals.paths)
    boxes = gather_boxes(
        proposals.pictures,
        count,
        corners=proposals.found.boxes.astype(np.float64),
        classes=proposals.found.labels,
        areas=areas,
        segmentations=proposals.masks,
    )
    return Dataset(
        data,
        "proposals",
        proposals.classes,
        proposals.paths,
        np.full(count, -1, np.int64),
        np.full(count, -1, np.int8),
        boxes,
        proposals.sizes,
        groups=frame_groups(data, proposals.paths),
    )
