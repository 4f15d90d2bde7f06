"""Patches, heads of other people's nets, skips, and what lies beside a picture."""

# ruff: noqa: E501, F401, B905, RUF059 - as learners write it
# mypy: disable-error-code="operator, index, list-item"

import torch
import torch.nn.functional as F
import torchvision
from torch import Tensor, nn

from explain_nets.mended import Mended  # type: ignore[import-not-found]

case = Mended()
CASES = case.cases


class Rows(nn.Linear):
    def forward(self, x):
        return super().forward(x.flatten(1))


@case("3x32x32", mend={"nn.LayerNorm([64, dim])": "nn.LayerNorm([65, dim])"})
class NormOfTokensWithoutClass(nn.Module):
    """A norm of sixty-four tokens, after the class token has come."""

    def __init__(self, dim=48):
        super().__init__()
        self.patch_embed = nn.Conv2d(3, dim, 4, 4)
        self.cls = nn.Parameter(torch.zeros(1, 1, dim))
        self.norm = nn.LayerNorm([64, dim])
        self.head = nn.Linear(dim, 10)

    def forward(self, x):
        x = self.patch_embed(x).flatten(2).transpose(1, 2)
        x = torch.cat([self.cls.expand(x.size(0), -1, -1), x], 1)
        x = self.norm(x)
        return self.head(x[:, 0])


@case("3x32x32", mend={"num_patches + 1, dim": "num_patches + 2, dim"})
class DistilledTokens(nn.Module):
    """A second token, for which there is no position."""

    def __init__(self, dim=48, patch=8):
        super().__init__()
        num_patches = (32 // patch) ** 2
        self.patch = nn.Conv2d(3, dim, patch, patch)
        self.cls_token = nn.Parameter(torch.randn(1, 1, dim))
        self.dist_token = nn.Parameter(torch.randn(1, 1, dim))
        self.pos_embed = nn.Parameter(torch.randn(1, num_patches + 1, dim))
        self.block = nn.TransformerEncoderLayer(dim, 4, 96, dropout=0.0, batch_first=True)
        self.head = nn.Linear(dim, 10)
        self.head_dist = nn.Linear(dim, 10)

    def forward(self, x):
        b = x.shape[0]
        x = self.patch(x).flatten(2).transpose(1, 2)
        cls, dist = self.cls_token.expand(b, -1, -1), self.dist_token.expand(b, -1, -1)
        x = torch.cat((cls, dist, x), dim=1)
        x = self.block(x + self.pos_embed)
        return (self.head(x[:, 0]) + self.head_dist(x[:, 1])) / 2


@case("3x32x32", mend={"flatten(1)": "flatten(2).transpose(1, 2)"})
class TokensInOneRow(nn.Module):
    """Patches and features in one row."""

    def __init__(self, dim=64):
        super().__init__()
        self.proj = nn.Conv2d(3, dim, kernel_size=8, stride=8)
        layer = nn.TransformerEncoderLayer(dim, nhead=4, dim_feedforward=128, batch_first=True)
        self.encoder = nn.TransformerEncoder(layer, 2)
        self.fc = nn.Linear(dim, 10)

    def forward(self, x):
        x = self.proj(x).flatten(1)
        x = self.encoder(x)
        return self.fc(x.mean(1))


@case("3x64x64", mend={"nn.Linear(768, 5)": "Rows(768, 5)"})
class ConvNextHead(nn.Module):
    """The head that was replaced had a Flatten within."""

    def __init__(self):
        super().__init__()
        self.net = torchvision.models.convnext_tiny(weights=None)
        self.net.classifier = nn.Linear(768, 5)

    def forward(self, x):
        return self.net(x)


@case("3x64x64", mend={"nn.Linear(512, 5)": "nn.Conv2d(512, 5, 1)"})
class SqueezeNetHead(nn.Module):
    """The last layer is a convolution there."""

    def __init__(self):
        super().__init__()
        self.net = torchvision.models.squeezenet1_1(weights=None)
        self.net.classifier[1] = nn.Linear(512, 5)

    def forward(self, x):
        return self.net(x)


@case("3x64x64", mend={"self.model(x)": 'self.model(x)["out"]'})
class SegmenterGivesADict(nn.Module):
    """torchvision's segmenters give a dict."""

    def __init__(self):
        super().__init__()
        self.model = torchvision.models.segmentation.lraspp_mobilenet_v3_large(
            weights=None, weights_backbone=None, num_classes=4
        )

    def forward(self, x):
        out = self.model(x)
        return torch.softmax(out, dim=1)


def double(cin, cout):
    return nn.Sequential(nn.Conv2d(cin, cout, 3, padding=1), nn.ReLU())


@case(
    "3x64x64",
    mend={"in zip(self.ups, self.decs, skips)": "in zip(self.ups, self.decs, skips[::-1])"},
)
class SkipsNotReversed(nn.Module):
    """Skips in the order they were made."""

    def __init__(self, chs=(16, 32, 64)):
        super().__init__()
        self.encs = nn.ModuleList([double(3, 16), double(16, 32), double(32, 64)])
        self.mid = double(64, 128)
        self.ups = nn.ModuleList([nn.ConvTranspose2d(c * 2, c, 2, 2) for c in chs[::-1]])
        self.decs = nn.ModuleList([double(c * 2, c) for c in chs[::-1]])
        self.out = nn.Conv2d(16, 1, 1)

    def forward(self, x):
        skips = []
        for enc in self.encs:
            x = enc(x)
            skips.append(x)
            x = F.max_pool2d(x, 2)
        x = self.mid(x)
        for up, dec, skip in zip(self.ups, self.decs, skips):
            x = dec(torch.cat([up(x), skip], dim=1))
        return self.out(x)


@case("3x32x32", mend={"nn.BatchNorm2d(64)": "nn.BatchNorm2d(16)"})
class NormAfterShuffle(nn.Module):
    """The shuffle has taken three quarters of the channels."""

    def __init__(self):
        super().__init__()
        self.body = nn.Sequential(
            nn.Conv2d(3, 64, 3, padding=1), nn.PixelShuffle(2), nn.BatchNorm2d(64), nn.PReLU()
        )
        self.tail = nn.Conv2d(16, 3, 9, padding=4)

    def forward(self, x):
        return self.tail(self.body(x))


@case("3x32x32", "3x32x32", mend={"dim=2": "dim=1"})
class FramesOneAboveTheOther(nn.Module):
    """Two frames for optical flow, put along the wrong dimension."""

    def __init__(self):
        super().__init__()
        self.conv1 = nn.Conv2d(6, 16, 7, stride=2, padding=3)
        self.conv2 = nn.Conv2d(16, 32, 5, stride=2, padding=2)
        self.flow = nn.Conv2d(32, 2, 3, padding=1)

    def forward(self, one, two):
        x = torch.cat([one, two], dim=2)
        return self.flow(F.relu(self.conv2(F.relu(self.conv1(x)))))


@case(
    "3x32x32", "32x32", mend={"torch.cat([rgb, depth], 1)": "torch.cat([rgb, depth[:, None]], 1)"}
)
class DepthWithoutChannel(nn.Module):
    """A depth map of two dimensions beside a picture of three."""

    def __init__(self):
        super().__init__()
        self.stem = nn.Conv2d(4, 16, 3, 2, 1)
        self.head = nn.Linear(16, 3)

    def forward(self, rgb, depth):
        x = torch.cat([rgb, depth], 1)
        return self.head(F.relu(self.stem(x)).mean((2, 3)))


@case(
    "3x24x32",
    mend={
        "torch.cat([x, yy, xx], 1)": "torch.cat([x, yy.expand(n, 1, h, w), xx.expand(n, 1, h, w)], 1)"
    },
)
class CoordConv(nn.Module):
    """Coordinates that have no batch and no channel."""

    def __init__(self):
        super().__init__()
        self.conv = nn.Conv2d(5, 16, 3, padding=1)

    def forward(self, x):
        n, c, h, w = x.shape
        yy, xx = torch.meshgrid(torch.linspace(-1, 1, h), torch.linspace(-1, 1, w), indexing="ij")
        x = torch.cat([x, yy, xx], 1)
        return self.conv(x)


@case(
    "3x32x32",
    mend={
        "F.conv2d(x, self.kernel, stride=2, padding=1, groups=x.size(1))": "F.conv2d(x, self.kernel.repeat(x.size(1), 1, 1, 1), stride=2, padding=1, groups=x.size(1))"
    },
)
class BlurOfChannels(nn.Module):
    """One kernel for sixteen groups."""

    def __init__(self):
        super().__init__()
        self.conv = nn.Conv2d(3, 16, 3, padding=1)
        row = torch.tensor([1.0, 2.0, 1.0]) / 4
        self.register_buffer("kernel", (row[:, None] * row[None, :])[None, None])
        self.fc = nn.Linear(16, 10)

    def forward(self, x):
        x = F.relu(self.conv(x))
        x = F.conv2d(x, self.kernel, stride=2, padding=1, groups=x.size(1))
        return self.fc(x.mean((2, 3)))


@case("3x32x32", mend={"torch.stack([a, b, c], 1)": "torch.cat([a, b, c], 1)"})
class StackedBranches(nn.Module):
    """stack makes a dimension where cat was meant."""

    def __init__(self):
        super().__init__()
        self.b1 = nn.Conv2d(3, 8, 1)
        self.b3 = nn.Conv2d(3, 8, 3, padding=1)
        self.b5 = nn.Conv2d(3, 8, 5, padding=2)
        self.mix = nn.Conv2d(24, 16, 1)

    def forward(self, x):
        a, b, c = self.b1(x), self.b3(x), self.b5(x)
        return self.mix(F.relu(torch.stack([a, b, c], 1)))
