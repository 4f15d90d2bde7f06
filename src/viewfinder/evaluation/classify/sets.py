"""Whether sets of classes hold the true one as often as `predict --coverage` promises."""

from typing import TypedDict

import numpy as np

from viewfinder.evaluation.classify.judged import ClassifyJudgement
from viewfinder.tasks.classify.coverage import TrueShares, members

ASKED = 0.9
# Pictures from which on it is said; by these shares nothing can be promised of fewer.
_LEAST_JUDGED, _LEAST_KEPT = 30, 9


class SetFigures(TypedDict):
    """How often sets hold the true class in JSON: as was asked for, as they do, between what that
    lies by chance of what the run kept (in 90 % of such), and how many classes are in a set."""

    asked: float
    held: float
    low: float
    high: float
    classes: float


def sets_held(shares: TrueShares, judgement: ClassifyJudgement) -> SetFigures | None:
    """How often sets hold the true class of pictures that they were not made by.

    Args:
        shares: what the run's held-out pictures gave their own class.

    Returns:
        None where either are too few.
    """
    labels = judgement.examples.labels
    if len(labels) < _LEAST_JUDGED or len(shares.shares) < _LEAST_KEPT:
        return None
    least = shares.least_share(ASKED)
    sets = [members(row, least) for row in judgement.answers]
    held = [label in own for label, own in zip(labels.tolist(), sets, strict=True)]
    low, high = shares.spread(ASKED)
    return {
        "asked": ASKED,
        "held": float(np.mean(held)),
        "low": low,
        "high": high,
        "classes": float(np.mean([len(own) for own in sets])),
    }


def told(found: SetFigures) -> str:
    """The same in a sentence."""
    says = (
        f"sets of classes (--coverage {found['asked']:g}) hold the true one of {found['held']:.1%} "
        f"of these pictures, with {found['classes']:.2f} classes each; {found['low']:.0%} to "
        f"{found['high']:.0%} by chance, were these as the held-out ones that they are made by"
    )
    if found["held"] < found["low"]:
        says += ": these are harder for it, so ask for more than you need"
    return says
