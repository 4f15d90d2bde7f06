"""By what a classifier's pictures are told apart: brightness, contrast and size."""

import numpy as np

from viewfinder.evaluation.classify.judged import ClassifyJudgement
from viewfinder.evaluation.looks import brightness, contrast, looks
from viewfinder.evaluation.subsets import Answered, Trait


def answered(judgement: ClassifyJudgement) -> Answered:
    """Each picture, and whether it is right."""
    examples = judgement.examples
    seen = looks(examples)
    right = judgement.answers.argmax(axis=1) == examples.labels
    side = seen.sizes.min(axis=1)
    return Answered(
        np.arange(len(examples)),
        right.astype(float),
        "accuracy",
        (
            brightness(seen.brightness),
            contrast(seen.contrast),
            Trait("shorter side", ("small", "middling", "large"), " pixels", side),
        ),
    )
