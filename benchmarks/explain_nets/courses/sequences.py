"""Tokens and signals: order, masks, states, heads."""

# ruff: noqa: E501, F401, RUF059 - as learners write it
# mypy: disable-error-code="operator, index, list-item"

import math

import torch
import torch.nn.functional as F
from torch import nn
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence

from explain_nets.mended import Mended  # type: ignore[import-not-found]

case = Mended()
CASES = case.cases


@case("187", mend={"self.net(x)": "self.net(x.unsqueeze(1))"})
class Heartbeats(nn.Module):
    """Signals of one lead, without a dimension for it."""

    def __init__(self):
        super().__init__()
        self.net = nn.Sequential(
            nn.Conv1d(1, 32, 5),
            nn.ReLU(),
            nn.MaxPool1d(2),
            nn.Conv1d(32, 64, 5),
            nn.ReLU(),
            nn.AdaptiveAvgPool1d(1),
            nn.Flatten(),
            nn.Linear(64, 5),
        )

    def forward(self, x):
        return self.net(x)


@case("20:int64", mend={"self.encoder(x, pad)": "self.encoder(x, src_key_padding_mask=pad)"})
class PaddingForTheEncoder(nn.Module):
    """Which tokens are padding, where a mask of pairs is taken."""

    def __init__(self):
        super().__init__()
        self.embed = nn.Embedding(200, 32, padding_idx=0)
        layer = nn.TransformerEncoderLayer(32, 4, 64, dropout=0.0, batch_first=True)
        self.encoder = nn.TransformerEncoder(layer, 1, enable_nested_tensor=False)
        self.fc = nn.Linear(32, 2)

    def forward(self, tokens):
        pad = tokens.eq(2)
        x = self.embed(tokens)
        x = self.encoder(x, pad)
        return self.fc(x.mean(1))


@case(
    "20:int64",
    mend={
        "self.attention(x, x, x, attn_mask=keep)": "self.attention(x, x, x, key_padding_mask=keep)"
    },
)
class PaddingForAttention(nn.Module):
    """The same, where attention is called alone."""

    def __init__(self):
        super().__init__()
        self.embed = nn.Embedding(200, 32)
        self.attention = nn.MultiheadAttention(32, 4, batch_first=True)
        self.fc = nn.Linear(32, 2)

    def forward(self, tokens):
        keep = torch.zeros(tokens.shape, dtype=torch.bool)
        x = self.embed(tokens)
        x, _ = self.attention(x, x, x, attn_mask=keep)
        return self.fc(x[:, 0])


@case("24:int64", mend={"mask=self.mask": "mask=self.mask[: x.size(1), : x.size(1)]"})
class CausalMaskOfAllLengths(nn.Module):
    """A mask as long as the longest text."""

    def __init__(self):
        super().__init__()
        self.embed = nn.Embedding(100, 32)
        layer = nn.TransformerEncoderLayer(32, 4, 64, dropout=0.0, batch_first=True)
        self.blocks = nn.TransformerEncoder(layer, 1, enable_nested_tensor=False)
        self.register_buffer("mask", torch.triu(torch.full((64, 64), float("-inf")), 1))
        self.out = nn.Linear(32, 100)

    def forward(self, tokens):
        x = self.embed(tokens)
        x = self.blocks(x, mask=self.mask)
        return self.out(x)


@case("18:int64", mend={"self.pe[: x.size(1)]": "self.pe[: x.size(1)].transpose(0, 1)"})
class PositionsOfTheTutorial(nn.Module):
    """Positions stand first there, and here the batch does."""

    def __init__(self, dim=32):
        super().__init__()
        position = torch.arange(100)[:, None]
        rate = torch.exp(torch.arange(0, dim, 2) * (-math.log(10000.0) / dim))
        pe = torch.zeros(100, 1, dim)
        pe[:, 0, 0::2] = torch.sin(position * rate)
        pe[:, 0, 1::2] = torch.cos(position * rate)
        self.register_buffer("pe", pe)
        self.embed = nn.Embedding(50, dim)
        self.fc = nn.Linear(dim, 50)

    def forward(self, tokens):
        x = self.embed(tokens)
        x = x + self.pe[: x.size(1)]
        return self.fc(x)


@case(
    "10:int64",
    "7:int64",
    mend={
        "nn.Transformer(32, 4, 1, 1, 64, dropout=0.0)": "nn.Transformer(32, 4, 1, 1, 64, dropout=0.0, batch_first=True)"
    },
)
class TranslatorInTimeOrder(nn.Module):
    """The batch stands first, and the module takes steps first."""

    def __init__(self):
        super().__init__()
        self.source, self.target = nn.Embedding(80, 32), nn.Embedding(90, 32)
        self.net = nn.Transformer(32, 4, 1, 1, 64, dropout=0.0)
        self.out = nn.Linear(32, 90)

    def forward(self, source, target):
        y = self.net(self.source(source), self.target(target))
        return self.out(y)


@case(
    "15:int64",
    ":int64",
    mend={"self.fc(out)": "self.fc(pad_packed_sequence(out, batch_first=True)[0][:, 0])"},
)
class PackedIntoALayer(nn.Module):
    """A packed sequence goes on as if it were a tensor."""

    def __init__(self):
        super().__init__()
        self.embed = nn.Embedding(60, 16)
        self.rnn = nn.GRU(16, 32, batch_first=True)
        self.fc = nn.Linear(32, 3)

    def forward(self, words, lengths):
        x = self.embed(words)
        lengths = torch.full((words.size(0),), 15)
        packed = pack_padded_sequence(x, lengths, batch_first=True, enforce_sorted=False)
        out, h = self.rnn(packed)
        return self.fc(out)


@case("15:int64", mend={"self.fc(h[-1])": "self.fc(torch.cat((h[-2], h[-1]), dim=1))"})
class LastStateOfBothWays(nn.Module):
    """Both ways were meant, and one is taken."""

    def __init__(self):
        super().__init__()
        self.embed = nn.Embedding(60, 16)
        self.rnn = nn.LSTM(16, 32, num_layers=2, batch_first=True, bidirectional=True)
        self.fc = nn.Linear(64, 3)

    def forward(self, words):
        _, (h, _) = self.rnn(self.embed(words))
        return self.fc(h[-1])


@case("15:int64", ":int64", mend={"self.fc(h)": "self.fc(h[-1])"})
class AllStatesAndALoss(nn.Module):
    """The states of all layers go to the loss."""

    def __init__(self):
        super().__init__()
        self.embed = nn.Embedding(60, 16)
        self.rnn = nn.GRU(16, 32, batch_first=True)
        self.fc = nn.Linear(32, 3)

    def forward(self, words, kinds):
        _, h = self.rnn(self.embed(words))
        scores = self.fc(h)
        return F.cross_entropy(scores, kinds)


@case("12", mend={"self.embed(words)": "self.embed(words.long())"})
class WordsAsFloats(nn.Module):
    """Numbers of words from a table of floats."""

    def __init__(self):
        super().__init__()
        self.embed = nn.Embedding(30, 16)
        self.fc = nn.Linear(16 * 12, 2)

    def forward(self, words):
        x = self.embed(words)
        return self.fc(x.flatten(1))


@case(
    "25x16",
    "25",
    mend={
        "scores.masked_fill(mask[:, None], -1e9)": "scores.masked_fill(mask[:, None].bool(), -1e9)"
    },
)
class MaskOfFloats(nn.Module):
    """A mask that came from a data set as zeros and ones."""

    def __init__(self):
        super().__init__()
        self.q, self.k, self.v = nn.Linear(16, 16), nn.Linear(16, 16), nn.Linear(16, 16)

    def forward(self, x, mask):
        scores = self.q(x) @ self.k(x).transpose(1, 2) / 4
        scores = scores.masked_fill(mask[:, None], -1e9)
        return scores.softmax(-1) @ self.v(x)


@case("25x16", mend={"torch.bmm(weights, x)": "torch.bmm(weights.transpose(1, 2), x)"})
class AttentionPooling(nn.Module):
    """A weight for each step, of which a mean is to be made."""

    def __init__(self):
        super().__init__()
        self.score = nn.Linear(16, 1)
        self.fc = nn.Linear(16, 4)

    def forward(self, x):
        weights = self.score(torch.tanh(x)).softmax(dim=1)
        pooled = torch.bmm(weights, x).squeeze(1)
        return self.fc(pooled)


@case(
    "16x8x8",
    mend={"self.attention(x, x, x)": "self.attention(*[x.flatten(2).transpose(1, 2)] * 3)"},
)
class AttentionOverAMap(nn.Module):
    """A map is no list of tokens yet."""

    def __init__(self):
        super().__init__()
        self.attention = nn.MultiheadAttention(16, 4, batch_first=True)
        self.fc = nn.Linear(16, 3)

    def forward(self, x):
        y, _ = self.attention(x, x, x)
        return self.fc(y.mean(1))


@case("9x24:float64", mend={"self.rnn(x)": "self.rnn(x.float())"})
class TableOfDoubles(nn.Module):
    """Numbers as numpy gives them."""

    def __init__(self):
        super().__init__()
        self.rnn = nn.LSTM(24, 16, batch_first=True)
        self.fc = nn.Linear(16, 1)

    def forward(self, x):
        out, _ = self.rnn(x)
        return self.fc(out[:, -1])


@case(
    "12:int64",
    "9:int64",
    mend={
        "nn.GRU(16, 32, batch_first=True)  # decoder": "nn.GRU(16, 64, batch_first=True)",
        "nn.Linear(32, 70)": "nn.Linear(64, 70)",
        "self.decoder(self.out_words(target), h)": "self.decoder(self.out_words(target), torch.cat((h[0], h[1]), 1)[None])",
    },
)
class StatesOfBothWaysHandedOn(nn.Module):
    """An encoder that reads both ways hands its states to a decoder of one."""

    def __init__(self):
        super().__init__()
        self.in_words, self.out_words = nn.Embedding(50, 16), nn.Embedding(70, 16)
        self.encoder = nn.GRU(16, 32, batch_first=True, bidirectional=True)
        self.decoder = nn.GRU(16, 32, batch_first=True)  # decoder
        self.fc = nn.Linear(32, 70)

    def forward(self, source, target):
        _, h = self.encoder(self.in_words(source))
        y, _ = self.decoder(self.out_words(target), h)
        return self.fc(y)
