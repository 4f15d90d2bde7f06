"""Functions that are met more rarely are told in plain words, with their numbers."""

import pytest
import torch
import torch.nn.functional as F
from torch import nn

from viewfinder.explain import explain
from viewfinder.explain.explanation import Mistake
from viewfinder.explain.rendering.terminal import mistake_lines

ROWS, WHOLE = torch.zeros(3, 8), torch.zeros(3, 2, dtype=torch.long)
SAID = {
    "where takes a condition of truth values, and this one is float32": (
        lambda x: torch.where(x, x, x),
        (ROWS,),
    ),
    "& goes place by place, with sizes that are equal or 1 from the last dimension on: in the "
    "last dimension 8 ≠ 2": (lambda x, y: (x > 0) & (y > 0), (ROWS, WHOLE)),
    "clamp goes place by place": (lambda x, y: x.clamp(min=y), (ROWS, torch.zeros(3, 5))),
    "cdist compares each row of one with each row of the other, of batches of one size: 3×5×8 "
    "and 2×7×8": (torch.cdist, (torch.zeros(3, 5, 8), torch.zeros(2, 7, 8))),
    "cdist compares each row of one with each row of the other, of two tables of rows: 8 and 3×8": (
        lambda x: torch.cdist(x[0], x),
        (ROWS,),
    ),
    "index_select takes one row of places for the whole tensor, and is given 3×2": (
        lambda x, y: x.index_select(1, y),
        (ROWS, WHOLE),
    ),
    "multi_margin_loss takes one class number for each item: 3, and its target is 3×2": (
        F.multi_margin_loss,
        (ROWS, WHOLE),
    ),
    "channel_shuffle parts the channels into 3 groups: 8/3 = 2.667": (
        lambda x: F.channel_shuffle(x, 3),
        (torch.zeros(2, 8, 4, 4),),
    ),
    "unfold cuts patches out of maps, N×C×H×W, 4 dimensions": (lambda x: F.unfold(x, 3), (ROWS,)),
    'mode="reflect" with 4 numbers pads 2 dimensions of maps of 4': (
        lambda x: F.pad(x, (1, 1, 1, 1), mode="reflect"),
        (ROWS,),
    ),
    "linalg_inv takes square matrices, and is given 3×8": (torch.linalg.inv, (ROWS,)),
    "tensordot adds up over the last 1 dimension of the first": (
        lambda x: torch.tensordot(x, x, dims=1),
        (ROWS,),
    ),
    "a matrix product needs as many columns on the left as rows on the right: 3×8·3×8, 8 ≠ 3": (
        lambda x: torch.addmm(torch.zeros(8), x, x),
        (ROWS,),
    ),
}


class Net(nn.Module):
    def __init__(self, run):
        super().__init__()
        self.run = run

    def forward(self, *inputs):
        return self.run(*inputs)


@pytest.mark.parametrize("says", SAID)
def test_rarer_functions_are_told_in_plain_words(says: str) -> None:
    run, inputs = SAID[says]
    mistake = explain(Net(run), *inputs).mistake
    assert mistake is not None
    assert mistake.rule.startswith(says)


def test_a_headline_ends_behind_a_word() -> None:
    mistake = Mistake("fc (Linear), net.py:3: x = self.first(second_argument)", "", "", "", ())
    (_, headline, *_) = mistake_lines(mistake, width=60)
    assert headline.plain == "✗ it stops at fc (Linear), net.py:3: x = …"
