"""A map that holds few values, as a file of 8 bits does, judged by how often each of them stands in
each region of its mask.

All scores but weighted F and those of contours ask no more of a map than that, so that its pixels
are looked at once, as they are stored.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from viewfinder.tasks.saliency.curves import LEVELS, PixelCounts, counts_of
from viewfinder.tasks.saliency.scores import Measurement
from viewfinder.tasks.saliency.structure import BlockSums, first_of_last_blocks, s_measure
from viewfinder.tasks.saliency.weighted import MaskWeights, weighted_f

Box = tuple[slice, slice]
"""Rows and columns of a picture."""
Values = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Regions:
    """What a mask cuts its picture into: the S-measure's blocks, subject and background, boxes.

    Attributes:
        subject: H×W, 1 in the mask and 0 outside.
        starts: H×W, of each pixel where its region's counts begin: the region's number times 256.
        block: of each region, the number of its block, row by row.
        inside: of each region, whether it is of the subject.
        boxes: regions×boxes, whether it lies in each.
    """

    subject: NDArray[np.uint8]
    starts: NDArray[np.uint32] | NDArray[np.uint16]
    block: NDArray[np.intp]
    inside: NDArray[np.bool_]
    boxes: NDArray[np.bool_]

    def counts(self, stored: NDArray[np.uint8]) -> NDArray[np.intp]:
        """How many pixels of a map have each of 256 stored values: regions×256.

        Args:
            stored: H×W.
        """
        places = (self.starts + stored).ravel()
        return np.bincount(places, minlength=LEVELS * len(self.block)).reshape(-1, LEVELS)


def regions_of(subject: NDArray[np.uint8], boxes: Sequence[Box] = ()) -> Regions:
    """The regions of a mask.

    Args:
        subject: H×W, 1 in the mask and 0 outside.
        boxes: which may lie over each other.
    """
    row, column = first_of_last_blocks(subject)
    numbers = subject.astype(np.uint32) * 4
    numbers[row:] += 2
    numbers[:, column:] += 1
    # Of each region its block, whether it is of the subject, and the boxes that it lies in.
    block, inside = [0, 1, 2, 3] * 2, [False] * 4 + [True] * 4
    within: list[frozenset[int]] = [frozenset()] * len(block)
    for k, box in enumerate(boxes):
        cut = np.arange(len(block), dtype=np.uint32)
        for old in np.flatnonzero(np.bincount(numbers[box].ravel())).tolist():
            cut[old] = len(block)
            block.append(block[old])
            inside.append(inside[old])
            within.append(within[old] | {k})
        numbers[box] = cut[numbers[box]]
    starts: NDArray[np.uint32] | NDArray[np.uint16] = numbers * np.uint32(LEVELS)
    if len(block) * LEVELS <= 1 << 16:
        starts = starts.astype(np.uint16)
    lies = np.array([[k in own for k in range(len(boxes))] for own in within], np.bool_)
    return Regions(subject, starts, np.array(block), np.array(inside), lies)


def measure_stored(
    stored: NDArray[np.uint8],
    values: Values,
    counted: NDArray[np.intp],
    regions: Regions,
    weights: MaskWeights | None,
) -> Measurement:
    """What `scores.measure` finds of the map `values[stored]`.

    Args:
        stored: H×W.
        values: what each of 256 stored values means, in [0, 1], none less than the one before.
        counted: the map's `Regions.counts`.
        weights: the mask's; None of an empty one.
    """
    every, within = counted.sum(axis=0), counted[regions.inside].sum(axis=0)
    sums = _block_sums(counted, values, regions)
    wrong = (every - within) @ values + within @ (1 - values)
    as_floats = np.asarray(cv2.LUT(stored, values.astype(np.float32)), np.float32)
    return Measurement(
        counts=_pixel_counts(every, within, values),
        mae=float(wrong / stored.size),
        s_measure=s_measure(sums),
        weighted_f=weighted_f(as_floats, regions.subject, weights),
    )


def _pixel_counts(every: NDArray[np.intp], within: NDArray[np.intp], values: Values) -> PixelCounts:
    adaptive = min(1.0, float(2 * (every @ values) / every.sum()))
    levels = (values * (LEVELS - 1)).astype(np.uint8)
    taken, hits = (
        np.asarray(np.bincount(levels, own, LEVELS), np.float64) for own in (every, within)
    )
    above = values >= adaptive
    return counts_of(taken, hits, (float(every[above].sum()), float(within[above].sum())))


def _block_sums(counted: NDArray[np.intp], values: Values, regions: Regions) -> BlockSums:
    moments = np.stack([np.ones(LEVELS), values, values**2], axis=1)
    of_regions = counted @ moments
    found = np.zeros((2, 4, 3))  # Everywhere and in the subject, of each block.
    np.add.at(found[0], regions.block, of_regions)
    np.add.at(found[1], regions.block[regions.inside], of_regions[regions.inside])
    everywhere, inside = (np.moveaxis(each.reshape(2, 2, 3), 2, 0) for each in found)
    return BlockSums(*everywhere, *inside)
