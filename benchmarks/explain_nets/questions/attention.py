"""Attention, positions, states."""

# ruff: noqa: F401, F841, RUF059 - as learners write it
# mypy: disable-error-code="operator, index, list-item"

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from explain_nets.mended import Mended  # type: ignore[import-not-found]

case = Mended()
CASES = case.cases


@case(
    "12x64",
    mend={
        "k.transpose(2, 3)": "k.repeat_interleave(4, 1).transpose(2, 3)",
        "att @ v": "att @ v.repeat_interleave(4, 1)",
    },
)
class GroupedQueries(nn.Module):
    """Eight heads ask, two answer."""

    def __init__(self, dim=64, heads=8, kv_heads=2):
        super().__init__()
        self.h, self.kv, self.d = heads, kv_heads, dim // heads
        self.wq = nn.Linear(dim, heads * self.d)
        self.wk = nn.Linear(dim, kv_heads * self.d)
        self.wv = nn.Linear(dim, kv_heads * self.d)
        self.wo = nn.Linear(dim, dim)

    def forward(self, x):
        n, t, _ = x.shape
        q = self.wq(x).view(n, t, self.h, self.d).transpose(1, 2)
        k = self.wk(x).view(n, t, self.kv, self.d).transpose(1, 2)
        v = self.wv(x).view(n, t, self.kv, self.d).transpose(1, 2)
        att = (q @ k.transpose(2, 3) / self.d**0.5).softmax(-1)
        out = att @ v
        return self.wo(out.transpose(1, 2).reshape(n, t, -1))


@case(
    "10x32",
    mend={
        "freqs.cos()": "torch.cat([freqs, freqs], -1).cos()",
        "freqs.sin()": "torch.cat([freqs, freqs], -1).sin()",
    },
)
class RotaryOfHalf(nn.Module):
    """Angles for half the features, which both halves share."""

    def __init__(self, dim=32):
        super().__init__()
        self.q, self.k = nn.Linear(dim, dim), nn.Linear(dim, dim)
        self.register_buffer("inv_freq", 1 / 10000 ** (torch.arange(0, dim, 2) / dim))

    def turn(self, x):
        freqs = torch.outer(torch.arange(x.size(1)), self.inv_freq)
        cos, sin = freqs.cos(), freqs.sin()
        one, two = x.chunk(2, dim=-1)
        return x * cos + torch.cat([-two, one], -1) * sin

    def forward(self, x):
        return (self.turn(self.q(x)) @ self.turn(self.k(x)).transpose(1, 2)).softmax(-1) @ x


@case(
    "15x32",
    mend={"self.attn(self.query, x, x)": "self.attn(self.query.expand(x.size(0), -1, -1), x, x)"},
)
class QueryNotExpanded(nn.Module):
    """One learned question for all items of a batch."""

    def __init__(self, dim=32):
        super().__init__()
        self.query = nn.Parameter(torch.randn(1, 1, dim))
        self.attn = nn.MultiheadAttention(dim, 4, batch_first=True)
        self.fc = nn.Linear(dim, 3)

    def forward(self, x):
        pooled, _ = self.attn(self.query, x, x)
        return self.fc(pooled.squeeze(1))


@case("20x32", mend={'"nthd,nhed->nthe"': '"nthd,nhde->nthe"'})
class EinsumOfLinearAttention(nn.Module):
    """Two letters in the wrong order."""

    def __init__(self):
        super().__init__()
        self.q, self.k, self.v = nn.Linear(32, 32), nn.Linear(32, 32), nn.Linear(32, 64)

    def forward(self, x):
        n, t, _ = x.shape
        q = (F.elu(self.q(x)) + 1).view(n, t, 4, 8)
        k = (F.elu(self.k(x)) + 1).view(n, t, 4, 8)
        v = self.v(x).view(n, t, 4, 16)
        kv = torch.einsum("nthd,nthe->nhde", k, v)
        z = 1 / torch.einsum("nthd,nhd->nth", q, k.sum(1))
        out = torch.einsum("nthd,nhed->nthe", q, kv) * z[..., None]
        return out.reshape(n, t, 64)


@case("9x32", "7x32", mend={"self.decoder(tgt)": "self.decoder(tgt, memory)"})
class DecoderWithoutMemory(nn.Module):
    """What the encoder gave is not handed on."""

    def __init__(self, d=32):
        super().__init__()
        self.encoder = nn.TransformerEncoder(
            nn.TransformerEncoderLayer(d, 4, 64, batch_first=True), 1
        )
        self.decoder = nn.TransformerDecoder(
            nn.TransformerDecoderLayer(d, 4, 64, batch_first=True), 1
        )
        self.out = nn.Linear(d, 100)

    def forward(self, src, tgt):
        memory = self.encoder(src)
        return self.out(self.decoder(tgt))


@case(
    "12x32",
    mend={
        "torch.bmm(q, k.transpose(2, 3))": "torch.matmul(q, k.transpose(2, 3))",
        "torch.bmm(w, v)": "torch.matmul(w, v)",
    },
)
class BmmOfHeads(nn.Module):
    """bmm takes three dimensions."""

    def __init__(self):
        super().__init__()
        self.qkv = nn.Linear(32, 96)

    def forward(self, x):
        n, t, d = x.shape
        q, k, v = self.qkv(x).view(n, t, 3, 4, 8).permute(2, 0, 3, 1, 4)
        w = torch.softmax(torch.bmm(q, k.transpose(2, 3)) / 8**0.5, -1)
        return torch.bmm(w, v).transpose(1, 2).reshape(n, t, d)


@case("10x32", "10:bool", mend={"(1 - mask)": "(~mask)"})
class OneMinusMask(nn.Module):
    """torch takes no bool from one."""

    def __init__(self):
        super().__init__()
        self.score = nn.Linear(32, 1)
        self.fc = nn.Linear(32, 4)

    def forward(self, x, mask):
        scores = self.score(x).squeeze(-1)
        scores = scores + (1 - mask) * -1e9
        return self.fc((scores.softmax(1).unsqueeze(-1) * x).sum(1))


@case("24x16", mend={"delta * self.A": "delta.unsqueeze(-1) * self.A"})
class StateSpace(nn.Module):
    """Steps of each channel, for states of each channel."""

    def __init__(self, d=16, states=8):
        super().__init__()
        self.A = nn.Parameter(-torch.rand(d, states))
        self.delta = nn.Linear(d, d)
        self.B, self.C = nn.Linear(d, states), nn.Linear(d, states)

    def forward(self, x):
        delta = F.softplus(self.delta(x))
        dA = torch.exp(delta * self.A)
        dB = delta.unsqueeze(-1) * self.B(x).unsqueeze(2)
        h = torch.zeros_like(dA[:, 0])
        ys = []
        for t in range(x.size(1)):
            h = dA[:, t] * h + dB[:, t] * x[:, t].unsqueeze(-1)
            ys.append((h * self.C(x)[:, t].unsqueeze(1)).sum(-1))
        return torch.stack(ys, 1)


@case("15:int64", mend={"out, (h, c) = self.gru(x)": "out, h = self.gru(x)"})
class GruUnpackedAsLstm(nn.Module):
    """A GRU has one state."""

    def __init__(self):
        super().__init__()
        self.emb = nn.Embedding(500, 32)
        self.gru = nn.GRU(32, 48, batch_first=True)
        self.fc = nn.Linear(48, 2)

    def forward(self, x):
        x = self.emb(x)
        out, (h, c) = self.gru(x)
        return self.fc(h[-1])


@case("15x8", ":int64", mend={"out, h = self.lstm(x)": "out, (h, c) = self.lstm(x)"})
class CellForHidden(nn.Module):
    """The last of both states, where the last layer of the first was meant."""

    def __init__(self):
        super().__init__()
        self.lstm = nn.LSTM(8, 32, num_layers=2, batch_first=True)
        self.fc = nn.Linear(32, 5)

    def forward(self, x, y):
        out, h = self.lstm(x)
        return F.cross_entropy(self.fc(h[-1]), y)


@case("7:int64", mend={"self.fc(out)": "self.fc(out).squeeze(1)"})
class OutputsOfEachStep(nn.Module):
    """Answers of one step still have the dimension of steps."""

    def __init__(self, vocab=60):
        super().__init__()
        self.emb = nn.Embedding(vocab, 16)
        self.gru = nn.GRU(16, 24, batch_first=True)
        self.fc = nn.Linear(24, vocab)
        self.vocab = vocab

    def forward(self, y):
        n, t = y.shape
        outputs = torch.zeros(t, n, self.vocab)
        h = torch.zeros(1, n, 24)
        for step in range(t):
            out, h = self.gru(self.emb(y[:, step : step + 1]), h)
            outputs[step] = self.fc(out)
        return outputs.transpose(0, 1)


@case(
    "6",
    mend={
        "self.lstm(obs, (h, c))": "self.lstm(obs.unsqueeze(1), (h, c))",
        "self.pi(out)": "self.pi(out[:, 0])",
    },
)
class RecurrentPolicy(nn.Module):
    """An observation is one step, which a recurrent layer takes for a whole row of steps."""

    def __init__(self):
        super().__init__()
        self.lstm = nn.LSTM(6, 32, batch_first=True)
        self.pi = nn.Linear(32, 3)

    def forward(self, obs):
        h = torch.zeros(1, obs.size(0), 32)
        c = torch.zeros(1, obs.size(0), 32)
        out, _ = self.lstm(obs, (h, c))
        return self.pi(out)
