"""Afterwards the module is bit for bit as it was, and nothing was allocated."""

import copy
import gc
import random
from collections.abc import Iterator
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from viewfinder.explain import explain


class Busy(nn.Module):
    """A net that changes itself whenever it runs."""

    def __init__(self) -> None:
        super().__init__()
        self.conv = nn.Conv2d(3, 4, 3)
        self.norm = nn.BatchNorm2d(4)
        self.norm.eval()
        self.other = nn.BatchNorm2d(4)
        self.drop = nn.Dropout(0.5)
        self.tied = nn.Linear(4, 4)
        self.again = nn.Linear(4, 4)
        self.again.weight = self.tied.weight
        self.register_buffer("seen", torch.zeros(1), persistent=False)
        self.calls = 0
        self.history: list[Any] = []
        self.plain = torch.ones(4)
        self.conv.weight.requires_grad_(False)
        self.stop = False

    def forward(self, x: Tensor) -> Tensor:
        self.calls += 1
        self.history.append(x)
        self.last = x
        self.seen += 1
        self.plain.mul_(2)
        self.train(not self.training)
        x = self.drop(self.other(self.norm(self.conv(x)))) * torch.rand(1) * random.random()
        self.tied.weight.data.add_(1)
        if self.stop:
            x = x.view(7)
        return self.again(self.tied(x.mean((2, 3)) + self.plain))


def attributes(net: nn.Module) -> Iterator[tuple[str, Any]]:
    for path, module in net.named_modules():
        for name, value in vars(module).items():
            if name != "_modules":
                yield f"{path}:{name}", value


def same(one: Any, two: Any) -> bool:
    if isinstance(one, Tensor):
        return (
            type(one) is type(two)
            and one.device == two.device
            and one.requires_grad == two.requires_grad
            and torch.equal(one, two)
        )
    if isinstance(one, dict):
        return one.keys() == two.keys() and all(same(one[key], two[key]) for key in one)
    if isinstance(one, list):
        return len(one) == len(two) and all(map(same, one, two))
    return one == two


@pytest.mark.parametrize("training", [True, False])
@pytest.mark.parametrize("stop", [True, False])
def test_a_module_is_as_it_was(training: bool, stop: bool) -> None:
    net = Busy()
    net.train(training)
    net.norm.eval()
    net.stop = stop
    before = copy.deepcopy(net)
    identities = {name: id(value) for name, value in net.named_parameters()}
    torch.manual_seed(7)
    random.seed(7)
    expected = torch.rand(3).tolist(), random.random()
    torch.manual_seed(7)
    random.seed(7)
    explanation = explain(net, (2, 3, 6, 6))
    assert (explanation.mistake is not None) == stop
    assert (torch.rand(3).tolist(), random.random()) == expected
    assert [name for name, _ in attributes(net)] == [name for name, _ in attributes(before)]
    for (name, now), (_, then) in zip(attributes(net), attributes(before), strict=True):
        assert same(now, then), name
    assert {name: id(value) for name, value in net.named_parameters()} == identities
    assert net.tied.weight is net.again.weight
    assert torch.is_grad_enabled()


def test_hooks_of_the_user_stay_and_run_on_the_copy() -> None:
    net, shapes = nn.Sequential(nn.Linear(4, 2)), []
    net[0].register_forward_hook(lambda module, args, output: shapes.append(output.shape))
    explain(net, (3, 4))
    # Once with the batch as given, once with twice of it.
    assert shapes == [torch.Size([3, 2]), torch.Size([6, 2])]
    assert len(net[0]._forward_hooks) == 1
    assert not net._forward_hooks
    assert not net._forward_pre_hooks


def test_no_memory_is_taken_for_activations() -> None:
    # 60 TB of pictures, and as much again in each layer.
    net = nn.Sequential(nn.Conv2d(3, 64, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2))
    explanation = explain(net, (100_000_000, 3, 224, 224))
    assert explanation.outputs == ((100_000_000, 64, 112, 112),)
    assert explanation.totals.activation_bytes > 10**15


def test_weights_on_meta_are_enough() -> None:
    with torch.device("meta"):
        net = nn.Linear(10**6, 10**6)
    explanation = explain(net, (1, 10**6))
    assert explanation.mistake is None
    assert explanation.totals.params == 10**12 + 10**6


def test_what_cannot_be_copied_is_shared() -> None:
    class Locked(nn.Linear):
        def __init__(self) -> None:
            super().__init__(4, 2)
            self.lines = (number for number in range(3))

    net = Locked()
    assert explain(net, (1, 4)).outputs == ((1, 2),)
    assert list(net.lines) == [0, 1, 2]


@pytest.mark.parametrize("collecting", [True, False])
def test_the_collector_of_garbage_is_left_as_it_was(collecting: bool) -> None:
    was = gc.isenabled()
    (gc.enable if collecting else gc.disable)()
    try:
        explain(nn.Sequential(nn.Linear(4, 2), nn.Linear(3, 2)), (1, 4))
        assert gc.isenabled() is collecting
    finally:
        (gc.enable if was else gc.disable)()
