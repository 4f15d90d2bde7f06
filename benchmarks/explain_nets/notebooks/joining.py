"""Graphs, and nets of several inputs."""

# ruff: noqa: F401 - as learners write it
# mypy: disable-error-code="operator, index, list-item"

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from explain_nets.mended import Mended  # type: ignore[import-not-found]

case = Mended()
CASES = case.cases


class GraphConvolution(nn.Module):
    def __init__(self, in_features, out_features):
        super().__init__()
        self.weight = nn.Parameter(torch.randn(in_features, out_features))

    def forward(self, x, adj):
        support = torch.mm(x, self.weight)
        return torch.mm(adj, support)


@case(
    "10x12",
    "10x10",
    mend={
        "torch.mm(x, self.weight)": "torch.matmul(x, self.weight)",
        "torch.mm(adj, support)": "torch.matmul(adj, support)",
    },
    parts=(GraphConvolution,),
)
class GraphsInABatch(nn.Module):
    """The layer for one graph, given several."""

    def __init__(self):
        super().__init__()
        self.gc1 = GraphConvolution(12, 16)
        self.gc2 = GraphConvolution(16, 4)

    def forward(self, x, adj):
        x = F.relu(self.gc1(x, adj))
        return self.gc2(x, adj).mean(1)


@case("9x16", mend={"dim=1": "dim=-1"})
class GatPairs(nn.Module):
    """Attention between nodes: both nodes' features side by side."""

    def __init__(self):
        super().__init__()
        self.W = nn.Linear(16, 8)
        self.a = nn.Linear(16, 1)

    def forward(self, h):
        h = self.W(h)
        n = h.size(1)
        pairs = torch.cat(
            [h.unsqueeze(2).repeat(1, 1, n, 1), h.unsqueeze(1).repeat(1, n, 1, 1)], dim=1
        )
        e = F.leaky_relu(self.a(pairs)).squeeze(-1)
        return torch.softmax(e, -1) @ h


@case("3x16x16", "12", mend={"self.gen(z).view(b, 8, 3, 3, 3)": "self.gen(z).view(b * 8, 3, 3, 3)"})
class KernelsOfEachItem(nn.Module):
    """Dynamic convolution: the items' kernels as groups of one."""

    def __init__(self):
        super().__init__()
        self.gen = nn.Linear(12, 8 * 3 * 3 * 3)

    def forward(self, x, z):
        b, c, h, w = x.shape
        weight = self.gen(z).view(b, 8, 3, 3, 3)
        out = F.conv2d(x.reshape(1, b * c, h, w), weight, padding=1, groups=b)
        return out.view(b, 8, h, w)


@case("63", "27", mend={"nn.Linear(W, W) for": "nn.Linear(W + 63 if i == 2 else W, W) for"})
class Nerf(nn.Module):
    """NeRF puts the place beside the features once more, after some layers."""

    def __init__(self, W=64):
        super().__init__()
        self.first = nn.Linear(63, W)
        self.layers = nn.ModuleList([nn.Linear(W, W) for i in range(4)])
        self.sigma = nn.Linear(W, 1)
        self.rgb = nn.Linear(W + 27, 3)

    def forward(self, x, d):
        h = F.relu(self.first(x))
        for i, layer in enumerate(self.layers):
            if i == 2:
                h = torch.cat([x, h], -1)
            h = F.relu(layer(h))
        return torch.cat([torch.sigmoid(self.rgb(torch.cat([h, d], -1))), self.sigma(h)], -1)


@case("3x32x32", "3x32x32", mend={"torch.cat((a, b), 0)": "torch.cat((a, b), 1)"})
class SiamesePairs(nn.Module):
    """Two pictures' features, joined along the batch."""

    def __init__(self):
        super().__init__()
        self.cnn = nn.Sequential(
            nn.Conv2d(3, 16, 5, 4), nn.ReLU(), nn.AdaptiveAvgPool2d(2), nn.Flatten()
        )
        self.fc = nn.Sequential(nn.Linear(128, 32), nn.ReLU(), nn.Linear(32, 1))

    def forward(self, img1, img2):
        a = self.cnn(img1)
        b = self.cnn(img2)
        x = torch.cat((a, b), 0)
        return torch.sigmoid(self.fc(x))


@case(
    "3x32x32",
    "20:int64",
    mend={"img.expand(-1, q.size(1), -1)": "img.unsqueeze(1).expand(-1, q.size(1), -1)"},
)
class QuestionsAboutPictures(nn.Module):
    """The picture's features beside each word."""

    def __init__(self):
        super().__init__()
        self.cnn = nn.Sequential(
            nn.Conv2d(3, 24, 4, 4), nn.ReLU(), nn.AdaptiveAvgPool2d(1), nn.Flatten()
        )
        self.emb = nn.Embedding(80, 24)
        self.rnn = nn.LSTM(48, 32, batch_first=True)
        self.out = nn.Linear(32, 9)

    def forward(self, image, question):
        img = self.cnn(image)
        q = self.emb(question)
        x = torch.cat([img.expand(-1, q.size(1), -1), q], dim=-1)
        _, (h, _) = self.rnn(x)
        return self.out(h[-1])


@case(
    "3x32x32",
    mend={"torch.matmul(self.fc.weight, f)": "torch.einsum('kc,bchw->bkhw', self.fc.weight, f)"},
)
class ClassActivation(nn.Module):
    """Class activation maps: the last layer's weights over the map."""

    def __init__(self):
        super().__init__()
        self.features = nn.Sequential(
            nn.Conv2d(3, 20, 3, 2, 1), nn.ReLU(), nn.Conv2d(20, 20, 3, 2, 1)
        )
        self.fc = nn.Linear(20, 6)

    def forward(self, x):
        f = self.features(x)
        cam = torch.matmul(self.fc.weight, f)
        return cam.flatten(2).softmax(-1)


@case("5", "6", "7", mend={"nn.Linear(16 + 16, 2)": "nn.Linear(16 + 16 + 16, 2)"})
class ThreeTables(nn.Module):
    """A third input came."""

    def __init__(self):
        super().__init__()
        self.a, self.b, self.c = nn.Linear(5, 16), nn.Linear(6, 16), nn.Linear(7, 16)
        self.out = nn.Linear(16 + 16, 2)

    def forward(self, a, b, c):
        x = torch.cat([F.relu(self.a(a)), F.relu(self.b(b)), F.relu(self.c(c))], dim=1)
        return self.out(x)
