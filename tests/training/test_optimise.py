"""Optimisers start as they should, whatever becomes of a training's first steps."""

import copy
from itertools import pairwise

import pytest
import torch
from torch import nn

from viewfinder.tasks.classify.recipe import ClassifyRecipe
from viewfinder.training.advice import fixes
from viewfinder.training.arrangement import Arrangement
from viewfinder.training.optimise import make_optimiser

ARITHMETICS = {"32": torch.float32, "bf16": torch.bfloat16, "16": torch.float16}


def unfused(net: nn.Module, recipe: ClassifyRecipe) -> torch.optim.Optimizer:
    kernels = [p for p in net.parameters() if p.ndim > 1]
    others = [p for p in net.parameters() if p.ndim <= 1]
    groups = [
        {"params": kernels, "weight_decay": recipe.weight_decay},
        {"params": others, "weight_decay": 0.0},
    ]
    lr, momentum = recipe.learning_rate, recipe.momentum
    plain = {"foreach": False, "fused": False}
    if recipe.optimiser == "adamw":
        return torch.optim.AdamW(groups, lr=lr, betas=(momentum, 0.999), **plain)
    return torch.optim.SGD(groups, lr=lr, momentum=momentum, nesterov=momentum > 0, **plain)


def leave_junk_in_the_allocator() -> None:
    """What is freed is handed out next, as it is, to whoever asks for uninitialised memory."""
    sizes = [(s,) for s in (4, 10, 40, 160, 400)] + [(4, 10), (40, 40), (10, 40), (40, 4)]
    junk = [torch.full(size, float("nan")) for size in sizes for _ in range(20)]
    del junk


def steps(net, optimiser, arithmetic: str, *, skipped: int) -> None:
    """Four steps as the loop takes them, of which the first ones overflow."""
    scaler = torch.amp.GradScaler("cpu", enabled=arithmetic == "16")
    for step in range(4):
        inputs = torch.randn(8, 10, generator=torch.Generator().manual_seed(step))
        with torch.autocast("cpu", ARITHMETICS[arithmetic], enabled=arithmetic != "32"):
            loss = net(inputs).float().square().mean()
        leave_junk_in_the_allocator()
        optimiser.zero_grad()
        scaler.scale(loss).backward()
        if step < skipped:
            next(net.parameters()).grad.fill_(float("inf"))
        scaler.unscale_(optimiser)
        scaler.step(optimiser)
        scaler.update()


@pytest.mark.parametrize("arithmetic", ARITHMETICS)
@pytest.mark.parametrize(
    "fields",
    [{}, {"momentum": 0.0}, {"optimiser": "adamw", "learning_rate": 1e-3}],
    ids=["sgd", "sgd without momentum", "adamw"],
)
def test_steps_are_those_of_unfused_optimisers_also_after_skipped_ones(fields, arithmetic):
    torch.manual_seed(0)
    net = nn.Sequential(nn.Linear(10, 40), nn.ReLU(), nn.Linear(40, 40), nn.Linear(40, 4))
    recipe = ClassifyRecipe(net="lenet", **fields)
    for skipped in (0, 1, 2) if arithmetic == "16" else (0,):
        mine, theirs = copy.deepcopy(net), copy.deepcopy(net)
        steps(mine, make_optimiser(mine, recipe), arithmetic, skipped=skipped)
        steps(theirs, unfused(theirs, recipe), arithmetic, skipped=skipped)
        for one, other in zip(mine.parameters(), theirs.parameters(), strict=True):
            assert one.isfinite().all()
            torch.testing.assert_close(one, other, rtol=1e-6, atol=1e-7)
        assert not torch.equal(mine[0].weight, net[0].weight)


@pytest.mark.parametrize("optimiser", ["sgd", "adamw"])
def test_layers_that_were_frozen_join_in(optimiser):
    torch.manual_seed(0)
    net = nn.Sequential(nn.Linear(10, 10), nn.Linear(10, 10))
    made = make_optimiser(net, ClassifyRecipe(net="lenet", optimiser=optimiser, learning_rate=0.01))
    seen = []
    for step in range(3):
        for parameter in net.parameters():
            parameter.grad = torch.ones_like(parameter)
        if step == 0:
            net[0].weight.grad = net[0].bias.grad = None
        made.step()
        seen.append(net[0].weight.detach().clone())
    assert all(not torch.equal(one, other) for one, other in pairwise(seen))


def says(net, *, arithmetic="32", updates=3, plain=float("nan"), **fields):
    recipe = ClassifyRecipe(net="lenet", **fields)
    arrangement = Arrangement(arithmetic, "channels_last")
    return fixes(recipe, arrangement, net, updates=updates, plain_loss=lambda: plain)


def test_the_advice_on_a_loss_that_is_no_number_is_what_helps():
    net, broken = nn.Linear(2, 2), nn.Linear(2, 2)
    nn.init.constant_(broken.weight, float("nan"))
    assert says(broken) == "Try --learning-rate 0.01"
    assert says(broken, clip=0.0) == "Try --learning-rate 0.01, or --clip 1"
    assert "--init" in says(broken, updates=0)
    overflown = says(net, arithmetic="16", plain=1.0)
    assert "--precision 32 or bf16" in overflown
    assert "--learning-rate" not in overflown
    assert "--precision 32" in says(net, arithmetic="bf16", plain=1.0)
    assert says(net, arithmetic="16").startswith("Try --learning-rate")
    assert "would not help" in says(net, updates=0)
