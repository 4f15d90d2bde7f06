"""Out of the store: other layouts, read back and compared before they are done; and backups."""

import contextlib
import shutil
import sqlite3
from collections import Counter
from collections.abc import Iterator
from pathlib import Path, PurePosixPath
from typing import cast, get_args

import numpy as np

from viewfinder.datasets import Format
from viewfinder.datasets.box_files import line_of, picture_folder
from viewfinder.datasets.converting import (
    carried,
    file_names,
    linked,
    refuse_secret,
    write_boxes,
)
from viewfinder.datasets.dataset import SPLITS, Dataset
from viewfinder.datasets.dealing import listed_only
from viewfinder.datasets.opening import read_box_files, refuse_blocking, usable_boxes
from viewfinder.errors import InputError
from viewfinder.files import explained_writing, new_folder, replacing_by_name
from viewfinder.pictures.finding import is_visible, pictures_below
from viewfinder.studio.store.database import Database
from viewfinder.studio.store.records import Export

FOLDERS = "folders"
# Of a pixel: what the decimals of a layout may lose.
_CLOSE = 1e-6


def export(dataset: Dataset, out: Path, *, to: str) -> Export:
    """Write labels as a new folder, whole or not at all.

    What was written is read again by the layout's own reader and compared with the labels, before
    the folder gets its name.

    Args:
        to: `coco`, `yolo`, `voc`, or `folders`, a folder a class.

    Raises:
        InputError: no such layout, or one that cannot hold these labels; `out` exists or cannot be
            written; what was read back is not what was written.
    """
    if to not in (*get_args(Format), FOLDERS):
        raise InputError(f"labels are exported to {', '.join(get_args(Format))} or {FOLDERS}")
    if (dataset.boxes is None) != (to == FOLDERS):
        has = "a class for each picture" if dataset.boxes is None else "boxes"
        raise InputError(f"these labels are {has}, which {to} cannot hold")
    with new_folder(out) as folder:
        inner = folder / "export"
        write = _write_folders if to == FOLDERS else _write_boxes
        done = write(dataset, inner, to)
        for child in list(inner.iterdir()):
            child.rename(folder / child.name)
        inner.rmdir()
    return Export(str(out), to, *done)


Written = tuple[int, int, dict[str, int], tuple[str, ...]]


def refuse_within(root: Path, out: Path) -> None:
    """Refuse a place in a set's own folder, where its pictures would be pictures of the set again.

    What is hidden there is never read as a part of it.

    Raises:
        InputError: `out` is such a place.
    """
    home, place = root.resolve(), out.resolve()
    within = place.relative_to(home).parts if place.is_relative_to(home) else ()
    if within and all(map(is_visible, within)):
        raise InputError(
            f"{out} lies in the set's own folder, where the new pictures and labels would be read "
            f"as more of it: name a place beside it, such as {home.with_name(f'{home.name}-new')}"
        )


def _write_boxes(dataset: Dataset, out: Path, to: str) -> Written:
    layout = cast(Format, to)
    dataset = usable_boxes(dataset)
    done = write_boxes(dataset, out, to=layout)
    expected = carried(listed_only(dataset), layout, Counter())
    wrong = next(_unlike(expected, file_names(expected, layout), out, layout), None)
    if wrong:
        raise InputError(f"the export is not what the labels are, and was removed: {wrong}")
    return done.pictures, done.boxes, done.lost, done.notes


def _unlike(expected: Dataset, names: list[str], out: Path, to: Format) -> Iterator[str]:
    """How what was written, as its own reader reads it, differs from what was to be."""
    back = read_box_files(out)
    if back is None or back.boxes is None:
        yield "no boxes are found in it"
        return
    refuse_blocking(back)
    assert expected.boxes is not None
    if to != "voc" and back.classes != expected.classes:
        yield f"its classes are {', '.join(back.classes)[:200]}"
    index = {path: row for row, path in enumerate(back.paths)}
    for row, name in enumerate(names):
        side = int(expected.splits[row])
        path = f"{picture_folder(to, side)}/{name}"
        if path not in index:
            if expected.file(row).is_file():
                yield f"{path} is not in it"
            continue
        own, other = expected.boxes.of(row), back.boxes.of(index[path])
        if not _same_boxes(expected, own, back, other):
            yield f"the boxes of {path} are others"
        if to != "yolo" and int(back.splits[index[path]]) != side:
            yield f"{path} is in another split"
    if len(back) > len(names):
        yield f"it has {len(back):,} pictures in place of {len(names):,}"


def _same_boxes(one: Dataset, own: slice, two: Dataset, other: slice) -> bool:
    assert one.boxes is not None
    assert two.boxes is not None
    first, second = one.boxes.corners[own], two.boxes.corners[other]
    if first.shape != second.shape or not np.allclose(first, second, rtol=0, atol=_CLOSE):
        return False
    names = [one.classes[label] for label in one.boxes.classes[own].tolist()]
    return names == [two.classes[label] for label in two.boxes.classes[other].tolist()]


def _write_folders(dataset: Dataset, out: Path, _to: str) -> Written:
    """A folder a class, below a folder a side where there are sides; files are linked."""
    sided, home = bool((dataset.splits >= 0).any()), dataset.root.resolve()
    where: dict[str, str] = {}
    missing = 0
    for row, path in enumerate(dataset.paths):
        name = _folder_name(dataset.classes[int(dataset.labels[row])])
        place = f"{SPLITS[max(int(dataset.splits[row]), 0)]}/{name}" if sided else name
        file = dataset.file(row)
        if not file.is_file():
            missing += 1
            continue
        refuse_secret(file, home)
        target = _free(where, place, PurePosixPath(path).name)
        where[target.casefold()] = target
        with explained_writing(out / target):
            (out / target).parent.mkdir(parents=True, exist_ok=True)
            if not linked(file, out / target):
                shutil.copyfile(file, out / target)
    if not where:
        raise InputError("no picture has a class yet: there is nothing to export")
    found = set(pictures_below(out))
    if found != set(where.values()):
        raise InputError("the export is not what the labels are, and was removed")
    used = len(set(dataset.labels.tolist()))
    lost = {"classes without pictures": len(dataset.classes) - used}
    lost["pictures that are missing"] = missing
    table = {what: count for what, count in lost.items() if count}
    return len(where), 0, table, dataset.notes


def _folder_name(name: str) -> str:
    """A class's name, if it can be a folder's.

    Raises:
        InputError: it cannot.
    """
    if (
        "/" in line_of(name)
        or "\\" in name
        or name.startswith((".", "__"))
        or len(name.encode()) > 255
    ):
        raise InputError(f"the class {name!r} cannot be the name of a folder: rename it first")
    return name


def _free(taken: dict[str, str], place: str, name: str) -> str:
    stem, suffix = PurePosixPath(name).stem, PurePosixPath(name).suffix
    target, number = f"{place}/{name}", 2
    while target.casefold() in taken:
        target, number = f"{place}/{stem}-{number}{suffix}", number + 1
    return target


def backup(database: Database, target: Path) -> None:
    """Write a whole, checked copy of the database, while others write.

    Raises:
        InputError: it cannot be written, exists already, or is PostgreSQL's, which has pg_dump.
    """
    if target.exists():
        raise InputError(f"{target} exists already: choose another name")
    with replacing_by_name(target) as file:
        database.backup(file)
        with contextlib.closing(sqlite3.connect(file)) as copy:
            copy.execute("PRAGMA journal_mode=DELETE")
            if (said := copy.execute("PRAGMA quick_check").fetchone()[0]) != "ok":
                raise InputError(f"the copy is damaged, and so is the store: {said[:200]}")
