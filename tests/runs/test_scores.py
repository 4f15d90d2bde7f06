"""A run's scores, which may come from a stranger, are a table or are refused."""

from types import SimpleNamespace

import pytest

from viewfinder.errors import InputError
from viewfinder.runs.scores import read_scores
from viewfinder.training.fold_figures import fold_row


@pytest.mark.parametrize("text", ["", "{", "[]", "3", "[" * 10**5, "\x00"])
def test_what_is_no_table_is_refused(tmp_path, text):
    file = tmp_path / "scores.json"
    file.write_text(text)
    with pytest.raises(InputError, match="is damaged"):
        read_scores(file)


def test_no_scores_at_all_are_said(tmp_path):
    with pytest.raises(InputError, match=r"cannot read .*No such file"):
        read_scores(tmp_path / "scores.json")


@pytest.mark.parametrize("text", ["{}", '{"test": 1}', '{"test": {"accuracy": "x"}, "train": {}}'])
def test_a_fold_whose_scores_are_no_fold_s_is_refused(tmp_path, text):
    (tmp_path / "scores.json").write_text(text)
    manifest = SimpleNamespace(data={"images": {"test": 1, "train": 2, "val": 0}})
    run = SimpleNamespace(
        folder=tmp_path, scores_file=tmp_path / "scores.json", manifest=manifest, history=list
    )
    with pytest.raises(InputError, match="no fold's; remove it"):
        fold_row(run, "accuracy")
