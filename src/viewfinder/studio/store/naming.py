"""Proposals say a class by its name: which class that was when they were made, and is now.

A name may be of one class after another. The log says which had it from which operation on, so that
a proposal stays with the class that it was made for, whatever takes that class's name later.
"""

import json
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass

from sqlalchemy import Connection, select

from viewfinder.datasets.formats.stored_classes import end_of
from viewfinder.studio.store import tables

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


def names_of(connection: Connection) -> Names:
    """What names of proposals mean now."""
    table, change = tables.label_class, tables.change.c
    rows = connection.execute(select(table.c.id, table.c.name, table.c.merged, table.c.removed))
    listed = rows.all()
    merged = {row.id: row.merged for row in listed}
    there = {row.id for row in listed if not row.removed}
    holders: dict[str, list[tuple[int, str]]] = defaultdict(list)
    logged = select(change.seq, change.record, change.before, change.after)
    logged = logged.where(change.kind == "class").order_by(change.seq, change.n)
    known: set[str] = set()
    for seq, label, *texts in connection.execute(logged):
        before, after = ((json.loads(text) or {}).get("name") if text else None for text in texts)
        if label not in known and before is not None:
            holders[before].append((0, label))
        known.add(label)
        if after is not None and after != before:
            holders[after].append((seq, label))
    for row in listed:
        if row.id not in known:
            holders[row.name].append((0, row.id))
    return Names(
        {
            name: tuple(
                (since, end)
                for since, label in sorted(all_, key=lambda each: each[0])
                if (end := end_of(label, merged)) in there
            )
            for name, all_ in holders.items()
        },
        {row.id: row.name for row in listed},
    )


def _made_at(proposal: str) -> int:
    """The operation that a proposal was made by, which its id begins with."""
    made = proposal.removeprefix("p").partition("-")[0]
    return int(made) if made.isascii() and made.isdecimal() and len(made) < 19 else 0
