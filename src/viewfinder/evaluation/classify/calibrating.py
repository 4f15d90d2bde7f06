"""The temperature of a classifier's probabilities, fitted on pictures it did not learn from."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from viewfinder.evaluation.calibrating import ScoreMap
from viewfinder.evaluation.claimed import Claims
from viewfinder.evaluation.classify.claims import claims_of
from viewfinder.evaluation.classify.judged import ClassifyJudgement
from viewfinder.tasks.classify.coverage import TRUE_SHARES
from viewfinder.tasks.classify.scores import score
from viewfinder.tasks.classify.temperature import LARGEST, LEAST, Temperature
from viewfinder.tasks.supported import supported
from viewfinder.wording import counted

FEWEST = 100
"""Pictures from which on a temperature is fitted; of fewer it is chance."""

_STEPS = 50
# Pictures that tell how large sets of classes must be; more tell nothing new.
_MOST_KEPT = 5000


@dataclass(frozen=True, eq=False)
class ClassEvidence:
    """N×C probabilities, and N true classes: `evaluation.calibrating.Evidence`."""

    probabilities: NDArray[np.float32]
    labels: NDArray[np.int64]

    @property
    def groups(self) -> NDArray[np.int64]:
        """Each picture is one answer."""
        return np.arange(len(self.labels))

    def lacks(self) -> str:
        """Pictures."""
        if len(self.labels) >= FEWEST:
            return ""
        held_out = counted(len(self.labels), "held-out picture")
        are = "is" if len(self.labels) == 1 else "are"
        return f"{held_out} {are} too few to fit a temperature, {FEWEST} would do"

    def take(self, rows: NDArray[np.int64]) -> "ClassEvidence":
        """Some of them."""
        return ClassEvidence(self.probabilities[rows], self.labels[rows])

    def joined(self, others: Sequence["ClassEvidence"]) -> "ClassEvidence":
        """These and others."""
        every = [self, *others]
        return ClassEvidence(
            np.concatenate([each.probabilities for each in every]),
            np.concatenate([each.labels for each in every]),
        )

    def fit(self) -> Temperature:
        """The likeliest temperature, with one pull towards 1 against the weight of all pictures."""
        logits = np.log(np.maximum(self.probabilities, np.finfo(np.float32).tiny), dtype=np.float64)
        own = logits[np.arange(len(self.labels)), self.labels]
        slope = 1.0  # 1 / T, of which surprise is convex
        for _ in range(_STEPS):
            scaled = np.exp(slope * logits - (slope * logits).max(axis=1, keepdims=True))
            shares = scaled / scaled.sum(axis=1, keepdims=True)
            mean = (shares * logits).sum(axis=1)
            variance = (shares * logits**2).sum(axis=1) - mean**2
            step = ((mean - own).sum() + slope - 1) / (variance.sum() + 1)
            slope = float(np.clip(slope - step, slope / 2, slope * 2))
            slope = min(max(slope, 1 / LARGEST), 1 / LEAST)
        found = Temperature(1 / slope)
        answered = claims_of(found.of_array(self.probabilities), self.labels)
        return replace(found, most=supported(answered.scores, answered.right))

    def mapped(self, by: ScoreMap) -> "ClassEvidence":
        """At a temperature."""
        assert isinstance(by, Temperature)
        return replace(self, probabilities=by.of_array(self.probabilities))

    def surprises(self) -> NDArray[np.float64]:
        """Of the true class."""
        own = self.probabilities[np.arange(len(self.labels)), self.labels]
        return -np.log(np.maximum(own, 1e-12), dtype=np.float64)

    def claims(self) -> Claims:
        """The likeliest class of each."""
        return claims_of(self.probabilities, self.labels)

    def kept(self) -> dict[str, object]:
        """`true`: what each picture's own class was given, by rising share."""
        own = self.probabilities[np.arange(len(self.labels)), self.labels].astype(np.float64)
        chosen = np.random.default_rng(0).permutation(own)[:_MOST_KEPT]
        return {TRUE_SHARES: np.round(np.sort(chosen), 7).tolist()}

    def as_arrays(self) -> dict[str, NDArray[np.generic]]:
        """`probabilities, labels`."""
        return {"probabilities": self.probabilities, "labels": self.labels}


def from_arrays(arrays: dict[str, NDArray[np.generic]]) -> ClassEvidence:
    """What `as_arrays` gave.

    Raises:
        KeyError, ValueError: it is something else.
    """
    probabilities = np.asarray(arrays["probabilities"], np.float32)
    labels = np.asarray(arrays["labels"], np.int64)
    if probabilities.ndim != 2 or labels.shape != probabilities.shape[:1]:
        raise ValueError("no answers of a classifier")
    return ClassEvidence(probabilities, labels)


def evidence(judgement: ClassifyJudgement) -> ClassEvidence:
    """The answers to a split's pictures."""
    return ClassEvidence(judgement.answers, judgement.examples.labels)


def recalibrated(judgement: ClassifyJudgement, by: ScoreMap) -> ClassifyJudgement:
    """The same answers at a temperature."""
    assert isinstance(by, Temperature)
    answers = by.of_array(judgement.answers)
    return replace(judgement, answers=answers, scores=score(answers, judgement.examples.labels))
