"""Networks after well-known designs, small, with the shapes of their inputs: all are right."""

# mypy: ignore-errors

import math
from collections.abc import Callable
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

KNOWN: dict[str, tuple[Callable[[], nn.Module], tuple[Any, ...]]] = {}
"""How each is built, and a shape with its batch, or a tensor of whole numbers, for each input."""


def known(*inputs: Any) -> Callable[[type[nn.Module]], type[nn.Module]]:
    def add(kind: type[nn.Module]) -> type[nn.Module]:
        KNOWN[kind.__name__] = (kind, inputs)
        return kind

    return add


def words(*shape: int) -> Tensor:
    return torch.zeros(shape, dtype=torch.int64)


def twice(inner: int, outer: int) -> nn.Sequential:
    return nn.Sequential(
        nn.Conv2d(inner, outer, 3, padding=1, bias=False),
        nn.BatchNorm2d(outer),
        nn.ReLU(inplace=True),
        nn.Conv2d(outer, outer, 3, padding=1, bias=False),
        nn.BatchNorm2d(outer),
        nn.ReLU(inplace=True),
    )


@known((2, 3, 64, 48))
class UNet(nn.Module):
    """Ronneberger et al. 2015, with padding, and cropping to the skip's size."""

    def __init__(self) -> None:
        super().__init__()
        widths = (8, 16, 32)
        self.down = nn.ModuleList(twice(a, b) for a, b in zip((3, *widths), widths, strict=False))
        self.bottom = twice(32, 64)
        self.up = nn.ModuleList(nn.ConvTranspose2d(2 * w, w, 2, 2) for w in reversed(widths))
        self.join = nn.ModuleList(twice(2 * w, w) for w in reversed(widths))
        self.out = nn.Conv2d(8, 2, 1)

    def forward(self, x: Tensor) -> Tensor:
        skips = []
        for block in self.down:
            x = block(x)
            skips.append(x)
            x = F.max_pool2d(x, 2)
        x = self.bottom(x)
        for up, join in zip(self.up, self.join, strict=True):
            x, skip = up(x), skips.pop()
            high, wide = skip.shape[2] - x.shape[2], skip.shape[3] - x.shape[3]
            x = F.pad(x, (wide // 2, wide - wide // 2, high // 2, high - high // 2))
            x = join(torch.cat([skip, x], 1))
        return self.out(x)


@known((4, 100))
class Generator(nn.Module):
    """DCGAN's (Radford et al. 2015), which takes rows of noise."""

    def __init__(self) -> None:
        super().__init__()
        layers: list[nn.Module] = [nn.ConvTranspose2d(100, 64, 4, bias=False)]
        for inner, outer in ((64, 32), (32, 16)):
            layers += [nn.BatchNorm2d(inner), nn.ReLU(True)]
            layers += [nn.ConvTranspose2d(inner, outer, 4, 2, 1, bias=False)]
        layers += [nn.BatchNorm2d(16), nn.ReLU(True), nn.ConvTranspose2d(16, 3, 4, 2, 1), nn.Tanh()]
        self.main = nn.Sequential(*layers)

    def forward(self, z: Tensor) -> Tensor:
        return self.main(z[:, :, None, None])


@known((4, 3, 32, 32))
class Discriminator(nn.Module):
    """DCGAN's: a probability for each picture."""

    def __init__(self) -> None:
        super().__init__()
        self.main = nn.Sequential(
            nn.Conv2d(3, 16, 4, 2, 1, bias=False),
            nn.LeakyReLU(0.2, inplace=True),
            nn.Conv2d(16, 32, 4, 2, 1, bias=False),
            nn.BatchNorm2d(32),
            nn.LeakyReLU(0.2, inplace=True),
            nn.Conv2d(32, 64, 4, 2, 1, bias=False),
            nn.BatchNorm2d(64),
            nn.LeakyReLU(0.2, inplace=True),
            nn.Conv2d(64, 1, 4, bias=False),
            nn.Sigmoid(),
        )

    def forward(self, x: Tensor) -> Tensor:
        return self.main(x).view(-1, 1).squeeze(1)


class CycleBlock(nn.Module):
    def __init__(self, width: int) -> None:
        super().__init__()
        self.block = nn.Sequential(
            nn.ReflectionPad2d(1),
            nn.Conv2d(width, width, 3),
            nn.InstanceNorm2d(width),
            nn.ReLU(True),
            nn.ReflectionPad2d(1),
            nn.Conv2d(width, width, 3),
            nn.InstanceNorm2d(width),
        )

    def forward(self, x: Tensor) -> Tensor:
        return x + self.block(x)


@known((1, 3, 64, 64))
class CycleGan(nn.Module):
    """CycleGAN's generator (Zhu et al. 2017), with biases before instance norm as published."""

    def __init__(self) -> None:
        super().__init__()
        self.net = nn.Sequential(
            nn.ReflectionPad2d(3),
            nn.Conv2d(3, 16, 7),
            nn.InstanceNorm2d(16),
            nn.ReLU(True),
            nn.Conv2d(16, 32, 3, 2, 1),
            nn.InstanceNorm2d(32),
            nn.ReLU(True),
            CycleBlock(32),
            CycleBlock(32),
            nn.ConvTranspose2d(32, 16, 3, 2, 1, output_padding=1),
            nn.InstanceNorm2d(16),
            nn.ReLU(True),
            nn.ReflectionPad2d(3),
            nn.Conv2d(16, 3, 7),
            nn.Tanh(),
        )

    def forward(self, x: Tensor) -> Tensor:
        return self.net(x)


@known(words(2, 7), words(2, 5))
class Seq2Seq(nn.Module):
    """A GRU that attends to a GRU (Bahdanau et al. 2014), a word after another."""

    def __init__(self) -> None:
        super().__init__()
        self.source, self.target = nn.Embedding(30, 16), nn.Embedding(40, 16)
        self.encoder = nn.GRU(16, 12, batch_first=True, bidirectional=True)
        self.first = nn.Linear(24, 20)
        self.query, self.key, self.score = nn.Linear(20, 8), nn.Linear(24, 8), nn.Linear(8, 1)
        self.cell = nn.GRUCell(16 + 24, 20)
        self.out = nn.Linear(20, 40)

    def forward(self, source: Tensor, target: Tensor) -> Tensor:
        memory, last = self.encoder(self.source(source))
        state = torch.tanh(self.first(torch.cat([last[0], last[1]], 1)))
        keys, logits = self.key(memory), []
        for step in range(target.size(1)):
            seen = torch.tanh(self.query(state).unsqueeze(1) + keys)
            weights = F.softmax(self.score(seen).squeeze(2), dim=1)
            context = torch.bmm(weights.unsqueeze(1), memory).squeeze(1)
            state = self.cell(torch.cat([self.target(target[:, step]), context], 1), state)
            logits.append(self.out(state))
        return torch.stack(logits, 1)


class Causal(nn.Module):
    def __init__(self, width: int, heads: int, longest: int) -> None:
        super().__init__()
        self.heads = heads
        self.qkv, self.out = nn.Linear(width, 3 * width), nn.Linear(width, width)
        self.dropout = nn.Dropout(0.1)
        self.register_buffer("mask", torch.tril(torch.ones(longest, longest))[None, None])

    def forward(self, x: Tensor) -> Tensor:
        batch, length, width = x.size()
        q, k, v = self.qkv(x).split(width, dim=2)
        q, k, v = (
            t.view(batch, length, self.heads, width // self.heads).transpose(1, 2)
            for t in (q, k, v)
        )
        scores = q @ k.transpose(-2, -1) * (1.0 / math.sqrt(k.size(-1)))
        scores = scores.masked_fill(self.mask[:, :, :length, :length] == 0, float("-inf"))
        y = self.dropout(F.softmax(scores, dim=-1)) @ v
        return self.out(y.transpose(1, 2).contiguous().view(batch, length, width))


class GptBlock(nn.Module):
    def __init__(self, width: int) -> None:
        super().__init__()
        self.norm1, self.norm2 = nn.LayerNorm(width), nn.LayerNorm(width)
        self.attention = Causal(width, 4, 16)
        self.mlp = nn.Sequential(
            nn.Linear(width, 4 * width), nn.GELU(), nn.Linear(4 * width, width), nn.Dropout(0.1)
        )

    def forward(self, x: Tensor) -> Tensor:
        x = x + self.attention(self.norm1(x))
        return x + self.mlp(self.norm2(x))


@known(words(2, 9))
class Gpt(nn.Module):
    """GPT-2 (Radford et al. 2019), whose last layer has the words' weights."""

    def __init__(self) -> None:
        super().__init__()
        self.words, self.places = nn.Embedding(50, 32), nn.Embedding(16, 32)
        self.dropout = nn.Dropout(0.1)
        self.blocks = nn.ModuleList(GptBlock(32) for _ in range(2))
        self.norm, self.head = nn.LayerNorm(32), nn.Linear(32, 50, bias=False)
        self.head.weight = self.words.weight

    def forward(self, words: Tensor) -> Tensor:
        places = torch.arange(words.size(1), device=words.device)
        x = self.dropout(self.words(words) + self.places(places))
        for block in self.blocks:
            x = block(x)
        return self.head(self.norm(x))


@known((2, 3, 32, 32))
class ViT(nn.Module):
    """Dosovitskiy et al. 2020."""

    def __init__(self) -> None:
        super().__init__()
        self.patches = nn.Conv2d(3, 48, 8, 8)
        self.cls = nn.Parameter(torch.zeros(1, 1, 48))
        self.places = nn.Parameter(torch.zeros(1, 17, 48))
        layer = nn.TransformerEncoderLayer(
            48, 4, 96, activation="gelu", batch_first=True, norm_first=True
        )
        self.encoder = nn.TransformerEncoder(layer, 2, enable_nested_tensor=False)
        self.head = nn.Sequential(nn.LayerNorm(48), nn.Linear(48, 10))

    def forward(self, x: Tensor) -> Tensor:
        x = self.patches(x).flatten(2).transpose(1, 2)
        x = torch.cat([self.cls.expand(x.size(0), -1, -1), x], 1) + self.places
        return self.head(self.encoder(x)[:, 0])


class MixerBlock(nn.Module):
    def __init__(self, tokens: int, width: int) -> None:
        super().__init__()
        self.norm1, self.norm2 = nn.LayerNorm(width), nn.LayerNorm(width)
        self.over_tokens = nn.Sequential(nn.Linear(tokens, 24), nn.GELU(), nn.Linear(24, tokens))
        self.over_channels = nn.Sequential(nn.Linear(width, 64), nn.GELU(), nn.Linear(64, width))

    def forward(self, x: Tensor) -> Tensor:
        x = x + self.over_tokens(self.norm1(x).transpose(1, 2)).transpose(1, 2)
        return x + self.over_channels(self.norm2(x))


@known((2, 3, 32, 32))
class Mixer(nn.Module):
    """Tolstikhin et al. 2021."""

    def __init__(self) -> None:
        super().__init__()
        self.patches = nn.Conv2d(3, 32, 8, 8)
        self.blocks = nn.Sequential(MixerBlock(16, 32), MixerBlock(16, 32))
        self.norm, self.head = nn.LayerNorm(32), nn.Linear(32, 10)

    def forward(self, x: Tensor) -> Tensor:
        x = self.blocks(self.patches(x).flatten(2).mT)
        return self.head(self.norm(x).mean(dim=1))


@known((2, 24, 16, 16))
class ConvNeXtBlock(nn.Module):
    """Liu et al. 2022, with its layer scale and stochastic depth."""

    def __init__(self) -> None:
        super().__init__()
        self.depthwise = nn.Conv2d(24, 24, 7, padding=3, groups=24)
        self.norm = nn.LayerNorm(24)
        self.wide, self.narrow = nn.Linear(24, 96), nn.Linear(96, 24)
        self.scale = nn.Parameter(1e-6 * torch.ones(24))

    def forward(self, x: Tensor) -> Tensor:
        y = self.norm(self.depthwise(x).permute(0, 2, 3, 1))
        y = self.scale * self.narrow(F.gelu(self.wide(y)))
        y = y.permute(0, 3, 1, 2)
        if self.training:
            y = y * x.new_empty(x.shape[0], 1, 1, 1).bernoulli_(0.9) / 0.9
        return x + y


@known((2, 16, 12, 12))
class SqueezeExcite(nn.Module):
    """SE-ResNet's block (Hu et al. 2017)."""

    def __init__(self) -> None:
        super().__init__()
        self.convs = nn.Sequential(
            nn.Conv2d(16, 16, 3, padding=1, bias=False),
            nn.BatchNorm2d(16),
            nn.ReLU(),
            nn.Conv2d(16, 16, 3, padding=1, bias=False),
            nn.BatchNorm2d(16),
        )
        self.fc = nn.Sequential(nn.Linear(16, 4), nn.ReLU(), nn.Linear(4, 16), nn.Sigmoid())

    def forward(self, x: Tensor) -> Tensor:
        y = self.convs(x)
        batch, channels, _, _ = y.size()
        gate = self.fc(F.adaptive_avg_pool2d(y, 1).view(batch, channels))
        return F.relu(x + y * gate.view(batch, channels, 1, 1).expand_as(y))


@known((2, 3, 64, 80))
class Fpn(nn.Module):
    """Feature pyramids (Lin et al. 2016), with RetinaNet's shared heads."""

    def __init__(self) -> None:
        super().__init__()
        self.stem = nn.Sequential(nn.Conv2d(3, 16, 7, 2, 3), nn.ReLU(), nn.MaxPool2d(3, 2, 1))
        self.c3 = nn.Sequential(nn.Conv2d(16, 24, 3, 2, 1), nn.ReLU())
        self.c4 = nn.Sequential(nn.Conv2d(24, 32, 3, 2, 1), nn.ReLU())
        self.lateral = nn.ModuleList(nn.Conv2d(w, 16, 1) for w in (16, 24, 32))
        self.smooth = nn.ModuleList(nn.Conv2d(16, 16, 3, padding=1) for _ in range(3))
        self.classes = nn.Sequential(
            nn.Conv2d(16, 16, 3, padding=1), nn.ReLU(), nn.Conv2d(16, 9 * 4, 3, padding=1)
        )
        self.boxes = nn.Conv2d(16, 9 * 4, 3, padding=1)

    def forward(self, x: Tensor) -> dict[str, Tensor]:
        maps = [self.stem(x)]
        maps.append(self.c3(maps[-1]))
        maps.append(self.c4(maps[-1]))
        tops = [lateral(m) for lateral, m in zip(self.lateral, maps, strict=True)]
        for level in (1, 0):
            larger = F.interpolate(tops[level + 1], size=tops[level].shape[-2:], mode="nearest")
            tops[level] = tops[level] + larger
        tops = [smooth(top) for smooth, top in zip(self.smooth, tops, strict=True)]
        batch = x.size(0)
        classes = [self.classes(t).permute(0, 2, 3, 1).reshape(batch, -1, 4) for t in tops]
        boxes = [self.boxes(t).permute(0, 2, 3, 1).reshape(batch, -1, 4) for t in tops]
        return {"classes": torch.cat(classes, 1), "boxes": torch.cat(boxes, 1)}


@known((2, 1, 32, 100))
class Crnn(nn.Module):
    """Text in pictures (Shi et al. 2015): columns of a map are steps, and they come first."""

    def __init__(self) -> None:
        super().__init__()
        self.cnn = nn.Sequential(
            nn.Conv2d(1, 16, 3, 1, 1),
            nn.ReLU(True),
            nn.MaxPool2d(2, 2),
            nn.Conv2d(16, 32, 3, 1, 1),
            nn.ReLU(True),
            nn.MaxPool2d(2, 2),
            nn.Conv2d(32, 32, 3, 1, 1, bias=False),
            nn.BatchNorm2d(32),
            nn.ReLU(True),
            nn.MaxPool2d((2, 2), (2, 1), (0, 1)),
            nn.Conv2d(32, 32, (4, 2)),
            nn.ReLU(True),
        )
        self.rnn = nn.LSTM(32, 24, num_layers=2, bidirectional=True)
        self.fc = nn.Linear(48, 37)

    def forward(self, x: Tensor) -> Tensor:
        x = self.cnn(x).squeeze(2).permute(2, 0, 1)
        x, _ = self.rnn(x)
        return F.log_softmax(self.fc(x), dim=2)


class TNet(nn.Module):
    def __init__(self, k: int) -> None:
        super().__init__()
        self.k = k
        self.convs = nn.Sequential(
            nn.Conv1d(k, 16, 1, bias=False), nn.BatchNorm1d(16), nn.ReLU(),
            nn.Conv1d(16, 64, 1, bias=False), nn.BatchNorm1d(64), nn.ReLU(),
        )  # fmt: skip
        self.fc = nn.Linear(64, k * k)

    def forward(self, x: Tensor) -> Tensor:
        x = torch.max(self.convs(x), 2, keepdim=True)[0].view(-1, 64)
        return self.fc(x).view(-1, self.k, self.k) + torch.eye(self.k, device=x.device)


@known((4, 3, 128))
class PointNet(nn.Module):
    """Qi et al. 2017."""

    def __init__(self) -> None:
        super().__init__()
        self.turn = TNet(3)
        self.conv1, self.norm1 = nn.Conv1d(3, 32, 1, bias=False), nn.BatchNorm1d(32)
        self.conv2, self.norm2 = nn.Conv1d(32, 64, 1, bias=False), nn.BatchNorm1d(64)
        self.fc1, self.fc2, self.dropout = nn.Linear(64, 32), nn.Linear(32, 10), nn.Dropout(0.3)

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        turn = self.turn(x)
        x = torch.bmm(x.transpose(2, 1), turn).transpose(2, 1)
        x = F.relu(self.norm1(self.conv1(x)))
        x = self.norm2(self.conv2(x)).max(dim=2).values
        return F.log_softmax(self.fc2(self.dropout(F.relu(self.fc1(x)))), dim=1), turn


@known((2, 1, 200))
class WaveNet(nn.Module):
    """Van den Oord et al. 2016: gated, dilated, causal convolutions."""

    def __init__(self) -> None:
        super().__init__()
        self.first = nn.Conv1d(1, 16, 1)
        self.gates = nn.ModuleList(nn.Conv1d(16, 32, 2, dilation=2**i) for i in range(5))
        self.skips = nn.ModuleList(nn.Conv1d(16, 24, 1) for _ in range(5))
        self.residuals = nn.ModuleList(nn.Conv1d(16, 16, 1) for _ in range(4))
        self.out1, self.out2 = nn.Conv1d(24, 24, 1), nn.Conv1d(24, 64, 1)

    def forward(self, x: Tensor) -> Tensor:
        x, total = self.first(x), 0
        for level, gate in enumerate(self.gates):
            filtered, gated = gate(F.pad(x, (2**level, 0))).chunk(2, dim=1)
            y = torch.tanh(filtered) * torch.sigmoid(gated)
            total = total + self.skips[level](y)
            if level < len(self.residuals):
                x = x + self.residuals[level](y)
        return self.out2(F.relu(self.out1(F.relu(total))))


@known((4, 1, 28, 28))
class Vae(nn.Module):
    """Kingma and Welling 2013."""

    def __init__(self) -> None:
        super().__init__()
        self.encoder = nn.Sequential(nn.Flatten(), nn.Linear(784, 64), nn.ReLU())
        self.mean, self.spread = nn.Linear(64, 8), nn.Linear(64, 8)
        self.decoder = nn.Sequential(nn.Linear(8, 64), nn.ReLU(), nn.Linear(64, 784), nn.Sigmoid())

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        h = self.encoder(x)
        mean, spread = self.mean(h), self.spread(h)
        z = mean + torch.randn_like(mean) * torch.exp(0.5 * spread)
        return self.decoder(z).view(x.shape), mean, spread


@known((2, 1, 28, 28), (2, 1, 28, 28))
class Siamese(nn.Module):
    """Koch et al. 2015: one net for two pictures."""

    def __init__(self) -> None:
        super().__init__()
        self.body = nn.Sequential(
            nn.Conv2d(1, 8, 5), nn.ReLU(), nn.MaxPool2d(2), nn.Conv2d(8, 16, 5), nn.ReLU(),
            nn.MaxPool2d(2), nn.Flatten(), nn.Linear(256, 32), nn.Sigmoid(),
        )  # fmt: skip
        self.out = nn.Linear(32, 1)

    def forward(self, a: Tensor, b: Tensor) -> Tensor:
        return torch.sigmoid(self.out(torch.abs(self.body(a) - self.body(b))))


class Chomp(nn.Module):
    def __init__(self, by: int) -> None:
        super().__init__()
        self.by = by

    def forward(self, x: Tensor) -> Tensor:
        return x[:, :, : -self.by].contiguous()


class TcnBlock(nn.Module):
    def __init__(self, inner: int, outer: int, dilation: int) -> None:
        super().__init__()
        pad = 2 * dilation
        norm = torch.nn.utils.parametrizations.weight_norm
        self.net = nn.Sequential(
            norm(nn.Conv1d(inner, outer, 3, padding=pad, dilation=dilation)),
            Chomp(pad), nn.ReLU(), nn.Dropout(0.2),
            norm(nn.Conv1d(outer, outer, 3, padding=pad, dilation=dilation)),
            Chomp(pad), nn.ReLU(), nn.Dropout(0.2),
        )  # fmt: skip
        self.skip = nn.Conv1d(inner, outer, 1) if inner != outer else None

    def forward(self, x: Tensor) -> Tensor:
        return F.relu(self.net(x) + (x if self.skip is None else self.skip(x)))


@known((2, 4, 60))
class Tcn(nn.Module):
    """Bai et al. 2018: a residual sum, and ReLU before it and after it."""

    def __init__(self) -> None:
        super().__init__()
        self.blocks = nn.Sequential(TcnBlock(4, 8, 1), TcnBlock(8, 8, 2), TcnBlock(8, 8, 4))
        self.head = nn.Linear(8, 3)

    def forward(self, x: Tensor) -> Tensor:
        return self.head(self.blocks(x)[:, :, -1])


@known((2, 3, 96, 96))
class Ssd(nn.Module):
    """Liu et al. 2015: boxes from maps of several sizes, with the norm of conv4_3."""

    def __init__(self) -> None:
        super().__init__()
        self.vgg = nn.Sequential(
            nn.Conv2d(3, 16, 3, padding=1), nn.ReLU(True), nn.MaxPool2d(2),
            nn.Conv2d(16, 32, 3, padding=1), nn.ReLU(True), nn.MaxPool2d(2, ceil_mode=True),
        )  # fmt: skip
        self.scale = nn.Parameter(torch.full((32,), 20.0))
        self.more = nn.ModuleList(
            [
                nn.Sequential(nn.Conv2d(32, 48, 3, 2, 1), nn.ReLU(True)),
                nn.Sequential(nn.Conv2d(48, 48, 3, 2, 1), nn.ReLU(True)),
            ]
        )
        self.boxes = nn.ModuleList(nn.Conv2d(w, 4 * 4, 3, padding=1) for w in (32, 48, 48))
        self.classes = nn.ModuleList(nn.Conv2d(w, 4 * 5, 3, padding=1) for w in (32, 48, 48))

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        x = self.vgg(x)
        maps = [self.scale.view(1, -1, 1, 1) * F.normalize(x, dim=1)]
        for block in self.more:
            x = block(x)
            maps.append(x)
        boxes, classes = [], []
        for m, box, kind in zip(maps, self.boxes, self.classes, strict=True):
            boxes.append(box(m).permute(0, 2, 3, 1).contiguous().view(m.size(0), -1))
            classes.append(kind(m).permute(0, 2, 3, 1).contiguous().view(m.size(0), -1))
        places, kinds = torch.cat(boxes, 1), torch.cat(classes, 1)
        return places.view(x.size(0), -1, 4), F.softmax(kinds.view(x.size(0), -1, 5), dim=-1)


@known((2, 3, 64, 64))
class CenterNet(nn.Module):
    """Zhou et al. 2019: heat maps, and their peaks by max pooling."""

    def __init__(self) -> None:
        super().__init__()
        self.body = nn.Sequential(twice(3, 16), nn.MaxPool2d(2), twice(16, 32))
        self.up = nn.Sequential(
            nn.ConvTranspose2d(32, 16, 4, 2, 1, bias=False), nn.BatchNorm2d(16), nn.ReLU()
        )
        for name, width in (("heat", 3), ("size", 2), ("offset", 2)):
            head = nn.Sequential(nn.Conv2d(16, 16, 3, 1, 1), nn.ReLU(), nn.Conv2d(16, width, 1))
            setattr(self, name, head)

    def forward(self, x: Tensor) -> dict[str, Tensor]:
        x = self.up(self.body(x))
        heat = torch.clamp(self.heat(x).sigmoid_(), min=1e-4, max=1 - 1e-4)
        peaks = heat * (F.max_pool2d(heat, 3, 1, 1) == heat).float()
        scores, places = torch.topk(peaks.view(x.size(0), -1), 10)
        return {"scores": scores, "places": places, "size": self.size(x), "off": self.offset(x)}


def windows(x: Tensor, side: int) -> Tensor:
    batch, high, wide, width = x.shape
    x = x.view(batch, high // side, side, wide // side, side, width)
    return x.permute(0, 1, 3, 2, 4, 5).contiguous().view(-1, side * side, width)


@known((2, 64, 24))
class SwinBlock(nn.Module):
    """Liu et al. 2021: attention within shifted windows, with a table of relative places."""

    def __init__(self) -> None:
        super().__init__()
        self.norm1, self.norm2 = nn.LayerNorm(24), nn.LayerNorm(24)
        self.qkv, self.out = nn.Linear(24, 72), nn.Linear(24, 24)
        self.table = nn.Parameter(torch.zeros(7 * 7, 3))
        at = torch.stack(torch.meshgrid(torch.arange(4), torch.arange(4), indexing="ij")).flatten(1)
        apart = (at[:, :, None] - at[:, None, :]).permute(1, 2, 0) + 3
        self.register_buffer("index", apart[..., 0] * 7 + apart[..., 1])
        self.mlp = nn.Sequential(nn.Linear(24, 96), nn.GELU(), nn.Linear(96, 24))

    def forward(self, x: Tensor) -> Tensor:
        batch, length, width = x.shape
        side = int(math.sqrt(length))
        y = self.norm1(x).view(batch, side, side, width)
        y = windows(torch.roll(y, shifts=(-2, -2), dims=(1, 2)), 4)
        many = y.shape[0]
        q, k, v = self.qkv(y).reshape(many, 16, 3, 3, 8).permute(2, 0, 3, 1, 4)
        bias = self.table[self.index.view(-1)].view(16, 16, -1).permute(2, 0, 1)
        a = ((q * 8**-0.5) @ k.transpose(-2, -1) + bias.unsqueeze(0)).softmax(-1)
        y = self.out((a @ v).transpose(1, 2).reshape(many, 16, width))
        y = y.view(batch, side // 4, side // 4, 4, 4, width).permute(0, 1, 3, 2, 4, 5)
        y = torch.roll(y.reshape(batch, side, side, width), shifts=(2, 2), dims=(1, 2))
        x = x + y.view(batch, length, width)
        return x + self.mlp(self.norm2(x))


@known((2, 8, 16, 16))
class GhostModule(nn.Module):
    """Han et al. 2020: half of the channels are cheap copies of the others."""

    def __init__(self) -> None:
        super().__init__()
        self.primary = nn.Sequential(nn.Conv2d(8, 8, 1, bias=False), nn.BatchNorm2d(8), nn.ReLU())
        self.cheap = nn.Sequential(
            nn.Conv2d(8, 8, 3, padding=1, groups=8, bias=False), nn.BatchNorm2d(8), nn.ReLU()
        )

    def forward(self, x: Tensor) -> Tensor:
        one = self.primary(x)
        return torch.cat([one, self.cheap(one)], dim=1)


@known((2, 3, 48, 48))
class Darknet(nn.Module):
    """YOLOv3's blocks (Redmon 2018), its route and upsampling, and its decoded boxes."""

    def __init__(self) -> None:
        super().__init__()

        def conv(inner: int, outer: int, side: int, stride: int = 1) -> nn.Sequential:
            return nn.Sequential(
                nn.Conv2d(inner, outer, side, stride, side // 2, bias=False),
                nn.BatchNorm2d(outer),
                nn.LeakyReLU(0.1),
            )

        self.stem, self.down = conv(3, 16, 3), conv(16, 32, 3, 2)
        self.a, self.b = conv(32, 16, 1), conv(16, 32, 3)
        self.deep, self.side = conv(32, 64, 3, 2), conv(64, 32, 1)
        self.head = nn.Conv2d(64, 3 * 7, 1)

    def forward(self, x: Tensor) -> Tensor:
        x = self.down(self.stem(x))
        x = x + self.b(self.a(x))
        y = F.interpolate(self.side(self.deep(x)), scale_factor=2, mode="nearest")
        p = self.head(torch.cat([y, x], 1))
        batch, _, high, wide = p.shape
        p = p.view(batch, 3, 7, high, wide).permute(0, 1, 3, 4, 2).contiguous()
        rows, columns = torch.meshgrid(torch.arange(high), torch.arange(wide), indexing="ij")
        grid = torch.stack((columns, rows), 2).view(1, 1, high, wide, 2).float()
        xy = (torch.sigmoid(p[..., :2]) + grid) * 8
        return torch.cat((xy, torch.exp(p[..., 2:4]), torch.sigmoid(p[..., 4:])), -1).view(
            batch, -1, 7
        )


@known(words(3, 12))
class TextCnn(nn.Module):
    """Kim 2014."""

    def __init__(self) -> None:
        super().__init__()
        self.words = nn.Embedding(100, 20, padding_idx=0)
        self.convs = nn.ModuleList(nn.Conv2d(1, 6, (k, 20)) for k in (3, 4, 5))
        self.dropout, self.fc = nn.Dropout(0.5), nn.Linear(18, 2)

    def forward(self, x: Tensor) -> Tensor:
        x = self.words(x).unsqueeze(1)
        maps = [F.relu(conv(x)).squeeze(3) for conv in self.convs]
        return self.fc(
            self.dropout(torch.cat([F.max_pool1d(m, m.size(2)).squeeze(2) for m in maps], 1))
        )


@known(words(2, 11))
class Bert(nn.Module):
    """Devlin et al. 2018: words, places and segments, and a pooled first word."""

    def __init__(self) -> None:
        super().__init__()
        self.words, self.places = nn.Embedding(60, 32), nn.Embedding(32, 32)
        self.kinds, self.norm = nn.Embedding(2, 32), nn.LayerNorm(32)
        layer = nn.TransformerEncoderLayer(32, 4, 64, activation="gelu", batch_first=True)
        self.encoder = nn.TransformerEncoder(layer, 2, enable_nested_tensor=False)
        self.pool, self.out = nn.Linear(32, 32), nn.Linear(32, 2)
        self.register_buffer("at", torch.arange(32).unsqueeze(0))

    def forward(self, words: Tensor) -> Tensor:
        kinds = torch.zeros_like(words)
        x = self.words(words) + self.places(self.at[:, : words.size(1)]) + self.kinds(kinds)
        x = self.encoder(self.norm(x), src_key_padding_mask=words.eq(1))
        return self.out(torch.tanh(self.pool(x[:, 0])))


@known((1, 3, 64, 64))
class Pix2Pix(nn.Module):
    """Isola et al. 2016: the innermost map is 1 × 1 with a batch of 1, without a norm there."""

    def __init__(self) -> None:
        super().__init__()
        widths = (8, 16, 32, 32, 32, 32)
        self.down = nn.ModuleList()
        for at, (inner, outer) in enumerate(zip((3, *widths), widths, strict=False)):
            layers: list[nn.Module] = [] if at == 0 else [nn.LeakyReLU(0.2)]
            layers.append(nn.Conv2d(inner, outer, 4, 2, 1, bias=at in (0, 5)))
            if 0 < at < 5:
                layers.append(nn.BatchNorm2d(outer))
            self.down.append(nn.Sequential(*layers))
        self.up = nn.ModuleList()
        for at in range(4, -1, -1):
            inner = widths[at + 1] * (1 if at == 4 else 2)
            self.up.append(
                nn.Sequential(
                    nn.ReLU(),
                    nn.ConvTranspose2d(inner, widths[at], 4, 2, 1, bias=False),
                    nn.BatchNorm2d(widths[at]),
                    nn.Dropout(0.5),
                )
            )
        self.out = nn.Sequential(nn.ReLU(), nn.ConvTranspose2d(16, 3, 4, 2, 1), nn.Tanh())

    def forward(self, x: Tensor) -> Tensor:
        skips = []
        for block in self.down:
            x = block(x)
            skips.append(x)
        skips.pop()
        for block in self.up:
            x = torch.cat([block(x), skips.pop()], 1)
        return self.out(x)


@known((2, 3, 33, 33))
class Aspp(nn.Module):
    """DeepLab's pooling by dilated convolutions (Chen et al. 2017), with the picture's mean."""

    def __init__(self) -> None:
        super().__init__()
        self.stem = twice(3, 16)
        self.branches = nn.ModuleList(
            nn.Conv2d(16, 8, 1 if d == 1 else 3, padding=0 if d == 1 else d, dilation=d)
            for d in (1, 2, 4)
        )
        self.mean = nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Conv2d(16, 8, 1), nn.ReLU())
        self.out = nn.Conv2d(32, 2, 1)

    def forward(self, x: Tensor) -> Tensor:
        size = x.shape[-2:]
        x = self.stem(x)
        parts = [F.relu(branch(x)) for branch in self.branches]
        mean = F.interpolate(self.mean(x), size=x.shape[-2:], mode="bilinear", align_corners=False)
        x = self.out(torch.cat([*parts, mean], 1))
        return F.interpolate(x, size=size, mode="bilinear", align_corners=False)


@known((2, 2, 3, 32, 32))
class Clips(nn.Module):
    """A net for pictures over the frames of a clip, then an LSTM (Donahue et al. 2014)."""

    def __init__(self) -> None:
        super().__init__()
        self.cnn = nn.Sequential(
            nn.Conv2d(3, 8, 3, 2), nn.ReLU(), nn.Conv2d(8, 16, 3, 2), nn.ReLU(),
            nn.AdaptiveAvgPool2d(1), nn.Flatten(),
        )  # fmt: skip
        self.lstm, self.fc = nn.LSTM(16, 12, batch_first=True), nn.Linear(12, 5)

    def forward(self, clips: Tensor) -> Tensor:
        batch, frames = clips.shape[:2]
        x = self.cnn(clips.flatten(0, 1)).view(batch, frames, -1)
        return self.fc(self.lstm(x)[0][:, -1])


@known((2, 4, 8, 8), torch.zeros(2, dtype=torch.int64))
class DiffusionUNet(nn.Module):
    """Ho et al. 2020: group norm, the step's embedding added, attention over a map."""

    def __init__(self) -> None:
        super().__init__()
        self.first = nn.Conv2d(4, 32, 3, padding=1)
        self.step = nn.Sequential(nn.Linear(16, 64), nn.SiLU(), nn.Linear(64, 32))
        self.norm1, self.conv1 = nn.GroupNorm(8, 32), nn.Conv2d(32, 32, 3, padding=1)
        self.norm2, self.conv2 = nn.GroupNorm(8, 32), nn.Conv2d(32, 32, 3, padding=1)
        self.norm3 = nn.GroupNorm(8, 32)
        self.attention = nn.MultiheadAttention(32, 4, batch_first=True)
        self.out = nn.Conv2d(32, 4, 3, padding=1)

    def forward(self, x: Tensor, step: Tensor) -> Tensor:
        scale = torch.exp(-math.log(10000) * torch.arange(8, device=x.device) / 8)
        angles = step[:, None].float() * scale[None]
        hint = self.step(torch.cat([angles.sin(), angles.cos()], dim=-1))
        x = self.first(x)
        y = self.conv1(F.silu(self.norm1(x))) + hint[:, :, None, None]
        x = x + self.conv2(F.silu(self.norm2(y)))
        batch, width, high, wide = x.shape
        y = self.norm3(x).view(batch, width, high * wide).transpose(1, 2)
        y = self.attention(y, y, y, need_weights=False)[0].transpose(1, 2)
        return self.out(F.silu(x + y.reshape(batch, width, high, wide)))


@known((2, 16, 14, 14))
class Cbam(nn.Module):
    """Woo et al. 2018: one perceptron for the mean and for the maximum."""

    def __init__(self) -> None:
        super().__init__()
        self.mlp = nn.Sequential(nn.Conv2d(16, 4, 1), nn.ReLU(), nn.Conv2d(4, 16, 1))
        self.place = nn.Conv2d(2, 1, 7, padding=3, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        mean, top = F.adaptive_avg_pool2d(x, 1), F.adaptive_max_pool2d(x, 1)
        x = x * torch.sigmoid(self.mlp(mean) + self.mlp(top))
        both = torch.cat([x.mean(1, keepdim=True), x.max(1, keepdim=True)[0]], dim=1)
        return x * torch.sigmoid(self.place(both))


@known((2, 3, 16, 16))
class Espcn(nn.Module):
    """Shi et al. 2016: pixels from channels."""

    def __init__(self) -> None:
        super().__init__()
        self.body = nn.Sequential(
            nn.Conv2d(3, 16, 5, padding=2), nn.Tanh(), nn.Conv2d(16, 8, 3, padding=1), nn.Tanh()
        )
        self.out = nn.Sequential(nn.Conv2d(8, 3 * 9, 3, padding=1), nn.PixelShuffle(3))

    def forward(self, x: Tensor) -> Tensor:
        return torch.sigmoid(self.out(self.body(x)))


@known((2, 3, 40, 40))
class DenseBlock(nn.Module):
    """Huang et al. 2016: every layer takes all before it, norm and ReLU first."""

    def __init__(self) -> None:
        super().__init__()
        self.stem = nn.Conv2d(3, 8, 3, padding=1, bias=False)
        self.norms = nn.ModuleList(nn.BatchNorm2d(8 + 4 * i) for i in range(4))
        self.convs = nn.ModuleList(
            nn.Conv2d(8 + 4 * i, 4, 3, padding=1, bias=False) for i in range(4)
        )
        self.last, self.fc = nn.BatchNorm2d(24), nn.Linear(24, 10)

    def forward(self, x: Tensor) -> Tensor:
        maps = [self.stem(x)]
        for norm, conv in zip(self.norms, self.convs, strict=True):
            maps.append(conv(F.relu(norm(torch.cat(maps, 1)))))
        x = F.relu(self.last(torch.cat(maps, 1)))
        return self.fc(x.mean([2, 3]))


@known((2, 3, 64, 64))
class InceptionHeads(nn.Module):
    """GoogLeNet's branches (Szegedy et al. 2014), and a second head in training alone."""

    def __init__(self) -> None:
        super().__init__()
        self.stem = nn.Sequential(nn.Conv2d(3, 16, 7, 2, 3), nn.ReLU(), nn.MaxPool2d(3, 2, 1))
        self.b1 = nn.Conv2d(16, 8, 1)
        self.b2 = nn.Sequential(nn.Conv2d(16, 8, 1), nn.ReLU(), nn.Conv2d(8, 8, 3, padding=1))
        self.b3 = nn.Sequential(nn.MaxPool2d(3, 1, 1), nn.Conv2d(16, 8, 1))
        self.aux = nn.Sequential(nn.AdaptiveAvgPool2d(2), nn.Flatten(), nn.Linear(96, 10))
        self.fc, self.dropout = nn.Linear(24, 10), nn.Dropout(0.4)

    def forward(self, x: Tensor) -> Any:
        x = self.stem(x)
        x = F.relu(torch.cat([self.b1(x), self.b2(x), self.b3(x)], 1))
        answer = self.fc(self.dropout(torch.flatten(F.adaptive_avg_pool2d(x, 1), 1)))
        return (answer, self.aux(x)) if self.training else answer
