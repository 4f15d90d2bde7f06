"""One saliency map beside its mask: everything that its scores follow from."""

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from viewfinder.pictures.decoding import Pixels
from viewfinder.scoring.contours import boundary_iou, contour_band
from viewfinder.scoring.size_invariance import (
    Parts,
    SizeInvariant,
    parts_of,
    size_invariant,
    size_invariant_stored,
)
from viewfinder.tasks.saliency.curves import LEVELS
from viewfinder.tasks.saliency.regions import Regions, measure_stored, regions_of
from viewfinder.tasks.saliency.scores import Measurement, SaliencyScores, measure
from viewfinder.tasks.saliency.weighted import MaskWeights, mask_weights

HALF = 128
"""A map is held to be white from here, as a mask is: above half of 255."""
_WHITE = HALF / (LEVELS - 1)


@dataclass(frozen=True, eq=False)
class Measured:
    """One picture's measurement, the contour's score, and how its file was found.

    Attributes:
        boundary_iou: of the contours' bands, at half of the map's range (Cheng et al., 2021).
        resized: whether the map was of another size than its mask.
        alike: every part of the subject counting alike, however small it is.
    """

    of: Measurement
    boundary_iou: float
    resized: bool
    alike: SizeInvariant

    @property
    def scores(self) -> SaliencyScores:
        return self.of.scores()

    @property
    def iou(self) -> float:
        """Intersection over union at half of the map's range."""
        counts = self.of.counts
        union = counts.taken[HALF] + counts.wanted - counts.hits[HALF]
        return float(counts.hits[HALF] / union) if union else 1.0

    @property
    def even(self) -> bool:
        """Whether the map has one value everywhere, though there is a subject."""
        counts = self.of.counts
        return bool(counts.wanted and np.isin(counts.taken, (0, counts.pixels)).all())

    def roc(self) -> NDArray[np.float64] | None:
        """Shares of the background and of the subject that are taken at each threshold, 2×256;
        None where there is no background or no subject."""
        counts = self.of.counts
        outside = counts.pixels - counts.wanted
        if not outside or not counts.wanted:
            return None
        false = (counts.taken - counts.hits)[:LEVELS] / outside
        return np.stack([false, counts.hits[:LEVELS] / counts.wanted])


@dataclass(frozen=True, eq=False)
class KnownMask:
    """What all maps of a mask are held to: it, the band along its contour, its parts, the regions
    that it cuts its picture into, and weights, which an empty one has not."""

    mask: NDArray[np.bool_]
    contour: NDArray[np.bool_]
    parts: Parts
    regions: Regions
    weights: MaskWeights | None


# An empty map of an empty mask is right.
_RIGHTLY_EMPTY = SizeInvariant(0.0, np.ones(LEVELS))


def known_mask(mask: NDArray[np.bool_]) -> KnownMask:
    """What follows from a mask alone."""
    parts = parts_of(mask)
    regions = regions_of(parts.subject, parts.boxes)
    weights = mask_weights(parts.subject) if parts.boxes else None
    return KnownMask(mask, contour_band(mask), parts, regions, weights)


def measure_map(stored: Pixels, known: KnownMask, *, stretch: bool) -> Measured:
    """Measure a map, which is resized where it is of another size than its mask.

    Args:
        stored: H×W of 8 or 16 bits; the greatest value that these can hold is 1.
        stretch: spread its values over [0, 1] first.
    """
    resized = stored.shape != known.mask.shape
    if stored.dtype == np.uint8 and not resized:
        return _of_stored(stored.astype(np.uint8, copy=False), known, stretch)
    values = stored / np.iinfo(stored.dtype).max
    if resized:
        size = known.mask.shape[::-1]
        values = np.asarray(cv2.resize(values, size, interpolation=cv2.INTER_LINEAR), np.float64)
    return _of_values(values, known, stretch=stretch, resized=resized)


def _of_values(
    values: NDArray[np.float64], known: KnownMask, *, stretch: bool, resized: bool
) -> Measured:
    if stretch:  # Once, for the contours as for all other scores.
        values = _stretched(values, float(values.min()), float(values.max()))
    found = measure(values, known.mask, weights=known.weights)
    alike = _RIGHTLY_EMPTY
    if not found.rightly_empty:
        alike = size_invariant(values, known.parts)
    return Measured(found, _contours_meet(values >= _WHITE, known), resized, alike)


def _of_stored(stored: NDArray[np.uint8], known: KnownMask, stretch: bool) -> Measured:
    """The same of 8 bits, whose pixels are counted by their value and never made numbers."""
    values = np.arange(LEVELS) / (LEVELS - 1)
    if stretch:
        values = _stretched(values, *(float(values[end]) for end in (stored.min(), stored.max())))
    counted = known.regions.counts(stored)
    found = measure_stored(stored, values.clip(0, 1), counted, known.regions, known.weights)
    alike = _RIGHTLY_EMPTY
    if not found.rightly_empty:
        alike = size_invariant_stored(counted, values.clip(0, 1), known.regions)
    white = stored >= int(np.searchsorted(values, _WHITE))
    return Measured(found, _contours_meet(white, known), False, alike)


def _stretched(values: NDArray[np.float64], low: float, high: float) -> NDArray[np.float64]:
    """Values spread so that `low` is 0 and `high` is 1; those of an even map stay as they are."""
    return (values - low) / (high - low) if 0 < high - low < 1 else values


def _contours_meet(white: NDArray[np.bool_], known: KnownMask) -> float:
    return boundary_iou(contour_band(white), known.contour)
