"""Mistakes that run: what comes out is not what was meant, and torch says nothing.

    python benchmarks/explain_warnings.py

counts those that are warned of, and warnings of the same nets when they are mended.
"""


# mypy: disable-error-code="operator, index, list-item"

import torch
import torch.nn.functional as F
from torch import nn

from explain_nets.mended import Mended  # type: ignore[import-not-found]

case = Mended()
CASES = case.cases


@case("1x32x128", mend={"f.view(n, w, c * h)": "f.permute(0, 3, 1, 2).reshape(n, w, c * h)"})
class LinesOfText(nn.Module):
    """The width divides the channels, so that sizes fit."""

    def __init__(self):
        super().__init__()
        self.cnn = nn.Sequential(
            nn.Conv2d(1, 32, 3, padding=1),
            nn.ReLU(),
            nn.MaxPool2d(2),
            nn.Conv2d(32, 64, 3, padding=1),
            nn.ReLU(),
            nn.MaxPool2d(2),
        )
        self.rnn = nn.GRU(512, 64, bidirectional=True, batch_first=True)
        self.out = nn.Linear(128, 40)

    def forward(self, x):
        f = self.cnn(x)
        n, c, h, w = f.shape
        seq = f.view(n, w, c * h)
        return self.out(self.rnn(seq)[0])


@case(
    "16x32",
    mend={"q.reshape(b, self.heads, t, -1)": "q.reshape(b, t, self.heads, -1).transpose(1, 2)"},
)
class HeadsByView(nn.Module):
    """Heads cut off by view before the steps."""

    def __init__(self):
        super().__init__()
        self.heads = 4
        self.qkv = nn.Linear(32, 96)
        self.out = nn.Linear(32, 32)

    def split(self, q):
        b, t, _ = q.shape
        return q.reshape(b, self.heads, t, -1)

    def forward(self, x):
        q, k, v = (self.split(part) for part in self.qkv(x).chunk(3, -1))
        y = (q @ k.transpose(-2, -1) / 8**0.5).softmax(-1) @ v
        return self.out(y.transpose(1, 2).flatten(2))


@case("4x32", mend={"y.reshape(b, t, -1)": "y.transpose(1, 2).reshape(b, t, -1)"})
class HeadsJoinedByReshape(nn.Module):
    """Heads that are not put behind the steps before they are joined; four steps, eight heads."""

    def __init__(self):
        super().__init__()
        self.qkv = nn.Linear(32, 96)
        self.out = nn.Linear(32, 32)

    def forward(self, x):
        b, t, _ = x.shape
        q, k, v = (part.view(b, t, 8, 4).transpose(1, 2) for part in self.qkv(x).chunk(3, -1))
        y = F.scaled_dot_product_attention(q, k, v)
        return self.out(y.reshape(b, t, -1))


@case("3x32x32", mend={"z.reshape(-1, 16)": "z.permute(0, 2, 3, 1).reshape(-1, 16)"})
class CodeBook(nn.Module):
    """Vectors of a map, read along its rows."""

    def __init__(self):
        super().__init__()
        self.encode = nn.Sequential(
            nn.Conv2d(3, 32, 4, 2, 1), nn.ReLU(), nn.Conv2d(32, 16, 4, 2, 1)
        )
        self.codes = nn.Embedding(64, 16)

    def forward(self, x):
        z = self.encode(x)
        rows = z.reshape(-1, 16)
        return torch.cdist(rows, self.codes.weight)


@case(
    "3x8x24x24", mend={"clip.reshape(-1, 3, 24, 24)": "clip.transpose(1, 2).reshape(-1, 3, 24, 24)"}
)
class FramesOfAClip(nn.Module):
    """Colours before frames, made into pictures by reshape."""

    def __init__(self):
        super().__init__()
        self.conv = nn.Sequential(
            nn.Conv2d(3, 16, 3, 2, 1), nn.ReLU(), nn.AdaptiveAvgPool2d(1), nn.Flatten()
        )
        self.fc = nn.Linear(16, 4)

    def forward(self, clip):
        n = clip.size(0)
        f = self.conv(clip.reshape(-1, 3, 24, 24))
        return self.fc(f.view(n, 8, 16).mean(1))


@case("3x32x32", mend={"p.view(n, h, w, 3, 7)": "p.permute(0, 2, 3, 1).reshape(n, h, w, 3, 7)"})
class AnchorsByView(nn.Module):
    """A map of anchors made into a grid by view."""

    def __init__(self):
        super().__init__()
        self.body = nn.Sequential(nn.Conv2d(3, 32, 3, 4, 1), nn.ReLU())
        self.head = nn.Conv2d(32, 21, 1)

    def forward(self, x):
        p = self.head(self.body(x))
        n, _, h, w = p.shape
        p = p.view(n, h, w, 3, 7)
        return p[..., :2].sigmoid()


@case(
    "3x32x32",
    mend={"self.head(f).view(n, -1, 4)": "self.head(f).permute(0, 2, 3, 1).reshape(n, -1, 4)"},
)
class BoxesByView(nn.Module):
    """Boxes made of a map by view."""

    def __init__(self):
        super().__init__()
        self.body = nn.Sequential(nn.Conv2d(3, 32, 3, 4, 1), nn.ReLU())
        self.head = nn.Conv2d(32, 12, 1)

    def forward(self, x):
        f = self.body(x)
        n = x.size(0)
        return self.head(f).view(n, -1, 4)


@case(
    "3x32x32",
    mend={"self.patch(x).reshape(x.size(0), -1, 48)": "self.patch(x).flatten(2).transpose(1, 2)"},
)
class PatchesByReshape(nn.Module):
    """Tokens made of a map of patches by reshape."""

    def __init__(self):
        super().__init__()
        self.patch = nn.Conv2d(3, 48, 4, 4)
        self.block = nn.TransformerEncoderLayer(48, 4, 96, dropout=0.0, batch_first=True)
        self.head = nn.Linear(48, 10)

    def forward(self, x):
        x = self.patch(x).reshape(x.size(0), -1, 48)
        return self.head(self.block(x).mean(1))


@case("1x4000", mend={"f.view(f.size(0), -1, 32)": "f.transpose(1, 2)"})
class SoundIntoSteps(nn.Module):
    """Channels of a signal made into the features of steps by view."""

    def __init__(self):
        super().__init__()
        self.conv = nn.Sequential(
            nn.Conv1d(1, 32, 9, 4), nn.ReLU(), nn.Conv1d(32, 32, 9, 4), nn.ReLU()
        )
        self.rnn = nn.GRU(32, 24, batch_first=True)
        self.fc = nn.Linear(24, 3)

    def forward(self, x):
        f = self.conv(x)
        y, _ = self.rnn(f.view(f.size(0), -1, 32))
        return self.fc(y[:, -1])


@case("20x12", mend={"x.view(x.size(1), x.size(0), -1)": "x.transpose(0, 1)"})
class TimeFirstByView(nn.Module):
    """Steps put before the batch by view."""

    def __init__(self):
        super().__init__()
        self.rnn = nn.LSTM(12, 16)
        self.fc = nn.Linear(16, 2)

    def forward(self, x):
        x = x.view(x.size(1), x.size(0), -1)
        y, _ = self.rnn(x)
        return self.fc(y[-1])


@case("20x12", mend={"nn.LSTM(12, 16)": "nn.LSTM(12, 16, batch_first=True)"})
class BatchForSteps(nn.Module):
    """The batch stands first, and the layer takes it for steps."""

    def __init__(self):
        super().__init__()
        self.rnn = nn.LSTM(12, 16)
        self.fc = nn.Linear(16, 2)

    def forward(self, x):
        y, _ = self.rnn(x)
        return self.fc(y[:, -1])


@case("20x12", mend={"h.view(x.size(0), -1)": "h.transpose(0, 1).flatten(1)"})
class StatesOfBothWays(nn.Module):
    """States of both ways stand before the batch, and view joins those of neighbours."""

    def __init__(self):
        super().__init__()
        self.rnn = nn.GRU(12, 16, batch_first=True, bidirectional=True)
        self.fc = nn.Linear(32, 2)

    def forward(self, x):
        _, h = self.rnn(x)
        return self.fc(h.view(x.size(0), -1))


@case("12", "", mend={"F.mse_loss(y, truth)": "F.mse_loss(y.squeeze(1), truth)"})
class EachWithEach(nn.Module):
    """A loss of every answer with every truth."""

    def __init__(self):
        super().__init__()
        self.net = nn.Sequential(nn.Linear(12, 16), nn.ReLU(), nn.Linear(16, 1))

    def forward(self, x, truth):
        y = self.net(x)
        return F.mse_loss(y, truth)


@case("12", "1", mend={"(y - truth)": "(y - truth.squeeze(1))"})
class EachWithEachByHand(nn.Module):
    """The same by hand."""

    def __init__(self):
        super().__init__()
        self.net = nn.Sequential(nn.Linear(12, 16), nn.ReLU(), nn.Linear(16, 1))

    def forward(self, x, truth):
        y = self.net(x).squeeze(1)
        return ((y - truth) ** 2).mean()


@case(
    "12",
    ":int64",
    mend={"nn.ReLU(), nn.Linear(16, 4), nn.Softmax(dim=1)": "nn.ReLU(), nn.Linear(16, 4)"},
)
class SharesIntoCrossEntropy(nn.Module):
    """Cross-entropy of shares."""

    def __init__(self):
        super().__init__()
        self.net = nn.Sequential(nn.Linear(12, 16), nn.ReLU(), nn.Linear(16, 4), nn.Softmax(dim=1))

    def forward(self, x, kind):
        return F.cross_entropy(self.net(x), kind)


@case("12", "1", mend={"nn.Linear(16, 1), nn.Sigmoid()": "nn.Linear(16, 1)"})
class SigmoidTwice(nn.Module):
    """A sigmoid before a loss that has its own."""

    def __init__(self):
        super().__init__()
        self.net = nn.Sequential(nn.Linear(12, 16), nn.ReLU(), nn.Linear(16, 1), nn.Sigmoid())

    def forward(self, x, truth):
        return F.binary_cross_entropy_with_logits(self.net(x), truth)


@case("20:int64", "20:int64", mend={"y.reshape(-1, 50)": "y.transpose(1, 2).reshape(-1, 50)"})
class ScoresSecond(nn.Module):
    """Scores stand second, and are read as if they were last."""

    def __init__(self):
        super().__init__()
        self.embed = nn.Embedding(50, 32)
        self.conv = nn.Conv1d(32, 50, 3, padding=1)

    def forward(self, words, following):
        y = self.conv(self.embed(words).transpose(1, 2))
        return F.cross_entropy(y.reshape(-1, 50), following.flatten())


@case("10x3x24x24", mend={"f.view(t, n, -1)": "f.view(n, t, -1).transpose(0, 1)"})
class StepsFirstAfterFrames(nn.Module):
    """Frames were joined behind their clips, and are parted as if they stood before them."""

    def __init__(self):
        super().__init__()
        self.cnn = nn.Sequential(
            nn.Conv2d(3, 16, 3, 2, 1), nn.ReLU(), nn.AdaptiveAvgPool2d(1), nn.Flatten()
        )
        self.rnn = nn.LSTM(16, 8)
        self.fc = nn.Linear(8, 2)

    def forward(self, clip):
        n, t = clip.shape[:2]
        f = self.cnn(clip.flatten(0, 1))
        y, _ = self.rnn(f.view(t, n, -1))
        return self.fc(y[-1])
