"""A task that nothing else names answers, is evaluated, and says what cannot be asked of it."""

import json
import sys
from dataclasses import dataclass
from types import ModuleType

import pytest

import viewfinder.tasks
from viewfinder import nets, open_run
from viewfinder.ablation.grid import read_grid
from viewfinder.cli.main import main
from viewfinder.errors import InputError
from viewfinder.inference.bulk.parts import schema_of
from viewfinder.scoring.models_compared import open_models
from viewfinder.tasks.classify.recipe import ClassifyRecipe
from viewfinder.tasks.classify.task import Classify
from viewfinder.tasks.figures import Score
from viewfinder.tasks.run_files import MANIFEST


class Guessed:
    def __init__(self, value):
        self.value = value

    def as_json(self, classes):
        return {"guess": self.value.as_json(classes)["label"]}

    def __getattr__(self, name):
        return getattr(self.value, name)


class GuessScores:
    def __init__(self, scores):
        self.scores = scores

    def figures(self):
        return self.scores.figures()

    def as_json(self, classes):
        found = self.scores.as_json(classes)
        return {"accuracy": found["accuracy"], "wisdom": 0.5}


class Guess(Classify):
    """As classes are learnt, with answers and scores of its own, and nothing that may be asked."""

    name = "guess"
    compared = (Score("wisdom", higher_is_better=False),)
    headline = (("wisdom", ".2f"),)
    can_doubt = answers_sets = has_views = False

    def describe(self, reply, config, *, of, threshold):
        return Guessed(super().describe(reply, config, of=of, threshold=threshold))

    def score(self, answers, truth):
        return GuessScores(super().score(answers, truth))


@dataclass(frozen=True, kw_only=True)
class GuessRecipe(ClassifyRecipe):
    """Guess what a picture shows.

    Example:

      viewfinder train guess my-photos
    """

    net: str = "guesser"


@pytest.fixture
def guesses(small_run, tmp_path, monkeypatch):
    """A run of a task that stands in the table, and the folders that its recipe asks for."""
    monkeypatch.setitem(viewfinder.tasks._TASKS, "guess", ("Guess", "GuessRecipe"))
    monkeypatch.setitem(nets._NETS, "guesser", nets._Entry("lenet", 32, task="guess"))
    for name, own in {
        "tasks.guess.task": {"Guess": Guess},
        "tasks.guess.recipe": {"GuessRecipe": GuessRecipe},
        "tasks.guess.suitable": {"require": lambda _: None},
        "evaluation.guess.claims": {"claims": lambda _: None},
        "evaluation.guess.traits": {"answered": lambda _: ()},
        "evaluation.guess.calibrating": {"evidence": lambda _: None},
    }.items():
        module = ModuleType(f"viewfinder.{name}")
        vars(module).update(own)
        monkeypatch.setitem(sys.modules, f"viewfinder.{name}", module)
    run = tmp_path / "run"
    run.mkdir()
    for file in small_run.iterdir():
        if file.is_file():
            (run / file.name).write_bytes(file.read_bytes())
    manifest = json.loads((run / MANIFEST).read_text())
    (run / MANIFEST).write_text(json.dumps(manifest | {"task": "guess"}))
    return run


def test_its_answers_and_scores_are_given_as_they_are(guesses, small_set):
    run = open_run(guesses)
    picture = next((small_set / "test").rglob("*.png"))
    (answer,) = run.predict(picture)
    assert set(answer) == {"source", "width", "height", "guess"}
    judged = run.evaluate(small_set)
    assert judged["wisdom"] == 0.5
    assert judged["calibration"] is None


def test_what_it_does_not_know_is_refused_in_one_sentence(guesses, small_set, capsys):
    run = open_run(guesses)
    picture = next((small_set / "test").rglob("*.png"))
    for asked, says in (
        ({"refuse_below": 0.5}, "a run of guess, whose answers have no score to be unsure of"),
        ({"coverage": 0.9}, "a run of guess, whose answers have no score to be unsure of"),
        ({"tta": True}, "a run of guess, which sees it once: leave it out"),
        ({"tiles": 64}, "--tiles is for detectors"),
        ({"threshold": "best"}, "is of detectors"),
    ):
        with pytest.raises(InputError, match=says):
            run.predict(picture, **asked)
    with pytest.raises(InputError, match="which sees it once"):
        run.evaluate(small_set, tta=True)
    pytest.importorskip("pyarrow")
    with pytest.raises(
        InputError, match="bulk knows classify, detect, saliency, and has no columns"
    ):
        schema_of(run.model)
    with pytest.raises(InputError, match="know classify, detect, saliency, and not guess"):
        open_models([str(guesses), f"other={guesses}"])
    capsys.readouterr()
    assert main(["predict", str(guesses), str(picture), "--threshold", "0.5", "--json"]) == 0
    told = " ".join(capsys.readouterr().err.split())
    assert "--threshold 0.5 changes nothing" in told
    assert "--refuse-below" not in told


def test_bulk_has_no_columns_for_it(guesses):
    pytest.importorskip("pyarrow")
    with pytest.raises(InputError, match="has no columns for what guess answers: ask by predict"):
        schema_of(open_run(guesses).model)


def test_it_is_compared_by_the_figure_that_it_names(guesses, small_set, tmp_path):
    text = f'task = "guess"\ndata = "{small_set}"\nseeds = 2\n[grid]\nflip = [0.0, 0.5]\n'
    (tmp_path / "grid.toml").write_text(text)
    assert read_grid(tmp_path / "grid.toml").score == Score("wisdom", higher_is_better=False)
