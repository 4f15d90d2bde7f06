"""Classifiers, blocks and heads of pictures."""

# ruff: noqa: E501 - as learners write it
# mypy: disable-error-code="operator, index, list-item"

import torch
import torch.nn.functional as F
import torchvision
from torch import nn

from explain_nets.mended import Mended  # type: ignore[import-not-found]

case = Mended()
CASES = case.cases


@case("1x28x28", mend={"nn.Linear(64 * 5 * 5, 128)": "nn.Linear(64 * 7 * 7, 128)"})
class DigitsWithPadding(nn.Module):
    """The first size was worked out for convolutions without padding."""

    def __init__(self):
        super().__init__()
        self.conv1 = nn.Conv2d(1, 32, 3, padding=1)
        self.conv2 = nn.Conv2d(32, 64, 3, padding=1)
        self.fc1 = nn.Linear(64 * 5 * 5, 128)
        self.fc2 = nn.Linear(128, 10)

    def forward(self, x):
        x = F.max_pool2d(F.relu(self.conv1(x)), 2)
        x = F.max_pool2d(F.relu(self.conv2(x)), 2)
        x = x.view(x.size(0), -1)
        return self.fc2(F.dropout(F.relu(self.fc1(x)), 0.5, self.training))


@case("3x32x32", mend={"nn.BatchNorm2d(in_ch)": "nn.BatchNorm2d(out_ch)"})
class NormOfTheWrongSide(nn.Module):
    """A stack made in a loop, whose norms count the channels that come in."""

    def __init__(self):
        super().__init__()
        layers = []
        in_ch = 3
        for out_ch in (16, 32, 64):
            layers += [
                nn.Conv2d(in_ch, out_ch, 3, padding=1),
                nn.BatchNorm2d(in_ch),
                nn.ReLU(),
                nn.MaxPool2d(2),
            ]
            in_ch = out_ch
        self.features = nn.Sequential(*layers)
        self.head = nn.Linear(64, 10)

    def forward(self, x):
        return self.head(self.features(x).mean((2, 3)))


class Bottleneck(nn.Module):
    def __init__(self, channels, narrow, stride=1):
        super().__init__()
        self.a = nn.Conv2d(channels, narrow, 1)
        self.b = nn.Conv2d(narrow, narrow, 3, stride, 1)
        self.c = nn.Conv2d(narrow, narrow * 4, 1)
        self.shortcut = nn.Sequential()
        if stride != 1:
            self.shortcut = nn.Conv2d(channels, narrow * 4, 1, stride)

    def forward(self, x):
        y = self.c(F.relu(self.b(F.relu(self.a(x)))))
        return F.relu(y + self.shortcut(x))


@case(
    "3x64x64",
    mend={"if stride != 1:": "if stride != 1 or channels != narrow * 4:"},
    parts=[Bottleneck],
)
class ShortcutForStridesAlone(nn.Module):
    """The shortcut is projected where it is strided, and not where it grows wider."""

    def __init__(self):
        super().__init__()
        self.stem = nn.Conv2d(3, 64, 7, 2, 3)
        self.layers = nn.Sequential(
            Bottleneck(64, 64), Bottleneck(256, 64), Bottleneck(256, 128, 2)
        )
        self.fc = nn.Linear(512, 10)

    def forward(self, x):
        return self.fc(F.adaptive_avg_pool2d(self.layers(self.stem(x)), 1).flatten(1))


class ChannelAttention(nn.Module):
    def __init__(self, channels, ratio=8):
        super().__init__()
        self.mlp = nn.Sequential(
            nn.Linear(channels, channels // ratio),
            nn.ReLU(),
            nn.Linear(channels // ratio, channels),
        )

    def forward(self, x):
        mean = self.mlp(F.adaptive_avg_pool2d(x, 1))
        most = self.mlp(F.adaptive_max_pool2d(x, 1))
        return x * torch.sigmoid(mean + most)


@case(
    "3x48x48",
    mend={
        "nn.Linear(channels, channels // ratio)": "nn.Conv2d(channels, channels // ratio, 1)",
        "nn.Linear(channels // ratio, channels)": "nn.Conv2d(channels // ratio, channels, 1)",
    },
    parts=[ChannelAttention],
)
class AttentionOfChannelsByLinear(nn.Module):
    """CBAM's shared MLP made of linear layers, given maps of 1×1."""

    def __init__(self):
        super().__init__()
        self.conv = nn.Conv2d(3, 32, 3, 2, 1)
        self.attention = ChannelAttention(32)
        self.head = nn.Linear(32, 6)

    def forward(self, x):
        return self.head(self.attention(F.relu(self.conv(x))).mean((2, 3)))


@case(
    "3x40x40",
    mend={
        "torch.max(x, dim=1)": "torch.max(x, dim=1, keepdim=True)[0]",
        "torch.mean(x, dim=1)": "torch.mean(x, dim=1, keepdim=True)",
    },
)
class AttentionOfPlaces(nn.Module):
    """CBAM's other half: the maximum comes with its places, and both lose a dimension."""

    def __init__(self):
        super().__init__()
        self.conv = nn.Conv2d(3, 24, 3, padding=1)
        self.gate = nn.Conv2d(2, 1, 7, padding=3)
        self.head = nn.Linear(24, 5)

    def forward(self, x):
        x = F.relu(self.conv(x))
        both = torch.cat([torch.mean(x, dim=1), torch.max(x, dim=1)], dim=1)
        x = x * torch.sigmoid(self.gate(both))
        return self.head(x.mean((2, 3)))


@case(
    "3x32x32",
    mend={
        "nn.Conv2d(48, 96, 3, padding=1, groups=48)": "nn.Conv2d(48, 48, 3, padding=1, groups=48)"
    },
)
class DepthwiseThatWidens(nn.Module):
    """A separable convolution whose depthwise half gives twice the channels."""

    def __init__(self):
        super().__init__()
        self.stem = nn.Conv2d(3, 48, 3, 2, 1)
        self.depth = nn.Conv2d(48, 96, 3, padding=1, groups=48)
        self.norm = nn.BatchNorm2d(48)
        self.point = nn.Conv2d(48, 96, 1)
        self.head = nn.Linear(96, 10)

    def forward(self, x):
        x = F.relu(self.norm(self.depth(self.stem(x))))
        return self.head(F.relu(self.point(x)).mean((2, 3)))


@case("3x32x32", mend={"groups=64": "groups=32"})
class DepthwiseOfTheNextWidth(nn.Module):
    """The groups are those of the width behind it."""

    def __init__(self):
        super().__init__()
        self.stem = nn.Conv2d(3, 32, 3, padding=1)
        self.depth = nn.Conv2d(32, 32, 3, padding=1, groups=64)
        self.point = nn.Conv2d(32, 64, 1)
        self.head = nn.Linear(64, 10)

    def forward(self, x):
        return self.head(self.point(F.relu6(self.depth(self.stem(x)))).mean((2, 3)))


@case("3x16x16", mend={"nn.Conv2d(64, 128, 5)": "nn.Conv2d(64, 128, 5, padding=2)"})
class PooledTooOften(nn.Module):
    """A net of larger pictures on small ones: the last window is larger than the map."""

    def __init__(self):
        super().__init__()
        self.features = nn.Sequential(
            nn.Conv2d(3, 32, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2),
            nn.Conv2d(32, 64, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2),
            nn.Conv2d(64, 128, 5), nn.ReLU(), nn.AdaptiveAvgPool2d(1),
        )  # fmt: skip
        self.head = nn.Linear(128, 4)

    def forward(self, x):
        return self.head(self.features(x).flatten(1))


@case("3x64x64", mend={"nn.Linear(512, 20)": "nn.Linear(1280, 20)"})
class HeadOfAnotherBackbone(nn.Module):
    """The head was made for ResNet-18, and the backbone is a MobileNet now."""

    def __init__(self):
        super().__init__()
        self.backbone = torchvision.models.mobilenet_v2(weights=None)
        self.backbone.classifier = nn.Identity()
        self.head = nn.Sequential(nn.Dropout(0.3), nn.Linear(512, 20))

    def forward(self, x):
        return self.head(self.backbone(x))


@case("3x64x64", mend={"list(net.children())[:-2]": "list(net.children())[:-1]"})
class OneChildTooFew(nn.Module):
    """The pooling was cut off with the head."""

    def __init__(self):
        super().__init__()
        net = torchvision.models.resnet18(weights=None)
        self.body = nn.Sequential(*list(net.children())[:-2])
        self.head = nn.Linear(512, 3)

    def forward(self, x):
        return self.head(torch.flatten(self.body(x), 1))


@case(
    "3x64x64",
    "12",
    mend={
        "torch.cat([self.cnn(picture), table], dim=1)": "torch.cat([self.cnn(picture), self.table(table)], dim=1)"
    },
)
class TableWithoutItsLayer(nn.Module):
    """What stands in the table goes in as it is, and not through its layer."""

    def __init__(self):
        super().__init__()
        self.cnn = nn.Sequential(
            nn.Conv2d(3, 32, 5, 4), nn.ReLU(), nn.AdaptiveAvgPool2d(1), nn.Flatten()
        )
        self.table = nn.Sequential(nn.Linear(12, 32), nn.ReLU())
        self.head = nn.Linear(64, 2)

    def forward(self, picture, table):
        return self.head(torch.cat([self.cnn(picture), table], dim=1))


@case("3x32x32", mend={"return x + y": "return x + y.permute(0, 3, 1, 2)"})
class NeverTurnedBack(nn.Module):
    """A ConvNeXt block: channels last for the norm, and never back before the sum."""

    def __init__(self):
        super().__init__()
        self.stem = nn.Conv2d(3, 40, 4, 4)
        self.depth = nn.Conv2d(40, 40, 7, padding=3, groups=40)
        self.norm = nn.LayerNorm(40)
        self.up = nn.Linear(40, 160)
        self.down = nn.Linear(160, 40)
        self.head = nn.Linear(40, 10)

    def block(self, x):
        y = self.depth(x).permute(0, 2, 3, 1)
        y = self.down(F.gelu(self.up(self.norm(y))))
        return x + y

    def forward(self, x):
        return self.head(self.block(self.stem(x)).mean((2, 3)))
