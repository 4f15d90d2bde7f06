"""What `--threshold` is given: one score, `best`, or a score for some classes."""

import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Literal

from viewfinder.errors import InputError
from viewfinder.inference.asked_scores import (
    best_scores,
    refuse_no_score,
    refuse_other_tasks,
    refuse_unknown_classes,
)
from viewfinder.tasks import NAMES, recipe_of
from viewfinder.tasks.run_files import SCORES, task_and_classes

Given = float | Literal["best"] | Mapping[str, float]
"""A score for all classes, `best` for each class's own, or scores by class."""

# A class may have a comma, or an equals sign, in its name.
_OF_CLASS = re.compile(r"(.+?)\s*=\s*([-+]?[\d.]+(?:e[-+]?\d+)?)\s*(?:,\s*|$)", re.IGNORECASE)
_FORMS = "give a score from 0 to 1, best, or scores of classes as in cat=0.9,dog=0.5"


def read_threshold(text: str) -> Given:
    """What the words behind `--threshold` mean.

    Raises:
        InputError: nothing.
    """
    if text == "best":
        return "best"
    try:
        return float(text)
    except ValueError:
        pass
    found, place = {}, 0
    while place < len(text) and (each := _OF_CLASS.match(text, place)):
        try:
            found[each[1]] = float(each[2])
        except ValueError:
            break
        place = each.end()
    if not found or place < len(text):
        raise InputError(f"--threshold {text}: {_FORMS}")
    return found


def refuse_thresholds(run: str, wanted: Given | None) -> None:
    """Refuse scores that a run cannot be asked for, before torch is imported.

    Raises:
        InputError: they are no scores, of a class that it has not, or `best` and it knows none.
    """
    if wanted is None:
        return
    if isinstance(wanted, float):
        refuse_no_score("--threshold", wanted)
        return
    place = Path(run).expanduser()
    if not (told := task_and_classes(place)):
        return  # what others trained is known once it is open
    task, classes = told
    finds = task in NAMES and recipe_of(task).finds_boxes
    what = "best" if wanted == "best" else "of classes"
    refuse_other_tasks(place, task, what, finds_boxes=finds)
    if wanted == "best":
        best_scores(place, place / SCORES, classes)
    else:
        refuse_unknown_classes(place, classes, wanted)


def refuse_spaces(words: Sequence[str]) -> None:
    """Refuse scores of classes that stand apart, of which all but the first belong to no flag.

    Raises:
        InputError: they do; with what to write.
    """
    if "--threshold" not in words:
        return
    behind = words[words.index("--threshold") + 1 :]
    apart: list[str] = []
    for word in behind:
        if not _OF_CLASS.fullmatch(word.removesuffix(",")):
            break
        apart.append(word.removesuffix(","))
    if len(apart) > 1:
        joined = ",".join(apart)
        shown = f"'{joined}'" if " " in joined else joined
        raise InputError(
            f"--threshold takes one word: join the classes by commas, --threshold {shown}"
        )
