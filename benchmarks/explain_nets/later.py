"""Thirty-two mistakes more, written with those of forum.py, tried after their kinds
were mended.

python benchmarks/explain_fixes.py later
"""

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from explain_nets.wrong import Net, Wrong  # type: ignore[import-not-found]

CASES: dict[str, Wrong] = {}


def case(name: str, build: object, *inputs: str, **options: object) -> None:
    assert name not in CASES, name
    CASES[name] = Wrong(build, inputs, **options)  # type: ignore[arg-type]


# --- convolutions, pooling, transposed ------------------------------------------------------------


class Block(nn.Module):
    """A preactivated block whose first convolution gives the block's input width on."""

    def __init__(self, inner: int, outer: int) -> None:
        super().__init__()
        self.bn1, self.bn2 = nn.BatchNorm2d(inner), nn.BatchNorm2d(outer)
        self.conv1 = nn.Conv2d(inner, outer, 3, padding=1, bias=False)
        self.conv2 = nn.Conv2d(inner, outer, 3, padding=1, bias=False)
        self.shortcut = nn.Conv2d(inner, outer, 1, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        out = self.conv1(F.relu(self.bn1(x)))
        out = self.conv2(F.relu(self.bn2(out)))
        return out + self.shortcut(x)


class Stages(nn.Module):
    """Stages from a list of widths, where the inner width is never carried on."""

    def __init__(self) -> None:
        super().__init__()
        layers: list[nn.Module] = []
        inner = 3
        for outer in (8, 16, 16):
            layers += [nn.Conv2d(inner, outer, 3, padding=1), nn.BatchNorm2d(outer), nn.ReLU()]
        self.layers, self.fc = nn.Sequential(*layers), nn.Linear(16, 4)

    def forward(self, x: Tensor) -> Tensor:
        return self.fc(self.layers(x).mean(dim=(2, 3)))


class Segnet(nn.Module):
    """Encoder of three halvings, decoder of two, and a mask of the picture's size."""

    def __init__(self) -> None:
        super().__init__()
        self.enc = nn.ModuleList(
            nn.Conv2d(i, o, 3, stride=2, padding=1) for i, o in ((3, 8), (8, 16), (16, 16))
        )
        self.dec1 = nn.ConvTranspose2d(16, 8, 2, stride=2)
        self.dec2 = nn.ConvTranspose2d(8, 2, 2, stride=2)

    def forward(self, x: Tensor, mask: Tensor) -> Tensor:
        for layer in self.enc:
            x = F.relu(layer(x))
        return F.cross_entropy(self.dec2(F.relu(self.dec1(x))), mask)


class Vnet(nn.Module):
    """A volume's skip is joined to a deeper map that was enlarged in the plane alone."""

    def __init__(self) -> None:
        super().__init__()
        self.a, self.b = nn.Conv3d(1, 4, 3, padding=1), nn.Conv3d(4, 8, 3, padding=1)
        self.up = nn.ConvTranspose3d(8, 4, (1, 2, 2), stride=(1, 2, 2))
        self.out = nn.Conv3d(8, 2, 1)

    def forward(self, x: Tensor) -> Tensor:
        skip = F.relu(self.a(x))
        deep = F.relu(self.b(F.max_pool3d(skip, 2)))
        return self.out(torch.cat([self.up(deep), skip], dim=1))


class Tcn(nn.Module):
    """Dilated convolutions padded for no dilation."""

    def __init__(self) -> None:
        super().__init__()
        self.layers = nn.ModuleList(
            nn.Conv1d(8, 8, 3, padding=1, dilation=2**at) for at in range(3)
        )

    def forward(self, x: Tensor) -> Tensor:
        for layer in self.layers:
            x = x + F.relu(layer(x))
        return x


class Espcn(nn.Module):
    """The picture is enlarged by shuffling and added to its interpolated self of another size."""

    def __init__(self) -> None:
        super().__init__()
        self.body = nn.Sequential(nn.Conv2d(3, 27, 3, padding=1), nn.PixelShuffle(3))

    def forward(self, x: Tensor) -> Tensor:
        return self.body(x) + F.interpolate(x, scale_factor=2, mode="bicubic")


class Involution(nn.Module):
    """Neighbourhoods by unfold, with the kernel counted as 5 where it is 3."""

    def __init__(self) -> None:
        super().__init__()
        self.weights = nn.Conv2d(6, 9, 1)

    def forward(self, x: Tensor) -> Tensor:
        b, c, h, w = x.shape
        around = F.unfold(x, 3, padding=1).view(b, c, 25, h, w)
        return (around * self.weights(x).unsqueeze(1)).sum(2)


class Twins(nn.Module):
    """Features of two towers are joined, and one tower ends in twice as many."""

    def __init__(self) -> None:
        super().__init__()
        self.rgb = nn.Sequential(nn.Conv2d(3, 16, 3, 2, 1), nn.ReLU(), nn.AdaptiveAvgPool2d(2))
        self.depth = nn.Sequential(nn.Conv2d(1, 8, 3, 2, 1), nn.ReLU(), nn.AdaptiveAvgPool2d(4))
        self.fuse = nn.Conv2d(24, 16, 1)

    def forward(self, rgb: Tensor, depth: Tensor) -> Tensor:
        return self.fuse(torch.cat((self.rgb(rgb), self.depth(depth)), 1))


case("second convolution for the block's input", lambda: Block(8, 16), "8x10x10", batch=2)
case("widths never carried on", Stages, "3x12x12", batch=2)
case("three halvings, two doublings, a mask", Segnet, "3x24x24", "24x24:int64", batch=2)
case("volume enlarged in the plane alone", Vnet, "1x8x12x12", batch=1)
case("dilated lines padded for none", Tcn, "8x40", batch=2)
case("shuffled by three, interpolated by two", Espcn, "3x9x9", batch=2)
case("neighbourhoods of 25 for 9", Involution, "6x8x8", batch=2)
case("towers of other sizes joined", Twins, "3x32x32", "1x32x32", batch=2)
case(
    "flat features into a transposed convolution",
    lambda: nn.Sequential(
        nn.Linear(16, 32 * 4 * 4), nn.ReLU(), nn.ConvTranspose2d(32, 1, 4, 2, 1), nn.Sigmoid()
    ),
    "16",
    batch=2,
)
case(
    "three poolings of a small picture",
    lambda: nn.Sequential(
        nn.Conv2d(1, 4, 3), nn.MaxPool2d(4), nn.Conv2d(4, 8, 3), nn.MaxPool2d(4), nn.Conv2d(8, 8, 3)
    ),
    "1x28x28",
    batch=2,
)

# --- recurrent, attention, tokens -----------------------------------------------------------------


class Captioner(nn.Module):
    """A picture's map as the first state of an LSTM, of another width than the state."""

    def __init__(self) -> None:
        super().__init__()
        self.cnn = nn.Sequential(nn.Conv2d(3, 20, 3, 2), nn.ReLU(), nn.AdaptiveAvgPool2d(1))
        self.embed = nn.Embedding(30, 12)
        self.lstm = nn.LSTM(12, 32, batch_first=True)
        self.out = nn.Linear(32, 30)

    def forward(self, x: Tensor, words: Tensor) -> Tensor:
        h = self.cnn(x).flatten(1).unsqueeze(0)
        out, _ = self.lstm(self.embed(words), (h, torch.zeros_like(h)))
        return self.out(out)


class Activity(nn.Module):
    """Frames through a small net, then an LSTM over what is not yet a sequence of vectors."""

    def __init__(self) -> None:
        super().__init__()
        self.cnn = nn.Sequential(nn.Conv2d(3, 8, 3, 2), nn.ReLU(), nn.AdaptiveAvgPool2d(2))
        self.lstm = nn.LSTM(32, 16, batch_first=True)
        self.fc = nn.Linear(16, 5)

    def forward(self, x: Tensor) -> Tensor:
        b, t, c, h, w = x.shape
        maps = self.cnn(x.view(b * t, c, h, w)).view(b, t, 8, 2, 2)
        out, _ = self.lstm(maps)
        return self.fc(out[:, -1])


class Stepwise(nn.Module):
    """A cell is fed the whole sequence."""

    def __init__(self) -> None:
        super().__init__()
        self.cell, self.fc = nn.GRUCell(6, 10), nn.Linear(10, 1)

    def forward(self, x: Tensor) -> Tensor:
        h = torch.zeros(x.size(0), 10)
        return self.fc(self.cell(x, h))


class Packed(nn.Module):
    """Two directions, and a second recurrent layer and a head made for one."""

    def __init__(self) -> None:
        super().__init__()
        self.one = nn.GRU(6, 10, batch_first=True, bidirectional=True)
        self.norm = nn.LayerNorm(10)
        self.fc = nn.Linear(20, 4)

    def forward(self, x: Tensor) -> Tensor:
        out, _ = self.one(x)
        return self.fc(self.norm(out).mean(1))


class Vit(nn.Module):
    """A class token is put in front of tokens whose width is another."""

    def __init__(self) -> None:
        super().__init__()
        self.patch = nn.Conv2d(3, 48, 8, stride=8)
        self.cls = nn.Parameter(torch.zeros(1, 1, 64))
        self.head = nn.Linear(48, 10)

    def forward(self, x: Tensor) -> Tensor:
        tokens = self.patch(x).flatten(2).transpose(1, 2)
        tokens = torch.cat([self.cls.expand(x.size(0), -1, -1), tokens], dim=1)
        return self.head(tokens[:, 0])


class Perceiver(nn.Module):
    """Latents meet the flattened map without being repeated for every picture."""

    def __init__(self) -> None:
        super().__init__()
        self.latents = nn.Parameter(torch.randn(6, 16))
        self.conv = nn.Conv2d(3, 16, 4, stride=4)
        self.attn = nn.MultiheadAttention(16, 2, batch_first=True)

    def forward(self, x: Tensor) -> Tensor:
        tokens = self.conv(x).flatten(2).transpose(1, 2)
        out, _ = self.attn(self.latents.unsqueeze(0), tokens, tokens)
        return out


class Swin(nn.Module):
    """Windows of 7 over maps of 16."""

    def __init__(self) -> None:
        super().__init__()
        self.size, self.norm = 7, nn.LayerNorm(8)

    def forward(self, x: Tensor) -> Tensor:
        b, h, w, c = x.shape
        size = self.size
        x = self.norm(x).view(b, h // size, size, w // size, size, c)
        return x.permute(0, 1, 3, 2, 4, 5).reshape(-1, size * size, c)


class Gpt(nn.Module):
    """The logits are moved as for pictures, the targets are not."""

    def __init__(self) -> None:
        super().__init__()
        self.words, self.head = nn.Embedding(40, 16), nn.Linear(16, 40)

    def forward(self, x: Tensor, y: Tensor) -> Tensor:
        logits = self.head(self.words(x))
        b, t, c = logits.shape
        return F.cross_entropy(logits.view(b * t, c), y)


class Mixer(nn.Module):
    """The layer over tokens meets features: a transpose is missing."""

    def __init__(self) -> None:
        super().__init__()
        self.norm = nn.LayerNorm(12)
        self.tokens = nn.Sequential(nn.Linear(9, 18), nn.GELU(), nn.Linear(18, 9))

    def forward(self, x: Tensor) -> Tensor:
        return x + self.tokens(self.norm(x))


class Crossed(nn.Module):
    """nn.Transformer for one width, a target of another."""

    def __init__(self) -> None:
        super().__init__()
        self.src, self.tgt = nn.Linear(5, 16), nn.Linear(3, 12)
        self.net = nn.Transformer(16, 2, 1, 1, 32, batch_first=True)

    def forward(self, x: Tensor, y: Tensor) -> Tensor:
        return self.net(self.src(x), self.tgt(y))


case("picture's 20 numbers as a state of 32", Captioner, "3x16x16", "6:int64", batch=2)
case("maps of frames in an LSTM", Activity, "4x3x16x16", batch=2)
case("sequence in a cell", Stepwise, "8x6", batch=2)
case("norm for one direction of two", Packed, "8x6", batch=2)
case("class token of 64 before tokens of 48", Vit, "3x32x32", batch=2)
case("latents not repeated", Perceiver, "3x16x16", batch=2)
case("windows of 7 over 16", Swin, "16x16x8", batch=2)
case("targets not flattened with the logits", Gpt, "6:int64", "6:int64", batch=2)
case("mixing tokens without a transpose", Mixer, "9x12", batch=2)
case("target of 12 for a transformer of 16", Crossed, "7x5", "6x3", batch=2)

# --- tensors combined, pieces, losses -------------------------------------------------------------


class Nerf(nn.Module):
    """Points are joined again at the skip, and the layer after it was made without them."""

    def __init__(self) -> None:
        super().__init__()
        self.first, self.second = nn.Linear(39, 64), nn.Linear(64, 64)
        self.out = nn.Linear(64, 4)

    def encode(self, x: Tensor) -> Tensor:
        waves = [f(2**at * x) for at in range(6) for f in (torch.sin, torch.cos)]
        return torch.cat([x, *waves], -1)

    def forward(self, x: Tensor) -> Tensor:
        points = self.encode(x)
        h = F.relu(self.first(points))
        h = F.relu(self.second(torch.cat([h, points], -1)))
        return self.out(h)


class Capsule(nn.Module):
    """A vector of weights for each class is multiplied with votes whose order is another."""

    def __init__(self) -> None:
        super().__init__()
        self.votes, self.route = nn.Linear(16, 40), nn.Linear(16, 5)

    def forward(self, x: Tensor) -> Tensor:
        votes = self.votes(x).view(x.size(0), 5, 8)
        return votes * self.route(x).softmax(-1)


class Experts(nn.Module):
    """Outputs of four experts weighed by a gate of three."""

    def __init__(self) -> None:
        super().__init__()
        self.experts = nn.ModuleList(nn.Linear(10, 6) for _ in range(4))
        self.gate = nn.Linear(10, 3)

    def forward(self, x: Tensor) -> Tensor:
        answers = torch.stack([expert(x) for expert in self.experts], dim=1)
        return (answers * self.gate(x).softmax(-1).unsqueeze(-1)).sum(1)


class Yolo(nn.Module):
    """Two anchors are counted on where the layer gives three."""

    def __init__(self) -> None:
        super().__init__()
        self.head = nn.Conv2d(8, 3 * (5 + 4), 1)

    def forward(self, x: Tensor) -> Tensor:
        out = self.head(x)
        b, _, h, w = out.shape
        return out.view(b, 2, 9, h, w).permute(0, 1, 3, 4, 2)


class Factor(nn.Module):
    """Two embeddings of unequal length in a product of matrices."""

    def __init__(self) -> None:
        super().__init__()
        self.user, self.item = nn.Embedding(20, 8), nn.Embedding(30, 8)

    def forward(self, user: Tensor, item: Tensor) -> Tensor:
        return torch.mm(self.user(user), self.item(item))


class Contrast(nn.Module):
    """Views are compared, one by the projected features and one by those before."""

    def __init__(self) -> None:
        super().__init__()
        self.encode, self.project = nn.Linear(20, 32), nn.Linear(32, 8)

    def forward(self, a: Tensor, b: Tensor) -> Tensor:
        a, b = self.project(self.encode(a)), self.encode(b)
        return F.normalize(a, dim=1) @ F.normalize(b, dim=1).t()


case("points joined at the skip", Nerf, "3", batch=4)
case("votes weighed without a dimension", Capsule, "16", batch=2)
case("four experts, a gate of three", Experts, "10", batch=2)
case("anchors two for three", Yolo, "8x6x6", batch=2)
case("users times items", Factor, ":int64", ":int64", batch=4)
case("projected against not projected", Contrast, "20", "20", batch=4)
case(
    "distances of unequal features",
    lambda: Net(
        lambda s, x: torch.cdist(s.a(x), s.centres),
        a=nn.Linear(9, 6),
        centres=nn.Parameter(torch.zeros(4, 8)),
    ),
    "9",
    batch=3,
)
case(
    "norm of a dimension that is not",
    lambda: Net(lambda s, x: F.normalize(s.f(x), dim=2), f=nn.Linear(9, 6)),
    "9",
    batch=3,
)
case(
    "features with the largest by topk",
    lambda: Net(lambda s, x: s.f(x.topk(20, dim=1).values), f=nn.Linear(20, 2)),
    "16",
    batch=2,
)
case(
    "soft labels of fewer classes",
    lambda: Net(
        lambda s, x, y: F.kl_div(F.log_softmax(s.f(x), -1), y, reduction="batchmean"),
        f=nn.Linear(12, 10),
    ),
    "12",
    "8",
    batch=3,
)
case(
    "numbers of one column against flat ones, counted by huber",
    lambda: Net(
        lambda s, x, y: F.huber_loss(s.f(x).view(-1, 2), y.unsqueeze(1).repeat(1, 3)),
        f=nn.Linear(12, 4),
    ),
    "12",
    "",
    batch=4,
)
case(
    "layer norm of tokens' count",
    lambda: nn.Sequential(nn.Linear(8, 16), nn.LayerNorm(10), nn.ReLU(), nn.Linear(16, 2)),
    "10x8",
    batch=2,
)
