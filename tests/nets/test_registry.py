"""Every net of the registry, by the same tests: a new net is tested by being in the table."""

import ast
import copy
import importlib
import math
import re
import subprocess
import sys
from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch.utils.flop_counter import FlopCounterMode

from viewfinder import nets
from viewfinder.errors import InputError

CLASSIFIERS = nets.names("classify")
SALIENCY = nets.names("saliency")
DETECTORS = nets.names("detect")
# Sides of pictures that keep a test on real weights short.
SMALL = {"lenet": 32, "alexnet": 64}
# Layers that nothing uses: a net has them because its published weights do, and freezes them.
IDLE = dict.fromkeys(SALIENCY, ("agg1.conv_concat2.", "agg1.conv_concat3."))


def small_net(name: str, **options: Any) -> tuple[nn.Module, int]:
    """A net of seven classes, where it has any, and the side of pictures it takes, as small as its
    layout allows."""
    side, known = SMALL.get(name, 32), nets.options(name)
    least: dict[str, Any] = {"classes": 7, "size": side}
    if name not in CLASSIFIERS:
        least["width"] = 0.125
    own = {option: value for option, value in least.items() if option in known}
    return nets.create(name, **own | options), 2 * side if name in DETECTORS else side


def inputs_of(name: str, batch: int, side: int) -> Tensor:
    """Random pictures, or depth where the net's header says one channel."""
    (channels,) = {shape[0] for net, _, shape, *_ in ROWS if net == name}
    return torch.randn(batch, channels, side, side)


def loss_of(name: str, outputs: tuple[Tensor, ...]) -> Tensor:
    """Cross-entropy of every output against a class a picture or a pixel, or a number a cell; of
    the nets of other tasks the distance to any numbers."""
    if name in DETECTORS:
        truth = [torch.rand(each.shape) for each in outputs]
        return sum(map(nn.functional.binary_cross_entropy_with_logits, outputs, truth))
    if name in CLASSIFIERS:
        labels = torch.arange(0, 2 * len(outputs[0]), 2) % 7
        return sum(nn.functional.cross_entropy(each, labels) for each in outputs)
    if name not in SALIENCY:
        return sum(nn.functional.mse_loss(each, torch.rand(each.shape)) for each in outputs)
    mask = torch.rand(outputs[0][:, 0].shape) < 0.5
    loss = nn.functional.cross_entropy(outputs[0], mask.long())
    for attention in outputs[1:]:
        loss += nn.functional.binary_cross_entropy_with_logits(attention[:, 0], mask.float())
    return loss


def logits_of(output: Any) -> tuple[Tensor, ...]:
    return tuple(output) if isinstance(output, tuple) else (output,)


def header_rows() -> list[tuple[str, dict[str, Any], tuple[int, ...], int, int]]:
    """Name, options, input shape, parameters and MACs of each row of each file's table."""
    modules = dict.fromkeys(f"viewfinder.nets.{entry.module}" for entry in nets._NETS.values())
    rows = []
    for module in modules:
        header = importlib.import_module(module).__doc__ or ""
        assert "| net | input | parameters | MACs |" in header, module
        for line in re.findall(r"^\| ([a-z].*\d) \|$", header, flags=re.MULTILINE):
            net, shape, parameters, macs = line.split(" | ")
            name, arguments = re.fullmatch(r"([a-z0-9-]+)(\(.+\))?", net).groups()
            call = ast.parse(f"net{arguments or '()'}", mode="eval").body
            assert isinstance(call, ast.Call)
            assert not call.args
            options = {word.arg: ast.literal_eval(word.value) for word in call.keywords}
            sides = tuple(int(side) for side in shape.split("×"))
            counts = (int(text.replace(",", "")) for text in (parameters, macs))
            rows.append((name, options, sides, *counts))
    return rows


ROWS = header_rows()


def test_every_net_stands_in_the_table_of_its_file() -> None:
    plain = {name for name, options, *_ in ROWS if not options}
    assert plain == set(nets.names())


@pytest.mark.parametrize("row", ROWS, ids=lambda row: f"{row[0]}-{row[1]}")
def test_table_is_true(row: tuple[str, dict[str, Any], tuple[int, ...], int, int]) -> None:
    name, options, shape, parameters, macs = row
    with torch.device("meta"), torch.no_grad():
        net = nets.create(name, **options).eval()
        with FlopCounterMode(display=False) as counter:
            net(torch.empty(1, *shape))
    assert sum(weight.numel() for weight in net.parameters()) == parameters
    assert counter.get_total_flops() == 2 * macs
    if not options:
        assert nets.input_size(name) == shape[1:]


@pytest.mark.parametrize("name", CLASSIFIERS)
@pytest.mark.parametrize("larger", [(0, 0), (33, 70)])
def test_shapes(name: str, larger: tuple[int, int]) -> None:
    height, width = (side + more for side, more in zip(nets.input_size(name), larger, strict=True))
    options = {"size": (height, width)} if "size" in nets.options(name) else {}
    with torch.device("meta"):
        net = nets.create(name, classes=7, **options)
        for each in logits_of(net(torch.empty(3, 3, height, width))):
            assert each.shape == (3, 7)
        net.eval()
        for batch in (1, 3):
            answer = net(torch.empty(batch, 3, height, width))
            assert isinstance(answer, Tensor)
            assert answer.shape == (batch, 7)


@pytest.mark.parametrize("name", SALIENCY)
@pytest.mark.parametrize("size", [(256, 256), (224, 320), (250, 331), (17, 15), (1, 1)])
def test_saliency_maps_have_the_size_of_the_picture(name: str, size: tuple[int, int]) -> None:
    with torch.device("meta"):
        net = nets.create(name)
        for training in (True, False):
            net.train(training)
            logits, *attention = logits_of(net(inputs_of(name, 3, 1).expand(-1, -1, *size)))
            assert logits.shape == (3, 2, *size)
            assert all(each.shape == (3, 1, *size) for each in attention)


@pytest.mark.parametrize("name", DETECTORS)
@pytest.mark.parametrize("size", [(416, 416), (224, 320), (32, 64)])
def test_detectors_maps_have_a_cell_a_stride(name: str, size: tuple[int, int]) -> None:
    with torch.device("meta"):
        net = nets.create(name, classes=7)
        for training in (True, False):
            maps = net.train(training)(torch.empty(3, 3, *size))
            assert isinstance(maps, tuple)
            for each, scale in zip(maps, net.scales, strict=True):
                channels = len(scale.anchors) * (5 + 7)
                assert each.shape == (3, channels, *(side // scale.stride for side in size))


@pytest.mark.parametrize(
    ("name", "options", "info"),
    [
        ("efficientnet-lite0", {}, ((2, 16), (4, 24), (8, 40), (16, 112), (32, 320))),
        ("efficientnet-lite2", {}, ((2, 16), (4, 24), (8, 48), (16, 120), (32, 352))),
        ("resnet18", {}, ((4, 64), (8, 128), (16, 256), (32, 512))),
        ("resnet50", {"stem": "small"}, ((1, 256), (2, 512), (4, 1024), (8, 2048))),
        ("vgg16", {}, ((1, 64), (2, 128), (4, 256), (8, 512), (16, 512))),
        ("vgg16", {"downsample": "stride"}, ((1, 64), (2, 128), (4, 256), (8, 512), (16, 512))),
    ],
)
def test_maps_to_build_on_are_as_the_net_says(name, options, info) -> None:
    with torch.device("meta"):
        net = nets.create(name, **options).eval()
        maps = net.feature_maps(torch.empty(1, 3, 320, 224))
    assert net.feature_info == info
    assert [tuple(each.shape) for each in maps] == [
        (1, channels, 320 // stride, 224 // stride) for stride, channels in info
    ]


@pytest.mark.parametrize("name", nets.names())
def test_gradient_reaches_every_parameter_and_evaluation_is_steady(name: str) -> None:
    net, side = small_net(name)
    assert net.training
    pictures = inputs_of(name, 4, side)
    loss_of(name, logits_of(net(pictures))).backward()
    for parameter, weight in net.named_parameters():
        if parameter.startswith(IDLE.get(name, ("nothing",))):
            assert not weight.requires_grad, parameter
            continue
        assert weight.grad is not None, parameter
        # Never exactly zero: even a bias that the next norm takes away gets a rounding error.
        assert 0 < weight.grad.norm().item() < math.inf, parameter
    net.eval()
    with torch.no_grad():
        together, alone = logits_of(net(pictures)), logits_of(net(pictures[:1]))
        for all_of_them, one, again in zip(together, alone, logits_of(net(pictures)), strict=True):
            rounding = 1e-5 * max(1.0, one.abs().max().item())
            torch.testing.assert_close(all_of_them[:1], one, rtol=1e-4, atol=rounding)
            assert torch.equal(all_of_them, again)


@pytest.mark.parametrize("name", nets.names())
def test_state_survives_saving_and_copying(name: str) -> None:
    if name in ("vgg16", "resnet101", "resnet152"):  # Without so many values, thrice.
        with torch.device("meta"):
            net, again = nets.create(name), nets.create(name)
        assert net.state_dict().keys() == copy.deepcopy(again).state_dict().keys()
        again.load_state_dict(net.state_dict(), assign=True)
        return
    net, side = small_net(name)
    other, _ = small_net(name)
    pictures = inputs_of(name, 2, side)
    net(pictures)  # Moves the running statistics off their start.
    net.eval()
    other.eval()
    with torch.no_grad():
        expected = logits_of(net(pictures))
        assert not torch.allclose(logits_of(other(pictures))[0], expected[0])
        other.load_state_dict(net.state_dict())
        for same in (other, copy.deepcopy(net)):
            assert all(map(torch.equal, logits_of(same(pictures)), expected))


@pytest.mark.parametrize("name", ["lenet", "alexnet", "googlenet", "resnet18", "resnet101"])
def test_first_loss_is_near_that_of_a_uniform_guess(name: str) -> None:
    net, side = small_net(name)
    pictures = torch.randn(8, 3, side, side)
    with torch.no_grad():
        for each in logits_of(net(pictures)):
            loss = nn.functional.cross_entropy(each, torch.arange(8) % 7)
            assert loss.item() == pytest.approx(math.log(7), abs=0.5)


@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("lenet", {}),
        ("lenet", {"downsample": "stride"}),
        ("alexnet", {"width": 0.5}),
        ("alexnet", {"width": 0.5, "downsample": "stride"}),
        ("googlenet", {}),
        ("resnet18", {"width": 0.5, "zero_residual": True}),
    ],
)
def test_learns_a_batch_by_heart(name: str, options: dict[str, Any]) -> None:
    options |= {option: 0.0 for option in nets.options(name) if "dropout" in option}
    net, side = small_net(name, **options)
    pictures, truth = torch.randn(7, 3, side, side), torch.arange(7)
    optimiser = torch.optim.SGD(net.parameters(), lr=0.01, momentum=0.9)
    for _ in range(25):
        optimiser.zero_grad()
        loss = nn.functional.cross_entropy(logits_of(net(pictures))[0], truth)
        loss.backward()
        optimiser.step()
    assert loss.item() < 0.5 * math.log(7)


@pytest.mark.parametrize("name", ["lenet", "alexnet", "googlenet", "resnet18"])
def test_dropout_acts_in_training_alone(name: str) -> None:
    net, side = small_net(name, dropout=0.5)
    pictures = torch.randn(3, 3, side, side)
    assert not torch.equal(logits_of(net(pictures))[0], logits_of(net(pictures))[0])
    net.eval()
    assert torch.equal(net(pictures), net(pictures))


def test_options_are_read_from_the_file_without_running_it() -> None:
    for name in nets.names():
        nets.require_options(name, nets.options(name))
        with pytest.raises(InputError, match=f"{name} has no option 'stil'.*its options are: "):
            nets.require_options(name, ["stil"])


def test_classes_left_out_is_the_count_of_the_paper() -> None:
    with torch.device("meta"):
        for name in CLASSIFIERS:
            net = nets.create(name).eval()
            logits = net(torch.empty(1, 3, *nets.input_size(name)))
            # With as many parameters as the file's header says.
            assert logits.shape == (1, nets.options(name)["classes"]), name


@pytest.mark.parametrize(
    ("name", "options", "message"),
    [
        ("resnet19", {}, r"resnet19.*did you mean resnet1.*: .*\blenet\b"),
        ("LeNet", {}, "did you mean lenet"),
        ("x" * 50, {}, r"the nets are: .*\blenet\b"),
        ("lenet", {"clases": 3}, r"'clases' \(did you mean classes\?\).*size, downsample, dropout"),
        ("resnet18", {"block": 3}, "no option 'block'.*classes, stem, width, dropout"),
        ("lenet", {"classes": 0}, "classes is 0"),
        ("lenet", {"classes": -4}, "classes is -4"),
        ("lenet", {"classes": 2.0}, r"classes is 2\.0"),
        ("lenet", {"classes": True}, "classes is True"),
        ("lenet", {"dropout": 1}, "dropout is 1"),
        ("lenet", {"dropout": "half"}, "dropout is 'half'"),
        ("lenet", {"downsample": "max"}, "downsample is 'max'.*'pool' or 'stride'"),
        ("alexnet", {"width": 0}, "width is 0"),
        ("alexnet", {"width": math.nan}, "width is nan"),
        ("resnet18", {"stem": "large"}, "stem is 'large'.*'imagenet' or 'small'"),
        ("resnet18", {"width": -1.0}, r"width is -1\.0"),
        (
            "a2dele",
            {"classes": 2},
            "a2dele has no option 'classes'; its options are: width, profile",
        ),
        ("a2dele-depth", {"width": 0}, "width is 0"),
        ("a2dele-depth", {"profile": "original"}, "profile is 'original'.*'mended' or 'upstream'"),
        ("yolov3", {"width": 0}, "width is 0"),
        ("yolov3", {"spp": True}, "no option 'spp'; its options are: classes, anchors, masks, wid"),
        ("yolov3", {"masks": ((0,), (1,))}, "masks is .*3 scales, of strides 32, 16, 8"),
        ("yolov3", {"masks": 3}, "masks is 3"),
        ("yolov3-tiny", {"masks": ((0, 1), (6,))}, r"masks has \(6,\).*from 0 to 5.*6 anchors"),
        ("yolov3-tiny", {"masks": ((0, 1), (2, 2))}, r"masks has \(2, 2\)"),
        ("yolov3-tiny", {"masks": ((0, 1), ())}, r"masks has \(\)"),
        ("yolov3-tiny", {"anchors": ((3, 4), (5, 0))}, r"anchors has \(5, 0\).*both above 0"),
        ("yolov3-tiny", {"anchors": ((3, 4), (5, 6, 7))}, r"anchors has \(5, 6, 7\)"),
        ("yolov3-tiny", {"anchors": 7}, "anchors is 7"),
        ("yolov3_tiny", {}, "no net called 'yolov3_tiny'.*did you mean yolov3-tiny"),
        ("googlenet", {"auxiliary_dropout": 2}, "auxiliary_dropout is 2"),
        ("lenet", {"size": 0}, "size is 0"),
        ("lenet", {"size": 3.5}, r"size is 3\.5"),
        ("lenet", {"size": "32"}, "size is '32'"),
        ("lenet", {"size": (32, 32, 3)}, "size is .*height and width"),
    ],
)
def test_what_makes_no_sense_is_said(name: str, options: dict[str, Any], message: str) -> None:
    with torch.device("meta"), pytest.raises(InputError, match=message):
        nets.create(name, **options)


def test_names_and_sizes_need_no_torch() -> None:
    program = (
        "import sys; from viewfinder import nets; nets.names(); nets.input_size('lenet');"
        "assert 'torch' not in sys.modules and 'torchvision' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", program], check=True)


def test_creating_needs_no_torchvision() -> None:
    program = (
        "import sys; from viewfinder import nets; import viewfinder.nets.checkpoints;"
        "nets.create('resnet18'); assert 'torchvision' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", program], check=True)


def test_input_size_of_an_unknown_net() -> None:
    with pytest.raises(InputError, match="no net called"):
        nets.input_size("resnet")


def test_options_are_the_defaults() -> None:
    assert nets.options("lenet") == {
        "classes": 10, "size": 32, "downsample": "pool", "dropout": 0.0,
    }  # fmt: skip
    assert nets.names("nothing") == []
