"""What stands on the stand: box and mask from the picture of the empty stand."""

import cv2
import numpy as np
import pytest

from viewfinder.errors import InputError
from viewfinder.labelling.plate import find_on_stand
from viewfinder.labelling.registration import register
from viewfinder.pictures.geometry import iou, rotation, translation
from viewfinder.pictures.resampling import resample


def test_boxes_and_masks_are_nearly_the_true_ones(turntables):
    overlaps, masks = [], []
    for table in turntables:
        for frame, box, mask in zip(table.frames, table.boxes, table.masks, strict=True):
            found = find_on_stand(frame, table.empty)
            (found,) = found
            overlaps.append(iou(found.box[None], box[None])[0, 0])
            masks.append((found.mask & mask).sum() / (found.mask | mask).sum())
            rows, columns = np.nonzero(found.mask)
            assert found.box.tolist() == [
                columns.min(),
                rows.min(),
                columns.max() + 1,
                rows.max() + 1,
            ]
            assert 0 < found.score <= 1
    assert np.mean(overlaps) > 0.9
    assert np.min(overlaps) > 0.7
    assert np.mean(masks) > 0.85


def test_the_same_pictures_give_the_same_answer(turntables):
    table = turntables[0]
    (first,), (again,) = (find_on_stand(table.frames[0], table.empty) for _ in range(2))
    assert (first.mask == again.mask).all()
    assert first.score == again.score


@pytest.mark.parametrize("seed", range(4))
def test_an_empty_stand_holds_nothing(turntables, seed):
    """The stand itself, seen again: moved, lit otherwise, and noisy."""
    random = np.random.default_rng(seed)
    empty = turntables[seed % 3].empty
    moved = resample(empty, translation(*random.uniform(-3, 3, 2)), (160, 160), fill=empty.mean())
    again = moved * random.uniform(0.9, 1.1) + random.normal(0, 4, empty.shape)
    assert (
        find_on_stand(
            np.clip(again[8:-8, 8:-8], 0, 255).astype(np.uint8),
            np.ascontiguousarray(empty[8:-8, 8:-8]),
        )
        == []
    )


def test_a_large_frame_is_measured_in_its_own_pixels(turntables):
    table = turntables[2]
    big = [np.kron(p, np.ones((6, 6, 1), np.uint8)) for p in (table.frames[0], table.empty)]
    (found,) = find_on_stand(*big)
    assert found.mask.shape == (960, 960)
    assert iou(found.box[None], 6 * table.boxes[:1])[0, 0] > 0.85


def test_a_stand_seen_from_the_side_and_turned_is_found_again(turntables):
    table = turntables[0]
    there = rotation(1.5, about=(80, 80)) @ translation(9, -5)
    empty = resample(table.empty, there, (160, 160), fill=128)
    (found,) = find_on_stand(table.frames[0], empty)
    assert iou(found.box[None], table.boxes[:1])[0, 0] > 0.85


def test_registration_finds_motion_and_light(turntables):
    first = turntables[1].empty.astype(np.float32)
    true = translation(3.3, -1.8) @ rotation(0.6, about=(80, 80))
    light, offset = np.array([1.06, 0.97, 1.02], np.float32), np.float32(3)
    second = resample(first, true, (160, 160), fill=100) * light * np.float32(0.9) + offset
    laid = register(first, second)
    corners = [(0, 0), (160, 0), (0, 160), (160, 160)]
    for x, y in corners:
        there, found = true @ (x, y, 1), laid.matrix @ (x, y, 1)
        assert np.hypot(*(there - found)[:2]) < 0.25
    assert laid.gain == pytest.approx(light * 0.9, rel=0.02)
    inner = np.s_[20:-20, 20:-20]
    assert np.abs(laid.picture - second)[inner].mean() < 2


def test_other_scenes_and_sizes_are_refused(turntables):
    table = turntables[0]
    with pytest.raises(InputError, match="one camera and one setting"):
        find_on_stand(table.frames[0], table.empty[:100])
    noise = np.random.default_rng(0).integers(0, 256, table.empty.shape).astype(np.uint8)
    with pytest.raises(InputError, match="another scene"):
        find_on_stand(noise, table.empty)


def test_two_things_that_touch_are_suspected_and_one_is_not(turntables):
    stand = np.full((240, 400, 3), 120, np.uint8)
    stand[::24] = 90
    both, bottle = stand.copy(), stand.copy()
    cv2.rectangle(both, (80, 60), (180, 200), (200, 40, 30), -1)
    cv2.circle(both, (232, 140), 56, (30, 60, 210), -1)
    cv2.rectangle(bottle, (140, 100), (240, 220), (20, 130, 40), -1)
    cv2.rectangle(bottle, (172, 20), (208, 120), (20, 130, 40), -1)
    assert [each.may_be_two for each in find_on_stand(both, stand)] == [True]
    assert [each.may_be_two for each in find_on_stand(bottle, stand)] == [False]
    table = turntables[0]
    seen = [each for frame in table.frames for each in find_on_stand(frame, table.empty)]
    assert not any(each.may_be_two for each in seen)


@pytest.mark.parametrize("shape", [(6, 1200, 3), (1200, 6, 3), (1, 1, 3)])
def test_pictures_that_are_too_narrow_are_refused(shape):
    picture = np.full(shape, 130, np.uint8)
    with pytest.raises(InputError, match=f"it is {shape[1]}×{shape[0]}, too narrow"):
        find_on_stand(picture, picture)
