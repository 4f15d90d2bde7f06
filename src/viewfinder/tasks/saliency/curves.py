"""What can be counted at a threshold: precision, recall, F- and E-measure.

A map with 256 levels has 256 thresholds, and one histogram of the levels inside and outside the
mask holds the counts of all of them; the adaptive threshold, which lies between levels, is the
257th. Every array here has these 257 values.
"""

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

Values = NDArray[np.float64]

LEVELS = 256
# Achanta et al., Frequency-tuned salient region detection, 2009: precision counts for more.
BETA_SQUARED = 0.3
# What E's authors add to its divisor, which of a subject of one pixel is hardly more itself.
_TINY = np.spacing(1)


@dataclass(frozen=True, eq=False)
class PixelCounts:
    """How many pixels there are, in the mask, taken by the map, and rightly taken by it."""

    pixels: int
    wanted: int
    taken: Values
    hits: Values

    def precision(self) -> Values:
        """Share of the mask in what is taken; 0 where nothing is."""
        return self.hits / np.maximum(self.taken, 1)

    def recall(self) -> Values:
        """Share of the mask that is taken; 0 for an empty mask."""
        return self.hits / max(self.wanted, 1)


def count(
    prediction: NDArray[np.floating], subject: NDArray[np.uint8], *, adaptive: float
) -> PixelCounts:
    """Count at the thresholds 0/255 … 255/255, and at `adaptive`.

    Args:
        prediction: H×W in [0, 1].
        subject: H×W, 1 in the mask and 0 outside.
    """
    # ⌊255 · value⌋ is the last threshold that a value reaches.
    levels = np.empty(prediction.shape, np.uint8)
    np.multiply(prediction, LEVELS - 1, out=levels, casting="unsafe")
    histograms = _histogram(levels), _histogram(np.asarray(cv2.copyTo(levels, subject), np.uint8))
    # What lies outside the mask was made 0 there, and is taken off again.
    histograms[1][0] -= subject.size - cv2.countNonZero(subject)
    above = (prediction >= adaptive).view(np.uint8)
    return counts_of(*histograms, (cv2.countNonZero(above), cv2.countNonZero(above & subject)))


def counts_of(every: Values, within: Values, adaptive: tuple[float, float]) -> PixelCounts:
    """The counts of a map by its histograms.

    Args:
        every: how many pixels have each of 256 levels.
        within: how many of these lie in the mask.
        adaptive: how many pixels are taken and rightly taken at the adaptive threshold.
    """
    taken, hits = (np.cumsum(h[::-1], dtype=np.float64)[::-1] for h in (every, within))
    return PixelCounts(
        pixels=int(taken[0]),
        wanted=int(hits[0]),
        taken=np.append(taken, adaptive[0]),
        hits=np.append(hits, adaptive[1]),
    )


def _histogram(levels: NDArray[np.uint8]) -> Values:
    """How many pixels have each level; most have 0, and most of these are not looked at."""
    x, y, width, height = cv2.boundingRect(levels)
    if width == 0:
        counts = np.zeros(LEVELS)
    else:
        box = levels[y : y + height, x : x + width]
        counts = cv2.calcHist([box], [0], None, [LEVELS], [0, LEVELS]).ravel().astype(np.float64)
    counts[0] += levels.size - width * height
    return counts


def f_measure(precision: Values, recall: Values) -> Values:
    """F = (1 + β²) P R / (β² P + R), and 0 where nothing is hit."""
    weighted = BETA_SQUARED * precision + recall
    product = (1 + BETA_SQUARED) * precision * recall
    return np.divide(product, weighted, out=np.zeros_like(product), where=product > 0)


def alignment(counts: PixelCounts) -> Values:
    """E: how the map's and the mask's departures from their own means agree, pixel by pixel.

    Fan et al., Enhanced-alignment measure for binary foreground map evaluation, 2018. A map cut at
    a threshold and a mask have four kinds of pixels together, so that four counts say it all.
    """
    n, wanted = counts.pixels, counts.wanted
    if wanted == 0:
        total = n - counts.taken
    elif wanted == n:
        total = counts.taken
    else:
        false, missed = counts.taken - counts.hits, wanted - counts.hits
        total = np.zeros_like(counts.taken)
        for map_is, mask_is, many in (
            (1, 1, counts.hits),
            (1, 0, false),
            (0, 1, missed),
            (0, 0, n - wanted - false),
        ):
            a, b = map_is - counts.taken / n, mask_is - wanted / n
            total += many * (2 * a * b / (a**2 + b**2 + _TINY) + 1) ** 2 / 4
    # The paper's divisor, for which it gives no reason; all programs keep it.
    return np.asarray(total / max(n - 1, 1))
