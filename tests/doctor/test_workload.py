"""The table of what the networks cost is true, and what is measured is what it is made of."""

import pytest
import torch

from viewfinder import nets
from viewfinder.doctor import measuring, weighing
from viewfinder.doctor.estimate import seconds
from viewfinder.doctor.speed import Speed
from viewfinder.doctor.workload import samples, workloads


# Those that are quick to look at.
@pytest.mark.parametrize("name", ["lenet", "resnet18", "yolov3-tiny"])
def test_the_table_is_what_the_network_says(name):
    work, convolutions = weighing.weigh(name)
    assert workloads()[name] == work
    assert {each.kind for each in convolutions} <= {each.kind for each in samples()}


def test_every_network_is_in_the_table_with_its_header():
    assert set(workloads()) == set(nets.names())
    for name, work in workloads().items():
        assert work.side == nets.input_size(name)[0]
        assert set(work.macs) <= {each.kind for each in samples()}
    assert workloads()["resnet50"].parameters == 25_557_032


def test_what_is_measured_is_enough_for_an_estimate(monkeypatch):
    """Each thing is timed once, of a small size: that figures come out is what is seen here."""
    monkeypatch.setattr(measuring, "_SECONDS", 0.0)
    monkeypatch.setattr(measuring, "_MACS", {"cpu": 1e6})
    monkeypatch.setattr(measuring, "_SIDE", {"cpu": 64})
    every = torch.get_num_threads()
    small = [each for each in samples() if each.side < 30][:2]
    monkeypatch.setattr(measuring, "samples", lambda: small)
    found = tuple(measuring.rates("cpu", 600.0))
    assert torch.get_num_threads() == every
    assert all(rate.value > 0 for rate in found)
    kinds = {each.kind for each in small}
    assert {rate.what for rate in found} >= kinds
    made = Speed("cpu", every, found)
    work = workloads()["lenet"]
    simple = type(work)("x", 8, 10, dict.fromkeys(kinds, 100), 10, 10, 10)
    assert ("32", "channels_last") in seconds(simple, 1, made)
    assert list(measuring.rates("cpu", -1.0)) == []
