"""A state that a loop carries is made for the batch, and masked heads are turned."""

import pytest
import torch
import torch.nn.functional as F
from torch import nn

from viewfinder.explain import explain


class OneState(nn.Module):
    def __init__(self):
        super().__init__()
        self.cell = nn.GRUCell(8, 6)

    def forward(self, x):
        state = torch.zeros(6)
        for t in range(x.size(1)):
            state = self.cell(x[:, t], state)
        return state


class Pair(nn.Module):
    def __init__(self):
        super().__init__()
        self.cell = nn.LSTMCell(8, 6)

    def forward(self, x):
        h, c = torch.zeros(1, 6), torch.zeros(1, 6)
        for t in range(x.size(1)):
            h, c = self.cell(x[:, t], (h, c))
        return h


class ByHand(nn.Module):
    def __init__(self):
        super().__init__()
        self.layer = nn.Linear(14, 6)

    def forward(self, x):
        state = torch.zeros(6)
        for t in range(x.size(1)):
            state = self.layer(torch.cat([x[:, t], state], 1))
        return state


class StepsFirst(nn.Module):
    def __init__(self):
        super().__init__()
        self.cell = nn.GRUCell(8, 6)

    def forward(self, x):
        x, state = x.transpose(0, 1), torch.zeros(6)
        for step in x:
            state = self.cell(step, state)
        return state


class Masked(nn.Module):
    def forward(self, x):
        q = x.view(x.size(0), x.size(1), 2, 4)
        seen = torch.ones(x.size(1), x.size(1), dtype=torch.bool).tril()
        return F.scaled_dot_product_attention(q, q, q, attn_mask=seen).flatten(2)


@pytest.mark.parametrize("kind", [OneState, Pair, ByHand, StepsFirst])
def test_a_carried_state_is_made_for_the_batch_and_not_left_out(kind: type[nn.Module]) -> None:
    mistake = explain(kind().eval(), (1, 5, 8), batched=True).mistake
    assert mistake is not None
    assert mistake.fixes
    assert mistake.fixes[0].startswith("torch.zeros(x.size(")
    assert mistake.fixes[0].endswith("then the whole net runs")
    assert not any("(x[:, t])" in fix or "cell(step)" in fix for fix in mistake.fixes)


def test_masked_attention_over_heads_is_turned_and_not_its_mask_cut() -> None:
    mistake = explain(Masked().eval(), (1, 5, 8), batched=True).mistake
    assert mistake is not None
    turned = "q.transpose(1, 2), q.transpose(1, 2), q.transpose(1, 2), attn_mask=seen"
    assert f"({turned}).transpose(1, 2) instead of F." in mistake.fixes[0]
    assert not any(":q.size(-2)" in fix for fix in mistake.fixes)
