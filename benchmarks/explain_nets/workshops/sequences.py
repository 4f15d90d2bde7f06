"""Recurrent nets, transformers and texts."""


# mypy: disable-error-code="operator, index, list-item"

import torch
import torch.nn.functional as F
from torch import nn

from explain_nets.mended import Mended  # type: ignore[import-not-found]

case = Mended()
CASES = case.cases


@case("24:int64", mend={"self.fc(h.squeeze(0))": "self.fc(torch.cat([h[-2], h[-1]], 1))"})
class BothWaysSqueezed(nn.Module):
    """The last state of both directions, squeezed as if it were one."""

    def __init__(self):
        super().__init__()
        self.embedding = nn.Embedding(800, 40)
        self.lstm = nn.LSTM(40, 64, batch_first=True, bidirectional=True)
        self.fc = nn.Linear(128, 2)

    def forward(self, x):
        _, (h, _) = self.lstm(self.embedding(x))
        return self.fc(h.squeeze(0))


@case("30x6", mend={"nn.LSTM(64, 32": "nn.LSTM(128, 32"})
class SecondLayerOfBothWays(nn.Module):
    """A stack of two, the first of which goes both ways."""

    def __init__(self):
        super().__init__()
        self.first = nn.LSTM(6, 64, batch_first=True, bidirectional=True)
        self.second = nn.LSTM(64, 32, batch_first=True)
        self.out = nn.Linear(32, 1)

    def forward(self, x):
        x, _ = self.first(x)
        x, _ = self.second(F.dropout(x, 0.2, self.training))
        return self.out(x[:, -1])


@case("40x9", mend={"self.conv(x)": "self.conv(x.transpose(1, 2)).transpose(1, 2)"})
class ConvolvedBeforeTheSteps(nn.Module):
    """Movements of nine sensors: a convolution over steps, and a GRU behind it."""

    def __init__(self):
        super().__init__()
        self.conv = nn.Conv1d(9, 32, 5, padding=2)
        self.gru = nn.GRU(32, 48, batch_first=True)
        self.out = nn.Linear(48, 6)

    def forward(self, x):
        x = F.relu(self.conv(x))
        out, _ = self.gru(x)
        return self.out(out[:, -1])


@case(
    "16:int64",
    "12:int64",
    mend={
        "self.decoder(self.target(b), state)": "self.decoder(self.target(b), self.bridge(state))"
    },
)
class BridgeForgotten(nn.Module):
    """The decoder is wider than the encoder, and the bridge between them is never called."""

    def __init__(self):
        super().__init__()
        self.source, self.target = nn.Embedding(500, 32), nn.Embedding(400, 32)
        self.encoder = nn.GRU(32, 64, batch_first=True)
        self.bridge = nn.Linear(64, 96)
        self.decoder = nn.GRU(32, 96, batch_first=True)
        self.out = nn.Linear(96, 400)

    def forward(self, a, b):
        _, state = self.encoder(self.source(a))
        out, _ = self.decoder(self.target(b), state)
        return self.out(out)


@case(
    "14:int64",
    "10:int64",
    mend={"torch.bmm(weights, keys)": "torch.bmm(weights.unsqueeze(1), keys).squeeze(1)"},
)
class WeightsWithoutARow(nn.Module):
    """Luong's attention: a row of weights for each item, in a product of matrices."""

    def __init__(self):
        super().__init__()
        self.a, self.b = nn.Embedding(300, 48), nn.Embedding(300, 48)
        self.encoder, self.decoder = (
            nn.GRU(48, 48, batch_first=True),
            nn.GRU(48, 48, batch_first=True),
        )
        self.out = nn.Linear(96, 300)

    def forward(self, a, b):
        keys, state = self.encoder(self.a(a))
        _, query = self.decoder(self.b(b), state)
        query = query[-1]
        weights = torch.softmax((keys * query.unsqueeze(1)).sum(-1), dim=1)
        context = torch.bmm(weights, keys)
        return self.out(torch.cat([context, query], 1))
