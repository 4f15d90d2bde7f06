"""Boxes between key frames, and along with a picture that moves."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from viewfinder.datasets.footage import interpolate
from viewfinder.errors import InputError
from viewfinder.labelling.tracking import (
    LEAST,
    carry,
    nearest_pairs,
    start_track,
    step_track,
)
from viewfinder.pictures.geometry import iou, scaling, transform_boxes, translation
from viewfinder.pictures.resampling import resample


@settings(max_examples=60)
@given(st.lists(st.floats(-1e3, 1e3), min_size=8, max_size=8), st.floats(0, 1))
def test_a_box_between_two_moves_in_a_straight_line(numbers, share):
    keys = np.array(numbers).reshape(2, 4)
    times = np.array([1.0, 3.0])
    at = np.clip(np.array([1 + 2 * share]), 1, 3)
    (box,) = interpolate(times, keys, at)
    assert box == pytest.approx(keys[0] * (1 - share) + keys[1] * share, abs=1e-6)
    assert interpolate(times, keys, times) == pytest.approx(keys)


@settings(max_examples=60)
@given(st.permutations(range(4)), st.integers(1, 4), st.floats(-8, 8), st.floats(-8, 8))
def test_boxes_that_moved_a_little_are_paired_with_themselves(order, kept, x, y):
    before = np.array([[100.0 * i, 40.0 * i, 100 * i + 30, 40 * i + 50] for i in range(4)])
    after = [before[i] + [x, y, x, y] for i in order[:kept]]
    assert nearest_pairs(list(before), after) == dict(enumerate(order[:kept]))


def test_boxes_without_any_before_or_after_have_no_pairs():
    box = np.array([0.0, 0.0, 1.0, 1.0])
    assert nearest_pairs([], [box]) == nearest_pairs([box], []) == {}
    # However far apart: an object seen once more is taken for the only one that it can be.
    assert nearest_pairs([box], [box + 1000]) == {0: 0}


def test_beyond_the_key_frames_nothing_is_known():
    boxes = np.zeros((2, 4))
    for time in (0.9, 3.1):
        with pytest.raises(ValueError, match="between key frames"):
            interpolate(np.array([1.0, 3.0]), boxes, np.array([time]))
    assert interpolate(np.array([1.0]), boxes[:1], np.zeros(0)).shape == (0, 4)


@pytest.fixture(scope="module")
def scene():
    """Something large and textured, of which a camera shows a part."""
    random = np.random.default_rng(1)
    coarse = random.integers(0, 256, (30, 40, 3)).astype(np.uint8)
    return resample(coarse, scaling(16), (640, 480))


def view(scene, matrix):
    return resample(scene, matrix, (320, 240))


def test_a_box_follows_a_camera_that_moves_and_comes_nearer(scene):
    box = np.array([220, 160, 300, 230], np.float32)
    matrices = [translation(-100 - 3 * i, -60 - 2 * i) @ scaling(1 + 0.004 * i) for i in range(30)]
    track = start_track(view(scene, matrices[0]), transform_boxes(matrices[0], box)[0])
    assert track.confidence == 1
    overlaps = []
    for matrix in matrices[1:]:
        track = step_track(track, view(scene, matrix))
        assert track is not None
        true = transform_boxes(matrix, box)
        overlaps.append(iou(track.box[None], true)[0, 0])
    assert min(overlaps) > 0.9
    assert LEAST <= track.confidence < 1


def test_a_box_between_two_keys_is_followed_from_both(scene):
    box = np.array([220, 160, 300, 230], np.float32)
    sway = [40 * np.sin(2 * np.pi * i / 15) for i in range(16)]
    matrices = [translation(-100 - x, -60 + x / 2) for x in sway]
    shown = [view(scene, matrix) for matrix in matrices]
    true = [transform_boxes(matrix, box)[0] for matrix in matrices]
    found = carry(shown, true[0], true[-1])
    assert len(found) == 14
    assert (
        min(
            iou(one[None], two[None])[0, 0] for (one, _), two in zip(found, true[1:-1], strict=True)
        )
        > 0.9
    )
    assert all(LEAST <= sure <= 1 for _, sure in found)
    # Where nothing can be followed it moves in a straight line, of which nothing is sure.
    plain = [np.full((240, 320, 3), 127, np.uint8)] * 5
    ends = np.array([10, 10, 60, 60]), np.array([50, 10, 100, 60])
    line = carry(plain, *ends)
    assert [(box.tolist(), sure) for box, sure in line] == [
        ([10 + x, 10, 60 + x, 60], 0) for x in (10, 20, 30)
    ]
    assert carry(shown[:2], true[0], true[1]) == []


def test_what_is_hidden_or_another_scene_is_lost(scene):
    box = np.array([100, 80, 180, 150], np.float32)
    first = view(scene, translation(-100, -60))
    track = start_track(first, box)
    hidden = first.copy()
    hidden[70:160, 90:190] = 127
    assert step_track(track, hidden) is None
    assert step_track(track, view(scene[::-1], translation(-40, -200))) is None
    assert step_track(track, first) is not None
    assert step_track(start_track(first, np.array([5, 5, 7, 40], np.float32)), first) is None
    with pytest.raises(InputError, match="different sizes"):
        step_track(track, first[:100])
