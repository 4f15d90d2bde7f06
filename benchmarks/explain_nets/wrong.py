"""Mistakes that people make with torch, each as a small net that does not run.

Each is the net and its inputs without the batch (`3x32x32`, or with a type, `16:int64`); they are
explained and mended by `benchmarks/explain_fixes.py`. After questions that are asked in forums.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn


class Net(nn.Module):
    """A net of a function over named layers, tensors and parameters."""

    def __init__(self, run: Callable[..., Any], **parts: Any) -> None:
        super().__init__()
        self.run = run
        for name, part in parts.items():
            if isinstance(part, Tensor) and not isinstance(part, nn.Parameter):
                self.register_buffer(name, part)
            else:
                setattr(self, name, part)

    def forward(self, *inputs: Tensor) -> Any:
        return self.run(self, *inputs)


@dataclass(frozen=True)
class Wrong:
    build: Callable[[], nn.Module]
    inputs: tuple[str, ...]
    batch: int = 1
    training: bool = False
    right: Callable[[], nn.Module] | None = None


CASES: dict[str, Wrong] = {}


def case(name: str, build: Callable[[], nn.Module], *inputs: str, **options: Any) -> None:
    assert name not in CASES, name
    CASES[name] = Wrong(build, inputs, **options)


def conv(inner: int, outer: int, *more: Any, **options: Any) -> nn.Module:
    return nn.Sequential(
        nn.Conv2d(inner, outer, *more, **options), nn.BatchNorm2d(outer), nn.ReLU()
    )


class Mlp(nn.Module):
    def __init__(self, inner: int = 784) -> None:
        super().__init__()
        self.fc1, self.fc2 = nn.Linear(inner, 64), nn.Linear(64, 10)

    def forward(self, x: Tensor) -> Tensor:
        return self.fc2(F.relu(self.fc1(x)))


class Cnn(nn.Module):
    """Two convolutions, two poolings, and a way to make a vector of the map."""

    def __init__(self, wanted: int, flat: Callable[[Tensor], Tensor], width: int = 16) -> None:
        super().__init__()
        self.conv1, self.conv2 = nn.Conv2d(3, 8, 3), nn.Conv2d(8, width, 3)
        self.fc1, self.fc2 = nn.Linear(wanted, 32), nn.Linear(32, 10)
        self.flat = flat

    def forward(self, x: Tensor) -> Tensor:
        x = F.max_pool2d(F.relu(self.conv1(x)), 2)
        x = F.max_pool2d(F.relu(self.conv2(x)), 2)
        x = self.flat(x)
        return self.fc2(F.relu(self.fc1(x)))


# The vector before the linear layer.
case("flatten forgotten", lambda: Cnn(576, lambda x: x), "3x32x32")
case("flatten forgotten, wrong size too", lambda: Cnn(500, lambda x: x), "3x32x32")
case("flatten of everything", lambda: Cnn(576, lambda x: torch.flatten(x)), "3x32x32", batch=4)
case("flatten of everything, one picture", lambda: Cnn(576, lambda x: torch.flatten(x)), "3x32x32")
case("x.flatten()", lambda: Cnn(576, lambda x: x.flatten()), "3x32x32", batch=2)
case("view(-1)", lambda: Cnn(576, lambda x: x.view(-1)), "3x32x32", batch=4)
case("reshape(-1), one picture", lambda: Cnn(576, lambda x: x.reshape(-1)), "3x32x32")
case("view of a batch of 64", lambda: Cnn(576, lambda x: x.view(64, -1)), "3x32x32", batch=8)
case("reshape of a batch of 64", lambda: Cnn(576, lambda x: x.reshape(64, -1)), "3x32x32", batch=8)
case("view of the batch that was", lambda: Cnn(576, lambda x: x.view(4, -1)), "3x32x32", batch=4)
case("view into 400", lambda: Cnn(400, lambda x: x.view(-1, 400)), "3x32x32")
case("view into 400 of larger pictures", lambda: Cnn(576, lambda x: x.view(-1, 576)), "3x64x64")
case("view into 64 rows", lambda: Cnn(64, lambda x: x.view(-1, 64)), "3x32x32")
case("linear of 1050", lambda: Cnn(1050, lambda x: x.view(x.size(0), -1)), "3x32x32")
case("linear of 32·5·5", lambda: Cnn(800, lambda x: x.flatten(1)), "3x32x32")
case("larger pictures than it was made for", lambda: Cnn(576, lambda x: x.flatten(1)), "3x48x48")
case("smaller pictures than it was made for", lambda: Cnn(576, lambda x: x.flatten(1)), "3x28x28")
case("oblong pictures", lambda: Cnn(576, lambda x: x.flatten(1)), "3x32x48")
case("flatten from 2", lambda: Cnn(576, lambda x: x.flatten(2)), "3x32x32")
case(
    "squeeze that eats the batch",
    lambda: Cnn(16, lambda x: x.mean((2, 3), True).squeeze()),
    "3x32x32",
)
case(
    "batch norm after squeeze",
    lambda: Net(
        lambda s, x: s.n(F.adaptive_avg_pool2d(s.c(x), 1).squeeze()),
        c=nn.Conv2d(3, 8, 3),
        n=nn.BatchNorm1d(8),
    ),
    "3x16x16",
)
case(
    "squeeze of a channel",
    lambda: Net(lambda s, x: s.f(x.squeeze().flatten(1)), f=nn.Linear(256, 4)),
    "1x16x16",
)
case("mlp on pictures", lambda: Mlp(), "1x28x28")
case("mlp on pictures, four", lambda: Mlp(), "1x28x28", batch=4)
case("mlp on colour pictures", lambda: Mlp(3072), "3x32x32")
case("mlp on other pictures", lambda: nn.Sequential(nn.Flatten(), Mlp(784)), "1x32x32")
case(
    "nn.Flatten(0)",
    lambda: nn.Sequential(nn.Conv2d(3, 4, 3), nn.Flatten(0), nn.Linear(784, 2)),
    "3x16x16",
)
case(
    "sequential without flatten",
    lambda: nn.Sequential(conv(3, 8, 3), nn.MaxPool2d(2), nn.Linear(392, 10)),
    "3x16x16",
)
case(
    "sequential, linear too small",
    lambda: nn.Sequential(conv(3, 8, 3), nn.Flatten(), nn.Linear(100, 10)),
    "3x16x16",
)
case(
    "global pooling without flatten",
    lambda: nn.Sequential(conv(3, 32, 3), nn.AdaptiveAvgPool2d(1), nn.Linear(32, 5)),
    "3x16x16",
)
case(
    "classifier without pooling", lambda: nn.Sequential(conv(3, 32, 3), nn.Linear(32, 5)), "3x16x16"
)
case(
    "classifier behind flatten without pooling",
    lambda: nn.Sequential(conv(3, 32, 3), nn.Flatten(), nn.Linear(32, 5)),
    "3x16x16",
)
case(
    "tokens of every step into one layer",
    lambda: nn.Sequential(nn.Linear(8, 16), nn.ReLU(), nn.Linear(160, 2)),
    "10x8",
)
case(
    "two layers that do not meet",
    lambda: nn.Sequential(nn.Linear(20, 64), nn.ReLU(), nn.Linear(32, 2)),
    "20",
)
case(
    "two layers that do not meet, dropout",
    lambda: nn.Sequential(nn.Linear(20, 64), nn.BatchNorm1d(64), nn.Dropout(), nn.Linear(128, 2)),
    "20",
)
case(
    "autoencoder's middle",
    lambda: nn.Sequential(nn.Linear(64, 16), nn.ReLU(), nn.Linear(16, 8), nn.Linear(16, 64)),
    "64",
)
case(
    "concatenated features",
    lambda: Net(
        lambda s, a, b: s.f(torch.cat([s.e(a), s.e(b)], 1)), e=nn.Linear(8, 16), f=nn.Linear(16, 2)
    ),
    "8",
    "8",
)
case(
    "embedding and numbers",
    lambda: Net(
        lambda s, a, b: s.f(torch.cat([s.e(a).flatten(1), b], 1)),
        e=nn.Embedding(9, 4),
        f=nn.Linear(9, 2),
    ),
    "2:int64",
    "3",
)
# Channels and layouts.
case(
    "channels of the next convolution",
    lambda: nn.Sequential(nn.Conv2d(3, 16, 3), nn.ReLU(), nn.Conv2d(32, 8, 3)),
    "3x16x16",
)
case(
    "channels behind a norm", lambda: nn.Sequential(conv(3, 16, 3), nn.Conv2d(32, 8, 3)), "3x16x16"
)
case("a grey picture", lambda: nn.Sequential(conv(3, 8, 3), conv(8, 8, 3)), "1x16x16")
case("a picture with transparency", lambda: nn.Sequential(conv(3, 8, 3), conv(8, 8, 3)), "4x16x16")
case("colour for a grey net", lambda: nn.Sequential(conv(1, 8, 3), conv(8, 8, 3)), "3x16x16")
case("channels last", lambda: nn.Sequential(conv(3, 8, 3), conv(8, 8, 3)), "16x20x3")
case("channels last into a classifier", lambda: Cnn(576, lambda x: x.flatten(1)), "32x32x3")
case(
    "sequence with features last",
    lambda: nn.Sequential(
        nn.Conv1d(12, 32, 5), nn.ReLU(), nn.AdaptiveAvgPool1d(1), nn.Flatten(), nn.Linear(32, 2)
    ),
    "100x12",
)
case(
    "sequence without channel",
    lambda: nn.Sequential(
        nn.Conv1d(1, 8, 5), nn.ReLU(), nn.AdaptiveAvgPool1d(1), nn.Flatten(), nn.Linear(8, 2)
    ),
    "100",
)
case(
    "text without channel",
    lambda: Net(
        lambda s, x: s.f(F.relu(s.c(s.e(x))).squeeze(3).max(2)[0]),
        e=nn.Embedding(50, 16),
        c=nn.Conv2d(1, 8, (3, 16)),
        f=nn.Linear(8, 2),
    ),
    "20:int64",
)
case(
    "text without channel, four",
    lambda: Net(
        lambda s, x: s.f(F.relu(s.c(s.e(x))).squeeze(3).max(2)[0]),
        e=nn.Embedding(50, 16),
        c=nn.Conv2d(1, 8, (3, 16)),
        f=nn.Linear(8, 2),
    ),
    "20:int64",
    batch=4,
)
case(
    "embedding into Conv1d",
    lambda: Net(
        lambda s, x: s.f(s.c(s.e(x)).max(2)[0]),
        e=nn.Embedding(50, 16),
        c=nn.Conv1d(16, 8, 3),
        f=nn.Linear(8, 2),
    ),
    "20:int64",
)
case("volume without channel", lambda: nn.Sequential(nn.Conv3d(1, 4, 3), nn.ReLU()), "8x16x16")
case(
    "volume without channel, two",
    lambda: nn.Sequential(nn.Conv3d(1, 4, 3), nn.ReLU()),
    "8x16x16",
    batch=2,
)
case("grey picture without channel", lambda: nn.Sequential(nn.Conv2d(1, 4, 3), nn.ReLU()), "16x16")
case(
    "grey picture without channel, four",
    lambda: nn.Sequential(nn.Conv2d(1, 4, 3), nn.BatchNorm2d(4)),
    "16x16",
    batch=4,
)
case(
    "flat digits into a convolution",
    lambda: nn.Sequential(nn.Conv2d(1, 4, 3), nn.Flatten(), nn.Linear(2704, 10)),
    "784",
)
case(
    "noise into a generator",
    lambda: nn.Sequential(
        nn.ConvTranspose2d(100, 32, 4),
        nn.BatchNorm2d(32),
        nn.ReLU(),
        nn.ConvTranspose2d(32, 3, 4, 2, 1),
    ),
    "100",
)
case(
    "video into Conv3d",
    lambda: nn.Sequential(nn.Conv3d(3, 4, 3, padding=1), nn.ReLU()),
    "8x3x16x16",
)
case(
    "batch norm's channels",
    lambda: nn.Sequential(nn.Conv2d(3, 16, 3), nn.BatchNorm2d(32), nn.ReLU()),
    "3x16x16",
)
case(
    "batch norm of another rank",
    lambda: nn.Sequential(nn.Conv2d(3, 16, 3), nn.BatchNorm1d(16), nn.ReLU()),
    "3x16x16",
)
case(
    "BatchNorm2d after a linear layer",
    lambda: nn.Sequential(nn.Linear(8, 16), nn.BatchNorm2d(16), nn.Linear(16, 2)),
    "8",
)
case(
    "batch norm over time steps",
    lambda: Net(lambda s, x: s.n(s.f(x)), f=nn.Linear(8, 16), n=nn.BatchNorm1d(16)),
    "10x8",
)
case(
    "BatchNorm2d of a sequence",
    lambda: nn.Sequential(nn.Conv1d(4, 8, 3), nn.BatchNorm2d(8)),
    "4x20",
)
case(
    "instance norm's channels",
    lambda: nn.Sequential(nn.Conv2d(3, 16, 3), nn.InstanceNorm2d(8, affine=True)),
    "3x16x16",
)
case("layer norm on a map", lambda: nn.Sequential(nn.Conv2d(3, 16, 3), nn.LayerNorm(16)), "3x16x16")
case("layer norm's features", lambda: nn.Sequential(nn.Linear(8, 12), nn.LayerNorm(16)), "8")
case(
    "layer norm of another picture",
    lambda: nn.Sequential(nn.Conv2d(3, 4, 3), nn.LayerNorm([4, 30, 30])),
    "3x16x16",
)
case(
    "group norm's channels",
    lambda: nn.Sequential(nn.Conv2d(3, 12, 3), nn.GroupNorm(8, 32)),
    "3x16x16",
)
case(
    "F.group_norm of 4",
    lambda: Net(lambda s, x: F.group_norm(s.c(x), 4), c=nn.Conv2d(3, 6, 3)),
    "3x16x16",
)
case("PReLU's channels", lambda: nn.Sequential(nn.Conv2d(3, 6, 3), nn.PReLU(8)), "3x16x16")
case(
    "depthwise of other channels",
    lambda: nn.Sequential(
        nn.Conv2d(3, 24, 3), nn.Conv2d(32, 32, 3, groups=32), nn.Conv2d(32, 8, 1)
    ),
    "3x16x16",
)
case(
    "grouped of other channels",
    lambda: nn.Sequential(nn.Conv2d(3, 10, 3), nn.Conv2d(12, 12, 3, groups=4)),
    "3x16x16",
)
# Windows.
case(
    "kernel larger than its map",
    lambda: nn.Sequential(conv(3, 8, 3), nn.MaxPool2d(4), conv(8, 8, 5)),
    "3x16x16",
)
case(
    "pooled away",
    lambda: nn.Sequential(
        conv(3, 4, 3),
        nn.MaxPool2d(2),
        conv(4, 4, 3),
        nn.MaxPool2d(2),
        conv(4, 4, 3),
        nn.MaxPool2d(2),
        conv(4, 4, 3),
    ),
    "3x24x24",
)
case(
    "AvgPool2d(7) on a smaller map",
    lambda: nn.Sequential(conv(3, 8, 3, 4), nn.AvgPool2d(7), nn.Flatten(), nn.Linear(8, 2)),
    "3x16x16",
)
case(
    "pooling padded by too much",
    lambda: nn.Sequential(conv(3, 8, 3), nn.MaxPool2d(2, padding=2)),
    "3x16x16",
)
case(
    "dilated beyond its map",
    lambda: nn.Sequential(conv(3, 8, 3), nn.Conv2d(8, 8, 3, dilation=12)),
    "3x16x16",
)
case(
    "reflection of more than there is",
    lambda: nn.Sequential(nn.ReflectionPad2d(20), conv(3, 8, 3)),
    "3x16x16",
)
case(
    "pixel shuffle of 9 channels",
    lambda: nn.Sequential(nn.Conv2d(3, 9, 3, padding=1), nn.PixelShuffle(2)),
    "3x16x16",
)
case(
    "pixel shuffle of 64 channels",
    lambda: nn.Sequential(nn.Conv2d(3, 64, 3, padding=1), nn.PixelShuffle(3)),
    "3x16x16",
)
case(
    "pixel unshuffle of an odd map",
    lambda: nn.Sequential(nn.PixelUnshuffle(2), conv(12, 8, 3)),
    "3x15x15",
)
case(
    "bilinear for a sequence",
    lambda: Net(lambda s, x: F.interpolate(x, scale_factor=2, mode="bilinear")),
    "4x10",
)
case(
    "Upsample bilinear of a sequence",
    lambda: nn.Sequential(nn.Upsample(scale_factor=2, mode="bilinear"), nn.Conv1d(4, 2, 3)),
    "4x10",
)


# Branches.
def block(inner: int, outer: int, **options: Any) -> nn.Module:
    return Net(
        lambda s, x: F.relu(s.n(s.c(x)) + x),
        c=nn.Conv2d(inner, outer, 3, **options),
        n=nn.BatchNorm2d(outer),
    )


case("residual channels", lambda: block(16, 32, padding=1), "16x16x16")
case("residual stride", lambda: block(16, 16, padding=1, stride=2), "16x16x16")
case(
    "residual stride and channels",
    lambda: nn.Sequential(conv(3, 16, 3), block(16, 32, padding=1, stride=2)),
    "3x18x18",
)
case("residual without padding", lambda: block(16, 16), "16x16x16")
case(
    "residual of two without padding",
    lambda: Net(lambda s, x: s.b(F.relu(s.a(x))) + x, a=nn.Conv2d(8, 8, 3), b=nn.Conv2d(8, 8, 3)),
    "8x16x16",
)
case(
    "residual with an even kernel",
    lambda: Net(lambda s, x: s.a(x) + x, a=nn.Conv2d(8, 8, 4, padding=1)),
    "8x16x16",
)
case(
    "residual with an even kernel, in place",
    lambda: Net(lambda s, x: s.a(x).add_(x), a=nn.Conv2d(8, 8, 2)),
    "8x16x16",
)
case(
    "residual features",
    lambda: Net(lambda s, x: s.b(F.relu(s.a(x))) + x, a=nn.Linear(16, 32), b=nn.Linear(32, 32)),
    "16",
)
case(
    "dilated without padding",
    lambda: Net(
        lambda s, x: torch.cat([s.a(x), s.b(x)], 1),
        a=nn.Conv2d(3, 8, 3, padding=1),
        b=nn.Conv2d(3, 8, 3, padding=1, dilation=4),
    ),
    "3x20x20",
)
case(
    "inception without padding",
    lambda: Net(
        lambda s, x: torch.cat([s.a(x), s.b(x), s.c(x)], 1),
        a=nn.Conv2d(3, 8, 1),
        b=nn.Conv2d(3, 8, 3),
        c=nn.Conv2d(3, 8, 5),
    ),
    "3x16x16",
)
case(
    "inception with pooling",
    lambda: Net(lambda s, x: torch.cat([s.a(x), F.max_pool2d(x, 2)], 1), a=nn.Conv2d(3, 8, 1)),
    "3x16x16",
)


class Unet(nn.Module):
    def __init__(
        self, up: nn.Module, pool: nn.Module, padding: int = 1, sum_: bool = False
    ) -> None:
        super().__init__()
        self.down, self.middle = (
            nn.Conv2d(3, 8, 3, padding=padding),
            nn.Conv2d(8, 8, 3, padding=padding),
        )
        self.up, self.pool, self.sum_ = up, pool, sum_
        self.out = nn.Conv2d(8 if sum_ else 16, 1, 1)

    def forward(self, x: Tensor) -> Tensor:
        skip = F.relu(self.down(x))
        deep = F.relu(self.middle(self.pool(skip)))
        up = self.up(deep)
        return self.out(up + skip if self.sum_ else torch.cat([up, skip], 1))


case("unet of odd pictures", lambda: Unet(nn.Upsample(scale_factor=2), nn.MaxPool2d(2)), "3x25x25")
case(
    "unet of odd pictures, transposed",
    lambda: Unet(nn.ConvTranspose2d(8, 8, 2, 2), nn.MaxPool2d(2)),
    "3x25x25",
)
case("unet, one odd side", lambda: Unet(nn.ConvTranspose2d(8, 8, 2, 2), nn.MaxPool2d(2)), "3x25x32")
case(
    "unet with sums",
    lambda: Unet(nn.Upsample(scale_factor=2), nn.MaxPool2d(2), sum_=True),
    "3x25x25",
)
case(
    "unet without padding",
    lambda: Unet(nn.Upsample(scale_factor=2), nn.MaxPool2d(2), padding=0),
    "3x32x32",
)
case(
    "unet, strided", lambda: Unet(nn.Upsample(scale_factor=2), nn.Conv2d(8, 8, 3, 2, 1)), "3x27x27"
)
case(
    "transposed 3×3 without output padding",
    lambda: Unet(nn.ConvTranspose2d(8, 8, 3, 2, 1), nn.Conv2d(8, 8, 3, 2, 1)),
    "3x32x32",
)
case(
    "transposed 3×3, sums",
    lambda: Unet(nn.ConvTranspose2d(8, 8, 3, 2, 1), nn.Conv2d(8, 8, 3, 2, 1), sum_=True),
    "3x32x32",
)
case("upsampled by too much", lambda: Unet(nn.Upsample(scale_factor=4), nn.MaxPool2d(2)), "3x32x32")
case(
    "unet of three halvings",
    lambda: Net(
        lambda s, x: s.o(
            torch.cat(
                [
                    F.interpolate(
                        s.d(F.max_pool2d(s.c(F.max_pool2d(s.b(F.max_pool2d(s.a(x), 2)), 2)), 2)),
                        scale_factor=8.0,
                    ),
                    s.a(x),
                ],
                1,
            )
        ),
        a=nn.Conv2d(3, 4, 3, padding=1),
        b=nn.Conv2d(4, 4, 3, padding=1),
        c=nn.Conv2d(4, 4, 3, padding=1),
        d=nn.Conv2d(4, 4, 1),
        o=nn.Conv2d(8, 1, 1),
    ),
    "3x60x60",
)
case(
    "decoder's channels after the skip",
    lambda: Net(
        lambda s, x: s.o(torch.cat([s.a(x), s.b(x)], 1)),
        a=nn.Conv2d(3, 8, 3, padding=1),
        b=nn.Conv2d(3, 8, 1),
        o=nn.Conv2d(8, 1, 1),
    ),
    "3x16x16",
)
case(
    "pyramid of odd maps",
    lambda: Net(
        lambda s, x: (lambda a, b: a + F.interpolate(b, scale_factor=2))(s.a(x), s.b(s.a(x))),
        a=nn.Conv2d(3, 8, 3, 2, 1),
        b=nn.Conv2d(8, 8, 3, 2, 1),
    ),
    "3x50x50",
)
case(
    "stack of unequal maps",
    lambda: Net(
        lambda s, x: torch.stack([s.a(x), s.b(x)]),
        a=nn.Conv2d(3, 8, 3, 2, 1),
        b=nn.Conv2d(3, 8, 3, 4, 1),
    ),
    "3x32x32",
)
case(
    "cat of a vector and a map",
    lambda: Net(lambda s, x: torch.cat([s.c(x), x.mean((2, 3))], 1), c=nn.Conv2d(3, 8, 1)),
    "3x16x16",
)
case(
    "cat along the wrong dimension",
    lambda: Net(lambda s, a, b: s.f(torch.cat([a, b], 1)), f=nn.Linear(12, 2)),
    "10x8",
    "10x4",
)
case(
    "cat along the batch",
    lambda: Net(lambda s, a, b: s.f(torch.cat([a, b])), f=nn.Linear(12, 2)),
    "8",
    "4",
)
# Squeeze and excite, attention of channels.
case(
    "squeeze and excite, flat",
    lambda: Net(
        lambda s, x: x * s.f(F.adaptive_avg_pool2d(x, 1).flatten(1)),
        f=nn.Sequential(nn.Linear(8, 2), nn.ReLU(), nn.Linear(2, 8), nn.Sigmoid()),
    ),
    "8x12x12",
)
case(
    "squeeze and excite, not flat",
    lambda: Net(
        lambda s, x: x * s.f(F.adaptive_avg_pool2d(x, 1)),
        f=nn.Sequential(nn.Linear(8, 2), nn.ReLU(), nn.Linear(2, 8), nn.Sigmoid()),
    ),
    "8x12x12",
)
case(
    "squeeze and excite, mean",
    lambda: Net(lambda s, x: x * torch.sigmoid(s.f(x.mean((2, 3)))), f=nn.Linear(8, 8)),
    "8x12x14",
    batch=3,
)
case(
    "a bias for each channel",
    lambda: Net(lambda s, x: s.c(x) + s.b, c=nn.Conv2d(3, 8, 3), b=nn.Parameter(torch.zeros(8))),
    "3x16x16",
)
case(
    "spatial attention of another size",
    lambda: Net(lambda s, x: x * torch.sigmoid(s.c(x)), c=nn.Conv2d(8, 1, 7)),
    "8x16x16",
)
# Views.
case(
    "generator's view",
    lambda: Net(
        lambda s, z: s.c(s.f(z).view(z.size(0), 16, 7, 7)),
        f=nn.Linear(20, 16 * 8 * 8),
        c=nn.Conv2d(16, 3, 3),
    ),
    "20",
)
case(
    "decoder's unflatten",
    lambda: nn.Sequential(nn.Linear(20, 512), nn.Unflatten(1, (16, 4, 4)), nn.Conv2d(16, 3, 3)),
    "20",
)
case(
    "view after permute",
    lambda: Net(lambda s, x: s.f(x.permute(0, 2, 3, 1).view(x.size(0), -1)), f=nn.Linear(192, 2)),
    "3x8x8",
)
case(
    "view after transpose",
    lambda: Net(lambda s, x: s.f(x.transpose(1, 2).view(x.size(0), -1)), f=nn.Linear(80, 2)),
    "10x8",
)
case(
    "view after channels_last",
    lambda: Net(
        lambda s, x: s.f(s.c(x.to(memory_format=torch.channels_last)).view(x.size(0), -1)),
        c=nn.Conv2d(3, 4, 3),
        f=nn.Linear(784, 2),
    ),
    "3x16x16",
)
case(
    "heads that do not divide",
    lambda: Net(
        lambda s, x: s.q(x).view(x.size(0), x.size(1), 8, 12).transpose(1, 2), q=nn.Linear(100, 100)
    ),
    "10x100",
)
case("permute of a map with 3", lambda: Net(lambda s, x: x.permute(0, 2, 1)), "3x8x8")
case(
    "permute of a sequence with 4",
    lambda: Net(lambda s, x: s.c(x.permute(0, 3, 1, 2)), c=nn.Conv1d(8, 4, 3)),
    "10x8",
)
case("transpose of a missing dimension", lambda: Net(lambda s, x: x.transpose(1, 3)), "10x8")
case(
    "mean of a missing dimension",
    lambda: Net(lambda s, x: s.f(s.c(x).mean(dim=(2, 4))), c=nn.Conv2d(3, 4, 3), f=nn.Linear(4, 2)),
    "3x8x8",
)
case(
    "softmax of a missing dimension",
    lambda: Net(lambda s, x: F.softmax(s.f(x), dim=2), f=nn.Linear(8, 4)),
    "8",
)
case(
    "nn.Softmax of a missing dimension",
    lambda: nn.Sequential(nn.Linear(8, 4), nn.Softmax(dim=2)),
    "8",
)
case(
    "log_softmax of a missing dimension",
    lambda: Net(lambda s, x: F.log_softmax(s.f(x), dim=3), f=nn.Linear(8, 4)),
    "8",
)
case(
    "squeeze of a missing dimension",
    lambda: Net(lambda s, x: s.f(x).squeeze(3), f=nn.Linear(8, 1)),
    "8",
)
case(
    "sort of a missing dimension",
    lambda: Net(lambda s, x: s.f(x).sort(5)[0], f=nn.Linear(8, 4)),
    "8",
)
case(
    "argmax of a missing dimension",
    lambda: Net(lambda s, x: s.f(x).argmax(2), f=nn.Linear(8, 4)),
    "8",
)
case("cumsum of a missing dimension", lambda: Net(lambda s, x: x.cumsum(7)), "8")
case("expand of what is not 1", lambda: Net(lambda s, x: x.expand(4, 5, 8, 8)), "3x8x8")
case(
    "expand of a token",
    lambda: Net(
        lambda s, x: torch.cat([s.t.expand(4, -1, -1), x], 1), t=nn.Parameter(torch.zeros(1, 1, 8))
    ),
    "10x8",
    batch=2,
)
case("repeat with too few", lambda: Net(lambda s, x: x.repeat(2, 2)), "3x8x8")
case("the last of too few", lambda: Net(lambda s, x: s.f(x[:, 20]), f=nn.Linear(8, 2)), "10x8")
case(
    "split that does not add up",
    lambda: Net(lambda s, x: torch.cat(x.split([4, 4], dim=1), 1)),
    "10",
)
# Recurrent layers.
case(
    "LSTM in a Sequential",
    lambda: nn.Sequential(nn.LSTM(8, 16, batch_first=True), nn.Linear(16, 2)),
    "20x8",
)
case(
    "GRU in a Sequential",
    lambda: nn.Sequential(
        nn.Linear(4, 8), nn.GRU(8, 16, batch_first=True), nn.ReLU(), nn.Linear(16, 2)
    ),
    "20x4",
)
case(
    "LSTM's features",
    lambda: Net(
        lambda s, x: s.f(s.r(x)[0][:, -1]), r=nn.LSTM(10, 16, batch_first=True), f=nn.Linear(16, 2)
    ),
    "20x8",
)
case(
    "LSTM given channels first",
    lambda: Net(
        lambda s, x: s.f(s.r(x)[0][:, -1]), r=nn.LSTM(8, 16, batch_first=True), f=nn.Linear(16, 2)
    ),
    "8x20",
)
case(
    "bidirectional forgotten",
    lambda: Net(
        lambda s, x: s.f(s.r(x)[0][:, -1]),
        r=nn.LSTM(8, 16, batch_first=True, bidirectional=True),
        f=nn.Linear(16, 2),
    ),
    "20x8",
)
case(
    "state with the batch first",
    lambda: Net(
        lambda s, x: s.r(x, (torch.zeros(x.size(0), 2, 16), torch.zeros(x.size(0), 2, 16)))[0],
        r=nn.LSTM(8, 16, 2, batch_first=True),
    ),
    "20x8",
    batch=4,
)
case(
    "state of one direction",
    lambda: Net(
        lambda s, x: s.r(x, torch.zeros(1, x.size(0), 16))[0],
        r=nn.GRU(8, 16, batch_first=True, bidirectional=True),
    ),
    "20x8",
)
case(
    "state of one layer",
    lambda: Net(
        lambda s, x: s.r(x, (torch.zeros(1, x.size(0), 16), torch.zeros(1, x.size(0), 16)))[0],
        r=nn.LSTM(8, 16, 3, batch_first=True),
    ),
    "20x8",
)
case(
    "state of a fixed batch",
    lambda: Net(lambda s, x: s.r(x, torch.zeros(1, 4, 16))[0], r=nn.GRU(8, 16, batch_first=True)),
    "20x8",
    batch=4,
)
case(
    "one state for an LSTM",
    lambda: Net(
        lambda s, x: s.r(x, torch.zeros(1, x.size(0), 16))[0], r=nn.LSTM(8, 16, batch_first=True)
    ),
    "20x8",
)
case(
    "map into a GRU",
    lambda: Net(
        lambda s, x: s.r(s.c(x))[0], c=nn.Conv2d(1, 16, 3), r=nn.GRU(16, 8, batch_first=True)
    ),
    "1x16x32",
)
case(
    "LSTM cell's features", lambda: Net(lambda s, x: s.r(x[:, 0])[0], r=nn.LSTMCell(9, 16)), "20x8"
)
case(
    "hidden state of all layers",
    lambda: Net(
        lambda s, x: s.f(s.r(x)[1][0].squeeze(0)),
        r=nn.LSTM(8, 16, batch_first=True),
        f=nn.Linear(32, 2),
    ),
    "20x8",
)
# Products and attention.
case(
    "keys not transposed",
    lambda: Net(
        lambda s, x: (s.q(x) @ s.k(x)).softmax(-1) @ s.v(x),
        q=nn.Linear(16, 16),
        k=nn.Linear(16, 16),
        v=nn.Linear(16, 16),
    ),
    "10x16",
)
case(
    "keys not transposed, bmm",
    lambda: Net(
        lambda s, x: torch.bmm(torch.bmm(s.q(x), s.k(x)).softmax(-1), x),
        q=nn.Linear(16, 8),
        k=nn.Linear(16, 8),
    ),
    "10x16",
)
case(
    "attention of maps",
    lambda: Net(
        lambda s, x: s.q(x).flatten(2) @ s.k(x).flatten(2),
        q=nn.Conv2d(8, 4, 1),
        k=nn.Conv2d(8, 4, 1),
    ),
    "8x6x7",
)
case(
    "bmm with a matrix",
    lambda: Net(lambda s, x: torch.bmm(x, s.w), w=nn.Parameter(torch.zeros(16, 4))),
    "8x16",
)
case(
    "mm with three dimensions",
    lambda: Net(lambda s, x: torch.mm(x, s.w), w=nn.Parameter(torch.zeros(16, 4))),
    "8x16",
)
case(
    "a weight of another size",
    lambda: Net(lambda s, x: x @ s.w, w=nn.Parameter(torch.zeros(8, 4))),
    "16",
)
case(
    "einsum's letters",
    lambda: Net(lambda s, a, b: torch.einsum("bnd,bdm->bnm", a, b)),
    "4x8",
    "5x8",
)
case(
    "attention's features",
    lambda: Net(lambda s, x: s.a(x, x, x)[0], a=nn.MultiheadAttention(96, 8, batch_first=True)),
    "10x100",
)
case(
    "keys of other features",
    lambda: Net(lambda s, a, b: s.a(a, b, b)[0], a=nn.MultiheadAttention(32, 4, batch_first=True)),
    "5x32",
    "7x48",
)
case(
    "attention given channels first",
    lambda: Net(lambda s, x: s.a(x, x, x)[0], a=nn.MultiheadAttention(32, 4, batch_first=True)),
    "32x10",
)
case(
    "attention given a map",
    lambda: Net(lambda s, x: s.a(x, x, x)[0], a=nn.MultiheadAttention(32, 4, batch_first=True)),
    "32x6x6",
)
case(
    "attention in a Sequential",
    lambda: Net(
        lambda s, x: s.n(s.a(x, x, x)),
        a=nn.MultiheadAttention(32, 4, batch_first=True),
        n=nn.LayerNorm(32),
    ),
    "10x32",
)
case(
    "mask for another length",
    lambda: Net(
        lambda s, x: s.a(x, x, x, attn_mask=s.m)[0],
        a=nn.MultiheadAttention(32, 4, batch_first=True),
        m=torch.zeros(12, 12, dtype=torch.bool),
    ),
    "10x32",
)
case(
    "padding mask turned",
    lambda: Net(
        lambda s, x: s.a(
            x, x, x, key_padding_mask=torch.zeros(x.size(1), x.size(0), dtype=torch.bool)
        )[0],
        a=nn.MultiheadAttention(32, 4, batch_first=True),
    ),
    "10x32",
    batch=4,
)
case(
    "padding mask, batch first forgotten",
    lambda: Net(
        lambda s, x: s.a(
            x, x, x, key_padding_mask=torch.zeros(x.size(0), x.size(1), dtype=torch.bool)
        )[0],
        a=nn.MultiheadAttention(32, 4),
    ),
    "10x32",
    batch=4,
)
case(
    "padding mask of keys alone",
    lambda: Net(
        lambda s, x: F.scaled_dot_product_attention(x, x, x, attn_mask=s.m), m=torch.zeros(9, 9)
    ),
    "8x16",
)
case(
    "encoder's features",
    lambda: Net(lambda s, x: s.e(x), e=nn.TransformerEncoderLayer(32, 4, 64, batch_first=True)),
    "10x30",
)
case(
    "stacked encoder's features",
    lambda: Net(
        lambda s, x: s.e(x),
        e=nn.TransformerEncoder(nn.TransformerEncoderLayer(32, 4, 64, batch_first=True), 2),
    ),
    "10x24",
)
case(
    "decoder without memory",
    lambda: Net(
        lambda s, x: s.d(x),
        d=nn.TransformerDecoder(nn.TransformerDecoderLayer(32, 4, 64, batch_first=True), 1),
    ),
    "10x32",
)
case(
    "positions for fewer tokens",
    lambda: Net(
        lambda s, x: s.f(x + s.p), p=nn.Parameter(torch.zeros(1, 50, 8)), f=nn.Linear(8, 2)
    ),
    "10x8",
)
case(
    "positions for another picture",
    lambda: Net(
        lambda s, x: s.c(x).flatten(2).transpose(1, 2) + s.p,
        c=nn.Conv2d(3, 16, 8, 8),
        p=nn.Parameter(torch.zeros(1, 16, 16)),
    ),
    "3x64x64",
)
case(
    "positions without the class token",
    lambda: Net(
        lambda s, x: (
            torch.cat([s.t.expand(x.size(0), -1, -1), s.c(x).flatten(2).transpose(1, 2)], 1) + s.p
        ),
        c=nn.Conv2d(3, 16, 8, 8),
        t=nn.Parameter(torch.zeros(1, 1, 16)),
        p=nn.Parameter(torch.zeros(1, 16, 16)),
    ),
    "3x32x32",
)
case(
    "heads of unequal keys",
    lambda: Net(lambda s, q, k: F.scaled_dot_product_attention(q, k, k)),
    "4x10x16",
    "10x4x16",
)
# Types and what is given.
case("bytes", lambda: nn.Sequential(conv(3, 8, 3), conv(8, 8, 3)), "3x16x16:uint8")
case("double precision", lambda: nn.Sequential(conv(3, 8, 3), conv(8, 8, 3)), "3x16x16:float64")
case("whole numbers into a linear layer", lambda: nn.Sequential(nn.Linear(8, 4)), "8:int64")
case(
    "numbers into an embedding",
    lambda: Net(lambda s, x: s.f(s.e(x).mean(1)), e=nn.Embedding(9, 4), f=nn.Linear(4, 2)),
    "6",
)
case("a half net", lambda: nn.Sequential(nn.Conv2d(3, 8, 3)).half(), "3x16x16")
case("a double net", lambda: nn.Sequential(nn.Linear(8, 4)).double(), "8")
case("half inside", lambda: Net(lambda s, x: s.f(x.half()), f=nn.Linear(8, 4)), "8")
case("double inside", lambda: Net(lambda s, x: torch.bmm(x, x.mT.double())), "8x4")
case(
    "complex into a convolution",
    lambda: Net(lambda s, x: s.c(torch.fft.fft2(x)), c=nn.Conv2d(3, 4, 3)),
    "3x8x8",
)
case(
    "forward without return",
    lambda: Net(lambda s, x: s.f(s.b(x)), b=NoReturn(), f=nn.Conv2d(8, 4, 1)),
    "3x8x8",
)
case(
    "one picture in training",
    lambda: nn.Sequential(conv(3, 8, 3), nn.AdaptiveAvgPool2d(1), nn.BatchNorm2d(8)),
    "3x8x8",
    training=True,
)
case("two inputs for one", lambda: Mlp(8), "8", "8")
# Losses.
case(
    "mse of unequal maps",
    lambda: Net(
        lambda s, x: F.mse_loss(s.u(s.c(x)), x),
        c=nn.Conv2d(3, 8, 3, 2, 1),
        u=nn.ConvTranspose2d(8, 3, 3, 2, 1),
    ),
    "3x28x28",
)
case(
    "binary target without its column",
    lambda: Net(lambda s, x, y: F.binary_cross_entropy_with_logits(s.f(x), y), f=nn.Linear(8, 1)),
    "8",
    ":float32",
)
case(
    "binary target of whole numbers",
    lambda: Net(lambda s, x, y: F.binary_cross_entropy_with_logits(s.f(x), y), f=nn.Linear(8, 1)),
    "8",
    "1:int64",
)
case(
    "class target as a column",
    lambda: Net(lambda s, x, y: F.cross_entropy(s.f(x), y), f=nn.Linear(8, 4)),
    "8",
    "1:int64",
)
case(
    "class target of floats",
    lambda: Net(lambda s, x, y: F.cross_entropy(s.f(x), y), f=nn.Linear(8, 4)),
    "8",
    ":float32",
)
case(
    "class target of every token",
    lambda: Net(lambda s, x, y: F.cross_entropy(s.f(x), y), f=nn.Linear(8, 4)),
    "10x8",
    "10:int64",
)
case(
    "mask of another size",
    lambda: Net(lambda s, x, y: F.cross_entropy(s.c(x), y), c=nn.Conv2d(3, 4, 3)),
    "3x16x16",
    "16x16:int64",
)
case(
    "mask with its channel",
    lambda: Net(lambda s, x, y: F.cross_entropy(s.c(x), y), c=nn.Conv2d(3, 4, 3, padding=1)),
    "3x16x16",
    "1x16x16:int64",
)
case(
    "regression of three numbers",
    lambda: Net(lambda s, x, y: F.mse_loss(s.f(x), y), f=nn.Linear(8, 2)),
    "8",
    "3",
)


class NoReturn(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.c = nn.Conv2d(3, 8, 3)

    def forward(self, x: Tensor) -> None:
        x = self.c(x)
