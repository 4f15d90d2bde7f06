"""Nets that torchvision has too, with the same weights: outputs, gradients and statistics."""

from typing import Any

import pytest
import torch
import torchvision
from torch import Tensor, nn

from viewfinder import nets
from viewfinder.nets.googlenet import GoogLeNetLogits

RESNETS = ["resnet18", "resnet34", "resnet50", "resnet101", "resnet152"]


def perturbed(net: nn.Module) -> nn.Module:
    """The net with every norm and bias away from the values at which mistakes do not show."""
    for module in net.modules():
        if isinstance(module, nn.BatchNorm2d):
            nn.init.uniform_(module.weight, 0.5, 1.0)
            nn.init.normal_(module.running_mean, std=0.1)
            nn.init.uniform_(module.running_var, 0.5, 1.5)
        if getattr(module, "bias", None) is not None:
            nn.init.normal_(module.bias, std=0.1)
    return net


def both(name: str, theirs: nn.Module, **options: Any) -> tuple[nn.Module, nn.Module]:
    """Our net and torchvision's with equal weights, in double precision."""
    ours = perturbed(nets.create(name, classes=11, **options)).double()
    theirs = theirs.double()
    theirs.load_state_dict(ours.state_dict())
    assert list(theirs.state_dict()) == list(ours.state_dict())
    return ours, theirs


def results(net: nn.Module, pictures: Tensor) -> dict[str, Tensor]:
    """Outputs and every gradient, by name; dropout leaves out the same values every time."""
    torch.manual_seed(5)
    pictures = pictures.clone().requires_grad_()
    outputs = net(pictures)
    found = {"logits": outputs}
    if isinstance(outputs, GoogLeNetLogits):
        found = outputs._asdict()
    elif isinstance(outputs, tuple):
        found = dict(zip(("logits", "auxiliary2", "auxiliary1"), outputs, strict=True))
    # Any sum in which every logit has another weight shows a gradient gone astray.
    score = sum(
        (each * torch.linspace(1, 2 + i, each.shape[1])).sum()
        for i, (_, each) in enumerate(sorted(found.items()))
    )
    weights = {name: w for name, w in net.named_parameters() if w.requires_grad}
    weights["pictures"] = pictures
    gradients = torch.autograd.grad(score, list(weights.values()), materialize_grads=True)
    return found | {f"gradient of {name}": g for name, g in zip(weights, gradients, strict=True)}


def assert_equal_nets(ours: nn.Module, theirs: nn.Module, pictures: Tensor) -> None:
    """Every output and gradient equal to 1e-5 of the largest value in it."""
    found, expected = results(ours, pictures), results(theirs, pictures)
    assert found.keys() == expected.keys()
    for name, value in expected.items():
        # A bias before a norm in training has no gradient but rounding.
        scale = max(value.abs().max().item(), 1e-3)
        error = (found[name] - value).abs().max().item()
        assert error <= 1e-5 * scale, f"{name}: {error} of {scale}"


@pytest.mark.parametrize("name", RESNETS)
def test_resnet(name: str) -> None:
    ours, theirs = both(name, torchvision.models.get_model(name, num_classes=11))
    pictures = torch.randn(2, 3, 32, 64, dtype=torch.float64)
    assert_equal_nets(ours.eval(), theirs.eval(), pictures)


@pytest.mark.parametrize("name", ["resnet18", "resnet50"])
def test_resnet_in_training(name: str) -> None:
    ours, theirs = both(name, torchvision.models.get_model(name, num_classes=11))
    assert_equal_nets(ours, theirs, torch.randn(3, 3, 64, 48, dtype=torch.float64))
    for buffer, statistic in theirs.named_buffers():
        torch.testing.assert_close(ours.get_buffer(buffer), statistic)


def their_googlenet(**options: Any) -> nn.Module:
    return torchvision.models.GoogLeNet(num_classes=11, init_weights=False, **options)


@pytest.mark.parametrize("transform_input", [False, True])
def test_googlenet(transform_input: bool) -> None:
    theirs = their_googlenet(transform_input=transform_input)
    ours, theirs = both("googlenet", theirs, transform_input=transform_input)
    pictures = torch.randn(2, 3, 64, 75, dtype=torch.float64)
    assert_equal_nets(ours.eval(), theirs.eval(), pictures)


def test_googlenet_in_training() -> None:
    ours, theirs = both("googlenet", their_googlenet())
    pictures = torch.randn(3, 3, 96, 80, dtype=torch.float64)
    assert_equal_nets(ours, theirs, pictures)
    assert isinstance(ours(pictures), GoogLeNetLogits)


def test_googlenet_without_its_auxiliary_heads() -> None:
    ours, theirs = both("googlenet", their_googlenet(aux_logits=False), auxiliary=False)
    assert_equal_nets(ours, theirs, torch.randn(3, 3, 64, 64, dtype=torch.float64))


def test_vgg16() -> None:
    """Made without memory and given one set of weights, for it has 138 million."""
    with torch.device("meta"):
        ours = nets.create("vgg16", classes=11)
        theirs = torchvision.models.vgg16_bn(num_classes=11)
    perturbed(ours.to_empty(device="cpu"))
    for weight in ours.parameters():
        if weight.ndim > 1:
            fan_in = weight[0].numel()
            weight.data.uniform_(-1, 1).mul_((6 / fan_in) ** 0.5)
    theirs.load_state_dict(ours.state_dict(), assign=True)
    assert list(theirs.state_dict()) == list(ours.state_dict())
    for net in (ours, theirs):  # Half a gigabyte of gradients each, made of what is compared.
        net.classifier[0].weight.requires_grad_(False)
        net.classifier[3].weight.requires_grad_(False)
    pictures = torch.randn(2, 3, 64, 48)
    assert_equal_nets(ours.eval(), theirs.eval(), pictures)
    torch.manual_seed(5)
    found = ours.train()(pictures)
    torch.manual_seed(5)
    torch.testing.assert_close(found, theirs.train()(pictures))
