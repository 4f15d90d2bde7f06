"""Recurrent layers that are asked for a few steps give what they would of all."""

import pytest
import torch
from torch import nn

from viewfinder.explain.calls import tensors_in
from viewfinder.explain.shortcuts import Shortcuts
from viewfinder.explain.traces import Sample
from viewfinder.explain.tracing import trace


@pytest.mark.parametrize("kind", [nn.LSTM, nn.GRU, nn.RNN])
@pytest.mark.parametrize("first", [False, True])
@pytest.mark.parametrize("batch", [1, 3])
def test_shapes_and_order_are_those_of_the_real_layer(
    kind: type[nn.RNNBase], first: bool, batch: int
) -> None:
    layer = kind(6, 5, 2, batch_first=first, bidirectional=True).eval()
    shape = (batch, 9, 6) if first else (9, batch, 6)
    seen = trace(layer, (Sample(shape),), costs=False, shortcuts=Shortcuts())
    assert seen.failure is None
    with torch.no_grad():
        real = list(tensors_in(layer(torch.rand(shape))))
    assert [one.shape for one in seen.outputs] == [one.shape for one in real]
    assert [one.is_contiguous() for one in seen.outputs] == [one.is_contiguous() for one in real]


def test_a_sequence_of_other_features_is_refused_all_the_same() -> None:
    seen = trace(nn.GRU(6, 5), (Sample((9, 2, 7)),), costs=False, shortcuts=Shortcuts())
    assert seen.failure is not None
