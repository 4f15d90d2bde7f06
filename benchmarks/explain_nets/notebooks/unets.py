"""U-Nets and other nets that answer for each place."""

# ruff: noqa: E501, F401 - as learners write it
# mypy: disable-error-code="operator, index, list-item"

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from explain_nets.mended import Mended  # type: ignore[import-not-found]

case = Mended()
CASES = case.cases


class DoubleConv(nn.Module):
    def __init__(self, in_channels, out_channels):
        super().__init__()
        self.conv = nn.Sequential(
            nn.Conv2d(in_channels, out_channels, 3, padding=1),
            nn.BatchNorm2d(out_channels),
            nn.ReLU(inplace=True),
            nn.Conv2d(out_channels, out_channels, 3, padding=1),
            nn.BatchNorm2d(out_channels),
            nn.ReLU(inplace=True),
        )

    def forward(self, x):
        return self.conv(x)


@case("3x64x64", mend={"DoubleConv(64, 32)": "DoubleConv(64 + 32, 32)"})
class BilinearUnet(nn.Module):
    """Upsampling that leaves the channels as they were, in a decoder made for one that halves them."""

    def __init__(self, n_classes=2):
        super().__init__()
        self.inc = DoubleConv(3, 32)
        self.down1 = DoubleConv(32, 64)
        self.pool = nn.MaxPool2d(2)
        self.up = nn.Upsample(scale_factor=2, mode="bilinear", align_corners=True)
        self.up1 = DoubleConv(64, 32)
        self.outc = nn.Conv2d(32, n_classes, 1)

    def forward(self, x):
        x1 = self.inc(x)
        x2 = self.down1(self.pool(x1))
        x = self.up(x2)
        x = torch.cat([x1, x], dim=1)
        return self.outc(self.up1(x))


@case(
    "1x50x50",
    mend={
        "torch.cat((enc2, dec2), dim=1)": "torch.cat((enc2, F.interpolate(dec2, size=enc2.shape[2:])), dim=1)"
    },
)
class UnetOfFifty(nn.Module):
    """Pictures whose side can be halved once."""

    def __init__(self):
        super().__init__()
        self.enc1 = DoubleConv(1, 16)
        self.enc2 = DoubleConv(16, 32)
        self.bottleneck = DoubleConv(32, 64)
        self.upconv2 = nn.ConvTranspose2d(64, 32, kernel_size=2, stride=2)
        self.decoder2 = DoubleConv(64, 32)
        self.upconv1 = nn.ConvTranspose2d(32, 16, kernel_size=2, stride=2)
        self.decoder1 = DoubleConv(32, 16)
        self.conv = nn.Conv2d(16, 1, kernel_size=1)

    def forward(self, x):
        enc1 = self.enc1(x)
        enc2 = self.enc2(F.max_pool2d(enc1, 2))
        bottleneck = self.bottleneck(F.max_pool2d(enc2, 2))
        dec2 = self.upconv2(bottleneck)
        dec2 = torch.cat((enc2, dec2), dim=1)
        dec2 = self.decoder2(dec2)
        dec1 = self.upconv1(dec2)
        dec1 = torch.cat((enc1, dec1), dim=1)
        return torch.sigmoid(self.conv(self.decoder1(dec1)))


@case(
    "1x60x60",
    mend={"torch.cat([e1, u], 1)": "torch.cat([e1[:, :, 4:-4, 4:-4], u], 1)"},
)
class UnetWithoutPadding(nn.Module):
    """The paper's U-Net pads nothing, and crops what it hands across."""

    def __init__(self):
        super().__init__()
        self.e = nn.Sequential(nn.Conv2d(1, 16, 3), nn.ReLU(), nn.Conv2d(16, 16, 3), nn.ReLU())
        self.b = nn.Sequential(nn.Conv2d(16, 32, 3), nn.ReLU(), nn.Conv2d(32, 32, 3), nn.ReLU())
        self.up = nn.ConvTranspose2d(32, 16, 2, 2)
        self.d = nn.Sequential(nn.Conv2d(32, 16, 3), nn.ReLU(), nn.Conv2d(16, 2, 1))

    def forward(self, x):
        e1 = self.e(x)
        u = self.up(self.b(F.max_pool2d(e1, 2)))
        return self.d(torch.cat([e1, u], 1))


class AttentionGate(nn.Module):
    def __init__(self, F_g, F_l, F_int):
        super().__init__()
        self.W_g = nn.Conv2d(F_g, F_int, 1)
        self.W_x = nn.Conv2d(F_l, F_int, 1)
        self.psi = nn.Conv2d(F_int, 1, 1)

    def forward(self, g, x):
        g1 = self.W_g(g)
        x1 = self.W_x(x)
        psi = torch.sigmoid(self.psi(F.relu(g1 + x1)))
        return x * psi


@case(
    "3x64x64",
    mend={
        "self.att(b, e)": "self.att(u, e)",
        "AttentionGate(64, 32, 16)": "AttentionGate(32, 32, 16)",
    },
)
class GateBeforeUpsampling(nn.Module):
    """An attention U-Net's gate was given the map before it was made larger."""

    def __init__(self):
        super().__init__()
        self.enc = DoubleConv(3, 32)
        self.mid = DoubleConv(32, 64)
        self.up = nn.ConvTranspose2d(64, 32, 2, 2)
        self.att = AttentionGate(64, 32, 16)
        self.dec = DoubleConv(64, 32)
        self.out = nn.Conv2d(32, 1, 1)

    def forward(self, x):
        e = self.enc(x)
        b = self.mid(F.max_pool2d(e, 2))
        u = self.up(b)
        e = self.att(b, e)
        return self.out(self.dec(torch.cat([e, u], dim=1)))


@case("3x64x64", mend={"self.pool(x)]": "F.interpolate(self.pool(x), size=x.shape[2:])]"})
class Aspp(nn.Module):
    """DeepLab's branch of the whole picture, beside maps."""

    def __init__(self, c=24):
        super().__init__()
        self.backbone = nn.Conv2d(3, c, 3, 4, 1)
        self.convs = nn.ModuleList([nn.Conv2d(c, 16, 3, padding=r, dilation=r) for r in (1, 2, 4)])
        self.pool = nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Conv2d(c, 16, 1), nn.ReLU())
        self.project = nn.Conv2d(16 * 4, 5, 1)

    def forward(self, x):
        size = x.shape[-2:]
        x = self.backbone(x)
        x = torch.cat([conv(x) for conv in self.convs] + [self.pool(x)], 1)
        return F.interpolate(self.project(x), size=size, mode="bilinear")
