"""Who is where: each page that is open has a seat, and holds the pictures that it was handed.

No two seats hold one picture. A seat ends when its page leaves, or is silent for `SILENCE`; for the
same person, whose browser may have been killed, after `OWN_SILENCE`. No
clock is shared for that: whenever a page says that it is still there, its seat gets a new mark, and
whoever has seen one mark for so long, by a clock of its own that never jumps, takes the seat away.
So it holds whatever becomes of the time of day, over a server's restart, and for several servers of
one database.
"""

import json
import secrets
import time
from collections.abc import Callable, Collection, Iterable
from dataclasses import asdict, dataclass

from sqlalchemy import Connection, select

from viewfinder.studio.store import tables
from viewfinder.studio.store.database import Database, set_value

SILENCE = 180.0
"""Seconds without a word after which a seat is free."""
OWN_SILENCE = 20.0
"""The same where another page of that person asks: pages in sight speak every few seconds."""
_LEFT = 1000
"""Closed pages that are remembered."""
_KEY = "seat:"
_meta = tables.meta.c


@dataclass(frozen=True)
class Seat:
    """A page that is open.

    Attributes:
        session: which page.
        picture: the one that it shows and holds, if it does.
        ahead: those that it shows next, and holds too.
        mark: another each time it is heard of.
    """

    session: str
    person: str
    picture: int | None
    ahead: tuple[int, ...]
    mark: str

    @property
    def held(self) -> tuple[int, ...]:
        """Every picture that no other may have."""
        return self.ahead if self.picture is None else (self.picture, *self.ahead)


@dataclass(frozen=True)
class Sat:
    """What a page is given.

    Attributes:
        holder: who has the picture that it shows; empty where the page itself does.
        ahead: what it is handed to do next.
        others: the seats of all others.
    """

    holder: str
    ahead: tuple[int, ...]
    others: tuple[Seat, ...]


class Seats:
    """The seats of one database, from any thread."""

    def __init__(self, database: Database, clock: Callable[[], float] = time.monotonic) -> None:
        """
        Args:
            clock: seconds, that never jump.
        """
        self._database, self._clock = database, clock
        # When each seat's mark was first seen here.
        self._seen: dict[str, tuple[str, float]] = {}
        # Pages that are closed, and in which turn they said so.
        self._left: dict[str, int] = {}

    def sit(
        self,
        session: str,
        person: str,
        picture: int | None,
        waiting: Callable[[Connection], Iterable[int]] = lambda _: (),
        count: int | None = 0,
        turn: int = 0,
    ) -> Sat:
        """Say that a page is there and shows a picture, and hand it some to do next.

        What it held before is free, but for what it is handed now. What a page said before it was
        closed, and that is heard only after, gives it no seat.

        Args:
            waiting: those to do, in order, as the given connection sees them.
            count: how many it is handed at most; None for those that it holds already.
            turn: how often the page has spoken before.
        """
        with self._database.write(passing=True) as connection:
            if turn < self._left.get(session, 0):
                return Sat("", (), ())
            there = self._there(connection, session, person)
            others = tuple(each for each in there if each.session != session)
            taken = {one: each.person for each in others for one in each.held}
            holder = "" if picture is None else taken.get(picture, "")
            ahead: list[int] = []
            before = [one for each in there if each.session == session for one in each.ahead]
            for one in before if count is None else waiting(connection) if count else ():
                if one not in taken and one != picture:
                    ahead.append(one)
                if len(ahead) == count:
                    break
            mine = None if holder else picture
            seat = Seat(session, person, mine, tuple(ahead), secrets.token_hex(8))
            set_value(connection, _KEY + session, json.dumps(asdict(seat)))
            self._seen[session] = seat.mark, self._clock()
        return Sat(holder, seat.ahead, others)

    def leave(self, session: str, turn: int = 0) -> bool:
        """The page is closed: all that it held is free.

        Args:
            turn: as for `sit`.

        Returns:
            whether it had a seat.
        """
        self._left[session] = turn
        for oldest in list(self._left)[:-_LEFT]:
            del self._left[oldest]
        with self._database.write(passing=True) as connection:
            return _remove(connection, session)

    def there(self) -> tuple[Seat, ...]:
        """Every seat that is not silent."""
        with self._database.read() as connection:
            return tuple(self._heard(_rows(connection)))

    def _there(self, connection: Connection, session: str, person: str) -> list[Seat]:
        """Every seat that is not silent, as this page asks; the others are taken away."""
        rows = _rows(connection)
        own = {each.session for each in rows if each.person == person} - {session}
        heard = self._heard(rows, own)
        for each in {each.session for each in rows} - {each.session for each in heard}:
            _remove(connection, each)
            self._seen.pop(each, None)
        return heard

    def _heard(self, rows: list[Seat], own: Collection[str] = ()) -> list[Seat]:
        now, heard = self._clock(), []
        for each in rows:
            mark, since = self._seen.get(each.session, ("", now))
            if mark != each.mark:
                since = now
                self._seen[each.session] = each.mark, now
            if now - since < (OWN_SILENCE if each.session in own else SILENCE):
                heard.append(each)
        return heard


def _rows(connection: Connection) -> list[Seat]:
    rows = select(_meta.value).where(_meta.key.startswith(_KEY)).order_by(_meta.key)
    found = (_read(text) for text in connection.execute(rows).scalars())
    return [each for each in found if each is not None]


def _read(text: str) -> Seat | None:
    """A seat as `sit` wrote it; None of anything else, which holds nothing."""
    try:
        row = json.loads(text)
        picture = None if row["picture"] is None else int(row["picture"])
        ahead = tuple(map(int, row["ahead"]))
        return Seat(str(row["session"]), str(row["person"]), picture, ahead, str(row["mark"]))
    except (ValueError, TypeError, KeyError, RecursionError):
        return None


def _remove(connection: Connection, session: str) -> bool:
    gone = connection.execute(tables.meta.delete().where(_meta.key == _KEY + session))
    return gone.rowcount > 0
