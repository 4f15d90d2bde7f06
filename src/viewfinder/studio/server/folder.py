"""What the page does to the folder as a whole: adding pictures, looking again, exporting, going
back in time."""

from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path
from typing import Annotated, get_args

from fastapi import Depends, FastAPI, Query, Request
from fastapi.responses import Response
from starlette.concurrency import run_in_threadpool

from viewfinder.datasets import Format
from viewfinder.errors import InputError
from viewfinder.studio.server.adding import Adding
from viewfinder.studio.server.guard import FILES
from viewfinder.studio.server.news import News, said_of
from viewfinder.studio.server.people import person_of
from viewfinder.studio.store import Store, as_json

LINES = "jsonl"
"""Beside the store's layouts: everything, history too, as JSON lines."""
# Bytes that are gathered before they are written.
_AT_ONCE = 1 << 20
Answer = Callable[[object], Response]


def folder_routes(
    app: FastAPI,
    store: Store,
    adding: Adding,
    news: News,
    document: Callable[[Request], Awaitable[dict[str, object]]],
    answer: Answer,
    *,
    person: str,
    local: bool,
) -> None:
    """Add the routes.

    Args:
        news: is told what was found in the folder.
        document: what reads a request's JSON.
        answer: what makes an answer of JSON.
        local: only this machine can ask, so paths of it may be given.
    """
    asked = Annotated[dict[str, object], Depends(document)]
    who = Annotated[str, Depends(person_of(person))]

    @app.post(FILES)
    async def receive(request: Request, name: Annotated[str, Query(max_length=3000)]) -> Response:
        with adding.incoming() as file:
            await _write(request, file)
            return answer(await run_in_threadpool(adding.take, file, name))

    @app.post("/api/add")
    def add(document: asked) -> Response:
        if not local:
            raise InputError("paths are taken on this machine alone: send the files themselves")
        adding.take_path(str(document.get("path", "")))
        return answer({})

    @app.post("/api/look")
    def look(_document: asked) -> Response:
        if store.progress().stage != "done":
            store.read_again()
            return answer({"news": ()})
        found = said_of(store.look_at_disk())
        news.tell(found)  # every page hears of it
        return answer({"news": found})

    @app.post("/api/export")
    def export(document: asked) -> Response:
        return answer(_export(store, str(document.get("to")), document.get("out"), local=local))

    @app.post("/api/restore")
    def restore(document: asked, who: who) -> Response:
        seq, session = seq_of(document, least=0), session_of(document)
        return answer(as_json(store.restore(str(document.get("id")), seq, who, session)))


def session_of(document: Mapping[str, object]) -> str:
    """Which window or program asks.

    Raises:
        InputError: that is no text.
    """
    session = document.get("session", "")
    if not isinstance(session, str):
        raise InputError("the session of a request is a text")
    return session


def seq_of(document: Mapping[str, object], *, least: int) -> int:
    """The number of an operation that a request names.

    Raises:
        InputError: it is none.
    """
    seq = document.get("seq")
    if type(seq) is not int or not least <= seq < 1 << 53:
        raise InputError("the number of an operation is a whole one")
    return seq


async def _write(request: Request, file: Path) -> None:
    """A request's body as a file, without ever holding it whole."""
    with file.open("xb") as out:
        held = bytearray()
        async for part in request.stream():
            held += part
            if len(held) >= _AT_ONCE:
                await run_in_threadpool(out.write, bytes(held))
                held.clear()
        await run_in_threadpool(out.write, bytes(held))


def exported_to(store: Store, to: str) -> Path:
    """Where an export goes if nothing else is said: beside the folder, a name that is free."""
    data = store.data.resolve()
    suffix = ".jsonl" if to == LINES else ""
    target, number = data.with_name(f"{data.name}-{to}{suffix}"), 2
    while target.exists():
        target = data.with_name(f"{data.name}-{to}-{number}{suffix}")
        number += 1
    return target


def _export(store: Store, to: str, out: object, *, local: bool) -> dict[str, object]:
    from viewfinder.studio.store.exporting import FOLDERS  # with it, all layouts

    if to not in (known := (*get_args(Format), FOLDERS, "masks", LINES)):
        raise InputError(f"labels are exported to {', '.join(known[:-1])} or {known[-1]}")
    target = exported_to(store, to)
    if out:
        if not local:
            raise InputError("the place of an export is chosen on this machine alone")
        if not isinstance(out, str) or "\0" in out or len(out) > 3000:
            raise InputError("the place of an export is a path")
        target = Path(out.strip()).expanduser()
        target = (store.data.resolve().parent / target).resolve()
    if to != LINES:
        return as_json(store.export(target, to=to))
    if target.exists():
        raise InputError(f"{target} exists already: choose another name")
    store.write_lines(target)
    return {"out": str(target), "layout": to, "lost": {}, "notes": ()}
