"""What the page asks: JSON to read, and operations, answered once they are on the disk."""

import json
import os
import secrets
from typing import Annotated

from fastapi import Depends, FastAPI, Path, Query, Request
from fastapi.responses import JSONResponse, Response
from starlette.types import ASGIApp

from viewfinder.errors import InputError
from viewfinder.studio.learning.impressions import Impressions
from viewfinder.studio.learning.teacher import Teacher
from viewfinder.studio.server.adding import Adding
from viewfinder.studio.server.address import Access
from viewfinder.studio.server.depths import depth_routes
from viewfinder.studio.server.films import Carrier, film_routes
from viewfinder.studio.server.folder import folder_routes, seq_of, session_of
from viewfinder.studio.server.guard import MOST_FILE, Guard
from viewfinder.studio.server.impressing import impression_routes
from viewfinder.studio.server.learning import learning_routes
from viewfinder.studio.server.news import News
from viewfinder.studio.server.outlining import outlining_routes
from viewfinder.studio.server.people import people_routes, person_of
from viewfinder.studio.server.pixels import Shown, crop_of, picture_of, thumbnail_of
from viewfinder.studio.server.reasons import reason_routes
from viewfinder.studio.server.trying import trying_routes
from viewfinder.studio.store import Conflict, Filter, Store, Unavailable, as_json, operation_of
from viewfinder.studio.web import assets

# Numbers that databases and JSON hold alike.
_MOST = (1 << 53) - 1
Number = Annotated[int, Path(ge=0, le=_MOST)]
Asked = Annotated[int, Query(ge=0, le=_MOST)]
AskedOrNone = Annotated[int | None, Query(ge=0, le=_MOST)]
Side = Annotated[float, Query(ge=-1e6, le=1e6)]

AHEAD = 12
"""Pictures that the page asks for at once: 3 before the person does, 12 to look over."""


def studio_app(
    store: Store,
    access: Access,
    news: News,
    adding: Adding,
    teacher: Teacher,
    carrier: Carrier,
    impressions: Impressions,
    *,
    person: str,
    local: bool,
) -> ASGIApp:
    """The application, behind its guard.

    Args:
        news: what was noticed of the folder.
        adding: takes in what is added to it.
        teacher: learns from what is done, and proposes.
        carrier: follows boxes through videos.
        impressions: finds what a network makes of pictures.
        person: in whose name what comes is written, where a browser says none.
        local: only this machine can ask, so that its paths may be given.
    """
    app = FastAPI(docs_url=None, redoc_url=None, openapi_url=None)
    _refusals(app)
    _page(app)
    _reading(app, store, news, adding, teacher, person, local=local)
    _pictures(app, store, news)
    _writing(app, store, person)
    people_routes(app, store, teacher.queue, _document, _json, person=person)
    folder_routes(app, store, adding, news, _document, _json, person=person, local=local)
    learning_routes(app, store, teacher, _document, _json, local=local)
    trying_routes(app, teacher, _json)
    film_routes(app, store, carrier, _document, _json)
    outlining_routes(app, store, _document, _json)
    impression_routes(app, store, impressions)
    depth_routes(app, store)
    reason_routes(app, store, teacher)
    return Guard(app, access)


def _refusals(app: FastAPI) -> None:
    @app.exception_handler(Conflict)
    def conflict(_request: Request, error: Exception) -> Response:
        assert isinstance(error, Conflict)
        return JSONResponse({"error": str(error), "now": error.now}, 409)

    @app.exception_handler(InputError)
    def refused(_request: Request, error: Exception) -> Response:
        return JSONResponse({"error": str(error)}, 503 if isinstance(error, Unavailable) else 400)


def _page(app: FastAPI) -> None:
    files = assets()

    async def page(_request: Request) -> Response:
        return _sent(Shown(*files["index.html"]))

    async def asset(request: Request) -> Response:
        name = request.path_params["name"]
        if name not in files:
            return JSONResponse({"error": "the page has no such file"}, 404)
        return _sent(Shown(*files[name]))

    # They are many: none waits for a thread, and nothing has to be read out of a request.
    app.add_route("/", page)
    app.add_route("/page/{name}", asset)


def _reading(
    app: FastAPI,
    store: Store,
    news: News,
    adding: Adding,
    teacher: Teacher,
    person: str,
    *,
    local: bool,
) -> None:
    project = _project(store)
    who = Annotated[str, Depends(person_of(person))]

    @app.get("/api/start")
    def start(who: who) -> Response:
        settings = json.loads(store.meta(f"settings:{who}") or "{}")
        about = {"project": project, "name": store.data.resolve().name, "notes": store.notes()}
        mine = {"person": who, "settings": settings}
        place = {"local": local, "folder": str(store.data.resolve()), "largest": MOST_FILE}
        return _json(about | mine | place | _status(store, news, adding, teacher))

    @app.get("/api/status")
    def status() -> Response:
        return _json(_status(store, news, adding, teacher))

    @app.get("/api/pictures")
    def pictures(chosen: Chosen, start: Asked = 0, count: Asked = 100) -> Response:
        return _json(as_json(store.pictures(chosen, start=start, count=count)))

    @app.get("/api/next")
    def following(
        chosen: Chosen, after: AskedOrNone = None, backwards: bool = False, count: Asked = 1
    ) -> Response:
        count = max(0, min(count, AHEAD))
        queued = None if backwards else teacher.queue.following(after, chosen, count)
        if queued is not None:
            return _json({"pictures": queued})
        found: list[int] = []
        for _ in range(count):
            one = store.next_picture(after, chosen, backwards=backwards)
            if one is None:
                break
            found.append(one)
            after = one
        return _json({"pictures": found})

    @app.get("/api/history")
    def history(
        before: AskedOrNone = None, count: Asked = 100, picture: AskedOrNone = None
    ) -> Response:
        found = store.history(before=before, count=count, picture=picture)
        return _json({"history": as_json(found)})


def _pictures(app: FastAPI, store: Store, news: News) -> None:
    @app.get("/api/pictures/{picture}")
    def one(picture: Number) -> Response:
        return _json(as_json(store.picture(picture)))

    @app.get("/api/pictures/{picture}/place")
    def place(picture: Number, chosen: Chosen) -> Response:
        return _json({"place": store.place_of(picture, chosen)})

    @app.get("/api/pictures/{picture}/pixels")
    def pixels(picture: Number) -> Response:
        file = store.path_of(picture)
        news.showed(file)
        try:
            return _sent(picture_of(file))
        except InputError as error:
            raise InputError(str(error).replace(f"{store.data}{os.sep}", "")) from None

    @app.get("/api/pictures/{picture}/thumbnail")
    def thumbnail(picture: Number) -> Response:
        # For a while: a strip that is scrolled back and forth does not ask twice.
        kept = {"cache-control": "private, max-age=600"}
        return _sent(thumbnail_of(store.path_of(picture)), kept)

    @app.get("/api/pictures/{picture}/crop")
    def crop(picture: Number, x1: Side, y1: Side, x2: Side, y2: Side) -> Response:
        kept = {"cache-control": "private, max-age=600"}
        return _sent(crop_of(store.path_of(picture), (x1, y1, x2, y2)), kept)


def _writing(app: FastAPI, store: Store, person: str) -> None:
    who = Annotated[str, Depends(person_of(person))]

    @app.post("/api/operations")
    def apply(document: Document, who: who) -> Response:
        session = session_of(document)
        return _json(as_json(store.apply(operation_of(document, person=who, session=session))))

    @app.post("/api/undo")
    def undo(document: Document, who: who) -> Response:
        return _json(as_json(store.undo(*_turned(document, who), seq=_seq(document))))

    @app.post("/api/redo")
    def redo(document: Document, who: who) -> Response:
        return _json(as_json(store.redo(*_turned(document, who), seq=_seq(document))))

    @app.post("/api/settings")
    def settings(document: Document, who: who) -> Response:
        text = json.dumps(document)
        if len(text) > 50_000:
            raise InputError("settings are a short text")
        store.set_meta(f"settings:{who}", text)
        return _json({})

    @app.post("/api/anew")
    def anew(document: Document, who: who) -> Response:
        picture, session = document.get("picture"), session_of(document)
        if type(picture) is not int or not 0 <= picture < 1 << 31:
            raise InputError("the number of a picture is a whole one")
        done = store.label_anew(str(document.get("id")), picture, who, session)
        return _json(as_json(done))


def _turned(document: dict[str, object], person: str) -> tuple[str, str, str]:
    return str(document.get("id")), person, session_of(document)


def _seq(document: dict[str, object]) -> int | None:
    return None if document.get("seq") is None else seq_of(document, least=1)


def _status(store: Store, news: News, adding: Adding, teacher: Teacher) -> dict[str, object]:
    newest = store.history(count=1)
    kind, counts = store.kind(), store.counts()
    return {
        "kind": kind,
        "progress": as_json(store.progress()),
        "classes": as_json(store.classes()),
        "counts": as_json(counts),
        "seq": newest[0].seq if newest else 0,
        "news": news.said,
        "adding": adding.state(),
        "unread": as_json(store.unread_labels()),
        "learning": teacher.state() | {"cannot": teacher.cannot(kind, counts)},
    }


def _project(store: Store) -> str:
    """What tells this set's queue in a browser from that of another on the same address."""
    project = store.meta("project")
    if project is None:
        project = secrets.token_hex(16)
        store.set_meta("project", project)
    return project


async def _document(request: Request) -> dict[str, object]:
    """A request's JSON: an object, without numbers that JSON does not have."""
    body = await request.body()
    try:
        document = json.loads(body, parse_constant=_no_number)
    except (ValueError, RecursionError):
        raise InputError("the request is not JSON") from None
    if not isinstance(document, dict):
        raise InputError("the request is not a JSON object")
    return document


def _no_number(text: str) -> float:
    raise ValueError(text)


def _chosen(
    state: str | None = None,
    label: str | None = None,
    text: str | None = None,
    proposed: bool | None = None,
) -> Filter:
    if state not in (None, "todo", "done", "skipped"):
        raise InputError("a picture is todo, done or skipped")
    return Filter(state=state, label=label, text=text, proposed=proposed)  # type: ignore[arg-type]


Document = Annotated[dict[str, object], Depends(_document)]
Chosen = Annotated[Filter, Depends(_chosen)]


def _json(document: object) -> Response:
    """JSON in ASCII: a name of a file may hold half a character, which UTF-8 cannot."""
    return Response(json.dumps(document), media_type="application/json")


def _sent(shown: Shown, headers: dict[str, str] | None = None) -> Response:
    return Response(shown.data, headers={"content-type": shown.kind, **(headers or {})})
