"""From one format of boxes to another, and what the other cannot carry."""

import os
import re
import shutil
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path, PurePosixPath

import numpy as np

from viewfinder.datasets import Format
from viewfinder.datasets.box_files import WRITERS, picture_folder, voc_numbers
from viewfinder.datasets.boxes import Boxes, usable
from viewfinder.datasets.dataset import Dataset
from viewfinder.datasets.dealing import listed_only
from viewfinder.datasets.merging import SetToJoin, merged
from viewfinder.datasets.opening import read_boxes, usable_boxes
from viewfinder.errors import InputError
from viewfinder.events import track
from viewfinder.files import explained_writing, new_folder
from viewfinder.pictures.reading import read_header

# What cannot stand in a list of names, a line each.
_NOT_IN_LISTS = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]|^\s|\s$")


@dataclass(frozen=True)
class Conversion:
    """What was written, and what was not.

    Attributes:
        layout: what was read, in words for a person.
        pictures: how many were written.
        boxes: how many were written.
        lost: what the new format cannot carry, or the old one had wrong, and how often.
        notes: what was read otherwise than it stands there, or is at odds, in words for a person.
    """

    layout: str
    pictures: int
    boxes: int
    lost: dict[str, int]
    notes: tuple[str, ...] = ()


def convert(
    source: str | Path | Sequence[str | Path],
    out: Path,
    *,
    to: Format,
    copy: bool = False,
    stored: bool = False,
) -> Conversion:
    """Write a set of boxes, or several sets as one, in another format, as a new folder.

    Boxes are carried as they are, those that reach over their picture's edge too; only those that
    are none (of no known class, without size, of no finite numbers) stay behind, and are counted.
    So do pictures that the set's lists of splits leave out, and those of another shape than their
    labels state. Boxes of a picture that was scaled or turned since are moved with it.

    Args:
        source: a set, or several, which become one as `datasets.merging` says.
        copy: copy the pictures' files; else the new folder has hard links to them, which need no
            space, wherever the disk allows.
        stored: boxes were marked on the pictures as they are stored, before EXIF turns them, as
            LabelImg and Darknet's tools do; else that is known by the sizes that labels state.

    Raises:
        InputError: the source has no boxes or cannot be read, or a fault makes it unsafe to go on;
            `out` exists, or cannot be written.
    """
    if isinstance(source, (str, Path)):
        return write_boxes(_source(source, stored=stored), out, to=to, copy=copy)
    named = dict(zip(_short_names(source), source, strict=True))
    sources, lost = [], Counter[str]()
    for name, one in named.items():
        dataset = _source(one, stored=stored)
        listed = listed_only(dataset)
        lost["pictures on no list of a split"] += len(dataset) - len(listed)
        home = dataset.root.resolve()
        for index in range(len(listed)):
            refuse_secret(listed.file(index), home)
        sources.append(SetToJoin(name, listed))
    whole = merged(sources)
    return write_boxes(
        replace(whole, unread=dict(lost + Counter(whole.unread))), out, to=to, copy=copy
    )


def _source(source: str | Path, *, stored: bool) -> Dataset:
    dataset = read_boxes(source)
    if dataset is None:
        raise InputError(f"{source} is a folder of class folders: there are no boxes to convert")
    return usable_boxes(dataset, stored=True if stored else None)


def _short_names(sources: Sequence[str | Path]) -> list[str]:
    """What to call each of several sets: its folder's name, with those above it where two are
    called alike.

    Raises:
        InputError: one is given twice.
    """
    whole = [Path(source).expanduser().absolute() for source in sources]
    for path, count in Counter(whole).items():
        if count > 1:
            raise InputError(f"{path} is given twice: name each set once")
    for parts in range(1, max(len(path.parts) for path in whole) + 1):
        names = ["/".join(path.parts[-parts:]) for path in whole]
        if len(set(names)) == len(names):
            break
    return names


def write_boxes(dataset: Dataset, out: Path, *, to: Format, copy: bool = False) -> Conversion:
    """Write boxes and their pictures as a new folder; see `convert`.

    Raises:
        InputError: `out` exists, or cannot be written.
    """
    lost: Counter[str] = Counter(dataset.unread)
    listed = listed_only(dataset)
    lost["pictures on no list of a split"] = len(dataset) - len(listed)
    there = [index for index in range(len(listed)) if listed.file(index).is_file()]
    lost["pictures that are missing"] = len(listed) - len(there)
    if len(there) < len(listed):
        listed = listed.select(np.array(there, np.int64))
    dataset = carried(listed, to, lost)
    names = file_names(dataset, to)
    lost["names of pictures, which were changed to be different"] = sum(
        PurePosixPath(path).name != name for path, name in zip(dataset.paths, names, strict=True)
    )
    with new_folder(out) as folder:
        _place(dataset, names, folder, to=to, copy=copy)
        WRITERS[to].write(dataset, names, folder)
    assert dataset.boxes is not None
    table = {what: count for what, count in lost.items() if count}
    notes = (*dataset.notes_beside_faults, *map(str, dataset.faults))
    return Conversion(dataset.layout, len(dataset), len(dataset.boxes), table, notes)


def carried(dataset: Dataset, to: Format, lost: Counter[str]) -> Dataset:
    """The dataset with what the format can hold; `lost` counts the rest."""
    boxes, sizes = dataset.boxes, dataset.sizes
    assert boxes is not None
    assert sizes is not None
    keep = usable(boxes)
    lost["boxes without size, finite numbers or a known class"] = int((~keep).sum())
    if to == "yolo":
        unmeasured = (sizes == 0).any(1)[boxes.pictures()]
        lost["boxes in pictures of unknown size"] = int((keep & unmeasured).sum())
        keep &= ~unmeasured
        lost["pictures that were in no split, and are in train now"] = int(
            (dataset.splits < 0).sum()
        )
    if to == "voc":
        numbers = voc_numbers(boxes.corners)
        point = (numbers[:, :2] == numbers[:, 2:]).all(1)
        lost["boxes of exactly one pixel"] = int((keep & point).sum())
        keep &= ~point
    boxes = boxes.keep(keep)
    if not WRITERS[to].holds_all:
        lost.update(_only_in_coco(dataset, boxes))
        if not WRITERS[to].holds_difficult:
            lost["difficult flags"] = int(boxes.difficult.sum())
    return replace(dataset, boxes=boxes)


def _only_in_coco(dataset: Dataset, boxes: Boxes) -> dict[str, int]:
    x1, y1, x2, y2 = boxes.corners.T
    areas = np.isfinite(boxes.areas) & ~np.isclose(boxes.areas, (x2 - x1) * (y2 - y1))
    return {
        "ids of pictures": _sparse(dataset.image_ids),
        "ids of classes": _sparse(dataset.class_ids),
        "ids of boxes": _sparse(boxes.ids),
        "crowd flags": int(boxes.crowd.sum()),
        "outlines of objects": len(boxes.segmentations),
        "areas of objects": int(areas.sum()),
        "groups of pictures": sum(map(bool, dataset.groups)),
        "tracks of boxes": len(boxes.tracks),
        "marks of interpolated boxes": sum(not each.key for each in boxes.tracks.values()),
    }


def _sparse(ids: "Sequence[int] | np.ndarray[tuple[int], np.dtype[np.int64]] | None") -> int:
    """How many numbers there are, if they are not those that would be given anew."""
    if ids is None or list(ids) == list(range(1, len(ids) + 1)):
        return 0
    return len(ids)


def file_names(dataset: Dataset, to: Format) -> list[str]:
    """A file's name for each picture, no two in a split with the same stem, whatever the case."""
    taken: set[tuple[str, str]] = set()
    names = []
    for path, split in zip(dataset.paths, dataset.splits.tolist(), strict=True):
        pure = PurePosixPath(path)
        first = stem = _NOT_IN_LISTS.sub("_", pure.stem) or "_"
        folder, number = picture_folder(to, split), 2
        while (folder, stem.casefold()) in taken:
            stem, number = f"{first}-{number}", number + 1
        taken.add((folder, stem.casefold()))
        names.append(stem + pure.suffix)
    return names


def _place(dataset: Dataset, names: list[str], folder: Path, *, to: Format, copy: bool) -> None:
    """Put the pictures into the new folder.

    Raises:
        InputError: what is named as a picture is another file of the computer's.
    """
    root = dataset.root.resolve()
    rows = zip(names, dataset.splits.tolist(), strict=True)
    bar = track(enumerate(rows), total=len(names), description="placing pictures")
    for index, (name, split) in bar:
        file = dataset.file(index)
        refuse_secret(file, root)
        target = folder / picture_folder(to, split) / name
        with explained_writing(target):
            target.parent.mkdir(parents=True, exist_ok=True)
            if copy or not linked(file, target):
                shutil.copyfile(file, target)


def refuse_secret(file: Path, root: Path) -> None:
    """A set from a stranger may lead to any file; who publishes what it becomes would publish it.

    Raises:
        InputError: the file lies outside of the set and is no picture.
    """
    real = file.resolve()
    if not real.is_relative_to(root):
        try:
            read_header(real)
        except (InputError, OSError):
            raise InputError(
                f"{file} leads to {real}, which is outside of {root} and no picture that can be "
                "read: remove it from the set"
            ) from None


def linked(file: Path, target: Path) -> bool:
    """Give a picture a second name, which needs no space; False where the disk cannot."""
    try:
        os.link(file.resolve(), target)
    except OSError:
        return False
    return True
