"""What a detector finds in a picture, and one box for each object: non-maximum suppression.

`suppress` follows Darknet's to the last detection.
"""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TypedDict

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from viewfinder.pictures.drawing import distinct_colours, draw_boxes
from viewfinder.pictures.geometry import BoxArray, Floats
from viewfinder.wording import shown

# So many boxes of the best scores are compared with each other. A net that is not trained yet
# believes in hundreds of thousands, which would take minutes and tell nothing.
_MOST_CANDIDATES = 10_000
# Boxes that are named below a picture.
_MOST_NAMED = 4


class _Edges(TypedDict):
    score: float
    x1: float
    y1: float
    x2: float
    y2: float


class PredictedBox(_Edges, TypedDict("_Named", {"class": str})):
    """A detected object under its public names; edges in pixels of the upright picture."""


class PredictedBoxes(TypedDict):
    """A detector's answer under its public name."""

    boxes: list[PredictedBox]


@dataclass(frozen=True, eq=False)
class Detections:
    """Boxes with scores and labels: what is found in one picture, by falling score.

    Of several pictures, who holds them says beside them in which each lies.

    Attributes:
        boxes: M×4 as x1, y1, x2, y2, in pixels of what the net was given or, once they are placed,
            of the picture itself; float32 of a net, float64 where a file's numbers must return.
        scores: M probabilities.
        labels: M class indices.
    """

    boxes: BoxArray
    scores: Floats
    labels: NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.scores)

    def take(self, rows: NDArray[np.bool_] | NDArray[np.intp] | Sequence[int]) -> "Detections":
        """Some of them, by a bool for each or by their numbers, in the order of these."""
        return Detections(self.boxes[rows], self.scores[rows], self.labels[rows])

    def rows(self) -> Iterator[tuple[int, float, list[float]]]:
        """Label, score and corners of each."""
        return zip(self.labels.tolist(), self.scores.tolist(), self.boxes.tolist(), strict=True)

    def as_json(self, classes: Sequence[str]) -> PredictedBoxes:
        """`boxes`, each with `class, score, x1, y1, x2, y2`."""
        return {
            "boxes": [
                {"class": classes[label], "score": score, "x1": x1, "y1": y1, "x2": x2, "y2": y2}
                for label, score, (x1, y1, x2, y2) in self.rows()
            ]
        }

    def drawn_on(self, picture: NDArray[np.uint8], classes: Sequence[str]) -> NDArray[np.uint8]:
        """The boxes, each with its class and score, in a colour for each class."""
        colours = distinct_colours(len(classes))
        tints = [colours[label] for label in self.labels.tolist()]
        return draw_boxes(picture, self.boxes, self._named(classes), tints)

    def caption(self, classes: Sequence[str]) -> str:
        """The first few boxes."""
        named = self._named([shown(name) for name in classes])[:_MOST_NAMED]
        more = len(self.labels) - len(named)
        return ", ".join(named + [f"{more:,} more"] * bool(more)) or "nothing found"

    def listed(self, classes: Sequence[str]) -> str:
        """All boxes, each by its class and score."""
        return ", ".join(self._named(classes)) or "nothing found"

    def line(self, classes: Sequence[str], *, top: int) -> str:
        """How many of which class, the commonest first."""
        counted = Counter(classes[label] for label in self.labels.tolist())
        return ", ".join(f"{count} {name}" for name, count in counted.most_common()) or "nothing"

    def _named(self, classes: Sequence[str]) -> list[str]:
        return [f"{classes[label]} {score:.0%}" for label, score, _ in self.rows()]


def joined(parts: Sequence[Detections]) -> Detections:
    """All of several, one after another."""
    return Detections(
        np.concatenate([part.boxes for part in parts]),
        np.concatenate([part.scores for part in parts]),
        np.concatenate([part.labels for part in parts]).astype(np.int64),
    )


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
        boxes: N×P×4, x1, y1, x2, y2: what a head's `decoded` net gives.
        scores: N×P×classes, in [0, 1].
        threshold: only scores above it count.
        overlap: the IoU above which two boxes of one class are one object. 0.45 is Darknet's.
        most: how many detections a picture keeps, the best; None keeps all.
    """
    return [
        _suppress(*picture, threshold=threshold, overlap=overlap, most=most)
        for picture in zip(boxes.float(), scores.float(), strict=True)
    ]


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
    return found.take(chosen)


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
