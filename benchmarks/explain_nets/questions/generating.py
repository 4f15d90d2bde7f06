"""What makes pictures, and what is compared with other pictures."""

# ruff: noqa: E501, F401 - as learners write it
# mypy: disable-error-code="operator, index, list-item"

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from explain_nets.mended import Mended  # type: ignore[import-not-found]

case = Mended()
CASES = case.cases


@case("3x32x32", mend={"z.flatten(2)": "z.flatten(2).transpose(1, 2)"})
class CodesOfVq(nn.Module):
    """Distances to a code book, of vectors that lie along the wrong dimension."""

    def __init__(self, dim=24):
        super().__init__()
        self.enc = nn.Sequential(nn.Conv2d(3, 32, 4, 2, 1), nn.ReLU(), nn.Conv2d(32, dim, 4, 2, 1))
        self.codebook = nn.Embedding(128, dim)
        self.dec = nn.Sequential(
            nn.ConvTranspose2d(dim, 32, 4, 2, 1), nn.ReLU(), nn.ConvTranspose2d(32, 3, 4, 2, 1)
        )

    def forward(self, x):
        z = self.enc(x)
        n, d, h, w = z.shape
        flat = z.flatten(2)
        codes = torch.cdist(flat, self.codebook.weight.expand(n, -1, -1)).argmin(-1)
        q = self.codebook(codes).transpose(1, 2).reshape(n, d, h, w)
        return self.dec(z + (q - z).detach())


@case("3x32x32", ":int64", mend={"self.embed(y) * h": "self.embed(y) * h.sum((2, 3))"})
class ProjectionCritic(nn.Module):
    """A class's vector times features that are not pooled yet."""

    def __init__(self):
        super().__init__()
        self.body = nn.Sequential(
            nn.Conv2d(3, 32, 4, 2, 1), nn.ReLU(), nn.Conv2d(32, 64, 4, 2, 1), nn.ReLU()
        )
        self.linear = nn.Linear(64, 1)
        self.embed = nn.Embedding(10, 64)

    def forward(self, x, y):
        h = self.body(x)
        out = self.linear(h.sum((2, 3)))
        return out + (self.embed(y) * h).sum(1, keepdim=True)


@case("1x28x28", mend={"torch.randn(mu.size(0), 20)": "torch.randn(mu.size(0), 16)"})
class NoiseOfOtherWidth(nn.Module):
    """Noise of twenty for a latent of sixteen."""

    def __init__(self, latent=16):
        super().__init__()
        self.enc = nn.Sequential(nn.Flatten(), nn.Linear(784, 128), nn.ReLU())
        self.mu = nn.Linear(128, latent)
        self.logvar = nn.Linear(128, latent)
        self.dec = nn.Sequential(
            nn.Linear(latent, 128), nn.ReLU(), nn.Linear(128, 784), nn.Sigmoid()
        )

    def forward(self, x):
        h = self.enc(x)
        mu, logvar = self.mu(h), self.logvar(h)
        eps = torch.randn(mu.size(0), 20)
        z = mu + eps * (0.5 * logvar).exp()
        return self.dec(z).view_as(x), mu, logvar


@case("1x28x28", mend={"chunk(2, dim=0)": "chunk(2, dim=1)"})
class ChunkOfBatch(nn.Module):
    """mu and log variance are two halves of the pictures."""

    def __init__(self):
        super().__init__()
        self.enc = nn.Sequential(nn.Flatten(), nn.Linear(784, 64), nn.ReLU(), nn.Linear(64, 2 * 8))
        self.dec = nn.Sequential(nn.Linear(8, 64), nn.ReLU(), nn.Linear(64, 784), nn.Sigmoid())

    def forward(self, x):
        mu, logvar = self.enc(x).chunk(2, dim=0)
        z = mu + torch.randn_like(mu) * torch.exp(0.5 * logvar)
        return F.binary_cross_entropy(self.dec(z), x.flatten(1))


@case(
    "16x16x16",
    "32",
    mend={
        "F.conv2d(x, w, padding=1, groups=n)": "F.conv2d(x.view(1, -1, *x.shape[2:]), w, padding=1, groups=n)"
    },
)
class ModulatedConv(nn.Module):
    """Kernels of each picture as groups, and pictures that are still a batch."""

    def __init__(self, cin=16, cout=24):
        super().__init__()
        self.weight = nn.Parameter(torch.randn(1, cout, cin, 3, 3))
        self.style = nn.Linear(32, cin)
        self.cout = cout

    def forward(self, x, s):
        n, c, h, w_ = x.shape
        s = self.style(s).view(n, 1, c, 1, 1)
        w = self.weight * s
        w = w * torch.rsqrt((w**2).sum((2, 3, 4), keepdim=True) + 1e-8)
        w = w.view(n * self.cout, c, 3, 3)
        out = F.conv2d(x, w, padding=1, groups=n)
        return out.view(n, self.cout, h, w_)


@case("1x28x28", mend={"self.conv.weight.transpose(0, 1)": "self.conv.weight"})
class TiedConv(nn.Module):
    """A decoder with the encoder's kernels, turned though they need not be."""

    def __init__(self):
        super().__init__()
        self.conv = nn.Conv2d(1, 16, 3, stride=2, padding=1)
        self.bias = nn.Parameter(torch.zeros(1))

    def forward(self, x):
        h = F.relu(self.conv(x))
        return F.conv_transpose2d(
            h, self.conv.weight.transpose(0, 1), self.bias, stride=2, padding=1, output_padding=1
        )


@case("3x32x64", "3x32x64", mend={"right[..., :-d]], 1)": "F.pad(right[..., :-d], (d, 0))], 1)"})
class CostVolume(nn.Module):
    """The right picture is moved, and has become narrower."""

    def __init__(self, disparities=4):
        super().__init__()
        self.features = nn.Conv2d(3, 8, 3, 2, 1)
        self.disparities = disparities
        self.cost = nn.Conv3d(16, 1, 3, padding=1)

    def forward(self, left, right):
        left, right = self.features(left), self.features(right)
        volume = [torch.cat([left, right], 1)]
        for d in range(1, self.disparities):
            volume.append(torch.cat([left, right[..., :-d]], 1))
        return self.cost(torch.stack(volume, 2)).squeeze(1)


@case(
    "2x32x32",
    mend={
        'einsum("bixy,ioxy->boxy", ft, self.weight)': 'einsum("bixy,ioxy->boxy", ft[:, :, : self.m, : self.m], self.weight)'
    },
)
class FourierModes(nn.Module):
    """All frequencies, times the weights of the lowest."""

    def __init__(self, width=8, modes=6):
        super().__init__()
        self.m = modes
        self.lift = nn.Conv2d(2, width, 1)
        self.weight = nn.Parameter(torch.randn(width, width, modes, modes, dtype=torch.cfloat))
        self.out = nn.Conv2d(width, 1, 1)

    def forward(self, x):
        x = self.lift(x)
        n, c, h, w = x.shape
        ft = torch.fft.rfft2(x)
        low = torch.zeros(n, c, h, w // 2 + 1, dtype=torch.cfloat)
        low[:, :, : self.m, : self.m] = torch.einsum("bixy,ioxy->boxy", ft, self.weight)
        return self.out(F.gelu(torch.fft.irfft2(low, s=(h, w)) + x))


@case("3x32x32", mend={"F.mse_loss(s, t.detach())": "F.mse_loss(self.adapt(s), t.detach())"})
class HintsWithoutAdapter(nn.Module):
    """The layer that makes the student as wide as its teacher is not called."""

    def __init__(self):
        super().__init__()
        self.teacher = nn.Sequential(nn.Conv2d(3, 64, 3, 2, 1), nn.ReLU())
        self.student = nn.Sequential(nn.Conv2d(3, 16, 3, 2, 1), nn.ReLU())
        self.adapt = nn.Conv2d(16, 64, 1)
        self.fc = nn.Linear(16, 10)

    def forward(self, x):
        t, s = self.teacher(x), self.student(x)
        hint = F.mse_loss(s, t.detach())
        return self.fc(s.mean((2, 3))), hint
