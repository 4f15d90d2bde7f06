"""Thirty-five mistakes written after the general search was made, before any of them was explained.

python benchmarks/explain_fixes.py third
"""

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from explain_nets.wrong import Net, Wrong  # type: ignore[import-not-found]

CASES: dict[str, Wrong] = {}


def case(name: str, build: object, *inputs: str, **options: object) -> None:
    assert name not in CASES, name
    CASES[name] = Wrong(build, inputs, **options)  # type: ignore[arg-type]


class NonLocal(nn.Module):
    """Half of the channels inside, and a last layer that counts on all of them."""

    def __init__(self, c: int = 16) -> None:
        super().__init__()
        self.theta, self.phi = nn.Conv2d(c, c // 2, 1), nn.Conv2d(c, c // 2, 1)
        self.g, self.out = nn.Conv2d(c, c // 2, 1), nn.Conv2d(c, c, 1)

    def forward(self, x: Tensor) -> Tensor:
        b, c, h, w = x.shape
        q, k = self.theta(x).flatten(2).transpose(1, 2), self.phi(x).flatten(2)
        v = self.g(x).flatten(2).transpose(1, 2)
        y = torch.softmax(q @ k, -1) @ v
        return x + self.out(y.transpose(1, 2).reshape(b, c // 2, h, w))


class ChannelSelf(nn.Module):
    """A product of a map with itself, the second not turned."""

    def forward(self, x: Tensor) -> Tensor:
        b, c, h, w = x.shape
        q = x.view(b, c, -1)
        attn = torch.softmax(torch.bmm(q, q), dim=-1)
        return torch.bmm(attn, q).view(b, c, h, w)


class Excite(nn.Module):
    """Reduced by sixteen, enlarged from an eighth."""

    def __init__(self, c: int = 32) -> None:
        super().__init__()
        self.conv = nn.Conv2d(3, c, 3, padding=1)
        self.fc = nn.Sequential(
            nn.Linear(c, c // 16), nn.ReLU(), nn.Linear(c // 8, c), nn.Sigmoid()
        )

    def forward(self, x: Tensor) -> Tensor:
        x = self.conv(x)
        return x * self.fc(x.mean((2, 3))).view(x.size(0), x.size(1), 1, 1)


class Tabular(nn.Module):
    """Three embedded columns and five numbers, counted as seventeen."""

    def __init__(self) -> None:
        super().__init__()
        self.columns = nn.ModuleList([nn.Embedding(9, 4), nn.Embedding(9, 6), nn.Embedding(9, 3)])
        self.fc = nn.Sequential(nn.Linear(17, 16), nn.ReLU(), nn.Linear(16, 1))

    def forward(self, kinds: Tensor, numbers: Tensor) -> Tensor:
        parts = [column(kinds[:, at]) for at, column in enumerate(self.columns)]
        return self.fc(torch.cat([*parts, numbers], dim=1))


class PointNet(nn.Module):
    """torch.max gives the largest and their places."""

    def __init__(self) -> None:
        super().__init__()
        self.conv, self.fc = nn.Conv1d(3, 32, 1), nn.Linear(32, 4)

    def forward(self, x: Tensor) -> Tensor:
        x = torch.max(F.relu(self.conv(x)), 2, keepdim=True)
        return self.fc(x.view(-1, 32))


class Speech(nn.Module):
    """A convolution's sequence straight into an LSTM."""

    def __init__(self) -> None:
        super().__init__()
        self.conv = nn.Conv1d(13, 32, 5, stride=2, padding=2)
        self.lstm, self.fc = nn.LSTM(32, 16, batch_first=True), nn.Linear(16, 6)

    def forward(self, x: Tensor) -> Tensor:
        x = F.relu(self.conv(x))
        out, _ = self.lstm(x)
        return self.fc(out[:, -1])


class LstmConv(nn.Module):
    """An LSTM's steps straight into a convolution."""

    def __init__(self) -> None:
        super().__init__()
        self.lstm = nn.LSTM(8, 24, batch_first=True)
        self.conv, self.fc = nn.Conv1d(24, 12, 3, padding=1), nn.Linear(12, 2)

    def forward(self, x: Tensor) -> Tensor:
        out, _ = self.lstm(x)
        return self.fc(self.conv(out).max(dim=2).values)


class Asymmetric(nn.Module):
    """Kernels of 1×5 and 5×1, padded the wrong way round."""

    def __init__(self) -> None:
        super().__init__()
        self.row = nn.Conv2d(8, 8, (1, 5), padding=(2, 0))
        self.column = nn.Conv2d(8, 8, (5, 1), padding=(0, 2))
        self.plain = nn.Conv2d(8, 8, 1)

    def forward(self, x: Tensor) -> Tensor:
        return torch.cat([self.row(x), self.column(x), self.plain(x)], 1)


class Rotary(nn.Module):
    """Angles for whole heads, where halves are turned."""

    cos: Tensor

    def __init__(self) -> None:
        super().__init__()
        self.register_buffer("cos", torch.ones(64, 16))

    def forward(self, x: Tensor) -> Tensor:
        _, _, n, d = x.shape
        one, two = x[..., : d // 2], x[..., d // 2 :]
        cos = self.cos[:n]
        return torch.cat([one * cos, two * cos], -1)


class Bias(nn.Module):
    """A bias of every pair of 49 places, for windows of 16."""

    def __init__(self) -> None:
        super().__init__()
        self.qkv = nn.Linear(16, 48)
        self.bias = nn.Parameter(torch.zeros(2, 49, 49))

    def forward(self, x: Tensor) -> Tensor:
        b, n, c = x.shape
        q, k, v = self.qkv(x).view(b, n, 3, 2, 8).permute(2, 0, 3, 1, 4)
        attn = (q @ k.transpose(-2, -1) + self.bias).softmax(-1)
        return (attn @ v).transpose(1, 2).reshape(b, n, c)


class LayerScale(nn.Module):
    """A scale of each channel, beside maps with the channels first."""

    def __init__(self) -> None:
        super().__init__()
        self.conv = nn.Conv2d(12, 12, 7, padding=3, groups=12)
        self.gamma = nn.Parameter(torch.ones(12))

    def forward(self, x: Tensor) -> Tensor:
        return x + self.gamma * self.conv(x)


class HandMade(nn.Module):
    """A linear layer by hand, whose bias is as long as its input."""

    def __init__(self) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.randn(10, 6))
        self.bias = nn.Parameter(torch.zeros(10))

    def forward(self, x: Tensor) -> Tensor:
        return x @ self.weight + self.bias


class Cached(nn.Module):
    """Keys of before and of now joined along the heads."""

    def __init__(self) -> None:
        super().__init__()
        self.k = nn.Linear(16, 16)

    def forward(self, q: Tensor, past: Tensor, x: Tensor) -> Tensor:
        k = self.k(x).view(x.size(0), -1, 2, 8).transpose(1, 2)
        k = torch.cat([past, k], dim=1)
        return q @ k.transpose(-2, -1)


class Cvae(nn.Module):
    """A label of ten joined to a latent of eight, into a layer for the latent."""

    def __init__(self) -> None:
        super().__init__()
        self.enc, self.mu = nn.Linear(64, 32), nn.Linear(32, 8)
        self.dec = nn.Sequential(nn.Linear(8, 32), nn.ReLU(), nn.Linear(32, 64))

    def forward(self, x: Tensor, y: Tensor) -> Tensor:
        z = self.mu(F.relu(self.enc(x)))
        return self.dec(torch.cat([z, y], 1))


class Multiplier(nn.Module):
    """Two maps for each channel, and a layer after it for one."""

    def __init__(self) -> None:
        super().__init__()
        self.depth = nn.Conv2d(16, 32, 3, padding=1, groups=16)
        self.norm, self.point = nn.BatchNorm2d(16), nn.Conv2d(16, 24, 1)

    def forward(self, x: Tensor) -> Tensor:
        return self.point(F.relu(self.norm(self.depth(x))))


class Additive(nn.Module):
    """A mask of N×L added to scores of heads."""

    def __init__(self) -> None:
        super().__init__()
        self.qk = nn.Linear(16, 32)

    def forward(self, x: Tensor, mask: Tensor) -> Tensor:
        q, k = self.qk(x).chunk(2, -1)
        q, k = (t.view(*t.shape[:2], 4, 4).transpose(1, 2) for t in (q, k))
        return (q @ k.mT + mask).softmax(-1)


class Fuse(nn.Module):
    """Maps of two sizes and widths, made of one size and added."""

    def __init__(self) -> None:
        super().__init__()
        self.high, self.low = nn.Conv2d(3, 16, 3, 1, 1), nn.Conv2d(3, 32, 3, 2, 1)

    def forward(self, x: Tensor) -> Tensor:
        low = self.low(x)
        return self.high(x) + F.interpolate(low, scale_factor=2)


class Overlap(nn.Module):
    """Columns put together for a picture of another size."""

    def __init__(self) -> None:
        super().__init__()
        self.fold = nn.Fold(output_size=(14, 14), kernel_size=4, stride=4)

    def forward(self, x: Tensor) -> Tensor:
        return self.fold(F.unfold(x, 4, stride=4))


class PatchCut(nn.Module):
    """Patches cut by unfold, and viewed with another count."""

    def __init__(self) -> None:
        super().__init__()
        self.fc = nn.Linear(48, 32)

    def forward(self, x: Tensor) -> Tensor:
        x = x.unfold(2, 4, 4).unfold(3, 4, 4).permute(0, 2, 3, 1, 4, 5)
        return self.fc(x.reshape(x.size(0), -1, 64))


class Decoder(nn.Module):
    """All layers' states beside one context."""

    def __init__(self) -> None:
        super().__init__()
        self.gru = nn.GRU(6, 10, num_layers=2, batch_first=True)
        self.fc = nn.Linear(16, 4)

    def forward(self, x: Tensor, context: Tensor) -> Tensor:
        _, h = self.gru(x)
        return self.fc(torch.cat([h, context], dim=1))


class Wide(nn.Module):
    """A wide part of one dimension too many beside a deep one."""

    def __init__(self) -> None:
        super().__init__()
        self.deep = nn.Sequential(nn.Linear(12, 16), nn.ReLU(), nn.Linear(16, 8))
        self.out = nn.Linear(8 + 5, 1)

    def forward(self, deep: Tensor, wide: Tensor) -> Tensor:
        return self.out(torch.cat([self.deep(deep), wide.unsqueeze(1)], dim=1))


class Gather(nn.Module):
    """The step at which each sequence ends, by an index of one dimension."""

    def __init__(self) -> None:
        super().__init__()
        self.gru = nn.GRU(6, 10, batch_first=True)

    def forward(self, x: Tensor, ends: Tensor) -> Tensor:
        out, _ = self.gru(x)
        return out.gather(1, ends)


class Masked(nn.Module):
    """A picture and its mask, which has no channel."""

    def __init__(self) -> None:
        super().__init__()
        self.conv = nn.Conv2d(4, 8, 3, padding=1)

    def forward(self, x: Tensor, mask: Tensor) -> Tensor:
        return self.conv(torch.cat([x, mask], dim=1))


class Smooth(nn.Module):
    """A norm over a map's whole size, behind a stride."""

    def __init__(self) -> None:
        super().__init__()
        self.conv, self.norm = nn.Conv2d(3, 8, 3, 2, 1), nn.LayerNorm([8, 16, 16])
        self.fc = nn.Linear(8, 2)

    def forward(self, x: Tensor) -> Tensor:
        return self.fc(self.norm(self.conv(x)).mean((2, 3)))


class Triplet(nn.Module):
    """Anchor and positive by one head, the negative by another of another width."""

    def __init__(self) -> None:
        super().__init__()
        self.a, self.b = nn.Linear(12, 8), nn.Linear(12, 6)

    def forward(self, one: Tensor, two: Tensor, three: Tensor) -> Tensor:
        return F.triplet_margin_loss(self.a(one), self.a(two), self.b(three))


case("non-local block's last layer", NonLocal, "16x6x6", batch=2)
case("channels by channels, not turned", ChannelSelf, "8x5x7", batch=2)
case("reduced by sixteen, enlarged from an eighth", Excite, "3x10x10", batch=2)
case("columns counted one too few", Tabular, "3:int64", "5", batch=3)
case("largest with their places", PointNet, "3x20", batch=2)
case("convolved sequence in an LSTM", Speech, "13x50", batch=2)
case("steps of an LSTM in a convolution", LstmConv, "15x8", batch=2)
case("kernels padded the wrong way round", Asymmetric, "8x12x12", batch=2)
case("angles of whole heads", Rotary, "2x10x16", batch=2)
case("bias of windows of 49", Bias, "16x16", batch=2)
case("scale of channels before the places", LayerScale, "12x9x9", batch=2)
case("bias as long as the input", HandMade, "10", batch=3)
case("keys joined along the heads", Cached, "2x4x8", "2x5x8", "4x16", batch=2)
case("label joined to a latent", Cvae, "64", "10", batch=2)
case("two maps for each channel", Multiplier, "16x8x8", batch=2)
case("mask added to scores of heads", Additive, "7x16", "7", batch=2)
case("maps of two widths added", Fuse, "3x16x16", batch=2)
case("columns folded to another size", Overlap, "3x16x16", batch=2)
case("patches of 48 viewed as 64", PatchCut, "3x16x16", batch=2)
case("states of two layers beside a context", Decoder, "7x6", "6", batch=2)
case("wide part of a dimension too many", Wide, "12", "5", batch=3)
case("ends gathered by a flat index", Gather, "8x6", ":int64", batch=2)
case("mask without a channel, joined", Masked, "3x9x9", "9x9", batch=2)
case("norm of a map behind a stride", Smooth, "3x24x24", batch=2)
case("negative of another width", Triplet, "12", "12", "12", batch=3)
case(
    "head for a deeper backbone",
    lambda: nn.Sequential(
        nn.Conv2d(3, 24, 3, 2), nn.ReLU(), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(96, 5)
    ),
    "3x20x20",
    batch=2,
)
case(
    "pooled to 7 and counted for 512",
    lambda: nn.Sequential(
        nn.Conv2d(3, 16, 3), nn.AdaptiveAvgPool2d(7), nn.Flatten(), nn.Linear(32 * 49, 10)
    ),
    "3x40x40",
    batch=2,
)
case(
    "batch norm of features on a map",
    lambda: nn.Sequential(nn.Conv2d(3, 8, 3), nn.BatchNorm1d(8), nn.ReLU(), nn.Flatten(2)),
    "3x9x9",
    batch=2,
)
case(
    "frames as channels of one",
    lambda: nn.Sequential(nn.Conv2d(1, 8, 3), nn.ReLU(), nn.AdaptiveAvgPool2d(1), nn.Flatten()),
    "4x16x16",
    batch=2,
)
case(
    "volume's linear layer without its depth",
    lambda: nn.Sequential(
        nn.Conv3d(1, 4, 3), nn.MaxPool3d(2), nn.Flatten(), nn.Linear(4 * 7 * 7, 2)
    ),
    "1x16x16x16",
    batch=2,
)
case(
    "softmax over maps on a vector",
    lambda: nn.Sequential(nn.Linear(10, 4), nn.Softmax2d()),
    "10",
    batch=2,
)
case(
    "outer product of a batch",
    lambda: Net(lambda s, x: torch.outer(s.a(x), s.b(x)), a=nn.Linear(6, 4), b=nn.Linear(6, 5)),
    "6",
    batch=3,
)
case(
    "scale by 3 beside a pooling of 2",
    lambda: Net(
        lambda s, x: torch.cat([x, s.up(F.max_pool2d(x, 2))], 1), up=nn.Upsample(scale_factor=3)
    ),
    "3x12x12",
    batch=2,
)
case(
    "cosine loss of unequal embeddings",
    lambda: Net(
        lambda s, x, y, t: F.cosine_embedding_loss(s.a(x), s.b(y), t),
        a=nn.Linear(9, 8),
        b=nn.Linear(7, 6),
    ),
    "9",
    "7",
    "",
    batch=3,
)
case(
    "dot of a batch",
    lambda: Net(lambda s, x, y: torch.dot(s.a(x), s.a(y)), a=nn.Linear(9, 8)),
    "9",
    "9",
    batch=3,
)
