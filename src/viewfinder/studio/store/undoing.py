"""Undo, redo and restoring: operations like others, read from the log."""

import json

from sqlalchemy import Connection, Select, bindparam, func, select

from viewfinder.datasets.formats.stored_text import kept
from viewfinder.errors import InputError
from viewfinder.studio.store import tables
from viewfinder.studio.store.writing import Contents, Key, Writer, dumped

FORGOTTEN = 2
"""What `undone` says of an operation that was undone before another edit: it stays so."""

_undoing, _change = tables.undoing.c, tables.change.c
_FORGET = (
    tables.undoing.update()
    .where(_undoing.person == bindparam("who"), _undoing.undone == 1)
    .values(undone=FORGOTTEN)
)


def last_done(connection: Connection, person: str | None) -> int | None:
    """The operation that undo would undo, of a person, or of anybody."""
    rows = select(func.max(_undoing.seq)).where(_undoing.undone == 0)
    return _of(connection, rows, person)


def first_undone(connection: Connection, person: str | None) -> int | None:
    """The operation that redo would do again."""
    rows = select(func.min(_undoing.seq)).where(_undoing.undone == 1)
    return _of(connection, rows, person)


def _of(connection: Connection, rows: Select[int], person: str | None) -> int | None:
    if person is not None:
        rows = rows.where(_undoing.person == kept(person))
    found = connection.execute(rows).scalar()
    return None if found is None else int(found)


def forget_undone(connection: Connection, person: str) -> None:
    """A new edit: what its person had undone cannot be done again."""
    connection.execute(_FORGET, {"who": kept(person)})


def turn(writer: Writer, seq: int, *, back: bool) -> None:
    """Make each record what it was before an operation, or after it.

    Only the last operation of a record that is in force can be turned: a record is then always what
    the last operation in force made of it, and undoing them all, the last first, gives the first
    state, whatever was undone and redone on the way.

    Raises:
        Conflict: a record was changed since.
        InputError: there is no such operation that can be undone or redone.
    """
    row = writer.connection.execute(select(_undoing.undone).where(_undoing.seq == seq)).scalar()
    if row != (0 if back else 1):
        raise InputError(f"operation {seq} cannot be {'undone' if back else 'done again'}")
    rows = writer.connection.execute(
        select(_change.kind, _change.record, _change.before, _change.after)
        .where(_change.seq == seq)
        .order_by(_change.n)
    ).all()
    writer.load((kind, record) for kind, record, _, _ in rows)
    stale = _changed_since(writer.connection, seq)
    for kind, record, before, after in rows:
        here, there = (after, before) if back else (before, after)
        if dumped(writer.get(kind, record).now) != here:
            stale.append((kind, record))
        else:
            writer.put(kind, record, loaded(there))
    if stale:
        raise writer.conflict("what this would change was changed since", stale[:100])
    writer.connection.execute(
        tables.undoing.update().where(_undoing.seq == seq).values(undone=int(back))
    )


def _changed_since(connection: Connection, seq: int) -> list[Key]:
    """The records of an operation that a later one in force changed too."""
    own = tables.change.alias().c
    rows = (
        select(own.kind, own.record)
        .distinct()
        .where(own.seq == seq)
        .where(_change.kind == own.kind, _change.record == own.record, _change.seq > seq)
        .where(_undoing.seq == _change.seq, _undoing.undone == 0)
    )
    return [(kind, record) for kind, record in connection.execute(rows)]


def restore(writer: Writer, seq: int) -> None:
    """Make every record what it was just after operation `seq`; 0 is the set as it was first read.

    Raises:
        InputError: there is no such moment.
    """
    if not 0 <= seq < writer.seq:
        raise InputError(f"there is no operation {seq}: the last one is {writer.seq - 1}")
    first = (
        select(_change.kind, _change.record, func.min(_change.seq).label("seq"))
        .where(_change.seq > seq)
        .group_by(_change.kind, _change.record)
        .subquery()
    )
    rows = writer.connection.execute(
        select(_change.kind, _change.record, _change.before).join(
            first,
            (_change.kind == first.c.kind)
            & (_change.record == first.c.record)
            & (_change.seq == first.c.seq),
        )
    ).all()
    writer.load((kind, record) for kind, record, _ in rows)
    for kind, record, before in rows:
        if dumped(writer.get(kind, record).now) != before:
            writer.put(kind, record, loaded(before))


def loaded(text: str | None) -> Contents | None:
    """Contents as the log has them."""
    return None if text is None else json.loads(text)
