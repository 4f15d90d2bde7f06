"""Autoencoders, VAEs and GANs."""

# ruff: noqa: E501, F401 - as learners write it
# mypy: disable-error-code="operator, index, list-item"

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from explain_nets.mended import Mended  # type: ignore[import-not-found]

case = Mended()
CASES = case.cases


@case(
    "1x28x28",
    mend={
        "nn.ConvTranspose2d(16, 1, 3, stride=2, padding=1)": "nn.ConvTranspose2d(16, 1, 3, stride=2, padding=1, output_padding=1)"
    },
)
class AutoencoderOfOddSide(nn.Module):
    """27×27 against 28×28."""

    def __init__(self):
        super().__init__()
        self.encoder = nn.Sequential(
            nn.Conv2d(1, 16, 3, stride=2, padding=1),
            nn.ReLU(),
            nn.Conv2d(16, 32, 3, stride=2, padding=1),
            nn.ReLU(),
        )
        self.decoder = nn.Sequential(
            nn.ConvTranspose2d(32, 16, 3, stride=2, padding=1, output_padding=1),
            nn.ReLU(),
            nn.ConvTranspose2d(16, 1, 3, stride=2, padding=1),
            nn.Sigmoid(),
        )

    def forward(self, x):
        out = self.decoder(self.encoder(x))
        return F.mse_loss(out, x)


@case(
    "3x32x32",
    mend={
        "nn.Linear(latent, 32 * 7 * 7)": "nn.Linear(latent, 32 * 8 * 8)",
        "(-1, 32, 7, 7)": "(-1, 32, 8, 8)",
        "nn.Linear(32 * 7 * 7, latent)": "nn.Linear(32 * 8 * 8, latent)",
    },
)
class AutoencoderOfMnist(nn.Module):
    """An autoencoder for MNIST, given pictures of CIFAR."""

    def __init__(self, latent=16):
        super().__init__()
        self.encoder = nn.Sequential(
            nn.Conv2d(3, 16, 4, 2, 1), nn.ReLU(), nn.Conv2d(16, 32, 4, 2, 1), nn.ReLU(), nn.Flatten(),
            nn.Linear(32 * 7 * 7, latent),
        )  # fmt: skip
        self.fc = nn.Linear(latent, 32 * 7 * 7)
        self.decoder = nn.Sequential(
            nn.ConvTranspose2d(32, 16, 4, 2, 1),
            nn.ReLU(),
            nn.ConvTranspose2d(16, 3, 4, 2, 1),
            nn.Sigmoid(),
        )

    def forward(self, x):
        z = self.encoder(x)
        h = self.fc(z).view(-1, 32, 7, 7)
        return F.mse_loss(self.decoder(h), x)


@case(
    "1x28x28",
    mend={"binary_cross_entropy(recon, x)": "binary_cross_entropy(recon, x.view(-1, 784))"},
)
class VaeLoss(nn.Module):
    """The example's VAE: what was flattened against what was not."""

    def __init__(self):
        super().__init__()
        self.fc1 = nn.Linear(784, 128)
        self.fc21 = nn.Linear(128, 12)
        self.fc22 = nn.Linear(128, 12)
        self.fc3 = nn.Linear(12, 128)
        self.fc4 = nn.Linear(128, 784)

    def forward(self, x):
        h1 = F.relu(self.fc1(x.view(-1, 784)))
        mu, logvar = self.fc21(h1), self.fc22(h1)
        std = torch.exp(0.5 * logvar)
        z = mu + torch.randn_like(std) * std
        recon = torch.sigmoid(self.fc4(F.relu(self.fc3(z))))
        bce = F.binary_cross_entropy(recon, x)
        kld = -0.5 * torch.mean(1 + logvar - mu.pow(2) - logvar.exp())
        return bce + kld


@case("3x64x64", mend={"nn.Linear(z_dim, 64)": "nn.Linear(z_dim, 64 * 8 * 8)"})
class VaeDecoderInput(nn.Module):
    """The decoder's first layer gives the channels, and not the map."""

    def __init__(self, z_dim=20):
        super().__init__()
        self.enc = nn.Sequential(
            nn.Conv2d(3, 32, 4, 2, 1), nn.ReLU(), nn.Conv2d(32, 64, 4, 4), nn.ReLU(), nn.Flatten()
        )
        self.mu = nn.Linear(64 * 8 * 8, z_dim)
        self.log_var = nn.Linear(64 * 8 * 8, z_dim)
        self.decoder_input = nn.Linear(z_dim, 64)
        self.dec = nn.Sequential(
            nn.ConvTranspose2d(64, 32, 4, 4),
            nn.ReLU(),
            nn.ConvTranspose2d(32, 3, 4, 2, 1),
            nn.Tanh(),
        )

    def forward(self, x):
        h = self.enc(x)
        mu, log_var = self.mu(h), self.log_var(h)
        z = mu + torch.exp(log_var / 2) * torch.randn_like(mu)
        out = self.decoder_input(z).view(-1, 64, 8, 8)
        return self.dec(out), mu, log_var


@case("1x28x28", "10", mend={"torch.cat([x, y], 1)": "torch.cat([x.view(-1, 784), y], 1)"})
class ConditionalVae(nn.Module):
    """A picture and the label beside it, of which one is not flat."""

    def __init__(self):
        super().__init__()
        self.e1 = nn.Linear(784 + 10, 100)
        self.mu = nn.Linear(100, 8)
        self.d1 = nn.Linear(8 + 10, 100)
        self.d2 = nn.Linear(100, 784)

    def forward(self, x, y):
        h = F.relu(self.e1(torch.cat([x, y], 1)))
        z = self.mu(h)
        h = F.relu(self.d1(torch.cat([z, y], 1)))
        return torch.sigmoid(self.d2(h))


@case("64", mend={"self.main(z)": "self.main(z.view(-1, 64, 1, 1))"})
class DcganNoise(nn.Module):
    """The tutorial's generator, given a row of noise."""

    def __init__(self, nz=64, ngf=16, nc=3):
        super().__init__()
        self.main = nn.Sequential(
            nn.ConvTranspose2d(nz, ngf * 4, 4, 1, 0, bias=False),
            nn.BatchNorm2d(ngf * 4),
            nn.ReLU(True),
            nn.ConvTranspose2d(ngf * 4, ngf * 2, 4, 2, 1, bias=False),
            nn.BatchNorm2d(ngf * 2),
            nn.ReLU(True),
            nn.ConvTranspose2d(ngf * 2, nc, 4, 2, 1, bias=False),
            nn.Tanh(),
        )

    def forward(self, z):
        return self.main(z)


@case("3x32x32", "", mend={"nn.Conv2d(64, 1, 4, 1, 0)": "nn.Conv2d(64, 1, 8, 1, 0)"})
class DcganCritic(nn.Module):
    """A discriminator for half the side: twenty-five answers a picture."""

    def __init__(self):
        super().__init__()
        self.main = nn.Sequential(
            nn.Conv2d(3, 32, 4, 2, 1), nn.LeakyReLU(0.2, inplace=True),
            nn.Conv2d(32, 64, 4, 2, 1), nn.LeakyReLU(0.2, inplace=True),
            nn.Conv2d(64, 1, 4, 1, 0), nn.Sigmoid(),
        )  # fmt: skip

    def forward(self, img, label):
        output = self.main(img).view(-1)
        return F.binary_cross_entropy(output, label)


@case("50x1x1", ":int64", mend={"self.label_emb(y)": "self.label_emb(y)[:, :, None, None]"})
class ConditionalGenerator(nn.Module):
    """A label's embedding beside noise that has a place."""

    def __init__(self):
        super().__init__()
        self.label_emb = nn.Embedding(10, 14)
        self.net = nn.Sequential(
            nn.ConvTranspose2d(64, 32, 4, 1, 0),
            nn.ReLU(),
            nn.ConvTranspose2d(32, 1, 4, 2, 1),
            nn.Tanh(),
        )

    def forward(self, noise, y):
        x = torch.cat([noise, self.label_emb(y)], 1)
        return self.net(x)


@case("3x32x32", ":int64", mend={"img_size=64": "img_size=32"})
class ConditionalCritic(nn.Module):
    """The label as a map, of the size of other pictures."""

    def __init__(self, img_size=64):
        super().__init__()
        self.img_size = img_size
        self.embed = nn.Embedding(10, img_size * img_size)
        self.net = nn.Sequential(
            nn.Conv2d(4, 32, 4, 2, 1), nn.LeakyReLU(0.2), nn.Conv2d(32, 1, 4, 2, 1)
        )

    def forward(self, x, labels):
        y = self.embed(labels).view(-1, 1, self.img_size, self.img_size)
        return self.net(torch.cat([x, y], dim=1))
