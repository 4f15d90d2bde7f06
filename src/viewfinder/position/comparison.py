"""Max pooling against strided convolution, with and without shift augmentation: four trainings.

Two claims are often heard: that pooling makes a convolutional net insensitive to where its subject
lies, and that a strided convolution with shifts in training replaces pooling (Springenberg et al.,
"Striving for simplicity: the all convolutional net", 2015, do without it). Each variant is trained
once a seed; differences are taken seed by seed.
"""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from viewfinder.nets.blocks import Downsampling
from viewfinder.position.intervals import MeanInterval, interval
from viewfinder.position.sensitivity import Sensitivity, ShiftStep


@dataclass(frozen=True)
class Variant:
    """How a net shrinks its maps, and whether its pictures were shifted in training."""

    downsample: Downsampling
    augmented: bool


POOLED, STRIDED = Variant("pool", False), Variant("stride", False)
POOLED_SHIFTED, STRIDED_SHIFTED = Variant("pool", True), Variant("stride", True)
VARIANTS = (POOLED, STRIDED, POOLED_SHIFTED, STRIDED_SHIFTED)

# Of what changes, these tell the two claims: the first less the second.
PAIRS = ((STRIDED, POOLED), (STRIDED_SHIFTED, POOLED_SHIFTED), (STRIDED_SHIFTED, POOLED))


@dataclass(frozen=True)
class PositionComparison:
    """The sensitivities of the four variants of a net, on the same pictures and stages.

    Attributes:
        data: the set's name.
        reach: how far training moved the pictures of the augmented variants, pixels.
        found: for each variant, one for each seed in their order.
    """

    net: str
    data: str
    epochs: int
    reach: float
    seeds: tuple[int, ...]
    found: Mapping[Variant, Sequence[Sensitivity]]

    @property
    def first(self) -> Sensitivity:
        """One of them all, for what they have in common."""
        return self.found[POOLED][0]

    @property
    def largest(self) -> int:
        """The largest shift, in pixels."""
        return len(self.first.steps) - 1


@dataclass(frozen=True)
class StepMeasure:
    """One figure of a step, 1 being 100 %; `most` is as large as it can be."""

    key: str
    title: str
    of: Callable[[ShiftStep], float | None]
    most: float = math.inf


ACCURACY = StepMeasure("accuracy", "right answers", lambda step: step.accuracy, most=1)
FLIPS = StepMeasure("flips", "answers that change", lambda step: step.flips, most=1)
OUTPUT = StepMeasure("output", "change of the logits", lambda step: step.output)
MEASURES = (ACCURACY, FLIPS, OUTPUT)


def feature_measures(comparison: PositionComparison) -> list[StepMeasure]:
    """One for each stage: its features against what stood in the same place."""
    return [_feature_measure(n, stage.name) for n, stage in enumerate(comparison.first.stages)]


def average(
    comparison: PositionComparison, variant: Variant, measure: StepMeasure, shifts: Sequence[int]
) -> MeanInterval:
    """The mean over these shifts, with its interval over the seeds."""
    return interval(_by_seed(comparison, variant, measure, shifts))


def curve(
    comparison: PositionComparison, variant: Variant, measure: StepMeasure
) -> list[MeanInterval]:
    """The figure at each shift from 0 on."""
    shifts = range(comparison.largest + 1)
    return [average(comparison, variant, measure, [shift]) for shift in shifts]


def moved(comparison: PositionComparison) -> range:
    """The shifts that are moves."""
    return range(1, comparison.largest + 1)


def difference(
    comparison: PositionComparison,
    one: Variant,
    other: Variant,
    measure: StepMeasure,
    shifts: Sequence[int],
) -> MeanInterval:
    """The mean over these shifts of `one` less that of `other`, seed by seed."""
    minuends = _by_seed(comparison, one, measure, shifts)
    subtrahends = _by_seed(comparison, other, measure, shifts)
    return interval([a - b for a, b in zip(minuends, subtrahends, strict=True)])


def _by_seed(
    comparison: PositionComparison, variant: Variant, measure: StepMeasure, shifts: Sequence[int]
) -> list[float]:
    return [
        sum(_known(measure.of(found.steps[shift])) for shift in shifts) / len(shifts)
        for found in comparison.found[variant]
    ]


def _feature_measure(index: int, name: str) -> StepMeasure:
    return StepMeasure(name, name, lambda step: step.features[index].in_place)


def _known(value: float | None) -> float:
    if value is None:
        raise ValueError("a comparison needs classifiers and pictures of known class")
    return value
