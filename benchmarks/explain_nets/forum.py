"""Forty-five mistakes in the style of forums, fixed as a set before any of them was explained.

python benchmarks/explain_fixes.py forum
"""

import math

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from explain_nets.wrong import Net, Wrong  # type: ignore[import-not-found]

CASES: dict[str, Wrong] = {}


def case(name: str, build: object, *inputs: str, **options: object) -> None:
    assert name not in CASES, name
    CASES[name] = Wrong(build, inputs, **options)  # type: ignore[arg-type]


# --- convolutions of one, two and three dimensions, and transposed -------------------------------


class Cifar(nn.Module):
    """The tutorial's net, grown by a layer, with the size counted for other pictures."""

    def __init__(self) -> None:
        super().__init__()
        self.conv1, self.conv2 = nn.Conv2d(3, 16, 3), nn.Conv2d(16, 32, 3)
        self.conv3 = nn.Conv2d(32, 64, 3)
        self.pool = nn.MaxPool2d(2, 2)
        self.fc1, self.fc2 = nn.Linear(64 * 4 * 4, 128), nn.Linear(128, 10)

    def forward(self, x: Tensor) -> Tensor:
        x = self.pool(F.relu(self.conv1(x)))
        x = self.pool(F.relu(self.conv2(x)))
        x = F.relu(self.conv3(x))
        x = x.view(-1, 64 * 4 * 4 * 2)
        return self.fc2(F.relu(self.fc1(x)))


class Heart(nn.Module):
    """A signal of another length than its last layer was counted for."""

    def __init__(self) -> None:
        super().__init__()
        self.conv1, self.conv2 = nn.Conv1d(1, 16, 7, stride=2), nn.Conv1d(16, 32, 5, stride=2)
        self.pool, self.fc = nn.MaxPool1d(2), nn.Linear(32 * 22, 5)

    def forward(self, x: Tensor) -> Tensor:
        x = self.pool(F.relu(self.conv1(x)))
        x = self.pool(F.relu(self.conv2(x)))
        return self.fc(x.view(x.size(0), -1))


class C3d(nn.Module):
    """Clips of eight frames in a net for sixteen."""

    def __init__(self) -> None:
        super().__init__()
        self.net = nn.Sequential(
            nn.Conv3d(3, 8, 3, padding=1),
            nn.ReLU(),
            nn.MaxPool3d((1, 2, 2)),
            nn.Conv3d(8, 16, 3, padding=1),
            nn.ReLU(),
            nn.MaxPool3d(2),
        )
        self.fc = nn.Linear(16 * 8 * 5 * 5, 6)

    def forward(self, x: Tensor) -> Tensor:
        return self.fc(torch.flatten(self.net(x), start_dim=1))


class Wave(nn.Module):
    """Audio coded and decoded again, with the input added: the lengths differ by some samples."""

    def __init__(self) -> None:
        super().__init__()
        self.down = nn.Conv1d(1, 8, 8, stride=4)
        self.up = nn.ConvTranspose1d(8, 1, 8, stride=4)

    def forward(self, x: Tensor) -> Tensor:
        return self.up(torch.relu(self.down(x))) + x


class Dcgan(nn.Module):
    """A generator whose second layer counts on eight times ngf, where four come."""

    def __init__(self, ngf: int = 8) -> None:
        super().__init__()
        self.main = nn.Sequential(
            nn.ConvTranspose2d(20, ngf * 4, 4, 1, 0, bias=False),
            nn.BatchNorm2d(ngf * 4),
            nn.ReLU(True),
            nn.ConvTranspose2d(ngf * 8, ngf * 2, 4, 2, 1, bias=False),
            nn.BatchNorm2d(ngf * 2),
            nn.ReLU(True),
            nn.ConvTranspose2d(ngf * 2, 3, 4, 2, 1, bias=False),
            nn.Tanh(),
        )

    def forward(self, z: Tensor) -> Tensor:
        return self.main(z)


class Dqn(nn.Module):
    """Atari frames of 80 pixels into the paper's net for 84."""

    def __init__(self) -> None:
        super().__init__()
        self.conv = nn.Sequential(
            nn.Conv2d(4, 32, 8, stride=4),
            nn.ReLU(),
            nn.Conv2d(32, 64, 4, stride=2),
            nn.ReLU(),
            nn.Conv2d(64, 64, 3),
            nn.ReLU(),
        )
        self.value = nn.Sequential(nn.Linear(3136, 512), nn.ReLU(), nn.Linear(512, 1))
        self.gain = nn.Sequential(nn.Linear(3136, 512), nn.ReLU(), nn.Linear(512, 6))

    def forward(self, x: Tensor) -> Tensor:
        h = self.conv(x).reshape(x.shape[0], -1)
        gain = self.gain(h)
        return self.value(h) + gain - gain.mean(1, keepdim=True)


class TextCnn(nn.Module):
    """Filters as wide as an embedding of 100, over one of 50."""

    def __init__(self) -> None:
        super().__init__()
        self.embed = nn.Embedding(200, 50)
        self.convs = nn.ModuleList(nn.Conv2d(1, 8, (k, 100)) for k in (2, 3, 4))
        self.fc = nn.Linear(24, 2)

    def forward(self, x: Tensor) -> Tensor:
        x = self.embed(x).unsqueeze(1)
        maps = [F.relu(conv(x)).squeeze(3) for conv in self.convs]
        return self.fc(torch.cat([F.max_pool1d(m, m.size(2)).squeeze(2) for m in maps], 1))


class ConvLstm(nn.Module):
    """A cell whose convolution counts on the picture alone, not on the state beside it."""

    def __init__(self) -> None:
        super().__init__()
        self.gates = nn.Conv2d(3, 4 * 8, 3, padding=1)

    def forward(self, x: Tensor) -> Tensor:
        h = c = x.new_zeros(x.size(0), 8, *x.shape[2:])
        i, f, o, g = self.gates(torch.cat([x, h], dim=1)).chunk(4, dim=1)
        c = torch.sigmoid(f) * c + torch.sigmoid(i) * torch.tanh(g)
        return torch.sigmoid(o) * torch.tanh(c)


class Aspp(nn.Module):
    """Five branches joined before a layer for four."""

    def __init__(self) -> None:
        super().__init__()
        self.branches = nn.ModuleList(
            [nn.Conv2d(8, 16, 1), *[nn.Conv2d(8, 16, 3, padding=d, dilation=d) for d in (2, 4, 6)]]
        )
        self.pool = nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Conv2d(8, 16, 1))
        self.project = nn.Sequential(nn.Conv2d(16 * 4, 16, 1), nn.BatchNorm2d(16), nn.ReLU())

    def forward(self, x: Tensor) -> Tensor:
        maps = [branch(x) for branch in self.branches]
        maps.append(F.interpolate(self.pool(x), size=x.shape[-2:], mode="bilinear"))
        return self.project(torch.cat(maps, dim=1))


class Cbam(nn.Module):
    """Mean and largest over the channels, without keeping the dimension."""

    def __init__(self) -> None:
        super().__init__()
        self.conv = nn.Conv2d(2, 1, 7, padding=3)

    def forward(self, x: Tensor) -> Tensor:
        mean = torch.mean(x, dim=1)
        most, _ = torch.max(x, dim=1)
        return x * torch.sigmoid(self.conv(torch.cat([mean, most], dim=1)))


case("tutorial's net with a layer more and view", Cifar, "3x32x32", batch=3)
case("signal of another length", Heart, "1x500", batch=2)
case("clips of eight frames for sixteen", C3d, "3x8x20x20", batch=2)
case("audio coded and added to itself", Wave, "1x1001", batch=2)
case("generator of other widths", Dcgan, "20x1x1", batch=3)
case("atari of 80 pixels", Dqn, "4x80x80", batch=2)
case("filters wider than the embedding", TextCnn, "20:int64", batch=2)
case("convolution of picture and state", ConvLstm, "3x12x12", batch=2)
case("five branches for four", Aspp, "8x14x14", batch=2)
case("spatial attention without keepdim", Cbam, "8x10x10", batch=2)
case(
    "convolution of a line over a picture",
    lambda: nn.Sequential(nn.Conv1d(1, 4, 5), nn.ReLU(), nn.AdaptiveAvgPool1d(1), nn.Flatten()),
    "1x9x30",
    batch=2,
)
case(
    "unshuffled before a layer for colours",
    lambda: nn.Sequential(nn.PixelUnshuffle(2), nn.Conv2d(3, 16, 3, padding=1), nn.ReLU()),
    "3x16x16",
    batch=2,
)

# --- recurrent ----------------------------------------------------------------------------------


class Sentiment(nn.Module):
    """The last state of a bidirectional LSTM of 32, into a layer for both directions."""

    def __init__(self) -> None:
        super().__init__()
        self.embedding = nn.Embedding(500, 20)
        self.lstm = nn.LSTM(20, 32, num_layers=2, bidirectional=True, batch_first=True)
        self.fc = nn.Linear(64, 2)

    def forward(self, x: Tensor) -> Tensor:
        _, (hidden, _) = self.lstm(self.embedding(x))
        return self.fc(hidden[-1])


class Forecaster(nn.Module):
    """The pair of an LSTM handed on as it is."""

    def __init__(self) -> None:
        super().__init__()
        self.lstm = nn.LSTM(4, 16, batch_first=True)
        self.fc = nn.Linear(16, 1)

    def forward(self, x: Tensor) -> Tensor:
        x = self.lstm(x)
        return self.fc(x[:, -1])


class Seq2Seq(nn.Module):
    """The context is joined to the embedded word, and the GRU is made for the word alone."""

    def __init__(self) -> None:
        super().__init__()
        self.enc = nn.GRU(6, 24, batch_first=True)
        self.embed = nn.Embedding(40, 12)
        self.dec = nn.GRU(12, 24, batch_first=True)
        self.out = nn.Linear(24, 40)

    def forward(self, src: Tensor, tgt: Tensor) -> Tensor:
        _, h = self.enc(src)
        words = self.embed(tgt)
        context = h[-1].unsqueeze(1).repeat(1, words.size(1), 1)
        out, _ = self.dec(torch.cat((words, context), dim=2), h)
        return self.out(out)


class NormedGru(nn.Module):
    """Batch norm of the features, behind a recurrent layer that has them last."""

    def __init__(self) -> None:
        super().__init__()
        self.gru = nn.GRU(5, 16, batch_first=True)
        self.bn = nn.BatchNorm1d(16)
        self.fc = nn.Linear(16, 3)

    def forward(self, x: Tensor) -> Tensor:
        out, _ = self.gru(x)
        out = self.bn(out)
        return self.fc(out[:, -1, :])


class Tagger(nn.Module):
    """Words come as a column each, and so does their embedding."""

    def __init__(self) -> None:
        super().__init__()
        self.embed = nn.Embedding(100, 16)
        self.lstm = nn.LSTM(16, 8, batch_first=True)
        self.tag = nn.Linear(8, 5)

    def forward(self, x: Tensor) -> Tensor:
        out, _ = self.lstm(self.embed(x))
        return self.tag(out)


class TwoLayer(nn.Module):
    """An LSTM of two layers, a state for one."""

    def __init__(self) -> None:
        super().__init__()
        self.hidden = 12
        self.rnn = nn.RNN(3, self.hidden, num_layers=3, batch_first=True)
        self.fc = nn.Linear(12, 2)

    def forward(self, x: Tensor) -> Tensor:
        h0 = torch.zeros(2, x.size(0), self.hidden)
        out, _ = self.rnn(x, h0)
        return self.fc(out[:, -1])


case("last state of one direction, layer for two", Sentiment, "9:int64", batch=2)
case("pair of an LSTM handed on", Forecaster, "7x4", batch=2)
case("word and context in a GRU for words", Seq2Seq, "8x6", "5:int64", batch=2)
case("batch norm behind a GRU", NormedGru, "10x5", batch=2)
case("words as columns", Tagger, "6x1:int64", batch=2)
case("states of two layers for three", TwoLayer, "8x3", batch=2)

# --- attention, transformers, embeddings ---------------------------------------------------------


class Bahdanau(nn.Module):
    """The decoder's state is joined to each step of the encoder without being repeated."""

    def __init__(self) -> None:
        super().__init__()
        self.enc = nn.GRU(6, 16, batch_first=True)
        self.attn = nn.Linear(32, 16)
        self.v = nn.Linear(16, 1)

    def forward(self, x: Tensor) -> Tensor:
        out, h = self.enc(x)
        energy = torch.tanh(self.attn(torch.cat((h[-1], out), dim=2)))
        return self.v(energy).squeeze(2).softmax(1)


class Weighted(nn.Module):
    """Weights of N×L are multiplied as matrices with steps of N×L×C."""

    def __init__(self) -> None:
        super().__init__()
        self.gru = nn.GRU(6, 16, batch_first=True)
        self.score = nn.Linear(16, 1)

    def forward(self, x: Tensor) -> Tensor:
        out, _ = self.gru(x)
        weights = F.softmax(self.score(out).squeeze(2), dim=1)
        return torch.bmm(weights, out).squeeze(1)


class Pooler(nn.Module):
    """A query without its dimension of steps."""

    def __init__(self) -> None:
        super().__init__()
        self.attn = nn.MultiheadAttention(16, 2, batch_first=True)

    def forward(self, query: Tensor, steps: Tensor) -> Tensor:
        out, _ = self.attn(query, steps, steps)
        return out


class Residual(nn.Module):
    """Attention's pair is added to the input."""

    def __init__(self) -> None:
        super().__init__()
        self.attn = nn.MultiheadAttention(16, 4, batch_first=True)
        self.norm = nn.LayerNorm(16)

    def forward(self, x: Tensor) -> Tensor:
        return self.norm(x + self.attn(x, x, x))


class Encoder(nn.Module):
    """Words of 100 numbers in an encoder of 128."""

    def __init__(self) -> None:
        super().__init__()
        self.embed = nn.Embedding(300, 100)
        layer = nn.TransformerEncoderLayer(d_model=128, nhead=8, batch_first=True)
        self.encoder = nn.TransformerEncoder(layer, num_layers=2, enable_nested_tensor=False)
        self.fc = nn.Linear(128, 4)

    def forward(self, x: Tensor) -> Tensor:
        return self.fc(self.encoder(self.embed(x)).mean(dim=1))


class Qkv(nn.Module):
    """One layer for queries, keys and values, made for two of them."""

    def __init__(self, dim: int = 32, heads: int = 4) -> None:
        super().__init__()
        self.heads = heads
        self.qkv, self.proj = nn.Linear(dim, dim * 2), nn.Linear(dim, dim)

    def forward(self, x: Tensor) -> Tensor:
        b, n, c = x.shape
        qkv = self.qkv(x).reshape(b, n, 3, self.heads, c // self.heads).permute(2, 0, 3, 1, 4)
        q, k, v = qkv[0], qkv[1], qkv[2]
        attn = (q @ k.transpose(-2, -1) / math.sqrt(c // self.heads)).softmax(dim=-1)
        return self.proj((attn @ v).transpose(1, 2).reshape(b, n, c))


class Chunked(nn.Module):
    """Queries, keys and values are cut along the tokens."""

    def __init__(self, dim: int = 24) -> None:
        super().__init__()
        self.qkv, self.proj = nn.Linear(dim, dim * 3), nn.Linear(dim, dim)

    def forward(self, x: Tensor) -> Tensor:
        q, k, v = self.qkv(x).chunk(3, dim=1)
        return self.proj(F.scaled_dot_product_attention(q, k, v))


class Patches(nn.Module):
    """Patches are flattened with their features instead of becoming tokens."""

    def __init__(self) -> None:
        super().__init__()
        self.patch = nn.Conv2d(3, 32, 8, stride=8)
        self.block = nn.TransformerEncoderLayer(32, 4, 64, batch_first=True)
        self.head = nn.Linear(32, 10)

    def forward(self, x: Tensor) -> Tensor:
        x = self.patch(x).flatten(1)
        return self.head(self.block(x).mean(1))


class MaskedHeads(nn.Module):
    """A mask of N×L against scores of N×heads×L×L."""

    def __init__(self) -> None:
        super().__init__()
        self.q, self.k = nn.Linear(16, 16), nn.Linear(16, 16)

    def forward(self, x: Tensor, mask: Tensor) -> Tensor:
        b, n, _ = x.shape
        q = self.q(x).view(b, n, 4, 4).transpose(1, 2)
        k = self.k(x).view(b, n, 4, 4).transpose(1, 2)
        scores = q @ k.transpose(-2, -1)
        return scores.masked_fill(mask, -1e9).softmax(-1)


class Learned(nn.Module):
    """Learned positions of 64 numbers beside words of 32."""

    def __init__(self) -> None:
        super().__init__()
        self.words = nn.Embedding(80, 32)
        self.places = nn.Parameter(torch.zeros(1, 128, 64))
        self.head = nn.Linear(32, 80)

    def forward(self, x: Tensor) -> Tensor:
        return self.head(self.words(x) + self.places[:, : x.size(1)])


class HeadDim(nn.Module):
    """A head's size written for another number of heads."""

    def __init__(self) -> None:
        super().__init__()
        self.heads, self.head_dim = 8, 16
        self.q = nn.Linear(64, 64)

    def forward(self, x: Tensor) -> Tensor:
        b, n, _ = x.shape
        return self.q(x).view(b, n, self.heads, self.head_dim).transpose(1, 2)


case("state joined to every step", Bahdanau, "9x6", batch=2)
case("weights of steps in bmm", Weighted, "9x6", batch=2)
case("query without steps", Pooler, "16", "7x16", batch=3)
case("attention's pair in a sum", Residual, "6x16", batch=2)
case("words of 100 in an encoder of 128", Encoder, "11:int64", batch=2)
case("one layer for two of three", Qkv, "10x32", batch=2)
case("cut along the tokens", Chunked, "10x24", batch=2)
case("patches flattened with their features", Patches, "3x32x32", batch=2)
case("mask of steps against heads", MaskedHeads, "7x16", "7:bool", batch=2)
case("places of 64 beside words of 32", Learned, "12:int64", batch=2)
case("size of a head written twice", HeadDim, "10x64", batch=2)

# --- tensors combined ----------------------------------------------------------------------------


class TNet(nn.Module):
    """A matrix of 3×3 for each cloud, on the wrong side of the product."""

    def __init__(self) -> None:
        super().__init__()
        self.conv, self.fc = nn.Conv1d(3, 16, 1), nn.Linear(16, 9)
        self.out = nn.Conv1d(3, 8, 1)

    def forward(self, x: Tensor) -> Tensor:
        matrix = self.fc(self.conv(x).max(2)[0]).view(-1, 3, 3)
        return self.out(torch.bmm(x, matrix))


class Graph(nn.Module):
    """The table of neighbours meets the features of nodes that lie last."""

    def __init__(self) -> None:
        super().__init__()
        self.adjacency = nn.Parameter(torch.eye(12), requires_grad=False)
        self.fc = nn.Linear(5, 7)

    def forward(self, x: Tensor) -> Tensor:
        return self.fc(torch.matmul(self.adjacency, x))


class Prototypes(nn.Module):
    """Every example against every prototype, without a dimension for each."""

    def __init__(self) -> None:
        super().__init__()
        self.enc = nn.Linear(20, 16)
        self.prototypes = nn.Parameter(torch.randn(5, 16))

    def forward(self, x: Tensor) -> Tensor:
        return F.cosine_similarity(self.enc(x), self.prototypes, dim=-1)


case("matrix on the wrong side", TNet, "3x40", batch=2)
case("neighbours meet features first", Graph, "5x12", batch=2)
case("examples against prototypes", Prototypes, "20", batch=3)
case(
    "joined without saying where",
    lambda: Net(
        lambda s, x: s.f(torch.cat([s.a(x), s.b(x)])),
        a=nn.Linear(10, 8),
        b=nn.Linear(10, 4),
        f=nn.Linear(12, 2),
    ),
    "10",
    batch=2,
)
case(
    "branches of unequal features stacked",
    lambda: Net(
        lambda s, x: s.f(torch.stack([s.a(x), s.b(x)], dim=1).mean(1)),
        a=nn.Linear(10, 16),
        b=nn.Linear(10, 12),
        f=nn.Linear(16, 2),
    ),
    "10",
    batch=2,
)
case(
    "scores of heads by einsum",
    lambda: Net(
        lambda s, x: torch.einsum(
            "bhqd,bhkd->bhqk",
            s.q(x).view(x.size(0), -1, 2, 8).transpose(1, 2),
            s.k(x).view(x.size(0), -1, 2, 8),
        ),
        q=nn.Linear(16, 16),
        k=nn.Linear(16, 16),
    ),
    "9x16",
    batch=2,
)
case(
    "map gated by its pooled half",
    lambda: Net(
        lambda s, x: s.a(x) * torch.sigmoid(s.b(F.avg_pool2d(x, 2))),
        a=nn.Conv2d(8, 8, 3, padding=1),
        b=nn.Conv2d(8, 8, 3, padding=1),
    ),
    "8x12x12",
    batch=2,
)
case(
    "bilinear of unequal features",
    lambda: Net(
        lambda s, x, y: s.b(s.x(x), s.y(y)),
        x=nn.Linear(6, 10),
        y=nn.Linear(4, 12),
        b=nn.Bilinear(10, 10, 3),
    ),
    "6",
    "4",
    batch=2,
)

# --- views, pieces, layers alone, losses ----------------------------------------------------------


class Shuffle(nn.Module):
    """Channels shuffled in groups that do not divide them."""

    def __init__(self) -> None:
        super().__init__()
        self.conv, self.groups = nn.Conv2d(3, 20, 3, padding=1), 3

    def forward(self, x: Tensor) -> Tensor:
        x = self.conv(x)
        n, c, h, w = x.shape
        x = x.view(n, self.groups, c // self.groups, h, w).transpose(1, 2)
        return x.reshape(n, c, h, w)


class Unpatch(nn.Module):
    """Patches of 4 put together as patches of 8."""

    def __init__(self) -> None:
        super().__init__()
        self.patch, self.back = nn.Conv2d(3, 32, 4, stride=4), nn.Linear(32, 4 * 4 * 3)

    def forward(self, x: Tensor) -> Tensor:
        tokens = self.back(self.patch(x).flatten(2).transpose(1, 2))
        side = int(tokens.shape[1] ** 0.5)
        x = tokens.reshape(tokens.shape[0], side, side, 8, 8, 3)
        return torch.einsum("nhwpqc->nchpwq", x).reshape(x.shape[0], 3, side * 8, side * 8)


class Unpool(nn.Module):
    """Places of the first pooling are used where the second one's are due."""

    def __init__(self) -> None:
        super().__init__()
        self.pool, self.unpool = nn.MaxPool2d(2, return_indices=True), nn.MaxUnpool2d(2)
        self.conv = nn.Conv2d(3, 3, 3, padding=1)

    def forward(self, x: Tensor) -> Tensor:
        x, first = self.pool(x)
        x, _ = self.pool(self.conv(x))
        return self.unpool(x, first)


class Pair(nn.Module):
    """Three pieces are expected where two come."""

    def __init__(self) -> None:
        super().__init__()
        self.f = nn.Linear(10, 16)

    def forward(self, x: Tensor) -> Tensor:
        mean, spread, weight = self.f(x).split(8, dim=1)
        return mean + spread * weight


case("channels shuffled by three", Shuffle, "3x8x8", batch=2)
case("patches put together by eight", Unpatch, "3x16x16", batch=2)
case("places of another pooling", Unpool, "3x16x16", batch=2)
case("three pieces of two", Pair, "10", batch=2)
case(
    "batch norm of the layer's input",
    lambda: nn.Sequential(
        nn.Linear(30, 20), nn.BatchNorm1d(30), nn.ReLU(), nn.Dropout(0.2), nn.Linear(20, 2)
    ),
    "30",
    batch=3,
)
case(
    "pooling of a flat vector",
    lambda: nn.Sequential(nn.Flatten(), nn.Linear(64, 64), nn.MaxPool2d(2), nn.Linear(16, 3)),
    "1x8x8",
    batch=2,
)
case(
    "class numbers in binary cross-entropy",
    lambda: Net(lambda s, x, y: F.binary_cross_entropy_with_logits(s.f(x), y), f=nn.Linear(12, 4)),
    "12",
    ":int64",
    batch=3,
)
case(
    "labels of a map of half the size in nll",
    lambda: Net(
        lambda s, x, y: F.nll_loss(F.log_softmax(s.c(x), 1), y), c=nn.Conv2d(3, 5, 3, 2, 1)
    ),
    "3x16x16",
    "16x16:int64",
    batch=2,
)
