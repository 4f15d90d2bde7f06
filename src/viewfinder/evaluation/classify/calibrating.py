"""The temperature of a classifier's probabilities, fitted on pictures it did not learn from."""

import math
from collections.abc import Callable, Sequence
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

# Logarithms of 1 / T between which it is sought: first by so many steps, of which the best is
# divided again.
_POWERS, _STEPS, _ROUNDS = (-math.log(LARGEST), -math.log(LEAST)), 12, 3
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
        """The likeliest temperature by whether likeliest classes are right, which is what their
        scores claim, with one pull towards 1 against the weight of all pictures."""
        logits = np.log(np.maximum(self.probabilities, np.finfo(np.float32).tiny))
        right = logits.argmax(axis=1) == self.labels

        def surprise(power: float) -> float:
            slope = np.exp(power)
            scaled = slope * (logits - logits.max(axis=1, keepdims=True))
            surprised = _surprises(1 / np.exp(scaled).sum(axis=1), right)
            return float(surprised.sum()) + power**2 / 2

        found = Temperature(float(np.exp(-_lowest(surprise, *_POWERS))))
        answered = claims_of(found.of_array(self.probabilities), self.labels)
        return replace(found, most=supported(answered.scores, answered.right))

    def mapped(self, by: ScoreMap) -> "ClassEvidence":
        """At a temperature."""
        assert isinstance(by, Temperature)
        return replace(self, probabilities=by.of_array(self.probabilities))

    def surprises(self) -> NDArray[np.float64]:
        """Of whether the likeliest class is right."""
        claims = self.claims()
        return _surprises(claims.scores, claims.right)

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


def _surprises(scores: NDArray[np.floating], right: NDArray[np.bool_]) -> NDArray[np.float64]:
    """Of whether each is right, in nats."""
    called = np.where(right, scores, 1 - np.asarray(scores, np.float64))
    return np.asarray(-np.log(np.maximum(called, 1e-9)), np.float64)


def _lowest(curve: Callable[[float], float], low: float, high: float) -> float:
    """Where a curve is lowest, by ever finer steps."""
    for _ in range(_ROUNDS):
        places = np.linspace(low, high, _STEPS + 1)
        best = int(np.argmin([curve(float(each)) for each in places]))
        low, high = places[max(0, best - 1)], places[min(_STEPS, best + 1)]
    return float(low + high) / 2
