"""Whether answers mean by their numbers what they should: boxes, and the classes' order.

A file of detections whose numbers mean another thing (corners for sizes, shares for pixels, classes
in another order) finds nothing, and would be scored so. The numbers are looked at as those of
labels are; and what else than labels there is, the truth, tells whether another reading fits it.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from viewfinder.datasets.dataset import Dataset
from viewfinder.datasets.meaning import Meaning, other_meaning
from viewfinder.datasets.picture_sizes import measured_sizes
from viewfinder.errors import InputError
from viewfinder.scoring.box_mirroring import refuse_mirrored
from viewfinder.scoring.box_overlap import matches, on_objects
from viewfinder.scoring.box_resizing import resizing_told
from viewfinder.tasks.detect.detections import Detections
from viewfinder.wording import counted, some

CORNERS = Meaning("corners", "pixels")
COCO = Meaning("corner and size", "pixels")
YOLO = Meaning("centre and size", "shares")

_OTHERS = tuple(
    Meaning(form + order, unit)
    for unit in ("pixels", "shares", "percent")
    for order in ("", ", y first")
    for form in ("corners", "corner and size", "centre and size")
)
# Of so many detections, the surest, it is asked whether they lie on objects.
_LOOKS = 1000
# As many find an object at least where a reading is believed, and so many times as many as by the
# other reading.
_LEAST, _TIMES = 3, 3
# Of so few boxes on objects, it is asked whether as many would lie on objects of other pictures.
_FEW_FIND, _ENOUGH, _NO_OFTENER = 0.2, 20, 1.5
# Of the detections that lie on an object, so many are of its class where classes have their order;
# and so many of the class that another order means.
_MOST_RIGHT, _LEAST_MEANT = 0.5, 0.8


def sizes_of(truth: Dataset) -> NDArray[np.int64]:
    """N×2, width and height of each picture: as stated, else measured."""
    if truth.sizes is None or not (truth.sizes > 0).all():
        return measured_sizes(truth.root, truth.paths)
    return truth.sizes


def meaning_notes(
    corners: NDArray[np.float64],
    scores: NDArray[np.float64],
    pictures: NDArray[np.int64],
    truth: Dataset,
    *,
    own: Meaning,
    where: str,
) -> list[str]:
    """What must be known of a file's boxes.

    Args:
        corners: M×4 in pixels, as `own` has them be understood.
        pictures: of each detection its picture's number.
        own: what the file's numbers are by its format.

    Raises:
        InputError: they are clearly another thing.
    """
    notes = []
    none = (corners[:, 2:] <= corners[:, :2]).any(axis=1)
    if none.any():
        count = counted(int(none.sum()), "detection")
        notes.append(f"{count} with a width or height of 0 or less, which can find nothing")
    sizes = sizes_of(truth)[pictures]
    numbers = _numbers(corners, sizes, own)
    sure = np.argsort(-scores, kind="stable")[:_LOOKS]
    found = on_objects(corners[sure], pictures[sure], truth)
    meant = other_meaning(numbers, sizes, own)
    told = _told_by_truth(numbers[sure], sizes[sure], pictures[sure], truth, own, found)
    if told is not None:
        meant = told
    elif meant is not None and found >= _LEAST:
        meant = None
    if own == YOLO:
        five = np.column_stack([numbers, scores])[sure]
        moved = on_objects(_corners(five[:, 1:], sizes[sure], own), pictures[sure], truth)
        if moved >= _LEAST and moved > _TIMES * found:
            raise InputError(
                f"{where}: its lines look like class score x y width height: write class x y width "
                "height score"
            )
    if meant is None:
        surest, lie, least = corners[sure], pictures[sure], _enough(found, len(sure))
        refuse_mirrored(surest, lie, sizes[sure], truth, found=found, least=least, where=where)
        if found > _FEW_FIND * len(sure):
            return notes
        told_size = resizing_told(surest, lie, sizes[sure], truth, least=least)
        return [*notes, *(told_size or _as_by_chance(surest, lie, truth, found))]
    if meant.certain:
        raise InputError(f"{where}: the numbers of its boxes look like {meant}: write {own}")
    return [*notes, f"the numbers of its boxes may be {meant}, and are taken for {own}"]


def _numbers(
    corners: NDArray[np.float64], sizes: NDArray[np.int64], own: Meaning
) -> NDArray[np.float64]:
    """M×4, as the file has them."""
    low, high = corners[:, :2], corners[:, 2:]
    if own.form == "corner and size":
        low, high = low, high - low
    elif own.form == "centre and size":
        low, high = (low + high) / 2, high - low
    numbers = np.concatenate([low, high], axis=1)
    return numbers / np.tile(sizes, 2) if own.unit == "shares" else numbers


def _corners(
    numbers: NDArray[np.float64], sizes: NDArray[np.int64], meant: Meaning
) -> NDArray[np.float64]:
    """M×4 in pixels, of numbers so understood."""
    sides, form = np.tile(sizes, 2), meant.form.removesuffix(", y first")
    if form != meant.form:
        numbers = numbers[:, [1, 0, 3, 2]]
    if meant.unit != "pixels":
        numbers = numbers * sides / (100 if meant.unit == "percent" else 1)
    low, high = numbers[:, :2], numbers[:, 2:]
    if form == "centre and size":
        low = low - high / 2
    return np.concatenate([low, high if form == "corners" else low + high], axis=1)


def _told_by_truth(
    numbers: NDArray[np.float64],
    sizes: NDArray[np.int64],
    pictures: NDArray[np.int64],
    truth: Dataset,
    own: Meaning,
    found: int,
) -> Meaning | None:
    """The reading under which far more detections lie on objects; None where there is none."""
    counts = {
        meant: on_objects(_corners(numbers, sizes, meant), pictures, truth)
        for meant in _OTHERS
        if (meant.form, meant.unit) != (own.form, own.unit)
    }
    best = max(counts, key=lambda meant: counts[meant])
    return best if counts[best] >= _enough(found, len(numbers)) else None


def _enough(found: int, count: int) -> int:
    """How many of so many detections lie on objects where another reading is believed."""
    return max(_LEAST, _TIMES * found, count // 10)


def _as_by_chance(
    corners: NDArray[np.float64], pictures: NDArray[np.int64], truth: Dataset, found: int
) -> list[str]:
    """A note where detections lie on objects no more often than they would in other pictures."""
    count = len(corners)
    if count < _LEAST or truth.boxes is None or not len(truth.boxes):
        return []
    told = "not one of its surest detections lies on an object (IoU 0.5 or more)"
    if found:
        if count < _ENOUGH:
            return []
        elsewhere = on_objects(corners, (pictures + 1) % len(truth), truth)
        if len(truth) == 1 or found > _NO_OFTENER * elsewhere:
            return []
        told = (
            f"of its {count:,} surest detections {found:,} lie on objects (IoU 0.5 or more), and "
            f"{elsewhere:,} would if each were in the next picture, which is chance"
        )
    return [
        f"{told}: see that these are answers to this set, under the ids of its pictures, and boxes "
        "in pixels of them"
    ]


def order_notes(found: Sequence[Detections], truth: Dataset) -> list[str]:
    """A note where detections lie on objects, but of other classes, as of a list in another order.

    Args:
        found: of each picture, by the set's classes.
    """
    counts = np.array([len(each.scores) for each in found])
    pictures = np.repeat(np.arange(len(found)), counts)
    if not len(pictures):
        return []
    scores = np.concatenate([each.scores for each in found])
    labels = np.concatenate([each.labels for each in found])
    corners = np.concatenate([np.asarray(each.boxes, np.float64) for each in found])
    sure = np.argsort(-scores, kind="stable")[:_LOOKS]
    classes = len(truth.classes)
    table = np.zeros((classes, classes), np.int64)
    for row, label, _ in matches(corners[sure], pictures[sure], truth):
        if label >= 0:
            table[labels[sure[row]], label] += 1
    total = int(table.sum())
    said = np.flatnonzero(table.sum(axis=1))
    meant = table.argmax(axis=1)[said]
    fitting = int(table[said, meant].sum())
    one_each = len(set(meant.tolist())) == len(said)
    if total < _LEAST or not one_each or fitting < _LEAST_MEANT * total:
        return []
    if np.trace(table) > _MOST_RIGHT * total:
        return []
    pairs = [
        f"{truth.classes[a]} on {truth.classes[b]}"
        for a, b in zip(said.tolist(), meant.tolist(), strict=True)
        if a != b
    ]
    return [
        f"its classes seem to be in another order than the set's: of {counted(total, 'detection')} "
        f"that lie on objects {fitting:,} do so as {some(pairs)}; see in which order they are "
        "named, by a classes.txt beside text files or `categories` in JSON"
    ]
