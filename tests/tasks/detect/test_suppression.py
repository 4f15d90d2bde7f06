"""Boxes are compared many at a time, and decided on as one by one."""

import numpy as np
import pytest

from viewfinder.tasks.detect.answers.suppression import best_of
from viewfinder.tasks.detect.detections import Detections


def one_by_one(found, overlap, most):
    """The rule as it is said: of two of one class that overlap, the lower score goes."""
    chosen = []
    for row, (x1, y1, x2, y2) in enumerate(found.boxes):
        for kept in chosen:
            a1, b1, a2, b2 = found.boxes[kept]
            width = max(min(a2, x2) - max(a1, x1), np.float32(0))
            height = max(min(b2, y2) - max(b1, y1), np.float32(0))
            shared = width * height
            union = (a2 - a1) * (b2 - b1) + (x2 - x1) * (y2 - y1) - shared
            alike = found.labels[kept] == found.labels[row]
            if alike and shared > np.float32(overlap) * union:
                break
        else:
            chosen.append(row)
            if len(chosen) == most:
                break
    return chosen


@pytest.mark.parametrize("count", [0, 1, 15, 16, 17, 200])
@pytest.mark.parametrize("most", [None, 20])
def test_what_is_chosen_is_what_the_rule_says(count, most):
    random = np.random.default_rng(count)
    corners = random.random((count, 2)) * 80
    sides = random.random((count, 2)) * 40
    found = Detections(
        np.concatenate([corners, corners + sides], axis=1).astype(np.float32),
        np.sort(random.random(count))[::-1].astype(np.float32),
        random.integers(0, 2, count),
    )
    assert best_of(found, overlap=0.45, most=most) == one_by_one(found, 0.45, most)
