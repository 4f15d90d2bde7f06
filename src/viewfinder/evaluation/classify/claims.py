"""What a classifier claims: that a picture is of its likeliest class, so surely."""

import numpy as np
from numpy.typing import NDArray

from viewfinder.evaluation.claimed import Claims
from viewfinder.evaluation.classify.judged import ClassifyJudgement


def claims(judgement: ClassifyJudgement) -> Claims:
    """One of each picture."""
    return claims_of(judgement.answers, judgement.examples.labels)


def claims_of(probabilities: NDArray[np.float32], labels: NDArray[np.int64]) -> Claims:
    """Of N×C probabilities and N true classes."""
    right = probabilities.argmax(axis=1) == labels
    return Claims(probabilities.max(axis=1).astype(np.float64), right, "answers")
