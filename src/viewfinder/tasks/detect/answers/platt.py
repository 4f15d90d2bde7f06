"""A detector's scores, made as sure as they turned out to be right: a logistic map for each class.

Platt, "Probabilistic outputs for support vector machines", 1999, of the logarithm of the odds: a
score s of class c becomes 1 / (1 + exp(-(a_c · log(s / (1 - s)) + b_c))), with a_c above 0, so that
of one class no order changes, nor which of two boxes is kept, nor the average precision.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from viewfinder.tasks.answering import Answering, NetOutput, several_tensors
from viewfinder.tasks.detect.detections import Detections
from viewfinder.values import as_list, as_number, as_table

LEAST_SLOPE, LARGEST_SLOPE, LARGEST_OFFSET = 0.05, 20.0, 20.0
_TINY = 1e-12


@dataclass(frozen=True)
class Platt:
    """Each class's own a and b."""

    slopes: tuple[float, ...]
    offsets: tuple[float, ...]

    def on(self, found: Detections) -> Detections:
        """Detections with calibrated scores, by falling score."""
        slopes = torch.tensor(self.slopes, dtype=torch.float64)[found.labels]
        offsets = torch.tensor(self.offsets, dtype=torch.float64)[found.labels]
        given = torch.from_numpy(np.asarray(found.scores, np.float64))
        scores = mapped(given, slopes, offsets).numpy().astype(found.scores.dtype)
        made = Detections(found.boxes, scores, found.labels)
        return made.take(np.argsort(-scores, kind="stable"))

    def own(self, thresholds: Sequence[float]) -> tuple[float, ...]:
        """What a score of each class was before it was calibrated."""
        return tuple(
            _sigmoid((_odds(score) - offset) / slope) if 0 < score < 1 else score
            for score, slope, offset in zip(thresholds, self.slopes, self.offsets, strict=True)
        )

    def as_json(self) -> dict[str, object]:
        """`slopes, offsets`, one a class."""
        return {"slopes": list(self.slopes), "offsets": list(self.offsets)}


class Calibrated(Answering):
    """A net that gives boxes and N×P×C scores, with these calibrated."""

    def __init__(self, net: torch.nn.Module, platt: Platt) -> None:
        super().__init__()
        self.net = net
        self.slopes: Tensor
        self.offsets: Tensor
        self.register_buffer("slopes", torch.tensor(platt.slopes))
        self.register_buffer("offsets", torch.tensor(platt.offsets))

    def forward(self, pictures: Tensor) -> NetOutput:
        boxes, scores = several_tensors(self.net(pictures))
        return boxes, mapped(scores, self.slopes, self.offsets)


def mapped(scores: Tensor, slopes: Tensor, offsets: Tensor) -> Tensor:
    """Scores in [0, 1], calibrated; 0 stays 0."""
    most = 1 - torch.finfo(scores.dtype).eps
    odds = torch.logit(scores.clamp(_TINY, most))
    return torch.where(scores > 0, (slopes * odds + offsets).sigmoid(), 0)


def read_platt(table: object, classes: int) -> Platt | None:
    """From `calibration.json`; None of null.

    Raises:
        ValueError, KeyError: it is no map of so many classes.
    """
    if table is None:
        return None
    lists = as_table(table)
    slopes, offsets = (
        tuple(as_number(each) for each in as_list(lists[name])) for name in ("slopes", "offsets")
    )
    good = len(slopes) == len(offsets) == classes
    good = good and all(LEAST_SLOPE <= each <= LARGEST_SLOPE for each in slopes)
    if not good or not all(abs(each) <= LARGEST_OFFSET for each in offsets):
        raise ValueError("no map of scores")
    return Platt(slopes, offsets)


def _odds(score: float) -> float:
    return math.log(score) - math.log1p(-score)


def _sigmoid(odds: float) -> float:
    return 1 / (1 + math.exp(-odds)) if odds > 0 else math.exp(odds) / (1 + math.exp(odds))
