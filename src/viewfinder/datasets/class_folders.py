"""Pictures sorted into a folder for each class: `train/cat/1.jpg`, or just `cat/1.jpg`."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from viewfinder.datasets.dataset import Dataset
from viewfinder.datasets.frame_list import frame_groups
from viewfinder.datasets.splits import TEST, TRAIN, VAL, by_group, stratified, usual_val_share
from viewfinder.errors import InputError
from viewfinder.pictures.finding import pictures_below

# The names under which public sets keep their sides.
_SPLIT_NAMES = {
    "train": TRAIN,
    "training": TRAIN,
    "val": VAL,
    "valid": VAL,
    "validation": VAL,
    "test": TEST,
    "testing": TEST,
}
TEST_SHARE = 0.15


def is_class_folders(root: Path) -> bool:
    """Whether `root` holds folders with pictures in them, directly or under its splits."""
    return any(_has_picture(folder) for folder in _folders(root))


def open_class_folders(root: Path, *, val_share: float | None = None) -> Dataset:
    """Read a folder of class folders.

    With `train/`, `val/`, `test/` (also `training/`, `valid/`, `validation/`, `testing/`) the
    sides are as they lie; without any, 15 % of each class become test. Where there is no `val`,
    a share `val_share` of each class's training pictures becomes it, as many as
    `splits.usual_val_share` says if it is None. Frames of one video, as
    `frames.json` beside them tells, stay on one side.

    Raises:
        InputError: no pictures, or fewer than two classes.
    """
    split_folders = {f: _SPLIT_NAMES[f.name.lower()] for f in _folders(root) if _is_split(f)}
    if split_folders and TRAIN not in split_folders.values():
        # A folder with only a `test/` is still a set to evaluate on.
        val_share = 0.0
    rows = _rows(root, split_folders or {root: TRAIN})
    classes = tuple(sorted({row.name for row in rows}))
    paths = tuple(row.path for row in rows)
    numbers = {name: index for index, name in enumerate(classes)}
    labels = np.array([numbers[row.name] for row in rows], np.int64)
    sides = np.array([row.side for row in rows], np.int8)
    groups = frame_groups(root, paths)
    if val_share is None:
        val_share = usual_val_share(len(rows))
    shares: list[tuple[int, float]] = []
    if not split_folders:
        shares = [(TEST, TEST_SHARE), (VAL, val_share)]
    elif VAL not in split_folders.values():
        shares = [(VAL, val_share)]
    dealt = np.flatnonzero(sides == TRAIN) if shares else np.zeros(0, np.int64)
    sides[dealt] = _dealt(
        [paths[i] for i in dealt], labels[dealt], [groups[i] for i in dealt if groups], shares
    )
    alone = [
        name
        for number, name in enumerate(classes)
        if groups and any(share for _, share in shares) and (sides[labels == number] == TRAIN).all()
    ]
    return Dataset(
        root, "class folders", classes, paths, labels, sides, groups=groups, notes=_told(alone)
    )


class _Row(NamedTuple):
    """One picture, its class and its side."""

    path: str
    name: str
    side: int


def _rows(root: Path, tops: Mapping[Path, int]) -> list[_Row]:
    """Every picture below these folders of class folders.

    Raises:
        InputError: no pictures, or fewer than two classes.
    """
    rows = [
        _Row(path, folder.name, side)
        for top, side in tops.items()
        for folder in _folders(top)
        for path in _pictures(folder, root)
    ]
    if not rows:
        raise InputError(
            f"{root} has no pictures in class folders: put each class's pictures into a folder "
            f"with the class's name, such as {root / 'cat' / '1.jpg'}"
        )
    if len({row.name for row in rows}) < 2:
        raise InputError(
            f"{root} has one class only, {rows[0].name!r}: a classifier needs at least two to tell "
            "apart; add a folder of pictures that are something else"
        )
    return rows


def _dealt(
    paths: list[str],
    labels: NDArray[np.int64],
    groups: list[str],
    shares: list[tuple[int, float]],
) -> NDArray[np.int8]:
    """The side of each picture: each class has its shares, and a group stays on one side."""
    if not groups:
        return stratified(paths, labels, shares=shares)
    sides = np.full(len(paths), TRAIN, np.int8)
    for label in np.unique(labels):
        members = np.flatnonzero(labels == label)
        own = [paths[i] for i in members]
        together = [groups[i] or paths[i] for i in members]
        sides[members] = by_group(own, together, shares=shares)
    return sides


def _told(alone: list[str]) -> tuple[str, ...]:
    if not alone:
        return ()
    return (
        f"all pictures of {', '.join(alone)} are to train on, for too many are frames of one "
        "video: film each object more than once, to have others to judge by",
    )


def _is_split(folder: Path) -> bool:
    return folder.name.lower() in _SPLIT_NAMES and any(map(_has_picture, _folders(folder)))


def _folders(root: Path) -> list[Path]:
    """The visible folders in `root`, sorted by name."""
    return sorted(f for f in root.iterdir() if f.is_dir() and not f.name.startswith((".", "__")))


def _has_picture(folder: Path) -> bool:
    return next(_pictures(folder, folder), None) is not None


def empty_class_folders(root: Path) -> list[Path]:
    """Folders that stand where a class's would, without a picture in them."""
    tops = [folder for folder in _folders(root) if _is_split(folder)] or [root]
    return [folder for top in tops for folder in _folders(top) if not _has_picture(folder)]


def class_folders_of(root: Path) -> list[Path]:
    """Every folder that stands for a class, under each of the splits."""
    tops = [folder for folder in _folders(root) if _is_split(folder)] or [root]
    return [folder for top in tops for folder in _folders(top) if _has_picture(folder)]


def _pictures(folder: Path, root: Path) -> Iterator[str]:
    """Every picture at any depth under `folder`, relative to `root`, in a fixed order."""
    inside = folder.relative_to(root).as_posix()
    prefix = f"{inside}/" if inside != "." else ""
    for path in pictures_below(folder):
        yield prefix + path
