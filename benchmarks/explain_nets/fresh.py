"""Thirty-odd more mistakes, written with those of held_out.py and tried last.

python benchmarks/explain_fixes.py fresh
"""

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from explain_nets.wrong import Wrong  # type: ignore[import-not-found]

CASES: dict[str, Wrong] = {}


def case(name: str, build: object, *inputs: str, **options: object) -> None:
    assert name not in CASES, name
    CASES[name] = Wrong(build, inputs, **options)  # type: ignore[arg-type]


class Emotion(nn.Module):
    """Grey faces of 48, the linear layer counted for four poolings and there are three."""

    def __init__(self) -> None:
        super().__init__()
        self.net = nn.Sequential(
            nn.Conv2d(1, 32, 3, padding="same"),
            nn.ReLU(),
            nn.MaxPool2d(2),
            nn.Conv2d(32, 64, 3, padding="same"),
            nn.ReLU(),
            nn.MaxPool2d(2),
            nn.Conv2d(64, 64, 3, padding="same"),
            nn.ReLU(),
            nn.MaxPool2d(2),
        )
        self.fc = nn.Sequential(nn.Linear(64 * 3 * 3, 64), nn.ReLU(), nn.Linear(64, 7))

    def forward(self, x: Tensor) -> Tensor:
        x = self.net(x)
        return self.fc(x.view(x.size(0), -1))


case("faces with a pooling fewer", Emotion, "1x48x48", batch=2)


class Inception(nn.Module):
    """A branch with stride 2 is joined with one without."""

    def __init__(self) -> None:
        super().__init__()
        self.a = nn.Conv2d(16, 8, 1)
        self.b = nn.Conv2d(16, 8, 5, padding=2)
        self.p = nn.MaxPool2d(3, stride=2, padding=1)
        self.c = nn.Conv2d(16, 8, 1)

    def forward(self, x: Tensor) -> Tensor:
        return torch.cat([self.a(x), self.b(x), self.c(self.p(x))], dim=1)


case("inception branch pooled with a stride", Inception, "16x14x14", batch=2)


class MobileBlock(nn.Module):
    """An inverted residual whose depthwise convolution has the groups of the input."""

    def __init__(self) -> None:
        super().__init__()
        self.up = nn.Conv2d(16, 96, 1)
        self.dw = nn.Conv2d(96, 96, 3, padding=1, groups=96)
        self.bn = nn.BatchNorm2d(16)
        self.down = nn.Conv2d(96, 24, 1)

    def forward(self, x: Tensor) -> Tensor:
        return x + self.bn(self.down(F.relu6(self.dw(F.relu6(self.up(x))))))


case("inverted residual of other channels", MobileBlock, "16x14x14", batch=2)


class AttentionGate(nn.Module):
    """A gate of half the size is added to the skip."""

    def __init__(self) -> None:
        super().__init__()
        self.down = nn.Conv2d(8, 16, 3, 2, 1)
        self.wg, self.wx = nn.Conv2d(16, 8, 1), nn.Conv2d(8, 8, 1)
        self.psi = nn.Conv2d(8, 1, 1)

    def forward(self, x: Tensor) -> Tensor:
        g = F.relu(self.down(x))
        gate = torch.sigmoid(self.psi(F.relu(self.wg(g) + self.wx(x))))
        return x * gate


case("attention gate of half the size", AttentionGate, "8x20x20", batch=2)


class VNet(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.e1 = nn.Conv3d(1, 8, 3, padding=1)
        self.e2 = nn.Conv3d(8, 16, 3, stride=2, padding=1)
        self.up = nn.ConvTranspose3d(16, 8, 2, stride=2)
        self.d = nn.Conv3d(16, 2, 3, padding=1)

    def forward(self, x: Tensor) -> Tensor:
        a = self.e1(x)
        return self.d(torch.cat([a, self.up(self.e2(a))], dim=1))


case("volumes of odd depth", VNet, "1x9x16x16", batch=2)


class Weather(nn.Module):
    """The last step's answer against a target of every step."""

    def __init__(self) -> None:
        super().__init__()
        self.r = nn.GRU(5, 20, batch_first=True)
        self.f = nn.Linear(20, 5)

    def forward(self, x: Tensor, y: Tensor) -> Tensor:
        out, _ = self.r(x)
        return F.l1_loss(self.f(out[:, -1]), y)


case("forecast of one step against several", Weather, "24x5", "6x5", batch=3)


class StackedRnn(nn.Module):
    """Two recurrent layers, the first one bidirectional."""

    def __init__(self) -> None:
        super().__init__()
        self.a = nn.LSTM(6, 10, batch_first=True, bidirectional=True)
        self.b = nn.LSTM(10, 10, batch_first=True)

    def forward(self, x: Tensor) -> Tensor:
        x, _ = self.a(x)
        x, _ = self.b(x)
        return x[:, -1]


case("second LSTM behind two directions", StackedRnn, "12x6", batch=2)


class HiddenState(nn.Module):
    """The state is made for one batch size, in __init__."""

    def __init__(self) -> None:
        super().__init__()
        self.r = nn.RNN(4, 8, batch_first=True)
        self.h = torch.zeros(1, 16, 8)
        self.f = nn.Linear(8, 1)

    def forward(self, x: Tensor) -> Tensor:
        out, _ = self.r(x, self.h)
        return self.f(out[:, -1])


case("state made for 16", HiddenState, "9x4", batch=2)


class CharModel(nn.Module):
    """Characters as whole numbers into a GRU without an embedding."""

    def __init__(self) -> None:
        super().__init__()
        self.r = nn.GRU(1, 16, batch_first=True)
        self.f = nn.Linear(16, 40)

    def forward(self, x: Tensor) -> Tensor:
        out, _ = self.r(x.unsqueeze(-1))
        return self.f(out)


case("characters without an embedding", CharModel, "15:int64", batch=2)


class Bert(nn.Module):
    """Positions for 16 tokens as an embedding, added to longer text."""

    def __init__(self) -> None:
        super().__init__()
        self.e = nn.Embedding(100, 32)
        self.p = nn.Embedding(16, 32)
        self.t = nn.TransformerEncoderLayer(32, 4, 64, batch_first=True)

    def forward(self, x: Tensor) -> Tensor:
        return self.t(self.e(x) + self.p.weight)


case("embedded positions for 16 tokens", Bert, "10:int64", batch=2)


class Swin(nn.Module):
    """Windows of 7 of a map of 16."""

    def __init__(self) -> None:
        super().__init__()
        self.c = nn.Conv2d(3, 24, 4, 4)
        self.f = nn.Linear(24, 24)

    def forward(self, x: Tensor) -> Tensor:
        x = self.c(x).permute(0, 2, 3, 1)
        b, h, w, c = x.shape
        x = x.view(b, h // 7, 7, w // 7, 7, c).permute(0, 1, 3, 2, 4, 5)
        return self.f(x.reshape(-1, 49, c))


case("windows that do not share the map", Swin, "3x64x64", batch=2)


class Clip(nn.Module):
    """Similarity of pictures and texts whose projections have different sizes."""

    def __init__(self) -> None:
        super().__init__()
        self.image, self.text = nn.Linear(64, 32), nn.Linear(48, 24)

    def forward(self, a: Tensor, b: Tensor) -> Tensor:
        return self.image(a) @ self.text(b).t()


case("projections of unequal sizes", Clip, "64", "48", batch=4)


class Decoder(nn.Module):
    """Memory of the encoder has other features than the decoder."""

    def __init__(self) -> None:
        super().__init__()
        self.d = nn.TransformerDecoderLayer(32, 4, 64, batch_first=True)

    def forward(self, tgt: Tensor, memory: Tensor) -> Tensor:
        return self.d(tgt, memory)


case("memory of other features", Decoder, "6x32", "10x48", batch=2)


class StyleLoss(nn.Module):
    """A Gram matrix with the map not flattened."""

    def __init__(self) -> None:
        super().__init__()
        self.c = nn.Conv2d(3, 12, 3, padding=1)

    def forward(self, x: Tensor) -> Tensor:
        y = self.c(x)
        return torch.bmm(y, y.transpose(1, 2))


case("gram matrix of maps", StyleLoss, "3x10x10", batch=2)


class Dcgan(nn.Module):
    """Noise of two dimensions into transposed convolutions, through a view of too few numbers."""

    def __init__(self) -> None:
        super().__init__()
        self.f = nn.Linear(100, 256 * 4)
        self.net = nn.Sequential(nn.ConvTranspose2d(256, 64, 4, 2, 1), nn.ReLU())

    def forward(self, z: Tensor) -> Tensor:
        return self.net(self.f(z).view(-1, 256, 4, 4))


case("noise viewed as more than there is", Dcgan, "100", batch=2)


class Upscale(nn.Module):
    """Super-resolution by 3, with channels for 2, added to the enlarged picture."""

    def __init__(self) -> None:
        super().__init__()
        self.c = nn.Conv2d(3, 3 * 2 * 2, 3, padding=1)
        self.s = nn.PixelShuffle(2)

    def forward(self, x: Tensor) -> Tensor:
        return self.s(self.c(x)) + F.interpolate(x, scale_factor=3)


case("enlarged by 2 and by 3", Upscale, "3x12x12", batch=2)


class Cyclic(nn.Module):
    """A generator padded by reflection gives 33 of 32, compared with the picture."""

    def __init__(self) -> None:
        super().__init__()
        self.net = nn.Sequential(
            nn.ReflectionPad2d(2), nn.Conv2d(3, 8, 4), nn.ReLU(), nn.Conv2d(8, 3, 3, padding=1)
        )

    def forward(self, x: Tensor) -> Tensor:
        return F.l1_loss(self.net(x), x)


case("picture larger by one than its copy", Cyclic, "3x32x32", batch=2)


class Detector(nn.Module):
    """Classes and boxes of a cell, joined along the wrong dimension."""

    def __init__(self) -> None:
        super().__init__()
        self.c = nn.Conv2d(3, 16, 3, 2, 1)
        self.classes, self.boxes = nn.Conv2d(16, 5, 1), nn.Conv2d(16, 4, 1)

    def forward(self, x: Tensor) -> Tensor:
        x = self.c(x)
        return torch.cat([self.classes(x), self.boxes(x)])


case("classes and boxes joined as a batch", Detector, "3x16x16", batch=2)


class Roi(nn.Module):
    """Features of 7·7 regions into a layer for 3·3."""

    def __init__(self) -> None:
        super().__init__()
        self.c = nn.Conv2d(3, 32, 3, padding=1)
        self.pool = nn.AdaptiveMaxPool2d((7, 7))
        self.fc = nn.Linear(32 * 3 * 3, 64)

    def forward(self, x: Tensor) -> Tensor:
        return self.fc(self.pool(self.c(x)).flatten(start_dim=1))


case("regions of 7 for 3", Roi, "3x28x28", batch=2)


class Triplet(nn.Module):
    """The negative comes from another, wider branch."""

    def __init__(self) -> None:
        super().__init__()
        self.a, self.b = nn.Linear(10, 8), nn.Linear(10, 6)

    def forward(self, x: Tensor, y: Tensor) -> Tensor:
        return F.cosine_similarity(self.a(x), self.b(y))


case("similarity of unequal embeddings", Triplet, "10", "10", batch=3)


class Spectro(nn.Module):
    """A spectrogram without the channel into Conv2d, then batch norm."""

    def __init__(self) -> None:
        super().__init__()
        self.net = nn.Sequential(nn.Conv2d(1, 8, 3), nn.BatchNorm2d(8), nn.ReLU(), nn.MaxPool2d(2))
        self.f = nn.Linear(8, 10)

    def forward(self, x: Tensor) -> Tensor:
        return self.f(self.net(x).mean((2, 3)))


case("spectrogram without channel", Spectro, "64x81", batch=3)


class Wave(nn.Module):
    """A gated unit whose halves have to be multiplied, and the channels are odd."""

    def __init__(self) -> None:
        super().__init__()
        self.c = nn.Conv1d(4, 15, 3, padding=1)

    def forward(self, x: Tensor) -> Tensor:
        return F.glu(self.c(x), dim=1)


case("gated unit of odd channels", Wave, "4x30", batch=2)


class Mixed(nn.Module):
    """A table's embedding for each column, joined as a list without a flatten."""

    def __init__(self) -> None:
        super().__init__()
        self.e = nn.Embedding(20, 6)
        self.f = nn.Linear(6 * 4 + 3, 2)

    def forward(self, codes: Tensor, numbers: Tensor) -> Tensor:
        return self.f(torch.cat([self.e(codes), numbers], 1))


case("embedded columns not flattened", Mixed, "4:int64", "3", batch=2)


class Dice(nn.Module):
    """Masks with classes last against scores with classes first."""

    def __init__(self) -> None:
        super().__init__()
        self.c = nn.Conv2d(3, 4, 3, padding=1)

    def forward(self, x: Tensor, mask: Tensor) -> Tensor:
        return (self.c(x).softmax(1) * mask).sum() / mask.sum()


case("mask with its classes last", Dice, "3x10x10", "10x10x4", batch=2)


class Labelled(nn.Module):
    """Several labels each, as a target of whole numbers."""

    def __init__(self) -> None:
        super().__init__()
        self.f = nn.Linear(12, 5)

    def forward(self, x: Tensor, y: Tensor) -> Tensor:
        return nn.BCEWithLogitsLoss()(self.f(x), y)


case("several labels against one", Labelled, "12", "1", batch=4)


class NoGroups(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.c = nn.Conv1d(6, 10, 3, groups=4)

    def forward(self, x: Tensor) -> Tensor:
        return self.c(x)


case("Conv1d's groups", NoGroups, "6x20")
case(
    "attention of 100 with 12 heads",
    lambda: nn.TransformerEncoder(nn.TransformerEncoderLayer(100, 12, batch_first=True), 2),
    "7x100",
    batch=2,
)
case(
    "features as a float",
    lambda: nn.Sequential(nn.Conv2d(3, 16 * 1.5, 3), nn.ReLU()),
    "3x8x8",
)
case(
    "padding of an unknown name",
    lambda: nn.Sequential(nn.Conv2d(3, 8, 3, padding="valid_"), nn.ReLU()),
    "3x8x8",
)
case(
    "padded with a stride in one dimension",
    lambda: nn.Sequential(nn.Conv1d(2, 8, 5, stride=3, padding="same"), nn.ReLU()),
    "2x40",
)
