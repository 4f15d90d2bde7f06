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
# Sides of pictures that keep a test on real weights short.
SMALL = {"lenet": 32, "alexnet": 64}


def small_net(name: str, **options: Any) -> tuple[nn.Module, int]:
    """A net of seven classes and the side of pictures it takes, as small as its layout allows."""
    side = SMALL.get(name, 32)
    if "size" in nets.options(name):
        options["size"] = side
    return nets.create(name, classes=7, **options), side


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
            call = ast.parse(net, mode="eval").body
            options = {}
            if isinstance(call, ast.Call):
                options = {word.arg: ast.literal_eval(word.value) for word in call.keywords}
                call = call.func
            assert isinstance(call, ast.Name)
            sides = tuple(int(side) for side in shape.split("×"))
            counts = (int(text.replace(",", "")) for text in (parameters, macs))
            rows.append((call.id, options, sides, *counts))
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


@pytest.mark.parametrize("name", CLASSIFIERS)
def test_gradient_reaches_every_parameter_and_evaluation_is_steady(name: str) -> None:
    net, side = small_net(name)
    assert net.training
    pictures = torch.randn(4, 3, side, side)
    outputs = logits_of(net(pictures))
    sum(
        nn.functional.cross_entropy(each, torch.tensor([0, 2, 4, 6])) for each in outputs
    ).backward()
    for parameter, weight in net.named_parameters():
        assert weight.grad is not None, parameter
        # Never exactly zero: even a bias that the next norm takes away gets a rounding error.
        assert 0 < weight.grad.norm().item() < math.inf, parameter
    net.eval()
    with torch.no_grad():
        together, alone = net(pictures), net(pictures[:1])
        torch.testing.assert_close(together[:1], alone, rtol=1e-4, atol=1e-5)
        assert torch.equal(together, net(pictures))


@pytest.mark.parametrize("name", CLASSIFIERS)
def test_state_survives_saving_and_copying(name: str) -> None:
    if name in ("vgg16", "resnet101", "resnet152"):  # Without so many values, thrice.
        with torch.device("meta"):
            net, again = nets.create(name), nets.create(name)
        assert net.state_dict().keys() == copy.deepcopy(again).state_dict().keys()
        again.load_state_dict(net.state_dict(), assign=True)
        return
    net, side = small_net(name)
    other, _ = small_net(name)
    pictures = torch.randn(2, 3, side, side)
    net(pictures)  # Moves the running statistics off their start.
    net.eval()
    other.eval()
    with torch.no_grad():
        expected = net(pictures)
        assert not torch.allclose(other(pictures), expected)
        other.load_state_dict(net.state_dict())
        assert torch.equal(other(pictures), expected)
        assert torch.equal(copy.deepcopy(net)(pictures), expected)


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


def test_classes_left_out_is_the_count_of_the_paper() -> None:
    with torch.device("meta"):
        for name in CLASSIFIERS:
            net = nets.create(name).eval()
            logits = net(torch.empty(1, 3, *nets.input_size(name)))
            assert logits.shape == (1, 10 if name == "lenet" else 1000), name


@pytest.mark.parametrize(
    ("name", "options", "message"),
    [
        ("resnet19", {}, r"resnet19.*did you mean resnet1.*lenet, alexnet, vgg16"),
        ("LeNet", {}, "did you mean lenet"),
        ("x" * 50, {}, "the nets are: lenet"),
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
