"""What chance makes of what few pictures show."""

import math

import numpy as np
import pytest

from viewfinder.tasks.chance import likelier_by_chance


@pytest.mark.parametrize(
    ("gains", "chance"),
    [
        # Of two degrees of freedom P(T > t) is (1 - t / √(2 + t²)) / 2, here of t = 2√3.
        ([1.0, 2.0, 3.0], (1 - math.sqrt(12 / 14)) / 2),
        ([-1.0, -2.0, -3.0], 1.0),
        ([3.0], 1.0),
        ([0.5, 0.5], 0.0),
    ],
)
def test_how_likely_chance_does_as_much(gains, chance):
    before = np.full(len(gains), 0.01)
    after = before * np.exp(gains)
    assert likelier_by_chance(before, after) == pytest.approx(chance)
