"""The shapes keep what sphere tracing relies on, and their hulls wrap them."""

from random import Random

import numpy as np
import pytest

from viewfinder.tabletop import props, shapes, solids

BUILDERS = [*shapes.BUILDERS, *props.BUILDERS]


def scattered(count: int, seed: int) -> np.ndarray:
    return np.random.default_rng(seed).uniform(-1.6, 1.6, (3, count)).astype(np.float32)


@pytest.mark.parametrize("build", BUILDERS, ids=lambda b: b.__name__)
@pytest.mark.parametrize("seed", range(3))
def test_a_distance_never_grows_faster_than_the_way_walked(build, seed):
    shape = build(Random(seed))
    points = scattered(4000, seed)
    step = np.random.default_rng(seed + 1).normal(0, 1, points.shape).astype(np.float32)
    step *= 0.02 / np.linalg.norm(step, axis=0)
    change = np.abs(shape.distance(*points) - shape.distance(*(points + step)))
    # Sharp mirror planes (a switch's two rockers) may jump where distances meet.
    assert np.quantile(change, 0.999) <= 0.02 * 1.02
    assert change.max() <= 0.02 * 1.35


@pytest.mark.parametrize("build", BUILDERS, ids=lambda b: b.__name__)
@pytest.mark.parametrize("seed", range(3))
def test_the_hull_wraps_the_shape(build, seed):
    shape = build(Random(seed))
    low, high = shape.hull.min(axis=0) - 0.1, shape.hull.max(axis=0) + 0.1
    points = np.random.default_rng(seed).uniform(low, high, (30000, 3)).astype(np.float32).T
    inside = points[:, shape.distance(*points) < -0.01]
    assert inside.shape[1] > 200
    # Inside the convex hull: no direction in which a point lies beyond all hull points.
    directions = np.random.default_rng(seed).normal(0, 1, (60, 3))
    directions /= np.linalg.norm(directions, axis=1, keepdims=True)
    beyond = (directions @ inside).max(axis=1) - (directions @ shape.hull.T).max(axis=1)
    assert beyond.max() < 0.02


@pytest.mark.parametrize("build", BUILDERS, ids=lambda b: b.__name__)
def test_every_way_to_lie_is_a_turn(build):
    for turn, weight in build(Random(0)).rests:
        assert np.allclose(turn @ turn.T, np.eye(3), atol=1e-5)
        assert np.linalg.det(turn) == pytest.approx(1, abs=1e-5)
        assert weight > 0


def test_simple_solids_have_the_distances_of_geometry():
    x, y, z = np.array([[2, 0, 0], [0, 0, 0], [1.5, 1.5, 0]], np.float32).T
    assert solids.ball(x, y, z, 1.0) == pytest.approx([1, -1, np.hypot(1.5, 1.5) - 1], abs=1e-6)
    assert solids.box(x, y, z, (1, 1, 1), 0.0) == pytest.approx([1, -1, np.hypot(0.5, 0.5)])
    assert solids.torus(np.float32(3), np.float32(0), 2.0, 0.25) == pytest.approx(0.75)
    # The hull of two balls: beyond each end it is that ball.
    on_axis = np.array([2.0, -3.0], np.float32)
    assert solids.drop(0 * on_axis, on_axis, 1.0, 0.5, 2.0) == pytest.approx([1.0, 0.5])
