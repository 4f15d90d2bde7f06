"""The first fix means what the net's writer meant, or says what it means instead."""

import importlib
import sys
from pathlib import Path
from types import ModuleType

import pytest
import torch
from torch import Tensor, nn

from viewfinder.explain import Mistake, explain

BENCHMARKS = Path(__file__).parents[2] / "benchmarks"


def script(name: str) -> ModuleType:
    """A benchmark, or a set of its nets."""
    if str(BENCHMARKS) not in sys.path:
        sys.path.append(str(BENCHMARKS))
    return importlib.import_module(name)


@pytest.mark.parametrize(
    ("nets", "name"),
    [
        ("meanings", "LinearOverTime"),
        ("meanings", "MeanOverChannels"),
        ("meanings", "BiasHeadsLast"),
        ("meanings", "MemoryIsAsked"),
        ("meanings", "CellOverTheBatch"),
        ("meanings", "TextCnnKernel"),
        ("meanings", "PointsAndWhole"),
        ("meanings", "BahdanauState"),
        ("meanings", "ValuesOfTheOther"),
        ("meanings", "PatchesByUnfold"),
        ("notebooks", "AutoencoderOfMnist"),
        ("notebooks", "ConditionalCritic"),
        ("notebooks", "DenseBlockGrowth"),
        ("notebooks", "LevelsOfRetina"),
        ("questions", "CellForHidden"),
        ("questions", "CoordConv"),
        ("questions", "CostVolume"),
        ("questions", "DecoderWithoutMemory"),
        ("questions", "FramesOneAboveTheOther"),
        ("questions", "GroupedQueries"),
        ("questions", "GruUnpackedAsLstm"),
        ("questions", "LossOfAList"),
        ("questions", "ModulatedConv"),
        ("questions", "NoiseOfOtherWidth"),
        ("questions", "PooledFrames"),
        ("questions", "ProjectionCritic"),
        ("questions", "RecurrentPolicy"),
        ("questions", "RotaryOfHalf"),
        ("questions", "SequentialOfTwo"),
        ("questions", "SkipsNotReversed"),
    ],
)
@pytest.mark.filterwarnings("ignore")
def test_the_first_fix_gives_the_answers_that_were_meant(nets: str, name: str) -> None:
    wrong = script(f"explain_nets.{nets}").CASES[name]
    mistake = script("explain_fixes").explained(wrong)
    assert mistake is not None
    assert mistake.offers
    assert script("explain_meaning").differs(wrong, mistake.offers[0]) == ""
    assert not mistake.offers[0].means


class Masked(nn.Module):
    """A mask that no fix makes fit."""

    def __init__(self) -> None:
        super().__init__()
        self.attention = nn.MultiheadAttention(32, 4, batch_first=True)

    def forward(self, x: Tensor, mask: Tensor) -> Tensor:
        return self.attention(x, x, x, attn_mask=mask)[0]


class Numbered(nn.Module):
    """Positions that are numbered by the batch."""

    def __init__(self) -> None:
        super().__init__()
        self.words, self.places = nn.Embedding(100, 32), nn.Embedding(64, 32)

    def forward(self, x: Tensor) -> Tensor:
        return self.words(x) + self.places(torch.arange(len(x)))


class Block(nn.Module):
    def __init__(self, inner: int, outer: int, stride: int = 1) -> None:
        super().__init__()
        self.one = nn.Conv2d(inner, outer, 3, stride, 1)
        self.two = nn.Conv2d(outer, outer, 3, 1, 1)

    def forward(self, x: Tensor) -> Tensor:
        return torch.relu(self.two(torch.relu(self.one(x))) + x)


def mistake_of(net: nn.Module, *shapes: object) -> Mistake:
    found = explain(net, *shapes).mistake
    assert found is not None
    return found


def test_an_input_that_a_fix_leaves_out_is_told() -> None:
    offer = mistake_of(Masked(), (3, 10, 32), (3, 7)).offers[0]
    assert offer.means == "what is given there is then ignored"
    assert offer.text.endswith(f"but {offer.means}")


def test_a_fix_that_numbers_the_batch_says_so() -> None:
    words = torch.zeros(4, 16, dtype=torch.int64)
    counted, *others = mistake_of(Numbered(), words).offers
    assert counted.says == ("torch.arange(x.size(1)) instead of torch.arange(len(x))",)
    assert others
    assert all(offer.means == "it numbers the items of the batch" for offer in others)


def test_a_shortcut_of_several_blocks_fits_each() -> None:
    net = nn.Sequential(Block(3, 8), Block(8, 8), Block(8, 16, 2), Block(16, 16))
    first = mistake_of(net, (2, 3, 16, 16)).offers[0]
    assert first.whole
    assert "in every Block" in first.text


class Gated(nn.Module):
    """Squeeze and excitation, whose gate lacks its places."""

    def __init__(self) -> None:
        super().__init__()
        self.gate = nn.Linear(32, 32)

    def forward(self, x: Tensor) -> Tensor:
        return x * torch.sigmoid(self.gate(x.mean((2, 3))))


class Pairs(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.user, self.item = nn.Linear(20, 16), nn.Linear(30, 16)

    def forward(self, u: Tensor, v: Tensor) -> Tensor:
        a, b = self.user(u), self.item(v)
        return torch.sigmoid(a @ b)


class Rates(nn.Module):
    """One map seen at several rates, none of which is padded by its reach."""

    def __init__(self) -> None:
        super().__init__()
        rates = [nn.Conv2d(8, 4, 3, padding=1, dilation=rate) for rate in (2, 4)]
        self.branches = nn.ModuleList([nn.Conv2d(8, 4, 1), *rates])

    def forward(self, x: Tensor) -> Tensor:
        return torch.cat([branch(x) for branch in self.branches], 1)


class Grown(nn.Module):
    """Joined channels beside a map whose side is what the next layer is made for."""

    def __init__(self) -> None:
        super().__init__()
        self.more, self.last = nn.Conv2d(8, 12, 3, padding=1), nn.Conv2d(16, 10, 1)

    def forward(self, x: Tensor) -> Tensor:
        return self.last(torch.cat([x, self.more(x)], 1))


def test_a_gate_made_of_a_map_keeps_the_map() -> None:
    first, *others = mistake_of(Gated(), (2, 32, 14, 14)).offers
    assert "[:, :, None, None]" in first.text
    assert not first.means
    assert all(offer.means == "the map is then averaged away" for offer in others)


def test_two_rows_of_features_are_multiplied_item_by_item() -> None:
    first, turned = mistake_of(Pairs(), (4, 20), (4, 30)).offers
    assert first.says == ("(a * b).sum(-1) instead of a @ b",)
    assert "b.mT" in turned.text
    assert turned.means.startswith("each item of the batch then meets every item")


def test_branches_of_one_map_are_padded_before_they_are_stretched() -> None:
    padded, stretched = mistake_of(Rates(), (2, 8, 20, 20)).offers
    assert "padding=2, dilation=2" in padded.text
    assert "padding=4, dilation=4" in padded.text
    made = "maps = [branch(x) for branch in self.branches] and torch.cat([F.interpolate("
    assert stretched.text.startswith(made)


def test_joined_channels_are_no_picture_with_its_channels_last() -> None:
    rule = mistake_of(Grown(), (2, 8, 16, 16)).rule
    assert rule == "last is made for 16 input channels and is given 20"


class Twice(nn.Module):
    """One norm written twice, beside the one that was meant."""

    def __init__(self) -> None:
        super().__init__()
        self.c1, self.c2 = nn.Conv2d(3, 8, 3), nn.Conv2d(8, 16, 3)
        self.b1, self.b2 = nn.BatchNorm2d(8), nn.BatchNorm2d(16)

    def forward(self, x: Tensor) -> Tensor:
        x = torch.relu(self.b1(self.c1(x)))
        return torch.relu(self.b1(self.c2(x)))


def test_an_unused_layer_takes_the_place_of_one_that_was_written_twice() -> None:
    first = mistake_of(Twice(), (2, 3, 16, 16)).offers[0]
    assert first.says == ("self.b2 instead of self.b1; b2 was made and is not used",)
    assert first.whole
