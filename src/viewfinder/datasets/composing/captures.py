"""Cut-outs from what a person has: a set with outlines, or captures of single objects with masks.

A capture is a folder with `masks/` (PNG, white where the object is) beside `frames/`, whose files
have the same stems, or beside one video, whose frames the masks' numbers count from 0. Its class is
the folder of the root that it lies in: `captures/mug/blue/masks/…` and `captures/mug/masks/…` show
mugs.

What is on the sides `val` and `test` stays there: no object of theirs is cut out.
"""

import os
import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from viewfinder.console import note, track
from viewfinder.datasets.coco import find_coco
from viewfinder.datasets.composing.cutouts import CutOut, cut_out, fitted
from viewfinder.datasets.composing.outlines import outline_mask
from viewfinder.datasets.dataset import Dataset
from viewfinder.datasets.opening import open_dataset
from viewfinder.datasets.splits import TRAIN
from viewfinder.errors import InputError
from viewfinder.pictures.finding import PICTURE_SUFFIXES
from viewfinder.pictures.reading import read_mask, read_picture
from viewfinder.pictures.video import VIDEO_SUFFIXES, read_video

Item = TypeVar("Item")

PER_CLASS = 200
"""How many cut-outs of a class are kept where there are more."""

# Objects of fewer pixels across show too little to be shown elsewhere.
_SMALLEST = 16
_FRAME_FOLDERS = ("frames", "images")
_HELD_OUT = frozenset({"val", "valid", "validation", "test", "testing"})


@dataclass(frozen=True, eq=False)
class Captures:
    """What there is to compose of.

    Attributes:
        classes: names of the classes, in order.
        cutouts: of each class at most `PER_CLASS`.
        dataset: the set they come from, all sides of it, or None where they are captures.
    """

    classes: tuple[str, ...]
    cutouts: tuple[CutOut, ...]
    dataset: Dataset | None = None


def open_captures(source: Path, *, longest: int | None = None) -> Captures:
    """Read the cut-outs that a COCO set with outlines, or a folder of captures, holds.

    Args:
        longest: scale larger cut-outs down until their longer side is this many pixels.

    Raises:
        InputError: nothing of either kind is there, or a file cannot be read.
    """
    root = source.expanduser()
    if not root.exists():
        raise InputError(f"there is no folder {root}: give a COCO set with outlines, or captures")
    if not root.is_dir() or find_coco(root):
        dataset = open_dataset(root)
        return Captures(dataset.classes, tuple(cutouts_from(dataset, longest=longest)), dataset)
    folders = list(_capture_folders(root))
    if not folders:
        raise InputError(
            f"{root} holds nothing to cut out: give a COCO set whose objects have outlines, or "
            f"captures, such as {root / 'mug' / 'frames'} and {root / 'mug' / 'masks'}"
        )
    classes = tuple(sorted({name for name, _ in folders}))
    held: defaultdict[str, int] = defaultdict(int)
    for name, _ in folders:
        held[name] += 1
    cutouts: list[CutOut] = []
    for name, folder in track(folders, total=len(folders), description="cutting out"):
        most = max(1, PER_CLASS // held[name])
        found = _cut_from_capture(folder, classes.index(name), most)
        cutouts += (cutout if longest is None else fitted(cutout, longest) for cutout in found)
    _require_all(classes, cutouts, root)
    return Captures(classes, tuple(cutouts))


def cutouts_from(
    dataset: Dataset, *, per_class: int = PER_CLASS, longest: int | None = None
) -> list[CutOut]:
    """Cut-outs of the objects on the side `train` that have an outline.

    A picture of `train` that is listed on another side too, or whose group is, is passed over.
    Whole objects are preferred to those cut by a picture's edge; of more than `per_class`, evenly
    many are taken from the whole length of the set.

    Args:
        longest: scale larger cut-outs down until their longer side is this many pixels.

    Raises:
        InputError: the set has no outlines on `train`, pictures without a side, or a damaged file.
    """
    boxes = dataset.boxes
    if boxes is None or not boxes.segmentations:
        raise InputError(
            f"{dataset.root} has no outlines of objects, so nothing can be cut out: give a COCO "
            "set with segmentations, or captures with masks"
        )
    rows: defaultdict[int, list[int]] = defaultdict(list)
    for row in _chosen_rows(dataset, per_class):
        rows[int(np.searchsorted(boxes.offsets, row, side="right")) - 1].append(row)
    cutouts: list[CutOut] = []
    damaged = 0
    for index in track(sorted(rows), total=len(rows), description="cutting out"):
        picture = read_picture(dataset.file(index))
        for row in rows[index]:
            mask = _outlined(dataset, row, picture)
            if mask is None:
                damaged += 1
                continue
            found = cut_out(picture, mask, int(boxes.classes[row]), dataset.paths[index])
            cutouts.append(found if longest is None else fitted(found, longest))
    if damaged:
        note(f"{damaged:,} objects with damaged or empty outlines were left out")
    if not cutouts:
        raise InputError(
            f"{dataset.root} has no object with a sound outline on its side train, and those of "
            "val and test are not used: label some outlines on train"
        )
    return cutouts


def _chosen_rows(dataset: Dataset, per_class: int) -> list[int]:
    """The rows of the boxes to cut out, at most `per_class` of each class."""
    boxes, sizes = dataset.boxes, dataset.sizes
    assert boxes is not None
    of = boxes.pictures()
    usable = np.isin(np.arange(len(boxes)), list(boxes.segmentations)) & ~boxes.crowd
    usable &= _learnt_from(dataset)[of] & (boxes.classes >= 0)
    x1, y1, x2, y2 = boxes.corners.T
    whole = (x1 >= 1) & (y1 >= 1)
    if sizes is not None:
        width, height = sizes[of].T
        whole &= ((x2 <= width - 1) & (y2 <= height - 1)) | (width == 0)
    good = usable & whole & (np.maximum(x2 - x1, y2 - y1) >= _SMALLEST)
    chosen: list[int] = []
    for label in range(len(dataset.classes)):
        here = np.flatnonzero(good & (boxes.classes == label))
        if not len(here):
            here = np.flatnonzero(usable & (boxes.classes == label))
        chosen += _evenly(here.tolist(), per_class)
    return chosen


def _learnt_from(dataset: Dataset) -> NDArray[np.bool_]:
    """N bool: pictures of `train` of which nothing is on another side.

    Raises:
        InputError: a picture has no side, so that it may be one to judge by.
    """
    if (dataset.splits < 0).any():
        raise InputError(
            f"{dataset.root} has pictures on no side yet: open it with open_dataset, which deals "
            "them, so that none to judge by is cut out"
        )
    train = dataset.splits == TRAIN
    elsewhere = {dataset.paths[i] for i in np.flatnonzero(~train)}
    groups = {dataset.groups[i] for i in np.flatnonzero(~train)} if dataset.groups else set()
    shared = [
        path in elsewhere
        or bool(dataset.groups and dataset.groups[i] and dataset.groups[i] in groups)
        for i, path in enumerate(dataset.paths)
    ]
    learnt: NDArray[np.bool_] = train & ~np.array(shared, np.bool_)
    return learnt


def _outlined(dataset: Dataset, row: int, picture: NDArray[np.uint8]) -> NDArray[np.bool_] | None:
    """The mask of a box's outline, or None where it is damaged or holds no pixel."""
    assert dataset.boxes is not None
    try:
        mask = outline_mask(dataset.boxes.segmentations[row], (picture.shape[1], picture.shape[0]))
    except InputError:
        return None
    return mask if mask.any() else None


def _capture_folders(root: Path) -> Iterator[tuple[str, Path]]:
    """Each capture below `root`, with the name of its class; none of a side to judge by."""
    sides = {f.name.lower() for f in root.iterdir() if f.is_dir()}
    dealt = "train" in sides
    for place, folders, _ in os.walk(root):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        folder = Path(place)
        parts = folder.relative_to(root).parts
        if dealt and parts and parts[0].lower() in _HELD_OUT:
            folders.clear()
        elif "masks" in folders:
            named = parts[1:] if dealt and parts[0].lower() == "train" else parts
            yield (named[0] if named else root.resolve().name), folder


def _cut_from_capture(folder: Path, label: int, most: int) -> Iterator[CutOut]:
    masks = _pictures(folder / "masks")
    frames = next((folder / name for name in _FRAME_FOLDERS if (folder / name).is_dir()), None)
    pairs = (
        _pairs(masks, _pictures(frames), most)
        if frames is not None
        else _video_pairs(masks, _only_video(folder), most)
    )
    for picture, file in pairs:
        mask = read_mask(file)
        if mask.any():
            try:
                yield cut_out(picture, mask, label, str(folder))
            except InputError as error:
                raise InputError(f"{file}: {error}") from error


def _pairs(
    masks: dict[str, Path], frames: dict[str, Path], most: int
) -> Iterator[tuple[NDArray[np.uint8], Path]]:
    for stem in _evenly(sorted(masks.keys() & frames.keys()), most):
        yield read_picture(frames[stem]), masks[stem]


def _video_pairs(
    masks: dict[str, Path], video: Path, most: int
) -> Iterator[tuple[NDArray[np.uint8], Path]]:
    numbered = {int(n[0]): masks[stem] for stem in masks if (n := re.findall(r"\d+$", stem))}
    wanted = set(_evenly(sorted(numbered), most))
    for frame in read_video(video):
        if frame.index in wanted:
            yield frame.picture, numbered[frame.index]
        if frame.index >= max(wanted, default=0):
            break


def _only_video(folder: Path) -> Path:
    videos = [file for file in folder.iterdir() if file.suffix.lower() in VIDEO_SUFFIXES]
    if len(videos) != 1:
        raise InputError(
            f"{folder} has masks/, and neither frames/ nor one video beside it: put the pictures "
            "that the masks belong to into frames/, with the same names"
        )
    return videos[0]


def _pictures(folder: Path) -> dict[str, Path]:
    """The visible pictures of a folder by their stems."""
    return {
        file.stem: file
        for file in folder.iterdir()
        if file.suffix.lower() in PICTURE_SUFFIXES and not file.name.startswith(".")
    }


def _require_all(classes: Sequence[str], cutouts: Iterable[CutOut], root: Path) -> None:
    there = {cutout.label for cutout in cutouts}
    for label, name in enumerate(classes):
        if label not in there:
            raise InputError(
                f"{root / name}: no frame and mask belong together there, or every mask is empty: "
                "give them the same names, such as frames/001.jpg and masks/001.png"
            )


def _evenly(items: list[Item], most: int) -> list[Item]:
    """At most so many of the items, spread over all of them."""
    if len(items) <= most:
        return items
    return [items[i * len(items) // most] for i in range(most)]
