"""The arithmetic is chosen by timing on this machine, among those that learn the same."""

import copy
import json
import time

import pytest
import torch
from torch import nn
from torch.nn import functional

from viewfinder.errors import InputError
from viewfinder.tasks.normalisation import Normalisation
from viewfinder.training import precision
from viewfinder.training.precision import Arrangement, Choice, candidates, choose

CPU = torch.device("cpu")
PLAIN = Normalisation((0.0, 0.0, 0.0), (1.0, 1.0, 1.0))


def cross_entropy(forward, inputs):
    pictures, labels = inputs
    return {"cross_entropy": functional.cross_entropy(forward(pictures).float(), labels)}


class Behaving(nn.Module):
    """A tiny net that is slow, wrong or no number at will, by the arithmetic it runs in."""

    def __init__(self, *, slow=(), wrong=(), nan=(), seconds=0.02):
        super().__init__()
        self.conv = nn.Conv2d(3, 4, 3)
        self.drop = nn.Dropout(0.2)
        self.slow, self.wrong, self.nan, self.seconds = slow, wrong, nan, seconds

    def forward(self, x):
        contiguous = x.is_contiguous()
        kind = "bf16" if torch.is_autocast_enabled("cpu") else "32"
        now = {kind, f"{kind} {'contiguous' if contiguous else 'channels_last'}"}
        if now & set(self.slow):
            time.sleep(self.seconds)
        logits = self.drop(self.conv(x)).mean((2, 3))
        if now & set(self.wrong):
            logits = logits * 20
        if now & set(self.nan):
            logits = logits * float("nan")
        return logits


@pytest.fixture(autouse=True)
def short_trials(monkeypatch):
    monkeypatch.setattr(precision, "_SECONDS", 0.02)


@pytest.fixture
def batches():
    random = torch.Generator().manual_seed(0)
    return [
        (torch.randn(4, 3, 8, 8, generator=random), torch.tensor([0, 1, 2, 3])) for _ in range(2)
    ]


def chosen(net, batches, wanted="auto"):
    return choose(net, batches, loss=cross_entropy, colours=PLAIN, precision=wanted, device=CPU)


@pytest.mark.parametrize(
    ("slow", "best"),
    [
        (["32", "bf16 contiguous"], "bf16 channels_last"),
        (["32", "bf16 channels_last"], "bf16 contiguous"),
        (["bf16", "32 contiguous"], "32 channels_last"),
        (["bf16", "32 channels_last"], "32 contiguous"),
    ],
)
def test_the_fastest_that_agrees_is_kept(batches, slow, best):
    choice = chosen(Behaving(slow=slow), batches)
    assert str(choice.arrangement) == best
    assert [trial.verdict for trial in choice.trials] == ["agrees"] * 4
    assert "the slowest of the 4 that agree" in choice.why


def test_the_fastest_that_disagrees_is_not_kept(batches):
    choice = chosen(Behaving(slow=["32"], wrong=["bf16"]), batches)
    assert choice.arrangement.arithmetic == "32"
    verdicts = {t.arithmetic: t.verdict for t in choice.trials}
    assert verdicts == {"32": "agrees", "bf16": "loss differs from float32"}


def test_a_candidate_whose_loss_is_no_number_is_not_kept_and_can_be_written_down(batches):
    choice = chosen(Behaving(slow=["32"], nan=["bf16"]), batches)
    assert choice.arrangement.arithmetic == "32"
    text = json.dumps(choice.as_json(), allow_nan=False)
    assert Choice.from_json(json.loads(text)) == choice


def test_float32_is_kept_where_even_its_loss_is_no_number(batches):
    """The training itself will say so, with advice; the choice must not stop it."""
    choice = chosen(Behaving(nan=["32", "bf16"]), batches)
    assert str(choice.arrangement) == "32 contiguous"
    json.dumps(choice.as_json(), allow_nan=False)


def test_a_slow_machine_does_not_try_everything(batches, monkeypatch):
    monkeypatch.setattr(precision, "_PATIENCE", 0.0)
    choice = chosen(Behaving(), batches)
    assert str(choice.arrangement) == "32 contiguous"
    assert [trial.milliseconds is None for trial in choice.trials] == [False, True, True, True]
    assert all("not tried" in trial.verdict for trial in choice.trials[1:])
    text = json.dumps(choice.as_json(), allow_nan=False)
    assert Choice.from_json(json.loads(text)) == choice


def test_the_net_and_the_random_numbers_are_left_as_they_were(batches):
    net = Behaving().eval()
    before = copy.deepcopy(net.state_dict())
    torch.manual_seed(5)
    expected = torch.rand(3)
    torch.manual_seed(5)
    chosen(net, batches)
    assert torch.equal(torch.rand(3), expected)
    assert not net.training
    assert all(torch.equal(value, before[name]) for name, value in net.state_dict().items())
    assert all(p.grad is None for p in net.parameters())


def test_a_precision_that_is_asked_for_is_not_timed(batches):
    class Untouched(nn.Module):
        def forward(self, x):
            raise AssertionError("it was run")

    for wanted in ("32", "bf16", "16"):
        choice = chosen(Untouched(), batches, wanted)
        assert choice.arrangement.arithmetic == wanted
        assert (choice.why, choice.trials) == ("as asked for", ())


@pytest.mark.parametrize(
    ("arithmetic", "dtype"),
    [("32", torch.float32), ("bf16", torch.bfloat16), ("16", torch.float16)],
)
def test_the_forward_pass_runs_in_its_arithmetic_and_the_weights_stay_float32(arithmetic, dtype):
    net = nn.Sequential(nn.Conv2d(3, 4, 3), nn.Flatten(), nn.Linear(4 * 36, 2))
    seen = []
    for layer in (net[0], net[2]):
        layer.register_forward_hook(lambda module, inputs, out: seen.append(out.dtype))
    arrangement = Arrangement(arithmetic, "channels_last")
    with arrangement.autocast(CPU):
        net(torch.zeros(1, 3, 8, 8)).float().sum().backward()
    assert seen == [dtype, dtype]
    assert {p.dtype for p in net.parameters()} == {torch.float32}
    assert {p.grad.dtype for p in net.parameters()} == {torch.float32}


def test_the_memory_is_laid_out_as_said():
    picture = torch.zeros(2, 3, 4, 4)
    last = picture.contiguous(memory_format=Arrangement("32", "channels_last").memory_format)
    assert last.stride() == (48, 1, 12, 3)
    plain = last.contiguous(memory_format=Arrangement("32", "contiguous").memory_format)
    assert plain.stride() == (48, 16, 4, 1)


def test_the_candidates_of_each_device(monkeypatch):
    def names(wanted, device):
        return [str(each) for each in candidates(wanted, torch.device(device))]

    def both(*low):
        last = [f"{a} channels_last" for a in (*low, "32")]
        return ["32 contiguous", *last, *(f"{a} contiguous" for a in low)]

    assert names("auto", "cpu") == both("bf16")
    monkeypatch.setattr(torch.cuda, "is_bf16_supported", lambda: True)
    assert names("auto", "cuda") == both("bf16", "16")
    assert names("bf16", "cuda") == ["bf16 channels_last"]
    monkeypatch.setattr(torch.cuda, "is_bf16_supported", lambda: False)
    assert names("auto", "cuda") == both("16")
    assert names("16", "cuda") == ["16 channels_last"]
    with pytest.raises(InputError, match=r"--precision bf16: this GPU .* use 16 or 32"):
        names("bf16", "cuda")
