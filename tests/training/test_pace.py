"""Steps that take much longer than promised, or less long, are told of, once."""

import pytest

from viewfinder.training.pace import Pace


def tells(pace, times, *, numbers=100):
    """What is told after each step that takes so many times as long as a step of 100 numbers."""
    told = []
    for each in times:
        pace.took(each * 0.01 * numbers, numbers)
        told.append(pace.news())
    return [news for news in told if news is not None]


def test_a_slow_stretch_is_told_of_once_with_how_slow_it_is():
    pace = Pace(0.01)
    assert tells(pace, [1.2] * 40) == []
    assert tells(pace, [2.3] * 40) == [pytest.approx(2.3)]
    assert tells(pace, [5.0] * 40) == []


def test_what_was_measured_while_something_else_was_busy_is_told_of_too():
    assert tells(Pace(0.01), [0.6] * 40) == []
    assert tells(Pace(0.01), [0.3] * 40) == [pytest.approx(0.3)]


def test_a_few_slow_steps_and_slightly_slow_ones_are_no_news():
    assert tells(Pace(0.01), [1.0, 50.0, 1.0] * 40) == []
    assert tells(Pace(0.01), [1.9] * 100) == []


def test_a_larger_step_may_take_longer():
    assert tells(Pace(0.01), [1.1] * 60, numbers=1000) == []
    assert tells(Pace(0.01), [2.5] * 60, numbers=1000) == [pytest.approx(2.5)]


@pytest.mark.parametrize("promised", [None, 0.0])
def test_without_a_promise_nothing_is_late(promised):
    assert tells(Pace(promised), [1e9] * 100) == []
