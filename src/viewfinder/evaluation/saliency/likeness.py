"""S of each picture by itself."""

from concurrent.futures import ThreadPoolExecutor

import numpy as np
from numpy.typing import NDArray

from viewfinder.datasets.formats.rgbd.reading import read_subject
from viewfinder.evaluation.saliency.judged import SaliencyJudgement
from viewfinder.tasks.saliency.structure import block_sums, s_measure


def likenesses(judgement: SaliencyJudgement) -> NDArray[np.float64]:
    """S of each picture's map with its mask."""

    def of(index: int) -> float:
        mask = read_subject(judgement.examples, index)
        saliency = judgement.answers[index].at((mask.shape[1], mask.shape[0]))
        if not mask.any() and saliency.max() == 0:
            return 1.0  # An empty map of an empty mask is a right answer, as in `scores`.
        return s_measure(block_sums(np.ascontiguousarray(saliency), mask.astype(np.uint8)))

    with ThreadPoolExecutor() as pool:
        return np.array(list(pool.map(of, range(len(judgement.examples)))), np.float64)
