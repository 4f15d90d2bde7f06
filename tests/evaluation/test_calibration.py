"""How far scores can be believed: known answers, and what evaluate tells."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from viewfinder import open_run
from viewfinder.cli.main import main
from viewfinder.evaluation import plots
from viewfinder.evaluation.calibration import calibrate
from viewfinder.evaluation.claimed import Claims


def claims(scores, right):
    return Claims(np.array(scores, float), np.array(right, bool), "answers")


def test_the_error_is_the_mean_distance_from_the_share_that_is_right():
    # 0.95 and all right: 0.05 off. 0.65 and half right: 0.15 off.
    found = calibrate(claims([0.95] * 60 + [0.65] * 40, [1] * 60 + [1, 0] * 20))
    assert found.ece == pytest.approx(0.6 * 0.05 + 0.4 * 0.15)
    assert [(b.low, b.count) for b in found.bins] == [(0.6, 40), (0.9, 60)]
    assert found.right == pytest.approx(0.8)


def test_a_score_of_1_is_in_the_last_bin():
    (last,) = calibrate(claims([1.0] * 5, [1] * 5)).bins
    assert (last.high, last.right) == (1.0, 1.0)


def test_scores_that_say_what_is_right_differ_by_chance_alone():
    random = np.random.default_rng(1)
    scores = random.random(500)
    honest = calibrate(claims(scores, random.random(500) < scores))
    assert honest.ece < 2 * honest.by_chance
    boastful = calibrate(claims(0.5 + scores / 2, random.random(500) < scores))
    assert boastful.ece > 5 * boastful.by_chance
    assert boastful.score > boastful.right


@given(st.lists(st.tuples(st.floats(0, 1), st.booleans()), min_size=1, max_size=60))
def test_bins_hold_every_answer_and_the_error_is_a_share(pairs):
    found = calibrate(claims(*zip(*pairs, strict=True)))
    assert sum(each.count for each in found.bins) == len(pairs)
    assert 0 <= found.ece <= 1
    assert abs(found.score - found.right) <= found.ece + 1e-9


def test_evaluate_tells_it_where_there_are_enough(capsys, small_run, make_set):
    run, data = open_run(small_run), make_set(test=12)
    assert run.evaluate(data, split="val")["calibration"] is None
    judged = run.evaluate(data)
    assert judged["calibration"]["count"] == judged["images"] >= 30
    assert judged["calibration"]["of"] == "answers"
    assert main(["evaluate", str(small_run), str(data)]) == 0
    assert "expected calibration error" in capsys.readouterr().out


def test_its_figure_says_what_it_shows():
    drawn = plots.reliability(calibrate(claims([0.9] * 30 + [0.4] * 30, [1] * 45 + [0] * 15)))
    assert "40%: 50% of 30; 90%: 100% of 30" in drawn
