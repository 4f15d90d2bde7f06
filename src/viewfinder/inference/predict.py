"""Answers for pictures that nobody has labelled."""

import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import torch

from viewfinder.console import note, track
from viewfinder.datasets.class_folders import PICTURE_SUFFIXES
from viewfinder.datasets.loading import prepare
from viewfinder.errors import InputError
from viewfinder.inference.predictor import Normalisation, outputs
from viewfinder.pictures.reading import read_header
from viewfinder.runs.run import Run
from viewfinder.tasks import classify

_BATCH = 64


def predict(run: Run, source: str | Path, *, device: torch.device) -> list[dict[str, Any]]:
    """What a run answers to a picture, a folder of pictures, or `-`: paths on standard input.

    Returns:
        for each picture `source, width, height, label, scores`; scores by class name, adding up
        to 1.

    Raises:
        InputError: no such file, no pictures, or none that can be read.
    """
    files = find_pictures(source)
    net = run.net().to(device)
    normalisation = Normalisation(run.manifest.mean, run.manifest.std)
    predictions = []
    starts = range(0, len(files), _BATCH)
    for start in track(starts, total=len(starts), description="predicting"):
        prepared = _readable(
            files[start : start + _BATCH], run.manifest.size, alone=len(files) == 1
        )
        if not prepared:
            continue
        batch = torch.stack([pixels for _, pixels in prepared])
        (answer,) = outputs(net, iter([batch]), normalisation, device)
        for (file, _), row in zip(prepared, classify.decode(answer), strict=True):
            header = read_header(file)
            scores = dict(zip(run.manifest.classes, map(float, row), strict=True))
            predictions.append(
                {
                    "source": str(file),
                    "width": header.width,
                    "height": header.height,
                    "label": max(scores, key=lambda name: scores[name]),
                    "scores": scores,
                }
            )
    if not predictions:
        raise InputError(f"not one of the {len(files)} pictures of {source} can be read")
    return predictions


def _readable(files: list[Path], size: int, *, alone: bool) -> list[tuple[Path, torch.Tensor]]:
    """The pictures that can be read, 3×size×size uint8; one that cannot is told and passed over.

    Raises:
        InputError: the only picture cannot be read.
    """
    prepared = []
    for file in files:
        try:
            # Copied, since a decoder may lend its own memory, which torch must not write to.
            prepared.append((file, torch.tensor(prepare(file, size)).permute(2, 0, 1)))
        except InputError as error:
            if alone:
                raise
            note(f"passed over: {error}")
    return prepared


def find_pictures(source: str | Path) -> list[Path]:
    """The pictures that a source names, in a fixed order.

    Raises:
        InputError: no such file or folder, or no pictures in it.
    """
    if str(source) == "-":
        # Bytes, since a file's name need not be text.
        lines = (line.rstrip(b"\r\n") for line in sys.stdin.buffer)
        files = [Path(os.fsdecode(line)) for line in lines if line.strip()]
    else:
        path = Path(source).expanduser()
        if not path.exists():
            raise InputError(f"there is no {path}: give a picture, a folder of pictures, or -")
        files = list(_walk(path)) if path.is_dir() else [path]
    if not files:
        raise InputError(f"{source} holds no pictures: they end in .jpg, .png, .webp and the like")
    return files


def _walk(folder: Path) -> Iterator[Path]:
    for place, folders, names in os.walk(folder):
        folders.sort()
        for name in sorted(names):
            if not name.startswith(".") and Path(name).suffix.lower() in PICTURE_SUFFIXES:
                yield Path(place) / name
