"""Renaming, merging and dropping classes, in every place of a set that names or numbers them.

An edit is planned as a whole before any file is touched: what cannot be read is found first. Then
all of it is done or nothing, and pictures of class folders are moved, never deleted.
"""

import codecs
import contextlib
import json
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path, PurePosixPath
from typing import Any
from xml.etree import ElementTree

from viewfinder.datasets.box_files import line_of
from viewfinder.datasets.editing.record import digest, digest_of
from viewfinder.datasets.editing.steps import FileChange
from viewfinder.datasets.editing.transaction import change_files
from viewfinder.datasets.formats.box_labels import box_labels
from viewfinder.datasets.formats.class_folders.reading import class_folders_of
from viewfinder.datasets.formats.coco.reading import read_coco
from viewfinder.datasets.formats.large_json import explained_json, read_text
from viewfinder.datasets.formats.voc.pages import object_name, read_xml
from viewfinder.datasets.formats.voc.reading import class_list
from viewfinder.datasets.formats.yolo.data_yaml import quoted, read_data_yaml
from viewfinder.datasets.formats.yolo.label_files import CLASS_LIST, label_files
from viewfinder.datasets.formats.yolo.labels import label_row
from viewfinder.datasets.formats.yolo.lists import class_names, describe
from viewfinder.datasets.formats.yolo.reading import read_yolo
from viewfinder.datasets.opening import has_masks, refuse_blocking, require_class_folders
from viewfinder.datasets.survey import Survey, survey
from viewfinder.errors import InputError
from viewfinder.reading import read_bytes
from viewfinder.wording import counted

DROPPED = ".dropped"
"""Where the pictures of a dropped class folder are kept; hidden, and so no longer read."""

Edit = Mapping[str, str | None]
"""For each class that changes its new name, or None where it is dropped."""


def plan_edit(root: Path, edit: Edit) -> list[FileChange]:
    """Every change that an edit of classes needs; nothing is written yet.

    Raises:
        InputError: a file of the set cannot be read, a class of `edit` is not in it, or the edit
            leaves no class.
    """
    for name in edit.values():
        if name is not None and (not name.strip() or name != name.strip()):
            raise InputError(f"{name!r} is no name for a class: give one without space around it")
    source = root.expanduser()
    if source.is_file():
        raise InputError(f"{source} is a file: give the folder of the whole set")
    seen = survey(source)
    if (labels := box_labels(seen)) is not None:
        name = labels.format.name
        if name not in _EDITORS:
            raise InputError(
                f"{source} is a set of {name}, whose files this cannot edit: write it as "
                f"{' or '.join(_EDITORS)} by `viewfinder convert`, and edit that"
            )
        return list(_EDITORS[name](seen, labels.files, edit))
    if has_masks(seen):
        raise InputError(
            f"{source} is a set of pictures and masks of their subjects, which has no classes to "
            "edit"
        )
    require_class_folders(seen)
    return list(_in_folders(source, edit))


def apply_changes(
    root: Path, changes: list[FileChange], *, said: str = "an edit of classes"
) -> None:
    """Carry out a plan: all of it, or nothing.

    Args:
        said: the edit in words for a person.

    Raises:
        InputError: a file lies outside of the set, or cannot be written or moved.
    """
    if changes:
        change_files(root.expanduser(), changes, verb="classes", said=said)


def edited(classes: list[str], edit: Edit) -> list[str]:
    """The class list after an edit: a merged class stands where the first of its parts stood.

    Raises:
        InputError: a class of `edit` is not in the list, or none would be left.
    """
    unknown = [name for name in edit if name not in classes]
    if unknown:
        raise InputError(f"there is no class {unknown[0]!r}: the classes are {', '.join(classes)}")
    kept = [edit.get(name, name) for name in classes]
    result = list(dict.fromkeys(name for name in kept if name is not None))
    if not result:
        raise InputError("a set must keep at least one class")
    return result


def _in_coco(seen: Survey, files: list[Path], edit: Edit) -> Iterator[FileChange]:
    # What a file must say is asked by the reader, before anything is changed.
    refuse_blocking(read_coco(seen, files))
    documents = {}
    for file in files:
        with explained_json(file):
            documents[file] = json.loads(read_text(file))
    listed = {
        str(category["name"]).strip(): None
        for document in documents.values()
        for category in document["categories"]
    }
    edited(list(listed), edit)
    for file, document in documents.items():
        numbers: dict[str, object] = {}
        kept: dict[str, dict[str, object]] = {}
        for category in document["categories"]:
            name = str(category["name"]).strip()
            new = edit.get(name, name)
            if new is not None:
                kept.setdefault(new, category | {"name": new})
            numbers[_number(category["id"])] = None if new is None else kept[new]["id"]
        before = document.get("annotations", [])
        after = [
            a | {"category_id": numbers.get(_number(a["category_id"]), a["category_id"])}
            for a in before
            if numbers.get(_number(a["category_id"]), 0) is not None
        ]
        document |= {"categories": list(kept.values()), "annotations": after}
        gone = len(before) - len(after)
        detail = "its categories" + (f", and {counted(gone, 'box')} less" if gone else "")
        text = json.dumps(document, ensure_ascii=False) + "\n"
        yield _replaced(file, detail, text.encode("utf-8", "backslashreplace"))


def _number(value: object) -> str:
    """A category's number as it is compared: 1, 1.0 and "1" are one."""
    return str(int(value)) if isinstance(value, float) else str(value)


def _in_voc(seen: Survey, pages: list[str], edit: Edit) -> Iterator[FileChange]:
    root = seen.root
    trees = {root / page: read_xml(root / page) for page in pages}
    listed = list(class_list(root))
    names = {
        object_name(thing, file, number)
        for file, tree in trees.items()
        for number, thing in enumerate(tree.iterfind("object"), 1)
    }
    after = edited([*listed, *sorted(names - set(listed))], edit)
    if listed:
        text = "".join(f"{line_of(name)}\n" for name in after)
        yield _replaced(root / CLASS_LIST, "its lines", text.encode())
    for file, tree in trees.items():
        count = 0
        for number, thing in enumerate(tree.findall("object"), 1):
            name = object_name(thing, file, number)
            if name in edit:
                count += 1
                new = edit[name]
                if new is None:
                    tree.remove(thing)
                else:
                    named = thing.find("name")
                    assert named is not None
                    named.text = line_of(new)
        if count:
            data = ElementTree.tostring(tree, encoding="utf-8", xml_declaration=False)
            yield _replaced(file, f"{count} object{'s' if count != 1 else ''}", data + b"\n")


def _in_yolo(seen: Survey, file: Path, edit: Edit) -> Iterator[FileChange]:
    dataset, said = read_yolo(seen, file), describe(file, seen)
    refuse_blocking(dataset)
    before = list(dataset.classes)
    after = edited(before, edit)
    new = [edit.get(name, name) for name in before]
    numbers = {old: None if n is None else after.index(n) for old, n in enumerate(new)}
    if any(old != number for old, number in numbers.items()):
        found = label_files(seen, dataset.paths)
        for labels in dict.fromkeys(own for own in found.of if own is not None):
            yield from _renumbered(seen.root / labels, numbers, said.points)
        # Labels of a split that is not listed are numbered by the same names.
        for labels in found.alone:
            if "labels" in PurePosixPath(labels.lower()).parent.parts:
                with contextlib.suppress(InputError):  # no labels after all
                    yield from list(_renumbered(seen.root / labels, numbers, said.points))
    if said.names_file != file or file.name.lower() == CLASS_LIST:
        lines_of_names = "".join(f"{line_of(n)}\n" for n in after)
        yield _replaced(said.names_file, "its lines", lines_of_names.encode())
        return
    lines = read_text(file).splitlines(keepends=True)
    end = "\r\n" if lines[0].endswith("\r\n") else "\n"
    entries = read_data_yaml(file, {"names", "nc"})
    assert class_names(file, entries["names"]) == tuple(before)
    names = ["names:", *(f"  {i}: {quoted(line_of(name))}" for i, name in enumerate(after))]
    written = {"names": names, "nc": [f"nc: {len(after)}"]}
    for key in sorted(entries, key=lambda key: -entries[key].lines[0]):
        first, last = entries[key].lines
        lines[first:last] = [line + end for line in written[key]]
    yield _replaced(file, "its names", "".join(lines).encode())


def _renumbered(file: Path, numbers: Mapping[int, int | None], points: int) -> Iterator[FileChange]:
    """The change of one file of labels, if its classes have other numbers now.

    All else of each line stays byte for byte, as does the mark that some editors begin files with.
    """
    if not file.is_file():
        return
    data = read_bytes(file)
    lines, changed = [], 0
    for line in read_text(file).splitlines(keepends=True):
        words = line.split()
        number = label_row(words, points)[0] if words else -1
        new = numbers.get(number, number)
        changed += new != number
        if new == number:
            lines.append(line)
        elif new is not None:
            lines.append(line.replace(words[0], str(new), 1))
    if changed:
        mark = codecs.BOM_UTF8 if data.startswith(codecs.BOM_UTF8) else b""
        detail = f"{changed} row{'s' if changed != 1 else ''}"
        yield FileChange(file, detail, mark + "".join(lines).encode(), before=digest(data))


_EDITORS: dict[str, Callable[[Survey, Any, Edit], Iterator[FileChange]]] = {
    "COCO": _in_coco,
    "Pascal VOC": _in_voc,
    "YOLO": _in_yolo,
}
"""What changes the files of each format of `box_labels.FORMATS`; others are refused."""


def _replaced(file: Path, detail: str, data: bytes) -> FileChange:
    return FileChange(file, detail, data, before=digest_of(file))


def _in_folders(root: Path, edit: Edit) -> Iterator[FileChange]:
    folders = class_folders_of(root)
    edited(sorted({folder.name for folder in folders}), edit)
    for name in edit.values():
        if name is not None and (name[0] in "._" or set(name) & set('/\\:*?"<>|\0')):
            raise InputError(f"{name!r} cannot be the name of a class's folder: choose another")
    planned: set[Path] = set()
    for folder in folders:
        if folder.name not in edit:
            continue
        new = edit[folder.name]
        split = folder.parent.relative_to(root)
        target = root / DROPPED / split / folder.name if new is None else folder.parent / new
        if target == folder:
            continue
        if not target.exists() and not any(target in place.parents for place in planned):
            planned |= {target / file.relative_to(folder) for file in _files(folder)}
            detail = f"becomes {target.relative_to(root).as_posix()}"
            yield FileChange(folder, detail, target=target)
        else:
            yield from _moved(folder, target, root, planned)


def _moved(folder: Path, target: Path, root: Path, planned: set[Path]) -> Iterator[FileChange]:
    """Each file of a folder whose pictures join others; one of a name that is there is renamed."""
    for file in _files(folder):
        inside = file.relative_to(folder)
        renamed = inside.with_name(f"{folder.name}-{inside.name}")
        places = [target / inside, target / renamed]
        free = [place for place in places if not place.exists() and place not in planned]
        if not free:
            raise InputError(f"{places[1]} is there already: rename {file} first")
        planned.add(free[0])
        yield FileChange(file, f"becomes {free[0].relative_to(root).as_posix()}", target=free[0])


def _files(folder: Path) -> list[Path]:
    return sorted(path for path in folder.rglob("*") if path.is_file())
