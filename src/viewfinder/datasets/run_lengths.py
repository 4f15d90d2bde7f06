"""Where COCO's run lengths lie: the extents of a mask that is stored as the lengths of its runs."""

from typing import Any

import numpy as np


def extent_of_runs(outline: dict[str, Any]) -> list[float] | None:
    """`x, y, width, height` of a mask, or None where it shows nothing or is none.

    Args:
        outline: `size`, height and width; `counts`, pixels in turn outside of and in the object,
            column by column, as numbers or as COCO's text of them.
    """
    height, width = (int(side) for side in outline["size"])
    counts = outline["counts"]
    runs = np.array(numbers_of(counts) if isinstance(counts, str) else counts, np.int64)
    whole = height * width
    # Each within the picture first, so that no sum can overflow.
    if not whole or not len(runs) or (runs < 0).any() or (runs > whole).any():
        return None
    if runs.sum() > whole:
        return None
    ends = np.cumsum(runs)
    inside = np.zeros(len(runs), np.bool_)
    inside[1::2] = runs[1::2] > 0
    if not inside.any():
        return None
    first, last = (ends - runs)[inside], ends[inside] - 1
    columns = first // height, last // height
    # A run over a column's end holds its last row, and the first row of the next.
    whole = columns[0] != columns[1]
    top = np.where(whole, 0, first % height).min()
    bottom = np.where(whole, height - 1, last % height).max()
    left, right = columns[0].min(), columns[1].max()
    return [float(left), float(top), float(right - left + 1), float(bottom - top + 1)]


def numbers_of(text: str | bytes) -> list[int]:
    """The run lengths that COCO's text holds; none of a text that is damaged.

    A number is written in signs of five bits, the lowest first, from the sign `0` on; the sixth bit
    says that more follow, and the highest one read is the sign. From the fourth number on each is
    the difference from that before the last. See `rleToString` in pycocotools' maskApi.c.
    """
    numbers: list[int] = []
    value = shift = 0
    for sign in text.encode("utf-8", "replace") if isinstance(text, str) else text:
        bits = sign - 48
        if not 0 <= bits < 64 or shift > 55:
            return []
        value |= (bits & 31) << shift
        shift += 5
        if bits & 32:
            continue
        if bits & 16:
            value -= 1 << shift
        numbers.append(value + (numbers[-2] if len(numbers) > 2 else 0))
        value = shift = 0
    return [] if shift else numbers
