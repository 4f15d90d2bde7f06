"""A headline does not flatter: a net that always says cat, of 100 cats, 20 dogs and 5 birds."""

import json
from dataclasses import replace

import numpy as np
import pytest
import torch

from viewfinder.cli.main import main
from viewfinder.datasets.checks.checking import check_dataset
from viewfinder.datasets.opening import open_dataset
from viewfinder.evaluation.classify import page as classify_page
from viewfinder.evaluation.judging import Judgement, judge
from viewfinder.evaluation.material import Material
from viewfinder.pictures.writing import write_picture
from viewfinder.tasks.classify.recipe import ClassifyRecipe
from viewfinder.tasks.classify.scores import score
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
    assert capsys.readouterr().out.splitlines()[0] == (
        "test: accuracy 78.9%, balanced accuracy 33.3%, chance 33.3%, largest class 78.9%"
    )
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
    assert "78.9% of 19 test pictures right, no better than always answering cat" in page.told
    assert "balanced 33.3%; chance 33.3%, always cat 78.9%; 19 pictures" in page.told
    said = classify_page.fit(Material(run, run.manifest.recipe, dataset, judgements, run.history()))
    assert said.kind != "fine"
    assert "Not one held-out picture is answered right of bird (" in said.says
    assert "dog (" in said.says
    (first, *rest) = said.tries
    assert first.endswith("cat has 75 training pictures, bird 3: --balanced")
    assert not any("--balanced" in each for each in rest)
    manifest = replace(run.manifest, recipe=ClassifyRecipe(net="lenet", balanced=True))
    told = Material(
        replace(run, manifest=manifest), manifest.recipe, dataset, judgements, run.history()
    )
    assert not any("--balanced" in each for each in classify_page.fit(told).tries)


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
    assert f"right of {dataset.classes[0]} (30 pictures)" in said.says


def test_the_mean_recall_is_of_classes_that_have_pictures():
    labels = np.array([0, 0, 0, 1])
    scores = score(np.eye(3, dtype=np.float32)[[0, 0, 1, 1]], labels)
    assert scores.balanced_accuracy == pytest.approx((2 / 3 + 1) / 2)
    assert scores.largest == (0, 0.75)
