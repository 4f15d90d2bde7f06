"""A classifier's last layer, learnt by itself from the vectors that the rest of the net gives.

Two ways, both a linear layer in the end, so that the run is a net like any other:

- **class means** ("prototypes"; Snell et al., "Prototypical networks", 2017): a picture is of the
  class whose mean vector is the nearest. With m the mean, |x − m|² = |x|² − 2 m·x + |m|², and |x|²
  is the same for all classes: the nearest mean is the largest of m·x − |m|²/2.
- **logistic regression** with a pull of the weights towards zero, whose strength is chosen by
  cross-validation on the training pictures.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch.nn import functional

Floats = NDArray[np.float64]
Labels = NDArray[np.int64]
Learn = Callable[[Labels, Labels], Labels]

DECAYS = (0.003, 0.01, 0.03, 0.1)
"""Pulls that are tried."""
USUAL_DECAY = 0.03
"""Where there are too few pictures to try any."""
# Folds of the cross-validation, and pictures beyond which a part of them tells as much.
_FOLDS, _MOST = 5, 600
# Temperatures that are tried, as shares of the mean distance from a picture to its class.
_TEMPERATURES = np.geomspace(0.01, 1, 25)


@dataclass(frozen=True, eq=False)
class Layer:
    """Logits are `x @ weight.T + bias`: C×D and C."""

    weight: Floats
    bias: Floats

    def logits(self, vectors: Floats) -> Floats:
        """N×C of N×D."""
        return vectors @ self.weight.T + self.bias


def class_means(vectors: Floats, labels: Labels, classes: int) -> Layer:
    """The layer that answers with the nearest class mean.

    Its logits are −distance²/(2T) but for what all classes share; the temperature T is the
    likeliest for pictures that are each left out of the mean of its own class.

    Args:
        vectors: N×D; every class has one or more.
    """
    counts = np.bincount(labels, minlength=classes)
    means = np.stack([vectors[labels == c].mean(axis=0) for c in range(classes)])
    squares = ((vectors[:, None] - means[None]) ** 2).sum(axis=2)  # N×C
    own = counts[labels]
    rows = np.arange(len(labels))
    # The mean without the picture itself lies n/(n − 1) times as far from it.
    squares[rows, labels] *= (own / np.maximum(1, own - 1)) ** 2
    judged = own > 1
    temperature = _temperature(squares[judged], labels[judged]) if judged.any() else 1.0
    return Layer(means / temperature, -(means**2).sum(axis=1) / (2 * temperature))


def _temperature(squares: Floats, labels: Labels) -> float:
    """The likeliest of some: N×C squared distances, N classes."""
    scale = max(float(squares[np.arange(len(labels)), labels].mean()), 1e-12)

    def surprise(share: float) -> float:
        logits = torch.from_numpy(-squares / (2 * share * scale))
        return float(functional.cross_entropy(logits, torch.from_numpy(labels)))

    return float(min(_TEMPERATURES, key=surprise)) * scale


def logistic(
    vectors: Floats, labels: Labels, classes: int, *, decay: float, weights: Floats | None = None
) -> Layer:
    """Multinomial logistic regression, solved to its one optimum by L-BFGS.

    Args:
        decay: half of this times the sum of squared weights is added to the mean cross-entropy, of
            vectors brought to a mean of 0 and an overall deviation of 1.
        weights: of each picture; all 1 if None.
    """
    mean, deviation = vectors.mean(axis=0), max(float(vectors.std()), 1e-12)
    centred, span = _spanned((vectors - mean) / deviation)
    x, y = torch.from_numpy(centred), torch.from_numpy(labels)
    counted = torch.from_numpy(np.ones(len(labels)) if weights is None else weights)
    counted = counted / counted.sum()
    weight = torch.zeros(classes, x.shape[1], dtype=torch.float64, requires_grad=True)
    bias = torch.zeros(classes, dtype=torch.float64, requires_grad=True)
    optimiser = torch.optim.LBFGS([weight, bias], max_iter=200, line_search_fn="strong_wolfe")

    def closure() -> torch.Tensor:
        optimiser.zero_grad()
        surprise = functional.cross_entropy(x @ weight.T + bias, y, reduction="none")
        value = (counted * surprise).sum() + decay / 2 * (weight**2).sum()
        value.backward()  # type: ignore[no-untyped-call]
        return value

    with torch.enable_grad():
        optimiser.step(closure)  # type: ignore[no-untyped-call]
    found = weight.detach().numpy() @ span / deviation
    return Layer(found, bias.detach().numpy() - found @ mean)


def _spanned(vectors: Floats) -> tuple[Floats, Floats]:
    """N×D as N×K coordinates in a basis K×D of what they span, K the smaller of N and D.

    The pull keeps the weights within that span, so few pictures are a small problem.
    """
    count, width = vectors.shape
    if count >= width:
        return vectors, np.eye(width)
    basis = np.linalg.qr(vectors.T)[0].T  # N×D
    return vectors @ basis.T, basis


@dataclass(frozen=True)
class Trial:
    """What cross-validation says of a way: the share of left-out pictures that came out right."""

    right: float
    pictures: int


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


def right_of_left_out(labels: Labels, learn: Learn) -> Trial:
    """What share of pictures a way gets right whose fold it did not learn from.

    Args:
        learn: from the numbers of the pictures to learn from, and those left out, to the classes
            that it gives the latter.
    """
    assigned, right, pictures = folds(labels), 0, 0
    for fold in range(_FOLDS):
        out = np.flatnonzero(assigned == fold)
        kept = np.flatnonzero(assigned != fold)
        if not len(out) or len(np.unique(labels[kept])) < len(np.unique(labels)):
            continue
        right += int((learn(kept, out) == labels[out]).sum())
        pictures += len(out)
    return Trial(right / max(1, pictures), pictures)
