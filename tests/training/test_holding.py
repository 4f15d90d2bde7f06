"""Weights that keep still cost no gradient, and what the others learn is the same."""

import copy

import pytest
import torch
from torch import nn

from viewfinder.training.holding import Held


@pytest.fixture
def net():
    torch.manual_seed(0)
    layers = [nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4), nn.Conv2d(4, 2, 3), nn.Flatten()]
    net = nn.Sequential(*layers, nn.Linear(32, 2))
    net[1].bias.requires_grad_(False)  # a task's own choice
    return net


def gradients(net, held, done):
    net.zero_grad()
    held.before_step(done)
    net(torch.ones(2, 3, 8, 8)).square().sum().backward()
    held.before_update(done)
    return {name: each.grad for name, each in net.named_parameters()}


def test_others_learn_the_same_to_the_last_bit(net):
    names = {name for name, _ in net.named_parameters() if name[0] in "012"} - {"2.bias"}
    usual = gradients(copy.deepcopy(net), Held(net, (), 0.0), 0.0)
    held = Held(net, names, 0.5)
    still = gradients(net, held, 0.4)
    assert {name for name, each in still.items() if each is None} == names
    assert not net[0].weight.requires_grad
    for name, each in still.items():
        assert each is None or torch.equal(each, usual[name])
    moving = gradients(net, held, 0.5)
    assert {name for name, each in moving.items() if each is None} == {"1.bias"}
    for name in moving.keys() - {"1.bias"}:
        assert torch.equal(moving[name], usual[name])


def test_where_all_came_along_a_step_goes_back_and_moves_nothing(net):
    held = Held(net, [name for name, _ in net.named_parameters()], 1.0)
    assert set(gradients(net, held, 0.0).values()) == {None}
