"""A whole training: what it writes, how it goes on after a kill, and how it fails."""

import math
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from safetensors.torch import load_file

from viewfinder.errors import InputError
from viewfinder.runs.run import RunFolder, open_run
from viewfinder.tasks.classify.recipe import ClassifyRecipe
from viewfinder.tasks.classify.task import Classify
from viewfinder.training import loop
from viewfinder.training.train import train

QUICK = {"net": "lenet", "epochs": 3, "batch": 9, "precision": "32", "keep": "memory"}


def weights(run: RunFolder | Path) -> dict[str, torch.Tensor]:
    folder = run if isinstance(run, Path) else run.folder
    return load_file(folder / "weights.safetensors")


def assert_same(one: dict[str, torch.Tensor], other: dict[str, torch.Tensor]) -> None:
    assert one.keys() == other.keys()
    assert [name for name in one if not torch.equal(one[name], other[name])] == []


def untimed(run: RunFolder) -> list[dict[str, float]]:
    """The history but for what two trainings never share."""
    return [
        {name: value for name, value in row.items() if name not in ("seconds", "images_per_s")}
        for row in run.history()
    ]


def test_a_training_learns_and_writes_its_run(make_set, tmp_path):
    recipe = ClassifyRecipe(**QUICK | {"epochs": 12})
    run = train("classify", make_set(), recipe, out=tmp_path / "run")
    names = {path.name for path in run.folder.iterdir()}
    assert names == {
        *("run.json", "weights.safetensors", "state.ckpt", "history.csv", "scores.json"),
        *("report.html", "tensorboard", "pictures.csv", "calibration.json"),
    }
    history = run.history()
    assert [row["epoch"] for row in history] == list(range(1, 13))
    assert history[-1]["loss"] < 0.7 * history[0]["loss"]
    assert history[-1]["val_accuracy"] == 1.0
    reopened = open_run(run.folder).manifest
    assert reopened.recipe == recipe
    assert reopened.classes == ("amber", "blue", "green")
    assert reopened.data["images"] == {"train": 36, "val": 18, "test": 18}


def test_the_same_seed_gives_the_same_weights_and_another_seed_others(make_set, tmp_path):
    data = make_set()
    runs = [
        train("classify", data, ClassifyRecipe(**QUICK, seed=seed), out=tmp_path / str(number))
        for number, seed in enumerate((1, 1, 2))
    ]
    assert_same(weights(runs[0]), weights(runs[1]))
    assert not torch.equal(weights(runs[0])["fc3.weight"], weights(runs[2])["fc3.weight"])


@pytest.mark.parametrize("keep", ["disk", "none"])
def test_where_pictures_are_kept_changes_nothing(make_set, tmp_path, monkeypatch, keep):
    monkeypatch.setenv("VIEWFINDER_CACHE", str(tmp_path / "cache"))
    data = make_set()
    memory = train("classify", data, ClassifyRecipe(**QUICK), out=tmp_path / "memory")
    other = train(
        "classify", data, ClassifyRecipe(**QUICK | {"keep": keep}), out=tmp_path / "other"
    )
    assert_same(weights(memory), weights(other))
    assert bool(list((tmp_path / "cache").rglob("*.u8"))) == (keep == "disk")


_KILLED = """
import os, signal, sys
from viewfinder.tasks.classify.recipe import ClassifyRecipe
from viewfinder.training import loop
import torch
torch.set_num_threads(1)
loop._SAVE_EVERY = 0.0
steps, taken = int(sys.argv[3]), 0
step = loop.Fit.step
def killed(self, batch):
    global taken
    taken += 1
    if taken > steps:
        os.kill(os.getpid(), signal.SIGKILL)
    return step(self, batch)
loop.Fit.step = killed
from viewfinder.training.train import train
recipe = ClassifyRecipe(
    net="lenet", epochs=3, batch=9, precision="32", keep="memory", options=("dropout=0.3",)
)
train("classify", sys.argv[1], recipe, out=sys.argv[2])
"""


@pytest.mark.parametrize("steps", [2, 6, 11])  # An epoch has 4 steps: within, within, at the end.
def test_kill_9_and_resume_give_the_weights_of_a_training_left_alone(make_set, tmp_path, steps):
    data, out = make_set(), tmp_path / "killed"
    recipe = ClassifyRecipe(**QUICK, options=("dropout=0.3",))
    whole = train("classify", data, recipe, out=tmp_path / "whole")
    killed = subprocess.run(
        [sys.executable, "-c", _KILLED, str(data), str(out), str(steps)],
        check=False,
        capture_output=True,
        text=True,
    )
    assert killed.returncode == -signal.SIGKILL, killed.stderr
    state = torch.load(out / "state.ckpt", weights_only=True)
    assert state["progress"]["updates"] == steps
    resumed = train("classify", data, recipe, out=out, resume=True)
    assert_same(weights(whole), weights(resumed))
    assert untimed(whole) == untimed(resumed)


def test_resume_refuses_another_recipe_and_other_pictures(make_set, tmp_path):
    data = make_set()
    run = train("classify", data, ClassifyRecipe(**QUICK), out=tmp_path / "run")
    other = ClassifyRecipe(**QUICK, learning_rate=0.01)
    with pytest.raises(InputError, match=r"other values of --learning-rate"):
        train("classify", data, other, out=run.folder, resume=True)
    next(data.rglob("*.png")).unlink()
    with pytest.raises(InputError, match="have changed"):
        train("classify", data, ClassifyRecipe(**QUICK), out=run.folder, resume=True)


def test_an_existing_run_is_not_overwritten(make_set, tmp_path):
    data = make_set()
    run = train("classify", data, ClassifyRecipe(**QUICK), out=tmp_path / "run")
    before = run.weights_file.read_bytes()
    with pytest.raises(InputError, match="exists already"):
        train("classify", data, ClassifyRecipe(**QUICK), out=run.folder)
    assert run.weights_file.read_bytes() == before


def test_a_loss_that_is_no_number_stops_and_keeps_the_best_weights(make_set, tmp_path, monkeypatch):
    step = loop.Fit.step

    def bad(fit):
        return fit.progress.updates == 6

    def poisoned(self, batch):
        value = step(self, batch)
        return {k: v * float("nan") for k, v in value.items()} if bad(self) else value

    monkeypatch.setattr(loop.Fit, "step", poisoned)
    with pytest.raises(InputError, match=r"step 3 of epoch 2; the best weights so far are kept"):
        train("classify", make_set(), ClassifyRecipe(**QUICK), out=tmp_path / "run")
    assert all(w.isfinite().all() for w in weights(tmp_path / "run").values())


def test_a_learning_rate_that_explodes_is_explained_and_leaves_nothing(make_set, tmp_path):
    recipe = ClassifyRecipe(**QUICK, learning_rate=1e30, clip=0.0, warmup=0.0)
    with pytest.raises(InputError, match=r"became NaN or infinite at step \d of epoch 1.*Try --le"):
        train("classify", make_set(), recipe, out=tmp_path / "run")
    assert not (tmp_path / "run").exists()


def test_patience_ends_a_training_that_learns_nothing(make_set, tmp_path):
    data = make_set(train=6, val=7, told_apart=False)
    recipe = ClassifyRecipe(**QUICK | {"epochs": 60}, patience=3, learning_rate=1e-6)
    run = train("classify", data, recipe, out=tmp_path / "run")
    history = run.history()
    measured = [i for i in range(len(history)) if "val_accuracy" in history[i]]
    best = max(measured, key=lambda i: history[i]["val_accuracy"])
    assert len(history) == best + 1 + 3 < 60


def test_patience_ends_nothing_where_few_pictures_judge(make_set, tmp_path, capsys):
    data = make_set(train=6, val=1, told_apart=False)
    recipe = ClassifyRecipe(**QUICK | {"epochs": 8}, patience=1, learning_rate=1e-6)
    run = train("classify", data, recipe, out=tmp_path / "run")
    assert len(run.history()) == 8
    held = "3 validation pictures cannot tell epochs apart"
    assert f"--patience 1 ends nothing early: {held}" in capsys.readouterr().err


def test_minutes_bound_the_time(make_set, tmp_path):
    recipe = ClassifyRecipe(**QUICK | {"epochs": 10_000}, minutes=0.05)
    run = train("classify", make_set(), recipe, out=tmp_path / "run")
    history = run.history()
    assert 1 <= len(history) < 10_000
    assert history[-1]["learning_rate"] < 0.1 * recipe.learning_rate


def test_balanced_sampling_shows_a_rare_class_as_often(make_set, tmp_path):
    labels = np.array([0] * 900 + [1] * 100)
    examples = SimpleNamespace(truth=SimpleNamespace(labels=labels))

    def shown(recipe):
        order = Classify().order(examples, recipe, torch.Generator().manual_seed(0))
        return torch.from_numpy(labels)[order].bincount()

    plain, even = (shown(ClassifyRecipe(net="lenet", balanced=b)) for b in (False, True))
    assert plain.tolist() == [900, 100]
    assert abs(even[0] - even[1]).item() < 100  # 500 ± 16 each.


def test_float16_scales_its_loss_and_counts_the_steps_it_skips(make_set, tmp_path, monkeypatch):
    # An absurd first scale must overflow: those steps are skipped, counted, and survived.
    scaler = torch.amp.GradScaler

    def huge(device, *, enabled):
        return scaler(device, enabled=enabled, init_scale=2.0**60, growth_interval=10**6)

    monkeypatch.setattr(torch.amp, "GradScaler", huge)
    recipe = ClassifyRecipe(**QUICK | {"precision": "16", "epochs": 20})
    run = train("classify", make_set(train=6), recipe, out=tmp_path / "run")
    history = run.history()
    assert 30 <= history[-1]["skipped_steps"] < 60
    assert history[-1]["loss"] < history[0]["loss"]


def test_every_net_takes_a_step_whatever_its_outputs(make_set, tmp_path):
    recipe = ClassifyRecipe(**QUICK | {"epochs": 1, "net": "googlenet"}, size=64)
    run = train("classify", make_set(train=3, val=3, test=0), recipe, out=tmp_path / "run")
    assert np.isfinite(run.history()[0]["loss"])


def test_starting_from_a_run_keeps_what_fits(make_set, tmp_path, capsys):
    data = make_set()
    first = train("classify", data, ClassifyRecipe(**QUICK), out=tmp_path / "first")
    recipe = ClassifyRecipe(**QUICK | {"epochs": 1}, init=str(first.folder), learning_rate=1e-9)
    second = train("classify", data, recipe, out=tmp_path / "second")
    assert "loaded 10 of 10 tensors" in capsys.readouterr().err
    kept = weights(first)["conv1.weight"]
    torch.testing.assert_close(weights(second)["conv1.weight"], kept, atol=1e-6, rtol=0)
    assert second.manifest.mean == first.manifest.mean


def test_a_training_that_is_told_to_stop_saves_and_can_go_on(make_set, tmp_path):
    data, out = make_set(train=40), tmp_path / "run"
    command = [sys.executable, "-m", "viewfinder", "train", "classify", str(data)]
    command += ["--net", "lenet"]
    command += ["--out", str(out), "--epochs", "100000", "--precision", "32", "--batch", "9"]
    process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True)
    deadline = time.time() + 60
    while not (out / "history.csv").exists() and time.time() < deadline:
        time.sleep(0.1)
    os.kill(process.pid, signal.SIGTERM)  # As Ctrl-C; a service's, docker's and timeout's.
    _, told = process.communicate(timeout=30)
    assert process.returncode == 130, told
    assert "--resume" in told
    assert torch.load(out / "state.ckpt", weights_only=True)["progress"]["updates"] > 0


@pytest.mark.parametrize("where", ["forward", "_update", "account", "_measure", "_keep"])
def test_ctrl_c_at_any_moment_loses_nothing(make_set, tmp_path, monkeypatch, where):
    data, out = make_set(), tmp_path / "stopped"
    recipe = ClassifyRecipe(**QUICK)
    whole = train("classify", data, recipe, out=tmp_path / "whole")
    owner = loop.BestWeights if hasattr(loop.BestWeights, where) else loop.Fit
    usual, calls = getattr(owner, where), []

    def interrupted(self, *given):
        calls.append(where)
        if len(calls) == 2:
            os.kill(os.getpid(), signal.SIGINT)
        return usual(self, *given)

    with monkeypatch.context() as patch:
        patch.setattr(owner, where, interrupted)
        with pytest.raises(KeyboardInterrupt):
            train("classify", data, recipe, out=out)
    resumed = train("classify", data, recipe, out=out, resume=True)
    assert_same(weights(whole), weights(resumed))
    assert untimed(whole) == untimed(resumed)


def test_sums_read_a_step_later_and_pictures_made_ahead_as_for_a_gpu_change_nothing(
    make_set, tmp_path, monkeypatch
):
    data, recipe = make_set(), ClassifyRecipe(**QUICK)
    usual = train("classify", data, recipe, out=tmp_path / "usual")
    monkeypatch.setattr(loop, "_BEHIND", {"cpu": 1})
    monkeypatch.setattr(loop, "_AHEAD", {"cpu": 2})
    behind = train("classify", data, recipe, out=tmp_path / "behind")
    assert_same(weights(usual), weights(behind))
    assert untimed(usual) == untimed(behind)
    step, calls = loop.Fit.step, []

    def interrupted(self, batch):
        calls.append(batch.step)
        if len(calls) == 2:
            os.kill(os.getpid(), signal.SIGINT)
        return step(self, batch)

    with monkeypatch.context() as patch:
        patch.setattr(loop.Fit, "step", interrupted)
        with pytest.raises(KeyboardInterrupt):
            train("classify", data, recipe, out=tmp_path / "stopped")
    resumed = train("classify", data, recipe, out=tmp_path / "stopped", resume=True)
    assert_same(weights(usual), weights(resumed))
    assert untimed(usual) == untimed(resumed)


def test_a_loss_that_is_no_number_is_told_of_its_own_step_though_read_later(
    make_set, tmp_path, monkeypatch
):
    monkeypatch.setattr(loop, "_BEHIND", {"cpu": 1})
    step, calls = loop.Fit.step, []

    def spoilt(self, batch):
        calls.append(batch.step)
        terms = step(self, batch)
        return {name: value * math.nan for name, value in terms.items()} if batch.step else terms

    monkeypatch.setattr(loop.Fit, "step", spoilt)
    with pytest.raises(InputError, match="at step 2 of epoch 1"):
        train("classify", make_set(), ClassifyRecipe(**QUICK), out=tmp_path / "run")


def test_small_pictures_are_not_blown_up_without_need(make_set):
    from viewfinder.datasets.opening import open_dataset

    small = open_dataset(make_set(train=2, val=1, test=0, size=40))
    assert Classify().size(ClassifyRecipe(net="resnet18"), small) == (64, 64)
    assert Classify().size(ClassifyRecipe(net="resnet18", size=96), small) == (96, 96)
    assert Classify().size(ClassifyRecipe(net="resnet18", init="imagenet"), small) == (224, 224)
    assert Classify().size(ClassifyRecipe(net="alexnet"), small) == (224, 224)
    assert Classify().size(ClassifyRecipe(net="lenet"), small) == (32, 32)


def test_a_step_that_a_net_cannot_take_is_refused_before_pictures_are_read(make_set, tmp_path):
    recipe = ClassifyRecipe(net="vgg16", size=16, epochs=1)
    with pytest.raises(InputError, match=r"vgg16 cannot learn from .*a --size of 32 or more"):
        train("classify", make_set(), recipe, out=tmp_path / "run")
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize(
    ("keep", "side"), [("memory", "train"), ("disk", "val"), ("none", "train"), ("memory", "test")]
)
def test_an_unreadable_picture_points_to_check(make_set, tmp_path, keep, side, monkeypatch):
    monkeypatch.setenv("VIEWFINDER_CACHE", str(tmp_path / "cache"))
    data = make_set()
    picture = next((data / side / "blue").iterdir())
    whole = picture.read_bytes()
    picture.write_bytes(whole[: len(whole) // 2])
    said = f"{picture.name} is damaged.*`viewfinder check {data}` names every picture"
    with pytest.raises(InputError, match=said):
        train("classify", data, ClassifyRecipe(**QUICK | {"keep": keep}), out=tmp_path / "run")
    # Pictures of the test side are read when the training is done, and its weights are kept.
    assert (tmp_path / "run").exists() == (side == "test")
