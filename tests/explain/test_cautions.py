"""What runs and is wrong all the same is told, and what is right is not."""

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torchvision import models

from viewfinder.explain import explain


class Net(nn.Module):
    def __init__(self, run, **layers):
        super().__init__()
        self.run = run
        for name, layer in layers.items():
            setattr(self, name, layer)

    def forward(self, *inputs: Tensor):
        return self.run(self, *inputs)


def in_place(net, x):
    y = torch.sigmoid(net.c(x))
    z = y * y
    y += 1
    return z + y


def unused(net, x):
    net.b(x)
    return net.a(x)


PICTURE, ROW = (1, 3, 16, 16), (1, 8)
WRONG = {
    "convs is a plain list: its 224 weights": (
        lambda: Net(lambda n, x: n.convs[0](x), convs=[nn.Conv2d(3, 8, 3)]),
        PICTURE,
    ),
    "forward returns None": (lambda: Net(lambda n, x: None, a=nn.Linear(8, 8)), ROW),
    "bias=False in 0": (lambda: nn.Sequential(nn.Conv2d(3, 8, 3), nn.BatchNorm2d(8)), PICTURE),
    "relu of what relu gave": (lambda: nn.Sequential(nn.Linear(8, 8), nn.ReLU(), nn.ReLU()), ROW),
    "scrambles the picture": (
        lambda: Net(lambda n, x: n.c(x.reshape(-1, 3, 16, 20)), c=nn.Conv2d(3, 8, 3)),
        (1, 16, 20, 3),
    ),
    "nothing that comes out depends on b": (
        lambda: Net(unused, a=nn.Linear(8, 8), b=nn.Linear(8, 8)),
        ROW,
    ),
    "drops numbers in evaluation too": (
        lambda: Net(lambda n, x: n.a(F.dropout(x, 0.5)), a=nn.Linear(8, 8)),
        ROW,
    ),
    "comes last: in training": (lambda: nn.Sequential(nn.Linear(8, 8), nn.Dropout()), ROW),
    "the width of a map": (
        lambda: nn.Sequential(nn.Conv2d(3, 8, 3), nn.Linear(14, 2)),
        PICTURE,
    ),
    "has its own softmax": (
        lambda: Net(
            lambda n, x: F.cross_entropy(n.a(x).softmax(1), torch.zeros(1, dtype=torch.long)),
            a=nn.Linear(8, 4),
        ),
        ROW,
    ),
    "writes over what the backward pass of": (lambda: Net(in_place, c=nn.Conv2d(3, 8, 3)), PICTURE),
    "mixes the items of a batch": (
        lambda: Net(lambda n, x: n.a(x, x, x)[0], a=nn.MultiheadAttention(8, 2)),
        (1, 5, 8),
    ),
    "softmax over the batch": (lambda: nn.Sequential(nn.Linear(8, 4), nn.Softmax(dim=0)), ROW),
}


@pytest.mark.parametrize("words", WRONG)
def test_what_runs_and_is_wrong_is_told(words: str) -> None:
    build, shape = WRONG[words]
    explanation = explain(build().eval(), shape, batched="batch" in words)
    assert any(words in warning for warning in explanation.warnings), explanation.warnings


@pytest.mark.parametrize("name", ["resnet18", "squeezenet1_1", "shufflenet_v2_x0_5", "vit_b_16"])
def test_what_is_right_is_not_warned_of(name: str) -> None:
    with torch.device("meta"):
        net = models.get_model(name, weights=None).eval()
    assert explain(net, (1, 3, 224, 224), batched=True).warnings == ()
