"""How long `evaluate` took, and when that is no measure of new pictures."""

import pytest

from viewfinder.cli.evaluate import _print_speed


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
