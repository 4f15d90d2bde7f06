"""Folds: how pictures are dealt to them, what they say together, and the trainings themselves."""

import importlib.util
import json
import math
import shutil
import signal
import subprocess
import sys
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from safetensors.torch import load_file

from viewfinder.api import open_run
from viewfinder.cli.main import main
from viewfinder.datasets.dataset import SPLITS
from viewfinder.datasets.folding import dealt, in_folds
from viewfinder.datasets.opening import open_dataset
from viewfinder.errors import InputError
from viewfinder.evaluation.fitting import FitVerdict
from viewfinder.evaluation.folded import falls_short
from viewfinder.evaluation.folds import folds_of, in_words, judged
from viewfinder.evaluation.over_seeds import estimate
from viewfinder.evaluation.sampling import wilson
from viewfinder.pictures.writing import write_picture
from viewfinder.tasks.classify.recipe import ClassifyRecipe
from viewfinder.tasks.detect.recipe import DetectRecipe
from viewfinder.tasks.saliency.recipe import SaliencyRecipe
from viewfinder.training import folds as module
from viewfinder.training import train as training
from viewfinder.training.folds import train_in_folds
from viewfinder.training.train import train

QUICK = {"net": "lenet", "epochs": 2, "batch": 9, "precision": "32", "keep": "memory"}


@given(st.lists(st.integers(0, 4), min_size=1, max_size=60), st.integers(2, 7))
def test_pictures_of_a_class_are_spread_evenly(labels, count):
    folds = in_folds(
        [f"{i}.png" for i in range(len(labels))], count, shown=[{label} for label in labels]
    )
    assert folds.min() >= 0
    assert folds.max() < count
    for label in set(labels):
        of_class = folds[np.array(labels) == label]
        sizes = np.bincount(of_class, minlength=count)
        assert sizes.max() - sizes.min() <= 1


@given(
    st.lists(st.tuples(st.integers(0, 9), st.sets(st.integers(0, 3))), min_size=1, max_size=60),
    st.integers(2, 5),
)
def test_groups_stay_together_and_no_fold_is_empty_without_need(pictures, count):
    groups = [f"video {group}" for group, _ in pictures]
    shown = [{-1, *classes} for _, classes in pictures]
    folds = in_folds(groups, count, shown=shown)
    where = {}
    for group, fold in zip(groups, folds.tolist(), strict=True):
        assert where.setdefault(group, fold) == fold
    assert len(set(where.values())) == min(count, len(where))
    # A picture's place is that of its name, not of the order in which it was found.
    turned = in_folds(groups[::-1], count, shown=shown[::-1])[::-1]
    assert turned.tolist() == folds.tolist()


def sides(part):
    return {name: set(part.split(name).paths) for name in SPLITS if part.has_split(name)}


def flat(root, make_set, **options):
    """A set without sides."""
    made = make_set(val=0, test=0, **options)
    shutil.move(made / "train", root)
    return root


@pytest.mark.parametrize("share", [None, 0.2])
def test_every_picture_is_tested_once_and_learnt_from_otherwise(make_set, tmp_path, share):
    pool = open_dataset(flat(tmp_path / "flat", make_set, train=10), deal=False)
    parts = [sides(part) for part in dealt(pool, 3, val_share=share, least_val=20)]
    tests = Counter(path for part in parts for path in part["test"])
    assert tests == dict.fromkeys(pool.paths, 1)
    for part in parts:
        assert sum(map(len, part.values())) == len(pool)
        assert set().union(*part.values()) == set(pool.paths)
        kinds = Counter(path.split("/")[0] for path in part.get("val", ()))
        assert kinds == ({} if share is None else dict.fromkeys(pool.classes, 1))
        assert {path.split("/")[0] for path in part["train"]} == set(pool.classes)


def test_a_picture_saved_twice_is_in_one_fold(make_set, tmp_path):
    root = flat(tmp_path / "flat", make_set, train=4)
    random = np.random.default_rng(1)
    for number in range(3):
        picture = random.integers(0, 255, (8, 8, 3), np.uint8).repeat(8, 0).repeat(8, 1)
        for name in ("a", "b"):
            write_picture(root / "blue" / f"{name}{number}.png", picture)
    parts = dealt(open_dataset(root, deal=False), 3, val_share=0.3, least_val=0)
    for tested in (sides(part)["test"] for part in parts):
        copies = {path[-5:] for path in tested if path[-6] == "a"}
        assert copies == {path[-5:] for path in tested if path[-6] == "b"}


def test_the_interval_is_that_of_nadeau_and_bengio():
    # By hand: values 0.5, 0.6, 0.7; s = 0.1; 1/3 + 20/40; t of two degrees 4.302653.
    half = 4.302653 * 0.1 * math.sqrt(1 / 3 + 1 / 2)
    found = estimate([0.5, 0.6, 0.7], overlap=20 / 40)
    assert found.mean == pytest.approx(0.6)
    assert (found.low, found.high) == pytest.approx((0.6 - half, 0.6 + half), abs=1e-6)


def rows(*values, test=20, train=40):
    return [{"test": test, "val": 0, "train": train, "figure": value} for value in values]


def test_of_accuracies_the_wider_interval_is_told():
    apart = judged("accuracy", rows(0.3, 0.6, 0.9))
    assert apart["method"] == "corrected t"
    assert (apart["low"], apart["high"]) == (0.0, 1.0)
    close = judged("accuracy", rows(0.6, 0.6, 0.65))
    assert close["method"] == "Wilson"
    assert (close["low"], close["high"]) == wilson(37 / 60, 60)
    each = [{**row, "learnt": 0.9, "kept_epoch": 1} for row in rows(0.6, 0.6, 0.6)]
    boxes = judged("ap50", each, objects=90.0)
    assert (boxes["low"], boxes["high"]) == wilson(0.6, 90)
    assert folds_of(boxes) == boxes
    assert in_words(boxes, ".3f").startswith("mean AP50 0.600, 95 % interval 0.497 to 0.695, of 60")
    uneven = judged("accuracy", [*rows(1.0, test=10), *rows(0.5, test=30)])
    assert uneven["mean"] == pytest.approx(25 / 40)


def test_undefined_figures_and_folds_that_are_all_alike_have_no_interval():
    some = judged("ap50", rows(0.2, None, 0.4))
    assert some["mean"] == pytest.approx(0.3)
    assert some["method"] == "corrected t"
    for values in ((None, None), (0.5, None), (0.5, 0.5)):
        told = judged("ap50", rows(*values))
        assert told["low"] is None
        assert "interval" not in in_words(told, ".3f")


@pytest.mark.parametrize(
    ("known", "tested", "says"),
    [
        (0.98, None, ""),
        (0.95, 0.7, ""),
        (
            0.6,
            None,
            "of the pictures that it learnt from it knows 60.0%, and the folds' nets 98.0%",
        ),
        (0.98, 0.2, "on the set's own test pictures it comes to 20.0%, below what the folds let"),
    ],
)
def test_a_last_training_that_falls_short_of_its_folds_says_so(known, tested, says):
    learnt = [{**row, "learnt": 0.98} for row in rows(0.7, 0.75, 0.8)]
    own = {"train": {"accuracy": known, "images": 60}}
    if tested is not None:
        own["test"] = {"accuracy": tested, "images": 60}
    said = falls_short(judged("accuracy", learnt), own, ".1%")
    assert says in said
    assert bool(said) is bool(says)


_KILLED = """
import os, signal, sys
import torch
from viewfinder.tasks.classify.recipe import ClassifyRecipe
from viewfinder.training import loop
from viewfinder.training.folds import train_in_folds
torch.set_num_threads(1)
taken, step = 0, loop.Fit.step
def killed(self, batch):
    global taken
    taken += 1
    if taken > 3:
        os.kill(os.getpid(), signal.SIGKILL)
    return step(self, batch)
loop.Fit.step = killed
recipe = ClassifyRecipe(
    net="lenet", epochs=2, batch=9, precision="32", keep="memory", val_share=0.2
)
train_in_folds("classify", sys.argv[1], recipe, folds=2, out=sys.argv[2], resume=False)
"""


def told(run):
    return json.loads(run.scores_file.read_text(encoding="utf-8"))


def test_folds_that_were_killed_go_on_to_the_same_figures(make_set, tmp_path, monkeypatch, capsys):
    data = flat(tmp_path / "flat", make_set, train=6, told_apart=False)
    recipe = ClassifyRecipe(**QUICK, val_share=0.2)
    whole = train_in_folds("classify", data, recipe, folds=2, out=tmp_path / "whole", resume=False)
    assert "for 1 more fold and the last training" in capsys.readouterr().err
    out = tmp_path / "killed"
    words = [sys.executable, "-c", _KILLED, str(data), str(out)]
    killed = subprocess.run(words, check=False, capture_output=True, text=True)
    assert killed.returncode == -signal.SIGKILL, killed.stderr
    assert (out / "folds" / "1" / "report.html").exists()
    assert (out / "folds" / "2" / "run.json").exists()
    parts = []
    train_on = module.train_on
    monkeypatch.setattr(
        module, "train_on", lambda *a, **k: parts.append(k["part"]) or train_on(*a, **k)
    )
    again = train_in_folds("classify", data, recipe, folds=2, out=out, resume=True)
    assert parts == ["fold 2 of 2", "everything, after 2 folds"]
    one, other = told(whole)["folds"], told(again)["folds"]
    assert one == other
    assert one["folds"] == len(one["each"]) == 2
    assert [(row["test"], row["train"], row["val"]) for row in one["each"]] == [(9, 6, 3)] * 2
    weights = [load_file(run.weights_file) for run in (whole, again)]
    assert all((weights[0][name] == weights[1][name]).all() for name in weights[0])
    assert again.manifest.data["images"] == {"train": 18, "val": 0, "test": 0}
    assert again.manifest.recipe.epochs == one["epochs"]
    page = again.report_file.read_text(encoding="utf-8")
    assert in_words(one, ".1%").capitalize() in page
    assert "nothing was held out" not in page
    # Asked about its own set, it deals no side of it that it has learnt from: folds' nets answer.
    asked = open_run(out).evaluate(data)
    assert (asked["split"], asked["learnt"]) == ("held_out", [])
    assert (
        asked["confusion"] == told(again)["held_out"]["confusion"] == one["together"]["confusion"]
    )
    assert "Each picture answered by a net that had not seen it." in page
    asked = open_run(out).evaluate(data, split="all")
    assert (asked["split"], len(asked["learnt"])) == ("all", 18)


def test_a_test_side_of_the_set_judges_the_last_run(make_set, tmp_path, capsys):
    data, out = make_set(train=3, val=1, test=2), tmp_path / "run"
    words = ["train", "classify", str(data), "--net", "lenet", "--folds", "2", "--out", str(out)]
    assert main([*words, "--json", "--epochs", "1", "--batch", "9", "--precision", "32"]) == 0
    told = capsys.readouterr()
    scores, said = json.loads(told.out)["scores"], told.err.splitlines()
    whole = next(n for n, each in enumerate(said) if each.startswith("all folds and the last tr"))
    assert whole < next(n for n, each in enumerate(said) if each.startswith("training for 1 epoch"))
    assert scores["test"]["images"] == 6
    assert scores["train"]["images"] == sum(row["test"] for row in scores["folds"]["each"]) == 12
    page = (out / "report.html").read_text(encoding="utf-8")
    assert "Fold by fold" in page


def without_a_picture(run, *_, **__):
    run.report_file.write_text("")
    return FitVerdict("unknown", "", ())


def write_boxes(root, *, count):
    """A COCO set without sides: a light box in each dark picture."""
    random = np.random.default_rng(0)
    images, annotations = [], []
    for number in range(1, count + 1):
        picture = random.integers(0, 90, (64, 64, 3), np.uint8)
        x, y = (int(place) for place in random.integers(0, 40, 2))
        picture[y : y + 20, x : x + 20] += 150
        write_picture(root / f"{number}.png", picture)
        images.append({"id": number, "file_name": f"{number}.png", "width": 64, "height": 64})
        box = {"image_id": number, "category_id": 1, "bbox": [x, y, 20, 20], "area": 400}
        annotations.append({"id": number, "iscrowd": 0, **box})
    labels = {"images": images, "annotations": annotations}
    labels["categories"] = [{"id": 1, "name": "light"}]
    (root / "labels.json").write_text(json.dumps(labels))
    return root


def test_boxes_and_masks_are_folded_too(tmp_path, subject_scenes, monkeypatch):
    monkeypatch.setattr(training, "write_report", without_a_picture)
    data = write_boxes(tmp_path / "boxes", count=8)
    fields = {"net": "yolov3-tiny", "size": 64, "options": ("width=0.125",), "precision": "32"}
    recipe = DetectRecipe(**fields, epochs=1)
    run = train_in_folds("detect", data, recipe, folds=2, out=tmp_path / "detect", resume=False)
    assert [row["test"] for row in told(run)["folds"]["each"]] == [4, 4]
    scores = told(run)
    assert (scores["folds"]["figure"], scores["held_out"]["images"]) == ("ap50", 8)
    each = [told(open_run(run.folder / "folds" / number)) for number in "12"]
    assert scores["held_out"]["per_class"]["light"]["boxes"] == 8
    assert (
        scores["held_out"]["errors"]["missed"]["count"]
        <= 8
        == sum(fold["test"]["per_class"]["light"]["boxes"] for fold in each)
    )
    recipe = SaliencyRecipe(net="a2dele", size=32, options=("width=0.125",), epochs=1, batch=4)
    run = train_in_folds(
        "saliency", subject_scenes, recipe, folds=2, out=tmp_path / "saliency", resume=False
    )
    scores = told(run)
    assert sum(row["test"] for row in scores["folds"]["each"]) == 16
    assert scores["folds"]["figure"] == "s_measure"
    assert (scores["test"]["images"], scores["held_out"]["images"]) == (4, 16)
    each = [told(open_run(run.folder / "folds" / number))["test"] for number in "12"]
    apart = sum(fold["s_measure"] * fold["images"] for fold in each) / 16
    assert scores["held_out"]["s_measure"] == pytest.approx(apart, abs=1e-6)


@pytest.mark.parametrize(
    ("fields", "count", "says"),
    [
        ({}, 1, "--folds 1: give 2 or more"),
        ({}, 5, "has 4 pictures of amber: give --folds 4 or less, or add"),
        ({"minutes": 2}, 3, "3 folds and the last would take 8"),
        ({"devices": 2}, 3, "leave out --devices 2"),
    ],
)
def test_what_cannot_be_folded_is_refused(make_set, tmp_path, fields, count, says):
    data = flat(tmp_path / "flat", make_set, train=4)
    with pytest.raises(InputError, match=says):
        train_in_folds(
            "classify",
            data,
            ClassifyRecipe(**QUICK | fields),
            folds=count,
            out=tmp_path / "run",
            resume=False,
        )
    assert not (tmp_path / "run").exists()


def test_a_run_that_knows_the_pictures_is_refused(small_set, small_run, tmp_path):
    recipe = ClassifyRecipe(**QUICK, init=str(small_run))
    with pytest.raises(InputError, match="has learnt from 54 of the 54 pictures that are to judge"):
        train_in_folds("classify", small_set, recipe, folds=2, out=tmp_path / "run", resume=False)


def test_folds_that_cannot_begin_leave_no_folder(make_set, tmp_path):
    data, out = flat(tmp_path / "flat", make_set, train=4), tmp_path / "new" / "run"
    (tmp_path / "a.safetensors").write_bytes(b"no weights")
    recipe = ClassifyRecipe(**QUICK | {"init": str(tmp_path / "a.safetensors")})
    with pytest.raises(InputError, match="safetensors"):
        train_in_folds("classify", data, recipe, folds=2, out=out, resume=False)
    assert not out.exists()


def test_going_on_asks_for_the_same_folds(make_set, tmp_path):
    data, out = make_set(train=2, val=0, test=0), tmp_path / "run"
    (out / "folds").mkdir(parents=True)
    (out / "folds" / "folds.json").write_text('{"folds": 2}')
    recipe = ClassifyRecipe(**QUICK)

    def begin(folds, *, resume):
        return train_in_folds("classify", data, recipe, folds=folds, out=out, resume=resume)

    with pytest.raises(InputError, match="exists already: give --resume"):
        begin(2, resume=False)
    with pytest.raises(InputError, match="was begun with --folds 2: give the same"):
        begin(3, resume=True)
    with pytest.raises(InputError, match="was begun in folds: leave --folds none out"):
        train("classify", data, recipe, out=out, resume=True)
    (out / "folds" / "folds.json").write_text("{")
    with pytest.raises(InputError, match="is damaged"):
        begin(2, resume=True)


def test_a_last_training_that_got_nowhere_leaves_the_folds(make_set, tmp_path, monkeypatch):
    data, out = flat(tmp_path / "flat", make_set, train=2), tmp_path / "run"
    monkeypatch.setattr(training, "write_report", without_a_picture)
    launch, launched = training.launch, []

    def stopped(*words, **fields):
        launched.append(words)
        if len(launched) == 3:
            raise KeyboardInterrupt
        launch(*words, **fields)

    monkeypatch.setattr(training, "launch", stopped)
    recipe = ClassifyRecipe(**QUICK | {"epochs": 1})
    with pytest.raises(KeyboardInterrupt):
        train_in_folds("classify", data, recipe, folds=2, out=out, resume=False)
    assert [path.name for path in out.iterdir()] == ["folds"]
    run = train_in_folds("classify", data, recipe, folds=2, out=out, resume=True)
    assert len(launched) == 4
    assert told(run)["folds"]["folds"] == 2


def test_a_share_that_leaves_too_little_to_learn_from_is_lowered(make_set, tmp_path, capsys):
    pool = open_dataset(flat(tmp_path / "flat", make_set, train=10), deal=False)
    dealt(pool, 2, val_share=0.4, least_val=20)
    assert capsys.readouterr().err == ""
    (part, _) = dealt(pool, 2, val_share=0.99, least_val=20)
    held = len(part.split("val")) / (len(part.split("val")) + len(part.split("train")))
    assert held < 0.6
    assert (
        f"leaves too little to learn from: folds hold out {held:.2f} of" in capsys.readouterr().err
    )


def test_how_often_the_interval_covers_can_be_measured(small_set, monkeypatch, capsys):
    file = Path(__file__).parents[2] / "benchmarks/folds_coverage.py"
    spec = importlib.util.spec_from_file_location("folds_coverage", file)
    coverage = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(coverage)
    monkeypatch.setattr(training, "write_report", training.write_report)  # which it replaces
    monkeypatch.setattr(sys, "argv", ["folds_coverage.py", str(small_set), "1", "1", "2", "12"])
    coverage.main()
    (draw, total) = capsys.readouterr().out.splitlines()
    assert "new pictures: " in draw
    assert total.startswith(f"covered in {draw.count('covered')} of 1 draws")
