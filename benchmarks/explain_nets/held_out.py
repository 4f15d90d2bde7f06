"""Sixty mistakes written before any rule was looked at, and tried only then.

    python benchmarks/explain_fixes.py held_out

What the first try gave is in docs/explain.md; the kinds of those that failed were mended
afterwards, so that today's figure is no longer one of cases that were held back.
"""

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from explain_nets.wrong import Net, Wrong  # type: ignore[import-not-found]

CASES: dict[str, Wrong] = {}


def case(name: str, build: object, *inputs: str, **options: object) -> None:
    assert name not in CASES, name
    CASES[name] = Wrong(build, inputs, **options)  # type: ignore[arg-type]


# Classifiers.


class Cifar(nn.Module):
    """The tutorial's net, with padding added to its convolutions and fc1 as it was."""

    def __init__(self) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(3, 6, 5, padding=2)
        self.pool = nn.MaxPool2d(2, 2)
        self.conv2 = nn.Conv2d(6, 16, 5, padding=2)
        self.fc1 = nn.Linear(16 * 5 * 5, 120)
        self.fc2 = nn.Linear(120, 84)
        self.fc3 = nn.Linear(84, 10)

    def forward(self, x: Tensor) -> Tensor:
        x = self.pool(F.relu(self.conv1(x)))
        x = self.pool(F.relu(self.conv2(x)))
        x = torch.flatten(x, 1)
        x = F.relu(self.fc1(x))
        x = F.relu(self.fc2(x))
        return self.fc3(x)


case("tutorial net with padding", Cifar, "3x32x32")


class Blocks(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        layers = []
        for inner, outer in ((3, 16), (16, 32), (64, 64)):
            layers += [nn.Conv2d(inner, outer, 3, padding=1), nn.BatchNorm2d(outer), nn.ReLU()]
        self.features = nn.Sequential(*layers)
        self.head = nn.Linear(64, 5)

    def forward(self, x: Tensor) -> Tensor:
        return self.head(self.features(x).mean(dim=(2, 3)))


case("list of channels with a slip", Blocks, "3x32x32", batch=4)


class TwoSlips(nn.Module):
    """Channels and the head's features both wrong."""

    def __init__(self) -> None:
        super().__init__()
        self.c1 = nn.Conv2d(1, 16, 3)
        self.c2 = nn.Conv2d(16, 32, 3)
        self.f = nn.Linear(800, 10)

    def forward(self, x: Tensor) -> Tensor:
        x = F.max_pool2d(F.relu(self.c1(x)), 2)
        x = F.max_pool2d(F.relu(self.c2(x)), 2)
        return self.f(x.view(x.shape[0], -1))


case("colour pictures into a digit net", TwoSlips, "3x32x32")


class GlobalMax(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.c = nn.Conv2d(3, 24, 3, padding=1)
        self.f = nn.Linear(24, 4)

    def forward(self, x: Tensor) -> Tensor:
        x = F.adaptive_max_pool2d(F.relu(self.c(x)), 2)
        return self.f(torch.flatten(x, 1))


case("adaptive pooling to 2 and features of 1", GlobalMax, "3x20x20")


class DropoutHead(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.body = nn.Sequential(
            nn.Conv2d(3, 8, 3, stride=2), nn.ReLU(), nn.Conv2d(8, 16, 3, stride=2), nn.ReLU()
        )
        self.head = nn.Sequential(nn.Dropout(0.5), nn.Linear(16 * 8 * 8, 32), nn.ReLU())
        self.out = nn.Linear(64, 3)

    def forward(self, x: Tensor) -> Tensor:
        return self.out(self.head(self.body(x).flatten(1)))


case("two linear layers wrong", DropoutHead, "3x32x32")


class MultiHead(nn.Module):
    """Two answers from one body; the second head reads the map."""

    def __init__(self) -> None:
        super().__init__()
        self.body = nn.Sequential(nn.Conv2d(3, 16, 3, padding=1), nn.ReLU(), nn.MaxPool2d(4))
        self.age = nn.Linear(16 * 4 * 4, 1)
        self.kind = nn.Linear(16 * 4 * 4, 5)

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        x = self.body(x)
        return self.age(x.flatten(1)), self.kind(x)


case("second head without flatten", MultiHead, "3x16x16", batch=2)


class FlattenOne(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.c = nn.Conv2d(3, 8, 3)
        self.f = nn.Linear(8 * 14 * 14, 2)

    def forward(self, x: Tensor) -> Tensor:
        x = F.relu(self.c(x))
        return self.f(x.reshape(8 * 14 * 14))


case("reshape to the features alone", FlattenOne, "3x16x16")


class Grey(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.c = nn.Conv2d(1, 8, 3, padding=1)
        self.n = nn.BatchNorm2d(1)
        self.f = nn.Linear(8, 2)

    def forward(self, x: Tensor) -> Tensor:
        return self.f(self.n(self.c(x)).mean((-1, -2)))


case("norm of the input's channels", Grey, "1x12x12", batch=3)

# Residual nets.


class Bottleneck(nn.Module):
    def __init__(self, inner: int, middle: int, stride: int = 1) -> None:
        super().__init__()
        self.a = nn.Conv2d(inner, middle, 1)
        self.b = nn.Conv2d(middle, middle, 3, stride, 1)
        self.c = nn.Conv2d(middle, middle * 4, 1)
        self.down = nn.Conv2d(inner, middle * 4, 1) if stride > 1 else nn.Identity()

    def forward(self, x: Tensor) -> Tensor:
        return F.relu(self.c(F.relu(self.b(F.relu(self.a(x))))) + self.down(x))


case(
    "shortcut without its stride",
    lambda: nn.Sequential(nn.Conv2d(3, 32, 3, padding=1), Bottleneck(32, 16, 2)),
    "3x16x16",
)
case(
    "first bottleneck without a projection",
    lambda: nn.Sequential(nn.Conv2d(3, 16, 3, padding=1), Bottleneck(16, 16)),
    "3x16x16",
    batch=2,
)


class Dense(nn.Module):
    """A dense block whose third layer forgot the growth of the second."""

    def __init__(self) -> None:
        super().__init__()
        self.a = nn.Conv2d(8, 4, 3, padding=1)
        self.b = nn.Conv2d(12, 4, 3, padding=1)
        self.c = nn.Conv2d(12, 4, 3, padding=1)

    def forward(self, x: Tensor) -> Tensor:
        x = torch.cat([x, F.relu(self.a(x))], 1)
        x = torch.cat([x, F.relu(self.b(x))], 1)
        return torch.cat([x, F.relu(self.c(x))], 1)


case("dense block without its growth", Dense, "8x10x10")

# U-Nets and segmentation.


class UNet(nn.Module):
    """Convolutions without padding, as in the paper, and skips that are not cropped."""

    def __init__(self) -> None:
        super().__init__()
        self.e1, self.e2 = self.block(1, 8), self.block(8, 16)
        self.pool = nn.MaxPool2d(2)
        self.mid = self.block(16, 32)
        self.u2 = nn.ConvTranspose2d(32, 16, 2, stride=2)
        self.d2 = self.block(32, 16)
        self.u1 = nn.ConvTranspose2d(16, 8, 2, stride=2)
        self.d1 = self.block(16, 8)
        self.out = nn.Conv2d(8, 2, 1)

    @staticmethod
    def block(inner: int, outer: int) -> nn.Sequential:
        return nn.Sequential(
            nn.Conv2d(inner, outer, 3), nn.ReLU(), nn.Conv2d(outer, outer, 3), nn.ReLU()
        )

    def forward(self, x: Tensor) -> Tensor:
        a = self.e1(x)
        b = self.e2(self.pool(a))
        m = self.mid(self.pool(b))
        x = self.d2(torch.cat([self.u2(m), b], dim=1))
        x = self.d1(torch.cat([self.u1(x), a], dim=1))
        return self.out(x)


case("paper's unet without cropping", UNet, "1x92x92")


class UNet3(nn.Module):
    """The decoder's convolution counts the upsampled map alone."""

    def __init__(self) -> None:
        super().__init__()
        self.e1 = nn.Conv2d(3, 16, 3, padding=1)
        self.e2 = nn.Conv2d(16, 32, 3, padding=1)
        self.up = nn.Upsample(scale_factor=2, mode="bilinear")
        self.d1 = nn.Conv2d(32, 16, 3, padding=1)
        self.out = nn.Conv2d(16, 1, 1)

    def forward(self, x: Tensor) -> Tensor:
        a = F.relu(self.e1(x))
        b = F.relu(self.e2(F.max_pool2d(a, 2)))
        x = torch.cat((self.up(b), a), 1)
        return torch.sigmoid(self.out(F.relu(self.d1(x))))


case("decoder counts one of two maps", UNet3, "3x32x32")


class FCN(nn.Module):
    """Scores upsampled by 8 and scored against the mask of the whole picture."""

    def __init__(self) -> None:
        super().__init__()
        self.body = nn.Sequential(
            nn.Conv2d(3, 8, 3, 2, 1), nn.ReLU(), nn.Conv2d(8, 8, 3, 2, 1), nn.ReLU()
        )
        self.score = nn.Conv2d(8, 5, 1)

    def forward(self, x: Tensor, mask: Tensor) -> Tensor:
        return F.cross_entropy(self.score(self.body(x)), mask)


case("scores smaller than the mask", FCN, "3x32x32", "32x32:int64")


class BinaryMask(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.c = nn.Conv2d(3, 1, 3, padding=1)

    def forward(self, x: Tensor, mask: Tensor) -> Tensor:
        return F.binary_cross_entropy_with_logits(self.c(x), mask)


case("mask without the channel", BinaryMask, "3x16x16", "16x16", batch=2)


class Aspp(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.a = nn.Conv2d(16, 8, 1)
        self.b = nn.Conv2d(16, 8, 3, padding=6, dilation=6)
        self.g = nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Conv2d(16, 8, 1))
        self.out = nn.Conv2d(24, 4, 1)

    def forward(self, x: Tensor) -> Tensor:
        return self.out(torch.cat([self.a(x), self.b(x), self.g(x)], 1))


case("global branch not enlarged", Aspp, "16x14x14")

# Recurrent nets.


class Sentiment(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.e = nn.Embedding(200, 24)
        self.r = nn.LSTM(24, 32, num_layers=2, batch_first=True, bidirectional=True)
        self.f = nn.Linear(32, 2)

    def forward(self, x: Tensor) -> Tensor:
        _, (h, _) = self.r(self.e(x))
        return self.f(torch.cat([h[-2], h[-1]], dim=1))


case("two directions into a layer for one", Sentiment, "18:int64", batch=4)


class Forecast(nn.Module):
    """A series of single numbers, without the dimension of features."""

    def __init__(self) -> None:
        super().__init__()
        self.r = nn.LSTM(1, 16, batch_first=True)
        self.f = nn.Linear(16, 1)

    def forward(self, x: Tensor) -> Tensor:
        out, _ = self.r(x)
        return self.f(out[:, -1, :])


case("series without features", Forecast, "30", batch=5)


class Video(nn.Module):
    """Frames of a video through a convolution, then an LSTM over time."""

    def __init__(self) -> None:
        super().__init__()
        self.cnn = nn.Sequential(
            nn.Conv2d(3, 8, 3, padding=1), nn.ReLU(), nn.AdaptiveAvgPool2d(4), nn.Flatten()
        )
        self.r = nn.LSTM(64, 32, batch_first=True)
        self.f = nn.Linear(32, 5)

    def forward(self, x: Tensor) -> Tensor:
        b, t = x.shape[:2]
        x = self.cnn(x.flatten(0, 1)).view(b, t, -1)
        out, _ = self.r(x)
        return self.f(out[:, -1])


case("features of frames into an LSTM", Video, "6x3x16x16", batch=2)


class VideoPlain(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.cnn = nn.Sequential(
            nn.Conv2d(3, 8, 3, padding=1), nn.ReLU(), nn.AdaptiveAvgPool2d(1), nn.Flatten()
        )
        self.f = nn.Linear(8, 5)

    def forward(self, x: Tensor) -> Tensor:
        return self.f(self.cnn(x))


case("clips into a net for pictures", VideoPlain, "6x3x16x16", batch=2)


class Seq2Seq(nn.Module):
    """The decoder's GRU takes the encoder's bidirectional state."""

    def __init__(self) -> None:
        super().__init__()
        self.enc = nn.GRU(8, 16, batch_first=True, bidirectional=True)
        self.dec = nn.GRU(8, 16, batch_first=True)
        self.f = nn.Linear(16, 8)

    def forward(self, x: Tensor, y: Tensor) -> Tensor:
        _, h = self.enc(x)
        out, _ = self.dec(y, h)
        return self.f(out)


case("state of two directions for a decoder of one", Seq2Seq, "9x8", "5x8", batch=3)


class Tagger(nn.Module):
    """Loss of every token, with the classes last as the layer gives them."""

    def __init__(self) -> None:
        super().__init__()
        self.e = nn.Embedding(50, 12)
        self.r = nn.GRU(12, 16, batch_first=True)
        self.f = nn.Linear(16, 7)

    def forward(self, x: Tensor, y: Tensor) -> Tensor:
        out, _ = self.r(self.e(x))
        return F.cross_entropy(self.f(out), y)


case("token classes last", Tagger, "11:int64", "11:int64", batch=4)


class Cell(nn.Module):
    """A loop over time with an LSTMCell whose state is one tensor."""

    def __init__(self) -> None:
        super().__init__()
        self.cell = nn.LSTMCell(6, 10)

    def forward(self, x: Tensor) -> Tensor:
        h = x.new_zeros(x.size(0), 10)
        for step in range(x.size(1)):
            h = self.cell(x[:, step], h)
        return h


case("LSTM cell with one state", Cell, "4x6", batch=3)


class Crnn(nn.Module):
    """Text lines: convolution, then a GRU over the columns."""

    def __init__(self) -> None:
        super().__init__()
        self.c = nn.Sequential(nn.Conv2d(1, 16, 3, padding=1), nn.ReLU(), nn.MaxPool2d((2, 2)))
        self.r = nn.GRU(16, 32, batch_first=True, bidirectional=True)
        self.f = nn.Linear(64, 30)

    def forward(self, x: Tensor) -> Tensor:
        x = self.c(x)
        b, c, h, w = x.shape
        x = x.permute(0, 3, 1, 2).reshape(b, w, c * h)
        out, _ = self.r(x)
        return self.f(out)


case("columns of a text line into a GRU", Crnn, "1x32x100")


class Attn(nn.Module):
    """Attention over an LSTM's steps, with the weights multiplied the wrong way."""

    def __init__(self) -> None:
        super().__init__()
        self.r = nn.LSTM(8, 16, batch_first=True)
        self.score = nn.Linear(16, 1)
        self.f = nn.Linear(16, 3)

    def forward(self, x: Tensor) -> Tensor:
        out, _ = self.r(x)
        weights = self.score(out).softmax(1)
        context = torch.bmm(weights, out).squeeze(1)
        return self.f(context)


case("attention over steps, not transposed", Attn, "10x8", batch=2)

# Transformers.


class Gpt(nn.Module):
    """A causal mask for a longest sequence, not cut to this one."""

    def __init__(self) -> None:
        super().__init__()
        self.e = nn.Embedding(100, 32)
        self.pos = nn.Parameter(torch.zeros(1, 64, 32))
        self.qkv = nn.Linear(32, 96)
        self.register_buffer("mask", torch.tril(torch.ones(64, 64)))
        self.out = nn.Linear(32, 100)

    def forward(self, x: Tensor) -> Tensor:
        n = x.size(1)
        h = self.e(x) + self.pos[:, :n]
        q, k, v = self.qkv(h).chunk(3, dim=-1)
        att = (q @ k.transpose(1, 2)) / 32**0.5
        att = att.masked_fill(self.mask == 0, float("-inf")).softmax(-1)
        return self.out(att @ v)


case("causal mask not cut", Gpt, "20:int64", batch=2)


class Heads(nn.Module):
    """Heads put back with view, without contiguous."""

    def __init__(self) -> None:
        super().__init__()
        self.q, self.k, self.v = (nn.Linear(48, 48) for _ in range(3))
        self.o = nn.Linear(48, 48)

    def forward(self, x: Tensor) -> Tensor:
        b, n, d = x.shape
        q, k, v = (f(x).view(b, n, 6, 8).transpose(1, 2) for f in (self.q, self.k, self.v))
        att = (q @ k.transpose(-2, -1) / 8**0.5).softmax(-1)
        return self.o((att @ v).transpose(1, 2).view(b, n, d))


case("heads put together by view", Heads, "9x48", batch=2)


class HeadsKept(nn.Module):
    """The heads are never put together."""

    def __init__(self) -> None:
        super().__init__()
        self.q, self.k, self.v = (nn.Linear(48, 48) for _ in range(3))
        self.o = nn.Linear(48, 48)

    def forward(self, x: Tensor) -> Tensor:
        b, n, _ = x.shape
        q, k, v = (f(x).view(b, n, 6, 8).transpose(1, 2) for f in (self.q, self.k, self.v))
        att = (q @ k.transpose(-2, -1) / 8**0.5).softmax(-1)
        return self.o(att @ v)


case("heads never put together", HeadsKept, "9x48", batch=2)


class Pooled(nn.Module):
    """An encoder's tokens go into a classifier that wants all of them flattened."""

    def __init__(self) -> None:
        super().__init__()
        layer = nn.TransformerEncoderLayer(16, 4, 32, batch_first=True)
        self.enc = nn.TransformerEncoder(layer, 2)
        self.f = nn.Linear(16 * 12, 4)

    def forward(self, x: Tensor) -> Tensor:
        return self.f(self.enc(x))


case("encoder's tokens not flattened", Pooled, "12x16", batch=2)


class Translate(nn.Module):
    """nn.Transformer without batch_first, source and target of other lengths and batch first."""

    def __init__(self) -> None:
        super().__init__()
        self.t = nn.Transformer(16, 4, 1, 1, 32)
        self.out = nn.Linear(16, 40)

    def forward(self, src: Tensor, tgt: Tensor) -> Tensor:
        mask = nn.Transformer.generate_square_subsequent_mask(tgt.size(1))
        return self.out(self.t(src, tgt, tgt_mask=mask))


case("transformer whose mask is for the other dimension", Translate, "9x16", "7x16", batch=3)


class Cross(nn.Module):
    """Text attends to a picture's map that was not made into tokens."""

    def __init__(self) -> None:
        super().__init__()
        self.c = nn.Conv2d(3, 32, 4, 4)
        self.a = nn.MultiheadAttention(32, 4, batch_first=True)

    def forward(self, x: Tensor, words: Tensor) -> Tensor:
        image = self.c(x)
        return self.a(words, image, image)[0]


case("cross-attention to a map", Cross, "3x16x16", "5x32", batch=2)


class Positional(nn.Module):
    """The tutorial's positional encoding (length first) added with the batch first."""

    def __init__(self) -> None:
        super().__init__()
        self.register_buffer("pe", torch.zeros(100, 1, 16))
        self.f = nn.Linear(16, 4)

    def forward(self, x: Tensor) -> Tensor:
        return self.f(x + self.get_buffer("pe")[: x.size(1)])


case("encoding with length first", Positional, "12x16", batch=4)

# Vision transformers.


class Vit(nn.Module):
    def __init__(self, side: int = 32, patch: int = 4, width: int = 24) -> None:
        super().__init__()
        self.embed = nn.Conv2d(3, width, patch, patch)
        self.cls = nn.Parameter(torch.zeros(1, 1, width))
        self.pos = nn.Parameter(torch.zeros(1, (side // patch) ** 2 + 1, width))
        self.enc = nn.TransformerEncoderLayer(width, 4, 48, batch_first=True)
        self.head = nn.Linear(width, 10)

    def forward(self, x: Tensor) -> Tensor:
        x = self.embed(x).flatten(2).transpose(1, 2)
        x = torch.cat([self.cls.expand(x.size(0), -1, -1), x], dim=1)
        return self.head(self.enc(x + self.pos)[:, 0])


case("vit for larger pictures", Vit, "3x48x48", batch=2)
case("vit for smaller pictures", Vit, "3x16x16", batch=2)


class VitToken(Vit):
    def forward(self, x: Tensor) -> Tensor:
        x = self.embed(x).flatten(2).transpose(1, 2)
        x = torch.cat([self.cls, x], dim=1)
        return self.head(self.enc(x + self.pos)[:, 0])


case("class token not expanded", VitToken, "3x32x32", batch=4)


class VitMap(Vit):
    def forward(self, x: Tensor) -> Tensor:
        x = self.embed(x).flatten(2)
        x = torch.cat([self.cls.expand(x.size(0), -1, -1), x], dim=1)
        return self.head(self.enc(x + self.pos)[:, 0])


case("patches not transposed", VitMap, "3x32x32", batch=2)


class Patches(nn.Module):
    """Patches by reshape, of pictures that they do not divide."""

    def __init__(self) -> None:
        super().__init__()
        self.f = nn.Linear(3 * 8 * 8, 32)

    def forward(self, x: Tensor) -> Tensor:
        b, c, h, w = x.shape
        x = x.reshape(b, c, h // 8, 8, w // 8, 8).permute(0, 2, 4, 1, 3, 5)
        return self.f(x.reshape(b, -1, 3 * 8 * 8))


case("patches that do not divide the picture", Patches, "3x36x36")


class ConvNext(nn.Module):
    """Layer norm of channels on a map with the channels first."""

    def __init__(self) -> None:
        super().__init__()
        self.dw = nn.Conv2d(32, 32, 7, padding=3, groups=32)
        self.norm = nn.LayerNorm(32)
        self.p1, self.p2 = nn.Linear(32, 64), nn.Linear(64, 32)

    def forward(self, x: Tensor) -> Tensor:
        y = self.norm(self.dw(x))
        y = self.p2(F.gelu(self.p1(y)))
        return x + y


case("convnext block without its permutes", ConvNext, "32x14x14")

# Generators and decoders.


class Generator(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.f = nn.Linear(64, 128 * 7 * 7)
        self.net = nn.Sequential(
            nn.ConvTranspose2d(128, 64, 4, 2, 1),
            nn.BatchNorm2d(64),
            nn.ReLU(),
            nn.ConvTranspose2d(64, 1, 4, 2, 1),
            nn.Tanh(),
        )

    def forward(self, z: Tensor) -> Tensor:
        return self.net(self.f(z))


case("generator without view", Generator, "64", batch=2)


class Discriminator(nn.Module):
    """Judges pictures of 32 by a last convolution for those of 64."""

    def __init__(self) -> None:
        super().__init__()
        self.net = nn.Sequential(
            nn.Conv2d(3, 16, 4, 2, 1),
            nn.LeakyReLU(0.2),
            nn.Conv2d(16, 32, 4, 2, 1),
            nn.LeakyReLU(0.2),
            nn.Conv2d(32, 64, 4, 2, 1),
            nn.LeakyReLU(0.2),
            nn.Conv2d(64, 1, 8, 1, 0),
            nn.Sigmoid(),
        )

    def forward(self, x: Tensor) -> Tensor:
        return self.net(x).view(-1)


case("discriminator for larger pictures", Discriminator, "3x32x32", batch=2)


class GanLoss(nn.Module):
    """One verdict a picture against labels without the last dimension."""

    def __init__(self) -> None:
        super().__init__()
        self.d = nn.Sequential(nn.Flatten(), nn.Linear(784, 64), nn.ReLU(), nn.Linear(64, 1))

    def forward(self, x: Tensor) -> Tensor:
        real = torch.ones(x.size(0))
        return F.binary_cross_entropy(torch.sigmoid(self.d(x)), real)


case("verdicts against labels of one dimension", GanLoss, "1x28x28", batch=4)


class Conditional(nn.Module):
    """The label's embedding concatenated with noise, and a first layer for the noise alone."""

    def __init__(self) -> None:
        super().__init__()
        self.e = nn.Embedding(10, 10)
        self.net = nn.Sequential(nn.Linear(100, 128), nn.ReLU(), nn.Linear(128, 784))

    def forward(self, z: Tensor, y: Tensor) -> Tensor:
        x = self.net(torch.cat([z, self.e(y)], 1))
        return x.view(-1, 1, 28, 28)


case("noise with a label", Conditional, "100", ":int64", batch=4)
case("noise with a label of two dimensions", Conditional, "90", "1:int64", batch=4)


class Vae(nn.Module):
    """The decoder's linear layer gives 32·7·7 and the unflatten asks for 64 channels."""

    def __init__(self) -> None:
        super().__init__()
        self.enc = nn.Sequential(nn.Flatten(), nn.Linear(784, 64), nn.ReLU())
        self.mu, self.var = nn.Linear(64, 8), nn.Linear(64, 8)
        self.dec = nn.Sequential(
            nn.Linear(8, 32 * 7 * 7),
            nn.ReLU(),
            nn.Unflatten(1, (64, 7, 7)),
            nn.ConvTranspose2d(64, 16, 4, 2, 1),
            nn.ReLU(),
            nn.ConvTranspose2d(16, 1, 4, 2, 1),
        )

    def forward(self, x: Tensor) -> Tensor:
        h = self.enc(x)
        mu, var = self.mu(h), self.var(h)
        return self.dec(mu + torch.exp(var / 2) * torch.randn_like(mu))


case("vae's unflatten", Vae, "1x28x28", batch=3)


class VaeLoss(nn.Module):
    """The reconstruction is a map of 1×28×28, the target flat."""

    def __init__(self) -> None:
        super().__init__()
        self.enc = nn.Linear(784, 16)
        self.dec = nn.Linear(16, 784)

    def forward(self, x: Tensor) -> Tensor:
        flat = x.view(-1, 784)
        back = self.dec(F.relu(self.enc(flat)))
        return F.mse_loss(back, x)


case("flat reconstruction against pictures", VaeLoss, "1x28x28", batch=3)


class ConvAuto(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.enc = nn.Sequential(
            nn.Conv2d(1, 8, 3, stride=2, padding=1),
            nn.ReLU(),
            nn.Conv2d(8, 16, 3, stride=2, padding=1),
            nn.ReLU(),
            nn.Conv2d(16, 32, 7),
        )
        self.dec = nn.Sequential(
            nn.ConvTranspose2d(32, 16, 7),
            nn.ReLU(),
            nn.ConvTranspose2d(16, 8, 3, stride=2, padding=1),
            nn.ReLU(),
            nn.ConvTranspose2d(8, 1, 3, stride=2, padding=1),
        )

    def forward(self, x: Tensor) -> Tensor:
        return F.mse_loss(self.dec(self.enc(x)), x)


case("autoencoder gives 25 for 28", ConvAuto, "1x28x28", batch=2)

# Detection.


class YoloHead(nn.Module):
    """The answer of a grid put into anchors; the last convolution has too few channels."""

    def __init__(self) -> None:
        super().__init__()
        self.body = nn.Conv2d(3, 16, 8, 8)
        self.head = nn.Conv2d(16, 3 * 20, 1)

    def forward(self, x: Tensor) -> Tensor:
        y = self.head(self.body(x))
        b, _, h, w = y.shape
        return y.view(b, 3, 25, h, w).permute(0, 1, 3, 4, 2)


case("anchors do not share the channels", YoloHead, "3x64x64", batch=2)


class Fpn(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.c3 = nn.Conv2d(3, 32, 3, 2, 1)
        self.c4 = nn.Conv2d(32, 64, 3, 2, 1)
        self.l3 = nn.Conv2d(32, 16, 1)
        self.l4 = nn.Conv2d(64, 32, 1)

    def forward(self, x: Tensor) -> Tensor:
        c3 = self.c3(x)
        c4 = self.c4(c3)
        return self.l3(c3) + F.interpolate(self.l4(c4), scale_factor=2)


case("pyramid of unequal channels", Fpn, "3x32x32", batch=2)


class BoxLoss(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.f = nn.Linear(32, 4)

    def forward(self, x: Tensor, boxes: Tensor) -> Tensor:
        return F.smooth_l1_loss(self.f(x), boxes)


case("boxes with their class", BoxLoss, "32", "5", batch=3)


class Ssd(nn.Module):
    """Answers of two scales flattened and put one after the other, along the wrong dimension."""

    def __init__(self) -> None:
        super().__init__()
        self.a = nn.Conv2d(3, 8, 3, 2, 1)
        self.b = nn.Conv2d(8, 8, 3, 2, 1)
        self.ha, self.hb = nn.Conv2d(8, 6, 1), nn.Conv2d(8, 6, 1)

    def forward(self, x: Tensor) -> Tensor:
        a = self.a(x)
        b = self.b(a)
        one = self.ha(a).permute(0, 2, 3, 1).reshape(x.size(0), -1, 6)
        two = self.hb(b).permute(0, 2, 3, 1).reshape(x.size(0), -1, 6)
        return torch.cat([one, two], dim=2)


case("scales joined along the answers", Ssd, "3x32x32", batch=2)

# One dimension and three.


class Speech(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.c1 = nn.Conv1d(1, 16, 80, stride=4)
        self.b1 = nn.BatchNorm1d(16)
        self.c2 = nn.Conv1d(16, 32, 3)
        self.f = nn.Linear(32, 10)

    def forward(self, x: Tensor) -> Tensor:
        x = F.max_pool1d(F.relu(self.b1(self.c1(x))), 4)
        x = F.relu(self.c2(x))
        return self.f(x.flatten(1))


case("speech net without pooling over time", Speech, "1x800", batch=2)
case("speech without channel", Speech, "800", batch=2)


class Tcn(nn.Module):
    """A causal convolution padded on both sides and not cut."""

    def __init__(self) -> None:
        super().__init__()
        self.c = nn.Conv1d(8, 8, 3, padding=4, dilation=2)

    def forward(self, x: Tensor) -> Tensor:
        return F.relu(self.c(x) + x)


case("causal convolution not cut", Tcn, "8x40", batch=2)


class Voxels(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.net = nn.Sequential(
            nn.Conv3d(1, 8, 3, padding=1), nn.ReLU(), nn.MaxPool3d(2), nn.Conv3d(8, 16, 3)
        )
        self.f = nn.Linear(16 * 6 * 6, 2)

    def forward(self, x: Tensor) -> Tensor:
        return self.f(self.net(x).flatten(1))


case("volume's features counted as a picture's", Voxels, "1x16x16x16")


class PointNet(nn.Module):
    """Points with their coordinates last into a shared layer made of Conv1d."""

    def __init__(self) -> None:
        super().__init__()
        self.c = nn.Conv1d(3, 32, 1)
        self.f = nn.Linear(32, 4)

    def forward(self, x: Tensor) -> Tensor:
        return self.f(F.relu(self.c(x)).max(dim=2)[0])


case("points with coordinates last", PointNet, "64x3", batch=2)


class TextCnn(nn.Module):
    """Convolutions of several widths over words."""

    def __init__(self) -> None:
        super().__init__()
        self.e = nn.Embedding(100, 16)
        self.convs = nn.ModuleList([nn.Conv2d(1, 8, (k, 16)) for k in (3, 4, 5)])
        self.f = nn.Linear(24, 2)

    def forward(self, x: Tensor) -> Tensor:
        x = self.e(x)
        pooled = [F.relu(c(x)).squeeze(3).max(2)[0] for c in self.convs]
        return self.f(torch.cat(pooled, 1))


case("words without the channel of a picture", TextCnn, "12:int64", batch=2)

# Several inputs.


class Siamese(nn.Module):
    """Two pictures' features joined, and a layer for the features of one."""

    def __init__(self) -> None:
        super().__init__()
        self.body = nn.Sequential(nn.Conv2d(1, 8, 3, 2), nn.ReLU(), nn.Flatten())
        self.f = nn.Linear(8 * 13 * 13, 1)

    def forward(self, a: Tensor, b: Tensor) -> Tensor:
        return self.f(torch.cat([self.body(a), self.body(b)], dim=1))


case("siamese features joined", Siamese, "1x28x28", "1x28x28", batch=2)
case("siamese net given one picture", Siamese, "1x28x28", batch=2)


class Fusion(nn.Module):
    """A picture's features and a table's, of which the table's have a dimension too few."""

    def __init__(self) -> None:
        super().__init__()
        self.body = nn.Sequential(nn.Conv2d(3, 8, 3), nn.ReLU(), nn.AdaptiveAvgPool2d(1))
        self.f = nn.Linear(12, 2)

    def forward(self, x: Tensor, table: Tensor) -> Tensor:
        return self.f(torch.cat([self.body(x), table], dim=1))


case("map joined with a table", Fusion, "3x16x16", "4", batch=2)


class Recommender(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.user, self.item = nn.Embedding(50, 16), nn.Embedding(80, 12)
        self.f = nn.Linear(1, 1)

    def forward(self, user: Tensor, item: Tensor) -> Tensor:
        return (self.user(user) * self.item(item)).sum(-1)


case("users and items of unequal features", Recommender, ":int64", ":int64", batch=4)


class Regress(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.f = nn.Linear(13, 6)

    def forward(self, x: Tensor, y: Tensor) -> Tensor:
        return F.nll_loss(F.log_softmax(self.f(x), 1), y)


case("labels as one-hot rows of whole numbers", Regress, "13", "6:int64", batch=4)
case("labels with a dimension of one", Regress, "13", "1:int64", batch=4)

# Training mode.

case(
    "batch of one in training",
    lambda: nn.Sequential(nn.Linear(10, 8), nn.BatchNorm1d(8), nn.ReLU(), nn.Linear(8, 2)),
    "10",
    training=True,
)
case(
    "pooled batch of one in training",
    lambda: nn.Sequential(
        nn.AdaptiveAvgPool2d(1), nn.Conv2d(8, 4, 1), nn.BatchNorm2d(4), nn.ReLU()
    ),
    "8x10x10",
    training=True,
)

# Convolutions by hand.

case(
    "weights of F.conv2d the wrong way round",
    lambda: Net(lambda s, x: F.conv2d(x, s.w, padding=1), w=nn.Parameter(torch.zeros(3, 8, 3, 3))),
    "3x12x12",
)
case(
    "weights of F.linear not transposed",
    lambda: Net(lambda s, x: F.linear(x, s.w), w=nn.Parameter(torch.zeros(20, 5))),
    "20",
    batch=3,
)
case(
    "grid with its coordinates first",
    lambda: Net(lambda s, x, grid: F.grid_sample(x, grid, align_corners=False)),
    "3x12x12",
    "2x12x12",
    batch=2,
)
case(
    "one-hot label as another channel",
    lambda: Net(lambda s, x, y: s.c(torch.cat([x, y], 1)), c=nn.Conv2d(6, 8, 3, padding=1)),
    "1x16x16",
    "5",
    batch=2,
)

# Layers that cannot be built.


class GroupedNet(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.c = nn.Conv2d(3, 32, 3, padding=1)
        self.g = nn.Conv2d(32, 48, 3, padding=1, groups=5)

    def forward(self, x: Tensor) -> Tensor:
        return self.g(self.c(x))


case("groups that do not divide", GroupedNet, "3x12x12")


class NormGroups(nn.Module):
    def __init__(self, channels: int = 48) -> None:
        super().__init__()
        self.c = nn.Conv2d(3, channels, 3, padding=1)
        self.n = nn.GroupNorm(32, channels)

    def forward(self, x: Tensor) -> Tensor:
        return F.relu(self.n(self.c(x)))


case("32 groups of 48 channels", NormGroups, "3x12x12")
case(
    "group norm with its arguments turned",
    lambda: nn.Sequential(nn.Conv2d(3, 64, 3), nn.GroupNorm(64, 8)),
    "3x12x12",
)
case(
    "same padding with a stride",
    lambda: nn.Sequential(
        nn.Conv2d(3, 16, kernel_size=3, stride=2, padding="same"), nn.ReLU(), nn.Flatten()
    ),
    "3x16x16",
)


class Encoder(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.e = nn.Embedding(100, 50)
        self.a = nn.MultiheadAttention(50, num_heads=4, batch_first=True)

    def forward(self, x: Tensor) -> Tensor:
        x = self.e(x)
        return self.a(x, x, x)[0]


case("embedding of 50 with 4 heads", Encoder, "9:int64", batch=2)


class EncoderLayer(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.f = nn.Linear(10, 30)
        self.t = nn.TransformerEncoderLayer(d_model=30, nhead=8, batch_first=True)

    def forward(self, x: Tensor) -> Tensor:
        return self.t(self.f(x))


case("encoder of 30 with 8 heads", EncoderLayer, "6x10", batch=2)


class Shrinking(nn.Module):
    """Each layer has 40 channels fewer, and the last a negative number."""

    def __init__(self) -> None:
        super().__init__()
        width = 100
        layers = []
        for _ in range(3):
            layers += [nn.Linear(width, width - 40), nn.ReLU()]
            width -= 40
        self.net = nn.Sequential(*layers)

    def forward(self, x: Tensor) -> Tensor:
        return self.net(x)


case("features that shrink below nothing", Shrinking, "100", batch=2)
case(
    "linear of a quotient",
    lambda: nn.Sequential(nn.Flatten(), nn.Linear(28 * 28, 256 / 2), nn.ReLU(), nn.Linear(128, 10)),
    "1x28x28",
)
case(
    "kernel size as a string of sides",
    lambda: nn.Sequential(nn.Conv2d(3, 8, "3"), nn.ReLU()),
    "3x16x16",
)
case(
    "dropout of a per cent",
    lambda: nn.Sequential(nn.Linear(8, 8), nn.Dropout(50), nn.Linear(8, 2)),
    "8",
)
case(
    "LSTM's dropout of a per cent",
    lambda: nn.Sequential(nn.LSTM(8, 16, 2, dropout=20, batch_first=True)),
    "5x8",
)
case(
    "convolution without its kernel",
    lambda: nn.Sequential(
        nn.Conv2d(3, 8, 3),
        nn.BatchNorm2d(8),
        nn.Conv2d(8, 16),  # type: ignore[call-arg]
    ),
    "3x16x16",
)
