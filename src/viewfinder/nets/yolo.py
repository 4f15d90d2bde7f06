"""What every net with YOLO's maps has, whatever its backbone: anchors, scales, layers that predict.

Redmon, Farhadi: "YOLOv3: an incremental improvement", 2018, section 2. A net derives from `YOLO`
here; what its maps mean, and how they learn it, is in `tasks/detect/heads/yolo/`.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import nn

from viewfinder.errors import InputError

Anchors = Sequence[Sequence[float]]
Masks = Sequence[Sequence[int]]

BOX_VALUES = 5
"""What is predicted of an anchor beside its classes: x, y, width, height and objectness."""
_OBJECTNESS = 4
_FIRST_OBJECTNESS = 0.01


@dataclass(frozen=True)
class Scale:
    """One of a net's output maps: the pixels between its cells, and the anchors in each cell.

    Anchors are (width, height) in pixels of the net's input. A cell predicts centres within a
    square of `reach` cells' sides around its own middle: 1 is the cell itself, as in YOLOv3.
    """

    stride: int
    anchors: tuple[tuple[float, float], ...]
    reach: float = 1.0


class YOLO(nn.Module):
    """N×3×H×W pictures to a map a scale, N×A·(5 + classes)×H/stride×W/stride, all values raw.

    A map's channels are, for each of its A anchors in turn: x, y, width, height, objectness and
    the classes. The 1×1 convolution that makes a map is called `predict`, in whatever it lies; they
    are created in the order of the scales, which is that of the outputs.

    Attributes:
        head_family: who says what the maps mean; see `tasks/detect/heads/`.
        classes: how many it tells apart.
        scales: of each map, from the coarsest to the finest.
    """

    head_family: ClassVar[str] = "yolo"
    classes: int
    scales: tuple[Scale, ...]

    def predictors(self) -> dict[str, nn.Conv2d]:
        """The layers that make the maps, by their names in the net."""
        return {
            name: module
            for name, module in self.named_modules()
            if isinstance(module, nn.Conv2d) and name.rpartition(".")[2] == "predict"
        }


def draw_predictors(net: YOLO) -> None:
    """Begin as one who has seen that nearly all of a picture holds no object.

    Weights from N(0, 0.01²), and biases that make objectness 0.01 everywhere (Lin et al., Focal
    loss for dense object detection, 2017, section 4.1): else the many empty cells would rule the
    first steps.
    """
    for layer, scale in zip(net.predictors().values(), net.scales, strict=True):
        assert layer.bias is not None
        nn.init.normal_(layer.weight, std=0.01)
        with torch.no_grad():
            biases = layer.bias.view(len(scale.anchors), -1)
            biases[:, _OBJECTNESS] = math.log(_FIRST_OBJECTNESS / (1 - _FIRST_OBJECTNESS))


def scales_of(
    strides: tuple[int, ...], anchors: Anchors, masks: Masks, reach: float
) -> tuple[Scale, ...]:
    """The scales of these strides with their share of the anchors.

    Args:
        anchors: widths and heights in pixels of the net's input.
        masks: for each stride the indices of its anchors.
        reach: see `Scale`.

    Raises:
        InputError: an anchor is no width and height above 0, a mask names none of the anchors, or
            the reach is less than a cell.
    """
    if not isinstance(reach, int | float) or not 1 <= reach < math.inf:
        raise InputError(f"reach is {reach!r}: it must be 1, for centres in their cell, or more")
    if not isinstance(anchors, Sequence):
        raise InputError(f"anchors is {anchors!r}: it must be a list of widths and heights")
    pairs = [_anchor(anchor) for anchor in anchors]
    if not isinstance(masks, Sequence) or len(masks) != len(strides):
        raise InputError(
            f"masks is {masks!r}: it must be a list of anchors for each of the {len(strides)} "
            f"scales, of strides {', '.join(map(str, strides))}"
        )
    every = range(len(pairs))
    for mask in masks:
        if not mask or not isinstance(mask, Sequence) or len(set(mask) & set(every)) != len(mask):
            raise InputError(
                f"masks has {mask!r}: it must be one or more different numbers from 0 to "
                f"{len(pairs) - 1}, for there are {len(pairs)} anchors"
            )
    return tuple(
        Scale(stride, tuple(pairs[index] for index in mask), reach)
        for stride, mask in zip(strides, masks, strict=True)
    )


def _anchor(anchor: Sequence[float]) -> tuple[float, float]:
    try:
        width, height = (float(side) for side in anchor)
    except (TypeError, ValueError):
        width = height = math.nan
    if not (0 < width < math.inf and 0 < height < math.inf):
        raise InputError(
            f"anchors has {anchor!r}: it must be a width and a height in pixels, both above 0"
        )
    return width, height
