"""Forty-six mistakes of another hand, fixed as a set before any of them was explained.

python benchmarks/explain_fixes.py unseen
"""

from itertools import pairwise

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from explain_nets.wrong import Net, Wrong  # type: ignore[import-not-found]

CASES: dict[str, Wrong] = {}


def case(name: str, build: object, *inputs: str, **options: object) -> None:
    assert name not in CASES, name
    CASES[name] = Wrong(build, inputs, **options)  # type: ignore[arg-type]


# U-Nets and segmentation.


class ValidUnet(nn.Module):
    """Convolutions without padding: the skips are larger than what comes up."""

    def __init__(self) -> None:
        super().__init__()
        self.d1 = nn.Sequential(nn.Conv2d(1, 8, 3), nn.ReLU(), nn.Conv2d(8, 8, 3), nn.ReLU())
        self.d2 = nn.Sequential(nn.Conv2d(8, 16, 3), nn.ReLU(), nn.Conv2d(16, 16, 3), nn.ReLU())
        self.up = nn.ConvTranspose2d(16, 8, 2, 2)
        self.u1 = nn.Sequential(nn.Conv2d(16, 8, 3), nn.ReLU(), nn.Conv2d(8, 2, 1))
        self.pool = nn.MaxPool2d(2)

    def forward(self, x: Tensor) -> Tensor:
        skip = self.d1(x)
        x = self.up(self.d2(self.pool(skip)))
        return self.u1(torch.cat([skip, x], dim=1))


class SumUnet(nn.Module):
    """LinkNet's sums, with widths that differ."""

    def __init__(self) -> None:
        super().__init__()
        self.e1, self.e2 = nn.Conv2d(3, 16, 3, 2, 1), nn.Conv2d(16, 32, 3, 2, 1)
        self.d2, self.d1 = nn.ConvTranspose2d(32, 32, 2, 2), nn.ConvTranspose2d(16, 2, 2, 2)

    def forward(self, x: Tensor) -> Tensor:
        a = F.relu(self.e1(x))
        b = F.relu(self.e2(a))
        return self.d1(F.relu(self.d2(b) + a))


class ListUnet(nn.Module):
    """A decoder in a ModuleList, walked in the wrong order."""

    def __init__(self) -> None:
        super().__init__()
        sizes = [3, 8, 16, 32]
        self.down = nn.ModuleList(nn.Conv2d(a, b, 3, 2, 1) for a, b in pairwise(sizes))
        self.up = nn.ModuleList(nn.ConvTranspose2d(b, a, 2, 2) for a, b in pairwise(sizes))

    def forward(self, x: Tensor) -> Tensor:
        for layer in self.down:
            x = F.relu(layer(x))
        for layer in self.up:
            x = layer(x)
        return x


case("unet without padding, skips larger", ValidUnet, "1x44x44", batch=2)
case("linknet adds 32 to 16 channels", SumUnet, "3x32x32", batch=2)
case("module list walked forwards", ListUnet, "3x32x32", batch=2)
case(
    "segmentation loss of small logits",
    lambda: Net(
        lambda s, x, y: F.cross_entropy(s.net(x), y),
        net=nn.Sequential(nn.Conv2d(3, 16, 3, 2, 1), nn.ReLU(), nn.Conv2d(16, 5, 1)),
    ),
    "3x24x24",
    "24x24:int64",
    batch=2,
)
case(
    "mask with one channel against cross-entropy",
    lambda: Net(lambda s, x, y: F.cross_entropy(s.c(x), y), c=nn.Conv2d(3, 4, 3, padding=1)),
    "3x16x16",
    "1x16x16:int64",
    batch=2,
)
case(
    "attention gate's coarser signal",
    lambda: Net(
        lambda s, g, x: x * torch.sigmoid(s.psi(F.relu(s.wg(g) + s.wx(x)))),
        wg=nn.Conv2d(32, 8, 1),
        wx=nn.Conv2d(16, 8, 1),
        psi=nn.Conv2d(8, 1, 1),
    ),
    "32x8x8",
    "16x16x16",
    batch=2,
)
case(
    "deep supervision's heads joined",
    lambda: Net(
        lambda s, x: s.join(torch.cat([s.h1(s.a(x)), s.h2(s.b(s.a(x)))], 1)),
        a=nn.Conv2d(3, 8, 3, padding=1),
        b=nn.Conv2d(8, 16, 3, 2, 1),
        h1=nn.Conv2d(8, 2, 1),
        h2=nn.Conv2d(16, 2, 1),
        join=nn.Conv2d(4, 2, 1),
    ),
    "3x20x20",
    batch=2,
)

# Residual blocks.


class Block(nn.Module):
    def __init__(self, inner: int, outer: int, stride: int, shortcut: nn.Module) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(inner, outer, 3, stride, 1)
        self.bn1 = nn.BatchNorm2d(outer)
        self.conv2 = nn.Conv2d(outer, outer, 3, 1, 1)
        self.bn2 = nn.BatchNorm2d(outer)
        self.shortcut = shortcut

    def forward(self, x: Tensor) -> Tensor:
        out = F.relu(self.bn1(self.conv1(x)))
        out = self.bn2(self.conv2(out))
        out += self.shortcut(x)
        return F.relu(out)


case(
    "shortcut's convolution without its stride",
    lambda: Block(16, 32, 2, nn.Sequential(nn.Conv2d(16, 32, 1), nn.BatchNorm2d(32))),
    "16x16x16",
    batch=2,
)
case(
    "shortcut's norm of the input's channels",
    lambda: Block(16, 32, 2, nn.Sequential(nn.Conv2d(16, 32, 1, 2), nn.BatchNorm2d(16))),
    "16x16x16",
    batch=2,
)
case("identity where channels grow", lambda: Block(16, 32, 1, nn.Identity()), "16x12x12", batch=2)
case(
    "stages that do not follow",
    lambda: nn.Sequential(
        nn.Conv2d(3, 16, 3, 1, 1),
        Block(16, 16, 1, nn.Identity()),
        Block(32, 64, 2, nn.Conv2d(32, 64, 1, 2)),
        nn.AdaptiveAvgPool2d(1),
        nn.Flatten(),
        nn.Linear(64, 10),
    ),
    "3x32x32",
    batch=2,
)

# Layers that cannot be built.


class Depthwise(nn.Module):
    def __init__(self, inner: int = 24, outer: int = 36) -> None:
        super().__init__()
        self.depth = nn.Conv2d(inner, outer, 3, padding=1, groups=16)
        self.point = nn.Conv2d(outer, 10, 1)

    def forward(self, x: Tensor) -> Tensor:
        return self.point(self.depth(x)).mean((2, 3))


class OddHeads(nn.Module):
    def __init__(self, width: int = 100, heads: int = 8) -> None:
        super().__init__()
        self.layer = nn.TransformerEncoderLayer(width, heads, 200, batch_first=True)
        self.head = nn.Linear(width, 5)

    def forward(self, x: Tensor) -> Tensor:
        return self.head(self.layer(x).mean(1))


class DividedWidth(nn.Module):
    def __init__(self, width: int = 64) -> None:
        super().__init__()
        self.a = nn.Conv2d(3, width, 3)
        self.b = nn.Conv2d(width, width / 4, 1)
        self.head = nn.Linear(16, 4)

    def forward(self, x: Tensor) -> Tensor:
        return self.head(self.b(self.a(x)).mean((2, 3)))


class WrongWord(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.features = nn.Sequential(
            nn.Conv2d(3, 8, kernel=3, stride=2),  # type: ignore[call-arg]
            nn.ReLU(),
            nn.AdaptiveAvgPool2d(1),
            nn.Flatten(),
        )
        self.head = nn.Linear(8, 2)

    def forward(self, x: Tensor) -> Tensor:
        return self.head(self.features(x))


class FewArguments(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.norm = nn.GroupNorm(32)  # type: ignore[call-arg]
        self.conv = nn.Conv2d(32, 4, 1)

    def forward(self, x: Tensor) -> Tensor:
        return self.conv(self.norm(x))


class ListInSequential(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        layers = [nn.Linear(12, 12) for _ in range(3)]
        self.body = nn.Sequential(layers)  # type: ignore[call-overload]
        self.head = nn.Linear(12, 2)

    def forward(self, x: Tensor) -> Tensor:
        return self.head(self.body(x))


class SameStride(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.c = nn.Conv1d(4, 8, 5, stride=2, padding="same")
        self.head = nn.Linear(8, 3)

    def forward(self, x: Tensor) -> Tensor:
        return self.head(self.c(x).mean(-1))


class WidePadding(nn.Module):
    """Pooling that pads more than half of its window is refused only when it runs."""

    def __init__(self) -> None:
        super().__init__()
        self.c = nn.Conv2d(3, 8, 3)
        self.pool = nn.MaxPool2d(2, padding=2)
        self.head = nn.Linear(8, 3)

    def forward(self, x: Tensor) -> Tensor:
        return self.head(self.pool(self.c(x)).amax((2, 3)))


class OutputPadding(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.up = nn.ConvTranspose2d(8, 4, 3, stride=1, padding=1, output_padding=1)
        self.out = nn.Conv2d(4, 1, 1)

    def forward(self, x: Tensor) -> Tensor:
        return self.out(self.up(x))


class FunctionAsLayer(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.net = nn.Sequential(nn.Linear(8, 16), F.relu, nn.Linear(16, 2))  # type: ignore[call-overload]

    def forward(self, x: Tensor) -> Tensor:
        return self.net(x)


class ClassAsLayer(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.net = nn.Sequential(nn.Linear(8, 16), nn.ReLU, nn.Linear(16, 2))  # type: ignore[call-overload]

    def forward(self, x: Tensor) -> Tensor:
        return self.net(x)


case("depthwise groups of another width", Depthwise, "24x8x8", batch=2)
case("8 heads of 100 features", OddHeads, "7x100", batch=2)
case("a width divided to a float", DividedWidth, "3x12x12", batch=2)
case("kernel for kernel_size", WrongWord, "3x16x16", batch=2)
case("group norm of one number", FewArguments, "32x6x6", batch=2)
case("list put into Sequential", ListInSequential, "12", batch=2)
case("same padding with a stride", SameStride, "4x20", batch=2)
case("pooling pads a whole window", WidePadding, "3x14x14", batch=2)
case("output padding without a stride", OutputPadding, "8x6x6", batch=2)
case("a function in Sequential", FunctionAsLayer, "8", batch=2)
case("a class in Sequential", ClassAsLayer, "8", batch=2)

# Transformers.


class PositionVit(nn.Module):
    """A vision transformer for 32×32, given larger pictures."""

    def __init__(self) -> None:
        super().__init__()
        self.patch = nn.Conv2d(3, 24, 8, 8)
        self.cls = nn.Parameter(torch.zeros(1, 1, 24))
        self.pos = nn.Parameter(torch.zeros(1, 17, 24))
        self.block = nn.TransformerEncoderLayer(24, 4, 48, batch_first=True)
        self.head = nn.Linear(24, 10)

    def forward(self, x: Tensor) -> Tensor:
        x = self.patch(x).flatten(2).transpose(1, 2)
        x = torch.cat([self.cls.expand(x.shape[0], -1, -1), x], dim=1)
        x = x + self.pos
        return self.head(self.block(x)[:, 0])


class MapPositions(nn.Module):
    """Positions as a map, of another size."""

    def __init__(self) -> None:
        super().__init__()
        self.stem = nn.Conv2d(3, 16, 4, 4)
        self.pos = nn.Parameter(torch.zeros(1, 16, 8, 8))
        self.head = nn.Linear(16, 4)

    def forward(self, x: Tensor) -> Tensor:
        return self.head((self.stem(x) + self.pos).mean((2, 3)))


class ClsToken(nn.Module):
    """A class token that is not repeated for the batch."""

    def __init__(self) -> None:
        super().__init__()
        self.cls = nn.Parameter(torch.zeros(1, 1, 16))
        self.f = nn.Linear(16, 3)

    def forward(self, x: Tensor) -> Tensor:
        return self.f(torch.cat((self.cls, x), dim=1)[:, 0])


class HeadMerge(nn.Module):
    """Heads joined again with the wrong width."""

    def __init__(self) -> None:
        super().__init__()
        self.qkv = nn.Linear(48, 144)
        self.proj = nn.Linear(48, 48)

    def forward(self, x: Tensor) -> Tensor:
        b, n, _ = x.shape
        q, k, v = self.qkv(x).reshape(b, n, 3, 6, 8).permute(2, 0, 3, 1, 4)
        a = (q @ k.transpose(-2, -1)).softmax(-1) @ v
        return self.proj(a.transpose(1, 2).reshape(b, n, 64))


class CausalMask(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.register_buffer("mask", torch.tril(torch.ones(16, 16)))
        self.q, self.k, self.v = nn.Linear(8, 8), nn.Linear(8, 8), nn.Linear(8, 8)

    def forward(self, x: Tensor) -> Tensor:
        w = self.q(x) @ self.k(x).transpose(1, 2)
        w = w.masked_fill(self.mask == 0, float("-inf"))
        return w.softmax(-1) @ self.v(x)


class SinePositions(nn.Module):
    """Positions with the steps first, as in the tutorial, for tokens with the batch first."""

    def __init__(self) -> None:
        super().__init__()
        self.words = nn.Embedding(100, 16)
        self.register_buffer("pe", torch.zeros(50, 1, 16))
        self.head = nn.Linear(16, 100)

    def forward(self, x: Tensor) -> Tensor:
        x = self.words(x)
        return self.head(x + self.pe[: x.size(1)])  # type: ignore[index]


case("vit for larger pictures", PositionVit, "3x64x64", batch=2)
case("position map of another size", MapPositions, "3x48x48", batch=2)
case("class token of one", ClsToken, "9x16", batch=3)
case("heads joined to 64", HeadMerge, "5x48", batch=2)
case("causal mask not cut", CausalMask, "10x8", batch=2)
case("tutorial's positions, batch first", SinePositions, "12:int64", batch=4)

# Recurrent nets.


class LastStep(nn.Module):
    """Both directions, and a head for one."""

    def __init__(self) -> None:
        super().__init__()
        self.rnn = nn.GRU(10, 20, batch_first=True, bidirectional=True)
        self.head = nn.Linear(20, 4)

    def forward(self, x: Tensor) -> Tensor:
        out, _ = self.rnn(x)
        return self.head(out[:, -1, :])


class OwnState(nn.Module):
    """States with the batch first."""

    def __init__(self) -> None:
        super().__init__()
        self.lstm = nn.LSTM(6, 12, 2, batch_first=True)
        self.head = nn.Linear(12, 1)

    def forward(self, x: Tensor) -> Tensor:
        h = torch.zeros(x.size(0), 2, 12)
        c = torch.zeros(x.size(0), 2, 12)
        out, _ = self.lstm(x, (h, c))
        return self.head(out[:, -1])


class Captions(nn.Module):
    """A picture's features put before the words."""

    def __init__(self) -> None:
        super().__init__()
        self.cnn = nn.Sequential(nn.Conv2d(3, 16, 3, 2), nn.ReLU(), nn.AdaptiveAvgPool2d(1))
        self.embed = nn.Embedding(60, 16)
        self.lstm = nn.LSTM(16, 32, batch_first=True)
        self.head = nn.Linear(32, 60)

    def forward(self, x: Tensor, words: Tensor) -> Tensor:
        features = self.cnn(x).flatten(1)
        inputs = torch.cat([features, self.embed(words)], dim=1)
        out, _ = self.lstm(inputs)
        return self.head(out)


class CnnLstm(nn.Module):
    """Frames' maps given to an LSTM made for other features."""

    def __init__(self) -> None:
        super().__init__()
        self.cnn = nn.Sequential(nn.Conv2d(1, 4, 3, 2), nn.ReLU(), nn.Flatten())
        self.lstm = nn.LSTM(64, 16, batch_first=True)
        self.head = nn.Linear(16, 3)

    def forward(self, x: Tensor) -> Tensor:
        b, t = x.shape[:2]
        maps = self.cnn(x.reshape(b * t, *x.shape[2:])).view(b, t, -1)
        return self.head(self.lstm(maps)[0][:, -1])


case("bidirectional with a head for one", LastStep, "8x10", batch=2)
case("states with the batch first", OwnState, "15x6", batch=4)
case("picture's features before the words", Captions, "3x20x20", "7:int64", batch=3)
case("frames for an LSTM of 64", CnnLstm, "5x1x16x16", batch=2)
case(
    "sequence of scalars for an LSTM",
    lambda: Net(
        lambda s, x: s.head(s.lstm(x)[0][:, -1]),
        lstm=nn.LSTM(1, 16, batch_first=True),
        head=nn.Linear(16, 1),
    ),
    "30",
    batch=4,
)

# Generators, autoencoders, losses.

case(
    "decoder one pixel short",
    lambda: Net(
        lambda s, x: F.mse_loss(s.dec(s.enc(x)), x, reduction="sum"),
        enc=nn.Sequential(nn.Conv2d(1, 8, 3, 2, 1), nn.ReLU(), nn.Conv2d(8, 16, 3, 2, 1)),
        dec=nn.Sequential(
            nn.ConvTranspose2d(16, 8, 3, 2, 1), nn.ReLU(), nn.ConvTranspose2d(8, 1, 3, 2, 1)
        ),
    ),
    "1x28x28",
    batch=2,
)
case(
    "discriminator's verdicts against flat labels",
    lambda: Net(
        lambda s, x, y: F.binary_cross_entropy_with_logits(s.d(x), y),
        d=nn.Sequential(nn.Conv2d(3, 8, 4, 2, 1), nn.LeakyReLU(0.2), nn.Conv2d(8, 1, 8)),
    ),
    "3x16x16",
    "",
    batch=4,
)
case(
    "conditional generator's label as a number",
    lambda: Net(
        lambda s, z, y: s.g(torch.cat([z, y], 1)),
        g=nn.Sequential(nn.Linear(26, 64), nn.ReLU(), nn.Linear(64, 784), nn.Tanh()),
    ),
    "16",
    ":int64",
    batch=4,
)
case(
    "latent of another size",
    lambda: Net(
        lambda s, x: s.dec(s.enc(x).chunk(2, 1)[0]),
        enc=nn.Sequential(nn.Flatten(), nn.Linear(144, 32)),
        dec=nn.Sequential(nn.Linear(32, 144), nn.Unflatten(1, (1, 12, 12))),
    ),
    "1x12x12",
    batch=2,
)
case(
    "two losses, one of the wrong output",
    lambda: Net(lambda s, x, y: F.nll_loss(F.log_softmax(s.a(x), 1), y), a=nn.Conv2d(3, 5, 8)),
    "3x8x8",
    ":int64",
    batch=3,
)

# Detection, siamese, others.

case(
    "boxes and classes joined along the channels",
    lambda: Net(
        lambda s, x: torch.cat(
            [
                s.box(x).flatten(2).transpose(1, 2),
                s.label(x).flatten(2).transpose(1, 2),
            ],
            1,
        ),
        box=nn.Conv2d(8, 4, 1),
        label=nn.Conv2d(8, 6, 1),
    ),
    "8x7x7",
    batch=2,
)
case(
    "grid of a YOLO head for another stride",
    lambda: Net(lambda s, x: s.c(x).reshape(x.shape[0], 2, 9, 7, 7), c=nn.Conv2d(3, 18, 16, 16)),
    "3x128x128",
    batch=2,
)
case(
    "siamese features of both sides",
    lambda: Net(
        lambda s, a, b: s.head(torch.cat([s.body(a), s.body(b)], dim=1)),
        body=nn.Sequential(nn.Conv2d(1, 4, 5), nn.ReLU(), nn.AdaptiveMaxPool2d(2), nn.Flatten()),
        head=nn.Linear(16, 1),
    ),
    "1x20x20",
    "1x20x20",
    batch=2,
)
case(
    "BatchNorm2d after a linear layer",
    lambda: nn.Sequential(nn.Flatten(), nn.Linear(27, 16), nn.BatchNorm2d(16), nn.ReLU()),
    "3x3x3",
    batch=4,
)
case(
    "doubles from numpy",
    lambda: nn.Sequential(nn.Linear(13, 8), nn.ReLU(), nn.Linear(8, 1)),
    "13:float64",
    batch=4,
)
case(
    "bytes of a picture",
    lambda: nn.Sequential(nn.Conv2d(3, 8, 3), nn.ReLU(), nn.AdaptiveAvgPool2d(1), nn.Flatten()),
    "3x16x16:uint8",
    batch=2,
)
case(
    "channel-last volumes with time",
    lambda: nn.Sequential(
        nn.Conv3d(3, 4, (1, 3, 3)), nn.ReLU(), nn.AdaptiveAvgPool3d(1), nn.Flatten()
    ),
    "6x16x16x3",
    batch=2,
)
case(
    "permuted the wrong way",
    lambda: Net(
        lambda s, x: s.f(s.c(x.permute(0, 2, 3, 1))).mean((2, 3)),
        c=nn.Conv2d(3, 8, 3),
        f=nn.Conv2d(8, 2, 1),
    ),
    "3x16x20",
    batch=2,
)
