"""What stands on a stand, from the difference to a picture of the empty stand.

1. The empty stand's picture is laid over the frame (`registration`): moved, turned and lit as it.
2. A pixel has changed where it differs by more than noise and the registration's error explain.
3. A changed pixel may be shadow where it is the same colour but darker, by no more than half, and
   where that darkness begins softly: from the unchanged stand one gets to it without crossing a
   sharp edge. An object's dark or grey parts have sharp outlines and stay the object's.
   (2 and 3 are `stand_change`.)
4. What is surely changed and what is surely not are seeds from which GrabCut (Rother et al. 2004)
   decides about shadows and about parts that look like the stand behind them.

Large frames are looked at in a smaller copy, `_SIDE` pixels long, in which noise is less too.
"""

import math
from dataclasses import dataclass, replace

import cv2
import numpy as np
from numpy.typing import NDArray

from viewfinder.errors import InputError
from viewfinder.labelling.certainty import PLATE, expected_iou
from viewfinder.labelling.registration import greatest, register, slope
from viewfinder.labelling.stand_change import Array, Mask, StandChange, changes_since, shadow_of
from viewfinder.pictures.geometry import BoxArray, stretch
from viewfinder.pictures.masks import box_around
from viewfinder.pictures.resampling import resample

_SIDE = 512
_NARROWEST = 16  # pixels of that copy, in which a picture's place can still be found
_SURE = 15.0
_FEW = 0.12  # of the object's pixels; fewer sure ones do not show all of its colours
_PART = 0.05  # of the largest part; smaller ones are not the object's
_THING = 0.2  # of the largest thing; a smaller one that stands apart is not taken for a thing
_MOST_PARTS = 40  # that are looked at; what is in more pieces is noise
_BETWEEN = 0.6  # of the pixels between two parts; where more have changed, both are one thing
_ROUNDS = 3  # of GrabCut
_WAIST = 0.85  # of the narrower part's width; a waist no wider than that may be where two touch
_OTHER_HALF = 0.6  # of the wider part's width; a narrower part is a handle, a neck or a foot
_ROUGH = 2.0  # pixels, by which an outline's roughness changes the half of a width
_SMALLEST = 0.0004  # of the picture: less is noise or a fly


@dataclass(frozen=True, eq=False)
class Sighting:
    """What was seen on the stand.

    Attributes:
        mask: H×W bool.
        box: 4 float32, `x1, y1, x2, y2` in pixels around the mask.
        score: 0 to 1, the IoU that the box is expected to have with the true one.
        may_be_two: it has a waist, as two things have that touch.
    """

    mask: Mask
    box: BoxArray
    score: float
    may_be_two: bool = False


def find_on_stand(picture: NDArray[np.uint8], empty: NDArray[np.uint8]) -> list[Sighting]:
    """What stands apart in an H×W×3 picture of the stand, given one of the empty stand.

    Returns:
        The things, the largest first; what is small beside the largest is taken for dirt.

    Raises:
        InputError: the pictures are of different sizes, or do not show one stand.
    """
    if picture.shape != empty.shape:
        raise InputError(
            f"it is {picture.shape[1]}×{picture.shape[0]} and the empty stand's picture is "
            f"{empty.shape[1]}×{empty.shape[0]}: take both with one camera and one setting"
        )
    frame, plate = _reduced(picture), _reduced(empty)
    if min(frame.shape[:2]) < _NARROWEST:
        raise InputError(
            f"it is {picture.shape[1]}×{picture.shape[0]}, too narrow to be laid over the empty "
            "stand's picture: take both of the whole stand"
        )
    change = changes_since(register(plate, frame), frame)
    shadow, misfit = shadow_of(change)
    things = _things(_cleaned(change.changed & ~shadow, gaps=9), change.changed)
    size = (picture.shape[1], picture.shape[0])
    masks: list[Mask] = []
    for seen in things:
        cut = _cut(frame, change, misfit, seen, np.logical_or.reduce(things) & ~seen)
        # What seemed to touch may not do so after all.
        masks += _things(cut, change.changed)
    found = []
    for mask in sorted(masks, key=lambda mask: -int(mask.sum())):
        others = np.logical_or.reduce(masks) & ~mask
        sighting = _sighting(mask, _score(mask, others, change, shadow), size)
        found.append(replace(sighting, may_be_two=_has_waist(mask)))
    return found


def _reduced(picture: NDArray[np.uint8]) -> Array:
    height, width = picture.shape[:2]
    scale = min(1, _SIDE / max(height, width))
    size = max(1, round(width * scale)), max(1, round(height * scale))
    return resample(picture.astype(np.float32), stretch((width, height), size), size)


def _things(seen: Mask, changed: Mask) -> list[Mask]:
    """What of `seen` stands apart, the largest first.

    Parts between which most has changed are one thing, of which some looks like shadow. Two things
    may be joined by a shadow that one throws upon the other, but not all along.
    """
    count, parts, statistics, _ = cv2.connectedComponentsWithStats(
        seen.astype(np.uint8), connectivity=4
    )
    sizes = np.concatenate([[0], statistics[1:, cv2.CC_STAT_AREA]])
    order = np.argsort(-sizes, kind="stable")[: min(count - 1, _MOST_PARTS)]
    _, clumps = cv2.connectedComponents((changed | seen).astype(np.uint8))
    things: list[Mask] = []
    for part in order.tolist():
        mask = parts == part
        near = [i for i, thing in enumerate(things) if clumps[mask][0] in clumps[thing]]
        small = bool(things) and sizes[part] < _THING * things[0].sum()
        own = next((i for i in near if small or _joined(mask, things[i], changed)), None)
        if own is not None and sizes[part] >= _PART * things[own].sum():
            things[own] = things[own] | mask
        elif own is None and not small and sizes[part] >= max(16, _SMALLEST * seen.size):
            things.append(mask)
    return things


def _joined(first: Mask, second: Mask, changed: Mask) -> bool:
    """Whether most of what lies between two masks has changed."""
    between = _hull(first | second) & ~_hull(first) & ~_hull(second)
    return not between.any() or bool(changed[between].mean() > _BETWEEN)


def _hull(mask: Mask) -> Mask:
    """The convex hull of a mask."""
    points = np.argwhere(mask)[:, ::-1].astype(np.int32)
    drawn = cv2.fillConvexPoly(np.zeros(mask.shape, np.uint8), cv2.convexHull(points), 1)
    return np.asarray(drawn > 0, np.bool_)


def _cut(frame: Array, change: StandChange, misfit: Array, seen: Mask, others: Mask) -> Mask:
    """The object by GrabCut, from what is surely its own and what is surely not.

    Args:
        others: H×W, what other objects are seen on.
    """
    kernel = np.ones((3, 3), np.uint8)
    # Sure, and no thin line of an edge that was laid a little wrong.
    own = change.changed & (misfit > _SURE)
    own = (cv2.morphologyEx(own.astype(np.uint8), cv2.MORPH_OPEN, kernel) > 0) & seen
    if own.sum() < _FEW * seen.sum():
        own = cv2.erode(seen.astype(np.uint8), kernel, iterations=2) > 0
    _, parts = cv2.connectedComponents(
        cv2.dilate(change.changed.astype(np.uint8), np.ones((5, 5), np.uint8))
    )
    around = np.isin(parts, np.unique(parts[change.changed & seen]))
    labels = np.full(seen.shape, cv2.GC_BGD, np.uint8)
    labels[around & ~others] = cv2.GC_PR_BGD
    labels[seen] = cv2.GC_PR_FGD
    labels[own] = cv2.GC_FGD
    x1, y1, x2, y2 = box_around(labels != cv2.GC_BGD)
    margin = 12
    window = (
        slice(max(0, y1 - margin), y2 - 1 + margin),
        slice(max(0, x1 - margin), x2 - 1 + margin),
    )
    inner = np.ascontiguousarray(labels[window])
    if (inner != cv2.GC_BGD).all():
        return seen
    colours = np.ascontiguousarray(np.clip(frame[window], 0, 255).astype(np.uint8))
    cv2.setRNGSeed(0)
    models = np.zeros((1, 65)), np.zeros((1, 65))
    whole = (0, 0, inner.shape[1], inner.shape[0])  # not looked at, since the labels say where
    cv2.grabCut(colours, inner, whole, *models, _ROUNDS, cv2.GC_INIT_WITH_MASK)
    mask = np.zeros(seen.shape, np.bool_)
    mask[window] = (inner == cv2.GC_FGD) | (inner == cv2.GC_PR_FGD)
    return _cleaned(mask, gaps=3)


def _cleaned(mask: Mask, *, gaps: int) -> Mask:
    """Without specks and thin lines, and with gaps up to so many pixels closed."""
    opened = cv2.morphologyEx(mask.astype(np.uint8), cv2.MORPH_OPEN, np.ones((3, 3), np.uint8))
    disc = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (gaps, gaps))
    return np.asarray(cv2.morphologyEx(opened, cv2.MORPH_CLOSE, disc) > 0, np.bool_)


def _score(mask: Mask, others: Mask, change: StandChange, shadow: Mask) -> float:
    """The IoU to be expected, from the product of four shares that are near 1 when all is clear.

    Its pixels changed and are no shadow; little else in the picture did; its outline is an edge of
    the frame; and it stands out from noise.
    """
    own = change.changed & ~shadow
    inside = float(own[mask].mean())
    # A thin rim of shadow, a few tenths of the object's size, lies around every object.
    outside = max(0.0, float(own[~mask & ~others].sum() / mask.sum()) - 0.2)
    kernel = np.ones((3, 3), np.uint8)
    outline = mask & (cv2.erode(mask.astype(np.uint8), kernel) == 0)
    steep = cv2.dilate(greatest(slope(change.frame)), kernel)[outline]
    outlined = float((steep > 2 * math.sqrt(np.median(change.variance))).mean())
    contrast = 1 - math.exp(-math.sqrt(np.median(change.distance[mask])) / 4)
    sure = inside * max(0.0, 1 - outside) * outlined * contrast
    return expected_iou(sure, PLATE)


def _has_waist(mask: Mask) -> bool:
    """Whether a mask falls into two wide parts where it is cut at a place far narrower."""
    # Without a rim, a mask at the picture's edge would be as wide as if it went on there.
    inside = cv2.distanceTransform(np.pad(mask.astype(np.uint8), 1), cv2.DIST_L2, 5)
    widest = float(inside.max())
    for waist in np.arange(1, _WAIST * widest, max(1, widest / 30)):
        count, parts = cv2.connectedComponents((inside > waist).astype(np.uint8))
        widths = [float(inside[parts == part].max()) for part in range(1, count)]
        least = max(_OTHER_HALF * widest, waist / _WAIST, waist + _ROUGH)
        if sum(width >= least for width in widths) > 1:
            return True
    return False


def _sighting(mask: Mask, score: float, size: tuple[int, int]) -> Sighting:
    """The sighting in the frame's own pixels."""
    height, width = mask.shape
    if (width, height) != size:
        grown = resample(mask.astype(np.float32), stretch((width, height), size), size)
        mask = grown > 0.5
    return Sighting(mask, np.array(box_around(mask), np.float32), score)
