"""What a detector in training is to lessen: by default `loss`, or Darknet's own, `darknet_loss`.

Both give a term each for the boxes, for objectness and for the classes, whose sum is minimised,
and do their arithmetic in float32 whatever the net's outputs are. A prediction that answers for no
object and lies mostly within a crowd, or within an object marked as difficult, is neither right nor
wrong: it has no objectness to learn.
"""

import math
from collections.abc import Callable, Sequence

import torch
from torch import Tensor
from torch.nn.functional import binary_cross_entropy_with_logits

from viewfinder.devices import send
from viewfinder.nets.yolo import Scale
from viewfinder.tasks.detect.examples.batch import BoxTruth
from viewfinder.tasks.detect.heads.yolo.assigning import (
    RATIO,
    Places,
    best_anchors,
    fitting_anchors,
    greatest,
    positives,
    responsible,
)
from viewfinder.tasks.detect.heads.yolo.decoding import centre, decode_boxes
from viewfinder.tasks.loss import Add, alone

_OBJECTNESS = 4
_CLASSES = slice(5, None)

_BOX_GAIN = 5.0
# A side e⁸ = 2981 times its anchor's is larger than any picture, and its square no overflow.
_MOST_GROWTH = 8.0
# In pixels: a box without width or height has no logarithm, and no ratio to an anchor.
_LEAST_SIDE = 1e-3
_TINY = 1e-7
# The share of a predicted box within what is ignored from which on it is ignored too.
_MOSTLY = 0.5


def loss(
    outputs: Sequence[Tensor],
    scales: Sequence[Scale],
    truth: BoxTruth,
    ignored: BoxTruth | None = None,
    *,
    ratio: float = RATIO,
    add: Add = alone,
) -> dict[str, Tensor]:
    """Every prediction near an object learns to be its box; all learn to say how good they are.

    The positives of an object are the anchors of every scale whose width and height are within a
    factor `ratio` of its own (where there is none, the nearest), in the cell of its centre and in
    the two cells nearest to it.

      - box: 5 times the mean of 1 − CIoU over the positives (Zheng et al., "Distance-IoU loss:
        faster and better learning for bounding box regression", 2020, equations 8 to 11).
      - objectness: cross-entropy over all cells, whose truth at a positive is the IoU that it now
        has with its object, the greatest where it has several, and elsewhere 0. A cell weighs by
        its map's stride, 1 on average: a map of half the stride has four times the cells, and so
        twice the weight. The sum is divided by the positives, or the pictures if they are more.
      - classes: the mean over the positives of the sum over the classes of the cross-entropy, as
        each class is a question of its own.

    Without objects the first and the last are 0.

    Args:
        outputs: for each scale N×A·(5 + classes)×H×W, raw.
        scales: the net's `scales`.
        ignored: see `batch.BoxBatch`; None is nothing.
        add: where several processes share a step, positives and pictures are those of all, and
            each term is this process's part.
    """
    centres, sizes = _centres_and_sizes(truth)
    # For all scales at once: what no anchor fits goes to the nearest of them all.
    fits = fitting_anchors(sizes, scales, ratio=ratio)
    box, objectness, classes = (outputs[0].new_zeros((), dtype=torch.float32) for _ in range(3))
    count = 0
    mean_stride = _mean_stride(outputs, scales)
    for output, scale, fit in zip(outputs, scales, fits, strict=True):
        raw = _raw(output, scale)
        owners, places = positives(centres / scale.stride, fit, truth.pictures, raw.shape)
        predicted = raw[places]  # P×(5 + classes)
        iou, ciou = _overlap(*_boxes(predicted, places, scale), centres[owners], sizes[owners])
        # Objectness learns how good the box is, so that scores rank boxes by their fit. Without a
        # gradient here, else a worse box would be a way to a truer objectness.
        good = greatest(iou.detach().clamp(max=1), places, raw.shape[:4])
        box = box + (1 - ciou).sum()
        counts = None
        if ignored is not None and len(ignored):
            spared = _covered(output, scale, ignored, _within, _MOSTLY)
            counts = (~spared).view_as(good).float()
            # Who answers for an object still does, though a crowd be around it.
            counts[places] = 1
        # Every cell, the empty ones too: that is how a net learns to be silent.
        entropy = _cross_entropy(raw[..., _OBJECTNESS], good, counts)
        objectness = objectness + scale.stride / mean_stride * entropy
        wanted = torch.zeros_like(predicted[:, _CLASSES])
        wanted.scatter_(1, truth.labels[owners, None], 1)
        classes = classes + _cross_entropy(predicted[:, _CLASSES], wanted)
        count += len(owners)
    # Divided by what all processes have, not by the mean of their means: a process whose pictures
    # are empty would else weigh as much as one whose pictures are full.
    own = torch.tensor([count, truth.count], dtype=box.dtype)
    all_positives, all_pictures = add(send(own, box.device))
    most = all_positives.clamp(min=1)
    return {
        "box": _BOX_GAIN * box / most,
        "objectness": objectness / torch.maximum(all_positives, all_pictures),
        "classes": classes / most,
    }


def darknet_loss(
    outputs: Sequence[Tensor],
    scales: Sequence[Scale],
    truth: BoxTruth,
    ignored: BoxTruth | None = None,
    *,
    ignore: float = 0.7,
    add: Add = alone,
) -> dict[str, Tensor]:
    """Darknet's objective: its gradients are what Darknet's yolo layer hands back.

    Redmon, Farhadi: "YOLOv3: an incremental improvement", 2018, sections 2.1 and 2.2. One
    prediction answers for an object: that in the cell of its centre, of the anchor whose width and
    height have the best IoU with its own among those of all scales. Sums over the predictions,
    divided by the pictures:

      - box: cross-entropy of x and y, half the squared error of the logarithms of width and
        height, both times 2 − the share of the picture that the object takes.
      - objectness: cross-entropy; but a prediction that answers for no object and whose box
        overlaps one with an IoU above `ignore` has none.
      - classes: cross-entropy of each class. Where two objects meet in one prediction the later
        has the box, and the classes of both are true.

    With a `reach` of r, of which Darknet of 2018 knew only 1, x and y learn what decodes to the
    centre: (t + (r − 1) / 2) / r for Darknet's t.

    Args:
        outputs: for each scale N×A·(5 + classes)×H×W, raw.
        scales: the net's `scales`; an anchor that stands in several answers in each of them.
        add: as in `loss`.
    """
    centres, sizes = _centres_and_sizes(truth)
    best = best_anchors(sizes, scales)
    box, objectness, classes = (outputs[0].new_zeros((), dtype=torch.float32) for _ in range(3))
    for output, scale in zip(outputs, scales, strict=True):
        raw = _raw(output, scale)
        cells = centres / scale.stride
        owners, places = responsible(cells, best, truth.pictures, scale, raw.shape)
        # The last object at each place; counted from 1, as 0 is a place without any.
        last = greatest(owners + 1, places, raw.shape[:4])
        slots = last.nonzero(as_tuple=True)
        predicted = raw[slots]  # P×(5 + classes)
        latest = last[slots] - 1
        wanted = _darknet_box(cells[latest], sizes[latest], slots, scale)
        # A small object's box counts up to twice: a pixel off costs it more overlap.
        share = sizes[latest].prod(1) / (raw.shape[2] * raw.shape[3] * scale.stride**2)
        box = box + _darknet_box_loss(predicted, wanted, 2 - share.clamp(max=1))
        answers = last > 0
        spared = _covered(output, scale, truth, _iou, ignore)
        if ignored is not None:
            spared |= _covered(output, scale, ignored, _within, _MOSTLY)
        counts = answers | ~spared.view_as(answers)
        objectness = objectness + _cross_entropy(
            raw[..., _OBJECTNESS], answers.float(), counts.float()
        )
        numbers = torch.zeros_like(last)
        numbers[slots] = torch.arange(len(latest), device=last.device)
        labels = torch.zeros_like(predicted[:, _CLASSES])
        # By all owners, not by the latest alone: the classes of both are true.
        labels[numbers[places], truth.labels[owners]] = 1
        classes = classes + _cross_entropy(predicted[:, _CLASSES], labels)
    terms = {"box": box, "objectness": objectness, "classes": classes}
    pictures = add(box.new_tensor(truth.count))
    return {name: term / pictures for name, term in terms.items()}


def _raw(output: Tensor, scale: Scale) -> Tensor:
    """A map as N×A×H×W×(5 + classes)."""
    batch, _, height, width = output.shape
    return output.float().reshape(batch, len(scale.anchors), -1, height, width).movedim(2, -1)


def _mean_stride(outputs: Sequence[Tensor], scales: Sequence[Scale]) -> float:
    """Over the cells of all maps, each once for every anchor."""
    cells = [
        len(scale.anchors) * output.shape[2] * output.shape[3]
        for output, scale in zip(outputs, scales, strict=True)
    ]
    return sum(n * s.stride for n, s in zip(cells, scales, strict=True)) / sum(cells)


def _centres_and_sizes(truth: BoxTruth) -> tuple[Tensor, Tensor]:
    """T×2 each, in pixels."""
    low, high = truth.boxes[:, :2].float(), truth.boxes[:, 2:].float()
    return (low + high) / 2, (high - low).clamp(min=_LEAST_SIDE)


def _cross_entropy(raw: Tensor, wanted: Tensor, weight: Tensor | None = None) -> Tensor:
    return binary_cross_entropy_with_logits(raw, wanted, weight, reduction="sum")


def _boxes(predicted: Tensor, places: Places, scale: Scale) -> tuple[Tensor, Tensor]:
    """Centres and sizes, P×2 each, in pixels, of P predictions.

    As `decode` has them, but never so large or so small that the gradient is no number.
    """
    _, anchors, rows, columns = places
    centres = centre(predicted[:, :2], torch.stack([columns, rows], dim=1), scale)
    growth = predicted[:, 2:4].clamp(-_MOST_GROWTH, _MOST_GROWTH).exp()
    sizes = send(torch.tensor(scale.anchors, dtype=growth.dtype), growth.device)
    return centres, growth * sizes[anchors]


def _overlap(
    centres: Tensor, sizes: Tensor, true_centres: Tensor, true_sizes: Tensor
) -> tuple[Tensor, Tensor]:
    """P IoUs and P complete IoUs of P pairs of boxes.

    CIoU = IoU − d² / c² − α·v, with d the distance of the centres, c the diagonal of the smallest
    box around both, v how far the aspects are apart and α its weight, which passes no gradient.
    """
    low, true_low = centres - sizes / 2, true_centres - true_sizes / 2
    high, true_high = centres + sizes / 2, true_centres + true_sizes / 2
    shared = _area((torch.minimum(high, true_high) - torch.maximum(low, true_low)).clamp(min=0))
    iou = shared / (_area(sizes) + _area(true_sizes) - shared)
    around = torch.maximum(high, true_high) - torch.minimum(low, true_low)
    apart = (centres - true_centres).square().sum(1) / around.square().sum(1)
    slant = (true_sizes[:, 0] / true_sizes[:, 1]).atan() - (sizes[:, 0] / sizes[:, 1]).atan()
    aspect = 4 / math.pi**2 * slant.square()
    with torch.no_grad():
        # At a perfect box both are 0, and rounding can make an IoU of 1 a little more than that.
        alpha = aspect / (1 - iou + aspect).clamp(min=_TINY)
    return iou, iou - apart - alpha * aspect


def _area(sizes: Tensor) -> Tensor:
    return sizes[..., 0] * sizes[..., 1]


def _darknet_box(cells: Tensor, sizes: Tensor, places: Places, scale: Scale) -> Tensor:
    """What x and y are to be after the logistic function, and width and height before exp; P×4."""
    _, anchors, rows, columns = places
    within = (cells - torch.stack([columns, rows], dim=1)).clamp(0, 1)
    within = (within + (scale.reach - 1) / 2) / scale.reach
    return torch.cat([within, (sizes / sizes.new_tensor(scale.anchors)[anchors]).log()], dim=1)


def _darknet_box_loss(predicted: Tensor, wanted: Tensor, weight: Tensor) -> Tensor:
    weight = weight[:, None]
    place = _cross_entropy(predicted[:, :2], wanted[:, :2], weight)
    return place + (weight * (predicted[:, 2:4] - wanted[:, 2:]).square()).sum() / 2


@torch.no_grad()
def _covered(
    output: Tensor,
    scale: Scale,
    others: BoxTruth,
    measure: Callable[[Tensor, Tensor], Tensor],
    most: float,
) -> Tensor:
    """N×A·H·W bool: predicted boxes whose `measure` with a box of `others` exceeds `most`.

    Args:
        measure: from P×4 and Q×4 boxes to P×Q.
    """
    batch, _, height, width = output.shape
    covered = output.new_zeros((batch, len(scale.anchors) * height * width), dtype=torch.bool)
    if len(others):
        boxes = decode_boxes(output, scale)
        for picture in torch.unique(others.pictures).tolist():
            there = others.boxes[others.pictures == picture].float()
            covered[picture] = measure(boxes[picture], there).amax(1) > most
    return covered


def _within(boxes: Tensor, others: Tensor) -> Tensor:
    """P×Q: the share of each box that lies within each of the others."""
    low = torch.maximum(boxes[:, None, :2], others[:, :2])
    high = torch.minimum(boxes[:, None, 2:], others[:, 2:])
    area = _area(boxes[:, 2:] - boxes[:, :2])
    return _area((high - low).clamp(min=0)) / area[:, None].clamp(min=_TINY)


def _iou(boxes: Tensor, others: Tensor) -> Tensor:
    """P×Q: intersection over union of each box with each of the others."""
    low = torch.maximum(boxes[:, None, :2], others[:, :2])
    high = torch.minimum(boxes[:, None, 2:], others[:, 2:])
    shared = _area((high - low).clamp(min=0))
    mine, theirs = (_area(each[:, 2:] - each[:, :2]) for each in (boxes, others))
    return shared / (mine[:, None] + theirs - shared)
