"""The detector that comes with the package."""

import numpy as np
import pytest
import torch

import viewfinder
from viewfinder.cli.main import main
from viewfinder.inference.opening import open_model
from viewfinder.nets.published import coco_weights, halved
from viewfinder.pictures.writing import write_picture
from viewfinder.tasks.detect.class_names import COCO
from viewfinder.tasks.detect.heads.yolo.loading import load_by_name


def test_it_is_kept_in_half_precision_and_is_whole():
    state = coco_weights()
    net = viewfinder.nets.create("yolov3-tiny")
    assert not net.load_state_dict(state, strict=False).unexpected_keys
    again = halved(state)
    assert all(torch.equal(again[name].float(), tensor) for name, tensor in state.items())
    assert all(torch.isfinite(tensor).all() for tensor in state.values())


@pytest.mark.parametrize("name", ["dog", "eagle", "giraffe", "horses"])
def test_it_finds_what_darknet_finds(shared, darknet_found, name):
    (file,) = (shared / "golden/darknet").glob(f"{name}.png")
    found = sorted(open_coco().predict(file)[0]["boxes"], key=lambda row: -row["score"])
    expected = darknet_found(name)
    assert [row["class"] for row in found] == [theirs for theirs, *_ in expected]
    for row, (_, score, _) in zip(found, expected, strict=True):
        assert row["score"] == pytest.approx(score, abs=0.005)


def open_coco():
    return viewfinder.open_run("coco")


def test_coco_is_a_word_and_a_run_of_that_name_is_that_run(tmp_path, monkeypatch):
    assert open_model("coco").config.classes == COCO
    monkeypatch.chdir(tmp_path)
    (tmp_path / "coco").mkdir()
    assert open_model("coco").config.classes == COCO
    (tmp_path / "coco/run.json").write_text("{}")
    with pytest.raises(viewfinder.InputError, match="coco"):
        open_model("coco")


def test_a_net_begins_with_its_rows_of_the_classes_that_both_name():
    net = viewfinder.nets.create("yolov3-tiny", classes=2)
    report = load_by_name(net, coco_weights(), COCO, ("dog", "my thing"))
    theirs = coco_weights()
    (name,) = [n for n in theirs if ".predict." in n and n.endswith("weight")][:1]
    values = theirs[name].view(3, 5 + 80, -1)
    ours = net.state_dict()[name].view(3, 5 + 2, -1)
    assert torch.equal(ours[:, :5], values[:, :5])
    assert torch.equal(ours[:, 5], values[:, 5 + COCO.index("dog")])
    assert len(report.loaded) > 40


def test_it_proposes_without_a_download(tmp_path, capsys):
    write_picture(tmp_path / "photos/1.png", np.full((96, 128, 3), 90, np.uint8))
    assert main(["propose", str(tmp_path / "photos"), "--by", "coco", "--names", "person"]) == 0
    assert main(["predict", "coco", str(tmp_path / "photos/1.png"), "--json"]) == 0
    assert main(["train", "detect", str(tmp_path), "--net", "yolov3-lite0", "--init", "coco"]) == 2
