"""A figure on one split of a set, and how well so few pictures let it be known."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

from viewfinder.tasks.chance import share_error

LEAST_PICTURES = 20
"""With so many pictures, or boxes in them, the two splits are known well enough to compare."""
FEWEST = 5
"""With fewer pictures than this, not even the clearest gap between the splits is reported."""


@dataclass(frozen=True)
class SplitScore:
    """A score on one split of a dataset.

    Attributes:
        score: in [0, 1], 1 is best.
        images: the pictures that it was measured on.
        error: its standard error: what other pictures of the same kind would change.
        objects: how many boxes there are to find, where they are what is judged.
    """

    score: float
    images: int
    error: float
    objects: int | None = None

    @property
    def enough(self) -> bool:
        """Whether it is known well enough to be compared."""
        return enough(self.images, self.images if self.objects is None else self.objects)


def pooled(splits: Sequence[SplitScore]) -> SplitScore | None:
    """Several splits as one, each counting by its pictures, or by their objects; None of none."""
    if len(splits) < 2:
        return splits[0] if splits else None
    objects = [each.objects for each in splits]
    known = [count for count in objects if count is not None]
    counts = [each.images for each in splits] if len(known) < len(splits) else known
    shares = [count / max(1, sum(counts)) for count in counts]
    return SplitScore(
        sum(share * each.score for share, each in zip(shares, splits, strict=True)),
        sum(each.images for each in splits),
        math.hypot(*(share * each.error for share, each in zip(shares, splits, strict=True))),
        sum(known) if len(known) == len(splits) else None,
    )


def enough(images: int, worth: float) -> bool:
    """Whether scores of so many pictures, or of as many objects in them, tell two nets apart."""
    return images >= FEWEST and worth >= LEAST_PICTURES


def counted(share: float, images: int) -> SplitScore:
    """A split where `share` of the pictures are right; its error is binomial."""
    return SplitScore(share, images, share_error(share, images))
