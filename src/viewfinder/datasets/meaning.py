"""Whether a set's numbers mean what its format says: pixels or shares, corners or sizes.

Every box file has four numbers a box, and tools write others than the format asks for. A single box
tells nothing; over a whole set, the right meaning is the one under which boxes hold something and
lie in their pictures.
"""

from collections.abc import Mapping, Sequence
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
# From so many on, a correlation tells.
_SEVERAL = 20
# Correlations of first and second corners: of 20 boxes whose sizes have nothing to do with their
# places, one set in twenty comes to 0.35, and none of 400 to 0.6.
_ALONG = 0.35
_SURELY_ALONG = 0.6
# Corners further apart than this share of where they lie are of two groups.
_APART = 0.3
# What stands in the place of a size that is not known: every pixel lies in it.
_ANY_SIZE = 10**6
# Nobody marks only the first hundred pixels of pictures that are much larger.
_LARGE = 250
# So many boxes are compared at once: of half a million, all at once would be a hundred megabytes.
_AT_ONCE = 50_000


@dataclass(frozen=True)
class Meaning:
    """What four numbers are.

    Attributes:
        form: `corners`, `corner and size` or `centre and size`, each also with `, y first` behind.
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
            "corner and size, y first": "a corner and a size (y, x, height, width)",
            "centre and size": "a centre and a size (x, y, width, height)",
            "centre and size, y first": "a centre and a size (y, x, height, width)",
        }
        units = {
            "pixels": "pixels",
            "shares": "shares of the picture (0 to 1)",
            "percent": "hundredths of the picture (0 to 100)",
        }
        return f"{words[self.form]} in {units[self.unit]}"


_FORMS = ("corner and size", "corners", "centre and size", "corners, y first")


def other_meaning(
    numbers: NDArray[np.float64],
    sizes: NDArray[np.int64],
    own: Meaning,
    extents: Mapping[int, Sequence[float]] | None = None,
    areas: NDArray[np.float64] | None = None,
) -> Meaning | None:
    """What the numbers of a set look like, if that is clearly another thing than they should be.

    Args:
        numbers: M×4, as the files have them.
        sizes: M×2, width and height of each box's picture; 0 where it is not known.
        own: what the format says they are.
        extents: of some rows what another label of the same file, an outline, says of the box as
            `x, y, width, height` in pixels: it is believed, where it agrees with either meaning.
        areas: M, what the file says of the areas of boxes; NaN where it says nothing.
    """
    if areas is not None and own.form == "corner and size" and _are_of_corners(areas, numbers):
        return replace(own, form="corners")
    if extents and own.form == "corner and size":
        form = _form_by(extents, numbers)
        if form is not None:
            return None if form == own.form else replace(own, form=form)
    known = finite(numbers)
    stated = np.asarray((sizes > 0).all(1))
    sides = np.where(stated[:, None], sizes, _ANY_SIZE)
    if not known.all():
        numbers, sides = numbers[known], sides[known]
    if not len(numbers):
        return None
    wrong = ~_fits(numbers, sides, own)
    hundredths = _only_in_a_hundred(numbers, sides, own)
    if wrong.mean() <= _MOST_WRONG and not hundredths:
        meant = _corners_that_fit(numbers, sides, own)
        if meant is None or areas is None:
            return meant
        products = np.isclose(areas[known], numbers[:, 2] * numbers[:, 3], rtol=0.01)
        return replace(meant, certain=meant.certain and products.mean() < 0.98)
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
            # Objects that enter at one side may be marked beyond that side, and no others.
            several = len(numbers) >= _FEW and (
                _reach_out_both_ways(numbers[wrong], sides[wrong], own)
                or _goes_along(numbers, sides, other) >= _SURELY_ALONG
            )
            most = bool(wrong.mean() >= 0.5)
            return replace(other, certain=several or most or other.unit != own.unit)
    return None


def meaning_fault(numbers: NDArray[np.float64], sizes: NDArray[np.int64], own: Meaning, *,
                  file: str, layout: str,
                  extents: Mapping[int, Sequence[float]] | None = None,
                  areas: NDArray[np.float64] | None = None) -> list[Fault]:  # fmt: skip
    """The fault that a set's numbers mean another thing, as `other_meaning` tells; or nothing."""
    meant = other_meaning(numbers, sizes, own, extents, areas)
    if meant is None:
        return []
    look = "look like" if meant.certain else "may be"
    detail = f"the numbers of its boxes {look} {meant}, where {layout} has {own}"
    again = f"export the labels again as {layout}"
    fix = again if meant.certain else f"look at some of its boxes; if they are off, {again}"
    return [Fault("meaning", file, detail, fix, blocking=meant.certain)]


def _form_by(extents: Mapping[int, Sequence[float]], numbers: NDArray[np.float64]) -> str | None:
    """The form of boxes by what outlines say of them, where nearly all of these say the same."""
    rows = np.fromiter(extents, np.int64, len(extents))
    x, y, width, height = np.array(list(extents.values()), np.float64).T
    near = np.maximum(2.0, 0.1 * np.stack([width, height, width, height], axis=1))
    forms = {
        "corner and size": np.stack([x, y, width, height], axis=1),
        "corners": np.stack([x, y, x + width, y + height], axis=1),
    }
    fits = {form: (np.abs(numbers[rows] - boxes) <= near).all(1) for form, boxes in forms.items()}
    # Where both are near, as at the upper left corner, nothing is known.
    tells = fits["corners"] ^ fits["corner and size"]
    if tells.sum() < min(3, len(rows)) or tells.mean() < 1 - _MOST_WRONG:
        return None
    return next((form for form, fit in fits.items() if fit[tells].mean() > 0.98), None)


def _are_of_corners(areas: NDArray[np.float64], numbers: NDArray[np.float64]) -> bool:
    """Whether nearly all boxes have the stated area as two corners, and not as a size."""
    stated = np.isfinite(areas) & (areas > 0) & finite(numbers)
    if stated.sum() < 3:
        return False
    areas, (x1, y1, x2, y2) = areas[stated], numbers[stated].T
    corners = (x2 > x1) & (y2 > y1)
    if corners.mean() <= 0.98:  # as of most sets, and quicker than what follows
        return False
    corners &= np.isclose(areas, (x2 - x1) * (y2 - y1), rtol=0.01)
    return bool((corners & ~np.isclose(areas, x2 * y2, rtol=0.01)).mean() > 0.98)


def _corners_that_fit(
    numbers: NDArray[np.float64], sides: NDArray[np.int64], own: Meaning
) -> Meaning | None:
    """Corners that lie in their pictures when they are read as sizes too.

    So do those of objects in the upper left quarters of pictures.
    """
    other = replace(own, form="corners")
    if own.form != "corner and size":
        return None
    along = _goes_along(numbers, sides, other)
    if along < _ALONG or not _fits(numbers, sides, other).all():
        return None
    different = np.unique(numbers, axis=0)
    certain = len(different) >= _SEVERAL and not _in_groups(different[:, :2])
    return replace(other, certain=certain and along >= _SURELY_ALONG)


def _in_groups(corners: NDArray[np.float64]) -> bool:
    """Whether corners lie in groups apart: of those, each with sizes of its own, corners and sizes
    go along too, as those of a small thing in one place and a large one in another do."""
    ordered = np.sort(corners, axis=0)
    return bool((np.diff(ordered, axis=0).max(0) > _APART * np.ptp(ordered, axis=0)).any())


def _goes_along(numbers: NDArray[np.float64], sides: NDArray[np.int64], other: Meaning) -> float:
    """How much the last two numbers of boxes go along with the first two, as second corners do.

    A second corner is the first and a size. Sizes that are all greater than their corners, as
    they would have to be, leave room for little, and are the less the greater the corner is. The
    least of the two correlations; -1 where there is none, boxes are too few, or a number is less
    than its partner.
    """
    if other.form != "corners" or (numbers[:, 2:] <= numbers[:, :2]).any():
        return -1.0
    numbers, first = np.unique(numbers, axis=0, return_index=True)
    sides = sides[first]
    if len(numbers) < _FEW:
        return -1.0
    shares = numbers / np.tile(sides, 2)
    if (shares.std(0) < 1e-6).any():
        return -1.0
    return min(float(np.corrcoef(shares[:, i], shares[:, i + 2])[0, 1]) for i in (0, 1))


def _reach_out_both_ways(
    numbers: NDArray[np.float64], sides: NDArray[np.int64], own: Meaning
) -> bool:
    """Whether boxes reach out of their pictures beside them as well as above or below them."""
    low, high = _edges(numbers, sides, own)
    out = ((low < -_SLACK) | (high > 1 + _SLACK)).sum(0)
    return bool(out.min() >= max(1, _MOST_WRONG * len(numbers)))


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
    starts = range(0, len(numbers), _AT_ONCE)
    parts = [slice(start, start + _AT_ONCE) for start in starts]
    fits = [_fit_at_once(numbers[part], sides[part], meaning) for part in parts]
    return np.concatenate([np.zeros(0, np.bool_), *fits])


def _fit_at_once(
    numbers: NDArray[np.float64], sides: NDArray[np.int64], meaning: Meaning
) -> NDArray[np.bool_]:
    low, high = _edges(numbers, sides, meaning)
    inside = (low >= -_SLACK).all(1) & (high <= 1 + _SLACK).all(1) & (high > low).all(1)
    if meaning.unit != "shares":
        # Numbers of at most 2 are boxes in the first pixels: nothing that anybody marks.
        inside &= (np.abs(numbers) > 2.01).any(1) | (sides <= 4).any(1)
    return np.asarray(inside)


def _edges(
    numbers: NDArray[np.float64], sides: NDArray[np.int64], meaning: Meaning
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """M×2 each: the upper left corners of boxes and the lower right ones, so understood, in shares
    of their pictures."""
    if meaning.form == "corners, y first":
        numbers = numbers[:, [1, 0, 3, 2]]
    whole = {"shares": 1, "percent": 100}.get(meaning.unit)
    shares = numbers / (np.tile(sides, 2) if whole is None else float(whole))
    one, two = shares[:, :2], shares[:, 2:]
    low = one - two / 2 if meaning.form == "centre and size" else one
    return low, two if meaning.form.startswith("corners") else low + two
