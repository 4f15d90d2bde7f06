"""Which scores there are to name, before any is made."""

from collections.abc import Sequence

from viewfinder.errors import InputError
from viewfinder.scoring import box_contest, class_contest
from viewfinder.scoring.saliency_scores import METRICS
from viewfinder.wording import likest

# What is named with a class behind it, which only the set knows.
_OF_CLASSES = {"detect": "ap:", "classify": "recall:"}


def refuse_unknown(keys: Sequence[str], task: str) -> None:
    """Refuse scores that no set of a task has.

    Raises:
        InputError: one is not known.
    """
    known = _known(task)
    prefix = _OF_CLASSES.get(task)
    for key in keys:
        if key in known or (prefix and key.startswith(prefix)):
            continue
        more = f", {prefix}CLASS" if prefix else ""
        raise InputError(f"--metrics {key}{likest(key, known)}: there are {', '.join(known)}{more}")


def _known(task: str) -> tuple[str, ...]:
    if task == "saliency":
        return tuple(each.key for each in METRICS)
    return box_contest.NAMES if task == "detect" else class_contest.NAMES
