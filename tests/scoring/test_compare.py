"""`viewfinder compare`: models of one task on one set, by the functions of `score`."""

import csv
import json
import shutil
from pathlib import Path

import numpy as np
import pytest
import torch
from page_material import saliency_onnx
from safetensors.torch import load_file, save_file
from torchvision import models

from viewfinder import nets
from viewfinder.cli.main import main
from viewfinder.datasets.formats.rgbd.reading import CLASSES
from viewfinder.devices import pick_device
from viewfinder.errors import InputError
from viewfinder.evaluation.judging import judge_examples
from viewfinder.pictures.writing import write_depth, write_mask, write_picture
from viewfinder.runs.run import create_run, open_run
from viewfinder.scoring.models_compared import compare_models, open_models
from viewfinder.scoring.reading import truth_of
from viewfinder.scoring.side_by_side import agreement
from viewfinder.tasks.manifest import Manifest
from viewfinder.tasks.saliency.recipe import SaliencyRecipe
from viewfinder.training.arrangement import Arrangement, Choice


@pytest.fixture(scope="module")
def worse_run(small_run, tmp_path_factory):
    """As a run of another recipe would be that has hardly learnt: its weights are noisy."""
    folder = tmp_path_factory.mktemp("worse") / "run"
    shutil.copytree(small_run, folder)
    weights = load_file(folder / "weights.safetensors")
    made = torch.Generator().manual_seed(0)
    noisy = {k: w + 0.3 * torch.randn(w.shape, generator=made) for k, w in weights.items()}
    save_file(noisy, folder / "weights.safetensors")
    manifest = json.loads((folder / "run.json").read_text(encoding="utf-8"))
    manifest["recipe"] |= {"learning_rate": 1e-5, "seed": 3}
    (folder / "run.json").write_text(json.dumps(manifest), encoding="utf-8")
    return folder


def test_two_runs_on_their_set(small_set, small_run, worse_run, tmp_path, capsys):
    """Scores are those of `evaluate`; what differs in the recipes, and who is right where."""
    out = tmp_path / "out"
    words = [f"good={small_run}", f"bad={worse_run}", str(small_set)]
    assert main(["compare", *words, "--out", str(out), "--json"]) == 0
    document = json.loads(capsys.readouterr().out)
    assert (document["schema"], document["split"]) == ("viewfinder.compare/1", "test")
    (scored,) = document["sets"]
    truth, _ = truth_of(small_set, "classify", None)
    for own, folder in zip(scored["methods"], (small_run, worse_run), strict=True):
        judged = judge_examples(open_run(folder).model, truth, device=pick_device("cpu"))
        accuracy = own["scores"]["accuracy"]["value"]
        assert accuracy == pytest.approx(judged.as_json()["accuracy"])
    apart = document["differences"]
    assert apart["learning_rate"]["bad"] == "1e-05"
    assert set(apart) == {"learning_rate", "seed"}
    good, bad = document["models"]
    assert (
        good["parameters"]
        == bad["parameters"]
        == sum(each.numel() for each in open_run(small_run).net().parameters())
    )
    assert min(own["milliseconds"] for own in document["models"]) > 0
    (pair,) = document["agreements"]
    assert sum(map(len, (pair[k] for k in ("both", "one_better", "other_better", "neither")))) == 18
    assert json.loads((out / "scores.json").read_text(encoding="utf-8"))["models"] == [good, bad]
    page = (out / "report.html").read_text(encoding="utf-8")
    assert "good right, the other wrong" in page
    assert page.index("learning rate") < page.index("What they cost") < page.index("Accuracy")
    rows = list(csv.DictReader((out / "scores.csv").read_text(encoding="utf-8").splitlines()))
    assert [row["method"] for row in rows] == ["good", "bad"]
    assert main(["compare", *words]) == 0
    printed = capsys.readouterr().out
    assert "good beside bad: both right" in printed


def test_saliency_models_of_others(tmp_path):
    """An ONNX file twice: nothing differs, and of its recipe nothing is known."""
    (tmp_path / "set/GT").mkdir(parents=True)
    (tmp_path / "set/RGB").mkdir()
    for n in range(4):
        mask = np.zeros((40, 40), bool)
        mask[5 + n : 20, 8:30] = True
        write_mask(tmp_path / f"set/GT/{n}.png", mask)
        write_picture(
            tmp_path / f"set/RGB/{n}.png", np.repeat(mask[..., None] * np.uint8(220), 3, 2)
        )
    saliency_onnx(tmp_path)
    shutil.copy(tmp_path / "u2netp.onnx", tmp_path / "again.onnx")
    opened = open_models([str(tmp_path / "u2netp.onnx"), str(tmp_path / "again.onnx")])
    found = compare_models(opened, str(tmp_path / "set"), split=None)
    assert list(found.facts) == ["u2netp.onnx", "again.onnx"]
    assert (found.apart, found.split) == ({}, "all")
    assert found.facts["again.onnx"].parameters == 0
    assert all("recipe is not known" in note for note in found.notes)
    one, other = found.scored.methods
    assert one.values == other.values
    assert one.values["s_measure"].value > 0.9
    (pair,) = found.agreements
    assert (len(pair.both), pair.one_better, pair.other_better) == (4, (), ())


@pytest.mark.parametrize("named", ["set", "set/GT"])
def test_a_net_that_reads_depth_is_asked_about_depth_maps(tmp_path, monkeypatch, capsys, named):
    """Also where it is called as their folder is."""
    for n in range(3):
        mask = np.zeros((40, 48), bool)
        mask[5 + n : 20, 8:30] = True
        write_mask(tmp_path / f"set/GT/{n}.png", mask)
        write_depth(tmp_path / f"set/depth/{n}.png", mask.astype(np.float32))
        seen = np.random.default_rng(n).integers(0, 256, (40, 48, 3), np.uint8)
        write_picture(tmp_path / f"set/RGB/{n}.png", seen)
    recipe = SaliencyRecipe(net="a2dele-depth")
    width = {"width": 0.0625}
    data = {"source": ".", "root": ".", "layout": "", "fingerprint": "", "per_class": {}}
    manifest = Manifest(
        task="saliency", net=recipe.net, classes=CLASSES, size=(32, 32), options=width,
        mean=(0.0,) * 3, std=(1.0,) * 3, recipe=recipe, versions={}, device="CPU",
        data=data | {"images": {"train": 3, "val": 0, "test": 0}},
        precision=Choice(Arrangement("32", "contiguous"), "", ()).as_json(),
    )  # fmt: skip
    run = create_run(tmp_path / "runs/depth", manifest)
    torch.manual_seed(0)
    run.save_weights(nets.create(recipe.net, **width).state_dict())
    saliency_onnx(tmp_path)
    monkeypatch.chdir(tmp_path)
    asked = ["runs/depth", "u2netp.onnx"]
    assert main(["score", named, *asked, "--json"]) == 0
    (scored,) = json.loads(capsys.readouterr().out)["sets"]
    assert [own["images"] for own in scored["methods"]] == [3, 3]
    if named == "set":
        assert main(["compare", *asked, "set"]) == 0
        assert "a2dele-depth" in capsys.readouterr().out
        (tmp_path / "set/depth/1.png").unlink()
        assert main(["score", named, *asked]) == 2
        assert "the depth maps of set, and some are not found (GT/1.png)" in capsys.readouterr().err


def test_a_classifier_of_torchvisions_beside_a_run(
    small_set, small_run, tmp_path, monkeypatch, capsys
):
    """It knows none of these classes, which is said; `score` takes it, too."""
    weights = models.get_model_weights("squeezenet1_1").DEFAULT
    (tmp_path / "hub/checkpoints").mkdir(parents=True)
    torch.manual_seed(0)
    file = tmp_path / "hub/checkpoints" / weights.url.rpartition("/")[2]
    torch.save(models.get_model("squeezenet1_1").state_dict(), file)
    monkeypatch.setenv("TORCH_HOME", str(tmp_path))
    named = ["own=" + str(small_run), "torchvision:squeezenet1_1"]
    assert main(["compare", *named, str(small_set), "--json"]) == 0
    document = json.loads(capsys.readouterr().out)
    own, other = document["models"]
    assert (other["name"], other["net"]) == ("torchvision:squeezenet1_1",) * 2
    assert other["parameters"] == 1_235_496
    assert other["megabytes"] == pytest.approx(file.stat().st_size / 1e6)
    assert own["pictures_per_s"] > 0
    (scored,) = document["sets"]
    assert scored["methods"][1]["scores"]["accuracy"]["value"] == 0
    assert any("knows none" in note for note in scored["notes"])
    assert main(["score", str(small_set), *named]) == 0
    assert "torchvision:squeezenet1_1" in capsys.readouterr().out


def test_pictures_by_who_is_right(small_set, small_run, worse_run):
    opened = open_models([f"a={small_run}", f"b={worse_run}"])
    found = compare_models(opened, str(small_set), split="all")
    contest, common = found.scored.contest, found.scored.common
    first, second = contest.goodness(common, ("a", "b")).T.astype(bool)
    each = agreement(contest, common, "a", "b")
    names = np.array(common)
    assert set(each.both) == set(names[first & second])
    assert set(each.one_better) == set(names[first & ~second])
    assert set(each.other_better) == set(names[second & ~first])
    assert set(each.neither) == set(names[~first & ~second])
    # Pictures that were learnt from are said.
    assert any("flatter" in note for note in found.notes)


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["RUN", "SET"], "name two models or more"),
        (["RUN", "RUN", "SET"], "is named twice"),
        (["RUN", "nowhere", "SET"], "there is no folder or file nowhere"),
        (["a=RUN", "b=RUN", "nowhere"], "nowhere"),
        (["a=RUN", "ONNX", "SET"], "a is a model of the task classify and u2netp.onnx of the task"),
    ],
)
def test_what_is_named_wrongly(small_set, small_run, tmp_path, capsys, monkeypatch, words, said):
    monkeypatch.chdir(tmp_path)
    saliency_onnx(tmp_path)
    known = {"RUN": str(small_run), "SET": str(small_set), "ONNX": "u2netp.onnx"}
    for short, place in known.items():
        words = [word.replace(short, place) for word in words]
    assert main(["compare", *words]) == 2
    assert said in capsys.readouterr().err


def test_names_tell_models_apart(small_run, tmp_path):
    for name in ("x", "y"):
        shutil.copytree(small_run, tmp_path / name / "run")
    opened = open_models([str(tmp_path / "x/run"), str(tmp_path / "y/run")])
    assert list(opened.models) == ["x/run", "y/run"]
    with pytest.raises(InputError, match="named twice"):
        open_models([str(Path(small_run)), str(small_run)])


class _Graded:
    right_from = 1.0

    def goodness(self, pictures, methods):
        return np.array([[1, 1], [0.8, 0.5], [0, 0.5], [0.5, 0.5]])


def test_no_picture_stands_in_two_groups():
    each = agreement(_Graded(), "wxyz", "a", "b")
    groups = (each.both, each.one_better, each.other_better, each.neither)
    assert groups == (("w",), ("x",), ("y",), ("z",))
