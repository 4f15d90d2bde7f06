"""Pictures whose file of labels could not be read: they wait for it, and nobody edits them.

Such a picture has `trouble` and is not `ready`, so that it counts nowhere. A file is kept here
while it is not read, in one of these states (`reading_again.decide`); nothing else is read again.

| file, as it is found when it is another | state | its pictures |
|---|---|---|
| it still cannot be read, or what belongs to it cannot | waiting | wait; `why` is said anew |
| it is not there | gone | wait; what was read of them stays |
| not there, and the labels stand in another file | read | taken in; if that is bad, wait for it |
| whole, also without a box | read, and forgotten here | taken in |
| whole, and of a picture that did not wait | read, and forgotten | taken in unless labelled |

A person may say that a waiting picture is labelled anew: it then counts once it is done.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal, NamedTuple

from sqlalchemy import Connection, select, update

from viewfinder.datasets.formats.stored_rows import ANEW, SEEN_AGAIN, UNREAD
from viewfinder.datasets.formats.stored_text import given, kept
from viewfinder.errors import InputError
from viewfinder.studio.store import tables
from viewfinder.studio.store.database import set_value, value_of
from viewfinder.studio.store.found_rows import status_of
from viewfinder.studio.store.records import UnreadLabels
from viewfinder.studio.store.writing import Writer

if TYPE_CHECKING:
    from viewfinder.studio.store.found import Found

State = Literal["waiting", "gone", "read"]
READ = "read"
"""The kind of an operation that took labels in later: it is in no log row by row."""
AGAIN: list[object] = [*SEEN_AGAIN]
"""The sign of a file that is to be looked at whenever the folder is."""
_AT_ONCE = 500
_p = tables.picture.c
WAITS = (_p.ready == 0) & (_p.trouble != "")


class UnreadFile(NamedTuple):
    """A file that is not read: its sign (size and time, None where it is not there), why, and the
    ids of its pictures."""

    sign: list[object]
    why: str
    pictures: list[int]


@dataclass
class Kept:
    """What is kept: the classes as the files had them at first, and the files by name."""

    classes: list[str]
    files: dict[str, UnreadFile]

    @classmethod
    def of(cls, connection: Connection) -> "Kept":
        found = json.loads(value_of(connection, UNREAD) or '{"classes": [], "files": {}}')
        files = {name: UnreadFile(*each) for name, each in found["files"].items()}
        return cls(found["classes"], files)

    def write(self, connection: Connection) -> None:
        set_value(connection, UNREAD, json.dumps({"classes": self.classes, "files": self.files}))


def keep(connection: Connection, data: Path, found: "Found") -> None:
    """Keep at a first reading which files could not be read, and of which pictures they are."""
    if not found.unread:
        return
    names = found.dataset.classes if found.dataset else ()
    known = Kept(list(map(kept, names)), {})
    ids = ids_of(connection, [path for each in found.unread.values() for path in each.pictures])
    for file, each in found.unread.items():
        own = [ids[path] for path in each.pictures if path in ids]
        known.files[kept(file)] = UnreadFile(sign_of(data / file), kept(each.why), own)
    known.write(connection)


def listed(connection: Connection) -> tuple[UnreadLabels, ...]:
    """The files of labels that were not read, with the pictures that wait for them."""
    files = Kept.of(connection).files
    return tuple(
        UnreadLabels(given(name), given(why), tuple(ids)) for name, (_, why, ids) in files.items()
    )


def label_anew(writer: Writer, picture: int) -> str:
    """Let a picture be labelled though its file of labels was not read, and is not any more.

    What could be read of the file stays. It counts once a person says that it is done.

    Raises:
        InputError: it does not wait for any file.
    """
    connection, known = writer.connection, Kept.of(writer.connection)
    files = [name for name, (_, _, ids) in known.files.items() if picture in ids]
    if not files:
        raise InputError("the labels of this picture have been read")
    for name in files:
        sign, why, ids = known.files.pop(name)
        if rest := [each for each in ids if each != picture]:
            known.files[name] = UnreadFile(sign, why, rest)
    known.write(connection)
    said = f"{ANEW} without {given(files[0])}: it counts once it is done"
    values = {"ready": 1, "listed": 0, "trouble": kept(said), "touched": writer.seq}
    connection.execute(update(tables.picture).where(_p.id == picture).values(values))
    path = connection.execute(select(_p.path).where(_p.id == picture)).scalar()
    return f"{given(str(path))} to be labelled anew, without {given(files[0])}"


def ids_of(connection: Connection, paths: Sequence[str]) -> Mapping[str, int]:
    """The ids of pictures by path, of those that have a row."""
    found: dict[str, int] = {}
    for start in range(0, len(paths), _AT_ONCE):
        part = list(map(kept, paths[start : start + _AT_ONCE]))
        rows = connection.execute(select(_p.path, _p.id).where(_p.path.in_(part)))
        found |= {given(path): id for path, id in rows}
    return found


def sign_of(file: Path) -> list[object]:
    """What tells that a file of labels is another."""
    status = status_of(file)
    return [status["size"], status["mtime"]]
