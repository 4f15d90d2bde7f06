"""COCO's object detection: one JSON file for each split, as in `annotations/instances_train.json`.

A box is `[x, y, width, height]` in pixels from the picture's top left corner, so `x1 = x` and
`x2 = x + width`. Numbers of pictures, boxes and classes are kept as they are, however sparse,
where they are different; classes stand in the order of the file. A picture that several files list,
or one file several times, is one picture. See https://cocodataset.org/#format-data.
"""

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from itertools import islice
from pathlib import Path, PurePosixPath

import numpy as np
from numpy.typing import NDArray

from viewfinder.datasets.boxes import finite, gather_boxes
from viewfinder.datasets.copies import without_copies
from viewfinder.datasets.dataset import Dataset
from viewfinder.datasets.faults import Fault
from viewfinder.datasets.formats.coco.parts import CocoFile, look_up, read_part, split_of_file
from viewfinder.datasets.formats.coco.writing import COMPOSED
from viewfinder.datasets.formats.rgbd.folders import Folder, look_like
from viewfinder.datasets.joining import joined, unique_numbers
from viewfinder.datasets.kind_names import kind_of
from viewfinder.datasets.listings import Listing, splits_of
from viewfinder.datasets.meaning import Meaning, meaning_fault
from viewfinder.datasets.picture_sizes import measured_sizes
from viewfinder.datasets.presence import absent, none_there
from viewfinder.datasets.survey import Survey, speaks_of
from viewfinder.memory import give_back_freed
from viewfinder.pictures.masks import extent_of
from viewfinder.wording import counted, some

# Files of the same folder that tell of other things than boxes.
_OTHER_KINDS = re.compile(r"captions|keypoints|panoptic|stuff|image_info|deleted", re.IGNORECASE)
_USUAL = re.compile(r"(?:instances.*|annotations|coco|labels)\.json", re.IGNORECASE)
_ROBOFLOW = "_annotations.coco.json"
_BOX = Meaning("corner and size", "pixels")
# So many outlines of a file tell of all.
_OUTLINES = 200


def find_coco(seen: Survey) -> list[Path]:
    """The JSON files of a COCO set: those in the most usual of places; none where it is none."""
    files = [path for path in seen.of(".json") if path.count("/") <= 3]
    in_folder = [path for path in files if "annotations" in path.lower().split("/")[:-1]]
    instances = [p for p in in_folder if p.lower().rpartition("/")[2].startswith("instances")]
    if instances:
        return [seen.root / path for path in without_copies(instances)]
    others = [path for path in in_folder if not _OTHER_KINDS.search(path)]
    roboflow = [path for path in files if path.endswith(_ROBOFLOW)]
    usual = [path for path in files if _USUAL.fullmatch(path.rpartition("/")[2])]
    plain = [path for path in files if not _OTHER_KINDS.search(path)]
    people = [path for path in files if "keypoints" in path.lower()]
    # Files of such names may be of any kind; of any name whatever, they must say more.
    more = ('"categories"', '"file_name"')
    for places, words in ((others, ()), (roboflow, ()), (usual, ()), (plain, more), (people, more)):
        found = [
            path
            for path in places
            if speaks_of(seen.root / path, '"images"', '"annotations"', *words)
        ]
        if found:
            return [seen.root / path for path in without_copies(found)]
    return []


def read_coco(seen: Survey, files: Sequence[Path]) -> Dataset:
    """Read the files of a set, whose pictures lie somewhere below its root.

    A file's split is known by a word of its name, such as `train` or `val2017`, or of its folder's.

    Raises:
        InputError: a file is damaged, or does not say what COCO's must.
    """
    parts = [read_part(file, seen) for file in sorted(files, key=lambda file: _order(file, seen))]
    give_back_freed()
    categories: dict[str, int] = {}
    for part in parts:
        for number, name in part.categories.items():
            categories.setdefault(name, number)
    used = {part.categories[number] for part in parts for number in part.used}
    for name in set().union(*(part.groups_of_classes for part in parts)) - used:
        categories.pop(name, None)
    classes = tuple(categories)
    seen_fields: Counter[str] = Counter()
    for part in parts:
        seen_fields.update(part.unread)
    dataset, rows = joined(_gathered(seen.root, parts, categories, classes))
    starts = np.cumsum([0, *(len(part.paths) for part in parts)])
    listings = [
        Listing(
            part.name,
            part.split,
            tuple(dict.fromkeys(rows[start : start + len(part.paths)].tolist())),
        )
        for part, start in zip(parts, starts.tolist(), strict=False)
    ]
    listed = splits_of(len(dataset), listings)
    faults = [fault for part in parts for fault in part.faults]
    faults += _meaning_faults(seen.root, parts)
    faults += none_there(seen, dataset.paths, parts[0].name) or _masks_instead(seen, parts)
    dataset = replace(dataset, splits=listed.splits, unread=dict(seen_fields))
    dataset = unique_numbers(dataset)
    return replace(
        dataset,
        notes=(*dataset.notes, *_notes(seen, dataset, parts), *listed.notes),
        faults=(*faults, *dataset.faults, *listed.faults),
    )


def _meaning_faults(root: Path, parts: list[CocoFile]) -> list[Fault]:
    """The fault that boxes are no corners and sizes, as they and their outlines tell."""
    numbers = np.concatenate([part.corners for part in parts])
    numbers[~finite(numbers)] = np.nan
    numbers[:, 2:] -= numbers[:, :2]
    sizes = np.concatenate([_known_sizes(root, part)[part.pictures] for part in parts])
    starts = np.cumsum([0, *(len(part.corners) for part in parts)]).tolist()
    extents = {
        start + row: extent
        for part, start in zip(parts, starts, strict=False)
        for row, outline in islice(part.segmentations.items(), _OUTLINES)
        if (extent := extent_of(outline)) is not None
    }
    return meaning_fault(
        numbers,
        sizes,
        _BOX,
        file=parts[0].name,
        layout="COCO",
        extents=extents,
        areas=np.concatenate([part.areas for part in parts]),
    )


def _masks_instead(seen: Survey, parts: list[CocoFile]) -> list[Fault]:
    """The fault that masks alone have the names of the pictures, as beside a video of these."""
    guessed = [pair for part in parts for pair in part.located.guessed]
    paths = [path for _, path in guessed]
    if not paths or any(kind_of(PurePosixPath(path).parent.name) != "mask" for path in paths):
        return []
    folder = str(PurePosixPath(paths[0]).parent)
    if not look_like(seen.root, Folder(folder, "mask", {path: path for path in paths}, ())):
        return []
    detail = f"{counted(len(paths), 'picture')} that it names are not there, and of their names are"
    detail += f" masks alone, as {paths[0]:.80}"
    fix = f"bring the pictures into it, as {guessed[0][0]:.80}"
    return [Fault("no-pictures", parts[0].name, detail, fix, blocking=True)]


def _known_sizes(root: Path, part: CocoFile) -> NDArray[np.int64]:
    """N×2, what the file states; of pictures with boxes of which it states none, what they have."""
    unknown = (part.sizes <= 0).any(1) & np.isin(np.arange(len(part.sizes)), part.pictures)
    if not unknown.any():
        return part.sizes
    sizes, rows = part.sizes.copy(), np.flatnonzero(unknown)
    sizes[rows] = measured_sizes(root, [part.paths[row] for row in rows.tolist()])
    return sizes


def _gathered(
    root: Path, parts: list[CocoFile], categories: dict[str, int], classes: tuple[str, ...]
) -> Dataset:
    """The files' columns one after the other."""
    starts = np.cumsum([0, *(len(part.paths) for part in parts)])
    groups = [group for part in parts for group in part.groups]
    rows = np.cumsum([0, *(len(part.box_ids) for part in parts)])
    count = int(starts[-1])
    ids = np.concatenate([part.ids for part in parts])
    numbers, named = tuple(categories.values()), {kind for part in parts for kind in part.named}
    return Dataset(
        root=root,
        layout="COCO",
        classes=classes,
        paths=tuple(path for part in parts for path in part.paths),
        labels=np.full(count, -1, np.int64),
        splits=np.full(count, -1, np.int8),
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
            tracks={
                row + int(start): tracked
                for part, start in zip(parts, rows, strict=False)
                for row, tracked in part.tracks.items()
            },
        ),
        sizes=np.concatenate([part.sizes for part in parts]),
        image_ids=None if "image" in named else ids,
        class_ids=None if "class" in named else numbers,
        groups=tuple(groups) if any(groups) else (),
    )


def _notes(seen: Survey, dataset: Dataset, parts: list[CocoFile]) -> list[str]:
    """What lies there and is in no file, and what a file says that is not there."""
    notes = [COMPOSED] if all(part.composed for part in parts) else []
    notes += absent(seen, dataset.paths)
    bare = seen.beside(dataset.paths)
    if bare:
        those = counted(len(bare), "picture")
        notes.append(f"{those} in no file of labels ({some(bare, 2):.120})")
    if guessed := [pair for part in parts for pair in part.located.guessed]:
        name, path = guessed[0]
        what = f"{name:.60} is {path:.60}"
        notes.append(f"{counted(len(guessed), 'picture')} found by the name alone: {what}")
    if count := sum(part.from_outlines for part in parts):
        notes.append(f"{counted(count, 'box')} taken from outlines, as no bbox is stated")
    read = {part.name for part in parts}
    others = [
        path
        for path in seen.of(".json")
        if path not in read
        and not _OTHER_KINDS.search(path)
        and speaks_of(seen.root / path, '"images"', '"annotations"')
    ]
    if others:
        notes.append(f"{', '.join(others):.120} holds boxes too and is not read")
    return notes


def _class_indices(part: CocoFile, classes: tuple[str, ...]) -> NDArray[np.int64]:
    index = {name: position for position, name in enumerate(classes)}
    named = part.categories.items()
    known = sorted((number, index[name]) for number, name in named if name in index)
    numbers, places = np.array(known, np.int64).reshape(-1, 2).T
    return look_up(part.box_classes, numbers, places)


def _order(file: Path, seen: Survey) -> tuple[int, str]:
    split = split_of_file(file, seen)
    return (split if split >= 0 else 3), str(file)
