"""One picture, one row: what several files, or one file several times, say of the same picture."""

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from viewfinder.datasets.boxes import Boxes
from viewfinder.datasets.dataset import Dataset
from viewfinder.wording import counted


def joined(dataset: Dataset) -> tuple[Dataset, NDArray[np.int64]]:
    """The set with the rows of a picture made one, which has the boxes of all of them.

    A box that two of the rows have to the last digit is one box.

    Returns:
        The set, and for each of its former rows the new one.
    """
    first: dict[str, int] = {}
    rows = np.array([first.setdefault(path, len(first)) for path in dataset.paths], np.int64)
    if len(first) == len(dataset):
        return dataset, rows
    order = np.argsort(rows, kind="stable")
    kept = order[np.flatnonzero(np.diff(rows[order], prepend=-1))]
    boxes = dataset.boxes
    assert boxes is not None
    gathered = boxes.select(order)
    counts = np.bincount(rows[order], np.diff(gathered.offsets), len(first)).astype(np.int64)
    whole = replace(gathered, offsets=np.concatenate([[0], np.cumsum(counts)]))
    again = _told_twice(whole, _sources(np.diff(gathered.offsets)))
    result = replace(dataset.select(kept), boxes=whole.keep(~again))
    again_listed = counted(len(dataset) - len(first), "entry", "entries")
    note = f"{again_listed} of a picture that stands there before: their boxes are joined"
    return replace(result, notes=(*dataset.notes, note)), rows


def unique_numbers(dataset: Dataset) -> Dataset:
    """The set without numbers of pictures, boxes or classes that stand on one side twice.

    Sides are files of their own, which may use the same numbers; the parts of one side are not.
    """
    boxes = dataset.boxes
    assert boxes is not None
    lost: list[str] = []
    sides = dataset.splits.astype(np.int64)
    if dataset.image_ids is not None and _repeat(dataset.image_ids, sides):
        dataset, lost = replace(dataset, image_ids=None), [*lost, "pictures"]
    if dataset.class_ids is not None and len(set(dataset.class_ids)) != len(dataset.class_ids):
        dataset, lost = replace(dataset, class_ids=None), [*lost, "classes"]
    if _repeat(boxes.ids, sides[boxes.pictures()]):
        boxes = replace(boxes, ids=np.arange(1, len(boxes) + 1))
        dataset, lost = replace(dataset, boxes=boxes), [*lost, "boxes"]
    if not lost:
        return dataset
    note = f"several files use the same numbers of {' and '.join(lost)}: they are numbered anew"
    return replace(dataset, notes=(*dataset.notes, note))


def _sources(counts: NDArray[np.int64]) -> NDArray[np.int64]:
    return np.repeat(np.arange(len(counts)), counts)


def _told_twice(boxes: Boxes, sources: NDArray[np.int64]) -> NDArray[np.bool_]:
    """M bool: boxes equal to an earlier one of their picture that another source tells of."""
    again = np.zeros(len(boxes), np.bool_)
    if not len(boxes):
        return again
    columns = [boxes.pictures(), boxes.classes, *boxes.corners.T]
    order = np.lexsort([sources, *columns[::-1]])
    rows = np.stack(columns, axis=1)[order]
    starts = np.concatenate([[True], (rows[1:] != rows[:-1]).any(1)])
    first = sources[order][np.maximum.accumulate(np.where(starts, np.arange(len(rows)), 0))]
    again[order] = sources[order] != first
    return again


def _repeat(numbers: NDArray[np.int64], sides: NDArray[np.int64]) -> bool:
    """Whether a number stands on one side twice."""
    order = np.lexsort([numbers, sides])
    same = (np.diff(numbers[order]) == 0) & (np.diff(sides[order]) == 0)
    return bool(same.any())
