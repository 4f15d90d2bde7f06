"""Answers, drawn on copies of their pictures."""

import os
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextvars import copy_context
from dataclasses import dataclass, replace
from functools import partial
from itertools import chain, groupby
from pathlib import Path, PurePosixPath
from queue import SimpleQueue

import numpy as np
from numpy.typing import NDArray

from viewfinder.cpu import cpu_features
from viewfinder.datasets.decoded import ahead
from viewfinder.datasets.depth import DepthScale
from viewfinder.datasets.formats.rgbd.stored import stored_depth
from viewfinder.files import new_folder
from viewfinder.inference.answers import Answer
from viewfinder.inference.cutting import CUTOUTS, write_subject
from viewfinder.pictures.arrays import is_array
from viewfinder.pictures.drawing import as_grey
from viewfinder.pictures.finding import folded
from viewfinder.pictures.geometry import Size, letterbox
from viewfinder.pictures.reading import read_picture
from viewfinder.pictures.resampling import resample
from viewfinder.pictures.video import Frame, probe_video, read_video
from viewfinder.pictures.video_writing import write_video
from viewfinder.pictures.writing import write_picture
from viewfinder.tasks.saliency.maps import Subject

# Frames that are drawn before they are written.
_FRAMES = 2
# Where answers lie until it is known what all their pictures are called.
_UNNAMED = ".writing-unnamed"
# Bytes of a name, its ending included, that any disk takes.
_LONGEST = 255


def draw_answers(
    answers: Iterable[Answer], out: Path, *, classes: Sequence[str], bits: int = 16
) -> list[Answer]:
    """Write each picture, or video, with its answers on it into the new folder `out`, under its own
    name and in folders like its own.

    While the next answers are made, pictures are drawn, several at a time, and frames of videos are
    read again, drawn and encoded, each in a thread of its own. Of a picture whose subject was
    sought, its map and a cut-out are written too, when all are answered.

    Args:
        answers: may be made as they are asked for; those of one picture or video in a row.
        bits: how many the values of 16-bit pictures fill, as the model has them.

    Returns:
        the answers, those with a subject with its `files`.

    Raises:
        InputError: `out` exists and is not empty, or cannot be written.
    """
    with new_folder(out) as folder:
        (folder / _UNNAMED).mkdir()
        drawing = _Drawing(folder, tuple(classes), bits)
        groups = _drawn_as_made(drawing, answers)
        own = _own_names([group[0].source for group in groups])
        for number, group in enumerate(groups, 1):
            for file in (folder / _UNNAMED).glob(f"{number}.*"):
                drawn = folder / _with_ending(own[group[0].source], file.suffix)
                drawn.parent.mkdir(parents=True, exist_ok=True)
                file.rename(drawn)
        (folder / _UNNAMED).rmdir()
        with ThreadPoolExecutor(cpu_features().threads) as pool:
            subject = partial(_subjects_drawn, drawing, own, out)
            return [each for group in pool.map(subject, groups) for each in group]


def _drawn_as_made(drawing: "_Drawing", answers: Iterable[Answer]) -> list[list[Answer]]:
    """The answers, a group each picture or video; all but subjects are drawn by then.

    They are made in this thread: a net's large maps, made in another, come from memory that glibc
    does not keep.
    """
    groups: list[list[Answer]] = []
    with ThreadPoolExecutor(cpu_features().threads) as pool:
        coming = []
        try:
            for source, group in groupby(answers, key=lambda each: each.source):
                left = iter(group)
                first = next(left)
                number, rest = len(groups) + 1, chain([first], left)
                if first.frame is not None:
                    passed: SimpleQueue[Answer | None] = SimpleQueue()
                    given = iter(passed.get, None)
                    work = partial(drawing.video, number, Path(source), given)
                    coming.append(pool.submit(copy_context().run, work))
                    groups.append(_passed_on(rest, passed, coming[-1]))
                    continue
                groups.append(list(rest))
                if not isinstance(first.value, Subject):
                    work = partial(drawing.picture, number, first)
                    coming.append(pool.submit(copy_context().run, work))
            for each in coming:
                each.result()
        except BaseException:
            pool.shutdown(cancel_futures=True)
            raise
    return groups


def _passed_on(
    answers: Iterable[Answer], passed: "SimpleQueue[Answer | None]", drawn: "Future[None]"
) -> list[Answer]:
    """A video's answers, each passed on to whoever draws it as soon as it is made."""
    found = []
    try:
        for each in answers:
            if drawn.done():
                drawn.result()  # It cannot be written.
            found.append(each)
            passed.put(each)
    finally:
        passed.put(None)
    return found


@dataclass(frozen=True)
class _Drawing:
    """Where answers are drawn, and how."""

    folder: Path
    classes: tuple[str, ...]
    bits: int

    def picture(self, number: int, answer: Answer) -> None:
        """Draw a picture's answer."""
        source = Path(answer.source)
        overlay = answer.value.drawn_on(picture_of(source, self.bits), self.classes)
        write_picture(self.folder / _UNNAMED / f"{number}.jpg", overlay)

    def video(self, number: int, source: Path, answers: Iterable[Answer]) -> None:
        """Draw a video's answers as they come: a frame is read and drawn as others are encoded."""
        frames = ahead(_drawn(source, answers, self.classes), depth=_FRAMES)
        file = self.folder / _UNNAMED / f"{number}.mp4"
        write_video(file, frames, rate=probe_video(source).rate)


def _with_ending(own: str, ending: str) -> str:
    """An own name with an ending, cut where it is as long as the disk allows already."""
    place = PurePosixPath(own)
    whole = f"{place.name}{ending}"
    if len(os.fsencode(whole)) > _LONGEST:
        room = _LONGEST - len(os.fsencode(ending))
        whole = os.fsencode(place.name)[:room].decode("utf-8", "ignore") + ending
    return str(place.with_name(whole))


def _subjects_drawn(
    drawing: _Drawing, own_names: Mapping[str, str], out: Path, group: list[Answer]
) -> list[Answer]:
    """A picture's answers with the files of its subject; others as they are."""
    first = group[0]
    value = first.value
    if not isinstance(value, Subject) or first.frame is not None:
        return group
    picture = picture_of(Path(first.source), drawing.bits)
    overlay = value.drawn_on(picture, drawing.classes)
    own, values = own_names[first.source], value.map.at_own_size()
    names = write_subject(drawing.folder, own, picture, values, overlay=overlay)
    files = {kind: str(out / file) for kind, file in names.items()}
    return [replace(each, value=replace(value, files=files)) for each in group]


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


def _drawn(source: Path, answers: Iterable[Answer], classes: Sequence[str]) -> Iterator[Frame]:
    """A video's frames with their answers on them, as far as there are answers.

    Where frames change their size, later ones are fitted into the first one's.
    """
    # What is damaged has been reported as they were predicted.
    frames = read_video(source, tell=lambda _: None, remark=lambda _: None)
    size: Size | None = None
    for frame, answer in zip(frames, answers, strict=False):
        picture = answer.value.drawn_on(frame.picture, classes)
        own = (picture.shape[1], picture.shape[0])
        size = size or own
        if own != size:
            picture = resample(picture, letterbox(own, size), size)
        yield replace(frame, picture=picture)
