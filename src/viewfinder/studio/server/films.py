"""Videos on the page: their frames and tracks, and boxes followed through the pictures of one."""

import threading
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from functools import lru_cache
from pathlib import Path
from typing import Annotated, Any

import numpy as np
from fastapi import Depends, FastAPI
from fastapi import Path as InPath
from fastapi.responses import Response
from numpy.typing import NDArray

from viewfinder.datasets.bit_depth import bits_of
from viewfinder.errors import InputError
from viewfinder.pictures.reading import read_picture
from viewfinder.pictures.resampling import at_side
from viewfinder.studio.store import Store, as_json
from viewfinder.studio.store.film_records import Corners
from viewfinder.studio.store.reels import Span

_MOST = (1 << 53) - 1
Number = Annotated[int, InPath(ge=0, le=_MOST)]
# Pictures that are held at once to follow something from both ends, and their longer side.
_LONGEST, _SIDE = 200, 640
Shown = tuple[NDArray[np.uint8], NDArray[np.float64]]


class Carrier:
    """Follows boxes between their keys beside the answers, one span after another."""

    def __init__(self, store: Store) -> None:
        self._store, self._worker = store, ThreadPoolExecutor(1, "following")
        self._lock, self._busy = threading.Lock(), set[int]()
        self._failed: dict[tuple[str, str], str] = {}
        self._ended = False

    def see(self, picture: int) -> tuple[int, str]:
        """Follow what is still to be followed in the video of a picture: how many pairs of keys
        there are, and why others cannot be."""
        waiting = [each for each in self._store.films.to_follow(picture) if not self._why(each)]
        with self._lock:
            if waiting and not self._busy and not self._ended:
                self._busy.add(picture)
                self._worker.submit(self._follow, picture, waiting)
        return len(waiting), next(iter(self._failed.values()), "")

    def close(self) -> None:
        """End after the span that is at hand."""
        self._ended = True
        self._worker.shutdown(cancel_futures=True)

    def _follow(self, picture: int, spans: list[Span]) -> None:
        try:
            files = [self._store.data / path for span in spans for path in span.paths]
            bits = bits_of(sorted(set(files)))

            @lru_cache(_LONGEST)  # most tracks lie between the same key frames
            def shown(file: Path) -> Shown:
                return _small(read_picture(file, bits=bits))

            for span in spans:
                if self._ended:
                    return
                self._one(span, shown)
        except InputError as error:
            self._failed |= {(each.first.mark, each.second.mark): str(error) for each in spans}
        finally:
            with self._lock:
                self._busy.discard(picture)

    def _one(self, span: Span, shown: Callable[[Path], Shown]) -> None:
        # OpenCV takes long to import, and is of use in videos alone.
        from viewfinder.labelling.tracking import carry

        try:
            if len(span.paths) > _LONGEST:
                raise InputError(
                    f"two key frames are {len(span.paths) - 1:,} frames apart: set one between"
                )
            pictures, scales = zip(
                *(shown(self._store.data / path) for path in span.paths), strict=True
            )
            scale = scales[0]
            ends = (np.array(key.corners) * scale for key in (span.first, span.second))
            found = carry(pictures, *ends)
            rows = [(_corners(box / scale), sure) for box, sure in found]
            self._store.films.keep(span, rows)
        except InputError as error:
            self._failed[span.first.mark, span.second.mark] = str(error)
        except Exception as error:
            self._failed[span.first.mark, span.second.mark] = f"nothing was followed: {error!r}"

    def _why(self, span: Span) -> str:
        return self._failed.get((span.first.mark, span.second.mark), "")


def _corners(box: NDArray[np.float64]) -> Corners:
    x1, y1, x2, y2 = box.tolist()
    return x1, y1, x2, y2


def _small(picture: NDArray[np.uint8]) -> Shown:
    """A picture of few pixels, and by how much each corner's x and y are smaller there."""
    height, width = picture.shape[:2]
    small = at_side(picture, _SIDE) if max(height, width) > _SIDE else picture
    return small, np.tile(np.array(small.shape[1::-1]) / (width, height), 2)


def film_routes(
    app: FastAPI,
    store: Store,
    carrier: Carrier,
    document: Callable[..., Any],
    answer: Callable[[object], Response],
) -> None:
    """Add the routes.

    Args:
        document: what reads a request's JSON.
        answer: what makes an answer of JSON.
    """
    asked = Annotated[dict[str, object], Depends(document)]

    @app.get("/api/films/{picture}")
    def film(picture: Number) -> Response:
        found = store.films.film(picture)
        if found is None:
            return answer({"film": None})
        waiting, why = carrier.see(picture) if found.motion == "flow" else (0, "")
        return answer({"film": as_json(replace(found, waiting=waiting)), "why": why})

    @app.get("/api/films/{picture}/track")
    def track(picture: Number, name: str) -> Response:
        return answer({"boxes": as_json(store.films.boxes(picture, name))})

    @app.post("/api/films/{picture}/motion")
    def motion(picture: Number, document: asked) -> Response:
        store.films.move(picture, _text(document, "motion"))
        return answer({})

    @app.post("/api/films/order")
    def order(document: asked) -> Response:
        if not isinstance(document.get("on"), bool):
            raise InputError("on is true or false")
        store.films.order(_text(document, "folder"), bool(document["on"]))
        return answer({})


def _text(document: Mapping[str, object], name: str) -> str:
    value = document.get(name)
    if not isinstance(value, str) or len(value) > 3000:
        raise InputError(f"{name} is a short text")
    return value
