"""The report: one file, whatever the classes are called and whichever sides there are."""

import dataclasses
import re
from pathlib import Path

import numpy as np
import pytest
import torch

from viewfinder.datasets.boxes import gather_boxes
from viewfinder.datasets.dataset import Dataset
from viewfinder.datasets.opening import open_dataset
from viewfinder.evaluation.classify.page import fit, typical, worst
from viewfinder.evaluation.confusions import common_confusions
from viewfinder.evaluation.judging import (
    Judgement,
    default_split,
    judge,
    judge_examples,
    stand_ins,
)
from viewfinder.evaluation.material import Material
from viewfinder.evaluation.report import page_of as maker_of
from viewfinder.evaluation.sampling import wilson
from viewfinder.evaluation.split_scores import LEAST_PICTURES
from viewfinder.pictures.writing import write_picture
from viewfinder.runs.run import create_run, open_run
from viewfinder.tasks import NAMES
from viewfinder.tasks.classify.recipe import ClassifyRecipe
from viewfinder.tasks.classify.scores import score
from viewfinder.tasks.manifest import Manifest
from viewfinder.training.arrangement import ArithmeticTrial, Arrangement, Choice

HOSTILE = ["<script>alert(1)</script>".replace("/", "∕"), '图 & "quotes"', "$\\frac$ $5", "🙂", "'"]


def made(folder, classes, *, sides=("train", "val", "test"), each=2, seed=0):
    """A run and its dataset with answers drawn at random, and real pictures."""
    random = np.random.default_rng(seed)
    paths, labels, splits = [], [], []
    for side, side_name in enumerate(("train", "val", "test")):
        for label in range(len(classes) if side_name in sides else 0):
            for number in range(each):
                path = f"{side_name}/{label}/{number}.png"
                picture = random.integers(0, 256, (9, 14, 3), dtype=np.uint8)
                write_picture(folder / "data" / path, picture)
                paths.append(path)
                labels.append(label)
                splits.append(side)
    dataset = Dataset(
        folder / "data",
        "class folders",
        tuple(classes),
        tuple(paths),
        np.array(labels),
        np.array(splits, np.int8),
    )
    judgements = {}
    for side in sides:
        examples = dataset.split(side)
        raw = random.random((len(examples), len(classes)), np.float32)
        answers = raw / raw.sum(axis=1, keepdims=True)
        judgements[side] = Judgement(examples, answers, score(answers, examples.labels), 1)
    trials = (
        ArithmeticTrial("32", "contiguous", 2.0, 1.0, "agrees"),
        ArithmeticTrial("bf16", "contiguous", None, None, "not tried"),
    )
    manifest = Manifest(
        task="classify",
        net="lenet",
        classes=tuple(classes),
        size=(32, 32),
        options={"size": 32},
        mean=(0.5,) * 3,
        std=(0.2,) * 3,
        recipe=ClassifyRecipe(net="lenet"),
        versions={"python": "3"},
        data={"source": "<i>a</i>", "images": {"train": 3, "val": 2, "test": 1}},
        device="CPU <b>",
        precision=Choice(Arrangement("32", "contiguous"), "it <em>won</em>", trials).as_json(),
    )
    run = create_run(folder / "run <u>", manifest)
    row = {"epoch": 1, "seconds": 1.0, "images_per_s": 9.0, "loss": 1.0, "skipped_steps": 0}
    row |= {"train_loss": 1.0, "train_accuracy": 0.5, "val_loss": 1.0, "val_accuracy": 0.5}
    run.save_history([row, row | {"epoch": 2}])
    return run, dataset, judgements


def test_the_report_shows_pictures_within_the_page(tmp_path, page_of):
    page = page_of(*made(tmp_path, HOSTILE))
    assert page.tags.count("img") >= 10


def test_names_are_text_whatever_they_hold(tmp_path, page_of):
    page = page_of(*made(tmp_path, HOSTILE))
    for name in HOSTILE:
        assert name in page.told
    for injected in ("<script", "<i>a", "<b>\n", "<em>won"):
        assert injected not in page.source


def test_class_names_that_are_not_utf_8_are_written_with_escapes(tmp_path, page_of):
    page = page_of(*made(tmp_path, ["caf\udce9", "tea"]))
    assert "caf\\udce9" in page.source


def test_what_cannot_be_seen_in_a_name_is_written_out(tmp_path, page_of):
    page = page_of(*made(tmp_path, ["cat\u202egod", "a\x1b[31mb", "c"], sides=("train", "val")))
    assert "\u202e" not in page.source
    assert "\x1b" not in page.source
    assert "cat\\u202egod" in page.source


def test_many_classes(tmp_path, page_of):
    names = [f"class {number:02}" for number in range(60)]
    page = page_of(*made(tmp_path, names, sides=("train", "val"), each=1))
    # In the table, and at the rows and columns of the matrix.
    assert all(page.source.count(name) >= 3 for name in names)
    assert page.tags.count("svg") == 6
    # A thumbnail for at most 24 worst and 48 typical pictures keeps the file small.
    assert page.tags.count("img") <= 72


@pytest.mark.parametrize("sides", [("train",), ("train", "val"), ("train", "test")])
def test_sides_that_are_not_there_are_not_told_of(tmp_path, page_of, sides):
    page = page_of(*made(tmp_path, ["a", "b"], sides=sides))
    headline = {"train": "nothing was held out", "val": "validation pictures"}
    assert headline.get(sides[-1], "test pictures") in page.source
    assert page.source.count('class="card"') == len(sides) + 1
    too_few = f"too few {'validation' if 'val' in sides else 'test'} pictures"
    assert ("Nothing was held out" if sides == ("train",) else too_few) in page.told


def test_the_learning_rate_is_drawn_where_the_history_has_it(tmp_path, page_of):
    run, dataset, judgements = made(tmp_path, ["a", "b"])
    figures = page_of(run, dataset, judgements).tags.count("svg")
    run.save_history([row | {"learning_rate": 0.1 / row["epoch"]} for row in run.history()])
    page = page_of(run, dataset, judgements)
    assert page.tags.count("svg") == figures + 1
    assert 'aria-label="Learning rate over the epochs: learning rate"' in page.source


def test_a_report_without_a_history(tmp_path, page_of):
    run, dataset, judgements = made(tmp_path, ["a", "b"])
    run.history_file.unlink()
    page = page_of(run, dataset, judgements)
    assert page.tags.count("svg") == 3


def test_the_worst_pictures_have_the_least_probability_for_the_truth(tmp_path):
    _, _, judgements = made(tmp_path, ["a", "b", "c"], each=20)
    judged = judgements["test"]
    shown = worst(judged)
    truth = {
        path: (float(row[label]), int(row.argmax()) == label, float(row.max()))
        for path, row, label in zip(
            judged.examples.paths, judged.answers, judged.examples.labels, strict=True
        )
    }
    wrong = sorted((p, path) for path, (p, right, _) in truth.items() if not right)
    assert [picture.path for picture in shown] == [path for _, path in wrong[:24]]
    assert all(p.probability == pytest.approx(truth[p.path][2]) for p in shown)
    assert all(not picture.right and picture.true != picture.answer for picture in shown)
    assert {picture.true for picture in typical(judged)} == {"a", "b", "c"}


def test_no_wrong_picture_is_shown_where_all_are_right(tmp_path, page_of):
    run, dataset, judgements = made(tmp_path, ["a", "b"])
    judged = judgements["test"]
    answers = np.eye(2, dtype=np.float32)[judged.examples.labels]
    scores = score(answers, judged.examples.labels)
    right = dataclasses.replace(judged, answers=answers, scores=scores)
    assert worst(right) == []
    assert common_confusions(right.scores.confusion) == []
    page = page_of(run, dataset, judgements | {"test": right})
    assert "every test picture was answered right" in page.source


def test_the_commonest_confusions_come_first():
    confusion = np.array([[5, 4, 1], [0, 10, 0], [9, 0, 1]])
    assert [dataclasses.astuple(pair) for pair in common_confusions(confusion)] == [
        (2, 0, 9, 0.9),
        (0, 1, 4, 0.4),
        (0, 2, 1, 0.1),
    ]


def test_every_task_that_can_be_trained_has_a_page():
    assert all(callable(maker_of(name)) for name in NAMES)


LAST = {"epoch": 9, "seconds": 3.0, "images_per_s": 9.0, "loss": 0.3, "skipped_steps": 0}


def test_the_last_epoch_that_was_measured_is_what_is_judged(tmp_path, page_of):
    run, dataset, judgements = made(tmp_path, ["a", "b"], each=20)
    measured = {"train_accuracy": 1.0, "val_accuracy": 0.25, "train_loss": 0.1, "val_loss": 2.0}
    run.save_history([LAST | {"epoch": 7}, LAST | measured | {"epoch": 8}, LAST])
    said = fit(Material(run, run.manifest.recipe, dataset, judgements, run.history()))
    assert said.kind == "over-fitting"
    assert "towards the training's end, where the gap is 75.0 points" in said.says
    page = page_of(run, dataset, judgements)
    assert page.tags.count("svg") == 5  # what one epoch alone measured has no curve


def test_flags_in_advice_stay_on_one_line(tmp_path, page_of):
    run, dataset, judgements = made(tmp_path, ["a", "b"], each=20)
    page = page_of(run, dataset, judgements)
    assert re.search(r'<span class="flag">--[a-z-]+ \S+</span>', page.source)


@pytest.mark.parametrize(
    ("right", "count", "low", "high"),
    [
        # Newcombe 1998, Statistics in Medicine 17, table I, method 3.
        (81, 263, 0.2553, 0.3662),
        (15, 148, 0.0624, 0.1605),
        (0, 20, 0.0000, 0.1611),
        (1, 29, 0.0061, 0.1718),
    ],
)
def test_wilsons_interval(right, count, low, high):
    assert wilson(right / count, count) == pytest.approx((low, high), abs=1e-4)
    mirrored = wilson(1 - right / count, count)
    assert mirrored == pytest.approx((1 - high, 1 - low), abs=1e-4)


def test_judging_takes_as_many_training_pictures_as_are_held_out_or_enough(small_set, small_run):
    judgements = judge(open_run(small_run), open_dataset(small_set), device=torch.device("cpu"))
    assert {name: len(j.examples) for name, j in judgements.items()} == {
        "test": 18,
        "val": 18,
        "train": LEAST_PICTURES,
    }
    assert judgements["val"].scores.accuracy == 1.0


def test_the_side_to_judge_by_is_the_one_furthest_from_training(small_set, small_run):
    dataset = open_dataset(small_set)
    assert default_split(dataset) == "test"
    train_val = dataset.select(np.flatnonzero(dataset.splits < 2))
    assert default_split(train_val) == "val"
    assert default_split(dataset.split("train")) == "all"
    judged = judge_examples(
        open_run(small_run).model, dataset.split("val"), device=torch.device("cpu")
    )
    history = open_run(small_run).history()
    best = [row for row in history if row["val_accuracy"] == 1.0][-1]
    assert judged.scores.loss == pytest.approx(best["val_loss"], rel=1e-5)


@pytest.mark.parametrize("of_boxes", [False, True])
def test_training_pictures_that_stand_for_all_have_each_class_in_its_share(of_boxes):
    """Of boxes, each picture counts for the rarest class that is in it."""
    kinds, count = np.repeat([0, 1, 2, 0], [100, 20, 5, 1]), 126
    boxes = gather_boxes(
        np.concatenate([np.arange(count), np.arange(count)]),
        count,
        corners=np.tile([0.0, 0.0, 9.0, 9.0], (2 * count, 1)),
        classes=np.concatenate([np.zeros(count, np.int64), kinds]),
    )
    dataset = Dataset(
        *(Path("set"), "made", ("a", "b", "c"), tuple(f"{n}.png" for n in range(count))),
        np.full(count, -1) if of_boxes else kinds,
        np.repeat([0, 1], [count - 1, 1]).astype(np.int8),  # one is held out
        boxes if of_boxes else None,
    )
    chosen = [int(path.removesuffix(".png")) for path in stand_ins(dataset).paths]
    assert np.bincount(kinds[chosen]).tolist() == [16, 3, 1]
    assert len(stand_ins(dataset, known=True)) == count - 1, "which costs nothing"
