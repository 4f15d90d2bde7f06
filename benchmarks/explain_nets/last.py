"""Twenty mistakes more, written after the kinds of the others were mended, and tried then.

python benchmarks/explain_fixes.py last
"""

import torch
import torch.nn.functional as F
from torch import nn

from explain_nets.wrong import Net, Wrong  # type: ignore[import-not-found]

CASES: dict[str, Wrong] = {}


def case(name: str, build: object, *inputs: str, **options: object) -> None:
    assert name not in CASES, name
    CASES[name] = Wrong(build, inputs, **options)  # type: ignore[arg-type]


case(
    "siamese distance of a map and features",
    lambda: Net(
        lambda s, a, b: F.pairwise_distance(s.f(s.c(a).flatten(1)), s.c(b).flatten(1)),
        c=nn.Conv2d(1, 4, 3, 2),
        f=nn.Linear(4 * 6 * 6, 32),
    ),
    "1x14x14",
    "1x14x14",
    batch=2,
)
case(
    "encoder of words into a decoder of others",
    lambda: Net(
        lambda s, x: s.dec(s.e(x), s.enc(s.e(x))[1])[0],
        e=nn.Embedding(30, 8),
        enc=nn.GRU(8, 12, num_layers=2, batch_first=True),
        dec=nn.GRU(8, 12, batch_first=True),
    ),
    "7:int64",
    batch=3,
)
case(
    "attention weights of another order",
    lambda: Net(
        lambda s, x: torch.einsum("bij,bdj->bid", (s.q(x) @ s.k(x).mT).softmax(-1), s.v(x)),
        q=nn.Linear(16, 8),
        k=nn.Linear(16, 8),
        v=nn.Linear(16, 16),
    ),
    "5x16",
    batch=2,
)
case(
    "three heads, one of another width",
    lambda: Net(
        lambda s, x: s.a(x) + s.b(x) + s.c(x),
        a=nn.Linear(10, 6),
        b=nn.Linear(10, 6),
        c=nn.Linear(10, 5),
    ),
    "10",
    batch=2,
)
case(
    "heat maps of a quarter of the size",
    lambda: Net(
        lambda s, x, y: F.mse_loss(s.net(x), y),
        net=nn.Sequential(nn.Conv2d(3, 8, 3, 2, 1), nn.ReLU(), nn.Conv2d(8, 5, 3, 2, 1)),
    ),
    "3x32x32",
    "5x32x32",
    batch=2,
)
case(
    "film layer's scale without its places",
    lambda: Net(
        lambda s, x, z: s.c(x) * s.gamma(z) + s.beta(z),
        c=nn.Conv2d(3, 16, 3),
        gamma=nn.Linear(8, 16),
        beta=nn.Linear(8, 16),
    ),
    "3x12x12",
    "8",
    batch=3,
)
case(
    "time embedding of a diffusion net",
    lambda: Net(
        lambda s, x, t: s.b(F.silu(s.a(x) + s.t(t))),
        a=nn.Conv2d(3, 16, 3, padding=1),
        t=nn.Linear(32, 24),
        b=nn.Conv2d(16, 3, 3, padding=1),
    ),
    "3x8x8",
    "32",
    batch=2,
)
case(
    "super-resolution by 4 with a shuffle by 2",
    lambda: Net(
        lambda s, x, y: F.l1_loss(s.net(x), y),
        net=nn.Sequential(nn.Conv2d(3, 12, 3, padding=1), nn.PixelShuffle(2)),
    ),
    "3x8x8",
    "3x32x32",
    batch=2,
)
case(
    "pyramid pooling not enlarged",
    lambda: Net(
        lambda s, x: s.out(torch.cat([x, s.p1(x), s.p2(x)], 1)),
        p1=nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Conv2d(8, 4, 1)),
        p2=nn.Sequential(nn.AdaptiveAvgPool2d(2), nn.Conv2d(8, 4, 1)),
        out=nn.Conv2d(16, 2, 1),
    ),
    "8x12x12",
    batch=2,
)
case(
    "tokens and one picture's features",
    lambda: Net(
        lambda s, x, w: s.f(torch.cat([s.image(x), s.words(w)], 1)),
        image=nn.Linear(20, 16),
        words=nn.Embedding(50, 16),
        f=nn.Linear(16, 4),
    ),
    "20",
    "6:int64",
    batch=2,
)
case(
    "wavenet skip longer than its output",
    lambda: Net(
        lambda s, x: s.out(s.a(x) + x),
        a=nn.Conv1d(8, 8, 2, dilation=2),
        out=nn.Conv1d(8, 1, 1),
    ),
    "8x20",
    batch=2,
)
case(
    "frames first in Conv3d",
    lambda: nn.Sequential(nn.Conv3d(3, 8, 3), nn.ReLU(), nn.AdaptiveAvgPool3d(1), nn.Flatten()),
    "8x3x16x16",
    batch=2,
)
case(
    "norm of tokens by BatchNorm1d of the width",
    lambda: Net(
        lambda s, x: s.f(s.n(s.e(x))),
        e=nn.Embedding(40, 24),
        n=nn.BatchNorm1d(24),
        f=nn.Linear(24, 3),
    ),
    "9:int64",
    batch=4,
)
case(
    "gate of an LSTM by hand",
    lambda: Net(
        lambda s, x, h: torch.sigmoid(s.wx(x) + s.wh(h)) * h,
        wx=nn.Linear(10, 20),
        wh=nn.Linear(16, 20),
    ),
    "10",
    "16",
    batch=3,
)
case(
    "classes of every pixel, last",
    lambda: Net(
        lambda s, x, y: F.cross_entropy(s.c(x).permute(0, 2, 3, 1), y),
        c=nn.Conv2d(3, 6, 3, padding=1),
    ),
    "3x10x12",
    "10x12:int64",
    batch=2,
)
case(
    "one-hot labels of another number of classes",
    lambda: Net(lambda s, x, y: F.binary_cross_entropy_with_logits(s.f(x), y), f=nn.Linear(12, 5)),
    "12",
    "7",
    batch=4,
)
case(
    "anchors by view, channels last",
    lambda: Net(
        lambda s, x: s.c(x).permute(0, 2, 3, 1).view(x.size(0), -1, 4), c=nn.Conv2d(3, 12, 3)
    ),
    "3x10x10",
    batch=2,
)
case(
    "flattened twice",
    lambda: nn.Sequential(nn.Flatten(), nn.Linear(48, 16), nn.ReLU(), nn.Conv2d(1, 4, 3)),
    "3x4x4",
    batch=2,
)
case(
    "decoder's start of another size",
    lambda: nn.Sequential(
        nn.Linear(16, 256),
        nn.ReLU(),
        nn.Unflatten(1, (64, 4, 4)),
        nn.ConvTranspose2d(64, 3, 4, 2, 1),
    ),
    "16",
    batch=2,
)
case(
    "transformer over a picture's rows",
    lambda: nn.Sequential(
        nn.TransformerEncoderLayer(32, 4, 64, batch_first=True), nn.Flatten(), nn.Linear(32 * 24, 2)
    ),
    "24x28",
    batch=2,
)
