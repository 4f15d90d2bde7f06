"""Classifiers that no file of ours holds: of torchvision, by name, and of the user, in memory."""

import json

import numpy as np
import pytest
import torch
from torch import nn
from torchvision import models

import viewfinder
from viewfinder.cli.main import main
from viewfinder.datasets.loading import letterboxed
from viewfinder.errors import InputError
from viewfinder.pictures.reading import read_picture
from viewfinder.pictures.writing import write_picture
from viewfinder.tasks.normalisation import IMAGENET


@pytest.fixture
def picture(tmp_path):
    file = tmp_path / "ö.png"
    write_picture(file, np.random.default_rng(0).integers(0, 255, (48, 64, 3), np.uint8))
    return file


@pytest.fixture(scope="module")
def kept(tmp_path_factory):
    """A folder as torch's, with weights of one net that were never trained."""
    place = tmp_path_factory.mktemp("torch")
    weights = models.get_model_weights("squeezenet1_1").DEFAULT
    (place / "hub" / "checkpoints").mkdir(parents=True)
    torch.manual_seed(0)
    net = models.get_model("squeezenet1_1")
    torch.save(net.state_dict(), place / "hub" / "checkpoints" / weights.url.rpartition("/")[2])
    return place


def test_one_of_torchvision_answers_as_it_does_and_says_why(
    kept, picture, tmp_path, monkeypatch, capsys
):
    monkeypatch.setenv("TORCH_HOME", str(kept))
    monkeypatch.chdir(tmp_path)
    net = models.get_model("squeezenet1_1").eval()
    (file,) = (kept / "hub" / "checkpoints").iterdir()
    net.load_state_dict(torch.load(file, weights_only=True))
    run = viewfinder.open_run("torchvision:squeezenet1_1")
    framed = letterboxed(read_picture(picture), (224, 224), of=(64, 48))
    pixels = torch.from_numpy(framed).permute(2, 0, 1)[None] / 255
    with torch.no_grad():
        wanted = net(IMAGENET.apply(pixels)).softmax(1)[0]
    (answer,) = run.predict(picture)
    names = models.get_model_weights("squeezenet1_1").DEFAULT.meta["categories"]
    assert answer["label"] == names[int(wanted.argmax())]
    assert max(answer["scores"].values()) == pytest.approx(float(wanted.max()), abs=1e-4)
    asked = ["why", "torchvision:squeezenet1_1", str(picture), "--most", "1", "--json"]
    assert main(asked) == 0
    (told,) = json.loads(capsys.readouterr().out)["pictures"]
    assert told["reasons"][0]["class"] == answer["label"]
    assert (tmp_path / "why.html").exists()


@pytest.mark.parametrize(
    ("name", "says"),
    [
        ("torchvision:resnet81", r"no classifier resnet81 \(did you mean resnet18"),
        ("torchvision:resnet18", r"needs the weights resnet18-\w+\.pth: get them once from https"),
        ("torchvision:", "no classifier"),
    ],
)
def test_what_torchvision_has_not_or_torch_has_not_kept_is_said(kept, monkeypatch, name, says):
    monkeypatch.setenv("TORCH_HOME", str(kept))
    with pytest.raises(InputError, match=says):
        viewfinder.open_run(name)


class Corner(nn.Module):
    """Says what colour the upper left corner has."""

    def forward(self, pictures):
        return pictures[:, :, :8, :8].mean((2, 3))


def test_a_net_in_memory_answers_and_says_why(picture):
    run = viewfinder.open_net(Corner(), classes=["red", "green", "blue"], size=32)
    write_picture(picture, np.full((32, 32, 3), (200, 20, 20), np.uint8))
    (answer,) = run.predict(picture)
    assert answer["label"] == "red"
    (told,) = viewfinder.why(run, picture, most=1, occlude=True)
    heat = told["reasons"][0]
    assert heat["class"] == "red"


def test_a_net_that_is_no_such_classifier_is_refused():
    with pytest.raises(InputError, match=r"Corner gives \(2, 3\) for 2 pictures, and 2 classes"):
        viewfinder.open_net(Corner(), classes=["red", "green"])
    with pytest.raises(InputError, match=r"Linear takes no 2×3×32×16 pictures"):
        viewfinder.open_net(nn.Linear(4, 2), classes=["a", "b"], size=(16, 32))
    with pytest.raises(InputError, match=r"viewfinder\.open_net"):
        viewfinder.why(Corner(), "a.png")
