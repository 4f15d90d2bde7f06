"""The sizes that pictures have, beside those that their labels state; and boxes made to fit.

Labels state the size of the picture that they were marked on. Where the file now has another:

- turned by its EXIF orientation, and marked as stored (LabelImg, VoTT and Darknet's tools do so):
  the boxes are turned as the picture is. One such picture tells how the whole set was marked, those
  turned by 180° or mirrored too, whose size says nothing;
- scaled as a whole: the boxes are scaled with it;
- of another shape: nobody knows where its boxes are, and it is left out.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import ArrayLike, NDArray

from viewfinder.datasets.boxes import Boxes, no_size, to_find
from viewfinder.datasets.dataset import Dataset
from viewfinder.datasets.picture_sizes import Measures, measure, measured_sizes
from viewfinder.errors import InputError
from viewfinder.pictures.masks import Segmentation
from viewfinder.wording import counted


def longer_sides(dataset: Dataset) -> NDArray[np.int64]:
    """N: the longer side of each picture, by what its labels state or else its file; 0 where
    neither says it."""
    stated = dataset.sizes
    known = stated is not None and bool((stated > 0).all())
    sizes = stated if known else measured_sizes(dataset.root, dataset.paths)
    assert sizes is not None
    return np.asarray(sizes.max(axis=1, initial=0), np.int64)


def object_shares(corners: NDArray[np.floating], longer: ArrayLike) -> NDArray[np.float64]:
    """M: an object's mean side, √(width·height), as a share of its picture's longer side.

    Args:
        corners: M×4 as x1, y1, x2, y2 in pixels.
        longer: the side of all objects' picture, or M of each one's own.
    """
    sides = np.sqrt((corners[:, 2:] - corners[:, :2]).astype(np.float64).prod(axis=1))
    return np.asarray(sides / np.maximum(longer, 1), np.float64)


def sized_objects(dataset: Dataset) -> Iterator[tuple[int, NDArray[np.float64]]]:
    """Of each picture in which an object is marked: its longer side, 0 if unknown, and the objects'
    shares of it."""
    if dataset.boxes is None:
        return
    longer, wanted = longer_sides(dataset), to_find(dataset.boxes)
    for number, side in enumerate(longer.tolist()):
        rows = dataset.boxes.of(number)
        if wanted[rows].any():
            yield side, object_shares(dataset.boxes.corners[rows][wanted[rows]], side)


def _measures_of(dataset: Dataset) -> Measures:
    """What the files say, which who read the set may have asked them already."""
    sizes = dataset.sizes if dataset.file_sizes is None else dataset.file_sizes
    if dataset.orientations is not None and sizes is not None:
        return Measures(sizes, dataset.orientations)
    return measure(dataset.root, dataset.paths)


@dataclass(frozen=True, eq=False)
class Fitting:
    """How each picture's boxes come to lie in the picture as it is now.

    Attributes:
        turned: N bool, marked on the stored pixels, and to be turned.
        scaled: N bool, marked on a picture of another scale.
        misshapen: N bool, marked on a picture of another shape.
        unsure: N bool, turned by EXIF, and nothing says whether boxes were marked before or after.
        restated: N×1 bool, where width and height are exchanged in the labels alone.
        measures: what the files say.
    """

    turned: NDArray[np.bool_]
    scaled: NDArray[np.bool_]
    misshapen: NDArray[np.bool_]
    unsure: NDArray[np.bool_]
    restated: NDArray[np.bool_]
    measures: Measures


def fitting(dataset: Dataset, *, stored: bool | None = None) -> Fitting:
    """Compare what the labels state with the files.

    Args:
        stored: whether boxes were marked on the pixels as stored, if that is known.
    """
    boxes, stated = dataset.boxes, dataset.sizes
    assert boxes is not None
    assert stated is not None
    found = _measures_of(dataset)
    # YOLO states no sizes: its shares became pixels of the picture as it is.
    known = (stated > 0).all(1) & (found.sizes > 0).all(1) & (dataset.layout != "YOLO")
    swapped = found.orientations >= 5
    upright, as_stored = _alike(stated, found.sizes), _alike(stated, found.stored)
    # A square picture's size says nothing of how it was marked.
    tells = known & swapped & (found.sizes[:, 0] != found.sizes[:, 1])
    if stored is None:
        says_stored = tells & as_stored & ~upright
        stored_set = bool(says_stored.any()) and not (tells & upright & ~as_stored).any()
        turned = says_stored | (stored_set & (found.orientations > 1) & (as_stored | ~known))
    else:
        turned = np.full(len(dataset), stored) & (found.orientations > 1)
    target = np.where(turned[:, None], found.stored, found.sizes)
    fits = ~known | _alike(stated, target)
    restated = _only_stated_wrong(dataset, found.sizes, known & ~fits)
    fits |= restated
    scaled = known & fits & _alike(stated, target) & (stated != target).any(1)
    marked = np.diff(boxes.offsets) > 0
    says_upright = bool((tells & upright & ~as_stored & (dataset.layout != "YOLO")).any())
    unsure = (found.orientations > 1) & ~turned & marked & (not says_upright)
    unsure &= stored is None
    return Fitting(turned, scaled, known & ~fits, unsure, restated[:, None], found)


def fitted(dataset: Dataset, *, stored: bool | None = None) -> Dataset:
    """The set with boxes in pixels of the pictures as they are, without those that cannot be.

    Raises:
        InputError: no picture is left.
    """
    boxes = dataset.boxes
    assert boxes is not None
    assert dataset.sizes is not None
    how = fitting(dataset, stored=stored)
    sizes = np.where(how.measures.sizes > 0, how.measures.sizes, dataset.sizes)
    target = np.where(how.turned[:, None], how.measures.stored, sizes)
    stated = np.where(how.scaled[:, None], dataset.sizes, target)
    if dataset.layout == "YOLO":
        stated = sizes  # its numbers were shares, and became pixels of the upright picture
    factors = np.where(stated > 0, target / np.maximum(stated, 1), 1.0)
    if (factors != 1).any() or how.turned.any():
        boxes = _moved(boxes, factors, how)
    notes = [
        f"{counted(count, 'picture')} {what}"
        for count, what in (
            (int(how.turned.sum()), "marked as stored, before EXIF turns them: boxes turned too"),
            (int(how.scaled.sum()), "scaled since they were labelled: boxes scaled too"),
            (int(how.misshapen.sum()), "of another shape than their labels say: left out"),
            (int(how.unsure.sum()), "turned by EXIF, boxes taken as marked on the turned picture"),
        )
        if count
    ]
    if len(dataset) and how.misshapen.all():
        raise InputError(
            f"{dataset.root}: every picture is of another shape than its labels say: put those "
            "back that were labelled; `viewfinder check` gives both sizes"
        )
    result = replace(
        dataset,
        boxes=boxes,
        sizes=sizes,
        orientations=None,
        file_sizes=None,
        notes=(*dataset.notes, *notes),
    )
    return result.select(np.flatnonzero(~how.misshapen)) if how.misshapen.any() else result


def _only_stated_wrong(
    dataset: Dataset, sizes: NDArray[np.int64], unlike: NDArray[np.bool_]
) -> NDArray[np.bool_]:
    """N bool: pictures whose labels exchange width and height, and whose boxes are right.

    That is so where of all pictures with exchanged sides every box lies in the picture as it is,
    and some do not in the one that is stated.
    """
    boxes, stated = dataset.boxes, dataset.sizes
    assert boxes is not None
    assert stated is not None
    exchanged = unlike & (stated == sizes[:, ::-1]).all(1)
    pictures = boxes.pictures()
    chosen = exchanged[pictures]
    if not chosen.any():
        return np.zeros(len(dataset), np.bool_)
    ends = boxes.corners[chosen, 2:]
    right = (ends <= sizes[pictures[chosen]] + 1).all()
    wrong = (ends > stated[pictures[chosen]] + 1).any()
    return np.asarray(exchanged & (right & wrong))


def _alike(one: NDArray[np.int64], other: NDArray[np.int64]) -> NDArray[np.bool_]:
    """N bool: the same shape, to the rounding of a scaled picture's sides."""
    with np.errstate(divide="ignore", invalid="ignore"):
        factor = other.max(1) / one.max(1)
        off = np.abs(one * factor[:, None] - other).max(1)
        return np.asarray(off <= np.maximum(1.0, factor))


def _moved(boxes: Boxes, factors: NDArray[np.float64], how: Fitting) -> Boxes:
    pictures = boxes.pictures()
    corners = boxes.corners * np.tile(factors[pictures], 2)
    stored = how.measures.stored[pictures].astype(np.float64)
    orientations = np.where(how.turned, how.measures.orientations, 1)[pictures]
    ends = [
        turned_points(corners[:, place], stored, orientations) for place in (slice(2), slice(2, 4))
    ]
    low, high = np.minimum(*ends), np.maximum(*ends)
    area = factors[pictures].prod(1)
    changed = (factors[pictures] != 1).any(1) | (orientations > 1)
    changed &= ~no_size(boxes.corners)  # what holds nothing is a fault, and stays one
    return replace(
        boxes,
        corners=np.where(changed[:, None], np.concatenate([low, high], axis=1), boxes.corners),
        areas=boxes.areas * area,
        segmentations={
            row: moved
            for row, outline in boxes.segmentations.items()
            if (moved := _moved_outline(outline, factors[pictures[row]], stored[row],
                                        int(orientations[row]), bool(changed[row]))) is not None
        },
    )  # fmt: skip


def _moved_outline(
    outline: Segmentation,
    factors: NDArray[np.float64],
    stored: NDArray[np.float64],
    orientation: int,
    changed: bool,
) -> Segmentation | None:
    """An outline where its box went; run lengths are of the old pixels, and are let go."""
    if not changed:
        return outline
    if isinstance(outline, dict):
        return None
    return [
        turned_points(
            points.reshape(-1, 2) * factors, stored[None], np.array([orientation])
        ).ravel()
        for points in outline
    ]


def turned_points(
    points: NDArray[np.float64], stored: NDArray[np.float64], orientations: NDArray[np.int_]
) -> NDArray[np.float64]:
    """Points of stored pictures where EXIF's orientation puts them.

    Args:
        points: M×2, x and y on the pixels as stored.
        stored: M×2 or 1×2, width and height as stored.
        orientations: M or 1, from 1 to 8. See CIPA DC-008, the tag Orientation.
    """
    x, y = points[:, 0], points[:, 1]
    across, down = stored[:, 0] - x, stored[:, 1] - y
    choices_x = [x, across, across, x, y, down, down, y]
    choices_y = [y, y, down, down, x, x, across, across]
    index = np.broadcast_to(orientations - 1, x.shape)
    return np.stack([np.choose(index, choices_x), np.choose(index, choices_y)], axis=1)
