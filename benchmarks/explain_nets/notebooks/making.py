"""Nets that change pictures or make them of noise: styles, diffusion, larger pictures."""

# ruff: noqa: E501, F401 - as learners write it
# mypy: disable-error-code="operator, index, list-item"

import math

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from explain_nets.mended import Mended  # type: ignore[import-not-found]

case = Mended()
CASES = case.cases


class ResidualBlock(nn.Module):
    def __init__(self, ch):
        super().__init__()
        self.block = nn.Sequential(
            nn.ReflectionPad2d(1), nn.Conv2d(ch, ch, 3), nn.InstanceNorm2d(ch), nn.ReLU(True),
            nn.Conv2d(ch, ch, 3), nn.InstanceNorm2d(ch),
        )  # fmt: skip

    def forward(self, x):
        return x + self.block(x)


@case(
    "3x48x48",
    mend={
        "nn.ReLU(True),\n            nn.Conv2d(ch, ch, 3)": "nn.ReLU(True),\n            nn.Conv2d(ch, ch, 3, padding=1)"
    },
    parts=(ResidualBlock,),
)
class CycleGanBlocks(nn.Module):
    """A residual block of CycleGAN in which one of two paddings was left out."""

    def __init__(self):
        super().__init__()
        self.head = nn.Conv2d(3, 16, 7, padding=3)
        self.blocks = nn.Sequential(*[ResidualBlock(16) for _ in range(3)])
        self.tail = nn.Conv2d(16, 3, 7, padding=3)

    def forward(self, x):
        return torch.tanh(self.tail(self.blocks(self.head(x))))


@case(
    "3x32x32",
    "64",
    mend={"self.fc(s).chunk(2, dim=1)": "self.fc(s)[:, :, None, None].chunk(2, dim=1)"},
)
class AdaIn(nn.Module):
    """Scales and shifts of a style, N×C, for a map."""

    def __init__(self, ch=20):
        super().__init__()
        self.conv = nn.Conv2d(3, ch, 3, padding=1)
        self.norm = nn.InstanceNorm2d(ch)
        self.fc = nn.Linear(64, ch * 2)
        self.to_rgb = nn.Conv2d(ch, 3, 1)

    def forward(self, x, s):
        gamma, beta = self.fc(s).chunk(2, dim=1)
        x = (1 + gamma) * self.norm(self.conv(x)) + beta
        return self.to_rgb(x)


@case(
    "1x24x24",
    mend={"nn.Conv2d(32, upscale, 3, padding=1)": "nn.Conv2d(32, upscale**2, 3, padding=1)"},
)
class SubPixel(nn.Module):
    """A picture of 3× the side takes nine channels for each of its own."""

    def __init__(self, upscale=3):
        super().__init__()
        self.conv1 = nn.Conv2d(1, 32, 5, padding=2)
        self.conv2 = nn.Conv2d(32, upscale, 3, padding=1)
        self.pixel_shuffle = nn.PixelShuffle(upscale)

    def forward(self, x):
        return self.pixel_shuffle(self.conv2(torch.tanh(self.conv1(x))))


class Block(nn.Module):
    def __init__(self, dim, dim_out, time_dim):
        super().__init__()
        self.mlp = nn.Linear(time_dim, dim_out)
        self.conv1 = nn.Conv2d(dim, dim_out, 3, padding=1)
        self.conv2 = nn.Conv2d(dim_out, dim_out, 3, padding=1)

    def forward(self, x, t):
        h = F.silu(self.conv1(x))
        h = h + self.mlp(F.silu(t))
        return self.conv2(h)


@case(
    "3x32x32",
    "40",
    mend={"self.mlp(F.silu(t))": "self.mlp(F.silu(t))[:, :, None, None]"},
    parts=(Block,),
)
class DiffusionTime(nn.Module):
    """A diffusion net adds the time's features to each place."""

    def __init__(self):
        super().__init__()
        self.b1 = Block(3, 24, 40)
        self.b2 = Block(24, 48, 40)
        self.out = nn.Conv2d(48, 3, 1)

    def forward(self, x, t):
        x = self.b1(x, t)
        x = self.b2(x, t)
        return self.out(x)


@case("", mend={"t * freqs": "t[:, None] * freqs[None]"})
class TimeEmbedding(nn.Module):
    """Each time times each frequency."""

    def __init__(self, dim=32):
        super().__init__()
        self.dim = dim
        self.mlp = nn.Sequential(nn.Linear(dim, 64), nn.SiLU(), nn.Linear(64, 64))

    def forward(self, t):
        half = self.dim // 2
        freqs = torch.exp(-math.log(10000) * torch.arange(half) / half)
        args = t * freqs
        emb = torch.cat([args.sin(), args.cos()], dim=-1)
        return self.mlp(emb)


@case("3x40x40", mend={"f @ f.t()": "f @ f.transpose(1, 2)"})
class GramMatrix(nn.Module):
    """Style loss' Gram matrix of a batch."""

    def __init__(self):
        super().__init__()
        self.vgg = nn.Sequential(
            nn.Conv2d(3, 16, 3, padding=1), nn.ReLU(), nn.Conv2d(16, 16, 3, 2, 1)
        )

    def forward(self, x):
        b, c, h, w = self.vgg(x).shape
        f = self.vgg(x).view(b, c, h * w)
        gram = f @ f.t()
        return gram / (c * h * w)
