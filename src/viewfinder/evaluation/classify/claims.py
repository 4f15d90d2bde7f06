"""What a classifier claims: that a picture is of its likeliest class, so surely."""

import numpy as np

from viewfinder.evaluation.calibration import Claims
from viewfinder.evaluation.classify.judged import ClassifyJudgement


def claims(judgement: ClassifyJudgement) -> Claims:
    """One of each picture."""
    answers = judgement.answers
    right = answers.argmax(axis=1) == judgement.examples.labels
    return Claims(answers.max(axis=1).astype(np.float64), right, "answers")
