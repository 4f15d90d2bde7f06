"""Samples of unequal sizes in a DataLoader, and sequences of sequences, in a few words."""

import gc
import multiprocessing
import sys

import pytest
import torch
from torch import nn
from torch.utils.data import DataLoader

from viewfinder.explain import explain
from viewfinder.explain.collating import collated
from viewfinder.explain.running import run_script

PICTURES = [(torch.zeros(3, 32 + n, 40), n) for n in range(4)]
ROWS = [torch.zeros(5), torch.zeros(7)]


def failure(samples: list, **options) -> Exception:
    with pytest.raises(RuntimeError) as caught:
        list(DataLoader(samples, batch_size=2, **options))
    return caught.value


@pytest.mark.parametrize("workers", [0, 1])
def test_samples_that_differ_are_told_apart(workers: int) -> None:
    mistake = collated(failure(PICTURES, num_workers=workers))
    gc.collect()  # the traceback held the loader, and so its worker, which other tests would see
    assert not multiprocessing.active_children()
    assert mistake is not None
    assert mistake.rule.startswith("samples differ in height, 32 and 33: resize them to one size")
    assert mistake.got == "3×32×40, and right behind it 3×33×40"


def test_rows_of_unequal_lengths_are_padded() -> None:
    mistake = collated(failure(ROWS))
    assert mistake is not None
    assert mistake.rule.startswith("samples differ in length, 5 and 7: give the DataLoader")
    assert "pad_sequence" in mistake.rule


def test_a_stack_of_the_users_own_is_none_of_a_loader() -> None:
    with pytest.raises(RuntimeError) as caught:
        torch.stack(ROWS)
    assert collated(caught.value) is None


def test_it_is_said_below_the_traceback(tmp_path, capsys, monkeypatch) -> None:
    script = tmp_path / "train.py"
    script.write_text(
        "import torch\nfrom torch.utils.data import DataLoader\n"
        "rows = [torch.zeros(5), torch.zeros(7)]\nfor row in DataLoader(rows, 2):\n    pass\n"
    )
    monkeypatch.setattr(sys, "argv", [])
    monkeypatch.setattr(sys, "path", [*sys.path])
    monkeypatch.setitem(sys.modules, "__main__", sys.modules["__main__"])
    assert run_script([str(script)]) == 1
    said = capsys.readouterr().err
    assert said.index("stack expects each tensor") < said.index("samples differ in length, 5 and 7")


class Letters(nn.Module):
    def __init__(self):
        super().__init__()
        self.letters = nn.Embedding(60, 8)
        self.layer = nn.LSTM(8, 16, batch_first=True)

    def forward(self, x):
        return self.layer(self.letters(x.long()))[1][0][-1]


def test_the_letters_of_words_are_read_word_by_word() -> None:
    mistake = explain(Letters().eval(), torch.zeros(1, 12, 7), batched=True).mistake
    assert mistake is not None
    assert mistake.fixes[0].startswith("self.layer(self.letters(x.long()).flatten(0, 1)) instead")
    assert mistake.fixes[0].endswith("then the whole net runs")
    assert not any("[:, -1]" in fix for fix in mistake.fixes)


class Graph(nn.Module):
    def __init__(self):
        super().__init__()
        self.layer, self.out = nn.Linear(5, 16), nn.Linear(16, 2)

    def forward(self, x, pairs):
        return self.out((self.layer(x) @ pairs).mean(1))


class Masked(nn.Module):
    def __init__(self):
        super().__init__()
        self.layer = nn.MultiheadAttention(8, 2, batch_first=True)
        self.register_buffer("mask", torch.zeros(12, 12, dtype=torch.bool))

    def forward(self, x):
        return self.layer(x, x, x, attn_mask=self.mask)[0]


@pytest.mark.parametrize(
    ("net", "shapes", "fix"),
    [
        (Graph, ((1, 6, 5), (1, 6, 6)), "pairs @ self.layer(x) instead of self.layer(x) @ pairs"),
        (Masked, ((1, 10, 8),), "attn_mask=self.mask[:x.size(1), :x.size(1)]"),
    ],
)
def test_that_one_length_alone_fits_is_said_where_it_is_so(net, shapes, fix: str) -> None:
    mistake = explain(net().eval(), *shapes, batched=True).mistake
    assert mistake is not None
    assert mistake.fixes[0].startswith(fix)
    assert "only" not in mistake.fixes[0]


def test_class_numbers_are_not_made_like_the_answers() -> None:
    net = Classes().eval()
    mistake = explain(net, (1, 10), batched=True).mistake
    assert mistake is not None
    assert not any("zeros_like(self.layer(x))" in fix for fix in mistake.fixes)
    assert any("zeros_like(self.layer(x)[:, 0], dtype=torch.long)" in f for f in mistake.fixes)


class Classes(nn.Module):
    def __init__(self):
        super().__init__()
        self.layer = nn.Linear(10, 4)

    def forward(self, x):
        numbers = torch.zeros(x.shape[0], 3, dtype=torch.long)
        return nn.functional.cross_entropy(self.layer(x), numbers)
