"""What `evaluate` says of its time and of its scores, and when these are no measure."""

import pytest

from viewfinder.cli.evaluate import _print_calibration, _print_speed


@pytest.mark.parametrize(
    ("seconds", "solved", "told"),
    [(1.2, True, True), (60.0, True, False), (1.2, False, False)],
    ids=["described before", "new", "a net that learnt in steps"],
)
def test_pictures_that_were_described_before_are_told(monkeypatch, capsys, seconds, solved, told):
    monkeypatch.setattr("os.cpu_count", lambda: 2)
    speed = {"milliseconds": 72.0, "pictures_per_s": 1000 / seconds}
    _print_speed({"images": 1000, "seconds": seconds, "speed": speed}, solved=solved)
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].startswith("1,000 pictures in")
    assert ["described before" in line for line in lines[1:]] == [True] * told


@pytest.mark.parametrize(
    ("ece", "fitted", "told"),
    [(0.094, True, True), (0.030, True, False), (0.094, False, False)],
    ids=["fitted elsewhere", "as right as chance lets them be", "the net's own"],
)
def test_scores_that_were_fitted_and_mislead_here_are_told(capsys, ece, fitted, told):
    found = {"of": "answers", "count": 1000, "score": 0.695, "right": 0.603, "bins": []}
    judged = {"calibration": found | {"ece": ece, "ece_by_chance": 0.028}}
    _print_calibration(judged, fitted=fitted)
    lines = capsys.readouterr().out.splitlines()
    assert f"expected calibration error {ece:.3f}" in lines[0]
    assert ["--scores own" in line for line in lines[1:]] == [True] * told
