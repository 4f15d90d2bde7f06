"""Clicks and scribbles of the page, answered with an outline while the person waits."""

import threading
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Annotated, Any

import numpy as np
from fastapi import Depends, FastAPI
from fastapi import Path as Place
from fastapi.responses import Response
from numpy.typing import NDArray

from viewfinder.errors import InputError
from viewfinder.labelling.outlining import Stroke, outline, runs_of
from viewfinder.pictures.geometry import Size, stretch
from viewfinder.pictures.reading import read_header, read_picture
from viewfinder.pictures.resampling import resample
from viewfinder.studio.store import Store

# Pixels of the longer side in which outlines are found.
_LARGEST = 2048
# Beyond any picture.
_FAR = 1 << 31
_MOST_STROKES, _MOST_POINTS = 200, 4000
Number = Annotated[int, Place(ge=0, le=(1 << 53) - 1)]
Pixels = tuple[NDArray[np.uint8], Size]


class LastDecoded:
    """The picture that was asked of last, as it was decoded: further clicks do not wait for it."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._key: tuple[Path, int, int] | None = None
        self._kept: Pixels | None = None

    def get(self, path: Path) -> Pixels:
        """The picture, at most `_LARGEST` pixels wide and high, and its own size.

        Raises:
            InputError: there is no such file, or it is no picture.
        """
        with self._lock:
            size = read_header(path).size
            status = path.stat()
            key = path, status.st_mtime_ns, status.st_size
            if self._kept is None or self._key != key:
                self._kept, self._key = (_shrunk(path, size), size), key
            return self._kept


def _shrunk(path: Path, size: Size) -> NDArray[np.uint8]:
    share = min(1.0, _LARGEST / max(size))
    wanted = max(1, round(size[0] * share)), max(1, round(size[1] * share))
    picture = read_picture(path, at_least=wanted)
    own = picture.shape[1], picture.shape[0]
    return picture if own == wanted else resample(picture, stretch(own, wanted), wanted)


def outlining_routes(
    app: FastAPI,
    store: Store,
    document: Callable[..., Any],
    answer: Callable[[object], Response],
) -> None:
    """Add the route.

    Args:
        document: what reads a request's JSON.
        answer: what makes an answer of JSON.
    """
    asked = Annotated[dict[str, object], Depends(document)]
    decoded = LastDecoded()

    @app.post("/api/pictures/{picture}/outline")
    def find(picture: Number, document: asked) -> Response:
        strokes = strokes_of(document)
        pixels, size = decoded.get(store.path_of(picture))
        height, width = pixels.shape[:2]
        across, down = width / size[0], height / size[1]
        near = [
            Stroke(tuple((x * across, y * down) for x, y in each.points), each.adds)
            for each in strokes
        ]
        mask, corners = runs_of(outline(pixels, near), size)
        return answer({"mask": mask, "corners": corners})


def strokes_of(document: Mapping[str, object]) -> list[Stroke]:
    """Strokes from JSON: `{strokes: [{points: [[x, y], …], adds: true}, …]}`.

    Raises:
        InputError: it is of another form, or there are too many.
    """
    strokes = document.get("strokes")
    if not isinstance(strokes, list) or not 0 < len(strokes) <= _MOST_STROKES:
        raise InputError(f"strokes are a list of 1 to {_MOST_STROKES}")
    found = [_stroke(each) for each in strokes]
    if sum(len(each.points) for each in found) > _MOST_POINTS:
        raise InputError(f"strokes have at most {_MOST_POINTS:,} points")
    return found


def _stroke(document: object) -> Stroke:
    points = document.get("points") if isinstance(document, dict) else None
    adds = document.get("adds") if isinstance(document, dict) else None
    if not isinstance(adds, bool) or not isinstance(points, list):
        raise InputError("a stroke has `points`, and whether it `adds`")
    return Stroke(tuple(_point(each) for each in points), adds)


def _point(point: object) -> tuple[float, float]:
    if isinstance(point, list) and len(point) == 2:
        x, y = point
        if all(type(each) in (int, float) and abs(each) < _FAR for each in (x, y)):
            return float(x), float(y)
    raise InputError("a point of a stroke is two finite numbers, x and y")
