"""Drawing for a person to look at: boxes and subjects on a picture, and sheets of many pictures.

Letters are those of the font within Pillow, so that a drawing looks alike on every machine; one
that it lacks, such as 写, stands as an empty frame.
"""

import colorsys
import math
import unicodedata
from collections.abc import Sequence

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from viewfinder.pictures.geometry import BoxArray, Size, letterbox
from viewfinder.pictures.lettering import (
    INK,
    PAPER,
    Colour,
    Font,
    draw_plate,
    fitted,
    font_of,
    free_places,
    least_covering,
    line_height,
)
from viewfinder.pictures.resampling import resample

_GAP = 8
# How bright what is not the subject is left.
_DIMMED = 0.45


def distinct_colours(count: int) -> list[Colour]:
    """Colours that are told apart on photographs: the first few most easily, the same each time."""
    # Steps of the golden angle go round the circle of hues without coming back to one.
    hues = [(0.02 + number * 0.381966) % 1 for number in range(count)]
    values = [(1.0, 0.8, 0.6)[number // 8 % 3] for number in range(count)]
    return [_rgb(hue, value) for hue, value in zip(hues, values, strict=True)]


def as_grey(values: NDArray[np.generic]) -> NDArray[np.uint8]:
    """H×W in [0, 1] as a picture, H×W×3; 1 is white."""
    grey = np.rint(255 * values.astype(np.float32)).astype(np.uint8)
    return np.repeat(grey[:, :, np.newaxis], 3, axis=2)


def draw_boxes(
    picture: NDArray[np.uint8],
    boxes: BoxArray,
    captions: Sequence[str],
    colours: Sequence[Colour],
) -> NDArray[np.uint8]:
    """A copy of the picture with M boxes on it, each with its caption and RGB colour.

    Lines and letters grow with the picture. A caption stands on a plate at its box, inside the
    picture, where it covers no other: the first boxes choose first, and lie on top. Captions that
    find no place, or would cover too much of the picture, are left out.
    """
    if not len(boxes) == len(captions) == len(colours):
        raise ValueError(f"{len(boxes)} boxes, {len(captions)} captions, {len(colours)} colours")
    image = Image.fromarray(picture)
    draw = ImageDraw.Draw(image)
    shorter = min(image.size)
    line = max(1, round(shorter / 250))
    font = font_of(max(10, round(shorter / 32)))
    for box, colour in reversed(list(zip(boxes, colours, strict=True))):
        # Pillow counts pixels and includes the last one; a box's edges are their corners.
        x1, y1, x2, y2 = (round(float(edge)) for edge in box)
        draw.rectangle((x1, y1, max(x1, x2 - 1), max(y1, y2 - 1)), outline=colour, width=line)
    # Captions last, so that no box crosses out another's.
    for place, caption, colour in zip(
        free_places(boxes, captions, image.size, font), captions, colours, strict=True
    ):
        if place is not None:
            draw_plate(draw, place, caption, colour, font)
    return np.array(image)


def number_boxes(
    picture: NDArray[np.uint8], boxes: BoxArray, colours: Sequence[Colour]
) -> NDArray[np.uint8]:
    """A copy of the picture with M boxes on it, each with its number from 1, in its RGB colour.

    A number stands at a corner of its box where it covers no other number, if there is such a
    corner. A single box has none.
    """
    bare = draw_boxes(picture, boxes, [""] * len(boxes), colours)
    if len(boxes) < 2:
        return bare
    image = Image.fromarray(bare)
    draw = ImageDraw.Draw(image)
    font = font_of(max(10, round(min(image.size) / 22)))
    numbers = [str(number) for number in range(1, len(boxes) + 1)]
    places = least_covering(boxes, numbers, image.size, font)
    for place, number, colour in zip(places, numbers, colours, strict=True):
        draw_plate(draw, place, number, colour, font)
    return np.array(image)


def draw_subject(
    picture: NDArray[np.uint8],
    values: NDArray[np.floating],
    *,
    threshold: float,
    colour: Colour,
) -> NDArray[np.uint8]:
    """A copy of the picture, grey and dim but for its subject, which has an outline.

    Args:
        values: H×W in [0, 1], how surely each pixel is the subject's.
        threshold: the least value within the outline.
    """
    height, width = picture.shape[:2]
    if values.shape != (height, width):
        raise ValueError(f"the map is {values.shape}, and the picture {(height, width)}")
    grey = cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY)[..., np.newaxis]
    shares = values.astype(np.float32)[..., np.newaxis]
    drawn = np.rint(shares * picture + (1 - shares) * _DIMMED * grey).astype(np.uint8)
    subject = (values >= threshold).astype(np.uint8)
    outlines, _ = cv2.findContours(subject, cv2.RETR_LIST, cv2.CHAIN_APPROX_NONE)
    line = max(1, round(min(width, height) / 250))
    cv2.drawContours(drawn, outlines, -1, colour, line)
    return drawn


def contact_sheet(
    pictures: Sequence[NDArray[np.uint8]],
    *,
    columns: int,
    cell: int | Size,
    captions: Sequence[str | Sequence[str]] | None = None,
) -> NDArray[np.uint8]:
    """All pictures, each scaled into a cell, in rows, with captions of one or more lines below.

    A line wider than its cell is cut and ends in an ellipsis.

    Args:
        cell: width and height in pixels, or the side of a square.
    """
    if captions is not None and len(captions) != len(pictures):
        raise ValueError(f"{len(pictures)} pictures, but {len(captions)} captions")
    width, height = (cell, cell) if isinstance(cell, int) else cell
    font = caption_font(width)
    texts = [[text] if isinstance(text, str) else list(text) for text in captions or []]
    line = line_height(font)
    below = line * max(map(len, texts), default=0) + 4 if captions is not None else 0
    rows = math.ceil(len(pictures) / columns)
    shape = (rows * (height + below + _GAP) + _GAP, columns * (width + _GAP) + _GAP, 3)
    sheet = np.full(shape, PAPER, np.uint8)
    places = [
        (_GAP + i % columns * (width + _GAP), _GAP + i // columns * (height + below + _GAP))
        for i in range(len(pictures))
    ]
    for picture, (x, y) in zip(pictures, places, strict=True):
        matrix = letterbox((picture.shape[1], picture.shape[0]), (width, height))
        shown = resample(picture, matrix, (width, height), fill=PAPER)
        sheet[y : y + height, x : x + width] = shown
    if captions is None:
        return sheet
    image = Image.fromarray(sheet)
    draw = ImageDraw.Draw(image)
    for lines, (x, y) in zip(texts, places, strict=True):
        for number, text in enumerate(lines):
            place = (x, y + height + 2 + number * line)
            draw.text(place, fitted(text, width, font), fill=INK, font=font)
    return np.array(image)


def caption_font(width: int) -> Font:
    """The letters below a cell of a contact sheet."""
    return font_of(max(10, width // 20))


def text_width(text: str, font: Font) -> float:
    """How many pixels wide a line is."""
    return float(font.getlength(text))


def legible(text: str, font: Font) -> str:
    r"""The text in signs that the font has: letters without accents, others as \u5199 for 写."""
    lacking = _signs("\uffff", font)

    def shown(sign: str) -> str:
        if not np.array_equal(_signs(sign, font), lacking):
            return sign
        plain = unicodedata.normalize("NFKD", sign)[0]
        return plain if plain.isascii() else ascii(sign)[1:-1]

    return "".join(sign if sign.isascii() else shown(sign) for sign in text)


def _signs(text: str, font: Font) -> NDArray[np.uint8]:
    """How a text is drawn."""
    image = Image.new("L", (64, 64))
    ImageDraw.Draw(image).text((8, 8), text, fill=255, font=font)
    return np.asarray(image)


def _rgb(hue: float, value: float) -> Colour:
    red, green, blue = colorsys.hsv_to_rgb(hue, 0.85, value)
    return round(255 * red), round(255 * green), round(255 * blue)
