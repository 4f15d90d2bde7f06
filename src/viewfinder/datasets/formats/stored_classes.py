"""The classes of the studio's labels, merged and removed ones too, as one ordered list of names."""

from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from viewfinder.datasets.formats.stored_text import given

Ask = Callable[[str], Sequence[Sequence[object]]]
"""Answers an SQL query with its rows."""


class _Class(NamedTuple):
    """A row of `class`."""

    id: str
    name: str
    number: int | None
    merged: str | None
    removed: int


def classes_of(ask: Ask) -> tuple[tuple[str, ...], dict[str, int], tuple[int, ...] | None]:
    """Names in order; for each id, merged ones too, the place of its class; the files' numbers."""
    listed = ask(f'SELECT {", ".join(_Class._fields)} FROM "class" ORDER BY position, id')
    rows = list(map(_Class._make, listed))
    merged = {row.id: row.merged for row in rows}
    used: set[str] = set()
    if any(row.removed for row in rows):
        labels = [
            *ask("SELECT DISTINCT label FROM box WHERE removed = 0"),
            *ask("SELECT DISTINCT label FROM picture"),
        ]
        used = {end_of(str(label), merged) for (label,) in labels if label}
    own = [row for row in rows if end_of(row.id, merged) == row.id]
    live = [row for row in own if not row.removed or row.id in used]
    # Undo can leave two of one name, which to files are one class.
    kept_: dict[str, _Class] = {}
    for row in live:
        kept_.setdefault(row.name, row)
    place = {name: index for index, name in enumerate(kept_)}
    name_of = {row.id: row.name for row in rows}
    ends = {key: name_of.get(end_of(key, merged)) for key in merged}
    numbers = {key: place[name] for key, name in ends.items() if name in place}
    names = tuple(map(given, kept_))
    if any(row.number is not None for row in kept_.values()):
        given_ = numbered([row.number for row in kept_.values()])
        return names, numbers, tuple(given_.tolist())
    return names, numbers, None


def end_of(key: str, merged: Mapping[str, str | None]) -> str:
    """The class that another has become, through as many merges as there were."""
    seen: list[str] = []
    while key not in seen:
        into = merged.get(key)
        if into is None:
            return key
        seen.append(key)
        key = into
    # Undo and redo of two people can close a circle: it is one class then.
    return min(seen[seen.index(key) :])


def numbered(numbers: Sequence[int | None]) -> NDArray[np.int64]:
    """The files' own numbers, and new ones for what is new or has another's."""
    last = max((number for number in numbers if number is not None), default=0)
    seen: set[int] = set()
    found = []
    for number in numbers:
        if number is None or number in seen:
            last += 1
            number = last
        seen.add(number)
        found.append(number)
    return np.array(found, np.int64)
