"""Predictions, drawn on copies of their pictures."""

from collections.abc import Iterator, Sequence
from itertools import groupby
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from viewfinder.files import new_folder
from viewfinder.inference.cutting import write_subject
from viewfinder.pictures.drawing import (
    contact_sheet,
    distinct_colours,
    draw_boxes,
    draw_subject,
)
from viewfinder.pictures.reading import read_picture
from viewfinder.pictures.video import probe_video, read_video, write_video
from viewfinder.pictures.writing import write_picture

# Sides in pixels that a caption is legible beside and a screen can show.
_SMALLEST, _LARGEST = 160, 1200


def draw_predictions(
    predictions: Sequence[dict[str, Any]], out: Path, *, classes: Sequence[str], bits: int = 16
) -> list[dict[str, Any]]:
    """Write each picture, or video, with its answers on it into the new folder `out`, numbered.

    Of a picture whose subject was sought, its map and a cut-out are written too.

    Args:
        bits: how many the values of 16-bit pictures fill, as the run has them.

    Returns:
        the predictions, and in the `mask` of such a picture the `files`: `map`, `overlay`,
        `cutout`.

    Raises:
        InputError: `out` exists and is not empty, or cannot be written.
    """
    sources = [list(group) for _, group in groupby(predictions, key=lambda each: each["source"])]
    digits = len(str(len(sources)))
    drawn: list[dict[str, Any]] = []
    with new_folder(out) as folder:
        for number, group in enumerate(sources, start=1):
            source = Path(group[0]["source"])
            # A name may be as long as the disk allows already; the number tells them apart.
            name = f"{number:0{digits}}-{source.stem[:50]}"
            if "frame" in group[0]:
                rate = probe_video(source).rate
                write_video(folder / f"{name}.mp4", _drawn(source, group, classes), rate=rate)
                drawn += group
                continue
            picture = read_picture(source, bits=bits)
            overlay = draw(picture, group[0], classes=classes)
            if "map" in group[0]:
                values = group[0]["map"].at_own_size()
                names = write_subject(folder, name, picture, values, overlay=overlay)
                files = {kind: str(out / file) for kind, file in names.items()}
                drawn += [each | {"mask": each["mask"] | {"files": files}} for each in group]
            else:
                write_picture(folder / f"{name}.jpg", overlay)
                drawn += group
    return drawn


def draw(
    picture: NDArray[np.uint8], prediction: dict[str, Any], *, classes: Sequence[str]
) -> NDArray[np.uint8]:
    """A picture with its answer on it: boxes in their places, its subject, or a class below.

    Args:
        classes: in the order that colours are given to them.
    """
    if "boxes" in prediction:
        return _with_boxes(picture, prediction["boxes"], classes)
    if "map" in prediction:
        return draw_subject(
            picture,
            prediction["map"].at_own_size(),
            threshold=prediction["mask"]["threshold"],
            colour=distinct_colours(len(classes))[-1],
        )
    label = prediction["label"]
    caption = f"{label} {prediction['scores'][label]:.0%}"
    side = min(_LARGEST, max(_SMALLEST, *picture.shape[:2]))
    return contact_sheet([picture], columns=1, cell=side, captions=[caption])


def _with_boxes(
    picture: NDArray[np.uint8], boxes: Sequence[dict[str, Any]], classes: Sequence[str]
) -> NDArray[np.uint8]:
    colours = dict(zip(classes, distinct_colours(len(classes)), strict=True))
    corners = [[box[edge] for edge in ("x1", "y1", "x2", "y2")] for box in boxes]
    return draw_boxes(
        picture,
        np.array(corners, np.float32).reshape(-1, 4),
        [f"{box['class']} {box['score']:.0%}" for box in boxes],
        [colours[box["class"]] for box in boxes],
    )


def _drawn(
    source: Path, predictions: Sequence[dict[str, Any]], classes: Sequence[str]
) -> Iterator[NDArray[np.uint8]]:
    """A video's frames with their answers on them, as far as there are answers."""
    for frame, prediction in zip(read_video(source), predictions, strict=False):
        yield draw(frame.picture, prediction, classes=classes)
