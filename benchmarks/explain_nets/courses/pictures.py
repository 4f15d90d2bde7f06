"""Pictures, volumes and maps: heads, generators, detectors, two branches."""

# ruff: noqa: E501 - as learners write it
# mypy: disable-error-code="operator, index, list-item"

import torch
import torch.nn.functional as F
import torchvision
from torch import nn

from explain_nets.mended import Mended  # type: ignore[import-not-found]

case = Mended()
CASES = case.cases


@case(
    "3x32x32",
    "10",
    mend={"torch.cat([x, attributes], dim=1)": "torch.cat([x.flatten(1), attributes], dim=1)"},
)
class PictureAndTable(nn.Module):
    """A map joined with a row of numbers before it is flattened."""

    def __init__(self):
        super().__init__()
        self.conv = nn.Sequential(
            nn.Conv2d(3, 16, 3, 2, 1), nn.ReLU(), nn.Conv2d(16, 8, 3, 2, 1), nn.ReLU()
        )
        self.fc = nn.Sequential(nn.Linear(8 * 8 * 8 + 10, 64), nn.ReLU(), nn.Linear(64, 3))

    def forward(self, picture, attributes):
        x = self.conv(picture)
        x = torch.cat([x, attributes], dim=1)
        return self.fc(x)


@case("3x32x32", "", mend={"torch.cat((x, age), 1)": "torch.cat((x, age[:, None]), 1)"})
class PictureAndAge(nn.Module):
    """One number a picture, without a dimension of its own."""

    def __init__(self):
        super().__init__()
        self.body = nn.Sequential(
            nn.Conv2d(3, 32, 3, 2, 1), nn.ReLU(), nn.AdaptiveAvgPool2d(1), nn.Flatten()
        )
        self.out = nn.Linear(33, 2)

    def forward(self, x, age):
        x = self.body(x)
        return self.out(torch.cat((x, age), 1))


@case("1x1x28x28", mend={"self.net(x)": "self.net(x.squeeze(1))"})
class DigitsUnsqueezedTwice(nn.Module):
    """The data set has added a dimension that ToTensor had added already."""

    def __init__(self):
        super().__init__()
        self.net = nn.Sequential(
            nn.Conv2d(1, 16, 5),
            nn.ReLU(),
            nn.MaxPool2d(2),
            nn.Flatten(),
            nn.Linear(16 * 12 * 12, 10),
        )

    def forward(self, x):
        return self.net(x)


@case("1x64x64", mend={"x.repeat(3, 1, 1)": "x.repeat(1, 3, 1, 1)"})
class GreyThreeTimes(nn.Module):
    """A grey picture repeated as if there were no batch."""

    def __init__(self):
        super().__init__()
        self.model = torchvision.models.resnet18(weights=None)
        self.model.fc = nn.Linear(512, 4)

    def forward(self, x):
        x = x.repeat(3, 1, 1)
        return self.model(x)


@case("3x64x64", mend={"nn.Linear(576, 5)": "nn.Linear(1024, 5)"})
class MobileNetLastLayer(nn.Module):
    """The last layer alone is replaced, with the width before the whole head."""

    def __init__(self):
        super().__init__()
        self.net = torchvision.models.mobilenet_v3_small(weights=None)
        self.net.classifier[3] = nn.Linear(576, 5)

    def forward(self, x):
        return self.net(x)


@case("3x32x32", mend={"return self.head(f)": "return self.head(f.mean((2, 3)))"})
class FeaturesWithoutPooling(nn.Module):
    """The body of a net of others, cut before its pooling."""

    def __init__(self):
        super().__init__()
        whole = torchvision.models.resnet18(weights=None)
        self.body = nn.Sequential(*list(whole.children())[:-2])
        self.head = nn.Linear(512, 6)

    def forward(self, x):
        f = self.body(x)
        return self.head(f)


@case("16x3x24x24", mend={"self.conv(clip)": "self.conv(clip.transpose(1, 2))"})
class ClipOfFrames(nn.Module):
    """Frames before colours, into a convolution over both space and time."""

    def __init__(self):
        super().__init__()
        self.conv = nn.Conv3d(3, 16, 3, padding=1)
        self.pool = nn.AdaptiveAvgPool3d(1)
        self.fc = nn.Linear(16, 5)

    def forward(self, clip):
        x = F.relu(self.conv(clip))
        return self.fc(self.pool(x).flatten(1))


@case(
    "10x3x24x24",
    mend={
        "f = self.cnn(clip)": "f = self.cnn(clip.flatten(0, 1))",
        "f.view(f.size(0), -1)": "f.view(clip.size(0), clip.size(1), -1)",
    },
)
class FramesThenLSTM(nn.Module):
    """Frames go through a net for pictures, then through time."""

    def __init__(self):
        super().__init__()
        self.cnn = nn.Sequential(nn.Conv2d(3, 16, 3, 2, 1), nn.ReLU(), nn.AdaptiveAvgPool2d(2))
        self.lstm = nn.LSTM(64, 32, batch_first=True)
        self.fc = nn.Linear(32, 4)

    def forward(self, clip):
        f = self.cnn(clip)
        f = f.view(f.size(0), -1)
        out, _ = self.lstm(f)
        return self.fc(out[:, -1])


@case(
    "3x64x64", mend={"nn.Conv2d(64, 32, 3, padding=1)  # up1": "nn.Conv2d(128, 32, 3, padding=1)"}
)
class UNetForgetsTheJoin(nn.Module):
    """After the skip is joined there are twice as many channels."""

    def __init__(self):
        super().__init__()
        self.d1 = nn.Conv2d(3, 64, 3, padding=1)
        self.d2 = nn.Conv2d(64, 128, 3, padding=1)
        self.up = nn.ConvTranspose2d(128, 64, 2, stride=2)
        self.c1 = nn.Conv2d(64, 32, 3, padding=1)  # up1
        self.out = nn.Conv2d(32, 2, 1)

    def forward(self, x):
        a = F.relu(self.d1(x))
        b = F.relu(self.d2(F.max_pool2d(a, 2)))
        u = torch.cat([self.up(b), a], 1)
        return self.out(F.relu(self.c1(u)))


@case(
    "1x28x28",
    mend={
        "nn.ConvTranspose2d(16, 1, 3, stride=2, padding=1)": "nn.ConvTranspose2d(16, 1, 3, stride=2, padding=1, output_padding=1)",
        "nn.ConvTranspose2d(32, 16, 3, stride=2, padding=1)": "nn.ConvTranspose2d(32, 16, 3, stride=2, padding=1, output_padding=1)",
    },
)
class AutoencoderTooSmall(nn.Module):
    """What comes out is 25 x 25."""

    def __init__(self):
        super().__init__()
        self.encoder = nn.Sequential(
            nn.Conv2d(1, 16, 3, stride=2, padding=1),
            nn.ReLU(),
            nn.Conv2d(16, 32, 3, stride=2, padding=1),
        )
        self.decoder = nn.Sequential(
            nn.ConvTranspose2d(32, 16, 3, stride=2, padding=1),
            nn.ReLU(),
            nn.ConvTranspose2d(16, 1, 3, stride=2, padding=1),
        )

    def forward(self, x):
        y = torch.sigmoid(self.decoder(self.encoder(x)))
        return F.binary_cross_entropy(y, x)


@case("100", mend={"self.project(z)": "self.project(z).view(-1, 128, 7, 7)"})
class GeneratorForgetsTheMap(nn.Module):
    """A row goes into a transposed convolution as it is."""

    def __init__(self):
        super().__init__()
        self.project = nn.Sequential(nn.Linear(100, 128 * 7 * 7), nn.ReLU())
        self.net = nn.Sequential(
            nn.ConvTranspose2d(128, 64, 4, 2, 1),
            nn.ReLU(),
            nn.ConvTranspose2d(64, 1, 4, 2, 1),
            nn.Tanh(),
        )

    def forward(self, z):
        return self.net(self.project(z))


@case(
    "1x28x28",
    ":int64",
    mend={
        "torch.cat([image, self.label(digit)], 1)": "torch.cat([image.flatten(1), self.label(digit)], 1)"
    },
)
class ConditionalDiscriminator(nn.Module):
    """The picture is not yet a row where the digit's is joined."""

    def __init__(self):
        super().__init__()
        self.label = nn.Embedding(10, 10)
        self.model = nn.Sequential(
            nn.Linear(28 * 28 + 10, 128), nn.LeakyReLU(0.2), nn.Linear(128, 1)
        )

    def forward(self, image, digit):
        x = torch.cat([image, self.label(digit)], 1)
        return self.model(x)


@case("3x32x32", mend={"p.view(n, 3, 85, h, w)": "p.view(n, 3, 25, h, w)"})
class YoloOfOtherClasses(nn.Module):
    """The head is for twenty classes, and the view for eighty."""

    def __init__(self):
        super().__init__()
        self.body = nn.Sequential(
            nn.Conv2d(3, 32, 3, 2, 1), nn.ReLU(), nn.Conv2d(32, 64, 3, 2, 1), nn.ReLU()
        )
        self.head = nn.Conv2d(64, 3 * (5 + 20), 1)

    def forward(self, x):
        p = self.head(self.body(x))
        n, _, h, w = p.shape
        p = p.view(n, 3, 85, h, w).permute(0, 1, 3, 4, 2)
        return torch.sigmoid(p[..., :2])


@case(
    "3x32x32",
    mend={
        "boxes.append(head(f))": "boxes.append(head(f).permute(0, 2, 3, 1).reshape(x.size(0), -1, 4))"
    },
)
class BoxesOfTwoLevels(nn.Module):
    """Maps of two sizes joined before they are lists of boxes."""

    def __init__(self):
        super().__init__()
        self.stem = nn.Conv2d(3, 32, 3, 4, 1)
        self.more = nn.Conv2d(32, 64, 3, 2, 1)
        self.heads = nn.ModuleList(
            [nn.Conv2d(32, 16, 3, padding=1), nn.Conv2d(64, 16, 3, padding=1)]
        )

    def forward(self, x):
        a = F.relu(self.stem(x))
        b = F.relu(self.more(a))
        boxes = []
        for f, head in zip([a, b], self.heads, strict=True):
            boxes.append(head(f))
        return torch.cat(boxes, dim=1)


@case("32x32x3:uint8", mend={"self.net(x)": "self.net(x.permute(0, 3, 1, 2).float() / 255)"})
class PicturesOfNumpy(nn.Module):
    """Whole numbers, and the colours last."""

    def __init__(self):
        super().__init__()
        self.net = nn.Sequential(
            nn.Conv2d(3, 16, 3, 2, 1),
            nn.ReLU(),
            nn.AdaptiveAvgPool2d(1),
            nn.Flatten(),
            nn.Linear(16, 2),
        )

    def forward(self, x):
        return self.net(x)


@case("1x28x28", "1x28x28", mend={"return self.same(d)": "return self.same(d.unsqueeze(1))"})
class SiameseDistance(nn.Module):
    """A distance has no dimension for the layer behind it."""

    def __init__(self):
        super().__init__()
        self.body = nn.Sequential(nn.Flatten(), nn.Linear(784, 64), nn.ReLU(), nn.Linear(64, 16))
        self.same = nn.Linear(1, 1)

    def forward(self, one, two):
        d = F.pairwise_distance(self.body(one), self.body(two))
        return self.same(d)
