"""Eighty-one mistakes of learners, each a small net as they write it and what would have mended it.

python benchmarks/explain_fixes.py learners
"""

# ruff: noqa: E501, F401, RET504, RUF059 - as learners write it
# mypy: disable-error-code="operator"

import torch
import torch.nn.functional as F
import torchvision
import torchvision.transforms.functional as TF
from torch import Tensor, nn

from explain_nets.mended import Mended  # type: ignore[import-not-found]

case = Mended()
CASES = case.cases


@case("64x64x3", mend={"x = self.stem(x)": "x = self.stem(x.permute(0, 3, 1, 2))"})
class PicturesFromOpenCv(nn.Module):
    """Pictures as OpenCV and Keras have them, channels last."""

    def __init__(self) -> None:
        super().__init__()
        self.stem = nn.Sequential(nn.Conv2d(3, 16, 7, 2, 3), nn.BatchNorm2d(16), nn.ReLU())
        self.body = nn.Conv2d(16, 32, 3, padding=1)
        self.head = nn.Linear(32, 5)

    def forward(self, x: Tensor) -> Tensor:
        x = self.stem(x)
        x = F.relu(self.body(x)).mean((2, 3))
        return self.head(x)


@case("4x64x64", mend={"self.conv(x)": "self.conv(x[:, :3])"})
class PngWithAlpha(nn.Module):
    """A PNG with transparency."""

    def __init__(self) -> None:
        super().__init__()
        self.conv = nn.Conv2d(3, 16, 3)
        self.pool = nn.AdaptiveAvgPool2d(1)
        self.fc = nn.Linear(16, 3)

    def forward(self, x: Tensor) -> Tensor:
        x = F.relu(self.conv(x))
        x = self.pool(x)
        return self.fc(x.flatten(1))


@case("3x32x32", mend={"nn.Linear(16 * 8 * 8": "nn.Flatten(), nn.Linear(16 * 8 * 8"})
class NoFlattenInSequential(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.features = nn.Sequential(
            nn.Conv2d(3, 16, 3, stride=2, padding=1), nn.ReLU(), nn.AdaptiveAvgPool2d(8)
        )
        self.head = nn.Sequential(nn.Linear(16 * 8 * 8, 64), nn.ReLU(), nn.Linear(64, 10))

    def forward(self, x: Tensor) -> Tensor:
        return self.head(self.features(x))


@case("64x100", mend={"self.conv1(x)": "self.conv1(x.unsqueeze(1))"})
class SpectrogramWithoutChannel(nn.Module):
    """Mel spectrograms, bands × frames, without a dimension for channels."""

    def __init__(self) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(1, 16, 3, padding=1)
        self.conv2 = nn.Conv2d(16, 32, 3, padding=1)
        self.fc = nn.Linear(32 * 16 * 25, 10)

    def forward(self, x: Tensor) -> Tensor:
        x = F.max_pool2d(F.relu(self.conv1(x)), 2)
        x = F.max_pool2d(F.relu(self.conv2(x)), 2)
        return self.fc(torch.flatten(x, 1))


@case("3x64x64", mend={"self.dec1 = double(32, 32)": "self.dec1 = double(64, 32)"})
class UnetForgetsSkip(nn.Module):
    """A decoder made for the upsampled map alone, and not for what is concatenated."""

    def __init__(self) -> None:
        super().__init__()

        def double(inner: int, outer: int) -> nn.Sequential:
            return nn.Sequential(
                nn.Conv2d(inner, outer, 3, padding=1),
                nn.BatchNorm2d(outer),
                nn.ReLU(inplace=True),
                nn.Conv2d(outer, outer, 3, padding=1),
                nn.BatchNorm2d(outer),
                nn.ReLU(inplace=True),
            )

        self.enc1, self.enc2 = double(3, 32), double(32, 64)
        self.mid = double(64, 128)
        self.up2 = nn.ConvTranspose2d(128, 64, 2, stride=2)
        self.dec2 = double(128, 64)
        self.up1 = nn.ConvTranspose2d(64, 32, 2, stride=2)
        self.dec1 = double(32, 32)
        self.out = nn.Conv2d(32, 1, 1)

    def forward(self, x: Tensor) -> Tensor:
        a = self.enc1(x)
        b = self.enc2(F.max_pool2d(a, 2))
        c = self.mid(F.max_pool2d(b, 2))
        c = self.dec2(torch.cat([self.up2(c), b], 1))
        c = self.dec1(torch.cat([self.up1(c), a], 1))
        return self.out(c)


@case(
    "1x92x92",
    mend={
        "torch.cat([skip, x], dim=1)": "torch.cat([TF.center_crop(skip, x.shape[-2:]), x], dim=1)"
    },
)
class UnetWithoutCrop(nn.Module):
    """Unpadded convolutions as in the paper, and the skip not cropped."""

    def __init__(self) -> None:
        super().__init__()
        self.down = nn.Sequential(nn.Conv2d(1, 16, 3), nn.ReLU(), nn.Conv2d(16, 16, 3), nn.ReLU())
        self.pool = nn.MaxPool2d(2)
        self.bottom = nn.Sequential(
            nn.Conv2d(16, 32, 3), nn.ReLU(), nn.Conv2d(32, 32, 3), nn.ReLU()
        )
        self.up = nn.ConvTranspose2d(32, 16, 2, 2)
        self.last = nn.Sequential(nn.Conv2d(32, 16, 3), nn.ReLU(), nn.Conv2d(16, 2, 1))

    def forward(self, x: Tensor) -> Tensor:
        skip = self.down(x)
        x = self.bottom(self.pool(skip))
        x = self.up(x)
        x = torch.cat([skip, x], dim=1)
        return self.last(x)


@case("3x32x32", mend={"torch.randn(1, self.patches, 48)": "torch.randn(1, self.patches + 1, 48)"})
class VitWithoutPlaceForClass(nn.Module):
    """A class token is put before the patches, and has no position of its own."""

    def __init__(self) -> None:
        super().__init__()
        self.patches = (32 // 8) ** 2
        self.embed = nn.Conv2d(3, 48, 8, 8)
        self.cls = nn.Parameter(torch.zeros(1, 1, 48))
        self.pos = nn.Parameter(torch.randn(1, self.patches, 48))
        layer = nn.TransformerEncoderLayer(48, 4, 96, batch_first=True)
        self.encoder = nn.TransformerEncoder(layer, 2, enable_nested_tensor=False)
        self.head = nn.Linear(48, 10)

    def forward(self, x: Tensor) -> Tensor:
        x = self.embed(x).flatten(2).transpose(1, 2)
        cls = self.cls.expand(x.size(0), -1, -1)
        x = torch.cat((cls, x), dim=1)
        x = x + self.pos
        return self.head(self.encoder(x)[:, 0])


@case("16x64", mend={"nn.Linear(dim, dim * 2)": "nn.Linear(dim, dim * 3)"})
class QkvOfTwo(nn.Module):
    """One layer for queries, keys and values, made for two of them."""

    def __init__(self, dim: int = 64, heads: int = 8) -> None:
        super().__init__()
        self.heads = heads
        self.scale = (dim // heads) ** -0.5
        self.qkv = nn.Linear(dim, dim * 2)
        self.proj = nn.Linear(dim, dim)

    def forward(self, x: Tensor) -> Tensor:
        B, N, C = x.shape
        qkv = self.qkv(x).reshape(B, N, 3, self.heads, C // self.heads).permute(2, 0, 3, 1, 4)
        q, k, v = qkv[0], qkv[1], qkv[2]
        attn = (q @ k.transpose(-2, -1)) * self.scale
        x = (attn.softmax(dim=-1) @ v).transpose(1, 2).reshape(B, N, C)
        return self.proj(x)


@case("20x64", mend={"torch.matmul(q, k)": "torch.matmul(q, k.transpose(-2, -1))"})
class ScoresWithoutTranspose(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.q, self.k, self.v = nn.Linear(64, 64), nn.Linear(64, 64), nn.Linear(64, 64)
        self.out = nn.Linear(64, 64)

    def split(self, x: Tensor) -> Tensor:
        return x.view(x.size(0), x.size(1), 4, 16).transpose(1, 2)

    def forward(self, x: Tensor) -> Tensor:
        q, k, v = self.split(self.q(x)), self.split(self.k(x)), self.split(self.v(x))
        weights = F.softmax(torch.matmul(q, k) / 4, dim=-1)
        y = torch.matmul(weights, v).transpose(1, 2).contiguous().view(x.size(0), -1, 64)
        return self.out(y)


@case("20x32", mend={"out.view(b, t, e)": "out.reshape(b, t, e)"})
class HeadsNotContiguous(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.qkv = nn.Linear(32, 96)
        self.proj = nn.Linear(32, 32)

    def forward(self, x: Tensor) -> Tensor:
        b, t, e = x.shape
        q, k, v = self.qkv(x).split(32, dim=2)
        q = q.view(b, t, 4, 8).transpose(1, 2)
        k = k.view(b, t, 4, 8).transpose(1, 2)
        v = v.view(b, t, 4, 8).transpose(1, 2)
        out = torch.softmax(q @ k.transpose(-2, -1) / 8**0.5, dim=-1) @ v
        out = out.transpose(1, 2)
        return self.proj(out.view(b, t, e))


@case(
    "12:int64",
    mend={"nhead=4, dim_feedforward=64": "nhead=4, dim_feedforward=64, batch_first=True"},
)
class PaddingMaskOfBatchFirst(nn.Module):
    """Batch first everywhere but in the layer."""

    def __init__(self) -> None:
        super().__init__()
        self.embed = nn.Embedding(100, 32, padding_idx=0)
        self.layer = nn.TransformerEncoderLayer(32, nhead=4, dim_feedforward=64)
        self.fc = nn.Linear(32, 2)

    def forward(self, tokens: Tensor) -> Tensor:
        mask = tokens != 1
        x = self.embed(tokens)
        x = self.layer(x, src_key_padding_mask=~mask)
        return self.fc(x[:, 0])


@case("50:int64", mend={"attn_mask=self.mask": "attn_mask=self.mask[: x.size(1), : x.size(1)]"})
class CausalMaskOfLongest(nn.Module):
    """A causal mask for the longest text, with a shorter one."""

    def __init__(self, longest: int = 64) -> None:
        super().__init__()
        self.embed = nn.Embedding(256, 32)
        self.attn = nn.MultiheadAttention(32, 4, batch_first=True)
        self.register_buffer("mask", torch.ones(longest, longest).triu(1).bool())
        self.head = nn.Linear(32, 256)

    def forward(self, idx: Tensor) -> Tensor:
        x = self.embed(idx)
        y, _ = self.attn(x, x, x, attn_mask=self.mask)
        return self.head(x + y)


@case("13:int64", mend={"self.layers(x)": "self.layers(x.float())"})
class TableOfWholeNumbers(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.layers = nn.Sequential(nn.Linear(13, 32), nn.ReLU(), nn.Linear(32, 1))

    def forward(self, x: Tensor) -> Tensor:
        return self.layers(x)


@case("30x5", mend={"out = self.lstm(x)": "out, _ = self.lstm(x)"})
class StockPrices(nn.Module):
    """The LSTM's tuple is taken for its output."""

    def __init__(self) -> None:
        super().__init__()
        self.lstm = nn.LSTM(5, 50, num_layers=2, batch_first=True, dropout=0.2)
        self.linear = nn.Linear(50, 1)

    def forward(self, x: Tensor) -> Tensor:
        out = self.lstm(x)
        out = out[:, -1, :]
        return self.linear(out)


@case("40:int64", mend={"nn.Linear(2 * hidden, 2)": "nn.Linear(hidden, 2)"})
class SentimentBothWays(nn.Module):
    """Both directions counted on, and the last state of one alone given."""

    def __init__(self, hidden: int = 48) -> None:
        super().__init__()
        self.embed = nn.Embedding(5000, 64)
        self.lstm = nn.LSTM(64, hidden, 2, bidirectional=True, batch_first=True)
        self.drop = nn.Dropout(0.5)
        self.fc = nn.Linear(2 * hidden, 2)

    def forward(self, text: Tensor) -> Tensor:
        embedded = self.drop(self.embed(text))
        output, (hidden, cell) = self.lstm(embedded)
        return self.fc(self.drop(hidden[-1]))


@case("40:int64", mend={"nn.Linear(hidden, 3)": "nn.Linear(2 * hidden, 3)"})
class OutputOfBothWays(nn.Module):
    def __init__(self, hidden: int = 48) -> None:
        super().__init__()
        self.embed = nn.Embedding(5000, 64)
        self.gru = nn.GRU(64, hidden, bidirectional=True, batch_first=True)
        self.fc = nn.Linear(hidden, 3)

    def forward(self, text: Tensor) -> Tensor:
        out, h = self.gru(self.embed(text))
        out = torch.max(out, dim=1)[0]
        return self.fc(out)


@case(
    "28x28",
    mend={
        "torch.zeros(x.size(0), self.layers, self.hidden)": "torch.zeros(self.layers, x.size(0), self.hidden)"
    },
)
class HiddenBatchFirst(nn.Module):
    """h0 with the batch first, since all else has it first."""

    def __init__(self) -> None:
        super().__init__()
        self.layers, self.hidden = 2, 64
        self.gru = nn.GRU(28, self.hidden, self.layers, batch_first=True)
        self.fc = nn.Linear(self.hidden, 10)

    def forward(self, x: Tensor) -> Tensor:
        h0 = torch.zeros(x.size(0), self.layers, self.hidden)
        out, _ = self.gru(x, h0)
        return self.fc(out[:, -1])


@case("24x8", mend={"torch.zeros(1, x.size(0), 32)": "torch.zeros(2, x.size(0), 32)"})
class HiddenOfOneWay(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.lstm = nn.LSTM(8, 32, 1, batch_first=True, bidirectional=True)
        self.fc = nn.Linear(64, 4)

    def forward(self, x: Tensor) -> Tensor:
        h0 = torch.zeros(1, x.size(0), 32)
        c0 = torch.zeros(1, x.size(0), 32)
        out, _ = self.lstm(x, (h0, c0))
        return self.fc(out)


@case("24x8", mend={"self.lstm(x, h)": "self.lstm(x, (h, h))"})
class LstmWithHiddenAlone(nn.Module):
    """An LSTM put where a GRU was, which has one state only."""

    def __init__(self) -> None:
        super().__init__()
        self.lstm = nn.LSTM(8, 32, batch_first=True)
        self.fc = nn.Linear(32, 2)

    def forward(self, x: Tensor) -> Tensor:
        h = torch.zeros(1, x.size(0), 32)
        out, h = self.lstm(x, h)
        return self.fc(out[:, -1])


@case("15x10", mend={"pack(x, lengths)": "pack(x, lengths, batch_first=True)"})
class PackedTimeFirst(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.rnn = nn.LSTM(10, 20, batch_first=True)
        self.fc = nn.Linear(20, 6)

    def forward(self, x: Tensor) -> Tensor:
        pack = nn.utils.rnn.pack_padded_sequence
        lengths = torch.full((x.size(0),), x.size(1))
        _, (h, _) = self.rnn(pack(x, lengths))
        return self.fc(h[-1])


@case("64", mend={"out.view(out.shape[0], 128, 8, 8)": "out.view(out.shape[0], 128, 7, 7)"})
class GeneratorOfDigits(nn.Module):
    """A generator for 32 pixels, changed to 28 in one place of two."""

    def __init__(self) -> None:
        super().__init__()
        self.l1 = nn.Sequential(nn.Linear(64, 128 * 7 * 7))
        self.conv_blocks = nn.Sequential(
            nn.BatchNorm2d(128),
            nn.Upsample(scale_factor=2),
            nn.Conv2d(128, 64, 3, padding=1),
            nn.LeakyReLU(0.2, inplace=True),
            nn.Upsample(scale_factor=2),
            nn.Conv2d(64, 1, 3, padding=1),
            nn.Tanh(),
        )

    def forward(self, z: Tensor) -> Tensor:
        out = self.l1(z)
        out = out.view(out.shape[0], 128, 8, 8)
        return self.conv_blocks(out)


@case("1x28x28", ":int64", mend={"nn.Linear(784, 256)": "nn.Linear(784 + 10, 256)"})
class ConditionalDiscriminator(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.label_embedding = nn.Embedding(10, 10)
        self.model = nn.Sequential(
            nn.Linear(784, 256), nn.LeakyReLU(0.2), nn.Dropout(0.4), nn.Linear(256, 1)
        )

    def forward(self, img: Tensor, labels: Tensor) -> Tensor:
        d_in = torch.cat((img.view(img.size(0), -1), self.label_embedding(labels)), -1)
        return self.model(d_in)


@case("64", ":int64", mend={"(noise, labels), -1)": "(noise, self.label_emb(labels)), -1)"})
class LabelsNotEmbedded(nn.Module):
    """Whole numbers of classes beside noise, not embedded."""

    def __init__(self) -> None:
        super().__init__()
        self.label_emb = nn.Embedding(10, 16)
        self.model = nn.Sequential(
            nn.Linear(64 + 16, 128), nn.ReLU(), nn.Linear(128, 784), nn.Tanh()
        )

    def forward(self, noise: Tensor, labels: Tensor) -> Tensor:
        x = torch.cat((noise, labels), -1)
        return self.model(x).view(-1, 1, 28, 28)


@case(
    "3x64x64",
    mend={
        "self.fc_mu = nn.Linear(64 * 8 * 8": "self.fc_mu = nn.Linear(64 * 4 * 4",
        "self.fc_var = nn.Linear(64 * 8 * 8": "self.fc_var = nn.Linear(64 * 4 * 4",
    },
)
class VaeOfFourStrides(nn.Module):
    """Four strided layers, two heads counted for three."""

    def __init__(self) -> None:
        super().__init__()
        self.encoder = nn.Sequential(
            nn.Conv2d(3, 16, 3, 2, 1),
            nn.ReLU(),
            nn.Conv2d(16, 32, 3, 2, 1),
            nn.ReLU(),
            nn.Conv2d(32, 64, 3, 2, 1),
            nn.ReLU(),
            nn.Conv2d(64, 64, 3, 2, 1),
            nn.ReLU(),
        )
        self.fc_mu = nn.Linear(64 * 8 * 8, 20)
        self.fc_var = nn.Linear(64 * 8 * 8, 20)

    def forward(self, x: Tensor) -> Tensor:
        h = self.encoder(x).flatten(start_dim=1)
        mu, log_var = self.fc_mu(h), self.fc_var(h)
        return mu + torch.exp(0.5 * log_var) * torch.randn_like(mu)


@case(
    "1x105x105", "1x105x105", mend={"self.out = nn.Linear(128, 1)": "self.out = nn.Linear(256, 1)"}
)
class SiameseOmniglot(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.conv = nn.Sequential(
            nn.Conv2d(1, 16, 10),
            nn.ReLU(),
            nn.MaxPool2d(2),
            nn.Conv2d(16, 32, 7),
            nn.ReLU(),
            nn.MaxPool2d(2),
        )
        self.fc = nn.Linear(32 * 21 * 21, 128)
        self.out = nn.Linear(128, 1)

    def forward_one(self, x: Tensor) -> Tensor:
        return torch.sigmoid(self.fc(self.conv(x).flatten(1)))

    def forward(self, a: Tensor, b: Tensor) -> Tensor:
        a, b = self.forward_one(a), self.forward_one(b)
        return self.out(torch.cat([a, b], 1))


@case(
    "3x32x32",
    mend={"nn.Conv2d(inner, outer, 1, bias=False)": "nn.Conv2d(hidden, outer, 1, bias=False)"},
)
class InvertedResidual(nn.Module):
    """MobileNetV2's block; the projection made for the narrow end."""

    def __init__(self, inner: int = 16, outer: int = 24, expand: int = 6) -> None:
        super().__init__()
        hidden = inner * expand
        self.stem = nn.Conv2d(3, inner, 3, 2, 1)
        self.conv = nn.Sequential(
            nn.Conv2d(inner, hidden, 1, bias=False),
            nn.BatchNorm2d(hidden),
            nn.ReLU6(inplace=True),
            nn.Conv2d(hidden, hidden, 3, 2, 1, groups=hidden, bias=False),
            nn.BatchNorm2d(hidden),
            nn.ReLU6(inplace=True),
            nn.Conv2d(inner, outer, 1, bias=False),
            nn.BatchNorm2d(outer),
        )

    def forward(self, x: Tensor) -> Tensor:
        return self.conv(self.stem(x))


@case("3x32x32", mend={"nn.BatchNorm1d(32)": "nn.BatchNorm2d(32)"})
class NormOfFeaturesOnMap(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.conv = nn.Conv2d(3, 32, 3, padding=1)
        self.bn = nn.BatchNorm1d(32)
        self.fc = nn.Linear(32, 10)

    def forward(self, x: Tensor) -> Tensor:
        x = F.relu(self.bn(self.conv(x)))
        return self.fc(F.adaptive_avg_pool2d(x, 1).squeeze(-1).squeeze(-1))


@case("32", mend={"torch.mm(self.weight, x)": "torch.mm(x, self.weight)"})
class LayerByHand(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.randn(32, 10) * 0.1)
        self.bias = nn.Parameter(torch.zeros(10))

    def forward(self, x: Tensor) -> Tensor:
        return torch.mm(self.weight, x) + self.bias


@case("4x84x84", mend={"nn.Linear(3136, 512)": "nn.Linear(64 * 8 * 8, 512)"})
class DqnWithOtherStride(nn.Module):
    """DQN's 3136 features, and a last stride that was changed with its kernel."""

    def __init__(self) -> None:
        super().__init__()
        self.conv = nn.Sequential(
            nn.Conv2d(4, 32, 8, stride=4),
            nn.ReLU(),
            nn.Conv2d(32, 64, 4, stride=2),
            nn.ReLU(),
            nn.Conv2d(64, 64, 2, stride=1),
            nn.ReLU(),
        )
        self.fc = nn.Sequential(nn.Linear(3136, 512), nn.ReLU(), nn.Linear(512, 6))

    def forward(self, x: Tensor) -> Tensor:
        return self.fc(self.conv(x / 255).flatten(1))


@case("8", "2", mend={"nn.Linear(8, 64)": "nn.Linear(8 + 2, 64)"})
class CriticOfStateAndAction(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.l1, self.l2, self.l3 = nn.Linear(8, 64), nn.Linear(64, 64), nn.Linear(64, 1)

    def forward(self, state: Tensor, action: Tensor) -> Tensor:
        q = F.relu(self.l1(torch.cat([state, action], 1)))
        q = F.relu(self.l2(q))
        return self.l3(q)


@case(
    "3x32x32",
    "1x32x32:int64",
    mend={"self.loss(self.net(x), mask)": "self.loss(self.net(x), mask.squeeze(1))"},
)
class MasksWithChannel(nn.Module):
    """Masks of classes that were read as pictures of one channel."""

    def __init__(self) -> None:
        super().__init__()
        self.net = nn.Sequential(nn.Conv2d(3, 16, 3, padding=1), nn.ReLU(), nn.Conv2d(16, 5, 1))
        self.loss = nn.CrossEntropyLoss()

    def forward(self, x: Tensor, mask: Tensor) -> Tensor:
        return self.loss(self.net(x), mask)


@case("12:int64", "12:int64", mend={"self.loss(logits, y)": "self.loss(logits.transpose(1, 2), y)"})
class LanguageModelLoss(nn.Module):
    """Answers of batch × steps × words, where cross-entropy wants the words second."""

    def __init__(self) -> None:
        super().__init__()
        self.embed = nn.Embedding(60, 16)
        self.rnn = nn.GRU(16, 32, batch_first=True)
        self.out = nn.Linear(32, 60)
        self.loss = nn.CrossEntropyLoss()

    def forward(self, x: Tensor, y: Tensor) -> Tensor:
        h, _ = self.rnn(self.embed(x))
        logits = self.out(h)
        return self.loss(logits, y)


@case(
    "30", "1:int64", mend={"F.binary_cross_entropy(p, y)": "F.binary_cross_entropy(p, y.float())"}
)
class BinaryTargetsOfLong(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.layers = nn.Sequential(nn.Linear(30, 16), nn.ReLU(), nn.Linear(16, 1), nn.Sigmoid())

    def forward(self, x: Tensor, y: Tensor) -> Tensor:
        p = self.layers(x)
        return F.binary_cross_entropy(p, y)


@case(
    "3x300x300",
    mend={"reshape(x.size(0), -1, self.classes)": "reshape(x.size(0), -1, 21)"},
    batch=2,
)
class SsdHead(nn.Module):
    """Scores of 21 classes, with the background, that are read as 20."""

    def __init__(self) -> None:
        super().__init__()
        self.classes = 20
        self.base = nn.Sequential(
            nn.Conv2d(3, 16, 3, 8, 1), nn.ReLU(), nn.Conv2d(16, 32, 3, 2, 1), nn.ReLU()
        )
        self.cls = nn.Conv2d(32, 6 * 21, 3, padding=1)
        self.loc = nn.Conv2d(32, 6 * 4, 3, padding=1)

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        x = self.base(x)
        scores = self.cls(x).permute(0, 2, 3, 1).reshape(x.size(0), -1, self.classes)
        boxes = self.loc(x).permute(0, 2, 3, 1).reshape(x.size(0), -1, 4)
        return scores, boxes


@case(
    "3x64x64",
    mend={"self.lateral = nn.Conv2d(32, 32, 1)": "self.lateral = nn.Conv2d(32, 64, 1)"},
    batch=2,
)
class FpnLateral(nn.Module):
    """The upper level has twice the channels of the lateral one."""

    def __init__(self) -> None:
        super().__init__()
        self.low = nn.Conv2d(3, 32, 3, 2, 1)
        self.high = nn.Conv2d(32, 64, 3, 2, 1)
        self.lateral = nn.Conv2d(32, 32, 1)
        self.out = nn.Conv2d(64, 16, 3, padding=1)

    def forward(self, x: Tensor) -> Tensor:
        low = F.relu(self.low(x))
        high = F.relu(self.high(low))
        merged = self.lateral(low) + F.interpolate(high, scale_factor=2, mode="nearest")
        return self.out(merged)


@case(
    "3x32x32",
    mend={
        "self.shortcut = nn.Sequential()": "self.shortcut = nn.Sequential(nn.Conv2d(inner, outer, 1, stride, bias=False))"
    },
)
class StrideWithoutShortcut(nn.Module):
    def __init__(self, inner: int = 16, outer: int = 32, stride: int = 2) -> None:
        super().__init__()
        self.stem = nn.Conv2d(3, inner, 3, padding=1)
        self.conv1 = nn.Conv2d(inner, outer, 3, stride, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(outer)
        self.conv2 = nn.Conv2d(outer, outer, 3, 1, 1, bias=False)
        self.bn2 = nn.BatchNorm2d(outer)
        self.shortcut = nn.Sequential()
        self.fc = nn.Linear(outer, 10)

    def forward(self, x: Tensor) -> Tensor:
        x = F.relu(self.stem(x))
        out = F.relu(self.bn1(self.conv1(x)))
        out = self.bn2(self.conv2(out))
        out += self.shortcut(x)
        return self.fc(F.relu(out).mean((2, 3)))


@case(
    "3x24x24",
    mend={"nn.PixelShuffle(2), nn.Conv2d(64, 3, 3": "nn.PixelShuffle(2), nn.Conv2d(16, 3, 3"},
)
class ChannelsAfterShuffle(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.head = nn.Conv2d(3, 64, 3, padding=1)
        self.tail = nn.Sequential(nn.PixelShuffle(2), nn.Conv2d(64, 3, 3, padding=1))

    def forward(self, x: Tensor) -> Tensor:
        return self.tail(F.relu(self.head(x)))


@case("3x64x64", "", mend={"torch.cat((f, age), 1)": "torch.cat((f, age.unsqueeze(1)), 1)"})
class AgeBesideFeatures(nn.Module):
    """One number an item, without a column of its own."""

    def __init__(self) -> None:
        super().__init__()
        self.conv = nn.Conv2d(3, 16, 3, 2, 1)
        self.fc = nn.Linear(17, 2)

    def forward(self, x: Tensor, age: Tensor) -> Tensor:
        f = F.adaptive_avg_pool2d(F.relu(self.conv(x)), 1).flatten(1)
        return self.fc(torch.cat((f, age), 1))


@case(
    "10x32",
    "14x32",
    mend={"nn.Transformer(32, 4, 1, 1, 64)": "nn.Transformer(32, 4, 1, 1, 64, batch_first=True)"},
)
class TransformerOfPairs(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.transformer = nn.Transformer(32, 4, 1, 1, 64)
        self.out = nn.Linear(32, 100)

    def forward(self, src: Tensor, tgt: Tensor) -> Tensor:
        return self.out(self.transformer(src, tgt))


@case("3x64x64", "7:int64", mend={"nn.Conv2d(3, 48, 16, 16)": "nn.Conv2d(3, 32, 16, 16)"})
class CaptionerOfTwoWidths(nn.Module):
    """What the decoder looks at is wider than the decoder."""

    def __init__(self) -> None:
        super().__init__()
        self.patches = nn.Conv2d(3, 48, 16, 16)
        self.words = nn.Embedding(200, 32)
        layer = nn.TransformerDecoderLayer(32, 4, 64, batch_first=True)
        self.decoder = nn.TransformerDecoder(layer, 2)
        self.out = nn.Linear(32, 200)

    def forward(self, image: Tensor, words: Tensor) -> Tensor:
        memory = self.patches(image).flatten(2).permute(0, 2, 1)
        return self.out(self.decoder(self.words(words), memory))


@case("12:int64", ":int64", mend={"self.embed(last)": "self.embed(last).unsqueeze(1)"})
class DecoderOfOneWord(nn.Module):
    """A decoder's step: one word without a dimension for steps."""

    def __init__(self) -> None:
        super().__init__()
        self.embed = nn.Embedding(80, 24)
        self.encoder = nn.GRU(24, 32, batch_first=True)
        self.decoder = nn.GRU(24, 32, batch_first=True)
        self.out = nn.Linear(32, 80)

    def forward(self, source: Tensor, last: Tensor) -> Tensor:
        _, hidden = self.encoder(self.embed(source))
        step = self.embed(last)
        output, hidden = self.decoder(step, hidden)
        return self.out(output.squeeze(1))


@case(
    "12:int64",
    "9:int64",
    mend={
        "nn.GRU(24, 32, batch_first=True)  # decoder": "nn.GRU(24 + 32, 32, batch_first=True)  # decoder"
    },
)
class ContextBesideWords(nn.Module):
    """The context is put beside each word, and the decoder knows of the word alone."""

    def __init__(self) -> None:
        super().__init__()
        self.embed = nn.Embedding(80, 24)
        self.encoder = nn.GRU(24, 32, batch_first=True)
        self.decoder = nn.GRU(24, 32, batch_first=True)  # decoder
        self.out = nn.Linear(32, 80)

    def forward(self, source: Tensor, target: Tensor) -> Tensor:
        outputs, hidden = self.encoder(self.embed(source))
        context = outputs.mean(1, keepdim=True).expand(-1, target.size(1), -1)
        x = torch.cat([self.embed(target), context], dim=2)
        x, _ = self.decoder(x, hidden)
        return self.out(x)


@case("12:int64", "9:int64", mend={"hidden)": "hidden.sum(0, keepdim=True))"})
class EncoderOfBothWays(nn.Module):
    """Two states out of the encoder, into a decoder of one direction."""

    def __init__(self) -> None:
        super().__init__()
        self.src, self.tgt = nn.Embedding(80, 24), nn.Embedding(90, 24)
        self.encoder = nn.GRU(24, 32, batch_first=True, bidirectional=True)
        self.decoder = nn.GRU(24, 32, batch_first=True)
        self.out = nn.Linear(32, 90)

    def forward(self, source: Tensor, target: Tensor) -> Tensor:
        _, hidden = self.encoder(self.src(source))
        outputs, _ = self.decoder(self.tgt(target), hidden)
        return self.out(outputs)


@case("8000", mend={"self.conv1(x)": "self.conv1(x.unsqueeze(1))"})
class WaveformM5(nn.Module):
    """Waveforms without a channel, into M5."""

    def __init__(self) -> None:
        super().__init__()
        self.conv1 = nn.Conv1d(1, 32, 80, stride=16)
        self.bn1 = nn.BatchNorm1d(32)
        self.pool1 = nn.MaxPool1d(4)
        self.conv2 = nn.Conv1d(32, 64, 3)
        self.fc1 = nn.Linear(64, 35)

    def forward(self, x: Tensor) -> Tensor:
        x = self.pool1(F.relu(self.bn1(self.conv1(x))))
        x = F.relu(self.conv2(x))
        x = F.avg_pool1d(x, x.shape[-1]).permute(0, 2, 1)
        return F.log_softmax(self.fc1(x), dim=2)


@case(
    "6x3x32x32",
    mend={
        "f = self.cnn(clip)": "f = self.cnn(clip.flatten(0, 1)).unflatten(0, (clip.size(0), -1))"
    },
)
class CnnThenLstm(nn.Module):
    """A net for pictures is given whole clips."""

    def __init__(self) -> None:
        super().__init__()
        self.cnn = nn.Sequential(
            nn.Conv2d(3, 8, 3, 2, 1), nn.ReLU(), nn.AdaptiveAvgPool2d(1), nn.Flatten()
        )
        self.lstm = nn.LSTM(8, 16, batch_first=True)
        self.fc = nn.Linear(16, 4)

    def forward(self, clip: Tensor) -> Tensor:
        f = self.cnn(clip)
        out, _ = self.lstm(f)
        return self.fc(out[:, -1])


@case(
    "3x32x32",
    mend={
        "self.tokens(self.norm1(x))": "self.tokens(self.norm1(x).transpose(1, 2)).transpose(1, 2)"
    },
)
class MixerBlock(nn.Module):
    """MLP-Mixer mixes tokens over the wrong dimension."""

    def __init__(self, tokens: int = 16, dim: int = 48) -> None:
        super().__init__()
        self.stem = nn.Conv2d(3, dim, 8, 8)
        self.norm1, self.norm2 = nn.LayerNorm(dim), nn.LayerNorm(dim)
        self.tokens = nn.Sequential(nn.Linear(tokens, 32), nn.GELU(), nn.Linear(32, tokens))
        self.channels = nn.Sequential(nn.Linear(dim, 96), nn.GELU(), nn.Linear(96, dim))
        self.head = nn.Linear(dim, 10)

    def forward(self, x: Tensor) -> Tensor:
        x = self.stem(x).flatten(2).transpose(1, 2)
        x = x + self.tokens(self.norm1(x))
        x = x + self.channels(self.norm2(x))
        return self.head(x.mean(1))


@case("3x32x32", mend={"y = self.fc(y)\n": "y = self.fc(y).view(b, c, 1, 1)\n"})
class SqueezeWithoutView(nn.Module):
    def __init__(self, channels: int = 32, reduction: int = 8) -> None:
        super().__init__()
        self.conv = nn.Conv2d(3, channels, 3, padding=1)
        self.pool = nn.AdaptiveAvgPool2d(1)
        self.fc = nn.Sequential(
            nn.Linear(channels, channels // reduction),
            nn.ReLU(),
            nn.Linear(channels // reduction, channels),
            nn.Sigmoid(),
        )

    def forward(self, x: Tensor) -> Tensor:
        x = self.conv(x)
        b, c, _, _ = x.size()
        y = self.pool(x).view(b, c)
        y = self.fc(y)
        return x * y.expand_as(x)


@case("16", mend={"x = self.layers(x)": "for layer in self.layers: x = layer(x)"})
class ListIsCalled(nn.Module):
    """A list of layers is called as if it were a Sequential."""

    def __init__(self) -> None:
        super().__init__()
        self.layers = nn.ModuleList([nn.Linear(16, 16), nn.ReLU(), nn.Linear(16, 16), nn.ReLU()])
        self.out = nn.Linear(16, 3)

    def forward(self, x: Tensor) -> Tensor:
        x = self.layers(x)
        return self.out(x)


@case("3x64x64", mend={"nn.Linear(2048, 5)": "nn.Linear(512, 5)"}, batch=2)
class NewHeadOnResnet18(nn.Module):
    """A head for ResNet-50 on a ResNet-18."""

    def __init__(self) -> None:
        super().__init__()
        self.net = torchvision.models.resnet18(weights=None)
        self.net.fc = nn.Linear(2048, 5)

    def forward(self, x: Tensor) -> Tensor:
        return self.net(x)


@case("20x32", mend={"nn.Linear(64, 32)": "nn.Linear(32, 32)"})
class GatedHalves(nn.Module):
    """GLU halves the features."""

    def __init__(self) -> None:
        super().__init__()
        self.inner = nn.Linear(32, 64)
        self.outer = nn.Linear(64, 32)

    def forward(self, x: Tensor) -> Tensor:
        return x + self.outer(F.glu(self.inner(x), dim=-1))


@case("30:int64", mend={"x + self.pe": "x + self.pe[:, : x.size(1)]"})
class SineOfLongest(nn.Module):
    """Positions for the longest text are added whole."""

    def __init__(self, longest: int = 100, dim: int = 32) -> None:
        super().__init__()
        self.embed = nn.Embedding(50, dim)
        pe = torch.zeros(longest, dim)
        position = torch.arange(longest).unsqueeze(1)
        div = torch.exp(torch.arange(0, dim, 2) * -0.1)
        pe[:, 0::2] = torch.sin(position * div)
        pe[:, 1::2] = torch.cos(position * div)
        self.register_buffer("pe", pe.unsqueeze(0))
        self.layer = nn.TransformerEncoderLayer(dim, 4, 64, batch_first=True)

    def forward(self, src: Tensor) -> Tensor:
        x = self.embed(src) * 32**0.5
        x = x + self.pe
        return self.layer(x)


@case("28x28x16", mend={"window: int = 8": "window: int = 7"})
class SwinWindow(nn.Module):
    def __init__(self, window: int = 8) -> None:
        super().__init__()
        self.window = window
        self.attn = nn.MultiheadAttention(16, 4, batch_first=True)

    def forward(self, x: Tensor) -> Tensor:
        B, H, W, C = x.shape
        m = self.window
        w = x.view(B, H // m, m, W // m, m, C).permute(0, 1, 3, 2, 4, 5).reshape(-1, m * m, C)
        w = self.attn(w, w, w)[0]
        w = w.view(B, H // m, W // m, m, m, C).permute(0, 1, 3, 2, 4, 5)
        return w.reshape(B, H, W, C)


@case("10x6", mend={"self.cell(x, (h, c))": "self.cell(x[:, 0], (h, c))"})
class CellOfAllSteps(nn.Module):
    """A cell, which takes one step, is given all."""

    def __init__(self) -> None:
        super().__init__()
        self.cell = nn.LSTMCell(6, 12)
        self.fc = nn.Linear(12, 1)

    def forward(self, x: Tensor) -> Tensor:
        h = torch.zeros(x.size(0), 12)
        c = torch.zeros(x.size(0), 12)
        h, c = self.cell(x, (h, c))
        return self.fc(h)


@case("16x32", mend={"self.attn(y, y, y)": "self.attn(y, y, y)[0]"})
class AttentionsTuple(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.norm = nn.LayerNorm(32)
        self.attn = nn.MultiheadAttention(32, 4, batch_first=True)
        self.mlp = nn.Sequential(nn.Linear(32, 64), nn.GELU(), nn.Linear(64, 32))

    def forward(self, x: Tensor) -> Tensor:
        y = self.norm(x)
        x = x + self.attn(y, y, y)
        return x + self.mlp(x)


@case("16x32", "16x16:bool", mend={"attn_mask=mask": "attn_mask=mask.repeat_interleave(4, 0)"})
class MaskForEachItem(nn.Module):
    """A mask for each item, where one for each item and head is wanted."""

    def __init__(self) -> None:
        super().__init__()
        self.attn = nn.MultiheadAttention(32, 4, batch_first=True)

    def forward(self, x: Tensor, mask: Tensor) -> Tensor:
        out, _ = self.attn(x, x, x, attn_mask=mask)
        return x + out


@case("3x32x32", "8:int64", mend={"image @ text": "image @ text.t()"})
class ClipSimilarity(nn.Module):
    """Pictures and texts of one width; the second is not turned."""

    def __init__(self) -> None:
        super().__init__()
        self.visual = nn.Sequential(nn.Conv2d(3, 24, 8, 8), nn.AdaptiveAvgPool2d(1), nn.Flatten())
        self.words = nn.EmbeddingBag(100, 24)
        self.scale = nn.Parameter(torch.tensor(2.6))

    def forward(self, image: Tensor, text: Tensor) -> Tensor:
        image = F.normalize(self.visual(image), dim=-1)
        text = F.normalize(self.words(text), dim=-1)
        return self.scale.exp() * image @ text


@case(
    "1x28x28",
    mend={
        "nn.ConvTranspose2d(16, 8, 3, stride=2, padding=1)": "nn.ConvTranspose2d(16, 8, 3, stride=2, padding=1, output_padding=1)",
        "nn.ConvTranspose2d(8, 1, 3, stride=2, padding=1)": "nn.ConvTranspose2d(8, 1, 3, stride=2, padding=1, output_padding=1)",
    },
)
class AutoencoderOf25(nn.Module):
    """Transposed convolutions that give 25 pixels for 28."""

    def __init__(self) -> None:
        super().__init__()
        self.encoder = nn.Sequential(
            nn.Conv2d(1, 8, 3, stride=2, padding=1),
            nn.ReLU(),
            nn.Conv2d(8, 16, 3, stride=2, padding=1),
        )
        self.decoder = nn.Sequential(
            nn.ConvTranspose2d(16, 8, 3, stride=2, padding=1),
            nn.ReLU(),
            nn.ConvTranspose2d(8, 1, 3, stride=2, padding=1),
            nn.Sigmoid(),
        )

    def forward(self, x: Tensor) -> Tensor:
        return F.mse_loss(self.decoder(self.encoder(x)), x)


@case("40:int64", mend={"self.conv(x)": "self.conv(x.permute(0, 2, 1))"})
class WordsIntoConv1d(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.embed = nn.Embedding(1000, 50)
        self.conv = nn.Conv1d(50, 64, 3, padding=1)
        self.fc = nn.Linear(64, 2)

    def forward(self, x: Tensor) -> Tensor:
        x = self.embed(x)
        x = F.relu(self.conv(x))
        x = F.max_pool1d(x, x.size(2)).squeeze(2)
        return self.fc(x)


@case("3:int64", "6", mend={"nn.Linear(3 * 8 + 6": "nn.Linear(4 + 8 + 3 + 6"})
class ColumnsOfCategories(nn.Module):
    """Embeddings of several widths, counted as if all had one."""

    def __init__(self) -> None:
        super().__init__()
        self.embeds = nn.ModuleList([nn.Embedding(10, 4), nn.Embedding(50, 8), nn.Embedding(7, 3)])
        self.bn = nn.BatchNorm1d(6)
        self.layers = nn.Sequential(nn.Linear(3 * 8 + 6, 64), nn.ReLU(), nn.Linear(64, 1))

    def forward(self, cats: Tensor, conts: Tensor) -> Tensor:
        x = [embed(cats[:, at]) for at, embed in enumerate(self.embeds)]
        x = torch.cat([*x, self.bn(conts)], 1)
        return self.layers(x)


@case("3x32x32", mend={"x = self.dense(x)": "x = self.dense(self.flat(x))"})
class FlattenMadeAndNotUsed(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.conv = nn.Conv2d(3, 6, 5)
        self.pool = nn.MaxPool2d(2, 2)
        self.flat = nn.Flatten()
        self.dense = nn.Linear(6 * 14 * 14, 10)

    def forward(self, x: Tensor) -> Tensor:
        x = self.pool(F.relu(self.conv(x)))
        x = self.dense(x)
        return x


@case("3x32x32", mend={"x.view(32, -1)": "x.view(x.size(0), -1)"}, batch=4)
class ViewOfTrainingsBatch(nn.Module):
    """The last batch of an epoch is smaller."""

    def __init__(self) -> None:
        super().__init__()
        self.conv = nn.Conv2d(3, 8, 3, 2, 1)
        self.fc = nn.Linear(8 * 16 * 16, 10)

    def forward(self, x: Tensor) -> Tensor:
        x = F.relu(self.conv(x))
        x = x.view(32, -1)
        return self.fc(x)


@case(
    "3x64x64",
    mend={
        "self.gate_g = nn.Conv2d(32, 16, 1)": "self.gate_g = nn.Conv2d(32, 16, 1); self.up = nn.Upsample(scale_factor=2)",
        "self.gate_x(low) + self.gate_g(high)": "self.gate_x(low) + self.gate_g(self.up(high))",
    },
)
class AttentionGate(nn.Module):
    """Attention U-Net's gate adds maps of two levels."""

    def __init__(self) -> None:
        super().__init__()
        self.enc1 = nn.Conv2d(3, 16, 3, padding=1)
        self.enc2 = nn.Conv2d(16, 32, 3, 2, 1)
        self.gate_x = nn.Conv2d(16, 16, 1)
        self.gate_g = nn.Conv2d(32, 16, 1)
        self.psi = nn.Conv2d(16, 1, 1)

    def forward(self, x: Tensor) -> Tensor:
        low = F.relu(self.enc1(x))
        high = F.relu(self.enc2(low))
        a = torch.sigmoid(self.psi(F.relu(self.gate_x(low) + self.gate_g(high))))
        return low * a


@case(
    "3x32x32",
    mend={
        "nn.Conv2d(16, 16, 3, padding=1)  # last": "nn.Conv2d(16 + 3 * 8, 16, 3, padding=1)  # last"
    },
)
class DenseTransition(nn.Module):
    """A dense block's transition, made for what went into the block."""

    def __init__(self) -> None:
        super().__init__()
        self.stem = nn.Conv2d(3, 16, 3, padding=1)
        self.layers = nn.ModuleList(nn.Conv2d(16 + 8 * n, 8, 3, padding=1) for n in range(3))
        self.last = nn.Conv2d(16, 16, 3, padding=1)  # last

    def forward(self, x: Tensor) -> Tensor:
        x = self.stem(x)
        for layer in self.layers:
            x = torch.cat([x, F.relu(layer(x))], 1)
        return self.last(x)


@case("60x7", mend={"nn.Linear(24 * 60, 3)": "nn.Linear(24 * 13, 3)"})
class ActivitySensor(nn.Module):
    """Sensors' windows: steps that the poolings took are counted on."""

    def __init__(self) -> None:
        super().__init__()
        self.conv1, self.conv2 = nn.Conv1d(7, 16, 3), nn.Conv1d(16, 24, 3)
        self.fc = nn.Linear(24 * 60, 3)

    def forward(self, x: Tensor) -> Tensor:
        x = x.transpose(1, 2)
        x = F.max_pool1d(F.relu(self.conv1(x)), 2)
        x = F.max_pool1d(F.relu(self.conv2(x)), 2)
        return self.fc(torch.flatten(x, start_dim=1))


@case("2x200", mend={"padding=(kernel - 1)": "padding=(kernel - 1) * dilation"})
class TemporalBlock(nn.Module):
    """TCN: the padding forgets the dilation, and what is cut off does not."""

    def __init__(self, kernel: int = 3, dilation: int = 4) -> None:
        super().__init__()
        self.cut = (kernel - 1) * dilation
        self.conv = nn.Conv1d(2, 16, kernel, padding=(kernel - 1), dilation=dilation)
        self.down = nn.Conv1d(2, 16, 1)

    def forward(self, x: Tensor) -> Tensor:
        y = F.relu(self.conv(x)[:, :, : -self.cut])
        return F.relu(y + self.down(x))


@case("1x16x32x32", mend={"nn.Linear(32 * 4 * 8 * 8": "nn.Linear(32 * 2 * 8 * 8"})
class VolumesOfScans(nn.Module):
    """CT scans: the depth is pooled once more than was counted."""

    def __init__(self) -> None:
        super().__init__()
        self.features = nn.Sequential(
            nn.Conv3d(1, 16, 3, (2, 1, 1), 1),
            nn.ReLU(),
            nn.MaxPool3d(2),
            nn.Conv3d(16, 32, 3, 1, 1),
            nn.ReLU(),
            nn.MaxPool3d(2),
        )
        self.classifier = nn.Sequential(nn.Linear(32 * 4 * 8 * 8, 64), nn.ReLU(), nn.Linear(64, 2))

    def forward(self, x: Tensor) -> Tensor:
        return self.classifier(self.features(x).flatten(1))


@case("16x64x64", mend={"self.net(x)": "self.net(x.unsqueeze(1))"})
class VolumesWithoutChannel(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.net = nn.Sequential(
            nn.Conv3d(1, 8, 3, 2, 1),
            nn.ReLU(),
            nn.AdaptiveAvgPool3d(1),
            nn.Flatten(),
            nn.Linear(8, 2),
        )

    def forward(self, x: Tensor) -> Tensor:
        return self.net(x)


@case("1x28x28", mend={"x.squeeze()": "x.squeeze(1)"}, batch=1)
class RowsOfDigits(nn.Module):
    """squeeze() is meant for the channel, and takes a batch of one too."""

    def __init__(self) -> None:
        super().__init__()
        self.rnn = nn.LSTM(28, 64, batch_first=True)
        self.fc = nn.Linear(64, 10)

    def forward(self, x: Tensor) -> Tensor:
        x = x.squeeze()
        out, _ = self.rnn(x)
        return self.fc(out[:, -1])


@case("16", ":int64", mend={"t.float()": "t.float()[:, None]"})
class TimeOfDiffusion(nn.Module):
    """Times of a diffusion, times frequencies."""

    def __init__(self, dim: int = 32) -> None:
        super().__init__()
        self.register_buffer("freqs", torch.exp(torch.linspace(0, -8, dim // 2)))
        self.time = nn.Linear(dim, 64)
        self.net = nn.Linear(16, 64)
        self.out = nn.Linear(64, 16)

    def forward(self, x: Tensor, t: Tensor) -> Tensor:
        args = t.float() * self.freqs
        emb = torch.cat([args.cos(), args.sin()], -1)
        return self.out(F.silu(self.net(x) + self.time(emb)))


@case(
    "3x32x32",
    ":int64",
    mend={"h + self.time(self.embed(t))": "h + self.time(self.embed(t))[:, :, None, None]"},
)
class TimeOntoMap(nn.Module):
    """A diffusion's time is added to a map."""

    def __init__(self) -> None:
        super().__init__()
        self.embed = nn.Embedding(1000, 64)
        self.time = nn.Linear(64, 24)
        self.conv1 = nn.Conv2d(3, 24, 3, padding=1)
        self.conv2 = nn.Conv2d(24, 3, 3, padding=1)

    def forward(self, x: Tensor, t: Tensor) -> Tensor:
        h = F.relu(self.conv1(x))
        h = h + self.time(self.embed(t))
        return self.conv2(h)


@case("3x32x32", "512", mend={"style.chunk(2, 1)": "style[:, :, None, None].chunk(2, 1)"})
class AdaptiveNorm(nn.Module):
    """AdaIN's scales meet a map without height and width."""

    def __init__(self) -> None:
        super().__init__()
        self.conv = nn.Conv2d(3, 32, 3, padding=1)
        self.norm = nn.InstanceNorm2d(32)
        self.affine = nn.Linear(512, 64)

    def forward(self, x: Tensor, w: Tensor) -> Tensor:
        style = self.affine(w)
        gamma, beta = style.chunk(2, 1)
        return gamma * self.norm(self.conv(x)) + beta


@case(
    "1x28x28",
    mend={
        "nn.Linear(10 * 4 * 4, 32)": "nn.Linear(10 * 3 * 3, 32)",
        "xs.view(-1, 10 * 4 * 4)": "xs.view(-1, 10 * 3 * 3)",
    },
)
class SpatialTransformer(nn.Module):
    """The tutorial's localisation net, its features counted wrongly in two places."""

    def __init__(self) -> None:
        super().__init__()
        self.localization = nn.Sequential(
            nn.Conv2d(1, 8, 7),
            nn.MaxPool2d(2, 2),
            nn.ReLU(True),
            nn.Conv2d(8, 10, 5),
            nn.MaxPool2d(2, 2),
            nn.ReLU(True),
        )
        self.fc_loc = nn.Sequential(nn.Linear(10 * 4 * 4, 32), nn.ReLU(True), nn.Linear(32, 6))
        self.fc = nn.Linear(784, 10)

    def forward(self, x: Tensor) -> Tensor:
        xs = self.localization(x)
        xs = xs.view(-1, 10 * 4 * 4)
        theta = self.fc_loc(xs).view(-1, 2, 3)
        grid = F.affine_grid(theta, list(x.size()), align_corners=False)
        x = F.grid_sample(x, grid, align_corners=False)
        return self.fc(x.flatten(1))


@case("1x28x28", mend={"theta = self.loc(x)": "theta = self.loc(x).view(-1, 2, 3)"})
class ThetaNotAMatrix(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.loc = nn.Sequential(nn.Flatten(), nn.Linear(784, 32), nn.ReLU(), nn.Linear(32, 6))
        self.fc = nn.Linear(784, 10)

    def forward(self, x: Tensor) -> Tensor:
        theta = self.loc(x)
        grid = F.affine_grid(theta, list(x.size()), align_corners=False)
        return self.fc(F.grid_sample(x, grid, align_corners=False).flatten(1))


@case("9x20", mend={"num_heads=6": "num_heads=4"})
class HeadsOfTheModule(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.attn = nn.MultiheadAttention(embed_dim=20, num_heads=6, batch_first=True)
        self.fc = nn.Linear(20, 2)

    def forward(self, x: Tensor) -> Tensor:
        return self.fc(self.attn(x, x, x)[0].mean(1))


@case(
    "12x16",
    "30x40",
    mend={
        "nn.Linear(16, 16)  # keys": "nn.Linear(40, 16)  # keys",
        "nn.Linear(16, 16)  # values": "nn.Linear(40, 16)  # values",
    },
)
class CrossAttentionByHand(nn.Module):
    """Keys and values come from elsewhere, and are wider."""

    def __init__(self) -> None:
        super().__init__()
        self.q = nn.Linear(16, 16)
        self.k = nn.Linear(16, 16)  # keys
        self.v = nn.Linear(16, 16)  # values

    def forward(self, x: Tensor, context: Tensor) -> Tensor:
        q, k, v = self.q(x), self.k(context), self.v(context)
        return (q @ k.mT / 4).softmax(-1) @ v


@case("3x32x32", mend={"3), nn.PReLU(32), nn.Conv2d(16": "3), nn.PReLU(16), nn.Conv2d(16"})
class PreluOfOtherWidth(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.net = nn.Sequential(
            nn.Conv2d(3, 16, 3), nn.PReLU(32), nn.Conv2d(16, 32, 3), nn.PReLU(32)
        )

    def forward(self, x: Tensor) -> Tensor:
        return self.net(x)


@case("3x32x32", mend={"nn.GroupNorm(32, 48)": "nn.GroupNorm(16, 48)"})
class GroupsOfNorm(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.conv = nn.Conv2d(3, 48, 3, padding=1)
        self.norm = nn.GroupNorm(32, 48)

    def forward(self, x: Tensor) -> Tensor:
        return F.silu(self.norm(self.conv(x)))


@case(
    "3x32x32",
    mend={
        "self.scale = nn.Parameter(torch.ones(16))": "self.scale = nn.Parameter(torch.ones(16, 1, 1))"
    },
)
class LayerScale(nn.Module):
    """One scale a channel, without places for height and width."""

    def __init__(self) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(3, 16, 3, padding=1)
        self.conv2 = nn.Conv2d(16, 16, 3, padding=1)
        self.scale = nn.Parameter(torch.ones(16))

    def forward(self, x: Tensor) -> Tensor:
        x = self.conv1(x)
        return x + self.scale * self.conv2(x)


@case(
    "3x33x33",
    mend={
        "self.unpool(x, i)": "self.unpool(x, i, output_size=size)",
        "x, i = self.pool(x)": "size = x.size(); x, i = self.pool(x)",
    },
)
class UnpooledToOdd(nn.Module):
    """SegNet's unpooling of an odd map, and what went in is added."""

    def __init__(self) -> None:
        super().__init__()
        self.conv = nn.Conv2d(3, 8, 3, padding=1)
        self.pool = nn.MaxPool2d(2, return_indices=True)
        self.unpool = nn.MaxUnpool2d(2)

    def forward(self, x: Tensor) -> Tensor:
        x = self.conv(x)
        y = x
        x, i = self.pool(x)
        x = self.unpool(x, i)
        return x + y


@case(
    "20",
    "20",
    mend={"F.cosine_similarity(a, b).view(-1, 2)": "F.cosine_similarity(a, b).view(-1, 1)"},
    batch=3,
)
class PairsInTwoColumns(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.net = nn.Sequential(nn.Linear(20, 32), nn.ReLU(), nn.Linear(32, 8))
        self.out = nn.Linear(1, 2)

    def forward(self, a: Tensor, b: Tensor) -> Tensor:
        a, b = self.net(a), self.net(b)
        return self.out(F.cosine_similarity(a, b).view(-1, 2))


@case("20x16", mend={"torch.stack([f, b], dim=1)": "torch.cat([f, b], dim=1)"})
class StackedStates(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.rnn = nn.LSTM(16, 24, batch_first=True, bidirectional=True)
        self.fc = nn.Linear(48, 4)

    def forward(self, x: Tensor) -> Tensor:
        _, (h, _) = self.rnn(x)
        f, b = h[0], h[1]
        return self.fc(torch.stack([f, b], dim=1))
