"""The training pictures, or the objects in them, that a net takes for most like one."""

import contextlib
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
import torch
from numpy.typing import NDArray

from viewfinder.datasets.digests import of_files, short
from viewfinder.errors import InputError
from viewfinder.features.own import Watched, watching
from viewfinder.inference.answers import Predictor
from viewfinder.inference.learnt.gathering import gather
from viewfinder.inference.learnt.kept import LearntPictures, keep_learnt, read_learnt
from viewfinder.pictures.reading import read_header, read_mask, read_picture
from viewfinder.pictures.resampling import at_side
from viewfinder.runs.run import RunFolder
from viewfinder.tasks.answering import outputs
from viewfinder.tasks.question import Corners

SHOWN = 5
"""Neighbours that are reported."""
# What is shown of a picture around an object, in its sides; and the longer side in pixels.
_AROUND, _SIDE = 0.4, 128


@dataclass(frozen=True, eq=False)
class Neighbour:
    """A training picture, or an object in one.

    Attributes:
        label: its class; None of a picture without one.
        box: of an object, in the picture's pixels.
        likeness: at most 1.
        mask: the file of its subject's mask; None of a picture without one.
    """

    file: Path
    label: int | None
    box: Corners | None
    likeness: float
    mask: Path | None = None

    def as_json(self, classes: tuple[str, ...]) -> dict[str, object]:
        """`file, class, likeness`, and of an object `box`."""
        table: dict[str, object] = {
            "file": str(self.file),
            "class": None if self.label is None else classes[self.label],
            "likeness": round(self.likeness, 4),
        }
        return table if self.box is None else table | {"box": [round(e, 2) for e in self.box]}

    def picture(self, bits: int) -> NDArray[np.uint8] | None:
        """What it looks like, small; None where the file is not there any more."""
        try:
            if self.box is None:
                small = at_side(read_picture(self.file, at_least=(_SIDE, _SIDE), bits=bits), _SIDE)
                return small if self.mask is None else _outlined(small, read_mask(self.mask))
            width, height = read_header(self.file).size
            x1, y1, x2, y2 = self.box
            x, y = _AROUND * (x2 - x1), _AROUND * (y2 - y1)
            left, top = max(0, int(x1 - x)), max(0, int(y1 - y))
            right, bottom = min(width, int(x2 + x) + 1), min(height, int(y2 + y) + 1)
            whole = read_picture(self.file, bits=bits)
            part = whole[top:bottom, left:right]
            return at_side(np.ascontiguousarray(part), _SIDE) if part.size else None
        except InputError:
            return None


def _outlined(picture: NDArray[np.uint8], mask: NDArray[np.bool_]) -> NDArray[np.uint8]:
    """A picture with the outline of its subject."""
    size = (picture.shape[1], picture.shape[0])
    there = cv2.resize(mask.astype(np.uint8), size, interpolation=cv2.INTER_NEAREST)
    edges, _ = cv2.findContours(there, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_SIMPLE)
    return np.asarray(cv2.drawContours(picture.copy(), edges, -1, (255, 255, 255), 1), np.uint8)


def learnt_by(run: RunFolder, predictor: Predictor) -> LearntPictures:
    """What a run learnt from, as its net sees it: looked at once, and kept in the run's folder.

    Raises:
        InputError: it was not looked at while the pictures were there.
    """
    kept = read_learnt(run.folder, run.weights_file)
    if kept is not None:
        return kept
    found = gather(run, predictor)
    keep_learnt(run.folder, run.weights_file, found)
    return found


def seen_by(predictor: Predictor, learnt: LearntPictures, pixels: torch.Tensor) -> Watched:
    """What the net makes of N×3×H×W prepared pictures."""
    with watching(predictor.net, learnt.layers) as watched:
        outputs(predictor.net, pixels, predictor.model.config.normalisation, predictor.device)
    return watched


def learnt_paths(
    learnt: LearntPictures, file: Path, known: Mapping[str, tuple[str, ...]]
) -> frozenset[str]:
    """The paths below the set of the pictures that a file is, or has the bytes of, where the run
    learnt from them, looked at or not; none of another.

    Args:
        known: the paths of each picture that the run learnt from, by the digest of its file.
    """
    place, root = file.resolve(), learnt.root.resolve()
    found: set[str] = set()
    with contextlib.suppress(InputError, OSError):  # a frame of a video is no file
        found |= {*known.get(short(of_files([place])[0]), ())}
    own = place.relative_to(root).as_posix() if place.is_relative_to(root) else ""
    if own in learnt.paths or any(own in paths for paths in known.values()):
        found.add(own)
    return frozenset(found)


def rows_of(learnt: LearntPictures, paths: Collection[str]) -> frozenset[int]:
    """Where pictures stand among those that were looked at, as far as they do."""
    return frozenset(row for row, path in enumerate(learnt.paths) if path in paths)


def nearest_pictures(
    learnt: LearntPictures, watched: Watched, but: Collection[int] = ()
) -> tuple[Neighbour, ...]:
    """Of the one picture that was watched.

    Args:
        but: the numbers of pictures that are left out.
    """
    placed = learnt.space.place(watched.pictures(1))
    return tuple(
        Neighbour(
            learnt.root / learnt.paths[row],
            int(learnt.labels[row]) if learnt.labels[row] >= 0 else None,
            None,
            likeness,
            learnt.root / learnt.masks[row] if learnt.masks and learnt.masks[row] else None,
        )
        for row, likeness in learnt.space.nearest(placed, SHOWN + len(but))
        if row not in but
    )[:SHOWN]


def nearest_objects(
    learnt: LearntPictures,
    watched: Watched,
    box: Corners,
    size: tuple[int, int],
    but: Collection[int] = (),
) -> tuple[Neighbour, ...]:
    """Of a box of the one picture that was watched, in pixels of what the net was given.

    Args:
        but: the numbers of pictures whose objects are left out.
    """
    objects = learnt.objects
    if objects is None:
        return ()
    placed = objects.space.place(watched.boxes(0, np.array([box], np.float32), size))
    found = []
    others = ~np.isin(objects.pictures, list(but))
    nearest = objects.space.nearest(placed, SHOWN + int((~others).sum()))
    for row, likeness in [each for each in nearest if others[each[0]]][:SHOWN]:
        x1, y1, x2, y2 = objects.boxes[row].tolist()
        file = learnt.root / learnt.paths[int(objects.pictures[row])]
        found.append(Neighbour(file, int(objects.labels[row]), (x1, y1, x2, y2), likeness))
    return tuple(found)
