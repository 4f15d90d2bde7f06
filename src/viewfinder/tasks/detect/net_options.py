"""What of a detector's net follows from a set: its anchors, and where each of them answers."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from viewfinder import nets
from viewfinder.datasets.boxes import usable
from viewfinder.datasets.dataset import Dataset
from viewfinder.datasets.loading import true_sizes
from viewfinder.events import note
from viewfinder.nets.yolov3 import Anchors
from viewfinder.pictures.geometry import Size
from viewfinder.tasks.detect.anchors import fit_anchors, measure_fit, tell_gain
from viewfinder.tasks.detect.recipe import DetectRecipe
from viewfinder.wording import counted

# How far a centre may lie from the middle of a cell that answers for it, in cells: the loss that
# gives an object to neighbouring cells needs more than Darknet's 1.
_REACH = {"iou": 2.0, "darknet": 1.0}


def net_options(recipe: DetectRecipe, dataset: Dataset, size: Size) -> dict[str, Any]:
    """The recipe's own options, and beside them the anchors, their masks, and the reach.

    Args:
        size: of the net's input, at which anchors are fitted to the training boxes.
    """
    usual = nets.options(recipe.net)
    if recipe.anchors == "paper":
        anchors, masks = usual["anchors"], [list(mask) for mask in usual["masks"]]
    else:
        anchors = _fitted(dataset.split("train"), size, usual["anchors"])
        masks = _masks(len(anchors), len(usual["masks"]))
    listed = [list(anchor) for anchor in anchors]
    found = {"anchors": listed, "masks": masks, "reach": _REACH[recipe.loss]}
    return found | recipe.net_options()


def _fitted(train: Dataset, size: Size, usual: Anchors) -> Anchors:
    """Anchors fitted to the boxes at the size that the net sees them; tells the gain."""
    boxes = train.boxes
    assert boxes is not None, "`Detect.require` has seen to it"
    kept = boxes.keep(usable(boxes) & ~boxes.crowd & ~boxes.difficult)
    factors = (np.array(size) / true_sizes(train)).min(axis=1)[kept.pictures()]
    sides = (kept.corners[:, 2:] - kept.corners[:, :2]) * factors[:, None]
    anchors = fit_anchors(sides, len(usual))
    told = tell_gain(measure_fit(sides, usual), measure_fit(sides, anchors))
    note(f"anchors fitted to {counted(len(sides), 'box')}: {told}")
    return tuple((round(width, 1), round(height, 1)) for width, height in anchors)


def _masks(anchors: int, scales: int) -> list[list[int]]:
    """The anchors of each scale, the coarsest scale first and with the largest."""
    parts: Sequence[Any] = np.array_split(np.arange(anchors), scales)
    return [part.tolist() for part in reversed(parts)]
