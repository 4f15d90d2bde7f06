"""List the classes of a data set, and rename, merge or drop some in all of its files at once.

  viewfinder classes DATA                      lists them, and how many of each
  viewfinder classes DATA rename OLD NEW
  viewfinder classes DATA merge A B … INTO
  viewfinder classes DATA drop NAME
  viewfinder classes DATA --take-back          undoes the last edit

An edit is only shown, file by file; with --yes it is made, in all files or in none.

Example:

  viewfinder classes my-boxes rename bike bicycle --yes
"""

import contextlib
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import tyro

from viewfinder.cli.output import print_json, say
from viewfinder.errors import InputError
from viewfinder.wording import counted, likest

if TYPE_CHECKING:
    from viewfinder.datasets.dataset import Dataset

_SHOWN = 20
_EDITS = ("rename", "merge", "drop")


@dataclass(frozen=True)
class Flags:
    data: Annotated[tyro.conf.Positional[str], tyro.conf.arg(metavar="DATA")]
    """A folder of class folders, COCO, YOLO or Pascal VOC."""
    edit: Annotated[tyro.conf.Positional[tuple[str, ...]], tyro.conf.arg(metavar="EDIT")] = ()
    """Nothing; or rename OLD NEW, merge A B … INTO, drop NAME."""
    yes: bool = False
    """Make the edit, instead of telling what it would change."""
    take_back: bool = False
    """Undo the last edit: every file becomes what it was before it, byte for byte."""
    json: bool = False
    """Print one JSON document: classes (name and count), changes (file, detail) and made."""


@dataclass(frozen=True)
class _Edited:
    """What there is to say of an edit: of each file what becomes of it, and whether it did."""

    rows: tuple[tuple[str, str], ...] = ()
    made: bool = False


def run(flags: Flags) -> int:
    """List, or edit and then list."""
    edited = _take_back(flags) if flags.take_back else _make_or_preview(flags)
    if flags.json:
        changes = [{"file": file, "detail": detail} for file, detail in edited.rows]
        made = edited.made or flags.yes
        print_json({"classes": _opened(flags).counts(), "changes": changes, "made": made})
        return 0
    for file, detail in edited.rows[:_SHOWN]:
        say(f"{file}: {detail}")
    if len(edited.rows) > _SHOWN:
        say(f"… and {counted(len(edited.rows) - _SHOWN, 'more file')}")
    if edited.rows and not edited.made:
        say("nothing is changed yet: the same with --yes makes these changes")
        return 0
    for name, count in _opened(flags).counts().items():
        say(f"{name}: {count}")
    return 0


def _opened(flags: Flags) -> "Dataset":
    from viewfinder.datasets.opening import open_dataset, read_boxes

    boxes = read_boxes(flags.data)
    return open_dataset(flags.data) if boxes is None else boxes


def _make_or_preview(flags: Flags) -> _Edited:
    """Make an edit, or say what it would change; nothing where none is asked for."""
    from viewfinder.datasets.editing.classes import apply_changes, plan_edit
    from viewfinder.datasets.editing.transaction import editing
    from viewfinder.datasets.opening import TABLETOP

    if not flags.edit:
        return _Edited()
    if flags.data == TABLETOP:
        raise InputError("the embedded set has its own classes: `viewfinder render` it first")
    root, said = Path(flags.data), " ".join(flags.edit)
    with contextlib.ExitStack() as stack:
        makes = flags.yes and root.expanduser().is_dir()
        finished = stack.enter_context(editing(root)) if makes else []
        if any(each.edit.said == said and not each.undone for each in finished):
            return _Edited(made=True)  # this very command, which had been cut short
        changes = plan_edit(root, _edit(flags.edit, _opened(flags).classes))
        if flags.yes:
            apply_changes(root, changes, said=said)
    return _Edited(tuple((str(change.path), change.detail) for change in changes), flags.yes)


def _take_back(flags: Flags) -> _Edited:
    from viewfinder.datasets.editing.transaction import take_back

    if flags.edit or flags.yes:
        raise InputError("--take-back goes alone: take back first, and then edit")
    edit = take_back(Path(flags.data), verb="classes")
    if edit is None:
        raise InputError(f"no edit of the classes of {flags.data} is kept, so none can be undone")
    names = [write.file for write in edit.writes] or [first for first, _ in edit.moves]
    rows = ((str(Path(flags.data) / name), f"as before {edit.said}") for name in names)
    return _Edited(tuple(rows), made=True)


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
    near = "" if verb in _EDITS else likest(verb, _EDITS)
    raise InputError(
        f"{' '.join(words)!r} is no edit{near}: use rename OLD NEW, merge A B … INTO, or drop NAME"
    )
