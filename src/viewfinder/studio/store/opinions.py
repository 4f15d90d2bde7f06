"""Second opinions: of a chosen share of the pictures, another person labels each anew.

What the second person says is kept under a picture of its own, whose id is `SECOND` more, and which
is in no list, count or data set. So they see none of the first's labels, and edit as everywhere:
with operations, undo and history. Where both are done, what differs is asked for, and whoever
decides changes one of the two until nothing differs.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from sqlalchemy import BigInteger, Connection, cast, select

from viewfinder.datasets.formats.stored_dataset import SECOND
from viewfinder.datasets.formats.stored_text import given
from viewfinder.errors import InputError
from viewfinder.pictures.geometry import iou
from viewfinder.studio.store import listing, tables
from viewfinder.studio.store.database import Database, set_value, value_of
from viewfinder.studio.store.records import Box, OnePicture

_KEY = "second opinions"
_p, _change, _operation = tables.picture.c, tables.change.c, tables.operation.c
# Intersection over union from which two boxes are of one object, and from which they agree.
_ONE_OBJECT, _AGREE = 0.3, 0.7
# Pictures of each hundred follow each other in this step, so that the share is spread.
_STEP = 61
_SIGN = "\x02"


@dataclass(frozen=True)
class Difference:
    """What two persons say otherwise.

    Attributes:
        kind: `first` or `second`, who alone has a box; `class` or `place`, in which their boxes of
            one object differ; `label`, of pictures as wholes.
        first, second: the ids of the boxes, or of the classes of the picture; None where there is
            none.
    """

    kind: str
    first: str | None
    second: str | None


@dataclass(frozen=True)
class Compared:
    """A picture that two persons have done.

    Attributes:
        picture, second: the first person's picture and the second's.
        people: who they are; the first is empty where it was the files.
        agreed: how many boxes both have alike.
    """

    picture: int
    second: int
    path: str
    people: tuple[str, str]
    agreed: int
    differences: tuple[Difference, ...]


class Opinions:
    """The second opinions of one database, from any thread."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def share(self) -> int:
        """Of how many pictures in a hundred a second opinion is asked for."""
        with self._database.read() as connection:
            return _share(connection)

    def ask_for(self, share: int) -> None:
        """Ask for a second opinion of so many pictures in a hundred, from now on.

        Raises:
            InputError: that is no share.
        """
        if not 0 <= share <= 100:
            raise InputError("a share is from 0 to 100 pictures in a hundred")
        with self._database.write() as connection:
            set_value(connection, _KEY, str(share))

    def compared(self) -> tuple[Compared, ...]:
        """Pictures that two persons have done, in the order of the pictures."""
        with self._database.read() as connection:
            seconds = select(_p.id).where(_p.id >= SECOND, _p.state == "done")
            found = connection.execute(seconds.order_by(_p.place, _p.id)).scalars().all()
            pairs = (_compared(connection, each) for each in found)
            return tuple(each for each in pairs if each is not None)


def due(connection: Connection, person: str) -> Iterator[int]:
    """The pictures of which a person is asked for a second opinion, in the order of the pictures.

    Each is made when it is first given; within a transaction that writes.
    """
    share = _share(connection)
    if not share:
        return
    chosen = cast(_p.id, BigInteger) * _STEP % 100 < share
    first = select(tables.picture).where(
        _p.id < SECOND, _p.state == "done", _p.missing == 0, _p.trouble == "", _p.ready == 1, chosen
    )
    for row in connection.execute(first.order_by(_p.place, _p.id)).mappings().all():
        second = row["id"] + SECOND
        there = select(_p.state).where(_p.id == second)
        state = connection.execute(there).scalar()
        if state not in (None, "todo") or who_closed(connection, row["id"]) == person:
            continue
        if state is None:
            fresh = {"id": second, "path": f"{row['path']}{_SIGN}{second}", "label": None}
            fresh |= {"state": "todo", "listed": 0, "number": None, "rev": 1, "touched": 0}
            connection.execute(tables.picture.insert(), dict(row) | fresh)
        elif _who_began(connection, second) not in ("", person):
            continue
        yield second


def who_closed(connection: Connection, picture: int) -> str:
    """Who last said of a picture what state it is in; empty where it was the files."""
    return _who(connection, _change.kind == "picture", _change.record == str(picture))


def _who_began(connection: Connection, picture: int) -> str:
    return _who(connection, _change.picture == picture)


def _who(connection: Connection, *where: object) -> str:
    rows = select(_operation.person).join(tables.change, _change.seq == _operation.seq)
    rows = rows.where(*where).order_by(_operation.seq.desc())  # type: ignore[arg-type]
    return given(connection.execute(rows.limit(1)).scalar() or "")


def _share(connection: Connection) -> int:
    said = value_of(connection, _KEY) or ""
    return min(100, int(said)) if said.isascii() and said.isdecimal() else 0


def _compared(connection: Connection, second: int) -> Compared | None:
    """None where the first person's picture is to do again."""
    one = listing.one_picture(connection, second - SECOND)
    if one.picture.state != "done":
        return None
    other = listing.one_picture(connection, second)
    people = who_closed(connection, one.picture.id), who_closed(connection, second)
    agreed, differences = _differences(one, other)
    if value_of(connection, "kind") == "classes":
        same = one.picture.label == other.picture.label
        wholes = () if same else (Difference("label", one.picture.label, other.picture.label),)
        agreed, differences = int(same), wholes
    path = one.picture.path
    return Compared(one.picture.id, second, path, people, agreed, differences)


def _differences(one: OnePicture, other: OnePicture) -> tuple[int, tuple[Difference, ...]]:
    """How many boxes agree, and what differs: boxes that overlap most are of one object."""
    mine, theirs = dict(enumerate(one.boxes)), dict(enumerate(other.boxes))
    shares = iou(_corners(one.boxes), _corners(other.boxes))
    order = np.argsort(-shares, axis=None, kind="stable")
    agreed, found = 0, list[Difference]()
    for row, column in (divmod(int(at), max(1, len(other.boxes))) for at in order):
        if shares[row, column] < _ONE_OBJECT:
            break
        if row not in mine or column not in theirs:
            continue
        a, b = mine.pop(row), theirs.pop(column)
        if a.label != b.label:
            found.append(Difference("class", a.id, b.id))
        elif shares[row, column] < _AGREE:
            found.append(Difference("place", a.id, b.id))
        else:
            agreed += 1
    found += [Difference("first", each.id, None) for each in mine.values()]
    found += [Difference("second", None, each.id) for each in theirs.values()]
    return agreed, tuple(found)


def _corners(boxes: tuple[Box, ...]) -> np.ndarray[tuple[int, int], np.dtype[np.float64]]:
    return np.array([each.corners for each in boxes], np.float64).reshape(-1, 4)
