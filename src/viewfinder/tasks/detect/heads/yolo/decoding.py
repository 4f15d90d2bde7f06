"""From raw maps to boxes: the arithmetic of YOLOv3.

Redmon, Farhadi: "YOLOv3: an incremental improvement", 2018, section 2.1 and figure 2; equal to
Darknet's, which `decode` follows to the last detection.
"""

from collections.abc import Sequence

import torch
from torch import Tensor

from viewfinder.nets.yolo import Scale

# Logarithm of how many times its anchor's size a box may have: more than any picture has, and still
# a number, which infinity is not once it is moved to the picture's own pixels.
_WIDEST = 15.0


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


def decode_boxes(output: Tensor, scale: Scale) -> Tensor:
    """The boxes of one of the maps that `decode` takes, N×A·H·W×4; anchor by anchor, by rows."""
    height, width = output.shape[2:]
    x, y, w, h = _by_anchor(output, scale)[:, :, :4].unbind(2)
    anchors = x.new_tensor(scale.anchors)[:, :, None, None]  # A×2×1×1
    column = torch.arange(width, device=x.device)
    row = torch.arange(height, device=x.device)[:, None]
    x, y = centre(x, column, scale), centre(y, row, scale)  # N×A×H×W
    # By exp, so that a side is above 0 whatever the net says, and twice or half are as far apart.
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
    # In float32 whatever the net's arithmetic: a half has no number for e¹⁵, nor whole pixels
    # beyond 2048.
    return output.float().reshape(batch, len(scale.anchors), -1, height, width)


def _scores(output: Tensor, scale: Scale) -> Tensor:
    """One map's scores, N×A·H·W×classes."""
    raw = _by_anchor(output, scale)
    # Not a softmax over the classes: each is a question of its own (section 2.2).
    scores = raw[:, :, 4:5].sigmoid() * raw[:, :, 5:].sigmoid()
    return scores.movedim(2, -1).flatten(1, 3)
