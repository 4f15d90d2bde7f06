"""Classifiers of pictures."""

# ruff: noqa: B007, F401 - as learners write it
# mypy: disable-error-code="operator, index, list-item"

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from explain_nets.mended import Mended  # type: ignore[import-not-found]

case = Mended()
CASES = case.cases


@case("3x32x32", mend={"16 * 4 * 4": "16 * 5 * 5"})
class CifarOfMnist(nn.Module):
    """The flatten size of 28×28 pictures, kept for 32×32."""

    def __init__(self):
        super().__init__()
        self.conv1 = nn.Conv2d(3, 6, 5)
        self.pool = nn.MaxPool2d(2, 2)
        self.conv2 = nn.Conv2d(6, 16, 5)
        self.fc1 = nn.Linear(16 * 4 * 4, 120)
        self.fc2 = nn.Linear(120, 84)
        self.fc3 = nn.Linear(84, 10)

    def forward(self, x):
        x = self.pool(F.relu(self.conv1(x)))
        x = self.pool(F.relu(self.conv2(x)))
        x = torch.flatten(x, 1)
        x = F.relu(self.fc1(x))
        x = F.relu(self.fc2(x))
        return self.fc3(x)


@case("3x64x64", mend={"nn.Linear(128 * 4 * 4, 256)": "nn.Linear(128 * 8 * 8, 256)"})
class OnePoolLess(nn.Module):
    """Four poolings were counted, and there are three."""

    def __init__(self, num_classes=2):
        super().__init__()
        layers = []
        in_channels = 3
        for v in [32, 64, "M", 128, "M", 128, "M"]:
            if v == "M":
                layers += [nn.MaxPool2d(2)]
            else:
                layers += [
                    nn.Conv2d(in_channels, v, 3, padding=1),
                    nn.BatchNorm2d(v),
                    nn.ReLU(True),
                ]
                in_channels = v
        self.features = nn.Sequential(*layers)
        self.classifier = nn.Sequential(
            nn.Linear(128 * 4 * 4, 256), nn.ReLU(True), nn.Dropout(), nn.Linear(256, num_classes)
        )

    def forward(self, x):
        x = self.features(x)
        x = x.view(x.size(0), -1)
        return self.classifier(x)


class BasicBlock(nn.Module):
    def __init__(self, in_planes, planes, stride=1):
        super().__init__()
        self.conv1 = nn.Conv2d(in_planes, planes, 3, stride=stride, padding=1, bias=False)
        self.bn1 = nn.BatchNorm2d(planes)
        self.conv2 = nn.Conv2d(planes, planes, 3, stride=1, padding=1, bias=False)
        self.bn2 = nn.BatchNorm2d(planes)
        self.shortcut = nn.Sequential()
        if stride != 1 and in_planes == planes:
            self.shortcut = nn.Sequential(
                nn.Conv2d(in_planes, planes, 1, stride=stride, bias=False), nn.BatchNorm2d(planes)
            )

    def forward(self, x):
        out = F.relu(self.bn1(self.conv1(x)))
        out = self.bn2(self.conv2(out))
        out += self.shortcut(x)
        return F.relu(out)


@case(
    "3x32x32",
    mend={"stride != 1 and in_planes == planes": "stride != 1 or in_planes != planes"},
    parts=(BasicBlock,),
)
class ShortcutCondition(nn.Module):
    """ResNet's shortcut is projected under the wrong condition."""

    def __init__(self):
        super().__init__()
        self.conv1 = nn.Conv2d(3, 16, 3, padding=1)
        self.layer1 = nn.Sequential(BasicBlock(16, 16), BasicBlock(16, 16))
        self.layer2 = nn.Sequential(BasicBlock(16, 32, 2), BasicBlock(32, 32))
        self.layer3 = nn.Sequential(BasicBlock(32, 64, 2), BasicBlock(64, 64))
        self.linear = nn.Linear(64, 10)

    def forward(self, x):
        out = F.relu(self.conv1(x))
        out = self.layer3(self.layer2(self.layer1(out)))
        out = F.adaptive_avg_pool2d(out, 1).flatten(1)
        return self.linear(out)


@case("3x96x96", mend={"nn.Linear(64 * 3 * 3, 5)": "nn.Linear(64, 5)"})
class GapThenCounted(nn.Module):
    """An average over the map came, and the linear layer stayed."""

    def __init__(self):
        super().__init__()
        self.body = nn.Sequential(
            nn.Conv2d(3, 32, 3, 2, 1), nn.SiLU(), nn.Conv2d(32, 64, 3, 2, 1), nn.SiLU()
        )
        self.gap = nn.AdaptiveAvgPool2d(1)
        self.fc = nn.Linear(64 * 3 * 3, 5)

    def forward(self, x):
        x = self.gap(self.body(x))
        x = torch.flatten(x, 1)
        return self.fc(x)


class Inception(nn.Module):
    def __init__(self, in_ch, c1, c3, c5, proj):
        super().__init__()
        self.b1 = nn.Conv2d(in_ch, c1, 1)
        self.b3 = nn.Sequential(nn.Conv2d(in_ch, c3 // 2, 1), nn.Conv2d(c3 // 2, c3, 3, padding=1))
        self.b5 = nn.Sequential(nn.Conv2d(in_ch, c5 // 2, 1), nn.Conv2d(c5 // 2, c5, 5, padding=2))
        self.bp = nn.Sequential(nn.MaxPool2d(3, 1, 1), nn.Conv2d(in_ch, proj, 1))

    def forward(self, x):
        return torch.cat([self.b1(x), self.b3(x), self.b5(x), self.bp(x)], 1)


@case(
    "3x64x64",
    mend={"Inception(120, 48, 64, 16, 32)": "Inception(128, 48, 64, 16, 32)"},
    parts=(Inception,),
)
class InceptionOf120(nn.Module):
    """The branches of the first block sum to 128."""

    def __init__(self):
        super().__init__()
        self.stem = nn.Conv2d(3, 64, 7, 2, 3)
        self.a = Inception(64, 32, 48, 16, 32)
        self.b = Inception(120, 48, 64, 16, 32)
        self.fc = nn.Linear(160, 8)

    def forward(self, x):
        x = F.max_pool2d(F.relu(self.stem(x)), 3, 2, 1)
        x = self.b(self.a(x))
        return self.fc(x.mean([2, 3]))


class DenseBlock(nn.Module):
    def __init__(self, n_layers, in_channels, growth):
        super().__init__()
        self.layers = nn.ModuleList()
        for i in range(n_layers):
            self.layers.append(
                nn.Sequential(
                    nn.BatchNorm2d(in_channels + growth),
                    nn.ReLU(),
                    nn.Conv2d(in_channels + growth, growth, 3, padding=1, bias=False),
                )
            )

    def forward(self, x):
        for layer in self.layers:
            x = torch.cat([x, layer(x)], 1)
        return x


@case("3x32x32", mend={"in_channels + growth": "in_channels + i * growth"}, parts=(DenseBlock,))
class DenseBlockGrowth(nn.Module):
    """Each layer of a dense block sees all before it."""

    def __init__(self):
        super().__init__()
        self.stem = nn.Conv2d(3, 24, 3, padding=1)
        self.block = DenseBlock(4, 24, 12)
        self.fc = nn.Linear(24 + 4 * 12, 10)

    def forward(self, x):
        x = self.block(self.stem(x))
        return self.fc(F.relu(x).mean((2, 3)))
