"""Reading: pictures by pages and filters, one picture with all of it, classes and counts."""

import json
from collections.abc import Callable

from sqlalchemy import (
    ColumnElement,
    Connection,
    RowMapping,
    Select,
    and_,
    exists,
    func,
    or_,
    select,
)

from viewfinder.datasets.formats.stored_classes import end_of
from viewfinder.datasets.formats.stored_dataset import SECOND
from viewfinder.datasets.formats.stored_text import given, kept
from viewfinder.errors import InputError
from viewfinder.studio.store import tables
from viewfinder.studio.store.naming import Names, names_of
from viewfinder.studio.store.records import (
    Box,
    Filter,
    LabelClass,
    OnePicture,
    Page,
    Picture,
    Proposal,
    as_json,
)

_p, _b, _q, _c = tables.picture.c, tables.box.c, tables.proposal.c, tables.label_class.c
MOST_ROWS = 1000


def classes(connection: Connection, used: Callable[[], set[str]]) -> tuple[LabelClass, ...]:
    """The classes in their order; those that were merged stand at the end.

    Args:
        used: gives the classes that something is of; asked where one of the list was removed.
    """
    rows = (
        connection.execute(select(tables.label_class).order_by(_c.position, _c.id)).mappings().all()
    )
    merged = {row["id"]: row["merged"] for row in rows}
    there: set[str] = set()
    if any(row["removed"] for row in rows):
        there = {end_of(each, merged) for each in used()}
    found = [
        LabelClass(
            row["id"],
            given(row["name"]),
            row["colour"],
            given(row["key"]),
            row["position"],
            row["number"],
            None if end == row["id"] else end,
            row["rev"],
        )
        for row in rows
        if (end := end_of(row["id"], merged)) and (not row["removed"] or row["id"] in there)
    ]
    return tuple(sorted(found, key=lambda each: each.merged is not None))


def labels_used(connection: Connection) -> set[str]:
    """The classes that boxes or pictures are of, as all rows say."""
    boxes = select(_b.label).where(_b.removed == 0).distinct()
    whole = select(_p.label).where(_p.label.is_not(None)).distinct()
    return {*connection.execute(boxes).scalars(), *connection.execute(whole).scalars()}


def merged_into(connection: Connection) -> dict[str, str | None]:
    """For each class, the one that it was merged into, if into any."""
    return dict(connection.execute(select(_c.id, _c.merged)).all())


def merges(connection: Connection) -> dict[str, str]:
    """For each class, merged ones too, the one that it is now."""
    merged = merged_into(connection)
    return {key: end_of(key, merged) for key in merged}


def pictures(
    connection: Connection, chosen: Filter, *, start: int, count: int, backwards: bool = False
) -> Page:
    """A part of the list of pictures, in their order."""
    if start < 0 or not 0 <= count <= MOST_ROWS:
        raise InputError(f"a page has from 0 to {MOST_ROWS} pictures")
    ends = merges(connection)
    where = _where(chosen, ends)
    total = connection.execute(select(func.count()).select_from(tables.picture).where(where))
    order = (_p.place.desc(), _p.id.desc()) if backwards else (_p.place, _p.id)
    # Boxes are counted for the pictures of the page alone, not for those before it.
    part = select(_p.id).where(where).order_by(*order).offset(start).limit(count)
    ids = connection.execute(part).scalars().all()
    rows = _counted_rows().where(_p.id.in_(ids)).order_by(*order)
    found = tuple(_picture(row, ends) for row in connection.execute(rows).mappings())
    return Page(total.scalar_one(), found)


def next_picture(
    connection: Connection, after: int | None, chosen: Filter, *, backwards: bool = False
) -> int | None:
    """The id of the picture that follows in the order, of those that fit; None at the end."""
    rows = select(_p.id).where(_where(chosen, merges(connection)))
    if after is not None:
        place = connection.execute(select(_p.place).where(_p.id == after)).scalar()
        if place is None:
            raise InputError(f"there is no picture {after}")
        beyond = (
            or_(_p.place < place, and_(_p.place == place, _p.id < after))
            if backwards
            else or_(_p.place > place, and_(_p.place == place, _p.id > after))
        )
        rows = rows.where(beyond)
    order = (_p.place.desc(), _p.id.desc()) if backwards else (_p.place, _p.id)
    return connection.execute(rows.order_by(*order).limit(1)).scalar()


def place_of(connection: Connection, picture: int, chosen: Filter) -> int | None:
    """How many of those that fit stand before a picture; None if it does not fit itself."""
    where = _where(chosen, merges(connection))
    place = connection.execute(select(_p.place).where(_p.id == picture, where)).scalar()
    if place is None:
        return None
    before = or_(_p.place < place, and_(_p.place == place, _p.id < picture))
    rows = select(func.count()).select_from(tables.picture).where(where, before)
    return int(connection.execute(rows).scalar_one())


def one_picture(connection: Connection, picture: int) -> OnePicture:
    """A picture with its boxes and proposals.

    Raises:
        InputError: there is none of this id.
    """
    ends = merges(connection)
    row = connection.execute(_counted_rows().where(_p.id == picture)).mappings().first()
    if row is None:
        raise InputError(f"there is no picture {picture}")
    boxes = connection.execute(
        select(tables.box).where(_b.picture == picture, _b.removed == 0).order_by(_b.place, _b.id)
    ).mappings()
    chosen = (
        select(tables.proposal)
        .where(_q.picture == picture, _q.removed == 0)
        .order_by(_q.score.desc(), _q.place, _q.id)
    )
    proposals = connection.execute(chosen).mappings().all()
    names = names_of(connection) if proposals else Names({}, {})
    return OnePicture(
        _picture(row, ends),
        tuple(_box(each, ends) for each in boxes),
        tuple(_proposal(each, names) for each in proposals),
    )


def record(connection: Connection, kind: str, id: str) -> dict[str, object] | None:
    """A record as the lists show it, in JSON; None of what is not there."""
    ends = merges(connection)
    if kind == "class":
        found = next((each for each in _all_classes(connection) if each.id == id), None)
        return None if found is None else as_json(found)
    if kind == "picture":
        row = connection.execute(_counted_rows().where(_p.id == int(id))).mappings().first()
        return None if row is None else as_json(_picture(row, ends))
    table = tables.RECORDS[kind]
    chosen = select(table).where(table.c.id == id, table.c.removed == 0)
    row = connection.execute(chosen).mappings().first()
    if row is None:
        return None
    return as_json(_box(row, ends) if kind == "box" else _proposal(row, names_of(connection)))


def _all_classes(connection: Connection) -> tuple[LabelClass, ...]:
    return classes(connection, lambda: labels_used(connection))


def _where(chosen: Filter, ends: dict[str, str]) -> ColumnElement[bool]:
    parts: list[ColumnElement[bool]] = [_p.removed == 0, _p.id < SECOND]
    if chosen.state is not None:
        parts.append(_p.state == chosen.state)
    if chosen.text:
        parts.append(func.lower(_p.path).contains(chosen.text.lower(), autoescape=True))
    if chosen.label is not None:
        same = [key for key, end in ends.items() if end == ends.get(chosen.label, chosen.label)]
        own = select(_b.picture).where(_b.removed == 0, _b.label.in_(same))
        parts.append(or_(_p.label.in_(same), _p.id.in_(own)))
    if chosen.source is not None:
        parts.append(
            _p.id.in_(select(_b.picture).where(_b.removed == 0, _b.source == kept(chosen.source)))
        )
    if chosen.proposed is not None:
        there = exists().where(_q.picture == _p.id, _q.state == "open", _q.removed == 0)
        parts.append(there if chosen.proposed else ~there)
    if chosen.trouble is not None:
        bad = or_(_p.missing == 1, _p.changed == 1, _p.trouble != "")
        parts.append(bad if chosen.trouble else ~bad)
    return and_(*parts)


def _counted_rows() -> Select[object]:
    boxes = select(func.count()).where(_b.picture == _p.id, _b.removed == 0)
    proposals = select(func.count()).where(_q.picture == _p.id, _q.state == "open", _q.removed == 0)
    return select(
        tables.picture,
        boxes.scalar_subquery().label("boxes"),
        proposals.scalar_subquery().label("proposals"),
    )


def shown_path(picture: int, path: str) -> str:
    """The path of a picture as people know it, of what its row says; a second opinion has that of
    the picture that it is of."""
    return given(path if picture < SECOND else path.rpartition("\x02")[0])


def _picture(row: RowMapping, ends: dict[str, str]) -> Picture:
    label = row["label"]
    return Picture(
        row["id"],
        shown_path(row["id"], row["path"]),
        row["width"],
        row["height"],
        None if label is None else ends.get(label, label),
        row["state"],
        bool(row["ready"]),
        bool(row["missing"]),
        bool(row["changed"]),
        given(row["trouble"]),
        row["boxes"],
        row["proposals"],
        row["rev"],
        row["touched"],
    )


def _box(row: RowMapping, ends: dict[str, str]) -> Box:
    return Box(
        row["id"],
        row["picture"],
        ends.get(row["label"], row["label"]),
        (row["x1"], row["y1"], row["x2"], row["y2"]),
        None if row["mask"] is None else json.loads(row["mask"]),
        None if row["track"] is None else given(row["track"]),
        bool(row["key_frame"]),
        bool(row["difficult"]),
        bool(row["crowd"]),
        given(row["source"]),
        row["score"],
        given(row["person"]),
        row["at"],
        row["rev"],
    )


def _proposal(row: RowMapping, names: Names) -> Proposal:
    return Proposal(
        row["id"],
        row["picture"],
        given(row["run"]),
        given(names.name(row["name"], row["id"])),
        (row["x1"], row["y1"], row["x2"], row["y2"]),
        None if row["mask"] is None else json.loads(row["mask"]),
        row["score"],
        given(row["source"]),
        row["state"],
        row["box"],
        row["rev"],
    )
