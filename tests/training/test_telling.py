"""What a person reads while a training goes on, and at its end."""

import pytest

from viewfinder.evaluation.fitting import FitVerdict
from viewfinder.runs.run import RunFolder
from viewfinder.tasks.classify.recipe import ClassifyRecipe
from viewfinder.training import journal
from viewfinder.training.forecast import Forecast
from viewfinder.training.progress import TrainingProgress
from viewfinder.training.train import report_verdict
from viewfinder.wording import in_words


@pytest.mark.parametrize(
    ("seconds", "told"),
    [
        (0.2, "about 1 s"),
        (7.4, "about 7 s"),
        (38, "about 40 s"),
        (57, "about 1 min"),
        (230, "about 4 min"),
        (3599, "about 1 h"),
        (7800, "about 2 h 10 min"),
    ],
)
def test_a_time_has_its_names(seconds, told):
    assert in_words(seconds) == told


def told_by(monkeypatch, capsys, tmp_path, recipe, *, each, few=None, **known):
    """What a journal of 5 steps an epoch tells where a step takes `each` seconds."""
    now = [100.0]
    monkeypatch.setattr(journal.time, "perf_counter", lambda: now[0])

    run = RunFolder(tmp_path, manifest=None)
    asked = {"pictures": 35, "figure": "val_accuracy", "few": few, "reports": True, **known}
    with journal.Journal(run, recipe, 5, **asked) as told:
        for done in range(1, 6):
            now[0] += each
            told.step(TrainingProgress(epoch=done // 5, step=done % 5, sums={"loss": 1.0}, seen=1))
        told.epoch({"epoch": 1, "loss": 0.5, "val_accuracy": 0.25, "images_per_s": 9, "seconds": 9})
    return capsys.readouterr().err.splitlines()


def test_a_training_tells_its_epochs_and_how_long_it_takes(monkeypatch, capsys, tmp_path):
    recipe = ClassifyRecipe(net="lenet", epochs=5, batch=8)
    assert told_by(monkeypatch, capsys, tmp_path, recipe, each=12.0) == [
        "training for 5 epochs, each of 35 pictures in 5 steps",
        "about 5 min left",
        "epoch 1 of 5  loss 0.500  val accuracy 25.0%  9 images/s",
    ]


def test_a_figure_of_few_pictures_tells_how_many(monkeypatch, capsys, tmp_path):
    recipe = ClassifyRecipe(net="lenet", epochs=5, batch=8)
    said = told_by(monkeypatch, capsys, tmp_path, recipe, each=12.0, few=4)
    assert said[-1] == "epoch 1 of 5  loss 0.500  val accuracy 25.0% of 4  9 images/s"


def test_one_is_not_told_as_several(monkeypatch, capsys, tmp_path):
    recipe = ClassifyRecipe(net="lenet", epochs=1, batch=1)
    first = told_by(monkeypatch, capsys, tmp_path, recipe, each=0.1)[0]
    assert first == "training for 1 epoch, each of 35 pictures in 5 steps"


def test_a_training_by_the_clock_tells_what_is_left_of_it(monkeypatch, capsys, tmp_path):
    recipe = ClassifyRecipe(net="lenet", minutes=4, batch=8)
    told = told_by(monkeypatch, capsys, tmp_path, recipe, each=5.0)
    assert told[:2] == [
        "training for 4 min; an epoch is 35 pictures in 5 steps",
        "about 4 min left",
    ]


def test_a_training_that_goes_on_tells_where_and_what_is_left_at_once(
    monkeypatch, capsys, tmp_path
):
    """By its steps so far; its end, when it is judged and reported, is counted before and later."""
    recipe = ClassifyRecipe(net="lenet", epochs=5, batch=8)
    known = {
        "forecast": Forecast(500.0, after=120.0),
        "now": TrainingProgress(epoch=1, step=2, updates=7, seconds=7 * 6.0),
    }
    told = told_by(monkeypatch, capsys, tmp_path, recipe, each=12.0, **known)
    assert told[:2] == [
        "goes on in epoch 2 of 5, after step 2 of 5: about 4 min left",
        "about 7 min left",
    ]
    known["now"] = TrainingProgress(epoch=5, updates=25, seconds=150.0, ended=True)
    told = told_by(monkeypatch, capsys, tmp_path, recipe, each=0.1, **known)
    assert told[0] == "all of it is trained: judged and reported about 2 min from now"


def test_the_end_tells_the_verdict_and_two_of_the_advices_in_80_columns(capsys, tmp_path):
    says = "The fit is fine: " + "word " * 40
    verdict = FitVerdict("fine", says, ("do this: --a 1", "that", "no"))
    report_verdict(RunFolder(tmp_path, manifest=None), verdict)
    lines = capsys.readouterr().err.splitlines()
    assert max(map(len, lines)) <= 80
    assert " ".join(" ".join(lines).split()).startswith(verdict.says.strip())
    first = "3 things to try are in the report, 2 of them:"
    assert lines[-3:] == [first, "try: do this: --a 1", "try: that"]


def test_a_whole_command_that_follows_is_one_of_the_two_advices(capsys, tmp_path):
    verdict = FitVerdict("fine", "It is fine.", ("do this: --a 1", "that", "all: viewfinder train"))
    report_verdict(RunFolder(tmp_path, manifest=None), verdict, ["all: viewfinder train"])
    lines = capsys.readouterr().err.splitlines()
    first = "3 things to try are in the report, 2 of them:"
    assert lines == ["It is fine.", first, "try: do this: --a 1"]
