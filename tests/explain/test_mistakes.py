"""Each kind of mistake on a small net, with the words that a person gets."""

from collections.abc import Callable
from dataclasses import dataclass, field
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
    mends: tuple[str, ...]
    got: str | None = None
    more: dict[str, str] = field(default_factory=dict)


U8, F64 = Sample((1, 3, 32, 32), torch.uint8), Sample((1, 3, 32, 32), torch.float64)

CASES = {
    "wrong flatten size": Case(
        LeNet(),
        ((2, 3, 36, 36),),
        "fc1 (Linear)",
        "fc1 expects 800 features and the flattened map has 32·6·6 = 1152",
        ("fc1 = nn.Linear(1152, 120)", "or pictures of 32×32, whose map is 32×5×5"),
        got="2×1152 from flatten",
    ),
    "channels of a convolution": Case(
        nn.Sequential(nn.Conv2d(3, 16, 3), nn.ReLU(), nn.Conv2d(32, 64, 3)),
        ((1, 3, 32, 32),),
        "2 (Conv2d)",
        "net[2] is made for 32 input channels and is given 16",
        ("net[2] = nn.Conv2d(16, 64, 3, …)", "or let 0 give 32 channels instead of 16"),
        got="1×16×30×30 from 1",
    ),
    "a grey picture": Case(
        LeNet(),
        ((1, 1, 32, 32),),
        "conv1 (Conv2d)",
        "conv1 is made for 3 input channels and is given 1",
        (
            "conv1 = nn.Conv2d(1, 16, 5, …)",
            "or repeat the grey picture: x = x.expand(-1, 3, -1, -1)",
        ),
    ),
    "channel-last picture": Case(
        LeNet(),
        ((1, 32, 32, 3),),
        "conv1 (Conv2d)",
        "torch keeps the channels before the rows, and here they come last: conv1 looks for its "
        "3 channels in dimension 1 and finds 32",
        (
            "x = x.permute(0, 3, 1, 2) gives 1×3×32×32",
            "reshape or view to that shape would run but scramble the picture",
        ),
    ),
    "missing batch dimension": Case(
        LeNet(),
        ((3, 32, 32),),
        "fc1 (Linear)",
        "fc1 expects 800 features and the flattened map has 5·5 = 25; the 32 before it would "
        "make 32·5·5 = 800",
        (
            "the batch dimension is missing, so flatten took the channels for it: "
            "x = x.unsqueeze(0) before the net",
        ),
    ),
    "missing batch dimension at a norm": Case(
        nn.Sequential(nn.Conv2d(3, 8, 3), nn.BatchNorm2d(8)),
        ((3, 32, 32),),
        "1 (BatchNorm2d)",
        "BatchNorm2d takes 4 dimensions and is given 3",
        (
            "the batch dimension is missing: x = x.unsqueeze(0) before the net",
            "or net[1] = nn.BatchNorm1d(…)",
        ),
    ),
    "missing channel dimension": Case(
        nn.Conv2d(1, 8, 3),
        ((28, 28),),
        "Conv2d (Conv2d)",
        "a 2D convolution takes N×C×H×W, 4 dimensions (or 3 without the batch), and this has 2",
        ("x = x[None, None] makes it one picture of one channel",),
    ),
    "uint8 input": Case(
        LeNet(),
        (U8,),
        "conv1 (Conv2d)",
        "conv1 multiplies its input by its weights, and torch wants both of one type: uint8 met "
        "float32",
        (
            "x = x.float() / 255 turns a picture of bytes into numbers from 0 to 1",
            "torchvision.transforms.v2.ToDtype(torch.float32, scale=True) does the same in a data "
            "pipeline",
        ),
        got="1×3×32×32 from the input, uint8",
    ),
    "float64 input": Case(
        LeNet(),
        (F64,),
        "conv1 (Conv2d)",
        "conv1 multiplies its input by its weights, and torch wants both of one type: float64 "
        "met float32",
        (
            "x = x.float() (numpy makes float64 unless told otherwise: "
            "torch.from_numpy(a.astype('float32')))",
        ),
    ),
    "branches that differ in channels": Case(
        block(64, 128, 1),
        ((1, 64, 56, 56),),
        "+ in Net",
        "a sum needs the same size in every dimension (or 1, which is repeated): channels 128 ≠ 64",
        (
            "a 1×1 projection on the shortcut: nn.Conv2d(64, 128, kernel_size=1)",
            "or let norm give 64 channels",
        ),
        got="1×128×56×56 from norm and 1×64×56×56 from the input; the branches split after the "
        "input",
    ),
    "branches that differ in size": Case(
        block(64, 64, 2),
        ((1, 64, 56, 56),),
        "+ in Net",
        "a sum needs the same size in every dimension (or 1, which is repeated): height 28 ≠ 56; "
        "width 28 ≠ 56",
        (
            "a 1×1 projection on the shortcut: nn.Conv2d(64, 64, kernel_size=1, stride=2)",
            "or stride=1 in the branch, so that it stays 56×56",
        ),
    ),
    "branches that differ in both": Case(
        nn.Sequential(nn.Conv2d(3, 64, 3, 2, 1), block(64, 128, 2)),
        ((1, 3, 112, 112),),
        "+ in 1",
        "a sum needs the same size in every dimension (or 1, which is repeated): channels 128 ≠ "
        "64; height 28 ≠ 56; width 28 ≠ 56",
        (
            "a 1×1 projection on the shortcut: nn.Conv2d(64, 128, kernel_size=1, stride=2)",
            "or stride=1 in the branch, so that it stays 56×56",
        ),
        got="1×128×28×28 from 1.norm and 1×64×56×56 from 0; the branches split after 0",
    ),
    "a branch without padding": Case(
        block(64, 64, 1, padding=0),
        ((1, 64, 56, 56),),
        "+ in Net",
        "a sum needs the same size in every dimension (or 1, which is repeated): height 54 ≠ 56; "
        "width 54 ≠ 56",
        (
            "padding in the branch, so that 56×56 stays: a window of F keeps the size with "
            "padding (F − 1)/2",
            "or F.interpolate(x, size=(54, 54))",
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
            "F.interpolate(x, size=(32, 32)) on b",
            "or the same stride and padding on every branch",
        ),
    ),
    "concatenation along the wrong dimension": Case(
        Net(lambda net, a, b: torch.cat([a, b], 1)),
        ((2, 10, 64), (2, 10, 32)),
        "cat() in Net",
        "cat joins tensors that differ only in dimension 1: dimension 2 64 ≠ 32",
        ("torch.cat(…, dim=2), if that is the dimension to grow",),
    ),
    "view of a turned tensor": Case(
        Net(lambda net, x: x.permute(0, 2, 3, 1).view(x.size(0), -1)),
        ((2, 8, 4, 4),),
        "view() in Net",
        "view only re-reads memory in its order, and the order of these 256 numbers was changed "
        "by permute: strides 128×4×1×16 instead of 128×32×8×1",
        (
            "x.reshape(2, -1), which copies where it must",
            "or x.contiguous().view(2, -1)",
        ),
    ),
    "view into another size": Case(
        Net(lambda net, x: x.view(-1, 400)),
        ((2, 16, 6, 6),),
        "view() in Net",
        "−1 must come out whole: 1152/400 = 2.88",
        (
            "x = x.view(x.size(0), -1): 2×576, whatever the map",
            "or pictures of 5×5, whose map is 16×5×5",
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
        ("norm = nn.BatchNorm2d(16)", "or let conv give 32 channels"),
    ),
    "batch norm over one number": Case(
        nn.Sequential(nn.Conv2d(3, 16, 8), nn.BatchNorm2d(16)),
        ((1, 3, 8, 8),),
        "1 (BatchNorm2d)",
        "in training, batch norm measures mean and variance over the batch and the map, and here "
        "that is 1·1·1 = 1 number a channel: its variance is 0",
        (
            "a batch of 2 or more (in a data loader: drop_last=True)",
            "or net.eval() if this is not training",
        ),
    ),
    "layer norm on a picture": Case(
        nn.Sequential(nn.Conv2d(3, 16, 3, padding=1), nn.LayerNorm(16)),
        ((1, 3, 8, 8),),
        "1 (LayerNorm)",
        "net[1] normalises over the last dimension, which must be 16: 8 ≠ 16",
        (
            "the channels are in dimension 1: permute(0, 2, 3, 1) before and permute(0, 3, 1, 2) "
            "after",
            "or nn.GroupNorm(1, 16), which takes N×C×H×W",
        ),
    ),
    "layer norm's size": Case(
        Net(lambda net, x: net.norm(net.fc(x)), fc=nn.Linear(8, 12), norm=nn.LayerNorm(16)),
        ((1, 8),),
        "norm (LayerNorm)",
        "norm normalises over the last dimension, which must be 16: 12 ≠ 16",
        ("norm = nn.LayerNorm(12)",),
    ),
    "group norm's channels": Case(
        Net(lambda net, x: net.norm(x), norm=nn.GroupNorm(3, 6)),
        ((1, 8, 4, 4),),
        "norm (GroupNorm)",
        "norm keeps one scale for each of 6 channels and is given 8",
        ("norm = nn.GroupNorm(2, 8)",),
    ),
    "group count": Case(
        Net(lambda net, x: F.group_norm(x, 4)),
        ((1, 6, 8, 8),),
        "group_norm() in Net",
        "the groups must share out the channels evenly: 6/4 = 1.5",
        ("3 groups, which divides 6",),
    ),
    "groups of a convolution": Case(
        Net(lambda net, x: F.conv2d(x, torch.zeros(4, 2, 3, 3), groups=3)),
        ((1, 6, 8, 8),),
        "conv2d() in Net",
        "groups must share out the channels evenly: 4/3 = 1.333 output channels a group",
        ("groups=2, which divides 6 and 4", "or output channels = 6"),
    ),
    "kernel larger than its padded input": Case(
        nn.Sequential(nn.Conv2d(3, 6, 3), nn.MaxPool2d(4), nn.Conv2d(6, 6, 3)),
        ((1, 3, 8, 8),),
        "2 (Conv2d)",
        "the window must fit into the padded input: its height is 3, the input's 1 + 0 + 0 = 1",
        (
            "a kernel of at most 1 here",
            "or padding=1",
            "or a larger picture, or one pooling or stride less on the way down",
        ),
    ),
    "window larger than its map": Case(
        nn.AvgPool2d(9),
        ((1, 3, 8, 12),),
        "AvgPool2d (AvgPool2d)",
        "the window must fit into the padded input: its height is 9, the input's 8 + 0 + 0 = 8",
        (
            "a kernel of at most 8 here",
            "or padding=1",
            "or a larger picture, or one pooling or stride less on the way down",
        ),
    ),
    "pooling padded by more than half": Case(
        nn.MaxPool2d(2, padding=2),
        ((1, 3, 8, 8),),
        "MaxPool2d (MaxPool2d)",
        "pooling may be padded by at most half its window, 2/2 = 1, or some windows would hold "
        "padding alone: padding 2",
        ("padding=1", "or a window of at least 4"),
    ),
    "upsampling that misses a skip by one": Case(
        unet(nn.Upsample(scale_factor=2)),
        ((1, 3, 25, 25),),
        "cat() in Net",
        "pool met an odd size on the way down, ⌊(25 − 2 + 2·0)/2⌋ + 1 = ⌊11.5⌋ + 1 = 12, and up "
        "gives 24×24, not 25×25: halving drops what doubling cannot bring back",
        (
            "F.interpolate(x, size=(25, 25)) instead of a fixed factor: it meets any skip",
            "or pictures whose sides are multiples of 2: 26×26",
        ),
    ),
    "transposed convolution that misses a skip by one": Case(
        unet(nn.ConvTranspose2d(8, 8, 2, 2)),
        ((1, 3, 25, 32),),
        "cat() in Net",
        "pool met an odd size on the way down, ⌊(25 − 2 + 2·0)/2⌋ + 1 = ⌊11.5⌋ + 1 = 12, and up "
        "gives 24×32, not 25×32: halving drops what doubling cannot bring back",
        (
            "output_padding=(1, 0) in up here",
            "F.interpolate(x, size=(25, 32)) instead of a fixed factor: it meets any skip",
            "or pictures whose sides are multiples of 2: 26×32",
        ),
    ),
    "matrix product": Case(
        Net(lambda net, a, b: a @ b),
        ((2, 4, 8), (2, 6, 8)),
        "@ in Net",
        "a matrix product needs as many columns on the left as rows on the right: (4×8)·(6×8), "
        "8 ≠ 6",
        ("a @ b.mT: (4×8)·(8×6)",),
    ),
    "matrix product over two batches": Case(
        Net(lambda net, a, b: torch.bmm(a, b)),
        ((2, 4, 8), (3, 8, 4)),
        "bmm() in Net",
        "the dimensions before the matrix must be equal (or 1): 2 and 3",
        ("bring both to one batch and one number of heads before the product",),
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
            "attention = nn.MultiheadAttention(100, 5), 100/5 a head",
            "or a nn.Linear(100, 96) before it",
        ),
    ),
    "attention-head split": Case(
        Net(heads, qkv=nn.Linear(32, 760)),
        ((2, 10, 32),),
        "view() in Net",
        "view keeps every number: 2·10·760 = 15200, but 2·10·12·64 = 15360",
        (
            "760 features split evenly into 8 or 10 parts: 8·95, 10·76",
            "or let the layer before give 768 features",
        ),
    ),
    "keys without values": Case(
        Net(lambda net, q, k, v: F.scaled_dot_product_attention(q, k, v)),
        ((2, 8, 10, 16), (2, 8, 12, 16), (2, 8, 11, 16)),
        "scaled_dot_product_attention() in Net",
        "each key needs its value: 12 keys ≠ 11 values",
        ("keys and values made from the same tokens",),
    ),
    "embedding index type": Case(
        Net(lambda net, x: net.words(x), words=nn.Embedding(100, 16)),
        ((2, 10),),
        "words (Embedding)",
        "an embedding looks rows up by number, so its input must be whole numbers of type int64 "
        "or int32, not float32",
        (
            "x = x.long() before the embedding, if the values are row numbers",
            "on the command line: --input 10:int64",
        ),
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
        (
            'move the tensor: x = x.to("meta")',
            'or move the whole net: net.to("cpu"); tensors that are not parameters move with it '
            "only if they are registered with register_buffer",
        ),
    ),
    "too few inputs": Case(
        LeNet(),
        (),
        "LeNet",
        "LeNet.forward takes 1 input (x), and it was called with 0 inputs",
        ("give 1 input more: x (on the command line, one --input for each)",),
    ),
    "too many inputs": Case(
        LeNet(),
        ((1, 3, 32, 32), (1, 3, 32, 32)),
        "LeNet",
        "LeNet.forward takes 1 input (x), and it was called with 2 inputs",
        ("leave out 1, or add a parameter to LeNet.forward",),
    ),
    "too many inputs inside": Case(
        Net(lambda net, x: net.fc(x, x), fc=nn.Linear(8, 8)),
        ((2, 8),),
        "fc (Linear)",
        "inside fc, Linear.forward takes 1 input (input), and it was called with 2 inputs",
        ("leave out 1, or add a parameter to Linear.forward",),
    ),
    "recurrent layer's features": Case(
        Net(lambda net, x: net.gru(x)[0], gru=nn.GRU(8, 16, batch_first=True)),
        ((2, 8, 5),),
        "gru (GRU)",
        "the last dimension must be gru's input_size: 5 ≠ 8",
        (
            "gru = nn.GRU(5, 16, …)",
            "or x = x.transpose(1, -1): dimension 1 is the one of that size",
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
    assert mistake.mends == case.mends
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
    ("name", "mended"),
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
def test_the_mends_mend(name: str, mended: tuple[nn.Module, tuple[int, ...]]) -> None:
    net, shape = mended
    assert explain(net, shape).mistake is None


def test_an_unknown_failure_is_told_without_guessing() -> None:
    mistake = explain(Net(lambda net, x: torch.linalg.inv(x)), (2, 5, 6)).mistake
    assert mistake is not None
    assert mistake.got == "linalg_inv(2×5×6)"
    assert mistake.rule.startswith("RuntimeError: linalg.inv")
    assert mistake.mends == ()
    assert mistake.where.startswith("linalg_inv() in Net, test_mistakes.py:")


def test_an_error_of_the_users_own_is_told_with_its_line() -> None:
    def run(net: Net, x: Tensor) -> Tensor:
        if x.shape[1] != 3:
            raise ValueError("three channels, please")
        return x

    mistake = explain(Net(run), (1, 4)).mistake
    assert mistake is not None
    assert mistake.rule == "ValueError: three channels, please"
    assert mistake.where.endswith('raise ValueError("three channels, please")')


def test_a_failure_that_the_net_catches_is_none() -> None:
    def run(net: Net, x: Tensor) -> Tensor:
        try:
            return net.fc(x)
        except RuntimeError:
            return x.relu()

    explanation = explain(Net(run, fc=nn.Linear(3, 3)), (1, 4))
    assert explanation.mistake is None
    assert [layer.name for layer in explanation.layers] == ["relu"]
