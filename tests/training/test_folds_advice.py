"""Folds are advised where few pictures judge: by a rule of the set, with the command to give."""

import re
import shlex
import shutil
from dataclasses import replace
from types import SimpleNamespace

import pytest
from page_material import photos
from training.test_folds import without_a_picture

import viewfinder.training.train as training
from viewfinder.cli import train as verb
from viewfinder.cli.parsing import parsed
from viewfinder.datasets.opening import open_dataset
from viewfinder.errors import InputError
from viewfinder.evaluation.foldable import folds_for, folds_in_words, in_report, seen_before
from viewfinder.events import listening
from viewfinder.tasks.classify.recipe import ClassifyRecipe
from viewfinder.tasks.detect.recipe import DetectRecipe
from viewfinder.training import beginning
from viewfinder.training import folds_usual as usual
from viewfinder.training.arrangement import Arrangement, Choice
from viewfinder.training.commands import command
from viewfinder.training.folds import train_in_folds, train_with
from viewfinder.training.folds_advice import before
from viewfinder.training.folds_refusing import refuse_folds
from viewfinder.training.folds_usual import usual_folds
from viewfinder.training.forecast import Forecast
from viewfinder.training.resumable import refuse_other_recipe
from viewfinder.training.train import train


@pytest.fixture
def flat(tmp_path):
    photos(tmp_path)
    return tmp_path / "my-photos"


def test_a_training_advises_folds_before_and_after(flat, tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(training, "write_report", without_a_picture)
    recipe = ClassifyRecipe(
        net="lenet",
        minutes=0.001,
        batch=16,
        options=("dropout=0.2",),
        precision="32",
        balanced=True,
        mirror=False,
        turn=0.0,
    )
    run = train("classify", flat, recipe, out=tmp_path / "run")
    told = capsys.readouterr().err.splitlines()
    first = next(number for number, line in enumerate(told) if line.startswith("few pictures: "))
    assert "--folds 5 would let each of the 42 judge once" in " ".join(
        line.strip() for line in told[first : first + 2]
    )
    assert first < next(n for n, line in enumerate(told) if line.startswith("training for"))
    assert told[-2].startswith("try: let each of 42 pictures judge once, in about ")
    program, name, *words = shlex.split(told[-1])
    assert (program, name) == ("viewfinder", "train")
    flags = parsed(verb, "train", words)
    assert (flags.data, flags.folds) == (str(flat), 5)
    epochs = len(run.history())
    assert flags.recipe == replace(recipe, minutes=None, epochs=epochs)


def test_folds_that_are_soon_done_are_made_unasked_and_others_told(flat, tmp_path, monkeypatch):
    """How long they take is said before the first step; a run is resumed as it was begun."""
    recipe = ClassifyRecipe(net="lenet", batch=16, precision="32")
    heard: list[str] = []
    with listening(lambda event: heard.append(getattr(event, "text", ""))):
        chosen = usual_folds("classify", flat, recipe)
    assert chosen.folds == 5
    assert re.fullmatch(
        r"few pictures: 5 folds let each of 42 pictures judge once, in about .+ instead of about "
        r".+ \(--folds none trains once\)",
        heard[-1],
    )
    monkeypatch.setattr(usual, "_BEARABLE", 0.0)
    chosen = usual_folds("classify", flat, recipe)
    assert chosen.folds is None
    assert chosen.ready.forecast.each > 0.1
    said = before(chosen.opened, 5, recipe, Forecast(100.0))
    assert said.endswith("--folds 5 would let each of the 42 judge once, and takes about 11 min")
    for folder, folds in (("none", "none"), ("two", 2)):
        place = tmp_path / folder
        short = replace(recipe, epochs=1)
        train_with(folds, "classify", flat, short, out=place)
        (place / "report.html").unlink()
        train_with(None, "classify", flat, short, out=place, resume=True)
        assert (place / "folds").is_dir() is (folds == 2)
        assert (place / "report.html").is_file()


def test_what_told_how_long_folds_take_is_not_found_out_again(flat, tmp_path, monkeypatch, capsys):
    asked = []
    seconds = beginning.forecast
    monkeypatch.setattr(
        beginning, "forecast", lambda *given, **named: asked.append(1) or seconds(*given, **named)
    )
    monkeypatch.setattr(training, "write_report", without_a_picture)
    recipe = ClassifyRecipe(net="lenet", batch=16, precision="32", epochs=1)
    ready = SimpleNamespace(
        choice=Choice(Arrangement("32", "contiguous"), "it won"), forecast=Forecast(90.0)
    )
    place = tmp_path / "run"
    train_in_folds("classify", flat, recipe, folds=2, out=place, resume=False, timed=ready)
    told = capsys.readouterr().err
    assert len(asked) == 1, "of the last training, which learns from more"
    assert "about 2 min" in told
    assert "all folds and the last training" not in told


def test_a_command_says_what_does_not_follow():
    """What a recipe's other fields bring by themselves is not said; read back, it is the same."""
    run = SimpleNamespace(manifest=SimpleNamespace(task="classify", data={"source": "a b"}))
    solved = ClassifyRecipe(size=64, unlabelled="more")
    for recipe, said in (
        (solved, "--size 64 --unlabelled more"),
        (ClassifyRecipe.from_json(solved.as_json()).further, "--head full --size 64"),
        (ClassifyRecipe(net="lenet"), "--net lenet"),
        (ClassifyRecipe(head="full", learning_rate=0.01), "--head full --learning-rate 0.01"),
        (ClassifyRecipe(net="resnet18", init="imagenet"), "--net resnet18 --init imagenet"),
    ):
        line = command(run.manifest, recipe)
        assert line == f"viewfinder train classify 'a b' {said}"
        flags = parsed(verb, "train", shlex.split(line)[2:])
        assert flags.recipe == recipe
    assert ClassifyRecipe(net="lenet").further is None


def test_a_recipe_that_differs_is_told_by_the_flags_that_were_given(tmp_path):
    begun = SimpleNamespace(recipe=ClassifyRecipe(), data={})
    with pytest.raises(InputError, match="with other values of --head; give the same"):
        refuse_other_recipe(tmp_path, begun, ClassifyRecipe(head="full"))


def test_the_advice_is_a_function_of_the_set(flat, small_set):
    assert folds_for(open_dataset(flat)) == 5
    # Sides that the set has itself are not dealt anew.
    assert folds_for(open_dataset(small_set)) is None
    # A class of three cannot be in more than three folds.
    for picture in sorted((flat / "owl").iterdir())[3:]:
        picture.unlink()
    assert folds_for(open_dataset(flat)) == 3
    # With two hundred pictures twenty choose.
    for number in range(200):
        shutil.copy(flat / "cat/1.jpg", flat / f"cat/more-{number}.jpg")
        shutil.copy(flat / "dog/1.jpg", flat / f"dog/more-{number}.jpg")
    assert folds_for(open_dataset(flat)) is None


def test_the_smallest_sets_are_judged_by_folds_too(flat):
    """Three pictures a class, of which none is left to validate by, and whatever share is given."""
    for name in ("cat", "dog", "owl"):
        for picture in sorted((flat / name).iterdir())[3:]:
            picture.unlink()
    recipe = ClassifyRecipe(net="lenet")
    for share in (None, 0.0, 0.3):
        dataset = open_dataset(flat, val_share=share)
        assert folds_for(dataset) == 3
        judge, add = folds_in_words(dataset, recipe)
        assert judge == "let each of 9 pictures judge once: --folds 3"
        assert add == "add pictures: with 11 more, 20 can judge in folds"
    for picture in sorted((flat / "owl").iterdir())[1:]:
        picture.unlink()
    assert folds_in_words(open_dataset(flat), recipe) == ()


def test_what_folds_would_not_let_judge_is_not_promised(tmp_path):
    """A test side of the set's own stays aside."""
    own = tmp_path / "own"
    photos(own)
    for name in ("cat", "dog", "owl"):
        (own / "my-photos" / "train").mkdir(exist_ok=True)
        (own / "my-photos" / "test" / name).mkdir(parents=True)
        shutil.move(own / "my-photos" / name, own / "my-photos" / "train" / name)
        shutil.copy(own / "my-photos" / "train" / name / "1.jpg", own / "my-photos" / "test" / name)
    dataset = open_dataset(own / "my-photos")
    judging = len(dataset) - 3
    assert in_report(dataset, 5) == f"let each of {judging} pictures judge once: --folds 5"
    assert f"let each of the {judging} judge once" in before(dataset, 5, ClassifyRecipe())
    short = before(dataset, 5, ClassifyRecipe(net="lenet", head="full", epochs=3))
    assert short.endswith("to judge by, too few to tell")


def test_folds_are_not_advised_where_a_run_knows_what_would_judge_it(small_run, small_set):
    dataset = open_dataset(small_set)
    judging = len(dataset) - len(dataset.split("test"))
    recipe = ClassifyRecipe(net="lenet", init=str(small_run))
    assert seen_before(recipe, dataset) == ("init", small_run, judging)
    assert seen_before(ClassifyRecipe(net="lenet"), dataset) is None


def test_what_held_out_pictures_must_judge_has_no_folds(flat):
    """The training that follows the folds learns from all pictures, and would be without it."""
    recipe = DetectRecipe(second_opinion=True)
    with pytest.raises(InputError, match="--folds 5 --second-opinion: held-out pictures must"):
        refuse_folds(recipe, 5)
    dataset = open_dataset(flat)
    assert folds_in_words(dataset, DetectRecipe())
    assert folds_in_words(dataset, recipe) == ()
    assert usual_folds("detect", flat, recipe, dataset).folds is None
