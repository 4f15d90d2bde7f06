"""Twenty-eight mistakes more, fixed as a set after the kinds of the others were mended.

python benchmarks/explain_fixes.py newest
"""

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from explain_nets.wrong import Net, Wrong  # type: ignore[import-not-found]

CASES: dict[str, Wrong] = {}


def case(name: str, build: object, *inputs: str, **options: object) -> None:
    assert name not in CASES, name
    CASES[name] = Wrong(build, inputs, **options)  # type: ignore[arg-type]


class Vgg(nn.Module):
    """A classifier for another number of poolings, after a loop over a list of widths."""

    def __init__(self) -> None:
        super().__init__()
        layers: list[nn.Module] = []
        inner = 3
        for width in (8, "M", 16, "M", 32):
            if width == "M":
                layers.append(nn.MaxPool2d(2))
            else:
                layers += [nn.Conv2d(inner, int(width), 3, padding=1), nn.ReLU()]
                inner = int(width)
        self.features = nn.Sequential(*layers)
        self.classifier = nn.Sequential(nn.Dropout(), nn.Linear(32 * 4 * 4, 10))

    def forward(self, x: Tensor) -> Tensor:
        return self.classifier(torch.flatten(self.features(x), 1))


class Squeeze(nn.Module):
    """Squeeze and excite that forgets to bring its weights back to a map."""

    def __init__(self) -> None:
        super().__init__()
        self.c = nn.Conv2d(3, 16, 3, padding=1)
        self.fc = nn.Sequential(nn.Linear(16, 4), nn.ReLU(), nn.Linear(4, 16), nn.Sigmoid())

    def forward(self, x: Tensor) -> Tensor:
        x = self.c(x)
        return x * self.fc(x.mean((2, 3)))


class DenseUnit(nn.Module):
    """Concatenation of all maps so far, and a layer made for the last alone."""

    def __init__(self) -> None:
        super().__init__()
        self.layers = nn.ModuleList(nn.Conv2d(8, 8, 3, padding=1) for _ in range(3))

    def forward(self, x: Tensor) -> Tensor:
        maps = [x]
        for layer in self.layers:
            maps.append(F.relu(layer(torch.cat(maps, 1))))
        return maps[-1]


class Vae(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.enc = nn.Linear(64, 32)
        self.mu, self.log = nn.Linear(32, 8), nn.Linear(32, 16)
        self.dec = nn.Linear(8, 64)

    def forward(self, x: Tensor) -> Tensor:
        h = F.relu(self.enc(x))
        mu, log = self.mu(h), self.log(h)
        return self.dec(mu + torch.exp(0.5 * log))


class Translator(nn.Module):
    """Sequence to sequence, with attention over the encoder's steps by hand."""

    def __init__(self) -> None:
        super().__init__()
        self.enc = nn.GRU(8, 16, batch_first=True)
        self.score = nn.Linear(16, 1)
        self.head = nn.Linear(16, 5)

    def forward(self, x: Tensor) -> Tensor:
        out, _ = self.enc(x)
        weights = self.score(out).squeeze(-1).softmax(1)
        return self.head((weights * out).sum(1))


class PatchMerge(nn.Module):
    """Swin's merging of four neighbours, before a layer for two."""

    def __init__(self) -> None:
        super().__init__()
        self.norm, self.reduce = nn.LayerNorm(16), nn.Linear(32, 16)

    def forward(self, x: Tensor) -> Tensor:
        x = torch.cat([x[:, 0::2, 0::2], x[:, 1::2, 0::2], x[:, 0::2, 1::2], x[:, 1::2, 1::2]], -1)
        return self.reduce(self.norm(x))


class Decoder(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.words = nn.Embedding(50, 24)
        self.layer = nn.TransformerDecoderLayer(32, 4, 64, batch_first=True)
        self.head = nn.Linear(32, 50)

    def forward(self, words: Tensor, memory: Tensor) -> Tensor:
        return self.head(self.layer(self.words(words), memory))


class Pyramid(nn.Module):
    """Two levels of a pyramid, added without making the upper one larger."""

    def __init__(self) -> None:
        super().__init__()
        self.c1, self.c2 = nn.Conv2d(3, 16, 3, 2, 1), nn.Conv2d(16, 32, 3, 2, 1)
        self.l1, self.l2 = nn.Conv2d(16, 8, 1), nn.Conv2d(32, 8, 1)

    def forward(self, x: Tensor) -> Tensor:
        a = F.relu(self.c1(x))
        b = F.relu(self.c2(a))
        return self.l1(a) + self.l2(b)


class EmbedFloats(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.e = nn.Embedding(10, 6)
        self.head = nn.Linear(6 * 4 + 3, 2)

    def forward(self, numbers: Tensor, kinds: Tensor) -> Tensor:
        return self.head(torch.cat([numbers, self.e(kinds)], 1))


class FixedBatch(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.rnn, self.head = nn.RNN(5, 7, batch_first=True), nn.Linear(7, 2)

    def forward(self, x: Tensor) -> Tensor:
        out, _ = self.rnn(x, torch.zeros(1, 8, 7))
        return self.head(out[:, -1])


class GroupsAfterGrowth(nn.Module):
    def __init__(self, width: int = 20) -> None:
        super().__init__()
        self.up = nn.Conv2d(3, width, 1)
        self.norm = nn.GroupNorm(8, width)
        self.head = nn.Conv2d(width, 1, 1)

    def forward(self, x: Tensor) -> Tensor:
        return self.head(F.relu(self.norm(self.up(x))))


class MissingChannels(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.c1 = nn.Conv2d(3, 16, 3)
        self.bn = nn.BatchNorm2d()  # type: ignore[call-arg]
        self.head = nn.Linear(16, 4)

    def forward(self, x: Tensor) -> Tensor:
        return self.head(self.bn(self.c1(x)).mean((2, 3)))


class NoKernel(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.body = nn.Sequential(nn.Conv2d(1, 8), nn.ReLU(), nn.MaxPool2d(2))  # type: ignore[call-arg]
        self.head = nn.Linear(8, 2)

    def forward(self, x: Tensor) -> Tensor:
        return self.head(self.body(x).mean((2, 3)))


case("vgg with a pooling too few", Vgg, "3x32x32", batch=2)
case("excitation without its places", Squeeze, "3x9x9", batch=2)
case("dense unit's layers all of 8", DenseUnit, "8x10x10", batch=2)
case("variance of twice the latent", Vae, "64", batch=3)
case("attention weights without a dimension", Translator, "9x8", batch=4)
case("merged patches for a norm of one", PatchMerge, "8x8x16", batch=2)
case("words of 24 in a decoder of 32", Decoder, "7:int64", "5x32", batch=2)
case("pyramid level not enlarged", Pyramid, "3x40x40", batch=2)
case("embedded kinds beside numbers", EmbedFloats, "3", "4:int64", batch=5)
case("state for a batch of 8", FixedBatch, "6x5", batch=4)
case("8 groups of 20 channels", GroupsAfterGrowth, "3x7x7", batch=2)
case("batch norm of nothing", MissingChannels, "3x9x9", batch=2)
case("convolution without a kernel", NoKernel, "1x12x12", batch=2)
case(
    "norm before the convolution it is for",
    lambda: nn.Sequential(
        nn.Conv2d(3, 8, 3), nn.BatchNorm2d(16), nn.Conv2d(8, 16, 3), nn.ReLU(), nn.Flatten()
    ),
    "3x10x10",
    batch=2,
)
case(
    "softmax over a dimension there is not",
    lambda: nn.Sequential(nn.Flatten(), nn.Linear(12, 4), nn.Softmax(dim=2)),
    "3x2x2",
    batch=2,
)
case(
    "one answer against two columns",
    lambda: Net(lambda s, x, y: F.mse_loss(s.f(x), y), f=nn.Linear(6, 1)),
    "6",
    "2",
    batch=4,
)
case(
    "masks as class numbers against one channel",
    lambda: Net(
        lambda s, x, y: F.binary_cross_entropy_with_logits(s.c(x), y), c=nn.Conv2d(3, 1, 1)
    ),
    "3x8x8",
    "8x8:int64",
    batch=2,
)
case(
    "tokens' logits against tokens",
    lambda: Net(
        lambda s, x, y: F.cross_entropy(s.f(s.e(x)), y), e=nn.Embedding(20, 8), f=nn.Linear(8, 20)
    ),
    "6:int64",
    "6:int64",
    batch=3,
)
case(
    "audio without its channel",
    lambda: nn.Sequential(
        nn.Conv1d(1, 8, 9, 4), nn.ReLU(), nn.AdaptiveAvgPool1d(1), nn.Flatten(), nn.Linear(8, 3)
    ),
    "200",
    batch=4,
)
case(
    "spectrogram's mel bands as channels",
    lambda: nn.Sequential(nn.Conv1d(40, 8, 3), nn.ReLU(), nn.AdaptiveAvgPool1d(1), nn.Flatten()),
    "1x40x50",
    batch=2,
)
case(
    "upsampled by a shuffle and summed",
    lambda: Net(
        lambda s, x: s.out(s.up(x) + F.interpolate(x, scale_factor=2)),
        up=nn.Sequential(nn.Conv2d(8, 16, 3, padding=1), nn.PixelShuffle(2)),
        out=nn.Conv2d(8, 3, 1),
    ),
    "8x6x6",
    batch=2,
)
case(
    "discriminator for pictures of 64",
    lambda: nn.Sequential(
        nn.Conv2d(3, 8, 4, 2, 1),
        nn.LeakyReLU(0.2),
        nn.Conv2d(8, 16, 4, 2, 1),
        nn.LeakyReLU(0.2),
        nn.Conv2d(16, 1, 16, 1, 0),
        nn.Flatten(),
    ),
    "3x32x32",
    batch=2,
)
case(
    "keys of another width than queries",
    lambda: Net(
        lambda s, x, y: F.scaled_dot_product_attention(s.q(x), s.k(y), s.v(y)),
        q=nn.Linear(16, 8),
        k=nn.Linear(16, 12),
        v=nn.Linear(16, 8),
    ),
    "5x16",
    "7x16",
    batch=2,
)
case(
    "linear over channels of a map",
    lambda: Net(
        lambda s, x: s.f(F.relu(s.c(x))).mean((1, 2)), c=nn.Conv2d(3, 12, 3), f=nn.Linear(12, 4)
    ),
    "3x11x9",
    batch=2,
)
case(
    "half precision features, full precision head",
    lambda: Net(
        lambda s, x: s.f(s.c(x).flatten(1).half()), c=nn.Conv2d(1, 2, 3), f=nn.Linear(72, 4)
    ),
    "1x8x8",
    batch=2,
)
case(
    "triplet of pictures in one tensor",
    lambda: nn.Sequential(
        nn.Conv2d(3, 8, 3), nn.ReLU(), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(8, 16)
    ),
    "3x3x12x12",
    batch=2,
)
case(
    "crop of a skip by hand",
    lambda: Net(
        lambda s, x: s.out(torch.cat([s.a(x)[:, :, 2:-2, 2:-2], s.b(s.a(x))], 1)),
        a=nn.Conv2d(3, 8, 3),
        b=nn.Conv2d(8, 8, 3),
        out=nn.Conv2d(16, 2, 1),
    ),
    "3x18x18",
    batch=2,
)
case(
    "depth-wise then point-wise of another width",
    lambda: nn.Sequential(
        nn.Conv2d(12, 12, 3, padding=1, groups=12), nn.BatchNorm2d(12), nn.Conv2d(24, 6, 1)
    ),
    "12x8x8",
    batch=2,
)
