"""The arithmetic that was measured is remembered for this machine, net, size and batch."""

import json
from dataclasses import replace

import pytest
import torch

from viewfinder.cpu import cpu_features
from viewfinder.datasets.opening import open_dataset
from viewfinder.tasks import find
from viewfinder.tasks import measured as kept
from viewfinder.tasks.classify.recipe import ClassifyRecipe
from viewfinder.tasks.model import ModelConfig
from viewfinder.tasks.normalisation import PLAIN
from viewfinder.tasks.parts import TrainSetup
from viewfinder.training import arrangement, choosing, loop
from viewfinder.training.arrangement import ArithmeticTrial, Arrangement, Choice
from viewfinder.training.choosing import choose_arithmetic
from viewfinder.training.preparing import open_splits, start_net
from viewfinder.training.train import train

CPU = torch.device("cpu")
RECIPE = ClassifyRecipe(net="lenet", epochs=1, batch=9, keep="memory")
MEASURED = Choice(
    Arrangement("32", "channels_last"),
    "it won",
    (ArithmeticTrial("32", "contiguous", 2.0, 1.0, "agrees"),),
    promise=1e-9,
)


@pytest.fixture(autouse=True)
def cache(tmp_path, monkeypatch):
    monkeypatch.setenv("VIEWFINDER_CACHE", str(tmp_path / "cache"))
    monkeypatch.delenv(kept.ANEW, raising=False)
    return tmp_path / "cache"


@pytest.fixture
def measured(monkeypatch):
    """What each measurement was asked to try; its outcome is made up."""
    asked = []

    def choose(net, trials, arrangements, **_):
        asked.append([str(each) for each in arrangements])
        return MEASURED

    monkeypatch.setattr(choosing, "choose", choose)
    return asked


@pytest.fixture(scope="module")
def learner(small_set):
    """All that a training has when it chooses."""
    task, dataset = find("classify"), open_dataset(small_set)
    config = ModelConfig("classify", RECIPE.net, dataset.classes, (32, 32), PLAIN)
    setup = TrainSetup(RECIPE, config)
    net, _ = start_net(task, RECIPE, dataset.classes, {})
    return task, net, open_splits(task, dataset, setup), setup


@pytest.fixture
def learn(learner):
    """What a training with these changes of its recipe, or its size, chooses."""
    task, net, splits, setup = learner

    def do(*, size=32, **changes):
        config = replace(setup.config, size=(size, size))
        changed = TrainSetup(replace(RECIPE, **changes), config)
        return choose_arithmetic(task, net, splits, changed, CPU)

    return do


def test_it_is_measured_once_and_remembered(learn, measured, cache):
    assert learn() == MEASURED
    again = learn(seed=5, epochs=2)
    assert again == replace(MEASURED, why="it won, as measured here before")
    assert len(measured) == 1
    assert len(list((cache / "arithmetic").iterdir())) == 1


def test_what_was_cut_short_is_measured_anew_for_a_longer_training(learn, monkeypatch):
    asked = []

    def choose(net, trials, arrangements, **_):
        asked.append(arrangements)
        return replace(MEASURED, thorough=False)

    monkeypatch.setattr(choosing, "choose", choose)
    for epochs, measured in ((2, 1), (4, 1), (9, 2)):
        learn(epochs=epochs)
        assert len(asked) == measured


@pytest.mark.parametrize("changes", [{"batch": 12}, {"net": "resnet18"}, {"size": 48}])
def test_another_net_size_or_batch_is_measured_by_itself(learn, measured, changes):
    learn()
    learn(**changes)
    assert len(measured) == 2


def test_another_processor_or_number_of_threads_is_measured_by_itself(learn, measured, monkeypatch):
    learn()
    for known in ({"name": "another"}, {"threads": 999}):
        changed = replace(cpu_features(), **known)
        monkeypatch.setattr(kept, "cpu_features", lambda changed=changed: changed)
        learn()
    assert len(measured) == 3


def test_on_request_it_is_measured_anew(learn, measured, monkeypatch):
    learn()
    monkeypatch.setenv("VIEWFINDER_REMEASURE", "1")
    assert learn() == MEASURED
    assert len(measured) == 2


@pytest.mark.parametrize(
    "text",
    [
        "",
        "{",
        "[]",
        "null",
        json.dumps(MEASURED.as_json())[:-9],
        json.dumps(MEASURED.as_json() | {"promise": "soon"}),
        json.dumps(MEASURED.as_json() | {"trials": 5}),
        json.dumps(MEASURED.as_json() | {"arrangement": {"arithmetic": "32"}}),
        # What a processor of this kind would not try.
        json.dumps(replace(MEASURED, arrangement=Arrangement("16", "contiguous")).as_json()),
        json.dumps(MEASURED.as_json() | {"why": "x" * (1 << 17)}),
    ],
)
def test_a_damaged_file_is_ignored_and_written_anew(learn, measured, cache, text):
    learn()
    (file,) = (cache / "arithmetic").iterdir()
    good = file.read_text()
    file.write_text(text)
    assert learn() == MEASURED
    assert file.read_text() == good


def test_where_nothing_can_be_kept_it_is_measured_each_time(learn, measured, tmp_path, monkeypatch):
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("VIEWFINDER_CACHE", str(tmp_path / "file" / "cache"))
    learn()
    learn()
    assert len(measured) == 2


def test_what_disagrees_with_float32_on_these_pictures_is_measured_anew(
    learn, measured, monkeypatch
):
    learn()
    monkeypatch.setattr(choosing, "still_agrees", lambda *_, **__: False)
    assert learn() == MEASURED
    assert len(measured) == 2


def test_a_named_precision_is_neither_measured_nor_remembered(learn, measured, cache):
    assert learn(precision="32").why == "as asked for"
    assert not measured
    assert not (cache / "arithmetic").exists()


def test_a_processor_without_bfloat16_is_not_asked_for_it(learn, measured, monkeypatch):
    learn()
    monkeypatch.setenv("VIEWFINDER_CPU_WITHOUT", "bf16")
    learn()
    expected = ["32 contiguous", "32 channels_last"]
    assert measured[-1] == expected
    assert [name for name in measured[0] if name.startswith("32")] == expected


@pytest.mark.parametrize("pace", [1.9, 3.0, 0.4])
def test_a_training_tells_that_steps_take_another_time_and_keeps_its_arithmetic(
    small_set, tmp_path, measured, monkeypatch, capsys, cache, pace
):
    """The next measures anew; of this one the same steps must end in the same weights."""

    class Paced(loop.Pace):
        def took(self, seconds, numbers):
            super().took(pace * MEASURED.promise * numbers, numbers)

    monkeypatch.setattr(loop, "Pace", Paced)
    run = train("classify", small_set, replace(RECIPE, epochs=6), out=tmp_path / "run")
    assert Choice.from_json(run.manifest.precision) == MEASURED
    told = " ".join(capsys.readouterr().err.split())
    news = pace != 1.9
    assert told.count(f"{pace} times as long as when their arithmetic was measured") == news
    assert len(list((cache / "arithmetic").iterdir())) == (not news)


def test_a_true_measurement_is_remembered_too(learn, monkeypatch):
    known = replace(cpu_features(), bf16=False)
    monkeypatch.setattr(arrangement, "cpu_features", lambda: known)
    first, again = learn(), learn()
    assert first.arrangement == again.arrangement
    assert (first.trials, first.promise) == (again.trials, again.promise)
    assert [trial.verdict for trial in first.trials] == ["agrees", "agrees"]
    assert again.why == f"{first.why}, as measured here before"


def test_anchors_that_are_fitted_anew_measure_nothing_anew(measured, learner):
    task, net, splits, setup = learner
    for side in (10.5, 12.25):
        options = {"anchors": [[side, side], [20.0, 30.0]], "masks": [[0], [1]]}
        changed = TrainSetup(RECIPE, replace(setup.config, options=options))
        choose_arithmetic(task, net, splits, changed, CPU)
    assert len(measured) == 1


def test_folds_after_the_first_take_its_arithmetic(measured, learner):
    """Though meanwhile it was to be measured anew, as another program was busy."""
    before = replace(MEASURED, arrangement=Arrangement("32", "contiguous"))
    found = choose_arithmetic(*learner, CPU, before=before)
    assert found == replace(before, why="as for all folds: it won")
    assert not measured
