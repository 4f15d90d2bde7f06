"""Calls that do what was done already, maps enlarged too much, and layers that wait to be used."""

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from viewfinder.explain import explain


class Net(nn.Module):
    def __init__(self, run, **layers):
        super().__init__()
        self.run = run
        for name, layer in layers.items():
            setattr(self, name, layer)

    def forward(self, *inputs):
        return self.run(self, *inputs)


def first(net: nn.Module, *inputs: Tensor) -> str:
    mistake = explain(net.eval(), *inputs).mistake
    assert mistake is not None
    return mistake.fixes[0]


WORDS = torch.zeros(4, 6, dtype=torch.long)
ROWS, CLASSES = torch.zeros(4, 8), torch.zeros(4, dtype=torch.long)
PICTURES = torch.zeros(2, 3, 16, 16)


def test_a_mean_of_what_is_a_mean_already_is_left_out() -> None:
    def run(net, x):
        e = net.bag(x)
        return net.fc(e.mean(1))

    net = Net(run, bag=nn.EmbeddingBag(9, 8), fc=nn.Linear(8, 2))
    assert first(net, WORDS) == "e instead of e.mean(1); then the whole net runs"


def test_a_class_that_is_chosen_before_the_loss_is_not() -> None:
    def run(net, x, y):
        return F.cross_entropy(net.fc(x).argmax(1), y)

    assert first(Net(run, fc=nn.Linear(8, 5)), ROWS, CLASSES).startswith("net.fc(x) instead of")


def test_one_hot_rows_become_numbers_of_classes() -> None:
    def run(net, x, y):
        return F.nll_loss(F.log_softmax(net.fc(x), 1), y)

    fix = first(Net(run, fc=nn.Linear(8, 5)), ROWS, torch.zeros(4, 5))
    assert fix.startswith("y.argmax(1) instead of y")


def test_positions_are_counted_by_the_steps_and_not_by_the_batch() -> None:
    def run(net, x):
        return net.words(x) + net.places(torch.arange(len(x)))

    net = Net(run, words=nn.Embedding(9, 8), places=nn.Embedding(9, 8))
    assert first(net, WORDS).startswith("torch.arange(x.size(1)) instead of torch.arange(len(x))")


def test_a_maximum_beside_a_mean_is_taken_apart_and_both_keep_their_dimension() -> None:
    def run(net, x):
        both = torch.cat([torch.mean(x, dim=1), torch.max(x, dim=1)], dim=1)
        return net.gate(both)

    fix = first(Net(run, gate=nn.Conv2d(2, 1, 3)), PICTURES)
    assert "torch.max(x, dim=1, keepdim=True)[0]" in fix
    assert "torch.mean(x, dim=1, keepdim=True)" in fix


def test_a_map_that_is_enlarged_too_much_is_enlarged_less() -> None:
    def run(net, x):
        return x + F.interpolate(net.down(x), scale_factor=4)

    fix = first(Net(run, down=nn.Conv2d(3, 3, 2, 2)), PICTURES)
    assert "scale_factor=2)" in fix.partition(" instead of ")[0]


def test_rates_of_a_list_are_padded_so_that_they_keep_the_map() -> None:
    def run(net, x):
        return torch.cat([conv(x) for conv in net.rates], 1)

    rates = nn.ModuleList(nn.Conv2d(3, 4, 3, dilation=rate) for rate in (1, 2))
    assert first(Net(run, rates=rates), PICTURES).startswith("rates[0] = nn.Conv2d(3, 4, 3, pad")


def test_states_of_both_directions_are_joined() -> None:
    def run(net, x):
        _, h = net.gru(x)
        return net.fc(h.squeeze(0))

    gru = nn.GRU(8, 6, batch_first=True, bidirectional=True)
    fix = first(Net(run, gru=gru, fc=nn.Linear(12, 2)), torch.zeros(4, 5, 8))
    assert fix.startswith("torch.cat([h[-2], h[-1]], 1) instead of h.squeeze(0)")


def test_rows_made_into_fewer_maps_are_told() -> None:
    net = Net(lambda n, x: n.fc(x.flatten(1)).view(-1, 8, 2, 2), fc=nn.Linear(48, 16))
    fix = first(net, torch.zeros(4, 3, 4, 4))
    assert fix == "fc = nn.Linear(48, 32); then the whole net runs, with 4×4 only"


def test_heads_of_one_class_less_than_their_rows_are_made_wider_all_at_once() -> None:
    def run(net, x):
        rows = [head(x).permute(0, 2, 3, 1).reshape(x.size(0), -1, 5) for head in net.heads]
        return torch.cat(rows, 1)

    heads = nn.ModuleList(nn.Conv2d(3, 3 * 4, 1) for _ in range(2))
    fix = first(Net(run, heads=heads), PICTURES)
    assert fix.startswith("heads[0] = nn.Conv2d(3, 15, 1); and heads[1] = nn.Conv2d(3, 15, 1)")


class Table(nn.Module):
    def __init__(self):
        super().__init__()
        self.table = nn.Sequential(nn.Linear(8, 4), nn.ReLU())
        self.head = nn.Linear(12, 2)

    def forward(self, x, y):
        return self.head(torch.cat([x, y], 1))


def test_layers_that_wait_are_put_where_their_part_is_joined() -> None:
    assert "self.table(" in first(Table(), ROWS, ROWS + 1)


class Encoder(nn.Module):
    def __init__(self):
        super().__init__()
        self.words = nn.Embedding(9, 8, padding_idx=0)
        self.encoder = nn.TransformerEncoder(
            nn.TransformerEncoderLayer(8, 2, 8, batch_first=True), 1
        )

    def forward(self, x):
        mask = x == 0
        return self.encoder(self.words(x), src_key_padding_mask=mask.T)


def test_a_padding_mask_that_was_turned_is_turned_back() -> None:
    mistake = explain(Encoder().eval(), WORDS).mistake
    assert mistake is not None
    assert mistake.rule == "src_key_padding_mask is batch × tokens, here 4×6, and it is 6×4"
    assert mistake.fixes[0].endswith("then the whole net runs")


def test_a_window_made_one_place_wide_says_what_that_means() -> None:
    net = nn.Sequential(nn.Conv2d(3, 4, 16, 16), nn.Conv2d(4, 4, 3), nn.Flatten(), nn.Linear(4, 2))
    mistake = explain(net.eval(), (2, 3, 16, 16)).mistake
    assert mistake is not None
    narrow = [fix for fix in mistake.fixes if "nn.Conv2d(4, 4, 1)" in fix]
    assert all("a window of 1 sees nothing beside it" in fix for fix in narrow)
    assert mistake.fixes[0] not in narrow
