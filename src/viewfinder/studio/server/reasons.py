"""Why what was learnt answers a picture so: the page of `viewfinder why`, made when it is asked."""

import tempfile
import threading
from collections.abc import Mapping
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
from viewfinder.studio.store import Store

Number = Annotated[int, InPath(ge=0, le=(1 << 53) - 1)]
# One file of ours, with styles, pictures and a script of its own in it; of no origin, so that
# whatever stood in it could ask this server nothing.
_PAGE = (
    "sandbox allow-scripts; default-src 'none'; style-src 'unsafe-inline'; "
    "script-src 'unsafe-inline'; img-src data:"
)
_MOST = "5"


def reason_routes(app: FastAPI, store: Store, teacher: Teacher) -> None:
    """Add the route."""
    one_at_a_time = threading.Lock()

    @app.get("/api/pictures/{picture}/why")
    def why(picture: Number) -> Response:
        run = teacher.learnt()
        if not run:
            raise InputError("nothing was learnt here yet")
        file = store.path_of(picture)
        with one_at_a_time:
            page = reasons_page(run, file, store.environment())
        headers = {"content-security-policy": _PAGE}
        return Response(page, media_type="text/html; charset=utf-8", headers=headers)


def reasons_page(run: str, file: Path, environment: Mapping[str, str] | None = None) -> bytes:
    """The page of a run's reasons for a picture.

    Args:
        environment: what reads the labels that it was learnt from.

    Raises:
        InputError: it cannot be made, such as of a frame of a video.
    """
    if not file.is_file():
        raise InputError("reasons are looked for in pictures, not in frames of videos")
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
