"""A sheet of pictures with what is proposed for them, for a person to look at before accepting."""

import itertools
import math
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from viewfinder.datasets.bit_depth import bits_of
from viewfinder.datasets.editing.transaction import recover
from viewfinder.errors import InputError
from viewfinder.labelling.proposals import Proposals
from viewfinder.pictures.drawing import (
    caption_font,
    contact_sheet,
    legible,
    number_boxes,
    text_width,
)
from viewfinder.pictures.geometry import Size, stretch
from viewfinder.pictures.lettering import Font
from viewfinder.pictures.reading import read_picture
from viewfinder.pictures.resampling import resample
from viewfinder.pictures.writing import write_picture

_MOST, _LINES = 24, 4
_AREA = 320 * 320  # pixels of a cell
_NARROWEST, _WIDEST = 0.4, 2.5  # width of a cell as a share of its height
_ASPECT = 16 / 10  # of the whole sheet, about
_SURE, _UNSURE = (40, 200, 80), (250, 170, 20)


def write_sheet(data: Path, proposals: Proposals, out: Path) -> None:
    """Draw up to 24 pictures, spread evenly over all: boxes, and outside of a mask darkness.

    Boxes that score at least 0.9 are green, others amber. Below each picture stand its name, the
    beginning and the end that all share cut first, and the classes and scores of its boxes.

    Raises:
        InputError: nothing is proposed, or a picture cannot be read.
    """
    if not proposals.paths:
        raise InputError(f"nothing is proposed for {data} yet: use `viewfinder propose` with --by")
    recover(data)
    count = min(_MOST, len(proposals.paths))
    chosen = np.linspace(0, len(proposals.paths) - 1, count).round().astype(int).tolist()
    cell = _cell(proposals.sizes[chosen])
    font = caption_font(cell[0])
    names = short_names([legible(proposals.paths[i], font) for i in chosen], cell[0], font)
    captions = [
        [name, *_captions(proposals, picture, cell[0], font)]
        for name, picture in zip(names, chosen, strict=True)
    ]
    bits = bits_of([data / path for path in proposals.paths])
    pictures = [_drawn(data, proposals, picture, cell, bits) for picture in chosen]
    columns = round(math.sqrt(count * _ASPECT * cell[1] / cell[0]))
    columns = min(count, max(1, columns))
    write_picture(out, contact_sheet(pictures, columns=columns, cell=cell, captions=captions))


def _cell(sizes: NDArray[np.int64]) -> Size:
    """Width and height of a cell, shaped as most of the pictures are."""
    aspect = float(np.clip(np.median(sizes[:, 0] / sizes[:, 1]), _NARROWEST, _WIDEST))
    return round(math.sqrt(_AREA * aspect)), round(math.sqrt(_AREA / aspect))


def short_names(names: Sequence[str], width: int, font: Font) -> list[str]:
    """Each name so that it fits into a width: what all begin and end with is cut first.

    Of what is still too long the middle goes.
    """
    start = _shared(names)
    end = _shared([name[start:][::-1] for name in names])
    return [_short(name, start, end, width, font) for name in names]


def _shared(names: Sequence[str]) -> int:
    """How many signs several names begin with that are the same."""
    if len(names) < 2:
        return 0
    columns = zip(*names, strict=False)
    return sum(1 for _ in itertools.takewhile(lambda signs: len(set(signs)) == 1, columns))


def _short(name: str, start: int, end: int, width: int, font: Font) -> str:
    def fits(text: str) -> bool:
        return text_width(text, font) <= width

    if fits(name):
        return name
    for kept in range(start - 1, -1, -1):
        text = "…" + name[start - kept :]
        if fits(text):
            return text
    lead = "…" if start else ""
    own, tail = name[start : len(name) - end], name[len(name) - end :]
    for kept in range(len(tail) - 1, -1, -1):
        text = f"{lead}{own}…{tail[len(tail) - kept :]}"
        if fits(text):
            return text
    for kept in range(len(own) - 1, 0, -1):
        text = f"{lead}{own[: (kept + 1) // 2]}…{own[len(own) - kept // 2 :]}"
        if fits(text):
            return text
    return "…"


def _captions(proposals: Proposals, picture: int, width: int, font: Font) -> list[str]:
    """Number, class and score of each box, in as many lines as they need up to a few."""
    rows = proposals.of(picture).tolist()
    if not rows:
        return ["nothing proposed"]
    lines = [""]
    for number, row in enumerate(rows, 1):
        name = legible(proposals.classes[proposals.found.labels[row]], font)
        score = f" {proposals.found.scores[row]:.2f}"
        place = f"{number} " if len(rows) > 1 else ""
        (name,) = short_names([name], width - math.ceil(text_width(place + score, font)), font)
        word = place + name + score
        longer = f"{lines[-1]} · {word}" if lines[-1] else word
        if text_width(longer, font) <= width:
            lines[-1] = longer
        elif len(lines) < _LINES:
            lines.append(word)
        else:
            left = rows[number - 2 - lines[-1].count(" · ") :]
            low, high = proposals.found.scores[left].min(), proposals.found.scores[left].max()
            lines[-1] = f"and {len(left)} more, {low:.2f} to {high:.2f}"
            break
    return lines


def _drawn(
    data: Path, proposals: Proposals, picture: int, cell: Size, bits: int
) -> NDArray[np.uint8]:
    """The picture as large as its cell shows it, so that lines and letters are of one size."""
    pixels = read_picture(data / proposals.paths[picture], bits=bits)
    rows = proposals.of(picture).tolist()
    masks = [proposals.mask(row) for row in rows if row in proposals.masks]
    if masks:
        outside = ~np.logical_or.reduce(masks)
        pixels = pixels.copy()
        pixels[outside] //= 2
    own = (pixels.shape[1], pixels.shape[0])
    scale = min(cell[0] / own[0], cell[1] / own[1])
    size = max(1, round(own[0] * scale)), max(1, round(own[1] * scale))
    shown = np.asarray(resample(pixels, stretch(own, size), size), np.uint8)
    boxes = (proposals.found.boxes[rows] * scale).astype(np.float32)
    colours = [_SURE if score >= 0.9 else _UNSURE for score in proposals.found.scores[rows]]
    return number_boxes(shown, boxes, colours)
