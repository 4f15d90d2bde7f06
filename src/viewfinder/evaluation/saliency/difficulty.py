"""In which pictures the subject is found worst."""

import numpy as np

from viewfinder.evaluation.saliency.judged import SaliencyJudgement
from viewfinder.evaluation.saliency.likeness import likenesses


def by_difficulty(judged: SaliencyJudgement) -> list[int]:
    """The numbers of all pictures, that first whose map is least like its mask."""
    return [int(number) for number in np.argsort(likenesses(judged), kind="stable")]
