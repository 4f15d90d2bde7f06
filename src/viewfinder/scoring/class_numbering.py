"""Which class a word of a table means: by its name, or by its number, from 0 or from 1."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from viewfinder.datasets.dataset import Dataset
from viewfinder.scoring.class_names import class_number, class_numbers
from viewfinder.scoring.class_order import far_better


@dataclass(frozen=True)
class _Reading:
    """What words may mean.

    Attributes:
        says: how they are read, in words.
        of: the class of each word that has one.
    """

    says: str
    of: Mapping[str, int]

    def right(self, said: Mapping[str, str], true: Mapping[str, int]) -> NDArray[np.bool_]:
        return np.array([self.of.get(word, -1) == true[path] for path, word in said.items()], bool)


def classes_of_words(
    said: Mapping[str, str], truth: Dataset, notes: list[str]
) -> Mapping[str, int]:
    """The class of each word that is one's name or number.

    Names go before numbers, and a 0, or the number of classes itself, says from where these are
    counted. Where words leave it open, or some are no names, the truth is asked: another reading is
    taken where far more answers are right by it, and told where more are.

    Args:
        said: of each picture its class as it was written.
    """
    named: list[str] = []
    by_name = class_numbers(said.values(), truth.classes, named)
    readings = [_Reading("names", by_name)] if by_name else []
    if len(by_name) < len(set(said.values())):
        readings += _by_number(list(dict.fromkeys(said.values())), truth.classes)
    if not readings:
        return {}
    true = dict(zip(truth.paths, truth.labels.tolist(), strict=True))
    right = [each.right(said, true) for each in readings]
    best = int(np.argmax([own.sum() for own in right]))
    clear = all(far_better(right[best], own) for k, own in enumerate(right) if k != best)
    taken = best if clear else 0
    counts = [int(own.sum()) for own in right]
    notes += named if readings[taken].of is by_name else [f"classes are {readings[taken].says}"]
    if counts[best] > counts[0]:
        other = readings[best if taken == 0 else 0].says
        notes.append(
            f"so {counts[taken]:,} of {len(said):,} answers are right, and as {other} "
            f"{counts[best if taken == 0 else 0]:,} would be: write the classes' names to have no "
            "doubt"
        )
    return readings[taken].of


def _by_number(words: Sequence[str], classes: Sequence[str]) -> list[_Reading]:
    """The readings in which every word is a class's number, the likeliest first."""
    numbers = {word: number for word in words if (number := class_number(word)) is not None}
    if len(numbers) < len(words):
        return []
    orders = {"as the set's are in order": list(range(len(classes)))}
    names = [class_number(name) for name in classes]
    if None not in names:
        by_size = sorted(orders["as the set's are in order"], key=lambda k: names[k] or 0)
        if by_size != orders["as the set's are in order"]:
            orders["in the order of the folders' numbers"] = by_size
    found = []
    for first in (0, 1):
        if min(numbers.values()) < first or max(numbers.values()) - first >= len(classes):
            continue
        for says, order in orders.items():
            of = {word: order[number - first] for word, number in numbers.items()}
            found.append(_Reading(f"numbers, {first} for {classes[order[0]]}, {says}", of))
    return found
