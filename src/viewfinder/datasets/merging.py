"""Several sets of boxes as one: classes matched by name, pictures kept apart, splits kept."""

import os
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from viewfinder.datasets import digests
from viewfinder.datasets.boxes import Boxes, BoxTrack
from viewfinder.datasets.dataset import SPLITS, Dataset
from viewfinder.datasets.formats.class_folders.layouts import alike_classes, some_of
from viewfinder.datasets.joining import joined
from viewfinder.datasets.splits import TRAIN
from viewfinder.errors import InputError
from viewfinder.pictures.masks import Segmentation
from viewfinder.wording import counted


@dataclass(frozen=True)
class SetToJoin:
    """A set to be joined to others, and what a person calls it."""

    name: str
    dataset: Dataset


def merged(sources: Sequence[SetToJoin]) -> Dataset:
    """One set of all pictures and boxes of several sets of boxes.

    A class is the same where its name is, to the letter. A picture that two sets have, byte for
    byte, is one picture with the boxes of both, in the split that is further from learning. A set
    without splits beside others with some is taken to train on. Numbers of pictures, boxes and
    classes are given anew. Notes and faults say whose they are.

    Raises:
        InputError: the sets lie on different drives, or a picture cannot be read.
    """
    sets = [_sided(source, sources) for source in sources]
    classes = tuple(dict.fromkeys(name for one in sets for name in one.dataset.classes))
    root = _common(sets)
    paths = [path for one in sets for path in _paths_from(root, one.dataset)]
    owners = np.repeat(np.arange(len(sets)), [len(one.dataset) for one in sets])
    paths = _once(root, paths, owners)
    sizes = [one.dataset.sizes for one in sets if one.dataset.sizes is not None]
    whole = Dataset(
        root=root,
        layout=" and ".join(f"{one.name} ({one.dataset.layout})" for one in sets),
        classes=classes,
        paths=tuple(paths),
        labels=np.full(len(paths), -1, np.int64),
        splits=np.concatenate([one.dataset.splits for one in sets]),
        boxes=_boxes(sets, classes),
        sizes=np.concatenate(sizes),
        groups=_groups(sets),
        notes=(
            *(f"{one.name}: {note}" for one in sets for note in one.dataset.notes),
            *_on_classes(sets, classes),
        ),
        faults=tuple(
            replace(fault, file=f"{one.name}/{fault.file}")
            for one in sets
            for fault in one.dataset.faults
        ),
        unread=dict(sum((Counter(one.dataset.unread) for one in sets), Counter[str]())),
    )
    result, rows = joined(whole)
    return _furthest(result, whole.splits, rows)


def _sided(source: SetToJoin, sources: Sequence[SetToJoin]) -> SetToJoin:
    """The set, to train on where it has no splits and another has some."""
    dataset = source.dataset
    others = any((one.dataset.splits >= 0).any() for one in sources)
    if not others or (dataset.splits >= 0).any() or not len(dataset):
        return source
    note = f"{counted(len(dataset), 'picture')} in no split, and in train now"
    splits = np.full(len(dataset), TRAIN, np.int8)
    return replace(source, dataset=replace(dataset, splits=splits, notes=(*dataset.notes, note)))


def _common(sets: Sequence[SetToJoin]) -> Path:
    try:
        return Path(os.path.commonpath([one.dataset.root.absolute() for one in sets]))
    except ValueError:
        raise InputError(
            "the sets lie on different drives: put them onto one, to be joined"
        ) from None


def _paths_from(root: Path, dataset: Dataset) -> list[str]:
    start = dataset.root.absolute().relative_to(root).as_posix()
    # Joined to a root, a path that is absolute stays what it is.
    return [
        path if start == "." or Path(path).is_absolute() else f"{start}/{path}"
        for path in dataset.paths
    ]


def _once(root: Path, paths: list[str], owners: NDArray[np.int64]) -> list[str]:
    """The paths, where a picture of another set before has the same bytes that one's."""
    there = [number for number, path in enumerate(paths) if (root / path).is_file()]
    first: dict[bytes, int] = {}
    result = list(paths)
    for number, digest in zip(
        there, digests.of_files([root / paths[n] for n in there]), strict=True
    ):
        before = first.setdefault(digest, number)
        if owners[before] != owners[number]:
            result[number] = paths[before]
    return result


def _boxes(sets: Sequence[SetToJoin], classes: tuple[str, ...]) -> Boxes:
    index = {name: number for number, name in enumerate(classes)}
    parts: list[Boxes] = []
    segmentations: dict[int, Segmentation] = {}
    tracks: dict[int, BoxTrack] = {}
    for one in sets:
        boxes = one.dataset.boxes
        assert boxes is not None
        start = sum(map(len, parts))
        segmentations |= {start + row: outline for row, outline in boxes.segmentations.items()}
        # Their frames are of other videos, and so are their tracks.
        name = f"{one.name}/" if boxes.tracks else ""
        named = {row: BoxTrack(name + own.track, own.key) for row, own in boxes.tracks.items()}
        tracks |= {start + row: own for row, own in named.items()}
        numbers = np.array([*(index[name] for name in one.dataset.classes), -1], np.int64)
        parts.append(replace(boxes, classes=numbers[boxes.classes]))
    counts = np.concatenate([np.diff(part.offsets) for part in parts])
    return Boxes(
        corners=np.concatenate([part.corners for part in parts]),
        classes=np.concatenate([part.classes for part in parts]),
        offsets=np.concatenate([[0], np.cumsum(counts)]).astype(np.int64),
        ids=np.arange(1, sum(map(len, parts)) + 1),
        crowd=np.concatenate([part.crowd for part in parts]),
        difficult=np.concatenate([part.difficult for part in parts]),
        areas=np.concatenate([part.areas for part in parts]),
        segmentations=segmentations,
        tracks=tracks,
    )


def _groups(sets: Sequence[SetToJoin]) -> tuple[str, ...]:
    """The groups of pictures, those of different sets kept apart."""
    groups = [
        f"{one.name}: {group}" if group else ""
        for one in sets
        for group in (one.dataset.groups or ("",) * len(one.dataset))
    ]
    return tuple(groups) if any(groups) else ()


def _on_classes(sets: Sequence[SetToJoin], classes: tuple[str, ...]) -> list[str]:
    """What is to be said of classes that not every set has."""
    notes = [
        f"the classes {' and '.join(names)} differ in case, accents or spaces alone, and stay two"
        for names in alike_classes(classes)
    ]
    for one in sets:
        missing = [name for name in classes if name not in one.dataset.classes]
        if missing:
            notes.append(
                f"{one.name} knows nothing of {some_of(missing)}: objects of such classes in its "
                "pictures would be learnt as background"
            )
    return notes


def _furthest(dataset: Dataset, splits: NDArray[np.int8], rows: NDArray[np.int64]) -> Dataset:
    """The set with each picture in the last of the splits that its former rows were in."""
    least = np.full(len(dataset), len(SPLITS), np.int8)
    last = np.full(len(dataset), -1, np.int8)
    np.minimum.at(least, rows, splits)
    np.maximum.at(last, rows, splits)
    several = int((least != last).sum())
    if not several:
        return dataset
    note = (
        f"{counted(several, 'picture')} in different splits in different sets: taken for the one "
    )
    note += "that is further from learning"
    return replace(dataset, splits=last, notes=(*dataset.notes, note))
