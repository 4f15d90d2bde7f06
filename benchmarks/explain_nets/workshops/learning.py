"""Autoencoders, generators, pairs, graphs, and what losses are given."""

# ruff: noqa: E501 - as learners write it
# mypy: disable-error-code="operator, index, list-item"

import torch
import torch.nn.functional as F
from torch import nn

from explain_nets.mended import Mended  # type: ignore[import-not-found]

case = Mended()
CASES = case.cases


@case("1x28x28", mend={"F.mse_loss(self.decode(z), x)": "F.mse_loss(self.decode(z), x.flatten(1))"})
class RebuiltAsARow(nn.Module):
    """The picture comes out as a row, and is compared with a picture."""

    def __init__(self):
        super().__init__()
        self.encode = nn.Sequential(
            nn.Flatten(), nn.Linear(784, 128), nn.ReLU(), nn.Linear(128, 16)
        )
        self.decode = nn.Sequential(
            nn.Linear(16, 128), nn.ReLU(), nn.Linear(128, 784), nn.Sigmoid()
        )

    def forward(self, x):
        z = self.encode(x)
        return F.mse_loss(self.decode(z), x)


@case(
    "1x28x28",
    mend={
        "nn.ConvTranspose2d(32, 16, 3, 2, 1)": "nn.ConvTranspose2d(32, 16, 3, 2, 1, 1)",
        "nn.ConvTranspose2d(16, 1, 3, 2, 1)": "nn.ConvTranspose2d(16, 1, 3, 2, 1, 1)",
    },
)
class RebuiltTooSmall(nn.Module):
    """A decoder without output padding gives 25×25."""

    def __init__(self):
        super().__init__()
        self.encode = nn.Sequential(
            nn.Conv2d(1, 16, 3, 2, 1), nn.ReLU(), nn.Conv2d(16, 32, 3, 2, 1), nn.ReLU()
        )
        self.decode = nn.Sequential(
            nn.ConvTranspose2d(32, 16, 3, 2, 1),
            nn.ReLU(),
            nn.ConvTranspose2d(16, 1, 3, 2, 1),
            nn.Sigmoid(),
        )

    def forward(self, x):
        return F.binary_cross_entropy(self.decode(self.encode(x)), x)


@case("3x32x32", mend={"nn.Unflatten(1, (128, 4, 4))": "nn.Unflatten(1, (64, 8, 8))"})
class FoldedOtherwise(nn.Module):
    """A VAE whose decoder folds to another map than its first layer takes."""

    def __init__(self):
        super().__init__()
        self.encode = nn.Sequential(
            nn.Conv2d(3, 32, 4, 2, 1),
            nn.ReLU(),
            nn.Conv2d(32, 64, 4, 2, 1),
            nn.ReLU(),
            nn.Flatten(),
        )
        self.mean, self.log = nn.Linear(64 * 64, 24), nn.Linear(64 * 64, 24)
        self.decode = nn.Sequential(
            nn.Linear(24, 64 * 64), nn.Unflatten(1, (128, 4, 4)),
            nn.ConvTranspose2d(64, 32, 4, 2, 1), nn.ReLU(), nn.ConvTranspose2d(32, 3, 4, 2, 1), nn.Sigmoid(),
        )  # fmt: skip

    def forward(self, x):
        h = self.encode(x)
        mean, log = self.mean(h), self.log(h)
        z = mean + torch.randn_like(mean) * (0.5 * log).exp()
        return self.decode(z), mean, log


@case(
    "3x32x32", mend={"return mean, log": "return mean + torch.randn_like(mean) * (0.5 * log).exp()"}
)
class NeverDrawn(nn.Module):
    """The encoder gives two rows, and nothing was drawn from them."""

    def __init__(self):
        super().__init__()
        self.body = nn.Sequential(nn.Flatten(), nn.Linear(3072, 64), nn.ReLU())
        self.mean, self.log = nn.Linear(64, 12), nn.Linear(64, 12)
        self.decode = nn.Sequential(nn.Linear(12, 64), nn.ReLU(), nn.Linear(64, 3072))

    def encode(self, x):
        h = self.body(x)
        mean, log = self.mean(h), self.log(h)
        return mean, log

    def forward(self, x):
        z = self.encode(x)
        return self.decode(z).view_as(x)


@case("100", mend={"self.net(z)": "self.net(z[:, :, None, None])"})
class NoiseWithoutPlaces(nn.Module):
    """DCGAN's generator is given rows of noise."""

    def __init__(self):
        super().__init__()
        self.net = nn.Sequential(
            nn.ConvTranspose2d(100, 128, 4, 1, 0, bias=False), nn.BatchNorm2d(128), nn.ReLU(),
            nn.ConvTranspose2d(128, 64, 4, 2, 1, bias=False), nn.BatchNorm2d(64), nn.ReLU(),
            nn.ConvTranspose2d(64, 3, 4, 2, 1, bias=False), nn.Tanh(),
        )  # fmt: skip

    def forward(self, z):
        return self.net(z)


@case(
    "3x64x64",
    "1",
    mend={
        "F.binary_cross_entropy(self.net(x), real)": "F.binary_cross_entropy(self.net(x).flatten(1), real)"
    },
)
class VerdictAsAMap(nn.Module):
    """DCGAN's discriminator ends in maps of 1×1, and its labels in rows."""

    def __init__(self):
        super().__init__()
        self.net = nn.Sequential(
            nn.Conv2d(3, 32, 4, 4), nn.LeakyReLU(0.2), nn.Conv2d(32, 64, 4, 4), nn.LeakyReLU(0.2),
            nn.Conv2d(64, 1, 4), nn.Sigmoid(),
        )  # fmt: skip

    def forward(self, x, real):
        return F.binary_cross_entropy(self.net(x), real)


@case("64", ":int64", mend={"nn.Linear(64, 256)": "nn.Linear(64 + 10, 256)"})
class LabelsNotCounted(nn.Module):
    """A conditional generator: the first layer counts the noise alone."""

    def __init__(self):
        super().__init__()
        self.label = nn.Embedding(10, 10)
        self.net = nn.Sequential(
            nn.Linear(64, 256), nn.LeakyReLU(0.2), nn.Linear(256, 784), nn.Tanh()
        )

    def forward(self, z, y):
        return self.net(torch.cat([z, self.label(y)], 1)).view(-1, 1, 28, 28)


@case("1x28x28", ":int64", mend={".view(-1, 784)": ".view(-1, 1, 28, 28)"})
class LabelsAsARowOfPixels(nn.Module):
    """The label's plane is left a row, and joined to the picture."""

    def __init__(self):
        super().__init__()
        self.label = nn.Embedding(10, 784)
        self.net = nn.Sequential(
            nn.Conv2d(2, 16, 4, 2, 1), nn.LeakyReLU(0.2), nn.Flatten(), nn.Linear(16 * 14 * 14, 1)
        )

    def forward(self, x, y):
        plane = self.label(y).view(-1, 784)
        return self.net(torch.cat([x, plane], 1))


@case("3x32x32", "8", mend={"h + self.time(t)": "h + self.time(t)[:, :, None, None]"})
class TimeWithoutPlaces(nn.Module):
    """A diffusion net: the time is added to a map."""

    def __init__(self):
        super().__init__()
        self.a, self.b = nn.Conv2d(3, 24, 3, padding=1), nn.Conv2d(24, 3, 3, padding=1)
        self.time = nn.Sequential(nn.Linear(8, 24), nn.SiLU(), nn.Linear(24, 24))

    def forward(self, x, t):
        h = F.silu(self.a(x))
        h = h + self.time(t)
        return self.b(h)


@case("1x32x32", "1x32x32", mend={"nn.Linear(128, 1)": "nn.Linear(64, 1)"})
class DifferenceCountedTwice(nn.Module):
    """A siamese net: the difference is as wide as one embedding, not two."""

    def __init__(self):
        super().__init__()
        self.body = nn.Sequential(
            nn.Conv2d(1, 16, 5, 2),
            nn.ReLU(),
            nn.Conv2d(16, 32, 5, 2),
            nn.ReLU(),
            nn.Flatten(),
            nn.Linear(32 * 5 * 5, 64),
        )
        self.out = nn.Linear(128, 1)

    def forward(self, a, b):
        return torch.sigmoid(self.out(torch.abs(self.body(a) - self.body(b))))


@case(
    "16",
    "16",
    ":int64",
    mend={
        "F.pairwise_distance(self.net(a), self.net(b), keepdim=True)": "F.pairwise_distance(self.net(a), self.net(b))",
        "self.loss(d, same)": "self.loss(d, same.float())",
    },
)
class DistancesBesideLabels(nn.Module):
    """Whole numbers as the target of a loss of logits, and distances with a dimension too many."""

    def __init__(self):
        super().__init__()
        self.net = nn.Sequential(nn.Linear(16, 32), nn.ReLU(), nn.Linear(32, 8))
        self.loss = nn.BCEWithLogitsLoss()

    def forward(self, a, b, same):
        d = F.pairwise_distance(self.net(a), self.net(b), keepdim=True)
        return self.loss(d, same)
