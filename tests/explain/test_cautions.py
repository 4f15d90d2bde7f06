"""What runs and is wrong all the same is told, and what is right is not."""

import pytest
import torch
import torch.nn.functional as F
from known_nets import KNOWN
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
    "mse_loss compares number by number, and repeats what there is less of: 1×4 ≠ 1×1": (
        lambda: Net(lambda n, x: F.mse_loss(n.f(x), x[:, :1]), f=nn.Linear(8, 4)),
        ROW,
    ),
    "convs is a plain list: its 224 weights": (
        lambda: Net(lambda n, x: n.convs[0](x), convs=[nn.Conv2d(3, 8, 3)]),
        PICTURE,
    ),
    "forward returns None": (lambda: Net(lambda n, x: None, a=nn.Linear(8, 8)), ROW),
    "bias=False in 0": (lambda: nn.Sequential(nn.Conv2d(3, 8, 3), nn.BatchNorm2d(8)), PICTURE),
    "relu of what relu gave": (lambda: nn.Sequential(nn.Linear(8, 8), nn.ReLU(), nn.ReLU()), ROW),
    "makes 1×16×20×3 into 1×3×16×20": (
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
    "a reads 1×5×8 as steps × batch": (
        lambda: Net(lambda n, x: n.a(x)[0], a=nn.LSTM(8, 4)),
        (1, 5, 8),
    ),
    "256 answers come out for a batch of 2": (
        lambda: Net(lambda n, x: n.b(n.a(x).flatten(1).view(-1, 10)), a=linear(), b=linear(10)),
        (2, 40, 4, 8),
    ),
    "linear has weights that forward makes": (
        lambda: Net(lambda n, x: nn.Linear(8, 3)(n.a(x)), a=linear()),
        ROW,
    ),
    "w, which matmul takes, is no nn.Parameter": (
        lambda: Net(lambda n, x: x @ n.w, w=nn.Parameter(torch.ones(8, 3)) * 0.1),
        ROW,
    ),
    "no gradient reaches a (72 weights)": (
        lambda: Net(lambda n, x: n.b((n.a(x) > 0).float()), a=linear(), b=linear()),
        ROW,
    ),
    "batch_norm measures its batch in evaluation too": (
        lambda: Net(
            lambda n, x: F.batch_norm(x, n.mean, n.mean + 1, training=True), mean=torch.zeros(3)
        ),
        (2, 3, 8, 8),
    ),
    "makes 1×12×4×4 into 1×16×12": (
        lambda: Net(lambda n, x: n.a(x.reshape(x.size(0), -1, 12)), a=linear(12)),
        (1, 12, 4, 4),
    ),
    "makes 1×10×8 into 1×2×10×4": (
        lambda: Net(lambda n, x: n.a(x).view(x.size(0), 2, 10, 4), a=linear()),
        (1, 10, 8),
    ),
    "makes 1×30×12 into 1×12×30": (
        lambda: Net(lambda n, x: n.c(x.view(-1, 12, 30)), c=nn.Conv1d(12, 4, 3)),
        (1, 30, 12),
    ),
    "makes 2×8×4×8 into 2×8×32, where dimension 1 goes with the width and does not hold it: it "
    "reads the numbers in the order that they lie in and scrambles them; permute(0, 3, 1, 2)": (
        lambda: Net(lambda n, x: n.a(n.c(x).view(x.size(0), x.size(3), -1)), **mapped(8, 32)),
        (2, 3, 4, 8),
    ),
    "which tears the width apart": (
        lambda: Net(lambda n, x: n.a(n.c(x).view(x.size(0), -1, 4)), **mapped(12, 4)),
        (2, 3, 8, 8),
    ),
    "where dimension 1 goes with the time": (
        lambda: Net(joined_heads, a=linear()),
        (2, 4, 16),
    ),
    "parts 10×8 into 5×2×8, and flatten had joined 2×5×8": (
        lambda: Net(lambda n, x: n.a(x.flatten(0, 1)).view(x.size(1), x.size(0), -1), a=linear()),
        (2, 5, 8),
    ),
    "sub of 3×1 and 3 takes each item of the batch with each": (
        lambda: Net(lambda n, x, y: ((n.a(x) - y) ** 2).mean(), a=nn.Linear(8, 1)),
        ((3, 8), (3,)),
    ),
    "log_softmax of what softmax gave": (
        lambda: Net(lambda n, x: n.a(x).softmax(1).log_softmax(1), a=linear()),
        ROW,
    ),
    "never below a half": (lambda: nn.Sequential(linear(), nn.ReLU(), nn.Sigmoid()), ROW),
    "nll_loss wants logarithms of shares": (
        lambda: Net(lambda n, x: F.nll_loss(n.a(x), x[:, 0].long()), a=linear()),
        ROW,
    ),
    "binary_cross_entropy wants numbers from 0 to 1": (
        lambda: Net(lambda n, x: F.binary_cross_entropy(n.a(x), x), a=linear()),
        ROW,
    ),
}


def linear(width: int = 8) -> nn.Module:
    return nn.Linear(width, 8)


def mapped(channels: int, features: int) -> dict[str, nn.Module]:
    return {"c": nn.Conv2d(3, channels, 1), "a": linear(features)}


def joined_heads(net, x):
    n, steps, _ = x.shape
    heads = x.view(n, steps, 8, 2).transpose(1, 2)
    return net.a(heads.reshape(n, steps, -1)[..., :8])


def windows(net, x):
    n, height, width, channels = x.shape
    x = x.view(n, height // 4, 4, width // 4, 4, channels).transpose(2, 3)
    y = net.a(x.reshape(-1, 16, channels)).view(n, height // 4, width // 4, 4, 4, channels)
    return y.transpose(2, 3).reshape(n, height, width, channels)


def by_distance(net, x):
    n, steps, _ = x.shape
    scores = F.pad(net.a(x) @ x.transpose(1, 2), (1, 0))
    return scores.view(n, steps + 1, steps)[:, 1:]


def tied() -> nn.Module:
    words, out = nn.Embedding(20, 8), nn.Linear(8, 20, bias=False)
    out.weight = words.weight
    return Net(lambda n, x: n.out(n.words(x.long())), words=words, out=out)


def frozen(net, x):
    with torch.no_grad():
        y = net.a(x)
    return net.b(y)


def quantised(net, x):
    y = net.a(x)
    return y + (torch.round(y) - y).detach()


def shuffled(net, x):
    batch, channels, *sides = x.shape
    y = x.view(batch, 3, channels // 3, *sides).transpose(1, 2)
    return net.c(y.reshape(batch, channels, *sides))


class Still(nn.Module):
    """A batch norm that is kept in evaluation."""

    def __init__(self):
        super().__init__()
        self.norm, self.out = nn.BatchNorm1d(8).requires_grad_(False), linear()

    def train(self, mode=True):
        super().train(mode)
        self.norm.eval()
        return self

    def forward(self, x):
        return self.out(self.norm(x))


RIGHT = {
    "weights tied": (tied, ROW),
    "frozen layers": (lambda: Net(frozen, a=linear(), b=linear()), ROW),
    "a frozen norm": (Still, ROW),
    "straight through": (lambda: Net(quantised, a=linear()), ROW),
    "channels shuffled": (lambda: Net(shuffled, c=nn.Conv2d(12, 4, 3)), (1, 12, 8, 8)),
    "frames stacked": (
        lambda: Net(lambda n, x: n.a(x.view(x.size(0), -1, 16)), a=linear(16)),
        (1, 10, 8),
    ),
    "rows of words": (lambda: Net(lambda n, x: n.a(x).view(-1, 8), a=linear()), (2, 10, 8)),
    "two softmaxes, two ways": (
        lambda: Net(lambda n, x: n.a(x).softmax(1).log_softmax(2), a=linear()),
        (2, 10, 8),
    ),
    "log_softmax and NLL": (
        lambda: Net(lambda n, x: F.nll_loss(n.a(x).log_softmax(1), x[:, 0].long()), a=linear()),
        ROW,
    ),
    "windows of a map": (lambda: Net(windows, a=linear()), (2, 8, 12, 8)),
    "attention by distance": (lambda: Net(by_distance, a=linear()), (2, 6, 8)),
    "groups of a map's channels": (
        lambda: Net(lambda n, x: n.c(x).view(x.size(0), 4, -1).mean(2), c=nn.Conv2d(3, 8, 1)),
        (2, 3, 4, 4),
    ),
    "frames with the batch and back": (
        lambda: Net(lambda n, x: n.a(x.flatten(0, 1)).view(x.size(0), x.size(1), -1), a=linear()),
        (2, 5, 8),
    ),
    "frames of a clip, of sizes that are written out": (
        lambda: Net(lambda n, x: n.c(x.transpose(1, 2).reshape(-1, 3, 8, 8)), c=nn.Conv2d(3, 4, 3)),
        (2, 3, 5, 8, 8),
    ),
    "patches of a map, permuted first": (
        lambda: Net(
            lambda n, x: n.a(n.c(x).permute(0, 2, 3, 1).reshape(x.size(0), -1, 8)), **mapped(8, 8)
        ),
        (2, 3, 8, 4),
    ),
    "ReLU, pooling, ReLU": (
        lambda: nn.Sequential(nn.Conv2d(3, 8, 3), nn.ReLU(), nn.MaxPool2d(2), nn.ReLU()),
        PICTURE,
    ),
    "a group norm after a bias": (
        lambda: nn.Sequential(nn.Conv2d(3, 8, 3), nn.GroupNorm(2, 8)),
        PICTURE,
    ),
    "dropout by the mode": (
        lambda: Net(lambda n, x: n.a(F.dropout(x, 0.5, n.training)), a=linear()),
        ROW,
    ),
    "weight norm": (lambda: nn.utils.parametrizations.weight_norm(linear()), ROW),
    "a scale": (
        lambda: Net(
            lambda n, x: n.a(x) * n.scale.exp(), a=linear(), scale=nn.Parameter(torch.zeros(()))
        ),
        ROW,
    ),
    "classes alone": (lambda: Net(lambda n, x: n.a(x).argmax(1), a=linear()), ROW),
}


def in_evaluation(net, x):
    net.drop.eval()
    return net.a(net.drop(x))


def test_a_forward_that_changes_the_mode_is_told() -> None:
    net = Net(in_evaluation, a=linear(), drop=nn.Dropout()).train()
    assert any("forward puts drop into evaluation" in one for one in explain(net, ROW).warnings)


@pytest.mark.parametrize("name", RIGHT)
@pytest.mark.parametrize("training", [False, True])
def test_what_only_looks_wrong_is_not_warned_of(name: str, training: bool) -> None:
    build, shape = RIGHT[name]
    explanation = explain(build().train(training), shape, batched=True)
    assert (explanation.mistake, explanation.warnings) == (None, ())


@pytest.mark.parametrize("name", KNOWN)
def test_well_known_designs_are_not_warned_of(name: str) -> None:
    build, inputs = KNOWN[name]
    explanation = explain(build().train(), *inputs, batched=True)
    assert (explanation.mistake, explanation.warnings) == (None, ())


@pytest.mark.parametrize("words", WRONG)
def test_what_runs_and_is_wrong_is_told(words: str) -> None:
    build, shape = WRONG[words]
    shapes = shape if isinstance(shape[0], tuple) else (shape,)
    explanation = explain(build().eval(), *shapes, batched=True)
    assert any(words in warning for warning in explanation.warnings), explanation.warnings


@pytest.mark.parametrize("name", ["resnet18", "squeezenet1_1", "shufflenet_v2_x0_5", "vit_b_16"])
def test_what_is_right_is_not_warned_of(name: str) -> None:
    with torch.device("meta"):
        net = models.get_model(name, weights=None).eval()
    assert explain(net, (1, 3, 224, 224), batched=True).warnings == ()
