"""Tiles that are asked for: what cannot be is refused without importing torch."""

from pathlib import Path

from viewfinder.errors import InputError
from viewfinder.tasks.detect.recipe import LEAST_SIDE, MOST_OVERLAP


def refuse_no_tiles(side: int | None, overlap: float | None) -> None:
    """See that tiles have a side and an overlap that can be, where these are given.

    Raises:
        InputError: they have not.
    """
    if side is not None and side < LEAST_SIDE:
        raise InputError(f"--tiles {side}: give {LEAST_SIDE} pixels or more")
    if overlap is not None and not 0 <= overlap <= MOST_OVERLAP:
        raise InputError(f"--overlap {overlap:g}: give a share from 0 to {MOST_OVERLAP}")


def refuse_tiles_of(source: Path, *, finds_boxes: bool) -> None:
    """See that it is a detector that is to answer in tiles.

    Raises:
        InputError: it is none.
    """
    if not finds_boxes:
        raise InputError(f"--tiles is for detectors: {source} has another task")
