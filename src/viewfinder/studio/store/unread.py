"""Pictures whose file of labels could not be read: they wait for it, and nobody edits them.

Such a picture has `trouble` and is not `ready`, so that it counts nowhere. A file is kept here
while it is not read, in one of these states (`reading_again.decide`); nothing else is read again.

| file, as it is found when it is another | state | its pictures |
|---|---|---|
| it still cannot be read, or what belongs to it cannot | waiting | wait; `why` is said anew |
| it is not there | gone | wait; what was read of them stays |
| not there, and the labels stand in another file | read | taken in; if that is bad, wait for it |
| empty, as one that is still being written is | waiting | wait; it is said to be empty |
| whole, of Pascal VOC also without a box | read, and remembered | taken in |
| whole, and of a picture that did not wait | read, and remembered | taken in unless labelled |
| the same, said done or skipped without boxes | waiting | taken in once it is to do |

What was read may have been half written. It is remembered (`mended`) until its pictures are edited:

| a file that was read, when it is another again | its pictures |
|---|---|
| nobody edited, labelled or said done its picture since | wait again, and it is decided as above |
| somebody did | stay as they are, which is said, and the file is forgotten |
| it is not there | stay as they are; it is remembered |

A person may say that a waiting picture is labelled anew: it then counts once it is done. That is
an edit: undone, the picture waits again.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Literal, NamedTuple

from sqlalchemy import Connection, select, update

from viewfinder.datasets.formats.stored_rows import ANEW, SEEN_AGAIN, UNREAD
from viewfinder.datasets.formats.stored_text import given, kept
from viewfinder.errors import InputError
from viewfinder.studio.store import tables
from viewfinder.studio.store.database import set_value, value_of
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
    """A file that is not read: its sign (size and times, None where it is not there), why, and the
    ids of its pictures."""

    sign: list[object]
    why: str
    pictures: list[int]


class MendedFile(NamedTuple):
    """A file that could not be read and was: its sign then, by which operation, and the ids of the
    pictures that were taken in."""

    sign: list[object]
    seq: int
    pictures: list[int]


class Anew(NamedTuple):
    """That a picture is labelled anew: by which operation, and what it waited for, with why."""

    seq: int
    picture: int
    files: dict[str, str]


@dataclass
class Kept:
    """What is kept: the classes as the files had them at first, the files by name, which pictures
    were labelled anew, and the files that were read later."""

    classes: list[str]
    files: dict[str, UnreadFile]
    anew: list[Anew] = field(default_factory=list)
    mended: dict[str, MendedFile] = field(default_factory=dict)

    @classmethod
    def of(cls, connection: Connection) -> "Kept":
        found = json.loads(value_of(connection, UNREAD) or '{"classes": [], "files": {}}')
        files = {name: UnreadFile(*each) for name, each in found["files"].items()}
        anew = [Anew(*each) for each in found.get("anew", ())]
        mended = {name: MendedFile(*each) for name, each in found.get("mended", {}).items()}
        return cls(found["classes"], files, anew, mended)

    def write(self, connection: Connection) -> None:
        document = {"classes": self.classes, "files": self.files, "anew": self.anew}
        set_value(connection, UNREAD, json.dumps(document | {"mended": self.mended}))


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


def watched(connection: Connection) -> tuple[str, ...]:
    """The files of labels that are read once they are others: those not read, and those mended."""
    known = Kept.of(connection)
    return tuple(given(name) for name in {**known.files, **known.mended})


def label_anew(writer: Writer, picture: int) -> str:
    """Let a picture be labelled though its file of labels was not read, and is not any more.

    What could be read of the file stays. It counts once a person says that it is done.

    Raises:
        InputError: it does not wait for any file.
    """
    known = Kept.of(writer.connection)
    files = {name: each.why for name, each in known.files.items() if picture in each.pictures}
    if not files:
        raise InputError("the labels of this picture have been read")
    known.anew.append(Anew(writer.seq, picture, files))
    _begin_anew(writer, known, picture, files)
    # In the log it stands as a change of the picture, for undo and for who shows it.
    writer.put("picture", str(picture), writer.get("picture", str(picture)).now)
    path = writer.connection.execute(select(_p.path).where(_p.id == picture)).scalar()
    return f"{given(str(path))} to be labelled anew, without {given(next(iter(files)))}"


def turn_anew(writer: Writer, seq: int, *, back: bool) -> None:
    """Let a picture wait again, where operation `seq` let it be labelled anew; or do that again.

    Raises:
        Conflict: its boxes were edited since.
        InputError: its file was read meanwhile.
    """
    known = Kept.of(writer.connection)
    for _, picture, files in (each for each in known.anew if each.seq == seq):
        if not back:
            waits = {name for name, each in known.files.items() if picture in each.pictures}
            if not files.keys() <= waits:
                raise InputError("the labels of this picture have been read")
            _begin_anew(writer, known, picture, files)
            continue
        if _edited_since(writer.connection, picture, seq):
            key = "picture", str(picture)
            raise writer.conflict("what was drawn in it since is to be undone first", [key])
        for name, why in files.items():
            others = known.files[name].pictures if name in known.files else []
            known.files[name] = UnreadFile(AGAIN, why, [*others, picture])
        values = {"ready": 0, "trouble": next(iter(files.values()))}
        writer.connection.execute(update(tables.picture).where(_p.id == picture).values(values))
        known.write(writer.connection)


def _begin_anew(writer: Writer, known: Kept, picture: int, files: Mapping[str, str]) -> None:
    for name in files:
        sign, why, ids = known.files.pop(name)
        if rest := [each for each in ids if each != picture]:
            known.files[name] = UnreadFile(sign, why, rest)
    known.write(writer.connection)
    said = f"{ANEW} without {given(next(iter(files)))}: it counts once it is done"
    values = {"ready": 1, "listed": 0, "trouble": kept(said), "touched": writer.seq}
    writer.connection.execute(update(tables.picture).where(_p.id == picture).values(values))


def _edited_since(connection: Connection, picture: int, seq: int) -> bool:
    change, undoing = tables.change.c, tables.undoing.c
    rows = select(change.seq).where(change.picture == picture, change.seq > seq)
    in_force = rows.where(undoing.seq == change.seq, undoing.undone == 0)
    return connection.execute(in_force.limit(1)).scalar() is not None


def ids_of(connection: Connection, paths: Sequence[str]) -> Mapping[str, int]:
    """The ids of pictures by path, of those that have a row."""
    found: dict[str, int] = {}
    for start in range(0, len(paths), _AT_ONCE):
        part = list(map(kept, paths[start : start + _AT_ONCE]))
        rows = connection.execute(select(_p.path, _p.id).where(_p.path.in_(part)))
        found |= {given(path): id for path, id in rows}
    return found


def sign_of(file: Path) -> list[object]:
    """What tells that a file of labels is another, or may be read now."""
    try:
        status = file.stat()
    except OSError:
        return [None, None, None]
    # Who may read it is in no other time.
    return [status.st_size, status.st_mtime_ns, status.st_ctime_ns]
