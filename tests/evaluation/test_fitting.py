"""The verdict on real trainings that over-fit, under-fit or fit, and where its limits lie."""

import json
import re

import pytest
import torch
import tyro

from viewfinder import nets
from viewfinder.datasets.opening import open_dataset
from viewfinder.evaluation.fitting import Side, verdict
from viewfinder.evaluation.judging import judge
from viewfinder.evaluation.report import fit_verdict
from viewfinder.runs.recipe import Recipe
from viewfinder.training.train import train

UNCHANGED = {"shift": 0.0, "scale": 0.0, "turn": 0.0, "flip": 0.0, "colour": 0.0}
COMMON = {"precision": "32", "keep": "memory", "batch": 20}


def verdict_on(data, recipe, out):
    run = train("classify", data, recipe, out=out)
    dataset = open_dataset(data)
    judgements = judge(run, dataset, device=torch.device("cpu"))
    return fit_verdict(run, judgements, dataset), run


def test_labels_learnt_by_heart_are_over_fitting(make_set, tmp_path):
    data = make_set(train=20, val=20, test=0, told_apart=False)
    recipe = Recipe(
        **COMMON | UNCHANGED | {"batch": 10},
        epochs=25,
        average=0.9,
        learning_rate=0.01,
        weight_decay=0.0,
        label_smoothing=0.0,
    )
    said, run = verdict_on(data, recipe, tmp_path / "run")
    assert said.kind == "over-fitting", said
    assert "20 a class is few" in said.tries[0]
    scores = json.loads(run.scores_file.read_text())
    assert f"{scores['train']['accuracy']:.1%} of training pictures" in said.says
    assert "over-fits" in run.report_file.read_text(encoding="utf-8")


def test_a_net_that_was_hardly_trained_is_under_fitting(make_set, tmp_path):
    recipe = Recipe(**COMMON, epochs=1, learning_rate=1e-6)
    said, run = verdict_on(make_set(train=20, val=10, test=0), recipe, tmp_path / "run")
    assert said.kind == "under-fitting", said
    assert said.tries[0] == "train for longer: --epochs 2"
    assert "under-fits" in run.report_file.read_text(encoding="utf-8")


def test_colours_that_are_told_apart_fit_well(make_set, tmp_path):
    recipe = Recipe(**COMMON, epochs=10)
    said, _ = verdict_on(make_set(train=20, val=10, test=0), recipe, tmp_path / "run")
    assert said.kind == "fine", said
    assert "predict" in said.tries[0]


def said_of(train, held_out, recipe=None, per_class=1000.0, losses=()):
    return verdict(
        train,
        held_out,
        recipe=recipe or Recipe(),
        per_class=per_class,
        validation_losses=list(losses),
    )


@pytest.mark.parametrize(
    ("train", "held_out", "kind"),
    [
        (Side(0.99, 1000), Side(0.95, 1000), "fine"),  # A gap of 4 points harms nobody.
        (Side(0.99, 1000), Side(0.92, 1000), "over-fitting"),
        (Side(1.00, 30), Side(0.90, 30), "fine"),  # 3 of 30: chance can make that.
        (Side(1.00, 30), Side(0.60, 30), "over-fitting"),
        (Side(0.70, 1000), Side(0.69, 1000), "under-fitting"),
        (Side(0.70, 1000), Side(0.40, 1000), "over-fitting"),
        (Side(0.84, 1000), Side(0.90, 1000), "under-fitting"),
        (Side(0.90, 1000), Side(0.95, 1000), "fine"),
        (Side(1.0, 20), Side(1.0, 20), "fine"),
        (Side(1.0, 1000), Side(0.0, 19), "unknown"),
        (Side(1.0, 19), Side(0.0, 1000), "unknown"),
        (Side(1.0, 1000), None, "unknown"),
    ],
)
def test_where_the_limits_lie(train, held_out, kind):
    assert said_of(train, held_out).kind == kind


def test_what_is_too_few_is_named_and_what_helps():
    assert "too few training" in said_of(Side(1.0, 5), Side(1.0, 500)).says
    few = said_of(Side(1.0, 500), Side(1.0, 5))
    assert "too few validation" in few.says
    assert any("--val-share 0.2" in each for each in few.tries)


def test_when_over_fitting_began_is_said():
    worse = said_of(Side(1.0, 500), Side(0.5, 500), losses=[1.0, 0.5, 0.7, 0.9])
    assert "lowest at epoch 2 (0.50) and rose to 0.90" in worse.says
    level = said_of(Side(1.0, 500), Side(0.5, 500), losses=[1.0, 0.5, 0.5, 0.51])
    assert "lowest" not in level.says


RECIPES = [
    Recipe(net=net, size=32 if net == "lenet" else None, **fields)
    for net in ("lenet", "alexnet", "vgg16", "googlenet", "resnet18")
    for fields in ({}, UNCHANGED, {"minutes": 3.0}, {"turn": 45.0, "erase": 0.5})
]
SIDES = [
    (Side(1.0, 500), Side(0.5, 500)),
    (Side(0.5, 500), Side(0.5, 500)),
    (Side(0.9, 500), Side(0.9, 500)),
    (Side(1.0, 500), Side(1.0, 5)),
]


@pytest.mark.parametrize("recipe", RECIPES, ids=lambda r: f"{r.net}-{r.turn:g}-{r.minutes}")
@pytest.mark.parametrize("per_class", [10.0, 1000.0])
def test_all_advice_can_be_followed(recipe, per_class):
    """Every flag that is advised is one of the recipe's, and every option one of the net's."""
    for sides in SIDES:
        for advice in said_of(*sides, recipe=recipe, per_class=per_class).tries:
            words = re.findall(r"(?:(?<= )|^)(--[a-z-]+ [^\s,;]+(?: [a-z]+=\S+)*)", advice)
            flags = [word for found in words for word in found.split()]
            advised = tyro.cli(Recipe, args=flags, config=(tyro.conf.FlagCreatePairsOff,))
            net = advised.net if any("--net" in w for w in words) else recipe.net
            assert set(advised.net_options()) <= set(nets.options(net)), advice
