"""All labels as they were at a moment: one operation, read from the log, that undo takes back.

A picture whose labels waited for their file at that moment, or of which nobody had said anything,
and that were read since, is given what was last read of it. One that waits for its file now stays
so, unless it was labelled without the file at that moment.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple, TypeVar

from sqlalchemy import ColumnElement, Connection, func, select

from viewfinder.errors import InputError
from viewfinder.studio.store import tables
from viewfinder.studio.store.unread import READ
from viewfinder.studio.store.writing import Key, Writer, agrees, loaded

_change, _operation = tables.change.c, tables.operation.c
_AT_ONCE = 500
_Of = TypeVar("_Of", int, str)


class _Was(NamedTuple):
    """What a record was at a moment, as the log has it, and its picture."""

    picture: int | None
    contents: str | None


def restore(writer: Writer, seq: int) -> None:
    """Make every record what it was just after operation `seq`; 0 is the set as it was first read.

    Raises:
        InputError: there is no such moment, or the labels are what they were then.
    """
    if not 0 <= seq < writer.seq:
        raise InputError(f"there is no operation {seq}: the last one is {writer.seq - 1}")
    connection = writer.connection
    was = _at(connection, seq)
    for moment, pictures, classes in _read_later(connection, seq, was):
        for key in [key for key, each in was.items() if each.picture in pictures]:
            del was[key]
        for part in _parts(sorted(pictures)):
            was |= _at(connection, moment, _change.picture.in_(part))
        for name in classes:
            was.pop(("class", name), None)
        for names in _parts(sorted(classes)):
            was |= _at(connection, moment, _change.kind == "class", _change.record.in_(names))
    all_ = {each.picture for each in was.values() if each.picture is not None}
    writer.load([*was, *(("picture", str(each)) for each in all_)])
    waiting = {each for each in all_ if _goes_on_waiting(writer, each, was)}
    for (kind, record), each in was.items():
        if each.picture in waiting or agrees(writer.get(kind, record).now, each.contents):
            continue
        writer.put_logged(kind, record, each.contents)
    if not writer.changes():
        raise InputError("the labels are as they were then: there is nothing to restore")


def _goes_on_waiting(writer: Writer, picture: int, was: Mapping[Key, _Was]) -> bool:
    now, then = writer.get("picture", str(picture)).now, was.get(("picture", str(picture)))
    said = loaded(then.contents) if then else None
    return bool(now and not now["ready"] and not (said and said.get("ready")))


def _at(connection: Connection, seq: int, *where: ColumnElement[bool]) -> dict[Key, _Was]:
    """What each record that was changed after an operation was just after it."""
    first = select(_change.kind, _change.record, func.min(_change.seq).label("seq"))
    first_ = first.where(_change.seq > seq, *where).group_by(_change.kind, _change.record)
    of = first_.subquery().c
    rows = select(_change.kind, _change.record, _change.picture, _change.before).where(
        _change.kind == of.kind, _change.record == of.record, _change.seq == of.seq
    )
    found = connection.execute(rows)
    return {(kind, record): _Was(picture, before) for kind, record, picture, before in found}


def _read_later(
    connection: Connection, seq: int, was: Mapping[Key, _Was]
) -> Iterable[tuple[int, set[int], set[str]]]:
    """By each late reading after an operation, the pictures that are given what it read, and the
    classes that came with it."""
    rows = select(_change.seq, _change.kind, _change.record, _change.before).where(
        _operation.seq == _change.seq, _operation.kind == READ, _change.seq > seq
    )
    last: dict[int, int] = {}
    classes: dict[int, set[str]] = defaultdict(set)
    for moment, kind, record, before in connection.execute(rows.order_by(_change.seq)):
        if kind == "picture":
            last[int(record)] = moment
        elif kind == "class" and before is None:
            classes[moment].add(record)
    boxed = {each.picture for key, each in was.items() if key[0] == "box" and each.contents}
    pictures: dict[int, set[int]] = defaultdict(set)
    for picture, moment in last.items():
        # An older log says less of a picture: it did not wait.
        said = loaded(was["picture", str(picture)].contents) or {}
        said = {"ready": 1, "listed": 1, **said}
        bare = said["state"] == "todo" and not said["listed"] and picture not in boxed
        if not said["ready"] or bare:
            pictures[moment].add(picture)
    for moment in sorted({*pictures, *classes}):
        yield moment, pictures[moment], classes[moment]


def _parts(of: Sequence[_Of]) -> Iterable[Sequence[_Of]]:
    return (of[start : start + _AT_ONCE] for start in range(0, len(of), _AT_ONCE))
