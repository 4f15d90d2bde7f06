"""Answers come soonest, and are those of the net as it is written, but for rounding."""

import copy
import json
import sys

import pytest
import torch
from torch import nn

from viewfinder import nets
from viewfinder.events import listening
from viewfinder.inference import quickening
from viewfinder.inference.quickening import quick_net
from viewfinder.nets.fusing import Kernel, fused_forward
from viewfinder.runs.run import open_run
from viewfinder.tasks.measured import FOLDER

CPU = torch.device("cpu")


def _parts(answer):
    if isinstance(answer, torch.Tensor):
        return [answer]
    return [each for part in answer for each in _parts(part)]


def _settled(net):
    """Norms as after a training: neither means of 0 nor variances of 1."""
    for module in net.modules():
        if isinstance(module, nn.BatchNorm2d):
            module.running_mean.normal_()
            module.running_var.uniform_(0.5, 2)
    return net.eval()


def _assert_same(one, other):
    for mine, theirs in zip(_parts(one), _parts(other), strict=True):
        assert mine.shape == theirs.shape
        assert float((mine - theirs).abs().max()) <= 1e-4 * max(1, float(theirs.abs().max()))


@pytest.mark.parametrize(
    ("name", "options", "size"),
    [
        ("lenet", {}, 32),
        ("alexnet", {}, 227),
        ("googlenet", {}, 96),
        ("resnet18", {"width": 0.25}, 64),
        ("resnet50", {"width": 0.25}, 64),
        ("efficientnet-lite0", {}, 64),
        ("a2dele", {"width": 0.25}, 64),
        ("a2dele-lite0", {}, 64),
        ("a2dele-depth", {"width": 0.25}, 64),
        ("yolov3-tiny", {"width": 0.25}, 96),
        ("yolov3-spp", {"width": 0.25}, 96),
        ("yolov3-lite0", {}, 96),
    ],
)
@torch.no_grad()
def test_a_fused_net_answers_as_it_is_written(name, options, size):
    net = _settled(nets.create(name, **options))
    fused = fused_forward(net)
    pictures = torch.rand(2, 3, size, size).contiguous(memory_format=torch.channels_last)
    _assert_same(fused(pictures), net(pictures))
    # Any number of pictures, and their memory in the usual order too.
    single = pictures[:1].contiguous()
    _assert_same(fused(single), net(single))
    convolutions = [each for each in fused.modules() if isinstance(each, nn.Conv2d)]
    assert convolutions
    assert all(isinstance(each, Kernel) for each in convolutions)


@torch.no_grad()
def test_another_size_is_answered_too():
    net = _settled(nets.create("yolov3-tiny", width=0.25))
    fused = fused_forward(net)
    for size in (64, 96, 64):
        pictures = torch.rand(1, 3, size, size)
        _assert_same(fused(pictures), net(pictures))


class Shared(nn.Module):
    """A convolution asked twice, whose answer is used twice, and a norm that cannot be folded."""

    def __init__(self):
        super().__init__()
        self.conv, self.norm = nn.Conv2d(3, 3, 3, padding=1), nn.BatchNorm2d(3)
        self.relu, self.pool = nn.ReLU(), nn.MaxPool2d(2)

    def forward(self, x):
        once = self.conv(x)
        return self.relu(self.norm(self.conv(once))) + once, self.relu(self.pool(self.norm(once)))


class Undecided(nn.Module):
    """What it does depends on the picture."""

    def forward(self, x):
        return x if x.sum() > 0 else -x


@torch.no_grad()
def test_layers_that_are_shared_are_not_folded_into_each_other():
    net = _settled(Shared())
    pictures = torch.randn(1, 3, 8, 8)
    expected = net(pictures)
    _assert_same(fused_forward(net)(pictures), expected)
    assert torch.equal(net(pictures)[0], expected[0])  # it was left as it was


def test_a_net_that_looks_at_its_numbers_is_not_fused():
    assert fused_forward(Undecided()) is None


@pytest.fixture
def cache(tmp_path, monkeypatch):
    monkeypatch.setenv("VIEWFINDER_CACHE", str(tmp_path))
    return tmp_path / FOLDER


@torch.no_grad()
def test_the_way_is_measured_once_and_remembered(small_run, cache, monkeypatch):
    model, picture = open_run(small_run).model, torch.rand(1, 3, 32, 32)
    expected = model.load()(picture)
    _assert_same(quick_net(model, CPU)(picture), expected)
    (file,) = cache.iterdir()
    kept = json.loads(file.read_text())
    assert kept["milliseconds"].keys() == {"plain", "fused"}
    assert kept["of"]["net"] == "lenet"
    monkeypatch.setattr(quickening, "_milliseconds", None)
    quick_net(model, CPU)(picture)
    file.write_text("{")
    with pytest.raises(TypeError):
        quick_net(model, CPU)(picture)


@torch.no_grad()
def test_a_fused_net_that_answers_otherwise_is_not_taken(small_run, cache, monkeypatch):
    model, picture = open_run(small_run).model, torch.rand(1, 3, 32, 32)
    monkeypatch.setattr(quickening, "fused_forward", lambda net: lambda x: net.fc3.weight[:1] * 0)
    assert torch.equal(quick_net(model, CPU)(picture), model.load()(picture))


def test_gradients_are_those_of_the_net_as_it_is_written(small_run, cache):
    picture = torch.rand(1, 3, 32, 32, requires_grad=True)
    quick_net(open_run(small_run).model, CPU)(picture).sum().backward()
    assert picture.grad is not None


@torch.no_grad()
def test_onnxruntime_computes_what_takes_long_where_it_is_faster(small_run, cache, monkeypatch):
    model, pictures = open_run(small_run).model, torch.rand(3, 3, 32, 32)
    expected, asked = model.load()(pictures), []
    run = quickening._OnnxRuntime.__call__

    def counted(way, given):
        asked.append(len(given))
        return run(way, given)

    monkeypatch.setattr(quickening._OnnxRuntime, "__call__", counted)
    # Any job is long, and whatever is tried is faster.
    monkeypatch.setattr(quickening, "_LONG", 0.0)
    monkeypatch.setattr(quickening, "_GAIN", 0.0)
    _assert_same(quick_net(model, CPU, pictures=100)(pictures), expected)
    assert asked[-1] == 3
    assert "onnxruntime" in json.loads(next(cache.iterdir()).read_text())["milliseconds"]


@torch.no_grad()
def test_without_onnxruntime_torch_goes_on_and_says_so(small_run, cache, monkeypatch):
    monkeypatch.setitem(sys.modules, "onnxruntime", None)
    monkeypatch.setattr(quickening, "_LONG", 0.0)
    heard = []
    model, picture = open_run(small_run).model, torch.rand(1, 3, 32, 32)
    with listening(heard.append):
        _assert_same(quick_net(model, CPU, pictures=9)(picture), model.load()(picture))
    assert any("onnxruntime" in each.text for each in heard)


def test_a_copy_of_what_has_answered_answers_alike():
    """Weights in a processor's own order cannot be copied: the copy makes its own."""
    net = _settled(nets.create("resnet18", classes=3, width=0.25))
    pictures = torch.rand(2, 3, 64, 64)
    fused = fused_forward(net)
    with torch.no_grad():
        first = fused(pictures)
        _assert_same(copy.deepcopy(fused)(pictures), first)
