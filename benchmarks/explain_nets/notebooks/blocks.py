"""Blocks of nets for pictures: depthwise, squeeze-and-excite, shuffles, attention."""

# ruff: noqa: F401 - as learners write it
# mypy: disable-error-code="operator, index, list-item"

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from explain_nets.mended import Mended  # type: ignore[import-not-found]

case = Mended()
CASES = case.cases


class InvertedResidual(nn.Module):
    def __init__(self, inp, oup, stride, expand):
        super().__init__()
        hidden = inp * expand
        self.use_res = stride == 1 and inp == oup
        self.conv = nn.Sequential(
            nn.Conv2d(inp, hidden, 1, bias=False),
            nn.BatchNorm2d(hidden),
            nn.ReLU6(inplace=True),
            nn.Conv2d(hidden, hidden, 3, stride, 1, groups=oup, bias=False),
            nn.BatchNorm2d(hidden),
            nn.ReLU6(inplace=True),
            nn.Conv2d(hidden, oup, 1, bias=False),
            nn.BatchNorm2d(oup),
        )

    def forward(self, x):
        return x + self.conv(x) if self.use_res else self.conv(x)


@case("3x64x64", mend={"groups=oup": "groups=hidden"}, parts=(InvertedResidual,))
class DepthwiseByOutputs(nn.Module):
    """MobileNetV2's depthwise convolution with the groups of the outputs."""

    def __init__(self):
        super().__init__()
        self.stem = nn.Conv2d(3, 16, 3, 2, 1)
        self.blocks = nn.Sequential(InvertedResidual(16, 20, 2, 4), InvertedResidual(20, 20, 1, 4))
        self.head = nn.Linear(20, 3)

    def forward(self, x):
        x = self.blocks(self.stem(x))
        return self.head(x.mean((2, 3)))


@case("3x48x48", mend={"kernel_size=1, groups=32)": "kernel_size=1)"})
class PointwiseInGroups(nn.Module):
    """The pointwise half of a separable convolution got the groups of the depthwise half."""

    def __init__(self):
        super().__init__()
        self.stem = nn.Conv2d(3, 32, 3, 2, 1)
        self.depthwise = nn.Conv2d(32, 32, kernel_size=3, padding=1, groups=32)
        self.pointwise = nn.Conv2d(32, 80, kernel_size=1, groups=32)
        self.fc = nn.Linear(80, 6)

    def forward(self, x):
        x = self.stem(x)
        x = F.relu(self.pointwise(self.depthwise(x)))
        return self.fc(x.mean((2, 3)))


class SELayer(nn.Module):
    def __init__(self, channel, reduction=16):
        super().__init__()
        self.avg_pool = nn.AdaptiveAvgPool2d(1)
        self.fc = nn.Sequential(
            nn.Linear(channel, channel // reduction, bias=False),
            nn.ReLU(inplace=True),
            nn.Linear(channel // reduction, channel, bias=False),
            nn.Sigmoid(),
        )

    def forward(self, x):
        b, c, _, _ = x.size()
        y = self.avg_pool(x)
        y = self.fc(y).view(b, c, 1, 1)
        return x * y.expand_as(x)


@case("3x32x32", mend={"self.avg_pool(x)\n": "self.avg_pool(x).view(b, c)\n"}, parts=(SELayer,))
class SqueezeNotFlat(nn.Module):
    """Squeeze-and-excite's linear layers behind a pooling that keeps 1×1."""

    def __init__(self):
        super().__init__()
        self.conv = nn.Conv2d(3, 64, 3, padding=1)
        self.se = SELayer(64)
        self.fc = nn.Linear(64, 10)

    def forward(self, x):
        x = self.se(F.relu(self.conv(x)))
        return self.fc(x.mean((2, 3)))


@case(
    "3x40x40",
    mend={
        "s = self.fc2(F.relu(self.fc1(s)))": "s = self.fc2(F.relu(self.fc1(s)))[:, :, None, None]"
    },
)
class ExciteFlat(nn.Module):
    """Weights of channels, N×C, times a map."""

    def __init__(self):
        super().__init__()
        self.conv1 = nn.Conv2d(3, 48, 3, stride=2)
        self.fc1 = nn.Linear(48, 12)
        self.fc2 = nn.Linear(12, 48)
        self.out = nn.Linear(48, 4)

    def forward(self, x):
        x = self.conv1(x)
        s = x.mean(dim=(2, 3))
        s = self.fc2(F.relu(self.fc1(s)))
        x = x * torch.sigmoid(s)
        return self.out(F.adaptive_max_pool2d(x, 1).flatten(1))


@case(
    "3x56x56",
    mend={"x.view(b, self.groups, c, h, w)": "x.view(b, self.groups, c // self.groups, h, w)"},
)
class ChannelShuffle(nn.Module):
    """ShuffleNet's shuffle, where the groups were not divided out."""

    def __init__(self, groups=4):
        super().__init__()
        self.groups = groups
        self.conv1 = nn.Conv2d(3, 32, 3, 2, 1)
        self.conv2 = nn.Conv2d(32, 32, 1, groups=groups)
        self.fc = nn.Linear(32, 10)

    def shuffle(self, x):
        b, c, h, w = x.shape
        x = x.view(b, self.groups, c, h, w)
        return x.transpose(1, 2).reshape(b, c, h, w)

    def forward(self, x):
        x = self.conv2(self.shuffle(self.conv1(x)))
        return self.fc(F.relu(x).mean((2, 3)))


@case(
    "1x32x32",
    mend={
        "nn.Linear(10 * 3 * 3, 32)": "nn.Linear(10 * 4 * 4, 32)",
        "view(-1, 10 * 3 * 3)": "view(-1, 10 * 4 * 4)",
    },
)
class SpatialTransformer(nn.Module):
    """The tutorial's localisation net, for pictures of 28×28."""

    def __init__(self):
        super().__init__()
        self.localization = nn.Sequential(
            nn.Conv2d(1, 8, 7), nn.MaxPool2d(2, 2), nn.ReLU(True),
            nn.Conv2d(8, 10, 5), nn.MaxPool2d(2, 2), nn.ReLU(True),
        )  # fmt: skip
        self.fc_loc = nn.Sequential(nn.Linear(10 * 3 * 3, 32), nn.ReLU(True), nn.Linear(32, 6))
        self.conv = nn.Conv2d(1, 16, 3)
        self.fc = nn.Linear(16, 10)

    def forward(self, x):
        xs = self.localization(x)
        xs = xs.view(-1, 10 * 3 * 3)
        theta = self.fc_loc(xs).view(-1, 2, 3)
        grid = F.affine_grid(theta, x.size(), align_corners=False)
        x = F.grid_sample(x, grid, align_corners=False)
        return self.fc(F.relu(self.conv(x)).mean((2, 3)))


@case("3x32x32", mend={"self.gamma * x": "self.gamma[:, None, None] * x"})
class LayerScale(nn.Module):
    """ConvNeXt's scale of each channel, over a map with its channels first."""

    def __init__(self, dim=24):
        super().__init__()
        self.stem = nn.Conv2d(3, dim, 4, 4)
        self.dwconv = nn.Conv2d(dim, dim, 7, padding=3, groups=dim)
        self.norm = nn.BatchNorm2d(dim)
        self.pw = nn.Conv2d(dim, dim, 1)
        self.gamma = nn.Parameter(1e-2 * torch.ones(dim))
        self.head = nn.Linear(dim, 7)

    def forward(self, x):
        x = self.stem(x)
        skip = x
        x = self.pw(F.gelu(self.norm(self.dwconv(x))))
        x = self.gamma * x
        x = skip + x
        return self.head(x.mean((2, 3)))


@case("3x64x64", mend={"torch.matmul(theta, phi)": "torch.matmul(theta.permute(0, 2, 1), phi)"})
class NonLocal(nn.Module):
    """Each place against each other place, with the channels in the way."""

    def __init__(self, channels=32):
        super().__init__()
        self.stem = nn.Conv2d(3, channels, 5, 4, 2)
        self.theta = nn.Conv2d(channels, channels // 2, 1)
        self.phi = nn.Conv2d(channels, channels // 2, 1)
        self.g = nn.Conv2d(channels, channels // 2, 1)
        self.W = nn.Conv2d(channels // 2, channels, 1)
        self.fc = nn.Linear(channels, 5)

    def forward(self, x):
        x = self.stem(x)
        b, c, h, w = x.size()
        theta = self.theta(x).view(b, c // 2, -1)
        phi = self.phi(x).view(b, c // 2, -1)
        g = self.g(x).view(b, c // 2, -1).permute(0, 2, 1)
        f = F.softmax(torch.matmul(theta, phi), dim=-1)
        y = torch.matmul(f, g).permute(0, 2, 1).contiguous().view(b, c // 2, h, w)
        return self.fc((self.W(y) + x).mean((2, 3)))
