"""The turntable: an object that turns, and a stand that stays."""

import cv2
import numpy as np
import pytest

from viewfinder.tabletop import TurntableOptions, render_turntable

OPTIONS = TurntableOptions(size=96, noise=1.0, drift=0.0)


@pytest.fixture(scope="module")
def table():
    return render_turntable(5, seed=2, frames=8, options=OPTIONS)


def test_its_parts_fit_together(table):
    assert table.label == 5
    assert table.frames.shape == (8, 96, 96, 3)
    assert table.empty.shape == (96, 96, 3)
    assert list(table.angles) == [0, 45, 90, 135, 180, 225, 270, 315]
    for mask, box in zip(table.masks, table.boxes, strict=True):
        rows, columns = np.nonzero(mask)
        assert list(box) == [columns.min(), rows.min(), columns.max() + 1, rows.max() + 1]


def test_only_the_object_and_its_shadow_differ_from_the_empty_stand(table):
    for frame, mask in zip(table.frames, table.masks, strict=True):
        change = np.abs(frame.astype(int) - table.empty.astype(int)).max(axis=2)
        # The shadow falls beside the object: within the object's own length of it.
        length = int(2 * np.sqrt(mask.sum()))
        near = cv2.dilate(mask.astype(np.uint8), np.ones((length, length), np.uint8)) > 0
        assert np.quantile(change[~near], 0.99) <= 8
        assert np.median(change[mask]) > 12


def test_the_object_turns(table):
    assert any((table.masks[0] != mask).sum() > 40 for mask in table.masks[1:])


def test_from_higher_up_what_stands_above_the_table_is_lower_in_the_picture():
    def row(degrees):
        options = TurntableOptions(size=48, elevation=(degrees, degrees))
        turn = render_turntable(0, seed=1, frames=1, options=options)
        return np.nonzero(turn.masks[0])[0].mean()

    assert row(15) + 1 < row(60)


def test_it_can_be_had_again():
    small = TurntableOptions(size=32)
    first, again, other = (render_turntable(1, seed=s, frames=2, options=small) for s in (4, 4, 5))
    assert (first.frames == again.frames).all()
    assert (first.frames != other.frames).any()


def test_drift_changes_the_exposure_and_shake_moves_the_picture():
    def frames(**knobs):
        options = TurntableOptions(size=48, **({"noise": 0.0, "drift": 0.0} | knobs))
        return render_turntable(0, seed=1, frames=4, options=options)

    still, drifting, shaking = frames(), frames(drift=0.2), frames(shake=3.0)
    corner = np.s_[:, -6:, -6:]
    assert np.ptp(still.frames[corner].mean(axis=(1, 2, 3))) < 2
    assert np.ptp(drifting.frames[corner].mean(axis=(1, 2, 3))) > 4
    assert np.ptp(still.boxes[:, 0]) < np.ptp(shaking.boxes[:, 0]) <= 2 * 3 + 3
