"""How often an epoch shows which picture, by hand and by chance; sizes to train at."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from viewfinder.datasets.boxes import gather_boxes
from viewfinder.tasks.detect.examples.sampling import (
    epoch_order,
    frames_around,
    reduced,
    repeat_factors,
)


def boxes_of(classes, **columns):
    """A box of each class that is named for each picture."""
    pictures = np.repeat(np.arange(len(classes)), [len(row) for row in classes])
    flat = np.array([label for row in classes for label in row], np.int64)
    corners = np.tile([0.0, 0.0, 5.0, 5.0], (len(flat), 1))
    return gather_boxes(pictures, len(classes), corners=corners, classes=flat, **columns)


def test_repeat_factors_by_hand():
    # Class 0 is in 8 of 10 pictures, class 1 in 2, class 2 in 1; class 3 in none.
    boxes = boxes_of([[0, 0], [0], [0], [0, 1], [0], [0], [0], [0, 1, 1, 2], [], []])
    factors = repeat_factors(boxes, 4, threshold=0.4)
    one, two = np.sqrt(0.4 / 0.2), np.sqrt(0.4 / 0.1)
    np.testing.assert_allclose(factors, [1, 1, 1, one, 1, 1, 1, two, 1, 1])
    assert (repeat_factors(boxes, 4, threshold=0) == 1).all()
    assert (repeat_factors(boxes, 4, threshold=0.1) == 1).all()


def test_crowds_difficult_and_nameless_objects_do_not_count():
    flags = np.array([True, False, False, False]), np.array([False, True, False, False])
    boxes = boxes_of([[1, 1, -1], [0]], crowd=flags[0], difficult=flags[1])
    np.testing.assert_allclose(repeat_factors(boxes, 2, threshold=2), [1, 2])


def test_a_set_without_boxes_is_shown_once():
    assert repeat_factors(boxes_of([[], []]), 3, threshold=0.5).tolist() == [1, 1]


@given(count=st.integers(0, 200), seed=st.integers(0, 2**32))
def test_without_rare_classes_an_epoch_is_a_permutation(count, seed):
    order = epoch_order(np.ones(count), np.random.default_rng(seed))
    assert sorted(order.tolist()) == list(range(count))


def test_pictures_come_as_often_as_their_factors_say():
    factors = np.array([1, 1.25, 2, 3.5])
    generator = np.random.default_rng(0)
    counts = np.array(
        [np.bincount(epoch_order(factors, generator), minlength=4) for _ in range(2000)]
    )
    assert ((counts >= np.floor(factors)) & (counts <= np.ceil(factors))).all()
    np.testing.assert_allclose(counts.mean(axis=0), factors, atol=0.05)
    assert epoch_order(factors, generator).dtype == np.int64


def test_an_order_depends_on_the_generator_alone():
    factors = np.linspace(1, 2, 50)
    one, again, other = (epoch_order(factors, np.random.default_rng(s)) for s in (1, 1, 2))
    assert np.array_equal(one, again)
    assert not np.array_equal(one, other)


def test_a_reduced_frame_is_the_nearest_of_whole_strides():
    assert reduced((256, 256), stride=32, share=0.75) == (192, 192)
    assert reduced((320, 256), stride=32, share=0.75) == (256, 192)
    assert reduced((416, 32), stride=32, share=0.5) == (192, 32)


def test_frames_by_hand():
    assert frames_around((320, 256), stride=32, share=0) == [(320, 256)]
    assert frames_around((320, 256), stride=32, share=0.2) == [
        (256, 192),
        (288, 224),
        (320, 256),
        (352, 288),
        (384, 320),
    ]
    assert frames_around((64, 416), stride=32, share=0.1) == [(64, 384), (64, 416), (64, 448)]


@given(
    sides=st.tuples(st.integers(1, 20), st.integers(1, 20)),
    stride=st.sampled_from([8, 16, 32]),
    share=st.floats(0, 1),
)
def test_frames_are_multiples_around_the_frame(sides, stride, share):
    frame = (sides[0] * stride, sides[1] * stride)
    frames = frames_around(frame, stride=stride, share=share)
    assert frame in frames
    assert len(set(frames)) == len(frames)
    for width, height in frames:
        assert width % stride == height % stride == 0
        assert min(width, height) >= stride
        assert abs(max(width, height) - max(frame)) <= share * max(frame) + 1e-6


@pytest.mark.parametrize("frame", [(320, 256), (256, 320)])
def test_frames_keep_the_aspect(frame):
    for width, height in frames_around(frame, stride=32, share=0.5):
        assert abs(height - width * frame[1] / frame[0]) <= 20
