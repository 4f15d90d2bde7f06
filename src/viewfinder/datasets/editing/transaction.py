"""Several files of a data set changed together, or none of them; and changed back.

A set's edits lie in `.viewfinder/edits/`, a folder each: `N-VERB.apply` while one is made, `.undo`
while it is taken back, `.done` when it can be. Renaming that folder is what decides. It holds
`edit.json`, the files' new contents in `after/` and, as hard links where the disk has them, the
old ones in `before/`. From the moment it has its name an edit is made, come what may: what is left
of it to do are renames, which whoever opens the set next does first. A lock on the set's folder
itself lets one process at a time edit it.
"""

import contextlib
import os
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from shlex import quote
from typing import TypeVar

from viewfinder.datasets.editing.record import (
    RECORD,
    VERBS,
    EditRecord,
    nothing_left,
    read_edit,
    refuse_changed,
    refuse_strange,
)
from viewfinder.datasets.editing.steps import FileChange, apply, prepare, undo
from viewfinder.errors import InputError
from viewfinder.events import note
from viewfinder.files import (
    explained_writing,
    inside,
    new_folder,
    sweep,
    sync_folder,
)
from viewfinder.interrupts import late_interrupts
from viewfinder.locks import alone_in, locked

HIDDEN = ".viewfinder"
"""The folder in a data set that holds what is no label."""

STUDIO = "labels.db"
"""The file in it that the studio keeps a set's labels in, which then count, and not its files'."""

SERVED = "database.json"
"""The file in it that says in which PostgreSQL database a team keeps a set's labels instead."""

Found = TypeVar("Found")

# How often a set is read again that others edit meanwhile.
_READINGS = 5
_held: set[Path] = set()
_NAME = re.compile(rf"\d{{1,9}}-({'|'.join(VERBS)})\.(apply|undo|done)", re.ASCII)


@dataclass(frozen=True)
class Finished:
    """An edit that had been cut short, and now is made; or taken back, if `undone`."""

    edit: EditRecord
    undone: bool


def change_files(
    root: Path,
    changes: Sequence[FileChange],
    *,
    verb: str,
    said: str,
    details: Mapping[str, object] | None = None,
) -> None:
    """Make all of some changes to the files of a set, in such a way that they can be taken back.

    Args:
        verb: of the command line, which takes this back.
        said: the edit in words for a person.
        details: what else to keep of it.

    Raises:
        InputError: a file lies outside of the set, has been changed since the changes were
            planned, or cannot be written. Nothing is changed then.
    """
    root = root.resolve()
    refuse_stored(root)
    with _at_work(root) as place:
        _finish(root, place)
        number = 1 + max(map(_number, _edits(place)), default=0)
        folder = place / f"{number:04}-{verb}.apply"
        with new_folder(folder) as prepared:
            kept = dict(details or {})
            edit = prepare(root, prepared, changes, verb=verb, said=said, details=kept)
        # An interrupt now would leave the rest to whoever opens the set next.
        with late_interrupts():
            try:
                apply(root, folder, edit)
            except (OSError, InputError) as error:
                raise _rolled_back(root, folder, edit, error) from error


@contextlib.contextmanager
def editing(root: Path) -> Iterator[list[Finished]]:
    """Let no other process edit a set from before it is read until it is changed.

    An edit that is planned by what the set was before another's edit would undo that.

    Yields:
        the edits that had been cut short, and now are finished.

    Raises:
        InputError: another process is editing it.
    """
    root = root.expanduser().resolve()
    refuse_stored(root)
    with _at_work(root) as place:
        _held.add(root)
        try:
            yield _finish(root, place)
        finally:
            _held.discard(root)


def undisturbed(source: Path, read: Callable[[], Found]) -> Found:
    """What `read` finds in a set, read again where another process edited the set meanwhile.

    Raises:
        InputError: as `recover` and `read` do.
    """
    for _ in range(_READINGS):
        recover(source)
        before = _state(source)
        try:
            found = read()
        except InputError:
            if _state(source) == before:
                raise
        else:
            if _state(source) == before:
                return found
    raise InputError(f"{source} is edited again and again while it is read: wait for that to end")


def recover(source: Path) -> list[Finished]:
    """Finish what was begun to be changed in a set and was cut short, and say so.

    Args:
        source: the set's folder, or a file of labels of it.

    Raises:
        InputError: it cannot be finished.
    """
    finished: list[Finished] = []
    for root in _roots(source):
        place = root / HIDDEN / "edits"
        try:
            edits = _edits(place)
        except OSError:  # there is none, or it is not ours to look into
            continue
        sweep(place)
        if not edits:
            with locked(root) as free:
                if free:
                    _remove_if_empty(place)
        if any(folder.suffix != ".done" for folder in edits):
            with _at_work(root):
                finished += _finish(root, place)
    return finished


def take_back(root: Path, *, verb: str) -> EditRecord | None:
    """Undo the last edit of a set, if `verb` made it; None where that made none.

    One that was begun to be taken back, and was cut short, is the one that is meant.

    Raises:
        InputError: another verb's edit comes first, a file has been changed since, or cannot be
            written.
    """
    root = root.expanduser().resolve()
    place = root / HIDDEN / "edits"
    if not place.is_dir():
        return None
    was_empty = not any(place.iterdir())
    with _at_work(root):
        # Taking the last one back was cut short just before its end.
        if was_empty and not any(place.iterdir()):
            return nothing_left(verb)
        for finished in _finish(root, place):
            if finished.undone and finished.edit.verb == verb:
                return finished.edit
        edits = _edits(place)
        if not any(f"-{verb}." in folder.name for folder in edits):
            return None
        folder = edits[-1]
        edit = read_edit(folder)
        if edit.verb != verb:
            raise InputError(
                f"the last edit of {root} is another ({edit.said}): take that back first, with "
                f"`viewfinder {edit.verb} {quote(str(root))} --take-back`"
            )
        refuse_changed(root, folder, edit)
        with late_interrupts():
            undone = folder.rename(folder.with_suffix(".undo"))
            sync_folder(place)
            undo(root, undone, edit)
    return edit


def refuse_stored(root: Path) -> None:
    """Refuse to edit files that nobody reads any more.

    Raises:
        InputError: the studio keeps the labels of this set.
    """
    if any((root / HIDDEN / name).is_file() for name in (STUDIO, SERVED)):
        raise InputError(
            f"the labels of {root} are the studio's now, and not its files': change them there, or "
            "export them and change those"
        )


def _rolled_back(root: Path, folder: Path, edit: EditRecord, error: Exception) -> InputError:
    """Undo an edit that cannot be made; returns what to say."""
    try:
        folder = folder.rename(folder.with_suffix(".undo"))
        undo(root, folder, edit)
    except (OSError, InputError):
        after = "what was changed before is undone as soon as the set is opened again"
    else:
        after = "nothing was changed"
    return InputError(f"{error}; {after}")


def _finish(root: Path, place: Path) -> list[Finished]:
    """Go on with every edit that was cut short."""
    finished = []
    for folder in _edits(place):
        if folder.suffix == ".done":
            continue
        if os.name == "posix" and folder.lstat().st_uid not in (os.geteuid(), root.stat().st_uid):
            raise InputError(
                f"an edit of {root} was cut short, and another user had begun it: let them open "
                f"the set, or remove {folder} if you do not know of it"
            )
        undone = folder.suffix == ".undo"
        if undone and not (folder / RECORD).exists():  # the last step was not done
            edit = nothing_left(folder.stem.partition("-")[2])
        else:
            edit = read_edit(folder)
        refuse_strange(root, folder, edit, undone=undone)
        try:
            (undo if undone else apply)(root, folder, edit)
        except (OSError, InputError) as error:
            raise InputError(
                f"an edit of {root} was cut short ({edit.said}), and cannot be finished: {error}"
            ) from error
        end = "its undoing is finished now" if undone else "it is finished now"
        note(f"{root}: an edit was cut short ({edit.said}): {end}")
        finished.append(Finished(edit, undone))
    return finished


def _roots(source: Path) -> list[Path]:
    """The folders that may keep edits of a set, or of the set of a file of labels."""
    source = source.expanduser()
    folders = [source] if source.is_dir() else list(source.absolute().parents)[:2]
    return [folder.resolve() for folder in folders]


def _state(source: Path) -> list[str]:
    """What changes with every edit of a set."""
    state = []
    for root in _roots(source):
        with contextlib.suppress(OSError):
            state += [str(folder) for folder in _edits(root / HIDDEN / "edits")]
    return state


def _edits(place: Path) -> list[Path]:
    """The folders of a set's edits, in their order."""
    found = [folder for folder in place.iterdir() if _NAME.fullmatch(folder.name)]
    return sorted(found, key=_number)


def _number(folder: Path) -> int:
    return int(folder.name.partition("-")[0])


@contextlib.contextmanager
def _at_work(root: Path) -> Iterator[Path]:
    """The folder of a set's edits, for one process at a time; it goes again if it stays empty.

    Raises:
        InputError: another process is at work there, or it leads out of the set.
    """
    place = root / HIDDEN / "edits"
    inside(root, [place / "x"])
    folders = [place] if place.parent.exists() else [place, place.parent]
    with contextlib.ExitStack() as stack:
        if root not in _held:
            busy = f"another `viewfinder` is changing {root}: wait for it to end"
            stack.enter_context(alone_in(root, busy=busy))
        with explained_writing(place):
            place.mkdir(parents=True, exist_ok=True)
        try:
            sweep(place)
            yield place
        finally:
            for folder in folders:
                _remove_if_empty(folder)


def _remove_if_empty(folder: Path) -> None:
    with contextlib.suppress(OSError):
        if not any(folder.iterdir()):
            folder.rmdir()
