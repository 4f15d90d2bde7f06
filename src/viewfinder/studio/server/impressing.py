"""What a network makes of pictures, for the page to guess classes by."""

from typing import Annotated

from fastapi import FastAPI
from fastapi import Path as Place
from fastapi.responses import Response

from viewfinder.studio.learning.impressions import Impressions
from viewfinder.studio.store import Store

Number = Annotated[int, Place(ge=0, le=(1 << 53) - 1)]


def impression_routes(app: FastAPI, store: Store, impressions: Impressions) -> None:
    """Add the route."""

    @app.get("/api/pictures/{picture}/impression")
    def impression(picture: Number) -> Response:
        found = impressions.of(store.path_of(picture))
        return Response(found, media_type="application/octet-stream")
