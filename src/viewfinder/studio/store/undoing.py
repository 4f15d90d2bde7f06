"""Undo, redo and restoring: operations like others, read from the log."""

from collections.abc import Collection, Iterable, Sequence
from typing import NamedTuple

from sqlalchemy import ColumnElement, Connection, Select, bindparam, func, select

from viewfinder.datasets.formats.stored_text import kept
from viewfinder.errors import InputError
from viewfinder.studio.store import tables
from viewfinder.studio.store.records import Unavailable
from viewfinder.studio.store.unread import READ, see_waiting
from viewfinder.studio.store.writing import Key, Writer, agrees, loaded

_undoing, _change, _operation = tables.undoing.c, tables.change.c, tables.operation.c
_AT_ONCE = 500
# Operations that one refusal looks through for one that is not in the way.
_PASSED_AT_ONCE = 200
_TURNED_BACK = (1, 1 + tables.PASSED)
_FORGET = (
    tables.undoing.update()
    .where(_undoing.person == bindparam("who"), _undoing.undone.in_(_TURNED_BACK))
    .values(undone=tables.FORGOTTEN)
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


def turn(writer: Writer, seq: int, *, back: bool) -> bool:
    """Make each record what it was before an operation, or after it.

    Only the last operation of a record that is in force can be turned: a record is then always what
    the last operation in force made of it, and undoing them all, the last first, gives the first
    state, whatever was undone and redone on the way. What was read from a file since stays as it
    was read, and the rest of the operation is turned.

    Returns:
        whether something stayed so.

    Raises:
        Conflict: a record was changed since.
        InputError: there is no such operation that can be undone or redone, or its picture waits
            for its labels.
    """
    stayed = _put_back(writer, seq, back=back)
    _set(writer.connection, seq, int(back))
    _meet_again(writer.connection, seq)
    return stayed


def _put_back(writer: Writer, seq: int, *, back: bool) -> bool:
    """What `turn` does, but that nothing is written yet."""
    connection = writer.connection
    row = connection.execute(select(_undoing.undone).where(_undoing.seq == seq)).scalar()
    word = "undone" if back else "done again"
    everything = _changes(connection, seq)
    read = _read_since(connection, seq)
    rows = [each for each in everything if (each.kind, each.record) not in read]
    if row is not None and everything and not rows:
        raise InputError(
            f"that cannot be {word}: the labels of its picture were read from their file since"
        )
    if row not in (tables.IN_FORCE if back else _TURNED_BACK):
        raise InputError(f"operation {seq} cannot be {word}")
    writer.load((each.kind, each.record) for each in rows)
    stale = sorted(_changed_since(connection, seq) - read)
    for kind, record, _, before, after in rows:
        here, there = (after, before) if back else (before, after)
        if not agrees(writer.get(kind, record).now, here):
            stale.append((kind, record))
        else:
            writer.put_logged(kind, record, there)
    if stale:
        raise writer.conflict("what this would change was changed since", stale[:100])
    pictures = {each.picture for each in rows if each.kind in ("box", "picture")}
    see_waiting(writer, seq, {each for each in pictures if each is not None})
    return bool(read)


def pass_over(connection: Connection, person: str | None, seq: int | None, *, back: bool) -> int:
    """After a refusal, keep which operations cannot be turned: the next undo, or redo, passes over
    them, and goes on with one that can.

    Args:
        seq: the one that was asked for; None for what comes first, and all behind it.

    Returns:
        how many.
    """
    rows = select(_undoing.seq).where(_undoing.undone == (0 if back else 1))
    if person is not None:
        rows = rows.where(_undoing.person == kept(person))
    if seq is not None:
        rows = rows.where(_undoing.seq == seq)
    order = _undoing.seq.desc() if back else _undoing.seq
    passed = 0
    for each in connection.execute(rows.order_by(order).limit(_PASSED_AT_ONCE)).scalars().all():
        try:
            _put_back(Writer(connection, ""), each, back=back)
        except Unavailable:
            raise
        except InputError:
            _set(connection, each, (0 if back else 1) + tables.PASSED)
            passed += 1
        else:
            break
    return passed


def _set(connection: Connection, seq: int, undone: int) -> None:
    connection.execute(tables.undoing.update().where(_undoing.seq == seq).values(undone=undone))


def _meet_again(connection: Connection, turned: int) -> None:
    """An operation was undone, or done again: what was passed over for it is so no more."""
    own = tables.change.alias().c
    same = (_change.kind == own.kind) & (_change.record == own.record)
    whether = (_change.kind == "picture") & (_change.picture == own.picture)
    rows = select(_change.seq, _undoing.undone, same, _change.before, _change.after).where(
        own.seq == turned,
        _undoing.seq == _change.seq,
        _undoing.undone >= tables.PASSED,
        same | whether,
    )
    for seq, undone, is_same, *texts in connection.execute(rows).all():
        # That a picture waits for its file is in the way of edits of its boxes, and they of it.
        before, after = (loaded(text) or {} for text in texts)
        if is_same or before.get("ready") != after.get("ready"):
            _set(connection, seq, undone - tables.PASSED)


def meet_again_of(connection: Connection, pictures: Collection[int]) -> None:
    """Pictures wait for their files no more, or again: what was passed over in them is so no
    more."""
    rows = select(_undoing.seq, _undoing.undone).distinct()
    rows = rows.where(_undoing.seq == _change.seq, _undoing.undone >= tables.PASSED)
    for part in _parts(pictures):
        for seq, undone in connection.execute(rows.where(_change.picture.in_(part))).all():
            _set(connection, seq, undone - tables.PASSED)


class _Change(NamedTuple):
    """A row of the log."""

    kind: str
    record: str
    picture: int | None
    before: str | None
    after: str | None


def _changes(connection: Connection, seq: int) -> list[_Change]:
    rows = select(*(_change[name] for name in _Change._fields)).where(_change.seq == seq)
    return [_Change(*row) for row in connection.execute(rows.order_by(_change.n))]


def _changed_since(connection: Connection, seq: int) -> set[Key]:
    """The records of an operation that a later one in force changed too."""
    in_force = _undoing.undone.in_(tables.IN_FORCE)
    return _later(connection, seq, _undoing.seq == _change.seq, in_force)


def _read_since(connection: Connection, seq: int) -> set[Key]:
    """The records of an operation that were read from a file since."""
    return _later(connection, seq, _operation.seq == _change.seq, _operation.kind == READ)


def _later(connection: Connection, seq: int, *where: ColumnElement[bool]) -> set[Key]:
    own = tables.change.alias().c
    rows = (
        select(own.kind, own.record)
        .distinct()
        .where(own.seq == seq)
        .where(_change.kind == own.kind, _change.record == own.record, _change.seq > seq, *where)
    )
    return {(kind, record) for kind, record in connection.execute(rows)}


def settle(connection: Connection, pictures: Collection[int]) -> None:
    """Labels of pictures were read from their files: what changed nothing else stays so, and undo
    and redo pass over it."""
    meet_again_of(connection, pictures)
    open_ = select(_undoing.seq, _undoing.undone).distinct()
    open_ = open_.where(_undoing.seq == _change.seq, _undoing.undone.in_((0, 1)))
    for part in _parts(pictures):
        for seq, undone in connection.execute(open_.where(_change.picture.in_(part))).all():
            keys = {(each.kind, each.record) for each in _changes(connection, seq)}
            if keys <= _read_since(connection, seq):
                _set(connection, seq, tables.FORGOTTEN if undone else tables.SETTLED)


def _parts(pictures: Collection[int]) -> Iterable[Sequence[int]]:
    chosen = list(pictures)
    return (chosen[start : start + _AT_ONCE] for start in range(0, len(chosen), _AT_ONCE))
