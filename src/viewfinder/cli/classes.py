"""List the classes of a data set, and rename, merge or drop some in all of its files at once.

viewfinder classes DATA                        lists them, with their pictures or boxes
viewfinder classes DATA rename OLD NEW
viewfinder classes DATA merge A B … INTO
viewfinder classes DATA drop NAME

An edit is only told, file by file; with --yes it is made.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import tyro

from viewfinder.cli.output import print_json
from viewfinder.errors import InputError

_SHOWN = 20


@dataclass(frozen=True)
class Flags:
    data: Annotated[tyro.conf.Positional[str], tyro.conf.arg(metavar="DATA")]
    """A folder of class folders, COCO, YOLO or Pascal VOC."""
    edit: Annotated[tyro.conf.Positional[tuple[str, ...]], tyro.conf.arg(metavar="EDIT")] = ()
    """Nothing; or rename OLD NEW, merge A B … INTO, drop NAME."""
    yes: bool = False
    """Make the edit, instead of telling what it would change."""
    json: bool = False
    """Print one JSON document: classes (name and count), changes (file, detail) and made."""


def run(flags: Flags) -> int:
    """List, or edit and then list."""
    from viewfinder.datasets.class_editing import apply_changes, plan_edit
    from viewfinder.datasets.opening import TABLETOP, open_dataset, read_boxes

    boxes = read_boxes(flags.data)
    dataset = open_dataset(flags.data) if boxes is None else boxes
    changes = []
    if flags.edit:
        if flags.data == TABLETOP:
            raise InputError("the embedded set has its own classes: `viewfinder render` it first")
        changes = plan_edit(Path(flags.data), _edit(flags.edit, dataset.classes))
    if flags.yes:
        apply_changes(changes)
        boxes = read_boxes(flags.data)
        dataset = open_dataset(flags.data) if boxes is None else boxes
    if flags.json:
        rows = [{"file": str(change.path), "detail": change.detail} for change in changes]
        print_json({"classes": dataset.counts(), "changes": rows, "made": flags.yes})
        return 0
    for change in changes[:_SHOWN]:
        print(f"{change.path}: {change.detail}")
    if len(changes) > _SHOWN:
        print(f"… and {len(changes) - _SHOWN:,} more files")
    if changes and not flags.yes:
        print("nothing is changed yet: the same with --yes makes these changes")
        return 0
    for name, count in dataset.counts().items():
        print(f"{name}: {count}")
    return 0


def _edit(words: tuple[str, ...], classes: tuple[str, ...]) -> dict[str, str | None]:
    """For each class that changes its new name, or None.

    Raises:
        InputError: words that are no edit, or a new name that another class has.
    """
    verb, *names = words
    if verb == "rename" and len(names) == 2:
        old, new = names
        if new in classes and new != old:
            raise InputError(f"there is a class {new!r} already: use merge {old} {new} {new}")
        return {old: new}
    if verb == "merge" and len(names) >= 3:
        *parts, into = names
        if into in classes and into not in parts:
            raise InputError(f"there is a class {into!r} already: name it among those to merge")
        return dict.fromkeys(parts, into)
    if verb == "drop" and len(names) == 1:
        return {names[0]: None}
    raise InputError(
        f"{' '.join(words)!r} is no edit: use rename OLD NEW, merge A B … INTO, or drop NAME"
    )
