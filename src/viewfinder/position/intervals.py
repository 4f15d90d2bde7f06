"""A mean and how far chance may have moved it: Student's t interval of a few repetitions."""

import math
import statistics
from collections.abc import Sequence
from dataclasses import dataclass

from viewfinder.student import critical_t

LEVEL = 0.95


@dataclass(frozen=True)
class MeanInterval:
    """A mean and half the width of its 95 % interval, infinite where one value was all there is."""

    mean: float
    margin: float

    @property
    def low(self) -> float:
        return self.mean - self.margin

    @property
    def high(self) -> float:
        return self.mean + self.margin

    @property
    def sign(self) -> int:
        """1 or -1 where the whole interval lies above or below zero, 0 where it cannot be known."""
        return (self.low > 0) - (self.high < 0)


def interval(values: Sequence[float]) -> MeanInterval:
    """The interval of the mean of one or more independent values, taken as normally distributed."""
    mean = statistics.fmean(values)
    if len(values) == 1:
        return MeanInterval(mean, math.inf)
    error = statistics.stdev(values) / math.sqrt(len(values))
    return MeanInterval(mean, critical_t(1 - LEVEL, len(values) - 1) * error)
