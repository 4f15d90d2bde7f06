"""A sheet of pictures with what is proposed for them, for a person to look at before accepting."""

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from viewfinder.datasets.transaction import recover
from viewfinder.errors import InputError
from viewfinder.labelling.proposals import Proposals
from viewfinder.pictures.drawing import contact_sheet, draw_boxes
from viewfinder.pictures.reading import read_picture
from viewfinder.pictures.writing import write_picture

_MOST, _COLUMNS, _CELL = 24, 6, 320
_SURE, _UNSURE = (40, 200, 80), (250, 170, 20)


def write_sheet(data: Path, proposals: Proposals, out: Path) -> None:
    """Draw up to 24 pictures, spread evenly over all: boxes, and outside of a mask darkness.

    Boxes that score at least 0.9 are green, others amber.

    Raises:
        InputError: nothing is proposed, or a picture cannot be read.
    """
    if not proposals.paths:
        raise InputError(f"nothing is proposed for {data} yet: use `viewfinder propose` with --by")
    recover(data)
    count = min(_MOST, len(proposals.paths))
    chosen = np.linspace(0, len(proposals.paths) - 1, count).round().astype(int).tolist()
    pictures = [_drawn(data, proposals, picture) for picture in chosen]
    captions = [Path(proposals.paths[picture]).name for picture in chosen]
    columns = min(_COLUMNS, count)
    write_picture(out, contact_sheet(pictures, columns=columns, cell=_CELL, captions=captions))


def _drawn(data: Path, proposals: Proposals, picture: int) -> NDArray[np.uint8]:
    pixels = read_picture(data / proposals.paths[picture])
    rows = proposals.of(picture).tolist()
    masks = [proposals.mask(row) for row in rows if row in proposals.masks]
    if masks:
        outside = ~np.logical_or.reduce(masks)
        pixels = pixels.copy()
        pixels[outside] //= 2
    scores = proposals.scores[rows]
    return draw_boxes(
        pixels,
        proposals.corners[rows].astype(np.float32),
        [
            f"{proposals.classes[proposals.labels[row]]} {score:.2f}"
            for row, score in zip(rows, scores, strict=True)
        ],
        [_SURE if score >= 0.9 else _UNSURE for score in scores],
    )
