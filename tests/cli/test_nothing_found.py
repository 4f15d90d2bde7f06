"""Where `predict` finds nothing at all, it says what may lie below the usual score."""

import numpy as np
import pytest

from viewfinder.cli.predict import _tell_of_nothing
from viewfinder.events import listening
from viewfinder.inference.answers import Answer
from viewfinder.tasks.detect.detections import Detections


def found(count):
    boxes = np.tile(np.array([1.0, 2.0, 9.0, 8.0]), (count, 1))
    return Detections(boxes, np.full(count, 0.5), np.zeros(count, np.int64))


@pytest.mark.parametrize(
    ("counts", "threshold", "told"),
    [((0, 0), None, 1), ((0, 2), None, 0), ((0, 0), 0.05, 0), ((), None, 0)],
)
def test_nothing_in_any_picture_is_told_with_a_way_on(counts, threshold, told):
    answers = [Answer(f"{n}.png", (20, 10), found(count)) for n, count in enumerate(counts)]
    heard = []
    with listening(heard.append):
        _tell_of_nothing(answers, threshold, best=True)
        _tell_of_nothing(answers, threshold, best=False)
    assert ["--threshold best" in each.text for each in heard] == [True, False] * told
