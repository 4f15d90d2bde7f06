"""Sizes and batches that a net cannot learn with are refused by shapes, and the advice holds."""

import re

import pytest
import torch

from viewfinder import nets
from viewfinder.errors import InputError
from viewfinder.tasks import find
from viewfinder.tasks.run_weights import new_net
from viewfinder.training.trying import require_learnable

# Of each family the one that is made quickest.
LARGE = ("resnet34", "resnet50", "resnet101", "resnet152", "yolov3", "yolov3-spp", "a2dele-depth")
NETS = [
    (task, name)
    for task in ("classify", "detect", "saliency")
    for name in nets.names(task)
    if name not in LARGE
]
QUICK = [pair for pair in NETS if pair[1] not in ("lenet", "alexnet", "vgg16")]


def ask(task, name, side, batch, count=40, **fields):
    kind = find(task)
    recipe = kind.recipe(net=name, size=side, batch=batch, **fields)
    options = {"size": side} if "size" in nets.options(name) else {}
    require_learnable(kind, recipe, (side, side), options, classes=3, count=count)


def really(name, side, batch):
    """Whether one step's forward pass runs on numbers."""
    options = {"width": 0.25} if "width" in nets.options(name) else {}
    net = new_net(name, 3, options)
    channels = next(weight.shape[1] for weight in net.parameters() if weight.dim() == 4)
    try:
        net.train()(torch.rand(batch, channels, side, side))
    except (RuntimeError, ValueError):
        return False
    return True


@pytest.mark.parametrize(("task", "name"), NETS)
def test_every_net_takes_its_own_size(task, name):
    ask(task, name, nets.input_size(name)[0], 1)


@pytest.mark.parametrize(("task", "name"), QUICK)
@pytest.mark.parametrize("batch", [1, 2])
def test_too_small_a_size_is_refused_and_the_advised_one_is_taken(task, name, batch):
    plain = {"small": 0.0, "multi_scale": 0.0} if task == "detect" else {}
    if name.startswith("efficientnet-lite"):
        plain["head"] = "full"  # else it takes no steps
    side = 32 if task == "detect" else 16
    if really(name, side, batch):
        ask(task, name, side, batch, **plain)
        return
    with pytest.raises(InputError, match=f"{name} cannot learn from .*{side}×{side}") as caught:
        ask(task, name, side, batch, **plain)
    advised = int(re.search(r"--size of (\d+)", str(caught.value))[1])
    ask(task, name, advised, batch, **plain)
    assert really(name, advised, batch)
    step = 32 if side == 32 else 1
    assert not really(name, advised - step, batch)


def test_what_takes_no_step_may_be_too_small_to_be_normalised():
    ask("classify", "efficientnet-lite0", 16, 1, head="prototypes")
    with pytest.raises(InputError, match="16×16"):
        ask("classify", "efficientnet-lite0", 16, 1, head="full")


def test_one_picture_a_step_is_told_with_a_batch_that_helps():
    with pytest.raises(InputError, match=r"one picture of 32×32 at a time.*a --batch of 2 or more"):
        ask("classify", "resnet18", 32, 1)
    # Three pictures in steps of two at most leave one alone.
    with pytest.raises(InputError, match=r"a --batch of 3 or more"):
        ask("classify", "resnet18", 32, 2, count=3)
    ask("classify", "resnet18", 32, 3, count=3)
    # Two processes with one each normalise them together.
    ask("classify", "resnet18", 32, 2, count=40, devices=2)


def test_a_detector_is_tried_at_the_smallest_size_it_is_shown():
    ask("detect", "yolov3-tiny", 64, 1, small=0.0, multi_scale=0.0)
    with pytest.raises(InputError, match="one picture of 64×64"):
        ask("detect", "yolov3-tiny", 64, 1, small=0.0, multi_scale=0.5)
