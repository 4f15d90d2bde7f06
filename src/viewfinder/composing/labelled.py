"""Cut-outs from a data set whose objects have outlines."""

from collections import defaultdict
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from viewfinder.composing.cutouts import CutOut, cut_out, fitted, is_cut_off
from viewfinder.datasets.dataset import Dataset
from viewfinder.datasets.splits import TRAIN
from viewfinder.errors import InputError
from viewfinder.events import note, track
from viewfinder.pictures.masks import decode
from viewfinder.wording import counted

Item = TypeVar("Item")

PER_CLASS = 200
"""How many cut-outs of a class are kept where there are more."""

# Objects of fewer pixels across show too little to be shown elsewhere.
_SMALLEST = 16


def cutouts_from(
    dataset: Dataset, *, per_class: int = PER_CLASS, longest: int | None = None
) -> list[CutOut]:
    """Cut-outs of the objects on the side `train` that have an outline.

    A picture of `train` that is listed on another side too, or whose group is, is passed over.
    So is an object cut by its picture's edge, which elsewhere would pass for a whole one; of more
    than `per_class` others, evenly many are taken from the whole length of the set. What is left
    out is counted and reported.

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
    chosen, cut_off = _chosen_rows(dataset, per_class)
    rows: defaultdict[int, list[int]] = defaultdict(list)
    for row in chosen:
        rows[int(np.searchsorted(boxes.offsets, row, side="right")) - 1].append(row)
    cutouts: list[CutOut] = []
    damaged = 0
    for index in track(sorted(rows), total=len(rows), description="cutting out"):
        picture = dataset.picture(index)
        for row in rows[index]:
            mask = _outlined(dataset, row, picture)
            if mask is None:
                damaged += 1
                continue
            if is_cut_off(mask):
                cut_off += 1
                continue
            found = cut_out(picture, mask, int(boxes.classes[row]), dataset.paths[index])
            cutouts.append(found if longest is None else fitted(found, longest))
    _note_cut_out(dataset, cutouts, damaged, cut_off)
    if not cutouts:
        raise InputError(
            f"{dataset.root} has no object with a sound outline in its split train that is seen "
            "whole, and those of val and test are not used: label some outlines on train"
        )
    return cutouts


def _note_cut_out(dataset: Dataset, cutouts: list[CutOut], damaged: int, cut_off: int) -> None:
    """What was left out, and which classes are therefore in no scene."""
    if damaged:
        note(f"left out: {counted(damaged, 'object')} with damaged or empty outlines")
    if cut_off:
        note(f"{dataset.root}: of objects cut by their picture's edge, {cut_off:,} left out")
    found = {cutout.label for cutout in cutouts}
    missing = [name for label, name in enumerate(dataset.classes) if label not in found]
    if missing and cutouts:
        note(
            f"{dataset.root}: nothing to cut out in its split train of {', '.join(missing)}, so no "
            "scene shows it"
        )


def _chosen_rows(dataset: Dataset, per_class: int) -> tuple[list[int], int]:
    """The rows of the boxes to cut out, at most `per_class` of each class; how many are cut off."""
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
    cut_off = int((usable & ~whole).sum())
    usable &= whole
    good = usable & (np.maximum(x2 - x1, y2 - y1) >= _SMALLEST)
    chosen: list[int] = []
    for label in range(len(dataset.classes)):
        here = np.flatnonzero(good & (boxes.classes == label))
        if not len(here):
            here = np.flatnonzero(usable & (boxes.classes == label))
        chosen += evenly(here.tolist(), per_class)
    return chosen, cut_off


def _learnt_from(dataset: Dataset) -> NDArray[np.bool_]:
    """N bool: pictures of `train` of which nothing is on another side.

    Raises:
        InputError: a picture has no side, so that it may be one to judge by.
    """
    if (dataset.splits < 0).any():
        raise InputError(
            f"{dataset.root} has pictures in no split yet: open it with open_dataset, which deals "
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
        mask = decode(dataset.boxes.segmentations[row], (picture.shape[1], picture.shape[0]))
    except InputError:
        return None
    return mask if mask.any() else None


def evenly(items: list[Item], most: int) -> list[Item]:
    """At most so many of the items, spread over all of them."""
    if len(items) <= most:
        return items
    return [items[i * len(items) // most] for i in range(most)]
