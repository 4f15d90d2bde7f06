"""Boxes with scores and labels, as a detector finds them and as whoever suggests boxes does."""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import ClassVar, NotRequired, TypedDict

import numpy as np
from numpy.typing import NDArray

from viewfinder.pictures.drawing import distinct_colours, draw_boxes
from viewfinder.pictures.geometry import BoxArray, Floats
from viewfinder.wording import shown

# Boxes that are named below a picture.
_MOST_NAMED = 4


class _Edges(TypedDict):
    score: float
    x1: float
    y1: float
    x2: float
    y2: float


class PredictedBox(_Edges, TypedDict("_Named", {"class": str})):
    """A detected object under its public names; edges in pixels of the upright picture.

    `track` is the number of an object that is followed through a video.
    """

    track: NotRequired[int]


class PredictedBoxes(TypedDict):
    """A detector's answer under its public name."""

    boxes: list[PredictedBox]


@dataclass(frozen=True, eq=False)
class Detections:
    """Boxes with scores and labels: what is found in one picture, by falling score.

    Those of several pictures do not say in which picture each lies: that is kept beside them.

    Attributes:
        boxes: M×4 as x1, y1, x2, y2, in pixels of what the net was given or, once they are placed,
            of the picture itself; float32 of a net, float64 where a file's numbers must return.
        scores: M probabilities.
        labels: M class indices.
    """

    captioned: ClassVar[bool] = False
    boxes: BoxArray
    scores: Floats
    labels: NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.scores)

    def take(self, rows: NDArray[np.bool_] | NDArray[np.intp] | Sequence[int]) -> "Detections":
        """Some of them, by a bool for each or by their numbers, in the order of these."""
        return Detections(self.boxes[rows], self.scores[rows], self.labels[rows])

    def joined(self, others: Sequence["Detections"]) -> "Detections":
        """These and those of others, one after another."""
        every = [self, *others]
        return Detections(
            np.concatenate([each.boxes for each in every]),
            np.concatenate([each.scores for each in every]),
            np.concatenate([each.labels for each in every]).astype(np.int64),
        )

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

    def unknown_below(self, least: float, number: int) -> "Detections":
        """The same, those that score less labelled `number`."""
        return replace(self, labels=np.where(self.scores < least, number, self.labels))

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


def no_detections() -> Detections:
    """None, in float64."""
    return Detections(np.zeros((0, 4)), np.zeros(0), np.zeros(0, np.int64))
