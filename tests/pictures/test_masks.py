"""Masks in all their forms, against pycocotools: run lengths, polygons, and the box around."""

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pycocotools import mask as coco_mask

from viewfinder.errors import InputError
from viewfinder.pictures.masks import box_around, coverage, decode, encode, extent_of, pixels_of


def dilated(mask, by):
    return cv2.dilate(mask.astype(np.uint8), np.ones((2 * by + 1,) * 2)).astype(bool)


@settings(max_examples=60)
@given(st.integers(0, 2**32), st.floats(0.02, 0.98))
def test_run_lengths_are_read_as_pycocotools_writes_them(seed, share):
    random = np.random.default_rng(seed)
    shape = tuple(random.integers(1, 60, 2).tolist())
    mask = random.random(shape) < share
    if seed % 2:
        mask = cv2.blur(mask.astype(np.float32), (5, 5)) > share
    packed = coco_mask.encode(np.asfortranarray(mask.astype(np.uint8)))
    size = (shape[1], shape[0])
    np.testing.assert_array_equal(decode(packed, size), mask)
    text = {"size": list(shape), "counts": packed["counts"].decode()}
    np.testing.assert_array_equal(decode(text, size), mask)
    np.testing.assert_array_equal(decode(encode(mask), size), mask)
    frozen = coco_mask.frPyObjects(encode(mask), *shape)
    assert frozen["counts"] == packed["counts"]


@pytest.mark.filterwarnings("ignore:__array__ implementation")
def test_polygons_are_filled_as_pycocotools_fills_them():
    random = np.random.default_rng(0)
    for _ in range(40):
        angles = np.sort(random.uniform(0, 2 * np.pi, 9))
        reach = random.uniform(30, 38, 9)
        points = np.stack([np.cos(angles) * reach + 70, np.sin(angles) * reach + 40], 1)
        polygon = points.ravel()
        theirs = coco_mask.decode(coco_mask.frPyObjects([polygon.tolist()], 90, 130))[..., 0] > 0
        ours = decode([polygon], (130, 90))
        # Pixels that the edge cuts may differ, and nothing within or without.
        assert (ours <= dilated(theirs, 1)).all()
        assert (theirs <= dilated(ours, 1)).all()
        # In all, the outline is true to a seventh of a pixel.
        drawn = points.astype(np.float32)
        assert abs(ours.sum() - cv2.contourArea(drawn)) < 0.143 * cv2.arcLength(drawn, True)
    square = decode([np.array([2.0, 3, 7, 3, 7, 9, 2, 9])], (10, 12))
    assert square.sum() == 30
    assert square[3:9, 2:7].all()


@pytest.mark.parametrize(
    "outline",
    [
        {"size": [5, 4], "counts": [20]},
        {"size": 7, "counts": [20]},
        {"size": [4, 5], "counts": [19]},
        {"size": [4, 5], "counts": [-1, 21]},
        {"size": [4, 5], "counts": [2**62, 2**62]},
        {"size": [4, 5], "counts": [2**70]},
        {"size": [4, 5], "counts": "a\ud800é"},
        {"size": [4, 5], "counts": "o" * 200},
        {"size": [4, 5], "counts": {"a": 1}},
        {"size": [4, 5], "counts": [[1], [2, 3]]},
        {"counts": None},
        [np.array([1.0, 2, 3, 4])],
        [np.array([1.0, 2, 3, 4, 5, 6, 7])],
        [np.array([1.0, 2, np.nan, 4, 5, 6])],
    ],
)
def test_damaged_outlines_are_refused(outline):
    with pytest.raises(InputError):
        decode(outline, (5, 4))


def test_a_polygon_far_outside_costs_nothing():
    assert not decode([np.array([1e12, 1e12, 2e12, 1e12, 2e12, 2e12])], (64, 48)).any()
    wide = decode([np.array([-1e9, -1e9, 1e9, -1e9, 1e9, 1e9, -1e9, 1e9])], (64, 48))
    assert wide.all()


@pytest.mark.parametrize("words", [False, True])
def test_extents_of_run_lengths_are_those_of_another_program(words):
    numbers = np.random.default_rng(3)
    for share in (0.0, 0.001, 0.02, 0.5, 1.0):
        for _ in range(20):
            height, width = numbers.integers(1, 40, 2)
            shown = (numbers.random((height, width)) < share).astype(np.uint8)
            packed = coco_mask.encode(np.asfortranarray(shown))
            counts = packed["counts"].decode()
            if not words:
                flat = shown.ravel(order="F")
                ends = np.flatnonzero(np.diff(flat)) + 1
                counts = [0] * int(flat[0]) + np.diff([0, *ends, len(flat)]).tolist()
            found = extent_of({"size": [height, width], "counts": counts})
            assert found == (coco_mask.toBbox(packed).tolist() if shown.any() else None)


@pytest.mark.parametrize(
    "counts", ["", "o", "\x00\x01", "0" * 5000, "oooooooooooooooooo", [5], [-1, 3]]
)
def test_damaged_run_lengths_are_none(counts):
    assert extent_of({"size": [4, 5], "counts": counts}) is None


def test_run_lengths_begin_with_what_is_false():
    mask = np.array([[True, False], [True, True]])
    assert encode(mask) == {"size": [2, 2], "counts": [0, 2, 1, 1]}
    assert encode(np.zeros((2, 3), bool)) == {"size": [2, 3], "counts": [6]}


@given(st.integers(0, 2**32), st.floats(0, 0.2), st.booleans())
def test_the_box_around_a_mask_is_the_least_that_holds_it(seed, share, turned):
    random = np.random.default_rng(seed)
    mask = random.random(random.integers(1, 30, 2)) < share
    mask = mask.T[::-1] if turned else mask
    x1, y1, x2, y2 = box_around(mask)
    assert all(type(edge) is int for edge in (x1, y1, x2, y2))
    assert mask[y1:y2, x1:x2].sum() == mask.sum()
    if mask.any():
        inside = mask[y1:y2, x1:x2]
        assert inside[[0, -1]].any(axis=1).all()
        assert inside[:, [0, -1]].any(axis=0).all()
        x, y, width, height = extent_of(encode(mask))
        assert (x1, y1, x2, y2) == (x, y, x + width, y + height)
    else:
        assert (x1, y1, x2, y2) == (0, 0, 0, 0)
        assert extent_of(encode(mask)) is None


def test_coverage_is_the_share_of_a_pixel_and_of_a_part_that_of_the_whole():
    square = [np.array([[2.5, 3.0], [7.25, 3.0], [7.25, 8.5], [2.5, 8.5]])]
    whole = coverage(square, (0, 0, 12, 10))
    assert whole[3:8, 3:7].min() == 255
    # To within one of the eight parts of a side.
    assert whole[4, 2] == pytest.approx(127.5, abs=33)
    assert whole[4, 7] == pytest.approx(63.75, abs=33)
    assert whole[8, 4] == pytest.approx(127.5, abs=33)
    assert whole[:3].max() == whole[9:].max() == whole[:, :2].max() == whole[:, 8:].max() == 0
    np.testing.assert_array_equal(coverage(square, (2, 1, 9, 6)), whole[1:6, 2:9])
    np.testing.assert_array_equal(coverage(square * 2, (0, 0, 12, 10)), whole)


def test_what_masks_show_is_counted_as_pycocotools_counts_it():
    mask = np.zeros((40, 50), np.bool_)
    mask[5:20, 10:30] = True
    mask[8:10, 12:14] = False
    packed = coco_mask.encode(np.asfortranarray(mask.astype(np.uint8)))
    assert pixels_of(encode(mask)) == coco_mask.area(packed) == 15 * 20 - 4
    square = np.array([10.0, 5, 30, 5, 30, 25, 10, 25])
    (theirs,) = coco_mask.area(coco_mask.frPyObjects([square.tolist()], 40, 50)).tolist()
    assert pixels_of([square]) == theirs == 400
    # Where two polygons lie over each other it is counted once.
    assert pixels_of([square, square + 5]) == 400 + 400 - 15 * 15


@pytest.mark.parametrize(
    "damaged",
    [
        {"size": [4, 4], "counts": "~"},
        {"size": [4, 4], "counts": [3, -1]},
        [],
        [np.array([1.0, 2])],
    ],
)
def test_what_damaged_masks_show_is_not_known(damaged):
    assert pixels_of(damaged) is None
