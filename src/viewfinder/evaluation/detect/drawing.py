"""One picture with what a detector found in it, what it should have found, and what is wrong."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from viewfinder.datasets.boxes import Boxes
from viewfinder.pictures.drawing import draw_boxes
from viewfinder.pictures.geometry import Floats, stretch, transform_boxes
from viewfinder.pictures.lettering import Colour
from viewfinder.pictures.resampling import resample
from viewfinder.tasks.detect.detections import Detections
from viewfinder.tasks.detect.measures.matching import Kind, Matching, match

# Told apart by eyes that confuse red and green too (Okabe, Ito: "Color universal design", 2008).
RIGHT: Colour = (0, 158, 115)
WRONG: Colour = (213, 94, 0)
MISSED: Colour = (20, 130, 220)
MOST_WRONG = 12
"""With more wrong boxes than this on a picture nothing of it can be seen."""
_DASH = 4  # in pixels


def draw_detections(
    picture: NDArray[np.uint8],
    detections: Detections,
    truth: Boxes,
    *,
    classes: Sequence[str],
    threshold: float,
    side: int = 800,
) -> NDArray[np.uint8]:
    """A copy of the picture with its longer side scaled to `side`, and boxes on it.

    Right detections are green, and the truths they find thin and dashed, so that one sees how well
    they fit. Wrong ones are vermilion with class and score, and what it is that they take for
    another class. Truths not found are blue, with their class if no wrong detection explains them.
    Captions cover no other, and the surest wrong detections have theirs first. Not drawn are
    wrong detections beyond the `MOST_WRONG` surest, those that are ignored, and truths that do not
    count.

    Args:
        picture: H×W×3.
        detections: in pixels of this picture.
        truth: the boxes of this picture alone, such as `boxes.select([i])`.
        threshold: only detections of a score above it are drawn.
        side: in pixels; letters are legible from 320 on.
    """
    height, width = picture.shape[:2]
    matching = match([detections], truth)
    factor = side / max(height, width)
    size = (max(1, round(factor * width)), max(1, round(factor * height)))
    matrix = stretch((width, height), size)
    canvas = resample(picture, matrix, size)
    found = transform_boxes(matrix, matching.found.boxes.astype(np.float32))
    true = transform_boxes(matrix, matching.truth.corners.astype(np.float32))
    right = (matching.kinds == Kind.RIGHT) & (matching.found.scores > threshold)
    wrong, lost = matching.false(threshold), matching.not_found(threshold)
    # First, so that a truth shows only where a detection does not fit.
    for box in true[matching.causes[right]]:
        _dashed(canvas, box)
    unexplained = matching.missed(threshold)
    surest = np.flatnonzero(wrong)[np.argsort(-matching.found.scores[wrong], kind="stable")]
    surest = surest[:MOST_WRONG]
    captions = [_caption(matching, row, classes) for row in surest.tolist()]
    names = [
        classes[matching.truth.classes[row]] if unexplained[row] else ""
        for row in np.flatnonzero(lost)
    ]
    # The first lie on top, and are named where not all can be.
    return draw_boxes(
        canvas,
        np.concatenate([found[surest], true[lost], found[right]]),
        [*captions, *names, *[""] * int(right.sum())],
        [WRONG] * len(captions) + [MISSED] * len(names) + [RIGHT] * int(right.sum()),
    )


def _caption(matching: Matching, row: int, classes: Sequence[str]) -> str:
    answer = f"{classes[matching.found.labels[row]]} {matching.found.scores[row]:.0%}"
    if matching.kinds[row] != Kind.CLASS:
        return answer
    return f"{answer}, is {classes[matching.truth.classes[matching.causes[row]]]}"


def _dashed(canvas: NDArray[np.uint8], box: Floats) -> None:
    """A line of one pixel along the inside of the box, by turns dark and light."""
    height, width = canvas.shape[:2]
    x1, y1, x2, y2 = (int(e) for e in np.clip(np.round(box), 0, (width, height, width, height)))
    if x2 > x1 and y2 > y1:
        across, down = (np.arange(n)[:, None] // _DASH % 2 * 255 for n in (x2 - x1, y2 - y1))
        canvas[y1, x1:x2] = canvas[y2 - 1, x1:x2] = across
        canvas[y1:y2, x1] = canvas[y1:y2, x2 - 1] = down
