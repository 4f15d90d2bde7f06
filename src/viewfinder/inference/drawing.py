"""Answers, drawn on copies of their pictures."""

import os
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import groupby
from pathlib import Path, PurePosixPath

import numpy as np
from numpy.typing import NDArray

from viewfinder.datasets.decoded import ahead, side_by_side
from viewfinder.datasets.depth import DepthScale
from viewfinder.datasets.formats.rgbd.stored import stored_depth
from viewfinder.files import new_folder
from viewfinder.inference.answers import Answer
from viewfinder.inference.cutting import CUTOUTS, write_subject
from viewfinder.pictures.arrays import is_array
from viewfinder.pictures.drawing import as_grey
from viewfinder.pictures.finding import folded
from viewfinder.pictures.geometry import Size, letterbox, resample
from viewfinder.pictures.reading import read_picture
from viewfinder.pictures.video import Frame, probe_video, read_video, write_video
from viewfinder.pictures.writing import write_picture
from viewfinder.tasks.saliency.maps import Subject


def draw_answers(
    answers: Sequence[Answer], out: Path, *, classes: Sequence[str], bits: int = 16
) -> list[Answer]:
    """Write each picture, or video, with its answers on it into the new folder `out`, numbered.

    Of a picture whose subject was sought, its map and a cut-out are written too, all under the
    picture's own name and in folders like its own.

    Args:
        bits: how many the values of 16-bit pictures fill, as the model has them.

    Returns:
        the answers, those with a subject with its `files`.

    Raises:
        InputError: `out` exists and is not empty, or cannot be written.
    """
    groups = [list(group) for _, group in groupby(answers, key=lambda each: each.source)]
    digits = len(str(len(groups)))
    own_names = _own_names([g[0].source for g in groups if isinstance(g[0].value, Subject)])
    with new_folder(out) as folder:

        def draw(number: int) -> list[Answer]:
            group = groups[number]
            source, first = Path(group[0].source), group[0].value
            # A name may be as long as the disk allows already; the number tells them apart.
            name = f"{number + 1:0{digits}}-{source.stem[:50]}"
            if group[0].frame is not None:
                rate = probe_video(source).rate
                # The next frame is read and drawn while this one is encoded.
                frames = ahead(_drawn(source, group, classes))
                write_video(folder / f"{name}.mp4", frames, rate=rate)
                return group
            picture = picture_of(source, bits)
            overlay = first.drawn_on(picture, classes)
            if not isinstance(first, Subject):
                write_picture(folder / f"{name}.jpg", overlay)
                return group
            own, values = own_names[group[0].source], first.map.at_own_size()
            names = write_subject(folder, own, picture, values, overlay=overlay)
            files = {kind: str(out / file) for kind, file in names.items()}
            return [replace(each, value=replace(first, files=files)) for each in group]

        return [each for group in side_by_side(draw, len(groups)) for each in group]


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
    return as_grey(DepthScale(near_is_bright=True).apply(stored_depth(source)))


def _drawn(source: Path, answers: Sequence[Answer], classes: Sequence[str]) -> Iterator[Frame]:
    """A video's frames with their answers on them, as far as there are answers.

    Where frames change their size, later ones are fitted into the first one's.
    """
    # What is damaged has been told as they were predicted.
    frames = read_video(source, tell=lambda _: None, remark=lambda _: None)
    size: Size | None = None
    for frame, answer in zip(frames, answers, strict=False):
        picture = answer.value.drawn_on(frame.picture, classes)
        own = (picture.shape[1], picture.shape[0])
        size = size or own
        if own != size:
            picture = resample(picture, letterbox(own, size), size)
        yield replace(frame, picture=picture)
