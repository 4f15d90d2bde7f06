"""Matrices and boxes: laws that hold for all of them."""

import subprocess
import sys

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from matrices import shear, vertical_flip

from viewfinder.pictures import geometry
from viewfinder.pictures.geometry import (
    box_areas,
    clip_boxes,
    cover,
    crop,
    horizontal_flip,
    identity,
    inverse,
    iou,
    letterbox,
    rotation,
    scaling,
    stretch,
    transform_boxes,
    transform_points,
    translation,
)

coordinates = st.floats(-1000, 1000, width=32)
sides = st.integers(1, 3000)
sizes = st.tuples(sides, sides)


@st.composite
def matrices(draw: st.DrawFn) -> geometry.Matrix:
    factors = st.floats(0.2, 5)
    return (
        translation(draw(coordinates), draw(coordinates))
        @ rotation(draw(st.floats(-360, 360)), about=(draw(coordinates), draw(coordinates)))
        @ scaling(draw(factors), draw(factors))
        @ shear(draw(st.floats(-0.5, 0.5)), draw(st.floats(-0.5, 0.5)))
    )


@st.composite
def box_arrays(draw: st.DrawFn) -> geometry.BoxArray:
    rows = draw(st.lists(st.tuples(coordinates, coordinates, coordinates, coordinates), max_size=5))
    boxes = np.array(rows, np.float32).reshape(-1, 4)
    return np.concatenate(
        [np.minimum(boxes[:, :2], boxes[:, 2:]), np.maximum(boxes[:, :2], boxes[:, 2:])], axis=1
    )


@given(matrices(), st.lists(st.tuples(coordinates, coordinates), max_size=5))
def test_the_inverse_returns(matrix: geometry.Matrix, points: list[tuple[float, float]]) -> None:
    there = transform_points(matrix, points)
    back = transform_points(inverse(matrix), there)
    np.testing.assert_allclose(back, np.reshape(points, (-1, 2)), atol=1e-6)


@given(matrices(), matrices(), st.tuples(coordinates, coordinates))
def test_the_product_is_one_after_the_other(
    first: geometry.Matrix, second: geometry.Matrix, point: tuple[float, float]
) -> None:
    one_by_one = transform_points(second, transform_points(first, point))
    np.testing.assert_allclose(transform_points(second @ first, point), one_by_one, atol=1e-6)


@given(matrices(), box_arrays(), st.floats(0, 1), st.floats(0, 1))
def test_what_was_in_a_box_stays_in_it(
    matrix: geometry.Matrix, boxes: geometry.BoxArray, x: float, y: float
) -> None:
    moved = transform_boxes(matrix, boxes)
    assert moved.shape == boxes.shape
    assert moved.dtype == np.float32
    inner = transform_points(matrix, boxes[:, :2] + (boxes[:, 2:] - boxes[:, :2]) * [x, y])
    assert (inner >= moved[:, :2] - 0.01).all()
    assert (inner <= moved[:, 2:] + 0.01).all()


def test_where_single_points_go() -> None:
    cases = [
        (identity(), (3, 4)),
        (translation(10, -1), (13, 3)),
        (scaling(2), (6, 8)),
        (scaling(2, 0.5), (6, 2)),
        (rotation(90), (4, -3)),  # counter-clockwise as seen: what was right is now up
        (rotation(180, about=(5, 5)), (7, 6)),
        (horizontal_flip(10), (7, 4)),
        (vertical_flip(10), (3, 6)),
        (crop(1, 2), (2, 2)),
        (shear(0.5), (5, 4)),
        (stretch((10, 10), (20, 5)), (6, 2)),
    ]
    for matrix, target in cases:
        assert transform_points(matrix, (3, 4)).tolist() == [list(target)]


@given(sizes, sizes)
def test_letterbox_shows_the_whole_source_in_the_middle(
    source: geometry.Size, target: geometry.Size
) -> None:
    matrix = letterbox(source, target)
    x1, y1, x2, y2 = transform_boxes(matrix, np.array([[0, 0, *source]], np.float32))[0]
    for low, high, side in ((x1, x2, target[0]), (y1, y2, target[1])):
        assert low >= 0
        assert high <= side
        assert abs(low - (side - high)) <= 1.001
    assert (x2 - x1 == pytest.approx(target[0])) or (y2 - y1 == pytest.approx(target[1]))
    # The aspect is kept to the half pixel of rounding, or to the one pixel that must remain.
    scale = min(target[0] / source[0], target[1] / source[1])
    assert abs((x2 - x1) - source[0] * scale) <= max(0.5, 1 - source[0] * scale) + 1e-3
    assert abs((y2 - y1) - source[1] * scale) <= max(0.5, 1 - source[1] * scale) + 1e-3


@given(sizes, st.tuples(st.integers(32, 2000), st.integers(32, 2000)), box_arrays())
def test_boxes_return_from_a_letterbox(
    source: geometry.Size, target: geometry.Size, boxes: geometry.BoxArray
) -> None:
    matrix = letterbox(source, target)
    back = transform_boxes(inverse(matrix), transform_boxes(matrix, boxes))
    reach = 1e-6 * (
        np.abs(boxes).max(initial=1) + max(source) + max(target) / min(matrix[0, 0], matrix[1, 1])
    )
    np.testing.assert_allclose(back, boxes, atol=max(1e-3, reach))


@given(sizes, sizes)
def test_cover_leaves_nothing_of_the_target_empty(
    source: geometry.Size, target: geometry.Size
) -> None:
    needed = transform_boxes(
        inverse(cover(source, target)), np.array([[0, 0, *target]], np.float32)
    )[0]
    assert (needed[:2] >= -0.01).all()
    assert (needed[2:] <= np.array(source) + 0.01).all()
    margins = needed[:2] - (np.array(source) - needed[2:])
    assert np.abs(margins).max() <= 1.01
    touches = needed[2:] - needed[:2] >= np.array(source) - 0.51
    assert touches.any()


@given(box_arrays(), box_arrays())
def test_iou_is_symmetric_and_within_0_and_1(a: geometry.BoxArray, b: geometry.BoxArray) -> None:
    overlap = iou(a, b)
    assert overlap.shape == (len(a), len(b))
    assert (overlap >= 0).all()
    assert (overlap <= 1).all()
    assert np.array_equal(overlap, iou(b, a).T)
    own = np.diagonal(iou(a, a))
    assert np.array_equal(own, np.where(box_areas(a) > 0, 1.0, 0.0))


def test_iou_of_known_boxes() -> None:
    a = np.array([[0, 0, 10, 10], [5, 5, 5, 9]], np.float32)
    b = np.array([[0, 0, 10, 10], [5, 0, 15, 10], [10, 0, 20, 10], [2, 2, 4, 7]], np.float32)
    assert iou(a, b).tolist() == [[1, 1 / 3, 0, 0.1], [0, 0, 0, 0]]
    assert box_areas(b).tolist() == [100, 100, 100, 10]


def test_iou_is_torchvisions() -> None:
    torch = pytest.importorskip("torch")
    box_iou = pytest.importorskip("torchvision.ops").box_iou
    points = np.random.default_rng(0).uniform(0, 100, (2, 40, 2, 2)).astype(np.float32)
    a, b = np.sort(points, axis=2).reshape(2, 40, 4)
    expected = box_iou(torch.from_numpy(a), torch.from_numpy(b)).numpy()
    np.testing.assert_allclose(iou(a, b), expected, atol=1e-6)


@given(box_arrays(), sizes)
def test_clipped_boxes_lie_within(boxes: geometry.BoxArray, size: geometry.Size) -> None:
    clipped = clip_boxes(boxes, size)
    assert clipped.dtype == np.float32
    assert (clipped >= 0).all()
    assert (clipped <= [*size, *size]).all()
    assert (box_areas(clipped) <= box_areas(boxes)).all()
    assert np.array_equal(clip_boxes(clipped, size), clipped)


def test_what_flattens_the_plane_has_no_inverse() -> None:
    for matrix in (scaling(0), scaling(1, 0), shear(1, 1), scaling(np.inf)):
        with pytest.raises(ValueError, match="no matrix leads back"):
            inverse(matrix)


def test_geometry_loads_neither_pillow_nor_pyav_nor_torch() -> None:
    program = """
import sys
import viewfinder.pictures.geometry
print({"PIL", "av", "torch"} & set(sys.modules))
"""
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "set()"
