"""Sounds, videos, and patches that overlap."""

# ruff: noqa: B905, E501, F401 - as learners write it
# mypy: disable-error-code="operator, index, list-item"

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from explain_nets.mended import Mended  # type: ignore[import-not-found]

case = Mended()
CASES = case.cases


@case("1x2000", ":int64", mend={"F.log_softmax(x, dim=2)": "F.log_softmax(x, dim=2).squeeze(1)"})
class SpeechCommands(nn.Module):
    """The tutorial's M5 keeps a dimension of one."""

    def __init__(self, n_output=12):
        super().__init__()
        self.conv1 = nn.Conv1d(1, 16, kernel_size=40, stride=8)
        self.pool1 = nn.MaxPool1d(4)
        self.conv2 = nn.Conv1d(16, 32, kernel_size=3)
        self.fc1 = nn.Linear(32, n_output)

    def forward(self, x, target):
        x = self.pool1(F.relu(self.conv1(x)))
        x = F.relu(self.conv2(x))
        x = F.avg_pool1d(x, x.shape[-1])
        x = x.permute(0, 2, 1)
        x = self.fc1(x)
        return F.nll_loss(F.log_softmax(x, dim=2), target)


@case("1x400", mend={"skips = skips + s": "skips = skips[..., -s.size(-1):] + s"})
class WaveNetSkips(nn.Module):
    """Each dilated layer is shorter than the one before, and all are summed."""

    def __init__(self):
        super().__init__()
        self.first = nn.Conv1d(1, 16, 1)
        self.dilated = nn.ModuleList([nn.Conv1d(16, 16, 2, dilation=2**i) for i in range(4)])
        self.skip = nn.ModuleList([nn.Conv1d(16, 8, 1) for _ in range(4)])
        self.last = nn.Conv1d(8, 32, 1)

    def forward(self, x):
        x = self.first(x)
        skips = self.skip[0](torch.tanh(self.dilated[0](x)))
        x = torch.tanh(self.dilated[0](x))
        for conv, skip in zip(self.dilated[1:], self.skip[1:]):
            x = torch.tanh(conv(x))
            s = skip(x)
            skips = skips + s
        return self.last(F.relu(skips))


@case("64x50", mend={"nn.Linear(64 * 50, 10)": "nn.Linear(64 * 25, 10)"})
class MelOfHalfTheSteps(nn.Module):
    """A pooling over time came between."""

    def __init__(self):
        super().__init__()
        self.net = nn.Sequential(
            nn.Conv1d(64, 64, 5, padding=2), nn.BatchNorm1d(64), nn.ReLU(), nn.MaxPool1d(2), nn.Flatten(),
            nn.Linear(64 * 50, 10),
        )  # fmt: skip

    def forward(self, x):
        return self.net(x)


@case("8x3x32x32", mend={"self.conv1(x)": "self.conv1(x.permute(0, 2, 1, 3, 4))"})
class FramesBeforeColours(nn.Module):
    """A loader gives frames first, Conv3d wants colours first."""

    def __init__(self):
        super().__init__()
        self.conv1 = nn.Conv3d(3, 16, (3, 5, 5), stride=(1, 2, 2), padding=(1, 2, 2))
        self.pool = nn.AdaptiveAvgPool3d(1)
        self.fc = nn.Linear(16, 6)

    def forward(self, x):
        x = F.relu(self.conv1(x))
        x = self.pool(x).flatten(1)
        return self.fc(x)


@case("3x16x64x64", mend={"nn.Linear(64 * 2 * 4 * 4, 128)": "nn.Linear(64 * 2 * 8 * 8, 128)"})
class C3d(nn.Module):
    """The flatten size of smaller videos."""

    def __init__(self):
        super().__init__()
        self.conv1 = nn.Conv3d(3, 16, 3, padding=1)
        self.pool1 = nn.MaxPool3d((1, 2, 2))
        self.conv2 = nn.Conv3d(16, 32, 3, padding=1)
        self.conv3 = nn.Conv3d(32, 64, 3, padding=1)
        self.pool2 = nn.MaxPool3d((4, 2, 2))
        self.pool3 = nn.MaxPool3d(2)
        self.fc1 = nn.Linear(64 * 2 * 4 * 4, 128)
        self.fc2 = nn.Linear(128, 5)

    def forward(self, x):
        x = self.pool1(F.relu(self.conv1(x)))
        x = self.pool2(F.relu(self.conv2(x)))
        x = self.pool3(F.relu(self.conv3(x)))
        x = x.view(x.shape[0], -1)
        return self.fc2(F.relu(self.fc1(x)))


class ConvLSTMCell(nn.Module):
    def __init__(self, input_dim, hidden_dim):
        super().__init__()
        self.hidden_dim = hidden_dim
        self.conv = nn.Conv2d(input_dim + hidden_dim, hidden_dim, 3, padding=1)

    def forward(self, x, h, c):
        combined = torch.cat([x, h], dim=1)
        i, f, o, g = torch.split(self.conv(combined), self.hidden_dim, dim=1)
        c = torch.sigmoid(f) * c + torch.sigmoid(i) * torch.tanh(g)
        return torch.sigmoid(o) * torch.tanh(c), c


@case(
    "5x1x16x16",
    mend={"input_dim + hidden_dim, hidden_dim,": "input_dim + hidden_dim, 4 * hidden_dim,"},
    parts=(ConvLSTMCell,),
)
class MovingDigits(nn.Module):
    """The four gates of a ConvLSTM, from one."""

    def __init__(self):
        super().__init__()
        self.cell = ConvLSTMCell(1, 12)
        self.out = nn.Conv2d(12, 1, 1)

    def forward(self, x):
        h = c = x.new_zeros(x.size(0), 12, 16, 16)
        for t in range(x.size(1)):
            h, c = self.cell(x[:, t], h, c)
        return self.out(h)


@case("3x32x32", mend={"self.fc(patches)": "self.fc(patches.transpose(1, 2)).transpose(1, 2)"})
class PatchesThroughLinear(nn.Module):
    """unfold puts a patch's numbers into dimension 1."""

    def __init__(self):
        super().__init__()
        self.fc = nn.Linear(3 * 4 * 4, 3 * 4 * 4)

    def forward(self, x):
        patches = F.unfold(x, kernel_size=4, stride=4)
        patches = self.fc(patches)
        return F.fold(patches, output_size=x.shape[2:], kernel_size=4, stride=4)


@case("1x24x24", mend={"kernel_size=6, stride=6)": "kernel_size=6, stride=3)"})
class OverlapAdded(nn.Module):
    """Patches that overlapped are put back as if they had not."""

    def __init__(self):
        super().__init__()
        self.mlp = nn.Sequential(nn.Linear(36, 36), nn.ReLU(), nn.Linear(36, 36))

    def forward(self, x):
        p = F.unfold(x, kernel_size=6, stride=3).transpose(1, 2)
        p = self.mlp(p).transpose(1, 2)
        return F.fold(p, output_size=(24, 24), kernel_size=6, stride=6)
