"""How much of a training is done: the same number whoever asks, and never less than before."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from viewfinder.tasks.classify.recipe import ClassifyRecipe
from viewfinder.training.progress import TrainingProgress
from viewfinder.training.timing import begin_lap, lap_ends, progress_at

MINUTES = ClassifyRecipe(net="lenet", minutes=1.0)


def test_epochs_are_counted():
    done = progress_at(TrainingProgress(epoch=2), ClassifyRecipe(net="lenet", epochs=4), 10)
    assert [done(0), done(5), done(10), done(14)] == [0.5, 0.625, 0.75, 0.75]


@given(st.lists(st.floats(0.001, 30.0), min_size=1, max_size=40), st.integers(1, 12))
def test_by_the_clock_it_never_falls_and_ends_at_1(paces, length):
    """Steps of any speed, in epochs of any length."""
    now, seconds, told = TrainingProgress(), 0.0, []
    begin_lap(now, 1.0, 0.0)
    while not now.time_up:
        end = lap_ends(now, MINUTES, length)
        assert now.step < end <= length
        done = progress_at(now, MINUTES, length)
        for step in range(now.step, end):
            told.append(done(step))
            now.step, now.updates = step + 1, now.updates + 1
            seconds += paces[now.updates % len(paces)]
            # Whoever goes on from here is told the same.
            if step + 1 < end:
                again = progress_at(replace(now), MINUTES, length)
                assert again(step + 1) == pytest.approx(done(step + 1), abs=1e-12)
        if now.step == length:
            now.step = 0
        begin_lap(now, 1.0, seconds)
    assert told == sorted(told)
    assert 0 <= told[0] <= told[-1] <= 1
    # No lap is longer than all before it together, nor than a thirty-second of the time.
    assert seconds <= 60 + max(paces) * (1 + 60 / 32 / (seconds / now.updates))


def test_the_time_is_kept_where_an_epoch_would_take_far_longer():
    now = TrainingProgress()
    begin_lap(now, 1.0, 0.0)
    while not now.time_up:
        now.step = now.updates = lap_ends(now, MINUTES, 10_000)
        begin_lap(now, 1.0, 0.2 * now.updates)
    assert now.updates == 300


def test_what_is_read_back_is_what_was_written_or_refused():
    now = TrainingProgress(epoch=3, sums={"loss": 1.0}, lap_done=0.5)
    document = now.as_json(seconds=4.0)
    assert TrainingProgress.from_json(document) == replace(now, seconds=4.0)
    for wrong in ({"epoch": "3"}, {"epoch": -5}, {"sums": {"loss": "x"}}, {"other": 1}):
        with pytest.raises(ValueError, match="progress"):
            TrainingProgress.from_json(document | wrong)
