"""Anchors: those of the paper, or fitted to a set's own boxes; and what fitting them gains.

Redmon, Farhadi: "YOLO9000: better, faster, stronger", 2017, section 2, "dimension clusters":
k-means over widths and heights, where two boxes are 1 − IoU apart with their centres on each other.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from viewfinder import nets
from viewfinder.datasets.boxes import to_find
from viewfinder.datasets.dataset import Dataset
from viewfinder.datasets.loading import true_sizes
from viewfinder.errors import InputError
from viewfinder.events import note
from viewfinder.nets.yolo import Anchors
from viewfinder.pictures.geometry import Size
from viewfinder.tasks.detect.heads.yolo.assigning import RATIO
from viewfinder.tasks.detect.recipe import DetectRecipe
from viewfinder.tasks.detect.tiling.choosing import tiles_for
from viewfinder.tasks.detect.tiling.tiles import Tiles
from viewfinder.values import as_list, as_number, as_whole
from viewfinder.wording import counted

Sides = NDArray[np.floating]

# So many boxes say all that more would: anchors move by less than their boxes differ.
_SAMPLE = 20_000
_RESTARTS = 8
_MOST_ROUNDS = 100
_CHUNK = 100_000
# How far a centre may lie from the middle of a cell that answers for it, in cells: the loss that
# gives an object to neighbouring cells needs more than Darknet's 1.
_REACH = {"iou": 2.0, "darknet": 1.0}
# Blocks of a backbone that keep ImageNet's weights. Edges and textures are the same anywhere, and
# a step takes a quarter less time; few labels also end at a higher AP50 (docs/detection.md).
_STILL = 3


@dataclass(frozen=True)
class AnchorFit:
    """How well anchors fit boxes.

    Attributes:
        overlap: the mean over boxes of the best IoU that an anchor has with each, in [0, 1].
        within: the share of boxes whose width and height are within a factor 3 of an anchor's, so
            that training takes that anchor for them (`losses.loss`).
    """

    overlap: float
    within: float


def net_options(recipe: DetectRecipe, dataset: Dataset, size: Size) -> dict[str, object]:
    """What a net of `yolo.YOLO` is created with: the recipe's options, anchors, masks and reach.

    Args:
        size: of the net's input, at which anchors are fitted to the training boxes.
    """
    usual = nets.options(recipe.net)
    paper: Anchors = tuple(
        (as_number(width), as_number(height))
        for width, height in map(as_list, as_list(usual["anchors"]))
    )
    if recipe.anchors == "paper":
        anchors, masks = paper, [list(map(as_whole, as_list(m))) for m in as_list(usual["masks"])]
    else:
        tiles = tiles_for(recipe, dataset)
        anchors = _fitted(dataset.split("train"), size, paper, tiles)
        masks = _masks(len(anchors), len(as_list(usual["masks"])))
    listed = [list(anchor) for anchor in anchors]
    found = {"anchors": listed, "masks": masks, "reach": _REACH[recipe.loss]}
    still = {"still": _STILL} if "still" in usual and recipe.init == "imagenet" else {}
    return found | still | recipe.net_options()


def fit_anchors(sides: Sides, count: int, *, seed: int = 0) -> Anchors:
    """`count` anchors for boxes of these widths and heights, from small to large.

    The same boxes and seed give the same anchors. Where fewer boxes differ than there are to be
    anchors, anchors are there more than once.

    Args:
        sides: M×2 widths and heights in pixels of the net's input.

    Raises:
        InputError: there are no boxes, one has a side that is no number above 0, or `count` is
            less than 1.
    """
    if count < 1:
        raise InputError(f"anchors to fit are {count}: there must be 1 or more")
    boxes = _checked(sides)
    different = np.unique(boxes, axis=0)
    if len(different) <= count:
        chosen = np.resize(different, (count, 2))
    else:
        random = np.random.default_rng(seed)
        if len(boxes) > _SAMPLE:
            boxes = boxes[random.choice(len(boxes), _SAMPLE, replace=False)]
        runs = [_cluster(boxes, count, random) for _ in range(_RESTARTS)]
        chosen = max(runs, key=lambda anchors: _overlaps(boxes, anchors).max(1).mean())
    chosen = chosen[np.lexsort((chosen[:, 0], chosen.prod(1)))]
    return tuple((float(width), float(height)) for width, height in chosen)


def measure_fit(sides: Sides, anchors: Anchors) -> AnchorFit:
    """How well the anchors fit boxes of these widths and heights, M×2, in the same pixels.

    Raises:
        InputError: there are no boxes, or one has a side that is no number above 0.
    """
    boxes, fitted = _checked(sides), np.asarray(anchors, np.float64)
    overlap, within = 0.0, 0
    for start in range(0, len(boxes), _CHUNK):
        chunk = boxes[start : start + _CHUNK]
        factors = chunk[:, np.newaxis] / fitted
        worst = np.maximum(factors, 1 / factors).max(2)
        within += int((worst.min(1) <= RATIO).sum())
        overlap += float(_overlaps(chunk, fitted).max(1).sum())
    return AnchorFit(overlap / len(boxes), within / len(boxes))


def gain_in_words(before: AnchorFit, after: AnchorFit) -> str:
    """A sentence that says what other anchors changed."""
    return (
        f"the best anchor's mean IoU with a box goes from {before.overlap:.2f} to "
        f"{after.overlap:.2f}, and the boxes within a factor {RATIO:g} of an anchor go from "
        f"{before.within:.1%} to {after.within:.1%}"
    )


def _fitted(train: Dataset, size: Size, usual: Anchors, tiles: Tiles | None) -> Anchors:
    """Anchors fitted to the boxes at the size that the net sees them; tells the gain."""
    boxes = train.boxes
    assert boxes is not None, "`Detect.require` has seen to it"
    kept = boxes.keep(to_find(boxes))
    shown = tiles.tile(size) if tiles else true_sizes(train)
    scales = np.broadcast_to((np.array(size) / shown).min(axis=-1), len(train))
    factors = scales[kept.pictures()]
    sides = (kept.corners[:, 2:] - kept.corners[:, :2]) * factors[:, None]
    anchors = fit_anchors(sides, len(usual))
    gain = gain_in_words(measure_fit(sides, usual), measure_fit(sides, anchors))
    note(f"anchors fitted to {counted(len(sides), 'box')}: {gain}")
    return tuple((round(width, 1), round(height, 1)) for width, height in anchors)


def _masks(anchors: int, scales: int) -> list[list[int]]:
    """The anchors of each scale, the coarsest scale first and with the largest."""
    parts: Sequence[NDArray[np.int64]] = np.array_split(np.arange(anchors), scales)
    return [part.tolist() for part in reversed(parts)]


def _checked(sides: Sides) -> NDArray[np.float64]:
    checked = np.asarray(sides, np.float64)
    if checked.size == 0:
        raise InputError(
            "there are no boxes to fit anchors to: mark some objects first, or keep the net's own"
        )
    if checked.ndim != 2 or checked.shape[1] != 2:
        raise InputError(f"sides is of shape {checked.shape}: it must be a width and height a box")
    wrong = np.flatnonzero(~(np.isfinite(checked) & (checked > 0)).all(1))
    if len(wrong):
        width, height = checked[wrong[0]]
        raise InputError(
            f"box {wrong[0]} is {width}×{height} pixels: anchors are fitted to boxes with a width "
            "and a height above 0, so fix or drop it"
        )
    return checked


def _cluster(
    sides: NDArray[np.float64], count: int, random: np.random.Generator
) -> NDArray[np.float64]:
    """One run of k-means from a start of its own: the best anchors it came by.

    The mean of a cluster is not what has the best IoU with it, so a round can lose a little.
    """
    anchors = _start(sides, count, random)
    best, best_overlap, nearest = anchors, -1.0, np.full(len(sides), -1)
    for _ in range(_MOST_ROUNDS):
        overlaps = _overlaps(sides, anchors)
        overlap = float(overlaps.max(1).mean())
        if overlap > best_overlap:
            best, best_overlap = anchors, overlap
        previous, nearest = nearest, overlaps.argmax(1)
        if np.array_equal(nearest, previous):
            break
        members = np.bincount(nearest, minlength=count)
        sums = np.stack([np.bincount(nearest, side, minlength=count) for side in sides.T], axis=1)
        # An anchor that no box is nearest to stays where it is.
        anchors = np.where(
            members[:, np.newaxis] > 0, sums / members.clip(1)[:, np.newaxis], anchors
        )
    return best


def _start(
    sides: NDArray[np.float64], count: int, random: np.random.Generator
) -> NDArray[np.float64]:
    """Boxes far from each other: each drawn by its squared distance from those before.

    Arthur, Vassilvitskii: "k-means++: the advantages of careful seeding", 2007.
    """
    chosen = [sides[random.integers(len(sides))]]
    distance = np.ones(len(sides))
    while len(chosen) < count:
        distance = np.minimum(distance, 1 - _overlaps(sides, chosen[-1][np.newaxis])[:, 0])
        weight = distance.clip(0) ** 2
        chosen.append(sides[random.choice(len(sides), p=weight / weight.sum())])
    return np.stack(chosen)


def _overlaps(sides: NDArray[np.float64], anchors: NDArray[np.float64]) -> NDArray[np.float64]:
    """M×A: the IoU of each box with each anchor, both with their centres on each other."""
    (widths, heights), (across, down) = sides.T[:, :, np.newaxis], anchors.T
    shared = np.minimum(widths, across) * np.minimum(heights, down)
    overlaps: NDArray[np.float64] = shared / (widths * heights + across * down - shared)
    return overlaps
