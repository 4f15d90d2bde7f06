"""Why what was learnt answers a picture so: the page of `viewfinder why`, made when it is asked."""

import tempfile
import threading
import time
from collections.abc import Mapping, Sequence
from html import escape
from pathlib import Path
from typing import Annotated

from fastapi import FastAPI
from fastapi import Path as InPath
from fastapi.responses import Response

from viewfinder.errors import InputError
from viewfinder.reading import read_bytes
from viewfinder.studio.learning.proposing import ended
from viewfinder.studio.learning.teacher import Teacher
from viewfinder.studio.learning.worker import Worker
from viewfinder.studio.store import Store, Unavailable

Number = Annotated[int, InPath(ge=0, le=(1 << 53) - 1)]
# One file of ours, with styles, pictures and a script of its own in it; of no origin, so that
# whatever stood in it could ask this server nothing.
_PAGE = (
    "sandbox allow-scripts; default-src 'none'; style-src 'unsafe-inline'; "
    "script-src 'unsafe-inline'; img-src data:"
)
_MOST = "5"
# Another page of ours, which has nothing of a stranger's but text.
_PLAIN = "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'"
_STYLE = (
    "html{color-scheme:light dark}body{font:1rem/1.5 system-ui;max-width:36em;margin:3em auto;"
    "padding:0 1em;overflow-wrap:anywhere}"
)


def reason_routes(app: FastAPI, store: Store, teacher: Teacher) -> None:
    """Add the route."""
    one_at_a_time = threading.Lock()

    took: list[float] = []

    @app.get("/api/pictures/{picture}/why")
    def why(picture: Number, made: bool = False) -> Response:
        name = f"picture {picture}"
        try:
            run, file = teacher.learnt(), store.path_of(picture)
            name = file.relative_to(store.data).as_posix()
            if not run:
                raise InputError("nothing was learnt here yet")
            refuse_frame(file)
            if not made:
                return _waiting(name, took)
            with one_at_a_time:
                begun = time.monotonic()
                page = reasons_page(run, file, store.environment())
                took.append(time.monotonic() - begun)
        except InputError as error:
            says = f"There are none to show: {error}."
            status = 503 if isinstance(error, Unavailable) else 400
            return _plain(name, "No reasons", says, status=status)
        headers = {"content-security-policy": _PAGE}
        return Response(page, media_type="text/html; charset=utf-8", headers=headers)


def _waiting(name: str, took: Sequence[float]) -> Response:
    """What a browser shows until the page is made, which it asks for at once."""
    usual = (
        f"The last one took {took[-1]:,.0f} seconds"
        if took
        else "The first time after a training, what was learnt is looked at too, which takes a "
        "minute or two where the machine has much to do; later, it takes some seconds"
    )
    go = '<meta http-equiv="refresh" content="1;url=?made=1">'
    says = f"{usual}. They then show here by themselves."
    return _plain(name, "Looking for reasons …", says, head=go)


def _plain(name: str, title: str, says: str, *, head: str = "", status: int = 200) -> Response:
    """A page of two sentences about a picture, whose name may be any stranger's."""
    page = (
        f'<!doctype html><html lang="en"><meta charset="utf-8"><title>{title}</title>{head}'
        f'<meta name="viewport" content="width=device-width"><style>{_STYLE}</style>'
        f"<h1>{title}</h1><p>{escape(says)}</p><p>The picture: <bdi>{escape(name)}</bdi></p></html>"
    )
    # A name of a file may hold half a character.
    data = page.encode("utf-8", "replace")
    headers = {"content-security-policy": _PLAIN}
    return Response(data, status, headers, "text/html; charset=utf-8")


def refuse_frame(file: Path) -> None:
    """Refuse what is no picture's file.

    Raises:
        InputError: it is a frame of a video, or gone.
    """
    if not file.is_file():
        raise InputError("reasons are looked for in pictures, not in frames of videos")


def reasons_page(run: str, file: Path, environment: Mapping[str, str] | None = None) -> bytes:
    """The page of a run's reasons for a picture.

    Args:
        environment: what reads the labels that it was learnt from.

    Raises:
        InputError: it cannot be made, such as of a frame of a video.
    """
    refuse_frame(file)
    with tempfile.TemporaryDirectory(prefix="viewfinder-") as place:
        page, worker, said = Path(place) / "why.html", Worker(), ""
        words = ["-m", "viewfinder", "why", run, str(file), "--most", _MOST, "--html", str(page)]
        for line in worker.lines(words, environment=environment):
            said = line.strip() or said
        if worker.status != 0:
            raise InputError(said.removeprefix("error: ") or f"it {ended(worker.status)}")
        if not page.is_file():
            raise InputError(
                "what was learnt finds nothing in this picture that it is sure enough of to show, "
                "so there is no answer to give reasons for"
            )
        # The command that the page names is one to be given again, into a file that stays.
        return read_bytes(page).replace(str(page).encode(), b"why.html")
