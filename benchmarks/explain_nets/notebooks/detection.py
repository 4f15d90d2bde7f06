"""Detectors, pyramids, losses and their targets."""

# ruff: noqa: B905, E501, F401, RET504 - as learners write it
# mypy: disable-error-code="attr-defined, operator, index, list-item"

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from explain_nets.mended import Mended  # type: ignore[import-not-found]

case = Mended()
CASES = case.cases


@case("3x64x64", mend={"num_anchors * num_classes, 1": "num_anchors * (5 + num_classes), 1"})
class YoloWithoutBoxes(nn.Module):
    """The head gives the classes alone."""

    def __init__(self, num_anchors=3, num_classes=7):
        super().__init__()
        self.na, self.nc = num_anchors, num_classes
        self.backbone = nn.Sequential(
            nn.Conv2d(3, 16, 3, 4, 1),
            nn.LeakyReLU(0.1),
            nn.Conv2d(16, 32, 3, 4, 1),
            nn.LeakyReLU(0.1),
        )
        self.head = nn.Conv2d(32, num_anchors * num_classes, 1)

    def forward(self, x):
        x = self.head(self.backbone(x))
        b, _, h, w = x.shape
        x = x.view(b, self.na, 5 + self.nc, h, w).permute(0, 1, 3, 4, 2)
        return torch.sigmoid(x)


@case("3x64x64", mend={"self.squeeze(deep)": "F.interpolate(self.squeeze(deep), scale_factor=2)"})
class YoloRoute(nn.Module):
    """A route to a finer map, without the upsampling."""

    def __init__(self):
        super().__init__()
        self.c1 = nn.Conv2d(3, 24, 3, 4, 1)
        self.c2 = nn.Conv2d(24, 48, 3, 2, 1)
        self.squeeze = nn.Conv2d(48, 24, 1)
        self.head = nn.Conv2d(48, 18, 1)

    def forward(self, x):
        fine = F.leaky_relu(self.c1(x))
        deep = F.leaky_relu(self.c2(fine))
        x = torch.cat([self.squeeze(deep), fine], 1)
        return self.head(x)


@case(
    "3x64x64",
    mend={
        "+ p4": "+ F.interpolate(p4, scale_factor=2)",
        "+ p5": "+ F.interpolate(p5, scale_factor=2)",
    },
)
class PyramidNotEnlarged(nn.Module):
    """The sums of a pyramid, level by level."""

    def __init__(self):
        super().__init__()
        self.c3 = nn.Conv2d(3, 16, 3, 4, 1)
        self.c4 = nn.Conv2d(16, 32, 3, 2, 1)
        self.c5 = nn.Conv2d(32, 64, 3, 2, 1)
        self.l3, self.l4, self.l5 = nn.Conv2d(16, 24, 1), nn.Conv2d(32, 24, 1), nn.Conv2d(64, 24, 1)

    def forward(self, x):
        c3 = self.c3(x)
        c4 = self.c4(F.relu(c3))
        c5 = self.c5(F.relu(c4))
        p5 = self.l5(c5)
        p4 = self.l4(c4) + p5
        p3 = self.l3(c3) + p4
        return p3, p4, p5


@case(
    "3x100x100", mend={"F.interpolate(p5, scale_factor=2)": "F.interpolate(p5, size=c4.shape[2:])"}
)
class PyramidOfOddMaps(nn.Module):
    """13 doubled is 26, and the level above has 25."""

    def __init__(self):
        super().__init__()
        self.c4 = nn.Conv2d(3, 32, 3, 4, 1)
        self.c5 = nn.Conv2d(32, 64, 3, 2, 1)
        self.lat4 = nn.Conv2d(32, 16, 1)
        self.lat5 = nn.Conv2d(64, 16, 1)
        self.smooth = nn.Conv2d(16, 16, 3, padding=1)

    def forward(self, x):
        c4 = F.relu(self.c4(x))
        p5 = self.lat5(F.relu(self.c5(c4)))
        p4 = self.lat4(c4) + F.interpolate(p5, scale_factor=2)
        return self.smooth(p4)


@case("3x64x64", mend={"self.cls(p)": "self.cls(p).permute(0, 2, 3, 1).reshape(p.size(0), -1, 5)"})
class LevelsOfRetina(nn.Module):
    """Answers of all levels in one row, each still a map."""

    def __init__(self, classes=5, anchors=3):
        super().__init__()
        self.p1 = nn.Conv2d(3, 32, 3, 4, 1)
        self.p2 = nn.Conv2d(32, 32, 3, 2, 1)
        self.cls = nn.Conv2d(32, classes * anchors, 3, padding=1)

    def forward(self, x):
        a = F.relu(self.p1(x))
        b = F.relu(self.p2(a))
        return torch.cat([self.cls(p) for p in (a, b)], dim=1)


@case("3x64x64", mend={"[4, 4]": "[4, 6]"})
class BoxesOfPriors(nn.Module):
    """SSD: four boxes in a place for positions, six for classes."""

    def __init__(self, classes=11):
        super().__init__()
        self.classes = classes
        self.f1 = nn.Conv2d(3, 16, 3, 8, 1)
        self.f2 = nn.Conv2d(16, 32, 3, 2, 1)
        self.loc = nn.ModuleList(
            [nn.Conv2d(c, n * 4, 3, padding=1) for c, n in zip([16, 32], [4, 4])]
        )
        self.conf = nn.ModuleList(
            [nn.Conv2d(c, n * classes, 3, padding=1) for c, n in zip([16, 32], [4, 6])]
        )

    def forward(self, x):
        maps = [F.relu(self.f1(x))]
        maps.append(F.relu(self.f2(maps[0])))
        loc, conf = [], []
        for m, to_loc, to_conf in zip(maps, self.loc, self.conf):
            loc.append(to_loc(m).permute(0, 2, 3, 1).contiguous().view(x.size(0), -1))
            conf.append(to_conf(m).permute(0, 2, 3, 1).contiguous().view(x.size(0), -1))
        loc = torch.cat(loc, 1).view(x.size(0), -1, 4)
        conf = torch.cat(conf, 1).view(x.size(0), -1, self.classes)
        return torch.cat([loc, conf.softmax(-1)], 2)


@case("3x32x32", mend={"box[:, :2]": "box[..., :2]", "box[:, 2:]": "box[..., 2:]"})
class DecodeBoxes(nn.Module):
    """Centres and sizes of boxes, cut from the wrong dimension."""

    def __init__(self):
        super().__init__()
        self.conv = nn.Conv2d(3, 4, 4, 4)
        self.register_buffer("anchors", torch.rand(64, 4))

    def forward(self, x):
        box = self.conv(x).flatten(2).transpose(1, 2)
        centre = box[:, :2] * self.anchors[:, 2:] + self.anchors[:, :2]
        size = torch.exp(box[:, 2:]) * self.anchors[:, 2:]
        return torch.cat([centre, size], -1)


@case(
    "3x32x32",
    "1x32x32:int64",
    mend={"F.cross_entropy(logits, mask)": "F.cross_entropy(logits, mask.squeeze(1))"},
)
class MaskWithChannel(nn.Module):
    """A mask read as a grey picture."""

    def __init__(self):
        super().__init__()
        self.conv = nn.Sequential(nn.Conv2d(3, 16, 3, padding=1), nn.ReLU(), nn.Conv2d(16, 3, 1))

    def forward(self, x, mask):
        logits = self.conv(x)
        return F.cross_entropy(logits, mask)


@case("3x32x32", "32x32:int64", mend={"F.one_hot(y, 4)": "F.one_hot(y, 4).permute(0, 3, 1, 2)"})
class DiceOfOneHot(nn.Module):
    """one_hot puts classes last."""

    def __init__(self):
        super().__init__()
        self.net = nn.Sequential(nn.Conv2d(3, 8, 3, padding=1), nn.ReLU(), nn.Conv2d(8, 4, 1))

    def forward(self, x, y):
        p = torch.softmax(self.net(x), dim=1)
        y = F.one_hot(y, 4)
        inter = (p * y).sum((2, 3))
        union = p.sum((2, 3)) + y.sum((2, 3))
        return 1 - (2 * inter / union).mean()


@case("1x28x28", "1x28x28", mend={"torch.eye(n)": "torch.eye(2 * n)"})
class SimClr(nn.Module):
    """Two views of each picture, and a mask of one."""

    def __init__(self):
        super().__init__()
        self.enc = nn.Sequential(nn.Flatten(), nn.Linear(784, 64), nn.ReLU(), nn.Linear(64, 32))

    def forward(self, a, b):
        n = a.size(0)
        z = F.normalize(torch.cat([self.enc(a), self.enc(b)]), dim=1)
        sim = z @ z.T / 0.5
        sim = sim - 1e9 * torch.eye(n)
        target = torch.cat([torch.arange(n) + n, torch.arange(n)])
        return F.cross_entropy(sim, target)


@case(
    "3x32x32",
    "",
    mend={
        "F.binary_cross_entropy_with_logits(logit, y)": "F.binary_cross_entropy_with_logits(logit.squeeze(1), y)"
    },
)
class CatsAndDogs(nn.Module):
    """One answer a picture, as a column, and labels in a row."""

    def __init__(self):
        super().__init__()
        self.conv = nn.Conv2d(3, 16, 3, 2)
        self.fc = nn.Linear(16, 1)

    def forward(self, x, y):
        logit = self.fc(F.relu(self.conv(x)).mean((2, 3)))
        return F.binary_cross_entropy_with_logits(logit, y)


@case(
    "3x64x64",
    "1x64x64",
    mend={"F.l1_loss(depth, y)": "F.l1_loss(F.interpolate(depth, size=y.shape[2:]), y)"},
)
class DepthAtAQuarter(nn.Module):
    """A depth map of a quarter of the side, against the whole one."""

    def __init__(self):
        super().__init__()
        self.enc = nn.Sequential(
            nn.Conv2d(3, 16, 3, 2, 1), nn.ReLU(), nn.Conv2d(16, 32, 3, 2, 1), nn.ReLU()
        )
        self.head = nn.Conv2d(32, 1, 3, padding=1)

    def forward(self, x, y):
        depth = self.head(self.enc(x))
        loss = F.l1_loss(depth, y)
        return loss
