"""Which last layer to take for few pictures: class means or logistic regression, and whether
pictures without labels help; each decided by pictures that were left out."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import Literal

import numpy as np

from viewfinder.tasks.classify.heads import (
    DECAYS,
    USUAL_DECAY,
    Floats,
    Labels,
    Layer,
    class_means,
    logistic,
    right_of_left_out,
)

Way = Literal["prototypes", "linear"]

# Self-training: rounds, the surest share of each guessed class that is believed, and what one
# of those counts beside a picture with a label.
_ROUNDS, _BELIEVED, _COUNTS = 3, 0.5, 0.3


@dataclass(frozen=True, eq=False)
class VectorExamples:
    """Vectors of pictures, of the same ones mirrored too, and their classes.

    Attributes:
        views: N×V×D: V is 1, or 2 with each picture's mirror image.
        labels: N.
        balanced: whether each class counts as much as any other, however many pictures it has.
    """

    views: Floats
    labels: Labels
    classes: int
    balanced: bool = False

    def select(self, numbers: Labels) -> "VectorExamples":
        """Some of them."""
        return VectorExamples(
            self.views[numbers], self.labels[numbers], self.classes, self.balanced
        )

    @property
    def weights(self) -> Floats:
        """What each picture counts."""
        if not self.balanced:
            return np.ones(len(self.labels))
        counts = np.bincount(self.labels, minlength=self.classes)
        return np.asarray(1.0 / counts[self.labels], np.float64)


@dataclass(frozen=True, eq=False)
class Solved:
    """A last layer, how it came about, and what left-out pictures said.

    Attributes:
        right: the share of left-out pictures that were right, by way; empty if none could be.
        believed: how many pictures without labels took part.
    """

    layer: Layer
    way: Way
    decay: float
    right: dict[str, float]
    pictures: int
    believed: int = 0


def solve(
    examples: VectorExamples, ways: Sequence[Way], unlabelled: Floats | None = None
) -> Solved:
    """The layer that left-out pictures prefer, learnt from all.

    Args:
        ways: to choose from.
        unlabelled: M×D vectors of pictures without labels; they are used only if left-out pictures
            come out right more often with them.
    """
    candidates = _candidates(ways)
    right, pictures = {}, 0
    for name, (way, decay) in candidates.items():
        found = right_of_left_out(examples.labels, partial(_left_out, examples, way, decay))
        right[name], pictures = found.right, found.pictures
    best = max(right, key=lambda name: right[name]) if pictures else _usual(candidates)
    way, decay = candidates[best]
    told = {name: share for name, share in right.items() if pictures}
    if unlabelled is not None and len(unlabelled) and pictures:
        with_more = partial(_left_out, examples, way, decay, unlabelled=unlabelled)
        helped = right_of_left_out(examples.labels, with_more).right
        told["unlabelled"] = helped
        if helped > right[best]:
            layer, believed = _self_trained(examples, way, decay, unlabelled)
            return Solved(layer, way, decay, told, pictures, believed)
    return Solved(_learn(examples, way, decay), way, decay, told, pictures)


def _left_out(
    examples: VectorExamples,
    way: Way,
    decay: float,
    kept: Labels,
    out: Labels,
    *,
    unlabelled: Floats | None = None,
) -> Labels:
    """The classes that a layer learnt from `kept` gives the pictures `out`."""
    part = examples.select(kept)
    if unlabelled is None:
        layer = _learn(part, way, decay)
    else:
        layer, _ = _self_trained(part, way, decay, unlabelled)
    return _answers(layer, examples.views[out])


def _candidates(ways: Sequence[Way]) -> dict[str, tuple[Way, float]]:
    """Ways by the name that they are told under, the simplest first: it wins a draw."""
    found: dict[str, tuple[Way, float]] = {}
    if "prototypes" in ways:
        found["class means"] = ("prototypes", 0.0)
    if "linear" in ways:
        found |= {f"linear, decay {d:g}": ("linear", d) for d in sorted(DECAYS, reverse=True)}
    return found


def _usual(candidates: dict[str, tuple[Way, float]]) -> str:
    """What is taken where no picture can be left out."""
    fitting = [n for n, (way, d) in candidates.items() if way == "prototypes" or d == USUAL_DECAY]
    return fitting[0]


def _learn(examples: VectorExamples, way: Way, decay: float) -> Layer:
    if way == "prototypes":
        return class_means(examples.views.mean(axis=1), examples.labels, examples.classes)
    views = examples.views.shape[1]
    return logistic(
        examples.views.reshape(-1, examples.views.shape[2]),
        np.repeat(examples.labels, views),
        examples.classes,
        decay=decay,
        weights=np.repeat(examples.weights, views),
    )


def _self_trained(
    examples: VectorExamples, way: Way, decay: float, unlabelled: Floats
) -> tuple[Layer, int]:
    """Learnt from the surest guesses too, which are guessed anew a few times (Lee, 2013)."""
    layer, believed = _learn(examples, way, decay), 0
    vectors = examples.views.mean(axis=1)
    for _ in range(_ROUNDS):
        logits = layer.logits(unlabelled)
        guessed = logits.argmax(axis=1)
        sure = _softmax(logits).max(axis=1)
        taken = np.concatenate([_surest(guessed == c, sure) for c in range(examples.classes)])
        believed = len(taken)
        layer = logistic(
            np.concatenate([vectors, unlabelled[taken]]),
            np.concatenate([examples.labels, guessed[taken]]),
            examples.classes,
            decay=decay or USUAL_DECAY,
            weights=np.concatenate([examples.weights, np.full(believed, _COUNTS)]),
        )
    return layer, believed


def _surest(own: "np.ndarray[tuple[int], np.dtype[np.bool_]]", sure: Floats) -> Labels:
    numbers = np.flatnonzero(own)
    count = int(np.ceil(_BELIEVED * len(numbers)))
    return numbers[np.argsort(-sure[numbers], kind="stable")][:count]


def _answers(layer: Layer, views: Floats) -> Labels:
    """The likeliest class of each picture, by the mean over its views."""
    shares = np.stack([_softmax(layer.logits(views[:, v])) for v in range(views.shape[1])])
    return np.asarray(shares.mean(axis=0).argmax(axis=1), np.int64)


def _softmax(logits: Floats) -> Floats:
    shifted = np.exp(logits - logits.max(axis=1, keepdims=True))
    return np.asarray(shifted / shifted.sum(axis=1, keepdims=True))
