"""Text and series: recurrent nets, convolutions over steps, embeddings."""

# ruff: noqa: F401, RUF059 - as learners write it
# mypy: disable-error-code="operator, index, list-item"

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from explain_nets.mended import Mended  # type: ignore[import-not-found]

case = Mended()
CASES = case.cases


@case("25:int64", mend={"nn.Linear(hidden, 2)": "nn.Linear(hidden * 2, 2)"})
class SentimentBothWays(nn.Module):
    """Last states of both directions, side by side."""

    def __init__(self, vocab=100, hidden=32):
        super().__init__()
        self.embedding = nn.Embedding(vocab, 48)
        self.lstm = nn.LSTM(
            48, hidden, num_layers=2, bidirectional=True, batch_first=True, dropout=0.5
        )
        self.dropout = nn.Dropout(0.5)
        self.fc = nn.Linear(hidden, 2)

    def forward(self, text):
        embedded = self.dropout(self.embedding(text))
        output, (hidden, cell) = self.lstm(embedded)
        hidden = self.dropout(torch.cat((hidden[-2], hidden[-1]), dim=1))
        return self.fc(hidden)


@case("30x1", mend={"lstm_out = self.lstm(x)": "lstm_out, _ = self.lstm(x)"})
class PriceForecast(nn.Module):
    """An LSTM gives two things."""

    def __init__(self):
        super().__init__()
        self.lstm = nn.LSTM(input_size=1, hidden_size=50, batch_first=True)
        self.linear = nn.Linear(50, 1)

    def forward(self, x):
        lstm_out = self.lstm(x)
        return self.linear(lstm_out[:, -1, :])


@case(
    ":int64",
    "1x24",
    mend={
        "self.embedding(tok)": "self.embedding(tok).unsqueeze(0)",
        "hidden)\n        output": "hidden.transpose(0, 1).contiguous())\n        output",
    },
)
class DecoderStep(nn.Module):
    """One step of a decoder: one token, and a GRU that wants a step."""

    def __init__(self):
        super().__init__()
        self.embedding = nn.Embedding(60, 24)
        self.gru = nn.GRU(24, 24)
        self.out = nn.Linear(24, 60)

    def forward(self, tok, hidden):
        embedded = self.embedding(tok)
        output, hidden = self.gru(embedded, hidden)
        output = self.out(output.squeeze(0))
        return F.log_softmax(output, dim=1)


@case(
    "12:int64",
    "9:int64",
    mend={"torch.cat([h[0], h[1]], dim=1)": "torch.cat([h[0], h[1]], dim=1).unsqueeze(0)"},
)
class EncoderBothWays(nn.Module):
    """The encoder's two last states, joined, for a decoder that wants a layer in front."""

    def __init__(self):
        super().__init__()
        self.src = nn.Embedding(50, 32)
        self.tgt = nn.Embedding(50, 32)
        self.encoder = nn.GRU(32, 32, bidirectional=True, batch_first=True)
        self.decoder = nn.GRU(32, 64, batch_first=True)
        self.out = nn.Linear(64, 50)

    def forward(self, src, tgt):
        _, h = self.encoder(self.src(src))
        h = torch.cat([h[0], h[1]], dim=1)
        out, _ = self.decoder(self.tgt(tgt), h)
        return self.out(out)


@case(
    "16:int64",
    "16:int64",
    mend={"F.cross_entropy(logits, y)": "F.cross_entropy(logits.transpose(1, 2), y)"},
)
class CharRnnLoss(nn.Module):
    """A class for each step: torch wants the classes second."""

    def __init__(self, vocab=65):
        super().__init__()
        self.emb = nn.Embedding(vocab, 32)
        self.rnn = nn.LSTM(32, 64, batch_first=True)
        self.head = nn.Linear(64, vocab)

    def forward(self, x, y):
        h, _ = self.rnn(self.emb(x))
        logits = self.head(h)
        return F.cross_entropy(logits, y)


@case("20x6", mend={"x.size(1), self.hidden": "x.size(0), self.hidden"})
class StatesOfSteps(nn.Module):
    """First states as many as steps, not as items."""

    def __init__(self, hidden=40, layers=2):
        super().__init__()
        self.hidden = hidden
        self.layers = layers
        self.lstm = nn.LSTM(6, hidden, layers, batch_first=True)
        self.fc = nn.Linear(hidden, 3)

    def forward(self, x):
        h0 = torch.zeros(self.layers, x.size(1), self.hidden)
        c0 = torch.zeros(self.layers, x.size(1), self.hidden)
        out, _ = self.lstm(x, (h0, c0))
        return self.fc(out[:, -1, :])


@case("14:int64", "1x32", mend={"torch.bmm(weights, enc)": "torch.bmm(weights.unsqueeze(1), enc)"})
class AttentionOverSteps(nn.Module):
    """One weight a step, as a row for each item."""

    def __init__(self):
        super().__init__()
        self.emb = nn.Embedding(40, 32)
        self.enc = nn.GRU(32, 32, batch_first=True)
        self.attn = nn.Linear(64, 1)
        self.out = nn.Linear(64, 40)

    def forward(self, src, query):
        enc, _ = self.enc(self.emb(src))
        q = query.expand(-1, enc.size(1), -1)
        weights = F.softmax(self.attn(torch.cat([q, enc], 2)).squeeze(2), dim=1)
        context = torch.bmm(weights, enc)
        return self.out(torch.cat([context, query], 2).squeeze(1))


@case("30:int64", mend={"self.embedding(text)\n": "self.embedding(text).permute(0, 2, 1)\n"})
class TextCnnOneD(nn.Module):
    """Convolutions over words, whose features come last."""

    def __init__(self):
        super().__init__()
        self.embedding = nn.Embedding(200, 36)
        self.convs = nn.ModuleList([nn.Conv1d(36, 16, fs) for fs in (3, 4, 5)])
        self.fc = nn.Linear(48, 2)

    def forward(self, text):
        embedded = self.embedding(text)
        conved = [F.relu(conv(embedded)) for conv in self.convs]
        pooled = [F.max_pool1d(conv, conv.shape[2]).squeeze(2) for conv in conved]
        return self.fc(torch.cat(pooled, dim=1))


@case("15:int64", mend={"self.embedding.weight.t()": "self.embedding.weight"})
class TiedWeights(nn.Module):
    """F.linear turns its weights itself."""

    def __init__(self):
        super().__init__()
        self.embedding = nn.Embedding(90, 32)
        self.rnn = nn.GRU(32, 32, batch_first=True)

    def forward(self, x):
        h, _ = self.rnn(self.embedding(x))
        return F.linear(h, self.embedding.weight.t())


@case(":int64", ":int64", mend={"torch.cat([u, m])": "torch.cat([u, m], dim=1)"})
class NeuralFiltering(nn.Module):
    """A user and a film, one below the other."""

    def __init__(self):
        super().__init__()
        self.user = nn.Embedding(30, 16)
        self.movie = nn.Embedding(40, 16)
        self.fc1 = nn.Linear(32, 24)
        self.fc2 = nn.Linear(24, 1)

    def forward(self, user, movie):
        u = self.user(user)
        m = self.movie(movie)
        x = torch.cat([u, m])
        return self.fc2(F.relu(self.fc1(x)))


@case("4", ":int64", mend={".gather(1, action)": ".gather(1, action.unsqueeze(1))"})
class QOfActions(nn.Module):
    """The value of the action that was taken."""

    def __init__(self):
        super().__init__()
        self.net = nn.Sequential(nn.Linear(4, 64), nn.ReLU(), nn.Linear(64, 2))

    def forward(self, state, action):
        return self.net(state).gather(1, action)


@case("24x10", mend={"x[:, -1]": "x[:, :, -1]"})
class TcnLastStep(nn.Module):
    """The last step of a map with its channels first."""

    def __init__(self):
        super().__init__()
        self.conv1 = nn.Conv1d(10, 20, 3, padding=2)
        self.conv2 = nn.Conv1d(20, 20, 3, padding=4, dilation=2)
        self.fc = nn.Linear(20, 1)

    def forward(self, x):
        x = x.transpose(1, 2)
        x = F.relu(self.conv1(x))[:, :, :-2]
        x = F.relu(self.conv2(x))[:, :, :-4]
        return self.fc(x[:, -1])


@case("8x32", mend={"nn.Linear(32, 64)": "nn.Linear(32, 128)"})
class LstmByHand(nn.Module):
    """Four gates, and a layer made for two."""

    def __init__(self):
        super().__init__()
        self.x2h = nn.Linear(32, 64)
        self.h2h = nn.Linear(32, 128)

    def forward(self, x):
        h = x.new_zeros(x.size(0), 32)
        c = x.new_zeros(x.size(0), 32)
        for t in range(x.size(1)):
            i, f, g, o = (self.x2h(x[:, t]) + self.h2h(h)).chunk(4, 1)
            c = torch.sigmoid(f) * c + torch.sigmoid(i) * torch.tanh(g)
            h = torch.sigmoid(o) * torch.tanh(c)
        return h
