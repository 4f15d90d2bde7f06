"""A training that is asked to go on otherwise than it was begun is told so without torch."""

import shutil
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from viewfinder.datasets.opening import open_dataset
from viewfinder.errors import InputError
from viewfinder.runs.pictures import write_pictures
from viewfinder.runs.run import open_run
from viewfinder.tasks import recipe_of
from viewfinder.training.resumable import refuse_other_choices, refuse_other_set


@pytest.fixture
def stopped(small_run, tmp_path) -> Path:
    """The small run, as it is before its training has come to its end."""
    run = shutil.copytree(small_run, tmp_path / "run")
    (run / "report.html").unlink()
    return run


@pytest.fixture
def in_folds(stopped, small_set) -> Path:
    """A run that was begun in two folds, and came as far as the first."""
    first = stopped.with_name("folded") / "folds" / "1"
    first.parent.mkdir(parents=True)
    stopped.rename(first)
    (first.parent / "folds.json").write_text('{"folds": 2}')
    opened = open_dataset(small_set, deal=False)
    write_pictures(first, opened.select(np.flatnonzero(opened.splits != 2)))
    return first.parents[1]


def test_what_differs_is_told_before_torch(stopped, small_set, make_set):
    other = make_set(train=2, val=1, test=1)
    asked = f"train classify {small_set} --net lenet --epochs 12 --batch 9 --precision 32"
    asked = f"{asked} --keep memory --out {stopped} --resume"
    commands = {
        asked.replace("epochs 12", "epochs 13"): "was begun with other values of --epochs; give",
        f"{asked} --folds 2": "was begun without --folds: leave it out",
        asked.replace(str(small_set), str(other)): f"not {other}: give --out another name",
        f"train detect {small_set} --out {stopped} --resume": "was begun by `train classify`",
        f"train classify {stopped} --resume": f"it learns from {small_set}; to go on with it, say "
        f"`viewfinder {asked}`",
    }
    code = (
        "import sys; from viewfinder.cli.main import main\n"
        "for words in sys.argv[1:]: assert main(words.split()) == 2\n"
        "assert 'torch' not in sys.modules"
    )
    called = [sys.executable, "-c", code, *commands]
    done = subprocess.run(called, capture_output=True, text=True, check=True)
    told = " ".join(done.stderr.split())
    assert [says for says in commands.values() if says not in told] == []


def test_a_run_is_resumed_with_its_own_set_and_choices_alone(
    small_set, small_run, make_set, tmp_path
):
    recipe = open_run(small_run).manifest.recipe
    for same in (small_set, shutil.copytree(small_set, tmp_path / "moved")):
        refuse_other_set(small_run, open_dataset(same))
    with pytest.raises(InputError, match=r"was learnt from .*, not .*: give --out another name"):
        refuse_other_set(small_run, open_dataset(make_set(train=2, val=1, test=1)))
    for folds in (None, "none"):
        refuse_other_choices(small_run, recipe, folds)
    with pytest.raises(InputError, match=r"was begun by `train classify`: give that task"):
        refuse_other_choices(small_run, recipe_of("detect")(), None)


def test_folds_are_resumed_with_their_own_set_and_choices_alone(in_folds, small_set, make_set):
    recipe = open_run(in_folds / "folds" / "1").manifest.recipe
    for folds in (None, 2):
        refuse_other_choices(in_folds, recipe, folds)
    for folds in (3, "none"):
        with pytest.raises(InputError, match="was begun with --folds 2: give the same"):
            refuse_other_choices(in_folds, recipe, folds)
    with pytest.raises(InputError, match="other values of --seed"):
        refuse_other_choices(in_folds, replace(recipe, seed=7), None)
    refuse_other_set(in_folds, open_dataset(small_set))
    with pytest.raises(InputError, match=r"was learnt from .*, not .*: give --out another name"):
        refuse_other_set(in_folds, open_dataset(make_set(train=2, val=1, test=1)))
