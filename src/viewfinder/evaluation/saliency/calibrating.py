"""A saliency network gives no scores that could be fitted: its map is its answer."""

import numpy as np
from numpy.typing import NDArray

from viewfinder.evaluation.calibrating import Evidence, ScoreMap
from viewfinder.evaluation.judging import AnyJudgement


def evidence(judgement: AnyJudgement) -> None:
    """None."""
    return


def from_arrays(arrays: dict[str, NDArray[np.generic]]) -> Evidence:
    """Nothing writes such arrays.

    Raises:
        ValueError: always.
    """
    raise ValueError("a saliency network keeps no scores")


def recalibrated(judgement: AnyJudgement, by: ScoreMap) -> AnyJudgement:
    """The same."""
    return judgement
