"""Which pictures an epoch shows, how often, and at which sizes."""

import numpy as np
from numpy.typing import NDArray

from viewfinder.datasets.boxes import Boxes
from viewfinder.pictures.geometry import Size


def repeat_factors(boxes: Boxes, classes: int, *, threshold: float) -> NDArray[np.float64]:
    """How often an epoch should show each picture so that rare classes are seen more often: N, ≥ 1.

    With f(c) the share of pictures that hold class c, r(c) = max(1, √(threshold / f(c))), and a
    picture's factor is the greatest r(c) of its classes. Crowds and difficult objects, which are
    not learnt from, do not count; a picture without objects is shown once.

    Gupta, Dollár, Girshick: "LVIS: A dataset for large vocabulary instance segmentation", 2019,
    repeat factor sampling.

    Args:
        threshold: the share of pictures below which a class is rare; 0 repeats none.
    """
    pictures = len(boxes.offsets) - 1
    counted = (boxes.classes >= 0) & ~boxes.crowd & ~boxes.difficult
    of_boxes, labels = boxes.pictures()[counted], boxes.classes[counted]
    # A picture counts once for a class, however many of its objects it holds.
    holding = np.unique(of_boxes * classes + labels) % classes
    shares = np.bincount(holding, minlength=classes) / max(1, pictures)
    of_classes = np.ones(classes)
    present = shares > 0
    of_classes[present] = np.maximum(1, np.sqrt(threshold / shares[present]))
    factors = np.ones(pictures)
    np.maximum.at(factors, of_boxes, of_classes[labels])
    return factors


def epoch_order(factors: NDArray[np.float64], generator: np.random.Generator) -> NDArray[np.int64]:
    """The numbers of the pictures that an epoch shows, in the order in which it shows them.

    A picture of factor 2.3 comes twice, and in three epochs of ten a third time; with all factors
    1, the order is a permutation.
    """
    whole = np.floor(factors)
    repeats = (whole + (generator.random(len(factors)) < factors - whole)).astype(np.int64)
    return generator.permutation(np.repeat(np.arange(len(factors)), repeats))


def reduced(frame: Size, *, stride: int, share: float) -> Size:
    """The width and height nearest to a `share` of a frame's that are multiples of the stride."""
    width, height = (stride * max(1, round(side * share / stride)) for side in frame)
    return width, height


def frames_around(frame: Size, *, stride: int, share: float) -> list[Size]:
    """Widths and heights to train at in turn, so that a net learns objects at many sizes.

    Their long sides are all multiples of the stride within `share` of the frame's; their short
    sides follow its aspect, to the nearest multiple. A training draws one of them for each
    step, for every process the same, and makes that step's pictures for it. The frame itself is
    one.

    Redmon, Farhadi: "YOLO9000: better, faster, stronger", 2016, section 2, multi-scale training.

    Args:
        frame: width and height, both multiples of the stride.
        share: 0.25 gives sides from three quarters to five quarters of the frame's; 0 gives one.
    """
    long, short = max(frame), min(frame)
    most = int(long * share / stride + 1e-6)
    frames = []
    for steps in range(-most, most + 1):
        side = long + steps * stride
        if side < stride:
            continue
        other = stride * max(1, round(short * side / long / stride))
        frames.append((side, other) if frame[0] >= frame[1] else (other, side))
    return frames
