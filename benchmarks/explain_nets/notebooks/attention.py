"""Attention, transformers and patches."""

# ruff: noqa: E501, F401, RUF059 - as learners write it
# mypy: disable-error-code="operator, index, list-item"

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from explain_nets.mended import Mended  # type: ignore[import-not-found]

case = Mended()
CASES = case.cases


@case(
    "12x48",
    "12:bool",
    mend={"masked_fill(mask, -1e9)": "masked_fill(mask[:, None, None, :], -1e9)"},
)
class PaddingOfKeys(nn.Module):
    """A mask of tokens on weights of heads."""

    def __init__(self):
        super().__init__()
        self.qkv = nn.Linear(48, 144)
        self.proj = nn.Linear(48, 48)

    def forward(self, x, mask):
        b, t, c = x.shape
        q, k, v = self.qkv(x).view(b, t, 3, 6, 8).permute(2, 0, 3, 1, 4)
        scores = q @ k.transpose(-2, -1) * 8**-0.5
        scores = scores.masked_fill(mask, -1e9)
        out = scores.softmax(-1) @ v
        return self.proj(out.transpose(1, 2).reshape(b, t, c))


@case(
    "10x64",
    mend={"out.transpose(1, 2).view(b, t, c)": "out.transpose(1, 2).contiguous().view(b, t, c)"},
)
class HeadsViewed(nn.Module):
    """view cannot join what was transposed."""

    def __init__(self, heads=4):
        super().__init__()
        self.h = heads
        self.q, self.k, self.v = nn.Linear(64, 64), nn.Linear(64, 64), nn.Linear(64, 64)

    def forward(self, x):
        b, t, c = x.shape
        q = self.q(x).view(b, t, self.h, -1).transpose(1, 2)
        k = self.k(x).view(b, t, self.h, -1).transpose(1, 2)
        v = self.v(x).view(b, t, self.h, -1).transpose(1, 2)
        out = torch.softmax(q @ k.transpose(2, 3) / 4, -1) @ v
        return out.transpose(1, 2).view(b, t, c)


class CausalSelfAttention(nn.Module):
    def __init__(self, n_embd, block_size):
        super().__init__()
        self.key = nn.Linear(n_embd, 16, bias=False)
        self.query = nn.Linear(n_embd, 16, bias=False)
        self.value = nn.Linear(n_embd, 16, bias=False)
        self.register_buffer("tril", torch.tril(torch.ones(block_size, block_size)))

    def forward(self, x):
        B, T, C = x.shape
        k = self.key(x)
        q = self.query(x)
        wei = q @ k.transpose(-2, -1) * k.shape[-1] ** -0.5
        wei = wei.masked_fill(self.tril == 0, float("-inf"))
        wei = F.softmax(wei, dim=-1)
        return wei @ self.value(x)


@case("20:int64", mend={"self.tril == 0": "self.tril[:T, :T] == 0"}, parts=(CausalSelfAttention,))
class MaskOfTheBlock(nn.Module):
    """The causal mask of the longest text, for a shorter one."""

    def __init__(self):
        super().__init__()
        self.tok = nn.Embedding(65, 32)
        self.heads = nn.ModuleList([CausalSelfAttention(32, 64) for _ in range(2)])
        self.lm_head = nn.Linear(32, 65)

    def forward(self, idx):
        x = self.tok(idx)
        x = torch.cat([h(x) for h in self.heads], dim=-1)
        return self.lm_head(x)


@case("11:int64", mend={"self.pe[: x.size(1)]": "self.pe[:, : x.size(1)]"})
class PositionsOfABatch(nn.Module):
    """A table of positions with a dimension in front, cut in that one."""

    def __init__(self, d=32):
        super().__init__()
        self.emb = nn.Embedding(50, d)
        pe = torch.rand(200, d).unsqueeze(0)
        self.register_buffer("pe", pe)
        self.enc = nn.TransformerEncoder(nn.TransformerEncoderLayer(d, 4, 64, batch_first=True), 1)
        self.fc = nn.Linear(d, 2)

    def forward(self, x):
        x = self.emb(x) * 32**0.5
        x = x + self.pe[: x.size(1)]
        return self.fc(self.enc(x).mean(1))


@case("3x32x32", mend={"torch.randn(1, n, dim)": "torch.randn(1, n + 1, dim)"})
class PositionOfClass(nn.Module):
    """Positions for the patches, and none for the class token."""

    def __init__(self, dim=40, patch=8):
        super().__init__()
        n = (32 // patch) ** 2
        self.proj = nn.Conv2d(3, dim, patch, patch)
        self.cls_token = nn.Parameter(torch.randn(1, 1, dim))
        self.pos_embed = nn.Parameter(torch.randn(1, n, dim))
        layer = nn.TransformerEncoderLayer(dim, 4, 80, batch_first=True)
        self.blocks = nn.TransformerEncoder(layer, 2)
        self.head = nn.Linear(dim, 10)

    def forward(self, x):
        x = self.proj(x).flatten(2).transpose(1, 2)
        cls = self.cls_token.expand(x.shape[0], -1, -1)
        x = torch.cat((cls, x), dim=1)
        x = self.blocks(x + self.pos_embed)
        return self.head(x[:, 0])


@case("3x48x48", mend={"self.patch(x).flatten(2)": "self.patch(x).flatten(2).transpose(1, 2)"})
class PatchesNotTurned(nn.Module):
    """Patches after flatten stand channels first."""

    def __init__(self, dim=64):
        super().__init__()
        self.patch = nn.Conv2d(3, dim, 16, 16)
        self.cls = nn.Parameter(torch.zeros(1, 1, dim))
        self.pos = nn.Parameter(torch.zeros(1, 10, dim))
        self.layer = nn.TransformerEncoderLayer(dim, 8, 128, batch_first=True)
        self.head = nn.Linear(dim, 3)

    def forward(self, x):
        x = self.patch(x).flatten(2)
        x = torch.cat([self.cls.expand(x.size(0), -1, -1), x], dim=1) + self.pos
        return self.head(self.layer(x)[:, 0])


@case("3x32x32", mend={"nn.Linear(patch * patch, dim)": "nn.Linear(3 * patch * patch, dim)"})
class PatchOfOneColour(nn.Module):
    """A patch has three colours."""

    def __init__(self, patch=4, dim=32):
        super().__init__()
        self.p = patch
        self.to_patch = nn.Linear(patch * patch, dim)
        self.layer = nn.TransformerEncoderLayer(dim, 4, 64, batch_first=True)
        self.head = nn.Linear(dim, 10)

    def forward(self, x):
        b, c, h, w = x.shape
        p = self.p
        x = x.reshape(b, c, h // p, p, w // p, p).permute(0, 2, 4, 3, 5, 1)
        x = x.reshape(b, (h // p) * (w // p), -1)
        return self.head(self.layer(self.to_patch(x)).mean(1))


@case("3x32x32", mend={"x.mean(dim=-1)": "x.mean(dim=1)"})
class MeanOfFeatures(nn.Module):
    """The mean over tokens, taken over features."""

    def __init__(self, dim=48):
        super().__init__()
        self.patch = nn.Conv2d(3, dim, 8, 8)
        self.block = nn.TransformerEncoderLayer(dim, 6, 96, batch_first=True)
        self.norm = nn.LayerNorm(dim)
        self.head = nn.Linear(dim, 10)

    def forward(self, x):
        x = self.patch(x).flatten(2).transpose(1, 2)
        x = self.norm(self.block(x))
        x = x.mean(dim=-1)
        return self.head(x)


@case(
    "16x64",
    "7x96",
    mend={
        "self.to_k = nn.Linear(dim, dim": "self.to_k = nn.Linear(context_dim, dim",
        "self.to_v = nn.Linear(dim, dim": "self.to_v = nn.Linear(context_dim, dim",
    },
)
class CrossAttentionContext(nn.Module):
    """Keys and values are made from the text."""

    def __init__(self, dim=64, context_dim=96, heads=4):
        super().__init__()
        self.heads = heads
        self.to_q = nn.Linear(dim, dim, bias=False)
        self.to_k = nn.Linear(dim, dim, bias=False)
        self.to_v = nn.Linear(dim, dim, bias=False)
        self.to_out = nn.Linear(dim, dim)

    def forward(self, x, context):
        b, n, d = x.shape
        q, k, v = self.to_q(x), self.to_k(context), self.to_v(context)
        q, k, v = (t.view(b, -1, self.heads, d // self.heads).transpose(1, 2) for t in (q, k, v))
        out = F.scaled_dot_product_attention(q, k, v)
        return self.to_out(out.transpose(1, 2).reshape(b, n, d))


@case(
    "3x32x32",
    mend={
        "x.transpose(1, 2).reshape(b, -1, 8, 8)": "x[:, 1:].transpose(1, 2).reshape(b, -1, 8, 8)"
    },
)
class TokensToMap(nn.Module):
    """Tokens back to a map, with the class token still among them."""

    def __init__(self, dim=32):
        super().__init__()
        self.patch = nn.Conv2d(3, dim, 4, 4)
        self.cls = nn.Parameter(torch.zeros(1, 1, dim))
        self.block = nn.TransformerEncoderLayer(dim, 4, 64, batch_first=True)
        self.decode = nn.ConvTranspose2d(dim, 2, 4, 4)

    def forward(self, x):
        b = x.size(0)
        x = self.patch(x).flatten(2).transpose(1, 2)
        x = self.block(torch.cat([self.cls.expand(b, -1, -1), x], 1))
        x = x.transpose(1, 2).reshape(b, -1, 8, 8)
        return self.decode(x)


@case("9x32", "13x32", mend={'"bid,bdj->bij"': '"bid,bjd->bij"'})
class EinsumOfKeys(nn.Module):
    """The letters of keys stand as if they had been turned."""

    def __init__(self):
        super().__init__()
        self.q = nn.Linear(32, 24)
        self.k = nn.Linear(32, 24)

    def forward(self, x, y):
        sim = torch.einsum("bid,bdj->bij", self.q(x), self.k(y))
        return (sim * 24**-0.5).softmax(-1) @ y


@case("10x32", "6x32", mend={"src.permute(1, 0, 2)": "src"})
class HalfBatchFirst(nn.Module):
    """A permute that was needed before batch_first."""

    def __init__(self):
        super().__init__()
        self.transformer = nn.Transformer(32, 4, 1, 1, 64, batch_first=True)
        self.out = nn.Linear(32, 20)

    def forward(self, src, tgt):
        src = src.permute(1, 0, 2)
        return self.out(self.transformer(src, tgt))


@case(
    "12:int64",
    mend={
        "nn.Transformer.generate_square_subsequent_mask(x.size(0))": "nn.Transformer.generate_square_subsequent_mask(x.size(1))"
    },
)
class MaskOfItems(nn.Module):
    """A mask as large as the batch."""

    def __init__(self):
        super().__init__()
        self.emb = nn.Embedding(30, 32)
        layer = nn.TransformerEncoderLayer(32, 2, 64, batch_first=True)
        self.encoder = nn.TransformerEncoder(layer, 2)
        self.out = nn.Linear(32, 30)

    def forward(self, x):
        mask = nn.Transformer.generate_square_subsequent_mask(x.size(0))
        h = self.encoder(self.emb(x), mask=mask)
        return self.out(h)


@case("18x40", mend={"x @ self.A @ self.B": "x @ self.A.t() @ self.B.t()"})
class LowRank(nn.Module):
    """LoRA's two matrices, written as a linear layer keeps them."""

    def __init__(self, r=4):
        super().__init__()
        self.linear = nn.Linear(40, 24)
        self.A = nn.Parameter(torch.randn(r, 40))
        self.B = nn.Parameter(torch.zeros(24, r))

    def forward(self, x):
        return self.linear(x) + x @ self.A @ self.B
