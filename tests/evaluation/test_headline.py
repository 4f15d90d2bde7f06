"""A headline does not flatter: a net that always says cat, of 100 cats, 20 dogs and 5 birds."""

import json
import math
from dataclasses import replace

import numpy as np
import pytest
import torch

from viewfinder.cli.main import main
from viewfinder.datasets.checks.checking import check_dataset
from viewfinder.datasets.opening import open_dataset
from viewfinder.evaluation.always import of_confusion
from viewfinder.evaluation.classify import page as classify_page
from viewfinder.evaluation.folded import falls_short, learnt_and_held
from viewfinder.evaluation.folds import folds_of, in_words, judged, section
from viewfinder.evaluation.judging import Judgement, judge
from viewfinder.evaluation.material import Material
from viewfinder.evaluation.report import write_report
from viewfinder.pictures.writing import write_picture
from viewfinder.runs.run import open_run
from viewfinder.runs.scores import read_scores
from viewfinder.tasks import find
from viewfinder.tasks.classify.recipe import ClassifyRecipe
from viewfinder.tasks.classify.scores import ClassifyScores, score
from viewfinder.training.train import train


@pytest.fixture(scope="module")
def always_cat(tmp_path_factory):
    """The set, and a run that answers cat to everything."""
    folder = tmp_path_factory.mktemp("cats")
    random = np.random.default_rng(0)
    for name, count in (("cat", 100), ("dog", 20), ("bird", 5)):
        for number in range(count):
            pixels = random.integers(0, 256, (8, 8, 3), dtype=np.uint8)
            write_picture(folder / "data" / name / f"{number}.png", pixels)
    recipe = ClassifyRecipe(
        net="lenet", epochs=1, learning_rate=1e-6, precision="32", keep="memory"
    )
    run = train("classify", folder / "data", recipe, out=folder / "run")
    state = {name: torch.zeros_like(tensor) for name, tensor in run.net().state_dict().items()}
    bias = list(state)[-1]
    assert state[bias].shape == (3,)
    state[bias][run.manifest.classes.index("cat")] = 4.0
    run.save_weights(state)
    return folder / "data", run


def test_evaluate_tells_what_always_cat_would_have(always_cat, capsys):
    data, run = always_cat
    assert main(["evaluate", str(run.folder), str(data)]) == 0
    assert capsys.readouterr().out.splitlines()[:2] == [
        "test: accuracy 78.9%, balanced accuracy 33.3%, chance 33.3%, largest class 78.9%, "
        "of 19 pictures, too few to tell",
        "that is no better than always answering cat (78.9%)",
    ]
    assert main(["evaluate", str(run.folder), str(data), "--json"]) == 0
    document = json.loads(capsys.readouterr().out)
    assert document["balanced_accuracy"] == pytest.approx(1 / 3)
    assert document["chance"] == pytest.approx(1 / 3)
    assert document["largest_class"] == document["accuracy"] == pytest.approx(15 / 19)


def test_the_report_does_not_announce_it_as_a_success(always_cat, page_of):
    data, run = always_cat
    dataset = open_dataset(data)
    assert "imbalance" in {fault.kind for fault in check_dataset(dataset)}
    judgements = judge(run, dataset, device=torch.device("cpu"))
    page = page_of(run, dataset, judgements)
    assert (
        "78.9% of 19 test pictures right, too few to tell, no better than always answering cat"
        in page.told
    )
    assert "balanced 33.3%; chance 33.3%, always cat 78.9%; loss " in page.told
    said = classify_page.fit(Material(run, run.manifest.recipe, dataset, judgements, run.history()))
    assert said.kind != "fine"
    assert "answered right of these classes: bird (" in said.says
    assert "dog (" in said.says
    (first, *rest) = said.tries
    assert first.endswith("cat has 75 training pictures, bird 3: --balanced")
    assert not any("--balanced" in each for each in rest)
    manifest = replace(run.manifest, recipe=ClassifyRecipe(net="lenet", balanced=True))
    told = Material(
        replace(run, manifest=manifest), manifest.recipe, dataset, judgements, run.history()
    )
    assert not any("--balanced" in each for each in classify_page.fit(told).tries)


def test_folds_do_not_flatter_either(always_cat):
    """Three folds of nets that always say cat, and a last one that does, of which nothing is held
    out: the line has what always cat would have, and the verdict does not stay away."""
    data, run = always_cat
    dataset = open_dataset(data)
    whole = replace(dataset, splits=np.zeros(len(dataset), np.int8))
    cat = dataset.classes.index("cat")

    def always(examples):
        answers = np.full((len(examples), 3), 0.1, np.float32)
        answers[:, cat] = 0.8
        return Judgement(examples, answers, score(answers, examples.labels), 1.0)

    parts = [whole.select(np.arange(start, len(whole), 3)) for start in range(3)]
    tests = [always(part).as_json() for part in parts]
    rows = [
        {"test": len(part), "val": 0, "train": 125 - len(part), "kept_epoch": 1}
        | {"figure": test["accuracy"], "learnt": 0.8}
        for part, test in zip(parts, tests, strict=True)
    ]
    folds = judged("accuracy", rows, find("classify").pooled(tests)) | {"epochs": 1}
    assert folds["together"]["per_class"] == always(whole).as_json()["per_class"]
    assert folds["together"]["balanced_accuracy"] == pytest.approx(1 / 3)
    assert in_words(folds, ".1%").startswith("accuracy 80.0%, 95 % interval")
    assert in_words(folds, ".1%").endswith(", no better than always answering cat (80.0%)")
    said = write_report(run, whole, {"train": always(whole)}, folds)
    assert said.kind == "under-fitting"
    assert "no more than by always answering cat (80.0%)" in said.says
    assert "No held-out picture is answered right of these classes" in said.says
    assert said.tries[0].endswith("--balanced")
    page = run.report_file.read_text(encoding="utf-8")
    assert said.says in page
    assert "(balanced accuracy) is 33.3%; chance is 33.3%, and always answering cat" in page


def test_folds_of_a_balanced_training_speak_of_balanced_accuracy(always_cat, tmp_path, capsys):
    """Of the folds together, the run on everything, and the terminal's first figure."""
    data, _ = always_cat
    options = ["--net", "lenet", "--epochs", "1", "--folds", "2", "--balanced"]
    out = tmp_path / "run"
    assert main(["train", "classify", str(data), *options, "--out", str(out)]) == 0
    shown = capsys.readouterr()
    run = open_run(out)
    folds = read_scores(run.scores_file)["folds"]
    assert folds["figure"] == "balanced_accuracy"
    assert folds["mean"] == folds["together"]["balanced_accuracy"] == folds_of(folds)["mean"]
    # The rarest class is of five pictures, and says so.
    assert folds["high"] - folds["low"] > 0.2
    assert f"folds balanced accuracy {folds['mean']:.1%}, 95 % interval" in shown.out
    assert f"  accuracy {folds['together']['accuracy']:.1%}" in shown.out
    assert "fold 1 of 2: balanced accuracy" in shown.err
    page = run.report_file.read_text(encoding="utf-8")
    assert f"Balanced accuracy {folds['mean']:.1%}" in page
    assert "balanced accuracy is" in page
    assert "Of all pictures" in page


def test_weights_of_a_balanced_training_are_chosen_by_balanced_accuracy(always_cat):
    """An error of a mean over classes is that of its rarest: with 100, 20 and 5 pictures as of 35,
    so that later weights are as good from further below."""
    task, dataset = find("classify"), open_dataset(always_cat[0], deal=False)
    plain, balanced = (ClassifyRecipe(net="lenet", balanced=b) for b in (False, True))
    assert task.chosen_by(plain) == "accuracy"
    assert task.chosen_by(balanced) == "balanced_accuracy"
    assert task.worth(dataset, plain) == 125
    assert task.worth(dataset, balanced) == pytest.approx(9 / (1 / 100 + 1 / 20 + 1 / 5))
    right = np.array([50, 10, 3])
    scores = ClassifyScores(0.5, 1.0, np.diag(right) + np.roll(np.diag([50, 10, 2]), 1, 1))
    shares = right / (100, 20, 5)
    error = math.sqrt((shares * (1 - shares) / (100, 20, 5)).sum()) / 3
    worth = task.worth(dataset, balanced)
    assert task.tolerance(scores.balanced_accuracy, worth) == pytest.approx(error, rel=0.05)


def test_what_folds_learnt_and_did_not_answer_is_over_fitting():
    """Of nets that know what they learnt by heart and answer the rest as badly as chance."""
    rows = [
        {"test": 20, "val": 0, "train": 40, "kept_epoch": 1, "figure": figure, "learnt": 1.0}
        for figure in (0.3, 0.35, 0.4)
    ]
    for figure in ("accuracy", "ap50", "s_measure"):
        learnt, held_out = learnt_and_held(judged(figure, rows), objects=None)
        assert (learnt.score, learnt.images, held_out.images) == (1.0, 60, 60)
        assert held_out.score == pytest.approx(0.35)
        assert learnt.score - held_out.score > 2 * math.hypot(learnt.error, held_out.error)
    assert learnt_and_held(judged("ap50", [row | {"figure": None} for row in rows])) is None


def test_a_lost_class_is_not_fine_however_few_pictures_it_has(always_cat):
    """1,000 pictures of which 970 are right: the rest is one class, and all of it wrong."""
    data, run = always_cat
    dataset = open_dataset(data)
    labels = np.array([0] * 30 + [1] * 470 + [2] * 500)
    answers = np.eye(3, dtype=np.float32)[np.maximum(labels, 1)]
    examples = dataset.select(np.zeros(len(labels), np.int64))
    judged = Judgement(replace(examples, labels=labels), answers, score(answers, labels), 1.0)
    said = classify_page.fit(
        Material(run, run.manifest.recipe, dataset, {"val": judged, "train": judged}, [])
    )
    assert said.kind == "uneven"
    assert "fine" not in said.says
    assert f"No held-out picture of {dataset.classes[0]} (30 pictures)" in said.says


def test_the_weakest_classes_are_named_where_they_are_far_below_the_rest(always_cat):
    data, run = always_cat
    dataset = open_dataset(data)

    def said(*right):
        there = (100, 20, 5)
        labels = np.repeat([0, 1, 2], there)
        known = np.concatenate([np.arange(n) < k for n, k in zip(there, right, strict=True)])
        answers = np.eye(3, dtype=np.float32)[np.where(known, labels, (labels + 1) % 3)]
        examples = replace(dataset.select(np.zeros(len(labels), np.int64)), labels=labels)
        judged = Judgement(examples, answers, score(answers, labels), 1.0)
        judgements = {"val": judged, "train": judged}
        return classify_page.fit(Material(run, run.manifest.recipe, dataset, judgements, []))

    one, two, three = dataset.classes
    far = said(100, 10, 1)
    assert far.kind == "uneven"
    assert (
        f"Of held-out pictures far fewer are right of {three} (1 of 5 right), {two} (10 of 20 "
        "right) than of the rest (100.0%)."
    ) in far.says
    assert f"add pictures of {three}, {two}" in far.tries
    assert said(100, 19, 4).kind == "fine", "which chance makes"
    assert one not in said(95, 19, 5).says


def test_a_balanced_training_is_judged_by_what_it_is_after(always_cat):
    """A net that knows all it has learnt from, and of what was held out the largest class alone."""
    data, run = always_cat
    dataset = open_dataset(data)
    labels = np.repeat([0, 1, 2], [6, 12, 60])
    examples = replace(dataset.select(np.zeros(len(labels), np.int64)), labels=labels)

    def side(wrong):
        answered = np.where(wrong & (labels < 2) & (np.arange(len(labels)) % 6 > 0), 2, labels)
        answers = np.eye(3, dtype=np.float32)[answered]
        return Judgement(examples, answers, score(answers, labels), 1.0)

    judgements = {"val": side(np.True_), "train": side(np.False_)}
    recipe = replace(run.manifest.recipe, balanced=True)
    said = classify_page.fit(Material(run, recipe, dataset, judgements, []))
    assert said.kind == "over-fitting"
    assert "balanced accuracy is 100.0% on training pictures and 44.4%" in said.says


def test_a_last_training_that_knows_a_part_of_what_the_folds_know_falls_short():
    rows = [
        {"test": 10, "val": 0, "train": 20, "kept_epoch": 2, "figure": 0.05, "learnt": learnt}
        for learnt in (0.027, 0.066, 0.028)
    ]
    folds = judged("ap50", rows)
    own = {"train": {"ap50": 0.009, "images": 30}}
    assert "it knows 0.009, and the folds' nets 0.040 of theirs" in falls_short(folds, own, ".3f")
    own["train"]["ap50"] = 0.027
    assert falls_short(folds, own, ".3f") == "", "as one of the folds does"
    unseen = "it knows 0.027, less than the folds' nets of those that they had not seen (0.100)"
    assert unseen in falls_short(folds | {"mean": 0.1}, own, ".3f")


def test_the_mean_recall_is_of_classes_that_have_pictures():
    labels = np.array([0, 0, 0, 1])
    scores = score(np.eye(3, dtype=np.float32)[[0, 0, 1, 1]], labels)
    assert scores.balanced_accuracy == pytest.approx((2 / 3 + 1) / 2)
    assert scores.largest == (0, 0.75)


def test_a_lead_that_chance_can_make_is_not_told_as_one(always_cat):
    """28 of 34 right, where always answering cat has 27: in the headline and the verdict, for folds
    as for a split; a clear lead is told with what always answering cat comes to."""
    data, run = always_cat
    dataset = open_dataset(data)
    cat = dataset.classes.index("cat")
    labels = np.array([cat] * 27 + [(cat + 1) % 3] * 7)
    examples = replace(dataset.select(np.zeros(len(labels), np.int64)), labels=labels)

    def answered(right):
        answers = np.eye(3, dtype=np.float32)[np.where(np.arange(34) < right, labels, cat)]
        return Judgement(examples, answers, score(answers, labels), 1.0)

    close, clear = (answered(right) for right in (28, 34))
    material = Material(run, run.manifest.recipe, dataset, {"val": close, "train": clear}, [])
    words = "not clearly better than always answering cat (79.4%)"
    page = classify_page.page(material)
    assert page.own["no_better"] == words
    assert f"On pictures that were held out the net is {words}." in page.verdict.says
    assert page.verdict.kind != "fine"
    assert of_confusion(clear.scores.confusion, dataset.classes) == ""
    together = close.as_json()
    rows = [
        {"test": 17, "val": 0, "train": 17, "kept_epoch": 1, "figure": f, "learnt": 1.0}
        for f in (13 / 17, 15 / 17)
    ]
    folds = judged("accuracy", rows, together)
    assert in_words(folds, ".1%").endswith(f"of 34 pictures in 2 folds, {words}")
    assert section(folds | {"epochs": 1}, ".1%")["says"].endswith(words)
    folded = classify_page.fit(
        Material(run, run.manifest.recipe, dataset, {"train": clear}, [], folds | {"epochs": 1})
    )
    assert f"the net is {words}" in folded.says
    sure = judged("accuracy", [row | {"figure": 1.0} for row in rows], clear.as_json())
    assert in_words(sure, ".1%").endswith("in 2 folds; always answering cat comes to 79.4%")
