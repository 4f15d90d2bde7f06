"""The optimiser, its schedule, and the running average of the weights."""

import copy
import math

import torch
from torch import nn

from viewfinder.tasks.recipe import Recipe

# Of layers that others taught, a seventh of the net learns at three quarters of the rate of the
# next, since the earlier a layer stands, the less of what it knows is about their pictures alone.
_SLOWER, _LEVELS = 0.75, 6


def make_optimiser(net: nn.Module, recipe: Recipe) -> torch.optim.Optimizer:
    """Stochastic gradient descent with Nesterov momentum, or AdamW.

    Weight decay pulls matrices and kernels only: a bias or the scale of a normalisation does not
    over-fit, and pulling it towards zero harms.
    """
    parameters = list(net.parameters())
    shares = [_share(place, len(parameters), recipe) for place in range(len(parameters))]
    groups: list[dict[str, object]] = []
    for share in sorted(set(shares), reverse=True):
        own = [p for p, s in zip(parameters, shares, strict=True) if s == share]
        kernels, others = [p for p in own if p.ndim > 1], [p for p in own if p.ndim <= 1]
        groups += [
            {"params": kernels, "weight_decay": float(recipe.weight_decay), "share": share},
            {"params": others, "weight_decay": 0.0, "share": share},
        ]
    if recipe.optimiser == "adamw":
        betas = (recipe.momentum, 0.999)
        return torch.optim.AdamW(groups, lr=recipe.learning_rate, betas=betas, fused=True)
    optimiser = torch.optim.SGD(
        groups,
        lr=recipe.learning_rate,
        momentum=recipe.momentum,
        nesterov=recipe.momentum > 0,
        fused=True,
    )
    if recipe.momentum:
        _begin_momentum(optimiser)
    return optimiser


def _share(place: int, count: int, recipe: Recipe) -> float:
    """What share of the learning rate a net's parameter at this place of so many has."""
    if not recipe.tunes:
        return 1.0
    return float(_SLOWER ** round(_LEVELS * (1 - place / max(1, count - 1))))


def set_learning_rate(optimiser: torch.optim.Optimizer, progress: float, recipe: Recipe) -> None:
    """Give every parameter the learning rate of now, or its share of it."""
    for group in optimiser.param_groups:
        # States that older versions wrote have no shares.
        group["lr"] = learning_rate(progress, recipe) * group.get("share", 1.0)


def _begin_momentum(optimiser: torch.optim.SGD) -> None:
    """Begin every parameter's momentum at 0, from which the first gradient makes it itself.

    Left to itself, torch's fused SGD takes uninitialised memory for it where loss scaling skips
    the first step, and fails where only some parameters have one, as when others were frozen.
    """
    for group in optimiser.param_groups:
        for parameter in group["params"]:
            optimiser.state[parameter]["momentum_buffer"] = torch.zeros_like(parameter)


def learning_rate(progress: float, recipe: Recipe) -> float:
    """The learning rate when a share `progress` of the training is done: a rise, then a cosine."""
    if progress < recipe.warmup:
        return recipe.learning_rate * max(progress, 1e-3) / recipe.warmup
    fall = (progress - recipe.warmup) / max(1e-9, 1 - recipe.warmup)
    return recipe.learning_rate * 0.5 * (1 + math.cos(math.pi * min(1.0, fall)))


def make_average(net: nn.Module) -> nn.Module:
    """A copy of the net to hold the running average of its weights and batch statistics."""
    average = copy.deepcopy(net).eval()
    return average.requires_grad_(False)


@torch.no_grad()
def update_average(average: nn.Module, net: nn.Module, *, step: int, decay: float) -> None:
    """Move the average towards the net's weights of now.

    Early on it must not remember the random start, so it begins nearly as a plain mean.

    Args:
        step: how many updates there were before this one.
    """
    weight = 1 - min(decay, (1 + step) / (10 + step))
    for kept, current in (
        (average.parameters(), net.parameters()),
        (average.buffers(), net.buffers()),
    ):
        pairs = list(zip(kept, current, strict=True))
        floats = [(a, b) for a, b in pairs if a.is_floating_point()]
        if floats:
            torch._foreach_lerp_([a for a, _ in floats], [b for _, b in floats], weight)
        counts = [(a, b) for a, b in pairs if not a.is_floating_point()]
        if counts:
            torch._foreach_copy_([a for a, _ in counts], [b for _, b in counts])


def take_step(
    optimiser: torch.optim.Optimizer, scaler: torch.amp.GradScaler, net: nn.Module, *, clip: float
) -> bool:
    """Limit the true gradients' norm, unless `clip` is 0, and step.

    Returns:
        whether float16 overflowed, so that the step was skipped.
    """
    # First, since the limit is one of true gradients.
    scaler.unscale_(optimiser)
    if clip:
        nn.utils.clip_grad_norm_(net.parameters(), clip, foreach=True)
    before = scaler.get_scale()
    scaler.step(optimiser)
    scaler.update()
    # The scaler takes a smaller scale after an overflow, and says nothing else of it.
    return scaler.get_scale() < before
