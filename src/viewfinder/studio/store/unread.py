"""Pictures whose file of labels could not be read: they wait for it, and nobody edits them.

Such a picture has `trouble` and is not `ready`, so that it counts nowhere. When its file is
another, the folder is read again, and what the files say of these pictures is taken in; nothing
else is. Or a person says that such a picture is labelled anew: it then counts once it is done.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from sqlalchemy import Connection, bindparam, insert, select, update

from viewfinder.datasets.formats.stored_text import given, kept
from viewfinder.errors import InputError
from viewfinder.studio.store import tables
from viewfinder.studio.store.database import Database, set_value, value_of
from viewfinder.studio.store.found_rows import box_rows, picture_rows, sizes_of, status_of
from viewfinder.studio.store.records import UnreadLabels
from viewfinder.studio.store.writing import Writer
from viewfinder.wording import some

if TYPE_CHECKING:
    from viewfinder.studio.store.found import Found

READ = "read"
"""The kind of an operation that took labels in later: it is in no log row by row."""
_NAME = "unread"
_AT_ONCE = 500
_p = tables.picture.c
_WAITS = (_p.ready == 0) & (_p.trouble != "")


@dataclass
class _Kept:
    """What is kept: the classes as the files had them at first, and by file its sign (size and
    time), why it is not read, and the ids of its pictures."""

    classes: list[str]
    files: dict[str, tuple[list[object], str, list[int]]]

    @classmethod
    def of(cls, connection: Connection) -> "_Kept":
        found = json.loads(value_of(connection, _NAME) or '{"classes": [], "files": {}}')
        return cls(found["classes"], found["files"])

    def write(self, connection: Connection) -> None:
        set_value(connection, _NAME, json.dumps({"classes": self.classes, "files": self.files}))


def keep(connection: Connection, data: Path, found: "Found") -> None:
    """Keep at a first reading which files could not be read, and of which pictures they are."""
    if not found.unread:
        return
    names = found.dataset.classes if found.dataset else ()
    known = _Kept(list(map(kept, names)), {})
    ids = _ids(connection, [path for each in found.unread.values() for path in each.pictures])
    for file, each in found.unread.items():
        own = [ids[path] for path in each.pictures if path in ids]
        known.files[kept(file)] = (_sign(data / file), kept(each.why), own)
    known.write(connection)


def listed(connection: Connection) -> tuple[UnreadLabels, ...]:
    """The files of labels that were not read, with the pictures that wait for them."""
    files = _Kept.of(connection).files
    return tuple(
        UnreadLabels(given(name), given(why), tuple(ids)) for name, (_, why, ids) in files.items()
    )


def look(database: Database, data: Path) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Read what could not be read, where its file is another since.

    Returns:
        the files that are read now, and sentences on those that still are not.

    Raises:
        InputError: the folder cannot be read.
    """
    with database.read() as connection:
        known = _Kept.of(connection)
    changed = [name for name, each in known.files.items() if _sign(data / given(name)) != each[0]]
    if not changed:
        return (), ()
    # All readers of label files, which nearly every opening does without.
    from viewfinder.studio.store import found as finding

    signs = {name: _sign(data / given(name)) for name in changed}
    found = finding.look(data, "boxes")
    still = {kept(file): each.why for file, each in found.unread.items()}
    with database.write() as connection:
        now = _Kept.of(connection)
        there = [name for name in changed if name in now.files]
        good = [name for name in there if name not in still]
        for name in there:
            _, _, ids = now.files.pop(name)
            if name in still:
                now.files[name] = (signs[name], kept(still[name]), ids)
                _say(connection, ids, still[name])
        if good:
            _take(connection, data, found, now.classes, good, known)
        now.write(connection)
    return tuple(map(given, good)), tuple(still[name] for name in there if name in still)


def label_anew(writer: Writer, picture: int) -> str:
    """Let a picture be labelled though its file of labels was not read, and is not any more.

    What could be read of the file stays. It counts once a person says that it is done.

    Raises:
        InputError: it does not wait for any file.
    """
    connection, known = writer.connection, _Kept.of(writer.connection)
    files = [name for name, (_, _, ids) in known.files.items() if picture in ids]
    if not files:
        raise InputError("the labels of this picture have been read")
    for name in files:
        sign, why, ids = known.files.pop(name)
        if rest := [each for each in ids if each != picture]:
            known.files[name] = (sign, why, rest)
    known.write(connection)
    said = f"labelled anew without {given(files[0])}: it counts once it is done"
    values = {"ready": 1, "listed": 0, "trouble": kept(said), "touched": writer.seq}
    connection.execute(update(tables.picture).where(_p.id == picture).values(values))
    path = connection.execute(select(_p.path).where(_p.id == picture)).scalar()
    return f"{given(str(path))} to be labelled anew, without {given(files[0])}"


def _take(
    connection: Connection,
    data: Path,
    found: "Found",
    classes: Sequence[str],
    files: Sequence[str],
    known: _Kept,
) -> None:
    """Take in what the files say of the pictures that waited for them, as one operation."""
    writer = Writer(connection, "")
    wanted = {id for name in files for id in known.files[name][2]}
    rows = select(_p.id, _p.path).where(_WAITS, _p.id.in_(wanted))
    ids = {given(path): id for id, path in connection.execute(rows)}
    indices = [index for index, path in enumerate(found.paths) if path in ids]
    labels = _labels(connection, classes, found)
    values_of, sizes = picture_rows(found), sizes_of(data, found, indices).tolist()
    updates, boxes = [], []
    for index, (width, height) in zip(indices, sizes, strict=True):
        path = found.paths[index]
        said = {name: values_of(index)[name] for name in ("listed", "side", "grp", "number")}
        about = {"width": width, "height": height, "trouble": kept(found.trouble.get(path, ""))}
        now = {"key_": ids[path], "ready": 1, "touched": writer.seq}
        updates.append(said | about | now | status_of(data / path))
        for row in box_rows(found, index, ids[path]):
            name, own = f"r{writer.seq}.{row['place']}", labels[str(row["label"])]
            # The number of another box may be the same by now.
            boxes.append(row | {"id": name, "label": own, "number": None})
    if updates:
        gone = [each["key_"] for each in updates]
        connection.execute(tables.box.delete().where(tables.box.c.picture.in_(gone)))
        columns: dict[str, object] = {n: bindparam(n) for n in updates[0] if n != "key_"}
        chosen = update(tables.picture).where(_p.id == bindparam("key_"))
        connection.execute(chosen.values(columns), updates)
    if boxes:
        connection.execute(insert(tables.box), boxes)
    text = f"{some(list(map(given, files)))} read, now that it can be"
    writer.finish(f"read-{writer.seq}", READ, text, undoable=False)


def _labels(connection: Connection, first: Sequence[str], found: "Found") -> dict[str, str]:
    """For the classes of a later reading, `c1` for its first, the ids that they have here."""
    names = list(map(kept, found.dataset.classes if found.dataset else ()))
    table = tables.label_class.c
    rows = connection.execute(select(table.id, table.name, table.position)).all()
    own = {name: f"c{place}" for place, name in enumerate(first, 1)}
    # Only those that came later: a name that people gave to another class may mean that one.
    by_name = {row.name: row.id for row in rows if row.name not in own}
    taken, last = {row.id for row in rows}, max((row.position for row in rows), default=-1)
    labels: dict[str, str] = {}
    for place, name in enumerate(names, 1):
        id = own.get(name) or by_name.get(name, "")
        if not id:
            number = len(first) + 1
            while (id := f"c{number}") in taken:
                number += 1
            taken.add(id)
            last += 1
            row = {"id": id, "name": name, "colour": "", "key": "", "position": last}
            row |= {"number": None, "merged": None, "rev": 1, "removed": 0}
            connection.execute(insert(tables.label_class).values(row))
        labels[f"c{place}"] = id
    return labels


def _say(connection: Connection, ids: Sequence[int], why: str) -> None:
    chosen = update(tables.picture).where(_WAITS, _p.id.in_(ids))
    connection.execute(chosen.values(trouble=kept(why)))


def _ids(connection: Connection, paths: Sequence[str]) -> Mapping[str, int]:
    found: dict[str, int] = {}
    for start in range(0, len(paths), _AT_ONCE):
        part = list(map(kept, paths[start : start + _AT_ONCE]))
        rows = connection.execute(select(_p.path, _p.id).where(_p.path.in_(part)))
        found |= {given(path): id for path, id in rows}
    return found


def _sign(file: Path) -> list[object]:
    """What tells that a file of labels is another."""
    status = status_of(file)
    return [status["size"], status["mtime"]]
