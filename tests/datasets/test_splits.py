"""Dealing pictures to sides: fair to every class, and always the same."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from viewfinder.datasets.splits import (
    TEST,
    TRAIN,
    VAL,
    by_group,
    sample,
    stratified,
    usual_val_share,
)

CLASS_SIZES = st.lists(st.integers(1, 120), min_size=1, max_size=5)
SHARE = st.floats(0.01, 0.24)


def rows(sizes):
    paths = [f"{label}/{number}.jpg" for label, size in enumerate(sizes) for number in range(size)]
    return paths, np.repeat(np.arange(len(sizes)), sizes)


@given(CLASS_SIZES, SHARE, SHARE)
def test_every_class_has_its_shares_on_every_side(sizes, test, val):
    paths, labels = rows(sizes)
    sides = stratified(paths, labels, shares=[(TEST, test), (VAL, val)])
    for label, size in enumerate(sizes):
        dealt = np.bincount(sides[labels == label], minlength=3)
        assert dealt.sum() == size
        assert dealt[TRAIN] >= size / 2
        if size >= 4:
            assert dealt.min() >= 1
            assert abs(dealt[TEST] - test * size) <= 1
            assert abs(dealt[VAL] - val * size) <= 1


@given(CLASS_SIZES, SHARE, st.randoms(use_true_random=False))
def test_the_order_of_listing_changes_nothing(sizes, share, random):
    paths, labels = rows(sizes)
    shares = [(TEST, share), (VAL, share)]
    sides = dict(zip(paths, stratified(paths, labels, shares=shares), strict=True))
    order = list(range(len(paths)))
    random.shuffle(order)
    shuffled = [paths[i] for i in order]
    again = dict(zip(shuffled, stratified(shuffled, labels[order], shares=shares), strict=True))
    assert again == sides


@given(st.integers(8, 100))
def test_a_picture_added_later_moves_few_others(size):
    paths, labels = rows([size])
    before = stratified(paths, labels, shares=[(TEST, 0.2), (VAL, 0.1)])
    paths, labels = [*paths, "0/new.jpg"], np.zeros(size + 1, np.int64)
    after = stratified(paths, labels, shares=[(TEST, 0.2), (VAL, 0.1)])
    assert (before != after[:-1]).sum() <= 3


def test_no_share_takes_nothing_and_a_greedy_one_leaves_train_half():
    paths, labels = rows([9])
    none = stratified(paths, labels, shares=[(TEST, 0.0), (VAL, 0.0)])
    assert none.tolist() == [TRAIN] * 9
    greedy = stratified(paths, labels, shares=[(TEST, 0.9), (VAL, 0.9)])
    assert np.bincount(greedy).tolist() == [5, 0, 4]


def test_the_deal_is_the_same_on_every_machine():
    paths, labels = rows([10, 10])
    sides = stratified(paths, labels, shares=[(TEST, 0.2), (VAL, 0.1)])
    # By SHA-256 of the path: worked out with sha256sum and sort.
    assert {p for p, s in zip(paths, sides, strict=True) if s == TEST} == {
        *("0/2.jpg", "0/6.jpg", "1/2.jpg", "1/7.jpg")
    }
    assert {p for p, s in zip(paths, sides, strict=True) if s == VAL} == {"0/1.jpg", "1/6.jpg"}


@given(st.lists(st.integers(1, 30), min_size=1, max_size=40), SHARE, SHARE)
def test_a_group_is_never_on_two_sides(sizes, test, val):
    paths, labels = rows(sizes)
    groups = [str(label) for label in labels]
    sides = by_group(paths, groups, shares=[(TEST, test), (VAL, val)])
    assert all(len(set(sides[labels == label].tolist())) == 1 for label in range(len(sizes)))
    dealt = np.bincount(sides, minlength=3)
    assert dealt[TRAIN] >= len(paths) / 2
    smallest = min(sizes)
    for side, share in ((TEST, test), (VAL, val)):
        assert dealt[side] <= max(1, round(share * len(paths)), max(sizes))
    if len(sizes) >= 3 and max(sizes) == smallest:
        assert dealt[TEST] >= smallest


@given(st.lists(st.booleans(), min_size=1, max_size=60), st.floats(0, 0.5))
def test_what_was_learnt_is_never_a_test_and_nor_is_its_group(learnt, test):
    paths = [f"{n}.jpg" for n in range(len(learnt))]
    groups = [f"{n // 3}" for n in range(len(learnt))]
    rows = [n for n, each in enumerate(learnt) if each]
    sides = by_group(paths, groups, shares=[(TEST, test), (VAL, 0.2)], learnt=rows)
    met = {groups[n] for n in rows}
    assert not any(group in met for group, side in zip(groups, sides, strict=True) if side == TEST)


def test_no_class_leaves_the_training_side():
    """Two videos, of a mug and of a ball: neither may go to where it is judged alone."""
    paths = [f"{name}/{number}.jpg" for name in "ab" for number in range(10)]
    groups, shares = [path[0] for path in paths], [(TEST, 0.15), (VAL, 0.1)]
    assert (by_group(paths, groups, shares=shares) != TRAIN).any()
    for shown in ([{0}] * 10 + [{1}] * 10, [{0}] * 10 + [{0, 1}] * 10):
        sides = by_group(paths, groups, shares=shares, shown=shown)
        left = set().union(*(found for found, side in zip(shown, sides, strict=True) if not side))
        assert left == {0, 1}
    assert (sides != TRAIN).sum() == 10


def test_single_pictures_are_dealt_in_their_shares_whatever_the_order():
    paths = [f"{number}.jpg" for number in range(100)]
    shares = [(TEST, 0.15), (VAL, 0.1)]
    sides = by_group(paths, paths, shares=shares)
    assert np.bincount(sides).tolist() == [75, 10, 15]
    backwards = by_group(paths[::-1], paths[::-1], shares=shares)
    assert backwards[::-1].tolist() == sides.tolist()


def test_the_validation_side_grows_slower_than_the_set():
    assert usual_val_share(100) == usual_val_share(1200) == 0.1
    assert usual_val_share(5000) * 5000 == pytest.approx(247, abs=1)
    assert usual_val_share(10**6) * 10**6 == pytest.approx(3500)
    held = [usual_val_share(count) * count for count in range(1, 5000, 50)]
    assert held == sorted(held)


def test_a_sample_has_of_each_kind_its_share_and_one_at_least():
    kinds = np.repeat([0, 1, 2], [100, 20, 5])
    rows = sample(kinds, 20)
    assert np.bincount(kinds[rows]).tolist() == [16, 3, 1]
    assert rows.tolist() == sorted(set(rows.tolist()))
    assert sample(kinds, 500).tolist() == list(range(125))
    assert sorted(kinds[sample(kinds, 3)]) == [0, 1, 2]
    assert len(set(np.arange(50)[sample(np.arange(50), 20)])) == 20
