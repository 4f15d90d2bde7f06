"""Where a model of any task is weak: each task's folder has `traits.py`, which says by what its
pictures, or the objects in them, are told apart."""

import importlib
from collections.abc import Callable

from viewfinder.evaluation.judging import AnyJudgement
from viewfinder.evaluation.subsets import LEAST_PICTURES, Answered, Subset, subsets


def weaknesses(task: str, judgement: AnyJudgement) -> list[Subset]:
    """The parts of what was judged; none of fewer than 30 pictures.

    Raises:
        InputError: a picture cannot be read.
    """
    if len(judgement.examples) < LEAST_PICTURES:
        return []
    answered: Callable[[AnyJudgement], Answered]
    answered = importlib.import_module(f"viewfinder.evaluation.{task}.traits").answered
    found = answered(judgement)
    return subsets(found) if len(found.pictures) else []
