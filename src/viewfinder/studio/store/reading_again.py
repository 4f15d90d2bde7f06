"""Reading again what could not be read, where its file is another since; see `unread`."""

import json
from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from sqlalchemy import Connection, Row, bindparam, func, insert, select, update

from viewfinder.datasets.formats.stored_text import given, kept
from viewfinder.errors import InputError
from viewfinder.studio.store import tables
from viewfinder.studio.store.database import Database, set_value
from viewfinder.studio.store.found_rows import (
    box_rows,
    left_out,
    picture_rows,
    sizes_of,
    status_of,
)
from viewfinder.studio.store.mended import (
    blanks_wait,
    fewer,
    others_again,
    wait_again,
)
from viewfinder.studio.store.unread import (
    AGAIN,
    READ,
    WAITS,
    Kept,
    MendedFile,
    State,
    UnreadFile,
    ids_of,
    sign_of,
)
from viewfinder.studio.store.writing import Writer
from viewfinder.wording import some

if TYPE_CHECKING:
    from viewfinder.studio.store.found import Found

_p = tables.picture.c
_AT_ONCE = 500


@dataclass(frozen=True)
class Decision:
    """What is to become of a file that could not be read, and is another now.

    Attributes:
        why: a sentence, unless it is read.
        read: the pictures that are taken in now.
        waits: those that go on waiting, each with the file that it waits for.
    """

    state: State
    why: str
    read: tuple[str, ...]
    waits: Mapping[str, str]


def decide(
    file: str, there: bool, own: Collection[str], found: "Found | None", failed: str = ""
) -> Decision:
    """The state of a file that waited; the table of `unread` in code.

    Args:
        there: whether there is such a file.
        own: the pictures that waited for it.
        found: what the folder holds now; None where that cannot be read, and `failed` says why.
    """
    gone = f"{file}: it is gone; put it back, and it is read"
    if found is None:
        state: State = "waiting" if there else "gone"
        return Decision(state, failed if there else gone, (), dict.fromkeys(own, file))
    waiting_for = {path: name for name, each in found.unread.items() for path in each.pictures}
    others = [path for path, of in found.files.items() if of == file and path not in own]
    others = [path for path in others if path not in waiting_for]
    waits, read = {}, []
    for path in own:
        if path in waiting_for:
            waits[path] = waiting_for[path]
        elif found.files.get(path) or (there and others):
            read.append(path)
        else:
            waits[path] = file
    if file in found.unread:
        return Decision("waiting", found.unread[file].why, tuple(read), waits)
    if not there and (not own or file in waits.values()):
        return Decision("gone", gone, tuple(read), waits)
    if there and not read and not others:
        why = f"{file}: no picture of the folder has its labels from it; see that its picture and "
        return Decision("waiting", f"{why}what belongs to the set is there", (), waits)
    return Decision("read", "", (*read, *others) if there else tuple(read), waits)


class Looked(NamedTuple):
    """The files that are read now, sentences on those that still are not, and on what to see to of
    those that are or were."""

    read: tuple[str, ...] = ()
    unread: tuple[str, ...] = ()
    remarks: tuple[str, ...] = ()


def look(database: Database, data: Path) -> Looked:
    """Read what could not be read, or may have been half written, where its file is another."""
    with database.read() as connection:
        known = Kept.of(connection)
    changed = [
        name for name, each in known.files.items() if sign_of(data / given(name)) != each.sign
    ]
    signs = others_again(data, known)
    again = list(signs)
    if not changed and not again:
        return Looked()
    signs |= {name: sign_of(data / given(name)) for name in changed}
    found, failed = _found(data)
    with database.write() as connection:
        now = Kept.of(connection)
        told = wait_again(connection, now, [name for name in again if name in now.mended])
        chosen = [name for name in dict.fromkeys([*changed, *again]) if name in now.files]
        found = None if found is None else blanks_wait(connection, data, found, now, chosen)
        turn = _Turn(connection, data, found, failed, now, signs)
        for name in chosen:
            turn.file(name, signs[name])
        turn.finish()
    return Looked(tuple(turn.good), tuple(turn.said), (*told, *turn.told))


def _found(data: Path) -> tuple["Found | None", str]:
    """What the folder holds; or None, and why that cannot be read."""
    # All readers of label files, which nearly every opening does without.
    from viewfinder.studio.store import found as finding

    try:
        found = finding.look(data, "boxes")
    except InputError as error:
        return None, str(error)
    if found.dataset is None or found.dataset.boxes is None:
        return None, f"{data} holds no labels of boxes now; put back what is missing"
    return found, ""


@dataclass
class _Turn:
    """One look at the files that are others now."""

    connection: Connection
    data: Path
    found: "Found | None"
    failed: str
    now: Kept
    signs: Mapping[str, list[object]]
    good: list[str] = field(default_factory=list)
    said: list[str] = field(default_factory=list)
    told: list[str] = field(default_factory=list)
    chosen: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.first = dict(self.now.files)

    def file(self, name: str, sign: list[object]) -> None:
        """Decide about one file, and keep what it comes to."""
        before, file = self.now.files.pop(name), given(name)
        rows = select(_p.id, _p.path).where(WAITS, _p.id.in_(before.pictures))
        own = {given(path): id for id, path in self.connection.execute(rows)}
        there = sign[0] is not None
        made = decide(file, there, own, self.found, self.failed)
        if absent := sorted({*made.read} - {*ids_of(self.connection, made.read)}):
            why = f"{file}: it is of {absent[0]}, which is not in the folder; put it there"
            made = replace(made, state="waiting", why=why, read=())
        for path in made.read:
            self.chosen.setdefault(path, file)
        for path, of in made.waits.items():
            if of != file:
                self._wait(of, own[path])
        if made.state == "read":
            if made.read:
                self.good.append(file)
            return
        # What does not depend on the file alone is looked at whenever the folder is.
        alone = self.found is not None and file in self.found.unread
        sign = sign if alone else AGAIN
        still = [own[path] for path, of in made.waits.items() if of == file]
        self.now.files[name] = UnreadFile(sign, kept(made.why), still)
        self._say(still, made.why)
        if (sign, kept(made.why)) != (before.sign, before.why):
            self.said.append(made.why)

    def finish(self) -> None:
        if self.found is not None and self.chosen:
            taken = _take(self.connection, self.data, self.found, self.now, self.chosen)
            self.told += [*taken.refused, *taken.fewer]
            for path, why in taken.held.items():
                self._hold(self.chosen[path], why)
            read = {self.chosen[path] for path in taken.ids}
            self.good = [file for file in self.good if file in read]
            for path, id in taken.ids.items():
                name = kept(self.found.files.get(path) or self.chosen[path])
                sign = self.signs.get(name) or sign_of(self.data / given(name))
                before = self.now.mended.get(name)
                ids = before.pictures if before and before.seq == taken.seq else []
                self.now.mended[name] = MendedFile(sign, taken.seq, [*ids, id])
        if self.found is not None:
            notes = [*self.found.notes, *left_out(self.found)]
            set_value(self.connection, "notes", json.dumps(notes))
        self.now.write(self.connection)

    def _wait(self, file: str, picture: int) -> None:
        """A picture waits for another file than before: its file was given another name."""
        assert self.found is not None
        why, name = self.found.unread[file].why, kept(file)
        known = self.now.files.get(name) or UnreadFile(sign_of(self.data / file), kept(why), [])
        ids = [*dict.fromkeys([*known.pictures, picture])]
        self.now.files[name] = UnreadFile(known.sign, known.why, ids)
        self._say([picture], why)

    def _hold(self, file: str, why: str) -> None:
        """Keep a file whose picture is said to be without boxes, though none waits for it."""
        name = kept(file)
        before = self.first.get(name)
        known = self.now.files.get(name) or UnreadFile(AGAIN, kept(why), [])
        self.now.files[name] = UnreadFile(AGAIN, kept(why), known.pictures)
        if before is None or before.why != kept(why):
            self.said.append(why)

    def _say(self, ids: Sequence[int], why: str) -> None:
        chosen = update(tables.picture).where(WAITS, _p.id.in_(ids))
        self.connection.execute(chosen.values(trouble=kept(why)))


class _Taken(NamedTuple):
    """By which operation pictures were taken in, and which; sentences on those that have labels by
    now, which stay as they are; those said to be without boxes by now, with why they wait; and
    sentences on those of fewer boxes than before."""

    seq: int
    ids: Mapping[str, int]
    refused: list[str]
    held: Mapping[str, str]
    fewer: list[str]


def _take(
    connection: Connection, data: Path, found: "Found", known: Kept, chosen: Mapping[str, str]
) -> _Taken:
    """Take in what the files say of pictures, each with its file, as one operation."""
    writer = Writer(connection, "")
    ids, refused, held = _free(connection, chosen)
    if not ids and not refused:
        return _Taken(0, {}, [], held, [])
    indices = [index for index, path in enumerate(found.paths) if path in ids]
    labels = _labels(connection, known.classes, found)
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
    counts = Counter(id for row in boxes if isinstance(id := row["picture"], int))
    less = fewer(connection, ids, counts, chosen)
    if updates:
        gone = [each["key_"] for each in updates]
        connection.execute(tables.box.delete().where(tables.box.c.picture.in_(gone)))
        # Edits of these boxes, all undone before the picture waited, cannot come back.
        logged = tables.change.c
        of_boxes = (logged.kind == "box") & logged.picture.in_(gone)
        connection.execute(tables.change.delete().where(of_boxes))
        columns: dict[str, object] = {n: bindparam(n) for n in updates[0] if n != "key_"}
        of_id = update(tables.picture).where(_p.id == bindparam("key_"))
        connection.execute(of_id.values(columns), updates)
    if boxes:
        connection.execute(insert(tables.box), boxes)
    files = list(dict.fromkeys(chosen[found.paths[index]] for index in indices))
    parts = [f"{some(files)} read, now that it can be"] if files else []
    writer.finish(f"read-{writer.seq}", READ, "; ".join([*parts, *refused, *less]), undoable=False)
    return _Taken(writer.seq, ids, refused, held, less)


def _free(
    connection: Connection, chosen: Mapping[str, str]
) -> tuple[dict[str, int], list[str], dict[str, str]]:
    """The ids of those pictures that nobody has labelled; sentences on those that have labels; and
    by picture, why others wait, which are only said to be without any."""
    ids = ids_of(connection, list(chosen))
    rows: dict[int, Row[tuple[int, str, int, int, str]]] = {}
    boxed: set[int] = set()
    everything = list(ids.values())
    for start in range(0, len(everything), _AT_ONCE):
        part = _p.id.in_(everything[start : start + _AT_ONCE])
        asked = select(_p.id, _p.state, _p.listed, _p.ready, _p.trouble).where(part)
        rows |= {row.id: row for row in connection.execute(asked)}
        box = tables.box.c
        has = select(box.picture, func.count()).where(box.removed == 0, box.picture.in_(rows))
        boxed |= {picture for picture, _ in connection.execute(has.group_by(box.picture))}
    free, refused, held = {}, [], {}
    for path, id in ids.items():
        row = rows[id]
        waits = not row.ready and row.trouble
        if waits or (row.state == "todo" and not row.listed and id not in boxed):
            free[path] = id
        elif not row.listed and id not in boxed:
            text = f"{chosen[path]}: it can be read now, and is of {path}, which is said to be "
            held[path] = f"{text}{row.state} without boxes; let that one be to do, and look again"
        else:
            text = f"{chosen[path]} can be read now, and is of {path}, which has other labels by "
            refused.append(f"{text}now; these stay, and those of the file are not taken in")
    return free, refused, held


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
