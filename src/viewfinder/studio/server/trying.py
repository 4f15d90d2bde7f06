"""What was learnt, in use: its report, and its answer to a picture that a person tries."""

import json
import re
import shutil
import tempfile
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Annotated

from fastapi import FastAPI, Query, Request
from fastapi.responses import Response
from starlette.concurrency import run_in_threadpool

from viewfinder.errors import InputError
from viewfinder.labelling.proposals import read_proposals
from viewfinder.reading import read_bytes
from viewfinder.studio.learning import proposing
from viewfinder.studio.learning.asked import ProposerRequest
from viewfinder.studio.learning.course import Course, heard
from viewfinder.studio.learning.teacher import Teacher
from viewfinder.studio.learning.worker import Worker
from viewfinder.studio.server.guard import TRY

# A report is one file of ours, with styles and pictures in it and no scripts.
_REPORT = "sandbox; default-src 'none'; style-src 'unsafe-inline'; img-src data:"


def trying_routes(app: FastAPI, teacher: Teacher, answer: Callable[[object], Response]) -> None:
    """Add the routes.

    Args:
        answer: what makes an answer of JSON.
    """
    one_at_a_time = threading.Lock()

    @app.get("/api/learn/report")
    def report() -> Response:
        try:
            page = read_bytes(Path(_learnt(teacher)) / "report.html")
        except OSError:
            raise InputError("this run has no report") from None
        headers = {"content-security-policy": _REPORT}
        return Response(page, media_type="text/html; charset=utf-8", headers=headers)

    @app.post(TRY)
    async def attempt(request: Request, name: Annotated[str, Query(max_length=3000)]) -> Response:
        run, data = _learnt(teacher), await request.body()

        def work() -> tuple[list[dict[str, object]], str]:
            with one_at_a_time:
                return answered(run, name, data)

        boxes, says = await run_in_threadpool(work)
        return answer({"boxes": boxes, "says": says})


def _learnt(teacher: Teacher) -> str:
    run = teacher.learnt()
    if not run:
        raise InputError("nothing was learnt here yet")
    return run


def answered(run: str, name: str, data: bytes) -> tuple[list[dict[str, object]], str]:
    """What a run finds in a picture: `name`, `corners` and `score` of each, the surest first; and
    from which score on, in words for a person.

    Args:
        name: of its file, which says of what kind it is.

    Raises:
        InputError: it cannot be read.
    """
    ending = re.search(r"\.[A-Za-z0-9]{1,5}$", name, re.ASCII)
    with tempfile.TemporaryDirectory(prefix="viewfinder-") as place:
        folder = Path(place) / "tried"
        folder.mkdir()
        path = "picture" + (ending[0].lower() if ending else "")
        (folder / path).write_bytes(data)
        given = json.dumps(
            {**ProposerRequest("learnt", run, answers=True).as_json(), "paths": [path]}
        )
        worker, course, said, out = Worker(), Course(), "", Path(place) / "out"
        for line in worker.lines([*proposing.LOOK, str(folder), str(out)], given):
            said, course = line.strip() or said, heard(course, line)
        if worker.status != 0:
            why = f"looking at it {proposing.ended(worker.status)}: {said[:200]}"
            raise InputError((course.error or why).replace(f"{folder}/{path}", name[:200]))
        found = read_proposals(out / "0").found
        classes = read_proposals(out / "0").classes
        shutil.rmtree(out, ignore_errors=True)
    rows = zip(found.boxes.tolist(), found.scores.tolist(), found.labels.tolist(), strict=True)
    boxes = [
        {"name": classes[label], "corners": corners, "score": round(score, 3)}
        for corners, score, label in rows
    ]
    says = next((each for each in course.notes if each.startswith("boxes from")), "")
    return sorted(boxes, key=lambda each: -float(str(each["score"]))), says
