"""The order for labelling: whole, repeatable, spread out, and fair in what it draws at random."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from viewfinder.errors import InputError
from viewfinder.labelling.ordering import (
    LEAST_LABELLED,
    drawn_at_random,
    order,
    uncertainty,
)


@st.composite
def pools(draw):
    count, width = draw(st.integers(0, 60)), draw(st.integers(1, 40))
    random = np.random.default_rng(draw(st.integers(0, 2**32)))
    points = random.normal(0, 10.0 ** draw(st.integers(-6, 6)), (count, width)).astype(np.float32)
    if draw(st.booleans()):
        points[: count // 2] = 0  # many that look the same
    labelled = np.flatnonzero(random.random(count) < draw(st.floats(0, 1))).tolist()
    given = {"labelled": labelled, "seed": draw(st.integers(0, 2**32))}
    if draw(st.booleans()):
        given["uncertainty"] = random.random(count) * draw(st.sampled_from([0, 1, 1e9]))
    if draw(st.booleans()):
        names = draw(st.lists(st.sampled_from(["", "a", "é.mp4", "b"]), min_size=1, max_size=60))
        given["groups"] = [names[i % len(names)] for i in range(count)]
    return points, given


@settings(max_examples=150)
@given(pools(), st.floats(0, 1))
def test_an_order_holds_every_picture_that_waits_once(pool, share):
    points, given = pool
    result = order(points, random_share=share, **given)
    waiting = set(range(len(points))) - set(given["labelled"])
    assert sorted(result) == sorted(waiting)
    assert all(type(index) is int for index in result)
    assert result == order(points, random_share=share, **given)


@given(st.integers(1, 400), st.floats(0, 1))
def test_every_beginning_has_its_share_of_random_pictures(count, share):
    random = sum(drawn_at_random(place, share) for place in range(count))
    assert abs(random - share * count) <= 1
    assert sum(drawn_at_random(place) for place in range(count)) == count // 5


def test_what_is_random_is_a_fair_sample_of_all_that_wait():
    """Pictures that are always, or never, chosen for what they are come at random as often."""
    points = np.random.default_rng(0).normal(size=(30, 4)).astype(np.float32)
    points[0] = 40
    counts = np.zeros(30)
    for seed in range(600):
        result = order(points, labelled=[1, 2], random_share=0.5, seed=seed)
        counts[[result[place] for place in range(10) if drawn_at_random(place, 0.5)]] += 1
    assert counts[[1, 2]].sum() == 0
    expected = 600 * 5 / 28
    assert counts[0] == pytest.approx(expected, abs=4 * expected**0.5)
    assert counts[3:].min() > expected - 4.5 * expected**0.5
    assert counts[3:].max() < expected + 4.5 * expected**0.5


def test_all_at_random_is_a_shuffle():
    points = np.zeros((50, 3), np.float32)
    orders = {tuple(order(points, labelled=(), random_share=1, seed=seed)) for seed in range(5)}
    assert len(orders) == 5


def clusters(sizes, seed=0):
    """Points about well separated middles, and the cluster of each."""
    random = np.random.default_rng(seed)
    of = np.repeat(np.arange(len(sizes)), sizes)
    middles = random.normal(0, 50, (len(sizes), 8))
    return (middles[of] + random.normal(size=(len(of), 8))).astype(np.float32), of


def test_different_pictures_come_first():
    """One of each cluster before a second of any, though most pictures lie in one of them."""
    points, of = clusters([300, 12, 10, 8, 8])
    first = order(points, labelled=(), random_share=0)[:5]
    assert sorted(of[first].tolist()) == [0, 1, 2, 3, 4]
    known = [int(np.flatnonzero(of == k)[0]) for k in (0, 2)]
    first = order(points, labelled=known, random_share=0)[:3]
    assert sorted(of[first].tolist()) == [1, 3, 4]


def test_the_first_picture_is_a_typical_one():
    points, of = clusters([60, 1, 1, 1])
    index = order(points, labelled=(), random_share=0)[0]
    middle = points[of == 0].mean(axis=0)
    apart = np.linalg.norm(points[of == 0] - middle, axis=1)
    assert np.linalg.norm(points[index] - middle) < np.median(apart)


def test_groups_are_spread():
    """Where all look the same: every video before a second frame of any, and that one far off."""
    groups = [f"video {i // 20}" for i in range(100)]
    result = order(np.zeros((100, 3), np.float32), labelled=(), groups=groups, random_share=0)
    assert len({groups[index] for index in result[:5]}) == 5
    assert len({groups[index] for index in result[5:10]}) == 5
    for name in set(groups):
        frames = [index % 20 for index in result[:10] if groups[index] == name]
        assert abs(frames[0] - frames[1]) >= 10


def test_frames_near_in_time_count_as_less_different():
    random = np.random.default_rng(3)
    points = random.normal(size=(200, 16)).astype(np.float32)
    groups = ["walk"] * 200

    def nearest(given):
        first = np.sort(order(points, labelled=(), groups=given, random_share=0)[:12])
        return np.diff(first).min()

    assert nearest(groups) > 6 > nearest(())


def test_doubt_counts_once_enough_is_labelled():
    points = np.random.default_rng(0).normal(size=(300, 6)).astype(np.float32)
    doubt = np.full(300, 0.01)
    doubt[200:] = np.linspace(0.9, 1, 100)
    early = order(points, labelled=(), uncertainty=doubt, random_share=0)[: LEAST_LABELLED // 2]
    assert early == order(points, labelled=(), random_share=0)[: LEAST_LABELLED // 2]
    late = order(points, labelled=range(LEAST_LABELLED), uncertainty=doubt, random_share=0)[:40]
    assert sum(index >= 200 for index in late) >= 25
    plain = order(points, labelled=range(LEAST_LABELLED), random_share=0)[:40]
    assert sum(index >= 200 for index in plain) < 22


def test_doubted_pictures_that_look_the_same_are_not_asked_for_twice():
    points, of = clusters([40, 40, 40])
    doubt = np.where(of == 1, 1.0, 0.2)
    known = list(range(LEAST_LABELLED))
    result = order(points, labelled=known, uncertainty=doubt, random_share=0)
    assert set(of[result[:2]].tolist()) == {1, 2}


def test_a_long_order_is_finished(monkeypatch):
    monkeypatch.setattr("viewfinder.labelling.ordering._MOST_ONE_BY_ONE", 30)
    monkeypatch.setattr("viewfinder.labelling.ordering._MOST_COMPARED", 50)
    points, of = clusters([100, 50, 10])
    result = order(points, labelled=[3])
    assert sorted(result) == [index for index in range(160) if index != 3]
    assert len(set(of[result[:5]].tolist())) == 3


def test_uncertainty_of_scores():
    told = uncertainty(
        [np.array([0.5]), np.array([1.0, 0.0]), np.array([0.75, 0.01]), np.array([])]
    )
    assert told.tolist() == pytest.approx([1.0, 0.0, 0.5, 0.5])
    assert uncertainty([np.zeros(0)]).tolist() == [0.5]
    assert uncertainty([]).shape == (0,)


def test_no_pictures_have_no_order():
    empty = np.zeros((0, 3), np.float32)
    assert order(empty, labelled=()) == []
    assert order(np.zeros((3, 2), np.float32), labelled=[0, 1, 2]) == []


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"features": np.zeros(4, np.float32)}, "features are N×D"),
        ({"features": np.full((4, 2), np.nan, np.float32)}, "features are N×D"),
        ({"labelled": [4]}, "from 0 to 3"),
        ({"labelled": [-1, 2]}, "from 0 to 3"),
        ({"groups": ["a"]}, "1 groups for 4 pictures"),
        ({"uncertainty": np.zeros(3)}, "each of 4 pictures"),
        ({"uncertainty": np.array([0, 1, np.nan, 1])}, "each of 4 pictures"),
        ({"uncertainty": np.array([0, 1, -1, 1])}, "each of 4 pictures"),
        ({"random_share": 1.5}, "from 0 to 1"),
        ({"random_share": float("nan")}, "from 0 to 1"),
    ],
)
def test_what_does_not_fit_is_said(change, says):
    given = {"features": np.zeros((4, 2), np.float32), "labelled": []} | change
    with pytest.raises(InputError, match=says):
        order(given.pop("features"), **given)
