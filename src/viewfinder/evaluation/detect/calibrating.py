"""The maps of a detector's scores, fitted on pictures that it did not learn from."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from viewfinder.evaluation.calibrating import ScoreMap
from viewfinder.evaluation.claimed import Claims
from viewfinder.evaluation.detect.judged import DetectJudgement
from viewfinder.tasks.detect.answers.answering import THRESHOLD
from viewfinder.tasks.detect.answers.platt import LARGEST_OFFSET, LARGEST_SLOPE, LEAST_SLOPE, Platt
from viewfinder.tasks.detect.detections import Detections
from viewfinder.tasks.detect.measures.matching import Kind
from viewfinder.tasks.detect.measures.scores import score
from viewfinder.tasks.supported import supported
from viewfinder.wording import counted

FEWEST_PICTURES, FEWEST, FEWEST_OF_CLASS = 10, 50, 30
"""Held-out pictures, right and wrong boxes in them, and of a class right and wrong ones, from which
on scores are fitted."""

# Boxes that score less are almost all wrong, and so many that they alone would be fitted.
_LEAST = 0.05
# What the first map must give a box that the second is fitted on, as far as that goes.
_NEAR = (THRESHOLD / 2, 0.4 * THRESHOLD, 0.3 * THRESHOLD, 0.2 * THRESHOLD)
_STEPS = 50

Floats = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class BoxEvidence:
    """M boxes that were found: `evaluation.calibrating.Evidence`.

    Attributes:
        right: whether each finds an object of its class, at an IoU of 0.5.
        groups: the picture of each.
        classes: how many there are.
    """

    scores: Floats
    labels: NDArray[np.int64]
    right: NDArray[np.bool_]
    groups: NDArray[np.int64]
    classes: int

    def lacks(self) -> str:
        """Pictures, or boxes that are right, or wrong."""
        pictures, right = len(np.unique(self.groups)), int(self.right.sum())
        wrong = len(self.right) - right
        if pictures >= FEWEST_PICTURES and min(right, wrong) >= FEWEST:
            return ""
        return (
            f"{right:,} right and {wrong:,} wrong boxes in {counted(pictures, 'held-out picture')} "
            f"are too few to fit a map of them, {FEWEST} of each in {FEWEST_PICTURES} would do"
        )

    def take(self, rows: NDArray[np.int64]) -> "BoxEvidence":
        """Some of them."""
        return replace(
            self,
            scores=self.scores[rows],
            labels=self.labels[rows],
            right=self.right[rows],
            groups=self.groups[rows],
        )

    def joined(self, others: Sequence["BoxEvidence"]) -> "BoxEvidence":
        """These and those of other pictures, or of the same where the numbers are the same."""
        every = [self, *others]
        return BoxEvidence(
            np.concatenate([each.scores for each in every]),
            np.concatenate([each.labels for each in every]),
            np.concatenate([each.right for each in every]),
            np.concatenate([each.groups for each in every]),
            self.classes,
        )

    def fit(self) -> Platt:
        """Each class's own map where there are enough of it, and that of all for the others."""
        shared = _fitted(self.scores, self.right)
        found: list[tuple[float, float, float]] = []
        for label in range(self.classes):
            own = self.labels == label
            right = int(self.right[own].sum())
            enough = min(right, int(own.sum()) - right) >= FEWEST_OF_CLASS
            found.append(_fitted(self.scores[own], self.right[own]) if enough else shared)
        slopes, offsets, most = zip(*found, strict=True)
        return Platt(slopes, offsets, most)

    def mapped(self, by: ScoreMap) -> "BoxEvidence":
        """Each score by the map of its class."""
        assert isinstance(by, Platt)
        return replace(self, scores=by.of_array(self.scores, self.labels))

    def surprises(self) -> Floats:
        """Of whether each is right."""
        right = np.where(self.right, self.scores, 1 - self.scores)
        return np.asarray(-np.log(np.maximum(right, 1e-12)), np.float64)

    def claims(self) -> Claims:
        """Those that are shown."""
        shown = self.scores > THRESHOLD
        return Claims(self.scores[shown], self.right[shown], "boxes")

    def kept(self) -> dict[str, object]:
        """Nothing."""
        return {}

    def as_arrays(self) -> dict[str, NDArray[np.generic]]:
        """`scores, labels, right, groups, classes`."""
        return {
            "scores": self.scores,
            "labels": self.labels,
            "right": self.right,
            "groups": self.groups,
            "classes": np.array([self.classes]),
        }


def from_arrays(arrays: dict[str, NDArray[np.generic]]) -> BoxEvidence:
    """What `as_arrays` gave.

    Raises:
        KeyError, ValueError: it is something else.
    """
    found = BoxEvidence(
        np.asarray(arrays["scores"], np.float64),
        np.asarray(arrays["labels"], np.int64),
        np.asarray(arrays["right"], np.bool_),
        np.asarray(arrays["groups"], np.int64),
        int(np.asarray(arrays["classes"], np.int64)[0]),
    )
    if not found.scores.shape == found.labels.shape == found.right.shape == found.groups.shape:
        raise ValueError("no boxes of a detector")
    return found


def evidence(judgement: DetectJudgement) -> BoxEvidence:
    """The boxes found in a split's pictures."""
    matching = judgement.scores.matching
    rows = (matching.found.scores > _LEAST) & (matching.kinds != Kind.IGNORED)
    found = matching.found.take(rows)
    return BoxEvidence(
        found.scores.astype(np.float64),
        found.labels,
        matching.kinds[rows] == Kind.RIGHT,
        matching.pictures[rows],
        len(judgement.examples.classes),
    )


def recalibrated(judgement: DetectJudgement, by: ScoreMap) -> DetectJudgement:
    """The same boxes with mapped scores."""
    assert isinstance(by, Platt)
    answers: list[Detections] = [by.on(each) for each in judgement.answers]
    boxes, classes = judgement.examples.boxes, judgement.examples.classes
    assert boxes is not None, "a detector's pictures have boxes"
    return replace(judgement, answers=answers, scores=score(answers, boxes, classes=classes))


def _fitted(scores: Floats, right: NDArray[np.bool_]) -> tuple[float, float, float]:
    """Slope, offset, and the highest score that they speak for.

    The first two are fitted again on those boxes alone to which the first map gives a half of what
    is shown or more, where enough are left: what is shown lies among them, and of the others there
    are so many that a logistic curve would bend to them. A second map that shows such others is not
    taken: more of them are fitted then, or the first map serves.
    """
    odds, most = _odds(scores), supported(scores, right)
    slope, offset = _logistic(scores, right)
    first = _sigmoid(slope * odds + offset)
    for least in _NEAR:
        near = first >= least
        hits = int(right[near].sum())
        if min(hits, int(near.sum()) - hits) < FEWEST_OF_CLASS:
            continue
        again, shift = _logistic(scores[near], right[near])
        far = again * odds[~near].max(initial=-np.inf) + shift
        if _sigmoid(far) <= THRESHOLD:
            return again, shift, most
    return slope, offset, most


def _logistic(scores: Floats, right: NDArray[np.bool_]) -> tuple[float, float]:
    """Slope and offset, by Newton's method, with one pull of the slope towards 1.

    Instead of 1 and 0, boxes are right and wrong by Platt's targets, after Laplace's rule.
    """
    odds = np.stack([_odds(scores), np.ones(len(scores))], axis=1)
    hits = int(right.sum())
    target = np.where(right, (hits + 1) / (hits + 2), 1 / (len(right) - hits + 2))
    found, pull = np.array([1.0, 0.0]), np.array([1.0, 1e-6])
    for _ in range(_STEPS):
        shares = _sigmoid(odds @ found)
        slope = odds.T @ (shares - target) + pull * (found - (1, 0))
        curve = (odds.T * (shares * (1 - shares))) @ odds + np.diag(pull)
        step = np.linalg.solve(curve, slope)
        found = found - step / max(1.0, float(np.abs(step).max()))
        found[0] = np.clip(found[0], LEAST_SLOPE, LARGEST_SLOPE)
        found[1] = np.clip(found[1], -LARGEST_OFFSET, LARGEST_OFFSET)
    return float(found[0]), float(found[1])


def _odds(scores: Floats) -> Floats:
    held = np.clip(scores, 1e-12, 1 - 1e-9)
    return np.asarray(np.log(held) - np.log1p(-held), np.float64)


def _sigmoid(odds: Floats) -> Floats:
    return np.asarray(1 / (1 + np.exp(-np.clip(odds, -500, 500))), np.float64)
