"""A history is appended to, and read whatever stopped its writing."""

import pytest

from viewfinder.errors import InputError
from viewfinder.runs.history import append_row, keep_rows, read_rows

ROWS = [
    {"epoch": epoch, "seconds": 0.5 * epoch, "loss": 1 / epoch}
    | ({"val": 0.25} if epoch % 2 == 0 else {})
    for epoch in range(1, 6)
]


@pytest.fixture
def file(tmp_path):
    for row in ROWS:
        append_row(tmp_path / "history.csv", row)
    return tmp_path / "history.csv"


def test_what_is_appended_is_read_back(file):
    assert read_rows(file) == [pytest.approx(row) for row in ROWS]
    assert read_rows(file.parent / "none.csv") == []


def test_an_epoch_adds_a_line_and_rewrites_nothing(file):
    before, place = file.read_bytes(), file.stat().st_ino
    append_row(file, {"epoch": 6, "seconds": 3.0, "loss": 0.1})
    assert file.read_bytes() == before + b"6,3,0.1,\n"
    assert file.stat().st_ino == place


def test_whatever_is_torn_off_the_end_whole_rows_are_read_and_gone_on_with(file):
    whole = file.read_bytes()
    for length in range(whole.index(b"\n") + 1, len(whole)):
        file.write_bytes(whole[:length])
        rows = whole[:length].count(b"\n") - 1
        assert len(read_rows(file)) == rows
        assert len(keep_rows(file, 5)) == rows
        append_row(file, {"epoch": 9, "seconds": 9.0, "loss": 0.0})
        assert [row["epoch"] for row in read_rows(file)] == [*range(1, rows + 1), 9]


def test_rows_of_epochs_that_are_trained_again_go(file):
    assert [row["epoch"] for row in keep_rows(file, 3)] == [1, 2, 3]
    append_row(file, ROWS[3])
    assert read_rows(file) == [pytest.approx(row) for row in ROWS[:4]]
    keep_rows(file, 0)
    assert not file.exists()


@pytest.mark.parametrize(
    "line",
    [b"6,word,0.1,\n", b"6,3,0.1,,7\n", b"6\n", b"\xff,3,0.1,\n", b"nan,3,0.1,\n", b"2,3,0.1,\n"],
)
def test_what_no_training_wrote_is_told_with_a_mend(file, line):
    file.write_bytes(file.read_bytes() + line)
    with pytest.raises(InputError, match=r"history\.csv is damaged: .*; restore it, or remove it"):
        read_rows(file)
