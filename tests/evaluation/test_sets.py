"""Whether sets of classes hold the true one, counted on pictures that they were not made by."""

import shutil
from types import SimpleNamespace

import numpy as np
import pytest

from viewfinder import open_run
from viewfinder.cli.main import main
from viewfinder.evaluation.classify.sets import sets_held, told
from viewfinder.tasks.calibration import write_calibration
from viewfinder.tasks.classify.coverage import TRUE_SHARES, TrueShares


def judged(probabilities, labels):
    return SimpleNamespace(
        answers=np.array(probabilities, np.float32),
        examples=SimpleNamespace(labels=np.array(labels, np.int64)),
    )


def answers_of(sureness, count, right):
    """Answers to pictures of two classes, of which the first `right` are right."""
    rows = [[sureness, 1 - sureness]] * count
    return judged(rows, [0] * right + [1] * (count - right))


def test_sets_of_the_pictures_that_they_are_made_by_hold_what_is_asked():
    random = np.random.default_rng(0)
    answers = random.dirichlet([1, 1, 1], 999).astype(np.float32)
    labels = np.array([random.choice(3, p=row / row.sum()) for row in answers.astype(float)])
    own = np.sort(answers[np.arange(999), labels].astype(float))
    found = sets_held(TrueShares(tuple(own.tolist())), judged(answers, labels))
    assert found["held"] == pytest.approx(0.9, abs=0.002)
    assert found["low"] < 0.9 < found["high"]
    assert 1 <= found["classes"] <= 3
    assert "ask for more" not in told(found)


def test_harder_pictures_than_were_held_out_are_said():
    shares = TrueShares((0.8,) * 100)  # so that sets hold what is given 80 % or more
    found = sets_held(shares, answers_of(0.8, 50, right=35))
    assert (found["held"], found["classes"]) == (0.7, 1.0)
    assert "hold the true one of 70.0% of these pictures, with 1.00 classes each" in told(found)
    assert "harder" in told(found)


def test_of_few_pictures_nothing_is_said():
    assert sets_held(TrueShares((0.8,) * 100), answers_of(0.8, 29, right=20)) is None
    assert sets_held(TrueShares((0.8,) * 8), answers_of(0.8, 50, right=20)) is None


def test_evaluate_tells_it_of_pictures_that_made_no_sets(
    capsys, small_run, small_set, make_set, tmp_path
):
    run = shutil.copytree(small_run, tmp_path / "run")
    write_calibration(run, {"map": None, "says": "", "fitted_on": "", TRUE_SHARES: [0.2] * 50})
    data = make_set(test=12)
    found = open_run(run).evaluate(data)["coverage"]
    assert found["asked"] == 0.9
    assert 0 <= found["held"] <= 1 <= found["classes"]
    assert main(["evaluate", str(run), str(data)]) == 0
    assert f"hold the true one of {found['held']:.1%}" in capsys.readouterr().out
    # Its own validation pictures made the sets, which would flatter them.
    assert open_run(run).evaluate(small_set, split="val")["coverage"] is None
