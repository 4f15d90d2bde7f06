"""Sixty mistakes of learners, each a small net as they write it and what would have mended it.

python benchmarks/explain_fixes.py classmates
"""

# ruff: noqa: E501, RET504, RUF059 - as learners write it
# mypy: disable-error-code="operator"

import torch
import torch.nn.functional as F
import torchvision
from torch import Tensor, nn

from explain_nets.mended import Mended  # type: ignore[import-not-found]

case = Mended()
CASES = case.cases


@case("1x28x28", mend={"64 * 7 * 7": "64 * 5 * 5"})
class DigitsUnpadded(nn.Module):
    """The tutorial's count of features, of a net whose convolutions were padded."""

    def __init__(self) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(1, 32, 3)
        self.conv2 = nn.Conv2d(32, 64, 3)
        self.fc1 = nn.Linear(64 * 7 * 7, 128)
        self.fc2 = nn.Linear(128, 10)

    def forward(self, x: Tensor) -> Tensor:
        x = F.max_pool2d(F.relu(self.conv1(x)), 2)
        x = F.max_pool2d(F.relu(self.conv2(x)), 2)
        x = x.view(-1, 64 * 7 * 7)
        x = F.relu(self.fc1(x))
        return self.fc2(x)


@case("3x224x224", mend={"32 * 56 * 56": "32 * 28 * 28"})
class OnePoolTooMany(nn.Module):
    """Three poolings, and features counted for two."""

    def __init__(self) -> None:
        super().__init__()
        self.net = nn.Sequential(
            nn.Conv2d(3, 8, 3, padding=1),
            nn.ReLU(),
            nn.MaxPool2d(2),
            nn.Conv2d(8, 16, 3, padding=1),
            nn.ReLU(),
            nn.MaxPool2d(2),
            nn.Conv2d(16, 32, 3, padding=1),
            nn.ReLU(),
            nn.MaxPool2d(2),
            nn.Flatten(),
            nn.Linear(32 * 56 * 56, 64),
            nn.ReLU(),
            nn.Linear(64, 2),
        )

    def forward(self, x: Tensor) -> Tensor:
        return self.net(x)


@case("1x48x48", mend={"nn.Conv2d(3, 16, 3": "nn.Conv2d(1, 16, 3"})
class GreyFaces(nn.Module):
    """FER-2013's grey faces into a net for colours."""

    def __init__(self) -> None:
        super().__init__()
        self.features = nn.Sequential(
            nn.Conv2d(3, 16, 3, padding=1),
            nn.ReLU(),
            nn.MaxPool2d(2),
            nn.Conv2d(16, 32, 3, padding=1),
            nn.ReLU(),
            nn.MaxPool2d(2),
        )
        self.classifier = nn.Linear(32 * 12 * 12, 7)

    def forward(self, x: Tensor) -> Tensor:
        x = self.features(x)
        return self.classifier(x.flatten(1))


@case(
    "3x50x50",
    mend={
        "self.conv_up1(torch.cat([self.up(x), x1], dim=1))": "self.conv_up1(torch.cat([F.interpolate(x, size=x1.shape[-2:]), x1], dim=1))"
    },
)
class UnetOnOddMaps(nn.Module):
    """Pictures of 50 pixels: 25 after one pooling, 12 after two."""

    def __init__(self) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(3, 16, 3, padding=1)
        self.conv2 = nn.Conv2d(16, 32, 3, padding=1)
        self.conv3 = nn.Conv2d(32, 64, 3, padding=1)
        self.up = nn.Upsample(scale_factor=2, mode="bilinear", align_corners=True)
        self.conv_up1 = nn.Conv2d(64 + 32, 32, 3, padding=1)
        self.conv_up2 = nn.Conv2d(32 + 16, 16, 3, padding=1)
        self.out = nn.Conv2d(16, 4, 1)

    def forward(self, x: Tensor) -> Tensor:
        x0 = F.relu(self.conv1(x))
        x1 = F.relu(self.conv2(F.max_pool2d(x0, 2)))
        x = F.relu(self.conv3(F.max_pool2d(x1, 2)))
        x = F.relu(self.conv_up1(torch.cat([self.up(x), x1], dim=1)))
        x = F.relu(self.conv_up2(torch.cat([self.up(x), x0], dim=1)))
        return self.out(x)


@case("3x64x64", mend={"image: int = 32": "image: int = 64"})
class VitForAnotherSize(nn.Module):
    """Position embeddings for pictures of 32 pixels."""

    def __init__(self, image: int = 32, patch: int = 8, dim: int = 64) -> None:
        super().__init__()
        self.proj = nn.Conv2d(3, dim, patch, patch)
        self.pos_embed = nn.Parameter(torch.zeros(1, (image // patch) ** 2, dim))
        self.norm = nn.LayerNorm(dim)
        self.head = nn.Linear(dim, 10)

    def forward(self, x: Tensor) -> Tensor:
        x = self.proj(x)
        x = x.flatten(2).transpose(1, 2)
        x = x + self.pos_embed
        return self.head(self.norm(x).mean(1))


@case(
    "3x32x32", mend={"x = self.proj(x).flatten(2)": "x = self.proj(x).flatten(2).transpose(1, 2)"}
)
class PatchesNotTurned(nn.Module):
    """Patches of B × D × N, where B × N × D is wanted."""

    def __init__(self) -> None:
        super().__init__()
        self.proj = nn.Conv2d(3, 96, 4, stride=4)
        self.norm = nn.LayerNorm(96)
        self.attn = nn.MultiheadAttention(96, 6, batch_first=True)
        self.head = nn.Linear(96, 100)

    def forward(self, x: Tensor) -> Tensor:
        x = self.proj(x).flatten(2)
        y = self.norm(x)
        x = x + self.attn(y, y, y)[0]
        return self.head(x.mean(1))


@case("20", mend={"self.embedding(x)": "self.embedding(x.long())"})
class TokensAsFloats(nn.Module):
    """Token numbers that came out of NumPy as floats."""

    def __init__(self) -> None:
        super().__init__()
        self.embedding = nn.Embedding(1000, 32)
        self.lstm = nn.LSTM(32, 64, batch_first=True)
        self.fc = nn.Linear(64, 1)

    def forward(self, x: Tensor) -> Tensor:
        x = self.embedding(x)
        _, (h, _) = self.lstm(x)
        return torch.sigmoid(self.fc(h[-1]))


@case("13:float64", mend={"self.layers(x)": "self.layers(x.float())"})
class TableFromPandas(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.layers = nn.Sequential(
            nn.Linear(13, 64), nn.BatchNorm1d(64), nn.ReLU(), nn.Dropout(0.2), nn.Linear(64, 3)
        )

    def forward(self, x: Tensor) -> Tensor:
        return F.log_softmax(self.layers(x), dim=1)


@case("24x8", mend={"nn.LSTM(8, 32, 2)": "nn.LSTM(8, 32, 2, batch_first=True)"})
class BatchFirstForgotten(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.lstm = nn.LSTM(8, 32, 2)
        self.fc = nn.Linear(32, 1)

    def forward(self, x: Tensor) -> Tensor:
        h0 = torch.zeros(2, x.size(0), 32)
        c0 = torch.zeros(2, x.size(0), 32)
        out, (hn, cn) = self.lstm(x, (h0, c0))
        out = self.fc(out[:, -1, :])
        return out


@case(
    "15x10",
    mend={
        "packed, _ = self.rnn(packed)": "packed, _ = self.rnn(packed); packed, _ = nn.utils.rnn.pad_packed_sequence(packed, batch_first=True)"
    },
)
class PackedIntoLinear(nn.Module):
    """What was packed is not unpacked."""

    def __init__(self) -> None:
        super().__init__()
        self.rnn = nn.GRU(10, 20, batch_first=True)
        self.fc = nn.Linear(20, 6)

    def forward(self, x: Tensor) -> Tensor:
        lengths = torch.full((x.size(0),), x.size(1))
        packed = nn.utils.rnn.pack_padded_sequence(x, lengths, batch_first=True)
        packed, _ = self.rnn(packed)
        return self.fc(packed)


@case("100", mend={"self.main(z)": "self.main(z.view(z.size(0), 100, 1, 1))"})
class DcganNoise(nn.Module):
    def __init__(self, ngf: int = 16) -> None:
        super().__init__()
        self.main = nn.Sequential(
            nn.ConvTranspose2d(100, ngf * 4, 4, 1, 0, bias=False),
            nn.BatchNorm2d(ngf * 4),
            nn.ReLU(True),
            nn.ConvTranspose2d(ngf * 4, ngf * 2, 4, 2, 1, bias=False),
            nn.BatchNorm2d(ngf * 2),
            nn.ReLU(True),
            nn.ConvTranspose2d(ngf * 2, 3, 4, 2, 1, bias=False),
            nn.Tanh(),
        )

    def forward(self, z: Tensor) -> Tensor:
        return self.main(z)


@case("3x32x32", mend={"nn.Conv2d(ndf * 4, 1, 4, 1, 0)": "nn.Conv2d(ndf * 4, 1, 2, 1, 0)"})
class DiscriminatorOfSmall(nn.Module):
    """DCGAN's discriminator without a level, and the pictures halved twice."""

    def __init__(self, ndf: int = 16) -> None:
        super().__init__()
        self.main = nn.Sequential(
            nn.Conv2d(3, ndf, 4, 2, 1),
            nn.LeakyReLU(0.2),
            nn.Conv2d(ndf, ndf * 2, 4, 2, 1),
            nn.LeakyReLU(0.2),
            nn.Conv2d(ndf * 2, ndf * 4, 4, 2, 1),
            nn.LeakyReLU(0.2),
            nn.Conv2d(ndf * 4, ndf * 4, 4, 2, 1),
            nn.LeakyReLU(0.2),
            nn.Conv2d(ndf * 4, 1, 4, 1, 0),
            nn.Sigmoid(),
        )

    def forward(self, x: Tensor) -> Tensor:
        return self.main(x).view(-1, 1)


@case("1x28x28", mend={"nn.Linear(400, 20)": "nn.Linear(400, 40)"})
class VaeChunks(nn.Module):
    """Means and variances come out of one layer, which is made for one of them."""

    def __init__(self) -> None:
        super().__init__()
        self.enc = nn.Sequential(nn.Flatten(), nn.Linear(784, 400), nn.ReLU(), nn.Linear(400, 20))
        self.dec = nn.Sequential(nn.Linear(20, 400), nn.ReLU(), nn.Linear(400, 784), nn.Sigmoid())

    def forward(self, x: Tensor) -> Tensor:
        mu, logvar = self.enc(x).chunk(2, dim=1)
        std = torch.exp(0.5 * logvar)
        z = mu + std * torch.randn_like(std)
        return self.dec(z).view_as(x)


@case("16", mend={"nn.Linear(16, 400)": "nn.Linear(16, 32 * 7 * 7)"})
class DecoderOfMaps(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.fc = nn.Linear(16, 400)
        self.deconv = nn.Sequential(
            nn.ConvTranspose2d(32, 16, 4, 2, 1),
            nn.ReLU(),
            nn.ConvTranspose2d(16, 1, 4, 2, 1),
            nn.Sigmoid(),
        )

    def forward(self, z: Tensor) -> Tensor:
        x = F.relu(self.fc(z))
        x = x.view(-1, 32, 7, 7)
        return self.deconv(x)


@case("3x56x56", mend={"padding=1, dilation=dilation": "padding=dilation, dilation=dilation"})
class DilatedResidual(nn.Module):
    def __init__(self, dilation: int = 2) -> None:
        super().__init__()
        self.stem = nn.Conv2d(3, 32, 3, padding=1)
        self.conv1 = nn.Conv2d(32, 32, 3, padding=1, dilation=dilation)
        self.bn1 = nn.BatchNorm2d(32)
        self.conv2 = nn.Conv2d(32, 32, 3, padding=1)
        self.bn2 = nn.BatchNorm2d(32)

    def forward(self, x: Tensor) -> Tensor:
        x = self.stem(x)
        out = F.relu(self.bn1(self.conv1(x)))
        out = self.bn2(self.conv2(out))
        return F.relu(out + x)


@case("3x32x32", mend={"groups=outer": "groups=inner"})
class DepthwiseOfOuter(nn.Module):
    """As many groups as the layer has outputs, and fewer inputs."""

    def __init__(self, inner: int = 16, outer: int = 32) -> None:
        super().__init__()
        self.stem = nn.Conv2d(3, inner, 3, padding=1)
        self.depthwise = nn.Conv2d(inner, inner, 3, padding=1, groups=outer)
        self.pointwise = nn.Conv2d(inner, outer, 1)

    def forward(self, x: Tensor) -> Tensor:
        return self.pointwise(self.depthwise(self.stem(x)))


@case("20", mend={"nn.BatchNorm2d(64)": "nn.BatchNorm1d(64)"})
class NormOfMapOnFeatures(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.net = nn.Sequential(
            nn.Linear(20, 64),
            nn.BatchNorm2d(64),
            nn.ReLU(),
            nn.Linear(64, 64),
            nn.ReLU(),
            nn.Linear(64, 1),
        )

    def forward(self, x: Tensor) -> Tensor:
        return self.net(x)


@case("50x16", mend={"self.bn(x)": "self.bn(x.transpose(1, 2)).transpose(1, 2)"})
class NormOverSteps(nn.Module):
    """Batch norm on what a recurrent layer gives, steps before features."""

    def __init__(self) -> None:
        super().__init__()
        self.rnn = nn.GRU(16, 24, batch_first=True)
        self.bn = nn.BatchNorm1d(24)
        self.fc = nn.Linear(24, 5)

    def forward(self, x: Tensor) -> Tensor:
        x, _ = self.rnn(x)
        x = self.bn(x)
        return self.fc(x)


@case("3x64x64", mend={"nn.LayerNorm([16, 64, 64])": "nn.LayerNorm([16, 32, 32])"})
class LayerNormOfMap(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(3, 16, 3, stride=2, padding=1)
        self.ln1 = nn.LayerNorm([16, 64, 64])
        self.conv2 = nn.Conv2d(16, 8, 3, padding=1)

    def forward(self, x: Tensor) -> Tensor:
        return self.conv2(F.gelu(self.ln1(self.conv1(x))))


@case(
    "3x32x32",
    mend={"x = self.norm(self.dwconv(x))\n": "x = self.norm(self.dwconv(x).permute(0, 2, 3, 1))\n"},
)
class ConvNextBlock(nn.Module):
    """ConvNeXt's block without the first permutation."""

    def __init__(self, dim: int = 24) -> None:
        super().__init__()
        self.stem = nn.Conv2d(3, dim, 4, 4)
        self.dwconv = nn.Conv2d(dim, dim, 7, padding=3, groups=dim)
        self.norm = nn.LayerNorm(dim)
        self.pwconv1 = nn.Linear(dim, 4 * dim)
        self.pwconv2 = nn.Linear(4 * dim, dim)

    def forward(self, x: Tensor) -> Tensor:
        x = self.stem(x)
        shortcut = x
        x = self.norm(self.dwconv(x))
        x = self.pwconv2(F.gelu(self.pwconv1(x)))
        return shortcut + x.permute(0, 3, 1, 2)


@case("16x32", mend={'"bqd,bkd->bqk"': '"bhqd,bhkd->bhqk"'})
class EinsumWithoutHeads(nn.Module):
    """An einsum for one head, after the features were split into several."""

    def __init__(self) -> None:
        super().__init__()
        self.q, self.k, self.v = nn.Linear(32, 32), nn.Linear(32, 32), nn.Linear(32, 32)

    def forward(self, x: Tensor) -> Tensor:
        b, n, d = x.shape
        q = self.q(x).view(b, n, 4, d // 4).transpose(1, 2)
        k = self.k(x).view(b, n, 4, d // 4).transpose(1, 2)
        v = self.v(x).view(b, n, 4, d // 4).transpose(1, 2)
        dots = torch.einsum("bqd,bkd->bqk", q, k)
        out = dots.softmax(-1) @ v
        return out.transpose(1, 2).reshape(b, n, d)


@case("10x24", "14x24", mend={'"bij,bjk->bik"': '"bid,bjd->bij"'})
class EinsumOfSimilarity(nn.Module):
    """All pairs of two sentences' words."""

    def __init__(self) -> None:
        super().__init__()
        self.left, self.right = nn.Linear(24, 16), nn.Linear(24, 16)

    def forward(self, a: Tensor, b: Tensor) -> Tensor:
        scores = torch.einsum("bij,bjk->bik", self.left(a), self.right(b))
        return scores.softmax(-1)


@case("32", mend={"x @ self.weight + self.bias": "x @ self.weight.t() + self.bias"})
class LayerByHandAsTorch(nn.Module):
    """Weights laid out as nn.Linear has them."""

    def __init__(self) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.randn(10, 32))
        self.bias = nn.Parameter(torch.zeros(10))

    def forward(self, x: Tensor) -> Tensor:
        return torch.relu(x @ self.weight + self.bias)


@case("4", ":int64", mend={"q.gather(1, action)": "q.gather(1, action.unsqueeze(1))"})
class ValueOfAction(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.layer1, self.layer2, self.layer3 = (
            nn.Linear(4, 64),
            nn.Linear(64, 64),
            nn.Linear(64, 2),
        )

    def forward(self, state: Tensor, action: Tensor) -> Tensor:
        q = self.layer3(F.relu(self.layer2(F.relu(self.layer1(state)))))
        return q.gather(1, action)


@case(
    "20",
    "1:int64",
    mend={"F.cross_entropy(self.net(x), y)": "F.cross_entropy(self.net(x), y.squeeze(1))"},
)
class TargetOfOneColumn(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.net = nn.Sequential(nn.Linear(20, 32), nn.ReLU(), nn.Linear(32, 3))

    def forward(self, x: Tensor, y: Tensor) -> Tensor:
        return F.cross_entropy(self.net(x), y)


@case("20", "", mend={"self.criterion(out, y)": "self.criterion(out, y.long())"})
class ClassesAsFloats(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.fc1, self.fc2 = nn.Linear(20, 32), nn.Linear(32, 3)
        self.criterion = nn.CrossEntropyLoss()

    def forward(self, x: Tensor, y: Tensor) -> Tensor:
        out = self.fc2(F.relu(self.fc1(x)))
        return self.criterion(out, y)


@case("3x32x32", "10:int64", mend={"F.nll_loss(x, y)": "F.nll_loss(x, y.argmax(1))"})
class OneHotIntoNll(nn.Module):
    """One-hot targets, as Keras has them, into a loss for numbers of classes."""

    def __init__(self) -> None:
        super().__init__()
        self.conv = nn.Conv2d(3, 8, 3, 2, 1)
        self.fc = nn.Linear(8 * 16 * 16, 10)

    def forward(self, x: Tensor, y: Tensor) -> Tensor:
        x = F.log_softmax(self.fc(F.relu(self.conv(x)).flatten(1)), dim=1)
        return F.nll_loss(x, y)


@case("3x64x64", "", mend={"self.loss(self.net(x), y)": "self.loss(self.net(x).squeeze(1), y)"})
class CatsAndDogs(nn.Module):
    """One answer a picture in a column, and targets without one."""

    def __init__(self) -> None:
        super().__init__()
        self.net = nn.Sequential(
            nn.Conv2d(3, 8, 3, 2, 1),
            nn.ReLU(),
            nn.AdaptiveAvgPool2d(1),
            nn.Flatten(),
            nn.Linear(8, 1),
        )
        self.loss = nn.BCEWithLogitsLoss()

    def forward(self, x: Tensor, y: Tensor) -> Tensor:
        return self.loss(self.net(x), y)


@case(
    "1x40x40",
    "40x40:int64",
    mend={"target = y.float()": "target = F.one_hot(y, 4).permute(0, 3, 1, 2).float()"},
    batch=3,
)
class DiceOfClasses(nn.Module):
    """Dice over four classes, and a mask of numbers."""

    def __init__(self) -> None:
        super().__init__()
        self.net = nn.Sequential(nn.Conv2d(1, 16, 3, padding=1), nn.ReLU(), nn.Conv2d(16, 4, 1))

    def forward(self, x: Tensor, y: Tensor) -> Tensor:
        probs = self.net(x).softmax(dim=1)
        target = y.float()
        intersection = (probs * target).sum(dim=(2, 3))
        union = probs.sum(dim=(2, 3)) + target.sum(dim=(2, 3))
        return 1 - (2 * intersection / (union + 1e-6)).mean()


@case(
    "1x32x96", "6:int64", mend={"F.ctc_loss(log_probs, ": "F.ctc_loss(log_probs.transpose(0, 1), "}
)
class CtcBatchFirst(nn.Module):
    """A reader of lines: its steps come after the batch, and CTC wants them first."""

    def __init__(self) -> None:
        super().__init__()
        self.conv = nn.Conv2d(1, 16, 3, 2, 1)
        self.rnn = nn.LSTM(16 * 16, 32, batch_first=True, bidirectional=True)
        self.fc = nn.Linear(64, 20)

    def forward(self, x: Tensor, y: Tensor) -> Tensor:
        x = F.relu(self.conv(x))
        x = x.permute(0, 3, 1, 2).flatten(2)
        x, _ = self.rnn(x)
        log_probs = self.fc(x).log_softmax(2)
        inputs = torch.full((x.size(0),), x.size(1))
        lengths = torch.full((x.size(0),), y.size(1))
        return F.ctc_loss(log_probs, y, inputs, lengths)


@case("3x128x128", mend={"classes: int = 80": "classes: int = 20"}, batch=2)
class YoloHeadOfCoco(nn.Module):
    """A head of 75 channels for VOC, read as COCO's 85 numbers a box."""

    def __init__(self, classes: int = 80) -> None:
        super().__init__()
        self.classes = classes
        self.backbone = nn.Sequential(
            nn.Conv2d(3, 32, 3, 8, 1), nn.LeakyReLU(0.1), nn.Conv2d(32, 64, 3, 2, 1)
        )
        self.head = nn.Conv2d(64, 75, 1)

    def forward(self, x: Tensor) -> Tensor:
        x = self.head(self.backbone(x))
        b, _, h, w = x.shape
        x = x.view(b, 3, self.classes + 5, h, w)
        x = x.permute(0, 1, 3, 4, 2)
        return torch.sigmoid(x[..., 4])


@case(
    "3x100x100",
    mend={"F.interpolate(p4, scale_factor=2)": "F.interpolate(p4, size=c3.shape[-2:])"},
    batch=2,
)
class FpnOnOddMaps(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.c1 = nn.Conv2d(3, 16, 3, 2, 1)
        self.c2 = nn.Conv2d(16, 32, 3, 2, 1)
        self.c3 = nn.Conv2d(32, 64, 3, 2, 1)
        self.lat3, self.lat4 = nn.Conv2d(32, 24, 1), nn.Conv2d(64, 24, 1)
        self.smooth = nn.Conv2d(24, 24, 3, padding=1)

    def forward(self, x: Tensor) -> Tensor:
        c3 = F.relu(self.c2(F.relu(self.c1(x))))
        c4 = F.relu(self.c3(c3))
        p4 = self.lat4(c4)
        p3 = self.lat3(c3) + F.interpolate(p4, scale_factor=2)
        return self.smooth(p3)


@case("3x24x24", mend={"nn.Conv2d(32, 3 * 2**2, 3": "nn.Conv2d(32, 3 * 3**2, 3"})
class EspcnOfThree(nn.Module):
    """Super-resolution by three, with channels for two."""

    def __init__(self, scale: int = 3) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(3, 64, 5, padding=2)
        self.conv2 = nn.Conv2d(64, 32, 3, padding=1)
        self.conv3 = nn.Conv2d(32, 3 * 2**2, 3, padding=1)
        self.shuffle = nn.PixelShuffle(scale)

    def forward(self, x: Tensor) -> Tensor:
        x = torch.tanh(self.conv2(torch.tanh(self.conv1(x))))
        return torch.sigmoid(self.shuffle(self.conv3(x)))


@case("3x64x64", mend={"nn.Linear(64, 10)": "nn.Linear(64 * 2 * 2, 10)"})
class AdaptiveTwoByTwo(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.features = nn.Sequential(
            nn.Conv2d(3, 64, 5, 2), nn.ReLU(), nn.AdaptiveAvgPool2d((2, 2))
        )
        self.fc = nn.Linear(64, 10)

    def forward(self, x: Tensor) -> Tensor:
        x = self.features(x)
        return self.fc(torch.flatten(x, 1))


@case("3x64x64", "5", mend={"torch.cat([x1, x2], dim=1)": "torch.cat([x1.flatten(1), x2], dim=1)"})
class PictureAndTable(nn.Module):
    """House prices: a picture's map beside five numbers."""

    def __init__(self) -> None:
        super().__init__()
        self.cnn = nn.Sequential(nn.Conv2d(3, 16, 3, 2, 1), nn.ReLU(), nn.AdaptiveAvgPool2d(1))
        self.mlp = nn.Sequential(nn.Linear(5, 8), nn.ReLU())
        self.fc = nn.Linear(24, 1)

    def forward(self, image: Tensor, data: Tensor) -> Tensor:
        x1 = self.cnn(image)
        x2 = self.mlp(data)
        x = torch.cat([x1, x2], dim=1)
        return self.fc(x)


@case("12x12", "12x8", mend={"torch.bmm(x, adj)": "torch.bmm(adj, x)"})
class GraphConvolution(nn.Module):
    """Nodes × features on the left of nodes × nodes."""

    def __init__(self) -> None:
        super().__init__()
        self.w1, self.w2 = nn.Linear(8, 16), nn.Linear(16, 3)

    def propagate(self, adj: Tensor, x: Tensor) -> Tensor:
        return torch.bmm(x, adj)

    def forward(self, adj: Tensor, x: Tensor) -> Tensor:
        x = F.relu(self.w1(self.propagate(adj, x)))
        return self.w2(self.propagate(adj, x)).mean(1)


@case("9x8", mend={"nn.Linear(16, 1, bias=False)": "nn.Linear(32, 1, bias=False)"})
class GraphAttention(nn.Module):
    """Attention of pairs, whose layer is made for one of the two."""

    def __init__(self) -> None:
        super().__init__()
        self.W = nn.Linear(8, 16, bias=False)
        self.a = nn.Linear(16, 1, bias=False)

    def forward(self, h: Tensor) -> Tensor:
        Wh = self.W(h)
        n = Wh.size(1)
        left = Wh.unsqueeze(2).expand(-1, -1, n, -1)
        right = Wh.unsqueeze(1).expand(-1, n, -1, -1)
        e = F.leaky_relu(self.a(torch.cat([left, right], dim=-1)).squeeze(-1), 0.2)
        return F.elu(torch.matmul(e.softmax(-1), Wh))


@case("128x40", mend={"self.conv1(x)": "self.conv1(x.transpose(1, 2))"})
class CoefficientsLast(nn.Module):
    """MFCCs of steps × coefficients into a convolution over steps."""

    def __init__(self) -> None:
        super().__init__()
        self.conv1 = nn.Conv1d(40, 64, 5, padding=2)
        self.conv2 = nn.Conv1d(64, 64, 5, padding=2)
        self.fc = nn.Linear(64, 8)

    def forward(self, x: Tensor) -> Tensor:
        x = F.relu(self.conv1(x))
        x = F.relu(self.conv2(x))
        return self.fc(x.mean(dim=2))


@case("16x3x32x32", mend={"self.conv1(x)": "self.conv1(x.transpose(1, 2))"})
class ClipFramesFirst(nn.Module):
    """Clips of frames × channels, into three-dimensional convolution."""

    def __init__(self) -> None:
        super().__init__()
        self.conv1 = nn.Conv3d(3, 16, 3, padding=1)
        self.pool = nn.MaxPool3d(2)
        self.fc = nn.Linear(16 * 8 * 16 * 16, 12)

    def forward(self, x: Tensor) -> Tensor:
        x = self.pool(F.relu(self.conv1(x)))
        return self.fc(x.flatten(1))


@case("3x32x32", mend={"self.pool(x)\n": "self.pool(x).view(b, c)\n"})
class SqueezeOnMap(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.conv = nn.Conv2d(3, 32, 3, padding=1)
        self.pool = nn.AdaptiveAvgPool2d(1)
        self.fc1, self.fc2 = nn.Linear(32, 4), nn.Linear(4, 32)

    def forward(self, x: Tensor) -> Tensor:
        x = self.conv(x)
        b, c = x.shape[:2]
        s = self.pool(x)
        s = torch.sigmoid(self.fc2(F.relu(self.fc1(s))))
        return x * s.view(b, c, 1, 1)


@case("3x16x16", mend={'mode="linear"': 'mode="bilinear"'})
class UpsampledAsALine(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.up = nn.Upsample(scale_factor=2, mode="linear")
        self.conv = nn.Conv2d(3, 8, 3, padding=1)

    def forward(self, x: Tensor) -> Tensor:
        return self.conv(self.up(x))


@case(
    "3x64x64",
    mend={"self.head(self.backbone(x))": "self.head(self.backbone(x).flatten(1))"},
    batch=2,
)
class CutResnet(nn.Module):
    """All but the last layer of a net keeps its map of 1 × 1."""

    def __init__(self) -> None:
        super().__init__()
        net = torchvision.models.resnet18(weights=None)
        self.backbone = nn.Sequential(*list(net.children())[:-1])
        self.head = nn.Sequential(nn.Linear(512, 64), nn.ReLU(), nn.Linear(64, 3))

    def forward(self, x: Tensor) -> Tensor:
        return self.head(self.backbone(x))


@case("3x64x64", mend={"nn.Linear(512, 3)": "nn.Linear(1280, 3)"}, batch=2)
class MobileNetHead(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        net = torchvision.models.mobilenet_v2(weights=None)
        self.features = net.features
        self.classifier = nn.Sequential(nn.Dropout(0.2), nn.Linear(512, 3))

    def forward(self, x: Tensor) -> Tensor:
        x = self.features(x)
        x = F.adaptive_avg_pool2d(x, (1, 1)).reshape(x.shape[0], -1)
        return self.classifier(x)


@case("1x64x64", mend={"return self.net(x)": "return self.net(x.expand(-1, 3, -1, -1))"}, batch=2)
class XrayIntoPretrained(nn.Module):
    """X-rays have one channel, and the pretrained net three."""

    def __init__(self) -> None:
        super().__init__()
        self.net = torchvision.models.resnet18(weights=None)
        self.net.fc = nn.Linear(512, 2)

    def forward(self, x: Tensor) -> Tensor:
        return self.net(x)


@case("3x30x30", mend={"patch: int = 4": "patch: int = 5"})
class PatchesThatDoNotFit(nn.Module):
    """Patches of 4 pixels cut out of pictures of 30."""

    def __init__(self, patch: int = 4) -> None:
        super().__init__()
        self.p = patch
        self.proj = nn.Linear(3 * patch * patch, 64)

    def forward(self, x: Tensor) -> Tensor:
        b, c, h, w = x.shape
        p = self.p
        x = x.reshape(b, c, h // p, p, w // p, p)
        x = x.permute(0, 2, 4, 3, 5, 1).reshape(b, (h // p) * (w // p), -1)
        return self.proj(x)


@case("40:int64", mend={"torch.cat(pooled, 1)": "torch.cat(pooled, 1).squeeze(2)"})
class TextCnnOfThree(nn.Module):
    """Maps pooled to one step each keep that step."""

    def __init__(self) -> None:
        super().__init__()
        self.embed = nn.Embedding(1000, 50)
        self.convs = nn.ModuleList(nn.Conv1d(50, 16, k) for k in (3, 4, 5))
        self.fc = nn.Linear(48, 2)

    def forward(self, x: Tensor) -> Tensor:
        x = self.embed(x).transpose(1, 2)
        pooled = [F.adaptive_max_pool1d(F.relu(conv(x)), 1) for conv in self.convs]
        return self.fc(torch.cat(pooled, 1))


@case("40:int64", mend={"nn.Linear(16, 2)": "nn.Linear(16 * 3, 2)"})
class TextCnnOfOne(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.embed = nn.Embedding(1000, 50)
        self.convs = nn.ModuleList(nn.Conv2d(1, 16, (k, 50)) for k in (3, 4, 5))
        self.fc = nn.Linear(16, 2)

    def forward(self, x: Tensor) -> Tensor:
        x = self.embed(x).unsqueeze(1)
        maps = [F.relu(conv(x)).squeeze(3) for conv in self.convs]
        maps = [F.max_pool1d(m, m.size(2)).squeeze(2) for m in maps]
        return self.fc(torch.cat(maps, 1))


@case("3x32x32", mend={"x.view(x.size(1), -1)": "x.view(x.size(0), -1)"})
class ViewOfChannels(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.conv = nn.Conv2d(3, 8, 3, 2, 1)
        self.fc = nn.Linear(8 * 16 * 16, 10)

    def forward(self, x: Tensor) -> Tensor:
        x = F.relu(self.conv(x))
        x = x.view(x.size(1), -1)
        return self.fc(x)


@case("3x32x32", mend={"torch.zeros(16, 24)": "torch.zeros(x.size(0), 24)"})
class StateOfFixedBatch(nn.Module):
    """A state for the training's batch."""

    def __init__(self) -> None:
        super().__init__()
        self.conv = nn.Conv2d(3, 8, 4, 4)
        self.cell = nn.GRUCell(8, 24)

    def forward(self, x: Tensor) -> Tensor:
        x = self.conv(x).flatten(2).transpose(1, 2)
        h = torch.zeros(16, 24)
        for step in range(x.size(1)):
            h = self.cell(x[:, step], h)
        return h


@case("3x64x64", mend={"nn.Conv2d(32 * 3, 8, 1)": "nn.Conv2d(32 * 4, 8, 1)"})
class PyramidOfPools(nn.Module):
    """PSPNet: three pooled maps and the map itself."""

    def __init__(self) -> None:
        super().__init__()
        self.base = nn.Conv2d(3, 32, 3, 2, 1)
        self.stages = nn.ModuleList(
            nn.Sequential(nn.AdaptiveAvgPool2d(s), nn.Conv2d(32, 32, 1)) for s in (1, 2, 4)
        )
        self.out = nn.Conv2d(32 * 3, 8, 1)

    def forward(self, x: Tensor) -> Tensor:
        x = F.relu(self.base(x))
        size = x.shape[2:]
        maps = [F.interpolate(stage(x), size, mode="bilinear") for stage in self.stages]
        return self.out(torch.cat([x, *maps], 1))


@case(
    "3x65x65",
    mend={
        "nn.Conv2d(32, 16, 3, padding=6, dilation=12)": "nn.Conv2d(32, 16, 3, padding=12, dilation=12)"
    },
)
class AtrousBranches(nn.Module):
    """ASPP: one branch whose padding is not its rate."""

    def __init__(self) -> None:
        super().__init__()
        self.base = nn.Conv2d(3, 32, 3, 2, 1)
        self.a = nn.Conv2d(32, 16, 1)
        self.b = nn.Conv2d(32, 16, 3, padding=6, dilation=6)
        self.c = nn.Conv2d(32, 16, 3, padding=6, dilation=12)
        self.out = nn.Conv2d(48, 5, 1)

    def forward(self, x: Tensor) -> Tensor:
        x = F.relu(self.base(x))
        return self.out(torch.cat([self.a(x), self.b(x), self.c(x)], dim=1))


@case("3x28x28", mend={"nn.Conv2d(32, 24, 5, padding=1)": "nn.Conv2d(32, 24, 5, padding=2)"})
class InceptionBranches(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.base = nn.Conv2d(3, 32, 3, padding=1)
        self.b1 = nn.Conv2d(32, 16, 1)
        self.b3 = nn.Conv2d(32, 24, 3, padding=1)
        self.b5 = nn.Conv2d(32, 24, 5, padding=1)
        self.bp = nn.Sequential(nn.MaxPool2d(3, 1, 1), nn.Conv2d(32, 16, 1))

    def forward(self, x: Tensor) -> Tensor:
        x = F.relu(self.base(x))
        return torch.cat([self.b1(x), self.b3(x), self.b5(x), self.bp(x)], 1)


@case("1x28x28", mend={"u.view(x.size(0), -1, 4)": "u.view(x.size(0), -1, 8)"})
class CapsulesOfFour(nn.Module):
    """Capsules of eight numbers, cut into four."""

    def __init__(self) -> None:
        super().__init__()
        self.conv = nn.Conv2d(1, 16, 9)
        self.primary = nn.Conv2d(16, 32, 9, 2)
        self.W = nn.Parameter(torch.randn(144, 8, 10) * 0.1)

    def forward(self, x: Tensor) -> Tensor:
        u = self.primary(F.relu(self.conv(x)))
        u = u.view(x.size(0), -1, 4)
        return torch.einsum("bnd,ndk->bk", u, self.W)


@case("5x512", mend={"weights * h": "weights.unsqueeze(-1) * h"}, batch=3)
class PooledByAttention(nn.Module):
    """Attention over instances of a bag."""

    def __init__(self) -> None:
        super().__init__()
        self.embed = nn.Linear(512, 64)
        self.score = nn.Sequential(nn.Linear(64, 32), nn.Tanh(), nn.Linear(32, 1))
        self.fc = nn.Linear(64, 1)

    def forward(self, x: Tensor) -> Tensor:
        h = F.relu(self.embed(x))
        weights = self.score(h).squeeze(-1).softmax(dim=1)
        z = (weights * h).sum(dim=1)
        return self.fc(z)


@case(
    "16x24",
    "16:bool",
    mend={"scores.masked_fill(mask, -1e9)": "scores.masked_fill(mask[:, None], -1e9)"},
    batch=3,
)
class MaskOfKeys(nn.Module):
    """A padding mask without a dimension for the queries."""

    def __init__(self) -> None:
        super().__init__()
        self.q, self.k, self.v = nn.Linear(24, 24), nn.Linear(24, 24), nn.Linear(24, 24)

    def forward(self, x: Tensor, mask: Tensor) -> Tensor:
        scores = self.q(x) @ self.k(x).transpose(1, 2) / 24**0.5
        scores = scores.masked_fill(mask, -1e9)
        return scores.softmax(-1) @ self.v(x)


@case("49x64", mend={"self.heads = 5": "self.heads = 4"})
class HeadsThatDoNotDivide(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.heads = 5
        self.to_q, self.to_kv = nn.Linear(64, 64), nn.Linear(64, 128)
        self.out = nn.Linear(64, 64)

    def forward(self, x: Tensor) -> Tensor:
        b, n, c = x.shape
        k, v = self.to_kv(x).chunk(2, dim=-1)
        q, k, v = (
            t.reshape(b, n, self.heads, c // self.heads).transpose(1, 2)
            for t in (self.to_q(x), k, v)
        )
        y = F.scaled_dot_product_attention(q, k, v)
        return self.out(y.transpose(1, 2).reshape(b, n, c))


@case("3x32x32", mend={"self.groups = 5": "self.groups = 4"})
class ShuffledChannels(nn.Module):
    """ShuffleNet's channels do not fall into five groups."""

    def __init__(self) -> None:
        super().__init__()
        self.groups = 5
        self.conv1 = nn.Conv2d(3, 24, 3, 2, 1)
        self.conv2 = nn.Conv2d(24, 48, 1, groups=4)

    def forward(self, x: Tensor) -> Tensor:
        x = self.conv1(x)
        b, c, h, w = x.shape
        x = x.view(b, self.groups, c // self.groups, h, w).transpose(1, 2).reshape(b, c, h, w)
        return self.conv2(x)


@case("10x3", mend={"torch.max(x, 1)": "torch.max(x, 1)[0]"}, batch=4)
class PointNet(nn.Module):
    """max with a dimension gives values and places."""

    def __init__(self) -> None:
        super().__init__()
        self.mlp = nn.Sequential(nn.Linear(3, 64), nn.ReLU(), nn.Linear(64, 128))
        self.fc = nn.Linear(128, 40)

    def forward(self, x: Tensor) -> Tensor:
        x = self.mlp(x)
        x = torch.max(x, 1)
        return self.fc(x)


@case("128x3", mend={"self.conv1(x)": "self.conv1(x.transpose(1, 2))"}, batch=2)
class PointNetConv(nn.Module):
    """Points × coordinates into a convolution of one step."""

    def __init__(self) -> None:
        super().__init__()
        self.conv1, self.conv2 = nn.Conv1d(3, 64, 1), nn.Conv1d(64, 128, 1)
        self.fc = nn.Linear(128, 10)

    def forward(self, x: Tensor) -> Tensor:
        x = F.relu(self.conv1(x))
        x = F.relu(self.conv2(x))
        return self.fc(x.amax(2))


@case("20", "20", "20", mend={"torch.cat([a, b, c])": "torch.cat([a, b, c], 1)"}, batch=4)
class ConcatenatedOverBatch(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.a, self.b, self.c = nn.Linear(20, 8), nn.Linear(20, 16), nn.Linear(20, 8)
        self.out = nn.Linear(32, 2)

    def forward(self, a: Tensor, b: Tensor, c: Tensor) -> Tensor:
        a, b, c = self.a(a), self.b(b), self.c(c)
        return self.out(torch.cat([a, b, c]))
