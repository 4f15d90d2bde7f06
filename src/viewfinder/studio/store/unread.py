"""Pictures whose file of labels could not be read: they wait for it, and nobody edits them.

So does a picture that cannot be read itself, where its labels are shares of its size (YOLO's); it
is then what stands here for its file of labels, and is read with them once it can be.

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
| no edit of its picture since is in force | wait again, and it is decided as above |
| one is | stay as they are, and the file is held |
| it is not there | stay as they are; it is remembered |

A file is also held whose picture has other labels when it can be read. It is named on the page and
by `check` until its picture is said to be done. Once the edits are undone, it is taken in with the
next look at the folder.

A person may say that a waiting picture is labelled anew: it then counts once it is done. That is
an edit: undone, the picture waits again.

Taking in what a file says is an operation in the log, which removes the boxes that it replaces and
lets the picture be to do. Around it,

- it is not undone itself; an edit of a box or picture that it replaced is neither undone nor done
  again any more: undo and redo pass over such an edit, and refuse it where it is asked for. Of one
  that changed other things too, these are turned, and that the rest stays is said;
- boxes that it did not replace, as those that were undone or removed before, can come back;
- restoring to a moment before it gives a picture what people said of it then; one that waited then,
  or of which nobody had said anything, is given what was last read of it.

While a picture waits, nothing of it is undone or done again but that it is labelled anew.
"""

import json
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Literal, NamedTuple

from sqlalchemy import Connection, select

from viewfinder.datasets.formats.stored_rows import ANEW, SEEN_AGAIN, UNREAD, is_undecided
from viewfinder.datasets.formats.stored_text import given, kept
from viewfinder.errors import InputError
from viewfinder.studio.store import tables
from viewfinder.studio.store.database import set_value, value_of
from viewfinder.studio.store.folder_records import UnreadLabels
from viewfinder.studio.store.writing import Writer

if TYPE_CHECKING:
    from viewfinder.studio.store.found import Found

State = Literal["waiting", "gone", "read"]
READ = "read"
"""The kind of an operation that took labels in later: nobody undoes it."""
AGAIN: list[object] = [*SEEN_AGAIN]
"""The sign of a file that is to be looked at whenever the folder is."""
_AT_ONCE = 500
_p = tables.picture.c
WAITS = (_p.ready == 0) & (_p.trouble != "")


class UnreadFile(NamedTuple):
    """A file that is not read: its sign (size and times, None where it is not there), why, and the
    ids of its pictures; of a picture its file of labels."""

    sign: list[object]
    why: str
    pictures: list[int]
    labels: str = ""


class MendedFile(NamedTuple):
    """A file that could not be read and was: its sign then, by which operation, and the ids of the
    pictures that were taken in.

    Attributes:
        seq: 0 of one that was not taken in, as its picture had other labels.
        held: where it is not taken in as it is now, why, and the pictures' revisions then: one that
            is said to be done since has the labels that it is to have.
    """

    sign: list[object]
    seq: int
    pictures: list[int]
    held: tuple[str, dict[str, int]] | None = None


class Left(NamedTuple):
    """That a picture waits no more though its file was not read: since which operation, and what it
    waited for, with why."""

    seq: int
    picture: int
    files: dict[str, str]


@dataclass
class Kept:
    """What is kept: the classes as the files had them at first, the files by name, which pictures
    wait no more without having been read, and the files that were read later."""

    classes: list[str]
    files: dict[str, UnreadFile]
    left: list[Left] = field(default_factory=list)
    mended: dict[str, MendedFile] = field(default_factory=dict)

    @classmethod
    def of(cls, connection: Connection) -> "Kept":
        found = json.loads(value_of(connection, UNREAD) or '{"classes": [], "files": {}}')
        files = {name: UnreadFile(*each) for name, each in found["files"].items()}
        left = [Left(*each) for each in found.get("anew", ())]
        mended = {name: MendedFile(*each) for name, each in found.get("mended", {}).items()}
        return cls(found["classes"], files, left, mended)

    def write(self, connection: Connection) -> None:
        document = {"classes": self.classes, "files": self.files, "anew": self.left}
        set_value(connection, UNREAD, json.dumps(document | {"mended": self.mended}))


def keep(connection: Connection, data: Path, found: "Found") -> None:
    """Keep at a first reading which files could not be read, and of which pictures they are."""
    if found.kind != "boxes" or found.dataset is None:
        return
    names = found.dataset.classes
    known = Kept(list(map(kept, names)), {})
    ids = ids_of(connection, [path for each in found.unread.values() for path in each.pictures])
    for file, each in found.unread.items():
        own = [ids[path] for path in each.pictures if path in ids]
        about = kept(each.why), own, kept(each.labels)
        known.files[kept(file)] = UnreadFile(sign_of(data / file), *about)
    known.write(connection)


def listed(connection: Connection) -> tuple[UnreadLabels, ...]:
    """The files of labels that were not read, with the pictures that wait for them."""
    known = Kept.of(connection)
    found = [
        UnreadLabels(given(name), given(each.why), tuple(each.pictures))
        for name, each in known.files.items()
    ]
    for name, each in known.mended.items():
        if each.held and (ids := _undecided(connection, each.held[1])):
            found.append(UnreadLabels(given(name), given(each.held[0]), (), ids))
    return tuple(found)


def _undecided(connection: Connection, held: Mapping[str, int]) -> tuple[int, ...]:
    """The pictures that nobody said to be done since a file was held for them."""
    rows = select(_p.id, _p.state, _p.rev).where(_p.id.in_(list(map(int, held))))
    found = connection.execute(rows.order_by(_p.id)).all()
    return tuple(row.id for row in found if is_undecided(row.state, row.rev, held[str(row.id)]))


def watched(connection: Connection) -> tuple[str, ...]:
    """The files of labels that are read once they are others: those not read, and those mended."""
    known = Kept.of(connection)
    labels = [each.labels for each in known.files.values() if each.labels]
    return tuple(map(given, dict.fromkeys([*known.files, *known.mended, *labels])))


def label_anew(writer: Writer, picture: int) -> str:
    """Let a picture be labelled though its file of labels was not read, and is not any more.

    What could be read of the file stays. It counts once a person says that it is done.

    Raises:
        InputError: it does not wait for any file.
    """
    known = Kept.of(writer.connection)
    file = next((name for name, each in known.files.items() if picture in each.pictures), None)
    now = writer.get("picture", str(picture)).now
    if file is None or now is None or now["ready"]:
        raise InputError("the labels of this picture have been read")
    labels = given(known.files[file].labels or file)
    said = kept(f"{ANEW} without {labels}: it counts once it is done")
    writer.put("picture", str(picture), now | {"ready": 1, "listed": 0, "trouble": said})
    path = writer.connection.execute(select(_p.path).where(_p.id == picture)).scalar()
    return f"{given(str(path))} to be labelled anew, without {labels}"


def see_waiting(writer: Writer, seq: int, pictures: Iterable[int]) -> None:
    """See that undoing or redoing an operation leaves what waits, and what people drew, as it is.

    Raises:
        Conflict: a picture would wait again for its file though its boxes were edited since.
        InputError: a picture waits for its file.
    """
    for picture in pictures:
        record = writer.get("picture", str(picture))
        if record.before is None or record.now is None:
            continue
        if not record.before["ready"] and not record.now["ready"]:
            raise InputError(f"its labels wait to be read: {given(record.now['trouble'])}")
        again = record.before["ready"] and not record.now["ready"]
        if again and edited_since(writer.connection, [picture], seq):
            key = "picture", str(picture)
            raise writer.conflict("what was drawn in it since is to be undone first", [key])


def follow(writer: Writer) -> None:
    """Keep which files are waited for, after an operation by which pictures wait, or wait no more.

    A file that is waited for again is looked at with the next look at the folder.
    """
    known: Kept | None = None
    for (kind, id), record in writer.changes().items():
        if kind != "picture" or record.before is None or record.now is None:
            continue
        if record.before["ready"] == record.now["ready"]:
            continue
        known, picture = known or Kept.of(writer.connection), int(id)
        if record.now["ready"]:
            _leave(known, writer.seq, picture)
            continue
        last = next((each for each in reversed(known.left) if each.picture == picture), None)
        for name, why in last.files.items() if last else ():
            others = known.files[name].pictures if name in known.files else []
            ids = [*dict.fromkeys([*others, picture])]
            known.files[name] = UnreadFile(AGAIN, why, ids)
    if known is not None:
        known.write(writer.connection)


def _leave(known: Kept, seq: int, picture: int) -> None:
    files = {name: each.why for name, each in known.files.items() if picture in each.pictures}
    known.left.append(Left(seq, picture, files))
    for name in files:
        left = known.files.pop(name)
        if rest := [each for each in left.pictures if each != picture]:
            known.files[name] = left._replace(pictures=rest)


def edited_since(connection: Connection, pictures: Collection[int], seq: int) -> list[int]:
    """The pictures of which an edit after an operation is in force."""
    change, undoing = tables.change.c, tables.undoing.c
    rows = select(change.picture).distinct().where(change.seq > seq, change.picture.in_(pictures))
    in_force = rows.where(undoing.seq == change.seq, undoing.undone.in_(tables.IN_FORCE))
    return list(connection.execute(in_force).scalars())


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
