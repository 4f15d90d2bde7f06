"""Batch normalisation of all processes is that of one, where there is one."""

import copy

import pytest
import torch
from torch import distributed, nn

from viewfinder.training.statistics import SharedBatchNorm, share_statistics


@pytest.fixture(scope="module", autouse=True)
def one_process(tmp_path_factory):
    store = f"file://{tmp_path_factory.mktemp('store') / 'store'}"
    distributed.init_process_group("gloo", init_method=store, rank=0, world_size=1)
    yield
    distributed.destroy_process_group()


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64, torch.bfloat16])
@pytest.mark.parametrize(
    "fields", [{}, {"momentum": None}, {"affine": False}, {"track_running_stats": False}]
)
def test_numbers_gradients_and_running_statistics_are_torchs(dtype, fields):
    torch.manual_seed(0)
    plain = nn.Sequential(nn.Conv2d(3, 8, 3), nn.BatchNorm2d(8, **fields), nn.ReLU())
    if dtype == torch.float64:
        plain = plain.double()
    shared = share_statistics(copy.deepcopy(plain), torch.device("cpu"))
    assert isinstance(shared[1], SharedBatchNorm)
    assert shared.state_dict().keys() == plain.state_dict().keys()
    assert [n for n, _ in shared.named_parameters()] == [n for n, _ in plain.named_parameters()]
    tolerance = {torch.float32: 1e-5, torch.float64: 1e-12, torch.bfloat16: 0.03}[dtype]
    near = {"rtol": tolerance, "atol": tolerance}
    for _ in range(3):
        pictures = torch.randn(5, 3, 9, 9, dtype=torch.float64 if dtype is torch.float64 else None)
        told = []
        for net in (plain, shared):
            net.zero_grad()
            with torch.autocast("cpu", torch.bfloat16, enabled=dtype is torch.bfloat16):
                answer = net(pictures)
            answer.float().square().mean().backward()
            told.append((answer, [p.grad for p in net.parameters()]))
        assert told[0][0].dtype == told[1][0].dtype
        torch.testing.assert_close(told[0], told[1], **near)
    torch.testing.assert_close(dict(shared.state_dict()), dict(plain.state_dict()), **near)
    pictures = torch.randn(2, 3, 9, 9, dtype=plain[0].weight.dtype)
    torch.testing.assert_close(shared.eval()(pictures), plain.eval()(pictures), **near)
