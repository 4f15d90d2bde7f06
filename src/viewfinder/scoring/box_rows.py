"""Detections as rows of a picture, a class's name, a score and corners, whatever file said them."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from viewfinder.datasets.meaning import Meaning
from viewfinder.errors import InputError
from viewfinder.scoring.box_meaning import CORNERS
from viewfinder.scoring.csv_table import as_number
from viewfinder.wording import counted, have, some


@dataclass
class BoxRows:
    """Detections as they stand in a file.

    Attributes:
        pictures: of each, its picture's path in the set.
        classes: of each, its class's name, or as much of one as the file says.
        scores: of each, where the file says one.
        boxes: of each x1, y1, x2, y2 in pixels.
        notes: what must be known of the reading, in words.
        answered: pictures that the file speaks of, with detections or without.
        meaning: what the numbers of a box are by the file's format.
        strange: detections of pictures that the set does not have, which are left out.
    """

    pictures: list[str] = field(default_factory=list)
    classes: list[str] = field(default_factory=list)
    scores: list[float | None] = field(default_factory=list)
    boxes: list[Sequence[float]] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    answered: set[str] = field(default_factory=set)
    meaning: Meaning = CORNERS
    strange: int = 0

    def add(self, picture: str, name: str, score: float | None, box: Sequence[float]) -> None:
        self.pictures.append(picture)
        self.classes.append(name)
        self.scores.append(score)
        self.boxes.append(box)
        self.answered.add(picture)

    def tell_strange(self, names: Counter[str]) -> None:
        """Note detections of pictures that the set does not have, by the names that they have."""
        self.strange += names.total()
        if names:
            self.notes.append(
                f"{counted(names.total(), 'detection')} in {counted(len(names), 'picture')} that "
                f"the set does not have, left out: {some(list(names))}"
            )

    def corners(self) -> NDArray[np.float64]:
        """M×4."""
        return np.array(self.boxes, np.float64).reshape(-1, 4)

    def sureness(self, where: str) -> NDArray[np.float64]:
        """The scores; where no detection of the file has one, 1 each, which is noted.

        Raises:
            InputError: some have one and some have not, which have no order among them.
        """
        without = [k for k, score in enumerate(self.scores) if score is None]
        if without and len(without) < len(self.scores):
            raise InputError(
                f"{where}: of {counted(len(self.scores), 'detection')} {have(len(without))} no "
                f"score, such as one in {self.pictures[without[0]]}: give each a score, or none"
            )
        if without:
            self.notes.append(
                "no detection has a score, as in a file of labels: all are taken as 1, so that AP "
                "knows no order among them"
            )
        return np.array([1.0 if score is None else score for score in self.scores], np.float64)


def trailing_numbers(words: Sequence[str], most: int) -> int:
    """How many of the last words are numbers, at most so many."""
    count = 0
    while count < min(most, len(words)) and is_number(words[-1 - count]):
        count += 1
    return count


def is_number(word: str) -> bool:
    try:
        float(word)
    except ValueError:
        return False
    return True


def floats(words: Sequence[str | None], where: str) -> list[float]:
    """Words as numbers.

    Args:
        where: for errors.

    Raises:
        InputError: one is none.
    """
    for word in words:
        if not is_number(word or ""):
            said = " ".join(map(str, words))[:60]
            among = f"{word!r} of {said!r}" if len(words) > 1 else f"{word!r}"
            raise InputError(f"{where}: {among} is no number{as_number(word or '')}")
    return [float(word or "") for word in words]
