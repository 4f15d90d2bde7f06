"""Detections as rows of a picture, a class's name, a score and corners, whatever file said them."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from viewfinder.datasets.meaning import Meaning
from viewfinder.errors import InputError
from viewfinder.scoring.box_meaning import CORNERS
from viewfinder.wording import counted, some


@dataclass
class BoxRows:
    """Detections as they stand in a file.

    Attributes:
        pictures: of each, its picture's path in the set.
        classes: of each, its class's name, or as much of one as the file says.
        boxes: of each x1, y1, x2, y2 in pixels.
        notes: what must be known of the reading, in words.
        answered: pictures that the file speaks of, with detections or without.
        meaning: what the numbers of a box are by the file's format.
        strange: detections of pictures that the set does not have, which are left out.
    """

    pictures: list[str] = field(default_factory=list)
    classes: list[str] = field(default_factory=list)
    scores: list[float] = field(default_factory=list)
    boxes: list[Sequence[float]] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    answered: set[str] = field(default_factory=set)
    meaning: Meaning = CORNERS
    strange: int = 0

    def add(self, picture: str, name: str, score: float, box: Sequence[float]) -> None:
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


def floats(words: Sequence[str | None], where: str) -> list[float]:
    """Words as numbers.

    Args:
        where: for errors.

    Raises:
        InputError: one is none.
    """
    try:
        return [float(word or "") for word in words]
    except ValueError:
        raise InputError(f"{where}: {' '.join(map(str, words))[:60]!r} are not numbers") from None
