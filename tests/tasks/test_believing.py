"""Guesses of pictures without labels: along which pictures labels spread, and what is believed."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from viewfinder.tasks.classify.believing import Likeness, believed, likeness


def test_labels_follow_the_shape_of_a_class():
    rng = np.random.default_rng(0)
    # Along a curve in more directions than two, so that cosines tell neighbours.
    place, labels = rng.uniform(0, 1, 400), np.arange(400) % 2
    waves = [np.cos(2 * np.pi * (f * place + 0.13 * labels * f)) for f in range(1, 6)]
    points = np.stack([*waves, np.where(labels, 2.0, -2.0)], 1)
    found = likeness(points).spread(labels[:4], 2)
    assert (found.argmax(axis=1) == labels[4:]).all()
    np.testing.assert_allclose(found.sum(axis=1), 1)


@given(
    arrays.arrays(
        np.float64, st.tuples(st.integers(2, 30), st.integers(1, 5)), elements=st.floats(-9, 9)
    )
)
def test_likeness_is_mutual_and_of_the_nearest_few(vectors):
    pairs = likeness(vectors).pairs
    np.testing.assert_array_equal(pairs, pairs.T)
    assert (pairs >= 0).all()
    assert np.isfinite(pairs).all()
    assert not pairs.diagonal().any()
    found = Likeness(pairs).spread(np.zeros(1, int), 3)
    np.testing.assert_allclose(found.sum(axis=1), 1)


def test_a_picture_that_no_label_reaches_is_of_each_class_alike():
    pairs = np.zeros((4, 4), np.float32)
    pairs[0, 2] = pairs[2, 0] = 1
    found = Likeness(pairs).spread(np.array([0, 1]), 2)
    np.testing.assert_allclose(found, [[1, 0], [0.5, 0.5]])


def test_a_part_is_as_if_the_others_were_not_there():
    rng = np.random.default_rng(1)
    whole = likeness(rng.normal(size=(20, 6)))
    part = whole.select(np.array([3, 0, 7]))
    assert part.pairs[0, 2] == whole.pairs[3, 7]
    assert part.pairs.shape == (3, 3)


def test_the_surest_of_each_class_are_believed_where_both_ways_agree():
    sure = np.linspace(0.55, 0.99, 10)
    by_layer = np.concatenate([np.stack([sure, 1 - sure], 1), np.stack([1 - sure, sure], 1)])
    numbers, guessed = believed(by_layer, np.full((20, 2), 0.5))
    np.testing.assert_array_equal(np.sort(numbers), [4, 5, 6, 7, 8, 9, 14, 15, 16, 17, 18, 19])
    np.testing.assert_array_equal(guessed, numbers >= 10)
    # What the layer hardly prefers, the pictures alike turn.
    numbers, guessed = believed(np.array([[0.55, 0.45]]), np.array([[0.1, 0.9]]))
    np.testing.assert_array_equal((numbers, guessed), [[0], [1]])
