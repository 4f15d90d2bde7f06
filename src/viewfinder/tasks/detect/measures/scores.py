"""How well detections meet the truth: COCO's AP, curves, the best threshold, and the errors.

AP is hotcoco's, equal to pycocotools' (Lin et al., "Microsoft COCO", ECCV 2014, and COCO's
evaluation code): the mean over classes with truths, and over IoUs of 0.50, 0.55, … 0.95, of the
precision at 101 recalls. `matching` tells which truths count and what finds them.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypedDict

import numpy as np
from numpy.typing import NDArray

from viewfinder.datasets.boxes import Boxes
from viewfinder.errors import InputError
from viewfinder.tasks.detect.detections import Detections
from viewfinder.tasks.detect.measures.breakdown import (
    ERRORS,
    Cost,
    OperatingPoint,
    best_point,
    break_down,
    confusion,
    count_errors,
)
from viewfinder.tasks.detect.measures.coco_ap import precision_at_recalls
from viewfinder.tasks.detect.measures.matching import Kind, Matching, match


class PointFigures(TypedDict):
    """What a detector does above a score, the best for F1; None where nothing is found rightly."""

    threshold: float | None
    precision: float | None
    recall: float | None
    f1: float | None


class DetectClassFigures(PointFigures):
    """How well one class is found; see `DetectScores.per_class`."""

    ap: float | None
    ap50: float | None
    boxes: int


class ErrorFigures(TypedDict):
    """How often a kind of error is made, and what AP50 would gain without it."""

    count: int
    ap50: float


class DetectFigures(TypedDict):
    """A detector's scores under their public names; see `DetectScores.as_json`."""

    ap: float | None
    ap50: float | None
    ap75: float | None
    ap_small: float | None
    ap_medium: float | None
    ap_large: float | None
    per_class: dict[str, DetectClassFigures]
    best: PointFigures
    errors: dict[str, ErrorFigures]
    confusion: list[list[int]]


@dataclass(frozen=True, eq=False)
class DetectScores:
    """COCO's scores of C classes, in [0, 1]; None, or NaN in an array, where there is no truth.

    Attributes:
        ap: mean over IoUs of 0.5 to 0.95.
        ap50: at IoU 0.5.
        ap75: at IoU 0.75.
        ap_small: `ap` of objects below 32² pixels.
        ap_medium: `ap` of objects of 32² to 96² pixels.
        ap_large: `ap` of larger objects.
        class_ap: C.
        class_ap50: C.
        boxes: C, how many truths count.
        precision: C×101, at IoU 0.5, the best that is had at recalls of 0, 0.01, … 1 or more; 0
            where no threshold reaches the recall.
        thresholds: C×101, the score at each of these points; 0 beyond reach.
        best: the threshold of best F1 at IoU 0.5, for all classes; None if nothing right is found.
        class_best: C, the same for each class by itself.
        confusion: (C+1)×(C+1) counts at `best.threshold`, or of all detections where there is none;
            see `breakdown.confusion`.
        errors: by kind, `localisation`, `class`, `both`, `duplicate`, `background` and `missed`,
            counted at the same threshold; see `matching.Kind` and `breakdown.break_down`.
        matching: which detection finds which truth, of which all these were counted.
    """

    ap: float | None
    ap50: float | None
    ap75: float | None
    ap_small: float | None
    ap_medium: float | None
    ap_large: float | None
    class_ap: NDArray[np.float64]
    class_ap50: NDArray[np.float64]
    boxes: NDArray[np.int64]
    precision: NDArray[np.float64]
    thresholds: NDArray[np.float64]
    best: OperatingPoint | None
    class_best: tuple[OperatingPoint | None, ...]
    confusion: NDArray[np.int64]
    errors: dict[str, Cost]
    matching: Matching

    def per_class(self, classes: tuple[str, ...]) -> dict[str, DetectClassFigures]:
        """AP, AP50, the number of boxes, and the best threshold of each class with its figures.

        A class without truths has no AP, one that is never found rightly no threshold: None.
        """
        return {
            name: {
                "ap": _mean(self.class_ap[index : index + 1]),
                "ap50": _mean(self.class_ap50[index : index + 1]),
                "boxes": int(self.boxes[index]),
                **_point(self.class_best[index]),
            }
            for index, name in enumerate(classes)
        }

    def figures(self) -> dict[str, float]:
        """AP and AP50, for the history; 0 where there is no truth."""
        return {"ap": self.ap or 0.0, "ap50": self.ap50 or 0.0}

    def as_json(self, classes: tuple[str, ...]) -> DetectFigures:
        """The scores under their public names; without the curves, which are for drawing."""
        return {
            "ap": self.ap,
            "ap50": self.ap50,
            "ap75": self.ap75,
            "ap_small": self.ap_small,
            "ap_medium": self.ap_medium,
            "ap_large": self.ap_large,
            "per_class": self.per_class(classes),
            "best": _point(self.best),
            "errors": {
                kind: {"count": each.count, "ap50": each.ap50} for kind, each in self.errors.items()
            },
            "confusion": self.confusion.tolist(),
        }


@dataclass(frozen=True)
class Worst:
    """A picture with errors.

    Attributes:
        picture: its index.
        error: the sum of the scores of wrong detections, and of 1 − score for truths not found,
            with the score of the detection that lies there below the threshold; 0 if none does.
        counts: how many errors of each kind that it has, as in `Scores.errors`.
    """

    picture: int
    error: float
    counts: dict[str, int]


def score(
    detections: Sequence[Detections], truth: Boxes, *, classes: tuple[str, ...]
) -> DetectScores:
    """Judge the detections of N pictures.

    Args:
        detections: those of each picture, in pixels of the original. AP sums over every score, so
            let them start low: Darknet's own figures are from 0.005 on.
        truth: the boxes of the same pictures. Those without an area have width × height.
        classes: whose indices both have.

    Raises:
        InputError: there are not as many pictures of both, a detection is not of one of the
            classes, has a score outside [0, 1], or a corner that is no number.
    """
    count = len(classes)
    matching = match(detections, truth)
    for what, labels in (("detection", matching.found.labels), ("truth", matching.truth.classes)):
        if len(labels) and labels.max() >= count:
            raise InputError(
                f"a {what} is of class {labels.max()}, but there are {count} classes, from 0 on: "
                "number both by the same list of classes"
            )
    precision, thresholds = precision_at_recalls(matching, count)
    boxes = np.bincount(matching.truth.classes[matching.counted], minlength=count)
    best = _best_point(matching, int(boxes.sum()))
    threshold = best.threshold if best else 0.0
    return DetectScores(
        ap=_mean(precision[..., 0]),
        ap50=_mean(precision[0, ..., 0]),
        ap75=_mean(precision[5, ..., 0]),
        ap_small=_mean(precision[..., 1]),
        ap_medium=_mean(precision[..., 2]),
        ap_large=_mean(precision[..., 3]),
        class_ap=precision[..., 0].mean(axis=(0, 1)),
        class_ap50=precision[0, ..., 0].mean(axis=0),
        boxes=boxes,
        precision=precision[0, ..., 0].T,
        thresholds=thresholds[0, ..., 0].T,
        best=best,
        class_best=tuple(_best_point(matching, int(n), label) for label, n in enumerate(boxes)),
        confusion=confusion(matching, threshold=threshold, classes=count),
        errors=break_down(matching, threshold=threshold, classes=count),
        matching=matching,
    )


def worst(
    detections: Sequence[Detections], truth: Boxes, *, threshold: float, most: int
) -> list[Worst]:
    """The pictures of largest `Worst.error`, the worst first; none without one.

    Args:
        threshold: only detections of a score above it count as shown.
        most: how many pictures at most.
    """
    matching = match(detections, truth)
    count = len(detections)
    false, lost = matching.false(threshold), matching.not_found(threshold)
    unsure = 1 - np.maximum(matching.found_at()[lost], 0)
    error = np.zeros(count)
    # Of no elements at all, bincount counts whole numbers, whatever the weights.
    error += np.bincount(matching.pictures[false], matching.found.scores[false], minlength=count)
    error += np.bincount(matching.truth.pictures()[lost], unsure, minlength=count)
    errors = count_errors(matching, threshold=threshold)
    order = np.argsort(-error, kind="stable")[:most]
    return [
        Worst(
            picture,
            float(error[picture]),
            {name: int(n) for name, n in zip(ERRORS, errors[picture], strict=True) if n},
        )
        for picture in order[error[order] > 0].tolist()
    ]


def _best_point(matching: Matching, truths: int, label: int | None = None) -> OperatingPoint | None:
    """Of one class, or of all together."""
    shown = matching.kinds != Kind.IGNORED
    if label is not None:
        shown &= matching.found.labels == label
    return best_point(matching.found.scores[shown], matching.kinds[shown] == Kind.RIGHT, truths)


def _mean(values: NDArray[np.float64]) -> float | None:
    """Over the classes that have a value."""
    known = values[~np.isnan(values)]
    return float(known.mean()) if len(known) else None


def _point(point: OperatingPoint | None) -> PointFigures:
    if point is None:
        return {"threshold": None, "precision": None, "recall": None, "f1": None}
    return {
        "threshold": point.threshold,
        "precision": point.precision,
        "recall": point.recall,
        "f1": point.f1,
    }
