"""By what a detector's objects are told apart: size, shape, crowding and brightness."""

import numpy as np

from viewfinder.datasets.boxes import Boxes
from viewfinder.evaluation.detect.judged import DetectJudgement
from viewfinder.evaluation.looks import brightness, looks
from viewfinder.evaluation.sampling import Values
from viewfinder.evaluation.subsets import Answered, Trait
from viewfinder.tasks.detect.answers.answering import THRESHOLD

# A neighbour reaches into the box enlarged by this share of its sides, on each side.
_NEAR = 0.25


def answered(judgement: DetectJudgement) -> Answered:
    """Each object that counts, and whether it is found at the threshold of best F1."""
    best = judgement.scores.best
    matching = judgement.scores.matching
    missed = matching.not_found(best.threshold if best else THRESHOLD)
    truth, seen = matching.truth, looks(judgement.examples)
    pictures = truth.pictures()
    width, height = (truth.corners[:, 2:] - truth.corners[:, :2]).T
    within = 100 * np.sqrt(width * height / seen.sizes.prod(axis=1)[pictures])
    slim = np.maximum(width, height) / np.minimum(width, height)
    neighbours = _neighbours(truth)
    rows = matching.counted
    traits = (
        Trait("size", ("small", "middling", "large"), " % of the picture’s side", within[rows]),
        Trait("shape", ("square", "middling", "long"), " times as long as wide", slim[rows]),
        Trait("neighbours", ("fewest", "some", "most"), "", neighbours[rows]),
        brightness(seen.brightness[pictures][rows]),
    )
    good = (~missed).astype(float)[rows]
    return Answered(pictures[rows], good, "share found", traits, objects=True)


def _neighbours(truth: Boxes) -> Values:
    """How many other boxes of its picture reach into each box, enlarged a little."""
    counts = np.zeros(len(truth))
    ends = truth.offsets
    for first, last in zip(ends[:-1].tolist(), ends[1:].tolist(), strict=True):
        own = truth.corners[first:last]
        margin = _NEAR * (own[:, 2:] - own[:, :2])
        low, high = own[:, :2] - margin, own[:, 2:] + margin
        reach = (own[None, :, :2] < high[:, None]) & (own[None, :, 2:] > low[:, None])
        counts[first:last] = reach.all(axis=2).sum(axis=1) - 1
    return counts
