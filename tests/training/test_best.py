"""Which weights a training keeps: what chance makes of few pictures chooses none."""

from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from torch import nn

from viewfinder.datasets.boxes import gather_boxes
from viewfinder.datasets.dataset import Dataset
from viewfinder.evaluation.kept import can_choose, kept_in_words
from viewfinder.tasks import find
from viewfinder.tasks.chance import share_error
from viewfinder.tasks.classify.recipe import ClassifyRecipe
from viewfinder.tasks.detect.recipe import DetectRecipe
from viewfinder.training import best
from viewfinder.training.best import BestWeights
from viewfinder.training.progress import TrainingProgress

SCRATCH = ClassifyRecipe(net="lenet", epochs=3)
TUNED = ClassifyRecipe(head="full")


def pictures_of(labels):
    return Dataset(
        *(Path("set"), "folders", ("cat", "dog")),
        tuple(f"{number}.png" for number in range(len(labels))),
        np.asarray(labels, np.int64),
        np.ones(len(labels), np.int8),
    )


def kept(monkeypatch, right, *, of, recipe=SCRATCH, first=None):
    """The epoch that is kept where so many of the validation pictures come right, by epoch."""
    saved = []
    run = SimpleNamespace(
        manifest=SimpleNamespace(task="classify", recipe=recipe),
        model=SimpleNamespace(config=None),
        save_weights=saved.append,
    )
    val = SimpleNamespace(truth=pictures_of([0, 1] * (of // 2)))
    job = SimpleNamespace(run=run, splits=SimpleNamespace(val=val))
    fabric = SimpleNamespace(global_rank=0, world_size=1, device=torch.device("cpu"))
    scores = iter([*([] if first is None else [first]), *right])
    monkeypatch.setattr(best, "measure", lambda *_: {"val_accuracy": next(scores) / of})
    weights, now = BestWeights(fabric, job, nn.Identity()), TrainingProgress()
    if first is not None:
        weights.begin(now)
    for _ in right:
        now.epoch += 1
        row = weights.choose(now)
    assert row["kept_epoch"] == now.kept_epoch
    assert len(saved) >= 1
    return now.kept_epoch, weights.says(now)


def test_four_pictures_choose_nothing_and_that_is_said(monkeypatch):
    assert kept(monkeypatch, [4, 2, 1], of=4) == (
        3,
        "The weights are those of the last epoch: 4 validation pictures are too few to tell epochs "
        "apart.",
    )


def test_of_many_pictures_the_latest_is_kept_that_is_as_good_as_any(monkeypatch):
    assert kept(monkeypatch, [60, 80, 78, 60], of=100) == (3, "")


def test_one_picture_less_than_all_is_no_worse(monkeypatch):
    """The error of 20 right of 20, by what was seen alone, would be none."""
    assert kept(monkeypatch, [20, 19], of=20)[0] == 2
    assert kept(monkeypatch, [20, 15], of=20)[0] == 1


@pytest.mark.parametrize(
    ("first", "right", "of", "epoch"),
    [
        (4, [4, 4], 6, 0),
        (4, [5, 5], 6, 0),
        (3, [3, 6], 6, 2),
        (30, [32, 44], 50, 2),
        (9, [2], 10, 0),
    ],
)
def test_a_solved_layer_stays_until_others_do_better_by_more_than_chance(
    monkeypatch, first, right, of, epoch
):
    found, says = kept(monkeypatch, right, of=of, recipe=TUNED, first=first)
    assert found == epoch
    assert says.startswith("The weights are those before the first step") is not bool(epoch)


def test_objects_choose_a_detectors_weights_and_the_rarest_class_counts():
    task, recipe = find("detect"), DetectRecipe()

    def held_out(pictures, counts):
        """So many pictures, each with so many objects of each class."""
        classes = np.tile(np.repeat(np.arange(len(counts)), counts), pictures)
        of = np.repeat(np.arange(pictures), sum(counts))
        corners = np.tile([0.0, 0.0, 9.0, 9.0], (len(of), 1))
        boxes = gather_boxes(of, pictures, corners=corners, classes=classes)
        return replace(pictures_of([-1] * pictures), boxes=boxes)

    assert not can_choose(task, held_out(3, [40]), recipe)
    assert not can_choose(task, held_out(5, [12, 1]), recipe)
    assert can_choose(task, held_out(5, [12, 4]), recipe)
    assert task.tolerance(0.9, 600) == pytest.approx(0.02)
    assert task.tolerance(0.6, 30) == pytest.approx(share_error(0.6, 30))


def test_the_words_name_the_epoch_and_the_reason():
    task, val = find("classify"), pictures_of([0, 1] * 15)
    assert "there were no validation pictures" in kept_in_words(task, None, SCRATCH, kept=3, last=3)
    assert kept_in_words(task, val, SCRATCH, kept=2, last=3) == (
        "The weights are those of epoch 2 of 3, the latest that was as good on 30 validation "
        "pictures as the best, within what chance makes."
    )
