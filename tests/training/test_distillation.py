"""A depth stream is trained, and teaches a stream of pictures: through the whole of `train`."""

import json
import shutil
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import load_file

from viewfinder.datasets.opening import open_dataset
from viewfinder.errors import InputError
from viewfinder.evaluation.fitting import FitVerdict
from viewfinder.pictures.writing import write_depth, write_mask, write_picture
from viewfinder.tasks.saliency import learner
from viewfinder.tasks.saliency.recipe import DEPTH_NET, SaliencyRecipe
from viewfinder.tasks.saliency.task import Saliency
from viewfinder.training import loop
from viewfinder.training import train as training
from viewfinder.training.train import train

TINY = {
    "options": ("width=0.0625",),
    "size": 64,
    "epochs": 2,
    "batch": 4,
    "precision": "32",
    "keep": "memory",
}
SCORES = {
    *("mae", "s_measure", "e_adaptive", "e_mean", "e_max", "f_adaptive", "f_mean", "f_max"),
    *("f_max_dataset", "weighted_f"),
}


@pytest.fixture(autouse=True, scope="module")
def no_report():
    """These tests are of the training; the reports have their own."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(training, "write_report", lambda *_, **__: FitVerdict("unknown", "", ()))
        patch.setattr(training, "report_verdict", lambda *_: None)
        yield


@pytest.fixture(scope="module")
def teacher(subject_scenes, tmp_path_factory):
    """A run of the depth stream; tests read it and never change it."""
    recipe = SaliencyRecipe(**TINY, net=DEPTH_NET, learning_rate=0.01)
    out = tmp_path_factory.mktemp("teacher") / "run"
    return train("saliency", subject_scenes, recipe, out=out)


def learn(data, out, **fields):
    return train("saliency", data, SaliencyRecipe(**TINY | fields), out=out)


def weights(run):
    return load_file(run.weights_file)


def assert_same(one, other):
    assert one.keys() == other.keys()
    assert [name for name in one if not torch.equal(one[name], other[name])] == []


def test_the_teacher_learns_from_depth_and_is_scored(teacher):
    rows = teacher.history()
    assert len(rows) == 2
    assert rows[1]["loss"] < rows[0]["loss"]
    assert {"val_s_measure", "val_mae", "train_s_measure"} <= rows[1].keys()
    scores = json.loads(teacher.scores_file.read_text())
    assert SCORES | {"images", "seconds"} == scores["test"].keys()
    assert teacher.manifest.classes == ("background", "salient")
    assert teacher.manifest.mean == (0.0, 0.0, 0.0)


def test_the_student_learns_and_its_history_tells_each_term(teacher, subject_scenes, tmp_path):
    run = learn(subject_scenes, tmp_path / "run", teacher=str(teacher.folder), alpha=1.0)
    rows = run.history()
    terms = {"loss", "total", "truth", "imitation", "attention", "teacher", "weight"}
    for row in rows:
        assert terms <= row.keys()
        assert row["loss"] == pytest.approx(row["total"], rel=1e-5)
        # λ is drawn from each batch's own error, so that its mean is only near this.
        assert row["weight"] == pytest.approx(np.exp(-row["teacher"]), rel=0.02)
        mixed = row["total"] - row["attention"]
        expected = (1 - row["weight"]) * row["truth"] + row["weight"] * row["imitation"]
        assert mixed == pytest.approx(expected, rel=0.05)
    assert rows[1]["truth"] < rows[0]["truth"]
    # A teacher is for learning alone: the student answers without it, and without depth.
    assert run.manifest.mean != (0.0, 0.0, 0.0)
    scores = json.loads(run.scores_file.read_text())
    assert scores["val"].keys() >= SCORES


def test_the_teacher_is_left_as_it_was(teacher, subject_scenes, tmp_path, monkeypatch):
    taught = []
    read = learner.read_teacher

    def kept(path, size):
        taught.append(read(path, size))
        return taught[-1]

    monkeypatch.setattr(learner, "read_teacher", kept)
    learn(subject_scenes, tmp_path / "run", teacher=str(teacher.folder))
    assert taught
    for net in taught:
        assert_same(weights(teacher), net.state_dict())
        assert not any(module.training for module in net.modules())
        assert not any(p.requires_grad or p.grad is not None for p in net.parameters())


def test_a_weight_of_0_is_a_training_without_a_teacher_to_the_last_bit(
    teacher, subject_scenes, tmp_path
):
    alone = learn(subject_scenes, tmp_path / "alone")
    told = {"teacher": str(teacher.folder), "teacher_weight": 0}
    same = learn(subject_scenes, tmp_path / "same", **told, attention="none")
    assert_same(weights(alone), weights(same))
    assert same.history()[0]["weight"] == 0
    assert "weight" not in alone.history()[0]
    other = learn(subject_scenes, tmp_path / "other", **told, attention="dilated")
    assert not torch.equal(weights(alone)["agg1.conv5.weight"], weights(other)["agg1.conv5.weight"])


def without_depth(scenes: Path, root: Path, *, every: int) -> Path:
    """A copy of a set, of whose training pictures every so many have lost their depth map."""
    shutil.copytree(scenes, root)
    for file in sorted((root / "train/depth").iterdir())[::every]:
        file.unlink()
    return root


def test_pictures_without_depth_have_no_weight(teacher, subject_scenes, tmp_path, capsys):
    data = without_depth(subject_scenes, tmp_path / "set", every=3)
    run = learn(data, tmp_path / "run", teacher=str(teacher.folder), teacher_weight=1)
    assert run.history()[0]["weight"] == pytest.approx(8 / 12)
    assert (
        "4 of 12 pictures have no depth map: they are learnt from their" in capsys.readouterr().err
    )


def test_an_epoch_has_only_the_pictures_that_are_learnt_from(subject_scenes, tmp_path, capsys):
    data = without_depth(subject_scenes, tmp_path / "set", every=3)
    learn(data, tmp_path / "run", net=DEPTH_NET)
    told = " ".join(capsys.readouterr().err.split())
    assert "4 of 12 pictures have no depth map: they are not learnt from" in told
    assert "training for 2 epochs, each of 8 pictures in 2 steps" in told


def test_resume_gives_the_weights_of_a_training_left_alone(
    teacher, subject_scenes, tmp_path, monkeypatch
):
    told = {"teacher": str(teacher.folder), "alpha": 1.0}
    whole = learn(subject_scenes, tmp_path / "whole", **told)
    step = loop.Fit.step

    def stopped(self, batch):
        if self.progress.updates == 4:
            raise KeyboardInterrupt
        return step(self, batch)

    with monkeypatch.context() as patch:
        patch.setattr(loop.Fit, "step", stopped)
        with pytest.raises(KeyboardInterrupt):
            learn(subject_scenes, tmp_path / "stopped", **told)
    recipe = SaliencyRecipe(**TINY, **told)
    resumed = train("saliency", subject_scenes, recipe, out=tmp_path / "stopped", resume=True)
    assert_same(weights(whole), weights(resumed))
    timed = ("seconds", "images_per_s")
    histories = [
        [{k: v for k, v in row.items() if k not in timed} for row in run.history()]
        for run in (whole, resumed)
    ]
    assert histories[0] == histories[1]


def test_a_run_starts_another_of_its_own_stream(teacher, subject_scenes, tmp_path):
    again = learn(subject_scenes, tmp_path / "run", net=DEPTH_NET, init=str(teacher.folder))
    assert again.history()[0]["loss"] < teacher.history()[0]["loss"]
    with pytest.raises(InputError, match="--teacher"):
        learn(subject_scenes, tmp_path / "other", init=str(teacher.folder))
    assert not (tmp_path / "other").exists()


def test_what_is_no_teacher_ends_before_anything_is_written(
    teacher, subject_scenes, small_run, tmp_path
):
    student = learn(subject_scenes, tmp_path / "student", epochs=1)
    for no_teacher in (small_run, student.folder, tmp_path / "nowhere"):
        with pytest.raises(InputError, match="--teacher"):
            learn(subject_scenes, tmp_path / "run", teacher=str(no_teacher))
        assert not (tmp_path / "run").exists()


def write_odd_set(root, **odd):
    """Six pictures of a bright square with depth; `odd` replaces parts of the first."""
    random = np.random.default_rng(0)
    for number in range(6):
        mask = np.zeros((48, 64), np.bool_)
        mask[10 + number : 30, 20:40] = True
        picture = random.integers(0, 200, (48, 64, 3), dtype=np.uint8)
        picture[mask] = 240
        depth = np.where(mask, 0.8, 0.1).astype(np.float32)
        parts = {"picture": picture, "mask": mask, "depth": depth}
        parts |= odd if number == 0 else {}
        write_picture(root / f"train/RGB/{number}.png", parts["picture"])
        if parts["mask"] is not None:
            write_mask(root / f"train/GT/{number}.png", parts["mask"])
        if parts["depth"] is not None:
            write_depth(root / f"train/depth/{number}.png", parts["depth"])
    return root


@pytest.mark.parametrize(
    ("odd", "seen"),
    [
        ({"mask": np.zeros((48, 64), np.bool_)}, 6),  # A picture without a subject.
        ({"mask": np.ones((48, 64), np.bool_)}, 6),
        ({"mask": None}, 5),  # Left out, with a note.
        ({"depth": None}, 5 / 6),
        ({"depth": np.full((48, 64), 0.25, np.float32)}, 5 / 6),  # It says nothing.
        ({"depth": np.full((96, 128), 0.25, np.float32)}, 5 / 6),
    ],
)
def test_odd_pictures_are_learnt_from_as_far_as_they_go(teacher, tmp_path, capsys, odd, seen):
    data = write_odd_set(tmp_path / "set", **odd)
    told = {"teacher": str(teacher.folder), "teacher_weight": 1, "val_share": 0.0, "epochs": 1}
    run = learn(data, tmp_path / "run", **told)
    row = run.history()[0]
    assert np.isfinite([row["loss"], row["train_s_measure"], row["train_mae"]]).all()
    assert row["weight"] == pytest.approx(min(seen, 1))
    assert run.manifest.data["images"]["train"] == (5 if seen == 5 else 6)
    if any(part is None for part in odd.values()):
        assert "0.png" in capsys.readouterr().err


@pytest.mark.parametrize("part", ["mask", "depth"])
def test_parts_of_another_shape_are_refused_by_name(teacher, tmp_path, part):
    kind = np.bool_ if part == "mask" else np.float32
    other = np.linspace(0, 1, 48 * 48).reshape(48, 48).round(1).astype(kind)
    data = write_odd_set(tmp_path / "set", **{part: other})
    with pytest.raises(InputError, match=r"of another shape.*viewfinder check") as caught:
        learn(data, tmp_path / "run", teacher=str(teacher.folder), val_share=0.0)
    assert "\n" not in str(caught.value)
    assert not (tmp_path / "run").exists()


def test_sixteen_bits_of_an_unknown_range_are_stretched(teacher, tmp_path):
    """A sensor's millimetres fill a small part of 65,536 values."""
    data = write_odd_set(tmp_path / "set")
    for number, file in enumerate(sorted((data / "train/depth").iterdir())):
        near = np.zeros((48, 64), np.float32)
        near[10 + number : 30, 20:40] = 1
        write_depth(file, ((1000 - 400 * near) / 65535).astype(np.float32))
    dataset = open_dataset(data, val_share=0.0)
    setup = learn(
        data, tmp_path / "run", teacher=str(teacher.folder), val_share=0.0, epochs=1
    ).setup()
    depths = Saliency().open_train(dataset, setup).take(range(6)).depths
    assert depths.min() == 0
    assert depths.max() == 1
    # In millimetres near is dark; the masks tell.
    assert depths[0, 0, 30, 30] == 1
    assert depths[0, 0, 60, 60] == 0
