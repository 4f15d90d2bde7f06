"""The highest score that held-out answers speak for, and scores that stay below it.

Were all of n held-out answers right, the next one is with probability (n + 1) / (n + 2), by
Laplace's rule of succession: no map fitted on them can promise more. Scores above are pressed
together below that, so that their order stays.
"""

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

LEAST = 0.6
"""No limit is lower, so that the likeliest of two classes stays it."""

# Answers from which on a share of them is evidence.
_FEWEST = 30
# What lies above a limit's knee is pressed to this share of its width.
_PRESSED = 0.125


def supported(scores: NDArray[np.float64], right: NDArray[np.bool_]) -> float:
    """The highest share that the surest of some answers speak for, in [`LEAST`, 1).

    Of the n surest, of which h are right, that is (h + 1) / (n + 2); it is taken at that n, of 30
    or more, where it is largest.
    """
    order = np.argsort(-scores, kind="stable")
    hits, counts = np.cumsum(right[order]), np.arange(1, len(scores) + 1)
    shares = ((hits + 1) / (counts + 2))[min(_FEWEST, len(scores)) - 1 :]
    return max(LEAST, float(shares.max(initial=0)))


def limited(scores: Tensor, most: Tensor | float) -> Tensor:
    """Scores in [0, 1], in [0, most]: those that are not near the limit as they are."""
    knee = (most - _PRESSED) / (1 - _PRESSED)
    return torch.minimum(scores, knee + _PRESSED * (scores - knee))


def unlimited(score: float, most: float) -> float:
    """What `limited` was given; 1 for what it never gives."""
    knee = (most - _PRESSED) / (1 - _PRESSED)
    return score if score <= knee else min(1.0, knee + (score - knee) / _PRESSED)


def limited_rows(probabilities: Tensor, most: float) -> Tensor:
    """N×C probabilities whose largest is limited; the rest of each row is shared by all classes."""
    even = 1 / probabilities.shape[1]
    surest = probabilities.amax(dim=1, keepdim=True)
    share = (surest - limited(surest, most)) / (surest - even).clamp(min=1e-6)
    return probabilities + share * (even - probabilities)


def read_limit(value: object) -> float:
    """A limit from a file.

    Raises:
        ValueError: it is none.
    """
    if isinstance(value, bool) or not isinstance(value, int | float) or not LEAST <= value <= 1:
        raise ValueError("no limit of scores")
    return float(value)
