"""Proposals say a class by its name: which class that is now, after it was renamed or merged."""

import json

from sqlalchemy import Connection, select

from viewfinder.datasets.formats.stored_classes import end_of
from viewfinder.studio.store import tables
from viewfinder.studio.store.database import set_value, value_of

_NAMES = "names"


def remember(connection: Connection, label: str, *names: str) -> None:
    """Keep names that a class had, or has from now on, as the tables write them."""
    known = _known(connection)
    if any(known.get(name) != label for name in names):
        set_value(connection, _NAMES, json.dumps(known | dict.fromkeys(names, label)))


def labels_by_name(connection: Connection) -> dict[str, str]:
    """By every name that a class has or had, the class that it is now.

    A class of that name comes before one that was merged or renamed.
    """
    return {name: label for name, (label, _) in _by_name(connection).items()}


def names_now(connection: Connection) -> dict[str, str]:
    """By every name that a class has or had, its name of now."""
    return {former: name for former, (_, name) in _by_name(connection).items()}


def _by_name(connection: Connection) -> dict[str, tuple[str, str]]:
    table = tables.label_class
    rows = connection.execute(select(table.c.id, table.c.name, table.c.merged, table.c.removed))
    listed = rows.all()
    merged = {row.id: row.merged for row in listed}
    there = [row for row in listed if not row.removed]
    ids, name_of = {row.id for row in there}, {row.id: row.name for row in listed}
    former = {name: end_of(label, merged) for name, label in _known(connection).items()}
    found = {name: label for name, label in former.items() if label in ids}
    found |= {row.name: end_of(row.id, merged) for row in there if row.merged}
    found |= {row.name: row.id for row in there if not row.merged}
    return {name: (label, name_of[label]) for name, label in found.items()}


def _known(connection: Connection) -> dict[str, str]:
    value = value_of(connection, _NAMES)
    return {} if value is None else json.loads(value)
