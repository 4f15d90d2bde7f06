"""Intervals cover what they say, and chance is told apart from difference as often as promised."""

import numpy as np
import pytest

from viewfinder.evaluation.sampling import (
    chance,
    interval,
    pairs,
    ranks,
    redrawn,
    score_interval,
    shares,
)


def first(means):
    return means[..., 0]


def test_intervals_cover_19_of_20():
    """Of skewed scores, as MAE's are, of 30 pictures each."""
    random = np.random.default_rng(3)
    drawing = shares(30, 2000)
    covered = 0
    for _ in range(400):
        values = random.beta(2, 8, (30, 1))
        found = interval(values.mean(), redrawn(drawing, values, first), 30)
        covered += found.low <= 0.2 <= found.high
    # 95 % of 400 is 380; below 366 lies one set of trials in a thousand.
    assert covered >= 366


def test_intervals_of_few_pictures_cover_failures_that_are_not_among_them():
    """Every tenth picture is scored 0; of 20, one set in eight shows no such picture at all."""
    random = np.random.default_rng(3)
    drawing = shares(20, 2000)
    covered = 0
    for _ in range(300):
        values = random.beta(20, 2, (20, 1)) * (random.random((20, 1)) > 0.1)
        found = score_interval(values.mean(), redrawn(drawing, values, first), 20)
        covered += found.low <= 0.9 * 20 / 22 <= found.high
    # 95 % of 300 is 285; below 273 lies one set of trials in a thousand.
    assert covered >= 273


def test_intervals_of_many_pictures_are_of_these_alone():
    values = np.random.default_rng(1).beta(8, 1, (50, 1))
    draws = redrawn(shares(50), values, first)
    assert score_interval(0.9, draws, 50) == interval(0.9, draws, 50)


def test_equal_methods_are_rarely_called_different():
    random = np.random.default_rng(4)
    drawing = shares(40, 2000)
    called = 0
    for _ in range(300):
        hard = random.beta(2, 5, 40)
        draws = {
            name: redrawn(drawing, (hard + random.normal(0, 0.05, 40))[:, None], first)
            for name in "ab"
        }
        called += pairs(dict.fromkeys("ab", 0.0), draws, 40)[0].clear
    assert 2 <= called <= 30


def test_a_difference_of_all_pictures_is_seen():
    random = np.random.default_rng(5)
    hard = random.beta(2, 5, 40)
    drawing = shares(40)
    scores, draws = {}, {}
    for name, gain in (("a", 0.0), ("b", 0.05), ("c", 0.0501)):
        values = (hard + gain + random.normal(0, 0.01, 40))[:, None]
        scores[name], draws[name] = float(values.mean()), redrawn(drawing, values, first)
    found = {(pair.one, pair.other): pair for pair in pairs(scores, draws, 40)}
    assert found["a", "b"].clear
    assert not found["b", "c"].clear
    assert found["a", "b"].value.high < 0
    assert all(pair.p_holm >= pair.p for pair in found.values())


@pytest.mark.parametrize("images", [0, 1])
def test_one_picture_shows_no_spread(images):
    draws = redrawn(shares(images), np.ones((images, 1)), first)
    assert interval(1.0, draws, images).low is None
    assert chance(draws, images) is None


def test_pictures_that_are_alike_have_an_interval_without_rounding():
    values = np.full((30, 1), 0.9966967218672774)
    found = interval(float(values.mean()), redrawn(shares(30, 2000), values, first), 30)
    assert (found.low, found.high) == pytest.approx((found.value, found.value), abs=1e-12)


def test_no_difference_at_all_is_chance():
    assert chance(np.zeros(100), 10) == 1.0


def test_ranks_share_places():
    assert ranks([0.1, 0.3, 0.3, 0.2], higher_is_better=True) == [4, 1.5, 1.5, 3]
    assert ranks([0.1, 0.3], higher_is_better=False) == [1, 2]


def test_an_interval_holds_0_where_chance_would_do_as_much():
    """Of few pictures, of which most are alike, the two are close to their border."""
    random = np.random.default_rng(8)
    for images in (5, 12, 40, 72):
        drawing = shares(images, 2000)
        for _ in range(60):
            moved = random.normal(0.3, 1, (images, 1)) * (random.random((images, 1)) < 0.15)
            draws = {"a": redrawn(drawing, moved, first), "b": np.zeros(2000)}
            (pair,) = pairs({"a": float(moved.mean()), "b": 0.0}, draws, images)
            if pair.p > 0.05:
                assert pair.value.low <= 0 <= pair.value.high
            assert pair.value.turned().turned() == pair.value
