"""Segmentation, detection, and pictures that are made anew."""

# ruff: noqa: E501, B905 - as learners write it
# mypy: disable-error-code="operator, index, list-item"

import torch
import torch.nn.functional as F
import torchvision
from torch import nn

from explain_nets.mended import Mended  # type: ignore[import-not-found]

case = Mended()
CASES = case.cases


def twice(before, after):
    return nn.Sequential(
        nn.Conv2d(before, after, 3, padding=1),
        nn.ReLU(),
        nn.Conv2d(after, after, 3, padding=1),
        nn.ReLU(),
    )


@case("1x48x48", mend={"self.up1(torch.cat([y, b], 1))": "self.up1(y)"})
class JoinedBeforeTheSteps(nn.Module):
    """A U-Net: the skip is joined twice, the second time before the step up."""

    def __init__(self):
        super().__init__()
        self.a, self.b, self.c = twice(1, 16), twice(16, 32), twice(32, 64)
        self.up2, self.d2 = nn.ConvTranspose2d(64, 32, 2, 2), twice(64, 32)
        self.up1, self.d1 = nn.ConvTranspose2d(32, 16, 2, 2), twice(32, 16)
        self.out = nn.Conv2d(16, 1, 1)

    def forward(self, x):
        a = self.a(x)
        b = self.b(F.max_pool2d(a, 2))
        c = self.c(F.max_pool2d(b, 2))
        y = self.d2(torch.cat([self.up2(c), b], 1))
        y = self.d1(torch.cat([self.up1(torch.cat([y, b], 1)), a], 1))
        return self.out(y)


@case("3x64x64", mend={"skips[i]": "skips[-1 - i]"})
class SkipsInTheWrongOrder(nn.Module):
    """The skips are taken from the first on, and not from the last."""

    def __init__(self):
        super().__init__()
        self.down = nn.ModuleList([twice(3, 16), twice(16, 32), twice(32, 64)])
        self.middle = twice(64, 128)
        self.ups = nn.ModuleList(
            [
                nn.ConvTranspose2d(128, 64, 2, 2),
                nn.ConvTranspose2d(64, 32, 2, 2),
                nn.ConvTranspose2d(32, 16, 2, 2),
            ]
        )
        self.convs = nn.ModuleList([twice(128, 64), twice(64, 32), twice(32, 16)])
        self.out = nn.Conv2d(16, 3, 1)

    def forward(self, x):
        skips = []
        for block in self.down:
            x = block(x)
            skips.append(x)
            x = F.max_pool2d(x, 2)
        x = self.middle(x)
        for i in range(3):
            x = self.ups[i](x)
            x = self.convs[i](torch.cat([skips[i], x], dim=1))
        return self.out(x)


@case("3x60x60", mend={"y = self.up(y)": "y = F.interpolate(self.up(y), size=a.shape[-2:])"})
class SidesThatDoNotHalve(nn.Module):
    """A side of 60 halves to 15 after two steps, and to 7 after three."""

    def __init__(self):
        super().__init__()
        self.a = nn.Sequential(
            nn.Conv2d(3, 16, 3, 2, 1), nn.ReLU(), nn.Conv2d(16, 16, 3, 2, 1), nn.ReLU()
        )
        self.b = nn.Sequential(nn.MaxPool2d(2), nn.Conv2d(16, 32, 3, padding=1), nn.ReLU())
        self.up = nn.ConvTranspose2d(32, 16, 2, 2)
        self.out = nn.Conv2d(32, 2, 1)

    def forward(self, x):
        a = self.a(x)
        y = self.b(a)
        y = self.up(y)
        return self.out(torch.cat([a, y], 1))


@case("3x64x64", mend={"nn.Conv2d(256 * 4, 256, 1)": "nn.Conv2d(256 * 5, 256, 1)"})
class PoolingBranchUncounted(nn.Module):
    """DeepLab's pyramid: the branch of the whole picture is not counted in what follows."""

    def __init__(self):
        super().__init__()
        self.stem = nn.Sequential(nn.Conv2d(3, 64, 7, 4, 3), nn.ReLU())
        self.one = nn.Conv2d(64, 256, 1)
        self.rates = nn.ModuleList(
            nn.Conv2d(64, 256, 3, padding=r, dilation=r) for r in (6, 12, 18)
        )
        self.whole = nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Conv2d(64, 256, 1), nn.ReLU())
        self.project = nn.Conv2d(256 * 4, 256, 1)
        self.out = nn.Conv2d(256, 21, 1)

    def forward(self, x):
        x = self.stem(x)
        parts = [self.one(x), *[conv(x) for conv in self.rates]]
        parts.append(F.interpolate(self.whole(x), size=x.shape[-2:], mode="bilinear"))
        y = self.out(F.relu(self.project(torch.cat(parts, 1))))
        return F.interpolate(y, scale_factor=4, mode="bilinear")


@case("3x64x64", mend={"dilation=r)": "padding=r, dilation=r)"})
class DilatedWithoutPadding(nn.Module):
    """Each rate shrinks its map by another amount."""

    def __init__(self):
        super().__init__()
        self.stem = nn.Conv2d(3, 32, 3, 2, 1)
        self.rates = nn.ModuleList(nn.Conv2d(32, 16, 3, dilation=r) for r in (1, 2, 4))
        self.out = nn.Conv2d(48, 5, 1)

    def forward(self, x):
        x = F.relu(self.stem(x))
        return self.out(torch.cat([F.relu(conv(x)) for conv in self.rates], 1))


@case(
    "3x64x64",
    mend={
        "F.interpolate(self.side4(c4), scale_factor=4)": "F.interpolate(self.side4(c4), scale_factor=2)"
    },
)
class EnlargedTooMuch(nn.Module):
    """FCN-16s: the coarse scores are enlarged by 4 and not by 2 before the sum."""

    def __init__(self):
        super().__init__()
        self.stage3 = nn.Sequential(nn.Conv2d(3, 32, 3, 8, 1), nn.ReLU())
        self.stage4 = nn.Sequential(nn.Conv2d(32, 64, 3, 2, 1), nn.ReLU())
        self.side3 = nn.Conv2d(32, 7, 1)
        self.side4 = nn.Conv2d(64, 7, 1)

    def forward(self, x):
        c3 = self.stage3(x)
        c4 = self.stage4(c3)
        y = self.side3(c3) + F.interpolate(self.side4(c4), scale_factor=4)
        return F.interpolate(y, scale_factor=8)


@case(
    "3x96x96",
    mend={
        "boxes.append(reg(f).view(n, -1, 4))": "boxes.append(reg(f).permute(0, 2, 3, 1).reshape(n, -1, 4))",
        "scores.append(cls(f).view(n, -1, 11))": "scores.append(cls(f).permute(0, 2, 3, 1).reshape(n, -1, 11))",
        "nn.Conv2d(w, 3 * 10, 3, padding=1)": "nn.Conv2d(w, 3 * 11, 3, padding=1)",
    },
)
class BackgroundNotCounted(nn.Module):
    """An SSD head of two levels: ten classes, and eleven with the background."""

    def __init__(self):
        super().__init__()
        self.one = nn.Sequential(nn.Conv2d(3, 32, 3, 8, 1), nn.ReLU())
        self.two = nn.Sequential(nn.Conv2d(32, 64, 3, 2, 1), nn.ReLU())
        self.reg = nn.ModuleList(nn.Conv2d(w, 3 * 4, 3, padding=1) for w in (32, 64))
        self.cls = nn.ModuleList(nn.Conv2d(w, 3 * 10, 3, padding=1) for w in (32, 64))

    def forward(self, x):
        n = x.size(0)
        f1 = self.one(x)
        boxes, scores = [], []
        for f, reg, cls in zip((f1, self.two(f1)), self.reg, self.cls):
            boxes.append(reg(f).view(n, -1, 4))
            scores.append(cls(f).view(n, -1, 11))
        return torch.cat(boxes, 1), torch.cat(scores, 1)


@case(
    "3x64x64",
    mend={
        "torch.cat([self.h1(f1), self.h2(f2)], dim=1)": "torch.cat([self.h1(f1).flatten(2), self.h2(f2).flatten(2)], dim=2)"
    },
)
class LevelsJoinedAsMaps(nn.Module):
    """Scores of two levels joined before they are rows."""

    def __init__(self):
        super().__init__()
        self.c1 = nn.Conv2d(3, 32, 3, 8, 1)
        self.c2 = nn.Conv2d(32, 64, 3, 2, 1)
        self.h1 = nn.Conv2d(32, 6, 1)
        self.h2 = nn.Conv2d(64, 6, 1)

    def forward(self, x):
        f1 = F.relu(self.c1(x))
        f2 = F.relu(self.c2(f1))
        scores = torch.cat([self.h1(f1), self.h2(f2)], dim=1)
        return scores.softmax(1)


@case(
    "3x128x128",
    mend={"self.S * self.S * self.B * 5 + self.C": "self.S * self.S * (self.B * 5 + self.C)"},
)
class BracketsOfAGrid(nn.Module):
    """YOLO's first head without its brackets."""

    S, B, C = 7, 2, 20

    def __init__(self):
        super().__init__()
        self.body = nn.Sequential(
            nn.Conv2d(3, 32, 7, 4, 3),
            nn.LeakyReLU(0.1),
            nn.Conv2d(32, 64, 3, 4, 1),
            nn.LeakyReLU(0.1),
            nn.Flatten(),
        )
        self.fc = nn.Linear(64 * 8 * 8, self.S * self.S * self.B * 5 + self.C)

    def forward(self, x):
        return self.fc(self.body(x)).view(-1, self.S, self.S, self.B * 5 + self.C)


@case("3x48x48", "1x48x48", mend={"self.head(y), mask": "self.head(y), mask.squeeze(1).long()"})
class MaskWithItsChannel(nn.Module):
    """Classes of places as floats, with a channel of their own, in cross-entropy."""

    def __init__(self):
        super().__init__()
        self.body = twice(3, 16)
        self.head = nn.Conv2d(16, 4, 1)

    def forward(self, x, mask):
        y = self.body(x)
        return F.cross_entropy(self.head(y), mask)


@case("3x64x64", mend={"self.net(x).argmax(1)": 'self.net(x)["out"].argmax(1)'})
class DictionaryTakenForAMap(nn.Module):
    """torchvision's segmentation nets give a dictionary."""

    def __init__(self):
        super().__init__()
        self.net = torchvision.models.segmentation.lraspp_mobilenet_v3_large(
            weights=None, weights_backbone=None, num_classes=4
        )

    def forward(self, x):
        return self.net(x).argmax(1)


@case("3x32x32", mend={"nn.PixelShuffle(4)": "nn.PixelShuffle(2)"})
class ShuffledByFour(nn.Module):
    """A net that enlarges twice, with channels for 2×2."""

    def __init__(self):
        super().__init__()
        self.body = nn.Sequential(
            nn.Conv2d(3, 32, 5, padding=2), nn.ReLU(), nn.Conv2d(32, 3 * 2**2, 3, padding=1)
        )
        self.up = nn.PixelShuffle(4)
        self.last = nn.Conv2d(3, 3, 3, padding=1)

    def forward(self, x):
        return self.last(self.up(self.body(x))) + F.interpolate(x, scale_factor=2)
