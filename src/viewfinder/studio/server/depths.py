"""The depth maps of a saliency set, as the page shows them in place of its pictures."""

import threading
from typing import Annotated

import numpy as np
from fastapi import FastAPI, Path
from fastapi.responses import Response

from viewfinder.datasets.dataset import Dataset
from viewfinder.errors import InputError
from viewfinder.pictures.writing import encode_picture
from viewfinder.studio.store import Store

Number = Annotated[int, Path(ge=0, le=(1 << 53) - 1)]


class Depths:
    """Which depth map belongs to which picture, looked for once."""

    def __init__(self, store: Store) -> None:
        self._store, self._lock = store, threading.Lock()
        self._found: tuple[Dataset | None, dict[str, int]] | None = None

    def shown(self, picture: int) -> bytes:
        """A picture's depth as a grey PNG, near = bright.

        Raises:
            InputError: it has none, or none that can be read.
        """
        path = self._store.picture(picture).picture.path
        with self._lock:
            if self._found is None:
                self._found = self._look()
            dataset, rows = self._found
        from viewfinder.datasets.formats.rgbd.reading import read_nearness

        row = rows.get(path)
        if dataset is None or row is None or not dataset.depths or not dataset.depths[row]:
            raise InputError("this picture has no depth map")
        grey = np.rint(read_nearness(dataset, row) * 255).astype(np.uint8)
        return encode_picture(np.repeat(grey[..., None], 3, axis=2), ".png")

    def _look(self) -> tuple[Dataset | None, dict[str, int]]:
        if self._store.kind() != "masks":
            return None, {}
        from viewfinder.datasets.formats.rgbd.reading import read_saliency

        dataset = read_saliency(self._store.data)
        paths = () if dataset is None else dataset.paths
        return dataset, {path: row for row, path in enumerate(paths)}


def depth_routes(app: FastAPI, store: Store) -> None:
    """Add the route."""
    depths = Depths(store)

    @app.get("/api/pictures/{picture}/depth")
    def depth(picture: Number) -> Response:
        return Response(depths.shown(picture), headers={"content-type": "image/png"})
