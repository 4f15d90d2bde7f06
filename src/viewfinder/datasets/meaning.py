"""Whether a set's numbers mean what its format says: pixels or shares, corners or sizes.

Every box file has four numbers a box, and tools write others than the format asks for. A single box
tells nothing; over a whole set, the right meaning is the one under which boxes hold something and
lie in their pictures.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from viewfinder.datasets.boxes import finite

# As a share of the picture's side, what a box may reach over it and still be taken to lie in it.
_SLACK = 0.02
_MOST_WRONG = 0.3


@dataclass(frozen=True)
class Meaning:
    """What four numbers are.

    Attributes:
        form: `corners`, `corner and size` or `centre and size`.
        unit: `pixels` or `shares`.
    """

    form: str
    unit: str

    def __str__(self) -> str:
        words = {
            "corners": "two corners (x1, y1, x2, y2)",
            "corner and size": "a corner and a size (x, y, width, height)",
            "centre and size": "a centre and a size (x, y, width, height)",
        }
        unit = "pixels" if self.unit == "pixels" else "shares of the picture (0 to 1)"
        return f"{words[self.form]} in {unit}"


_FORMS = ("corner and size", "corners", "centre and size")


def other_meaning(
    numbers: NDArray[np.float64], sizes: NDArray[np.int64], own: Meaning
) -> Meaning | None:
    """What the numbers of a set look like, if that is clearly another thing than they should be.

    Args:
        numbers: M×4, as the files have them.
        sizes: M×2, width and height of each box's picture; 0 where it is not known.
        own: what the format says they are.
    """
    known = finite(numbers) & (sizes > 0).all(1)
    numbers, sides = numbers[known], np.tile(sizes[known], 2)
    if not len(numbers):
        return None
    wrong = ~_fits(numbers, sides, own)
    if wrong.mean() <= _MOST_WRONG:
        return None
    others = [Meaning(form, unit) for unit in ("pixels", "shares") for form in _FORMS]
    others.remove(own)
    # What differs in one thing is likelier than what differs in both.
    others.sort(key=lambda other: (other.unit != own.unit, other.form != own.form))
    for other in others:
        # A box or two that reach out of their pictures are slips, and no other meaning.
        enough = wrong.sum() >= 3 or other.unit != own.unit
        if enough and _fits(numbers, sides, other).mean() > 0.98:
            return other
    return None


def _fits(
    numbers: NDArray[np.float64], sides: NDArray[np.int64], meaning: Meaning
) -> NDArray[np.bool_]:
    """M bool: boxes that hold something and lie in their pictures, so understood."""
    form, unit = meaning.form, meaning.unit
    shares = numbers / sides if unit == "pixels" else numbers
    one, two = shares[:, :2], shares[:, 2:]
    low = one - two / 2 if form == "centre and size" else one
    high = two if form == "corners" else low + two
    inside = (low >= -_SLACK).all(1) & (high <= 1 + _SLACK).all(1) & (high > low).all(1)
    if unit == "pixels":
        # Numbers of at most 1 are boxes of less than a pixel: nothing that anybody marks.
        inside &= (np.abs(numbers) > 1.01).any(1) | (sides <= 4).any(1)
    return np.asarray(inside)
