"""Transformers, and what goes into them."""

# ruff: noqa: E501 - as learners write it
# mypy: disable-error-code="operator, index, list-item"

import math

import torch
import torch.nn.functional as F
from torch import nn

from explain_nets.mended import Mended  # type: ignore[import-not-found]

case = Mended()
CASES = case.cases


class Positions(nn.Module):
    def __init__(self, width, most=500):
        super().__init__()
        pe = torch.zeros(most, width)
        place = torch.arange(most).unsqueeze(1)
        rate = torch.exp(torch.arange(0, width, 2) * (-math.log(10000.0) / width))
        pe[:, 0::2], pe[:, 1::2] = torch.sin(place * rate), torch.cos(place * rate)
        self.register_buffer("pe", pe.unsqueeze(1))

    def forward(self, x):
        return x + self.pe[: x.size(1)]


@case(
    "18:int64",
    mend={"pe.unsqueeze(1)": "pe.unsqueeze(0)", "self.pe[: x.size(1)]": "self.pe[:, : x.size(1)]"},
    parts=[Positions],
)
class PositionsOfTheTutorial(nn.Module):
    """The tutorial's positions are for steps first, and here the batch is."""

    def __init__(self):
        super().__init__()
        self.embedding = nn.Embedding(600, 64)
        self.positions = Positions(64)
        self.encoder = nn.TransformerEncoder(
            nn.TransformerEncoderLayer(64, 4, 128, batch_first=True), 2
        )
        self.out = nn.Linear(64, 5)

    def forward(self, x):
        x = self.positions(self.embedding(x))
        return self.out(self.encoder(x).mean(1))


@case(
    "20:int64",
    mend={
        "d_model=100, nhead=8": "d_model=104, nhead=8",
        "nn.Embedding(900, 100)": "nn.Embedding(900, 104)",
        "nn.Linear(100, 3)": "nn.Linear(104, 3)",
    },
)
class HundredByEight(nn.Module):
    """A hundred features and eight heads."""

    def __init__(self):
        super().__init__()
        self.embedding = nn.Embedding(900, 100)
        layer = nn.TransformerEncoderLayer(
            d_model=100, nhead=8, dim_feedforward=200, batch_first=True
        )
        self.encoder = nn.TransformerEncoder(layer, 2)
        self.out = nn.Linear(100, 3)

    def forward(self, x):
        return self.out(self.encoder(self.embedding(x)).mean(1))


@case("15:int64", mend={"src_key_padding_mask=mask.T": "src_key_padding_mask=mask"})
class MaskTurnedForTheTutorial(nn.Module):
    """The mask of padded words was turned, as an older example wanted it."""

    def __init__(self):
        super().__init__()
        self.embedding = nn.Embedding(400, 32, padding_idx=0)
        self.encoder = nn.TransformerEncoder(
            nn.TransformerEncoderLayer(32, 4, 64, batch_first=True), 1
        )
        self.out = nn.Linear(32, 2)

    def forward(self, x):
        mask = x == 0
        x = self.encoder(self.embedding(x), src_key_padding_mask=mask.T)
        return self.out(x.mean(1))


class Heads(nn.Module):
    def __init__(self, width, heads):
        super().__init__()
        self.heads, self.size = heads, width // heads
        self.q, self.k, self.v, self.o = (nn.Linear(width, width) for _ in range(4))

    def forward(self, x):
        n, t, c = x.shape
        q, k, v = (
            f(x).view(n, t, self.heads, self.size).transpose(1, 2) for f in (self.q, self.k, self.v)
        )
        w = (q @ k / math.sqrt(self.size)).softmax(-1)
        return self.o((w @ v).transpose(1, 2).reshape(n, t, c))


@case("10x48", mend={"q @ k /": "q @ k.transpose(-2, -1) /"}, parts=[Heads])
class KeysNotTurned(nn.Module):
    """Attention by hand: the keys are not turned."""

    def __init__(self):
        super().__init__()
        self.attention = Heads(48, 4)
        self.out = nn.Linear(48, 7)

    def forward(self, x):
        return self.out(self.attention(x).mean(1))


@case(
    "12:int64",
    mend={
        "torch.tril(torch.ones(t, t)).unsqueeze(0).expand(n, -1, -1)": "torch.tril(torch.ones(t, t))"
    },
)
class MaskWithABatch(nn.Module):
    """A mask for each item, where there are heads before the steps."""

    def __init__(self):
        super().__init__()
        self.embedding = nn.Embedding(200, 64)
        self.qkv = nn.Linear(64, 192)
        self.out = nn.Linear(64, 200)

    def forward(self, x):
        n, t = x.shape
        q, k, v = self.qkv(self.embedding(x)).chunk(3, -1)
        q, k, v = (one.view(n, t, 4, 16).transpose(1, 2) for one in (q, k, v))
        mask = torch.tril(torch.ones(t, t)).unsqueeze(0).expand(n, -1, -1)
        w = (q @ k.transpose(-2, -1) / 4).masked_fill(mask == 0, float("-inf")).softmax(-1)
        return self.out((w @ v).transpose(1, 2).reshape(n, t, 64))


@case("3x64x64", mend={"(64 // 8) ** 2, 96": "(64 // 8) ** 2 + 1, 96"})
class PlaceOfTheClassToken(nn.Module):
    """A ViT whose table of places has none for the class token."""

    def __init__(self):
        super().__init__()
        self.patches = nn.Conv2d(3, 96, 8, 8)
        self.token = nn.Parameter(torch.zeros(1, 1, 96))
        self.places = nn.Parameter(torch.zeros(1, (64 // 8) ** 2, 96))
        self.encoder = nn.TransformerEncoder(
            nn.TransformerEncoderLayer(96, 4, 192, batch_first=True), 2
        )
        self.head = nn.Linear(96, 10)

    def forward(self, x):
        x = self.patches(x).flatten(2).transpose(1, 2)
        x = torch.cat([self.token.expand(x.size(0), -1, -1), x], 1) + self.places
        return self.head(self.encoder(x)[:, 0])


@case("3x32x32", mend={"self.patches(x).flatten(2)": "self.patches(x).flatten(2).transpose(1, 2)"})
class PatchesAsChannels(nn.Module):
    """Patches go into the encoder with their channels first."""

    def __init__(self):
        super().__init__()
        self.patches = nn.Conv2d(3, 80, 4, 4)
        self.norm = nn.LayerNorm(80)
        self.encoder = nn.TransformerEncoder(
            nn.TransformerEncoderLayer(80, 5, 160, batch_first=True), 1
        )
        self.head = nn.Linear(80, 10)

    def forward(self, x):
        x = self.norm(self.patches(x).flatten(2))
        return self.head(self.encoder(x).mean(1))


@case(
    "25:int64",
    "25:int64",
    mend={
        "F.cross_entropy(self.out(y), tags)": "F.cross_entropy(self.out(y).flatten(0, 1), tags.flatten())"
    },
)
class TagsOfEachWord(nn.Module):
    """A tagger: an answer for each word, its classes last."""

    def __init__(self):
        super().__init__()
        self.embedding = nn.Embedding(700, 30)
        self.rnn = nn.LSTM(30, 50, batch_first=True)
        self.out = nn.Linear(50, 9)

    def forward(self, x, tags):
        y, _ = self.rnn(self.embedding(x))
        return F.cross_entropy(self.out(y), tags)


@case("18:int64", mend={"e = e.mean(1)": "e = e"})
class BagAveragedTwice(nn.Module):
    """An EmbeddingBag has averaged already."""

    def __init__(self):
        super().__init__()
        self.bag = nn.EmbeddingBag(500, 64)
        self.hidden = nn.Linear(64, 32)
        self.out = nn.Linear(32, 4)

    def forward(self, x):
        e = self.bag(x)
        e = e.mean(1)
        return self.out(F.relu(self.hidden(e)))
