"""YOLO's text files: `data.yaml`, pictures in `images/`, a file for each in `labels/`.

Also as Darknet and CVAT write them (`obj.data`, `obj.names`), and as LabelImg does: `classes.txt`
and a file of labels beside each picture. Shares become pixels of the picture itself, whose header
is therefore read. A picture without a file has no boxes.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from itertools import islice
from pathlib import Path, PurePosixPath

import numpy as np
from numpy.typing import NDArray

from viewfinder.datasets.boxes import gather_boxes
from viewfinder.datasets.dataset import Dataset
from viewfinder.datasets.faults import Fault
from viewfinder.datasets.formats.yolo.data_yaml import read_data_yaml
from viewfinder.datasets.formats.yolo.label_files import (
    LabelFiles,
    is_class_list,
    label_files,
    own_files,
)
from viewfinder.datasets.formats.yolo.labels import LineRows, like_key_points, pixels
from viewfinder.datasets.formats.yolo.lists import PictureLists, describe, listed_classes
from viewfinder.datasets.listings import Listing, splits_of
from viewfinder.datasets.meaning import Meaning, meaning_fault
from viewfinder.datasets.picture_sizes import measure
from viewfinder.datasets.survey import Survey, beginning, is_yolo_labels
from viewfinder.errors import InputError
from viewfinder.wording import counted, some

_BOX = Meaning("centre and size", "shares")
_POLYGON = Meaning("corners", "shares")


def find_yolo(seen: Survey) -> Path | None:
    """The `data.yaml` of a YOLO set, or its `obj.data` or `classes.txt`; None where it is none.

    They are looked for in the folder itself, and in folders within it where it has none.
    """
    for depth in range(4):
        at = [path for path in seen.of(".yaml", ".yml") if path.count("/") == depth]
        at.sort(key=lambda path: not path.endswith("data.yaml"))
        for file in map(seen.root.joinpath, at):
            # A folder may hold YAML of other kinds; but of data.yaml it is said what is wrong.
            its_own = file.name == "data.yaml"
            try:
                entries = read_data_yaml(file, {"names", "train", "val", "test", "nc"})
            except InputError:
                entries = {}
                if its_own:
                    return file
            splits = bool({"train", "val", "test"} & entries.keys())
            # Deep in a folder lie those of programs, which describe sets that are not here.
            # Of one that says nothing too, unless there are folders that may be classes.
            silent = its_own and depth == 0 and not entries and not _has_folders(seen)
            usable = silent or (splits and depth < 2) or _has_labels(seen)
            if usable and (its_own or "names" in entries):
                return file
        darknet = [path for path in seen.of(".data") if path.count("/") == depth]
        darknet = [path for path in darknet if "names" in beginning(seen.root / path)]
        if darknet:
            return seen.root / darknet[0]
    listed = [
        path
        for path in seen.of(".txt", ".names", ".labels")
        if is_class_list(path.rpartition("/")[2])
    ]
    if listed and _has_labels(seen):
        return seen.root / min(listed, key=lambda path: path.count("/"))
    return None


def read_yolo(seen: Survey, file: Path) -> Dataset:
    """Read the set of a `data.yaml`, an `obj.data`, or a `classes.txt` among its pictures.

    Raises:
        InputError: a file is damaged, or does not say what it must.
    """
    said = describe(file, seen)
    paths = tuple(dict.fromkeys(path for one in said.lists for path in one.pictures))
    files = label_files(seen, paths)
    unlisted = _labelled(seen, sorted(seen.pictures.paths - set(paths)))
    files = replace(files, alone=tuple(sorted({*files.alone} - {*unlisted.values()})))
    measures = measure(seen.root, paths)
    sizes = measures.sizes
    rows = LineRows(paths)
    for index, own in enumerate(files.of):
        if own is not None:
            rows.read(seen.root / own, own, index, said.points)
    of_rows = sizes[np.array(rows.pictures, np.int64)]
    numbers = np.array(rows.classes, np.int64)
    position = {path: index for index, path in enumerate(paths)}
    listed = splits_of(
        len(paths),
        [
            Listing(one.name, one.split, tuple(position[path] for path in one.pictures), one.absent)
            for one in said.lists
        ],
    )
    return Dataset(
        root=seen.root,
        layout="YOLO",
        classes=said.classes,
        paths=paths,
        labels=np.full(len(paths), -1, np.int64),
        splits=listed.splits,
        boxes=gather_boxes(
            np.array(rows.pictures, np.int64),
            len(paths),
            corners=pixels(rows.corners(), of_rows),
            classes=np.where((numbers >= 0) & (numbers < len(said.classes)), numbers, -1),
            segmentations=rows.scaled_outlines(sizes),
        ),
        sizes=sizes,
        orientations=measures.orientations,
        label_files=files.of,
        notes=(*said.notes, *_notes(seen, file, paths, files, unlisted), *listed.notes),
        faults=(
            *said.faults,
            *rows.faults,
            *_meaning_faults(rows, of_rows, said),
            *_other_lists(seen, said),
            *_counted_from_one(rows, said),
            *_file_faults(files),
            *_unlisted_faults(file, unlisted),
            *_no_pictures(paths, files),
            *listed.faults,
        ),
    )  # fmt: skip


def _has_folders(seen: Survey) -> bool:
    """Whether pictures lie in more than one folder."""
    return len({path.rpartition("/")[0] for path in seen.pictures.paths}) > 1


def _has_labels(seen: Survey) -> bool:
    """Whether there is a folder `labels`, or any of some pictures' text files has YOLO's lines."""
    if any("labels" in path.lower().split("/")[:-1] for path in seen.of(".txt")):
        return True
    if (seen.root / "labels").is_dir():
        return True
    own = (p for p in seen.of(".txt") if seen.pictures.of_stem(PurePosixPath(p).stem))
    return any(is_yolo_labels(seen.root / path) for path in islice(own, 50))


def _notes(
    seen: Survey, file: Path, paths: Sequence[str], files: LabelFiles, unlisted: Iterable[str]
) -> list[str]:
    """In a line each: pictures without labels, labels without pictures, pictures on no list."""
    notes = []
    bare = sum(own is None for own in files.of)
    others = [p for p in seen.of(".yaml", ".yml") if seen.root / p != file and _describes(seen, p)]
    if others:
        notes.append(f"{some(others):.120} describes a set too and is not read")
    if bare:
        notes.append(f"{bare:,} of {counted(len(paths), 'picture')} without a file of labels")
    if files.alone:
        those = counted(len(files.alone), "file of labels", "files of labels")
        notes.append(f"{those} of no picture ({some(files.alone, 2):.120})")
    if files.guessed:
        those = counted(len(files.guessed), "file of labels", "files of labels")
        own, path = files.guessed[0]
        notes.append(f"{those} found by the name alone: {own:.80} is of {path:.80}")
    if unlisted := sorted({*seen.beside(paths), *unlisted}):
        notes.append(f"{counted(len(unlisted), 'picture')} on no list ({some(unlisted, 2):.120})")
    return notes


def _describes(seen: Survey, path: str) -> bool:
    """Whether a YAML file is one of a set."""
    try:
        entries = read_data_yaml(seen.root / path, {"names", "train", "val"})
    except InputError:
        return False
    return "names" in entries and len(entries) > 1


def _labelled(seen: Survey, pictures: Sequence[str]) -> dict[str, str]:
    """Those of the pictures that have labels where theirs should be, with these."""
    found = zip(pictures, own_files(seen, pictures), strict=True)
    return {
        path: own
        for path, own in found
        if own and not is_class_list(PurePosixPath(own).name) and is_yolo_labels(seen.root / own)
    }


def _unlisted_faults(file: Path, unlisted: Mapping[str, str]) -> list[Fault]:
    """Labelled pictures that the set's lists leave out."""
    if not unlisted:
        return []
    those = f"{counted(len(unlisted), 'picture')} with labels on no list"
    detail = f"{those} of the set ({some(sorted(unlisted), 2):.120}): left out"
    fix = "name their folder as train, val or test, or move them elsewhere"
    return [Fault("unlisted-image", file.name, detail, fix)]


def _file_faults(files: LabelFiles) -> list[Fault]:
    detail = "these labels belong to no picture of the set"
    fix = "bring the picture back, give the two the same name, or remove the file"
    faults = [Fault("missing", file, detail, fix) for file in files.alone]
    for file, pictures in files.shared:
        detail = f"these labels would belong to {', '.join(pictures[:3])} alike"
        faults.append(Fault("two-pictures", file, detail, "give each picture its own"))
    return faults


def _no_pictures(paths: Sequence[str], files: LabelFiles) -> list[Fault]:
    if paths or not files.alone:
        return []
    fix = "bring the pictures into images/, under the names of the labels"
    return [Fault("no-pictures", files.alone[0], "there are labels and no picture", fix, True)]


def _meaning_faults(rows: LineRows, sizes: NDArray[np.int64], said: PictureLists) -> list[Fault]:
    """Numbers that are no shares, and key points taken for polygons."""
    outlined = np.zeros(len(rows.pictures), np.bool_)
    outlined[list(rows.outlines)] = True
    numbers = np.array(rows.numbers, np.float64).reshape(-1, 4)
    for chosen, own in ((~outlined, _BOX), (outlined, _POLYGON)):
        file = said.names_file.name
        if found := meaning_fault(numbers[chosen], sizes[chosen], own, file=file, layout="YOLO"):
            return found
    if not said.points and like_key_points(rows):
        count = len(next(iter(rows.outlines.values()))) - 4
        detail = (
            f"its labels look like boxes with {count} numbers of key points behind, not polygons"
        )
        fix = f"say so in data.yaml, as kpt_shape: [{count // 2}, 2]"
        return [Fault("meaning", said.names_file.name, detail, fix, blocking=True)]
    return []


def _counted_from_one(rows: LineRows, said: PictureLists) -> list[Fault]:
    """Class numbers that begin at 1, where YOLO's begin at 0."""
    used = set(rows.classes)
    if 0 in used or max(used, default=0) != len(said.classes):
        return []
    detail = f"its labels use the classes 1 to {len(said.classes)} and never 0, where YOLO counts "
    detail += "from 0"
    fix = "count from 0 in the labels, or put a first name for the class 0 into the list"
    return [Fault("off-by-one", said.names_file.name, detail, fix, blocking=True)]


def _other_lists(seen: Survey, said: PictureLists) -> list[Fault]:
    """Lists of classes beside the labels that say something else than the set's own."""
    faults = []
    for path in seen.of(".txt", ".labels"):
        if not is_class_list(path.rpartition("/")[2]) or seen.root / path == said.names_file:
            continue
        try:
            names = listed_classes(seen.root / path)
        except InputError:
            continue
        if names != said.classes:
            detail = f"it lists {', '.join(names):.60}, and {said.names_file.name} "
            detail += f"{', '.join(said.classes):.60}: the labels' numbers mean one of them"
            fix = f"remove the one that is wrong, or correct {said.names_file.name}"
            faults.append(Fault("classes-differ", path, detail, fix, blocking=True))
    return faults
