"""Work in threads comes in order, whole, and ends with the first error."""

import time

import pytest

from viewfinder.datasets.threads import in_threads


@pytest.mark.parametrize("count", [0, 1, 63, 64, 1023, 5000])
def test_every_number_is_worked_on_once_and_in_order(count):
    assert list(in_threads(lambda number: -number, count)) == [-each for each in range(count)]


@pytest.fixture
def slow():
    """Work that takes a while, and the numbers that it was begun on."""
    begun = []

    def work(number):
        begun.append(number)
        time.sleep(0.002)
        if number == 40:
            raise ValueError("no picture")
        return number

    return work, begun


def test_the_first_error_ends_it(slow):
    work, begun = slow
    with pytest.raises(ValueError, match="no picture"):
        list(in_threads(work, 20_000))
    assert len(begun) < 10_000


def test_who_asks_for_no_more_waits_for_no_more(slow):
    work, begun = slow
    found = in_threads(work, 20_000)
    assert next(found) == 0
    found.close()
    assert len(begun) < 10_000
