"""Reading again what could not be read, where its file is another since; see `unread`."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from sqlalchemy import Connection, select, update

from viewfinder.datasets.formats.stored_text import given, kept
from viewfinder.datasets.survey import is_yolo_labels
from viewfinder.errors import InputError
from viewfinder.studio.store import latecomers, tables
from viewfinder.studio.store.database import Database
from viewfinder.studio.store.found_rows import keep_notes
from viewfinder.studio.store.late_labels import take_labels
from viewfinder.studio.store.mended import blanks_wait, hold, others_again, wait_again
from viewfinder.studio.store.unread import (
    AGAIN,
    WAITS,
    Kept,
    MendedFile,
    State,
    UnreadFile,
    ids_of,
    sign_of,
)

if TYPE_CHECKING:
    from viewfinder.studio.store.found import Found

_p = tables.picture.c


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
    if there and not read and not others and (not own or file in waits.values()):
        why = f"{file}: no picture of the folder has its labels from it; see that its picture and "
        return Decision("waiting", f"{why}what belongs to the set is there", (), waits)
    return Decision("read", "", (*read, *others) if there else tuple(read), waits)


class Looked(NamedTuple):
    """The files that are read now, sentences on those that still are not, pictures that came with
    labels, and sentences on what to see to of those that are or were read."""

    read: tuple[str, ...] = ()
    unread: tuple[str, ...] = ()
    late: tuple[str, ...] = ()
    remarks: tuple[str, ...] = ()


def look(database: Database, data: Path) -> Looked:
    """Read what could not be read, or may have been half written, where its file is another."""
    with database.read() as connection:
        known = Kept.of(connection)
        signs = others_again(connection, data, known)
        late = latecomers.look(connection, data)
    changed = [
        name for name, each in known.files.items() if sign_of(data / given(name)) != each.sign
    ]
    again = dict(signs)
    if not changed and not again and not late.files:
        if late.remembered is not None:
            with database.write() as connection:
                late.remembered.write(connection)
        return Looked()
    signs |= {name: sign_of(data / given(name)) for name in changed}
    signs |= {kept(file): sign for file, sign in late.signs.items()}
    found, failed = _found(data)
    with database.write() as connection:
        now = Kept.of(connection)
        told = wait_again(connection, now, {n: s for n, s in again.items() if n in now.mended})
        chosen = [name for name in dict.fromkeys([*changed, *again]) if name in now.files]
        found = None if found is None else blanks_wait(connection, data, found, now, chosen)
        turn = _Turn(connection, data, found, failed, now, signs)
        for name in chosen:
            turn.file(name, signs[name])
        turn.late(late)
        turn.finish()
    told += turn.told
    return Looked(tuple(turn.good), tuple(turn.said), tuple(turn.came), tuple(told))


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
    came: list[str] = field(default_factory=list)

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
        made = self._of_picture(file, before, made)
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
        labels = kept(self.found.unread[file].labels) if self.found and alone else before.labels
        self.now.files[name] = UnreadFile(sign, kept(made.why), still, labels)
        self._say(still, made.why)
        if (sign, kept(made.why)) != (before.sign, before.why):
            self.said.append(made.why)

    def _of_picture(self, file: str, before: UnreadFile, made: Decision) -> Decision:
        """What is decided of a picture that could not be read, by its file of labels too."""
        labels = given(before.labels)
        if self.found is None or not labels or made.state == "read" or file in self.found.unread:
            return made
        if any(of == labels for of in self.found.files.values()):
            # Another picture is there in its place, as one that was brought into another format.
            gone = update(tables.picture).where(_p.id.in_(before.pictures), WAITS)
            self.connection.execute(gone.values(ready=1, trouble=""))
            return Decision("read", "", (), {})
        if made.state == "waiting" and sign_of(self.data / labels)[0] is None:
            return replace(made, why=f"{labels}: it is gone; put it back, and it is read")
        return made

    def late(self, late: latecomers.Came) -> None:
        """Decide about pictures without labels whose files are there now."""
        if late.remembered is not None:
            late.remembered.write(self.connection)
        found, ids = self.found, latecomers.unlabelled(self.connection)
        if found is None or found.dataset is None:
            self.told += [self.failed] if late.files else []
            return
        waiting_for = {path: name for name, each in found.unread.items() for path in each.pictures}
        labelled = set(found.paths[: len(found.dataset)])
        for path, file in late.files.items():
            own = found.files.get(path) or ("" if found.files else file)
            if path not in ids:
                continue
            if path in waiting_for:
                waits = tables.picture.update().where(_p.id == ids[path])
                self.connection.execute(waits.values(ready=0, trouble="it waits"))
                self._wait(waiting_for[path], ids[path])
            elif path in labelled and own:
                self.chosen.setdefault(path, own)
                self.came.append(path)
            elif not own and is_yolo_labels(self.data / file):
                why = f"{file}: labels of {path}, which is on no list of the set and has none of "
                why += "them; name it there, or draw its boxes and say done"
                self.told.append(why)

    def finish(self) -> None:
        if self.found is not None and self.chosen:
            taken = take_labels(self.connection, self.data, self.found, self.now, self.chosen)
            self.told += taken.fewer
            for path, id in taken.refused.items():
                name = kept(self.chosen[path])
                sign = self.signs.get(name) or sign_of(self.data / self.chosen[path])
                self.told.append(hold(self.connection, self.now, name, sign, 0, [id]))
            for path, why in taken.held.items():
                self._hold(self.chosen[path], why)
            read = {self.chosen[path] for path in taken.ids}
            self.good = [file for file in self.good if file in read]
            self.came = [path for path in self.came if path in taken.ids]
            # Of a table of a whole set, nobody knows which picture's labels are others.
            for path, id in taken.ids.items() if self.found.files else ():
                name = kept(self.found.files.get(path) or self.chosen[path])
                sign = self.signs.get(name) or sign_of(self.data / given(name))
                before = self.now.mended.get(name)
                ids = before.pictures if before and before.seq == taken.seq else []
                self.now.mended[name] = MendedFile(sign, taken.seq, [*ids, id])
        if self.found is not None:
            keep_notes(self.connection, self.found)
        self.now.write(self.connection)

    def _wait(self, file: str, picture: int) -> None:
        """A picture waits for another file than before: its file was given another name."""
        assert self.found is not None
        why, name = self.found.unread[file].why, kept(file)
        labels, sign = kept(self.found.unread[file].labels), sign_of(self.data / file)
        known = self.now.files.get(name) or UnreadFile(sign, kept(why), [], labels)
        ids = [*dict.fromkeys([*known.pictures, picture])]
        self.now.files[name] = known._replace(pictures=ids)
        self._say([picture], why)
        if why not in self.said:
            self.said.append(why)

    def _hold(self, file: str, why: str) -> None:
        """Keep a file whose picture is said to be without boxes, though none waits for it."""
        name = kept(file)
        before = self.first.get(name)
        known = self.now.files.get(name) or UnreadFile(AGAIN, kept(why), [])
        self.now.files[name] = known._replace(sign=AGAIN, why=kept(why))
        if before is None or before.why != kept(why):
            self.said.append(why)

    def _say(self, ids: Sequence[int], why: str) -> None:
        chosen = update(tables.picture).where(WAITS, _p.id.in_(ids))
        self.connection.execute(chosen.values(trouble=kept(why)))
