"""Predictions, drawn on copies of their pictures."""

import os
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import groupby
from pathlib import Path, PurePosixPath
from typing import Any

import numpy as np
from numpy.typing import NDArray

from viewfinder.datasets.depth import DepthScale
from viewfinder.datasets.formats.rgbd.stored import stored_depth
from viewfinder.files import new_folder
from viewfinder.inference.cutting import CUTOUTS, write_subject
from viewfinder.pictures.arrays import is_array
from viewfinder.pictures.drawing import (
    contact_sheet,
    distinct_colours,
    draw_boxes,
    draw_subject,
)
from viewfinder.pictures.finding import folded
from viewfinder.pictures.geometry import Size, letterbox, resample
from viewfinder.pictures.reading import read_picture
from viewfinder.pictures.video import Frame, probe_video, read_video, write_video
from viewfinder.pictures.writing import write_picture

# Sides in pixels that a caption is legible beside and a screen can show.
_SMALLEST, _LARGEST = 160, 1200


def draw_predictions(
    predictions: Sequence[dict[str, Any]], out: Path, *, classes: Sequence[str], bits: int = 16
) -> list[dict[str, Any]]:
    """Write each picture, or video, with its answers on it into the new folder `out`, numbered.

    Of a picture whose subject was sought, its map and a cut-out are written too, all under the
    picture's own name and in folders like its own.

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
    own_names = _own_names([group[0]["source"] for group in sources if "map" in group[0]])
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
            picture = picture_of(source, bits)
            overlay = draw(picture, group[0], classes=classes)
            if "map" in group[0]:
                values = group[0]["map"].at_own_size()
                own = own_names[group[0]["source"]]
                names = write_subject(folder, own, picture, values, overlay=overlay)
                files = {kind: str(out / file) for kind, file in names.items()}
                drawn += [each | {"mask": each["mask"] | {"files": files}} for each in group]
            else:
                write_picture(folder / f"{name}.jpg", overlay)
                drawn += group
    return drawn


def _own_names(sources: Sequence[str]) -> dict[str, str]:
    """Each file's name without its ending, and the folders that not all of the files are in.

    Of files that differ in nothing else, as `1.jpg` and `1.png`, the ending stays.
    """
    places = {source: Path(source).absolute() for source in sources}
    shared = os.path.commonpath([place.parent for place in places.values()]) if places else ""
    whole = {source: place.relative_to(shared).as_posix() for source, place in places.items()}
    names = {source: PurePosixPath(name).with_suffix("") for source, name in whole.items()}
    count = Counter(folded(str(name)) for name in names.values())
    # A picture's map must not fall on another's cut-out.
    count.update(folded(f"{CUTOUTS}/{name}") for name in names.values())
    alone = {source: count[folded(str(name))] == 1 for source, name in names.items()}
    return {source: str(names[source]) if alone[source] else whole[source] for source in sources}


def picture_of(source: Path, bits: int) -> NDArray[np.uint8]:
    """A picture; of a grid of numbers, such as depth, a grey one from its least to its greatest."""
    if not is_array(source):
        return read_picture(source, bits=bits)
    grey = np.rint(DepthScale(near_is_bright=True).apply(stored_depth(source)) * 255)
    return np.repeat(grey.astype(np.uint8)[..., None], 3, axis=2)


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
) -> Iterator[Frame]:
    """A video's frames with their answers on them, as far as there are answers.

    Where frames change their size, later ones are fitted into the first one's.
    """
    # What is damaged has been told as they were predicted.
    frames = read_video(source, tell=lambda _: None, remark=lambda _: None)
    size: Size | None = None
    for frame, prediction in zip(frames, predictions, strict=False):
        picture = draw(frame.picture, prediction, classes=classes)
        own = (picture.shape[1], picture.shape[0])
        size = size or own
        if own != size:
            picture = resample(picture, letterbox(own, size), size)
        yield replace(frame, picture=picture)
