"""The fast warp is near the exact one; boxes hold their turned ellipses."""

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from viewfinder.datasets.loading import LETTERBOX_FILL
from viewfinder.pictures.geometry import rotation, scaling, transform_points, translation
from viewfinder.pictures.resampling import resample
from viewfinder.pictures.warping import moved_boxes, warp_into


@settings(max_examples=60)
@given(
    scale=st.floats(0.08, 3),
    turn=st.floats(-180, 180),
    shift=st.tuples(st.floats(-20, 60), st.floats(-20, 40)),
)
def test_the_fast_warp_is_near_the_exact_resample(scale, turn, shift):
    y, x = np.mgrid[:90, :131]
    picture = np.stack([128 + 100 * np.sin(x / 17), 128 + 100 * np.cos(y / 13), x + y], 2)
    picture = picture.astype(np.uint8)
    matrix = translation(*shift) @ rotation(turn) @ scaling(scale) @ translation(-60, -40)
    canvas = np.full((50, 70, 3), 7, np.uint8)
    target = canvas[3:43, 5:65]
    warp_into(target, picture, matrix, fill=LETTERBOX_FILL)
    exact = resample(picture, matrix, (60, 40), fill=LETTERBOX_FILL)
    # Not near the picture's edge, where one fades into the fill and the other does not.
    everywhere = np.ones(picture.shape[:2], bool)
    inside = resample(everywhere, translation(20, 20) @ matrix, (100, 80)).astype(np.uint8)
    near = np.ones((7 + 2 * round(scale), 7 + 2 * round(scale)))
    away = (cv2.erode(inside, near) == cv2.dilate(inside, near))[20:60, 20:80]
    assert np.abs(target.astype(int) - exact)[away].max(initial=0) <= max(6, 6 / scale)
    outside = np.ones(canvas.shape[:2], bool)
    outside[3:43, 5:65] = False
    assert (canvas[outside] == 7).all()


def test_what_shrinks_by_much_is_averaged():
    noise = np.random.default_rng(0).integers(0, 256, (300, 401, 3), dtype=np.uint8)
    for scale in (0.4, 0.24, 0.1):
        size = (round(401 * scale), round(300 * scale))
        target = np.zeros((size[1], size[0], 3), np.uint8)
        warp_into(target, noise, scaling(scale), fill=None)
        exact = resample(noise, scaling(scale), size)
        # Uniform noise has a deviation of 74, and a pixel of it taken alone still would.
        assert target.std() < 1.6 * exact.std() < 74


@pytest.mark.parametrize("size", [(1, 1), (1, 9), (9, 1), (2, 3)])
def test_targets_and_pictures_of_a_pixel(size):
    canvas = np.zeros((20, 20, 3), np.uint8)
    width, height = size
    for picture in (np.full((1, 1, 3), 200, np.uint8), np.full((30, 1, 3), 200, np.uint8)):
        warp_into(canvas[4 : 4 + height, 5 : 5 + width], picture, scaling(100, 0.9), fill=None)
        assert (canvas[4 : 4 + height, 5 : 5 + width] == 200).all()
        assert canvas.sum() == 600 * width * height
        canvas[:] = 0


@given(
    turn=st.floats(-180, 180),
    sides=st.tuples(st.floats(1, 90), st.floats(1, 90)),
    stretch=st.tuples(st.floats(0.2, 3), st.floats(-3, -0.2)),
)
def test_boxes_hold_their_turned_ellipses_tightly(turn, sides, stretch):
    box = np.array([[7, 9, 7 + sides[0], 9 + sides[1]]])
    matrix = translation(5, -3) @ rotation(turn) @ scaling(*stretch)
    around = np.linspace(0, 2 * np.pi, 3601)
    points = np.stack([np.cos(around), np.sin(around)], 1) * np.array(sides) / 2
    moved = transform_points(matrix, points + np.array([7 + sides[0] / 2, 9 + sides[1] / 2]))
    expected = np.concatenate([moved.min(axis=0), moved.max(axis=0)])
    np.testing.assert_allclose(moved_boxes(matrix, box)[0], expected, atol=1e-3)
