"""How pictures are framed: Darknet's rule against a slow one written as loops, and the way back."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from viewfinder.datasets.framing import (
    DARKNET,
    STRETCHED,
    USUAL,
    Framing,
    frame,
    frame_file,
    frame_matrix,
    resize_by_corners,
)
from viewfinder.datasets.loading import letterboxed
from viewfinder.pictures.geometry import transform_points
from viewfinder.pictures.writing import write_picture


def slow_value(picture, row, column, size):
    """A pixel of a resized picture: bilinear between the four about where it comes from."""
    tall, wide = picture.shape[:2]
    width, height = size
    y = row * (tall - 1) / (height - 1) if height > 1 else tall - 1
    x = column * (wide - 1) / (width - 1) if width > 1 else wide - 1
    value = 0.0
    for j in (int(y), min(int(y) + 1, tall - 1)):
        for i in (int(x), min(int(x) + 1, wide - 1)):
            # At the last row or column both are the same pixel, and the shares add up to 1.
            down = y - int(y) if j > int(y) else (1 - (y - int(y)) if int(y) < tall - 1 else 0.5)
            across = x - int(x) if i > int(x) else (1 - (x - int(x)) if int(x) < wide - 1 else 0.5)
            value = value + picture[j, i] / 255 * down * across
    return value


def slow_letterbox(picture, size):
    tall, wide = picture.shape[:2]
    if size[0] / wide < size[1] / tall:
        inner = size[0], max(1, tall * size[0] // wide)
    else:
        inner = max(1, wide * size[1] // tall), size[1]
    out = np.full((size[1], size[0], 3), 0.5)
    for row in range(inner[1]):
        for column in range(inner[0]):
            place = row + (size[1] - inner[1]) // 2, column + (size[0] - inner[0]) // 2
            out[place] = slow_value(picture, row, column, inner)
    return out


def painted(height, width, seed=0):
    return np.random.default_rng(seed).integers(0, 256, (height, width, 3), np.uint8)


@pytest.mark.parametrize(
    "sides", [(23, 31), (31, 23), (7, 5), (64, 64), (1, 9), (9, 1), (1, 1), (2, 300), (40, 50)]
)
@pytest.mark.parametrize("size", [(32, 32), (24, 40)])
def test_darknets_letterbox_is_that_of_loops(sides, size):
    picture = painted(*sides)
    framed = frame(picture, DARKNET, size, of=(sides[1], sides[0]))
    assert framed.dtype == np.float32
    np.testing.assert_allclose(framed, slow_letterbox(picture, size), rtol=0, atol=2e-5)


def test_a_stretched_picture_fills_the_frame():
    picture = painted(20, 50)
    framed = frame(picture, STRETCHED, (32, 32), of=(50, 20))
    np.testing.assert_array_equal(framed, resize_by_corners(picture, (32, 32)))
    for (y, x), (row, column) in {(0, 0): (0, 0), (31, 31): (19, 49), (0, 31): (0, 49)}.items():
        np.testing.assert_allclose(framed[y, x], picture[row, column] / 255, atol=1e-6)


def test_area_averages_within_the_same_frame():
    picture = painted(400, 400)
    framed = frame(picture, replace(DARKNET, resizing="area"), (32, 64), of=(400, 400))
    assert framed.dtype == np.uint8
    assert (framed[:16] == 127).all()
    assert framed[16:48].std() < 10 < frame(picture, DARKNET, (32, 64), of=(400, 400)).std() * 255
    usual = frame(picture, USUAL, (32, 64), of=(400, 400))
    np.testing.assert_array_equal(usual, letterboxed(picture, (32, 64), of=(400, 400)))


@given(
    of=st.tuples(st.integers(1, 5000), st.integers(1, 5000)),
    framing=st.sampled_from([USUAL, DARKNET, STRETCHED, Framing("stretch")]),
)
def test_a_picture_lies_in_the_middle_of_its_frame(of, framing):
    corners = transform_points(frame_matrix(framing, of, (416, 320)), [(0, 0), of])
    assert corners.sum(axis=0) == pytest.approx((416, 320), abs=1.001)
    assert (corners >= -1e-6).all()
    assert (corners <= np.array([416, 320]) + 1e-6).all()


def test_a_file_is_framed_at_its_full_size(tmp_path):
    """A decoder's smaller copy is not what Darknet reads."""
    picture = painted(300, 200)
    write_picture(tmp_path / "a.png", picture)
    found = frame_file(tmp_path / "a.png", (32, 32), DARKNET)
    np.testing.assert_array_equal(found, frame(picture, DARKNET, (32, 32), of=(200, 300)))


def test_a_framing_tells_what_it_does():
    assert str(USUAL) == "letterboxed on grey 114"
    assert str(DARKNET) == "letterboxed on grey 127.5 as Darknet resizes"
    assert str(STRETCHED) == "stretched as Darknet resizes"
