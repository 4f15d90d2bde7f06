"""Whether a set's numbers mean what its format says: pixels or shares, corners or sizes.

Every box file has four numbers a box, and tools write others than the format asks for. A single box
tells nothing; over a whole set, the right meaning is the one under which boxes hold something and
lie in their pictures.
"""

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from viewfinder.datasets.boxes import finite
from viewfinder.datasets.faults import Fault

# As a share of the picture's side, what a box may reach over it and still be taken to lie in it.
_SLACK = 0.02
# Of boxes that reach out of their pictures, this share is no matter of slips any more.
_MOST_WRONG = 0.1
# Of so few boxes, corners and sizes may be like one another by chance.
_FEW = 8
# What stands in the place of a size that is not known: every pixel lies in it.
_ANY_SIZE = 10**6
# Nobody marks only the first hundred pixels of pictures that are much larger.
_LARGE = 250


@dataclass(frozen=True)
class Meaning:
    """What four numbers are.

    Attributes:
        form: `corners`, `corners, y first`, `corner and size` or `centre and size`.
        unit: `pixels`, `shares` or `percent`.
        certain: whether nothing else is likely; what is said of the numbers alone is certain.
    """

    form: str
    unit: str
    certain: bool = True

    def __str__(self) -> str:
        words = {
            "corners": "two corners (x1, y1, x2, y2)",
            "corners, y first": "two corners (y1, x1, y2, x2)",
            "corner and size": "a corner and a size (x, y, width, height)",
            "centre and size": "a centre and a size (x, y, width, height)",
        }
        units = {
            "pixels": "pixels",
            "shares": "shares of the picture (0 to 1)",
            "percent": "hundredths of the picture (0 to 100)",
        }
        return f"{words[self.form]} in {units[self.unit]}"


_FORMS = ("corner and size", "corners", "centre and size", "corners, y first")


def other_meaning(
    numbers: NDArray[np.float64], sizes: NDArray[np.int64], own: Meaning
) -> Meaning | None:
    """What the numbers of a set look like, if that is clearly another thing than they should be.

    Args:
        numbers: M×4, as the files have them.
        sizes: M×2, width and height of each box's picture; 0 where it is not known.
        own: what the format says they are.
    """
    known = finite(numbers)
    stated = np.asarray((sizes > 0).all(1))
    numbers = numbers[known]
    sides = np.tile(np.where(stated[:, None], sizes, _ANY_SIZE)[known], 2)
    if not len(numbers):
        return None
    wrong = ~_fits(numbers, sides, own)
    hundredths = _only_in_a_hundred(numbers, sides, own)
    if wrong.mean() <= _MOST_WRONG and not hundredths:
        return None
    units: tuple[str, ...] = ("percent",) if hundredths else ("pixels", "shares")
    units += ("percent",) if own.unit == "shares" and not hundredths else ()
    others = [Meaning(form, unit) for unit in units for form in _FORMS]
    # What differs in one thing is likelier than what differs in both.
    others.sort(key=lambda other: (other.unit != own.unit, other.form != own.form))
    for other in others:
        # Corners with y first are also what a picture's width and height exchanged look like.
        exchanged = own.form == "corners" and other.form == "corners, y first"
        if (other.form, other.unit) == (own.form, own.unit) or exchanged:
            continue
        # A box or two that reach out of their pictures are slips, and no other meaning.
        enough = wrong.sum() >= 3 or other.unit != own.unit
        if enough and _fits(numbers, sides, other).mean() > 0.98:
            most = wrong.mean() >= 0.5
            certain = len(numbers) >= _FEW or other.unit != own.unit or bool(most)
            return replace(other, certain=certain)
    return None


def meaning_fault(numbers: NDArray[np.float64], sizes: NDArray[np.int64], own: Meaning, *,
                  file: str, layout: str) -> list[Fault]:  # fmt: skip
    """The fault that a set's numbers mean another thing, as `other_meaning` tells; or nothing."""
    meant = other_meaning(numbers, sizes, own)
    if meant is None:
        return []
    look = "look like" if meant.certain else "are few, and may be"
    detail = f"the numbers of its boxes {look} {meant}, where {layout} has {own}"
    mend = f"export the labels again as {layout}"
    return [Fault("meaning", file, detail, mend, blocking=meant.certain)]


def _only_in_a_hundred(
    numbers: NDArray[np.float64], sides: NDArray[np.int64], own: Meaning
) -> bool:
    """Whether the boxes of large pictures all lie in 100×100 pixels and fill these."""
    if len(numbers) < _FEW or not ((sides >= _LARGE) & (sides < _ANY_SIZE)).all():
        return False
    part = {"corner and size": 1, "centre and size": 0.5}.get(own.form)
    ends = numbers[:, 2:] if part is None else numbers[:, :2] + part * numbers[:, 2:]
    return bool((ends.max(0) > 91).all() and (ends <= 100.5).all() and (numbers > -0.5).all())


def _fits(
    numbers: NDArray[np.float64], sides: NDArray[np.int64], meaning: Meaning
) -> NDArray[np.bool_]:
    """M bool: boxes that hold something and lie in their pictures, so understood."""
    form, unit = meaning.form, meaning.unit
    if form == "corners, y first":
        numbers = numbers[:, [1, 0, 3, 2]]
    whole = {"shares": 1, "percent": 100}.get(unit, sides)
    shares = numbers / np.asarray(whole, np.float64)
    one, two = shares[:, :2], shares[:, 2:]
    low = one - two / 2 if form == "centre and size" else one
    high = two if form.startswith("corners") else low + two
    inside = (low >= -_SLACK).all(1) & (high <= 1 + _SLACK).all(1) & (high > low).all(1)
    if unit != "shares":
        # Numbers of at most 2 are boxes in the first pixels: nothing that anybody marks.
        inside &= (np.abs(numbers) > 2.01).any(1) | (sides <= 4).any(1)
    return np.asarray(inside)
