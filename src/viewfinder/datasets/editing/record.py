"""What is kept of one edit of a set's files, and whether it can still be finished or undone."""

import hashlib
import json
import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from viewfinder.datasets.formats.large_json import explained_json, read_text
from viewfinder.datasets.locating import checked_name
from viewfinder.errors import InputError
from viewfinder.files import inside
from viewfinder.reading import open_file

RECORD = "edit.json"
VERBS = ("classes", "propose")
"""Those of the command line that change files of a set, and take that back."""

_KINDS = {"verb": str, "said": str, "time": str, "details": dict}
_LISTS = ("writes", "moves", "made")


@dataclass(frozen=True)
class Write:
    """A file relative to the set's root, and the digests of what it held and is to hold.

    Attributes:
        before: None where there was no file.
    """

    file: str
    before: str | None
    after: str


@dataclass(frozen=True)
class EditRecord:
    """One edit.

    Attributes:
        verb: one of `VERBS`.
        said: what it does, in words for a person.
        details: what else the verb keeps of it.
        moves: from where and to where, relative to the set's root.
        made: the folders that it makes, relative to the set's root.
    """

    verb: str
    said: str
    time: str
    details: dict[str, object]
    writes: tuple[Write, ...]
    moves: tuple[tuple[str, str], ...]
    made: tuple[str, ...]


def nothing_left(verb: str) -> EditRecord:
    """An edit that is undone, but for the folder that kept it."""
    return EditRecord(verb, "one that was all but taken back", "", {}, (), (), ())


def digest(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def digest_of(file: Path) -> str | None:
    """A file's digest; None where there is none, or what is no file, such as a pipe."""
    if not file.is_file():
        return None
    with open_file(file) as opened:
        return hashlib.file_digest(opened, "sha256").hexdigest()


def read_edit(folder: Path) -> EditRecord:
    """The edit that a folder keeps.

    Raises:
        InputError: its record is damaged, or names a file that no file of a set can be.
    """
    file = folder / RECORD
    if not file.is_file():
        raise InputError(f"{folder} has no {RECORD}: remove it, and what it kept stays as it is")
    with explained_json(file):
        document = json.loads(read_text(file))
    try:
        if not all(type(document[key]) is kind for key, kind in _KINDS.items()):
            raise TypeError
        writes, moves, made = (document[key] for key in _LISTS)
        edit = EditRecord(
            **{key: document[key] for key in _KINDS},
            writes=tuple(Write(**write) for write in writes),
            moves=tuple((first, second) for first, second in moves),
            made=tuple(made),
        )
        names = [*(write.file for write in edit.writes), *edit.made]
        for name in [*names, *(name for move in edit.moves for name in move)]:
            checked_name(name, where=str(file))
        texts = [*(write.after for write in edit.writes), *(w.before or "" for w in edit.writes)]
        if edit.verb not in VERBS or not all(isinstance(text, str) for text in texts):
            raise TypeError
    except (TypeError, KeyError, ValueError, AttributeError) as error:
        if isinstance(error, InputError):
            raise
        raise InputError(
            f"{file} is damaged or of another version: remove {folder}, and what it tells of "
            "stays as it is"
        ) from None
    return edit


def refuse_strange(root: Path, folder: Path, edit: EditRecord, *, undone: bool) -> None:
    """See that going on with an edit loses nothing, and touches nothing outside of the set.

    Raises:
        InputError: a file leads out of the set, or was changed after the edit was cut short.
    """
    refuse_outside(root, edit)
    for number, write in enumerate(edit.writes):
        source = folder / ("before" if undone else "after") / str(number)
        wanted = write.before if undone else write.after
        now = digest_of(source)
        if source.is_symlink() or now not in (None, wanted):
            raise InputError(
                f"{folder} is damaged, in which an edit of {root} was cut short ({edit.said}): "
                "remove it, and see whether the set is as you want it"
            )
        now = None if now is None else digest_of(root / write.file)
        if now not in (None, write.before, write.after):
            raise _between(root / write.file, edit)
    for first, second in edit.moves:
        if os.path.lexists(root / first) and os.path.lexists(root / second):
            raise _between(root / (first if undone else second), edit)


def refuse_changed(root: Path, folder: Path, edit: EditRecord) -> None:
    """See that taking an edit back loses nothing that was done since.

    Raises:
        InputError: it would, or a file leads out of the set, or what was kept of one is gone.
    """
    refuse_outside(root, edit)
    for number, write in enumerate(edit.writes):
        file, before = root / write.file, folder / "before" / str(number)
        if write.before and (before.is_symlink() or digest_of(before) != write.before):
            raise InputError(
                f"{before} is gone or changed, which held {file} as it was: nothing is undone"
            )
        if digest_of(file) not in (write.before, write.after):
            advice = f"; as it was before, it is {before}" if write.before else ""
            raise InputError(
                f"{file} has been changed since ({edit.said}), and taking that back would lose "
                f"what was changed{advice}"
            )
    for first, second in edit.moves:
        if os.path.lexists(root / first):
            raise InputError(
                f"{root / first} is there again since ({edit.said}), and what is "
                f"{root / second} now could not become it: move it away first"
            )
        if not os.path.lexists(root / second):
            raise InputError(
                f"{root / second} is gone since ({edit.said}), and cannot become {root / first}: "
                "put it back first"
            )


def refuse_outside(root: Path, edit: EditRecord) -> None:
    """See that every file of an edit lies in the set, whatever links there are.

    Raises:
        InputError: one leads out of it.
    """
    names = [
        *(write.file for write in edit.writes),
        *(name for pair in edit.moves for name in pair),
    ]
    below: Callable[[str], Path] = root.joinpath
    inside(root, [*map(below, names), *(root / name / "x" for name in edit.made)], follow=False)


def _between(file: Path, edit: EditRecord) -> InputError:
    return InputError(
        f"{file} was changed after an edit was cut short ({edit.said}): move it away, so that the "
        "edit can be finished without losing it"
    )
