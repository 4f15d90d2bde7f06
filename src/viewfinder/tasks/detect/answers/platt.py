"""A detector's scores, made as sure as they turned out to be right: a logistic map for each class.

Platt, "Probabilistic outputs for support vector machines", 1999, of the logarithm of the odds: a
score s of class c becomes 1 / (1 + exp(-(a_c · log(s / (1 - s)) + b_c))), with a_c above 0, so that
of one class no order changes, nor which of two boxes is kept, nor the average precision. What comes
of it stays below what held-out boxes speak for (`tasks.supported`).
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from viewfinder.tasks.answering import Answering, NetOutput, several_tensors
from viewfinder.tasks.detect.detections import Detections
from viewfinder.tasks.supported import limited, read_limit, unlimited
from viewfinder.values import as_list, as_number, as_table

LEAST_SLOPE, LARGEST_SLOPE, LARGEST_OFFSET = 0.05, 20.0, 20.0
_TINY = 1e-12


@dataclass(frozen=True)
class Platt:
    """Each class's own a and b, and the highest score that it may have."""

    slopes: tuple[float, ...]
    offsets: tuple[float, ...]
    most: tuple[float, ...]

    def on(self, found: Detections) -> Detections:
        """Detections with calibrated scores, by falling score."""
        scores = self.of_array(found.scores, found.labels).astype(found.scores.dtype)
        made = Detections(found.boxes, scores, found.labels)
        return made.take(np.argsort(-scores, kind="stable"))

    def of_array(
        self, scores: NDArray[np.floating], labels: NDArray[np.int64]
    ) -> NDArray[np.float64]:
        """N calibrated scores, of N classes."""
        tables = (self.slopes, self.offsets, self.most)
        slopes, offsets, most = (torch.tensor(t, dtype=torch.float64)[labels] for t in tables)
        given = torch.from_numpy(np.asarray(scores, np.float64))
        return np.asarray(mapped(given, slopes, offsets, most).numpy(), np.float64)

    def own(self, thresholds: Sequence[float]) -> tuple[float, ...]:
        """What a score of each class was before it was calibrated."""
        return tuple(
            _own(unlimited(score, most), slope, offset)
            for score, slope, offset, most in zip(
                thresholds, self.slopes, self.offsets, self.most, strict=True
            )
        )

    def as_json(self) -> dict[str, object]:
        """`slopes, offsets, most`, one a class."""
        return {
            "slopes": list(self.slopes),
            "offsets": list(self.offsets),
            "most": list(self.most),
        }


class Calibrated(Answering):
    """A net that gives boxes and N×P×C scores, with these calibrated."""

    def __init__(self, net: torch.nn.Module, platt: Platt) -> None:
        super().__init__()
        self.net = net
        self.slopes: Tensor
        self.offsets: Tensor
        self.most: Tensor
        self.register_buffer("slopes", torch.tensor(platt.slopes))
        self.register_buffer("offsets", torch.tensor(platt.offsets))
        self.register_buffer("most", torch.tensor(platt.most))

    def forward(self, pictures: Tensor) -> NetOutput:
        boxes, scores = several_tensors(self.net(pictures))
        return boxes, mapped(scores, self.slopes, self.offsets, self.most)


def mapped(scores: Tensor, slopes: Tensor, offsets: Tensor, most: Tensor) -> Tensor:
    """Scores in [0, 1], calibrated; 0 stays 0."""
    below_1 = 1 - torch.finfo(scores.dtype).eps
    odds = torch.logit(scores.clamp(_TINY, below_1))
    return torch.where(scores > 0, limited((slopes * odds + offsets).sigmoid(), most), 0)


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
    # Maps of earlier versions have no limit.
    most = tuple(map(read_limit, as_list(lists.get("most", [1] * classes))))
    good = len(slopes) == len(offsets) == len(most) == classes
    good = good and all(LEAST_SLOPE <= each <= LARGEST_SLOPE for each in slopes)
    if not good or not all(abs(each) <= LARGEST_OFFSET for each in offsets):
        raise ValueError("no map of scores")
    return Platt(slopes, offsets, most)


def _own(score: float, slope: float, offset: float) -> float:
    return _sigmoid((_odds(score) - offset) / slope) if 0 < score < 1 else score


def _odds(score: float) -> float:
    return math.log(score) - math.log1p(-score)


def _sigmoid(odds: float) -> float:
    return 1 / (1 + math.exp(-odds)) if odds > 0 else math.exp(odds) / (1 + math.exp(odds))
