"""Anchors fitted to boxes: better than the defaults on a real set, and good for odd sets too."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from viewfinder.datasets.boxes import usable
from viewfinder.datasets.opening import read_boxes
from viewfinder.errors import InputError
from viewfinder.nets.yolo import Anchors
from viewfinder.nets.yolov3 import ANCHORS, TINY_ANCHORS
from viewfinder.pictures.geometry import iou
from viewfinder.tasks.detect.heads.yolo.anchors import (
    AnchorFit,
    fit_anchors,
    gain_in_words,
    measure_fit,
)


@pytest.mark.parametrize("default", [ANCHORS, TINY_ANCHORS])
def test_fitted_anchors_overlap_real_boxes_more(shared: Path, default: Anchors) -> None:
    dataset = read_boxes(shared / "data/bccd")
    boxes = dataset.boxes.keep(usable(dataset.boxes))
    sides = (boxes.corners[:, 2:] - boxes.corners[:, :2]) * 416 / 640
    before = measure_fit(sides, default)
    fitted = fit_anchors(sides, len(default))
    after = measure_fit(sides, fitted)
    assert after.overlap > before.overlap + 0.1
    assert after.within >= before.within
    assert fitted == fit_anchors(sides, len(default))
    again = measure_fit(sides, fit_anchors(sides, len(default), seed=1))
    assert again.overlap == pytest.approx(after.overlap, abs=0.01)


def test_clusters_are_found_where_there_are_some() -> None:
    random = np.random.default_rng(0)
    true = np.array([[8, 40], [20, 20], [100, 30], [90, 200]])
    sides = np.concatenate([centre * random.uniform(0.9, 1.1, (50, 2)) for centre in true])
    np.testing.assert_allclose(fit_anchors(sides, 4), true, rtol=0.03)


@settings(max_examples=50)
@given(
    boxes=st.lists(
        st.tuples(st.floats(0.01, 2000), st.floats(0.01, 2000)), min_size=1, max_size=40
    ),
    count=st.integers(1, 9),
    seed=st.integers(0, 99),
)
def test_always_so_many_anchors_from_small_to_large_among_the_boxes(
    boxes: list[tuple[float, float]], count: int, seed: int
) -> None:
    sides = np.array(boxes)
    anchors = np.array(fit_anchors(sides, count, seed=seed))
    assert anchors.shape == (count, 2)
    assert (np.diff(anchors.prod(1)) >= 0).all()
    slack = 1e-9 * sides.max()
    assert (anchors >= sides.min(0) - slack).all()
    assert (anchors <= sides.max(0) + slack).all()
    if len(set(boxes)) <= count:
        assert set(map(tuple, anchors.tolist())) == set(boxes)
        assert measure_fit(sides, anchors).overlap == pytest.approx(1)


@settings(max_examples=30)
@given(seed=st.integers(0, 2**32 - 1), factor=st.sampled_from([0.5, 2.0, 8.0]))
def test_anchors_grow_with_the_picture(seed: int, factor: float) -> None:
    sides = np.random.default_rng(seed).uniform(5, 300, (30, 2))
    fitted = np.array(fit_anchors(sides, 3))
    np.testing.assert_allclose(fit_anchors(sides * factor, 3), fitted * factor, rtol=1e-9)


def test_fit_is_that_of_the_definition() -> None:
    random = np.random.default_rng(0)
    sides = random.uniform(2, 300, (500, 2)).astype(np.float32)
    boxes = np.concatenate([-sides / 2, sides / 2], axis=1)
    anchors = np.array(ANCHORS, np.float32)
    overlaps = iou(boxes, np.concatenate([-anchors / 2, anchors / 2], axis=1))
    near = [
        any(max(w / a, a / w, h / b, b / h) <= 3 for a, b in ANCHORS) for w, h in sides.tolist()
    ]
    found = measure_fit(sides, ANCHORS)
    assert found.overlap == pytest.approx(overlaps.max(1).mean(), rel=1e-5)
    assert found.within == np.mean(near)
    assert 0.5 < found.within < 1


def test_a_million_boxes_are_measured_whole() -> None:
    few = np.array([[10.0, 13.0], [100.0, 13.0], [9.0, 130.0]])
    once, often = measure_fit(few, ANCHORS), measure_fit(np.tile(few, (70_000, 1)), ANCHORS)
    assert often.overlap == pytest.approx(once.overlap)
    assert often.within == once.within == pytest.approx(1 / 3)
    many = np.random.default_rng(0).uniform(5, 300, (100_000, 2))
    assert measure_fit(many, fit_anchors(many, 3)).overlap > 0.5


def test_the_gain_is_told_in_figures() -> None:
    told = gain_in_words(AnchorFit(0.512, 0.8761), AnchorFit(0.749, 1.0))
    assert "0.51 to 0.75" in told
    assert "within a factor 3 of an anchor go from 87.6% to 100.0%" in told


@pytest.mark.parametrize(
    ("sides", "message"),
    [
        (np.zeros((0, 2)), "no boxes to fit anchors to: mark some"),
        ([], "no boxes"),
        ([[3, 4], [5, 0]], r"box 1 is 5\.0×0\.0 pixels.*fix or drop"),
        ([[3, 4], [-1, 6]], r"box 1 is -1\.0×6\.0"),
        ([[np.nan, 4]], "box 0 is nan×4"),
        ([[np.inf, 4]], "box 0 is inf×4"),
        ([3.0, 4.0], r"shape \(2,\)"),
        ([[3.0, 4.0, 5.0]], r"shape \(1, 3\)"),
    ],
)
def test_sides_that_are_none_are_refused(sides: object, message: str) -> None:
    with pytest.raises(InputError, match=message):
        fit_anchors(sides, 3)
    with pytest.raises(InputError, match=message):
        measure_fit(sides, ANCHORS)


@pytest.mark.parametrize("count", [0, -1])
def test_at_least_one_anchor(count: int) -> None:
    with pytest.raises(InputError, match="1 or more"):
        fit_anchors(np.ones((3, 2)), count)
