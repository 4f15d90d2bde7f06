"""Who did what when, in the one order of all operations."""

import json

from sqlalchemy import Connection, bindparam, select

from viewfinder.datasets.formats.stored_text import given
from viewfinder.studio.store import tables
from viewfinder.studio.store.database import value_of
from viewfinder.studio.store.listing import shown_path
from viewfinder.studio.store.records import Applied, Done
from viewfinder.studio.store.writing import rows_of

# Of pictures that a line of the history names.
_MOST_PATHS = 3
# Of operations with more changes it is not told how boxes changed.
_MOST_CHANGES = 50
_OTHERS = {"mask": "another outline", "track": "another track"}
_o, _u, _c = tables.operation.c, tables.undoing.c, tables.change.c
_OF_ID = select(tables.operation).where(_o.id == bindparam("sent"))


def history(
    connection: Connection, *, before: int | None, count: int, picture: int | None
) -> tuple[Done, ...]:
    """Operations, the last first."""
    rows = (
        select(tables.operation, _u.undone)
        .select_from(tables.operation.outerjoin(tables.undoing, _o.seq == _u.seq))
        .order_by(_o.seq.desc())
        .limit(max(0, min(count, 1000)))
    )
    if before is not None:
        rows = rows.where(_o.seq < before)
    if picture is not None:
        rows = rows.where(_o.seq.in_(select(_c.seq).where(_c.picture == picture)))
    found = connection.execute(rows).mappings().all()
    paths = _paths(connection, [row["seq"] for row in found])
    how = _how(connection, [row["seq"] for row in found if row["changes"] <= _MOST_CHANGES])
    return tuple(
        Done(
            row["seq"],
            row["id"],
            row["at"],
            given(row["person"]),
            given(row["session"]),
            row["kind"],
            given(row["said"]).replace(" changed", f" changed{how.get(row['seq'], '')}", 1),
            row["of"],
            row["changes"],
            row["undone"] in (1, 1 + tables.PASSED, tables.FORGOTTEN),
            paths.get(row["seq"], ()),
        )
        for row in found
    )


def _how(connection: Connection, seqs: list[int]) -> dict[int, str]:
    """Of each operation that changed boxes, in what they differ since."""
    changed = select(_c.seq, _c.before, _c.after).where(
        _c.seq.in_(seqs), _c.kind == "box", _c.before.is_not(None), _c.after.is_not(None)
    )
    differ: dict[int, dict[str, object]] = {}
    for seq, before, after in connection.execute(changed.order_by(_c.seq, _c.n)):
        old, new = json.loads(before), json.loads(after)
        mine = {name: value for name, value in new.items() if value != old.get(name)}
        differ.setdefault(seq, {}).update(mine)
    table = tables.label_class.c
    asked = {str(each["label"]) for each in differ.values() if each.get("label") is not None}
    rows = select(table.id, table.name).where(table.id.in_(asked))
    names: dict[str, str] = dict(connection.execute(rows).all()) if asked else {}
    return {seq: _in_words(each, names) for seq, each in differ.items()}


def _in_words(differ: dict[str, object], names: dict[str, str]) -> str:
    label = differ.get("label")
    words = ["moved or resized"] if not differ.keys().isdisjoint(("x1", "y1", "x2", "y2")) else []
    if label is not None:
        words.append(f"now {given(names.get(str(label), '?'))}")
    for name in ("difficult", "crowd"):
        if name in differ:
            words.append(name if differ[name] else f"not {name}")
    words += [said for name, said in _OTHERS.items() if name in differ]
    return f" ({', '.join(words)})" if words else ""


def _paths(connection: Connection, seqs: list[int]) -> dict[int, tuple[str, ...]]:
    """Of each operation, the first pictures that it touched."""
    touched = select(_c.seq, _c.picture).where(_c.seq.in_(seqs), _c.picture.is_not(None)).distinct()
    ids: dict[int, list[int]] = {}
    for seq, picture in connection.execute(touched.order_by(_c.seq, _c.picture)):
        if len(mine := ids.setdefault(seq, [])) < _MOST_PATHS:
            mine.append(picture)
    wanted = {picture for each in ids.values() for picture in each}
    rows = select(tables.picture.c.id, tables.picture.c.path).where(tables.picture.c.id.in_(wanted))
    names = {number: shown_path(number, path) for number, path in connection.execute(rows)}
    return {seq: tuple(names[n] for n in each if n in names) for seq, each in ids.items()}


def said(connection: Connection, seq: int) -> str:
    """An operation in words."""
    found = connection.execute(select(_o.said).where(_o.seq == seq)).scalar()
    return given(found or "")


def applied(connection: Connection, id: str) -> Applied | None:
    """What an operation that was applied before did, with the revisions of now."""
    row = connection.execute(_OF_ID, {"sent": id}).mappings().first()
    if row is None:
        return None
    rows = connection.execute(
        select(_c.kind, _c.record, _c.picture).where(_c.seq == row["seq"])
    ).all()
    kinds: dict[str, list[str]] = {}
    for kind, record, _ in rows:
        kinds.setdefault(kind, []).append(record)
    revisions = {
        kind: {str(found["id"]): found["rev"] for found in rows_of(connection, kind, ids)}
        for kind, ids in kinds.items()
    }
    pictures = sorted({picture for _, _, picture in rows if picture is not None})
    return Applied(row["seq"], id, True, revisions, row["of"], given(row["said"]), tuple(pictures))


def notes(connection: Connection) -> tuple[str, ...]:
    """What the first reading said."""
    return tuple(json.loads(value_of(connection, "notes") or "[]"))
