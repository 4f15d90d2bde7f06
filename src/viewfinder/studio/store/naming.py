"""Proposals say a class by its name: which class that was when they were made, and is now.

A name may be of one class after another. Which had it from which operation on is kept, so that a
proposal stays with the class that it was made for, whatever takes that class's name later.
"""

import json
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass

from sqlalchemy import Connection, select

from viewfinder.datasets.formats.stored_classes import end_of
from viewfinder.studio.store import tables
from viewfinder.studio.store.database import set_value, value_of

_NAMES = "names"

Holders = tuple[tuple[int, str], ...]
"""The operation from which on, and the class that had the name then."""


@dataclass(frozen=True)
class Names:
    """Of every name the classes that have or had it, in their order; and the classes of now.

    Attributes:
        now: by every class, whatever became of it, its name.
    """

    holders: Mapping[str, Holders]
    now: Mapping[str, str]

    def label(self, name: str, proposal: str) -> str | None:
        """The class that a proposal of a name is of now; None where none was ever called so.

        Where nothing was called so when it was made, it is of the first that was later.
        """
        holders, made = self.holders.get(name, ()), _made_at(proposal)
        before = [label for since, label in holders if since <= made]
        return before[-1] if before else next((label for _, label in holders), None)

    def name(self, name: str, proposal: str) -> str:
        """What that class is called now; the name itself of none."""
        label = self.label(name, proposal)
        return name if label is None else self.now[label]


def remember(connection: Connection, seq: int, label: str, name: str, before: str | None) -> None:
    """Keep that a class has a name from an operation on, and which it had, as the tables write
    them."""
    known = _known(connection)
    if before is not None and all(each != label for _, each in known.get(before, ())):
        known[before] = ((0, label), *known.get(before, ()))
    known[name] = (*known.get(name, ()), (seq, label))
    set_value(connection, _NAMES, json.dumps(known))


def names_of(connection: Connection) -> Names:
    """What names of proposals mean now."""
    table = tables.label_class
    rows = connection.execute(select(table.c.id, table.c.name, table.c.merged, table.c.removed))
    listed = rows.all()
    merged = {row.id: row.merged for row in listed}
    there = {row.id for row in listed if not row.removed}
    holders: dict[str, list[tuple[int, str]]] = defaultdict(list)
    for name, known in _known(connection).items():
        holders[name] += known
    # Of most classes nothing is kept: they have had their names from the beginning on.
    for row in sorted(listed, key=lambda row: not row.merged):
        if not row.removed and all(label != row.id for _, label in holders[row.name]):
            holders[row.name].append((0, row.id))
    return Names(
        {
            name: tuple(
                (since, end)
                for since, label in sorted(known, key=lambda each: each[0])
                if (end := end_of(label, merged)) in there
            )
            for name, known in holders.items()
        },
        {row.id: row.name for row in listed},
    )


def _made_at(proposal: str) -> int:
    """The operation that a proposal was made by, which its id begins with."""
    made = proposal.removeprefix("p").partition("-")[0]
    return int(made) if made.isascii() and made.isdecimal() and len(made) < 19 else 0


def _known(connection: Connection) -> dict[str, Holders]:
    value = value_of(connection, _NAMES)
    known = {} if value is None else json.loads(value)
    # Once a name was kept with the class alone.
    return {
        name: ((0, each),) if isinstance(each, str) else tuple((since, of) for since, of in each)
        for name, each in known.items()
    }
