"""What the page asks of the learning: begin, stop, go on, propose, and which picture is next."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Annotated, Any

from fastapi import Depends, FastAPI
from fastapi.responses import Response

from viewfinder.errors import InputError
from viewfinder.studio.learning.asked import asked_of
from viewfinder.studio.learning.proposing import proposers_of
from viewfinder.studio.learning.teacher import Teacher
from viewfinder.studio.store import Store


def learning_routes(
    app: FastAPI,
    store: Store,
    teacher: Teacher,
    document: Callable[..., Any],
    answer: Callable[[object], Response],
    *,
    local: bool,
) -> None:
    """Add the routes.

    Args:
        local: only this machine can ask, so paths of it may be given.
        document: what reads a request's JSON.
        answer: what makes an answer of JSON.
    """
    asked = Annotated[dict[str, object], Depends(document)]

    @app.post("/api/learn")
    def begin(document: asked) -> Response:
        minutes = document.get("minutes")
        if not isinstance(minutes, int | float) or isinstance(minutes, bool):
            raise InputError("minutes are a number")
        teacher.begin(float(minutes), _picture(document))
        return answer({})

    @app.post("/api/learn/again")
    def go_on(document: asked) -> Response:
        teacher.go_on(_picture(document))
        return answer({})

    @app.post("/api/learn/stop")
    def stop(_document: asked) -> Response:
        teacher.stop()
        return answer({})

    @app.get("/api/propose")
    def proposers() -> Response:
        return answer(proposers_of(store, teacher.learnt(), local=local))

    @app.post("/api/propose")
    def propose(document: asked) -> Response:
        empty, learnt = document.get("empty"), teacher.learnt()
        if document.get("by") == "plate":
            path = store.picture(empty).picture.path if type(empty) is int else ""
            document = {**document, "file": path}
        if document.get("by") == "learnt":
            document = {**document, "file": learnt}
        one = asked_of(document)
        if why := proposers_of(store, learnt, local=local)[one.by]:
            raise InputError(why)
        if store.kind() == "masks":
            # Its one class may have been given another name.
            one = replace(one, name=next(each.name for each in store.classes()))
        teacher.propose(one, _picture(document))
        return answer({})

    @app.post("/api/doubts")
    def doubt(document: asked) -> Response:
        if store.kind() not in ("boxes", "classes"):
            raise InputError("boxes and pictures of classes are compared, and here are none")
        run = teacher.learnt() if document.get("by") == "learnt" else ""
        if document.get("by") == "learnt" and not run:
            raise InputError("nothing was learnt here yet")
        teacher.doubting.look(run)
        return answer({})

    @app.get("/api/doubts")
    def doubts() -> Response:
        return answer(teacher.doubting.found())

    @app.post("/api/queue")
    def queue(document: asked) -> Response:
        teacher.queue.switch(_truth(document))
        return answer({})

    @app.post("/api/learn/keep")
    def keep(document: asked) -> Response:
        teacher.keep(_truth(document))
        return answer({})


def _truth(document: Mapping[str, object]) -> bool:
    on = document.get("on")
    if not isinstance(on, bool):
        raise InputError("on is true or false")
    return on


def _picture(document: Mapping[str, object]) -> int | None:
    """The picture in hand, where one is."""
    picture = document.get("picture")
    return picture if isinstance(picture, int) and not isinstance(picture, bool) else None
