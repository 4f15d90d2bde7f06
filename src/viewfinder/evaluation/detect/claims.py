"""What a detector claims: that there is an object of a class in a box, so surely."""

import numpy as np

from viewfinder.evaluation.claimed import Claims
from viewfinder.evaluation.detect.judged import DetectJudgement
from viewfinder.tasks.detect.answers.answering import THRESHOLD
from viewfinder.tasks.detect.measures.matching import Kind


def claims(judgement: DetectJudgement) -> Claims:
    """Each box that is shown; right is one that finds an object of its class at an IoU of 0.5."""
    matching = judgement.scores.matching
    shown = (matching.found.scores > THRESHOLD) & (matching.kinds != Kind.IGNORED)
    scores = matching.found.scores[shown].astype(np.float64)
    return Claims(scores, matching.kinds[shown] == Kind.RIGHT, "boxes")
