"""What the networks cost is what they say, is counted when it is asked for, and is remembered."""

import sys
import types
from dataclasses import replace

import pytest
import torch
from made_up_machine import WHOLE, network
from torch import nn

from viewfinder import nets
from viewfinder.doctor import gathering, measuring
from viewfinder.doctor.asking import TorchFacts
from viewfinder.doctor.estimate import epochs, seconds
from viewfinder.doctor.page import page
from viewfinder.doctor.remembering import recall_networks, remember_networks
from viewfinder.doctor.rules import findings
from viewfinder.doctor.speed import Speed
from viewfinder.doctor.weighing import weigh
from viewfinder.doctor.workload import SAMPLES, Convolution
from viewfinder.explain import explain

COUNTED = ("lenet", "resnet18", "yolov3-tiny", "a2dele-depth")


@pytest.mark.parametrize("name", COUNTED)
def test_what_is_counted_is_what_explain_counts(name):
    work = weigh(name)
    with torch.device("meta"):
        net = nets.create(name)
    channels = 1 if name == "a2dele-depth" else 3
    told = explain(net, (1, channels, work.side, work.side))
    assert work.parameters == told.totals.params
    assert work.kept == told.totals.activation_bytes
    assert sum(work.macs.values()) + work.dense == told.totals.macs
    assert sum(work.macs.values()) == sum(
        each.macs for each in told.layers if each.kind == "Conv2d"
    )
    assert set(work.macs) <= {each.kind for each in SAMPLES}


def test_each_kind_of_convolution_is_timed():
    kinds = {
        Convolution(kernel, channels, 8, 1, 8, groups).kind
        for kernel in (1, 2, 3, 5, 11)
        for channels, groups in ((1, 1), (16, 1), (64, 2), (512, 1), (512, 512))
    }
    timed = [each.kind for each in SAMPLES]
    assert len(timed) == len(set(timed)) == len(kinds)
    assert set(timed) == kinds


class Mine(nn.Module):
    def __init__(self, *, classes: int = 7) -> None:
        super().__init__()
        self.first = nn.Conv2d(3, 8, 5, stride=2, padding=2)
        self.last = nn.Linear(8 * 16 * 16, classes)

    def forward(self, x):
        return self.last(self.first(x).relu().flatten(1))


@pytest.fixture
def mine(monkeypatch, tmp_path):
    """A network of somebody else's: its own file, and its entry in the table of networks."""
    monkeypatch.setenv("VIEWFINDER_CACHE", str(tmp_path))
    module = types.ModuleType("viewfinder.nets.mine")
    module.mine = Mine  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, module.__name__, module)
    monkeypatch.setitem(nets._NETS, "mine", nets._Entry("mine", 32))


def test_a_network_that_is_added_is_on_the_page_without_any_other_file(mine, monkeypatch):
    remember_networks(WHOLE, {each.net: each for each in WHOLE.networks})
    given = []

    def answering(clean, variables, *, measuring, limit, networks):
        given.append(networks)
        return TorchFacts(WHOLE.torch, WHOLE.speed, tuple(map(weigh, networks)))

    monkeypatch.setattr(gathering, "ask_torch", answering)
    monkeypatch.setattr(gathering, "recall_networks", lambda _: recall_networks(WHOLE))
    machine = gathering.gather(quick=False)
    assert given == [["mine"]], "what is remembered is not counted again"
    found = {each.net: each for each in epochs(machine)}
    assert list(found)[-1] != "mine", "it stands with its task"
    assert found["mine"].side == 32
    text = "\n".join(line.text for line in page(machine, findings(machine), epochs(machine)))
    assert "\nmine  " in text
    work = {each.net: each for each in machine.networks}["mine"]
    assert work.macs == {"5×5 or more, few channels": 8 * 3 * 25 * 256}
    assert work.dense == 8 * 256 * 7
    assert work.pointwise == 4 * 8 * 256


def test_what_was_counted_is_remembered_until_networks_or_torch_change(mine, tmp_path):
    all_of_them = {each.net: each for each in WHOLE.networks}
    remember_networks(WHOLE, all_of_them | {"gone": network("gone")})
    assert recall_networks(WHOLE) == all_of_them
    older = replace(WHOLE, installation=replace(WHOLE.installation, torch="2.10.0"))
    assert recall_networks(older) == {}
    file = tmp_path / "doctor/networks.json"
    text = file.read_text()
    for damage in ("", "{", "[]", "[" * 10_000, text.replace('"side": 224', '"side": "224"')):
        file.write_text(damage)
        assert recall_networks(WHOLE) == {}


def test_what_is_measured_is_enough_for_an_estimate(monkeypatch):
    """Each thing is timed once, of a small size: that figures come out is what is seen here."""
    monkeypatch.setattr(measuring, "_SECONDS", 0.0)
    monkeypatch.setattr(measuring, "_MACS", {"cpu": 1e6})
    monkeypatch.setattr(measuring, "_SIDE", {"cpu": 64})
    every = torch.get_num_threads()
    small = [each for each in SAMPLES if each.side < 30][:2]
    monkeypatch.setattr(measuring, "SAMPLES", small)
    found = tuple(measuring.rates("cpu", 600.0))
    assert torch.get_num_threads() == every
    assert all(rate.value > 0 for rate in found)
    kinds = {each.kind for each in small}
    assert {rate.what for rate in found} >= kinds
    made = Speed("cpu", every, found)
    simple = replace(network("x"), macs=dict.fromkeys(kinds, 100))
    assert ("32", "channels_last") in seconds(simple, 1, made)
    assert list(measuring.rates("cpu", -1.0)) == []
