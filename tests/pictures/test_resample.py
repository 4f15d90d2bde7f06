"""Pixels go where the matrix says, and a picture that shrinks is averaged."""

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from matrices import shear, vertical_flip
from numpy.typing import NDArray

from viewfinder.pictures import geometry
from viewfinder.pictures.geometry import (
    cover,
    crop,
    horizontal_flip,
    identity,
    letterbox,
    rotation,
    scaling,
    stretch,
    transform_boxes,
    transform_points,
    translation,
)
from viewfinder.pictures.resampling import resample

TYPES = [np.uint8, np.uint16, np.float32, np.bool_]


def noise(
    height: int, width: int, kind: type = np.uint8, channels: tuple[int, ...] = (3,)
) -> NDArray:
    values = np.random.default_rng(0).integers(0, 256, (height, width, *channels))
    return (values > 127) if kind == np.bool_ else values.astype(kind)


@st.composite
def views(draw: st.DrawFn) -> geometry.Matrix:
    """A turn and an even scaling about the middle of a 200×200 picture, and a small shift."""
    middle = (100.0, 100.0)
    turn = rotation(draw(st.floats(-180, 180)), about=middle)
    scale = translation(*middle) @ scaling(draw(st.floats(0.3, 1.6))) @ translation(-100, -100)
    flip = draw(st.sampled_from([identity(), horizontal_flip(200), vertical_flip(200)]))
    shift = translation(draw(st.floats(-20, 20)), draw(st.floats(-20, 20)))
    return shift @ turn @ scale @ flip


def centroid(picture: NDArray) -> NDArray:
    weights = picture.astype(np.float64)
    y, x = np.mgrid[0 : picture.shape[0], 0 : picture.shape[1]] + 0.5
    return np.array([(weights * x).sum(), (weights * y).sum()]) / weights.sum()


@pytest.mark.parametrize("kind", TYPES)
@pytest.mark.parametrize("channels", [(), (3,)])
@pytest.mark.parametrize("nearest", [False, True])
def test_moves_of_whole_pixels_are_exact(
    kind: type, channels: tuple[int, ...], nearest: bool
) -> None:
    picture = noise(5, 8, kind, channels)
    half_turn = rotation(180, about=(4, 2.5))
    quarter = translation(2.5, 4) @ rotation(90) @ translation(-4, -2.5)
    for matrix, size, expected in (
        (identity(), (8, 5), picture),
        (horizontal_flip(8), (8, 5), picture[:, ::-1]),
        (vertical_flip(5), (8, 5), picture[::-1]),
        (half_turn, (8, 5), picture[::-1, ::-1]),
        (quarter, (5, 8), np.rot90(picture)),
        (quarter @ horizontal_flip(8), (5, 8), picture.swapaxes(0, 1)),
        (crop(2, 1), (3, 3), picture[1:4, 2:5]),
    ):
        made = resample(picture, matrix, size, nearest=nearest)
        assert made.dtype == picture.dtype
        assert np.array_equal(made, expected)
    shifted = resample(picture, translation(3, -2), (8, 5), fill=1, nearest=nearest)
    assert np.array_equal(shifted[:3, 3:], picture[2:, :5])
    assert (shifted[3:] == 1).all()
    assert (shifted[:, :3] == 1).all()
    for x, y in ((8, 0), (-8, 0), (0, 5), (0, -5), (1000, -1000)):
        assert (resample(picture, translation(x, y), (8, 5), fill=1, nearest=nearest) == 1).all()


@settings(max_examples=60)
@given(views(), st.tuples(st.floats(60, 140), st.floats(60, 140)))
def test_a_blob_lands_where_its_point_does(
    matrix: geometry.Matrix, point: tuple[float, float]
) -> None:
    y, x = np.mgrid[0:200, 0:200] + 0.5
    blob = np.exp(-((x - point[0]) ** 2 + (y - point[1]) ** 2) / (2 * 8**2)).astype(np.float32)
    target = transform_points(matrix, point)[0]
    made = resample(blob, matrix, (300, 300))
    if (target > 45).all() and (target < 255).all():
        assert np.abs(centroid(made) - target).max() < 0.1
        # Its light is spread over as many more pixels as the matrix enlarges areas.
        enlarged = abs(np.linalg.det(matrix[:2, :2]))
        assert made.sum() / blob.sum() == pytest.approx(enlarged, rel=0.02)


@settings(max_examples=60)
@given(
    st.floats(0.2, 3),
    st.floats(0.2, 3),
    st.floats(0, 30),
    st.floats(0, 30),
    st.booleans(),
)
def test_a_box_of_light_stays_in_its_box(
    x_scale: float, y_scale: float, x: float, y: float, nearest: bool
) -> None:
    picture = np.zeros((100, 120), np.uint8)
    picture[30:70, 40:100] = 255
    matrix = translation(x, y) @ scaling(x_scale, y_scale)
    x1, y1, x2, y2 = transform_boxes(matrix, np.array([[40, 30, 100, 70]], np.float32))[0]
    made = resample(picture, matrix, (400, 350), nearest=nearest)
    # Past an edge the light may reach one pixel, or half a source pixel where those are larger.
    reach_x, reach_y = 1 + x_scale / 2, 1 + y_scale / 2
    rows, columns = np.nonzero(made > 127)
    for low, high, lit, side in (
        (x1, x2, columns, 400),
        (y1, y2, rows, 350),
    ):
        assert abs(lit.min() - max(0, low)) <= 1
        assert abs(lit.max() + 1 - min(side, high)) <= 1
    outside = np.ones_like(made, bool)
    outside[
        max(0, int(y1 - reach_y)) : int(np.ceil(y2 + reach_y)),
        max(0, int(x1 - reach_x)) : int(np.ceil(x2 + reach_x)),
    ] = False
    assert made[outside].max(initial=0) == 0


@pytest.mark.parametrize("kind", [np.uint8, np.uint16, np.float32])
@pytest.mark.parametrize("channels", [(), (3,)])
def test_shrinking_by_whole_numbers_is_the_mean_of_blocks(
    kind: type, channels: tuple[int, ...]
) -> None:
    picture = noise(60, 90, kind, channels)
    means = picture.astype(np.float64).reshape(20, 3, 30, 3, *channels).mean(axis=(1, 3))
    made = resample(picture, scaling(1 / 3), (30, 20))
    np.testing.assert_allclose(made, means, atol=0.51 if kind != np.float32 else 1e-3)
    part = resample(picture, scaling(1 / 3) @ crop(30, 15), (10, 10))
    np.testing.assert_array_equal(part, made[5:15, 10:20])


def test_letterbox_and_stretch_are_opencvs_area_resize() -> None:
    picture = noise(481, 643)
    letterboxed = resample(picture, letterbox((643, 481), (416, 416)), (416, 416), fill=(1, 2, 3))
    expected = cv2.resize(picture, (416, 311), interpolation=cv2.INTER_AREA)
    assert np.array_equal(letterboxed[52:363], expected)
    assert (letterboxed[:52] == (1, 2, 3)).all()
    assert (letterboxed[363:] == (1, 2, 3)).all()
    stretched = resample(picture, stretch((643, 481), (100, 90)), (100, 90))
    assert np.array_equal(stretched, cv2.resize(picture, (100, 90), interpolation=cv2.INTER_AREA))
    covered = resample(picture, cover((643, 481), (96, 96)), (96, 96))
    middle = np.ascontiguousarray(picture[:, 81:562])
    assert np.array_equal(covered, cv2.resize(middle, (96, 96), interpolation=cv2.INTER_AREA))


def test_enlarging_is_opencvs_bilinear_resize() -> None:
    picture = noise(40, 50)
    made = resample(picture, scaling(4), (200, 160))
    expected = cv2.resize(picture, (200, 160), interpolation=cv2.INTER_LINEAR)
    assert np.abs(made.astype(int) - expected).max() <= 4  # warps round coordinates to 1/32


@settings(max_examples=40)
@given(st.floats(0.05, 0.5), st.floats(0, 180), st.booleans())
def test_thin_lines_do_not_vanish(scale: float, degrees: float, upright: bool) -> None:
    picture = np.zeros((800, 800), np.float32)
    picture[:, 100::50] = 1
    matrix = scaling(scale) @ rotation(0 if upright else degrees, about=(400, 400))
    side = round(800 * scale)
    made = resample(picture, matrix, (side, side))
    inner = made[side // 4 : -(side // 4), side // 4 : -(side // 4)]
    assert inner.mean() == pytest.approx(1 / 50, rel=0.25)


@settings(max_examples=30)
@given(views(), views())
def test_one_resampling_is_like_two(first: geometry.Matrix, second: geometry.Matrix) -> None:
    y, x = np.mgrid[0:200, 0:200] + 0.5
    waves = (0.5 + 0.25 * (np.sin(x / 30) + np.cos(y / 35))).astype(np.float32)
    twice = resample(resample(waves, first, (200, 200), fill=-9), second, (200, 200), fill=-9)
    once = resample(waves, second @ first, (200, 200), fill=-9)
    # Near the fill, and the frame that may have cut it away, two resamplings blend it in twice.
    inside = np.pad((twice >= 0) & (once >= 0), 1).astype(np.uint8)
    inside = cv2.erode(inside, np.ones((9, 9), np.uint8))[1:-1, 1:-1] > 0
    assert np.abs(twice - once)[inside].max(initial=0) < 0.05


@settings(max_examples=40)
@given(views())
def test_nearest_takes_the_value_under_each_centre(matrix: geometry.Matrix) -> None:
    numbers = np.arange(200 * 200, dtype=np.uint16).reshape(200, 200) + 1
    made = resample(numbers, matrix, (64, 64), nearest=True)
    for row, column in ((0, 0), (31, 40), (63, 2), (50, 63)):
        x, y = transform_points(geometry.inverse(matrix), (column + 0.5, row + 0.5))[0]
        if min(abs(x - round(x)), abs(y - round(y))) < 1e-5:
            continue
        inside = 0 <= x < 200 and 0 <= y < 200
        assert made[row, column] == (numbers[int(y), int(x)] if inside else 0)


def test_masks_and_instances_gain_no_new_values() -> None:
    numbers = noise(50, 60, np.uint16, ()) * 257
    matrix = rotation(20, about=(30, 25)) @ scaling(1.7)
    assert set(np.unique(resample(numbers, matrix, (90, 80), nearest=True))) <= {
        0,
        *np.unique(numbers),
    }
    assert resample(numbers > 1000, matrix, (90, 80)).dtype == np.bool_


def test_a_fill_is_seen_only_where_the_picture_is_not() -> None:
    white = np.full((40, 40, 3), 255, np.uint8)
    made = resample(white, rotation(45, about=(20, 20)), (40, 40), fill=(9, 8, 7))
    colours, counts = np.unique(made.reshape(-1, 3), axis=0, return_counts=True)
    assert colours.tolist() == [[9, 8, 7], [255, 255, 255]]
    octagon = 2 * (np.sqrt(2) - 1) * 40**2
    assert counts[1] == pytest.approx(octagon, rel=0.03)
    far = resample(white, rotation(30) @ translation(500, 0), (40, 40), fill=3)
    assert (far == 3).all()


def test_sides_beyond_what_opencv_warps() -> None:
    line = noise(4, 40_000, channels=())
    half_shift = resample(line, translation(0.5, 0), (40_000, 4))
    mean = (line[:, 1:].astype(float) + line[:, :-1]) / 2
    assert np.abs(half_shift[:, 1:] - mean).max() <= 4
    wide = resample(noise(2, 10, channels=()), scaling(4000, 1), (40_000, 2))
    assert np.array_equal(wide[:, 2000::4000], noise(2, 10, channels=()))
    assert resample(line, scaling(0.001, 1), (40, 4)).shape == (4, 40)


def test_extremes_have_a_picture() -> None:
    picture = noise(37, 53)
    for matrix in (
        scaling(1e-4),
        scaling(1e4),
        shear(3),
        shear(0, -2),
        scaling(0.01, 5),
        translation(1e9, 0),
        rotation(33) @ scaling(5, 0.1),
    ):
        assert resample(picture, matrix, (20, 10)).shape == (10, 20, 3)
    assert (
        resample(picture[:1, :1], scaling(7.3), (7, 7)).tolist()
        == [[picture[0, 0].tolist()] * 7] * 7
    )


def test_what_cannot_be_resampled_is_a_mistake_of_the_program() -> None:
    for picture in (
        np.zeros((2, 2, 4), np.uint8),
        np.zeros(4, np.uint8),
        np.zeros((2, 2), np.float64),
        np.zeros((0, 2), np.uint8),
    ):
        with pytest.raises(ValueError, match="resample"):
            resample(picture, identity(), (2, 2))
    with pytest.raises(ValueError, match="no matrix leads back"):
        resample(noise(3, 3), scaling(0), (2, 2))
