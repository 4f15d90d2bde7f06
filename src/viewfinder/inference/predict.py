"""Answers for pictures that nobody has labelled."""

import os
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import torch

from viewfinder.errors import InputError
from viewfinder.events import note
from viewfinder.inference.answers import Answer, Familiar, Predictor, Prepared
from viewfinder.pictures.kinds import Source, source_of, sources_below
from viewfinder.pictures.opening import is_moving_webp
from viewfinder.pictures.video import probe_video, read_video
from viewfinder.tasks.answering import picture_files
from viewfinder.tasks.model import Model, Threshold
from viewfinder.wording import some


def predict(
    model: Model,
    source: str | Path | Sequence[str | Path],
    *,
    device: torch.device,
    threshold: Threshold | None = None,
    familiar: Familiar | None = None,
) -> Iterator[Answer]:
    """What a model answers to a picture, a video, a folder of them, several of these, or `-`: paths
    on stdin.

    Answers come as they are made: what is read ahead of them is a batch or two.

    Args:
        threshold: the least score that is answered, of each class if several; None leaves it to
            the task.
        familiar: measures how far each picture lies from what was learnt.

    Raises:
        InputError: no such file, no pictures, or none that can be read.
    """
    predictor = Predictor(model, device=device, threshold=threshold, familiar=familiar)
    named = several(source)
    sources = [found for each in named for found in find_sources(each, below=predictor.files)]
    total: int | None = len(sources)
    if any(each.kind == "video" for each in sources):
        total = probe_video(sources[0].file).frames if len(sources) == 1 else None
    failed: list[str] = []
    answered = False
    for answer in predictor.answers(_prepared(sources, predictor, failed), total):
        answered = True
        yield answer
    if not answered:
        raise InputError(
            f"not one of the {len(sources)} files of {some(list(map(str, named)))} can be read, "
            f"the first since {failed[0]}"
        )


def _prepared(
    sources: Sequence[Source], predictor: Predictor, failed: list[str]
) -> Iterator[Prepared]:
    """The pictures, and frames of videos, that can be read; what cannot is reported and left out.

    Args:
        failed: gets the sentence about each that cannot be read.

    Raises:
        InputError: the only source cannot be read.
    """
    for file, kind in sources:
        try:
            if kind == "video":
                yield from _frames(file, predictor)
            else:
                if is_moving_webp(file):
                    note(
                        f"{file} is an animated WebP, of which the first picture alone is "
                        "answered: convert it to GIF, APNG or MP4 for all of them"
                    )
                yield predictor.prepare_file(file)
        except InputError as error:
            if len(sources) == 1:
                raise
            failed.append(str(error))
            note(f"passed over: {error}")


def _frames(video: Path, predictor: Predictor) -> Iterator[Prepared]:
    """A video's frames; of a damaged one those that can be read, which is reported."""
    for frame in read_video(video):
        height, width = frame.picture.shape[:2]
        prepared = predictor.prepare(frame.picture, (width, height), str(video))
        yield replace(prepared, frame=frame.index)


def several(source: str | Path | Sequence[str | Path]) -> Sequence[str | Path]:
    """One source or several, as several."""
    return [source] if isinstance(source, str | Path) else source


def find_sources(
    source: str | Path, *, below: Callable[[Path], list[Path]] = picture_files
) -> list[Source]:
    """The pictures and videos that a source names, in a fixed order.

    Args:
        below: finds the files of a folder by their names; where it is not pictures that are
            sought, those are all.

    Raises:
        InputError: no such file or folder, or nothing in it that can be answered.
    """
    if str(source) == "-":
        # Bytes, since a file's name need not be text.
        lines = (line.rstrip(b"\r\n") for line in sys.stdin.buffer)
        files = [Path(os.fsdecode(line)) for line in lines if line.strip()]
        found = [_named(file) for file in files]
        if not found:
            raise InputError("standard input names no picture: give it a path a line")
    else:
        path = Path(source).expanduser()
        if not path.exists():
            raise InputError(f"there is no {path}: give a picture, a folder of pictures, or -")
        found = _inside(path, below) if path.is_dir() else [source_of(path)]
    if not found:
        raise InputError(f"{source} holds no pictures: they end in .jpg, .png, .webp and the like")
    return found


def _inside(folder: Path, below: Callable[[Path], list[Path]]) -> list[Source]:
    files = below(folder)
    if files == picture_files(folder):
        return list(sources_below(folder))
    return [Source(file, "picture") for file in files]


def _named(file: Path) -> Source:
    try:
        return source_of(file)
    except InputError:
        return Source(file, "picture")  # what is wrong is reported when it is read


def find_pictures(source: str | Path) -> list[Path]:
    """The pictures that a source names, in a fixed order.

    Raises:
        InputError: no such file or folder, or no pictures in it.
    """
    files = [each.file for each in find_sources(source) if each.kind == "picture"]
    if not files:
        raise InputError(f"{source} holds no pictures, only videos: take frames of them first")
    return files
