"""Answers for pictures that nobody has labelled."""

import os
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch

from viewfinder.errors import InputError
from viewfinder.events import note
from viewfinder.inference.answers import Model, Prepared
from viewfinder.pictures.kinds import Source, source_of, sources_below
from viewfinder.pictures.opening import is_moving_webp
from viewfinder.pictures.video import probe_video, read_video
from viewfinder.runs.run import Run
from viewfinder.tasks.answering import picture_files
from viewfinder.tasks.task import Threshold


def predict(
    run: Run, source: str | Path, *, device: torch.device, threshold: Threshold | None = None
) -> list[dict[str, Any]]:
    """What a run answers to a picture, a video, a folder of them, or `-`: paths on stdin.

    Args:
        threshold: the least score that is answered, of each class if several; None leaves it to
            the task.

    Returns:
        for each picture, or frame, `source, width, height`, `frame` in a video, and what the run's
        task answers: for classify `label, scores`, scores by class name that add up to 1; for
        detect `boxes`, each with `class, score, x1, y1, x2, y2` in the picture's pixels; for
        saliency `mask`, the subject's `box, share, mean` at a `threshold`, and `map`, the
        `SubjectMap` itself, which is no JSON.

    Raises:
        InputError: no such file, no pictures, or none that can be read.
    """
    model = Model.of(run)
    sources = find_sources(source, below=lambda folder: model.task.files(folder, model.setting))
    total: int | None = len(sources)
    if any(each.kind == "video" for each in sources):
        total = probe_video(sources[0].file).frames if len(sources) == 1 else None
    failed: list[str] = []
    pictures = _prepared(sources, model, failed)
    answers = list(model.answers(pictures, total, device=device, threshold=threshold))
    if not answers:
        raise InputError(
            f"not one of the {len(sources)} files of {source} can be read, "
            f"the first since {failed[0]}"
        )
    return [answer.as_json(run.manifest.classes) for answer in answers]


def _prepared(sources: Sequence[Source], model: Model, failed: list[str]) -> Iterator[Prepared]:
    """The pictures, and frames of videos, that can be read; what cannot is told and passed over.

    Args:
        failed: gets the sentence about each that cannot be read.

    Raises:
        InputError: the only source cannot be read.
    """
    for file, kind in sources:
        try:
            if kind == "video":
                yield from _frames(file, model)
            else:
                if is_moving_webp(file):
                    note(
                        f"{file} is an animated WebP, of which the first picture alone is "
                        "answered: convert it to GIF, APNG or MP4 for all of them"
                    )
                yield model.prepare_file(file)
        except InputError as error:
            if len(sources) == 1:
                raise
            failed.append(str(error))
            note(f"passed over: {error}")


def _frames(video: Path, model: Model) -> Iterator[Prepared]:
    """A video's frames; of a damaged one those that can be read, which is told."""
    for frame in read_video(video):
        height, width = frame.picture.shape[:2]
        prepared = model.prepare(frame.picture, (width, height), str(video))
        yield replace(prepared, frame=frame.index)


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
        return Source(file, "picture")  # what is wrong is told when it is read


def find_pictures(source: str | Path) -> list[Path]:
    """The pictures that a source names, in a fixed order.

    Raises:
        InputError: no such file or folder, or no pictures in it.
    """
    files = [each.file for each in find_sources(source) if each.kind == "picture"]
    if not files:
        raise InputError(f"{source} holds no pictures, only videos: take frames of them first")
    return files
