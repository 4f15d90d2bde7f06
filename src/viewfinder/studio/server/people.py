"""Who asks, who is where, which picture is handed to whom, and second opinions."""

import re
from collections.abc import Awaitable, Callable, Iterator
from typing import Annotated
from urllib.parse import unquote

from fastapi import Depends, FastAPI, Request
from fastapi.responses import Response
from sqlalchemy import Connection

from viewfinder.errors import InputError
from viewfinder.studio.learning.queue import Queue
from viewfinder.studio.store import Filter, Store, as_json
from viewfinder.studio.store.listing import next_picture
from viewfinder.studio.store.opinions import due
from viewfinder.studio.store.unread import listed

HEADER = "x-viewfinder-person"
"""Holds the name that a person gave in the browser, percent-encoded."""
_LONGEST = 60
# As many as are looked over at once.
_AHEAD = 12
_SESSION = re.compile(r"[A-Za-z0-9_.-]{1,64}", re.ASCII)


def person_of(usual: str) -> Callable[[Request], str]:
    """What says who asks: the name that the browser sends, else the usual one.

    Names are for history and for each other; they let nobody in, and keep nobody out.
    """

    def person(request: Request) -> str:
        return _name(unquote(request.headers.get(HEADER, "")).strip()) or usual

    return person


def _name(name: str) -> str:
    if len(name) > _LONGEST or any(ord(sign) < 32 for sign in name):
        raise InputError(f"a name has at most {_LONGEST} letters")
    return name


def people_routes(
    app: FastAPI,
    store: Store,
    queue: Queue,
    document: Callable[[Request], Awaitable[dict[str, object]]],
    answer: Callable[[object], Response],
    *,
    person: str,
) -> None:
    """Add the routes.

    Args:
        queue: the order in which pictures are handed out, where one is found.
        document: what reads a request's JSON.
        answer: what makes an answer of JSON.
        person: who asks, where the browser says no name.
    """
    asked = Annotated[dict[str, object], Depends(document)]
    who = Annotated[str, Depends(person_of(person))]

    @app.post("/api/seat")
    def seat(document: asked, who: who) -> Response:
        session = document.get("session")
        if not isinstance(session, str) or not _SESSION.fullmatch(session):
            raise InputError("the session of a page is letters and digits")
        turn = _number(document, "turn") or 0
        if document.get("leave") is True:
            return answer({"left": store.seats.leave(session, turn)})
        after, count = _number(document, "after"), _number(document, "count")
        text, proposed = document.get("text") or None, document.get("proposed")
        if not isinstance(text, str | None) or not isinstance(proposed, bool | None):
            raise InputError("a part of a name is a text, and proposed is true or false")
        chosen = Filter(state="todo", text=text, proposed=proposed)
        sat = store.seats.sit(
            session,
            who,
            _number(document, "picture"),
            lambda connection: _waiting(connection, queue, who, after, chosen),
            None if count is None else min(_AHEAD, count),
            turn,
        )
        others = [
            {"person": each.person, "picture": each.picture, "path": _path(store, each.picture)}
            for each in sat.others
        ]
        return answer({"holder": sat.holder, "ahead": sat.ahead, "others": others})

    @app.get("/api/opinions")
    def opinions() -> Response:
        return answer(
            {"share": store.opinions.share(), "pairs": as_json(store.opinions.compared())}
        )

    @app.post("/api/opinions")
    def ask_for(document: asked) -> Response:
        share = _number(document, "share")
        if share is None:
            raise InputError("a share is a number")
        store.opinions.ask_for(share)
        return answer({})


def _waiting(
    connection: Connection, queue: Queue, person: str, after: int | None, chosen: Filter
) -> Iterator[int]:
    """The pictures to do for a person, in the order in which they are handed out: none of those
    that wait for their file of labels, in which nobody can draw."""
    if not chosen.text and not chosen.proposed:
        yield from due(connection, person)
    known = {id for each in listed(connection) for id in each.pictures}
    queued = [one for one in queue.following(after, chosen, 100) or () if one not in known]
    yield from queued
    known |= set(queued)
    while (after := next_picture(connection, after, chosen)) is not None:
        if after not in known:
            yield after


def _number(document: dict[str, object], name: str) -> int | None:
    number = document.get(name)
    if number is not None and (type(number) is not int or not 0 <= number < 1 << 31):
        raise InputError(f"{name} is a number, or none")
    return number


def _path(store: Store, picture: int | None) -> str:
    return "" if picture is None else store.path_of(picture).name
