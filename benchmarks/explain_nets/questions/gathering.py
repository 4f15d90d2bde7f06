"""Tables, graphs, points, films, sounds, and losses."""

# ruff: noqa: F401, E501, B905 - as learners write it
# mypy: disable-error-code="operator, index, list-item"

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from explain_nets.mended import Mended  # type: ignore[import-not-found]

case = Mended()
CASES = case.cases


@case("3:int64", mend={"sum(sizes[:-1])": "sum(sizes)"})
class FieldsOfOffsets(nn.Module):
    """One table for all columns, without the rows of the last."""

    def __init__(self, sizes=(10, 20, 30)):
        super().__init__()
        self.register_buffer("offsets", torch.tensor([0, 10, 30]))
        self.table = nn.Embedding(sum(sizes[:-1]), 8)
        self.mlp = nn.Linear(24, 1)

    def forward(self, x):
        return self.mlp(self.table(x + self.offsets).flatten(1))


@case(
    "12:int64",
    mend={"nn.Embedding(100, 32, padding_idx=100)": "nn.Embedding(101, 32, padding_idx=100)"},
)
class PaddingIndex(nn.Module):
    """The word for padding comes after the last."""

    def __init__(self):
        super().__init__()
        self.emb = nn.Embedding(100, 32, padding_idx=100)
        self.fc = nn.Linear(32, 2)

    def forward(self, x):
        return self.fc(self.emb(x).mean(1))


@case("8", ":int64", mend={"F.one_hot(y, 10)": "F.one_hot(y, 10).float()"})
class OneHotIsWhole(nn.Module):
    """one_hot gives whole numbers."""

    def __init__(self):
        super().__init__()
        self.label = nn.Linear(10, 8)
        self.net = nn.Sequential(nn.Linear(16, 32), nn.ReLU(), nn.Linear(32, 20))

    def forward(self, z, y):
        onehot = F.one_hot(y, 10)
        return self.net(torch.cat([z, self.label(onehot)], 1))


@case("5", "7", mend={"self.fuse(a, b)": "self.fuse(torch.cat([a, b], 1))"})
class SequentialOfTwo(nn.Module):
    """A Sequential takes one thing."""

    def __init__(self):
        super().__init__()
        self.left = nn.Linear(5, 16)
        self.right = nn.Linear(7, 16)
        self.fuse = nn.Sequential(nn.Linear(32, 16), nn.ReLU(), nn.Linear(16, 1))

    def forward(self, a, b):
        a, b = F.relu(self.left(a)), F.relu(self.right(b))
        return self.fuse(a, b)


@case("20x3", mend={"x.view(n, p, 1, c)": "x.view(n, p, 1, c).expand(n, p, self.k, c)"})
class EdgeConv(nn.Module):
    """Neighbours beside a point that is there only once."""

    def __init__(self, k=5):
        super().__init__()
        self.k = k
        self.conv = nn.Sequential(nn.Conv2d(6, 32, 1), nn.ReLU())
        self.fc = nn.Linear(32, 4)

    def forward(self, x):
        n, p, c = x.shape
        idx = torch.cdist(x, x).topk(self.k, largest=False).indices
        near = x[torch.arange(n)[:, None, None], idx]
        x = x.view(n, p, 1, c)
        edge = torch.cat([near - x, x], dim=3).permute(0, 3, 1, 2)
        h = self.conv(edge).max(-1).values
        return self.fc(h.max(-1).values)


@case("9x16", "9x9", mend={"nn.Linear(16, 32)": "nn.Linear(2 * 16, 32)"})
class SageConcat(nn.Module):
    """A node beside its neighbours: twice as wide."""

    def __init__(self):
        super().__init__()
        self.lin1 = nn.Linear(16, 32)
        self.out = nn.Linear(32, 2)

    def forward(self, x, adj):
        mean = adj @ x / adj.sum(-1, keepdim=True).clamp(min=1)
        h = F.relu(self.lin1(torch.cat([x, mean], -1)))
        return self.out(h.mean(1))


@case(
    "9x16",
    "9x9x4",
    mend={
        "torch.cat([h.unsqueeze(1), h.unsqueeze(2), e], -1)": "torch.cat([h.unsqueeze(1).expand(-1, 9, -1, -1), h.unsqueeze(2).expand(-1, -1, 9, -1), e], -1)"
    },
)
class MessageOfPairs(nn.Module):
    """Both nodes of an edge and the edge itself, of which cat makes no grid."""

    def __init__(self):
        super().__init__()
        self.message = nn.Linear(36, 16)
        self.update = nn.Linear(32, 16)

    def forward(self, h, e):
        pairs = torch.cat([h.unsqueeze(1), h.unsqueeze(2), e], -1)
        m = F.relu(self.message(pairs)).sum(2)
        return self.update(torch.cat([h, m], -1))


@case(
    "3x16x32x32",
    mend={
        "self.lateral = nn.Conv3d(8, 16, (5, 1, 1), padding=(2, 0, 0))": "self.lateral = nn.Conv3d(8, 16, (5, 1, 1), stride=(4, 1, 1), padding=(2, 0, 0))"
    },
)
class SlowFastLateral(nn.Module):
    """All frames beside every fourth."""

    def __init__(self):
        super().__init__()
        self.slow = nn.Conv3d(3, 32, (1, 7, 7), stride=(1, 2, 2), padding=(0, 3, 3))
        self.fast = nn.Conv3d(3, 8, (5, 7, 7), stride=(1, 2, 2), padding=(2, 3, 3))
        self.lateral = nn.Conv3d(8, 16, (5, 1, 1), padding=(2, 0, 0))
        self.head = nn.Linear(48 + 8, 10)

    def forward(self, x):
        slow, fast = self.slow(x[:, :, ::4]), self.fast(x)
        slow = torch.cat([slow, self.lateral(fast)], 1)
        return self.head(torch.cat([slow.mean((2, 3, 4)), fast.mean((2, 3, 4))], 1))


@case(
    "3x4x32x32",
    mend={
        "nn.MaxPool3d(2), nn.Conv3d(16, 32, 3, padding=1), nn.ReLU(), nn.MaxPool3d(2), nn.Conv3d(32, 32, 3, padding=1), nn.ReLU(), nn.MaxPool3d(2)": "nn.MaxPool3d(2), nn.Conv3d(16, 32, 3, padding=1), nn.ReLU(), nn.MaxPool3d(2), nn.Conv3d(32, 32, 3, padding=1), nn.ReLU(), nn.MaxPool3d((1, 2, 2))"
    },
)
class PooledFrames(nn.Module):
    """Four frames, halved three times."""

    def __init__(self):
        super().__init__()
        self.features = nn.Sequential(
            nn.Conv3d(3, 16, 3, padding=1), nn.ReLU(),
            nn.MaxPool3d(2), nn.Conv3d(16, 32, 3, padding=1), nn.ReLU(), nn.MaxPool3d(2), nn.Conv3d(32, 32, 3, padding=1), nn.ReLU(), nn.MaxPool3d(2),
        )  # fmt: skip
        self.fc = nn.Linear(32 * 4 * 4, 6)

    def forward(self, x):
        return self.fc(self.features(x).flatten(1))


@case("2000", mend={"self.conv(spec)": "self.conv(spec.abs().unsqueeze(1))"})
class ComplexSpectrum(nn.Module):
    """stft gives complex numbers, and no channel."""

    def __init__(self):
        super().__init__()
        self.conv = nn.Conv2d(1, 16, 3, stride=2)
        self.fc = nn.Linear(16, 10)
        self.register_buffer("window", torch.hann_window(256))

    def forward(self, wave):
        spec = torch.stft(wave, 256, 128, window=self.window, return_complex=True)
        x = F.relu(self.conv(spec))
        return self.fc(x.mean((2, 3)))


@case("8x100", mend={"torch.from_numpy(mean)": "torch.from_numpy(mean).float()"})
class MeanFromNumpy(nn.Module):
    """numpy's numbers are twice as long."""

    def __init__(self):
        super().__init__()
        mean = np.linspace(0, 1, 8).reshape(8, 1)
        self.register_buffer("mean", torch.from_numpy(mean))
        self.conv = nn.Conv1d(8, 16, 7, padding=3)
        self.fc = nn.Linear(16, 4)

    def forward(self, x):
        x = x - self.mean
        return self.fc(F.relu(self.conv(x)).mean(-1))


@case(
    "12",
    "12",
    "1",
    mend={"cosine_embedding_loss(a, b, y)": "cosine_embedding_loss(a, b, y.squeeze(1))"},
)
class CosineTarget(nn.Module):
    """A column of targets where a row is wanted."""

    def __init__(self):
        super().__init__()
        self.tower = nn.Sequential(nn.Linear(12, 32), nn.ReLU(), nn.Linear(32, 16))

    def forward(self, one, two, y):
        a, b = self.tower(one), self.tower(two)
        return F.cosine_embedding_loss(a, b, y)


@case(
    "20",
    "5",
    mend={"torch.tensor([1.0, 2.0, 5.0, 3.0])": "torch.tensor([1.0, 2.0, 5.0, 3.0, 1.0])"},
)
class WeightsOfFourLabels(nn.Module):
    """Five labels, four weights."""

    def __init__(self):
        super().__init__()
        self.net = nn.Sequential(nn.Linear(20, 16), nn.ReLU(), nn.Linear(16, 5))
        self.register_buffer("pos_weight", torch.tensor([1.0, 2.0, 5.0, 3.0]))

    def forward(self, x, y):
        return F.binary_cross_entropy_with_logits(self.net(x), y, pos_weight=self.pos_weight)


@case("20", ":int64", mend={"nn.Linear(16, 2)": "nn.Linear(16, 3)"})
class WeightsOfThreeClasses(nn.Module):
    """Three weights, two answers."""

    def __init__(self):
        super().__init__()
        self.net = nn.Sequential(nn.Linear(20, 16), nn.ReLU(), nn.Linear(16, 2))
        self.loss = nn.CrossEntropyLoss(weight=torch.tensor([0.2, 1.0, 3.0]))

    def forward(self, x, y):
        return self.loss(self.net(x), y)


@case("20", ":int64", mend={"scatter_(1, y, 1.0)": "scatter_(1, y[:, None], 1.0)"})
class OneHotByScatter(nn.Module):
    """Places that have one dimension too few."""

    def __init__(self):
        super().__init__()
        self.net = nn.Linear(20, 6)

    def forward(self, x, y):
        p = self.net(x).softmax(1)
        target = torch.zeros_like(p).scatter_(1, y, 1.0)
        return -(target * (1 - p) ** 2 * p.log()).sum(1).mean()


@case("16", "16", mend={"torch.eye(n)": "torch.eye(n, dtype=torch.bool)"})
class EyeIsNoMask(nn.Module):
    """A mask of ones and zeros that are no bools."""

    def __init__(self):
        super().__init__()
        self.project = nn.Linear(16, 8)

    def forward(self, one, two):
        z = F.normalize(self.project(torch.cat([one, two])), dim=1)
        sim = z @ z.t() / 0.5
        n = len(z)
        sim = sim.masked_fill(torch.eye(n), -1e9)
        target = torch.cat([torch.arange(n // 2, n), torch.arange(n // 2)])
        return F.cross_entropy(sim, target)


@case(
    "3x32x32",
    ":int64",
    mend={"F.cross_entropy(outs, y)": "sum(F.cross_entropy(out, y) for out in outs)"},
)
class LossOfAList(nn.Module):
    """One loss of many answers."""

    def __init__(self):
        super().__init__()
        self.one, self.two = nn.Conv2d(3, 16, 3, 2, 1), nn.Conv2d(16, 32, 3, 2, 1)
        self.heads = nn.ModuleList([nn.Linear(16, 10), nn.Linear(32, 10)])

    def forward(self, x, y):
        a = F.relu(self.one(x))
        b = F.relu(self.two(a))
        outs = [head(f.mean((2, 3))) for head, f in zip(self.heads, (a, b))]
        return F.cross_entropy(outs, y)
