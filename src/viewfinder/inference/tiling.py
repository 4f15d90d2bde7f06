"""A model that answers pictures in tiles, whether or not it learnt them so."""

from typing import Literal

from viewfinder.errors import InputError
from viewfinder.tasks import find
from viewfinder.tasks.detect.recipe import OVERLAP
from viewfinder.tasks.detect.tiling.asked import refuse_tiles_of
from viewfinder.tasks.detect.tiling.tiles import TILES, Tiles, tiles_of
from viewfinder.tasks.model import Model, with_habit, without_habit

WantedTiles = int | Literal["none"] | None
"""The side of tiles in pixels of the picture; none to see it whole; None as the model learnt."""


def in_tiles(model: Model, side: WantedTiles = None, overlap: float | None = None) -> Model:
    """The same model, which takes pictures apart as is asked for.

    Args:
        overlap: share of a tile's side that the next one shows too; None leaves it as it is.

    Raises:
        InputError: it is no detector, or there are no tiles to overlap or none of such sides.
    """
    if side is None and overlap is None:
        return model
    refuse_tiles_of(model.source, finds_boxes=find(model.config.task).finds_boxes)
    own = tiles_of(model.config)
    if side == "none":
        return whole(model)
    if side is None and own is None:
        raise InputError("--overlap is of tiles: give --tiles, such as --tiles 640, too")
    tiles = Tiles(
        side if side is not None else own.side if own else 0,
        overlap if overlap is not None else own.overlap if own else OVERLAP,
        learnt=own is not None and own.learnt,
    )
    return with_habit(model, TILES, tiles)


def whole(model: Model) -> Model:
    """The same model, which sees pictures whole."""
    return without_habit(model, TILES)
