"""What is followed through rendered clips with truth, as TrackEval scores it."""

import functools

import moving_clips as clips
import numpy as np
import pytest
import tracking_scores as scoring

from viewfinder.inference.tracking.following import TrackedDetections

SIZE = 96
MAKE = {
    "conveyor": lambda: clips.conveyor(seed=2, frames=36, size=SIZE),
    "turntable": lambda: clips.turntable(seed=2, frames=36, size=SIZE),
}


@functools.cache
def clip(name: str) -> list[clips.Frame]:
    return MAKE[name]()


@pytest.mark.parametrize("name", MAKE)
def test_perfect_detections_are_followed_nearly_without_a_mistake(name: str) -> None:
    truth = clip(name)
    assert len(np.unique(np.concatenate([frame.things for frame in truth]))) >= 4
    found = scoring.followed([scoring.perfect(frame) for frame in truth], SIZE)
    scores = scoring.score(truth, found)
    assert scores.mota >= 0.97
    assert scores.idf1 >= 0.97
    assert scores.hota >= 0.97


@pytest.mark.parametrize("name", MAKE)
def test_a_missing_fifth_and_trembling_edges_cost_little_more_than_what_is_missing(
    name: str,
) -> None:
    truth = clip(name)
    spoilt = scoring.spoilt(truth, seed=0, dropped=0.2, jitter=0.03)
    scores = scoring.score(truth, scoring.followed(spoilt, SIZE))
    assert scores.mota >= 0.7
    assert scores.idf1 >= 0.75


def test_numbers_of_two_things_that_change_places_are_counted_against_it() -> None:
    truth = clip("turntable")
    found = scoring.followed([scoring.perfect(frame) for frame in truth], SIZE)
    half = len(found) // 2
    swap = {1: 2, 2: 1}
    mixed = [
        each
        if number < half
        else TrackedDetections(
            each.boxes,
            each.scores,
            each.labels,
            np.array([swap.get(track, track) for track in each.tracks.tolist()], np.int64),
        )
        for number, each in enumerate(found)
    ]
    good, bad = scoring.score(truth, found), scoring.score(truth, mixed)
    assert bad.switches >= good.switches + 2
    assert bad.idf1 < good.idf1 - 0.1
    assert bad.hota < good.hota - 0.1


def test_equal_things_that_pass_each_other_keep_their_numbers() -> None:
    """Where boxes of two overlap and only one is found, neither turns round with the other."""
    scores = []
    for seed in range(12):
        film, found = scoring.passing(seed=seed)
        scores.append(scoring.score(film, scoring.followed(found, 400)))
    assert sum(each.switches for each in scores) <= 8
    assert np.mean([each.idf1 for each in scores]) >= 0.897
