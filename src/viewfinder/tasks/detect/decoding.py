"""From a detector's raw maps to boxes: the arithmetic of YOLOv3, and one box for each object.

Redmon, Farhadi: "YOLOv3: an incremental improvement", 2018, section 2.1 and figure 2; equal to
Darknet's, which `decode` and `suppress` follow to the last detection.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from viewfinder.nets.yolov3 import Scale
from viewfinder.pictures.geometry import Boxes

# So many boxes of the best scores are compared with each other. A net that is not trained yet
# believes in hundreds of thousands, which would take minutes and tell nothing.
_MOST_CANDIDATES = 10_000
# Logarithm of how many times its anchor's size a box may have: more than any picture has, and still
# a number, which infinity is not once it is moved to the picture's own pixels.
_WIDEST = 15.0


@dataclass(frozen=True, eq=False)
class Detections:
    """What is found in one picture, by falling score.

    Attributes:
        boxes: M×4 as x1, y1, x2, y2, in pixels of what the net was given or, once they are placed,
            of the picture itself.
        scores: M probabilities.
        labels: M class indices.
    """

    boxes: Boxes
    scores: NDArray[np.float32]
    labels: NDArray[np.int64]

    def as_json(self, classes: Sequence[str]) -> dict[str, Any]:
        """`boxes`, each with `class, score, x1, y1, x2, y2`."""
        rows = zip(self.labels.tolist(), self.scores.tolist(), self.boxes.tolist(), strict=True)
        edges = ("x1", "y1", "x2", "y2")
        return {
            "boxes": [
                {"class": classes[label], "score": score} | dict(zip(edges, box, strict=True))
                for label, score, box in rows
            ]
        }


def decode(outputs: Sequence[Tensor], scales: Sequence[Scale]) -> tuple[Tensor, Tensor]:
    """A net's raw maps as boxes and scores, P = Σ A·H·W of them for each picture.

    With σ the logistic function, a cell's column c and row r, and an anchor of w×h pixels:
    centre = stride · (c + σ(x), r + σ(y)), size = (w · exp(width), h · exp(height)), and the score
    of each class = σ(objectness) · σ(class), so that a box may have several. Where the net's reach
    is not 1, `centre` says how σ is spread.

    Args:
        outputs: for each scale N×A·(5 + classes)×H×W.
        scales: the net's `scales`.

    Returns:
        Boxes, N×P×4 as x1, y1, x2, y2 in pixels of the net's input, and scores, N×P×classes in
        [0, 1]; both float32.
    """
    maps = list(zip(outputs, scales, strict=True))
    boxes = torch.cat([decode_boxes(output, scale) for output, scale in maps], dim=1)
    scores = torch.cat([_scores(output, scale) for output, scale in maps], dim=1)
    return boxes, scores


def suppress(
    boxes: Tensor,
    scores: Tensor,
    *,
    threshold: float,
    overlap: float = 0.45,
    most: int | None = 300,
) -> list[Detections]:
    """The best box for each object: of two of one class that overlap, the lower score goes.

    Args:
        boxes: N×P×4, as of `decode`.
        scores: N×P×classes.
        threshold: only scores above it count.
        overlap: the IoU above which two boxes of one class are one object. 0.45 is Darknet's.
        most: how many detections a picture keeps, the best; None keeps all.
    """
    return [
        _suppress(*picture, threshold=threshold, overlap=overlap, most=most)
        for picture in zip(boxes.float(), scores.float(), strict=True)
    ]


def decode_boxes(output: Tensor, scale: Scale) -> Tensor:
    """The boxes of one of the maps that `decode` takes, N×A·H·W×4; anchor by anchor, by rows."""
    height, width = output.shape[2:]
    x, y, w, h = _by_anchor(output, scale)[:, :, :4].unbind(2)
    anchors = x.new_tensor(scale.anchors)[:, :, None, None]  # A×2×1×1
    column = torch.arange(width, device=x.device)
    row = torch.arange(height, device=x.device)[:, None]
    x, y = centre(x, column, scale), centre(y, row, scale)  # N×A×H×W
    w, h = w.clamp(max=_WIDEST).exp(), h.clamp(max=_WIDEST).exp()
    half_width, half_height = w * anchors[:, 0] / 2, h * anchors[:, 1] / 2
    corners = (x - half_width, y - half_height, x + half_width, y + half_height)
    return torch.stack(corners, dim=-1).flatten(1, 3)


def centre(raw: Tensor, cell: Tensor, scale: Scale) -> Tensor:
    """The x or y of centres in pixels: stride · (cell + reach · σ(raw) − (reach − 1) / 2).

    Bochkovskiy, Wang, Liao: "YOLOv4: optimal speed and accuracy of object detection", 2020,
    section 4.3, "eliminate grid sensitivity".

    Args:
        raw: what the net says of x or y.
        cell: the column for x, the row for y; of any shape that broadcasts with `raw`.
    """
    return (scale.reach * raw.sigmoid() - (scale.reach - 1) / 2 + cell) * scale.stride


def _by_anchor(output: Tensor, scale: Scale) -> Tensor:
    """A map as N×A×(5 + classes)×H×W."""
    batch, _, height, width = output.shape
    return output.float().reshape(batch, len(scale.anchors), -1, height, width)


def _scores(output: Tensor, scale: Scale) -> Tensor:
    """One map's scores, N×A·H·W×classes."""
    raw = _by_anchor(output, scale)
    scores = raw[:, :, 4:5].sigmoid() * raw[:, :, 5:].sigmoid()
    return scores.movedim(2, -1).flatten(1, 3)


def _suppress(
    boxes: Tensor, scores: Tensor, *, threshold: float, overlap: float, most: int | None
) -> Detections:
    places, labels = torch.nonzero(scores > threshold, as_tuple=True)
    candidates = scores[places, labels]
    # Stable, so that equal scores keep the order of the cells on every machine.
    order = candidates.argsort(descending=True, stable=True)[:_MOST_CANDIDATES]
    places, labels, candidates = places[order], labels[order], candidates[order]
    found = Detections(boxes[places].cpu().numpy(), candidates.cpu().numpy(), labels.cpu().numpy())
    # A net that is not trained may find boxes without end, whose areas are no numbers.
    with np.errstate(invalid="ignore", over="ignore"):
        chosen = _best(found, overlap, most)
    return Detections(found.boxes[chosen], found.scores[chosen], found.labels[chosen])


def _best(found: Detections, overlap: float, most: int | None) -> list[int]:
    """The numbers of the detections that no better one of their class overlaps, the best first."""
    x1, y1, x2, y2 = np.ascontiguousarray(found.boxes.T)
    areas = (x2 - x1) * (y2 - y1)
    left = np.ones(len(areas), np.bool_)
    chosen: list[int] = []
    for best in range(len(areas)):
        if not left[best]:
            continue
        chosen.append(best)
        if len(chosen) == most:
            break
        # Worse ones alone, so that the work grows with what is kept and not with its square.
        worse = slice(best + 1, None)
        width = np.minimum(x2[best], x2[worse]) - np.maximum(x1[best], x1[worse])
        height = np.minimum(y2[best], y2[worse]) - np.maximum(y1[best], y1[worse])
        shared = np.maximum(width, 0) * np.maximum(height, 0)
        # As a product, since the union of two boxes without area is 0.
        same = shared > np.float32(overlap) * (areas[best] + areas[worse] - shared)
        left[worse] &= ~(same & (found.labels[worse] == found.labels[best]))
    return chosen
