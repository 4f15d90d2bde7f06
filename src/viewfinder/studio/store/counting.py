"""Counts that are kept: after an operation, what it changed is added; nothing is counted anew.

The log says of each change what was there before and after it, so counts of any older moment are
brought up to now by the operations since; only proposing is not in the log, row by row, and all is
counted after it. Counts are kept in memory and, for the next opening, beside the labels.
"""

import json
import threading
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field

from sqlalchemy import Connection, func, select

from viewfinder.datasets.formats.stored_classes import end_of
from viewfinder.datasets.formats.stored_dataset import SECOND
from viewfinder.studio.store import tables
from viewfinder.studio.store.database import Database, set_value, value_of
from viewfinder.studio.store.records import STATES, Counts

_p, _b, _q = tables.picture.c, tables.box.c, tables.proposal.c
_change, _operation = tables.change.c, tables.operation.c
_NAME = "counts"
_KINDS = ("states", "boxes", "pictures", "proposals")
_HIGHEST = select(func.max(_p.id)).where(_p.id < SECOND)
# Changes from which counting anew takes no longer.
_MANY = 20_000


@dataclass(frozen=True)
class Tally:
    """How many there are at one moment; classes as the rows name them, merged ones apart.

    Attributes:
        seq, last: the last operation, and the highest id of a picture: the moment.
    """

    seq: int
    last: int
    states: Counter[str] = field(default_factory=Counter)
    boxes: Counter[str] = field(default_factory=Counter)
    pictures: Counter[str] = field(default_factory=Counter)
    proposals: Counter[str] = field(default_factory=Counter)

    def counts(self, merged: Mapping[str, str | None]) -> Counts:
        """For a person: what is merged into a class is of it."""
        states = dict.fromkeys(map(str, STATES), 0) | self.states
        boxes, pictures = (_summed(each, merged) for each in (self.boxes, self.pictures))
        return Counts(states, boxes, pictures, self.proposals["open"])

    def used(self) -> set[str]:
        """The classes that a box or a picture is of."""
        return {label for each in (self.boxes, self.pictures) for label in each if each[label] > 0}


class Counting:
    """The counts of one store, from any thread."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._tally: Tally | None = None

    def now(self, connection: Connection) -> Tally:
        """What there is at the moment that a connection sees."""
        seq = connection.execute(select(func.max(_operation.seq))).scalar() or 0
        last = connection.execute(_HIGHEST).scalar() or 0
        if value_of(connection, "import") != "done":
            return _counted(connection, seq, last)
        with self._lock:
            known = self._tally
        known = known or _read(value_of(connection, _NAME))
        if known is None or known.last != last or known.seq > seq:
            made = _counted(connection, seq, last)
        else:
            made = known if known.seq == seq else _brought_up(connection, known, seq)
        with self._lock:
            if self._tally is None or self._tally.seq <= made.seq:
                self._tally = made
        return made

    def keep(self, database: Database) -> None:
        """Write them beside the labels, for the next opening."""
        with self._lock:
            known = self._tally
        if known is None:
            return
        document = {"seq": known.seq, "last": known.last}
        contents = {name: dict(getattr(known, name)) for name in _KINDS}
        text = json.dumps(document | contents)
        with database.read() as connection:
            if value_of(connection, _NAME) == text:
                return
        with database.write() as connection:
            set_value(connection, _NAME, text)


def _summed(counter: Counter[str], merged: Mapping[str, str | None]) -> dict[str, int]:
    found: Counter[str] = Counter()
    for label, count in counter.items():
        found[end_of(label, merged) if label in merged else label] += count
    return {label: count for label, count in found.items() if count > 0}


def _counted(connection: Connection, seq: int, last: int) -> Tally:
    """Count all rows."""
    ours = _p.removed == 0, _p.id < SECOND
    states = select(_p.state, func.count()).where(*ours).group_by(_p.state)
    boxes = select(_b.label, func.count()).where(_b.removed == 0, _b.picture < SECOND)
    boxes = boxes.group_by(_b.label)
    whole = select(_p.label, func.count()).where(_p.label.is_not(None), *ours)
    proposals = select(_q.state, func.count()).where(_q.removed == 0).group_by(_q.state)
    rows = (states, boxes, whole.group_by(_p.label), proposals)
    counters: list[Counter[str]] = []
    for each in rows:
        found: dict[str, int] = dict(connection.execute(each).all())
        counters.append(Counter(found))
    return Tally(seq, last, *counters)


def _brought_up(connection: Connection, known: Tally, seq: int) -> Tally:
    """Older counts, and what the operations since have changed."""
    chosen = select(_change.kind, _change.before, _change.after).where(_change.seq > known.seq)
    # (A class is of no picture.)
    rows = connection.execute(chosen.where(_change.picture < SECOND).limit(_MANY)).all()
    since = select(_operation.seq).where(_operation.seq > known.seq, _operation.kind == "propose")
    if len(rows) == _MANY or connection.execute(since.limit(1)).scalar() is not None:
        return _counted(connection, seq, known.last)
    made = Tally(seq, known.last, *(Counter(getattr(known, name)) for name in _KINDS))
    for kind, before, after in rows:
        for text, by in ((before, -1), (after, 1)):
            if text is not None:
                _add(made, kind, json.loads(text), by)
    return made


def _add(tally: Tally, kind: str, contents: Mapping[str, str | None], by: int) -> None:
    label, state = contents.get("label"), contents.get("state")
    if kind == "box" and label is not None:
        tally.boxes[label] += by
    elif kind == "proposal" and state is not None:
        tally.proposals[state] += by
    elif kind == "picture":
        if state is not None:
            tally.states[state] += by
        if label is not None:
            tally.pictures[label] += by


def _read(text: str | None) -> Tally | None:
    """Counts as `keep` wrote them; None of anything else, which is then counted."""
    try:
        document = json.loads(text or "")
        seq, last = int(document["seq"]), int(document["last"])
        counters = [Counter({str(k): int(v) for k, v in document[name].items()}) for name in _KINDS]
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError):
        return None
    return Tally(seq, last, *counters)
