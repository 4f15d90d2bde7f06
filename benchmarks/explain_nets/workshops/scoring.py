"""Graphs, actions, and what losses are given."""

# ruff: noqa: E501 - as learners write it
# mypy: disable-error-code="operator, index, list-item"

import torch.nn.functional as F
from torch import nn

from explain_nets.mended import Mended  # type: ignore[import-not-found]

case = Mended()
CASES = case.cases


@case("12x7", "12x12", mend={"self.w1(x) @ adj": "adj @ self.w1(x)"})
class GraphFromTheOtherSide(nn.Module):
    """A graph convolution with its sides exchanged."""

    def __init__(self):
        super().__init__()
        self.w1, self.w2 = nn.Linear(7, 16), nn.Linear(16, 3)

    def forward(self, x, adj):
        x = F.relu(self.w1(x) @ adj)
        return self.w2(adj @ x).mean(1)


@case(
    "20",
    ":int64",
    mend={"F.cross_entropy(self.net(x).argmax(1), y)": "F.cross_entropy(self.net(x), y)"},
)
class ClassesBeforeTheLoss(nn.Module):
    """The class is taken before the loss."""

    def __init__(self):
        super().__init__()
        self.net = nn.Sequential(nn.Linear(20, 32), nn.ReLU(), nn.Linear(32, 5))

    def forward(self, x, y):
        return F.cross_entropy(self.net(x).argmax(1), y)


@case(
    "20",
    "5",
    mend={
        "F.nll_loss(F.log_softmax(self.net(x), 1), y)": "F.nll_loss(F.log_softmax(self.net(x), 1), y.argmax(1))"
    },
)
class OneHotInNll(nn.Module):
    """One-hot rows, where the loss wants numbers of classes."""

    def __init__(self):
        super().__init__()
        self.net = nn.Sequential(nn.Linear(20, 32), nn.ReLU(), nn.Linear(32, 5))

    def forward(self, x, y):
        return F.nll_loss(F.log_softmax(self.net(x), 1), y)


@case("4", mend={"q.gather(1, a)": "q.gather(1, a.unsqueeze(1)).squeeze(1)"})
class ActionsWithoutAColumn(nn.Module):
    """Deep Q: the values of the actions taken."""

    def __init__(self):
        super().__init__()
        self.net = nn.Sequential(nn.Linear(4, 64), nn.ReLU(), nn.Linear(64, 2))

    def forward(self, x):
        q = self.net(x)
        a = q.detach().argmax(1)
        return q.gather(1, a)


@case(
    "10",
    mend={
        "self.value(h) + advantage - advantage.mean(1)": "self.value(h) + advantage - advantage.mean(1, keepdim=True)"
    },
)
class DuelWithoutItsColumn(nn.Module):
    """A duelling net: the mean of the advantages loses its dimension."""

    def __init__(self):
        super().__init__()
        self.body = nn.Sequential(nn.Linear(10, 32), nn.ReLU())
        self.value, self.advantage = nn.Linear(32, 1), nn.Linear(32, 3)

    def forward(self, x):
        h = self.body(x)
        advantage = self.advantage(h)
        return self.value(h) + advantage - advantage.mean(1)
