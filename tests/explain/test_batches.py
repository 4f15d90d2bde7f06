"""Answers that do not follow the batch, heads that attend to heads and empty softmaxes are told."""

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from viewfinder.explain import explain
from viewfinder.explain.scoring import Scored

ITEMS = "the answer is not one for each item of the batch"
STEPS, PAIR, MAP = ((1, 5, 8),), ((3, 8), (3, 8)), ((1, 3, 4, 4),)


class Net(nn.Module):
    def __init__(self, run, **layers):
        super().__init__()
        self.run = run
        for name, layer in layers.items():
            setattr(self, name, layer)

    def forward(self, *inputs: Tensor):
        return self.run(self, *inputs)


def recurrent(kind=nn.GRU, **options) -> nn.Module:
    return kind(8, 6, batch_first=True, **options)


def attend(turned: bool):
    def run(net, x):
        q, k, v = net.a(x).view(x.size(0), x.size(1), 3, 2, 4).unbind(2)
        if turned:
            q, k, v = (part.transpose(1, 2) for part in (q, k, v))
        y = F.scaled_dot_product_attention(q, k, v)
        return (y.transpose(1, 2) if turned else y).reshape(x.shape)

    return Net(run, a=nn.Linear(8, 24))


def by_hand(net, x):
    q = x.view(x.size(0), x.size(1), 2, 4)
    return ((q @ q.transpose(-2, -1)).softmax(-1) @ q).flatten(2)


WRONG = {
    f"{ITEMS}: 5×6 for a batch of 1: getitem takes one item of the batch out of 1×5×6: [:, -1]": (
        lambda: Net(lambda n, x: n.a(x)[0][-1], a=recurrent()),
        STEPS,
    ),
    f"{ITEMS}: 6×2 for a batch of 3: cat puts 3×8, 3×8 behind each other": (
        lambda: Net(lambda n, x, y: n.a(torch.cat([x, y])), a=nn.Linear(8, 2)),
        PAIR,
    ),
    f"{ITEMS}: 5×2 for a batch of 1: mean puts all items of the batch of 1×5×8 into one": (
        lambda: Net(lambda n, x: n.a(x.mul(2).mean(0)), a=nn.Linear(8, 2)),
        STEPS,
    ),
    f"{ITEMS}: 2×1×3 for a batch of 1: a has a state of 2 × batch × features": (
        lambda: Net(
            lambda n, x: n.b(n.a(x)[1][-1]), a=recurrent(nn.LSTM, num_layers=2), b=nn.Linear(6, 3)
        ),
        STEPS,
    ),
    "where dimension 0 goes with the batch and does not hold it": (
        lambda: Net(lambda n, x: n.a(x)[1].view(x.size(0), -1), a=recurrent(bidirectional=True)),
        STEPS,
    ),
    "reads 1×5×2×4 as if its 2 heads were the steps": (lambda: attend(False), STEPS),
    "matmul reads 1×5×2×4 as if its 2 heads": (lambda: Net(by_hand), STEPS),
    "softmax over a dimension of length 1, that of 1×5×1, is always 1": (
        lambda: Net(lambda n, x: n.a(x).tanh().softmax(-1) * x, a=nn.Linear(8, 1)),
        STEPS,
    ),
    "shares over one side of a map 1×2×4×4": (
        lambda: Net(lambda n, x: n.a(x).relu().softmax(-1), a=nn.Conv2d(3, 2, 1)),
        MAP,
    ),
    "norms each row of a map 1×4×4×4 by itself, over its width": (
        lambda: Net(lambda n, x: n.b(n.a(x)), a=nn.Conv2d(3, 4, 1), b=nn.LayerNorm(4)),
        MAP,
    ),
    "cross_entropy of 1×1 is always 0": (
        lambda: Scored(nn.Linear(8, 1), "cross_entropy"),
        (torch.zeros(1, 8), torch.zeros(1, dtype=torch.long)),
    ),
}

RIGHT = {
    "classes of each place": (
        lambda: Net(lambda n, x: n.a(x).softmax(1), a=nn.Conv2d(3, 2, 1)),
        MAP,
    ),
    "norms over channels": (
        lambda: Net(
            lambda n, x: n.b(n.a(x).permute(0, 2, 3, 1)), a=nn.Conv2d(3, 4, 1), b=nn.LayerNorm(4)
        ),
        MAP,
    ),
    "hidden states beside the answer": (lambda: recurrent(num_layers=2), STEPS),
    "the state alone": (lambda: Net(lambda n, x: n.a(x)[1], a=recurrent(num_layers=2)), STEPS),
    "steps first": (
        lambda: Net(lambda n, x: n.b(n.a(x.transpose(0, 1))[0]), a=nn.GRU(8, 6), b=nn.Linear(6, 2)),
        STEPS,
    ),
    "a pair in one pass": (
        lambda: Net(lambda n, x, y: n.a(torch.cat([x, y])).chunk(2), a=nn.Linear(8, 2)),
        PAIR,
    ),
    "each item with each": (lambda: Net(lambda n, x, y: n.a(x) @ y.T, a=nn.Linear(8, 8)), PAIR),
    "a loss": (lambda: Net(lambda n, x: n.a(x).mean(), a=nn.Linear(8, 2)), STEPS),
    "lists": (lambda: Net(lambda n, x: [n.a(one) for one in x], a=nn.Linear(8, 2)), STEPS),
    "words of all items": (
        lambda: Net(lambda n, x: n.a(x).view(-1, 2), a=nn.Linear(8, 2)),
        STEPS,
    ),
    "less the mean of the batch": (
        lambda: Net(lambda n, x: n.a(x - x.mean(0)), a=nn.Linear(8, 2)),
        STEPS,
    ),
    "heads behind the batch": (lambda: attend(True), STEPS),
    "weights of steps": (
        lambda: Net(lambda n, x: n.a(x).squeeze(-1).softmax(-1), a=nn.Linear(8, 1)),
        STEPS,
    ),
}


def warnings(build, shapes, batched=None) -> tuple[str, ...]:
    explanation = explain(build().eval(), *shapes, batched=batched)
    assert explanation.mistake is None
    return explanation.warnings


@pytest.mark.parametrize("batched", [True, None])
@pytest.mark.parametrize("words", WRONG)
def test_what_loses_the_batch_or_the_steps_is_told(words: str, batched: bool | None) -> None:
    found = warnings(*WRONG[words], batched)
    assert any(words in one for one in found), found


@pytest.mark.parametrize("batched", [True, None])
@pytest.mark.parametrize("name", RIGHT)
def test_what_follows_the_batch_is_not_warned_of(name: str, batched: bool | None) -> None:
    assert warnings(*RIGHT[name], batched) == ()


# Nets whose inputs do not begin with the batch, as torch itself reads them.
OTHERWISE = {
    "steps first": (
        lambda: Net(lambda n, x: n.b(n.a(x)[0][-1]), a=nn.LSTM(8, 6), b=nn.Linear(6, 2)),
        ((5, 3, 8),),
    ),
    "an answer for each step": (
        lambda: Net(lambda n, x: n.b(n.a(x)[0]), a=nn.LSTM(8, 6), b=nn.Linear(6, 2)),
        ((5, 3, 8),),
    ),
    "one sequence": (lambda: Net(lambda n, x: n.a(x)[0][-1], a=recurrent()), ((5, 8),)),
    "one graph": (lambda: Net(lambda n, x, e: e @ n.a(x), a=nn.Linear(8, 2)), ((5, 8), (5, 5))),
    "one set of points": (
        lambda: Net(lambda n, x: n.b(n.a(x).amax(0)), a=nn.Linear(3, 8), b=nn.Linear(8, 2)),
        ((50, 3),),
    ),
}


@pytest.mark.parametrize("name", OTHERWISE)
def test_inputs_that_begin_otherwise_are_read_as_the_net_reads_them(name: str) -> None:
    assert warnings(*OTHERWISE[name]) == ()


def test_steps_in_the_place_of_the_batch_are_told_where_the_answers_follow_the_batch() -> None:
    net = Net(lambda n, x: n.b(n.a(x)[0][:, -1]), a=nn.LSTM(8, 6), b=nn.Linear(6, 2))
    assert "reads 3×5×8 as steps × batch" in warnings(lambda: net, ((3, 5, 8),))[0]


@pytest.mark.filterwarnings("ignore:Implicit dimension")
def test_a_softmax_without_a_dimension_is_told_which_it_takes() -> None:
    found = warnings(lambda: nn.Softmax(), STEPS)
    assert any("without dim it takes dimension 0 of 1×5×8: dim=-1" in one for one in found)


def test_a_loss_that_stops_for_a_lost_batch_is_told_where_it_was_lost() -> None:
    net = Scored(Net(lambda n, x: n.a(x)[0][-1], a=recurrent()).eval(), "cross_entropy")
    found = explain(net, (3, 5, 8), torch.zeros(3, dtype=torch.long), batched=True)
    assert found.mistake is not None
    assert any("5×6 for a batch of 3: getitem takes one item" in w for w in found.warnings)
