"""Answers for pictures that nobody has labelled."""

import os
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import torch
from numpy.typing import NDArray
from torch import Tensor

from viewfinder.console import note, track
from viewfinder.errors import InputError
from viewfinder.pictures.geometry import Size
from viewfinder.pictures.kinds import Source, source_of, sources_below
from viewfinder.pictures.video import probe_video, read_video
from viewfinder.runs.run import Run
from viewfinder.tasks import find
from viewfinder.tasks.answering import picture_files

# On a CPU the maps of more pictures than this leave the caches, and each takes longer.
_BATCH = 16


@dataclass(frozen=True)
class Prepared:
    """A picture ready for a net.

    Attributes:
        size: width and height of the picture itself.
        frame: its number in a video, from 0.
        pixels: as the net is given it: 3×H×W uint8 or float32 in [0, 1], 1×H×W float32 of depth.
    """

    source: str
    size: Size
    pixels: Tensor
    frame: int | None = None


def predict(
    run: Run, source: str | Path, *, device: torch.device, threshold: float | None = None
) -> list[dict[str, Any]]:
    """What a run answers to a picture, a video, a folder of them, or `-`: paths on stdin.

    Args:
        threshold: the least score that is answered; None leaves it to the task.

    Returns:
        for each picture, or frame, `source, width, height`, `frame` in a video, and what the run's
        task answers: for classify `label, scores`, scores by class name that add up to 1; for
        detect `boxes`, each with `class, score, x1, y1, x2, y2` in the picture's pixels; for
        saliency `mask`, the subject's `box, share, mean` at a `threshold`, and `map`, the
        `SubjectMap` itself, which is no JSON.

    Raises:
        InputError: no such file, no pictures, or none that can be read.
    """
    task, setting = find(run.manifest.task), run.setting()
    sources = find_sources(source, below=lambda folder: task.files(folder, setting))
    total: int | None = len(sources)
    if any(each.kind == "video" for each in sources):
        total = probe_video(sources[0].file).frames if len(sources) == 1 else None
    failed: list[str] = []
    pictures = _prepared(sources, run, failed)
    predictions = list(answered(run, pictures, total, device=device, threshold=threshold))
    if not predictions:
        raise InputError(
            f"not one of the {len(sources)} files of {source} can be read, "
            f"the first since {failed[0]}"
        )
    return predictions


def answered(
    run: Run,
    pictures: Iterator[Prepared],
    total: int | None,
    *,
    device: torch.device,
    threshold: float | None = None,
) -> Iterator[dict[str, Any]]:
    """What a run answers to prepared pictures, batch by batch, as they come."""
    task, setting, net = find(run.manifest.task), run.setting(), run.net().to(device)
    waiting: list[Prepared] = []

    def answer() -> Iterator[dict[str, Any]]:
        batch = torch.stack([each.pixels for each in waiting])
        for each, reply in zip(waiting, task.reply(net, batch, setting, device), strict=True):
            about = {"source": each.source, "width": each.size[0], "height": each.size[1]}
            about |= {} if each.frame is None else {"frame": each.frame}
            yield about | task.describe(reply, setting, of=each.size, threshold=threshold)
        waiting.clear()

    for each in track(pictures, total=total, description="predicting"):
        waiting.append(each)
        if len(waiting) == _BATCH:
            yield from answer()
    if waiting:
        yield from answer()


def prepare(run: Run, picture: NDArray[Any], size: Size, source: str) -> Prepared:
    """A picture as the run's net takes it.

    Args:
        picture: may have been decoded smaller than the picture's own `size`.
    """
    pixels = find(run.manifest.task).prepare(picture, run.setting(), of=size)
    # Copied, since a decoder may lend its own memory, which torch must not write to.
    return Prepared(source, size, torch.tensor(pixels).permute(2, 0, 1))


def prepare_file(run: Run, file: Path) -> Prepared:
    """A picture's file as the run's net takes it.

    Raises:
        InputError: it cannot be read.
    """
    picture, size = find(run.manifest.task).read(file, run.setting())
    return prepare(run, picture, size, str(file))


def _prepared(sources: Sequence[Source], run: Run, failed: list[str]) -> Iterator[Prepared]:
    """The pictures, and frames of videos, that can be read; what cannot is told and passed over.

    Args:
        failed: gets the sentence about each that cannot be read.

    Raises:
        InputError: the only source cannot be read.
    """
    for file, kind in sources:
        try:
            if kind == "video":
                yield from _frames(file, run)
            else:
                yield prepare_file(run, file)
        except InputError as error:
            if len(sources) == 1:
                raise
            failed.append(str(error))
            note(f"passed over: {error}")


def _frames(video: Path, run: Run) -> Iterator[Prepared]:
    """A video's frames; of a damaged one those that can be read, which is told."""
    for frame in read_video(video):
        height, width = frame.picture.shape[:2]
        prepared = prepare(run, frame.picture, (width, height), str(video))
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
