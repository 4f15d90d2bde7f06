"""What is not known is said to be unknown, and sets of classes cover what they promise."""

import math
import shutil

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from viewfinder import open_run
from viewfinder.cli.main import main
from viewfinder.errors import InputError
from viewfinder.inference.answers import Answer
from viewfinder.inference.caution import Caution
from viewfinder.tasks.calibration import write_calibration
from viewfinder.tasks.classify.coverage import TRUE_SHARES, TrueShares, members
from viewfinder.tasks.detect.detections import Detections
from viewfinder.tasks.unknown import unknown_in


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 1000), st.integers(20, 60), st.sampled_from([0.6, 0.8, 0.9]))
def test_sets_cover_exchangeable_draws(seed, count, coverage):
    random = np.random.default_rng(seed)
    trials, covered = 400, 0
    for _ in range(trials):
        rows = random.dirichlet((0.5,) * 3, count + 1).astype(np.float32)
        labels = [random.choice(3, p=row / row.sum()) for row in rows.astype(float)]
        own = rows[np.arange(count), labels[:-1]].astype(float)
        least = TrueShares(tuple(sorted(own))).least_share(coverage)
        covered += labels[-1] in members(rows[-1], least)
    assert covered / trials >= coverage - 4 * math.sqrt(coverage * (1 - coverage) / trials)


def test_too_few_held_out_pictures_are_told():
    assert TrueShares((0.1,) * 9).least_share(0.9) == 0.1
    with pytest.raises(InputError, match="needs 99 held-out pictures or more, and this run has 50"):
        TrueShares((0.1,) * 50).least_share(0.99)


def test_a_classifier_says_what_it_does_not_know(small_run, make_set, tmp_path, capsys):
    data, folder = make_set(test=2), tmp_path / "run"
    shutil.copytree(small_run, folder)
    write_calibration(folder, {"map": None, TRUE_SHARES: [0.0] + [0.9] * 19})
    run = open_run(folder)
    for each in run.predict(data / "test", refuse_below=1.0, coverage=0.95):
        assert each["label"] == "unknown"
        assert set(each["set"]) == set(run.classes)  # the least of twenty is 0
    for each in run.predict(data / "test", coverage=0.5):
        assert each["label"] == max(each["scores"], key=each["scores"].get) == each["set"][0]
    assert main(["predict", str(folder), str(data / "test"), "--refuse-below", "1"]) == 0
    assert ": unknown  (" in capsys.readouterr().out
    assert main(["predict", str(folder), str(data / "test"), "--coverage", "0.95"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == 2 * len(run.classes), "of each class two pictures"
    assert all(": one of: " in line and ", " in line for line in lines)
    assert main(["predict", str(folder), str(data / "test"), "--coverage", "0.05"]) == 0
    assert all(": only: " in line for line in capsys.readouterr().out.splitlines())
    with pytest.raises(InputError, match="between 0 and 1"):
        run.predict(data / "test", coverage=1.0)


def test_boxes_that_are_not_sure_enough_are_of_no_class():
    class Model:
        class config:
            task, classes = "detect", ("cup", "unknown")

    found = Detections(np.zeros((2, 4)), np.array([0.8, 0.4]), np.array([0, 0]))
    caution = Caution(refuse_below=0.5)
    (answer,) = caution.of([Answer("a.png", (8, 8), found)], Model)
    classes = caution.classes(Model)
    named = [box["class"] for box in answer.as_json(classes)["boxes"]]
    assert named == ["cup", "unknown to the model"]
    assert unknown_in(("cup",)) == "unknown"
