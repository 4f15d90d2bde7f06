"""Changing records: each change is kept with what was there before, and counted.

A `Writer` is one operation within one transaction. It reads the records that it needs, changes them
in memory, and `finish` writes them with the operation and its changes, or raises.
"""

import json
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from sqlalchemy import BindParameter, Connection, RowMapping, Update, bindparam, func, select

from viewfinder.datasets.formats.stored_text import kept
from viewfinder.studio.store import listing, tables
from viewfinder.studio.store.naming import Names, names_of
from viewfinder.studio.store.records import Applied, Conflict

Contents = dict[str, Any]
"""What a record holds, by the columns of its kind (`tables.CONTENTS`)."""
Key = tuple[str, str]
"""A record: its kind, and its id as text."""

# As many as PostgreSQL and SQLite take in one list.
_AT_ONCE = 500

# Built once: SQLAlchemy takes longer to build a statement than a database to execute it.
_LAST = select(func.max(tables.operation.c.seq))
_KEY: BindParameter[object] = bindparam("key_")
_TOUCH = tables.picture.update().where(tables.picture.c.id == _KEY)
_TOUCH = _TOUCH.values(touched=bindparam("touched"))
_ONE = {kind: select(table).where(table.c.id == _KEY) for kind, table in tables.RECORDS.items()}


def _setting(kind: str, names: Iterable[str]) -> Update:
    """The statement that sets these columns of the record of an id."""
    table = tables.RECORDS[kind]
    values: dict[str, BindParameter[object]] = {name: bindparam(name) for name in names}
    return table.update().where(table.c.id == _KEY).values(values)


_CHANGE = {kind: _setting(kind, (*tables.CONTENTS[kind], "rev", "removed")) for kind in _ONE}
_REMOVE = {kind: _setting(kind, ("rev", "removed")) for kind in _ONE}
_ADD = {kind: table.insert() for kind, table in tables.RECORDS.items()}
_ADD_OPERATION, _ADD_CHANGE = tables.operation.insert(), tables.change.insert()
_ADD_UNDOING = tables.undoing.insert()


@dataclass
class Record:
    """A record as it was, and as it is to be; without contents it is not there.

    Attributes:
        revision: now; `first` before this operation, 0 of a record that never was.
    """

    before: Contents | None
    now: Contents | None
    revision: int
    first: int = 0
    changed: bool = False


@dataclass
class Writer:
    """One operation.

    Attributes:
        person, session, at: who, where and when.
        seq: its number.
    """

    connection: Connection
    person: str
    session: str = ""
    at: float = field(default_factory=time.time)
    seq: int = 0

    def __post_init__(self) -> None:
        last = self.connection.execute(_LAST).scalar()
        self.seq = (last or 0) + 1
        self.records: dict[Key, Record] = {}

    @cached_property
    def names(self) -> Names:
        """What names of proposals meant before this operation: many may be accepted by it."""
        return names_of(self.connection)

    def load(self, keys: Iterable[Key]) -> None:
        """Read records that are not read yet, many at once."""
        wanted: dict[str, list[str]] = {}
        for kind, record in dict.fromkeys(keys):
            if (kind, record) not in self.records:
                wanted.setdefault(kind, []).append(record)
        for kind, ids in wanted.items():
            for found in rows_of(self.connection, kind, ids):
                contents = None if found["removed"] else contents_of(kind, found)
                key = kind, str(found["id"])
                self.records[key] = Record(contents, contents, found["rev"], found["rev"])
            for record in ids:
                self.records.setdefault((kind, record), Record(None, None, 0))

    def get(self, kind: str, record: str) -> Record:
        """A record; one of revision 0 where there never was one."""
        self.load([(kind, record)])
        return self.records[kind, record]

    def removed(self, kind: str, record: str) -> Contents | None:
        """What a record held when it was removed; None where it is no more, or never was."""
        rows = [row for row in rows_of(self.connection, kind, [record]) if row["removed"]]
        return contents_of(kind, rows[0]) if rows else None

    def put(self, kind: str, record: str, contents: Contents | None) -> None:
        """Change a record, or remove it; its revision is one more."""
        found = self.get(kind, record)
        found.now = contents
        found.revision += 1
        found.changed = True

    def put_logged(self, kind: str, record: str, text: str | None) -> None:
        """Make a record what the log says of it; what it does not say, as older ones, stays."""
        now, logged = self.get(kind, record).now, loaded(text)
        self.put(kind, record, logged if logged is None else (now or {}) | logged)

    def expect(self, kind: str, record: str, base: int, what: str) -> Contents | None:
        """The contents of a record that has this revision.

        Raises:
            Conflict: it has another.
        """
        found = self.get(kind, record)
        if found.revision != base and not (base == 0 and found.now is None):
            raise self.conflict(f"{what} was changed meanwhile", [(kind, record)])
        return found.now

    def conflict(self, why: str, keys: Sequence[Key]) -> Conflict:
        """What to raise: why, and the records as they are."""
        now: list[dict[str, object]] = [
            {"kind": kind, "id": record, "record": listing.record(self.connection, kind, record)}
            for kind, record in keys
        ]
        return Conflict(why, now)

    def changes(self) -> dict[Key, Record]:
        """The records that were changed."""
        return {key: record for key, record in self.records.items() if record.changed}

    def finish(
        self, id: str, kind: str, said: str, *, of: int | None = None, undoable: bool = True
    ) -> Applied:
        """Write all of it."""
        changed = self.changes()
        pictures = sorted({p for key, r in changed.items() if (p := _picture(key, r)) is not None})
        for name in tables.RECORDS:
            self._write(name, {k[1]: r for k, r in changed.items() if k[0] == name})
        person = kept(self.person)
        self.connection.execute(
            _ADD_OPERATION,
            {
                "seq": self.seq,
                "id": id,
                "at": self.at,
                "person": person,
                "session": kept(self.session),
                "kind": kind,
                "said": kept(said),
                "of": of,
                "changes": len(changed),
            },
        )
        if changed:
            self.connection.execute(_ADD_CHANGE, self._log(changed))
        if undoable:
            self.connection.execute(_ADD_UNDOING, {"seq": self.seq, "person": person, "undone": 0})
        if pictures:
            touched = [{"key_": picture, "touched": self.seq} for picture in pictures]
            self.connection.execute(_TOUCH, touched)
        revisions: dict[str, dict[str, int]] = {}
        for (name, record), value in changed.items():
            revisions.setdefault(name, {})[record] = value.revision
        return Applied(self.seq, id, False, revisions, of, said, tuple(pictures))

    def _log(self, changed: dict[Key, Record]) -> list[dict[str, object]]:
        return [
            {
                "seq": self.seq,
                "n": number,
                "kind": key[0],
                "record": key[1],
                "picture": _picture(key, record),
                "before": dumped(record.before),
                "after": dumped(record.now),
            }
            for number, (key, record) in enumerate(changed.items())
        ]

    def _write(self, kind: str, changed: dict[str, Record]) -> None:
        columns = tables.CONTENTS[kind]
        new: list[Contents] = []
        old: list[Contents] = []
        gone: list[Contents] = []
        for record, value in changed.items():
            id, revision = _id(kind, record), value.revision
            if value.now is None:
                # One that came and went in the same operation never was.
                if value.first:
                    gone.append({"key_": id, "rev": revision, "removed": 1})
                continue
            row = {name: value.now[name] for name in columns} | {"rev": revision, "removed": 0}
            if value.first:
                old.append(row | {"key_": id})
            else:
                new.append(row | {"id": id})
        parts = (_ADD[kind], new), (_CHANGE[kind], old), (_REMOVE[kind], gone)
        for statement, rows in parts:
            if rows:
                self.connection.execute(statement, rows)


def rows_of(connection: Connection, kind: str, ids: Sequence[str]) -> Iterable[RowMapping]:
    """The rows of some records, removed ones too."""
    table = tables.RECORDS[kind]
    if len(ids) == 1:
        yield from connection.execute(_ONE[kind], {"key_": _id(kind, ids[0])}).mappings()
        return
    for part in _parts([_id(kind, record) for record in ids]):
        yield from connection.execute(select(table).where(table.c.id.in_(part))).mappings()


def contents_of(kind: str, row: RowMapping) -> Contents:
    """What operations change of a row."""
    return {name: row[name] for name in tables.CONTENTS[kind]}


def loaded(text: str | None) -> Contents | None:
    """Contents as the log has them."""
    return None if text is None else json.loads(text)


def agrees(now: Contents | None, text: str | None) -> bool:
    """Whether a record is what the log says; why a picture waits is said anew at any time."""
    logged = loaded(text)
    if now is None or logged is None:
        return now is logged
    return all(now[name] == value for name, value in logged.items() if name != "trouble")


def dumped(contents: Contents | None) -> str | None:
    """Contents as the log keeps them."""
    if contents is None:
        return None
    return json.dumps(contents, ensure_ascii=True, allow_nan=False, separators=(",", ":"))


def _picture(key: Key, record: Record) -> int | None:
    if key[0] == "picture":
        return int(key[1])
    contents = record.now or record.before
    return contents.get("picture") if contents else None


def _id(kind: str, record: str) -> object:
    return int(record) if kind == "picture" else record


def _parts(ids: Sequence[object]) -> Iterable[Sequence[object]]:
    for start in range(0, len(ids), _AT_ONCE):
        yield ids[start : start + _AT_ONCE]
