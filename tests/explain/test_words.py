"""What torch says in its own words is said in ours, with the sizes that do not agree."""

from collections.abc import Callable

import pytest
import torch
import torch.nn.functional as F
from torch import nn

from viewfinder.explain.diagnosis import diagnose
from viewfinder.explain.diagnosis.case import Case
from viewfinder.explain.traces import Sample
from viewfinder.explain.tracing import trace


class Net(nn.Module):
    def __init__(self, run: Callable[..., object], layer: nn.Module) -> None:
        super().__init__()
        self.run, self.layer = run, layer

    def forward(self, *inputs: object) -> object:
        return self.run(self.layer, *inputs)


def attended(layer, x, y):
    return layer(x, y, y)[0]


def thirds(_, x):
    one, two, three = x.chunk(2, 1)
    return one, two, three


def rule(layer: nn.Module, run: Callable[..., object], *shapes: object) -> str:
    samples = tuple(one if isinstance(one, Sample) else Sample(one) for one in shapes)
    seen = trace(Net(run, layer), samples, costs=False)
    assert seen.failure is not None
    return diagnose(Case(seen.failure)).rule


ALONE = nn.Identity()
BOOL, LONG, SHORT, DOUBLE = torch.bool, torch.int64, torch.int32, torch.float64


def test_a_sentence_is_about_what_was_given() -> None:
    plain = [
        (nn.Conv2d(3, 4, 3), (2, 5, 3, 8, 8), "2D convolution takes N×C×H×W, 4 dimensions"),
        (nn.Conv2d(1, 4, 3), (2, 3, 8, 8), "made for 1 input channel and is given 3"),
        (nn.MaxPool2d(2), (4, 64), "a 2D pooling takes N×C×H×W, 4 dimensions"),
        (nn.LSTM(3, 4), (2, 5, 3, 1), "layer takes time × batch × features, 3 dimensions"),
        (nn.GRUCell(3, 4), (2, 5, 3), "layer takes batch × features, 2 dimensions"),
        (nn.GRU(3, 4), Sample((5, 2, 3), DOUBLE), "float64 met float32"),
        (nn.Upsample(scale_factor=2, mode="bilinear"), (2, 3, 8), 'mode="bilinear" is for N×C×H'),
        (nn.PReLU(8), (2, 6, 4, 4), "one slope for each of 8 channels and is given 6"),
        (nn.InstanceNorm2d(8, affine=True), (2, 6, 4, 4), "made for 8 channels and is given 6"),
        (nn.ReflectionPad2d(4), (2, 3, 4, 4), "has only 4 places to take 4 places from"),
        (nn.GLU(1), (2, 5, 4), "dimension 1 has 5"),
        (nn.ModuleList([nn.ReLU()]), (2, 4), "an nn.ModuleList, which keeps layers"),
    ]
    for layer, shape, words in plain:
        assert words in rule(layer, lambda f, x: f(x), shape)


@pytest.mark.parametrize(
    ("words", "run", "shapes"),
    [
        ("in dimension −2 7 ≠ 2", lambda _, x, m: x.masked_fill(m > 0, 0), ((2, 4, 7, 7), (2, 7))),
        ("a mask of truth values, and this one is float32",
         lambda _, x, m: x.masked_fill(m, 0), ((2, 7), (2, 7))),
        ("~mask turns a mask round", lambda _, m: 1 - m, (Sample((2, 7), BOOL),)),
        ("its target is int64", lambda _, x, y: F.binary_cross_entropy_with_logits(x, y),
         ((2, 1), Sample((2, 1), LONG))),
        ("the target is int32", lambda _, x, y: F.cross_entropy(x, y),
         ((2, 5), Sample((2,), SHORT))),
        ('d is 8 in "bnd" and 5 in "bdm"', lambda _, x, y: torch.einsum("bnd,bdm->bnm", x, y),
         ((1, 4, 8), (1, 5, 8))),
        ('"bqd" of a tensor of 4 dimensions', lambda _, x: torch.einsum("bqd->bd", x),
         ((1, 4, 8, 3),)),
        ("gather takes an index with as many dimensions", lambda _, x, y: x.gather(1, y),
         ((2, 5), Sample((2,), LONG))),
        ("rows of equally many features: 6 ≠ 8", lambda _, x, y: torch.cdist(x, y),
         ((3, 6), (4, 8))),
        ("N×2×3, and is given 2×6", lambda _, x: F.affine_grid(x, (2, 3, 4, 4)), ((2, 6),)),
        ("ends in the 2 coordinates of each place, and this one ends in 4",
         lambda _, x, g: F.grid_sample(x, g, align_corners=False), ((2, 3, 4, 4), (2, 2, 4, 4))),
        ("2·2 = 4 of them fit, and 9 are given", lambda _, x: F.fold(x, (8, 8), 4, stride=4),
         ((2, 48, 9),)),
        ("numbers 2×3×4×4, places 2×3×2×2", lambda _, x, y: F.max_unpool2d(x, y, 2),
         ((2, 3, 4, 4), Sample((2, 3, 2, 2), LONG))),
        ("0 to 7, and narrow reaches to 40", lambda _, x: x.narrow(1, 1, 40), ((2, 8),)),
        ("the line has 3 names, and what it takes apart has 2", thirds, ((2, 8),)),
        ("topk is asked for 20 of 16", lambda _, x: x.topk(20), ((2, 16),)),
        ("4 + 4 = 8, and dimension 1 has 10", lambda _, x: x.split([4, 4], 1), ((1, 10),)),
        ("of a batch: mT", lambda _, x: x @ x.t(), ((2, 4, 8),)),
        ("max gives several tensors, a tuple", lambda _, x: x.max(1) + x, ((2, 4),)),
    ],
)  # fmt: skip
def test_a_function_is_explained(words: str, run: Callable[..., object], shapes: object) -> None:
    assert words in rule(ALONE, run, *shapes)


def test_batches_and_lengths_of_attention_are_named() -> None:
    attention = nn.MultiheadAttention(8, 2, batch_first=True)
    assert "same batch, which layer reads in dimension 0" in rule(
        attention, attended, (1, 4, 8), (3, 4, 8)
    )
    uneven = rule(attention, lambda f, x, y, z: f(x, y, z), (2, 4, 8), (2, 5, 8), (2, 6, 8))
    assert uneven == "each key needs its value: keys of 2×5×8, values of 2×6×8"
    order = rule(
        nn.Transformer(8, 2, 1, 1, 16, batch_first=True),
        lambda f, x, y: f(x, y),
        (2, 5, 8),
        (3, 5, 8),
    )
    assert "source and target need the same batch" in order


def test_a_pair_is_asked_for() -> None:
    one = rule(nn.LSTMCell(3, 4), lambda f, x, h: f(x, h), (2, 3), (2, 4))
    assert one == "an LSTM's state is a pair, h and c"
    both = rule(nn.GRU(3, 4), lambda f, x, h: f(x, h), (2, 3), (1, 2, 4))
    assert "2 dimensions and a state of 3: either both have a batch or neither has" in both
    state = rule(nn.GRUCell(3, 4), lambda f, x, h: f(x, h), (2, 3), (5, 4))
    assert "the state of layer is batch × features, 2×4, and it is 5×4" in state
