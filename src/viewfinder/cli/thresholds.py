"""What `--threshold` is given: one score, `best`, or a score for some classes."""

import re
from collections.abc import Mapping, Sequence
from typing import Literal

from viewfinder.errors import InputError

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
