"""Letters on pictures: plates with captions at boxes, and where they cover nothing that counts.

The font is that within Pillow, so that a drawing looks alike on every machine.
"""

import bisect
import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from PIL import ImageDraw, ImageFont

from viewfinder.pictures.geometry import BoxArray, Size, box_areas

Colour = tuple[int, int, int]
Font = ImageFont.FreeTypeFont | ImageFont.ImageFont
Place = NDArray[np.float64]
"""Where a plate stands, in pixels: x1, y1, x2, y2."""

PAPER: Colour = (255, 255, 255)
INK: Colour = (32, 32, 32)
# Plates hide no more of a picture than this share of it, and no more of another's box.
_MOST_OF_PICTURE, _MOST_OF_BOX = 0.15, 0.5


def font_of(size: int) -> Font:
    """Letters of about so many pixels."""
    return ImageFont.load_default(size)


def line_height(font: Font) -> int:
    """How many pixels apart lines stand."""
    return math.ceil(font.getbbox("Ågj|")[3]) + 2


def fitted(caption: str, width: int, font: Font) -> str:
    """The caption on one line, cut to this width."""
    caption = " ".join(caption.split())
    if font.getlength(caption) <= width:
        return caption
    too_wide = bisect.bisect_right(
        range(len(caption)), 0, key=lambda n: int(font.getlength(caption[:n] + "…") > width)
    )
    return caption[: max(0, too_wide - 1)] + "…"


def draw_plate(
    draw: ImageDraw.ImageDraw, place: Place, caption: str, colour: Colour, font: Font
) -> None:
    """Write a caption on a plate of a colour, cut to the plate's width."""
    x1, y1, x2, y2 = (round(edge) for edge in place.tolist())
    draw.rectangle((x1, y1, x2 - 1, y2 - 1), fill=colour)
    # Dark letters on light colours, light ones on dark: luminance after ITU-R BT.601.
    bright = 0.299 * colour[0] + 0.587 * colour[1] + 0.114 * colour[2] > 140
    text = fitted(caption, x2 - x1 - 4, font)
    draw.text((x1 + 2, y1), text, fill=INK if bright else PAPER, font=font)


def free_places(
    boxes: BoxArray, captions: Sequence[str], size: Size, font: Font
) -> list[Place | None]:
    """Where each caption stands: at its box, over no caption before it, and if that can be without
    hiding another box; None of those without text, and of those without such a place.

    Together they cover a small share of the picture at most, but for the first.

    Args:
        size: the picture's width and height.
    """
    left = _MOST_OF_PICTURE * size[0] * size[1]
    taken: list[Place] = []
    places: list[Place | None] = []
    areas = np.maximum(1.0, box_areas(boxes))
    for number, (box, caption) in enumerate(zip(boxes, captions, strict=True)):
        places.append(None)
        if not caption:
            continue
        corners = _corners(box, caption, size, font)
        corners = corners[_shared(corners, taken).sum(axis=1) == 0]
        if not len(corners) or (taken and box_areas(corners[:1])[0] > left):
            continue
        hides = _shared(corners, boxes) / areas > _MOST_OF_BOX
        hides[:, number] = False
        taken.append(corners[np.argmin(hides.any(axis=1))])
        places[-1] = taken[-1]
        left -= float(box_areas(corners[:1])[0])
    return places


def least_covering(boxes: BoxArray, captions: Sequence[str], size: Size, font: Font) -> list[Place]:
    """Where each caption stands: at its box, where it covers least of those before it."""
    taken: list[Place] = []
    for box, caption in zip(boxes, captions, strict=True):
        corners = _corners(box, caption, size, font)
        taken.append(corners[np.argmin(_shared(corners, taken).sum(axis=1))])
    return taken


def _corners(box: NDArray[np.floating], caption: str, size: Size, font: Font) -> Place:
    """The places of a plate at its box, K×4, the best first: above it, within it at its upper edge,
    below it, within it at its lower edge, each at the left, the right and the middle."""
    width = min(size[0], math.ceil(font.getlength(fitted(caption, size[0] - 4, font))) + 4)
    height = min(size[1], line_height(font))
    x1, y1, x2, y2 = np.round(box.astype(np.float64)).tolist()
    across = np.array([x1, x2 - width, round((x1 + x2 - width) / 2)])
    # Above the picture is none: there the plate stands within its box.
    down = np.array([y for y in (y1 - height, y1, y2, y2 - height) if y >= 0] or [0.0])
    x = np.clip(np.tile(across, len(down)), 0, size[0] - width)
    y = np.clip(np.repeat(down, len(across)), 0, size[1] - height)
    return np.stack([x, y, x + width, y + height], axis=1)


def _shared(some: BoxArray, others: BoxArray | Sequence[Place]) -> NDArray[np.float64]:
    """How many pixels each of K rectangles shares with each of M, K×M."""
    beside = np.asarray(others, np.float64).reshape(1, -1, 4)
    low = np.maximum(some[:, None, :2], beside[..., :2])
    high = np.minimum(some[:, None, 2:], beside[..., 2:])
    return np.asarray(np.clip(high - low, 0, None).prod(axis=2), np.float64)
