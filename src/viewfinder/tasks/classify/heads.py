"""A classifier's last layer, learnt by itself from the vectors that the rest of the net gives.

Two ways, both a linear layer in the end, so that the run is a net like any other:

- **class means** ("prototypes"; Snell et al., "Prototypical networks", 2017): a picture is of the
  class whose mean vector is the nearest. With m the mean, |x − m|² = |x|² − 2 m·x + |m|², and |x|²
  is the same for all classes: the nearest mean is the largest of m·x − |m|²/2.
- **ridge regression** (Hoerl and Kennard, 1970) of 1 for a picture's own class and 0 for others, as
  in Rifkin et al., "Regularized least-squares classification", 2003. It is solved at once, and what
  it says of a picture that it did not learn from follows without learning anew (Allen's PRESS).

What either says of left-out pictures chooses the pull of the weights towards zero, and how sure the
layer is.
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Labels = NDArray[np.int64]
Learn = Callable[[Labels, Labels], Floats]

DECAYS = (0.3, 1.0, 3.0)
"""Pulls that are tried."""
# Folds of the cross-validation, and pictures beyond which a part of them tells as much.
_FOLDS, _MOST = 5, 600
# Scales of logits that are tried: the least, how many, and the largest of each way. Where all of a
# few left-out pictures are right, no scale would be too large for them, but it is for others.
_LEAST_SCALE, _SCALES, _SUREST_MEANS, _SUREST_RIDGE = 0.5, 25, 30.0, 15.0
# By how much layers that were learnt without each fold may be less sure, or surer, than they say.
_TURNS = np.geomspace(0.1, 10, 41)


@dataclass(frozen=True, eq=False)
class LinearHead:
    """Logits are `x @ weight.T + bias`: C×D and C."""

    weight: Floats
    bias: Floats

    def logits(self, vectors: Floats) -> Floats:
        """N×C of N×D."""
        return vectors @ self.weight.T + self.bias

    def turned(self, turn: float) -> "LinearHead":
        """The same answers, less sure (below 1) or surer."""
        return LinearHead(turn * self.weight, turn * self.bias)


def softmax(logits: Floats) -> Floats:
    """N×C logits as probabilities; N may be 0."""
    shifted = np.exp(logits - logits.max(axis=1, keepdims=True, initial=-np.inf))
    return np.asarray(shifted / shifted.sum(axis=1, keepdims=True), np.float64)


@dataclass(frozen=True, eq=False)
class SolvedHead:
    """A layer, and what it would say of each picture had it learnt from the others alone.

    Attributes:
        left_out: N×C logits.
        surprise: mean cross-entropy of `left_out`, of the pictures that are not the only one of
            their class; NaN if there are none.
        decay: the pull; 0 where there is none.
    """

    layer: LinearHead
    left_out: Floats
    surprise: float
    decay: float = 0.0


def class_means(vectors: Floats, labels: Labels, classes: int) -> SolvedHead:
    """The layer that answers with the nearest class mean.

    Its logits are −distance²/(2T) but for what all classes share; the temperature T is the
    likeliest for pictures that are each left out of the mean of its own class.

    Args:
        vectors: N×D; every class has one or more.
    """
    counts = np.bincount(labels, minlength=classes)
    means = np.stack([vectors[labels == c].mean(axis=0) for c in range(classes)])
    lengths = (means**2).sum(axis=1)
    squares = (vectors**2).sum(axis=1)[:, None] - 2 * vectors @ means.T + lengths  # N×C
    own = counts[labels]
    rows = np.arange(len(labels))
    # The mean without the picture itself lies n/(n − 1) times as far from it.
    squares[rows, labels] *= (own / np.maximum(1, own - 1)) ** 2
    unit = max(float(squares[rows, labels].mean()), 1e-12)
    left_out = -squares / (2 * unit)
    scale, surprise = _likeliest(left_out, labels, _SUREST_MEANS)
    layer = LinearHead(means * (scale / unit), -lengths * (scale / (2 * unit)))
    return SolvedHead(layer, left_out * scale, surprise)


def ridge(
    vectors: Floats,
    labels: Labels,
    classes: int,
    *,
    weights: Floats | None = None,
    decays: Sequence[float] = DECAYS,
) -> SolvedHead:
    """Ridge regression, with the pull whose left-out pictures surprise least.

    The pull λ is that of (Σ |y − W x|² + λ |W|²), with vectors x brought to a mean of 0 and a mean
    squared length of 1. The bias is not pulled.

    Args:
        vectors: N×D.
        weights: of each picture; all 1 if None.
    """
    counts = np.ones(len(labels)) if weights is None else weights / weights.mean()
    roots, share = np.sqrt(counts)[:, None], counts / len(labels)
    mean, truth = share @ vectors, np.eye(classes)[labels]
    prior = share @ truth
    centred = vectors - mean
    length = max(float(np.sqrt(share @ (centred**2).sum(axis=1))), 1e-12)
    x, y = roots * centred / length, roots * (truth - prior)
    values, u = _spectrum(x)
    turned = u.T @ y  # K×C
    found: list[SolvedHead] = []
    for decay in decays:
        fitted = u @ (turned * (values / (values + decay))[:, None])
        leverage = (u**2) @ (values / (values + decay)) + share
        # A picture's error when it is left out is its error divided by 1 − leverage.
        left_out = truth - (y - fitted) / np.maximum(1 - leverage, 1e-9)[:, None] / roots
        scale, surprise = _likeliest(left_out, labels, _SUREST_RIDGE)
        weight = scale / length * (x.T @ (u @ (turned / (values + decay)[:, None]))).T
        layer = LinearHead(weight, scale * prior - weight @ mean)
        found.append(SolvedHead(layer, scale * left_out, surprise, decay))
    return min(found, key=lambda each: each.surprise)


def _spectrum(x: Floats) -> tuple[Floats, Floats]:
    """K eigenvalues of x·xᵀ above nothing, and their vectors N×K, for x of N×D."""
    count, width = x.shape
    values, vectors = np.linalg.eigh(x @ x.T if count <= width else x.T @ x)
    some = values > 1e-10 * max(values[-1], 1e-300)
    values, vectors = values[some], vectors[:, some]
    return values, vectors if count <= width else x @ vectors / np.sqrt(values)


def _likeliest(left_out: Floats, labels: Labels, surest: float) -> tuple[float, float]:
    """The scale of logits at which left-out pictures surprise least, and how much they do."""
    judged = np.flatnonzero(np.bincount(labels)[labels] > 1)
    if not len(judged):
        return math.sqrt(_LEAST_SCALE * surest), float("nan")

    def surprise(scale: float) -> float:
        logits = scale * left_out[judged]
        logits = logits - logits.max(axis=1, keepdims=True)
        own = logits[np.arange(len(judged)), labels[judged]]
        return float((np.log(np.exp(logits).sum(axis=1)) - own).mean())

    scales = np.geomspace(_LEAST_SCALE, surest, _SCALES)
    best = min(scales.tolist(), key=surprise)
    return best, surprise(best)


@dataclass(frozen=True, eq=False)
class LeftOut:
    """What cross-validation says of a way: its M×C logits of pictures that it did not learn from,
    and their classes."""

    logits: Floats
    labels: Labels

    @property
    def right(self) -> float:
        """The share of the pictures that came out right, each class counting alike; 0 of none."""
        hits = self.logits.argmax(axis=1) == self.labels
        own = [hits[self.labels == label].mean() for label in np.unique(self.labels)]
        return float(np.mean(own)) if own else 0.0

    @property
    def turn(self) -> float:
        """What logits are to be multiplied with, for the pictures to surprise least."""
        return float(max(_TURNS, key=lambda turn: self._surenesses(turn).mean()))

    def shares(self) -> Floats:
        """M: how far each true class is believed, where the layer is as sure as it should be."""
        return np.asarray(np.exp(self._surenesses(self.turn)), np.float64)

    def _surenesses(self, turn: float) -> Floats:
        logits = turn * self.logits
        logits = logits - logits.max(axis=1, keepdims=True, initial=-np.inf)
        own = logits[np.arange(len(logits)), self.labels]
        return np.asarray(own - np.log(np.exp(logits).sum(axis=1)), np.float64)


def folds(labels: Labels, count: int = _FOLDS) -> Labels:
    """A fold for each picture, every class spread over all as evenly as it goes; always the same.

    Of large sets `_MOST` pictures take part; the others have fold −1 and are always learnt from.
    """
    rng = np.random.default_rng(0)
    found = np.full(len(labels), -1)
    taking = rng.permutation(len(labels))[:_MOST]
    for number in np.unique(labels[taking]):
        own = rng.permutation(taking[labels[taking] == number])
        found[own] = (np.arange(len(own)) + rng.integers(count)) % count
    return found


def cross_validated(labels: Labels, classes: int, learn: Learn) -> LeftOut:
    """What a way says of pictures whose fold it did not learn from.

    Args:
        learn: from the numbers of the pictures to learn from, and those left out, to the logits
            that it gives the latter.
    """
    assigned, asked = folds(labels), list[Labels]()
    logits = [np.zeros((0, classes))]
    for fold in range(_FOLDS):
        out = np.flatnonzero(assigned == fold)
        kept = np.flatnonzero(assigned != fold)
        if len(out) and len(np.unique(labels[kept])) == len(np.unique(labels)):
            asked.append(labels[out])
            logits.append(learn(kept, out))
    return LeftOut(np.concatenate(logits), np.concatenate([labels[:0], *asked]))
