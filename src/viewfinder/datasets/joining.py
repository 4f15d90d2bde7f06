"""One picture, one row: what several files, or one file several times, say of the same picture."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from viewfinder.datasets.boxes import Boxes
from viewfinder.datasets.dataset import Dataset
from viewfinder.datasets.faults import Fault
from viewfinder.wording import counted

# Two boxes that have so much in common are of one object.
_SAME_OBJECT = 0.6


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
    sources = _sources(np.diff(gathered.offsets))
    again = _stated_twice(whole, sources)
    result = replace(dataset.select(kept), boxes=whole.keep(~again))
    faults = _versions(result.paths, whole.keep(~again), sources[~again])
    again_listed = counted(len(dataset) - len(first), "entry", "entries")
    note = f"{again_listed} of a picture that stands there before: their boxes are joined"
    if faults:
        note += f", and {faults[0].detail}"
    return replace(result, notes=(*dataset.notes, note), faults=(*dataset.faults, *faults)), rows


def unique_numbers(dataset: Dataset) -> Dataset:
    """The set without numbers of pictures, boxes or classes that stand in one split twice.

    Splits are files of their own, which may use the same numbers; the parts of one split are not.
    """
    boxes = dataset.boxes
    assert boxes is not None
    lost: list[str] = []
    splits = dataset.splits.astype(np.int64)
    if dataset.image_ids is not None and _repeat(dataset.image_ids, splits):
        dataset, lost = replace(dataset, image_ids=None), [*lost, "pictures"]
    if dataset.class_ids is not None and len(set(dataset.class_ids)) != len(dataset.class_ids):
        dataset, lost = replace(dataset, class_ids=None), [*lost, "classes"]
    if _repeat(boxes.ids, splits[boxes.pictures()]):
        boxes = replace(boxes, ids=np.arange(1, len(boxes) + 1))
        dataset, lost = replace(dataset, boxes=boxes), [*lost, "boxes"]
    if not lost:
        return dataset
    note = f"several files use the same numbers of {' and '.join(lost)}: they are numbered anew"
    return replace(dataset, notes=(*dataset.notes, note))


def _sources(counts: NDArray[np.int64]) -> NDArray[np.int64]:
    return np.repeat(np.arange(len(counts)), counts)


def _stated_twice(boxes: Boxes, sources: NDArray[np.int64]) -> NDArray[np.bool_]:
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


def _versions(paths: Sequence[str], boxes: Boxes, sources: NDArray[np.int64]) -> list[Fault]:
    """The fault that pictures have boxes twice, a little off, from different sources."""
    pictures = boxes.pictures()
    several = np.zeros(len(paths), np.bool_)
    changes = np.flatnonzero((np.diff(sources) != 0) & (np.diff(pictures) == 0))
    several[pictures[changes]] = True
    close, first = 0, ""
    for picture in np.flatnonzero(several).tolist():
        rows = boxes.of(picture)
        corners, own = boxes.corners[rows], sources[rows]
        alike = (own[:, None] < own) & (boxes.classes[rows][:, None] == boxes.classes[rows])
        count = int((alike & (_shared(corners) > _SAME_OBJECT)).any(0).sum())
        close, first = close + count, first or (paths[picture] if count else "")
    if not close:
        return []
    detail = f"{counted(close, 'box')} of them lie on another of the same class"
    fix = "two states of the same labels, it seems: keep the file of one of them"
    return [Fault("two-versions", first, detail, fix)]


def _shared(corners: NDArray[np.float64]) -> NDArray[np.float64]:
    """N×N, what every two boxes have in common as a share of what they cover together."""
    low = np.maximum(corners[:, None, :2], corners[:, :2])
    high = np.minimum(corners[:, None, 2:], corners[:, 2:])
    both = np.clip(high - low, 0, None).prod(2)
    areas = np.clip(corners[:, 2:] - corners[:, :2], 0, None).prod(1)
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.asarray(np.nan_to_num(both / (areas[:, None] + areas - both)))


def _repeat(numbers: NDArray[np.int64], splits: NDArray[np.int64]) -> bool:
    """Whether a number stands in one split twice."""
    if (np.diff(np.sort(numbers)) != 0).all():
        return False
    order = np.lexsort([numbers, splits])
    same = (np.diff(numbers[order]) == 0) & (np.diff(splits[order]) == 0)
    return bool(same.any())
