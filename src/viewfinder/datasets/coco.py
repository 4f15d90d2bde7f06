"""COCO's object detection: one JSON file for each side, as in `annotations/instances_train.json`.

A box is `[x, y, width, height]` in pixels from the picture's top left corner, so `x1 = x` and
`x2 = x + width`. Numbers of pictures, boxes and classes are kept as they are, however sparse;
classes stand in the order of the file. See https://cocodataset.org/#format-data.
"""

import re
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from viewfinder.datasets.boxes import Segmentation, gather_boxes
from viewfinder.datasets.coco_rows import Rows
from viewfinder.datasets.dataset import Dataset
from viewfinder.datasets.finding import locate, picture_files, side_words
from viewfinder.datasets.json_columns import text_of, whole_numbers
from viewfinder.datasets.large_json import Objects, read_large_json
from viewfinder.datasets.sides import side_of
from viewfinder.errors import InputError

# Files of the same folder that tell of other things than boxes.
_OTHER_KINDS = re.compile(r"captions|keypoints|panoptic|stuff|image_info|deleted", re.IGNORECASE)
_ALONE = ("instances*.json", "annotations.json", "coco.json", "labels.json")
_LARGEST_TABLE = 4_000_000
_ROBOFLOW = "_annotations.coco.json"


def find_coco(root: Path) -> list[Path]:
    """The JSON files of a COCO set in the usual places; none where it is none."""
    if files := sorted((root / "annotations").glob("instances*.json")):
        return files
    places = [f for f in (root / "annotations").glob("*.json") if not _OTHER_KINDS.search(f.name)]
    places = places or list(root.glob(f"*/{_ROBOFLOW}"))
    places = places or [file for pattern in (*_ALONE, _ROBOFLOW) for file in root.glob(pattern)]
    # Files of such names may be of any kind.
    return sorted({file for file in places if _speaks_of_boxes(file)})


def _speaks_of_boxes(file: Path) -> bool:
    try:
        data = file.read_bytes()
    except OSError:
        return False
    return b'"images"' in data and b'"annotations"' in data


def read_coco(root: Path, files: list[Path]) -> Dataset:
    """Read the files of a set, whose pictures lie somewhere below `root`.

    A file's side is told by `train`, `val` or `test` in its name or its folder's.

    Raises:
        InputError: a file is damaged, or does not say what COCO's must.
    """
    present = picture_files(root)
    parts = [_read_part(file, root, present) for file in sorted(files, key=_order)]
    categories: dict[str, int] = {}
    for part in parts:
        for number, name in part.categories.items():
            categories.setdefault(name, number)
    classes = tuple(categories)
    starts = np.cumsum([0, *(len(part.paths) for part in parts)])
    seen: Counter[str] = Counter()
    for part in parts:
        seen.update(part.unread)
    groups = [group for part in parts for group in part.groups]
    rows = np.cumsum([0, *(len(part.box_ids) for part in parts)])
    count = int(starts[-1])
    return Dataset(
        root=root,
        layout="COCO",
        classes=classes,
        paths=tuple(path for part in parts for path in part.paths),
        labels=np.full(count, -1, np.int64),
        splits=np.repeat([p.side for p in parts], [len(p.paths) for p in parts]).astype(np.int8),
        boxes=gather_boxes(
            np.concatenate([p.pictures + s for p, s in zip(parts, starts, strict=False)]),
            count,
            corners=np.concatenate([part.corners for part in parts]),
            classes=np.concatenate([_class_indices(part, classes) for part in parts]),
            ids=np.concatenate([part.box_ids for part in parts]),
            crowd=np.concatenate([part.crowd for part in parts]),
            difficult=np.concatenate([part.difficult for part in parts]),
            areas=np.concatenate([part.areas for part in parts]),
            segmentations={
                row + int(start): outline
                for part, start in zip(parts, rows, strict=False)
                for row, outline in part.segmentations.items()
            },
        ),
        sizes=np.concatenate([part.sizes for part in parts]),
        image_ids=np.concatenate([part.ids for part in parts]),
        class_ids=tuple(categories.values()),
        groups=tuple(groups) if any(groups) else (),
        unread=dict(seen),
    )


@dataclass
class _Part:
    """One file, as columns."""

    side: int
    categories: dict[int, str]
    paths: list[str]
    ids: NDArray[np.int64]
    sizes: NDArray[np.int64]
    groups: list[str]
    pictures: NDArray[np.int64]
    corners: NDArray[np.float64]
    box_classes: NDArray[np.int64]
    box_ids: NDArray[np.int64]
    crowd: NDArray[np.bool_]
    difficult: NDArray[np.bool_]
    areas: NDArray[np.float64]
    segmentations: dict[int, Segmentation]
    unread: Counter[str]


def _read_part(file: Path, root: Path, present: set[str]) -> _Part:
    rows = Rows(str(file))
    take: dict[str, Callable[[Objects], None]] = {
        "images": rows.take_images,
        "annotations": rows.take_annotations,
    }
    others = read_large_json(file, take)
    if not rows.images:
        raise InputError(f"{file} lists no images, and so is no COCO file of pictures and boxes")
    for name in sorted(others.keys() - {"categories"}):
        rows.unread[f"{name} (the file's)"] += 1
    categories = _categories(others.get("categories"), rows)
    side = _side(file)
    ids = np.array(rows.images["id"], np.int64)
    pictures = _positions(ids, rows.box_column("image"), file)
    known = pictures >= 0
    if not known.all():
        rows.unread["annotations of images that are not listed"] += int((~known).sum())
    renumbered = np.cumsum(known) - 1
    box_ids = rows.box_column("id")[known]
    box = rows.box_column("box").astype(np.float64)[known]
    with np.errstate(over="ignore", invalid="ignore"):  # infinities: the tidying drops them
        ends = box[:, :2] + box[:, 2:]
    return _Part(
        side=side,
        categories=categories,
        paths=locate(rows.images["name"], _folders(file, root, side), present, where=str(file)),
        ids=ids,
        sizes=np.array([rows.images["width"], rows.images["height"]], np.int64).T,
        groups=rows.images["group"],
        pictures=pictures[known],
        corners=np.concatenate([box[:, :2], ends], axis=1),
        box_classes=rows.box_column("class")[known],
        box_ids=box_ids if box_ids.any() else np.arange(1, len(box_ids) + 1),
        crowd=rows.box_column("crowd")[known] != 0,
        difficult=rows.box_column("difficult")[known] != 0,
        areas=rows.box_column("area").astype(np.float64)[known],
        segmentations={
            int(renumbered[row]): outline
            for row, outline in rows.segmentations.items()
            if known[row]
        },
        unread=rows.unread,
    )


def _categories(listed: Any, rows: Rows) -> dict[int, str]:
    if not isinstance(listed, list) or not all(isinstance(item, dict) for item in listed):
        raise InputError(f"{rows.where} has no list of categories, so its boxes have no classes")
    rows.count_unread(listed, {"id", "name"}, "categories")
    where = f"{rows.where}: a category"
    ids = whole_numbers(listed, "id", where).tolist()
    names = [text_of(item, "name", where).strip() for item in listed]
    for values, what in ((ids, "number"), (names, "name")):
        twice = [value for value, count in Counter(values).items() if count > 1]
        if twice:
            raise InputError(
                f"{rows.where}: two categories have the same {what}, {twice[0]!r}: "
                "give each its own"
            )
    return dict(zip(ids, names, strict=True))


def _positions(ids: NDArray[np.int64], wanted: NDArray[np.int64], file: Path) -> NDArray[np.int64]:
    """Where each of `wanted` stands in `ids`, or -1."""
    order = np.argsort(ids, kind="stable")
    ordered = ids[order]
    twice = np.flatnonzero(ordered[1:] == ordered[:-1])
    if len(twice):
        number = int(ordered[twice[0]])
        raise InputError(f"{file}: two images have the same number, {number}: give each its own")
    return _look_up(wanted, ordered, order)


def _class_indices(part: _Part, classes: tuple[str, ...]) -> NDArray[np.int64]:
    index = {name: position for position, name in enumerate(classes)}
    known = sorted((number, index[name]) for number, name in part.categories.items())
    numbers, places = np.array(known, np.int64).reshape(-1, 2).T
    return _look_up(part.box_classes, numbers, places)


def _look_up(
    wanted: NDArray[np.int64], keys: NDArray[np.int64], values: NDArray[np.int64]
) -> NDArray[np.int64]:
    """The value of each wanted key, or -1; `keys` ascend."""
    if not len(keys) or not len(wanted):
        return np.full(len(wanted), -1, np.int64)
    first, last = int(keys[0]), int(keys[-1])
    if last - first < _LARGEST_TABLE:
        # A table is four times as fast as a search, for numbers that are not too far apart.
        table = np.full(last - first + 2, -1, np.int64)
        table[keys - first] = values
        inside = (wanted >= first) & (wanted <= last)
        return table[np.where(inside, wanted - first, last - first + 1)]
    place = np.minimum(np.searchsorted(keys, wanted), len(keys) - 1)
    return np.where(keys[place] == wanted, values[place], -1)


def _side(file: Path) -> int:
    side = side_of(file.stem)
    return side if side >= 0 or file.name != _ROBOFLOW else side_of(file.parent.name)


def _order(file: Path) -> tuple[int, str]:
    side = _side(file)
    return (side if side >= 0 else 3), str(file)


def _folders(file: Path, root: Path, side: int) -> list[str]:
    """Where a file's pictures may lie, the likeliest first."""
    beside = file.parent.relative_to(root).as_posix() if file.parent.is_relative_to(root) else ""
    token = file.stem.removeprefix("instances_")
    folders = [beside, f"images/{token}", token]
    if side >= 0:
        folders += [f"{top}{word}" for word in side_words(side) for top in ("images/", "")]
    return [*folders, "images", "JPEGImages", ""]
