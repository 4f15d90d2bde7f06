"""Each kind of mistake on a small net, with the words that a person gets."""

# ruff: noqa: E501 (what is said stands in one piece, as people read it)

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from viewfinder.explain import Mistake, Sample, explain


class Net(nn.Module):
    """A net of a function over named layers."""

    def __init__(self, run: Callable[..., Tensor], **layers: nn.Module) -> None:
        super().__init__()
        self.run = run
        for name, layer in layers.items():
            self.add_module(name, layer)

    def forward(self, *inputs: Tensor) -> Tensor:
        return self.run(self, *inputs)


class LeNet(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.conv1, self.conv2 = nn.Conv2d(3, 16, 5), nn.Conv2d(16, 32, 5)
        self.fc1, self.fc2 = nn.Linear(800, 120), nn.Linear(120, 10)

    def forward(self, x: Tensor) -> Tensor:
        x = F.max_pool2d(F.relu(self.conv1(x)), 2)
        x = F.max_pool2d(F.relu(self.conv2(x)), 2)
        x = torch.flatten(x, 1)
        return self.fc2(F.dropout(F.relu(self.fc1(x))))


def block(inner: int, outer: int, stride: int, padding: int = 1) -> nn.Module:
    def run(net: Net, x: Tensor) -> Tensor:
        return F.relu(net.norm(net.conv(x)) + x)

    conv = nn.Conv2d(inner, outer, 3, stride, padding)
    return Net(run, conv=conv, norm=nn.BatchNorm2d(outer))


def unet(up: nn.Module) -> nn.Module:
    def run(net: Net, x: Tensor) -> Tensor:
        skip = F.relu(net.enter(x))
        return torch.cat([net.up(F.relu(net.middle(net.pool(skip)))), skip], 1)

    layers = {"enter": nn.Conv2d(3, 8, 3, padding=1), "pool": nn.MaxPool2d(2)}
    return Net(run, middle=nn.Conv2d(8, 8, 3, padding=1), up=up, **layers)


def heads(net: Net, x: Tensor) -> Tensor:
    return net.qkv(x).view(x.size(0), x.size(1), 12, 64)


@dataclass(frozen=True)
class Case:
    net: nn.Module
    inputs: tuple[Any, ...]
    where: str
    rule: str
    fixes: tuple[str, ...]
    got: str | None = None
    more: dict[str, str] = field(default_factory=dict)


U8, F64 = Sample((1, 3, 32, 32), torch.uint8), Sample((1, 3, 32, 32), torch.float64)

CASES = {
    "wrong flatten size": Case(
        LeNet(),
        ((2, 3, 36, 36),),
        "fc1 (Linear)",
        "fc1 expects 800 features and the flattened map has 32·6·6 = 1152",
        (
            "fc1 = nn.Linear(1152, 120); then the whole net runs, with 36×36 only",
            "F.adaptive_avg_pool2d(x, 5).flatten(1) instead of torch.flatten(x, 1); then the whole net runs",
            "pictures of 32×32; then the whole net runs",
        ),
        got="2×1152 (batch × features) from flatten",
    ),
    "channels of a convolution": Case(
        nn.Sequential(nn.Conv2d(3, 16, 3), nn.ReLU(), nn.Conv2d(32, 64, 3)),
        ((1, 3, 32, 32),),
        "2 (Conv2d)",
        "net[2] is made for 32 input channels and is given 16",
        (
            "net[2] = nn.Conv2d(16, 64, 3); then the whole net runs",
            "net[0] = nn.Conv2d(3, 32, 3); then the whole net runs",
        ),
        got="1×16×30×30 (batch × channels × height × width) from 1",
    ),
    "a grey picture": Case(
        LeNet(),
        ((1, 1, 32, 32),),
        "conv1 (Conv2d)",
        "conv1 is made for 3 input channels and is given 1",
        (
            "conv1 = nn.Conv2d(1, 16, 5); then the whole net runs",
            "x = x.expand(-1, 3, -1, -1) before conv1; then the whole net runs",
        ),
    ),
    "channel-last picture": Case(
        LeNet(),
        ((1, 32, 32, 3),),
        "conv1 (Conv2d)",
        "torch keeps the channels before the rows, and here they come last: conv1 looks for its 3 channels in dimension 1 and finds 32",
        ("x = x.permute(0, 3, 1, 2) before the net; then the whole net runs",),
    ),
    "missing batch dimension": Case(
        LeNet(),
        ((3, 32, 32),),
        "fc1 (Linear)",
        "fc1 expects 800 features and the flattened map has 5·5 = 25",
        ("x = x.unsqueeze(0) before the net; then the whole net runs",),
    ),
    "missing batch dimension at a norm": Case(
        nn.Sequential(nn.Conv2d(3, 8, 3), nn.BatchNorm2d(8)),
        ((3, 32, 32),),
        "1 (BatchNorm2d)",
        "BatchNorm2d takes 4 dimensions and is given 3",
        ("x = x.unsqueeze(0) before the net; then the whole net runs",),
    ),
    "missing channel dimension": Case(
        nn.Conv2d(1, 8, 3),
        ((28, 28),),
        "Conv2d (Conv2d)",
        "a 2D convolution takes N×C×H×W, 4 dimensions (or 3 without the batch), and this has 2",
        ("x = x[None, None] before the net; then the whole net runs",),
    ),
    "uint8 input": Case(
        LeNet(),
        (U8,),
        "conv1 (Conv2d)",
        "conv1 multiplies its input by its weights, and torch wants both of one type: uint8 met float32",
        (
            "x = x.float() / 255 before conv1; then the whole net runs",
            "x = x.float() before conv1; then the whole net runs",
        ),
        got="1×3×32×32 (batch × channels × height × width) from the input, uint8",
    ),
    "float64 input": Case(
        LeNet(),
        (F64,),
        "conv1 (Conv2d)",
        "conv1 multiplies its input by its weights, and torch wants both of one type: float64 met float32",
        ("x = x.float() before conv1; then the whole net runs",),
    ),
    "branches that differ in channels": Case(
        block(64, 128, 1),
        ((1, 64, 56, 56),),
        "+ in Net",
        "a sum needs the same size in every dimension (or 1, which is repeated): channels 128 ≠ 64",
        (
            "self.project = nn.Conv2d(64, 128, kernel_size=1), and self.project(x) instead of x in net.norm(net.conv(x)) + x; then the whole net runs",
            "norm = nn.BatchNorm2d(64); and conv = nn.Conv2d(64, 64, 3, padding=1); then the whole net runs",
        ),
        got="1×128×56×56 (batch × channels × height × width) from norm and 1×64×56×56 (batch × channels × height × width) from the input; the branches split after the input",
    ),
    "branches that differ in size": Case(
        block(64, 64, 2),
        ((1, 64, 56, 56),),
        "+ in Net",
        "a sum needs the same size in every dimension (or 1, which is repeated): height 28 ≠ 56; width 28 ≠ 56",
        (
            "self.project = nn.Conv2d(64, 64, kernel_size=1, stride=2), and self.project(x) instead of x in net.norm(net.conv(x)) + x; then the whole net runs",
            "conv = nn.Conv2d(64, 64, 3, padding=1); then the whole net runs",
            "F.interpolate(net.norm(net.conv(x)), size=x.shape[2:]) instead of net.norm(net.conv(x)) in net.norm(net.conv(x)) + x; then the whole net runs",
        ),
    ),
    "branches that differ in both": Case(
        nn.Sequential(nn.Conv2d(3, 64, 3, 2, 1), block(64, 128, 2)),
        ((1, 3, 112, 112),),
        "+ in 1",
        "a sum needs the same size in every dimension (or 1, which is repeated): channels 128 ≠ 64; height 28 ≠ 56; width 28 ≠ 56",
        (
            "self.project = nn.Conv2d(64, 128, kernel_size=1, stride=2), and self.project(x) instead of x in net.norm(net.conv(x)) + x; then the whole net runs",
        ),
        got="1×128×28×28 (batch × channels × height × width) from 1.norm and 1×64×56×56 (batch × channels × height × width) from 0; the branches split after 0",
    ),
    "a branch without padding": Case(
        block(64, 64, 1, padding=0),
        ((1, 64, 56, 56),),
        "+ in Net",
        "a sum needs the same size in every dimension (or 1, which is repeated): height 54 ≠ 56; width 54 ≠ 56",
        (
            "conv = nn.Conv2d(64, 64, 3, padding=1); then the whole net runs",
            "F.interpolate(net.norm(net.conv(x)), size=x.shape[2:]) instead of net.norm(net.conv(x)) in net.norm(net.conv(x)) + x; then the whole net runs",
        ),
    ),
    "concatenation that differs elsewhere": Case(
        Net(
            lambda net, x: torch.cat([net.a(x), net.b(x)], 1),
            a=nn.Conv2d(3, 8, 1),
            b=nn.Conv2d(3, 8, 3),
        ),
        ((1, 3, 32, 32),),
        "cat() in Net",
        "cat joins tensors that differ only in dimension 1: height 32 ≠ 30; width 32 ≠ 30",
        (
            "b = nn.Conv2d(3, 8, 3, padding=1); then the whole net runs",
            "torch.cat([net.a(x), F.interpolate(net.b(x), size=net.a(x).shape[2:])], 1) instead of torch.cat([net.a(x), net.b(x)], 1); then the whole net runs",
        ),
    ),
    "concatenation along the wrong dimension": Case(
        Net(lambda net, a, b: torch.cat([a, b], 1)),
        ((2, 10, 64), (2, 10, 32)),
        "cat() in Net",
        "cat joins tensors that differ only in dimension 1: dimension 2 64 ≠ 32",
        ("torch.cat([a, b], 2) instead of torch.cat([a, b], 1); then the whole net runs",),
    ),
    "view of a turned tensor": Case(
        Net(lambda net, x: x.permute(0, 2, 3, 1).view(x.size(0), -1)),
        ((2, 8, 4, 4),),
        "view() in Net",
        "view only re-reads memory in its order, and the order of these 256 numbers was changed by permute: strides 128×4×1×16 instead of 128×32×8×1",
        (
            "x.permute(0, 2, 3, 1).reshape(x.size(0), -1), which copies, instead of .view(x.size(0), -1); then the whole net runs",
        ),
    ),
    "view into another size": Case(
        Net(lambda net, x: x.view(-1, 400)),
        ((2, 16, 6, 6),),
        "view() in Net",
        "−1 must come out whole: 1152/400 = 2.88; one item has 16·6·6 = 576 numbers",
        (
            "x.view(x.size(0), -1) instead of x.view(-1, 400); then the whole net runs",
            "pictures of 5×5; then the whole net runs",
        ),
    ),
    "batch norm's channels": Case(
        Net(
            lambda net, x: net.norm(net.conv(x)),
            conv=nn.Conv2d(3, 16, 3),
            norm=nn.BatchNorm2d(32),
        ),
        ((2, 3, 8, 8),),
        "norm (BatchNorm2d)",
        "norm keeps one scale for each of 32 channels and is given 16",
        (
            "norm = nn.BatchNorm2d(16); then the whole net runs",
            "conv = nn.Conv2d(3, 32, 3); then the whole net runs",
        ),
    ),
    "batch norm over one number": Case(
        nn.Sequential(nn.Conv2d(3, 16, 8), nn.BatchNorm2d(16)),
        ((1, 3, 8, 8),),
        "1 (BatchNorm2d)",
        "in training, batch norm measures mean and variance over the batch and the map, and here that is 1·1·1 = 1 number a channel: its variance is 0",
        (
            "a batch of 2 or more (in a data loader: drop_last=True); then the whole net runs",
            "net.eval(), if this is not training; then the whole net runs",
        ),
    ),
    "layer norm on a picture": Case(
        nn.Sequential(nn.Conv2d(3, 16, 3, padding=1), nn.LayerNorm(16)),
        ((1, 3, 8, 8),),
        "1 (LayerNorm)",
        "net[1] normalises over the last dimension, which must be 16: 8 ≠ 16",
        (
            "x = net[1](x.permute(0, 2, 3, 1)).permute(0, 3, 1, 2); then the whole net runs",
            "net[1] = nn.GroupNorm(1, 16); then the whole net runs",
        ),
    ),
    "layer norm's size": Case(
        Net(lambda net, x: net.norm(net.fc(x)), fc=nn.Linear(8, 12), norm=nn.LayerNorm(16)),
        ((1, 8),),
        "norm (LayerNorm)",
        "norm normalises over the last dimension, which must be 16: 12 ≠ 16",
        ("norm = nn.LayerNorm(12); then the whole net runs",),
    ),
    "group norm's channels": Case(
        Net(lambda net, x: net.norm(x), norm=nn.GroupNorm(3, 6)),
        ((1, 8, 4, 4),),
        "norm (GroupNorm)",
        "norm keeps one scale for each of 6 channels and is given 8",
        ("norm = nn.GroupNorm(2, 8); then the whole net runs",),
    ),
    "group count": Case(
        Net(lambda net, x: F.group_norm(x, 4)),
        ((1, 6, 8, 8),),
        "group_norm() in Net",
        "the groups must share out the channels evenly: 6/4 = 1.5",
        ("F.group_norm(x, 3) instead of F.group_norm(x, 4); then the whole net runs",),
    ),
    "groups of a convolution": Case(
        Net(lambda net, x: F.conv2d(x, torch.zeros(4, 2, 3, 3), groups=3)),
        ((1, 6, 8, 8),),
        "conv2d() in Net",
        "groups must share out the channels evenly: 4/3 = 1.333 output channels a group",
        (),
    ),
    "kernel larger than its padded input": Case(
        nn.Sequential(nn.Conv2d(3, 6, 3), nn.MaxPool2d(4), nn.Conv2d(6, 6, 3)),
        ((1, 3, 8, 8),),
        "2 (Conv2d)",
        "the window must fit into the padded input: its height is 3, the input's 1 + 0 + 0 = 1",
        (
            "pictures of 16×16; then the whole net runs",
            "net[2] = nn.Conv2d(6, 6, 3, padding=1); then the whole net runs",
            "net[2] = nn.Conv2d(6, 6, 1); then the whole net runs, but a window of 1 sees nothing beside it",
        ),
    ),
    "window larger than its map": Case(
        nn.Sequential(nn.AvgPool2d(9)),
        ((1, 3, 8, 12),),
        "0 (AvgPool2d)",
        "the window must fit into the padded input: its height is 9, the input's 8 + 0 + 0 = 8",
        (
            "pictures of 16×16; then the whole net runs",
            "net[0] = nn.AvgPool2d(9, padding=1); then the whole net runs",
            "net[0] = nn.AvgPool2d(8); then the whole net runs",
        ),
    ),
    "pooling padded by more than half": Case(
        nn.Sequential(nn.MaxPool2d(2, padding=2)),
        ((1, 3, 8, 8),),
        "0 (MaxPool2d)",
        "pooling may be padded by at most half its window, 2/2 = 1, or some windows would hold padding alone: padding 2",
        ("net[0] = nn.MaxPool2d(2, padding=1); then the whole net runs",),
    ),
    "upsampling that misses a skip by one": Case(
        unet(nn.Upsample(scale_factor=2)),
        ((1, 3, 25, 25),),
        "cat() in Net",
        "pool met an odd size on the way down, ⌊(25 − 2 + 2·0)/2⌋ + 1 = ⌊11.5⌋ + 1 = 12, and up gives 24×24, not 25×25: halving drops what doubling cannot bring back",
        (
            "torch.cat([F.interpolate(net.up(F.relu(net.middle(net.pool(skip)))), size=skip.shape[2:]), skip], 1) instead of torch.cat([net.up(F.relu(net.middle(net.pool(skip)))), skip], 1); then the whole net runs",
            "torch.cat([net.up(F.relu(net.middle(net.pool(skip)))), TF.center_crop(skip, net.up(F.relu(net.middle(net.pool(skip)))).shape[2:])], 1) instead of torch.cat([net.up(F.relu(net.middle(net.pool(skip)))), skip], 1) (TF is torchvision.transforms.functional); then the whole net runs",
            "pictures whose sides are multiples of 2: 26×26; then the whole net runs",
        ),
    ),
    "transposed convolution that misses a skip by one": Case(
        unet(nn.ConvTranspose2d(8, 8, 2, 2)),
        ((1, 3, 25, 32),),
        "cat() in Net",
        "pool met an odd size on the way down, ⌊(25 − 2 + 2·0)/2⌋ + 1 = ⌊11.5⌋ + 1 = 12, and up gives 24×32, not 25×32: halving drops what doubling cannot bring back",
        (
            "torch.cat([F.interpolate(net.up(F.relu(net.middle(net.pool(skip)))), size=skip.shape[2:]), skip], 1) instead of torch.cat([net.up(F.relu(net.middle(net.pool(skip)))), skip], 1); then the whole net runs",
            "up = nn.ConvTranspose2d(8, 8, 2, stride=2, output_padding=(1, 0)); then the whole net runs",
            "torch.cat([net.up(F.relu(net.middle(net.pool(skip)))), TF.center_crop(skip, net.up(F.relu(net.middle(net.pool(skip)))).shape[2:])], 1) instead of torch.cat([net.up(F.relu(net.middle(net.pool(skip)))), skip], 1) (TF is torchvision.transforms.functional); then the whole net runs",
            "pictures whose sides are multiples of 2: 26×32; then the whole net runs",
        ),
    ),
    "matrix product": Case(
        Net(lambda net, a, b: a @ b),
        ((2, 4, 8), (2, 6, 8)),
        "@ in Net",
        "a matrix product needs as many columns on the left as rows on the right: (4×8)·(6×8), 8 ≠ 6",
        ("b.mT instead of b in a @ b; then the whole net runs",),
    ),
    "matrix product over two batches": Case(
        Net(lambda net, a, b: torch.bmm(a, b)),
        ((2, 4, 8), (3, 8, 4)),
        "bmm() in Net",
        "the dimensions before the matrix must be equal (or 1): 2 and 3",
        (),
    ),
    "attention's features": Case(
        Net(
            lambda net, x: net.attention(x, x, x)[0],
            attention=nn.MultiheadAttention(96, 8, batch_first=True),
        ),
        ((2, 10, 100),),
        "attention (MultiheadAttention)",
        "attention splits 96 features into 8 heads of 12, and its query has 100",
        (
            "attention = nn.MultiheadAttention(100, 5, batch_first=True); then the whole net runs",
            "a layer nn.Linear(100, 96) before attention, for query, key and value; then the whole net runs",
        ),
    ),
    "attention-head split": Case(
        Net(heads, qkv=nn.Linear(32, 760)),
        ((2, 10, 32),),
        "view() in Net",
        "view keeps every number: 2·10·760 = 15200, but 2·10·12·64 = 15360",
        (
            "qkv = nn.Linear(32, 768); then the whole net runs",
            "net.qkv(x).view(x.size(0), x.size(1), 10, 76) instead of net.qkv(x).view(x.size(0), x.size(1), 12, 64); then the whole net runs",
            "net.qkv(x).view(x.size(0), x.size(1), 8, 95) instead of net.qkv(x).view(x.size(0), x.size(1), 12, 64); then the whole net runs",
        ),
    ),
    "keys without values": Case(
        Net(lambda net, q, k, v: F.scaled_dot_product_attention(q, k, v)),
        ((2, 8, 10, 16), (2, 8, 12, 16), (2, 8, 11, 16)),
        "scaled_dot_product_attention() in Net",
        "each key needs its value: 12 keys ≠ 11 values",
        (),
    ),
    "embedding index type": Case(
        Net(lambda net, x: net.words(x), words=nn.Embedding(100, 16)),
        ((2, 10),),
        "words (Embedding)",
        "an embedding looks rows up by number, so its input must be whole numbers of type int64 or int32, not float32",
        ("x = x.long() before words; then the whole net runs",),
    ),
    "two devices": Case(
        Net(
            lambda net, x: net.b(net.a(x)),
            a=nn.Linear(8, 8),
            b=nn.Linear(8, 8, device="meta"),
        ),
        ((2, 8),),
        "b (Linear)",
        "all tensors of one call must be on one device: cpu met meta",
        ('net.b(net.a(x).to("meta")) instead of net.b(net.a(x)); then the whole net runs',),
    ),
    "too few inputs": Case(
        LeNet(),
        (),
        "LeNet",
        "LeNet.forward takes 1 input (x), and it was called with 0 inputs",
        (),
    ),
    "too many inputs": Case(
        LeNet(),
        ((1, 3, 32, 32), (1, 3, 32, 32)),
        "LeNet",
        "LeNet.forward takes 1 input (x), and it was called with 2 inputs",
        ("leave out the last input; then the whole net runs",),
    ),
    "too many inputs inside": Case(
        Net(lambda net, x: net.fc(x, x), fc=nn.Linear(8, 8)),
        ((2, 8),),
        "fc (Linear)",
        "inside fc, Linear.forward takes 1 input (input), and it was called with 2 inputs",
        ("net.fc(x) instead of net.fc(x, x); then the whole net runs",),
    ),
    "recurrent layer's features": Case(
        Net(lambda net, x: net.gru(x)[0], gru=nn.GRU(8, 16, batch_first=True)),
        ((2, 8, 5),),
        "gru (GRU)",
        "the last dimension must be gru's input_size: 5 ≠ 8",
        (
            "x = x.transpose(1, -1) before gru; then the whole net runs, with 8 steps only",
            "gru = nn.GRU(5, 16, batch_first=True); then the whole net runs",
        ),
    ),
}


def mistake_of(case: Case) -> Mistake:
    mistake = explain(case.net, *case.inputs).mistake
    assert mistake is not None
    return mistake


@pytest.mark.parametrize("name", CASES)
def test_the_words_that_a_person_gets(name: str) -> None:
    case, mistake = CASES[name], mistake_of(CASES[name])
    assert mistake.where.split(", test_")[0] == case.where
    assert mistake.rule == case.rule
    assert mistake.fixes == case.fixes
    assert case.got in (None, mistake.got)
    assert mistake.got
    assert mistake.expected


@pytest.mark.parametrize("name", CASES)
def test_it_fails_for_real_too(name: str) -> None:
    case = CASES[name]

    def real(value: Any) -> Tensor:
        shape, kind = (value.shape, value.dtype) if isinstance(value, Sample) else (value, None)
        return torch.zeros(shape, dtype=kind)

    # Meta tensors have no numbers to miss, and on some CPUs attention reads past its values.
    if name not in ("two devices", "keys without values"):
        with pytest.raises((RuntimeError, ValueError, TypeError, AssertionError)):
            case.net(*map(real, case.inputs))


def test_the_table_goes_up_to_there() -> None:
    explanation = explain(LeNet(), (2, 3, 36, 36))
    kinds = [layer.kind for layer in explanation.layers]
    assert kinds == ["Conv2d", "relu()", "max_pool2d()"] * 2 + ["flatten()"]
    assert explanation.outputs == ()


def test_the_layers_that_met_are_told() -> None:
    explanation = explain(unet(nn.Upsample(scale_factor=2)), (1, 3, 25, 25))
    assert explanation.mistake is not None
    names = [explanation.layers[at].name for at in explanation.mistake.parents]
    assert names == ["up", "relu"]
    explanation = explain(block(64, 128, 1), (1, 64, 56, 56))
    assert explanation.mistake is not None
    assert explanation.mistake.parents == (1, -1)


def test_the_users_line_is_shown() -> None:
    mistake = mistake_of(CASES["wrong flatten size"])
    assert mistake.where.endswith("return self.fc2(F.dropout(F.relu(self.fc1(x))))")
    assert "test_mistakes.py:" in mistake.where


@pytest.mark.parametrize(
    ("name", "net_and_shape"),
    [
        ("wrong flatten size", (LeNet(), (2, 3, 32, 32))),
        ("branches that differ in both", (nn.Conv2d(64, 128, 1, stride=2), (1, 64, 56, 56))),
        (
            "upsampling that misses a skip by one",
            (unet(nn.Upsample(scale_factor=2)), (1, 3, 26, 26)),
        ),
        (
            "transposed convolution that misses a skip by one",
            (unet(nn.ConvTranspose2d(8, 8, 2, 2, output_padding=(1, 0))), (1, 3, 25, 32)),
        ),
    ],
)
def test_the_fixes_work(name: str, net_and_shape: tuple[nn.Module, tuple[int, ...]]) -> None:
    net, shape = net_and_shape
    assert explain(net, shape).mistake is None


def test_an_unknown_failure_is_told_without_guessing() -> None:
    mistake = explain(Net(lambda net, x: torch.linalg.eig(x)), (2, 5, 6)).mistake
    assert mistake is not None
    assert mistake.got == "linalg_eig(2×5×6)"
    assert mistake.rule.startswith("RuntimeError: linalg.eig")
    assert mistake.fixes == ()
    assert mistake.where.startswith("linalg_eig() in Net, test_mistakes.py:")


def test_an_error_of_the_users_own_is_told_with_its_line() -> None:
    def run(net: Net, x: Tensor) -> Tensor:
        if x.shape[1] != 3:
            raise ValueError("three channels, please")
        return x

    mistake = explain(Net(run), (1, 4)).mistake
    assert mistake is not None
    assert mistake.rule == "ValueError: three channels, please"
    assert mistake.where.endswith('raise ValueError("three channels, please")')


@pytest.mark.parametrize(
    ("given", "shape", "dimensions"),
    [
        (nn.AdaptiveAvgPool2d(6), (2, 3, 20, 20), "channels × height × width"),
        (nn.AdaptiveMaxPool2d((5, 7)), (2, 3, 20, 20), "channels × height × width"),
        (nn.Upsample(size=(5, 6)), (2, 3, 20, 20), "channels × height × width"),
        (nn.Sequential(nn.Conv1d(3, 6, 3), nn.AdaptiveAvgPool1d(6)), (2, 3, 20), "channels × time"),
        (nn.AdaptiveAvgPool3d(6), (2, 3, 9, 9, 9), "channels × depth × height × width"),
    ],
)
def test_sides_that_a_layer_gives_whatever_comes_in_have_their_names(given, shape, dimensions):
    mistake = explain(nn.Sequential(given, nn.ReLU(), nn.Linear(64, 10)), shape).mistake
    assert mistake is not None
    assert f"(batch × {dimensions}) from 1" in mistake.got


def test_a_failure_that_the_net_catches_is_none() -> None:
    def run(net: Net, x: Tensor) -> Tensor:
        try:
            return net.fc(x)
        except RuntimeError:
            return x.relu()

    explanation = explain(Net(run, fc=nn.Linear(3, 3)), (1, 4))
    assert explanation.mistake is None
    assert [layer.name for layer in explanation.layers] == ["relu"]


def test_the_table_of_the_docs_says_what_explain_says() -> None:
    page = (Path(__file__).parents[2] / "docs" / "explain.md").read_text(encoding="utf-8")

    def cell(text: str) -> str:
        return text.replace("|", "\\|").replace("*", "\\*").replace("<", "&lt;")

    for name, case in CASES.items():
        ours = mistake_of(case)
        fixes = "<br>".join(map(cell, ours.fixes))
        end = f"| {cell(ours.rule)}<br>got: {cell(ours.got)} | {fixes} |\n"
        row = page.partition(f"\n| {name} | ")[2].partition("\n")[0] + "\n"
        assert row.endswith(end), name
