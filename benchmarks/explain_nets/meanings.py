"""Sixty-eight mistakes, each with what would have mended it, to ask of first fixes what they mean.

python benchmarks/explain_meaning.py meanings
"""

# ruff: noqa: E501, RUF059 - as learners write it
# mypy: disable-error-code="operator, index, list-item"

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from explain_nets.mended import Mended  # type: ignore[import-not-found]

case = Mended()
CASES = case.cases
# First fixes that do as well by another way, by what they say; we read them.
READ = {
    "UpConvolutionOfThree": "torch.cat([a, F.interpolate(up, size=a.shape[2:])], 1) instead of "
    "torch.cat([a, up], 1)",
    "BottleneckShortcut": "self.project = nn.Conv2d(16, 64, kernel_size=1), and "
    "self.project(self.shortcut(x)) instead of self.shortcut(x) in out + self.shortcut(x)",
    "WavenetBlock": "x[..., -y.size(-1):] instead of x in x + y",
    "TnetOnPoints": "t @ x instead of torch.bmm(x, t)",
    "EegOfMoreElectrodes": "fc = nn.Linear(5632, 4)",
    "BytesOfPictures": "x = x.float() / 255 before conv",
    "PooledToARow": "fc = nn.Linear(48, 7)",
}


@case("3x32x32", mend={"32 * 8 * 8": "32 * 4 * 4"})
class FeaturesOfFourItems(nn.Module):
    """Four items' features make one row of what was counted."""

    def __init__(self) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(3, 16, 3, padding=1)
        self.conv2 = nn.Conv2d(16, 32, 3, stride=2, padding=1)
        self.pool = nn.MaxPool2d(2)
        self.fc1 = nn.Linear(32 * 8 * 8, 64)
        self.fc2 = nn.Linear(64, 10)

    def forward(self, x: Tensor) -> Tensor:
        x = self.pool(F.relu(self.conv1(x)))
        x = self.pool(F.relu(self.conv2(x)))
        x = x.view(-1, 32 * 8 * 8)
        return self.fc2(F.relu(self.fc1(x)))


@case("18x12", ":int64", mend={"self.fc(out)": "self.fc(out[:, -1])"})
class ManyToOne(nn.Module):
    """An answer for each step, and a label for each sequence."""

    def __init__(self) -> None:
        super().__init__()
        self.gru = nn.GRU(12, 40, batch_first=True)
        self.fc = nn.Linear(40, 6)

    def forward(self, x: Tensor, y: Tensor) -> Tensor:
        out, _ = self.gru(x)
        logits = self.fc(out)
        return F.cross_entropy(logits, y)


@case("3x32x32", mend={"[self.cls, x]": "[self.cls.expand(x.size(0), -1, -1), x]"})
class ClassTokenOfOne(nn.Module):
    """One class token, and a batch of patches."""

    def __init__(self, dim: int = 48) -> None:
        super().__init__()
        self.patch = nn.Conv2d(3, dim, 8, 8)
        self.cls = nn.Parameter(torch.randn(1, 1, dim))
        self.pos = nn.Parameter(torch.randn(1, 17, dim))
        self.block = nn.TransformerEncoderLayer(dim, 4, 96, batch_first=True)
        self.head = nn.Linear(dim, 10)

    def forward(self, x: Tensor) -> Tensor:
        x = self.patch(x).flatten(2).transpose(1, 2)
        x = torch.cat([self.cls, x], dim=1) + self.pos
        return self.head(self.block(x)[:, 0])


@case("20x32", mend={"self.pe[: x.size(1)]": "self.pe[: x.size(1)].transpose(0, 1)"})
class PositionsTimeFirst(nn.Module):
    """The tutorial's table of positions, steps first, beside a batch that comes first."""

    def __init__(self, d_model: int = 32, max_len: int = 100) -> None:
        super().__init__()
        pe = torch.rand(max_len, 1, d_model)
        self.register_buffer("pe", pe)
        self.encoder = nn.TransformerEncoderLayer(d_model, 4, 64, batch_first=True)
        self.fc = nn.Linear(d_model, 3)

    def forward(self, x: Tensor) -> Tensor:
        x = x + self.pe[: x.size(1)]
        return self.fc(self.encoder(x).mean(dim=1))


@case("10x64", mend={"k.transpose(1, 2)": "k.transpose(-2, -1)"})
class KeysTurnedAmongHeads(nn.Module):
    """transpose(1, 2) was right before there were heads."""

    def __init__(self) -> None:
        super().__init__()
        self.q, self.k, self.v = nn.Linear(64, 64), nn.Linear(64, 64), nn.Linear(64, 64)
        self.out = nn.Linear(64, 64)

    def forward(self, x: Tensor) -> Tensor:
        b, n, d = x.shape
        q = self.q(x).view(b, n, 8, 8).transpose(1, 2)
        k = self.k(x).view(b, n, 8, 8).transpose(1, 2)
        v = self.v(x).view(b, n, 8, 8).transpose(1, 2)
        att = (q @ k.transpose(1, 2) / 8**0.5).softmax(-1)
        y = (att @ v).transpose(1, 2).reshape(b, n, d)
        return self.out(y)


@case("3x40x40", mend={"torch.max(x, dim=1, keepdim=True)": "torch.max(x, dim=1, keepdim=True)[0]"})
class SpatialAttentionOfCbam(nn.Module):
    """max gives values and places."""

    def __init__(self) -> None:
        super().__init__()
        self.stem = nn.Conv2d(3, 24, 3, padding=1)
        self.conv = nn.Conv2d(2, 1, 7, padding=3)
        self.head = nn.Linear(24, 5)

    def forward(self, x: Tensor) -> Tensor:
        x = self.stem(x)
        avg = torch.mean(x, dim=1, keepdim=True)
        top = torch.max(x, dim=1, keepdim=True)
        att = torch.sigmoid(self.conv(torch.cat([avg, top], dim=1)))
        return self.head((x * att).mean((2, 3)))


@case(
    "1x32x32",
    mend={
        "nn.ConvTranspose2d(64, 32, 3, stride=2)": "nn.ConvTranspose2d(64, 32, 3, stride=2, padding=1, output_padding=1)"
    },
)
class UpConvolutionOfThree(nn.Module):
    """A transposed convolution of three, which makes 33 of 16."""

    def __init__(self) -> None:
        super().__init__()
        self.down = nn.Conv2d(1, 32, 3, padding=1)
        self.mid = nn.Conv2d(32, 64, 3, padding=1)
        self.up = nn.ConvTranspose2d(64, 32, 3, stride=2)
        self.last = nn.Conv2d(64, 1, 3, padding=1)

    def forward(self, x: Tensor) -> Tensor:
        a = F.relu(self.down(x))
        b = F.relu(self.mid(F.max_pool2d(a, 2)))
        up = self.up(b)
        return self.last(torch.cat([a, up], 1))


@case(
    "3x32x32", mend={"nn.Conv2d(inner, width, 1, stride)": "nn.Conv2d(inner, width * 4, 1, stride)"}
)
class BottleneckShortcut(nn.Module):
    """A bottleneck's shortcut without the expansion."""

    def __init__(self, inner: int = 32, width: int = 16, stride: int = 2) -> None:
        super().__init__()
        self.stem = nn.Conv2d(3, inner, 3, padding=1)
        self.a = nn.Conv2d(inner, width, 1)
        self.b = nn.Conv2d(width, width, 3, stride, 1)
        self.c = nn.Conv2d(width, width * 4, 1)
        self.shortcut = nn.Conv2d(inner, width, 1, stride)
        self.fc = nn.Linear(width * 4, 10)

    def forward(self, x: Tensor) -> Tensor:
        x = self.stem(x)
        out = self.c(F.relu(self.b(F.relu(self.a(x)))))
        out = F.relu(out + self.shortcut(x))
        return self.fc(out.mean((2, 3)))


@case("3x64x64", mend={"nn.Linear(96 * 4 * 4, 8)": "nn.Linear(96, 8)"})
class PooledButCounted(nn.Module):
    """Averaged over the map, and the map counted on."""

    def __init__(self) -> None:
        super().__init__()
        self.features = nn.Sequential(
            nn.Conv2d(3, 48, 3, stride=4, padding=1),
            nn.ReLU6(),
            nn.Conv2d(48, 96, 3, stride=4, padding=1),
            nn.ReLU6(),
        )
        self.classifier = nn.Sequential(nn.Dropout(0.2), nn.Linear(96 * 4 * 4, 8))

    def forward(self, x: Tensor) -> Tensor:
        x = self.features(x)
        x = x.mean([2, 3])
        return self.classifier(x)


@case("6x3x32x32", mend={"nn.LSTM(64, 32": "nn.LSTM(128, 32"})
class ClipsCnnLstm(nn.Module):
    """Frames through a small net; its features counted wrongly."""

    def __init__(self) -> None:
        super().__init__()
        self.cnn = nn.Sequential(
            nn.Conv2d(3, 16, 3, 2, 1),
            nn.ReLU(),
            nn.Conv2d(16, 32, 3, 2, 1),
            nn.AdaptiveAvgPool2d(2),
        )
        self.lstm = nn.LSTM(64, 32, batch_first=True)
        self.fc = nn.Linear(32, 5)

    def forward(self, x: Tensor) -> Tensor:
        b, t, c, h, w = x.shape
        f = self.cnn(x.view(b * t, c, h, w)).view(b, t, -1)
        out, _ = self.lstm(f)
        return self.fc(out[:, -1])


@case(
    "5x1x28x28",
    mend={
        "x = self.cnn(x.view(b * t, c, h, w))\n": "x = self.cnn(x.view(b * t, c, h, w)).view(b, t, -1)\n"
    },
)
class FramesNotParted(nn.Module):
    """Frames were joined with the batch, and not parted again."""

    def __init__(self) -> None:
        super().__init__()
        self.cnn = nn.Sequential(
            nn.Conv2d(1, 8, 3, 2, 1), nn.ReLU(), nn.Flatten(), nn.Linear(8 * 14 * 14, 50)
        )
        self.rnn = nn.GRU(50, 20, batch_first=True)
        self.fc = nn.Linear(20, 4)

    def forward(self, x: Tensor) -> Tensor:
        b, t, c, h, w = x.shape
        x = self.cnn(x.view(b * t, c, h, w))
        out, hn = self.rnn(x)
        return self.fc(out[:, -1, :])


@case("1x40x100", mend={"nn.GRU(16 * 20, 32": "nn.GRU(16 * 10, 32"})
class SpectrogramIntoGru(nn.Module):
    """Bands × frames; two poolings of the bands, and one counted."""

    def __init__(self) -> None:
        super().__init__()
        self.conv = nn.Sequential(
            nn.Conv2d(1, 8, 3, padding=1),
            nn.ReLU(),
            nn.MaxPool2d((2, 1)),
            nn.Conv2d(8, 16, 3, padding=1),
            nn.ReLU(),
            nn.MaxPool2d((2, 1)),
        )
        self.rnn = nn.GRU(16 * 20, 32, batch_first=True, bidirectional=True)
        self.fc = nn.Linear(64, 11)

    def forward(self, x: Tensor) -> Tensor:
        x = self.conv(x)
        x = x.permute(0, 3, 1, 2).flatten(2)
        x, _ = self.rnn(x)
        return self.fc(x)


@case("1x32x96", mend={"x = x.squeeze(2)": "x = x.mean(2)"})
class CrnnOfTwoRows(nn.Module):
    """A reader of text, whose map has two rows left where one was expected."""

    def __init__(self) -> None:
        super().__init__()
        self.cnn = nn.Sequential(
            nn.Conv2d(1, 16, 3, padding=1),
            nn.ReLU(),
            nn.MaxPool2d(2),
            nn.Conv2d(16, 32, 3, padding=1),
            nn.ReLU(),
            nn.MaxPool2d((2, 1)),
            nn.Conv2d(32, 64, 3, padding=1),
            nn.ReLU(),
            nn.MaxPool2d((4, 1)),
        )
        self.rnn = nn.LSTM(64, 32, bidirectional=True, batch_first=True)
        self.fc = nn.Linear(64, 37)

    def forward(self, x: Tensor) -> Tensor:
        x = self.cnn(x)
        x = x.squeeze(2)
        x = x.permute(0, 2, 1)
        x, _ = self.rnn(x)
        return F.log_softmax(self.fc(x), dim=2)


@case(
    "16x200",
    mend={
        "nn.Conv1d(ch, ch, 2, dilation=dilation)": "nn.Conv1d(ch, ch, 3, padding=dilation, dilation=dilation)"
    },
)
class WavenetBlock(nn.Module):
    """A dilated convolution shortens the sequence, and what went in is added."""

    def __init__(self, ch: int = 16, dilation: int = 4) -> None:
        super().__init__()
        self.filter = nn.Conv1d(ch, ch, 2, dilation=dilation)
        self.skip = nn.Conv1d(ch, 8, 1)

    def forward(self, x: Tensor) -> Tensor:
        y = torch.tanh(self.filter(x))
        x = x + y
        return self.skip(x)


@case(
    "3x64x64",
    "64x64:int64",
    mend={"self.head(x)": "F.interpolate(self.head(x), size=mask.shape[-2:])"},
)
class MapsOfHalfSize(nn.Module):
    """Scores of half the size of the masks."""

    def __init__(self) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(3, 16, 3, stride=2, padding=1)
        self.conv2 = nn.Conv2d(16, 16, 3, padding=1)
        self.head = nn.Conv2d(16, 4, 1)

    def forward(self, x: Tensor, mask: Tensor) -> Tensor:
        x = F.relu(self.conv2(F.relu(self.conv1(x))))
        logits = self.head(x)
        return F.cross_entropy(logits, mask)


@case("3x48x48", "4", mend={"nn.Linear(32, 2)": "nn.Linear(32, 4)"})
class BoxOfTwoNumbers(nn.Module):
    """A box has four numbers."""

    def __init__(self) -> None:
        super().__init__()
        self.conv = nn.Conv2d(3, 32, 5, 4)
        self.box = nn.Linear(32, 2)

    def forward(self, x: Tensor, target: Tensor) -> Tensor:
        x = F.relu(self.conv(x)).mean((2, 3))
        return F.smooth_l1_loss(self.box(x), target)


@case("14:int64", mend={"tokens.reshape(-1)": "tokens[:, 1:].reshape(-1)"})
class NextTokens(nn.Module):
    """The answers are cut by one, the targets are not."""

    def __init__(self, words: int = 50) -> None:
        super().__init__()
        self.emb = nn.Embedding(words, 24)
        self.rnn = nn.GRU(24, 24, batch_first=True)
        self.out = nn.Linear(24, words)

    def forward(self, tokens: Tensor) -> Tensor:
        h, _ = self.rnn(self.emb(tokens))
        logits = self.out(h)[:, :-1]
        return F.cross_entropy(logits.reshape(-1, logits.size(-1)), tokens.reshape(-1))


@case("1x28x28", mend={"self.logvar = nn.Linear(200, 10)": "self.logvar = nn.Linear(200, 20)"})
class VarianceOfTen(nn.Module):
    """Means of twenty, variances of ten."""

    def __init__(self) -> None:
        super().__init__()
        self.fc1 = nn.Linear(784, 200)
        self.mu = nn.Linear(200, 20)
        self.logvar = nn.Linear(200, 10)
        self.fc3 = nn.Linear(20, 784)

    def forward(self, x: Tensor) -> Tensor:
        h = F.relu(self.fc1(x.view(x.size(0), -1)))
        mu, logvar = self.mu(h), self.logvar(h)
        z = mu + torch.exp(0.5 * logvar)
        return torch.sigmoid(self.fc3(z))


@case("32", ":int64", mend={"nn.Linear(32, 128)": "nn.Linear(32 + 10, 128)"})
class GeneratorWithLabels(nn.Module):
    """Labels are put beside the noise, and the first layer knows of the noise alone."""

    def __init__(self) -> None:
        super().__init__()
        self.label = nn.Embedding(10, 10)
        self.model = nn.Sequential(
            nn.Linear(32, 128), nn.LeakyReLU(0.2), nn.Linear(128, 784), nn.Tanh()
        )

    def forward(self, z: Tensor, y: Tensor) -> Tensor:
        x = torch.cat([z, self.label(y)], dim=1)
        return self.model(x).view(-1, 1, 28, 28)


@case("3x64x64", mend={"torch.ones(x.size(0), 1)": "torch.ones_like(out)"})
class PatchGanTargets(nn.Module):
    """A discriminator that answers for patches, and one target a picture."""

    def __init__(self) -> None:
        super().__init__()
        self.net = nn.Sequential(
            nn.Conv2d(3, 16, 4, 2, 1),
            nn.LeakyReLU(0.2),
            nn.Conv2d(16, 32, 4, 2, 1),
            nn.LeakyReLU(0.2),
            nn.Conv2d(32, 1, 4, 1, 1),
        )

    def forward(self, x: Tensor) -> Tensor:
        out = self.net(x)
        real = torch.ones(x.size(0), 1)
        return F.binary_cross_entropy_with_logits(out, real)


@case("3x16x16", "10", mend={"nn.Linear(10, 32)": "nn.Linear(10, 64)"})
class FilmOfHalves(nn.Module):
    """FiLM's layer gives scales and shifts, and was made for one of them."""

    def __init__(self) -> None:
        super().__init__()
        self.conv = nn.Conv2d(3, 32, 3, padding=1)
        self.film = nn.Linear(10, 32)
        self.head = nn.Linear(32, 4)

    def forward(self, x: Tensor, c: Tensor) -> Tensor:
        x = self.conv(x)
        gamma, beta = self.film(c).chunk(2, dim=1)
        x = x * gamma[:, :, None, None] + beta[:, :, None, None]
        return self.head(F.relu(x).mean((2, 3)))


@case("9x16", mend={"nn.Linear(16, 24)": "nn.Linear(32, 24)"})
class EdgesOfTwoNodes(nn.Module):
    """Messages between all pairs of nodes."""

    def __init__(self) -> None:
        super().__init__()
        self.message = nn.Linear(16, 24)
        self.update = nn.Linear(16 + 24, 16)

    def forward(self, x: Tensor) -> Tensor:
        b, n, d = x.shape
        a = x.unsqueeze(2).expand(b, n, n, d)
        c = x.unsqueeze(1).expand(b, n, n, d)
        m = F.relu(self.message(torch.cat([a, c], dim=-1))).sum(2)
        return self.update(torch.cat([x, m], dim=-1))


@case("3x50", mend={"torch.bmm(x, t)": "torch.bmm(x.transpose(1, 2), t).transpose(1, 2)"})
class TnetOnPoints(nn.Module):
    """PointNet turns its points by a matrix: coordinates × points, and the matrix on the right."""

    def __init__(self) -> None:
        super().__init__()
        self.conv = nn.Conv1d(3, 32, 1)
        self.fc = nn.Linear(32, 9)
        self.conv2 = nn.Conv1d(3, 16, 1)
        self.out = nn.Linear(16, 4)

    def forward(self, x: Tensor) -> Tensor:
        t = self.fc(self.conv(x).max(2)[0]).view(-1, 3, 3)
        x = torch.bmm(x, t)
        return self.out(F.relu(self.conv2(x)).max(2)[0])


@case(
    "3x40",
    mend={
        "torch.cat([local, whole], 1)": "torch.cat([local, whole.unsqueeze(2).expand(-1, -1, x.size(2))], 1)"
    },
)
class PointsAndWhole(nn.Module):
    """PointNet's segmentation: the whole cloud's features beside each point's."""

    def __init__(self) -> None:
        super().__init__()
        self.conv1 = nn.Conv1d(3, 16, 1)
        self.conv2 = nn.Conv1d(16, 64, 1)
        self.conv3 = nn.Conv1d(80, 7, 1)

    def forward(self, x: Tensor) -> Tensor:
        local = F.relu(self.conv1(x))
        whole = F.relu(self.conv2(local)).max(2)[0]
        return self.conv3(torch.cat([local, whole], 1))


@case("12x32", "12", mend={"(x * mask)": "(x * mask.unsqueeze(-1))"})
class MaskedMean(nn.Module):
    """A mask of steps, times features."""

    def __init__(self) -> None:
        super().__init__()
        self.fc = nn.Linear(32, 32)
        self.out = nn.Linear(32, 2)

    def forward(self, x: Tensor, mask: Tensor) -> Tensor:
        x = self.fc(x)
        x = (x * mask).sum(1) / mask.sum(1, keepdim=True)
        return self.out(x)


@case("15x32", mend={"a @ x": "a.transpose(1, 2) @ x"})
class PooledBySteps(nn.Module):
    """Attention pooling: one weight a step."""

    def __init__(self) -> None:
        super().__init__()
        self.score = nn.Linear(32, 1)
        self.out = nn.Linear(32, 5)

    def forward(self, x: Tensor) -> Tensor:
        a = torch.softmax(self.score(x), dim=1)
        pooled = (a @ x).squeeze(1)
        return self.out(pooled)


@case("10x64", "10", mend={"mask.unsqueeze(1) == 0": "mask.unsqueeze(1).unsqueeze(2) == 0"})
class PaddingAmongHeads(nn.Module):
    """The tutorial's padding mask lacks a dimension for the heads."""

    def __init__(self) -> None:
        super().__init__()
        self.qkv = nn.Linear(64, 192)
        self.out = nn.Linear(64, 64)

    def forward(self, x: Tensor, mask: Tensor) -> Tensor:
        b, n, d = x.shape
        q, k, v = self.qkv(x).view(b, n, 3, 8, 8).permute(2, 0, 3, 1, 4)
        s = q @ k.transpose(-2, -1) / 8**0.5
        s = s.masked_fill(mask.unsqueeze(1) == 0, -1e9)
        y = (s.softmax(-1) @ v).transpose(1, 2).reshape(b, n, d)
        return self.out(y)


@case("11:int64", "7:int64", mend={"(src.size(1))": "(tgt.size(1))"})
class MaskOfTheSource(nn.Module):
    """The decoder's mask is made for the source's length."""

    def __init__(self) -> None:
        super().__init__()
        self.emb = nn.Embedding(30, 32)
        self.net = nn.Transformer(32, 4, 1, 1, 64, batch_first=True)
        self.out = nn.Linear(32, 30)

    def forward(self, src: Tensor, tgt: Tensor) -> Tensor:
        mask = nn.Transformer.generate_square_subsequent_mask(src.size(1))
        y = self.net(self.emb(src), self.emb(tgt), tgt_mask=mask)
        return self.out(y)


@case("16:int64", mend={"nn.Embedding(100, 50)": "nn.Embedding(100, 64)"})
class EmbeddingOfFifty(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.embed = nn.Embedding(100, 50)
        self.layer = nn.TransformerEncoderLayer(
            d_model=64, nhead=8, dim_feedforward=128, batch_first=True
        )
        self.fc = nn.Linear(64, 2)

    def forward(self, x: Tensor) -> Tensor:
        x = self.embed(x)
        x = self.layer(x)
        return self.fc(x.mean(1))


@case("16x24", mend={"self.bias[self.index]": "self.bias[self.index].permute(2, 0, 1)"})
class BiasHeadsLast(nn.Module):
    """Swin's table of biases, its heads last."""

    def __init__(self, heads: int = 3, side: int = 4) -> None:
        super().__init__()
        self.heads = heads
        self.qkv = nn.Linear(24, 72)
        self.bias = nn.Parameter(torch.randn((2 * side - 1) ** 2, heads))
        at = torch.arange(side)
        place = torch.stack(torch.meshgrid(at, at, indexing="ij")).flatten(1)
        gap = place[:, :, None] - place[:, None] + side - 1
        self.register_buffer("index", gap[0] * (2 * side - 1) + gap[1])

    def forward(self, x: Tensor) -> Tensor:
        b, n, c = x.shape
        q, k, v = self.qkv(x).reshape(b, n, 3, self.heads, c // self.heads).permute(2, 0, 3, 1, 4)
        attn = q @ k.transpose(-2, -1)
        attn = attn + self.bias[self.index]
        return (attn.softmax(-1) @ v).transpose(1, 2).reshape(b, n, c)


@case(":int64", "9x32", mend={"(word, context)": "(word.unsqueeze(1), context)"})
class WordBesideContext(nn.Module):
    """A decoder's word without a step, its context with one."""

    def __init__(self) -> None:
        super().__init__()
        self.emb = nn.Embedding(40, 24)
        self.rnn = nn.GRU(24 + 32, 48, batch_first=True)
        self.out = nn.Linear(48, 40)

    def forward(self, w: Tensor, enc: Tensor) -> Tensor:
        word = self.emb(w)
        context = enc.mean(1, keepdim=True)
        y, _ = self.rnn(torch.cat((word, context), dim=2))
        return self.out(y.squeeze(1))


@case("9x16", mend={"self.w1(h)": "self.w1(h[-1]).unsqueeze(1)"})
class BahdanauState(nn.Module):
    """The state of a GRU, its layers first, beside the steps of the encoder."""

    def __init__(self) -> None:
        super().__init__()
        self.enc = nn.GRU(16, 32, batch_first=True)
        self.w1, self.w2, self.v = nn.Linear(32, 32), nn.Linear(32, 32), nn.Linear(32, 1)
        self.out = nn.Linear(32, 6)

    def forward(self, x: Tensor) -> Tensor:
        y, h = self.enc(x)
        score = self.v(torch.tanh(self.w1(h) + self.w2(y)))
        a = score.softmax(1)
        return self.out((a * y).sum(1))


@case("12x10", mend={"x[t]": "x[:, t]"})
class CellOverTheBatch(nn.Module):
    """The steps of a batch that comes first, taken as if they came first."""

    def __init__(self) -> None:
        super().__init__()
        self.cell = nn.GRUCell(10, 20)
        self.fc = nn.Linear(20, 3)

    def forward(self, x: Tensor) -> Tensor:
        h = torch.zeros(x.size(0), 20)
        for t in range(x.size(1)):
            h = self.cell(x[t], h)
        return self.fc(h)


@case(
    "8x6",
    mend={
        "h = torch.zeros(x.size(0), 16)": "h = torch.zeros(x.size(0), 16); c = torch.zeros_like(h)",
        "h = self.cell(x[:, t], h)": "h, c = self.cell(x[:, t], (h, c))",
    },
)
class LstmCellOfOneState(nn.Module):
    """An LSTM's cell has two states."""

    def __init__(self) -> None:
        super().__init__()
        self.cell = nn.LSTMCell(6, 16)
        self.fc = nn.Linear(16, 2)

    def forward(self, x: Tensor) -> Tensor:
        h = torch.zeros(x.size(0), 16)
        for t in range(x.size(1)):
            h = self.cell(x[:, t], h)
        return self.fc(h)


@case("25:int64", mend={"(k, 50)": "(k, 100)"})
class TextCnnKernel(nn.Module):
    """A kernel over half of the embedding."""

    def __init__(self) -> None:
        super().__init__()
        self.emb = nn.Embedding(200, 100)
        self.convs = nn.ModuleList([nn.Conv2d(1, 12, (k, 50)) for k in (3, 4, 5)])
        self.fc = nn.Linear(36, 2)

    def forward(self, x: Tensor) -> Tensor:
        x = self.emb(x).unsqueeze(1)
        x = [F.relu(conv(x)).squeeze(3) for conv in self.convs]
        x = [F.max_pool1d(i, i.size(2)).squeeze(2) for i in x]
        return self.fc(torch.cat(x, 1))


@case("3x32x32", "10", mend={"nn.Linear(64, 32)": "nn.Linear(64 + 10, 32)"})
class PictureWithMetadata(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.cnn = nn.Sequential(
            nn.Conv2d(3, 64, 3, 2), nn.ReLU(), nn.AdaptiveAvgPool2d(1), nn.Flatten()
        )
        self.fc = nn.Sequential(nn.Linear(64, 32), nn.ReLU(), nn.Linear(32, 2))

    def forward(self, image: Tensor, meta: Tensor) -> Tensor:
        features = self.cnn(image)
        return self.fc(torch.cat((features, meta), dim=1))


@case(
    "3x32x32",
    "2x32x32",
    mend={"self.flow_fc = nn.Linear(16, 48)": "self.flow_fc = nn.Linear(16, 64)"},
)
class TwoStreams(nn.Module):
    """Colours and motion, added at the end."""

    def __init__(self) -> None:
        super().__init__()
        self.rgb = nn.Sequential(
            nn.Conv2d(3, 16, 3, 2), nn.ReLU(), nn.AdaptiveAvgPool2d(1), nn.Flatten()
        )
        self.flow = nn.Sequential(
            nn.Conv2d(2, 16, 3, 2), nn.ReLU(), nn.AdaptiveAvgPool2d(1), nn.Flatten()
        )
        self.rgb_fc = nn.Linear(16, 64)
        self.flow_fc = nn.Linear(16, 48)
        self.head = nn.Linear(64, 10)

    def forward(self, rgb: Tensor, flow: Tensor) -> Tensor:
        return self.head(self.rgb_fc(self.rgb(rgb)) + self.flow_fc(self.flow(flow)))


@case("3x64x64", mend={"torch.cat(out, dim=1)": "torch.cat(out, dim=2)"})
class LevelsOfBoxes(nn.Module):
    """Boxes of two levels, side by side in the wrong dimension."""

    def __init__(self) -> None:
        super().__init__()
        self.a = nn.Conv2d(3, 16, 3, 4, 1)
        self.b = nn.Conv2d(16, 16, 3, 2, 1)
        self.box = nn.Conv2d(16, 4, 3, padding=1)

    def forward(self, x: Tensor) -> Tensor:
        p3 = F.relu(self.a(x))
        p4 = F.relu(self.b(p3))
        out = [self.box(p).view(x.size(0), 4, -1) for p in (p3, p4)]
        return torch.cat(out, dim=1)


@case("3x64x64", "17x16x16", mend={"nn.Conv2d(32, 16, 1)": "nn.Conv2d(32, 17, 1)"})
class KeypointsOfCoco(nn.Module):
    """COCO has 17 keypoints."""

    def __init__(self) -> None:
        super().__init__()
        self.net = nn.Sequential(
            nn.Conv2d(3, 32, 3, 2, 1), nn.ReLU(), nn.Conv2d(32, 32, 3, 2, 1), nn.ReLU()
        )
        self.last = nn.Conv2d(32, 16, 1)

    def forward(self, x: Tensor, heat: Tensor) -> Tensor:
        return F.mse_loss(self.last(self.net(x)), heat)


@case("3x32x48", mend={"p * xs": "p * xs.reshape(-1)", "p * ys": "p * ys.reshape(-1)"})
class SoftArgmax(nn.Module):
    """A softmax over all places, and a grid that is not flattened."""

    def __init__(self) -> None:
        super().__init__()
        self.conv = nn.Conv2d(3, 5, 3, 2, 1)

    def forward(self, x: Tensor) -> Tensor:
        h = self.conv(x)
        p = h.flatten(2).softmax(-1)
        ys, xs = torch.meshgrid(
            torch.linspace(0, 1, h.size(2)), torch.linspace(0, 1, h.size(3)), indexing="ij"
        )
        return torch.stack([(p * xs).sum(-1), (p * ys).sum(-1)], -1)


@case("3x20x20", mend={"x / self.std": "x / self.std.view(3, 1, 1)"})
class DividedByDeviations(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.register_buffer("std", torch.tensor([0.2, 0.3, 0.4]))
        self.net = nn.Sequential(
            nn.Conv2d(3, 8, 3), nn.ReLU(), nn.Flatten(), nn.Linear(8 * 18 * 18, 2)
        )

    def forward(self, x: Tensor) -> Tensor:
        x = x / self.std
        return self.net(x)


@case(
    "3x32x48", mend={"self.row + self.col": "(self.row[:, None] + self.col[None]).permute(2, 0, 1)"}
)
class RowsAndColumns(nn.Module):
    """Positions of rows and columns, added as they are."""

    def __init__(self, dim: int = 20) -> None:
        super().__init__()
        self.conv = nn.Conv2d(3, dim, 4, 4)
        self.row = nn.Parameter(torch.randn(8, dim))
        self.col = nn.Parameter(torch.randn(12, dim))
        self.head = nn.Linear(dim, 3)

    def forward(self, x: Tensor) -> Tensor:
        x = self.conv(x)
        x = x + (self.row + self.col)
        return self.head(x.mean((2, 3)))


@case("3x32x32", mend={"p.reshape(b, -1, 64)": "p.permute(0, 2, 3, 1, 4, 5).reshape(b, -1, 192)"})
class PatchesByUnfold(nn.Module):
    """Patches cut by unfold, the colours left before them."""

    def __init__(self) -> None:
        super().__init__()
        self.embed = nn.Linear(3 * 8 * 8, 40)
        self.head = nn.Linear(40, 10)

    def forward(self, x: Tensor) -> Tensor:
        b = x.size(0)
        p = x.unfold(2, 8, 8).unfold(3, 8, 8)
        tokens = self.embed(p.reshape(b, -1, 64))
        return self.head(tokens.mean(1))


@case("3x32x32", mend={"self.head(x.flatten(1))": "self.head(x[:, 0])"})
class AllTokensIntoHead(nn.Module):
    """The head is made for the class token, and is given all."""

    def __init__(self, dim: int = 32) -> None:
        super().__init__()
        self.patch = nn.Conv2d(3, dim, 8, 8)
        self.cls_token = nn.Parameter(torch.randn(1, 1, dim))
        self.block = nn.TransformerEncoderLayer(dim, 4, 64, batch_first=True)
        self.head = nn.Linear(dim, 10)

    def forward(self, x: Tensor) -> Tensor:
        x = self.patch(x).flatten(2).transpose(1, 2)
        x = torch.cat([self.cls_token.expand(x.size(0), -1, -1), x], 1)
        x = self.block(x)
        return self.head(x.flatten(1))


@case("3x32x32", mend={"nn.Linear(2 * 16, 32)": "nn.Linear(4 * 16, 32)"})
class PatchMerging(nn.Module):
    """Four neighbours are joined, and two counted."""

    def __init__(self) -> None:
        super().__init__()
        self.stem = nn.Conv2d(3, 16, 4, 4)
        self.reduction = nn.Linear(2 * 16, 32)
        self.head = nn.Linear(32, 10)

    def forward(self, x: Tensor) -> Tensor:
        x = self.stem(x).permute(0, 2, 3, 1)
        x = torch.cat([x[:, 0::2, 0::2], x[:, 1::2, 0::2], x[:, 0::2, 1::2], x[:, 1::2, 1::2]], -1)
        x = self.reduction(x)
        return self.head(x.mean((1, 2)))


@case(
    "3x24x24",
    mend={"return out + x": 'return out + F.interpolate(x, scale_factor=2, mode="nearest")'},
)
class ResidualOfSuperResolution(nn.Module):
    """What comes out has twice the size of the picture that is added."""

    def __init__(self) -> None:
        super().__init__()
        self.body = nn.Sequential(
            nn.Conv2d(3, 16, 3, padding=1), nn.ReLU(), nn.Conv2d(16, 12, 3, padding=1)
        )
        self.shuffle = nn.PixelShuffle(2)

    def forward(self, x: Tensor) -> Tensor:
        out = self.shuffle(self.body(x))
        return out + x


@case("3x32x32", "1x32x32", mend={"nn.Conv2d(3, 16": "nn.Conv2d(4, 16"})
class InpaintingMask(nn.Module):
    """A picture and its hole go in together."""

    def __init__(self) -> None:
        super().__init__()
        self.enc = nn.Conv2d(3, 16, 4, 2, 1)
        self.dec = nn.ConvTranspose2d(16, 3, 4, 2, 1)

    def forward(self, image: Tensor, hole: Tensor) -> Tensor:
        x = torch.cat([image * (1 - hole), hole], dim=1)
        return torch.tanh(self.dec(F.relu(self.enc(x))))


@case(
    "3x32x32",
    mend={
        "nn.ConvTranspose2d(64, 16, 2, 2)": "nn.ConvTranspose2d(64, 32, 2, 2)",
        "nn.ConvTranspose2d(16, 3, 2, 2)": "nn.ConvTranspose2d(32, 3, 2, 2)",
    },
)
class LinkNetDecoder(nn.Module):
    """LinkNet adds the encoder's maps, whose channels are as many."""

    def __init__(self) -> None:
        super().__init__()
        self.e1 = nn.Conv2d(3, 32, 3, 2, 1)
        self.e2 = nn.Conv2d(32, 64, 3, 2, 1)
        self.d2 = nn.ConvTranspose2d(64, 16, 2, 2)
        self.d1 = nn.ConvTranspose2d(16, 3, 2, 2)

    def forward(self, x: Tensor) -> Tensor:
        e1 = F.relu(self.e1(x))
        e2 = F.relu(self.e2(e1))
        d2 = F.relu(self.d2(e2)) + e1
        return self.d1(d2)


@case("24", mend={"self.backcast = nn.Linear(32, 12)": "self.backcast = nn.Linear(32, 24)"})
class NbeatsBackcast(nn.Module):
    """N-BEATS takes its backcast off what went in."""

    def __init__(self) -> None:
        super().__init__()
        self.fc = nn.Sequential(nn.Linear(24, 32), nn.ReLU(), nn.Linear(32, 32), nn.ReLU())
        self.backcast = nn.Linear(32, 12)
        self.forecast = nn.Linear(32, 12)
        self.second = nn.Linear(24, 12)

    def forward(self, x: Tensor) -> Tensor:
        h = self.fc(x)
        rest = x - self.backcast(h)
        return self.forecast(h) + self.second(rest)


@case("96x7", mend={"self.linear(x)": "self.linear(x.transpose(1, 2)).transpose(1, 2)"})
class LinearOverTime(nn.Module):
    """DLinear: each of seven series is taken from 96 steps to 24."""

    def __init__(self) -> None:
        super().__init__()
        self.linear = nn.Linear(96, 24)

    def forward(self, x: Tensor) -> Tensor:
        return self.linear(x)


@case("22x250", mend={"self.temporal(x)": "self.temporal(x.unsqueeze(1))"})
class EegWithoutChannel(nn.Module):
    """Electrodes × samples into a convolution of pictures."""

    def __init__(self) -> None:
        super().__init__()
        self.temporal = nn.Conv2d(1, 10, (1, 25))
        self.spatial = nn.Conv2d(10, 10, (22, 1))
        self.pool = nn.AvgPool2d((1, 75), (1, 15))
        self.fc = nn.Linear(10 * 11, 4)

    def forward(self, x: Tensor) -> Tensor:
        x = self.temporal(x)
        x = self.spatial(x)
        x = self.pool(x * x)
        return self.fc(x.flatten(1))


@case("1x32x128", mend={"(22, 1)": "(32, 1)"})
class EegOfMoreElectrodes(nn.Module):
    """A net for 22 electrodes, and a cap of 32."""

    def __init__(self) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(1, 8, (1, 9), padding=(0, 4))
        self.depth = nn.Conv2d(8, 16, (22, 1), groups=8)
        self.pool = nn.AvgPool2d((1, 4))
        self.fc = nn.Linear(16 * 32, 4)

    def forward(self, x: Tensor) -> Tensor:
        x = F.elu(self.depth(self.conv1(x)))
        x = self.pool(x).flatten(1)
        return self.fc(x)


@case("8", mend={"adv.mean(1)": "adv.mean(1, keepdim=True)"})
class DuelingQ(nn.Module):
    """The mean of the advantages without its dimension."""

    def __init__(self) -> None:
        super().__init__()
        self.body = nn.Linear(8, 64)
        self.value = nn.Linear(64, 1)
        self.advantage = nn.Linear(64, 3)

    def forward(self, s: Tensor) -> Tensor:
        h = F.relu(self.body(s))
        adv = self.advantage(h)
        return self.value(h) + adv - adv.mean(1)


@case("11", mend={"torch.zeros(6)": "torch.zeros(3)"})
class DeviationsOfActions(nn.Module):
    """Six deviations for three actions."""

    def __init__(self) -> None:
        super().__init__()
        self.net = nn.Sequential(nn.Linear(11, 32), nn.Tanh(), nn.Linear(32, 3))
        self.log_std = nn.Parameter(torch.zeros(6))

    def forward(self, s: Tensor) -> Tensor:
        mean = self.net(s)
        return mean + self.log_std.exp() * 0.5


@case("16", "10x16", mend={"torch.bmm(memory, q)": "torch.bmm(memory, q.unsqueeze(2)).squeeze(2)"})
class MemoryIsAsked(nn.Module):
    """A question of one vector, and a memory of ten."""

    def __init__(self) -> None:
        super().__init__()
        self.ask = nn.Linear(16, 16)
        self.out = nn.Linear(16, 5)

    def forward(self, x: Tensor, memory: Tensor) -> Tensor:
        q = self.ask(x)
        weights = torch.bmm(memory, q).softmax(-1)
        read = (weights.unsqueeze(2) * memory).sum(1)
        return self.out(read + q)


@case("3x16x16", mend={"w = self.kernel\n": "w = self.kernel.view(8, 3, 3, 3)\n"})
class KernelAsALine(nn.Module):
    """A kernel kept as a line of numbers."""

    def __init__(self) -> None:
        super().__init__()
        self.kernel = nn.Parameter(torch.randn(8 * 3 * 3 * 3))
        self.head = nn.Linear(8, 2)

    def forward(self, x: Tensor) -> Tensor:
        w = self.kernel
        x = F.conv2d(x, w, padding=1)
        return self.head(x.mean((2, 3)))


@case("20", "12", mend={"nn.Bilinear(16, 32, 4)": "nn.Bilinear(16, 16, 4)"})
class BilinearOfTwo(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.a, self.b = nn.Linear(20, 16), nn.Linear(12, 16)
        self.both = nn.Bilinear(16, 32, 4)

    def forward(self, x: Tensor, y: Tensor) -> Tensor:
        return self.both(torch.relu(self.a(x)), torch.relu(self.b(y)))


@case("10x24", mend={"self.mix.softmax(0) * h": "self.mix.softmax(0).view(-1, 1, 1, 1) * h"})
class WeightsOfLayers(nn.Module):
    """ELMo's weighted sum of layers."""

    def __init__(self) -> None:
        super().__init__()
        self.layers = nn.ModuleList([nn.Linear(24, 24) for _ in range(3)])
        self.mix = nn.Parameter(torch.randn(3))
        self.out = nn.Linear(24, 4)

    def forward(self, x: Tensor) -> Tensor:
        kept = []
        for layer in self.layers:
            x = torch.relu(layer(x))
            kept.append(x)
        h = torch.stack(kept)
        h = (self.mix.softmax(0) * h).sum(0)
        return self.out(h)


@case("3x24x24", mend={"F.normalize(self.weight))": "F.normalize(self.weight).t())"})
class CosineClassifier(nn.Module):
    """ArcFace's weights, laid out as features × classes."""

    def __init__(self) -> None:
        super().__init__()
        self.conv = nn.Conv2d(3, 32, 3, 2)
        self.weight = nn.Parameter(torch.randn(32, 12))

    def forward(self, x: Tensor) -> Tensor:
        x = self.conv(x).mean((2, 3))
        return F.linear(F.normalize(x), F.normalize(self.weight))


@case("20", mend={"gate * out": "gate.unsqueeze(-1) * out"})
class MixtureOfExperts(nn.Module):
    def __init__(self, experts: int = 3) -> None:
        super().__init__()
        self.experts = nn.ModuleList([nn.Linear(20, 16) for _ in range(experts)])
        self.gate = nn.Linear(20, experts)
        self.fc = nn.Linear(16, 2)

    def forward(self, x: Tensor) -> Tensor:
        gate = torch.softmax(self.gate(x), dim=-1)
        out = torch.stack([expert(x) for expert in self.experts], dim=1)
        return self.fc((gate * out).sum(1))


@case("16x60", mend={"self.norm(x)": "self.norm(x.transpose(1, 2)).transpose(1, 2)"})
class LayerNormAfterConv1d(nn.Module):
    """Channels before steps, and a norm of channels."""

    def __init__(self) -> None:
        super().__init__()
        self.conv = nn.Conv1d(16, 32, 3, padding=1)
        self.norm = nn.LayerNorm(32)
        self.out = nn.Conv1d(32, 4, 1)

    def forward(self, x: Tensor) -> Tensor:
        x = self.conv(x)
        x = self.norm(x)
        return self.out(F.gelu(x))


@case("9x80", mend={"x.mean(1)": "x.mean(2)"})
class MeanOverChannels(nn.Module):
    """The mean was meant over time."""

    def __init__(self) -> None:
        super().__init__()
        self.conv = nn.Conv1d(9, 48, 5, padding=2)
        self.fc = nn.Linear(48, 6)

    def forward(self, x: Tensor) -> Tensor:
        x = F.relu(self.conv(x))
        x = x.mean(1)
        return self.fc(x)


@case("30x8", mend={"(last, conv)": "(last, conv.mean(2))"})
class LastStateAndConv(nn.Module):
    """LSTM-FCN: a state, and maps of a convolution that are not yet averaged."""

    def __init__(self) -> None:
        super().__init__()
        self.lstm = nn.LSTM(8, 16, batch_first=True)
        self.conv = nn.Conv1d(8, 24, 5)
        self.fc = nn.Linear(40, 3)

    def forward(self, x: Tensor) -> Tensor:
        out, _ = self.lstm(x)
        last = out[:, -1]
        conv = F.relu(self.conv(x.transpose(1, 2)))
        return self.fc(torch.cat((last, conv), dim=1))


@case("1x28x28", mend={"x.view(28 * 28)": "x.view(x.size(0), 28 * 28)"})
class ViewOfOnePicture(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.net = nn.Sequential(nn.Linear(784, 32), nn.ReLU(), nn.Linear(32, 10))

    def forward(self, x: Tensor) -> Tensor:
        return self.net(x.view(28 * 28))


@case("3x32x32", mend={"torch.fft.rfft2(x)": "torch.fft.rfft2(x).abs()"})
class SpectrumIntoConv(nn.Module):
    """Complex numbers into a convolution."""

    def __init__(self) -> None:
        super().__init__()
        self.conv = nn.Conv2d(3, 8, 3)
        self.fc = nn.Linear(8, 2)

    def forward(self, x: Tensor) -> Tensor:
        f = torch.fft.rfft2(x)
        return self.fc(F.relu(self.conv(f)).mean((2, 3)))


@case("3x32x32:uint8", mend={"self.conv(x)": "self.conv(x.float())"})
class BytesOfPictures(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.conv = nn.Conv2d(3, 8, 3)
        self.fc = nn.Linear(8, 2)

    def forward(self, x: Tensor) -> Tensor:
        return self.fc(F.relu(self.conv(x)).mean((2, 3)))


@case("32x12", "20x12", mend={"self.attn(x, y, x)": "self.attn(x, y, y)"})
class ValuesOfTheOther(nn.Module):
    """Cross-attention whose values come from the question's side."""

    def __init__(self) -> None:
        super().__init__()
        self.attn = nn.MultiheadAttention(12, 3, batch_first=True)
        self.fc = nn.Linear(12, 4)

    def forward(self, x: Tensor, y: Tensor) -> Tensor:
        out, _ = self.attn(x, y, x)
        return self.fc(out)


@case("3x30x30", mend={"nn.AdaptiveAvgPool2d((1, 4))": "nn.AdaptiveAvgPool2d((4, 4))"})
class PooledToARow(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.conv = nn.Conv2d(3, 12, 3)
        self.pool = nn.AdaptiveAvgPool2d((1, 4))
        self.fc = nn.Linear(12 * 4 * 4, 7)

    def forward(self, x: Tensor) -> Tensor:
        x = self.pool(F.relu(self.conv(x)))
        return self.fc(torch.flatten(x, 1))
