"""A click or a scribble on an object becomes its outline."""

import cv2
import numpy as np
import pytest

from viewfinder.errors import InputError
from viewfinder.labelling.outlining import Outlined, Stroke, outline, runs_of
from viewfinder.pictures.masks import box_around, decode, encode


def a_picture(size=(320, 240), shape=((150, 110), (60, 40)), *, seed=0):
    """An ellipse on a table of noise, and which pixels it has."""
    random = np.random.default_rng(seed)
    truth = np.zeros(size[::-1], np.uint8)
    cv2.ellipse(truth, shape[0], shape[1], 20, 0, 360, 1, -1)
    picture = random.normal((150, 140, 120), 8, (*truth.shape, 3))
    picture[truth > 0] += (-70, 10, 40)
    return np.clip(picture, 0, 255).astype(np.uint8), truth > 0


def alike(a, b):
    return (a & b).sum() / (a | b).sum()


def test_a_click_finds_objects_of_any_size():
    for radius in (5, 12, 40, 90):
        picture, truth = a_picture(shape=((160, 120), (radius, max(4, radius * 3 // 4))))
        found = outline(picture, [Stroke(((160.0, 120.0),))])
        assert alike(found.mask, truth) > 0.8, radius
        assert found.box == box_around(found.mask)


def test_a_large_picture_is_answered_as_a_small_one():
    picture, truth = a_picture()
    large = picture.repeat(8, axis=0).repeat(8, axis=1)
    found = outline(large, [Stroke(((1200.0, 880.0),))])
    assert alike(found.mask, truth.repeat(8, axis=0).repeat(8, axis=1)) > 0.85


def test_more_clicks_add_and_take_away():
    picture, one = a_picture(shape=((90, 110), (40, 40)))
    other = np.zeros_like(one)
    other[80:140, 131:190] = True
    picture[other] = (210, 60, 60)
    both = outline(picture, [Stroke(((90.0, 110.0), (160.0, 110.0)))])
    assert alike(both.mask, one | other) > 0.8
    parted = outline(picture, [Stroke(((90.0, 110.0),)), Stroke(((160.0, 110.0),), adds=False)])
    assert alike(parted.mask, one) > 0.8
    assert not parted.mask[110, 160]


def test_what_was_clicked_is_in_it_and_what_was_not_is_out():
    random = np.random.default_rng(1)
    for _ in range(12):
        size = random.integers(1, 60, 2)
        picture = random.integers(0, 255, (*size, 3)).astype(np.uint8)
        y, x = (random.random(2) * size).tolist()
        p, q = (random.random(2) * size).tolist()
        strokes = [Stroke(((x, y),)), Stroke(((q, p),), adds=False)]
        found = outline(picture, strokes)
        assert found.mask[int(y), int(x)]
        assert int(p) == int(y) or int(q) == int(x) or found.mask.shape == tuple(size)
    flat = np.full((40, 50, 3), 90, np.uint8)
    assert outline(flat, [Stroke(((0.0, 0.0),))]).mask[0, 0]
    with pytest.raises(InputError, match="within the picture"):
        outline(flat, [Stroke(((80.0, 10.0),))])
    with pytest.raises(InputError, match="within the picture"):
        outline(flat, [Stroke(((8.0, 10.0),), adds=False)])


def test_it_is_the_same_each_time():
    picture, _ = a_picture()
    first, again = (outline(picture, [Stroke(((150.0, 110.0),))]) for _ in range(2))
    assert (first.mask == again.mask).all()


@pytest.mark.parametrize("place", [(0, 0), (3, 2), (11, 7), (0, 7), (11, 0)])
def test_run_lengths_of_a_part_are_those_of_the_whole(place):
    mask = np.zeros((10, 14), np.bool_)
    mask[place[1] : place[1] + 3, place[0] : place[0] + 3] = [[1, 0, 1], [0, 1, 1], [1, 1, 0]]
    runs, box = runs_of(Outlined(mask, box_around(mask)), (14, 10))
    assert runs == encode(mask)
    assert box == box_around(mask)
    runs, box = runs_of(Outlined(mask, box_around(mask)), (42, 30))
    larger = decode(runs, (42, 30))
    assert box == box_around(larger)
    assert alike(larger, mask.repeat(3, axis=0).repeat(3, axis=1)) > 0.75
