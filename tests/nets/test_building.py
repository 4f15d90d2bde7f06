"""Nets of shapes alone, and those whose weights are yet to be loaded."""

import subprocess
import sys

import pytest
import torch

from viewfinder import nets
from viewfinder.nets.building import build, shapes_alone, undrawn


@pytest.mark.parametrize("name", ["lenet", "efficientnet-lite0", "yolov3-tiny"])
def test_shapes_are_those_of_the_net_and_hold_no_numbers(name):
    with shapes_alone():
        layout = nets.create(name).state_dict()

    drawn = nets.create(name).state_dict()
    assert {key: tensor.shape for key, tensor in layout.items()} == {
        key: tensor.shape for key, tensor in drawn.items()
    }
    assert all(tensor.is_meta for tensor in layout.values())


def test_what_is_not_drawn_takes_no_random_numbers_and_learns_like_others():
    torch.manual_seed(0)
    expected = torch.rand(1)
    torch.manual_seed(0)
    with undrawn():
        net = nets.create("lenet")
    built = build(lambda: nets.create("lenet"), numbers=1_000_000)

    assert torch.equal(torch.rand(1), expected)
    assert all(each.requires_grad for each in [*net.parameters(), *built.parameters()])


def test_shapes_are_had_without_loading_the_compiler_of_torch():
    program = (
        "import sys; from viewfinder import nets; from viewfinder.nets.building import shapes_alone"
        "\nwith shapes_alone(): nets.create('efficientnet-lite0'); nets.create('resnet18')"
        "\nprint('torch._dynamo' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)

    assert done.stdout.strip() == "False", done.stderr
