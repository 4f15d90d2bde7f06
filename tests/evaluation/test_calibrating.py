"""Scores are fitted where that helps, keep their order, and are what predict and exports give."""

import json
import shutil
from functools import partial

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from viewfinder import open_run
from viewfinder.errors import InputError
from viewfinder.evaluation import calibrating
from viewfinder.evaluation.calibrating import fit
from viewfinder.evaluation.calibration import calibrate
from viewfinder.evaluation.classify.calibrating import ClassEvidence
from viewfinder.evaluation.detect.calibrating import BoxEvidence, _fitted, _logistic
from viewfinder.tasks.calibration import FILE, write_calibration
from viewfinder.tasks.classify.temperature import Temperature, read_temperature
from viewfinder.tasks.detect.answers.platt import Platt, read_platt
from viewfinder.tasks.detect.detections import Detections
from viewfinder.tasks.supported import supported

shares = st.lists(st.floats(1e-4, 1), min_size=2, max_size=6).map(
    lambda numbers: (np.array(numbers) / sum(numbers)).astype(np.float32)
)


@given(shares, st.floats(0.05, 20), st.floats(0.6, 1))
def test_a_temperature_keeps_the_order_of_classes(row, value, most):
    found = Temperature(value, most).of_array(row[None])[0]
    assert found.max() <= most + 1e-6
    assert found.sum() == pytest.approx(1, abs=1e-5)
    assert (np.diff(found[np.argsort(row, kind="stable")]) >= -1e-7).all()


@given(
    st.lists(st.tuples(st.floats(2**-10, 1, width=32), st.integers(0, 1)), max_size=30),
    st.tuples(st.floats(0.05, 20), st.floats(0.05, 20)),
    st.tuples(st.floats(-20, 20), st.floats(-20, 20)),
    st.tuples(st.floats(0.6, 1), st.floats(0.6, 1)),
)
def test_a_map_of_boxes_keeps_the_order_within_a_class(rows, slopes, offsets, most):
    rows.sort(reverse=True)
    scores = np.array([score for score, _ in rows], np.float32)
    labels = np.array([label for _, label in rows], np.int64)
    boxes = np.arange(4 * len(rows), dtype=np.float32).reshape(-1, 4)
    found = Platt(slopes, offsets, most).on(Detections(boxes, scores, labels))
    assert (np.diff(found.scores) <= 0).all()
    assert (found.scores <= np.array(most, np.float32)[found.labels] + 1e-6).all()
    for label in (0, 1):
        # A class's boxes come in the order that they came in.
        assert (found.boxes[found.labels == label] == boxes[labels == label]).all()


def test_a_map_can_be_undone():
    platt = Platt((2.0, 0.5), (-1.0, 0.3), (0.62, 0.9))
    own = Detections(np.zeros((2, 4)), np.array([0.7, 0.2]), np.array([0, 1]))
    found = platt.on(own)
    back = platt.own(found.scores[np.argsort(found.labels)].tolist())
    assert back == pytest.approx((0.7, 0.2))
    assert platt.own((0.8, 0.95)) == (1, 1)


def test_no_score_promises_more_than_held_out_answers_speak_for():
    random = np.random.default_rng(0)
    scores = random.random(1000)
    assert supported(scores, np.ones(1000, bool)) == 1001 / 1002
    assert supported(scores, scores > 0.9) == pytest.approx(
        ((scores > 0.9).sum() + 1) / ((scores > 0.9).sum() + 2)
    )
    assert supported(scores, np.zeros(1000, bool)) == 0.6
    # Nine in ten are right, however sure they are.
    odds = random.normal(3, 3, 2000)
    found = BoxEvidence(
        1 / (1 + np.exp(-odds)),
        np.zeros(2000, np.int64),
        random.random(2000) < np.where(odds > 0, 0.9, 0.1),
        random.integers(0, 60, 2000),
        1,
    ).fit()
    assert found.most[0] == pytest.approx(0.9, abs=0.07)
    sure = found.on(Detections(np.zeros((2, 4)), np.array([1 - 1e-6, 0.5]), np.zeros(2, int)))
    assert sure.scores[0] == pytest.approx(found.most[0], abs=1e-3)


def test_maps_of_earlier_versions_have_no_limit():
    assert read_temperature({"temperature": 2.0}) == Temperature(2.0, 1.0)
    assert read_platt({"slopes": [2.0], "offsets": [1.0]}, 1) == Platt((2.0,), (1.0,), (1.0,))
    for most in ([0.5], [True], ["1"], [1.5], [0.9, 0.9]):
        with pytest.raises(ValueError, match=r"no (limit|map) of scores"):
            read_platt({"slopes": [2.0], "offsets": [1.0], "most": most}, 1)


def boastful(count, factor, seed=0):
    """Classes drawn as a net's softer logits say, told by logits so many times as large."""
    random = np.random.default_rng(seed)
    logits = torch.from_numpy(random.normal(size=(count, 4)))
    honest = logits.softmax(dim=1).numpy()
    labels = np.array([random.choice(4, p=row / row.sum()) for row in honest])
    told = (factor * logits).softmax(dim=1).numpy().astype(np.float32)
    return ClassEvidence(told, labels)


def test_a_temperature_is_found_again_and_helps_others():
    found = fit(boastful(1500, 2.5), "these")
    assert found.map.value == pytest.approx(2.5, rel=0.15)
    assert found.after.ece < found.before.ece / 2
    others = boastful(1500, 2.5, seed=1)
    assert others.mapped(found.map).surprises().mean() < others.surprises().mean() - 0.1


def test_honest_scores_and_few_are_left_alone():
    honest = fit(boastful(1500, 1.0), "these")
    assert honest.map is None
    assert "better by more than chance" in honest.says
    few = fit(boastful(60, 2.5), "these")
    assert few.map is None
    assert "60 held-out pictures are too few to fit a temperature, 100 would do" in few.says


def test_test_pictures_judge_a_map_but_do_not_fit_it():
    """Validation pictures that are easier than the others ask for scores that are too sure."""
    easy, others = boastful(300, 0.5), boastful(1000, 1.0, seed=1)
    assert fit(easy, "these").map is not None
    found = fit(easy, "these", others)
    assert found.map is None
    assert "more than chance where 1,000 test pictures judge too" in found.says
    alike = fit(easy, "these", boastful(1000, 0.5, seed=1))
    assert alike.map == fit(easy, "these").map
    assert alike.after.count == 1000, "what was fitted on would flatter it"
    assert alike.says.endswith(f"{alike.after.ece:.3f} after, of 1,000 test pictures")
    few = fit(easy, "these", boastful(20, 0.5, seed=1))
    assert few.after.count == 320
    assert few.says.endswith("of these and the test pictures")


def test_so_few_pictures_need_a_gain_that_halves_of_them_agree_on():
    kept = [fit(boastful(150, 1.0, seed), "these").map is not None for seed in range(20)]
    assert sum(kept) <= 4  # chance alone goes beyond one standard error of 1 in 6
    kept = [fit(boastful(150, 3.0, seed), "these").map is not None for seed in range(5)]
    assert all(kept)


def test_scores_that_would_be_further_from_the_truth_are_left_alone(monkeypatch):
    """Though they surprise less, as where a few answers were sure and wrong."""
    honest = boastful(1500, 1.0)
    softer = honest.mapped(Temperature(3.0))
    monkeypatch.setattr(calibrating, "cross_fitted", lambda evidence: softer)
    monkeypatch.setattr(calibrating, "gains_by_halves", lambda evidence: np.arange(1.0, 9.0))
    found = fit(honest, "these")
    assert found.map is None
    assert (
        "left as the network gives them: calibrated on these, they would be further" in found.says
    )


def boxes(count, seed=0):
    """Boxes of two classes, of which the first promises too much and the second too little."""
    random = np.random.default_rng(seed)
    labels, odds = random.integers(0, 2, count), random.normal(0, 1.5, count)
    right = random.random(count) < 1 / (1 + np.exp(-odds))
    scores = 1 / (1 + np.exp(-np.where(labels == 0, odds + 1, odds - 1)))
    return BoxEvidence(scores, labels, right, random.integers(0, 60, count), 2)


def test_each_class_of_boxes_has_its_own_map():
    found = fit(boxes(2000), "these")
    assert found.map.offsets[0] == pytest.approx(-1, abs=0.3)
    assert found.map.offsets[1] == pytest.approx(1, abs=0.3)
    assert found.after.ece < 0.04 < found.before.ece
    few = fit(boxes(80), "these")
    assert few.map is None
    assert "too few" in few.says


def bent(low, seed, below=-1.0):
    """Boxes that are right as often as half the odds of their score say, but for many of less odds
    than `below`, which are right with probability `low(odds)`."""
    random, count = np.random.default_rng(seed), 20_000
    unsure, sure = random.uniform(-2.9, below, count), random.uniform(below, 3, count)
    odds = np.where(random.random(count) < 0.8, unsure, sure)
    right = random.random(count) < np.where(odds > below, 1 / (1 + np.exp(-0.5 * odds)), low(odds))
    labels, groups = np.zeros(count, np.int64), np.arange(count) // 20
    return BoxEvidence(1 / (1 + np.exp(-odds)), labels, right, groups, 1)


def ece_of(map_of, found):
    slope, offset = map_of
    return calibrate(found.mapped(Platt((slope,), (offset,), (1.0,))).claims()).ece


def test_unsure_boxes_do_not_bend_the_map_of_those_that_are_shown():
    steeper = partial(bent, lambda odds: 1 / (1 + np.exp(-4 * odds - 3.5)))
    fitted, others = steeper(0), steeper(1)
    slope, offset, _ = _fitted(fitted.scores, fitted.right)
    once = _logistic(fitted.scores, fitted.right)
    assert ece_of((slope, offset), others) < 0.9 * ece_of(once, others)


def test_boxes_just_below_what_is_shown_do_not_bend_it_either():
    def drawn(seed):
        random, count = np.random.default_rng(seed), 20_000
        odds = np.where(
            random.random(count) < 0.8, random.uniform(-6, -3, count), random.uniform(-3, 3, count)
        )
        share = np.where(odds > -3, 1 / (1 + np.exp(-0.5 * odds)), 0.03)
        right = random.random(count) < share
        labels, groups = np.zeros(count, np.int64), np.arange(count) // 20
        return BoxEvidence(1 / (1 + np.exp(-odds)), labels, right, groups, 1)

    fitted, others = drawn(0), drawn(1)
    slope, offset, _ = _fitted(fitted.scores, fitted.right)
    once = _logistic(fitted.scores, fitted.right)
    assert ece_of((slope, offset), others) < 0.6 * ece_of(once, others)


def test_a_map_that_would_show_what_it_was_not_fitted_on_is_not_taken():
    never = bent(lambda odds: 0.004 + 0 * odds, 0, below=-1.5)
    assert _fitted(never.scores, never.right)[:2] == _logistic(never.scores, never.right)


def test_a_run_answers_by_its_map_unless_told_otherwise(small_run, make_set, tmp_path):
    data, folder = make_set(test=4), tmp_path / "run"
    shutil.copytree(small_run, folder)
    assert json.loads((folder / FILE).read_text())["map"] is None
    own = open_run(folder).predict(data / "test")
    write_calibration(folder, {"map": Temperature(3.0).as_json()})
    run = open_run(folder)
    soft = run.predict(data / "test")
    told = run.predict(data / "test", scores="own")
    for before, after, again in zip(own, soft, told, strict=True):
        assert before["label"] == after["label"]
        assert before["scores"] == again["scores"]
        flat = {name: score ** (1 / 3) for name, score in before["scores"].items()}
        expected = {name: score / sum(flat.values()) for name, score in flat.items()}
        assert after["scores"] == pytest.approx(expected, abs=1e-5)
    (folder / FILE).write_text(json.dumps({"map": "warm"}))
    with pytest.raises(InputError, match="is damaged"):
        open_run(folder)
