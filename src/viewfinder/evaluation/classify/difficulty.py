"""Which pictures a classifier answers worst."""

import numpy as np

from viewfinder.evaluation.classify.judged import ClassifyJudgement


def by_difficulty(judged: ClassifyJudgement) -> list[int]:
    """The numbers of all pictures, that first whose true class was given least probability."""
    truth = judged.answers[np.arange(len(judged.examples)), judged.examples.labels]
    return [int(number) for number in np.argsort(truth, kind="stable")]
