"""Boxes as a contest: COCO's AP, by class too, over draws of pictures."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from viewfinder.datasets.dataset import Dataset
from viewfinder.evaluation.sampling import Values, shares
from viewfinder.pictures.drawing import distinct_colours, draw_boxes
from viewfinder.pictures.resampling import at_side
from viewfinder.pictures.writing import picture_url
from viewfinder.scoring.box_answers import BoxAnswers
from viewfinder.scoring.boxes import IOUS, RECALLS, matches_of, precision_table
from viewfinder.scoring.contest import ComparedPicture, Curve, Drawn, MethodView, Metric, Plot
from viewfinder.scoring.identical import identical_notes
from viewfinder.tasks.detect.detections import Detections
from viewfinder.tasks.detect.measures.coco_ap import evaluated
from viewfinder.tasks.detect.measures.matching import WRONG, Kind, match
from viewfinder.tasks.detect.measures.scores import DetectScores, score

PLOTS = (
    Plot("pr", "Precision and recall, IoU 0.5", "recall", "precision", "Precision over recall"),
    Plot("iou", "AP by IoU", "IoU that counts as found", "AP", "AP over the IoU that is asked for"),
)
_NAMED = (
    ("ap", "AP", "mean over classes and IoUs of 0.5 to 0.95 (COCO)"),
    ("ap50", "AP50", "at IoU 0.5"),
    ("ap75", "AP75", "at IoU 0.75"),
    ("ap_small", "AP small", "of objects below 32² pixels"),
    ("ap_medium", "AP medium", "of objects of 32² to 96² pixels"),
    ("ap_large", "AP large", "of larger objects"),
)
NAMES = tuple(key for key, *_ in _NAMED)
"""Scores without those of single classes."""
_PARTS = {"ap": (0, slice(None)), "ap50": (0, slice(0, 1)), "ap75": (0, slice(5, 6)),
          "ap_small": (1, slice(None)), "ap_medium": (2, slice(None)),
          "ap_large": (3, slice(None))}  # fmt: skip
# Of more pictures intervals move less by the draws, and each draw costs more.
_MANY, _DRAWS, _FEWER_DRAWS = 1000, 4000, 1000
_SIDE = 240


def metrics_of(classes: Sequence[str], present: Sequence[bool]) -> tuple[Metric, ...]:
    """COCO's six, and the AP of each class that has objects."""
    plain = [
        Metric(key, title, rf"{title.replace('AP', 'AP$_{', 1)}}}$" if len(title) > 2 else "AP",
               True, meaning, key in ("ap", "ap50", "ap75"))
        for key, title, meaning in _NAMED
    ]  # fmt: skip
    own = [
        Metric(f"ap:{name}", f"AP {name}", "", True, f"AP of {name}")
        for name, there in zip(classes, present, strict=True)
        if there
    ]
    return (*plain, *(own if len(own) > 1 else ()))


@dataclass(frozen=True, eq=False)
class BoxScores:
    """A method's detections of every picture of a set."""

    truth: Dataset
    found: Sequence[Detections]

    @property
    def pictures(self) -> Sequence[str]:
        return self.truth.paths

    def among(self, pictures: Sequence[str]) -> "BoxScores":
        assert tuple(pictures) == tuple(self.pictures), "where nothing is found, that is an answer"
        return self

    @cached_property
    def scores(self) -> DetectScores:
        assert self.truth.boxes is not None
        return score(self.found, self.truth.boxes, classes=self.truth.classes)

    @property
    def threshold(self) -> float:
        """The one of best F1 of this set; what lies below is not drawn or counted."""
        return self.scores.best.threshold if self.scores.best else 0.0

    @cached_property
    def _tables(self) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """AP by class, size and IoU, of the set and of its draws."""
        assert self.truth.boxes is not None
        count = len(self.truth)
        evaluation = evaluated(match(self.found, self.truth.boxes), len(self.truth.classes))
        matches = matches_of(evaluation, len(self.truth.classes))
        drawn = shares(count, _DRAWS if count <= _MANY else _FEWER_DRAWS)
        weights = np.rint(drawn * count)
        whole = precision_table(matches, np.ones((1, count), np.float32))
        return whole, precision_table(matches, weights)

    def drawn(self, metric: str, pictures: Sequence[str]) -> Drawn | None:
        whole, draws = self._tables
        key, _, name = metric.partition(":")
        size, ious = _PARTS[key]
        labels = slice(None) if not name else [self.truth.classes.index(name)]
        value = _mean(whole[:, labels, size, ious])
        if np.isnan(value[0]):
            return None
        own = _mean(draws[:, labels, size, ious])
        # A draw without any such object has no AP; the others stand for it.
        return Drawn(float(value[0]), len(pictures), np.where(np.isnan(own), value[0], own))

    def curve(self, plot: str) -> Curve | None:
        if plot == "iou":
            table = self._tables[0][0, :, 0]
            there = ~np.isnan(table[:, 0])
            return (IOUS, np.asarray(table[there].mean(axis=0))) if there.any() else None
        there = ~np.isnan(self.scores.precision[:, 0])
        return (RECALLS, self.scores.precision[there].mean(axis=0)) if there.any() else None

    @cached_property
    def counts(self) -> NDArray[np.int64]:
        """N×3 at the threshold: right, wrong and missed."""
        assert self.truth.boxes is not None
        matching = match(self.found, self.truth.boxes)
        n = len(self.truth)
        shown = matching.found.scores > self.threshold
        if self.scores.best is not None:
            shown = matching.found.scores >= self.threshold
        right = shown & (matching.kinds == Kind.RIGHT)
        wrong = shown & np.isin(matching.kinds, WRONG)
        hit = np.bincount(matching.pictures[right], minlength=n)
        wanted = np.bincount(matching.truth.pictures()[matching.counted], minlength=n)
        false = np.bincount(matching.pictures[wrong], minlength=n)
        return np.stack([hit, false, wanted - hit], axis=1)

    @cached_property
    def f1(self) -> NDArray[np.float64]:
        """N, at the threshold; 1 where there is nothing and nothing is found."""
        right, wrong, missed = self.counts.T
        total = 2 * right + wrong + missed
        f1: NDArray[np.float64] = np.ones(len(total))
        np.divide(2 * right, total, out=f1, where=total > 0)
        return f1

    def of_picture(self, picture: str) -> dict[str, float | str]:
        row = self._places[picture]
        right, wrong, missed = self.counts[row].tolist()
        return {"f1": float(self.f1[row]), "right": right, "wrong": wrong, "missed": missed}

    @cached_property
    def _places(self) -> dict[str, int]:
        return {path: row for row, path in enumerate(self.truth.paths)}


@dataclass(frozen=True, eq=False)
class BoxesCompared:
    """Methods' detections of one set."""

    name: str
    truth: Dataset
    answers: Mapping[str, BoxAnswers]
    judged_by: str = "F1"
    right_from: float = 1.0
    differing: str = (
        "By F1 at IoU 0.5, which stands below each picture; of each method what lies above its own "
        "threshold of best F1 is shown."
    )
    about: str = (
        "AP is COCO’s, over all pictures: one in which a method found nothing counts, and so does "
        "one that it was not asked about."
    )

    @property
    def plots(self) -> Sequence[Plot]:
        return PLOTS

    @property
    def root(self) -> Path:
        return self.truth.root

    @property
    def pictures(self) -> Sequence[str]:
        return self.truth.paths

    @cached_property
    def metrics(self) -> Sequence[Metric]:
        first = next(iter(self.methods.values()))
        return metrics_of(self.truth.classes, (first.scores.boxes > 0).tolist())

    @cached_property
    def methods(self) -> dict[str, BoxScores]:
        return {name: BoxScores(self.truth, each.found) for name, each in self.answers.items()}

    @property
    def settings(self) -> Mapping[str, object]:
        boxes = self.truth.boxes
        return {"task": "detect", "boxes": 0 if boxes is None else len(boxes)}

    def notes(self, common: Sequence[str]) -> list[str]:
        said = [f"{name}: {note}" for name, each in self.answers.items() for note in each.notes]
        alike = {name: ("", _sums(each.found)) for name, each in self.answers.items()}
        return said + identical_notes(alike, what="boxes", pictures=len(self.truth))

    @property
    def unscored(self) -> Sequence[str]:
        return ()

    def goodness(self, pictures: Sequence[str], methods: Sequence[str]) -> Values:
        places = [self._places[picture] for picture in pictures]
        return np.stack([self.methods[name].f1[places] for name in methods], axis=1)

    @cached_property
    def _places(self) -> dict[str, int]:
        return {path: row for row, path in enumerate(self.truth.paths)}

    def row(self, picture: str, methods: Sequence[str]) -> ComparedPicture:
        """One picture with its boxes, and each method's."""
        index = self._places[picture]
        boxes = self.truth.boxes
        assert boxes is not None
        whole, own = self.truth.picture(index), boxes.of(index)
        # Drawn on the small picture, so that lines are seen.
        shown = at_side(whole, _SIDE)
        scale = shown.shape[1] / whole.shape[1]
        known = boxes.classes[own] >= 0
        found = boxes.corners[own][known], boxes.classes[own][known]
        seen = [MethodView("truth", self._drawn(shown, scale, *found), "")]
        for name in methods:
            scores, answer = self.methods[name], self.methods[name].found[index]
            sure = answer.scores >= scores.threshold
            image = self._drawn(shown, scale, answer.boxes[sure], answer.labels[sure])
            seen.append(MethodView(name, image, f"{scores.f1[index]:.3f}"))
        return ComparedPicture(picture, tuple(seen))

    def _drawn(
        self,
        picture: NDArray[np.uint8],
        scale: float,
        corners: NDArray[np.floating],
        labels: NDArray[np.int64],
    ) -> str:
        colours = distinct_colours(len(self.truth.classes))
        tints = [colours[label] for label in labels.tolist()]
        boxes = (corners * scale).astype(np.float32)
        return picture_url(draw_boxes(picture, boxes, [""] * len(tints), tints))


def _sums(found: Sequence[Detections]) -> list[NDArray[np.float64]]:
    """Of each picture sums over its detections, weighted by their scores: alike where these are,
    in whatever order those of nearly one score stand."""
    sums = []
    for each in found:
        boxes = np.asarray(each.boxes, np.float64).reshape(-1, 4)
        labels = np.asarray(each.labels, np.float64)[:, None] + 1
        rows = np.hstack([np.ones_like(labels), labels, boxes, boxes**2, boxes * labels])
        sums.append(np.asarray(each.scores, np.float64) @ rows)
    return sums


def _mean(table: NDArray[np.float64]) -> NDArray[np.float64]:
    """Over the classes and IoUs that have a value; NaN where none has."""
    flat = table.reshape(len(table), math.prod(table.shape[1:]))
    there = ~np.isnan(flat)
    sums = np.where(there, flat, 0).sum(axis=1)
    counts = there.sum(axis=1)
    means: NDArray[np.float64] = np.full(len(flat), np.nan)
    np.divide(sums, counts, out=means, where=counts > 0)
    return means
